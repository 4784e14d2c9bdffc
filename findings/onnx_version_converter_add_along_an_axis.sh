#!/usr/bin/env bash
# ONNX: the version converter fails on an Add of opset 6 that says along which axis it broadcasts.
#
# One would guess: broadcast=1 with axis=1, which opset 6 describes and the checker accepts, becomes a Reshape or an Unsqueeze
# before the Add of opset 7, whose broadcasting is NumPy's.
# True is: only what broadcasts along the last axes is converted; along another one it is a RuntimeError about shapes, though the
# shapes are right. Models of 2017 with a bias for each channel are such files. The way out: broadcast by hand, then convert.
#
# Exit status 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q onnx==1.23.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'PROGRAM'
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, version_converter
from onnx.reference import ReferenceEvaluator

x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def converted(b, **how):
    """The result after the conversion, or None where there is none."""
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", x.shape), ("b", b.shape), ("y", x.shape))]
    graph = helper.make_graph([helper.make_node("Add", ["x", "b"], ["y"], broadcast=1, **how)], "one", values[:2], values[2:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 6)], ir_version=3)
    onnx.checker.check_model(model)
    try:
        return ReferenceEvaluator(version_converter.convert_version(model, 7)).run(None, {"x": x, "b": b})[0]
    except RuntimeError as error:
        print("   RuntimeError:", str(error).partition("failed: ")[2] or error)


print("onnx", onnx.__version__)
last, channel = np.float32([1, 2, 3, 4]), np.float32([1, 2, 3])
print("along the last axis")
first = converted(last)
print("  ", first is not None and np.array_equal(first, x + last))
print("along axis 1")
second = converted(channel, axis=1)
print("  ", second is not None)
same = first is not None and np.array_equal(first, x + last) and second is None
print("as described" if same else "CHANGED")
sys.exit(not same)
PROGRAM
