"""The packages that come in the same distribution, told from others of the same name."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType


def sibling(name: str) -> ModuleType:
    """Import ``nn`` or ``datasets`` and make sure that it is the one that came with this package.

    Raises ImportError when another installed package of that name hides it.
    """
    module = importlib.import_module(name)
    ours = Path(__file__).resolve().parent.parent / name
    found = Path(str(module.__file__)).resolve().parent
    if found != ours:
        raise ImportError(
            f"`import {name}` finds another package of that name, in {found}; autograd-core's own is in {ours}. "
            "Install autograd-core in an environment of its own: python -m venv .venv && "
            '.venv/bin/pip install "autograd-core[plots]"'
        )
    return module
