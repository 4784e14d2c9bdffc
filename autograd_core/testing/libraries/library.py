"""What a gradient check asks of the library that a function is written for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from ...tensor import Tensor

Array = Any
Flat = Callable[[list[Any]], list[Any]]  # the varied arrays in, the floating results out, both of the library
Pull = Callable[[list[Any]], list[Any]]  # a gradient for each result in, one for each array out, None for no gradient


class Library:
    """How arrays of one library are made and read, and its functions called and differentiated.

    ``name`` is what ``of=`` calls it. The base class is NumPy's: it can call a function and not differentiate it.
    """

    name = "numpy"
    # What the code of a failure message needs to name the library.
    imports: tuple[str, ...] = ()
    # Whether a rule is told which arguments' gradients are asked for, so that it can be wrong about one alone.
    asks_for_each = True

    def context(self) -> AbstractContextManager[Any]:
        """What holds while a function is on trial, such as JAX's permission to compute in double precision."""
        return nullcontext()

    def prepare(self, f: Any, args: Sequence[Any]) -> tuple[Callable[..., Any], list[Any]]:
        """The function of arrays that is on trial, and its arguments: a module is one of its parameters too."""
        return f, list(args)

    def array(self, values: Array, template: Any = None) -> Any:
        """NumPy's numbers as an array of the library, on the device of ``template``."""
        return values

    def numpy(self, value: Any) -> Array:
        """An array of the library as NumPy's."""
        return np.asarray(value.data if isinstance(value, Tensor) else value)

    def literal(self, value: Any) -> str | None:
        """Python that makes an array of the library again, or None if ``value`` is none."""
        return None

    def code(self, f: Any, define: Callable[[Any, str], str]) -> str | None:
        """An expression that makes an object again; ``define(part, name)`` defines a part and returns its name."""
        return None

    def vjp(self, f: Flat, xs: list[Any]) -> tuple[list[Any], Pull]:
        """The results, and the function from their gradients to those of the arrays."""
        raise TypeError(f"{self.name} cannot differentiate; pass your gradient: grad=, vjp=, jvp= or jac=")

    def jvp(self, f: Flat, xs: list[Any], tangents: list[Any]) -> list[Any] | None:
        """The change of each result along ``tangents``, or None where there is no forward mode."""
        return None

    def second(self, f: Flat, xs: list[Any], gs: list[Any]) -> tuple[list[Any], Pull] | None:
        """The gradients at ``xs`` for ``gs``, and their own pullback to both; None where there is no second order."""
        return None

    def mapped(self, f: Flat, xs: list[Any], gs: list[Any]) -> tuple[list[Any], list[Any]] | None:
        """Results and gradients at several points, all stacked along a first axis, by the library's ``vmap``."""
        return None

    def batched(self, f: Flat, xs: list[Any], gs: list[Any]) -> list[Any] | None:
        """The gradients for several ``gs`` at once, stacked along a first axis; None where that cannot be had."""
        return None
