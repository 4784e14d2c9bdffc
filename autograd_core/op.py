"""Ops: a forward function, one gradient rule per argument, and what a person would write for each.

An op is one value. Its rules are ordinary NumPy code with fixed names: ``g`` is the gradient that arrives
at the output, ``z`` the output, ``x, y, …`` the inputs. Called with arrays a rule is the backward pass;
called with Tensors it is itself recorded, which is where second derivatives come from.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np

from . import arrays, debugging
from .dispatch import NUMPY, meant
from .domain import Domain, Example
from .errors import OperandError, RuleError
from .graph import NO_PARAMS, Node, describe, keep_call, kind, tick
from .mode import complex_from_now_on, exceptional, mode
from .tensor import Tensor, bind_operator, wrap
from .tracer import OPERATORS

Rule = Callable[..., Any]

# Every op by its name: what the property tests, the table in the docs and the command loop over.
REGISTRY: dict[str, Op] = {}
# Those of SciPy's functions. They have a table of their own, for they are read when the first is needed, and names such
# as `gamma` may be yours.
SCIPY: dict[str, Op] = {}


# What may stand in an expression beside Tensors without being converted.
_PLAIN = frozenset((float, int, bool, np.float64, np.float32, np.bool_, np.int64))


REAL_RESULTS = frozenset((np.ndarray, np.float64, np.float32))

# On NumPy's scalars an operator of Python's takes a tenth of the time of its ufunc.
_QUICKER: dict[Any, Callable[..., Any]] = {
    function: getattr(operator, OPERATORS[function])
    for function in (np.add, np.subtract, np.multiply, np.divide, np.negative, np.power, np.absolute, np.matmul)
}
# Of booleans the square is a number, the product a boolean.
_QUICKER[np.square] = lambda x: x * x if type(x) is np.float64 or x.dtype.kind != "b" else np.square(x)


class Op:
    """A differentiable function: call it on arrays for an array, on Tensors for a recorded Tensor.

    Made by `ufunc` and `op`, not directly. ``rules[i]`` is the vector-Jacobian product for argument i and
    ``formulas[i]`` its local derivative in LaTeX, with x, y, … for the inputs and z for the result.

    Parameters
    ----------
    forward : callable
        A function of arrays. Its arguments without a default are the inputs, those with one are parameters.
    latex : str
        What it computes, in LaTeX.
    broadcasts : bool
        Whether inputs of different shapes are stretched to a common one.
    domain : Domain or sequence of Domain, optional
        Where each input may lie: a `Domain` for all, or one for each.
    examples : sequence of Example, optional
        Calls for the tests to start from, made with `example`; None takes a few of common shapes.
    note : str
        What the derivative is at kinks and ties, in words.
    complex : bool
        Whether it takes and gives complex numbers. The gradient that a rule gets and gives is then
        ``∂L/∂a - i ∂L/∂b`` for a number ``a + i b``: so the rule of a function that has a complex derivative is the
        usual one, ``g * derivative``. What people see, as ``.grad``, is the conjugate.

    Raises
    ------
    TypeError
        When it is called with the wrong number of arguments, with what is no number, or with complex numbers that it
        does not take.

    Examples
    --------
    >>> multiply = REGISTRY["multiply"]
    >>> multiply(2.0, np.array([3.0, 4.0]))
    array([6., 8.])
    >>> multiply.formulas, multiply.inputs
    (['y', 'x'], ('x', 'y'))
    """

    rules: Sequence[Rule | None]

    # How often a rule was written, or an op came to answer for a function of NumPy's: what was recorded before may be
    # out of date.
    rewritten: ClassVar[int] = 0

    def __init__(
        self,
        forward: Callable[..., Any],
        latex: str,
        *,
        broadcasts: bool = False,
        domain: Domain | Sequence[Domain] | None = None,
        examples: Sequence[Example] | None = None,
        note: str = "",
        complex: bool = False,
    ) -> None:
        self.name: str = forward.__name__
        self.function = forward
        self.numpy: tuple[Any, ...] = ()  # the NumPy functions that it answers for
        self.__signature__ = _signature(forward)
        # The arguments without a default are the inputs, those with one are parameters.
        parameters = self.__signature__.parameters.values()
        variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        self.inputs = tuple(p.name for p in parameters if p.default is p.empty and p.kind < p.KEYWORD_ONLY)
        self.params = tuple(p.name for p in parameters if p.name not in self.inputs and p.kind < p.VAR_KEYWORD)
        self.arity = None if variadic else len(self.inputs)
        self.forward = _QUICKER.get(forward, forward)
        self.latex = latex
        self.broadcasts = broadcasts
        self.domain = domain
        self.examples = examples
        self.note = note
        self.complex = complex
        self.elementwise = isinstance(forward, np.ufunc) and forward.signature is None
        # Results that are real numbers, if the arguments are, and need not be looked at.
        self.real_results = REAL_RESULTS if isinstance(forward, np.ufunc) else frozenset()
        self.rules = [None] * len(self.inputs) if not variadic else JointRule(self)
        # Whether only leading axes broadcast, as in a product of matrices: then a rule's result has a shape of its own.
        self.batched = False
        self.complete = False
        # Where the rule puts the gradient in its place among zeros: how to add up what several calls put there.
        self.puts: Puts | None = None
        self.formulas: list[str] = [""] * len(self.inputs)
        self.__name__ = self.name
        self.__module__ = getattr(forward, "__module__", __name__)
        self.__doc__ = forward.__doc__
        # What the operators of a Tensor call: the op for one or two arguments, without parameters.
        self.quick = _quick_unary(self) if self.arity == 1 else _quick_binary(self) if self.arity == 2 else None

    def __repr__(self) -> str:
        return f"<op {self.name}{self.__signature__}>"

    def __call__(self, *args: Any, **params: Any) -> Any:
        if self.quick is None or params or len(args) != self.arity:
            return self._apply(args, params)
        result = self.quick(*args)
        return self._apply(args, params) if result is NotImplemented else result

    def _apply(self, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        if len(args) != self.arity and self.arity is not None:
            args, params = self._bind(args, params)
        for name, value in params.items():
            if isinstance(value, Tensor):
                if value.requires_grad:
                    raise TypeError(
                        f"{name}= is a parameter of {self.name}, through which no gradient flows, and "
                        f"{value.node.label()}, records; pass its .data, or make it an argument without a default"
                    )
                params = {**params, name: value.data}
        parents: list[Node | None] = []
        data = []
        traced = requires_grad = False
        for a in args:
            if isinstance(a, Tensor):
                node = a.node
                parents.append(node)
                data.append(node.out)
                traced = True
                if node.requires_grad:
                    requires_grad = True
            else:
                parents.append(None)
                data.append(a if type(a) in _PLAIN else _operand(a, self))
        try:
            with np.errstate(all="ignore") if mode.debugging else nullcontext():  # debug() says more than a warning
                out = self.forward(*data, **params) if traced else self.function(*data, **params)
        except Exception as error:
            unknown = next((name for name in params if name not in self.params), None)
            if isinstance(error, TypeError) and unknown is not None:
                hint = meant(unknown, self.params)
                raise TypeError(f"{self.name}{self.__signature__} has no parameter {unknown!r}{hint}") from None
            if exceptional and not self.complex and isinstance(error, TypeError) and any(map(is_complex, data)):
                raise TypeError(_real_only(self, data)) from error
            self._check_devices(parents, data, error)
            error.add_note(advice(self, data, error))
            keep_call(error, self, data, parents, params)
            raise
        if not traced:
            return out
        if type(out) not in self.real_results:
            out = _array(out, self)
        if exceptional and not self.complex and any(map(is_complex, (out, *data))):
            raise TypeError(_real_only(self, data))
        if not (requires_grad and mode.recording):
            node = Node(out, False)
            by = "no_grad()" if requires_grad else next((p.detached_by for p in parents if p and p.detached_by), None)
            if by:
                node.detached_by = by
        else:
            if not self.complete:
                self._check_rules(parents, data)
            node = Node(out, True, self, tuple(parents), tuple(data), params)
        if mode.debugging:
            node.where = debugging.examine(self, data, parents, out)
            node.fingerprints = debugging.checksums(node)
        return wrap(node)

    def _bind(self, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Sort the arguments into inputs and parameters: ``max(x, 0)`` and ``max(axis=0, x=x)`` are one call."""
        n, named = self.arity or 0, self.inputs[len(args) :]
        extra = dict(zip(self.params, args[n:], strict=False))
        if len(args) > n + len(self.params) or not extra.keys().isdisjoint(params) or (named and {*named} - {*params}):
            raise TypeError(
                f"{self.name}: expected a call as {self.name}{self.__signature__}, got {describe(self, args)}"
            )
        params = {**extra, **params}
        if named:
            args = (*args, *(params.pop(name) for name in named))
        return args[:n], params

    def _check_devices(self, parents: Sequence[Node | None], data: Sequence[Any], error: Exception) -> None:
        """Raise if the call failed because its arguments lie on several devices."""
        names = [_name_of(p) or f"argument {i + 1}" for i, p in enumerate(parents)]
        arrays.check_together(self.name, names, data, error)

    def _check_rules(self, parents: Sequence[Node | None], data: Sequence[Any]) -> None:
        """Raise if a recording argument has no rule: its gradient would be lost without a word."""
        names = self.inputs if self.arity is not None else self.inputs * len(parents)
        for position, (name, parent) in enumerate(zip(names, parents, strict=True)):
            if self.rules[position] is None and parent is not None and parent.requires_grad:
                raise RuleError(
                    f"{self.name} has no gradient rule for its argument {name!r}, which here is {parent.label()}; pass "
                    f"its .data if no gradient is meant to flow there, or add one with @{self.name}.vjp(…, "
                    f"arg={name!r}). The call was {describe(self, data)}"
                )

    def vjp(self, formula: str, arg: int | str | None = None) -> Callable[[Rule], Rule]:
        """Decorate the gradient rule of one argument: ``rule(g, z, *inputs, **params)``.

        ``formula`` is the local derivative in LaTeX. ``arg`` is a position or a name; by default the first
        argument that has no rule yet. An op of any number of arguments (``*xs``) has one rule for all, which
        yields the gradient of each, one after the other. It is told as ``wanted=``, a flag for each argument, which
        of them anyone asks for; for the others it may yield None.

        >>> @op(r"x + y + \\dots")
        ... def total(*xs):
        ...     return np.sum(xs, axis=0)
        >>> @total.vjp(r"1")
        ... def _(g, z, *xs, wanted):
        ...     for x in xs:
        ...         yield g
        >>> x, y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
        >>> total(x, y, x).backward(np.ones(2))
        >>> print(x.grad, y.grad)
        [2. 2.] [1. 1.]
        """

        def decorate(rule: Rule) -> Rule:
            Op.rewritten += 1
            if isinstance(self.rules, JointRule):
                self.rules.rule, self.formulas[0] = rule, formula
                self.complete = True
                return rule
            position = self._position(arg)
            self.rules[position] = rule  # type: ignore[index]
            self.formulas[position] = formula
            self.complete = None not in self.rules
            return rule

        return decorate

    def _position(self, arg: int | str | None) -> int:
        assert self.arity is not None
        if arg is None:
            for position, rule in enumerate(self.rules):
                if rule is None:
                    return position
            raise TypeError(f"{self.name} has a rule for each of its {self.arity} arguments; name the one with arg=")
        if isinstance(arg, str):
            names = self.inputs
            if arg not in names:
                raise TypeError(
                    f"{self.name}: expected the name of one of its arguments, {', '.join(names)}, got {arg!r}"
                )
            return names.index(arg)
        if not -self.arity <= arg < self.arity:
            raise TypeError(f"{self.name}: expected the position of one of its {self.arity} arguments, got {arg}")
        return arg % self.arity

    def implements(self, *functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate a function that takes what NumPy's ``functions`` take, and calls this op."""

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            Op.rewritten += 1
            self.numpy += functions
            NUMPY.update(dict.fromkeys(functions, function))
            return function

        return decorate


# The next two are `Op._apply` for what small graphs are made of, in half the time: one or two arguments, Tensors or
# plain numbers and arrays, no parameters, recording. Whatever else they meet they pass on; what is no operand of the
# op gives NotImplemented, so that the other's own operator gets its turn.


def _quick_unary(op: Op) -> Callable[[Any], Any]:
    forward, apply = op.forward, op._apply

    def unary(x: Any) -> Any:
        if not isinstance(x, Tensor) or (exceptional and not mode.quick) or not op.complete:
            return apply((x,), NO_PARAMS)
        node = x.node
        if not node.requires_grad:
            return apply((x,), NO_PARAMS)
        a = node.out
        try:
            out = forward(a)
        except Exception as error:
            error.add_note(advice(op, (a,), error))
            keep_call(error, op, (a,), (node,))
            raise
        return _recorded(out if type(out) in op.real_results else _array(out, op), op, (node,), (a,))

    unary.__name__ = op.name
    unary.__doc__ = f"`{op.name}` of each element."
    return unary


def _quick_binary(op: Op, in_place: Callable[..., Any] | None = None) -> Callable[[Any, Any], Any]:
    forward = op.forward

    def apply(x: Any, y: Any) -> Any:
        if in_place is not None and x._is_updated():
            return x._update(in_place, y)
        try:
            return op._apply((x, y), NO_PARAMS)
        except OperandError:
            return NotImplemented

    def binary(x: Any, y: Any) -> Any:
        p = q = None
        a, b = x, y
        if isinstance(x, Tensor):
            p = x.node
            a = p.out
        elif type(x) not in _PLAIN and not _is_real_array(x):
            return apply(x, y)
        if isinstance(y, Tensor):
            q = y.node
            b = q.out
        elif type(y) not in _PLAIN and not _is_real_array(y):
            return apply(x, y)
        if (exceptional and not mode.quick) or not op.complete:
            return apply(x, y)
        if not ((p and p.requires_grad) or (q and q.requires_grad)):
            return apply(x, y)
        try:
            out = forward(a, b)
        except Exception as error:
            op._check_devices((p, q), (a, b), error)
            error.add_note(advice(op, (a, b), error))
            keep_call(error, op, (a, b), (p, q))
            raise
        return _recorded(out if type(out) in op.real_results else _array(out, op), op, (p, q), (a, b))

    return binary


_new = object.__new__


def _recorded(out: Any, op: Op, parents: tuple[Node | None, ...], args: tuple[Any, ...]) -> Tensor:
    """``wrap(Node(out, True, op, parents, args))``, without the time that two constructors take."""
    node = _new(Node)
    node.out = out
    node.requires_grad = True
    node.op = op
    node.parents = parents
    node.args = args
    node.params = NO_PARAMS
    node.born = tick()
    tensor = _new(Tensor)
    tensor.node = node
    return tensor


def _name_of(node: Node | None) -> str:
    """What an error calls an operand: by its name, or by what it was computed from; empty when there is neither."""
    if node is None or node.name:
        return f"tensor {node.name!r}" if node else ""
    before, seen = [p for p in node.parents if p], {id(node)}
    for parent in before:  # which grows: those nearby first
        if parent.name:
            return f"a result of {node.op.name} from tensor {parent.name!r}" if node.op else ""
        if id(parent) not in seen:
            seen.add(id(parent))
            before += [p for p in parent.parents if p]
    return f"a result of {node.op.name}" if node.op else ""


class Puts(NamedTuple):
    """How the gradients of many results of an op become one, where each is zero but in its own place.

    Adding them up in full would take as many steps for each of them as the argument has elements.
    """

    into: Callable[..., None]  # into(total, g, **params) adds one to a sum that may be written to
    all: Op  # all(*gs, calls=params of each, shape=…) is their sum, recorded


class JointRule(Sequence[Rule | None]):
    """The rules of an op of any number of arguments: one, which answers for all of them.

    Asked argument by argument, each answer would look at all arguments again: a pass over ten thousand would be
    a hundred million looks.
    """

    def __init__(self, op: Op) -> None:
        self.op = op
        self.rule: Callable[..., Iterable[Any]] | None = None

    def products(self, g: Any, z: Any, args: Any, params: Any, wanted: Sequence[bool]) -> Iterator[Any]:
        """What the rule gives for each argument that is wanted, one after the other."""
        assert self.rule is not None
        given = iter(self.rule(g, z, *args, wanted=wanted, **params))
        for position, asked in enumerate(wanted):
            product = next(given, self)
            if product is self:
                raise RuleError(
                    f"the gradient rule of {self.op.name}: expected a gradient for each of the {len(wanted)} "
                    f"arguments, in their order, got {position}; it may yield None for those that wanted= says no to"
                )
            if asked:
                yield product

    def __getitem__(self, position: Any) -> Any:
        """The rule of one argument: for looking at, and for the few arguments of an example."""
        if self.rule is None:
            return None

        def one(g: Any, z: Any, *args: Any, **params: Any) -> Any:
            return next(self.products(g, z, args, params, [i == position for i in range(len(args))]))

        return one

    def __len__(self) -> int:
        return 1


def _array(out: Any, op: Op) -> Any:
    """The result of a forward function, which may be of Python arithmetic, as an array or NumPy scalar."""
    array = out if hasattr(out, "dtype") else np.asarray(out)[()]
    if isinstance(out, Tensor) or array is None or array.dtype.kind not in "biufc":
        raise TypeError(
            f"the forward function of {op.name}, which computes with arrays: expected an array of numbers, got "
            f"{kind(out)}" + (", a Tensor" if isinstance(out, Tensor) else "")
        )
    if array.dtype.kind == "c":
        complex_from_now_on()
        if not op.complex:
            raise TypeError(_real_only(op, (array,)))
    return array


def is_complex(value: Any) -> bool:
    """Whether these are complex numbers, or this is one."""
    return value.dtype.kind == "c" if hasattr(value, "dtype") else type(value) is complex


def _real_only(op: Op, args: Sequence[Any]) -> str:
    """What the error says where complex numbers come to an op that does not take them."""
    return (
        f"{op.name}: expected real numbers, got complex ones, for which it has no gradient rule. Take t.real, t.imag, "
        f"np.abs(t) or np.angle(t) first; an op of your own says complex=True. The call was {describe(op, args)}"
    )


def _is_real_array(value: Any) -> bool:
    """Whether ``value`` is one of NumPy's own arrays, of a dtype that we compute with."""
    return type(value) is np.ndarray and value.dtype.kind in "biuf"


def _operand(value: Any, op: Op) -> Any:
    """What is not a Tensor, as something that NumPy computes with."""
    if isinstance(value, list | tuple):
        value = np.asarray(value)
    letter = (
        getattr(value.dtype, "kind", "") if hasattr(value, "dtype") else "f" if isinstance(value, int | float) else ""
    )
    if letter == "c" or isinstance(value, complex):
        complex_from_now_on()
        letter = "c"
    if letter and letter in "biufc" and not isinstance(value, np.matrix) and not arrays.is_masked(value):
        return value
    home = type(value).__module__.partition(".")[0]
    whose = "a" if home in ("builtins", "numpy") else f"{home}'s"
    what = f"{whose} {type(value).__name__}"
    if letter not in ("", "b", "i", "u", "f", "c"):
        what = f"an ndarray of {value.dtype}"
    raise OperandError(f"{op.name}: expected Tensors, arrays and numbers, got {what}")


def advice(op: Op, args: Sequence[Any], error: Exception) -> str:
    """The note that an error inside an op gets: the call, and what would make the shapes fit."""
    call = f"in {describe(op, args)}"
    if type(error) is not ValueError or not op.broadcasts:
        return call
    if op.name == "matmul":
        return (
            f"{call}: the last axis of the first must be as long as the last but one of the second (its only one, if "
            "it has one); a transpose, x.T, may be missing"
        )
    if op.batched:
        return call
    try:
        np.broadcast_shapes(*map(np.shape, args))
    except ValueError:
        return (
            f"{call}: shapes broadcast when, counted from the right, their axes are equal or 1; a new axis, as in "
            "x[:, None], or a reshape may be missing"
        )
    return call


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """The parameters of a forward function, without their types; a ufunc's are x, y, …"""
    if isinstance(function, np.ufunc):
        names = "xywv" if function.nin <= 4 else [f"x{i + 1}" for i in range(function.nin)]
        parameters = [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names[: function.nin]
        ]
    else:
        parameters = [p.replace(annotation=p.empty) for p in inspect.signature(function).parameters.values()]
    return inspect.Signature(parameters)


def _register(op: Op, numpy: Any, table: dict[str, Op]) -> Op:
    before = table.get(op.name)
    if before is not None and before.__module__ != op.__module__:
        raise ValueError(f"there is an op {op.name!r} already, from {before.__module__}; choose another name")
    Op.rewritten += 1
    table[op.name] = op
    op.numpy = _functions(numpy)
    for function in op.numpy:
        if table is SCIPY and function in NUMPY:
            continue  # an op of your own was there first
        NUMPY[function] = op
        if op.quick is not None:
            bind_operator(function, op.quick, partial(_quick_binary, op))
    return op


def _functions(numpy: Any) -> tuple[Any, ...]:
    """What was given as ``numpy=``: nothing, a function or several."""
    return () if numpy is None else numpy if isinstance(numpy, tuple) else (numpy,)


def ufunc(
    np_ufunc: np.ufunc,
    latex: str,
    *rules: tuple[Rule, str] | None,
    domain: Domain | Sequence[Domain] | None = None,
    examples: Sequence[Example] | None = None,
    note: str = "",
    table: dict[str, Op] = REGISTRY,
    complex: bool = False,
) -> Op:
    """An elementwise op from a NumPy ufunc and, for each argument, a rule and its local derivative.

    Parameters
    ----------
    np_ufunc : ufunc
        The function, one of NumPy's or SciPy's or of ``np.frompyfunc``. The op answers for it.
    latex : str
        What it computes, in LaTeX.
    *rules
        A pair for each argument: the vector-Jacobian product ``rule(g, z, x, y, …)`` and the local derivative in
        LaTeX. None for an argument without a derivative here, where a Tensor that records is refused.
    domain : Domain or sequence of Domain, optional
        Where each argument may lie: a `Domain` for all, or one for each.
    examples : sequence of Example, optional
        Calls for the tests to start from, made with `example`; None takes a few of common shapes.
    note : str
        What the derivative is at kinks and ties, in words.
    table : dict of str to Op
        Where it stands from now on, by its name.
    complex : bool
        Whether its rules hold for complex numbers, too, as those of a function that has a complex derivative do.

    Returns
    -------
    Op

    Raises
    ------
    RuleError
        Unless there is one rule for each argument.
    ValueError
        For a name that another module has taken.

    Examples
    --------
    >>> from autograd_core import Tensor
    >>> cubes = np.frompyfunc(lambda x: x**3, 1, 1)  # or one of NumPy's or SciPy's
    >>> cube = ufunc(cubes, "x^3", (lambda g, z, x: g * 3 * x**2, r"3 x^2"))
    >>> x = Tensor(2.0)
    >>> cube(x).backward()
    >>> print(x.grad)
    12.0
    """
    if len(rules) != np_ufunc.nin:
        raise RuleError(
            f"{np_ufunc.__name__}: expected a rule for each of its {np_ufunc.nin} arguments, got {len(rules)}"
        )
    made = Op(np_ufunc, latex, broadcasts=True, domain=domain, examples=examples, note=note, complex=complex)
    made.rules = [None if pair is None else pair[0] for pair in rules]
    made.formulas = ["" if pair is None else pair[1] for pair in rules]
    made.complete = None not in rules
    return _register(made, np_ufunc, table)


def op(
    latex: str,
    *,
    numpy: Any = None,
    broadcasts: bool = False,
    domain: Domain | Sequence[Domain] | None = None,
    examples: Sequence[Example] | None = None,
    table: dict[str, Op] = REGISTRY,
    complex: bool = False,
) -> Callable[[Callable[..., Any]], Op]:
    """Decorate a forward function of arrays to make it an op; add the rules with `Op.vjp`.

    Parameters
    ----------
    latex : str
        What it computes, in LaTeX.
    numpy : callable or sequence of callable, optional
        The NumPy function, or a tuple of them, that the op answers for.
    broadcasts : bool
        Whether inputs of different shapes are stretched to a common one, which the backward walk then undoes.
    domain : Domain or sequence of Domain, optional
        Where each input may lie: a `Domain` for all, or one for each.
    examples : sequence of Example, optional
        Calls for the tests to start from, made with `example`; None takes a few of common shapes.
    table : dict of str to Op
        Where it stands from now on, by its name.
    complex : bool
        Whether its rules hold for complex numbers, too: see `Op`.

    Returns
    -------
    callable
        The decorator. Of the function's arguments those without a default are the inputs, the others are parameters.

    Raises
    ------
    ValueError
        For a name that another module has taken.
    RuleError
        In a call, where an argument that records has no rule.

    Examples
    --------
    >>> @op(r"x^3")
    ... def cube(x):
    ...     return x * x * x
    >>> @cube.vjp(r"3x^2")
    ... def _(g, z, x):
    ...     return g * 3 * x * x
    >>> x = Tensor(2.0)
    >>> cube(x).backward()
    >>> print(x.grad)
    12.0
    """

    def decorate(forward: Callable[..., Any]) -> Op:
        made = Op(forward, latex, broadcasts=broadcasts, domain=domain, examples=examples, complex=complex)
        return _register(made, numpy, table)

    return decorate


class Composed(NamedTuple):
    """A function made of other ops, so without a rule of its own; here for the tests and the docs."""

    function: Callable[..., Any]
    latex: str
    domain: Domain | Sequence[Domain] | None
    examples: Sequence[Example]
    numpy: tuple[Any, ...] = ()


COMPOSED: dict[str, Composed] = {}


def composed(
    latex: str,
    *,
    numpy: Any = None,
    domain: Domain | Sequence[Domain] | None = None,
    examples: Sequence[Example],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function that is made of ops, to let it answer for a NumPy function.

    NumPy's function then takes Tensors. The gradient is that of the ops inside.

    Parameters
    ----------
    latex : str
        What it computes, in LaTeX.
    numpy : callable or sequence of callable, optional
        The NumPy function, or a tuple of them, that it answers for.
    domain : Domain or sequence of Domain, optional
        Where each argument may lie: a `Domain` for all, or one for each.
    examples : sequence of Example
        Calls for the tests to start from, made with `example`.

    Returns
    -------
    callable
        The decorator, which gives the function back as it is.

    Examples
    --------
    >>> @composed(r"x^2 + 1", examples=(example((2,)),))
    ... def square_plus_one(x):
    ...     return x * x + 1
    >>> x = Tensor(3.0)
    >>> square_plus_one(x).backward()
    >>> print(x.grad)
    6.0
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        COMPOSED[function.__name__] = Composed(function, latex, domain, examples, _functions(numpy))
        NUMPY.update(dict.fromkeys(_functions(numpy), function))
        return function

    return decorate
