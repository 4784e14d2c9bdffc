#!/usr/bin/env bash
# Keras: a saved model comes back with another loss when that is a Huber with a delta of one's own.
#
# One would guess: what a model was compiled with is in its file, so that evaluate() gives the same loss before saving
# and after loading.
# True is: Huber.get_config() tells its name and reduction, not its delta, so the loaded model has delta 1, without a
# word. Of an error of 5, Huber(delta=0.5) gives 0.5 · 5 - 0.5² / 2 = 2.375, and the model that was loaded 4.5.
#
# Exit status 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q keras==3.15.1 jax==0.10.2 numpy==2.4.6
KERAS_BACKEND=jax "$folder/venv/bin/python" - "$folder/model.keras" <<'PROGRAM'
import sys

import keras
import numpy as np

x, y = np.full((1, 1), 5.0), np.zeros((1, 1))
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
model.compile("sgd", keras.losses.Huber(delta=0.5))
before = model.evaluate(x, y, verbose=0)
model.save(sys.argv[1])
after = keras.models.load_model(sys.argv[1]).evaluate(x, y, verbose=0)

print("keras", keras.__version__)
print("Huber(delta=0.5).get_config():", keras.losses.Huber(delta=0.5).get_config())
print(f"loss before saving {before}, after loading {after}")
same = (before, after) == (2.375, 4.5)
print("as described" if same else "CHANGED")
sys.exit(not same)
PROGRAM
