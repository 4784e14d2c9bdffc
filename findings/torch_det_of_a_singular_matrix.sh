#!/usr/bin/env bash
# PyTorch: the gradient of a determinant at a singular matrix is 0, where it is not.
#
# One would guess: a determinant is a polynomial of the elements, so its gradient is the matrix of cofactors, at every
# matrix. For [[1 2 3] [4 5 6] [5 7 9]], of rank 2, these are [[3 -6 3] [3 -6 3] [-3 6 -3]]: changing an element by h
# changes the determinant by as much as ±6h, and JAX says so.
# True is: torch.linalg.det(x).backward() gives zeros, without a word, and torch.autograd.gradcheck fails.
#
# Exit status 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q torch==2.13.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PROGRAM'
import sys

import numpy as np
import torch

x = torch.tensor([[1.0, 2, 3], [4, 5, 6], [5, 7, 9]], dtype=torch.float64, requires_grad=True)
torch.linalg.det(x).backward()
print("torch", torch.__version__, "numpy", np.__version__)
print("gradient of torch.linalg.det:", x.grad.tolist())

plain, h = x.detach().numpy(), 1e-3
differences = np.zeros((3, 3))
for place in np.ndindex(3, 3):
    up, down = plain.copy(), plain.copy()
    up[place] += h
    down[place] -= h
    differences[place] = (np.linalg.det(up) - np.linalg.det(down)) / (2 * h)
print("central differences:         ", differences.round(6).tolist())
agrees = torch.autograd.gradcheck(torch.linalg.det, (x.detach().requires_grad_(),), raise_exception=False)
print("gradcheck:", agrees)

cofactors = [[3, -6, 3], [3, -6, 3], [-3, 6, -3]]
same = not x.grad.any() and not agrees and np.allclose(differences, cofactors)
print("as described" if same else "CHANGED")
sys.exit(not same)
PROGRAM
