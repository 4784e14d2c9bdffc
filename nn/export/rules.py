"""What each function of the engine is in ONNX: one rule for each, or a word in a table.

A rule gets the `Writer`, the step, and the step's arguments: `Value` for what is computed, `Constant` and plain
numbers for the rest. It adds nodes and gives a `Value`. Some results wait (`Pending`), because ONNX has one operator
for several of ours: a convolution for the bias that is added to it, windows for what is taken of each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..layers.images import same_padding
from .tracing import Constant, Length, Lengths, Step, Varying
from .writing import Axes, Value, Writer, channels_first, straight

Rule = Callable[..., Any]

RULES: dict[str, Rule] = {}
TAKES_PENDING: set[Rule] = set()


def rule(*names: str, takes_pending: bool = False) -> Callable[[Rule], Rule]:
    """Decorate the rule for the functions with these names."""

    def decorate(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(names, function))
        if takes_pending:
            TAKES_PENDING.add(function)
        return function

    return decorate


class Pending:
    """A result that is written when it is known what becomes of it."""

    def __init__(self, w: Writer):
        assert w.step is not None
        self.step: Step = w.step
        self._value: Value | None = None

    def write(self, w: Writer) -> Value:
        """Write it as it is."""
        raise TypeError(f"{type(self).__name__} must define write(w)")

    def value(self, w: Writer) -> Value:
        """The result, written once."""
        if self._value is None:
            now, w.step = w.step, self.step
            self._value = self.write(w)
            w.step = now
        return self._value


def materialised(w: Writer, x: Any) -> Any:
    """``x``, written if it was waiting."""
    return x.value(w) if isinstance(x, Pending) else x


def is_whole_constant(x: Any) -> bool:
    """Whether ``x`` is an array of the model's that is the same for every batch."""
    return isinstance(x, Constant) and x.shape == x.array.shape


# -- element by element ------------------------------------------------------------------------------------

SAME_DTYPE = {
    "negative": "Neg", "absolute": "Abs", "fabs": "Abs", "sign": "Sign", "floor": "Floor", "ceil": "Ceil",
    "rint": "Round", "reciprocal": "Reciprocal", "sqrt": "Sqrt", "exp": "Exp", "log": "Log",
    "sin": "Sin", "cos": "Cos", "tan": "Tan", "arcsin": "Asin", "arccos": "Acos", "arctan": "Atan",
    "sinh": "Sinh", "cosh": "Cosh", "tanh": "Tanh", "arcsinh": "Asinh", "arccosh": "Acosh", "arctanh": "Atanh",
    "relu": "Relu", "sigmoid": "Sigmoid", "softplus": "Softplus", "erf": "Erf",
    "subtract": "Sub", "multiply": "Mul", "power": "Pow", "maximum": "Max", "minimum": "Min",
}  # fmt: skip
COMPARISONS = {
    "equal": "Equal", "less": "Less", "less_equal": "LessOrEqual", "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
}  # fmt: skip
OF_TRUTHS = {
    "logical_and": "And", "logical_or": "Or", "logical_xor": "Xor", "logical_not": "Not", "bitwise_and": "And",
    "bitwise_or": "Or", "bitwise_xor": "Xor", "invert": "Not",
}  # fmt: skip


def elementwise(w: Writer, step: Step, kind: str, args: Sequence[Any], dtype: Any = None) -> Value:
    """One operator of arguments that broadcast, all brought to one dtype: the result's, unless another is given."""
    names, axes = w.together(args, [dtype or step.dtype] * len(args), len(step.shape))
    return w.value(w.node(kind, names), axes=axes)


def dtype_of(x: Any) -> Any:
    """What decides about the dtype that arguments have together: that of an array, the kind of a plain number."""
    return x.dtype if isinstance(x, Value) else x.array.dtype if isinstance(x, Constant) else x


@rule(*SAME_DTYPE)
def _(w: Writer, step: Step, *args: Any) -> Value:
    return elementwise(w, step, SAME_DTYPE[step.op], args)


@rule(*COMPARISONS)
def _(w: Writer, step: Step, *args: Any) -> Value:
    return elementwise(w, step, COMPARISONS[step.op], args, np.result_type(*map(dtype_of, args)))


@rule("not_equal")
def _(w: Writer, step: Step, *args: Any) -> Value:
    same = elementwise(w, step, "Equal", args, np.result_type(*map(dtype_of, args)))
    return w.value(w.node("Not", [same.name]), axes=same.axes)


@rule(*OF_TRUTHS)
def _(w: Writer, step: Step, *args: Any) -> Value:
    if step.dtype != np.bool_:
        raise w.fail("of whole numbers has no counterpart in ONNX; of truths it has")
    return elementwise(w, step, OF_TRUTHS[step.op], args)


@rule("isnan", "isinf")
def _(w: Writer, step: Step, x: Value) -> Value:
    return w.value(w.node({"isnan": "IsNaN", "isinf": "IsInf"}[step.op], [x.name]), axes=x.axes)


def chain(w: Writer, step: Step, x: Value, *links: tuple[Any, ...]) -> Value:
    """Operators one after the other: each a kind and its further arguments, in which None is what came before."""
    for kind, *others in links:
        args = [x if other is None else other for other in others] or [x]
        x = elementwise(w, step, kind, args)
    return x


CHAINS: dict[str, Callable[..., tuple[tuple[Any, ...], ...]]] = {
    "square": lambda x: (("Mul", x, x),),
    "log2": lambda x: (("Log", x), ("Div", None, math.log(2))),
    "log10": lambda x: (("Log", x), ("Div", None, math.log(10))),
    "exp2": lambda x: (("Mul", x, math.log(2)), ("Exp", None)),
    "erfc": lambda x: (("Erf", x), ("Sub", 1, None)),
}


@rule(*CHAINS)
def _(w: Writer, step: Step, x: Value) -> Value:
    return chain(w, step, x, *CHAINS[step.op](x))


@rule("log1p", "expm1")
def _(w: Writer, step: Step, x: Value) -> Value:
    """ONNX has the exponential and the logarithm alone; what 1 + x loses of x cancels in the quotient (W. Kahan)."""
    x = w.cast(x, step.dtype)
    one = w.constant(np.ones((), step.dtype))
    if step.op == "log1p":
        shifted = w.node("Add", [x.name, one])
        found = w.node("Log", [shifted])
        top, below = found, w.node("Sub", [shifted, one])
    else:
        shifted = w.node("Exp", [x.name])
        found = top = w.node("Sub", [shifted, one])
        below = w.node("Log", [shifted])
    exact = w.node("Mul", [top, w.node("Div", [x.name, below])])
    large = w.node("Greater", [w.node("Abs", [x.name]), one])
    small = w.node("Equal", [shifted, one])
    name = w.node("Where", [small, x.name, w.node("Where", [large, found, exact])])
    return w.value(name, axes=x.axes)


@rule("remainder", "floor_divide", "fmod")
def _(w: Writer, step: Step, *args: Any) -> Value:
    """As NumPy has them: from the exact remainder towards zero, Mod; a rounded x / y may be the next whole number."""
    whole = step.dtype.kind in "iu"
    if whole and (step.op == "fmod" or step.dtype not in (np.int32, np.int64)):
        raise w.fail(f'of {step.dtype} has no counterpart in most runtimes; take x.astype("int64")')
    dtype = np.dtype(np.float32) if step.dtype == np.float16 else step.dtype  # which NumPy takes for halves too
    (x, y), axes = w.together(args, [dtype] * 2, len(step.shape))

    def constant(value: Any) -> str:
        return w.constant(np.asarray(value, dtype))

    if whole:
        name = _of_whole_numbers(w, step.op, x, y, constant, args[1])
    elif step.op == "fmod":
        name = w.node("Mod", [x, y], fmod=1)
    else:
        name = _of_numbers(w, step.op, x, y, constant)
    return w.cast(w.value(name, dtype, axes=axes), step.dtype)


def _of_whole_numbers(w: Writer, op: str, x: str, y: str, constant: Callable[[Any], str], divisor: Any) -> str:
    """Mod takes the sign of the divisor, as Python does. Divided by 0 NumPy gives 0, where processors stop.

    They stop at the smallest number divided by -1 as well.
    """
    known = divisor.array if isinstance(divisor, Constant) else None if isinstance(divisor, Value) else divisor
    sign = None
    if known is None or np.any((np.asarray(known) == 0) | (np.asarray(known) == -1)):
        zero, minus = w.node("Equal", [y, constant(0)]), w.node("Equal", [y, constant(-1)])
        sign = w.node("Where", [zero, constant(0), w.node("Where", [minus, constant(-1), constant(1)])])
        y = w.node("Where", [w.node("Or", [zero, minus]), constant(1), y])
    left = w.node("Mod", [x, y])
    if op == "remainder":
        return left
    quotient = w.node("Div", [w.node("Sub", [x, left]), y])
    return quotient if sign is None else w.node("Mul", [quotient, sign])


def _of_numbers(w: Writer, op: str, x: str, y: str, constant: Callable[[Any], str]) -> str:
    """The steps of NumPy's own ``divmod``, so that the last bit is the same, but for the sign of a zero."""
    zero = constant(0)
    left = w.node("Mod", [x, y], fmod=1)
    other = w.node("Xor", [w.node("Less", [left, zero]), w.node("Less", [y, zero])])
    other = w.node("And", [other, w.node("Not", [w.node("Equal", [left, zero])])])  # of another sign than the divisor
    if op == "remainder":
        return w.node("Where", [other, w.node("Add", [left, y]), left])
    quotient = w.node("Div", [w.node("Sub", [x, left]), y])
    quotient = w.node("Where", [other, w.node("Sub", [quotient, constant(1)]), quotient])
    down = w.node("Floor", [quotient])
    missing = w.node("Greater", [w.node("Sub", [quotient, down]), constant(0.5)])
    down = w.node("Where", [missing, w.node("Add", [down, constant(1)]), down])
    return w.node("Where", [w.node("Equal", [y, zero]), w.node("Div", [x, y]), down])


@rule("add", takes_pending=True)
def _(w: Writer, step: Step, x: Any, y: Any) -> Value:
    for product, bias in ((x, y), (y, x)):
        if isinstance(product, Product) and product.takes(bias, step):
            return product.with_bias(w, bias)
    return elementwise(w, step, "Add", [materialised(w, x), materialised(w, y)])


@rule("divide", takes_pending=True)
def _(w: Writer, step: Step, x: Any, y: Any) -> Value:
    if isinstance(x, SumOfWindows) and isinstance(y, Constant):  # the mean of those that lie inside
        share = (x.count / y.array).astype(step.dtype)
        mean = x.windows.pool(w, "AveragePool", step.shape, count_include_pad=1)
        return mean if np.all(share == 1) else elementwise(w, step, "Mul", [mean, Constant(share, y.shape)])
    return elementwise(w, step, "Div", [materialised(w, x), materialised(w, y)])


@rule("where")
def _(w: Writer, step: Step, condition: Any, x: Any, y: Any) -> Value:
    names, axes = w.together([condition, x, y], [np.dtype(bool), step.dtype, step.dtype], len(step.shape))
    return w.value(w.node("Where", names), axes=axes)


@rule("clamp")
def _(w: Writer, step: Step, x: Any, a: Any, b: Any) -> Value:
    if isinstance(x, Value) and not any(isinstance(v, Value) or np.ndim(getattr(v, "array", v)) for v in (a, b)):
        x = w.cast(x, step.dtype)
        return w.value(w.node("Clip", [x.name, w.plain(a, step.dtype), w.plain(b, step.dtype)]), axes=x.axes)
    return elementwise(w, step, "Min", [elementwise(w, step, "Max", [x, a]), b])


@rule("round")
def _(w: Writer, step: Step, x: Value, decimals: int = 0) -> Value:
    if decimals:
        raise w.fail("to decimals has no counterpart in ONNX; scale, round, and scale back")
    return elementwise(w, step, "Round", [x])


@rule("astype")
def _(w: Writer, step: Step, x: Value, *_: Any, **__: Any) -> Value:
    return w.cast(x, step.dtype)


@rule("identity", "positive", "copy", takes_pending=True)
def _(w: Writer, step: Step, x: Any) -> Any:
    return x


# -- along axes --------------------------------------------------------------------------------------------

REDUCTIONS = {
    "sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax", "min": "ReduceMin", "prod": "ReduceProd",
    "logsumexp": "ReduceLogSumExp",
}  # fmt: skip


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that ``axis`` means, counted from the front."""
    return tuple(range(ndim)) if axis is None else tuple(sorted(a % ndim for a in np.atleast_1d(axis).tolist()))


def left_over(axes: Axes, gone: Sequence[int]) -> Axes:
    """The order of the axes when some are gone and the others numbered anew."""
    left = [a for a in axes if a not in gone]
    return tuple(sorted(left).index(a) for a in left)


@rule(*REDUCTIONS, takes_pending=True)
def _(w: Writer, step: Step, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    gone = axes_of(axis, len(x.step.shape if isinstance(x, Pending) else x.shape))
    if isinstance(x, Windows) and gone == x.window_axes and not keepdims:
        if step.op == "sum" and x.adjacent:
            return SumOfWindows(w, x)
        if step.op == "mean" and x.adjacent:
            return x.pool(w, "AveragePool", step.shape, count_include_pad=1)
        if step.op == "max":
            return x.pool(w, "MaxPool", step.shape)
    x = w.cast(materialised(w, x), step.dtype)
    stored = w.numbers(sorted(x.axes.index(a) for a in gone))
    name = w.node(REDUCTIONS[step.op], [x.name, stored], keepdims=int(bool(keepdims)))
    return w.value(name, axes=x.axes if keepdims else left_over(x.axes, gone))


@rule("any", "all")
def _(w: Writer, step: Step, x: Value, axis: Any = None, keepdims: bool = False, **_: Any) -> Value:
    """The largest, or the smallest, of truths as whole numbers."""
    x = w.cast(w.cast(x, np.dtype(bool)), np.dtype(np.int32))
    gone = axes_of(axis, len(x.shape))
    stored = w.numbers(sorted(x.axes.index(a) for a in gone))
    kind = {"any": "ReduceMax", "all": "ReduceMin"}[step.op]
    name = w.node(kind, [x.name, stored], keepdims=int(bool(keepdims)))
    found = w.value(name, np.dtype(np.int32), axes=x.axes if keepdims else left_over(x.axes, gone))
    return w.cast(found, np.dtype(bool))


@rule("length", "root_mean_square", "p_norm")
def _(
    w: Writer,
    step: Step,
    x: Value,
    axis: Any = None,
    keepdims: bool = False,
    degrees: Any = 1,
    centered: bool = False,
    ord: Any = 2,
) -> Value:
    """As ours: of numbers divided by the largest, so that the powers neither overflow nor vanish."""
    x = w.cast(x, step.dtype)

    def number(n: float) -> str:
        return w.constant(np.array(n, step.dtype))

    gone = axes_of(axis, len(x.shape))
    stored = w.numbers(sorted(x.axes.index(a) for a in gone))
    if centered:
        x = w.value(w.node("Sub", [x.name, w.node("ReduceMean", [x.name, stored], keepdims=1)]), axes=x.axes)
    largest = w.node("ReduceMin" if ord < 0 else "ReduceMax", [w.node("Abs", [x.name]), stored], keepdims=1)
    usable = w.node("And", [w.node("Less", [number(0), largest]), w.node("Not", [w.node("IsInf", [largest])])])
    scale = w.node("Where", [usable, largest, number(1)])
    name = w.node("Div", [x.name, scale])
    if ord == 2:
        name = w.node("ReduceSumSquare", [name, stored], keepdims=1)
        name = w.node("Sqrt", [w.node("Div", [name, w.together([degrees], [step.dtype], 0)[0][0]])])
    else:
        name = w.node("ReduceSum", [w.node("Pow", [w.node("Abs", [name]), number(ord)]), stored], keepdims=1)
        name = w.node("Pow", [name, number(1 / ord)])
    name = w.node("Mul", [name, scale])
    if keepdims:
        return w.value(name, axes=x.axes)
    return w.value(w.node("Squeeze", [name, stored]), axes=left_over(x.axes, gone))


@rule("argmax", "argmin")
def _(w: Writer, step: Step, x: Value, axis: Any = None, out: None = None, keepdims: Any = False) -> Value:
    if not isinstance(axis, int):
        raise w.fail("over all axes has no counterpart in ONNX; reshape, and give the axis")
    kind = {"argmax": "ArgMax", "argmin": "ArgMin"}[step.op]
    keep = keepdims is True
    return w.value(w.node(kind, [w.plain(x)], axis=axis % len(x.shape), keepdims=int(keep)))


@rule("softmax", "log_softmax")
def _(w: Writer, step: Step, x: Value, axis: Any = -1) -> Value:
    axes = axes_of(axis, len(x.shape))
    x = w.cast(x, step.dtype)
    if len(axes) != 1:
        raise w.fail("over several axes has no counterpart in ONNX; reshape them to one first")
    kind = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}[step.op]
    return w.value(w.node(kind, [x.name], axis=x.axes.index(axes[0])), axes=x.axes)


@rule("normalized")
def _(w: Writer, step: Step, x: Value, axis: Any = -1) -> Value:
    name = w.plain(x, step.dtype)
    total = w.node("ReduceSum", [name, w.numbers(axes_of(axis, len(x.shape)))], keepdims=1)
    return w.value(w.node("Div", [name, total]))


@rule("cumsum")
def _(w: Writer, step: Step, x: Value, axis: Any = None) -> Value:
    if axis is None and len(x.shape) != 1:
        raise w.fail("of all elements in a row has no counterpart in ONNX; reshape first, and give the axis")
    name = w.plain(x, step.dtype)
    return w.value(w.node("CumSum", [name, w.constant(np.array((axis or 0) % len(x.shape), np.int64))]))


# -- another shape -----------------------------------------------------------------------------------------


def reshaped(w: Writer, x: Value, shape: Lengths) -> Value:
    """``x`` in another shape, in which a length that varies is that of the same axis, or the one that is left."""
    dims: list[int] = []
    for i, n in enumerate(shape):
        if isinstance(n, int):
            dims.append(n)
        else:
            dims.append(0 if i < len(x.shape) and x.shape[i] == n else -1)
    name = w.plain(x)
    if shape == x.shape:
        return w.value(name, x.dtype, shape)
    if dims.count(-1) > 1 or 0 in shape:
        return w.value(w.node("Reshape", [name, w.lengths(shape)], allowzero=1), x.dtype, shape)
    return w.value(w.node("Reshape", [name, w.numbers(dims)]), x.dtype, shape)


@rule("reshape", "expand_dims", "squeeze")
def _(w: Writer, step: Step, x: Value, *_: Any, order: str = "C", **__: Any) -> Value:
    if order != "C":
        raise w.fail(f"with order={order!r} has no counterpart in ONNX; transpose first")
    return reshaped(w, x, step.shape)


@rule("transpose")
def _(w: Writer, step: Step, x: Value, axes: Any = None) -> Value:
    n = len(x.shape)
    order = [a % n for a in axes] if axes is not None else list(reversed(range(n)))
    return w.value(x.name, x.dtype, axes=tuple(order.index(a) for a in x.axes))


@rule("broadcast_to")
def _(w: Writer, step: Step, x: Value, shape: Any = ()) -> Value:
    return w.value(w.node("Expand", [w.plain(x), w.lengths(step.shape)]), x.dtype)


@rule("concatenate")
def _(w: Writer, step: Step, *xs: Any, axis: Any = 0) -> Value:
    if isinstance(xs[0], tuple | list):  # as NumPy spells it
        xs, axis = tuple(xs[0]), xs[1] if len(xs) > 1 else axis
    n = len(step.shape)
    axes = xs[0].axes if isinstance(xs[0], Value) else straight(n)
    if any(not isinstance(x, Value) or x.axes != axes for x in xs):
        axes = straight(n)
    values = [w.cast(x, step.dtype) if isinstance(x, Value) else x for x in xs]
    names = [w.in_order(x, axes) if isinstance(x, Value) else w.plain(x, step.dtype) for x in values]
    return w.value(w.node("Concat", names, axis=axes.index(axis % n)), axes=axes)


FAR = 2**63 - 1  # beyond every end


def sliced(w: Writer, x: Value, cuts: dict[int, slice]) -> Value:
    """The part of ``x`` between places along some axes."""
    cuts = {axis: cut for axis, cut in cuts.items() if cut != slice(None)}
    if not cuts:
        return x
    starts, ends, steps = [], [], []
    for cut in cuts.values():
        step = 1 if cut.step is None else w.whole(cut.step)
        starts.append((0 if step > 0 else FAR) if cut.start is None else w.whole(cut.start))
        ends.append((FAR if step > 0 else -FAR) if cut.stop is None else w.whole(cut.stop))
        steps.append(step)
    inputs = [w.plain(x), *map(w.numbers, (starts, ends, list(cuts), steps))]
    shape = tuple(cut_to(n, cuts.get(axis, slice(None))) for axis, n in enumerate(x.shape))
    return w.value(w.node("Slice", inputs), x.dtype, shape)


def cut_to(length: Length, cut: slice) -> Length:
    """How much of a length a slice leaves."""
    if isinstance(length, int):
        return len(range(*cut.indices(length)))
    runs = tuple(len(range(*cut.indices(n))) for n in length.runs)
    return runs[0] if len(set(runs)) == 1 else Varying(runs)


@rule("flip")
def _(w: Writer, step: Step, x: Value, axis: Any = None) -> Value:
    return sliced(w, x, dict.fromkeys(axes_of(axis, len(x.shape)), slice(None, None, -1)))


def in_a_row(w: Writer, x: Value, axis: Any) -> tuple[Value, Any]:
    """All elements in a row, where no axis is given, and the axis counted from the front."""
    if axis is not None:
        return x, axis
    if not all(isinstance(n, int) for n in x.shape):
        raise w.fail("of all elements in a row has no counterpart in ONNX where their number varies; give an axis")
    return reshaped(w, x, (math.prod(n for n in x.shape if isinstance(n, int)),)), 0


@rule("repeat")
def _(w: Writer, step: Step, x: Value, repeats: Any = 1, axis: Any = None) -> Value:
    x, axis = in_a_row(w, x, axis)
    axis %= len(x.shape)
    before, n, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    times = np.ravel(repeats.array if isinstance(repeats, Constant) else repeats)
    if times.size != 1:
        places = w.constant(np.repeat(np.arange(times.size, dtype=np.int64), times))
        return w.value(w.node("Gather", [w.plain(x), places], axis=axis), x.dtype)
    wide = (*before, n, int(times[0]), *after)
    apart = w.plain(reshaped(w, x, (*before, n, 1, *after)))
    return reshaped(w, w.value(w.node("Expand", [apart, w.lengths(wide)]), x.dtype, wide), step.shape)


@rule("roll")
def _(w: Writer, step: Step, x: Value, shift: Any = 0, axis: Any = None) -> Value:
    x, axis = in_a_row(w, x, axis)
    name = w.plain(x)
    for by, along in np.broadcast(shift, axis):
        n = x.shape[int(along)]
        if not isinstance(n, int):
            raise w.fail("along an axis whose length varies has no counterpart in ONNX")
        places = w.constant(np.roll(np.arange(n, dtype=np.int64), int(by)))
        name = w.node("Gather", [name, places], axis=int(along))
    return reshaped(w, w.value(name, x.dtype, x.shape), step.shape)


@rule("getitem")
def _(w: Writer, step: Step, x: Any, index: Any = ()) -> Value:
    parts = list(index) if isinstance(index, tuple) else [index]
    used = sum(p is not None and p is not Ellipsis for p in parts)
    shape = x.shape
    if Ellipsis in [p for p in parts if not isinstance(p, Constant | Value)]:
        at = next(i for i, p in enumerate(parts) if p is Ellipsis)
        parts[at : at + 1] = [slice(None)] * (len(shape) - used)
    lists = [p for p in parts if isinstance(p, Constant | Value | list)]
    cuts: dict[int, slice] = {}
    if lists:
        axis = next(i for i, p in enumerate(parts) if p is lists[0])
        others = [p for p in parts if p is not lists[0]]
        if any(p != slice(None) for p in others) or getattr(dtype_of(lists[0]), "kind", "i") == "b":
            raise w.fail(
                "with this index has no counterpart in ONNX: one array of whole numbers beside full slices has; take "
                "elements axis by axis, and choose with np.where instead of a mask"
            )
        chosen = w.plain(lists[0] if not isinstance(lists[0], list) else np.asarray(lists[0]), np.int64)
        return w.value(w.node("Gather", [w.plain(x), chosen], axis=axis), dtype_of(x))
    axis = 0
    for part in parts:
        if part is None:
            continue
        if isinstance(part, slice):
            cuts[axis] = part
        else:
            i = w.whole(part)
            cuts[axis] = slice(i, FAR if i == -1 else i + 1)
        axis += 1
    return reshaped(w, sliced(w, x, cuts), step.shape)


# -- what is recognised as one -----------------------------------------------------------------------------


def number(x: Any) -> float:
    """A plain number, or that in an array of one."""
    return float(x.array if isinstance(x, Constant) else x)


@rule("LeakyRelu", "Elu")
def _(w: Writer, step: Step, x: Value, alpha: Any) -> Value:
    return w.value(w.node(step.op, [w.cast(x, step.dtype).name], alpha=number(alpha)), axes=x.axes)


@rule("HardSigmoid")
def _(w: Writer, step: Step, x: Value, shift: Any) -> Value:
    return w.value(w.node(step.op, [w.cast(x, step.dtype).name], alpha=1 / 6, beta=number(shift)), axes=x.axes)


@rule("Softsign")
def _(w: Writer, step: Step, x: Value) -> Value:
    return w.value(w.node(step.op, [w.cast(x, step.dtype).name]), axes=x.axes)


@rule("BatchNormalization")
def _(
    w: Writer, step: Step, x: Value, mean: Constant, deviation: Constant, scale: Constant, shift: Constant, axis: int
) -> Value:
    axes = x.axes
    if axes[1] != axis:
        axes = (0, axis, *(a for a in range(1, len(axes)) if a != axis))
    variance = Constant(deviation.array**2, deviation.shape, f"{step.layer}/variance" if step.layer else "variance")
    inputs = [
        w.constant(c.array.ravel().astype(step.dtype, copy=False), c.name) for c in (scale, shift, mean, variance)
    ]
    name = w.node(step.op, [w.in_order(w.cast(x, step.dtype), axes), *inputs], epsilon=0.0)
    return w.value(name, axes=axes)


@rule("LayerNormalization")
def _(w: Writer, step: Step, x: Value, epsilon: Any, scale: Constant, shift: Constant, axis: int) -> Value:
    inputs = [w.constant(c.array.reshape(c.array.shape[axis:]).astype(step.dtype), c.name) for c in (scale, shift)]
    return w.value(w.node(step.op, [w.plain(x, step.dtype), *inputs], axis=axis, epsilon=number(epsilon)))


# -- products, convolutions and windows --------------------------------------------------------------------


class Product(Pending):
    """A matrix product or a convolution, which may yet get a bias."""

    def __init__(self, w: Writer, kind: str, inputs: list[Any], channels: int, axes: Axes, **attributes: Any):
        super().__init__(w)
        self.kind, self.inputs, self.channels, self.axes = kind, inputs, channels, axes
        self.attributes = attributes
        self.shared = False  # whether several steps need it as it is

    def takes(self, bias: Any, step: Step) -> bool:
        """Whether ``bias`` is a vector of one number for each channel, and nothing else needs the product."""
        return (
            not self.shared
            and is_whole_constant(bias)
            and bias.array.shape == (self.channels,)
            and step.shape == self.step.shape
            and step.dtype == self.step.dtype
        )

    def write(self, w: Writer) -> Value:
        return w.value(w.node(self.kind, self.inputs, **self.attributes), axes=self.axes)

    def with_bias(self, w: Writer, bias: Constant) -> Value:
        """The product plus one number for each channel."""
        kind = {"MatMul": "Gemm"}.get(self.kind, self.kind)
        name = w.node(kind, [*self.inputs, w.plain(bias, self.step.dtype)], **self.attributes)
        return w.value(name, axes=self.axes)


@rule("matmul")
def _(w: Writer, step: Step, x: Any, y: Any) -> Any:
    names = [w.plain(x, step.dtype), w.plain(y, step.dtype)]
    if len(x.shape) == len(y.shape) == 2 and is_whole_constant(y):
        return Product(w, "MatMul", names, y.array.shape[1], straight(2))
    return w.value(w.node("MatMul", names))


@rule("einsum")
def _(w: Writer, step: Step, *xs: Any, subscripts: str = "", optimize: Any = None) -> Value:
    return w.value(w.node("Einsum", [w.plain(x, step.dtype) for x in xs], equation=subscripts))


class Frame(Pending):
    """Something with a frame of one value around it."""

    def __init__(self, w: Writer, x: Value, pairs: Sequence[Sequence[int]], fill: Any):
        super().__init__(w)
        self.x, self.pairs, self.fill = x, pairs, fill

    def around(self, fill: float) -> Sequence[Sequence[int]] | None:
        """The frame of the spatial axes, if there is no other and it is made of ``fill``."""
        inside = self.pairs[0] == self.pairs[-1] == (0, 0)
        return self.pairs[1:-1] if inside and self.fill == fill else None

    def write(self, w: Writer) -> Value:
        # The stored axes, those that are padded first. Were all of them named, in their order, onnxruntime would merge
        # this into a pooling behind it, also where that cannot pad as far, or pads with other values.
        order = sorted(range(len(self.pairs)), key=lambda i: self.pairs[self.x.axes[i]] == (0, 0))
        order = order[: max(2, sum(pair != (0, 0) for pair in self.pairs))]
        pads = [self.pairs[self.x.axes[i]][side] for side in (0, 1) for i in order]
        inputs = [self.x.name, w.numbers(pads), w.constant(np.array(self.fill, self.x.dtype)), w.numbers(order)]
        return w.value(w.node("Pad", inputs), self.x.dtype, axes=self.x.axes)


@rule("frame")
def _(w: Writer, step: Step, x: Value, pairs: Any = (), value: Any = 0) -> Frame:
    fill = float(value.array if isinstance(value, Constant) else value)
    return Frame(w, x, tuple((w.whole(a), w.whole(b)) for a, b in pairs), fill)


def without_frame(w: Writer, x: Any, fill: float, limits: Sequence[float]) -> tuple[Value, list[tuple[int, int]]]:
    """``x`` and the frame around it, which an operator adds by itself where it is one of ``fill`` and narrow enough."""
    around = x.around(fill) if isinstance(x, Frame) else None
    if around is not None and all(max(pair) < limit for pair, limit in zip(around, limits, strict=True)):
        return x.x, [(a, b) for a, b in around]
    return materialised(w, x), [(0, 0)] * len(limits)


def per_axis(value: Any, n: int) -> tuple[int, ...]:
    """One number for each of n axes."""
    return tuple(int(v) for v in np.broadcast_to(value, (n,)))


def where_not(default: int, **attributes: Sequence[int]) -> dict[str, list[int]]:
    """Those attributes that are not the default along all axes."""
    return {name: list(values) for name, values in attributes.items() if any(v != default for v in values)}


@rule("conv", takes_pending=True)
def _(
    w: Writer, step: Step, x: Any, kernel: Any, *,
    strides: Any = 1, padding: Any = "valid", dilation: Any = 1, groups: int = 1,
) -> Product:  # fmt: skip
    kernel = materialised(w, kernel)
    n = len(kernel.shape) - 2
    strides, dilation = per_axis(strides, n), per_axis(dilation, n)
    window = [w.whole(k) for k in kernel.shape[:n]]
    lengths = (x.step.shape if isinstance(x, Pending) else x.shape)[1:-1]
    x, pads = without_frame(w, x, 0.0, [math.inf] * n)
    attributes: dict[str, Any] = {"kernel_shape": window}
    if padding == "same" and any(isinstance(k, Varying) and s > 1 for k, s in zip(lengths, strides, strict=True)):
        x = materialised(w, x)
        attributes["auto_pad"] = "SAME_UPPER"
    elif isinstance(padding, str):
        if padding == "same":  # with steps of one, the same for every length
            known = [k if isinstance(k, int) else k.runs[0] for k in lengths]
            same = map(same_padding, known, window, strides, dilation)
            pads = [(a + c, b + d) for (a, b), (c, d) in zip(pads, same, strict=True)]
    else:
        pads = [(a + w.whole(c), b + w.whole(d)) for (a, b), (c, d) in zip(pads, padding, strict=True)]
    attributes |= where_not(1, strides=strides, dilations=dilation, group=[groups])
    attributes |= where_not(0, pads=[side for pair in zip(*pads, strict=True) for side in pair])
    if "group" in attributes:
        attributes["group"] = groups
    order = (n + 1, n, *range(n))  # (out, in, *window)
    if isinstance(kernel, Value):
        weight = w.in_order(w.cast(kernel, step.dtype), order)
    else:
        weight = w.constant(kernel.array.astype(step.dtype, copy=False).transpose(order), kernel.name)
    axes = channels_first(n + 2)
    inputs = [w.in_order(w.cast(x, step.dtype), axes), weight]
    return Product(w, "Conv", inputs, w.whole(kernel.shape[-1]), axes, **attributes)


@rule("conv_transpose")
def _(
    w: Writer, step: Step, x: Value, kernel: Any, *,
    strides: Any = 1, padding: Any = "valid", dilation: Any = 1, groups: int = 1, shape: Any = None,
) -> Value:  # fmt: skip
    """Its paddings are those of the convolution that it is the adjoint of, and what is missing then goes behind."""
    n = len(kernel.shape) - 2
    strides, dilation = per_axis(strides, n), per_axis(dilation, n)
    window = [w.whole(k) for k in kernel.shape[:n]]
    if groups != 1:
        raise w.fail("in groups has no counterpart in ONNX here")
    pads, behind = [], []
    for i in range(n):
        places, length = (k if isinstance(k, int) else k.runs[0] for k in (x.shape[1 + i], step.shape[1 + i]))
        reach = (window[i] - 1) * dilation[i] + 1
        pair = (0, 0) if padding == "valid" else padding[i]
        if padding == "same":
            pair = same_padding(length, window[i], strides[i], dilation[i])
        pads.append(pair)
        behind.append(length - (strides[i] * (places - 1) + reach - sum(pair)))
    attributes: dict[str, Any] = {"kernel_shape": window}
    attributes |= where_not(1, strides=strides, dilations=dilation)
    attributes |= where_not(0, pads=[side for pair in zip(*pads, strict=True) for side in pair], output_padding=behind)
    order = (n + 1, n, *range(n))  # (in, out, *window)
    if isinstance(kernel, Value):
        weight = w.in_order(w.cast(kernel, step.dtype), order)
    else:
        weight = w.constant(kernel.array.astype(step.dtype, copy=False).transpose(order), kernel.name)
    axes = channels_first(n + 2)
    name = w.node("ConvTranspose", [w.in_order(w.cast(x, step.dtype), axes), weight], **attributes)
    return w.value(name, axes=axes)


class Windows(Pending):
    """All windows of a size: (batch, *places, *window, channels)."""

    def __init__(self, w: Writer, x: Any, window: Any, strides: Any, dilation: Any):
        super().__init__(w)
        self.x = x
        self.n = n = (len(self.step.shape) - 2) // 2
        self.window, self.strides, self.dilation = per_axis(window, n), per_axis(strides, n), per_axis(dilation, n)

    @property
    def window_axes(self) -> tuple[int, ...]:
        """The axes within a window."""
        return tuple(range(self.n + 1, 2 * self.n + 1))

    @property
    def adjacent(self) -> bool:
        """Whether the elements of a window lie side by side, as those of an AveragePool must."""
        return max(self.dilation) == 1

    def pool(self, w: Writer, kind: str, shape: Lengths, **attributes: int) -> Value:
        """The mean or the maximum of each window."""
        x, pads = without_frame(w, self.x, -math.inf if kind == "MaxPool" else 0.0, self.window)
        assert w.step is not None
        axes = channels_first(self.n + 2)
        more: dict[str, Any] = where_not(1, strides=self.strides, dilations=self.dilation)
        frame = where_not(0, pads=[side for pair in zip(*pads, strict=True) for side in pair])
        more |= {**frame, **attributes} if frame else {}
        name = w.in_order(w.cast(x, w.step.dtype), axes)
        return w.value(w.node(kind, [name], kernel_shape=list(self.window), **more), shape=shape, axes=axes)

    def write(self, w: Writer) -> Value:
        name = w.plain(materialised(w, self.x))
        for axis in range(self.n):  # from (…, length, …) to (…, places, window, …)
            places = np.arange(w.whole(self.step.shape[1 + axis]))[:, None] * self.strides[axis]
            inside = np.arange(self.window[axis]) * self.dilation[axis]
            name = w.node("Gather", [name, w.constant(places + inside)], axis=1 + 2 * axis)
        n = self.n
        return w.value(name, axes=(0, *(a for i in range(n) for a in (1 + i, 1 + n + i)), 2 * n + 1))


@rule("windows", takes_pending=True)
def _(w: Writer, step: Step, x: Any, window: Any = (), *, strides: Any = 1, dilation: Any = 1) -> Windows:
    return Windows(w, x, window, strides, dilation)


class SumOfWindows(Pending):
    """The sum of each window: of ONNX' operators the mean comes nearest."""

    def __init__(self, w: Writer, windows: Windows):
        super().__init__(w)
        self.windows, self.count = windows, math.prod(windows.window)

    def write(self, w: Writer) -> Value:
        mean = self.windows.pool(w, "AveragePool", self.step.shape, count_include_pad=1)
        return elementwise(w, self.step, "Mul", [mean, self.count])
