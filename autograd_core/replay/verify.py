"""Whether a program may be trusted: two recordings that agree, and a dry run that gave what the function gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import tree
from ..graph import RELEASED, Node
from ..tensor import Tensor, wrap
from .execute import DryRun, digests
from .ir import Buffer, BufferView, Guard, Instruction, array_at, by_bits, bytes_of
from .tape import Recording
from .traced import Traced


class Results:
    """What a recorded function returned: a structure, with arrays from the record where they came from there."""

    def __init__(self, value: Any, recording: Recording):
        self.tree = tree.map(lambda _: 0, value)
        found = tree.leaves(value)
        self.is_tensor = [isinstance(v, Tensor) for v in found]
        arrays = [v.data if isinstance(v, Tensor) else v for v in found]
        self.views = [recording.view_of(a.array) if isinstance(a, Traced) else None for a in arrays]
        # The most frequent form, in a quicker way.
        self.flat_tensors = type(value) is tuple and all(isinstance(v, Tensor) for v in value)
        self.flat_tensors = self.flat_tensors and None not in self.views
        # What is not in the record is the same for every batch.
        self.fixed = [None if isinstance(a, Traced) else a for a in arrays]
        self.values = [a.array for a in arrays if isinstance(a, Traced)]

    def with_values(self, found: Sequence[Any]) -> Any:
        """The structure, holding these values where the record gave them."""
        if self.flat_tensors:
            return tuple([wrap(Node(v, False)) for v in found])
        new = iter(found)
        filled = [_copied(f) if p is None else next(new) for p, f in zip(self.views, self.fixed, strict=True)]
        return tree.rebuild(
            self.tree,
            (wrap(Node(v, False)) if t else v for v, t in zip(filled, self.is_tensor, strict=True)),
        )

    def unlike(self, found: Sequence[Any], returned: Any, exact: bool) -> str | None:
        """How what the function returned differs from the structure with these values."""
        if tree.structure(returned) != tree.structure(self.tree):
            return "the replay returned another structure than the function itself"
        for i, (a, b) in enumerate(zip(tree.leaves(self.with_values(found)), tree.leaves(returned), strict=True)):
            if isinstance(a, Tensor) != isinstance(b, Tensor):
                return f"the replay returned another kind of value than the function itself, as result {i}"
            if isinstance(a, Tensor):
                a, b = a.data, b.data
            if isinstance(a, np.ndarray | np.generic) or isinstance(b, np.ndarray | np.generic):
                alike = _close(a, b, exact)
            else:
                alike = a is b or by_bits(a) == by_bits(b)
            if not alike:
                return f"the replay returned other values than the function itself, in result {i}"
        return None


def has_a_graph(returned: Any) -> bool:
    """Whether what a function returned can be walked back through, for which a replay makes no graph."""
    return any(
        isinstance(v, Tensor) and v.requires_grad and v.node.parents is not RELEASED for v in tree.leaves(returned)
    )


def _copied(value: Any) -> Any:
    """What is the same for every batch, for a caller who may write to it."""
    return value.copy() if isinstance(value, np.ndarray) else value


def mistake(
    dry: DryRun,
    results: Results,
    returned: Any,
    arguments: Sequence[Any],
    exact: bool,
    names: Mapping[Buffer, str],
) -> str | None:
    """What the program did otherwise in a dry run than the function, on the same inputs and from the same state."""
    schedule = dry.schedule
    reason = results.unlike(dry.returned, returned, exact)
    if reason is not None:
        return reason
    for change, mine, its in zip(schedule.changes, dry.left, digests(schedule), strict=True):
        if not _close(mine, its, exact):
            buffer = change.view.buffer
            which = names.get(buffer, f"number {schedule.states.index(buffer)}")
            return f"the replay left another state than the function itself, in {which}"
    written = [i for i, view in enumerate(schedule.inputs) if view.buffer in schedule.written]
    for i, mine in zip(written, dry.written, strict=True):
        if not _close(mine, arguments[i], exact):
            return f"the replay wrote other values to argument {i} than the function itself"
    if any(generator.bit_generator.state != after for generator, after in dry.draws):
        return "the replay drew other random numbers than the function itself"
    return None


def _close(a: Any, b: Any, exact: bool = False) -> bool:
    """Whether two results are the same, or agree up to the order of sums."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"):
        return not exact or bool(np.array_equal(_signs(a), _signs(b)))
    if a.dtype.kind not in "fc" or exact:
        return False
    tolerance = 100 * np.finfo(a.dtype).eps
    with np.errstate(all="ignore"):
        scale = float(np.max(np.abs(b[np.isfinite(b)]), initial=0))
        return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance * scale, equal_nan=True))


def _signs(a: Any) -> Any:
    """Where there is a minus, of a zero too; a NaN has none."""
    if a.dtype.kind == "c":
        return _signs(a.real), _signs(a.imag)
    return np.signbit(a) & ~np.isnan(a) if a.dtype.kind == "f" else a


def parting(a: Recording, b: Recording) -> Guard | None:
    """The first decision that came out otherwise in the second recording."""
    return next((y for x, y in zip(a.guards, b.guards, strict=False) if x.expected != y.expected), None)


def difference(a: Recording, a_results: Results, b: Recording, b_results: Results) -> str | Guard | None:
    """What two recordings do not agree in, which a replay would freeze; None when they agree.

    Where they agree until something was decided otherwise, which a replay asks too, that.
    """
    parted = parting(a, b)
    until, asked = (None, None) if parted is None else (parted.position, b.guards.index(parted) + 1)
    pairs: dict[Any, Any] = {}
    for m, n in zip(a.inputs, b.inputs, strict=True):
        pairs[m.buffer] = n.buffer
    pairs.update(zip(a.states, b.states, strict=True))
    for x, y in zip(a.instructions[:until], b.instructions[:until], strict=False):
        name = getattr(x.function, "__name__", "a function")
        if x.function != y.function or len(x.results) != len(y.results):
            return f"two recordings took different ways, at {_where(y)}"
        what = (
            _unequal((x.args, x.kwargs), (y.args, y.kwargs), pairs)
            or _unequal(x.results, y.results, pairs)
            or _unequal(x.writes, y.writes, pairs)
        )
        if what:
            freezes = (
                "from one call to the next, and a replay would freeze it; instead, hand it over or declare it as state"
            )
            return f"{name} at {_where(y)} {what} {freezes}"
    mine, theirs = ([(g.position, g.condition) for g in r.guards[:asked]] for r in (a, b))
    if len(a.instructions[:until]) != len(b.instructions[:until]) or _unequal(mine, theirs, pairs):
        return "two recordings took different ways"
    if parted is not None:
        return parted
    if _unequal((a_results.views, a_results.fixed), (b_results.views, b_results.fixed), pairs):
        return "what it returns is not computed from what it was given alone"
    return None


def made_anew(x: BufferView, y: BufferView) -> bool:
    """Whether a constant is no array that lasts, but was computed from something outside, for each recording again."""
    return x.buffer.kind == "constant" and x.buffer.array is not y.buffer.array


def _where(inst: Instruction) -> str:
    return f"{inst.where[0]}:{inst.where[1]}"


def _unequal(x: Any, y: Any, pairs: dict[Any, Any]) -> str | None:
    """How two operands differ, in words that follow the name of a function."""
    if isinstance(x, BufferView) and isinstance(y, BufferView):
        if (x.shape, x.dtype) != (y.shape, y.dtype):
            return f"meets different shapes ({x} and {y})"
        partner = pairs.setdefault(x.buffer, y.buffer)
        if partner is not y.buffer or (x.offset, x.strides) != (y.offset, y.strides):
            return "meets different arrays"
        if made_anew(x, y):
            a, b = _constant(x), _constant(y)
            if not _close(a, b, exact=True):
                return "meets a plain array that differs"
        return None
    if type(x) is not type(y):
        return "meets different values"
    if isinstance(x, tree.BRANCHES):
        if tree.structure(x) != tree.structure(y):
            return "meets different numbers of values"
        both = zip(tree.leaves(x), tree.leaves(y), strict=True)
        return next((what for u, v in both if (what := _unequal(u, v, pairs))), None)
    if isinstance(x, np.ndarray):
        return None if _close(x, y, exact=True) else "meets a plain array that differs"
    return None if by_bits(x) == by_bits(y) else f"meets a number that differs ({x!r}, then {y!r})"


def _constant(view: BufferView) -> Any:
    return array_at(view, bytes_of(view.buffer.array))
