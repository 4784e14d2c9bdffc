"""A wrong gradient is found and named, a right one is passed, and what cannot be known is called inconclusive."""

import warnings
from typing import NamedTuple

import numpy as np
import pytest

import autograd_core as ac
from autograd_core.domain import Domain
from autograd_core.testing import GradientError, check_gradients

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _the_same_numbers_whatever_ran_before():
    rng.bit_generator.state = np.random.default_rng(0).bit_generator.state


def error_of(f, *args, **options):
    with pytest.raises(GradientError) as raised:
        check_gradients(f, *args, **options)
    return raised.value


# -- right gradients ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [np.tanh, np.exp, np.sin, np.square, ac.sigmoid, lambda x: x * x / (1 + x)])
@pytest.mark.parametrize("x", [0.7, rng.uniform(0.2, 2, (3,)), rng.uniform(0.2, 2, (10, 10)), np.zeros((0, 2))])
def test_a_right_gradient_passes(f, x):
    assert check_gradients(f, x).verdict == "pass"


def test_an_analytic_function_is_judged_by_the_complex_step():
    assert "complex step" in check_gradients(np.tanh, 0.5).method


def test_abs_takes_complex_numbers_but_is_not_analytic_so_differences_judge_it():
    report = check_gradients(np.abs, np.array([0.5, -2.0]))
    assert report.verdict == "pass"
    assert "complex" not in report.method
    assert "central differences" in report.method


def test_structures_of_arguments_and_results():
    class Layer(NamedTuple):
        w: np.ndarray
        b: np.ndarray

    def f(params, x, axis):
        y = x @ params["layer"].w + params["layer"].b
        return {"y": np.tanh(y), "loss": np.sum(y * y, axis=axis)}

    params = {"layer": Layer(rng.normal(size=(3, 2)), rng.normal(size=2))}
    assert check_gradients(f, params, rng.normal(size=(4, 3)), 0).verdict == "pass"


def test_a_function_written_for_tensors_only_is_checked_too():
    assert check_gradients(lambda x: (x * x).detach() * 0 + x**3, 1.5).verdict == "pass"


def test_large_arguments_are_checked_along_several_random_directions():
    report = check_gradients(np.multiply, rng.normal(size=(30, 40)), rng.normal(size=(30, 40)))
    assert report.verdict == "pass"
    assert "4 random directions" in report.method


def test_a_hundred_by_hundred_sum_that_cancels_passes():
    x = rng.normal(size=(100, 100))
    assert check_gradients(lambda x: np.sum(x) - np.mean(x) * 9999, x, order=1).verdict == "pass"


# -- wrong gradients ---------------------------------------------------------------------------------------


def cubed(x):
    return np.sum(x**3)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (10, 10), (50, 20)])
@pytest.mark.parametrize(
    "wrong",
    [
        lambda x: -3 * x**2,
        lambda x: 3 * x**2 * 1.0001,
        lambda x: 3 * x**2 + 1e-4,
        lambda x: 3 * x**2 * np.where(np.arange(x.size).reshape(x.shape) == x.size - 1, 1.01, 1.0),
    ],
    ids=["sign", "one part in ten thousand", "offset", "1% at the last index only"],
)
def test_a_wrong_gradient_is_found_at_any_size(shape, wrong):
    x = rng.uniform(0.5, 2, shape)
    error = error_of(cubed, x, grad=lambda x: wrong(np.asarray(x)))
    assert error.argument == "x"
    assert len(error.index) == len(shape)


def test_the_one_wrong_element_of_two_thousand_is_named():
    x = rng.uniform(0.5, 2, (40, 50))

    def gradient(x):
        g = 3 * x**2
        g[17, 31] *= 1.01
        return g

    error = error_of(cubed, x, grad=gradient)
    assert error.index == (17, 31)
    assert error.expected == pytest.approx(3 * x[17, 31] ** 2, rel=1e-12)
    assert error.got == pytest.approx(3.03 * x[17, 31] ** 2)
    assert error.relative_error == pytest.approx(0.01 / 1.01)


def test_a_gradient_that_is_wrong_along_no_all_ones_direction_is_found():
    def gradient(x):
        g = 3 * x**2
        return g + np.array([1.0, -1.0, 2.0, -2.0])

    error_of(cubed, rng.uniform(0.5, 2, 4), grad=gradient)


def test_nan_where_the_function_has_a_derivative_is_wrong():
    error = error_of(cubed, np.array([1.0, 2.0]), grad=lambda x: np.array([3.0, np.nan]))
    assert error.index == (1,)


def test_a_gradient_of_the_wrong_shape_is_named():
    with pytest.raises(GradientError, match=r"dx has shape \[1, 3\], and its argument has shape \[3\]"):
        check_gradients(cubed, np.ones(3), grad=lambda x: 3 * x[None] ** 2)


def test_the_second_order_is_checked_too():
    @ac.op("x^4", examples=())
    def fourth(x):
        return x**4

    try:

        @fourth.vjp("4x^3")
        def _(g, z, x):  # right by its value, but it drops the record of x
            return g * 4 * ac.stop_gradient(x) ** 3

        assert check_gradients(fourth, 1.5, order=1).verdict == "pass"
        error = error_of(fourth, 1.5)
    finally:
        del ac.REGISTRY["fourth"]
    assert "second derivative" in str(error)
    assert error.got == 0.0
    assert abs(error.expected) == pytest.approx(12 * 1.5**2, rel=0.51)  # times the gradient that arrives


# -- the message -------------------------------------------------------------------------------------------


def lecture_loss(W1, b1, W2, b2):
    x = np.linspace(-1, 1, 20).reshape(5, 4)
    a1 = np.tanh(x @ W1 + b1)
    return np.sum((a1 @ W2 + b2) ** 2)


def lecture_backward(W1, b1, W2, b2):
    x = np.linspace(-1, 1, 20).reshape(5, 4)
    a1 = np.tanh(x @ W1 + b1)
    dz2 = 2 * (a1 @ W2 + b2)
    da1 = dz2 @ W2.T
    dz1 = da1 * (1 - a1**2)
    return {"dW1": x.T @ dz1, "db1": da1.sum(axis=0), "dW2": a1.T @ dz2, "db2": dz2.sum(axis=0)}


WEIGHTS = [rng.normal(size=s) for s in ((4, 6), (6,), (6, 3), (3,))]


def test_the_lecture_in_which_db1_sums_da1_is_told_that_db1_is_wrong():
    error = error_of(lecture_loss, *WEIGHTS, grad=lecture_backward)
    assert "db1" in str(error).splitlines()[0]
    assert (error.gradient, error.argument) == ("db1", "b1")
    for right in ("dW1", "dW2", "db2"):
        assert right not in str(error).split("verdicts")[0]


@pytest.mark.parametrize("shape", ["tuple", "one dict for all", "keyed without the d"])
def test_the_wrong_gradient_is_named_however_gradients_are_handed_over(shape):
    names = ["W1", "b1", "W2", "b2"]
    if shape == "tuple":
        error = error_of(lecture_loss, *WEIGHTS, grad=lambda *a: tuple(lecture_backward(*a).values()))
    elif shape == "keyed without the d":
        error = error_of(lecture_loss, *WEIGHTS, grad=lambda *a: {k[1:]: v for k, v in lecture_backward(*a).items()})
    else:
        error = error_of(
            lambda params: lecture_loss(**params),
            dict(zip(names, WEIGHTS, strict=True)),
            grad=lambda params: lecture_backward(**params),
        )
    assert error.gradient == "db1"
    assert "b1" in error.argument


def test_the_message_is_code_that_fails_again():
    error = error_of(lecture_loss, *WEIGHTS, grad=lecture_backward, seed=3)
    code = str(error).split("To see it again:")[1]
    code = code.replace(f"from {lecture_loss.__module__} import", "#")  # this file cannot be imported by name
    with pytest.raises(GradientError) as again:
        exec(code, {"lecture_loss": lecture_loss, "lecture_backward": lecture_backward})
    assert str(again.value).splitlines()[:4] == str(error).splitlines()[:4]


def test_an_op_of_the_table_is_named_in_the_code(monkeypatch):
    tanh = ac.REGISTRY["tanh"]
    monkeypatch.setattr(tanh, "rules", [lambda g, z, x: g * (1 - z)])
    error = error_of(tanh, np.array([[0.5, np.pi]], np.float64))
    with pytest.raises(GradientError):
        exec(str(error).split("To see it again:")[1], {})


# -- other libraries and hand-written rules ----------------------------------------------------------------


def test_a_hand_written_pullback_of_an_array_valued_function():
    def layer(x, w):
        return np.maximum(x @ w, 0)

    def right(g, x, w):
        g = g * (x @ w > 0)
        return g @ w.T, x.T @ g

    def wrong(g, x, w):
        return g @ w.T, x.T @ (g * (x @ w > 0))

    x, w = rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
    assert check_gradients(layer, x, w, grad=right).verdict == "pass"
    assert error_of(layer, x, w, grad=wrong).argument == "x"


def test_pytorch(judge):
    torch = judge("torch")

    def f(x, w):
        return torch.sum(torch.tanh(x @ w))

    def right(x, w):
        x, w = x.requires_grad_(), w.requires_grad_()
        return torch.autograd.grad(f(x, w), (x, w))

    def wrong(x, w):
        gx, gw = right(x, w)
        return gx, gw * 1.01

    x, w = torch.randn(3, 4), torch.randn(4, 2)
    assert check_gradients(f, x, w, grad=right).verdict == "pass"
    assert error_of(f, x, w, grad=wrong).argument == "w"


def test_a_float32_layer_of_pytorch_is_called_in_float32(judge):
    torch = judge("torch")
    torch.manual_seed(0)
    layer = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))

    def f(x):
        return layer(x).sum()

    def gradient(x):
        x = x.detach().clone().requires_grad_()
        return torch.autograd.grad(f(x), x)[0]

    x = torch.randn(3, 4)
    assert check_gradients(f, x, grad=gradient).verdict == "pass"
    error_of(f, x, grad=lambda x: gradient(x) * 1.05)


def test_in_float32_no_part_of_a_gradient_hides_behind_another(judge):
    jax = judge("jax")
    x = jax.numpy.asarray(rng.normal(size=(6, 5)))

    def loss(p):
        return jax.numpy.mean(jax.numpy.tanh(x @ p["w"] + p["b"]) ** 2)

    for _ in range(5):
        p = {"w": jax.numpy.asarray(rng.normal(size=(5, 3))), "b": jax.numpy.asarray(rng.normal(size=3))}
        g = jax.grad(loss)(p)
        error_of(loss, p, grad=lambda p, g=g: {"w": g["w"], "b": g["b"] * 1.05})


def test_jax_which_computes_in_float32_is_given_the_room_that_float32_needs(judge):
    jax = judge("jax")

    def f(x):
        return jax.numpy.sum(jax.numpy.sin(x) * x)

    x = rng.normal(size=(3, 4))
    assert check_gradients(f, x, grad=jax.grad(f)).verdict == "pass"
    error_of(f, x, grad=lambda x: jax.grad(f)(x) * 1.05)


# -- float32 -----------------------------------------------------------------------------------------------


def test_a_float32_gradient_is_judged_against_float64():
    report = check_gradients(lambda x, y: np.tanh(x) / y, np.float32(0.3), np.float32([1.5, 2.5]))
    assert report.verdict == "pass"
    assert "float32 against float64" in report.method


def test_a_rule_that_is_wrong_in_float32_only_is_found(monkeypatch):
    def rule(g, z, x):
        return g * (1 - z * z) * (1.1 if x.dtype == np.float32 else 1.0)

    monkeypatch.setattr(ac.REGISTRY["tanh"], "rules", [rule])
    assert check_gradients(np.tanh, 0.5, order=1).verdict == "pass"
    assert "float32" in str(error_of(np.tanh, np.float32(0.5), order=1))


# -- where derivatives are not known -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "verdict"),
    [
        (np.abs, 0.0, "inconclusive"),
        (ac.relu, 0.0, "inconclusive"),
        (np.abs, 1e-20, "pass"),
        (np.abs, 1e-150, "pass"),
        (np.abs, 1e-310, "inconclusive"),  # no room for a step between it and the kink
        (np.sign, 0.0, "inconclusive"),
        (np.sqrt, 0.0, "inconclusive"),
        (np.log, 0.0, "inconclusive"),
        (np.sqrt, -1.0, "inconclusive"),
        (np.log, 1e-20, "pass"),
        (np.log, 1e-150, "pass"),
        (np.log, 1e-310, "inconclusive"),
        (np.log, 1e300, "pass"),
        (np.exp, 1e-20, "pass"),
        (np.exp, 1e-310, "pass"),
        (np.exp, 700.0, "pass"),
        (np.exp, 1e8, "inconclusive"),  # overflows
        (np.sin, 1e6, "pass"),
        (np.sin, 1e150, "inconclusive"),  # neighbouring numbers are many periods apart
        (np.square, 1e150, "pass"),
        (np.square, 1e300, "inconclusive"),  # overflows
        (np.square, 0.0, "pass"),
        (np.tanh, np.inf, "inconclusive"),
        (np.tanh, np.nan, "inconclusive"),
        (np.max, np.array([1.0, 2.0, 2.0]), "inconclusive"),
        (np.max, np.array([1.0, 2.0, 2.0 + 1e-13]), "inconclusive"),
        (np.max, np.array([1.0, 2.0, 2.0 + 1e-5]), "pass"),
        (lambda x: np.maximum(x, 1.0) ** 2, 1.0, "inconclusive"),
        (lambda x: np.where(x > 1, (x - 1) * (x - 1), 0.0), 1.0, "inconclusive"),  # of the second order
        (lambda x: x * np.random.default_rng().normal(), 1.0, "inconclusive"),
    ],
)
def test_the_verdict_where_it_is_hard(f, x, verdict):
    report = check_gradients(f, x)
    assert report.verdict == verdict
    assert bool(report.reasons) == (verdict == "inconclusive")


def test_a_function_that_refuses_arguments_beside_the_point_is_at_the_edge_of_its_domain():
    def f(x):
        if np.any(np.asarray(getattr(x, "data", x)) < 1):
            raise ValueError("x must be 1 or more")
        return x * 1.5

    assert check_gradients(f, np.array(1.0)).verdict == "inconclusive"
    assert check_gradients(f, np.array(1.001)).verdict == "pass"
    with pytest.raises(ValueError, match="1 or more"):
        check_gradients(f, np.array(0.5))


def test_nan_at_a_kink_is_wrong():
    """Where the slopes from both sides exist, the subdifferential does, and nan is not in it."""
    assert np.isnan(error_of(lambda x: np.sqrt(np.sum(x * x)), np.zeros(3)).got)


def test_inconclusive_is_an_error_when_strict():
    assert "strict=True" in str(error_of(np.abs, 0.0, strict=True))


def test_one_kink_does_not_hide_an_error_elsewhere():
    x = rng.normal(size=(10, 10))
    x[3, 3] = 0.0

    def pullback(g, x):
        g = g * np.sign(x)
        g[7, 2] *= 1.01
        return g

    assert check_gradients(np.abs, x, grad=lambda g, x: g * np.sign(x)).verdict == "inconclusive"
    assert error_of(np.abs, x, grad=pullback).index == (7, 2)


def test_at_a_kink_a_gradient_between_the_slopes_is_allowed_and_no_other():
    for slope in (-1.0, 0.0, 0.3, 1.0):
        assert check_gradients(np.abs, 0.0, grad=lambda x, s=slope: s).verdict == "inconclusive"
    error = error_of(np.abs, 0.0, grad=lambda x: 1.5)
    assert error.expected == (-1.0, 1.0)


def test_both_arguments_of_a_tied_maximum_cannot_have_the_whole_gradient():
    def f(x, y):
        return np.maximum(x, y)

    assert check_gradients(f, 2.0, 2.0, grad=lambda x, y: (0.5, 0.5)).verdict == "inconclusive"
    assert check_gradients(f, 2.0, 2.0, grad=lambda x, y: (1.0, 0.0)).verdict == "inconclusive"
    error_of(f, 2.0, 2.0, grad=lambda x, y: (1.0, 1.0))


def test_a_domain_keeps_steps_clear_of_its_edges():
    def f(x):  # the kink is beside 1 and the steps of a number near 1 would reach over it
        return np.abs(x - 1)

    assert check_gradients(f, 1 + 1e-9, domain=Domain(kinks=(1.0,))).verdict == "pass"


def test_a_noisy_function_is_judged_by_its_taylor_remainder():
    def f(x):  # float32, with a jump in its second derivative at 1: differences converge too slowly
        return np.float32(np.where(x > 1, 3 * (x - 1) ** 2, 0.0) + x)

    report = check_gradients(f, 1.0, grad=lambda x: 1.0)
    assert report.verdict == "pass"
    assert "Taylor remainder" in report.method
    error_of(f, 1.0, grad=lambda x: 1.2)


# -- manners -----------------------------------------------------------------------------------------------


def test_tolerances_are_numpys():
    def off(x):
        return 3 * x**2 + 1e-3

    error_of(cubed, 1.0, grad=off)
    assert check_gradients(cubed, 1.0, grad=off, atol=1e-2).verdict == "pass"
    assert check_gradients(cubed, 1.0, grad=off, rtol=1e-2).verdict == "pass"
    error_of(cubed, 1.0, grad=lambda x: 3 * x**2 * (1 + 1e-11), rtol=1e-13, atol=0.0)


def test_bad_calls_are_explained():
    with pytest.raises(TypeError, match=r"expected floating numbers in one of them, .* got none; pass floats"):
        check_gradients(np.sum, np.arange(3))
    with pytest.raises(TypeError, match="positions below 1, the number of arguments, got 5"):
        check_gradients(np.sum, np.ones(3), argnums=5)
    with pytest.raises(TypeError, match=r"x: expected floating numbers, .* got int64; .* or leave it out of argnums"):
        check_gradients(lambda x, y: x * y, np.arange(3), 2.0, argnums=0)
    with pytest.raises(TypeError, match="expected floating numbers, which have a gradient, got 'text'"):
        check_gradients(lambda x: "text", 1.0)
    with pytest.raises(TypeError, match="expected one for 'b', got 'a'"):
        check_gradients(lambda a, b: a * b, 1.0, 2.0, grad=lambda a, b: {"a": b})
    with pytest.raises(ValueError, match="order: expected 1 or 2"):
        check_gradients(np.tanh, 1.0, order=3)
    with pytest.raises(ValueError, match=r"rtol: expected a number from 0 on, got -1"):
        check_gradients(np.tanh, 1.0, rtol=-1)


def test_what_is_passed_in_is_not_changed():
    x = np.ones((3, 3))
    kept = x.copy()

    def f(x):
        y = x * 2
        return y.sum()

    check_gradients(f, x)
    assert np.array_equal(x, kept)


def test_no_warning_is_left_behind():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_gradients(lambda x: np.float64(1.0) * np.asarray(x, float) if not hasattr(x, "node") else x, 1.0)
        check_gradients(np.log, 1e-8)


def test_a_lambda_and_what_it_uses_are_written_out():
    scale, offset = np.array([1.0, 2.0]), 0.5
    error = error_of(lambda x: np.sum(x * scale) + offset, np.ones(2), grad=lambda x: x * scale * 3)
    code = str(error).split("To see it again:")[1]
    assert "scale = np.array([1.0, 2.0])" in code
    with pytest.raises(GradientError):
        exec(code, {})


def test_a_function_that_calls_itself_is_written_once():
    def power(x, n):
        return x * power(x, n - 1) if n else 1.0

    with pytest.raises(GradientError) as caught:
        check_gradients(lambda x: power(x, 3), 2.0, grad=lambda x: power(x, 2))
    assert str(caught.value).count("def power(x, n)") == 1  # for the function and its gradient alike


def test_an_attribute_called_like_a_function_is_no_recursion():
    def tanh(x):
        return np.tanh(x)

    globals()["tanh"] = tanh
    try:
        with pytest.raises(GradientError):
            check_gradients(lambda x: tanh(x), 2.0, grad=lambda x: tanh(x))
    finally:
        del globals()["tanh"]


# -- what a wrong gradient could hide behind -----------------------------------------------------------------


@pytest.mark.parametrize("count", [3, 40], ids=["whole Jacobian", "random directions"])
@pytest.mark.parametrize(
    ("f", "derivative", "beside"),
    [(np.sqrt, lambda x: 0.5 / np.sqrt(x), 0.0), (np.log, lambda x: 1 / x, -1.0), (np.exp, np.exp, np.nan)]
    + [(np.exp, np.exp, x) for x in (np.inf, -np.inf)]
    + [(np.tanh, lambda x: 1 - np.tanh(x) ** 2, np.inf)],
    ids=["an edge", "outside of the domain", "nan", "inf", "-inf", "a gradient of 0 at inf"],
)
def test_what_is_not_known_of_one_number_hides_no_wrong_gradient_of_another(f, derivative, beside, count):
    x = np.append(rng.uniform(0.5, 2, count), beside)

    def off(g, x):
        return g * derivative(x) * np.where(np.arange(x.size) == 1, 1.01, 1.0)

    assert check_gradients(f, x, grad=lambda g, x: g * derivative(x)).verdict == "inconclusive"
    assert error_of(f, x, grad=off).index == (1,)


def test_a_rule_that_forgets_the_gradient_that_arrives_is_wrong_even_where_one_number_comes_out():
    for forgetful in (lambda g, z, x: 1 - z * z, lambda g, z, x: abs(g) * (1 - z * z)):
        tanh = ac.REGISTRY["tanh"]
        kept, tanh.rules = tanh.rules, [forgetful]
        try:
            error_of(np.tanh, 0.5)
            error_of(lambda x: np.sum(np.tanh(x)), np.ones(3))
        finally:
            tanh.rules = kept


def test_a_large_constant_hides_no_wrong_derivative_from_the_complex_step():
    error_of(lambda x: 1e10 + np.exp(x), 1.0, grad=lambda x: 1.01 * np.exp(x))
    assert check_gradients(lambda x: 1e10 + np.exp(x), 1.0, grad=np.exp).verdict == "pass"


# -- what could be taken for a wrong gradient ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x: np.fmod(x, 1 / 64), (-3.0,)),  # it jumps here, and every step is a multiple of its period
        (lambda x: np.exp(x) - np.exp(x) * (1 - 1e-10), (3.0,)),  # cancels in the middle
        (np.sqrt, (1e-300,)),  # the second derivative is too large for a number
        (lambda x, y: ac.relu(x) - ac.relu(y), (np.zeros(8), np.zeros(8))),  # bends up here and down there
        (lambda x, y: ac.relu(x) - ac.relu(y), (np.zeros(40), np.zeros(40))),
        (np.copysign, (0.0, 0.0)),
        (np.sort, (np.ones(5),)),  # the third of five equal numbers stands still when any one moves
        (lambda x: np.sort(x)[2], (np.ones(5),)),
    ],
)
def test_where_no_oracle_knows_nothing_is_called_wrong(f, args):
    assert check_gradients(f, *args).verdict == "inconclusive"


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sin(2 * np.pi * 64 * x),  # every step is a multiple of its period
        lambda x: 1000 * x + 5e-4 * np.abs(x),  # nearly analytic
        lambda x: 1e9 * np.ones_like(x) + x,
    ],
)
def test_right_gradients_of_functions_made_to_deceive_pass(f):
    assert check_gradients(f, 3.0, order=1).verdict == "pass"


def test_the_smooth_side_of_a_function_that_is_regular_nowhere_is_still_judged():
    def pullback(g, x):
        g = g.copy()
        g[-1] *= 1.01
        return g

    assert error_of(np.sort, np.array([1.0, 1.0, 1.0, 5.0]), grad=pullback).index == (3,)


def test_a_float64_function_with_a_float32_gradient_is_given_room():
    x = rng.normal(size=(4, 3))
    assert check_gradients(cubed, x, grad=lambda x: (3 * x**2).astype(np.float32)).verdict == "pass"
    error_of(cubed, x, grad=lambda x: (3 * x**2 * 1.01).astype(np.float32))


def test_gradients_that_are_no_real_numbers_are_refused():
    with pytest.raises(TypeError, match="dx: expected real numbers, got complex128"):
        check_gradients(cubed, np.ones(2), grad=lambda x: 3 * x**2 + 0j)
    with pytest.raises(TypeError, match="positions of arguments"):
        check_gradients(cubed, np.ones(2), argnums="x")
    with pytest.raises(TypeError, match="each argument once"):
        check_gradients(np.multiply, 1.0, 2.0, argnums=(0, 0))


def test_weights_that_the_function_closes_over_are_constants():
    weights = ac.Tensor(np.linspace(-1, 1, 12).reshape(4, 3), name="weights")
    x = np.linspace(-0.5, 0.7, 8).reshape(2, 4)

    def f(x):
        return np.tanh(x @ weights).sum()

    assert check_gradients(f, x).verdict == "pass"
    assert check_gradients(f, x, grad=ac.grad(f)).verdict == "pass"
    with pytest.raises(GradientError, match="x"):
        check_gradients(f, x, grad=lambda x: 1.01 * ac.grad(f)(x))
    assert weights.grad is None


NEARLY_SINGULAR = np.array([[0.0625, 0.09375, 0.125], [0.15625, 0.1875, 0.21875], [0.28125, 0.25, 0.3125]])


def test_what_rounding_leaves_of_a_gradient_that_cancels_to_zero_is_not_called_wrong():
    """solve(x, x) is the identity, and its gradient what large terms leave of each other: 3e-14."""

    def identity(x):
        return np.linalg.solve(x, x)

    left = ac.vjp(identity, NEARLY_SINGULAR)[1](np.eye(3)[::-1])[0]
    assert 0 < np.abs(left).max() < 1e-12
    assert check_gradients(identity, NEARLY_SINGULAR).verdict in ("pass", "inconclusive")


@pytest.mark.parametrize("error", [1e-3, 1e-9, 1e-12])
def test_a_small_gradient_of_a_function_that_stands_still_is_no_rounding(error):
    with pytest.raises(GradientError, match="expected  0"):
        check_gradients(
            lambda x: np.linalg.solve(x, x),
            NEARLY_SINGULAR,
            grad=lambda g, x: error * g,
        )


def test_an_array_of_many_numbers_takes_few_calls_and_one_wrong_element_is_found():
    x = np.random.default_rng(0).normal(size=(50, 50))
    factors = np.ones_like(x)
    calls = {"f": 0, "grad": 0}

    def f(x):
        calls["f"] += 1
        return np.tanh(x)

    def grad(g, x):
        calls["grad"] += 1
        return g * factors * (1 - np.tanh(x) ** 2)

    assert check_gradients(f, x, grad=grad).verdict == "pass"
    assert calls["f"] <= 60  # two for each of the 2,500 numbers, as usual differences take them, would be 5,000
    assert calls["grad"] <= 8
    factors[17, 23] = 1.001
    with pytest.raises(GradientError) as raised:
        check_gradients(f, x, grad=grad)
    assert raised.value.index == (17, 23)
    assert raised.value.argument == "x"
