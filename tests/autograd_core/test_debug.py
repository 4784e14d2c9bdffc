"""The first NaN or Inf is met with its op, its line, its values and its usual cause."""

import numpy as np
import pytest

from autograd_core import GraphError, NonFiniteError, Tensor, debug, no_grad


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


def test_the_gradient_is_watched_too():
    x = Tensor([4.0, 0.0], name="x")
    with debug():
        y = np.sqrt(x).sum()
        with pytest.raises(NonFiniteError, match=r"gradient of sqrt.*'x' is the first inf: 'x' = 0.*upstream.* 1") as e:
            y.backward()
    assert "y = np.sqrt(x).sum()" in str(e.value)
    assert x.grad is None


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
