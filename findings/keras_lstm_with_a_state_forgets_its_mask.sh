#!/usr/bin/env bash
# Keras: an LSTM that is given an initial state forgets the mask of its sequence.
#
# One would guess: a state of zeros is what an LSTM begins with anyway, so giving it changes nothing, and steps that a Masking
# layer leaves out are left out.
# True is: with initial_state= the mask is dropped without a word and padding counts. mask= given by name is used.
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

keras.utils.set_random_seed(0)
x = np.array([[[1.0], [2.0], [-10.0]]], "float32")  # the last step is padding
zeros = [np.zeros((1, 2), "float32")] * 2
masking, lstm = keras.layers.Masking(mask_value=-10.0), keras.layers.LSTM(2)
short = np.asarray(lstm(x[:, :2]))
alone = np.asarray(lstm(masking(x)))
given = np.asarray(lstm(masking(x), initial_state=zeros))
named = np.asarray(lstm(masking(x), initial_state=zeros, mask=np.array([[True, True, False]])))
print("keras", keras.__version__)
for what, value in (
    ("two steps alone", short),
    ("three, the last masked", alone),
    ("and a state of zeros", given),
    ("and the mask by name", named),
):
    print(f"{what:24}{value.tolist()}")
same = np.allclose(short, alone) and np.allclose(short, named) and not np.allclose(short, given, atol=1e-2)
print("as described" if same else "CHANGED")
sys.exit(not same)
PROGRAM
