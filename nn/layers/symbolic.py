"""Values that are not computed yet: a shape and a dtype, and the call of a layer that they come from.

A layer that is called on one runs on a small batch of zeros, to see what shape and dtype come out, and gives another:
so a model can be written down before there is any data (Keras' functional API). Nothing else is known of a value, and
no second engine is needed: NumPy's functions and operators become layers, too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, NamedTuple, NoReturn

import numpy as np

from autograd_core import tree
from autograd_core.mode import no_grad
from autograd_core.tensor import Tensor

from .. import random
from ..tensors import plain
from ..variables import Readable

Shape = tuple[int | None, ...]

# What a layer is called on most often, and needs no look inside.
COMPUTED = frozenset({Tensor, Readable, np.ndarray})

# Lengths that are tried for those that are not known, first of the batch and then of another axis: what differs in the
# output between the two runs is not known, either.
TRIED = [(1, 32), (2, 48)]


def getitem(x: Any, index: Any) -> Any:
    """A part of an array."""
    return x[index]


class History(NamedTuple):
    """Where a value comes from: the layer, which of its calls, and which of the call's outputs."""

    operation: Any
    node_index: int
    tensor_index: int


class KerasTensor(np.lib.mixins.NDArrayOperatorsMixin):
    """A value of a model that is being written down: what `Input` gives, and layers that are called on it.

    Parameters
    ----------
    shape : tuple of int
        With the axis of the batch; None stands for a length that is not known.
    dtype : dtype
        Of the values.
    name : str, optional
        By default "keras_tensor".

    Raises
    ------
    TypeError
        Where its values are asked for: there are none.

    Examples
    --------
    >>> import nn
    >>> x = nn.Input(shape=(3,))
    >>> nn.layers.Dense(2)(x)
    <KerasTensor shape=(None, 2), dtype=float32, name=dense...>
    >>> np.exp(x) + 1
    <KerasTensor shape=(None, 3), dtype=float32, name=add...>
    """

    # Makes a layer of a function, see `operation`.
    as_layer: ClassVar[Callable[[Any], Any]]

    _keras_history: History  # Keras' name, which scripts read

    def __init__(self, shape: Any, dtype: Any = "float32", name: str | None = None):
        self.shape: Shape = tuple(shape)
        self.dtype = np.dtype(dtype)
        self.name = "keras_tensor" if name is None else name

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    # -- what is computed of it ------------------------------------------------------------------------

    def __array_ufunc__(self, function: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__":
            return NotImplemented
        if kwargs.get("out") is not None:
            self._refuse()
        return KerasTensor.as_layer(function)(*inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return KerasTensor.as_layer(function)(*args, **kwargs)

    def __getitem__(self, index: Any) -> Any:
        return KerasTensor.as_layer(getitem)(self, index)

    def reshape(self, *shape: Any) -> Any:
        """Another shape of the same values, as ``np.reshape`` gives it."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    # -- what it has not -------------------------------------------------------------------------------

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            f"{self!r} has no values: it stands for what a model will be given; use layers, such as "
            "Activation('relu'), NumPy's functions and operators, or make a layer of what you do with it, and call the "
            "model on arrays"
        )

    __array__ = __bool__ = __float__ = __int__ = __index__ = __iter__ = __len__ = numpy = item = _refuse

    def __hash__(self) -> int:
        return id(self)


for _name in ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow"):
    setattr(KerasTensor, f"__i{_name}__", getattr(KerasTensor, f"__{_name}__"))  # x += y names another value


class Call:
    """One call of a layer on values that are not computed yet."""

    def __init__(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any):
        self.layer, self.args, self.kwargs, self.outputs = layer, args, kwargs, outputs
        calls = vars(layer).setdefault("_calls", [])
        index = len(calls)
        calls.append(self)
        for i, output in enumerate(symbols(outputs)):
            output._keras_history = History(layer, index, i)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The values that it is called on, from left to right."""
        return symbols((self.args, self.kwargs))


def symbols(structure: Any) -> list[KerasTensor]:
    """The values in a structure that are not computed yet."""
    return [leaf for leaf in tree.leaves(structure) if isinstance(leaf, KerasTensor)]


def source(value: KerasTensor) -> Call:
    """The call that a value comes from; ValueError where none is known."""
    history = getattr(value, "_keras_history", None)
    if history is None:
        raise ValueError(f"{value!r} comes from no layer; begin with Input(shape=…)")
    call: Call = history.operation._calls[history.node_index]
    return call


def shape_of(value: Any) -> Any:
    """The shape of a value, of an array without the length of its batch; of several values their shapes."""
    if isinstance(value, list | tuple):
        return [shape_of(v) for v in value]
    if isinstance(value, dict):
        return {k: shape_of(v) for k, v in value.items()}
    if isinstance(value, KerasTensor):
        return value.shape
    shape = np.shape(plain(value)) if value is not None else ()
    return (None, *shape[1:]) if shape else ()


def output_spec(layer: Any, args: Any, kwargs: Any) -> Any:
    """What comes out of a layer for such inputs, each a `KerasTensor`; found by running it on zeros.

    Of a batch of a known length, which may be large, one and two examples are tried as well; where a layer wants as
    many as there are, all.
    """
    given = symbols((args, kwargs))
    unknown = [n for value in given for n in value.shape if n is None]
    batches = {value.shape[0] for value in given if value.shape}
    batch = batches.pop() if len(batches) == 1 else None
    with no_grad(), np.errstate(all="ignore"), undisturbed(layer):
        try:
            if batch is None or batch <= TRIED[-1][0]:
                raise ValueError
            runs = [_run(layer, args, kwargs, lengths, few=True) for lengths in TRIED]
        except Exception:
            batch = None
            runs = [_run(layer, args, kwargs, lengths) for lengths in (TRIED if unknown else TRIED[:1])]

    def spec(*found: Any) -> KerasTensor:
        shapes = [np.shape(plain(value)) for value in found]
        if len({len(shape) for shape in shapes}) > 1:
            raise ValueError(
                f"layer {layer.name!r}: expected as many axes of the output for any length of the inputs, got the "
                f"shapes {' and '.join(map(str, shapes))}"
            )
        lengths = [n[0] if len(set(n)) == 1 else None for n in zip(*shapes, strict=True)]
        if batch is not None and lengths and lengths[0] is None:  # so many for one example more
            (one, two), (few, more) = (s[0] for s in shapes), (n for n, _ in TRIED)
            lengths[0] = one + (batch - few) * (two - one) // (more - few)
        return KerasTensor(lengths, plain(found[0]).dtype, layer.name)

    return tree.map(spec, *runs)


def _run(layer: Any, args: Any, kwargs: Any, lengths: tuple[int, int], few: bool = False) -> Any:
    def zeros(leaf: Any) -> Any:
        if not isinstance(leaf, KerasTensor):
            return leaf
        shape = [lengths[i > 0] if n is None or (few and i == 0) else n for i, n in enumerate(leaf.shape)]
        return np.zeros(shape, leaf.dtype)

    args, kwargs = tree.map(zeros, args), tree.map(zeros, {**kwargs, "training": False})
    return layer(*args, **kwargs)


@contextlib.contextmanager
def undisturbed(layer: Any) -> Iterator[None]:
    """Let a run that only looks (for shapes, say) change no state, but for what it builds."""
    chances = [(generator, random.get_state(generator)) for generator in random.generators_of(layer)]
    kept = [(w, np.array(plain(w))) for part in layer.walk_layers() for w in (*part._kept, *part._carried)]
    try:
        yield
    finally:
        for generator, state in chances:
            generator.bit_generator.state = state
        for weight, value in kept:
            if not np.array_equal(plain(weight), value):
                weight.data = value  # a call may have put a number in the array's place
