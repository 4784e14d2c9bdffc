"""Libraries that one function needs and the rest does not: imported where they are used."""

from __future__ import annotations

import importlib
from typing import Any


def needed(module: str, purpose: str, extra: str = "") -> Any:
    """Import ``module``, or say in one sentence what needs it and what installs it.

    Parameters
    ----------
    module : str
        Its name, as ``import`` takes it.
    purpose : str
        What needs it, the subject of the sentence.
    extra : str
        The extra of this distribution that brings it; without one the library is installed by its own name.

    Raises
    ------
    ImportError
        It, or something that it needs, is not installed.

    Examples
    --------
    >>> needed("math", "A circle").pi
    3.141592653589793
    >>> needed("compasses.fine", "A circle")
    Traceback (most recent call last):
    ModuleNotFoundError: A circle needs compasses: pip install compasses
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        package = f'"autograd-core[{extra}]"' if extra else library
        if error.name and error.name.partition(".")[0] != library:  # it is here, and what it needs itself is not
            library += f", which cannot be imported ({error})"
        raise type(error)(f"{purpose} needs {library}: pip install {package}", name=error.name) from error
