"""Layers that make one value of several: sums, products, means, and values side by side.

As in Keras, values of fewer axes get axes of length 1 behind that of the batch; lengths of 1 stretch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from ..masks import truth
from ..tensors import plain
from .input_spec import show
from .layer import Layer


class Merge(Layer):
    """What the layers that make one value of several share: they take a list of at least two, of shapes that fit."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        """There are no weights to make; ValueError unless there are two inputs at least, whose shapes fit."""
        shapes = several(input_shape)
        if len(shapes) < self._fewest:
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}): expected a list of {self._fewest} inputs or more, got "
                f"{len(shapes) or 'one'}"
            )
        self._check(shapes)

    _fewest = 2

    def _check(self, shapes: list[Any]) -> None:
        known = [tuple(n or -1 for n in shape[1:]) for shape in shapes]
        most = max(map(len, known))
        try:
            np.broadcast_shapes(*(tuple(1 if n < 0 else n for n in (1,) * (most - len(s)) + s) for s in known))
        except ValueError:
            raise ValueError(
                f"layer {self.name!r} ({type(self).__name__}): expected inputs whose shapes fit, got "
                f"{', '.join(map(show, shapes))}"
            ) from None

    def call(self, inputs: Any, mask: Any = None) -> Any:
        most = max(x.ndim for x in inputs)
        values = [_with_axes(x, most) for x in inputs]
        counts: list[Any] = [None if m is None else truth(m)[..., None] for m in mask or []]
        if self._neutral is None or all(c is None for c in counts):
            return self._merge(values)
        kept = [
            x if c is None else np.where(c, x, x.dtype.type(self._neutral)) for x, c in zip(values, counts, strict=True)
        ]
        merged = self._merge(kept)
        if any(c is None for c in counts):
            return merged
        return np.where(reduce(np.logical_or, counts), merged, self._where_none_counts(values[0]))

    # What takes the place of the steps that a mask leaves out, as in Keras; None: they are merged as they are.
    _neutral: float | None = None

    def _where_none_counts(self, first: Any) -> Any:
        return first

    def _merge(self, inputs: list[Any]) -> Any:
        raise NotImplementedError

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """What counts in one of the values, where all have masks; ValueError for other than a mask of each, or None."""
        if mask is None:
            return None
        if not isinstance(inputs, list | tuple) or not isinstance(mask, list | tuple) or len(inputs) != len(mask):
            raise ValueError(
                f"the masks of layer {self.name!r} ({type(self).__name__}): expected a list of inputs, and a mask or "
                f"None for each in a list, got {type(inputs).__name__} and {type(mask).__name__}"
            )
        return self._joined(inputs, mask)

    def _joined(self, inputs: Any, masks: Any) -> Any:
        return None if any(m is None for m in masks) else reduce(np.logical_or, map(truth, masks))


def several(shapes: Any) -> list[Any]:
    """The shapes of several inputs, in a list or a tuple; none for that of a single one."""
    return list(shapes) if all(isinstance(shape, list | tuple) for shape in shapes) else []


def _with_axes(x: Any, count: int) -> Any:
    return x if x.ndim == count else np.reshape(x, (x.shape[0], *(1,) * (count - x.ndim), *x.shape[1:]))


class Add(Merge):
    """The sum of several values.

    Parameters
    ----------
    **kwargs : dict
        As in `Layer`.

    Raises
    ------
    ValueError
        For a single value, and for shapes that do not fit.

    Examples
    --------
    >>> Add()([np.ones((1, 2)), np.ones((1, 2))]).numpy()
    array([[2., 2.]], dtype=float32)
    """

    def _merge(self, inputs: list[Any]) -> Any:
        return reduce(np.add, inputs)


class Subtract(Merge):
    """The first of two values less the second.

    Parameters
    ----------
    **kwargs : dict
        As in `Layer`.

    Raises
    ------
    ValueError
        For a single value, and for shapes that do not fit.

    Examples
    --------
    >>> Subtract()([np.full((1, 2), 3.0), np.ones((1, 2))]).numpy()
    array([[2., 2.]], dtype=float32)
    """

    def _check(self, shapes: list[Any]) -> None:
        if len(shapes) != 2:
            raise ValueError(f"layer {self.name!r} (Subtract): expected two inputs, got {len(shapes)}")
        super()._check(shapes)

    def _merge(self, inputs: list[Any]) -> Any:
        return inputs[0] - inputs[1]


class Multiply(Merge):
    """The product of several values, element by element.

    Parameters
    ----------
    **kwargs : dict
        As in `Layer`.

    Raises
    ------
    ValueError
        For a single value, and for shapes that do not fit.

    Examples
    --------
    >>> Multiply()([np.full((1, 2), 3.0), np.full((1, 2), 2.0)]).numpy()
    array([[6., 6.]], dtype=float32)
    """

    _neutral = 1.0

    def _where_none_counts(self, first: Any) -> Any:
        return first.dtype.type(0)

    def _merge(self, inputs: list[Any]) -> Any:
        return reduce(np.multiply, inputs)


class Average(Merge):
    """The mean of several values.

    Parameters
    ----------
    **kwargs : dict
        As in `Layer`.

    Raises
    ------
    ValueError
        For a single value, and for shapes that do not fit.

    Examples
    --------
    >>> Average()([np.full((1, 2), 3.0), np.ones((1, 2))]).numpy()
    array([[2., 2.]], dtype=float32)
    """

    def _merge(self, inputs: list[Any]) -> Any:
        return reduce(np.add, inputs) / len(inputs)


class Maximum(Merge):
    """The largest of several values, element by element.

    Parameters
    ----------
    **kwargs : dict
        As in `Layer`.

    Raises
    ------
    ValueError
        For a single value, and for shapes that do not fit.

    Examples
    --------
    >>> Maximum()([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
    array([[3., 4.]], dtype=float32)
    """

    _neutral = -np.inf

    def _merge(self, inputs: list[Any]) -> Any:
        return reduce(np.maximum, inputs)


class Minimum(Merge):
    """The least of several values, element by element.

    Parameters
    ----------
    **kwargs : dict
        As in `Layer`.

    Raises
    ------
    ValueError
        For a single value, and for shapes that do not fit.

    Examples
    --------
    >>> Minimum()([np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]).numpy()
    array([[1., 2.]], dtype=float32)
    """

    _neutral = np.inf

    def _merge(self, inputs: list[Any]) -> Any:
        return reduce(np.minimum, inputs)


class Concatenate(Merge):
    """Several values side by side along an axis.

    Parameters
    ----------
    axis : int
        A whole number; not that of the batch, which is 0. The other axes have the same lengths.
    **kwargs : dict
        As in `Layer`.

    Raises
    ------
    ValueError
        For a single value, and for shapes that differ along another axis.

    Examples
    --------
    >>> Concatenate()([np.ones((1, 2)), np.zeros((1, 1))]).numpy()
    array([[1., 1., 0.]], dtype=float32)
    """

    _fewest = 1

    def __init__(self, axis: int = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = axis

    def _check(self, shapes: list[Any]) -> None:
        first = shapes[0]
        axis = self.axis % len(first) if -len(first) <= self.axis < len(first) else None
        same = axis is not None and all(
            len(s) == len(first)
            and all(i == axis or None in (a, b) or a == b for i, (a, b) in enumerate(zip(s, first, strict=True)))
            for s in shapes
        )
        if not same:
            raise ValueError(
                f"layer {self.name!r} (Concatenate): expected shapes that differ along axis {self.axis} only, got "
                f"{', '.join(map(show, shapes))}"
            )

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return np.concatenate(inputs, axis=self.axis)

    def _joined(self, inputs: Any, masks: Any) -> Any:
        """Side by side, as the values are; what has no mask counts."""
        if all(m is None for m in masks):
            return None
        shapes, given, masks = [np.shape(plain(x)) for x in inputs], masks, []
        for shape, one in zip(shapes, given, strict=True):
            counts = np.ones(shape, bool) if one is None else truth(one)
            masks.append(np.broadcast_to(counts[..., None], shape) if counts.ndim < len(shape) else counts)
        return np.any(np.concatenate(masks, axis=self.axis), axis=-1)


class Dot(Merge):
    """The sum of products of two values along an axis of each, example by example.

    Parameters
    ----------
    axes : int or tuple of int
        The axis to sum over, a whole number from 1 on (0 is that of the batch), or a pair of them, one for each value.
    normalize : bool
        Whether the values are first divided by their length along that axis, which gives the cosine.
    **kwargs : dict
        As in `Layer`.

    Raises
    ------
    ValueError
        For another number of values than two, and axes of different lengths.

    Examples
    --------
    >>> Dot(axes=1)([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]).numpy()
    array([[11.]], dtype=float32)
    """

    def __init__(self, axes: Any, normalize: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        pair = (axes, axes) if isinstance(axes, int | np.integer) else tuple(axes)
        if len(pair) != 2 or any(not isinstance(a, int | np.integer) or a == 0 for a in pair):
            raise ValueError(f"axes of Dot: expected a whole number other than 0, or a pair of them, got {axes!r}")
        self.axes = axes if isinstance(axes, int | np.integer) else pair
        self.normalize = normalize

    def _check(self, shapes: list[Any]) -> None:
        if len(shapes) != 2:
            raise ValueError(f"layer {self.name!r} (Dot): expected two inputs, got {len(shapes)}")
        axes = self._pair()
        found = [s[a] if -len(s) <= a < len(s) else -1 for s, a in zip(shapes, axes, strict=True)]
        if -1 in found or (None not in found and found[0] != found[1]):
            raise ValueError(
                f"layer {self.name!r} (Dot): expected the same length along the axes {axes}, got "
                f"{' and '.join(map(show, shapes))}"
            )

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """None: the axis of the steps may be gone."""
        return None

    def _pair(self) -> tuple[int, int]:
        first, second = (self.axes, self.axes) if isinstance(self.axes, int | np.integer) else self.axes
        return int(first), int(second)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        a, b = (np.moveaxis(x, axis, -1) for x, axis in zip(inputs, self._pair(), strict=True))
        if self.normalize:
            a, b = (x / np.sqrt(np.maximum(np.sum(x * x, axis=-1, keepdims=True), 1e-14)) for x in (a, b))
        batch = a.shape[0]
        rows = np.reshape(a, (batch, -1, a.shape[-1]))
        columns = np.reshape(b, (batch, -1, b.shape[-1]))
        product = rows @ np.swapaxes(columns, 1, 2)
        shape = (batch, *a.shape[1:-1], *b.shape[1:-1])
        return np.reshape(product, shape if len(shape) > 1 else (batch, 1))


def _function(layer: type[Merge], example: str) -> Callable[..., Any]:
    def merged(inputs: Any, **kwargs: Any) -> Any:
        return layer(**kwargs)(inputs)

    name = layer.__name__.lower()
    merged.__name__ = merged.__qualname__ = name
    merged.__doc__ = f"""``{layer.__name__}(**kwargs)(inputs)``.

    ValueError and TypeError where `{layer.__name__}` raises them.

    >>> {example}
    """
    return merged


_TWO = "[np.array([[1.0, 4.0]]), np.array([[3.0, 2.0]])]"
add = _function(Add, f"add({_TWO}).numpy()\n    array([[4., 6.]], dtype=float32)")
subtract = _function(Subtract, f"subtract({_TWO}).numpy()\n    array([[-2.,  2.]], dtype=float32)")
multiply = _function(Multiply, f"multiply({_TWO}).numpy()\n    array([[3., 8.]], dtype=float32)")
average = _function(Average, f"average({_TWO}).numpy()\n    array([[2., 3.]], dtype=float32)")
maximum = _function(Maximum, f"maximum({_TWO}).numpy()\n    array([[3., 4.]], dtype=float32)")
minimum = _function(Minimum, f"minimum({_TWO}).numpy()\n    array([[1., 2.]], dtype=float32)")
concatenate = _function(Concatenate, f"concatenate({_TWO}).numpy()\n    array([[1., 4., 3., 2.]], dtype=float32)")


def dot(inputs: Any, axes: Any = -1, **kwargs: Any) -> Any:
    """``Dot(axes, **kwargs)(inputs)``.

    Parameters
    ----------
    inputs : list of array_like
        Two values, with the batch along the first axis.
    axes : int or tuple of int
        As in `Dot`.
    **kwargs : dict
        As in `Dot`.

    Returns
    -------
    Tensor
        The sums of products.

    Raises
    ------
    ValueError, TypeError
        Where `Dot` raises them.

    Examples
    --------
    >>> dot([np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])]).numpy()
    array([[11.]], dtype=float32)
    """
    return Dot(axes, **kwargs)(inputs)
