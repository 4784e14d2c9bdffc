#!/usr/bin/env bash
# Keras on TensorFlow: of a model with several outputs the losses of the outputs do not add up to the loss.
#
# One would guess: "loss" is the sum of "p_loss" and "q_loss", each a mean over all examples, on every backend.
# True is: on TensorFlow the loss of an output is the mean of the means of the batches, each batch counting alike, while
# "loss" is the mean over the examples. Four examples with errors 0, 0, 0, 4 in batches of 3 and 1: "loss" is 2, and
# "p_loss" and "q_loss" are 2 each on TensorFlow and 1 each on JAX.
#
# Exit status 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q keras==3.15.1 tensorflow-cpu==2.21.0 jax==0.10.2
cat >"$folder/program.py" <<'PROGRAM'
import sys

import keras
import numpy as np

x = keras.Input((1,))
model = keras.Model(x, [keras.layers.Identity(name="p")(x), keras.layers.Identity(name="q")(x)])
model.compile("sgd", ["mae", "mae"])
errors, zeros = np.array([[0.0], [0.0], [0.0], [4.0]]), np.zeros((4, 1))
found = model.evaluate(errors, [zeros, zeros], batch_size=3, verbose=0, return_dict=True)
print("keras", keras.__version__, "on", keras.backend.backend(), found)
expected = {"tensorflow": [2.0, 2.0, 2.0], "jax": [2.0, 1.0, 1.0]}[keras.backend.backend()]
same = [float(found[name]) for name in ("loss", "p_loss", "q_loss")] == expected
print("as described" if same else "CHANGED")
sys.exit(not same)
PROGRAM
export TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=""
KERAS_BACKEND=tensorflow "$folder/venv/bin/python" "$folder/program.py"
KERAS_BACKEND=jax "$folder/venv/bin/python" "$folder/program.py"
