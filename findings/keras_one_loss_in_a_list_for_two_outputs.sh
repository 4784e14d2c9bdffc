#!/usr/bin/env bash
# Keras: a list with one loss, for a model of two outputs, trains the first output alone, without a word.
#
# One would guess: it is an error, as a list of one number for loss_weights is; or the loss counts for both outputs, as
# loss="mse" does.
# True is: the second output has no loss. Its weights stay what they are, and its targets are not looked at.
#
# Exit status 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q keras==3.15.1 jax==0.10.2 numpy==2.4.6
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PROGRAM'
import sys
import warnings

import keras
import numpy as np

warnings.simplefilter("error", UserWarning)
x = keras.Input((1,))
p, q = (keras.layers.Dense(1, kernel_initializer="ones", name=name)(x) for name in "pq")
data, zeros = np.ones((4, 1)), np.zeros((4, 1))


def trained(loss, **more):
    model = keras.Model(x, [p, q])
    for layer in "pq":
        model.get_layer(layer).set_weights([np.ones((1, 1)), np.zeros(1)])
    model.compile(keras.optimizers.SGD(0.25), loss, **more)
    history = model.fit(data, [zeros, zeros], batch_size=4, verbose=0).history
    return [float(model.get_layer(layer).get_weights()[0].item()) for layer in "pq"], list(history)


print("keras", keras.__version__)
print('loss="mse":  kernels', *trained("mse"))
print('loss=["mse"]: kernels', *trained(["mse"]))
try:
    trained(["mse", "mse"], loss_weights=[1.0])
    refused = False
except ValueError as error:
    refused = True
    print("loss_weights=[1.0]:", error)
same = (trained("mse")[0], trained(["mse"]), refused) == ([0.5, 0.5], ([0.5, 1.0], ["loss"]), True)
print("as described" if same else "CHANGED")
sys.exit(not same)
PROGRAM
