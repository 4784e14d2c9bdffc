"""Libraries that one function needs and the rest does not: imported where they are used."""

from importlib import import_module
from typing import Any


def needed(module: str, purpose: str, extra: str = "") -> Any:
    """Import `module`, or say what needs it and what installs it, as autograd_core.optional does for its packages.

    This one imports neither, so it says it itself.
    """
    try:
        return import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        package = f'"autograd-core[{extra}]"' if extra else library
        if error.name and error.name.partition(".")[0] != library:  # it is here, and what it needs itself is not
            library += f", which cannot be imported ({error})"
        raise type(error)(f"{purpose} needs {library}: pip install {package}", name=error.name) from error
