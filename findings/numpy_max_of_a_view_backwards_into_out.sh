#!/usr/bin/env bash
# NumPy 2.0 and 2.1: the maximum of a view that runs backwards is another one when it is written into out=.
#
# One would guess: np.max(x[::-1], axis=0, out=o) writes into o what np.max(x[::-1], axis=0) returns. No order of the
# rows can change a maximum.
# True is: up to 2.1.3 some elements of o are an element of one row alone, for integers and floats, maximum and minimum,
# without a word. Sums are right, and so is everything from 2.2 on.
#
# Exit status 0 while this is so, 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np

x = np.array([[0, 856, 703], [550, 397, 244]])
out = np.empty(3, x.dtype)
np.max(x[::-1], axis=0, out=out)
print(np.__version__, "returned", np.max(x[::-1], axis=0), "written into out", out)
PROGRAM
for version in 2.1.3 2.2.6; do
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/python" -m pip install -q "numpy==$version"
    "$folder/$version/bin/python" "$folder/program.py"
done > "$folder/found"
cat "$folder/found"
expected=$'2.1.3 returned [550 856 703] written into out [550 397 244]\n2.2.6 returned [550 856 703] written into out [550 856 703]'
if [ "$(cat "$folder/found")" = "$expected" ]; then
    echo "as described"
else
    echo "CHANGED"
    exit 1
fi
