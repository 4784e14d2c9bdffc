"""Functions of functions: derivatives of every order, in the structure of their arguments."""

import sys
from collections import OrderedDict, defaultdict
from typing import NamedTuple

import numpy as np
import pytest

from autograd_core import (
    GraphError,
    Tensor,
    checkpoint,
    dispatch,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    relu,
    stop_gradient,
    transforms,
    value_and_grad,
    vjp,
    walk,
)


def cubes(x):
    return np.sum(x**3)


# -- grad and value_and_grad -------------------------------------------------------------------------------


def test_the_gradient_of_a_sum_of_cubes():
    value, gradient = value_and_grad(cubes)(np.array([1.0, 2.0]))
    assert value == 9
    assert gradient.tolist() == [3, 12]
    assert type(gradient) is np.ndarray


def test_derivatives_nest_to_any_order():
    f = np.tanh
    for expected in (1.0, 0.0, -2.0, 0.0, 16.0, 0.0, -272.0):  # the Taylor coefficients of tanh times n!
        f = grad(f)
        np.testing.assert_allclose(f(0.0), expected)


def test_argnums_choose_and_keyword_arguments_pass():
    def f(x, y, *, power=1):
        return x * y**power

    assert grad(f, argnums=1)(3.0, 2.0, power=2) == 12
    assert grad(f, argnums=(0, -1))(3.0, 2.0, power=2) == (4, 12)
    assert grad(f, argnums=(0,))(3.0, 2.0) == (2,)


def test_the_auxiliary_value_comes_along():
    def f(x):
        y = x * x
        return y, {"root": y}

    assert grad(f, has_aux=True)(3.0) == (6, {"root": 9})
    assert value_and_grad(f, has_aux=True)(3.0) == ((9, {"root": 9}), 6)


class Layer(NamedTuple):
    w: object
    b: object


def test_gradients_come_back_in_the_structure_of_the_arguments():
    def f(p):
        layer, scales = p["layer"], p["scales"]
        return np.sum(layer.w * 2 + layer.b) * scales[0] + scales[1][0]

    p = {"layer": Layer(np.ones(2), 1.0), "scales": [3.0, (4.0,)]}
    g = grad(f)(p)
    assert g["layer"].w.tolist() == [6, 6]
    assert g["layer"].b == 6
    assert g["scales"] == [6, (1,)]


def test_gradients_come_back_in_the_kind_of_dictionary_of_the_arguments():
    def f(p):
        return p["b"] * p["a"]

    ordered = grad(f)(OrderedDict([("b", 1.0), ("a", 2.0)]))
    assert type(ordered) is OrderedDict
    assert [*ordered.items()] == [("b", 2.0), ("a", 1.0)]
    filled = grad(f)(defaultdict(list, a=3.0, b=4.0))
    assert type(filled) is defaultdict
    assert filled["c"] == []
    assert (filled["a"], filled["b"]) == (4, 3)


def test_what_the_value_does_not_depend_on_has_gradient_zero():
    assert grad(lambda x, y: x * 2, argnums=(0, 1))(1.0, np.ones(2))[1].tolist() == [0, 0]
    assert grad(lambda x: 3.0)(1.0) == 0


def test_grad_of_an_array_says_what_to_do():
    with pytest.raises(GraphError, match=r"got \[2\] from.*elementwise_grad or jacobian"):
        grad(lambda x: x * 2)(np.ones(2))
    with pytest.raises(GraphError, match=r"got tuple from .*has_aux"):
        grad(lambda x: (x, x))(1.0)


def test_whole_numbers_have_no_gradient():
    with pytest.raises(TypeError, match=rf"expected a floating argument, got {np.dtype(int)}.*astype"):
        grad(cubes)(np.arange(3))
    with pytest.raises(TypeError, match="got 2"):
        grad(cubes, argnums=2)(1.0)


# -- nesting: arrays in, arrays out; Tensors in, Tensors out -----------------------------------------------


def test_an_inner_derivative_keeps_its_dependence_on_the_outer_variable():
    """The classic test of perturbation confusion (Siskind and Pearlmutter, 2005)."""
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1
    assert grad(lambda x: grad(lambda y: x * x * y)(5.0))(3.0) == 6


def test_called_with_tensors_a_transform_returns_tensors_that_lead_back():
    x = Tensor([1.0, 2.0])
    slope = grad(cubes)(x)
    assert isinstance(slope, Tensor)
    slope.sum().backward()
    assert x.grad.tolist() == [6, 12]


def test_a_gradient_penalty_reaches_the_weights_that_the_function_closes_over():
    w = Tensor([1.0, 3.0])
    slope = grad(lambda x: np.sum(w * x * x))(np.array([2.0, 1.0]))  # 2wx
    np.sum(slope * slope).backward()
    np.testing.assert_allclose(w.grad, 8 * np.array([1.0, 3.0]) * np.array([4.0, 1.0]))


def test_grad_works_inside_no_grad_and_leaves_nothing_recorded():
    with no_grad():
        g = grad(cubes)(Tensor([1.0, 2.0]))
    assert g.tolist() == [3, 12]
    assert grad(cubes)(np.array([1.0])).tolist() == [3]


def test_gradients_of_tensors_do_not_touch_their_grad():
    x = Tensor(2.0)
    grad(cubes)(x)
    assert x.grad is None


def test_gradients_own_their_memory():
    a, b = grad(lambda x, y: np.sum(x + y), argnums=(0, 1))(np.ones(3), np.ones(3))
    a[0] = 5
    assert b.tolist() == [1, 1, 1]


# -- vjp, jvp, matrices ------------------------------------------------------------------------------------


def test_the_pullback_is_linear_and_reusable():
    value, pullback = vjp(lambda x, y: x * y, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert value.tolist() == [3, 8]
    assert [g.tolist() for g in pullback(np.array([1.0, 10.0]))] == [[3, 40], [1, 20]]
    assert [g.tolist() for g in pullback(np.array([2.0, 20.0]))] == [[6, 80], [2, 40]]
    with pytest.raises(ValueError, match=r"its value, \[2\], got \[3\]"):
        pullback(np.ones(3))


def test_values_may_be_structures():
    value, pullback = vjp(lambda x: {"double": 2 * x, "square": x * x}, 3.0)
    assert value == {"double": 6, "square": 9}
    assert pullback({"double": 1.0, "square": 1.0}) == (8,)
    value, tangent = jvp(lambda x: (2 * x, x * x), (3.0,), (1.0,))
    assert tangent == (2, 6)


def test_jvp_agrees_with_the_jacobian():
    def f(x, y):
        return np.tanh(x @ y) * y

    rng = np.random.default_rng(0)
    x, y, tx, ty = (rng.normal(size=s) for s in ((3, 3), (3,), (3, 3), (3,)))
    value, tangent = jvp(f, (x, y), (tx, ty))
    np.testing.assert_allclose(value, f(x, y))
    jx, jy = jacobian(f, argnums=(0, 1))(x, y)
    np.testing.assert_allclose(tangent, np.tensordot(jx, tx, 2) + jy @ ty)
    assert type(tangent) is np.ndarray


def test_jvp_of_a_tensor_leads_back():
    x = Tensor(0.5)
    _, tangent = jvp(np.sin, (x,), (1.0,))
    tangent.backward()
    np.testing.assert_allclose(x.grad, -np.sin(0.5))


def test_jacobian_and_hessian_of_a_quadratic_form():
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    x = np.array([1.0, -1.0])
    np.testing.assert_allclose(jacobian(lambda x: a @ x)(x), a)
    np.testing.assert_allclose(hessian(lambda x: x @ a @ x)(x), a + a.T)
    np.testing.assert_allclose(hvp(lambda x: x @ a @ x, (x,), (np.ones(2),)), (a + a.T) @ np.ones(2))


def test_the_jacobian_of_nothing_has_its_shape():
    assert jacobian(lambda x: x[:0] * 2)(np.ones(3)).shape == (0, 3)
    assert jacobian(lambda x: np.sum(x))(np.ones((2, 0))).shape == (2, 0)


def test_the_hessian_of_two_arguments_is_a_block_matrix():
    blocks = hessian(lambda x, y: x * x * y, argnums=(0, 1))(3.0, 5.0)
    assert blocks == ((10, 6), (6, 0))
    assert hvp(lambda x, y: x * x * y, (3.0, 5.0), (1.0, 2.0)) == (22, 6)


def test_elementwise_grad_is_the_derivative_of_each_element():
    x = np.linspace(-1, 1, 5)
    np.testing.assert_allclose(elementwise_grad(np.tanh)(x), 1 - np.tanh(x) ** 2)
    np.testing.assert_allclose(elementwise_grad(elementwise_grad(np.exp))(x), np.exp(x))


def test_stop_gradient_takes_structures():
    assert grad(lambda x: x * stop_gradient({"a": [x]})["a"][0])(3.0) == 3


def test_none_is_an_empty_structure():
    def f(p, state):
        assert state is None
        return p["w"] * p["rest"][1]

    p = {"w": 3.0, "bias": None, "rest": [None, 2.0]}
    assert grad(f, argnums=(0, 1))(p, None) == ({"w": 2, "bias": None, "rest": [None, 3]}, None)
    assert hessian(f)(p, None)["w"]["rest"] == [None, 1]
    assert jvp(f, (p, None), ({"w": 1.0, "bias": None, "rest": [None, 0.0]}, None)) == (6, 2)
    with pytest.raises(ValueError, match=r"the structure .*None"):
        jvp(f, (p, None), ({"w": 1.0, "bias": 1.0, "rest": [None, 0.0]}, None))
    with pytest.raises(GraphError, match="got NoneType"):
        grad(lambda x: None)(1.0)


@pytest.mark.parametrize("transform", [grad, value_and_grad, elementwise_grad, jacobian, hessian])
def test_a_derivative_has_the_name_of_its_function_and_says_what_it_is(transform):
    derivative = transform(cubes, (0, 1))
    assert derivative.__name__ == "cubes"
    assert derivative.__wrapped__ is not None
    assert " of cubes with respect to arguments (0, 1)." in derivative.__doc__
    assert transform(relu).__name__ == "relu"
    assert not hasattr(transform(relu), "rules")


def test_writing_to_a_value_does_not_change_its_pullback():
    value, pullback = vjp(np.exp, np.zeros(2))
    value[:] = 99
    assert pullback(np.ones(2))[0].tolist() == [1, 1]


def test_a_tangent_of_another_shape_is_told_both():
    with pytest.raises(ValueError, match=r"a tangent: expected the shape of its argument, \[3\], got \[2\]"):
        jvp(np.sin, (np.ones(3),), (np.ones(2),))


@pytest.mark.parametrize("transform", [jvp, hvp])
def test_arguments_and_tangents_that_are_no_tuples_are_told_so(transform):
    for args, tangents in [(2.0, (1.0,)), ((2.0,), 1.0), (np.ones(2), np.ones(2))]:
        with pytest.raises(TypeError, match=rf"{transform.__name__}: expected (args|tangents) as a tuple.*\(x,\)"):
            transform(np.sin, args, tangents)


def test_the_tangent_of_a_comparison_is_zero():
    value, tangent = jvp(lambda x: (x * x, x > 1, np.argmax(x)), (np.array([1.0, 2.0]),), (np.ones(2),))
    assert value[1].tolist() == [False, True]
    assert [t.tolist() for t in tangent] == [[2, 4], [0, 0], 0]


@pytest.mark.parametrize("f", [lambda x: x > 1, lambda x: np.sum(np.array([x.data]) > 1), lambda x: "two"])
def test_a_result_without_small_changes_is_no_gradient_of_zero(f):
    with pytest.raises(TypeError, match="returns a floating number"):
        grad(f)(2.0)


@pytest.mark.parametrize("derivative", [grad(lambda x: x), hessian(lambda x: x**3), jacobian(lambda x: x**2)])
def test_a_derivative_that_is_one_number_is_numpys_scalar(derivative):
    assert type(derivative(2.0)) is np.float64


@pytest.mark.parametrize("transform", [grad, value_and_grad, elementwise_grad, jacobian, hessian, checkpoint])
def test_the_value_of_a_function_is_no_function(transform):
    with pytest.raises(
        TypeError, match=r"expected a function, as in grad\(f\)\(x\), and not its value, got float64\[\]"
    ):
        transform(np.sin(1.0))


@pytest.mark.parametrize("f", [lambda x: np.outer(x, x), np.sum, lambda x: (x, x)])
def test_elementwise_grad_refuses_what_is_not_elementwise(f):
    with pytest.raises(ValueError, match=r"result in the shape of the argument, \(2,\), .*use jacobian"):
        elementwise_grad(f)(np.array([1.0, 2.0]))


def test_the_elements_may_be_those_of_a_structure():
    f = elementwise_grad(lambda p: p["a"] * p["b"])
    np.testing.assert_array_equal(f({"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])})["a"], [3.0, 4.0])
    assert elementwise_grad(lambda p: np.square(np.stack(p)))([1.0, 2.0]) == [2.0, 4.0]


def test_a_result_of_one_element_has_a_gradient_whatever_its_shape():
    x = np.array([1.0, 2.0])
    for shape in ((), (1,), (1, 1)):
        value, g = value_and_grad(lambda x, shape=shape: np.sum(x**3).reshape(shape))(x)
        assert np.shape(value) == shape
        np.testing.assert_array_equal(g, 3 * x**2)
    for count in (0, 2):
        with pytest.raises(GraphError, match="a single number"):
            grad(lambda x, count=count: x[:count])(x)


def test_a_gradient_goes_over_the_graph_no_more_than_twice(monkeypatch):
    """Once to see whose leaves there are, and back: only where others have some does a walk look for its way."""
    counted = []
    for module in (transforms, walk):
        real = module.ancestors
        monkeypatch.setattr(module, "ancestors", lambda roots, real=real: counted.append(1) or real(roots))
    f = lambda x: np.sum(np.tanh(x) * x)  # noqa: E731
    alone = grad(f)(np.ones(3))
    assert len(counted) == 1
    counted.clear()
    other = Tensor(np.ones(3), requires_grad=True)
    beside = grad(lambda x: f(x) + np.sum(other))(np.ones(3))
    assert len(counted) == 2
    np.testing.assert_array_equal(alone, beside.data)


def test_a_transform_that_has_ended_and_one_that_has_not_are_told_apart():
    kept = []
    grad(lambda x: kept.append(x) or np.sum(x))(np.ones(2))
    assert isinstance(grad(lambda y: np.sum(y * kept[0]))(np.ones(2)), np.ndarray)
    nested = grad(lambda x: np.sum(grad(lambda y: np.sum(x**2 * y**3))(np.ones(2))))
    np.testing.assert_array_equal(nested(np.full(2, 3.0)), [18, 18])


def test_what_asks_for_a_shape_takes_the_short_way(monkeypatch):
    asked = []
    real = dispatch._without_rule
    monkeypatch.setattr(dispatch, "_without_rule", lambda f, *rest: asked.append(f) or real(f, *rest))
    t = Tensor(np.ones((2, 3)))
    assert (np.shape(t), np.ndim(t), np.size(t)) == ((2, 3), 2, 6)
    np.linalg.norm(t).backward()
    assert np.size(t, 1) == 3
    assert asked == [np.size]  # with an axis


def test_the_length_of_moderate_numbers_is_not_scaled(monkeypatch):
    scaled = []
    real = np.frexp
    monkeypatch.setattr(np, "frexp", lambda *args: scaled.append(1) or real(*args))
    for size in (1.0, 1e200, 1e-200):
        assert np.isclose(np.linalg.norm(Tensor(size * np.array([3.0, 4.0]))).item(), 5 * size, rtol=1e-15, atol=0)
        assert bool(scaled) == (size != 1)


def test_a_gradient_made_before_costs_few_calls_around_its_function():
    """What it does beside calling the function, walking and copying: a bound on Python's own work, counted."""
    seen = []

    def see(frame, event, arg):
        if event == "call" and "autograd_core" in frame.f_code.co_filename:
            seen.append(frame.f_code.co_name)

    def calls(function, *args):
        function(*args)
        before = sys.getprofile()
        sys.setprofile(see)
        try:
            function(*args)
        finally:
            sys.setprofile(before)
        found = len(seen)
        seen.clear()
        return found

    def f(x):
        return np.sum(np.exp(x))

    x = np.ones(3)
    whole = calls(grad(f), x)
    t = Tensor(x)
    forward, there_and_back = calls(f, t), calls(lambda: list(walk.walk({f(t).node: np.float64(1)})))
    assert forward > 5
    assert whole - there_and_back <= 36
