"""What is computed again instead of remembered: the same gradients, in less memory."""

import tracemalloc

import numpy as np
import pytest

from autograd_core import Tensor, checkpoint, grad, hessian, jvp, no_grad


def bend(x):
    return np.tanh(x) * x


def test_derivatives_of_any_order_are_those_of_the_function():
    x = 0.7
    for order in range(1, 5):
        plain, frugal = bend, checkpoint(bend)
        for _ in range(order):
            plain, frugal = grad(plain), grad(frugal)
        assert frugal(x) == pytest.approx(plain(x), rel=1e-12)


def test_it_nests():
    twice = checkpoint(lambda x: np.sin(checkpoint(bend)(x)))
    assert grad(twice)(0.7) == pytest.approx(grad(lambda x: np.sin(bend(x)))(0.7), rel=1e-13)
    x = np.array([0.1, -0.4, 2.0])
    got, expected = (hessian(lambda v, h=h: np.sum(h(v) ** 2))(x) for h in (twice, lambda v: np.sin(bend(v))))
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_forward_derivatives_pass_through():
    np.testing.assert_allclose(jvp(checkpoint(bend), (0.7,), (2.0,)), jvp(bend, (0.7,), (2.0,)), rtol=1e-13)


def test_what_the_function_closes_over_gets_its_gradient():
    weight, x = Tensor([2.0, 3.0]), Tensor([0.5, -1.0])
    np.sum(checkpoint(lambda v: v * weight)(x)).backward()
    assert weight.grad.tolist() == [0.5, -1.0]
    assert x.grad.tolist() == [2.0, 3.0]


def test_a_tensor_that_is_an_argument_and_closed_over_gets_both_gradients():
    x = Tensor(3.0)
    checkpoint(lambda v: v * x)(x).backward()
    assert x.grad == 6.0


def test_a_closed_over_intermediate_passes_its_gradient_on_when_the_graph_is_released():
    x = Tensor(3.0)
    middle = x * x
    checkpoint(lambda v: v * middle)(x).backward(release=True)
    assert x.grad == 27.0


def test_structures_go_in_and_come_out():
    def f(pair, *, scale):
        return {"sum": pair[0] + pair[1], "rest": [scale * pair[0] * pair[1], "label", None]}

    x, y = Tensor([1.0, 2.0]), Tensor(np.float32([3.0, 4.0]))
    out = checkpoint(f)((x, y), scale=2.0)
    assert out["rest"][1:] == ["label", None]
    assert out["rest"][0].dtype == np.float64
    np.sum(out["sum"] * out["rest"][0]).backward()
    # d/dx of 2 (x + y) x y is 2 y (2 x + y)
    assert x.grad.tolist() == [30.0, 64.0]
    assert y.grad.tolist() == [14.0, 40.0]
    assert y.grad.dtype == np.float32


def test_a_result_that_is_an_argument_is_left_alone():
    x = Tensor(2.0)
    same, square = checkpoint(lambda v: (v, v * v))(x)
    assert same is x
    (same * square).backward()
    assert x.grad == 12.0


def test_a_function_of_constants_records_nothing():
    assert checkpoint(bend)(2.0) == bend(2.0)
    with no_grad():
        assert not checkpoint(bend)(Tensor(2.0)).requires_grad


def test_the_function_runs_once_more_for_each_backward_walk_and_not_once_for_each_argument():
    calls = []

    def f(x, y, w):
        calls.append(1)
        return x * y * w

    checkpoint(f)(Tensor(2.0), Tensor(3.0), Tensor(4.0)).backward()
    assert len(calls) == 2


def test_memory_is_that_of_the_ends_and_of_one_part():
    def part(x):
        for _ in range(10):
            x = np.tanh(x)
        return x

    def peak(part):
        def whole(x):
            for _ in range(10):
                x = part(x)
            return np.sum(x)

        x = np.full(100_000, 0.5)
        tracemalloc.start()
        grad(whole)(x)
        peak = tracemalloc.get_traced_memory()[1] / x.nbytes
        tracemalloc.stop()
        return peak

    assert peak(part) > 100
    assert peak(checkpoint(part)) < 30
