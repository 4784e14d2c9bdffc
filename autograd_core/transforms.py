"""Functions of functions: gradients, products and matrices of derivatives, to any order.

Arguments may be numbers, arrays, Tensors, or nested lists, tuples and dicts of them (see `tree`), and derivatives
come back in the same structure. Called with arrays a transform returns arrays. Called
with Tensors, or when the function closes over Tensors that record, it returns Tensors: that is how transforms
nest, and why no gradient is lost on the way. Signatures and shapes are JAX's.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import tree
from .arrays import asarray_like
from .dispatch import asked_well
from .errors import GraphError
from .graph import BEGUN, ENDED, Node, ancestors, kind
from .mode import mode, recorded
from .ops.elementwise import identity
from .tensor import Tensor, _array, owned, wrap
from .walk import conjugate, walk

Function = Callable[..., Any]


def _recording(f: Function, *args: Any, **kwargs: Any) -> Any:
    """What a function returns while ops record: the transforms differentiate wherever they are called."""
    if mode.recording:
        return f(*args, **kwargs)
    with recorded():
        return f(*args, **kwargs)


# -- one run of a function ---------------------------------------------------------------------------------


class _Run:
    """``f`` called with fresh variables in place of the arguments at ``argnums``, and what it recorded."""

    def __init__(self, f: Function, args: Sequence[Any], kwargs: dict[str, Any], argnums: Sequence[int], aux: bool):
        self.chosen = [_argument(f, args, n) for n in argnums]
        if len(argnums) > 1 and len({n % len(args) for n in argnums}) < len(argnums):
            raise ValueError(f"argnums: expected each argument once, got {list(argnums)}")
        self.lifted = False
        variables: list[Node] = []
        self.variables = variables
        for value in tree.leaves(self.chosen):
            variables.append(_variable(value, f))
            self.lifted = self.lifted or isinstance(value, Tensor)
        args = list(args)
        for n, replaced in zip(argnums, tree.rebuild(self.chosen, map(wrap, variables)), strict=True):
            args[n] = replaced
        self.value = _recording(f, *args, **kwargs)
        self.aux: Any = None
        if aux:
            if not (isinstance(self.value, tuple) and len(self.value) == 2):
                raise TypeError(
                    f"with has_aux=True: expected a pair (value, aux) from {_name(f)}, got {kind(self.value)}"
                )
            self.value, self.aux = self.value
        for node in variables:
            if node.op is None:
                node.variable = ENDED
        # Where there are no other leaves a walk need not look for its way. Those of transforms that have come to their
        # end are no more than numbers.
        self.alone, known = True, set(variables)
        for node in ancestors([t.node for t in tree.leaves(self.value) if isinstance(t, Tensor)]):
            if node.op is None and node not in known:
                self.alone = False
                self.lifted = self.lifted or (mode.recording and node.variable != ENDED)

    def result(self, value: Any) -> Any:
        """What the caller gets: Tensors when this run is part of a larger record, arrays otherwise."""
        return value if self.lifted else tree.map(_found, value)

    def pull(self, gradients: Any) -> list[Any]:
        """The gradient of each chosen argument when ``gradients`` arrive at the value."""
        given = tree.aligned(gradients, self.value, "the gradient given to a pullback")
        values = tree.leaves(self.value)
        lifted = self.lifted or any(isinstance(g, Tensor) for g in given)
        seeds: dict[Node, Any] = {}
        for value, g in zip(values, given, strict=True):
            shape, came = (np.shape(v.node.out if isinstance(v, Tensor) else v) for v in (value, g))
            if shape != came:
                raise ValueError(f"a gradient: expected the shape of its value, {list(shape)}, got {list(came)}")
            if not isinstance(value, Tensor) or not value.requires_grad:
                continue
            if not isinstance(g, Tensor):
                g = _array(g, value.dtype)
            g = conjugate(g)
            seeds[value.node] = seeds[value.node] + g if value.node in seeds else g
        return self._pulled(seeds, lifted)

    def pull_one(self) -> list[Any]:
        """The same of a value that is a single number, of which the gradient is 1."""
        value = self.value
        if not isinstance(value, Tensor) or not value.requires_grad:
            return self._pulled({}, self.lifted)
        out = value.node.out
        one = out.dtype.type(1) if isinstance(out, np.generic) else np.ones_like(out)[()]
        return self._pulled({value.node: one}, self.lifted)

    def _pulled(self, seeds: dict[Node, Any], lifted: bool) -> list[Any]:
        found = _recording(self._walked, seeds, lifted)
        pulled: list[Any] = tree.rebuild(
            self.chosen, [self._gradient(node, found.get(node), lifted) for node in self.variables]
        )
        return pulled

    def _walked(self, seeds: dict[Node, Any], lifted: bool) -> dict[Node, Any]:
        wanted = set(self.variables)
        steps = walk(seeds, to=None if self.alone else wanted, lift=wrap if lifted else None)
        return {node: g for node, g, _ in steps if node in wanted}

    def _gradient(self, node: Node, g: Any, lifted: bool) -> Any:
        g = np.zeros_like(node.out)[()] if g is None else conjugate(g)
        if lifted:
            return g if isinstance(g, Tensor) else wrap(Node(g, False))
        return owned(g)


def _argument(f: Function, args: Sequence[Any], n: int) -> Any:
    if not -len(args) <= n < len(args):
        raise TypeError(
            f"argnums: expected the position of one of the {len(args)} positional arguments of {_name(f)}, got {n}"
        )
    return args[n]


def _variable(value: Any, f: Function) -> Node:
    """A node to differentiate with respect to: a leaf, or an alias of a Tensor that is itself recorded."""
    if isinstance(value, Tensor) and value.requires_grad:
        out = value.node.out
        alias = Node(out, True, identity, (value.node,), (out,), {})
        alias.name = value.name
        return alias
    array = value.node.out if isinstance(value, Tensor) else _array(value)
    if array.dtype.kind not in "fc":
        raise TypeError(
            f"the gradient of {_name(f)}: expected a floating argument, got {array.dtype}, because whole numbers have "
            "no small changes; pass a floating array (x.astype(float)), or leave this argument out of argnums"
        )
    node = Node(array, True)
    node.variable = BEGUN
    return node


def _callable(f: Any) -> None:
    if not callable(f):
        raise TypeError(f"a transform: expected a function, as in grad(f)(x), and not its value, got {kind(f)}")


def _name(f: Function) -> str:
    return getattr(f, "__name__", type(f).__name__)


def _derived(f: Function, what: str, argnums: Any) -> Callable[[Function], Function]:
    """Give what a transform makes of ``f`` the name of ``f``, as JAX does, and say what it is."""
    _callable(f)

    def decorate(transformed: Function) -> Function:
        functools.update_wrapper(transformed, f, updated=())  # an op's own attributes are not the derivative's
        transformed.__name__ = transformed.__qualname__ = _name(f)
        arguments = "argument" if _single(argnums) else "arguments"
        own = f"\n\n{f.__doc__}" if f.__doc__ else ""
        transformed.__doc__ = f"{what} of {_name(f)} with respect to {arguments} {argnums}.{own}"
        return transformed

    return decorate


def _several_directions(what: str, f: Function) -> str:
    return (
        f"{what}: expected a function that returns real numbers, got complex ones from {_name(f)}; take their "
        "np.abs(…), .real or .imag, or say holomorphic=True where the function has a complex derivative; for second "
        "derivatives of a real function pass the parts as two arguments"
    )


def _complex_only(f: Function, run: _Run) -> None:
    """Raise unless arguments and results are complex, as those of a function that has a complex derivative are."""
    found = [v.out for v in run.variables] + [_data(v) for v in tree.leaves(run.value)]
    if any(v.dtype.kind != "c" for v in found):
        raise TypeError(
            f"holomorphic=True: expected complex numbers in and out, got {', '.join(map(kind, found))} for {_name(f)}; "
            "pass x.astype(complex), or leave out holomorphic=True for the gradient of a real number"
        )


def _scalar(f: Function, run: _Run, holomorphic: bool) -> None:
    data = None if run.value is None or isinstance(run.value, tree.BRANCHES) else _data(run.value)
    if data is None or data.size != 1:
        came = type(run.value).__name__ if data is None else list(data.shape)
        raise GraphError(
            f"grad: expected a function that returns a single number, got {came} from {_name(f)}; sum or average it, "
            "use elementwise_grad or jacobian, or has_aux=True if it returns (value, aux)"
        )
    dtype = data.dtype
    if holomorphic:
        _complex_only(f, run)
    elif dtype.kind == "c":
        raise TypeError(_several_directions("grad", f))
    elif dtype.kind != "f" and type(run.value) is not int:
        raise TypeError(
            f"grad: expected a function that returns a floating number, got {dtype} from {_name(f)}: comparisons, "
            "counts and positions have no small changes"
        )


def _single(argnums: Any) -> bool:
    """Whether one argument is meant and not a sequence of them."""
    return type(argnums) is int or np.ndim(argnums) == 0


def _positions(argnums: Any) -> tuple[int, ...]:
    if type(argnums) is int:
        return (argnums,)
    return (operator.index(argnums),) if _single(argnums) else tuple(operator.index(n) for n in argnums)


def _found(leaf: Any) -> Any:
    return leaf.node.out if isinstance(leaf, Tensor) else leaf


def _run_and_gradient(
    f: Function, argnums: Any, aux: bool, holomorphic: bool, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[_Run, Any]:
    """A run of ``f`` and the gradient of its value, which must be a single number."""
    run = _Run(f, args, kwargs, _positions(argnums), aux)
    _scalar(f, run, holomorphic)
    pulled = run.pull_one()
    if holomorphic:
        pulled = tree.map(np.conj, pulled)
    return run, pulled[0] if _single(argnums) else tuple(pulled)


# -- the transforms ----------------------------------------------------------------------------------------


@asked_well
def value_and_grad(
    f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Function:
    """A function that returns the value of ``f``, a single number, and its gradient.

    Parameters
    ----------
    f : callable
        A function of arrays, numbers, and nested lists, tuples and dicts of them, made of NumPy's functions.
    argnums : int or sequence of int
        The position of the argument to differentiate with respect to, or a sequence of positions.
    has_aux : bool
        Whether ``f`` returns ``(value, aux)``, of which ``aux`` is passed on and not differentiated.
    holomorphic : bool
        Whether ``f`` takes and returns complex numbers and has a complex derivative, which is asked for. Otherwise the
        value is real, and the gradient with respect to a complex number ``a + i b`` is ``∂f/∂a + i ∂f/∂b``.

    Returns
    -------
    callable
        It takes what ``f`` takes and gives ``(value, gradient)``, or ``((value, aux), gradient)``. The gradient has
        the structure and the shapes of the argument; a sequence of positions gives a tuple of gradients.

    Raises
    ------
    GraphError
        In a call, where ``f`` returns anything else than a single number.
    TypeError
        For what is no function; in a call, for an argument of whole numbers or one that is not there, for a complex
        value without ``holomorphic``, and with it for real numbers.
    ValueError
        For an argument that ``argnums`` names twice.

    Examples
    --------
    >>> value_and_grad(lambda x: x**3)(2.0)
    (np.float64(8.0), np.float64(12.0))
    """

    @_derived(f, "Value and gradient", argnums)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        run, gradient = _run_and_gradient(f, argnums, has_aux, holomorphic, args, kwargs)
        value = run.result(run.value)
        return ((value, run.result(run.aux)), gradient) if has_aux else (value, gradient)

    return transformed


@asked_well
def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False) -> Function:
    """A function that returns the gradient of ``f``, which must return a single number.

    Parameters
    ----------
    f, argnums, has_aux, holomorphic
        As in `value_and_grad`.

    Returns
    -------
    callable
        It takes what ``f`` takes and gives the gradient, or ``(gradient, aux)``.

    Raises
    ------
    GraphError, TypeError, ValueError
        Where `value_and_grad` does.

    Examples
    --------
    >>> grad(np.tanh)(0.0), grad(grad(grad(np.tanh)))(0.0)
    (np.float64(1.0), np.float64(-2.0))
    >>> print(grad(np.abs)(-5.0j), grad(np.square, holomorphic=True)(3.0 + 4.0j))
    -1j (6+8j)
    """

    @_derived(f, "Gradient", argnums)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        run, gradient = _run_and_gradient(f, argnums, has_aux, holomorphic, args, kwargs)
        return (gradient, run.result(run.aux)) if has_aux else gradient

    return transformed


@asked_well
def elementwise_grad(f: Function, argnums: int | Sequence[int] = 0, holomorphic: bool = False) -> Function:
    """The derivative of each element of the result, where element i of it depends on element i only.

    Parameters
    ----------
    f, argnums, holomorphic
        As in `value_and_grad`.

    Returns
    -------
    callable
        It takes what ``f`` takes and gives the derivatives, in the shape of the argument.

    Raises
    ------
    ValueError
        In a call, where the result has another shape than the argument.
    TypeError
        Where `value_and_grad` has one.

    Examples
    --------
    >>> elementwise_grad(np.sin)(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """

    def total(*args: Any, **kwargs: Any) -> Any:
        value = f(*args, **kwargs)
        shape = type(value).__name__ if isinstance(value, list | tuple | dict | None) else np.shape(value)
        for n in _positions(argnums):
            x = _argument(f, args, n)
            if not isinstance(x, list | tuple | dict) and shape != (wanted := np.shape(x)):
                raise ValueError(
                    f"elementwise_grad: expected a result in the shape of the argument, {wanted}, got {shape} from "
                    f"{_name(f)}; use jacobian"
                )
        return np.sum(value)

    total.__name__ = _name(f)
    return _derived(f, "Elementwise derivative", argnums)(grad(total, argnums, holomorphic=holomorphic))


def vjp(f: Function, *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """``f(*args)`` and its pullback: from the gradient of the value to a tuple of those of the arguments.

    The pullback takes the structure and the shapes of the value, and gives those of the arguments; ValueError for
    others. TypeError for arguments of whole numbers.

    >>> value, pullback = vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> pullback(1.0)
    (np.float64(3.0), np.float64(2.0))
    """
    run = _Run(f, args, {}, range(len(args)), aux=False)
    value = run.result(run.value)
    if not run.lifted:  # what the pullback needs must not change when the caller writes to the value
        value = tree.map(lambda v: owned(v) if hasattr(v, "dtype") else v, value)
    return value, lambda g: tuple(run.pull(g))


def jvp(f: Function, args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """``f(*args)`` and its derivative in the direction of ``tangents``.

    The pullback is linear in the gradient it is given, and pulling the tangents back through *it* is the forward
    derivative.

    Parameters
    ----------
    f : callable
        A function of arrays and nested lists, tuples and dicts of them.
    args : sequence
        A tuple with its arguments.
    tangents : sequence
        A tuple with a direction for each argument, in the argument's structure and shapes.

    Returns
    -------
    tuple
        The value and the tangent, in the value's structure and shapes.

    Raises
    ------
    TypeError
        Unless ``args`` and ``tangents`` are tuples of one length, and for arguments of whole numbers.
    ValueError
        For a tangent in another shape than its argument.

    References
    ----------
    J. Townsend: A new trick for calculating Jacobian vector products. 2017.

    Examples
    --------
    >>> jvp(np.sin, (0.0,), (2.0,))
    (np.float64(0.0), np.float64(2.0))
    """
    _check_directions("jvp", args, tangents)
    run = _Run(f, args, {}, range(len(args)), aux=False)
    # A result that is no floating number does not change: its tangent is 0.
    _, push = vjp(run.pull, tree.map(lambda v: _zeros(_data(v)), run.value))
    given = [t if isinstance(t, Tensor) else _array(t) for t in tree.aligned(tangents, run.chosen, "the tangents")]
    for t, variable in zip(given, run.variables, strict=True):
        if t.shape != variable.out.shape:
            raise ValueError(
                f"a tangent: expected the shape of its argument, {list(variable.out.shape)}, got {list(t.shape)}"
            )
    tangent = push(tree.rebuild(run.chosen, given))[0]
    if any(isinstance(t, Tensor) for t in given):
        return run.value, tangent
    return run.result(run.value), run.result(tangent)


def _zeros(value: Any) -> Any:
    return np.zeros_like(value, dtype=value.dtype if value.dtype.kind in "fc" else float)


def _check_directions(what: str, args: Any, tangents: Any) -> None:
    for name, given in (("args", args), ("tangents", tangents)):
        if not isinstance(given, list | tuple):
            raise TypeError(
                f"{what}: expected {name} as a tuple with an entry for each argument, (x,) for a single one, got "
                f"{kind(given)}"
            )
    if len(args) != len(tangents):
        raise TypeError(f"{what}: expected a tangent for each of the {len(args)} arguments, got {len(tangents)}")


@asked_well
def jacobian(f: Function, argnums: int | Sequence[int] = 0, holomorphic: bool = False) -> Function:
    """A function that returns all derivatives of ``f``.

    Parameters
    ----------
    f : callable
        A function of arrays and nested lists, tuples and dicts of them, whose results have any shapes.
    argnums, holomorphic
        As in `value_and_grad`.

    Returns
    -------
    callable
        It takes what ``f`` takes and gives the derivatives, in the shape ``value.shape + argument.shape``.

    Raises
    ------
    TypeError
        In a call, for an argument of whole numbers or one that is not there, and for complex numbers where
        `value_and_grad` has one.

    Examples
    --------
    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    @_derived(f, "Jacobian", argnums)
    def transformed(*args: Any, **kwargs: Any) -> Any:
        run = _Run(f, args, kwargs, _positions(argnums), aux=False)
        values = tree.leaves(run.value)
        if holomorphic:
            _complex_only(f, run)
        elif any(_data(v).dtype.kind == "c" for v in values):
            raise TypeError(_several_directions("jacobian", f))
        zeros = [np.zeros_like(_data(v)) for v in values]
        matrices = []
        for i, value in enumerate(values):
            rows = []
            places = asarray_like(zeros[i], np.reshape(np.arange(zeros[i].size), zeros[i].shape))
            for j in range(zeros[i].size):
                basis = np.where(places == j, 1, zeros[i])
                rows.append(tree.leaves(run.pull(tree.rebuild(run.value, [*zeros[:i], basis, *zeros[i + 1 :]]))))
            shape = np.shape(_data(value))
            stacked = (
                (
                    np.reshape(np.stack(column), shape + np.shape(column[0])) if shape else column[0]
                    for column in zip(*rows, strict=True)
                )
                if rows
                else (np.zeros_like(v.out, shape=shape + v.out.shape) for v in run.variables)
            )
            whole = tree.rebuild(run.chosen, map(np.conj, stacked) if holomorphic else stacked)
            matrices.append(whole[0] if _single(argnums) else tuple(whole))
        return tree.rebuild(run.value, matrices)

    return transformed


@asked_well
def hessian(f: Function, argnums: int | Sequence[int] = 0, holomorphic: bool = False) -> Function:
    """A function that returns all second derivatives of ``f``, which must return a single number.

    Parameters
    ----------
    f, argnums, holomorphic
        As in `value_and_grad`. Of a real function of complex numbers pass the parts as two arguments.

    Returns
    -------
    callable
        It takes what ``f`` takes and gives the derivatives, in the shape ``argument.shape + argument.shape``.

    Raises
    ------
    GraphError, TypeError, ValueError
        Where `value_and_grad` does.

    Examples
    --------
    >>> hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return _derived(f, "Hessian", argnums)(jacobian(grad(f, argnums, holomorphic=holomorphic), argnums, holomorphic))


def hvp(f: Function, args: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of ``f`` times a vector, at the cost of a few gradients and without the Hessian.

    Parameters
    ----------
    f : callable
        A function that returns a single number.
    args : sequence
        A tuple with its arguments.
    tangents : sequence
        A tuple with the vector, in parts: one for each argument, in its shape.

    Returns
    -------
    array or tuple of arrays
        The product, in the shape of the argument; a tuple with a part for each where there are several.

    Raises
    ------
    GraphError
        Unless ``f`` returns a single number.
    TypeError, ValueError
        Where `jvp` does.

    Examples
    --------
    >>> hvp(lambda x: np.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 1.0]),))
    array([ 6., 12.])
    """
    _check_directions("hvp", args, tangents)
    product = jvp(grad(f, tuple(range(len(args)))), args, tangents)[1]
    return product[0] if len(args) == 1 else product


def stop_gradient(x: Any) -> Any:
    """``x`` as a constant: the value passes, nothing flows back.

    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    return tree.map(lambda t: t.detach() if isinstance(t, Tensor) else t, x)


def _data(value: Any) -> Any:
    value = value.node.out if isinstance(value, Tensor) else value
    return value if hasattr(value, "dtype") else np.asarray(value)
