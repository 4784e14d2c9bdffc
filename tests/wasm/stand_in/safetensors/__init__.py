"""The format safetensors in Python, where the library, which is written in Rust, has not been built for WebAssembly.

For the tests alone; tests/test_webassembly.py holds it to the library, byte by byte.
"""


class SafetensorError(Exception):
    """A file that is none."""
