"""Being told: which op made the first NaN, on which of your lines, from which values."""

from __future__ import annotations

import linecache
import os
import sys
import zlib
from collections.abc import Sequence
from contextlib import ContextDecorator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import GraphError, NonFiniteError
from .graph import Node, describe, mode

if TYPE_CHECKING:
    from .op import Op

# Where the code is that is ours, or NumPy's.
INSIDE = (str(Path(__file__).parent) + os.sep, str(Path(np.__file__).parent) + os.sep)

# What a person who meets such a number most often did.
_CAUSES = {
    "log": "the logarithm of zero or of a negative number; add a small constant, or compute the loss from logits",
    "divide": "a division by zero; add a small constant to the denominator",
    "sqrt": "the root of a negative number, or its slope at zero, which is infinite; add a small constant inside",
    "exp": "an exponential beyond the largest number (exp(710), exp(89) in float32); subtract the maximum first, or "
    "use logsumexp, softmax or sigmoid",
    "power": "a negative base with a fractional exponent, a zero base with a negative one, or an overflow",
    "multiply": "an overflow, or infinity times zero",
    "matmul": "an overflow: weights or activations that have grown without bound; lower the learning rate",
    "square": "an overflow: values that have grown without bound; lower the learning rate",
}
_CAUSE = "an overflow, or an argument outside the function's domain"


class debug(ContextDecorator):
    """Stop at the first NaN or Inf, forward or backward, and say where it came from; slower, for finding faults.

    Inside, each op also remembers the line of yours that called it, and ``backward`` notices when the data of
    a Tensor was changed in place (``t.data[0] = 1``) after an op had used it.

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


def line_of_caller() -> str:
    """``file.py:12: y = np.log(x)`` for the innermost frame that is neither ours nor NumPy's."""
    file, line, names = place_of_caller()
    if not file:
        return "an unknown line"
    source = linecache.getline(file, line, names).strip()
    return f"{file}:{line}" + (f": {source}" if source else "")


def place_of_caller() -> tuple[str, int, Any]:
    """The file, the line and the names of that frame; an empty file name when there is none."""
    frame: Any = sys._getframe(1)
    while frame and (frame.f_code.co_filename.startswith(INSIDE) or frame.f_code.co_filename.startswith("<__array")):
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno, frame.f_globals) if frame else ("", 0, None)


def examine(op: Op, args: Sequence[Any], parents: Sequence[Node | None], out: Any) -> str:
    """Raise if ``out`` holds the first NaN or Inf; otherwise give the line that called the op."""
    where = line_of_caller()
    index = _first_bad(out)
    if index is not None:
        came = [name for name, a in zip(_names(op, parents), args, strict=True) if _first_bad(a) is not None]
        made = f"{op.name} made the first {_at(out, index)}"
        if came:
            made = f"{_at(out, index)} came into {op.name} with its argument {' and '.join(came)}"
        raise NonFiniteError(
            f"{made}: {_values(op, args, parents, index, out)}{_position(index)}, at {where}\n"
            + ("It was there before recording began: look at the data." if came else _usual(op))
        )
    return where


def examine_gradient(node: Node, position: int, g: Any, product: Any) -> None:
    """Raise if the backward pass of ``node`` made the first NaN or Inf."""
    index = _first_bad(product)
    op = node.op
    if index is None or op is None:
        return
    upstream = f"{_at(g, index)}" if np.shape(g) == np.shape(product) else describe(op, [g])
    name = _names(op, node.parents)[position]
    raise NonFiniteError(
        f"the gradient of {op.name} for its argument {name} is the first {_at(product, index)}: "
        f"{_values(op, node.args, node.parents, index, node.out)}, with upstream gradient {upstream}{_position(index)}"
        f"{', recorded at ' + node.where if node.where else ''}\n{_usual(op)}"
    )


def checksums(arrays: Sequence[Any]) -> tuple[int, ...]:
    """A fingerprint of each array, to notice a change in place."""
    return tuple(zlib.crc32(np.ascontiguousarray(a).tobytes()) for a in arrays)


def check_fingerprints(order: Sequence[Node]) -> None:
    """Raise if an array that an op used has been written to since."""
    for node in order:
        if node.fingerprints is None or node.op is None:
            continue
        for position, (before, now) in enumerate(zip(node.fingerprints, checksums(node.args), strict=True)):
            if before != now:
                raise GraphError(
                    f"the data of {_names(node.op, node.parents)[position]} was written to after {node.op.name} had "
                    f"used it{' at ' + node.where if node.where else ''}; run the forward computation again after "
                    "changing data, or change a copy"
                )


def _first_bad(value: Any) -> tuple[int, ...] | None:
    array = _values_of(value)
    if array.dtype.kind != "f":
        return None
    bad = ~np.isfinite(array)
    if not bad.any():
        return None
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), array.shape))


def _names(op: Op, parents: Sequence[Node | None]) -> list[str]:
    letters = op.inputs if op.arity is not None else [f"number {i + 1}" for i in range(len(parents))]
    return [repr(p.name) if p is not None and p.name else name for p, name in zip(parents, letters, strict=True)]


def _values_of(value: Any) -> Any:
    """An array, or the data of a Tensor, which rules are handed when they are recorded themselves."""
    return np.asarray(value.node.out if hasattr(value, "node") else value)


def _at(value: Any, index: tuple[int, ...]) -> str:
    array = _values_of(value)
    return f"{array[index].item():.6g}" if array.ndim == len(index) else f"{array.item():.6g}"


def _values(op: Op, args: Sequence[Any], parents: Sequence[Node | None], index: tuple[int, ...], out: Any) -> str:
    """The inputs at that index where the op works element by element, else their size."""
    if op.broadcasts and len(index) == np.ndim(out) and all(_stretches(a, out) for a in args):
        shown = [_at(np.broadcast_to(a, np.shape(out)), index) for a in args]
    else:
        shown = [
            f"{np.asarray(a).dtype}{list(np.shape(a))} with largest magnitude {np.max(np.abs(a), initial=0):.3g}"
            for a in args
        ]
    return ", ".join(f"{name} = {value}" for name, value in zip(_names(op, parents), shown, strict=True))


def _stretches(a: Any, out: Any) -> bool:
    """Whether ``a`` broadcasts to the shape of ``out``, as the inputs of an elementwise op do."""
    try:
        return np.broadcast_shapes(np.shape(a), np.shape(out)) == np.shape(out)
    except ValueError:
        return False


def _position(index: tuple[int, ...]) -> str:
    return f" at index {list(index)}" if index else ""


def _usual(op: Op) -> str:
    return f"The usual cause: {_CAUSES.get(op.name, _CAUSE)}."
