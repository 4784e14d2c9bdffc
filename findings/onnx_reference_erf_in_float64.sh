#!/usr/bin/env bash
# ONNX: the reference evaluator computes Erf of float64 by way of float32.
#
# One would guess: what defines the right result of an operator computes float64 in float64, as it does for Tanh and Exp, so
# that it can judge other runtimes, and finite differences of it can judge gradients.
# True is: the result is of float64, but was rounded to float32 on the way, 1e-8 beside Python's own erf. A gradient check in
# float64 through a GELU sees that as noise.
#
# Exit status 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q onnx==1.23.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'PROGRAM'
import math
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

x = np.array([0.1, 0.5, 1.0])


def off(operator, right):
    """The largest error of an operator of one float64 array."""
    value = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [3]) for name in "xy"]
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"])], "one", value[:1], value[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    onnx.checker.check_model(model, full_check=True)
    (y,) = ReferenceEvaluator(model).run(None, {"x": x})
    error = max(abs(y - [right(v) for v in x]))
    print(f"{operator:6}{y.dtype}  {error:.1e}")
    return y.dtype == np.float64, error


print("onnx", onnx.__version__, "numpy", np.__version__)
erf, tanh, exp = off("Erf", math.erf), off("Tanh", math.tanh), off("Exp", math.exp)
same = erf[0] and 1e-10 < erf[1] < 1e-6 and tanh[1] < 1e-15 and exp[1] < 1e-15
print("as described" if same else "CHANGED")
sys.exit(not same)
PROGRAM
