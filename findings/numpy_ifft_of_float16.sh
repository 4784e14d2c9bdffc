#!/usr/bin/env bash
# NumPy: an inverse Fourier transform of float16 is scaled in float16, and of more than 65,504 numbers it is 0.
#
# One would guess: what takes float16 and gives complex64 computes in single precision, as np.fft.fft does with the same
# numbers, so that ifft(fft(x)) of float16 is as near to x as complex64 is.
# True is: the factor 1 / n is made in the dtype that came in. In float16 it has three digits, and n itself has no finite
# value above 65,504: then the factor is 0, and so is the whole result, with a warning about a cast. fft is not scaled and
# is right; converted to float32 first, ifft is right, too.
#
# Exit status 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q numpy==2.4.6
"$folder/venv/bin/python" -W ignore - <<'PROGRAM'
import sys

import numpy as np

print("numpy", np.__version__)


def first(transform, n, dtype):
    """The first number of the transform of n ones, which is their sum or their mean."""
    found = transform(np.ones(n, dtype))
    print(f"{transform.__name__:6}{np.dtype(dtype).name:9}{n:8,} ones: {found.dtype}, first {found[0].real:.7g}")
    return found.dtype, float(found[0].real)


many, some = 100_000, 60_000
right = first(np.fft.fft, many, np.float16) == (np.complex64, many) and first(np.fft.ifft, many, np.float32)[1] == 1
zero = first(np.fft.ifft, many, np.float16) == (np.complex64, 0.0)
off = abs(first(np.fft.ifft, some, np.float16)[1] - 1)
same = right and zero and 1e-4 < off < 1e-2
print("as described" if same else "CHANGED")
sys.exit(not same)
PROGRAM
