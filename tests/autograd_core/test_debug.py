"""The first NaN or Inf is met with its op, its line, its values and its usual cause."""

import numpy as np
import pytest

import nn
from autograd_core import GraphError, NonFiniteError, Tensor, debug, logsumexp, no_grad, softmax


def test_the_first_infinity_names_op_line_value_index_and_cause():
    x = Tensor([[1.0, 0.0], [2.0, 3.0]], name="x")
    with pytest.raises(NonFiniteError) as caught, debug():
        np.log(x)  # this very line
    message = str(caught.value)
    for part in ("log made the first -inf", "'x' = 0", "[0, 1]", "test_debug.py:", "this very line", "usual cause"):
        assert part in message


def test_both_operands_are_shown_at_the_index():
    with pytest.raises(NonFiniteError, match=r"divide made the first inf: x = 1, 'y' = 0 at index \[2\]"), debug():
        1 / Tensor([1.0, 2.0, 0.0], name="y")


def test_a_nan_in_the_data_is_not_blamed_on_the_op():
    with pytest.raises(NonFiniteError, match=r"nan came into multiply with its argument 'data'"), debug():
        Tensor([1.0, np.nan], name="data") * 2


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
@pytest.mark.parametrize(
    ("call", "cause"),
    [
        (lambda x: np.log10(x), "logarithm of zero"),
        (lambda x: np.reciprocal(x), "division by zero"),
        (lambda x: np.mean(x[:0]), "mean of no elements"),
        (lambda x: np.linalg.slogdet(np.outer(x, x)), "singular matrix"),
    ],
)
def test_the_usual_cause_is_that_of_the_function(call, cause):
    with pytest.raises(NonFiniteError, match=cause), debug():
        call(Tensor([0.0, 1.0]))


@pytest.mark.parametrize("add_up", [np.sum, np.mean, np.cumsum, lambda x: x + x])
@pytest.mark.parametrize(
    ("dtype", "largest"), [("float32", r"float32, 3\.4e\+38"), ("float64", r"float64, 1\.8e\+308")]
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_a_sum_that_overflows_names_the_largest_number_it_could_hold(add_up, dtype, largest):
    x = Tensor(np.full(4, np.finfo(dtype).max), dtype=dtype)
    with (
        pytest.raises(NonFiniteError, match=rf"usual cause: a sum beyond the largest {largest}, .*learning rate"),
        debug(),
    ):
        add_up(x)


@pytest.mark.parametrize("cancel", [np.sum, np.cumsum, lambda x: x[0] + x[1], lambda x: x[0] - -x[1]])
def test_infinities_that_cancel_are_told_apart_from_an_overflow(cancel):
    with pytest.raises(NonFiniteError, match="usual cause: infinity minus infinity"), debug():
        cancel(Tensor([np.inf, -np.inf]))


def test_the_gradient_is_watched_too():
    x = Tensor([4.0, 0.0], name="x")
    with debug():
        y = np.sqrt(x).sum()
        with pytest.raises(NonFiniteError, match=r"gradient of sqrt.*'x' is the first inf: 'x' = 0.*upstream.* 1") as e:
            y.backward()
    assert "y = np.sqrt(x).sum()" in str(e.value)
    assert x.grad is None


@pytest.mark.parametrize("f", [lambda t: t * 1e308 + t * 1e308, lambda t: np.sum(t * np.full(2, 1e308))])
def test_gradients_that_overflow_where_they_are_added_up_are_found(f):
    t = Tensor(0.1, name="t")
    with np.errstate(all="ignore"), debug():
        y = f(t)
        with pytest.raises(NonFiniteError, match=r"the gradient of 't'.* is the first inf, where .* added up"):
            y.backward()


def test_a_matrix_product_shows_sizes_instead_of_values():
    big = Tensor(np.full((2, 3), 1e200))
    with pytest.raises(NonFiniteError, match=r"matmul made the first inf: x = float64\[2, 3\] with largest"), debug():
        big @ big.T


def test_data_written_to_in_place_is_noticed_only_here():
    w = Tensor([1.0, 2.0], name="w")
    with debug():
        loss = (w * w).sum()
        w.data[0] = 5
        with pytest.raises(GraphError, match=r"'w' was written to after multiply.*test_debug\.py"):
            loss.backward()


def test_debug_ends_with_its_block_and_works_inside_no_grad():
    with debug(), no_grad(), pytest.raises(NonFiniteError):
        np.log(Tensor(0.0))
    with np.errstate(divide="ignore"):
        assert np.isinf(np.log(Tensor(0.0)).data)


def test_values_and_gradients_are_the_same():
    x = Tensor([0.3, 0.7])
    with debug():
        y = (np.tanh(x) @ x) * 2
        y.backward()
    t = np.tanh(x.data)
    np.testing.assert_allclose(x.grad, 2 * ((1 - t * t) * x.data + t))


def test_a_mask_of_infinities_that_was_put_in_on_purpose_passes():
    mask = np.where(np.tri(3, dtype=bool), 0.0, -np.inf)
    scores = Tensor(np.arange(9.0).reshape(3, 3))
    with debug():
        for masked in (scores + mask, np.where(mask == 0, scores, -np.inf)):
            weights = softmax(masked)
            (weights * logsumexp(masked, axis=-1)).sum().backward()
    assert np.isfinite(scores.grad).all()


def test_an_infinity_made_beside_one_that_was_put_in_is_found():
    x = Tensor([1.0, 1000.0], name="x")
    with debug():
        y = x * np.array([-np.inf, 1.0])
        with pytest.raises(NonFiniteError, match=r"exp made the first inf: x = 1000 at index \[1\]"):
            np.exp(y)


def test_a_nan_made_of_infinities_is_found():
    with (
        pytest.raises(NonFiniteError, match=r"subtract made the first nan: 'x' = inf, y = inf at index \[1\]"),
        debug(),
    ):
        Tensor([0.0, np.inf], name="x") - np.inf


def test_a_nan_that_the_walk_began_with_is_blamed_on_nobody():
    with debug():
        y = Tensor([1.0, 2.0]) * 2
        with pytest.raises(NonFiniteError, match="nan was in the gradient that the walk began with"):
            y.backward(np.array([1.0, np.nan]))


def test_an_infinite_slope_of_a_matrix_product_shows_sizes():
    w, x = Tensor(np.full((2, 2), 1e300)), Tensor(np.full((2, 2), 1e-300))
    with debug():
        y = w @ x
        with pytest.raises(
            NonFiniteError, match=r"gradient of matmul .* x = float64\[2, 2\] with .*upstream gradient f"
        ):
            y.backward(np.full((2, 2), 1e300))


def test_the_line_inside_a_layer_is_the_persons_own():
    layer = nn.layers.Dense(2, activation=np.log, kernel_initializer="zeros")
    with pytest.raises(NonFiniteError, match=r"log made the first -inf.*test_debug\.py:\d+: layer\(np\.ones"), debug():
        layer(np.ones((1, 2)))


@pytest.mark.parametrize("what", ["index", "result"])
def test_parameters_and_results_written_to_are_noticed(what):
    x, index = Tensor([1.0, 2.0, 3.0]), np.array([0, 1])
    with debug():
        y = np.exp(x[index])
        (index if what == "index" else y.node.out)[0] = 2
        with pytest.raises(GraphError, match=what + " was written to after"):
            y.sum().backward()


def test_a_released_graph_is_told_apart_from_a_changed_one():
    with debug():
        y = Tensor(2.0) * 3
        y.backward(release=True)
        with pytest.raises(GraphError, match="released"):
            y.backward()


def test_the_line_that_changed_a_leaf_is_the_persons_own():
    kernel = nn.layers.Dense(1)
    loss = np.sum(kernel(np.ones((2, 3), np.float32)))
    optimizer = nn.optimizers.SGD()
    optimizer.apply_gradients([(np.ones((3, 1)), kernel.kernel)])
    with pytest.raises(GraphError, match=r"'dense.*/kernel'.*test_debug.py:\d+: optimizer.apply_gradients"):
        loss.backward()
