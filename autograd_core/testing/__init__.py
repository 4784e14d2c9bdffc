"""Gradient checks and hypothesis strategies, for functions of any library and for the ops of this one.

`check_gradients` and `check_properties` need nothing but NumPy. The strategies and `gradient_property` need
hypothesis, which is imported when they are first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..optional import needed
from .check import GradientError, Report, check_gradients
from .properties import check_properties
from .scripts import check_layer, check_script

if TYPE_CHECKING:
    from .decorator import gradient_property
    from .program import programs
    from .strategies import (
        arrays_for,
        broadcastable_shapes,
        conv_configurations,
        einsum_specs,
        indices,
        registry_calls,
        shapes,
        tensors,
    )

__all__ = [
    "GradientError",
    "Report",
    "arrays_for",
    "broadcastable_shapes",
    "check_gradients",
    "check_layer",
    "check_properties",
    "check_script",
    "conv_configurations",
    "einsum_specs",
    "gradient_property",
    "indices",
    "programs",
    "registry_calls",
    "shapes",
    "tensors",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = {"gradient_property": "decorator", "programs": "program"}.get(name, "strategies")
    needed("hypothesis", f"autograd_core.testing.{name}", "testing")
    return getattr(importlib.import_module(f".{module}", __name__), name)
