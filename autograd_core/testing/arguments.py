"""The floating numbers in the arguments of a function, as one vector, under the names that its author gave."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..op import Op
from ..tensor import Tensor
from ..tree import leaves, named, rebuild
from .libraries import Library, of_value

Array = Any


# What holds complex numbers is said to be two arguments.
COMPLEX = (
    "{0}: expected real numbers, with respect to which gradients are checked, got complex ones; pass its parts as two "
    "arguments, lambda re, im: f(re + 1j * im)"
)


class Arguments:
    """What a function is called with, and which numbers in it are varied.

    ``names`` and ``arrays`` are those of the floating leaves, in order: ``x``, ``params['W1']``, ``layers[0]``.
    With ``narrow`` a function of another library is given their own dtypes instead of double precision.
    """

    narrow = False

    def __init__(
        self,
        f: Callable[..., Any],
        args: Sequence[Any],
        argnums: int | Sequence[int] | None,
        library: Library | None = None,
    ) -> None:
        self.args = list(args)
        self.library = library or Library()
        self.parameters = parameter_names(f, len(args))
        chosen = range(len(args)) if argnums is None else [argnums] if isinstance(argnums, int) else argnums
        for n in chosen:
            if not isinstance(n, int | np.integer):
                raise TypeError(f"argnums: expected positions of arguments, as 0 or (0, 2), got {argnums!r}")
            if not -len(args) <= n < len(args):
                raise TypeError(f"argnums: expected positions below {len(args)}, the number of arguments, got {n}")
        if len({n % len(args) for n in chosen}) < len(chosen):
            raise TypeError(f"argnums: expected each argument once, got {argnums!r}")
        # By default whatever holds a floating number is varied; an axis or an index is not.
        self.chosen = [n % len(args) for n in chosen if argnums is not None or _holds_floats(args[n])]
        self.names: list[str] = []
        self.arrays: list[Array] = []
        self.owners: list[int] = []
        self.templates: list[Any] = []
        for n in self.chosen:
            found = [(name, leaf) for name, leaf in named(args[n], self.parameters[n]) if is_floating(leaf)]
            if not found and any(is_complex(leaf) for leaf in leaves(args[n])):
                raise TypeError(COMPLEX.format(self.parameters[n]))
            if not found:
                came = getattr(args[n], "dtype", type(args[n]).__name__)
                raise TypeError(
                    f"{self.parameters[n]}: expected floating numbers, with respect to which there is a gradient, got "
                    f"{came}; pass floats (2.0, x.astype(float)), or leave it out of argnums"
                )
            for name, leaf in found:
                self.names.append(name)
                self.templates.append(leaf)
                self.arrays.append(to_numpy(leaf))
                self.owners.append(n)
        if not self.arrays:
            for name, arg in zip(self.parameters, args, strict=True):
                if any(is_complex(leaf) for leaf in leaves(arg)):
                    raise TypeError(COMPLEX.format(name))
            raise TypeError(
                "the arguments: expected floating numbers in one of them, to differentiate with respect to, got none; "
                "pass floats (2.0, x.astype(float))"
            )

    def vector(self) -> Array:
        """All the varied numbers, in double precision."""
        return flatten(self.arrays)

    def split(self, vector: Array, dtypes: bool = False) -> list[Array]:
        """A vector cut into arrays of the leaves' shapes (and, on request, of their dtypes)."""
        parts = split(vector, [a.shape for a in self.arrays])
        return [p.astype(a.dtype) for p, a in zip(parts, self.arrays, strict=True)] if dtypes else parts

    def fill(self, values: Sequence[Any]) -> list[Any]:
        """The arguments with ``values`` in place of the varied leaves."""
        new = iter(values)
        filled = list(self.args)
        for n in self.chosen:
            old = self.args[n]
            if isinstance(old, list | tuple | dict):
                filled[n] = rebuild(old, (next(new) if is_floating(leaf) else leaf for leaf in leaves(old)))
            else:
                filled[n] = next(new)
        return filled

    def native(self, values: Sequence[Array]) -> list[Any]:
        """The arguments as the function's own library wants them."""
        if self.narrow:
            values = [v.astype(a.dtype) for v, a in zip(values, self.arrays, strict=True)]
        return self.fill([self.library.array(v, t) for t, v in zip(self.templates, values, strict=True)])

    def place(self, position: int) -> tuple[int, tuple[int, ...]]:
        """Which leaf a position of the vector lies in, and at which index."""
        for leaf, array in enumerate(self.arrays):
            if position < array.size:
                return leaf, tuple(int(i) for i in np.unravel_index(position, array.shape))
            position -= array.size
        raise IndexError(position)


def flatten(arrays: Sequence[Any]) -> Array:
    """Arrays, or what still depends on weights that the function closes over, end to end."""
    if len(arrays) == 1:
        return np.array(_data(arrays[0]), np.float64).reshape(-1)
    return np.concatenate([np.asarray(_data(a), np.float64).reshape(-1) for a in arrays])


def _data(value: Any) -> Any:
    return value.data if isinstance(value, Tensor) else value


def split(vector: Array, shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    """The reverse: a number without axes comes back as NumPy's scalar."""
    parts, start = [], 0
    for shape in shapes:
        if shape == ():
            parts.append(vector[start])
            start += 1
        else:
            stop = start + int(np.prod(shape))
            parts.append(vector[start:stop].reshape(shape))
            start = stop
    return parts


def parameter_names(f: Callable[..., Any], count: int) -> list[str]:
    """What the author of ``f`` calls its positional arguments."""
    said = getattr(f, "parameters", None)  # what generates functions may say how
    if isinstance(said, list) and len(said) == count:
        return said
    if isinstance(f, Op):
        names = list(f.inputs) if f.arity is not None else []
        names += list(f.params) if f.arity is not None else [f"xs[{i}]" for i in range(count)]
        return names[:count]
    names = []
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # some functions written in C do not say
        parameters = []
    for parameter in parameters:
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}[{i}]" for i in range(count - len(names))]
        elif parameter.kind is not parameter.VAR_KEYWORD:
            names.append(parameter.name)
    names += [f"argument {i}" for i in range(len(names), count)]
    return names[:count]


def is_floating(leaf: Any) -> bool:
    """Whether a leaf holds floating numbers, in whatever library it is from."""
    if isinstance(leaf, float | np.floating):
        return True
    if isinstance(leaf, np.ndarray | Tensor):
        return leaf.dtype.kind == "f"
    if hasattr(leaf, "dtype") and hasattr(leaf, "shape"):
        return "float" in str(leaf.dtype)
    return False


def is_complex(leaf: Any) -> bool:
    """Whether a leaf holds complex numbers, in whatever library it is from."""
    return isinstance(leaf, complex) or "complex" in str(getattr(leaf, "dtype", ""))


def _holds_floats(arg: Any) -> bool:
    return any(is_floating(leaf) for leaf in leaves(arg))


def to_numpy(value: Any) -> Array:
    """The numbers of an array of any library, as NumPy's."""
    if type(value) is np.ndarray:
        return value
    library = of_value(value)
    return np.asarray(_data(value)) if library is None else library.numpy(value)
