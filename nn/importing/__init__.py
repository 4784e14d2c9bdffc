"""Ways in: a model from an ONNX file, made of recorded functions.

`onnx_file` reads the file and refuses what is not known, with `protos` for its parts, `graph` makes a model of its
nodes, `layer` is what a node becomes, and `rules` says what each operator is: those that work element by element are in
`elementwise`, those along axes in `axes`, those that move and choose numbers in `shapes`, convolutions and poolings in
`windows`.
"""

from .errors import OnnxFileError
from .onnx_file import from_onnx

__all__ = ["OnnxFileError", "from_onnx"]
