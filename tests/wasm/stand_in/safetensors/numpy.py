"""Arrays as bytes: the length of a header, the header in JSON, and the arrays one after another."""

import json
import math
from pathlib import Path

import numpy as np

from . import SafetensorError

LETTERS = {"f": "F", "i": "I", "u": "U", "b": "BOOL", "c": "C"}
# In the order in which the library writes arrays of them, from the last, so that each begins where its kind may.
ORDER = [np.dtype(code) for code in ["?", "u1", "i1", "i2", "u2", "f2", "i4", "u4", "f4", "c8", "f8", "i8", "u8"]]
DTYPES = {d.name: LETTERS[d.kind] + (str(8 * d.itemsize) if d.kind != "b" else "") for d in ORDER}
NAMES = {letters: name for name, letters in DTYPES.items()}


def save(arrays):
    header, data = {}, b""
    for name, array in sorted(arrays.items(), key=lambda item: (-ORDER.index(item[1].dtype), item[0])):
        bounds = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": DTYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": bounds}
        data += array.tobytes()
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def load(data):
    try:
        length = int.from_bytes(data[:8], "little")
        header, data = json.loads(data[8 : 8 + length]), data[8 + length :]
        header.pop("__metadata__", None)
        found, end = {}, 0
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            dtype, (start, stop) = np.dtype(NAMES[entry["dtype"]]), entry["data_offsets"]
            if start != end or stop - start != dtype.itemsize * math.prod(entry["shape"]) or stop > len(data):
                raise SafetensorError(f"the array {name!r} has not its place")
            found[name], end = np.frombuffer(data[start:stop], dtype).reshape(entry["shape"]), stop
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SafetensorError(f"no header of safetensors: {error}") from error
    if end != len(data):
        raise SafetensorError("bytes that belong to no array")
    return found


def save_file(arrays, path):
    Path(path).write_bytes(save(arrays))


def load_file(path):
    return load(Path(path).read_bytes())
