#!/usr/bin/env bash
# Keras: utils.normalize(x, axis=0) divides the rows of a square matrix by the norms of its columns.
#
# One would guess: axis=0 makes each column a unit vector, as axis=0 of NumPy's, JAX's and PyTorch's norms does, and as
# axis=-2, which is the same axis of a matrix, does here.
# True is: the norms are those of the columns, and are put back along the last axis, as for axis=-1. Of a square matrix each row
# is divided by the norm of the column of its number, without a word; of 3 rows and 2 columns it is an error of broadcasting.
#
# Exit status 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q keras==3.15.1 jax==0.10.2 numpy==2.4.6
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PROGRAM'
import sys

import keras
import numpy as np

x = np.array([[3.0, 4.0], [8.0, 6.0]])
norms = np.linalg.norm(x, axis=0)
first, second_last = (np.asarray(keras.utils.normalize(x, axis=axis)) for axis in (0, -2))
try:
    keras.utils.normalize(np.ones((3, 2)), axis=0)
    said = "nothing"
except ValueError as error:
    said = str(error)
print("keras", keras.__version__, "numpy", np.__version__)
print("x", x.tolist())
print("norms of the columns", norms.tolist())
print("axis=0 ", first.tolist(), "lengths of its columns", np.linalg.norm(first, axis=0).tolist())
print("axis=-2", second_last.tolist(), "lengths of its columns", np.linalg.norm(second_last, axis=0).tolist())
print("3 rows, 2 columns, axis=0:", said)
same = np.allclose(first, x / norms[:, None]) and np.allclose(second_last, x / norms) and said != "nothing"
print("as described" if same else "CHANGED")
sys.exit(not same)
PROGRAM
