#!/usr/bin/env bash
# TensorFlow: the gradient of a running product is 0 beside a zero, where that of the product is right.
#
# One would guess: tf.math.cumprod and tf.reduce_prod of [0 2 3] have the same slope in the zero where they compute the
# same number. The last running product is the product, 0 · 2 · 3, and its derivative by the first element is 2 · 3 = 6.
# True is: tf.reduce_prod gives [6 0 0], tf.math.cumprod(x)[-1] gives [0 0 0], without a word. And of tf.reduce_prod the
# second derivatives are wrong there: the derivative of 6 by the others is 3 and 2, so that the sum of the gradient,
# yz + xz + xy, has the gradient [5 3 2]; TensorFlow gives [0 3 2].
#
# Exit status 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q tensorflow-cpu==2.21.0 numpy==2.4.6
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES="" "$folder/venv/bin/python" - <<'PROGRAM'
import sys

import numpy as np
import tensorflow as tf

x = tf.constant([0.0, 2.0, 3.0], tf.float64)
functions = {"reduce_prod(x)": tf.reduce_prod, "cumprod(x)[-1]": lambda x: tf.math.cumprod(x)[-1]}
first, second = {}, {}
for name, f in functions.items():
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            z = f(x)
        g = inner.gradient(z, x)
        total = tf.reduce_sum(g)
    first[name], second[name] = g.numpy(), outer.gradient(total, x).numpy()
print("tensorflow", tf.__version__, "numpy", np.__version__)
for name in functions:
    print(f"{name}: gradient {first[name]}, gradient of its sum {second[name]}")
print("right:          gradient [6. 0. 0.], gradient of its sum [5. 3. 2.]")

product, running = first.values()
same = product.tolist() == [6, 0, 0] and not running.any() and second["reduce_prod(x)"].tolist() == [0, 3, 2]
print("as described" if same else "CHANGED")
sys.exit(not same)
PROGRAM
