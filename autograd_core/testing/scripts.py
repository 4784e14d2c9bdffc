"""Where does a backward pass that was written by hand go wrong? Layers with a cache, and scripts line by line."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from .. import tree
from ..tensor import Tensor
from .arguments import is_floating, parameter_names, to_numpy
from .check import Check, GradientError, Report
from .reproduce import call_code, name_of
from .verdicts import Leaf, looks_like

Array = Any
Function = Callable[..., Any]


def check_layer(
    forward: Function,
    backward: Function,
    *args: Any,
    rtol: float | None = None,
    atol: float | None = None,
    strict: bool = False,
    seed: int = 0,
) -> Report:
    """Check a layer of ``forward(*args) -> (out, cache)`` and ``backward(dout, cache) -> gradients``.

    ``forward`` works on NumPy's arrays; ``out`` is an array or a number. ``backward`` returns a gradient for each
    argument that holds floating numbers, in their order or as a dict keyed by their names (with or without a ``d``);
    for others None, or nothing. Other arguments, such as labels or a dict of settings, are passed along.

    Parameters
    ----------
    forward, backward : callable
        The two functions.
    *args : number, array, or nested list, tuple or dict of them
        What ``forward`` is called with.
    rtol, atol, strict, seed
        As for `check_gradients`.

    Returns
    -------
    Report
        With the verdict "pass" or "inconclusive".

    Raises
    ------
    GradientError
        If a gradient is wrong, with a verdict for each argument.
    TypeError
        If ``forward`` returns no pair.

    Examples
    --------
    >>> def affine_forward(x, w, b):
    ...     return x @ w + b, (x, w)
    >>> def affine_backward(dout, cache):
    ...     x, w = cache
    ...     return dout @ w.T, x.T @ dout, dout.sum(axis=0)
    >>> x, w, b = np.ones((2, 3)), np.ones((3, 4)), np.zeros(4)
    >>> check_layer(affine_forward, affine_backward, x, w, b).verdict
    'pass'
    """
    __tracebackhide__ = True

    def pair(*values: Any) -> tuple[Any, Any]:
        found = forward(*values)
        if not (isinstance(found, tuple) and len(found) == 2):
            came = f"a tuple of {len(found)}" if isinstance(found, tuple) else type(found).__name__
            raise TypeError(f"the result of {name_of(forward)}: expected (out, cache), got {came}; return both")
        return found

    def f(*values: Any) -> Any:
        return pair(*values)[0]

    def vjp(*values: Any) -> tuple[Any, Function]:
        out, cache = pair(*values)
        return out, lambda g: backward(g, cache)

    names = parameter_names(forward, len(args))
    f.parameters = names  # type: ignore[attr-defined]
    f.__name__ = name_of(forward)
    varied = [n for n, arg in enumerate(args) if _is_differentiated(arg)]
    check = Check(f, args, "vjp", vjp, None, "numpy", varied, None, rtol, atol, seed)
    assert check.given is not None
    check.given.called = name_of(backward)
    check.rerun = lambda options: call_code(forward, args, names, {"": backward}, options, "check_layer")
    with np.errstate(all="ignore"):
        return check.run(1, strict)


def _is_differentiated(arg: Any) -> bool:
    """Whether an argument has a gradient: numbers, arrays and structures of arrays, but no settings such as an eps."""
    if isinstance(arg, dict | list | tuple):
        found = tree.leaves(arg)
        return bool(found) and all(isinstance(leaf, np.ndarray | Tensor) and is_floating(leaf) for leaf in found)
    return is_floating(arg)


@dataclass(frozen=True)
class Line:
    """A line of a backward pass that gave a gradient: ``right`` or not, and what a wrong one looks like."""

    number: int
    text: str
    name: str
    right: bool
    looks_like: str = ""


@dataclass
class _Run:
    """What a function or a script left in its variables, and which line changed each last, ``first`` being line 1."""

    variables: dict[str, Any]
    result: Any
    first: int = 1
    lines: dict[str, int] = field(default_factory=dict)


def check_script(forward: Function | str, backward: Function | str, **inputs: Any) -> Report:
    """Compare a backward pass that was written line by line with the gradients of its forward pass, in order.

    ``forward`` is a function of ``inputs`` that returns the loss, or the text of a script that leaves it in ``loss``;
    it works on Tensors, so NumPy's functions and operators will do. ``backward`` is a function whose arguments are
    named like variables of the forward pass (or a script that uses them), in NumPy's arrays. Each of its variables
    ``dname`` (or ``d_name``, ``grad_name``) is compared with the gradient of the loss with respect to ``name`` as the
    forward pass left it. Scripts are run: pass no text that you would not run yourself.

    Parameters
    ----------
    forward, backward : callable or str
        The two passes.
    **inputs : number or array
        The variables that the forward pass begins with: floating ones are differentiated, others passed along.

    Returns
    -------
    Report
        With the verdict "pass"; ``lines`` holds what was compared.

    Raises
    ------
    GradientError
        If a line is wrong. The message shows each line, the first wrong one marked ✗ with what it looks like; its
        ``lines`` hold the same.
    ValueError
        If there is no loss, or no gradient of a name in the forward pass.

    Examples
    --------
    >>> def forward(x, w):
    ...     z = x @ w
    ...     a = np.tanh(z)
    ...     loss = np.sum(a * a)
    ...     return loss
    >>> def backward(x, z, a):
    ...     da = 2 * a
    ...     dz = da * (1 - z**2)
    ...     dw = x.T @ dz
    >>> x, w = np.array([[0.5, -1.0]]), np.array([[1.0], [0.25]])
    >>> check_script(forward, backward, x=x, w=w)
    Traceback (most recent call last):
    autograd_core.testing.check.GradientError: the backward pass goes wrong at line 3: dz = da * (1 - z ** 2)
    """
    __tracebackhide__ = True
    values, gradients = _forward(forward, inputs)
    with np.errstate(all="ignore"):
        run, source = _backward(backward, values)
        lines = _compared(run, source, values, gradients)
    if not lines:
        raise ValueError(
            "the variables of the backward pass: expected some named like gradients of the forward pass, "
            f"{', '.join('d' + name for name in list(gradients)[:4])}, …, got {', '.join(run.variables) or 'none'}"
        )
    wrong = next((line for line in lines if not line.right), None)
    report = Report("fail" if wrong else "pass", "reverse mode, line by line", 1, lines=tuple(lines))
    if wrong is None:
        return report
    width = max(len(line.text) for line in lines)
    told = [f"the backward pass goes wrong at line {wrong.number}: {wrong.text}", ""]
    for line in lines:
        mark = "✗" if line is wrong else " "
        verdict = "right" if line.right else "wrong" if line.number <= wrong.number else "wrong, after the first one"
        told.append(f"  {mark} {line.number:>3}  {line.text:<{width}}  {line.name} {verdict}")
        if line.looks_like and not line.right:
            told.append(f"         {line.looks_like}")
    error = GradientError("\n".join(told))
    error.report, error.gradient, error.lines, error.given = report, wrong.name, tuple(lines), True
    raise error


# -- running the passes ------------------------------------------------------------------------------------


def _forward(forward: Function | str, inputs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Array]]:
    """The variables of the forward pass in NumPy's arrays, and the gradients of those that record."""
    given = {
        name: Tensor(np.asarray(value)) if np.asarray(to_numpy(value)).dtype.kind == "f" else value
        for name, value in inputs.items()
    }
    run, _ = _run(forward, given, "forward")
    loss = run.result if run.result is not None else run.variables.get("loss")
    if isinstance(loss, tuple) and loss and isinstance(loss[0], Tensor):
        loss = loss[0]
    if not isinstance(loss, Tensor) or not loss.requires_grad or loss.size != 1:
        came = f"shape {list(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
        raise ValueError(
            f"the loss: expected one number made from the inputs, got {came}; return it from the forward pass, or "
            "leave it in `loss`"
        )
    loss.backward()
    values, gradients = {}, {}
    for name, value in {**given, **run.variables}.items():
        if isinstance(value, Tensor):
            values[name] = np.array(value.data)
            if value.requires_grad:
                g = value.grad
                gradients[name] = np.zeros(value.shape) if g is None else np.array(to_numpy(g))
        else:
            values[name] = value
    return values, gradients


def _backward(backward: Function | str, values: Mapping[str, Any]) -> tuple[_Run, dict[int, str]]:
    if isinstance(backward, str):
        return _run(backward, dict(values), "backward")
    wanted = list(inspect.signature(backward).parameters.values())
    missing = [p.name for p in wanted if p.name not in values and p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    if missing:
        raise ValueError(
            f"the arguments of the backward pass: expected variables of the forward pass, {', '.join(values)}, got "
            f"{', '.join(missing)}; give what it needs a variable there"
        )
    takes_all = any(p.kind is p.VAR_KEYWORD for p in wanted)
    given = dict(values) if takes_all else {p.name: values[p.name] for p in wanted if p.name in values}
    return _run(backward, given, "backward")


def _run(what: Function | str, given: Mapping[str, Any], name: str) -> tuple[_Run, dict[int, str]]:
    """Run a function or a script with ``given``, following its variables line by line."""
    if isinstance(what, str):
        text = textwrap.dedent(what)
        code = compile(text, f"<{name}>", "exec")
        scope: dict[str, Any] = {"np": np, "__name__": f"<{name}>", **given}
        run = _followed(code, lambda: exec(code, scope), scope)
        skipped = {"np", "__name__", "__builtins__"}
        run.variables = {k: v for k, v in scope.items() if k not in skipped and not isinstance(v, types.ModuleType)}
        return run, _statements(ast.parse(text), 0)
    run = _followed(what.__code__, lambda: what(**given), None)
    try:
        lines, first = inspect.getsourcelines(what)
        parsed = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError):
        return run, {}
    run.first = max(first, 1)
    return run, _statements(parsed, run.first - 1)


def _statements(parsed: ast.AST, offset: int) -> dict[int, str]:
    """The text of each simple statement by the line that it begins on."""
    found = {}
    for node in ast.walk(parsed):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            found[node.lineno + offset] = ast.unparse(node)
    return found


def _followed(code: Any, call: Callable[[], Any], scope: dict[str, Any] | None) -> _Run:
    """Call something, noting which line of ``code`` changed each of its variables last."""
    run = _Run({}, None)
    seen: dict[str, Any] = {}
    last: list[int] = []

    def note(frame: Any) -> None:
        for name, value in (frame.f_locals if scope is None else scope).items():
            if name.startswith(("d", "grad_")):
                stamp = _stamp(value)
                if stamp is not None and seen.get(name) != stamp:
                    seen[name] = stamp
                    if last:
                        run.lines[name] = last[0]

    def trace(frame: Any, event: str, arg: Any) -> Any:
        if frame.f_code is not code:
            return None
        if event in ("line", "return"):
            note(frame)
            last[:] = [frame.f_lineno]
        if event == "return":
            run.variables = dict(frame.f_locals)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run.result = call()
    finally:
        sys.settrace(before)
    return run


def _stamp(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    return value if isinstance(value, float | np.generic) else None


# -- comparing ---------------------------------------------------------------------------------------------


def _compared(run: _Run, source: dict[int, str], values: dict[str, Any], gradients: dict[str, Array]) -> list[Line]:
    named = {}
    for name, value in run.variables.items():
        of = next((n for p in ("d", "d_", "grad_") if name.startswith(p) and (n := name[len(p) :]) in gradients), None)
        if of is not None and name not in values and _stamp(value) is not None:
            named[name] = (of, np.asarray(value))
    order = sorted(named, key=lambda name: run.lines.get(name, 0))
    leaves = {name: Leaf(name, named[name][1], gradients[named[name][0]]) for name in named}
    lines = []
    for name in order:
        leaf = leaves[name]
        number = run.lines.get(name, 0)
        text = source.get(number, f"{name} = …")
        if leaf.got.shape != leaf.expected.shape:
            hint = f"it has shape {list(leaf.got.shape)}, and {named[name][0]} has shape {list(leaf.expected.shape)}"
            right = False
        else:
            right = leaf.close(leaf.got)
            others = {n: g for n, g in gradients.items() if n != named[name][0]}
            hint = "" if right else _hint(leaf, list(leaves.values()), values, others)
        lines.append(Line(number - run.first + 1, text, name, right, hint))
    return lines


# The derivatives of activations by what they are written in terms of.
_SLOPES: tuple[tuple[str, Callable[[Array], Array]], ...] = (
    ("(1 - {}²)", lambda v: 1 - v * v),
    ("{0} * (1 - {0})", lambda v: v * (1 - v)),
    ("({} > 0)", lambda v: (v > 0) * 1.0),
    ("(1 - tanh({})²)", lambda v: 1 - np.tanh(v) ** 2),
    ("{}", lambda v: v),
    ("exp({})", np.exp),
    ("/ {}", lambda v: 1 / v),
    ("2 * {}", lambda v: 2 * v),
)


def _hint(leaf: Leaf, leaves: list[Leaf], values: dict[str, Any], gradients: dict[str, Array]) -> str:
    """What a wrong gradient is made of, where that can be found: of which arrays, and of which it should be."""
    said = looks_like(leaf, leaves, {n for v in values.values() for n in np.shape(v)[:1]})
    if said.startswith(("it is 0", "the sign", "twice", "half")) or "right one" in said:
        return said
    arrays = {n: np.asarray(v, float) for n, v in values.items() if np.asarray(to_numpy(v)).dtype.kind in "fiub"}
    got = is_right = ""
    for text, value in _expressions(arrays, gradients, leaf.expected.shape):
        if not got and Leaf("", leaf.got, value).close(leaf.got):
            got = text
        if not is_right and leaf.close(value):
            is_right = text
        if got and is_right:
            return f"it is {got}; right is {is_right}"
    return said or (f"it is {got}" if got else "")


def _expressions(values: dict[str, Array], gradients: dict[str, Array], shape: tuple[int, ...]) -> Any:
    """What lines of backward passes are made of: sums, products with transposes, activations' derivatives."""
    for name, g in gradients.items():
        if g.shape == shape:
            yield f"d{name}", g
        for axis in range(g.ndim):
            if g.shape[:axis] + g.shape[axis + 1 :] == shape:
                yield f"d{name} summed over axis {axis}", g.sum(axis)
    for (name, g), (other, v) in product(gradients.items(), values.items()):
        if g.ndim == v.ndim == 2:
            if (v.shape[1], g.shape[1]) == shape and v.shape[0] == g.shape[0]:
                yield f"{other}.T @ d{name}", v.T @ g
            if (g.shape[0], v.shape[0]) == shape and g.shape[1] == v.shape[1]:
                yield f"d{name} @ {other}.T", g @ v.T
            if (g.shape[0], v.shape[1]) == shape and g.shape[1] == v.shape[0]:
                yield f"d{name} @ {other}", g @ v
    for (text, slope), (name, g), (other, v) in product(_SLOPES, gradients.items(), values.items()):
        if g.shape == shape and v.shape == shape:
            written = text.format(other)
            yield f"d{name} {written}" if written.startswith("/") else f"d{name} * {written}", g * slope(v)
