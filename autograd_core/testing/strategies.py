"""Hypothesis strategies: numbers of a domain, shapes, indices, specifications, and calls of the table's ops.

Numbers come from a grid and are distinct, so that no tie or kink is within reach of a gradient check unless
it is asked for; they shrink towards the simplest numbers of their domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from .. import tree
from ..domain import REAL, Domain
from ..op import COMPOSED, REGISTRY, Op
from ..tensor import Tensor
from .calls import Call, entries, examples_of, is_shape, known, make_call, place, shapes_of, size_of
from .libraries import named

Array = Any
Strategy = st.SearchStrategy[Any]

# The numbers beyond these come from one seed: hypothesis spends a choice on each that it draws.
_ONE_BY_ONE = 24


def shapes(
    *, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4
) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of arrays, without axes and of size 0 included.

    Parameters
    ----------
    min_dims, max_dims : int
        The fewest and the most axes, from 0 on.
    min_side, max_side : int
        The least and the greatest length of an axis, from 0 on.

    Returns
    -------
    SearchStrategy
        It draws tuples of int.

    Raises
    ------
    InvalidArgument
        When it draws, if a bound is below 0, or the least above the most; it is a TypeError.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(shapes(min_dims=2), lambda shape: 0 not in shape)
    (1, 1)
    """
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


def broadcastable_shapes(n: int, *, max_dims: int = 3, max_side: int = 4) -> st.SearchStrategy[tuple[Any, ...]]:
    """``n`` shapes that broadcast together, axes of length 0 and 1 included.

    Parameters
    ----------
    n : int
        How many shapes, from 1 on.
    max_dims : int
        The most axes of one, from 0 on.
    max_side : int
        The greatest length of an axis, from 0 on.

    Returns
    -------
    SearchStrategy
        It draws tuples of ``n`` shapes.

    Raises
    ------
    InvalidArgument
        When it draws, if ``n`` is below 1; it is a TypeError.

    Examples
    --------
    >>> from hypothesis import find
    >>> sorted(find(broadcastable_shapes(2), lambda drawn: drawn[0] != drawn[1]))
    [(), (0,)]
    """
    together = hnp.mutually_broadcastable_shapes(num_shapes=n, min_side=0, max_dims=max_dims, max_side=max_side)
    return together.map(lambda drawn: drawn.input_shapes)


@st.composite
def distinct_integers(draw: Any, count: int) -> list[int]:
    """``count`` different integers, which `place` turns into numbers of a domain."""
    first = min(count, _ONE_BY_ONE)
    drawn = draw(st.lists(st.integers(-96, 96), min_size=first, max_size=first, unique=True))
    if count == first:
        return list(drawn)
    everything = np.arange(-96 - count, 97 + count)
    order = np.random.default_rng(draw(st.integers(0, 2**16))).permutation(everything)
    rest = order[~np.isin(order, drawn)]
    return [*drawn, *(int(k) for k in rest[: count - first])]


@st.composite
def _arrays(draw: Any, domains: Sequence[Domain], shape: Any, dtype: Any) -> tuple[Any, ...]:
    if shape is None:
        drawn = draw(broadcastable_shapes(len(domains)))
    elif not (is_shape(shape) and min(shape, default=0) >= 0) and not isinstance(shape, st.SearchStrategy):
        raise TypeError(f"shape: expected a tuple of lengths from 0 on, or a strategy of such, got {shape!r}")
    else:
        one = shape if is_shape(shape) else draw(shape)
        drawn = (one,) * len(domains)
    left = iter(draw(distinct_integers(sum(int(np.prod(s)) for s in drawn))))
    filled = []
    for one, domain in zip(drawn, domains, strict=True):
        values = [place(next(left), domain) for _ in range(int(np.prod(one)))]
        filled.append(np.array(values, dtype).reshape(one))
    return tuple(filled)


def arrays_for(what: Op | Domain, shape: Any = None, dtype: Any = np.float64, of: str | None = None) -> Strategy:
    """Arrays in a domain; or the arguments of an op, as a tuple of arrays that broadcast together.

    Parameters
    ----------
    what : Op or Domain
        An elementwise op, or where the numbers lie. For any other op use `registry_calls`, which also draws its
        parameters.
    shape : tuple of int, or strategy of such, optional
        The shape of each array; by default any.
    dtype : dtype
        That of the arrays.
    of : str, optional
        The name of the library that makes its arrays of them, as for `check_gradients`; by default NumPy.

    Returns
    -------
    SearchStrategy
        It draws an array for a domain, and a tuple of arrays for an op.

    Raises
    ------
    TypeError
        If ``what`` is neither, or a length is below 0.

    Examples
    --------
    >>> from autograd_core.domain import POSITIVE
    >>> from hypothesis import find
    >>> find(arrays_for(POSITIVE, (2,)), lambda x: True)
    array([0.125  , 0.15625])
    """
    if of is not None:
        library = named(of)
        return arrays_for(what, shape, dtype).map(lambda drawn: tree.map(library.array, drawn))
    if isinstance(what, Domain):
        return _arrays([what], shapes() if shape is None else shape, dtype).map(lambda drawn: drawn[0])
    if not isinstance(what, Op):
        raise TypeError(f"what: expected an op, as in REGISTRY['tanh'], or a Domain, got {what!r}")
    if what.arity is None or not (what.broadcasts or what.arity == 1):
        raise TypeError(
            f"what: expected an op whose arguments may have any shapes that broadcast, got {what.name}; use "
            f"registry_calls(['{what.name}'])"
        )
    domain = what.domain
    domains = [domain or REAL] * what.arity if isinstance(domain, Domain | None) else list(domain)
    return _arrays(domains, shape, dtype)


def tensors(domain: Domain = REAL, shape: Any = None, dtype: Any = np.float64) -> Strategy:
    """Tensors with numbers of a domain.

    Parameters
    ----------
    domain : Domain
        Where the numbers lie.
    shape : tuple of int, or strategy of such, optional
        Their shape; by default any.
    dtype : dtype
        That of their data.

    Returns
    -------
    SearchStrategy
        It draws Tensors.

    Raises
    ------
    TypeError
        If ``domain`` is none, or a length is below 0.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(tensors(shape=(2,)), lambda t: True)
    Tensor([0.     , 0.03125])
    """
    return arrays_for(domain, shape, dtype).map(Tensor)


def indices(shape: tuple[int, ...]) -> Strategy:
    """Whatever can stand in ``x[…]`` for an array of this shape: numbers, slices, None, lists of positions, masks.

    InvalidArgument (a TypeError) for a length below 0.

    >>> from hypothesis import find
    >>> x = np.arange(6.0).reshape(2, 3)
    >>> find(indices(x.shape), lambda index: x[index].shape == (3,)) is not None
    True
    """
    kinds: list[Strategy] = [hnp.basic_indices(shape, allow_newaxis=True), hnp.arrays(bool, shape)]
    if shape and 0 not in shape:
        kinds.append(hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(max_dims=2, max_side=3)))
    return st.one_of(kinds)


class EinsumSpec(NamedTuple):
    """The subscripts of an einsum and the shapes of its operands."""

    subscripts: str
    shapes: tuple[tuple[int, ...], ...]


@st.composite
def einsum_specs(draw: Any, max_operands: int = 3) -> EinsumSpec:
    """Einsums of up to three operands, with sums, traces, outer products, transposes and axes of length 0 or 1.

    InvalidArgument (a TypeError) when ``max_operands`` is below 1.

    >>> from hypothesis import find
    >>> find(einsum_specs(), lambda spec: "," in spec.subscripts)
    EinsumSpec(subscripts=',->', shapes=((), ()))
    """
    lengths = dict(zip("ijkl", draw(st.lists(st.integers(0, 3), min_size=4, max_size=4)), strict=True))
    operands = draw(st.lists(st.text("ijkl", max_size=3), min_size=1, max_size=max_operands))
    used = sorted(set("".join(operands)))
    kept = draw(st.permutations(used)) if used else []
    out = "".join(kept[: draw(st.integers(0, len(kept)))])
    return EinsumSpec(",".join(operands) + "->" + out, tuple(tuple(lengths[i] for i in term) for term in operands))


class ConvConfiguration(NamedTuple):
    """The shapes and parameters of a convolution: images (batch, …, in), kernels (…, in / groups, out)."""

    x: tuple[int, ...]
    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    dilation: tuple[int, ...]
    groups: int


@st.composite
def conv_configurations(draw: Any, axes: int | None = None) -> ConvConfiguration:
    """Small convolutions over one or two axes, with strides, dilation, padding and groups, that have a result.

    ValueError when ``axes``, how many there are, is below 1.

    >>> from hypothesis import find
    >>> find(conv_configurations(axes=1), lambda c: c.groups == 2)
    ConvConfiguration(x=(1, 1, 2), kernel=(1, 1, 2), strides=(1,), padding='valid', dilation=(1,), groups=2)
    """
    n = draw(st.integers(1, 2)) if axes is None else axes
    if not isinstance(n, int) or n < 1:
        raise ValueError(f"axes: expected how many spatial axes there are, a whole number from 1 on, got {axes!r}")
    window = draw(st.tuples(*[st.integers(1, 3)] * n))
    dilation = draw(st.tuples(*[st.integers(1, 2)] * n))
    strides = draw(st.tuples(*[st.integers(1, 2)] * n))
    padding = draw(st.sampled_from(["valid", "same"]))
    reach = [(w - 1) * d + 1 for w, d in zip(window, dilation, strict=True)]
    size = tuple(r + draw(st.integers(0, 2)) for r in reach)
    groups = draw(st.integers(1, 2))
    channels, filters = (groups * draw(st.integers(1, 2)) for _ in range(2))
    x = (draw(st.integers(1, 2)), *size, channels)
    return ConvConfiguration(x, (*window, channels // groups, filters), strides, padding, dilation, groups)


@st.composite
def registry_calls(draw: Any, names: Sequence[str] | None = None) -> Call:
    """A call of an op or composed function of the table (of those named), with numbers in its domain.

    Elementwise ops get any shapes that broadcast, the others those of their examples. ValueError for a name that is not
    there, TypeError for what is no list of names.

    >>> from hypothesis import find
    >>> find(registry_calls(["tanh"]), lambda call: True)
    tanh(np.zeros((0, 2), np.float64))
    """
    name = draw(st.sampled_from(sorted(known(names) if names is not None else [name for name, _ in entries()])))
    entry = REGISTRY[name] if name in REGISTRY else COMPOSED[name]
    if isinstance(entry, Op) and entry.elementwise and entry.examples is None and draw(st.booleans()):
        drawn = draw(broadcastable_shapes(entry.arity or 1))
        given = type(examples_of(entry)[0])(tuple(drawn))
    else:
        given = draw(st.sampled_from(list(examples_of(entry))))
    return make_call(name, given, draw(distinct_integers(size_of(shapes_of(entry, given)))))
