"""An ONNX graph while it is written: names, constants, and where the axes of a value lie.

Layers here have the channels last, ONNX's convolutions and poolings have them first. So a value knows in which order
its axes are stored, and they are put back only where it matters: between two convolutions nothing moves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import ExportError
from .tracing import Constant, Length, Lengths, Step, Varying, place

Axes = tuple[int, ...]


@dataclass(eq=False)
class Value:
    """The result of a node. Stored axis ``i`` is axis ``axes[i]`` of what the model computes."""

    name: str
    shape: Lengths
    dtype: np.dtype[Any]
    axes: Axes
    moved: dict[Axes, str] = field(default_factory=dict)  # the same in other orders, where that was needed


def straight(ndim: int) -> Axes:
    """The order in which the model itself has its axes."""
    return tuple(range(ndim))


def channels_first(ndim: int) -> Axes:
    """The order in which ONNX wants images that have their channels last."""
    return (0, ndim - 1, *range(1, ndim - 1))


class Writer:
    """Collects nodes and initializers, each under a name that says where it comes from."""

    def __init__(self, symbols: Sequence[tuple[Varying, str, str, int]]):
        from onnx import helper

        self.helper = helper
        self.nodes: list[Any] = []
        self.initializers: dict[str, Any] = {}
        self.symbols = symbols  # lengths that vary: (pair, name, input, axis)
        self.step: Step | None = None
        self._taken: Counter[str] = Counter()
        self._constants: dict[Any, str] = {}
        self._lengths: dict[Varying, str] = {}

    def fail(self, why: str) -> ExportError:
        """The error for the step at hand."""
        assert self.step is not None
        return ExportError(f"{place(self.step)}: {self.step.op} {why}")

    # -- names -----------------------------------------------------------------------------------------

    def fresh(self, name: str) -> str:
        """``name``, with a number where it is taken."""
        self._taken[name] += 1
        return name if self._taken[name] == 1 else self.fresh(f"{name}_{self._taken[name] - 1}")

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node; the name of its result."""
        layer = self.step.layer if self.step else ""
        name = self.fresh(f"{layer}/{kind}" if layer else kind)
        self.nodes.append(self.helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    # -- constants -------------------------------------------------------------------------------------

    def constant(self, array: Any, name: str | None = None) -> str:
        """An initializer with these numbers; one for all places that need the same."""
        array = np.ascontiguousarray(array).reshape(np.shape(array))
        key = (name, str(array.dtype), array.shape, array.tobytes())
        if key not in self._constants:
            if name is None and (array.ndim == 0 or (array.dtype == np.int64 and array.size <= 8)):
                name = " ".join(map(str, array.ravel())) or "nothing"  # it is what it is called
            layer = self.step.layer if self.step else ""
            name = self.fresh(name or (f"{layer}/constant" if layer else "constant"))
            self._constants[key] = name
            self.initializers[name] = array
        return self._constants[key]

    def numbers(self, values: Sequence[int]) -> str:
        """Whole numbers: axes, places, shapes."""
        return self.constant(np.array(values, np.int64))

    # -- lengths that vary -----------------------------------------------------------------------------

    def dimension(self, length: Length) -> int | str | None:
        """A length as ONNX writes it in a shape: a number, a name, or None where it has none."""
        if isinstance(length, int):
            return length
        return next((name for pair, name, _, _ in self.symbols if pair == length), None)

    def lengths(self, shape: Lengths) -> str:
        """A shape as a value, computed from the inputs' shapes where it varies."""
        if not any(isinstance(n, Varying) for n in shape):
            return self.numbers([n for n in shape if isinstance(n, int)])
        return self.node("Concat", [self._length(n) for n in shape], axis=0)

    def _length(self, length: Length) -> str:
        if isinstance(length, int):
            return self.numbers([length])
        for pair, _, source, axis in self.symbols:
            times = length.times(pair)
            if times:
                if pair not in self._lengths:
                    self._lengths[pair] = self.node("Shape", [source], start=axis, end=axis + 1)
                name = self._lengths[pair]
                return name if times == 1 else self.node("Mul", [name, self.numbers([times])])
        raise self.fail(
            f"needs a length that is {length} for inputs of different sizes, and no multiple of a length of the "
            "inputs in all of them; without None in Input(shape=…) only the batch varies"
        )

    def whole(self, number: Any) -> int:
        """A whole number that is the same for all batches."""
        if isinstance(number, Varying):
            raise self.fail(
                f"is given a number that depends on the length of the inputs ({number} for inputs of different sizes) "
                "where a file holds one for all; compute it with NumPy functions of the Tensor, such as np.mean and "
                "np.sum over an axis"
            )
        return int(number)

    # -- values ----------------------------------------------------------------------------------------

    def value(self, name: str, dtype: Any = None, shape: Lengths | None = None, axes: Axes | None = None) -> Value:
        """The result of the step at hand, unless it is said to be of another kind."""
        assert self.step is not None
        shape = self.step.shape if shape is None else shape
        return Value(name, shape, np.dtype(dtype or self.step.dtype), axes or straight(len(shape)))

    def cast(self, x: Value, dtype: Any) -> Value:
        """``x`` in another dtype."""
        if x.dtype == dtype:
            return x
        to = self.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return Value(self.node("Cast", [x.name], to=to), x.shape, np.dtype(dtype), x.axes)

    def in_order(self, x: Value, axes: Axes) -> str:
        """The name of ``x`` with its axes stored in this order."""
        if x.axes == axes:
            return x.name
        if axes not in x.moved:
            x.moved[axes] = self.node("Transpose", [x.name], perm=[x.axes.index(a) for a in axes])
        return x.moved[axes]

    def plain(self, x: Any, dtype: Any = None) -> str:
        """The name of a value, a constant or a number, with its axes as the model has them."""
        if isinstance(x, Value):
            x = x if dtype is None else self.cast(x, dtype)
            return self.in_order(x, straight(len(x.shape)))
        if not isinstance(x, Constant):
            return self.constant(np.asarray(x, dtype))
        name = self.constant(x.array if dtype is None else x.array.astype(dtype, copy=False), x.name)
        return name if x.shape == x.array.shape else self.node("Expand", [name, self.lengths(x.shape)])

    def together(self, args: Sequence[Any], dtypes: Sequence[Any], ndim: int) -> tuple[list[str], Axes]:
        """The names of operands that broadcast to ``ndim`` axes, and the order in which all have them.

        A constant is turned to lie as the values do: (channels,) becomes (channels, 1, 1) where those come first.
        """
        values = [x for x in args if isinstance(x, Value)]
        full = [x for x in values if len(x.shape) == ndim]
        orders = {x.axes for x in full} - {straight(ndim)}  # where one of them lies, the others may well be needed too
        axes = orders.pop() if len(orders) == 1 and all(x in full or not x.shape for x in values) else straight(ndim)
        names = []
        for x, dtype in zip(args, dtypes, strict=True):
            if isinstance(x, Value):
                x = self.cast(x, dtype)
                names.append(self.in_order(x, axes) if len(x.shape) == ndim else self.plain(x))
            elif isinstance(x, Varying):  # the number of examples, as a number to compute with
                name, to = self._length(x), self.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
                names.append(self.node("Cast", [name], to=to))
            elif not isinstance(x, Constant) or not x.array.ndim:
                names.append(self.constant(np.asarray(x.array if isinstance(x, Constant) else x, dtype)))
            elif full and _stretched(x.shape, full):
                array = x.array.astype(dtype, copy=False)
                array = array.reshape((1,) * (ndim - array.ndim) + array.shape).transpose(axes)
                while array.ndim > 1 and array.shape[0] == 1:  # as a person writes it
                    array = array[0]
                names.append(self.constant(array, x.name))
            else:
                names.append(self.plain(x, dtype))
        return names, axes


def _stretched(shape: Lengths, values: Sequence[Value]) -> bool:
    """Whether these values have all the lengths of a constant that vary, so that it need not be repeated for them."""
    varying = [-i for i, n in enumerate(reversed(shape), 1) if isinstance(n, Varying)]
    return all(any(x.shape[axis] == shape[axis] for x in values) for axis in varying)
