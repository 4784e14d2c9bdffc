#!/usr/bin/env bash
# PyTorch and JAX: the derivative of fmod(x, y) by y belongs to another quotient than its value.
#
# One would guess: fmod(x, y) = x - n·y with a whole n, so its derivative by y is -n, and value and derivative use the
# same n. At x = 1, y = 0.1 the value is 0.09999999999999995: the float 0.1 is a little more than a tenth, and n is 9.
# True is: torch.fmod and jax.numpy.fmod give that value with the derivative -10, from the rounded quotient 1 / 0.1.
# torch.remainder, which is the same function for positive numbers, gives -9 with the same value; jax.numpy.remainder -10.
#
# Exit status 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q torch==2.13.0 jax==0.10.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'PROGRAM'
import sys

import jax
import jax.numpy as jnp
import torch

jax.config.update("jax_enable_x64", True)


def of_torch(f):
    x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1.0, 0.1))
    z = f(x, y)
    return z.item(), torch.autograd.grad(z, y)[0].item()


def of_jax(f):
    return float(f(1.0, 0.1)), float(jax.grad(f, 1)(1.0, 0.1))


found = {
    "torch.fmod": of_torch(torch.fmod),
    "torch.remainder": of_torch(torch.remainder),
    "jax.numpy.fmod": of_jax(jnp.fmod),
    "jax.numpy.remainder": of_jax(jnp.remainder),
}
print("torch", torch.__version__, "jax", jax.__version__)
for name, (value, derivative) in found.items():
    print(f"{name}(1, 0.1) = {value!r} = 1 - {round((1 - value) / 0.1)} · 0.1; derivative by y {derivative:g}")

same = [value for value, _ in found.values()] == [0.09999999999999995] * 4
same = same and [derivative for _, derivative in found.values()] == [-10, -9, -10, -10]
print("as described" if same else "CHANGED")
sys.exit(not same)
PROGRAM
