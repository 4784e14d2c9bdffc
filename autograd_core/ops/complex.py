"""Complex numbers: their parts, and which ops take them.

The gradient of a real number L with respect to ``a + i b`` is ``∂L/∂a + i ∂L/∂b`` to people, as in PyTorch. Rules get
and give its conjugate, so that the rule of a function that has a complex derivative is ``g * derivative``, as for real
numbers, and most ops have no other (K. Kreutz-Delgado, "The complex gradient operator and the CR-calculus", 2009).
Those of a function that has none, as `absolute`, say what is to be conjugated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import decide
from ..dispatch import plain
from ..domain import NONZERO, example
from ..op import REAL_RESULTS, REGISTRY, composed, is_complex, op
from . import index, linalg, reduce, shape  # noqa: F401 - whose ops take complex numbers
from .elementwise import identity

PARTS = (example((2, 3)), example(()), example((0, 2)))


@op(r"\operatorname{Re} x", broadcasts=True, examples=PARTS, complex=True)
def real(x: Any) -> Any:
    """The real part."""
    return np.real(x)


@real.vjp(r"1")
def _(g: Any, z: Any, x: Any) -> Any:
    return g


@op(r"\operatorname{Im} x", broadcasts=True, examples=PARTS, complex=True)
def imag(x: Any) -> Any:
    """The imaginary part."""
    return np.imag(x)


@imag.vjp(r"i")  # of the gradient that people see
def _(g: Any, z: Any, x: Any) -> Any:
    return g * -1j


@op(r"\bar x", broadcasts=True, examples=PARTS, complex=True)
def conj(x: Any) -> Any:
    """The complex conjugate."""
    return np.conj(x)


@conj.vjp(r"\bar g")
def _(g: Any, z: Any, x: Any) -> Any:
    return np.conj(g)


@real.implements(np.real)
def _(x: Any) -> Any:
    return real(x) if is_complex(x) else x


@imag.implements(np.imag)
def _(x: Any) -> Any:
    return imag(x) if is_complex(x) else np.zeros_like(plain(x))


@conj.implements(np.conjugate)
def _(x: Any) -> Any:
    return conj(x) if is_complex(x) else identity(x)


@identity.implements(np.real_if_close)
def _(x: Any, tol: float = 100) -> Any:
    if not is_complex(x):
        return identity(x)
    bound = tol * float(np.finfo(x.dtype).eps) if tol > 1 else tol
    return real(x) if decide(np.all(np.abs(np.imag(plain(x))) < bound)) else identity(x)


@composed(r"\arg x", numpy=np.angle, domain=NONZERO, examples=PARTS)
def angle(x: Any, deg: bool = False) -> Any:
    """The angle between the positive real axis and ``x``, in radians or degrees; its derivative is 0 at 0."""
    turned = np.arctan2(np.imag(x), np.real(x))
    return np.rad2deg(turned) if deg else turned


# Ops whose rules hold for complex numbers as they stand: they have a complex derivative, or move numbers only.
_TAKE_COMPLEX = """
    add subtract multiply divide negative positive reciprocal square sqrt power exp exp2 expm1 log log2 log10 log1p
    sin cos tan sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh one_minus_square absolute sign round rint
    where astype copy identity matmul einsum inv solve det sum mean cumsum prod cumprod max min
    nan_to_num sinc reshape expand_dims squeeze transpose broadcast_to concatenate flip frame getitem scatter
"""
for _name in _TAKE_COMPLEX.split():
    REGISTRY[_name].complex = True
    if _name != "astype":  # of real numbers they make real ones: nobody need look
        REGISTRY[_name].real_results = REAL_RESULTS
