"""Ways out: a model as an ONNX file, which other runtimes run.

`tracing` finds out what a prediction computes, as steps that hold for every batch size; `rules` says what each step is
in ONNX, `writing` puts nodes and constants together, and `onnx_file` makes the file.
"""

from .errors import ExportError
from .onnx_file import export_onnx

__all__ = ["ExportError", "export_onnx"]
