"""Ways in which a gradient could go wrong without a word, each met with the right number or an error."""

import threading

import numpy as np
import pytest

from autograd_core import REGISTRY, GraphError, RuleError, Tensor, debug, grad, hvp, jvp, no_grad, op, vjp


def test_structures_are_paired_by_key_and_not_by_order():
    _, pullback = vjp(lambda x: {"a": x, "b": 2 * x}, 1.0)
    assert pullback({"b": 0.0, "a": 1.0}) == (1,)
    p, direction = {"a": 1.0, "b": 2.0}, {"b": 0.0, "a": 1.0}
    assert jvp(lambda p: p["a"] ** 2 + p["b"] * 10, (p,), (direction,))[1] == 2
    assert hvp(lambda p: p["a"] ** 2 * p["b"], (p,), (direction,)) == {"a": 4, "b": 2}
    with pytest.raises(ValueError, match=r"structure {'a': ·, 'b': ·}, got {'a': ·, 'c': ·}"):
        pullback({"a": 1.0, "c": 0.0})
    with pytest.raises(ValueError, match=r"structure \[\[·, ·\]\], got \(\[·, ·, ·\],\)"):
        jvp(lambda p: p[0], ([1.0, 2.0],), ([1.0, 0.0, 5.0],))


def test_a_graph_released_inside_a_transform_is_no_zero():
    def h(x):
        y = x * x
        y.backward(release=True)
        return y * 2

    with pytest.raises(GraphError, match="was released"):
        grad(h)(3.0)


def test_a_copy_has_memory_of_its_own():
    x = Tensor([1.0, 2.0])
    c = x.copy()
    x.data -= 1
    assert c.tolist() == [1, 2]


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.full_like(x, x[0]),
        lambda x: np.bincount([0, 1], weights=x),
        lambda x: np.unique(x),
        lambda x: np.nextafter(x, 2),
    ],
)
def test_a_function_that_would_drop_a_gradient_raises(call):
    with pytest.raises(TypeError, match=r"gradient|; write"):
        call(Tensor([1.0, 2.0]))


def test_a_recording_parameter_is_named():
    @op("s")
    def scale(x, by=1.0):
        return x * by

    scale.vjp("by")(lambda g, z, x, by=1.0: g * by)
    try:
        with pytest.raises(TypeError, match=r"by= is a parameter of scale.*'w'"):
            scale(Tensor(2.0), by=Tensor(3.0, name="w"))
    finally:
        REGISTRY.pop("scale")


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: (x * 1).backward(np.array([1j, 2])),
        lambda x: x * np.ma.array([1.0, 2.0], mask=[0, 1]),
    ],
)
def test_a_mask_and_a_complex_gradient_of_real_numbers_are_refused(compute):
    with pytest.raises(TypeError):
        compute(Tensor([1.0, 2.0]))


def test_one_decorator_in_two_threads_leaves_each_in_its_own_mode(patience):
    quiet = no_grad()
    inside, leave = threading.Event(), threading.Event()
    seen = []

    def first():
        with no_grad(), quiet:
            inside.set()
            leave.wait(patience)
        seen.append((Tensor(1.0) * 2).requires_grad)

    def second():
        inside.wait(patience)
        with quiet:
            leave.set()
            thread.join(patience)
        seen.append((Tensor(1.0) * 2).requires_grad)

    thread, other = threading.Thread(target=first), threading.Thread(target=second)
    thread.start()
    other.start()
    other.join(patience)
    assert seen == [True, True]


def test_an_elementwise_rule_of_a_wrong_shape_is_no_silent_sum():
    @op("2x", broadcasts=True)
    def stretched(x):
        return x * 2

    stretched.vjp("2")(lambda g, z, x: np.broadcast_to(g * 2, (5, *np.shape(g))))
    try:
        with pytest.raises(RuleError, match=r"\[5, 2\]"):
            stretched(Tensor([1.0, 2.0])).sum().backward()
    finally:
        REGISTRY.pop("stretched")


@pytest.mark.parametrize("forward", [lambda x: None, lambda x: np.exp(Tensor(x)), lambda x: "one"])
def test_a_forward_function_that_returns_no_array_is_named(forward):
    forward.__name__ = "broken"
    broken = op("x")(forward)
    broken.vjp("1")(lambda g, z, x: g)
    try:
        with pytest.raises(TypeError, match=r"forward function of broken, .* expected an array of numbers"):
            broken(Tensor(1.0))
    finally:
        del REGISTRY["broken"]


def test_the_same_argument_twice_is_refused():
    with pytest.raises(ValueError, match="each argument once"):
        grad(lambda x: x**2, (0, -1))(3.0)
    assert grad(lambda x: x**2, np.int64(0))(3.0) == 6


def test_the_seed_of_a_walk_is_not_shared_with_its_gradients():
    v = np.ones(2)
    y = Tensor([1.0, 2.0]) + 0
    y.backward(v)
    v[:] = 7
    assert y.grad.tolist() == [1, 1]


def test_second_derivatives_work_under_debug():
    with debug():
        np.testing.assert_allclose(grad(grad(np.tanh))(0.5), -2 * np.tanh(0.5) * (1 - np.tanh(0.5) ** 2))


def test_a_finished_inner_transform_leaves_plain_numbers():
    assert type(grad(lambda x: grad(lambda y: x * y * y)(3.0))(2.0)) is np.float64
    assert type(grad(lambda a: jvp(lambda x: np.sin(a * x), (0.5,), (1.0,))[1])(2.0)) is np.float64
