"""`odeint` records the steps it takes: SciPy's values, gradients by differences and in closed form."""

import numpy as np
import pytest

from autograd_core import GradientLossError, Tensor, grad, hessian, jacobian
from autograd_core.testing import check_gradients

scipys = pytest.importorskip("scipy.integrate").odeint
odeint = pytest.importorskip("autograd_core.scipy.integrate").odeint

A = np.array([[0.1, -0.9], [0.8, -0.3]])


def bent(y, t, a, b):
    return np.tanh(a @ y) * np.cos(t) + b


def test_values_are_scipys_forwards_and_backwards():
    y0, b = np.array([0.5, -1.0]), np.array([0.1, 0.2])
    for t in ([0.0, 0.3, 1.0, 2.5], [2.5, 1.0, 0.0], [1.0, 1.0, 2.0], [0.5]):
        np.testing.assert_allclose(odeint(bent, y0, t, (A, b)), scipys(bent, y0, t, (A, b)), rtol=3e-6, atol=3e-7)
    falling = odeint(lambda t, y: [y[1], -9.81], [10.0, 0.0], [0.0, 1.0], tfirst=True)
    np.testing.assert_allclose(falling[-1], [10 - 9.81 / 2, -9.81], rtol=1e-12)
    assert odeint(lambda y, t: -y, np.ones((2, 3)), [0.0, 1.0]).shape == (2, 2, 3)


def test_gradients_with_respect_to_everything():
    y0, t, b = np.array([0.5, -1.0]), np.array([0.0, 0.3, 1.0]), np.array([0.1, 0.2])

    def close(y0, t, a, b):  # so small errors that a change of steps shows nowhere
        return odeint(bent, y0, t, (a, b), rtol=1e-13, atol=1e-13)

    assert check_gradients(close, y0, t, A, b, order=1).verdict == "pass"

    def end(rate):  # of 2 exp(-1.5 rate), by a Tensor that the function reads
        return odeint(lambda y, _: -rate * y, 2.0, [0.0, 1.5], rtol=1e-12, atol=1e-12)[-1]

    value = 2 * np.exp(-1.5 * 0.7)
    assert grad(end)(0.7) == pytest.approx(-1.5 * value, rel=1e-10)
    assert hessian(end)(0.7) == pytest.approx(1.5**2 * value, rel=1e-9)
    turned = jacobian(
        lambda y: odeint(lambda y, _: np.stack([-y[1], y[0]]), y, [0.0, 1.0], rtol=1e-12, atol=1e-12)[-1]
    )(y0)
    np.testing.assert_allclose(turned, [[np.cos(1), -np.sin(1)], [np.sin(1), np.cos(1)]], rtol=1e-10)


def test_what_goes_wrong_is_said_and_float32_stays():
    with pytest.raises(ArithmeticError, match="odeint: no step from 1 on is good enough"):
        odeint(lambda y, t: y * y, 1.0, [0.0, 2.0])  # 1 / (1 - t)
    with pytest.raises(GradientLossError, match=r"write autograd_core\.scipy\.integrate\.odeint\(…\)"):
        scipys(lambda y, t: -y, Tensor([1.0]), [0.0, 1.0])
    single = odeint(lambda y, t: -y * np.cos(t), np.float32([1, 2]), [0.0, 1.0])
    assert single.dtype == np.float32
    y0 = Tensor(np.float32([1, 2]))
    odeint(lambda y, t: -y, y0, [0.0, 1.0])[-1].sum().backward()
    assert y0.grad.dtype == np.float32


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_can_have_no_step_is_refused_and_what_only_overshoots_is_not():
    nan, inf = np.nan, np.inf
    for t in ([0.0, nan], [0.0, inf], [-inf, 0.0]):
        with pytest.raises(ValueError, match="expected finite times"):
            odeint(lambda y, t: -y, 1.0, t)
    for func, y0, options in (
        (lambda y, t: y * nan, 1.0, {}),
        (lambda y, t: y * nan, Tensor([1.0, 2.0]), {}),
        (lambda y, t: y * inf, 1.0, {}),
        (lambda y, t: -y, nan, {}),
        (lambda y, t: -y, inf, {}),
        (lambda y, t: -y, 1.0, {"atol": nan}),
        (lambda y, t: 1e308 + 0 * t, 1.7e308, {}),  # beyond the largest number after the first of two times
        (lambda y, t: y if t < 0.5 else y * nan, 1.0, {}),
    ):
        with pytest.raises(ArithmeticError, match="odeint: "):
            odeint(func, y0, [0.0, 1.0, 2.0], **options)
    for func, y0 in ((lambda y, t: 1j * y, 1.0), (lambda y, t: -y, 1j), (lambda y, t: -y, Tensor([1j]))):
        with pytest.raises(TypeError, match=r"expected real numbers of (func|y0), got complex128; integrate the real"):
            odeint(func, y0, [0.0, 20.0])

    def root(y, t):  # has no value beyond 0, where a step that is too long may look
        return -np.sqrt(y)

    np.testing.assert_allclose(odeint(root, 1.0, [0.0, 1.9])[-1], (1 - 1.9 / 2) ** 2, rtol=1e-6)
