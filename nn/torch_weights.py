"""Weights under PyTorch's names and in its layouts, and back. PyTorch itself is not needed.

Most layouts differ by a transposition. One does not: PyTorch has the channels of images first, so what its `Flatten`
gives to a `Linear` is in another order than ours, and the rows of that kernel change places. Where this happens is
found by listening to one prediction, so it holds in a ``call`` of your own too.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_core.arrays import to_numpy
from autograd_core.graph import Node, ancestors, in_order
from autograd_core.mode import recorded
from autograd_core.optional import needed
from autograd_core.tensor import Tensor, wrap

from . import activations, layers
from .layers.conv import Conv
from .layers.global_pooling import GlobalPooling
from .layers.layer import Layer
from .layers.pooling import MaxPooling, Pooling
from .models import Sequential
from .tensors import assign, plain


def to_torch_state_dict(model: Layer, names: Sequence[str] | None = None) -> dict[str, Any]:
    """The weights as arrays with PyTorch's names and layouts, for its ``load_state_dict``.

    The layers of a `Sequential` are numbered as the modules of a ``torch.nn.Sequential``, where an activation is a
    module after its layer, a global pooling is followed by a Flatten, and a padding that the module itself cannot do
    ("same" with strides or before a maximum, "causal") comes before it. Layers in a `Model` of your own are called by
    their attributes. ``names`` says otherwise: one name for each layer that has weights, in order.

    Where images are flattened the following kernel is turned to PyTorch's order, channels first. Raises ValueError
    when the model is not built, or when that order cannot be known.

    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(4, "relu"), nn.layers.Dense(1)])
    >>> {name: array.shape for name, array in nn.utils.to_torch_state_dict(model).items()}
    {'0.weight': (4, 2), '0.bias': (4,), '2.weight': (1, 4), '2.bias': (1,)}
    """
    return {entry.name: entry.theirs() for entry in _entries(model, names)}


def from_torch_state_dict(model: Layer, state: Any, names: Sequence[str] | None = None) -> None:
    """Replace the weights by those of a PyTorch model: what ``state_dict()`` gives, or a safetensors file of it.

    Parameters
    ----------
    model : Layer
        A built one.
    state : dict
        From names, as in `to_torch_state_dict`, to PyTorch's tensors or to arrays, or the path of a safetensors
        file.
    names : sequence of str, optional
        The name of each layer that has weights, where PyTorch calls them otherwise; None for those of the model.

    Raises
    ------
    ValueError
        That names all keys that are missing, unexpected, of another shape or of another kind of number, as complex
        ones are; then no weight has changed.
    TypeError
        For another ``state``.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> nn.utils.from_torch_state_dict(model, {"0.weight": np.array([[1.0, 2.0]]), "0.bias": np.zeros(1)})
    >>> model(np.array([[10.0, 1.0]])).numpy()
    array([[12.]], dtype=float32)
    """
    if isinstance(state, str | os.PathLike):
        state = _read(os.fspath(state))
    if not isinstance(state, Mapping):
        raise TypeError(
            "state of from_torch_state_dict: expected what state_dict() of a PyTorch model gives, or the path of a "
            f"safetensors file, got {state!r:.60}"
        )
    entries = {entry.name: entry for entry in _entries(model, names)}
    arrays = {name: _array(value) for name, value in state.items() if name in entries}
    faults = [
        f"missing: {', '.join(sorted(n for n, e in entries.items() if n not in state and not e.optional))}",
        f"unexpected: {', '.join(sorted(name for name in state if name not in entries))}",
        "of another shape: "
        + ", ".join(
            f"{name} has {list(array.shape)} where {list(entries[name].theirs().shape)} is needed"
            for name, array in sorted(arrays.items())
            if array.shape != entries[name].theirs().shape
        ),
        "of another kind of number: "
        + ", ".join(
            f"{name} is {array.dtype} where {entries[name].theirs().dtype} is needed"
            for name, array in sorted(arrays.items())
            if entries[name].weight is not None
            and not np.can_cast(array.dtype, entries[name].theirs().dtype, "same_kind")
        ),
    ]
    faults = [fault for fault in faults if not fault.endswith(": ")]
    if faults:
        raise ValueError(
            f"the weights do not fit {model.name!r}; {'; '.join(faults)}. If only the names differ, pass "
            "names=[…], one for each layer that has weights"
        )
    for name, array in arrays.items():
        entries[name].check(array)
    for name, array in arrays.items():
        entries[name].put(array)


def _array(value: Any) -> Any:
    if not hasattr(value, "detach"):
        return np.asarray(value)
    tensor = value.detach().cpu()
    try:
        return tensor.numpy()
    except TypeError:  # NumPy has no bfloat16
        return tensor.float().numpy()


def _read(path: str) -> dict[str, Any]:
    needed("safetensors", "A file of weights")
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise ValueError(
            f"{path} is no safetensors file ({error}); PyTorch's own files are pickles, which can run code and are not "
            "read here: load it in PyTorch and pass model.state_dict()"
        ) from error


# -- one weight --------------------------------------------------------------------------------------------


@dataclass
class Entry:
    """A weight, and how it lies in PyTorch: first its rows in another order, then its axes."""

    name: str
    weight: Tensor | None
    axes: tuple[int, ...] | None = None
    rows: Any = None
    fixed: Any = None  # what PyTorch has where we have nothing
    optional: bool = False

    def theirs(self) -> Any:
        """The array that PyTorch has."""
        if self.weight is None:
            return self.fixed
        array = to_numpy(plain(self.weight))
        array = array if self.rows is None else array[self.rows]
        return np.array(array if self.axes is None else array.transpose(self.axes), order="C")

    def check(self, array: Any) -> None:
        """Raise if PyTorch has learned what we have no weight for."""
        if self.weight is None and not self.optional and not np.array_equal(array, self.fixed):
            raise ValueError(
                f"{self.name} holds other numbers than {self.fixed.flat[0]:g}, and the layer has no weight for them: "
                "it was made with scale=False or center=False"
            )

    def put(self, array: Any) -> None:
        """Take over the array that PyTorch has."""
        if self.weight is None:
            return
        array = array if self.axes is None else array.transpose(np.argsort(self.axes))
        if self.rows is not None:
            array = array[np.argsort(self.rows)]
        assign(self.weight, array)


def _entries(model: Layer, names: Sequence[str] | None) -> list[Entry]:
    if not model.built:
        raise ValueError(f"{model.name!r} is not built, so it has no weights yet; call it once, or pass Input(…)")
    found = list(_modules(model, ""))
    if names is not None:
        if isinstance(names, str) or len(names) != len(found) or len(set(names)) != len(names):
            raise ValueError(
                f"names: expected one name for each of the {len(found)} layers that have weights, all different, for "
                f"{', '.join(layer.name for layer, _ in found)}, got {names!r}"
            )
        found = [(layer, name) for (layer, _), name in zip(found, names, strict=True)]
    orders = _orders(model)
    return [entry for layer, name in found for entry in _of_layer(layer, name, orders.get(id(layer)))]


def _of_layer(layer: Layer, name: str, order: Order | None) -> Iterator[Entry]:
    """What PyTorch keeps for a layer; ``order`` is that of the numbers which it is given."""
    prefix = f"{name}." if name else ""
    if order is LOST:
        raise ValueError(
            f"it cannot be known in which order PyTorch would give layer {layer.name!r} its inputs: images went "
            "through something else than Flatten, pooling, or functions element by element on their way"
        )
    if isinstance(layer, layers.BatchNormalization) and order is FIRST and layer.axis not in (-1, 3):
        raise ValueError(
            f"layer {layer.name!r} normalizes axis {layer.axis} of images that have their channels last, and PyTorch's "
            "BatchNorm the channels; leave axis=-1, or give the layers before it data_format='channels_first'"
        )
    rows = order.rows if order is not None else None
    if isinstance(layer, layers.Dense):
        yield Entry(f"{prefix}weight", layer.kernel, (1, 0), rows)
        if layer.use_bias:
            yield Entry(f"{prefix}bias", layer.bias)
    elif isinstance(layer, Conv):
        n = layer.rank
        yield Entry(f"{prefix}weight", layer.kernel, (n + 1, n, *range(n)))
        if layer.use_bias:
            yield Entry(f"{prefix}bias", layer.bias)
    elif isinstance(layer, layers.BatchNormalization):
        if layer.scale or layer.center:
            yield from _scale_and_shift(layer, prefix, rows, None, layer.moving_mean.shape)
        yield Entry(f"{prefix}running_mean", layer.moving_mean, None, rows)
        yield Entry(f"{prefix}running_var", layer.moving_variance, None, rows)
        yield Entry(f"{prefix}num_batches_tracked", None, fixed=np.array(0, np.int64), optional=True)
    elif isinstance(layer, layers.LayerNormalization):
        if layer.scale or layer.center:
            weight = layer.gamma if layer.scale else layer.beta
            n = weight.ndim
            axes = (n - 1, *range(n - 1)) if order is FIRST and n > 1 else None
            yield from _scale_and_shift(layer, prefix, rows, axes, weight.shape, bias=layer.center)
    elif isinstance(layer, layers.Embedding):
        yield Entry(f"{prefix}weight", layer.embeddings)
    else:
        for variable in layer._weights:
            yield Entry(f"{prefix}{variable.name}", variable)


def _scale_and_shift(
    layer: Any, prefix: str, rows: Any, axes: tuple[int, ...] | None, shape: Any, bias: bool = True
) -> Iterator[Entry]:
    """``weight`` and ``bias`` of a normalization: PyTorch has no bias alone, and no BatchNorm with one of them."""
    one, zero = (np.full(shape, value, layer.dtype) for value in (1, 0))
    yield Entry(f"{prefix}weight", layer.gamma if layer.scale else None, axes, rows, one)
    if bias:
        yield Entry(f"{prefix}bias", layer.beta if layer.center else None, axes, rows, zero)


# -- names -------------------------------------------------------------------------------------------------


def _modules(layer: Layer, name: str) -> Iterator[tuple[Layer, str]]:
    """The layers that have weights, with what PyTorch would call them."""
    if layer._weights:
        yield layer, name
    prefix = f"{name}." if name else ""
    if isinstance(layer, Sequential):
        number = 0
        for inner in layer.layers:
            before, after = _around(inner)
            yield from _modules(inner, f"{prefix}{number + before}")
            number += before + 1 + after
    else:
        for attribute in layer._holders:
            yield from _held(getattr(layer, attribute, None), f"{prefix}{attribute}")


def _held(value: Any, name: str) -> Iterator[tuple[Layer, str]]:
    if isinstance(value, Layer):
        yield from _modules(value, name)
    elif isinstance(value, list | tuple | dict):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _held(inner, f"{name}.{key}")


def _around(layer: Layer) -> tuple[int, int]:
    """How many modules of PyTorch's stand before and after the one that is this layer."""
    before = after = 0
    if isinstance(layer, Conv):
        before = int(layer.padding == "causal" or (layer.padding == "same" and max(layer.strides) > 1))
    elif isinstance(layer, MaxPooling):
        before = int(layer.padding == "same")
    elif isinstance(layer, GlobalPooling):
        after = int(not layer.keepdims)
    if isinstance(layer, Conv | layers.Dense):
        after = int(layer.activation is not activations.linear)
    return before, after


# -- order -------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Order:
    """How numbers lie in PyTorch, where it is not as ours do: for a row of them our position of each of theirs."""

    rows: Any = None

    def __eq__(self, other: object) -> bool:
        rows = other.rows if isinstance(other, Order) else None
        return self is other or (rows is not None and self.rows is not None and np.array_equal(self.rows, rows))


FIRST = Order()  # channels first, where ours are last
LOST = Order()


def _orders(model: Layer) -> dict[int, Order | None]:
    """The order of each layer's inputs, by the id of the layer."""
    shapes = getattr(model, "called_with", None)
    if shapes is None:
        return {}
    inputs: list[Node] = []

    def zeros(shape: Any) -> Tensor:
        inputs.append(Node(plain(np.zeros([n or 32 for n in (1, *shape[1:])], np.float32)), True))
        return wrap(inputs[-1])

    if isinstance(shapes, dict):
        x: Any = {key: zeros(shape) for key, shape in shapes.items()}
    else:
        x = [zeros(shape) for shape in shapes] if isinstance(shapes, list) else zeros(shapes)
    with _heard(model) as calls, recorded():
        model(x, training=False)
    first = any(getattr(layer, "data_format", None) == "channels_first" for layer in model.walk_layers())
    order: dict[Node, Order | None] = {node: FIRST if node.out.ndim == 4 and not first else None for node in inputs}
    made = {y.node: (layer, x.node) for layer, x, y in calls if y.node is not x.node}
    for node in in_order(ancestors(y.node for _, _, y in calls)):
        if node in made:
            layer, source = made[node]
            order[node] = _after(layer, order.get(source), source.out.shape, node.out.shape)
        elif node.op is not None:
            order[node] = _after_op(node, order)
    found: dict[int, Order | None] = {}
    for layer, x, _ in calls:
        now = order.get(x.node)
        if found.setdefault(id(layer), now) != now:
            raise ValueError(f"layer {layer.name!r} is called twice, with inputs that PyTorch has in different orders")
    return found


@contextmanager
def _heard(model: Layer) -> Iterator[list[tuple[Layer, Tensor, Tensor]]]:
    """The calls of the innermost layers inside a ``with`` block: each with its input and its output."""
    calls: list[tuple[Layer, Tensor, Tensor]] = []
    here = threading.get_ident()
    shapes = [(layer, layer.output_shape) for layer in model.walk_layers()]

    def listen(layer: Layer) -> None:
        call = layer.call

        def heard(*args: Any, **kwargs: Any) -> Any:
            y = call(*args, **kwargs)
            if threading.get_ident() == here and args and isinstance(args[0], Tensor) and isinstance(y, Tensor):
                calls.append((layer, args[0], y))
            return y

        vars(layer)["call"] = heard

    inner = [layer for layer in model.walk_layers() if not layer._sublayers and "call" not in vars(layer)]
    try:
        for layer in inner:
            listen(layer)
        yield calls
    finally:
        for layer in inner:
            vars(layer).pop("call", None)
        for layer, shape in shapes:
            layer.output_shape = shape


def _after(layer: Layer, order: Order | None, shape: tuple[int, ...], result: tuple[int, ...]) -> Order | None:
    """The order of what a layer gives."""
    if isinstance(layer, Conv | Pooling | layers.ZeroPadding2D) or (
        isinstance(layer, GlobalPooling) and layer.keepdims
    ):
        return FIRST if layer.data_format == "channels_last" else None
    if isinstance(layer, layers.Dense | layers.Embedding | GlobalPooling):
        return None
    if isinstance(layer, layers.Flatten):
        return _flattened(order, shape, layer.data_format == "channels_first")
    if isinstance(layer, layers.Reshape) and len(result) == 2:
        return _flattened(order, shape, False)
    return order if shape == result or order is None else LOST


def _after_op(node: Node, order: dict[Node, Order | None]) -> Order | None:
    """The order of what is computed between layers."""
    op = node.op
    assert op is not None
    known = [p for p in node.parents if p is not None and order.get(p) is not None]
    if not known:
        return None
    source, found = known[0], order[known[0]]
    if op.name == "reshape" and node.out.ndim == 2:
        return _flattened(found, source.out.shape, False)
    if op.name in ("mean", "max", "sum") and node.out.ndim == 2 and found is FIRST:
        return None
    same = all(order[p] == found for p in known)
    if op.name == "concatenate":  # of channels
        return (
            found
            if same and found is FIRST and node.params.get("axis", 0) % node.out.ndim == node.out.ndim - 1
            else LOST
        )
    fits = op.broadcasts and not op.batched and all(p.out.shape == node.out.shape for p in known)
    return found if same and fits else LOST


def _flattened(order: Order | None, shape: tuple[int, ...], moving: bool) -> Order | None:
    """The order of images in a row: where in ours each number of PyTorch's is. ``moving``: Flatten moves an axis."""
    if len(shape) == 2 or order is LOST:
        return order
    places = np.arange(math.prod(shape[1:])).reshape(shape[1:])
    ours = np.moveaxis(places, 0, -1) if moving else places
    theirs = places if order is None else np.moveaxis(places, -1, 0)
    rows = np.argsort(ours.ravel())[theirs.ravel()]
    return None if np.array_equal(rows, places.ravel()) else Order(rows)
