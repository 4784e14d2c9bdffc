"""What a prediction computes, as a list of steps that holds for every batch size.

The model is run on stand-ins for arrays, with several batch sizes and several lengths of what `Input` leaves open. The
engine records its ops as always; what is computed beside them, on plain data (a mask ``x.data > 0``, the whole numbers
that an `Embedding` looks up), reaches the stand-ins and is noted too. A number that differs between the runs follows
the length of an input, and a constant that differs is none: it was drawn at random, or taken from the data behind the
recorder's back.
"""

from __future__ import annotations

import itertools
import math
import operator
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from autograd_core import tree
from autograd_core.caller import line_of_caller
from autograd_core.dispatch import NUMPY
from autograd_core.explain.values import layers_of
from autograd_core.graph import Node, ancestors, in_order, tick
from autograd_core.mode import mode, recorded
from autograd_core.replay.tape import Recording
from autograd_core.replay.traced import Traced, unwrapped
from autograd_core.tensor import Tensor, wrap

from ..layers.layer import Layer
from .errors import ExportError

OURS = Path(__file__).parent.parent, Path(tree.__file__).parent
# Where the ops of the engine are.
_OPS = str(Path(tree.__file__).parent / "ops")

# What these make of a weight is still called by its name.
_MOVING = {"reshape", "transpose", "expand_dims", "astype", "copy"}


@dataclass(frozen=True)
class Contrast:
    """Two cases in words, and what the second has another number of."""

    one: str
    other: str
    each: str


@dataclass(frozen=True)
class Case:
    """The sizes of a run: how many examples, and how long unknown axis i is, ``length + i * step``.

    All but the first differ from it in one of the two, so that an error can say which of them something depends on.
    """

    batch: int
    length: int = 32
    step: int = 1  # not always the same, so that no axis is in all runs the one before it and one more
    optional: bool = False  # a short input may leave no window, a long one may have no position

    def against(self, first: Case) -> Contrast:
        """How a message tells this case from the first."""
        if self.batch != first.batch:
            return Contrast(f"for {first.batch} examples", f"for {self.batch}", "example of the batch")
        where = "an axis that is None in Input(shape=…)"
        return Contrast(
            f"for a length of {first.length}", f"for one of {self.length}, along {where}", f"place along {where}"
        )


def cases(shapes: Any) -> list[Case]:
    """The sizes to run a model with that takes inputs of these shapes.

    What follows the batch in two of them and not in the others, as ``min(len(x), 8)`` does, is not the batch.
    """
    several = shapes.values() if isinstance(shapes, dict) else shapes if isinstance(shapes, list) else [shapes]
    examples = [shape[1:] for shape in several]
    large = sum(math.prod(n or 32 for n in example) for example in examples) > 2**15
    found = [Case(2), Case(5), Case(1), Case(9 if large else 37)]  # many large images take minutes and gigabytes
    if any(None in example for example in examples):
        found += [Case(2, 45, 2), Case(2, 150, 3, optional=True), Case(2, 3, optional=True)]
    return found


@dataclass(frozen=True)
class Varying:
    """A whole number that is not the same in all runs."""

    runs: tuple[int, ...]

    def times(self, other: Varying) -> int | None:
        """How many times ``other`` this is in all runs; None if it is no multiple of it."""
        times = self.runs[0] // other.runs[0]
        return times if self.runs == tuple(times * n for n in other.runs) else None

    def __str__(self) -> str:
        return ", ".join(map(str, sorted(set(self.runs))))


Length = int | Varying
Lengths = tuple[Length, ...]


@dataclass(frozen=True)
class Ref:
    """The result of a step, by its position."""

    step: int


@dataclass(eq=False)
class Constant:
    """An array of the model. Where ``shape`` is longer than ``array``, its elements repeat along that axis."""

    array: Any
    shape: Lengths
    name: str | None = None


@dataclass
class Step:
    """``op(*args, **params)``: in ``args`` and ``params`` stand `Ref`, `Constant` and plain numbers."""

    op: str
    args: tuple[Any, ...]
    params: dict[str, Any]
    shape: Lengths
    dtype: np.dtype[Any]
    layer: str  # "block/dense": those that it belongs to, the outermost first


@dataclass
class Trace:
    """The steps of a prediction, the inputs first, and what it returns: `Ref`, `Constant` or several of them."""

    steps: list[Step]
    inputs: int
    result: Any
    uses: Counter[int]


# -- running -----------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Origin:
    """How a value came about: ``op(*args, **params)``, with other origins among the arguments.

    Only a constant keeps its numbers, so that what is computed on the way takes no memory for longer than it needs.
    """

    op: str
    args: tuple[Any, ...]
    params: dict[str, Any]
    born: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    array: Any = None  # of a constant
    weight: str | None = None


class Symbol(Traced):
    """The stand-in for an array. Taking elements out of it makes another one."""

    __slots__ = ("origin",)
    origin: Origin

    def __getitem__(self, index: Any) -> Any:
        recording = self.recording_now()
        return self.array[unwrapped(index)] if recording is None else recording.run(operator.getitem, (self, index))

    def __setitem__(self, index: Any, value: Any) -> None:
        self.array[unwrapped(index)] = unwrapped(value)
        _overwritten(self, value)


def _overwritten(target: Any, value: Any) -> None:
    """Note that elements of ``target`` were replaced: it is no longer what it was made as."""
    if isinstance(target, Symbol):
        origin = target.origin
        if target.array.base is not None and not _within_an_op():  # of which others would not know
            target.recording.graph_break("changing a part of an array")
        origin.op, origin.args, origin.params = "an assignment to elements", (origin.args, origin.params), {}
        if varies(origins(value)):
            origin.array = None


def _within_an_op() -> bool:
    """Whether an op of the engine is computing: whatever it does, its result is noted as that of the op."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith(_OPS):
            return True
        frame = frame.f_back
    return False


def varies(value: Any) -> bool:
    """Whether anything among these depends on an input."""
    return any(origin.array is None for origin in found_in(value, Origin))


class Tape(Recording):
    """Notes the NumPy calls that stand-ins meet, and refuses to let a value leave."""

    def symbol(self, array: Any, op: str, args: Any = (), params: Any = None, weight: str | None = None) -> Symbol:
        """A new stand-in, for an input, a weight, or the result of a call. What no input reaches is a constant."""
        args, params = origins(args), origins(params or {})
        constant = op != "input" and not varies((args, params))
        symbol = Symbol(array, self)
        symbol.origin = Origin(op, args, params, tick(), array.shape, array.dtype, array if constant else None, weight)
        return symbol

    def run(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        *,
        noted: Callable[..., Any] | None = None,
        has_side_effects: bool = False,
    ) -> Any:
        kwargs = kwargs or {}
        value = function(*unwrapped(args), **unwrapped(kwargs))
        op: Any = NUMPY.get(function)
        if getattr(op, "arity", None) is not None:  # np.max(x, 0) as max(x, axis=0)
            kwargs = {**dict(zip(op.params, args[op.arity :], strict=False)), **kwargs}
            args = args[: op.arity]
        name = getattr(function, "__name__", type(function).__name__).lstrip("_")
        if isinstance(value, np.ndarray | np.generic):
            return self.symbol(np.asarray(value), name, args, kwargs)
        if isinstance(value, tuple | list):
            parts = tree.leaves(value)
            return tree.rebuild(
                value, [self.symbol(np.asarray(v), f"part {i} of {name}", args, kwargs) for i, v in enumerate(parts)]
            )
        return value

    def write(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], target: Any) -> None:
        function(*unwrapped(args), **unwrapped(kwargs))
        _overwritten(target, (args, kwargs))

    def into(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], target: Any) -> None:
        function(*unwrapped(args), out=unwrapped(target), **unwrapped(kwargs))
        _overwritten(target, args)

    def copy_into(self, target: Any, value: Any, casting: Any = "unsafe") -> None:
        np.copyto(unwrapped(target), unwrapped(value), casting=casting)
        _overwritten(target, value)

    def can_change(self, target: Any) -> bool:
        return isinstance(target, Traced)

    def guard(self, condition: Traced) -> bool:
        if not any(map(Path(sys._getframe(3).f_code.co_filename).is_relative_to, OURS)):  # who asked `decide`
            self.graph_break("deciding by a value that is being recorded")
        # Our own checks, which raise on data that is not meant to come, and what an op does with extreme numbers.
        return bool(condition.array)

    def graph_break(self, what: str, instead: str = "") -> NoReturn:
        raise ExportError(
            f"{what}, at {line_of_caller()}: a file holds one computation for all inputs, and here Python decides or "
            "computes with the value of one; write it with NumPy functions of the Tensor (np.where for a choice)"
        )


@contextmanager
def standing_in(model: Layer, tape: Tape) -> Iterator[None]:
    """Let stand-ins take the places of the weights, all of which then record, inside a ``with`` block."""
    nodes = list(dict.fromkeys(w.node for w in model.weights))
    before = [(node.out, node.requires_grad) for node in nodes]
    shapes = [(layer, layer.output_shape) for layer in model.walk_layers()]
    debugging = mode.debugging
    mode.switch(debugging=False)  # which looks at the numbers; these mean nothing
    try:
        for node in nodes:
            node.out, node.requires_grad = tape.symbol(node.out, "weight", weight=node.name), True
        yield
    finally:
        for node, (out, requires_grad) in zip(nodes, before, strict=True):
            node.out, node.requires_grad = out, requires_grad
        for layer, shape in shapes:
            layer.output_shape = shape
        mode.switch(debugging=debugging)
        tape.finished = True


def _run(model: Layer, shapes: Any, case: Case, seed: int) -> tuple[list[Step], Any]:
    """The steps of one run, and what it returned."""
    tape = Tape()
    unknown = itertools.count()
    # From 0 to 1, so that as whole numbers they are rows that every table has.
    draw = np.random.default_rng(seed).random
    leaves: list[Tensor] = []

    def leaf(shape: Any) -> Tensor:
        sizes = [case.length + next(unknown) * case.step if n is None else n for n in shape[1:]]
        values = draw((case.batch, *sizes)).astype(np.float32)
        leaves.append(wrap(Node(tape.symbol(values, "input"), True)))
        return leaves[-1]

    if isinstance(shapes, dict):
        x: Any = {key: leaf(shape) for key, shape in shapes.items()}
    else:
        x = [leaf(shape) for shape in shapes] if isinstance(shapes, list) else leaf(shapes)
    with standing_in(model, tape), recorded(), np.errstate(all="ignore"):  # one example has no spread to divide by
        return _steps([leaf.node.out.origin for leaf in leaves], model(x, training=False))


def _steps(inputs: list[Origin], result: Any) -> tuple[list[Step], Any]:
    """What the result needs, in the order in which it was computed, and the result in terms of it."""
    nodes = in_order(ancestors(t.node for t in found_in(result, Tensor)))
    paths = _by_op(nodes)
    result = origins(result)
    place: dict[Origin, Ref | Constant] = {}

    def placed(value: Any) -> Any:
        return tree.map(placed_leaf, value)

    def placed_leaf(leaf: Any) -> Any:
        if isinstance(leaf, Origin):
            return place[leaf]
        return Constant(np.asarray(leaf), np.shape(leaf)) if isinstance(leaf, np.ndarray | np.generic) else leaf

    steps: list[Step] = []
    for origin in _needed([*inputs, *found_in(result, Origin)], paths):
        if origin.array is None:
            place[origin] = Ref(len(steps))
            args, params = placed(origin.args), placed(origin.params)
            steps.append(Step(origin.op, args, params, origin.shape, origin.dtype, "/".join(paths.get(origin, ()))))
        else:
            moved = (place[part] for part in found_in(origin.args, Origin) if origin.op in _MOVING)
            names = (part.name for part in moved if isinstance(part, Constant))
            place[origin] = Constant(origin.array, origin.shape, origin.weight or next(names, None))
    return steps, placed(result)


def _by_op(nodes: list[Node]) -> dict[Origin, tuple[str, ...]]:
    """Let what an op computed be that op's result, and not what NumPy did in it; the layers that each belongs to."""
    layers = layers_of(nodes)
    paths: dict[Origin, tuple[str, ...]] = {}
    for node in nodes:
        if node.op is None or not isinstance(node.out, Symbol) or any(a is node.out for a in node.args):
            continue
        origin = node.out.origin
        if origin not in paths:  # where several have one value, the first has computed it
            origin.op, origin.args, origin.params = node.op.name, origins(node.args), origins(node.params)
            origin.born = node.born
            paths[origin] = layers.get(node, ())
    return paths


def _needed(roots: list[Origin], paths: dict[Origin, tuple[str, ...]]) -> list[Origin]:
    """What these were made of, in order. What was computed beside the ops belongs to the layer that needs it."""
    needed = dict.fromkeys(roots)
    stack = [*roots]
    while stack:
        origin = stack.pop()
        for part in found_in((origin.args, origin.params), Origin):
            paths.setdefault(part, paths.get(origin, ()))
            if part not in needed:
                needed[part] = None
                stack.append(part)
    return sorted(needed, key=lambda origin: (origin.op != "input", origin.born))


def origins(value: Any) -> Any:
    """``value`` with the origin of each stand-in, and of each Tensor that holds one."""

    def origin(leaf: Any) -> Any:
        held = leaf.node.out if isinstance(leaf, Tensor) else leaf
        return held.origin if isinstance(held, Symbol) else held

    return tree.map(origin, value)


def found_in(value: Any, kind: type[Any]) -> list[Any]:
    """All of a kind in tuples, lists, dicts and slices."""
    return [leaf for leaf in tree.leaves(value) if isinstance(leaf, kind)]


# -- comparing ---------------------------------------------------------------------------------------------


def trace(model: Layer, shapes: Any) -> Trace:
    """What a prediction computes, for inputs of these shapes, in which None is an unknown length.

    Raises ExportError where it is not the same computation for every batch and every such length.
    """
    done: list[Case] = []
    runs: list[tuple[list[Step], Any]] = []
    for seed, case in enumerate(cases(shapes)):
        try:
            runs.append(_run(model, shapes, case, seed))
        except (ValueError, IndexError) as error:
            if isinstance(error, ExportError) or not case.optional:
                raise
        else:
            done.append(case)
    contrasts = [case.against(done[0]) for case in done]
    _same_ops(model, [steps for steps, _ in runs], contrasts)
    steps = []
    for same in zip(*(steps for steps, _ in runs), strict=True):
        a = same[0]
        try:
            args, params = _common(*(step.args for step in same)), _common(*(step.params for step in same))
            steps.append(Step(a.op, args, params, _shape(*(step.shape for step in same)), a.dtype, a.layer))
        except _Differs as difference:
            raise ExportError(f"{place(a)}: {a.op} {difference.said(contrasts)}") from None
    try:
        result = _common(*(result for _, result in runs))
    except _Differs as difference:
        raise ExportError(f"{model.name!r} returns what it did not compute: it {difference.said(contrasts)}") from None
    return Trace(steps, sum(step.op == "input" for step in steps), result, uses_of(steps, result))


def _same_ops(model: Layer, runs: list[list[Step]], contrasts: list[Contrast]) -> None:
    """Raise where a run computes something else than the first."""
    first = [step.op for step in runs[0]]
    for steps, contrast in zip(runs, contrasts, strict=True):
        ops = [step.op for step in steps]
        if ops != first:
            at = next(
                (i for i, (a, b) in enumerate(zip(first, ops, strict=False)) if a != b), min(len(first), len(ops))
            )
            where = place(max(runs[0], steps, key=len)[at])
            raise ExportError(
                f"{where}: {model.name!r} computes other things {contrast.one} than {contrast.other}; a file holds "
                "one computation for all sizes"
            )


def uses_of(steps: list[Step], result: Any) -> Counter[int]:
    """How often each step's result is needed, by its position."""
    return Counter(ref.step for ref in found_in(([(step.args, step.params) for step in steps], result), Ref))


def place(step: Step) -> str:
    """Where a step is, for an error."""
    return f"in layer {step.layer!r}" if step.layer else "in the model's own call"


class _Differs(Exception):
    """Something that must be the same in all runs is not: in which one, and how to say so."""

    def __init__(self, run: int, how: Callable[[Contrast], str]):
        super().__init__(run, how)
        self.run, self.how = run, how

    def said(self, contrasts: list[Contrast]) -> str:
        """The difference in words."""
        return self.how(contrasts[self.run])


def _unlike(values: Sequence[Any], same: Callable[[Any, Any], bool]) -> int:
    """The first run whose value is not as that of the first run; 0 if there is none."""
    return next((i for i, value in enumerate(values) if not same(values[0], value)), 0)


def _common(*values: Any) -> Any:
    """What all runs have in common: whole numbers that differ become `Varying`."""
    a = values[0]

    def demand(same: Callable[[Any, Any], bool], shown: Callable[[Any], str] = repr) -> None:
        run = _unlike(values, same)
        if run:
            raise _Differs(run, lambda c: f"is given {shown(a)} {c.one} and {shown(values[run])} {c.other}")

    demand(lambda a, b: type(a) is type(b))
    if isinstance(a, tree.BRANCHES):
        demand(lambda a, b: tree.structure(a) == tree.structure(b), lambda v: f"{len(tree.leaves(v))} values")
        return tree.map(_common, *values)
    if isinstance(a, Constant):
        return _constant(*values)
    if type(a) is int:
        return _length(*values)
    demand(lambda a, b: bool(a is b or a == b or (a != a and b != b)))
    return a


def _length(*values: int) -> Length:
    return values[0] if len(set(values)) == 1 else Varying(values)


def _shape(*shapes: Any) -> Lengths:
    run = _unlike(shapes, lambda a, b: len(a) == len(b))
    if run:
        raise _Differs(
            run,
            lambda c: (
                f"gives {len(shapes[0])} axes {c.one} and {len(shapes[run])} {c.other}; say which axis np.squeeze "
                "removes, as without it the batch goes too where there is one example"
            ),
        )
    return tuple(_length(*lengths) for lengths in zip(*shapes, strict=True))


def _constant(*constants: Constant) -> Constant:
    x = constants[0].array
    if run := _unlike([c.array.ndim for c in constants], operator.eq):
        raise _Differs(run, lambda c: f"is given constants of other numbers of axes {c.one} than {c.other}")
    for run, constant in enumerate(constants):
        y = constant.array
        if x is y:  # a weight
            continue
        for axis, (n, m) in enumerate(zip(x.shape, y.shape, strict=True)):
            if n != m:  # it must say the same for each example
                one, other = x.take([0], axis), y.take([0], axis)
                if not (
                    np.array_equal(x, np.broadcast_to(one, x.shape))
                    and np.array_equal(y, np.broadcast_to(other, y.shape))
                ):
                    raise _Differs(
                        run,
                        lambda c: (
                            f"is given constants that are not the same for each {c.each}: places in it, as np.arange "
                            "counts them, or values taken from a Tensor's data; compute with NumPy functions of the "
                            "Tensor"
                        ),
                    )
                x, y = one, other
        if not np.array_equal(x, y, equal_nan=x.dtype.kind == "f"):
            raise _Differs(
                run,
                lambda c: (
                    f"is given numbers that are neither weights nor recorded results, and others {c.one} than "
                    f"{c.other}: they were computed from a length, drawn at random, or taken from a Tensor's data; "
                    "compute with NumPy functions of the Tensor itself, and draw only while training"
                ),
            )
    return Constant(x, _shape(*(c.shape for c in constants)), constants[0].name)
