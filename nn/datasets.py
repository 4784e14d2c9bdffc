"""The data sets under Keras' address: ``from nn.datasets import mnist``, which is the package `datasets`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

_package = importlib.import_module("datasets")
_place = Path(_package.__file__ or ".").resolve().parent
if _place.parent != Path(__file__).resolve().parent.parent:
    raise ImportError(
        f"the datasets of this project are hidden by another package of that name, in {_place}; use an "
        "environment of its own for this project"
    )
sys.modules[__name__] = _package
