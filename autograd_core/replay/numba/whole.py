"""A program whose arrays are all small as one function, compiled by numba where it is installed (the extra ``fast``).

There NumPy takes longer to begin each of its calls than to compute. So the whole program is written as loops, those of
`loops` and products of matrices. A product adds in another order than the library of matrix products does, so its last
digits may differ, as those of powers; all else has the same bits but for the signs of zeros in maxima and of NaN.
Before it is used it has to show that, on numbers of two kinds. What is lost are NumPy's warnings.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...arrays import total
from ..effects import copied, elementwise
from ..ir import Buffer, BufferView, Group, Instruction, Kernel, Schedule, array_at, bytes_of
from . import loops

# A few calls are NumPy's; and the time to compile grows with their number.
FEWEST, MOST = 12, 150

# The largest array, and the multiplications of the largest product: with more of them a call begins soon enough.
ELEMENTS, PRODUCTS = 1 << 13, 1 << 15

_COMPARISONS: dict[Any, str] = {
    np.greater: "{} > {}",
    np.greater_equal: "{} >= {}",
    np.less: "{} < {}",
    np.less_equal: "{} <= {}",
}
_FORMULAS: dict[Any, str] = {
    **loops._FORMULAS,
    copied: "{}",  # to another dtype
    np.power: "{} ** {}",
    np.maximum: "({0} if {0} >= {1} or {0} != {0} else {1})",
    np.minimum: "({0} if {0} <= {1} or {0} != {0} else {1})",
}

# How far results may lie from NumPy's, in terms of the largest of them.
_CLOSE = {"f": 1e-4, "d": 1e-11}


def in_one(schedule: Schedule) -> Schedule:
    """``schedule`` as a single function, if it is small and made of arithmetic and products; else as it is."""
    instructions = schedule.instructions
    if not FEWEST <= len(instructions) <= MOST or schedule.guards or schedule.workers > 1 or schedule.borrowed:
        return schedule
    if any(group.local for group in schedule.groups) or not all(map(_is_small_and_known, instructions)):
        return schedule
    if all(inst.function is not np.matmul for inst in instructions):  # only chains, which are loops already
        return schedule
    writer = _Writer(schedule)
    for group in schedule.groups:
        for run in loops._runs(group):
            writer.write(run)
    function = _compile("\n".join([f"def step({', '.join(writer.names.values())}):", *writer.lines]))
    if not _agrees(function, schedule, writer):
        return schedule
    given, changed = tuple(writer.names), {writer.at(p) for inst in instructions for p in inst.defined}
    made = tuple(p for p in given if (p.buffer, p.dtype) in changed)
    reads = tuple(p for p in given if p.buffer is not writer.arena)
    one = Instruction(Whole(function, schedule), given, {}, made, reads=reads)
    return replace(schedule, groups=[Group([one])])


def _is_small_and_known(inst: Instruction) -> bool:
    """Whether there is a formula, and everything is small, of one floating dtype, and begins where an element does."""
    (result,) = inst.results if len(inst.results) == 1 else (None,)
    views = [*inst.args, result]
    if not all(isinstance(p, BufferView) and 0 < p.size <= ELEMENTS and _begins_at_an_element(p) for p in views):
        return False
    assert result is not None
    dtypes = {p.dtype.char for p in inst.args}
    if inst.function is np.matmul:
        return _is_known_product(inst, result) and dtypes == {result.dtype.char} <= {"f", "d"}
    if inst.function in _COMPARISONS:
        return elementwise(inst) and dtypes in ({"f"}, {"d"})
    if inst.function is copied:
        return elementwise(inst) and result.dtype.char in "fd" and dtypes <= set("?bhilqBHILQfd")
    return inst.function in _FORMULAS and elementwise(inst) and dtypes - {"?"} == {result.dtype.char} <= {"f", "d"}


def _begins_at_an_element(view: BufferView) -> bool:
    """Whether each element lies a whole number of elements behind the beginning of the buffer."""
    return not any(n % view.dtype.itemsize for n in (view.offset, *view.strides))


def _is_known_product(inst: Instruction, result: BufferView) -> bool:
    if inst.kwargs or inst.errors or inst.writes or any(len(p.shape) != 2 for p in inst.args):
        return False
    (rows, inner), columns = inst.args[0].shape, result.shape[1]
    return rows * inner * columns <= PRODUCTS and not any(p.overlaps(result) for p in inst.args)


class _Writer:
    """The lines of a function over the memory of a schedule: one argument for each buffer, and for each dtype in it.

    All scratch that nobody looks at afterwards lies in one buffer, where the schedule has it.
    """

    def __init__(self, schedule: Schedule):
        self.arena = Buffer("scratch", schedule.size)
        self.names: dict[BufferView, str] = {}
        self.lines: list[str] = []
        self._offsets, self._keep = schedule.offsets, schedule.kept
        self._numbers = itertools.count()

    def at(self, view: BufferView) -> tuple[Buffer, Any]:
        """The buffer that a view is handed over in, and its dtype."""
        own = view.buffer.kind == "scratch" and view.buffer not in self._keep
        return (self.arena if own else view.buffer), view.dtype

    def start(self, view: BufferView) -> int:
        """From which byte of that on."""
        return view.offset + (self._offsets[view.buffer] if self.at(view)[0] is self.arena else 0)

    def place(self, view: BufferView, *indices: str) -> str:
        """An element of a view, which has such an index along each axis."""
        buffer, dtype = self.at(view)
        whole = BufferView(buffer, 0, (buffer.size // dtype.itemsize,), (dtype.itemsize,), dtype)
        name = self.names.setdefault(whole, f"m{len(self.names)}")
        steps = zip(indices, view.shape, view.strides, strict=True)
        terms = [f"{i} * {stride // dtype.itemsize}" for i, n, stride in steps if n > 1 and stride]
        return f"{name}[{' + '.join([*terms, str(self.start(view) // dtype.itemsize)])}]"

    def write(self, run: list[Instruction]) -> None:
        """The loops of instructions that one loop can do, or of a single one."""
        if run[0].function is np.matmul:
            self._product(run[0])
        else:
            self._chain(run)

    def _chain(self, run: list[Instruction]) -> None:
        result = run[0].results[0]
        assert result is not None
        # Arrays without gaps are one axis: the compiler sees then that elements follow each other.
        flat = all(
            not p.shape or (p.shape == result.shape and p.contiguous) for i in run for p in (*i.args, *i.results)
        )
        indices = ["i"] if flat else [f"i{n}" for n in range(len(result.shape))]
        depth = self._loops(indices, (result.size,) if flat else result.shape)
        values: dict[BufferView, str] = {}

        def value(view: BufferView, dtype: Any) -> str:
            """A number as it is, an element as it was loaded or computed before."""
            if view.buffer.kind == "constant" and not view.shape:
                return f"{dtype.char}({array_at(view, bytes_of(view.buffer.array)).item()!r})"
            if view not in values:
                values[view] = f"x{next(self._numbers)}"
                self._line(depth, f"{values[view]} = {self._element(view, result, indices, flat)}")
            return values[view] if view.dtype == dtype else f"{dtype.char}({values[view]})"

        for inst in run:
            (made,) = inst.results
            assert made is not None
            formula = _COMPARISONS.get(inst.function) or _FORMULAS[inst.function]
            dtype = inst.args[0].dtype if inst.function in _COMPARISONS else made.dtype
            name, expression = f"x{next(self._numbers)}", formula.format(*[value(p, dtype) for p in inst.args])
            self._line(depth, f"{name} = {expression}")
            self._line(depth, f"{self._element(made, result, indices, flat)} = {name}")
            values[made] = name

    def _element(self, view: BufferView, result: BufferView, indices: list[str], flat: bool) -> str:
        if flat:
            one = replace(view, shape=(view.size,), strides=(view.dtype.itemsize,))
            return self.place(one, *indices) if view.shape else self.place(view)
        return self.place(view, *indices[len(indices) - len(view.shape) :])

    def _product(self, inst: Instruction) -> None:
        (x, y), (z,) = inst.args, inst.results
        assert z is not None
        (rows, inner), columns, size = x.shape, z.shape[1], z.dtype.itemsize
        if inner > 1 and y.strides[0] == size and x.strides[1] == size and (columns == 1 or y.strides[1] != size):
            depth = self._loops(["i", "j"], (rows, columns))
            x_name, x_start = self.place(x, "i", "0")[:-1].split("[")
            y_name, y_start = self.place(y, "0", "j")[:-1].split("[")
            self._line(depth, f"{self.place(z, 'i', 'j')} = dot({x_name}, {x_start}, {y_name}, {y_start}, {inner})")
            return
        depth = self._loops(["i"], (rows,))
        term = f"{self.place(x, 'i', 'k')} * {self.place(y, 'k', 'j')}"
        self._line(depth, f"for j in range({columns}):")
        self._line(depth + 1, f"{self.place(z, 'i', 'j')} = {term.replace('k * ', '0 * ')}")
        if inner > 1:
            self._line(depth, f"for k in range(1, {inner}):")
            self._line(depth + 1, f"for j in range({columns}):")
            self._line(depth + 2, f"{self.place(z, 'i', 'j')} += {term}")

    def _loops(self, indices: list[str], shape: tuple[int, ...]) -> int:
        long = [(index, n) for index, n in zip(indices, shape, strict=True) if n > 1]
        for depth, (index, n) in enumerate(long):
            self._line(depth, f"for {index} in range({n}):")
        return len(long)

    def _line(self, depth: int, line: str) -> None:
        self.lines.append("    " * (depth + 1) + line)


@functools.lru_cache(maxsize=64)
def _compile(source: str) -> Callable[..., None]:
    import numba

    names: dict[str, Any] = {"sqrt": np.sqrt, "f": np.float32, "d": np.float64, "inf": math.inf, "nan": math.nan}
    # A sum that may be taken in any order, or else it would be one addition after the other.
    reordered: Any = numba.njit(error_model="numpy", fastmath={"reassoc", "contract"})
    names["dot"] = reordered(_dot)
    exec(source, names)  # the lines above and nothing else
    function: Callable[..., None] = numba.njit(nogil=True, error_model="numpy")(names["step"])
    return function


def _dot(x: Any, i: Any, y: Any, j: Any, n: Any) -> Any:
    total = x[i] * y[j]
    for k in range(1, n):
        total += x[i + k] * y[j + k]
    return total


def _agrees(function: Callable[..., None], schedule: Schedule, writer: _Writer) -> bool:
    """Whether the function changes memory as NumPy's calls do: of positive numbers, and nearly so of any.

    Of any numbers some are the roots of differences, which no two orders of sums agree on.
    """
    rng = np.random.default_rng(0)
    draws: dict[float, Callable[..., Any]] = {1: lambda n: rng.uniform(0.5, 2, n), 0.95: lambda n: rng.normal(size=n)}
    for share, draw in draws.items():
        memory = {p.buffer: np.zeros(p.buffer.size, np.uint8) for p in writer.names}
        for p in writer.names:
            if p.buffer.kind == "constant":
                memory[p.buffer][...] = bytes_of(p.buffer.array)
            elif p.buffer is not writer.arena:
                array_at(p, memory[p.buffer])[...] = (
                    draw(p.shape) if p.dtype.kind == "f" else rng.integers(0, 2, p.shape)
                )
        mine = {buffer: of.copy() for buffer, of in memory.items()}
        function(*(array_at(p, mine[p.buffer]) for p in writer.names))

        def array(view: BufferView, memory: dict[Buffer, Any] = memory) -> Any:
            if view.buffer.kind == "constant":
                return array_at(view, bytes_of(view.buffer.array))
            return array_at(replace(view, offset=writer.start(view)), memory[writer.at(view)[0]])

        with np.errstate(all="ignore"):
            for inst in schedule.instructions:
                array(inst.defined[0])[...] = inst.function(*map(array, inst.args))
        seen = [p for p in writer.names if p.buffer is not writer.arena and p.dtype.kind == "f"]
        if not all(_close(array_at(p, mine[p.buffer]), array_at(p, memory[p.buffer])) >= share for p in seen):
            return False
    return True


def _close(a: Any, b: Any) -> Any:
    """Which share of two arrays is equal, as far as sums may differ."""
    finite = np.abs(b[np.isfinite(b)])
    within = _CLOSE[b.dtype.char] * (finite.max() if finite.size else 1.0)
    return np.mean(np.isclose(a, b, 0.0, within, equal_nan=True))


@total
class Whole(Kernel):
    """So many instructions as one compiled function of the memory that they share."""

    def __init__(self, function: Callable[..., None], made_of: Schedule):
        self.function, self.made_of = function, made_of
        self.__name__ = f"one function of {len(made_of.instructions)}"

    def __call__(self, *arrays: Any) -> None:
        self.bind(*arrays)()

    def bind(self, *arrays: Any) -> Callable[[], None]:
        """The function over these arrays, ready to go."""
        return functools.partial(self.function, *arrays)
