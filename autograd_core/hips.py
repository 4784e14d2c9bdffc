"""HIPS autograd under its own names: programs that were written for it, with their imports changed.

``from autograd import grad`` becomes ``from autograd_core.hips import grad``, and so do its ``extend`` and
``test_util``; ``autograd.numpy`` is NumPy itself, ``autograd.scipy`` is `autograd_core.scipy`. Arguments are named by
``argnum``, and a gradient with respect to complex numbers is the conjugate of ours, as there: it is what they are
multiplied by, and not the direction in which to go. New programs use `autograd_core.grad` and its relatives.

    >>> import numpy as np
    >>> print(grad(lambda w, x: np.sum(w * x), argnum=1)(2.0, np.ones(2)))
    [2. 2.]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from . import transforms, tree
from .checkpoint import checkpoint
from .graph import kind
from .op import Op
from .walk import conjugate

__all__ = [
    "check_grads", "checkpoint", "defvjp", "elementwise_grad", "grad", "grad_and_aux", "hessian",
    "hessian_tensor_product", "hessian_vector_product", "holomorphic_grad", "jacobian", "make_jvp", "make_vjp",
    "primitive", "value_and_grad",
]  # fmt: skip

Function = Callable[..., Any]


def _theirs(gradient: Any) -> Any:
    """A gradient as HIPS autograd has it, of ours, and the other way round."""
    return tree.map(lambda g: conjugate(g) if hasattr(g, "dtype") else g, gradient)


def _of_one(fun: Function, argnum: int, args: Sequence[Any], kwargs: dict[str, Any]) -> Function:
    """``fun`` as a function of one of its arguments."""
    if not callable(fun) or not 0 <= argnum < len(args):
        raise TypeError(
            f"expected a function, and in argnum the position of one of its {len(args)} arguments, got {kind(fun)} and "
            f"argnum={argnum}"
        )
    return lambda x: fun(*args[:argnum], x, *args[argnum + 1 :], **kwargs)


def grad(fun: Function, argnum: int | Sequence[int] = 0) -> Function:
    """The gradient of a function that returns a single number; see `autograd_core.grad`.

    A GraphError where it returns more, and a TypeError for an ``argnum`` that is not there.

    >>> print(grad(np.abs)(-5j))
    1j
    """
    found = transforms.grad(fun, argnum)
    return wraps(found)(lambda *args, **kwargs: _theirs(found(*args, **kwargs)))


def value_and_grad(fun: Function, argnum: int | Sequence[int] = 0) -> Function:
    """The value and the gradient, as a pair.

    A GraphError where the value is no single number, and a TypeError for an ``argnum`` that is not there.

    >>> value_and_grad(lambda x: x**2)(3.0)
    (np.float64(9.0), np.float64(6.0))
    """
    found = transforms.value_and_grad(fun, argnum)

    @wraps(found)
    def both(*args: Any, **kwargs: Any) -> Any:
        value, gradient = found(*args, **kwargs)
        return value, _theirs(gradient)

    return both


def grad_and_aux(fun: Function, argnum: int | Sequence[int] = 0) -> Function:
    """The gradient and what ``fun`` returns beside the number.

    A TypeError where it returns no pair, and for an ``argnum`` that is not there.

    >>> grad_and_aux(lambda x: (x**2, "aux"))(3.0)
    (np.float64(6.0), 'aux')
    """
    found = transforms.grad(fun, argnum, has_aux=True)

    @wraps(found)
    def both(*args: Any, **kwargs: Any) -> Any:
        gradient, aux = found(*args, **kwargs)
        return _theirs(gradient), aux

    return both


def holomorphic_grad(fun: Function, argnum: int = 0) -> Function:
    """The complex derivative; see ``holomorphic`` of `autograd_core.grad`.

    A TypeError for real numbers, and for an ``argnum`` that is not there.

    >>> print(holomorphic_grad(np.square)(3 + 4j))
    (6+8j)
    """
    return transforms.grad(fun, argnum, holomorphic=True)


def jacobian(fun: Function, argnum: int = 0) -> Function:
    """All derivatives, in the shape ``value.shape + argument.shape``.

    A TypeError for an ``argnum`` that is not there.

    >>> jacobian(np.square)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    found = transforms.jacobian(fun, argnum)
    return wraps(found)(lambda *args, **kwargs: _theirs(found(*args, **kwargs)))


def hessian(fun: Function, argnum: int = 0) -> Function:
    """All second derivatives: the `jacobian` of the `jacobian`.

    A TypeError for an ``argnum`` that is not there.

    >>> hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([[ 6.,  0.],
           [ 0., 12.]])
    """
    return transforms.jacobian(transforms.jacobian(fun, argnum), argnum)


def make_vjp(fun: Function, argnum: int = 0) -> Function:
    """``make_vjp(f)(x)`` gives the function that a gradient is pulled back by, and the value.

    A TypeError for an ``argnum`` that is not there.

    >>> pull, value = make_vjp(np.square)(3.0)
    >>> pull(1.0), value
    (np.float64(6.0), np.float64(9.0))
    """

    @wraps(fun)
    def made(*args: Any, **kwargs: Any) -> Any:
        value, pullback = transforms.vjp(_of_one(fun, argnum, args, kwargs), args[argnum])
        return lambda g: _theirs(pullback(_theirs(g))[0]), value

    return made


def make_jvp(fun: Function, argnum: int = 0) -> Function:
    """``make_jvp(f)(x)(v)`` gives the value and its derivative in the direction ``v``.

    A TypeError for an ``argnum`` that is not there.

    >>> make_jvp(np.square)(3.0)(1.0)
    (np.float64(9.0), np.float64(6.0))
    """

    @wraps(fun)
    def made(*args: Any, **kwargs: Any) -> Function:
        return lambda v: transforms.jvp(_of_one(fun, argnum, args, kwargs), (args[argnum],), (v,))

    return made


def elementwise_grad(fun: Function, argnum: int = 0) -> Function:
    """The gradient of the sum of the result: of each element, where it depends on one element only.

    TypeError where the result is complex; see `holomorphic_grad`.

    >>> elementwise_grad(np.square)(np.array([1.0, 2.0]))
    array([2., 4.])
    """

    @wraps(fun)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        pull, value = make_vjp(fun, argnum)(*args, **kwargs)
        if np.iscomplexobj(value):
            raise TypeError(f"elementwise_grad: expected a function that returns real numbers, got {kind(value)}")
        return pull(np.ones_like(value))

    return derivative


def hessian_tensor_product(fun: Function, argnum: int = 0) -> Function:
    """``hessian_tensor_product(f)(x, v)`` gives the Hessian times ``v``, which has the shape of ``x``.

    A TypeError for an ``argnum`` that is not there.

    >>> hessian_tensor_product(lambda x: np.sum(x**3))(np.array([1.0, 2.0]), np.ones(2))
    array([ 6., 12.])
    """

    @wraps(fun)
    def product(*args: Any, **kwargs: Any) -> Any:
        *args, vector = args  # type: ignore[assignment]
        return transforms.hvp(_of_one(fun, argnum, args, kwargs), (args[argnum],), (vector,))

    return product


hessian_vector_product = hessian_tensor_product


# -- functions with a gradient of their own ------------------------------------------------------------


def primitive(fun: Function) -> Op:
    """A function of arrays whose gradient `defvjp` says.

    Its arguments without a default are those that gradients flow to. A RuleError where one flows to an argument that
    `defvjp` said nothing of.

    >>> @primitive
    ... def twice(x):
    ...     return 2 * x
    >>> defvjp(twice, lambda ans, x: lambda g: 2 * g)
    >>> grad(twice)(1.0)
    np.float64(2.0)
    """
    return Op(fun, rf"\operatorname{{{fun.__name__}}}", complex=True)


def defvjp(fun: Op, *vjpmakers: Function | None, argnums: Sequence[int] | None = None) -> None:
    """Say the gradients of a `primitive`: for each argument ``maker(ans, *args)``, which gives a function of ``g``.

    None stands for a gradient of 0. ``argnums`` are the positions of the arguments, by default the first.

    Parameters
    ----------
    fun : Op
        What `primitive` made.
    *vjpmakers : callable or None
        One for each argument.
    argnums : sequence of int, optional
        Which arguments they are for.

    Raises
    ------
    TypeError
        For what `primitive` did not make, and for a function of any number of arguments.

    Examples
    --------
    >>> @primitive
    ... def scaled(x, y):
    ...     return x * y
    >>> defvjp(scaled, lambda ans, x, y: lambda g: g * y, None)
    >>> grad(scaled)(2.0, 3.0), grad(scaled, argnum=1)(2.0, 3.0)
    (np.float64(3.0), np.float64(0.0))
    """
    if not isinstance(fun, Op) or fun.arity is None:
        raise TypeError(
            f"defvjp: expected what primitive made of a function with named arguments, got {fun!r}; an op of any "
            "number of arguments is written with @autograd_core.op"
        )
    for position, maker in zip(range(len(vjpmakers)) if argnums is None else argnums, vjpmakers, strict=True):
        fun.vjp(r"g \cdot \partial", position)(_rule(maker, position))


def _rule(maker: Function | None, position: int) -> Function:
    if maker is None:
        return lambda g, z, *xs, **params: np.zeros_like(xs[position])
    return lambda g, z, *xs, **params: maker(z, *xs, **params)(g)


def check_grads(
    fun: Function, argnum: int | Sequence[int] = 0, modes: Sequence[str] = ("fwd", "rev"), order: int = 2
) -> Function:
    """``check_grads(f)(x)`` raises an AssertionError where a gradient of ``f`` is wrong: `check_gradients`.

    Parameters
    ----------
    fun : callable
        The function.
    argnum : int or sequence of int
        The positions of the arguments that are varied.
    modes : sequence of str
        Taken as HIPS autograd takes it, and changes nothing: there is one set of rules, for both modes.
    order : int
        The highest derivative to check, 1 or 2; what is above is checked to the second.

    Returns
    -------
    callable
        It takes what ``fun`` takes, and gives None.

    Raises
    ------
    AssertionError
        In a call, for a wrong gradient.

    Examples
    --------
    >>> check_grads(np.tanh, modes=["rev"])(0.5)
    """

    def check(*args: Any, **kwargs: Any) -> None:
        from .testing import check_gradients  # for tests

        check_gradients(lambda *args: fun(*args, **kwargs), *args, argnums=argnum, order=min(order, 2))

    return check
