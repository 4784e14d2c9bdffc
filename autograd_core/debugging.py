"""Being told: which op made the first NaN, on which of your lines, from which values."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from contextlib import ContextDecorator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import tree
from .caller import line_of_caller
from .errors import GraphError, NonFiniteError
from .graph import RELEASED, Node, keep_call, keep_node, kind
from .mode import mode

if TYPE_CHECKING:
    from .op import Op

# The usual causes.
_CAUSES = {
    **dict.fromkeys(
        ("log", "log2", "log10"),
        "the logarithm of zero or of a negative number; add a small constant, or compute the loss from logits",
    ),
    **dict.fromkeys(
        ("divide", "reciprocal"),
        "a division by zero; add a small constant to the denominator",
    ),
    **dict.fromkeys(  # where NumPy has no LinAlgError, as in a browser
        ("inv", "solve", "triangular_factor"),
        "a singular matrix, which has no inverse; add a small multiple of the identity",
    ),
    "cholesky": "a matrix that is not positive definite; add a multiple of the identity",
    "mean": "the mean of no elements",
    "logabsdet": "a singular matrix, whose determinant is zero; add a small multiple of the identity",
    "sqrt": "the root of a negative number, or its slope at zero, which is infinite; add a small constant inside",
    "exp": "an exponential beyond the largest number (exp(710), exp(89) in float32); subtract the maximum first, or "
    "use logsumexp, softmax or sigmoid",
    "power": "a negative base with a fractional exponent, a zero base with a negative one, or an overflow",
    "multiply": "an overflow, or infinity times zero",
    **dict.fromkeys(
        ("matmul", "conv"),
        "an overflow: weights or activations that have grown without bound; lower the learning rate",
    ),
    **dict.fromkeys(
        ("eigvals", "eig_vectors", "eigenvectors", "left_vectors", "right_vectors", "partner_vectors"),
        "values that are equal, or nearer than rounding: their vectors are any basis, and have no derivative; write a "
        "function of the values (eigvalsh, svdvals), or of the vectors of others",
    ),
    "square": "an overflow: values that have grown without bound; lower the learning rate",
}
_CAUSE = "an overflow, or an argument outside the function's domain"
_SUMS = ("sum", "mean", "cumsum", "add", "subtract")


class debug(ContextDecorator):
    """Stop at the first NaN or Inf, forward or backward, and say where it came from; slower, for finding faults.

    A NaN always stops. An Inf stops where it is made of finite numbers; one that was put in on purpose, such as
    the -inf of an attention mask, may pass on: through an elementwise op at its place, through others anywhere.

    Inside, each op also remembers the line of yours that called it, and ``backward`` notices when an array that
    an op had used (its arguments, parameters or result) was changed in place afterwards (``t.data[0] = 1``).

    >>> with debug():
    ...     x = Tensor([1.0, 0.0], name="x")
    ...     y = np.log(x)
    Traceback (most recent call last):
    autograd_core.errors.NonFiniteError: log made the first -inf: ...
    """

    def __enter__(self) -> None:
        mode.before.append(mode.debugging)
        mode.switch(debugging=True)

    def __exit__(self, *exc: object) -> None:
        mode.switch(debugging=mode.before.pop())


def examine(op: Op, args: Sequence[Any], parents: Sequence[Node | None], out: Any) -> str:
    """Raise if ``out`` holds a NaN, or an Inf made of finite numbers; otherwise give the line that called the op."""
    where = line_of_caller()
    index = _first_bad(op, args, out)
    if index is not None:
        nan = _shown(out, index) == "nan"
        came = [n for n, a in zip(_names(op, parents), args, strict=True) if nan and _is_nan(op, args, a, out, index)]
        made = f"{op.name} made the first {_shown(out, index)}"
        if came:
            made = f"nan came into {op.name} with its argument {' and '.join(came)}"
        error = NonFiniteError(
            f"{made}: {_values(op, args, parents, index, out)}{_position(index)}, at {where}\n"
            + ("It was there before debug() began: look at the data." if came else _usual(op, out))
        )
        keep_call(error, op, args, parents, out=out)
        raise error
    return where


def examine_gradient(node: Node, position: int, g: Any, product: Any) -> None:
    """Raise if the backward pass of ``node`` made a NaN, or an Inf of finite numbers."""
    op = node.op
    assert op is not None
    sources = (g, *node.args)
    index = _first_bad(op, sources, product)
    if index is None:
        return
    name, bad = _names(op, node.parents)[position], _shown(product, index)
    made = f"the gradient of {op.name} for its argument {name} is the first {bad}"
    if bad == "nan" and np.any(np.isnan(_plain(g))):
        made = f"nan was in the gradient that the walk began with, and came to {op.name} and its argument {name}"
    upstream = _shown(g, index) if _elementwise(op, sources, product) else kind(_plain(g))
    error = NonFiniteError(
        f"{made}: {_values(op, node.args, node.parents, index, product)}, with upstream gradient {upstream}"
        f"{_position(index)}{', recorded at ' + node.where if node.where else ''}\n{_usual(op, product)}"
    )
    keep_node(error, node)
    raise error


def examine_total(parent: Node, product: Any, contribution: Any, before: Any) -> None:
    """Raise if gradients that are all finite overflow where they are added up."""
    with np.errstate(all="ignore"):
        total = _plain(contribution if before is None else before + contribution)
    sources = [_plain(part) for part in (product, before) if part is not None]
    made = np.any(np.isnan(total)) and not any(np.any(np.isnan(s)) for s in sources)
    if made or (np.any(np.isinf(total)) and all(np.all(np.isfinite(s)) for s in sources)):
        raise NonFiniteError(
            f"the gradient of {parent.subject()} is the first {'nan' if made else 'inf'}, where the gradients that "
            f"arrive are added up{', recorded at ' + parent.where if parent.where else ''}\n"
            "The usual cause: an overflow: values that have grown without bound."
        )


def checksums(node: Node) -> tuple[tuple[str, int], ...]:
    """A fingerprint of each array that the gradient of ``node`` is computed from, to notice a change in place."""
    if node.op is None or node.parents is RELEASED:
        return ()
    arrays = [
        *zip(_names(node.op, node.parents), node.args, strict=True),
        *((f"the parameter {name}", value) for name, value in node.params.items()),
        ("the result", node.out),
    ]
    return tuple((name, _checksum(value)) for name, value in arrays)


def _checksum(value: Any) -> int:
    if isinstance(value, tree.BRANCHES):
        return zlib.crc32(repr([_checksum(v) for v in tree.leaves(value)]).encode())
    # Of other libraries' arrays the memory is not ours to read.
    return zlib.crc32(np.ascontiguousarray(value).tobytes()) if isinstance(value, np.ndarray) else 0


def check_fingerprints(order: Sequence[Node]) -> None:
    """Raise if an array that an op used has been written to since."""
    for node in order:
        if node.fingerprints is None or node.op is None:
            continue
        # A released node has none any more; the walk says what to do about it.
        for (name, before), (_, now) in zip(node.fingerprints, checksums(node), strict=False):
            if before != now:
                raise GraphError(
                    f"the data of {name} was written to after {node.op.name} had used it"
                    f"{' at ' + node.where if node.where else ''}; run the forward computation again after "
                    "changing data, or change a copy"
                )


def _first_bad(op: Op, sources: Sequence[Any], value: Any) -> tuple[int, ...] | None:
    """Where the first NaN is, or the first Inf that no Inf in ``sources`` explains; None if all is well.

    Of another library's array, which need not tell positions, the answer is ().
    """
    array = _plain(value)
    if array.dtype.kind not in "fc" or np.all(np.isfinite(array)):
        return None
    infinite = [np.isinf(_plain(s)) for s in sources]
    if not _elementwise(op, sources, value):
        infinite = [np.any(source) for source in infinite]
    unexplained = np.isinf(array)
    for source in infinite:
        unexplained = unexplained & np.logical_not(source)
    bad = np.isnan(array) | unexplained
    if not np.any(bad):
        return None
    if not _of_numpy(bad):
        return ()
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))


def _is_nan(op: Op, args: Sequence[Any], a: Any, out: Any, index: tuple[int, ...]) -> bool:
    """Whether ``a`` holds the NaN that is in ``out`` at ``index``."""
    nans = np.isnan(a)
    if _elementwise(op, args, out) and _of_numpy(out):
        nans = np.broadcast_to(nans, np.shape(out))[index]
    return bool(np.any(nans))


def _names(op: Op, parents: Sequence[Node | None]) -> list[str]:
    letters = op.inputs if op.arity is not None else [f"number {i + 1}" for i in range(len(parents))]
    return [repr(p.name) if p is not None and p.name else name for p, name in zip(parents, letters, strict=True)]


def _plain(value: Any) -> Any:
    """An array, or the data of a Tensor, which rules are handed when they are recorded themselves."""
    value = value.node.out if hasattr(value, "node") else value
    return value if hasattr(value, "dtype") else np.asarray(value)


def _of_numpy(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic)


def _shown(value: Any, index: tuple[int, ...]) -> str:
    """The number at that index."""
    array = _plain(value)
    if not _of_numpy(array):
        return "nan" if np.any(np.isnan(array)) else "inf" if np.any(np.isinf(array)) else kind(array)
    return f"{(array[index] if array.ndim == len(index) else array).item():.6g}"


def _values(op: Op, args: Sequence[Any], parents: Sequence[Node | None], index: tuple[int, ...], out: Any) -> str:
    """The inputs at that index where the op works element by element, else their size."""
    alike = _elementwise(op, args, out)
    shown = [_shown(np.broadcast_to(a, np.shape(out)), index) if alike and _of_numpy(out) else _size(a) for a in args]
    return ", ".join(f"{name} = {value}" for name, value in zip(_names(op, parents), shown, strict=True))


def _size(a: Any) -> str:
    a = _plain(a)
    largest = f" with largest magnitude {np.max(np.abs(a), initial=0):.3g}" if _of_numpy(a) else ""
    return kind(a) + largest


def _elementwise(op: Op, args: Sequence[Any], out: Any) -> bool:
    """Whether each element of ``out`` was computed from the elements of ``args`` at its own place."""
    shape = np.shape(_plain(out))
    try:
        return op.broadcasts and not op.batched and np.broadcast_shapes(shape, *(np.shape(a) for a in args)) == shape
    except ValueError:
        return False


def _position(index: tuple[int, ...]) -> str:
    return f" at index {list(index)}" if index else ""


def _usual(op: Op, out: Any) -> str:
    cause = _CAUSES.get(op.name, _CAUSE)
    array = _plain(out)
    if op.name in _SUMS and np.any(np.isinf(array)) and not np.any(np.isnan(array)):
        cause = (
            f"a sum beyond the largest {array.dtype}, {np.finfo(array.dtype).max:.2g}, of values that have grown "
            "without bound; lower the learning rate, or scale them down before adding them up"
        )
    elif op.name in _SUMS and op.name not in _CAUSES:
        cause = "infinity minus infinity"
    return f"The usual cause: {cause}."
