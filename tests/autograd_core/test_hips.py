"""HIPS autograd's names give its numbers."""

import numpy as np
import pytest

from autograd_core import RuleError, Tensor, hips

X, Z = np.array([0.5, -1.2, 2.0]), np.array([0.6 + 0.8j, -1.3 + 0.2j])


def both(judge, f):
    """What ``f(library, numpy)`` gives with ours, and with theirs."""
    theirs = judge("autograd")
    judge("autograd.test_util")
    return f(hips, np), f(theirs, theirs.numpy)


@pytest.mark.parametrize(
    "f",
    [
        lambda a, m: a.grad(lambda x, y: m.sum(m.sin(x) * y), argnum=1)(X, X[::-1]),
        lambda a, m: a.grad(lambda x, y: m.sum(m.sin(x) * y), argnum=(0, 1))(X, X[::-1]),
        lambda a, m: a.value_and_grad(lambda x: m.sum(x**3))(X),
        lambda a, m: a.elementwise_grad(lambda x: m.tanh(x) ** 2)(X),
        lambda a, m: a.elementwise_grad(a.elementwise_grad(m.tanh))(X),
        lambda a, m: a.jacobian(lambda x: m.outer(x, x))(X),
        lambda a, m: a.hessian(lambda x: m.sum(x**2 * x[::-1]))(X),
        lambda a, m: a.hessian(lambda x: x**3)(X),
        lambda a, m: a.hessian_vector_product(lambda x, k: m.sum(x**2 * x[::-1]) * k)(X, 2.0, X),
        lambda a, m: a.make_vjp(lambda x, k: k * x**2)(X, 3.0)[0](X),
        lambda a, m: a.make_vjp(lambda x, k: k * x**2)(X, 3.0)[1],
        lambda a, m: a.grad_and_aux(lambda x: (m.sum(x**2), {"k": 1.0}))(X)[0],
        lambda a, m: a.grad(lambda z: m.sum(m.abs(z) ** 3))(Z),
        lambda a, m: a.grad(lambda p: m.sum(m.abs(p["a"] * p["b"])))({"a": Z, "b": X[:2]})["a"],
        lambda a, m: a.holomorphic_grad(m.exp)(0.3 + 0.4j),
        lambda a, m: a.make_vjp(lambda z: m.conj(z) * z**2)(Z)[0](Z[::-1]),
        lambda a, m: a.grad(lambda x: m.reshape(m.sum(x**2), (1, 1)))(X),
    ],
)
def test_it_is_what_hips_autograd_gives(judge, f):
    ours, theirs = both(judge, f)
    for a, b in zip(ours, theirs, strict=True) if isinstance(theirs, tuple) else [(ours, theirs)]:
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
        assert np.asarray(a).dtype == np.asarray(b).dtype


def test_a_primitive_has_the_gradient_that_it_is_given(judge):
    def own(a, m, extend):
        @extend.primitive
        def logsumexp(x, scale=1.0):
            return scale * np.log(np.sum(np.exp(x)))

        extend.defvjp(logsumexp, lambda ans, x, scale=1.0: lambda g: g * scale * m.exp(x - ans / scale))
        total = a.grad(lambda x: logsumexp(x, scale=2.0))(X)
        return total, a.hessian_vector_product(logsumexp)(X, X)

    judge("autograd")
    extend = judge("autograd.extend")
    ours, theirs = both(judge, lambda a, m: own(a, m, hips if a is hips else extend))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    for wrong in (np.exp, hips.primitive(lambda *xs: xs[0])):
        with pytest.raises(TypeError, match="expected what primitive made"):
            hips.defvjp(wrong, None)
    unsaid = hips.primitive(lambda x, y: x * y)
    hips.defvjp(unsaid, lambda ans, x, y: lambda g: g * y)
    with pytest.raises(RuleError, match="no gradient rule for its argument 'y'"):
        unsaid(1.0, Tensor(2.0))


def test_the_checker_takes_their_arguments():
    hips.check_grads(np.tanh, modes=["rev"], order=3)(X)
    hips.check_grads(lambda x, y: np.sum(x * y), argnum=(0, 1), modes=["fwd"])(X, Z[:1].real)
    twice = hips.primitive(lambda x: 2 * x)
    hips.defvjp(twice, lambda ans, x: lambda g: g)
    with pytest.raises(AssertionError, match="is wrong"):
        hips.check_grads(twice)(X)
    with pytest.raises(TypeError, match="a function that returns real numbers, got complex128"):
        hips.elementwise_grad(np.exp)(Z)
