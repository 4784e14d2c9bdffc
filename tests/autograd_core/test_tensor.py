"""What a Tensor is, and how it behaves among NumPy arrays and Python numbers."""

import copy
import math
import pickle

import numpy as np
import pytest

from autograd_core import GradientLossError, GraphError, Tensor, no_grad, sigmoid, stop_gradient

# -- making one --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [3, 3.0, [1, 2], [[1, 2.5]], (1, 2)])
def test_python_numbers_are_real_numbers(data):
    t = Tensor(data)
    assert t.dtype == np.float64
    assert t.requires_grad


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32, np.uint8, bool])
def test_an_array_keeps_its_dtype_and_only_floating_ones_record(dtype):
    t = Tensor(np.ones((2, 3), dtype))
    assert t.dtype == dtype
    assert t.requires_grad == (np.dtype(dtype).kind == "f")


def test_the_data_is_a_copy():
    a = np.zeros(3)
    t = Tensor(a)
    a[0] = 1
    assert t.tolist() == [0, 0, 0]


def test_asking_whole_numbers_for_gradients_says_why_not():
    with pytest.raises(TypeError, match=rf"{np.dtype(int)} cannot have a gradient.*dtype=float"):
        Tensor(np.arange(3), requires_grad=True)


def test_a_name_is_a_string():
    with pytest.raises(TypeError, match=r"name of a Tensor: expected a string.*, got 3"):
        Tensor(np.ones(2), name=3)
    t = Tensor(np.ones(2), name="w")
    with pytest.raises(TypeError, match=r"name of a Tensor: expected a string.*, got \['a'\]"):
        t.name = ["a"]
    assert t.name == "w"
    t.name = None
    assert t.name is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("three", "expected numbers"),
        (None, "expected numbers"),
        (np.ma.masked_array([1.0], [True]), "filled"),
    ],
)
def test_what_is_no_real_number_is_refused(data, message):
    with pytest.raises(TypeError, match=message):
        Tensor(data)


def test_whole_numbers_of_any_length_are_real_numbers():
    assert Tensor(10**30).item() == 1e30
    assert Tensor([10**30, 1]).tolist() == [1e30, 1.0]
    with pytest.raises(OverflowError, match=r"numbers up to 1\.798e\+308"):
        Tensor(10**400)


def test_the_square_of_booleans_is_a_number():
    bits = np.array([True, False])
    assert np.square(Tensor(bits)).dtype == np.square(bits).dtype == (Tensor(bits) ** 2).dtype
    assert (Tensor(bits) * Tensor(bits)).dtype == bool


def test_a_list_of_tensors_is_no_array_of_numbers():
    with pytest.raises(GradientLossError, match=r"np\.stack"):
        Tensor([Tensor(1.0), Tensor(2.0)])


# -- reading it --------------------------------------------------------------------------------------------


def test_a_tensor_of_a_tensor_that_records_would_forget_where_it_came_from():
    x = Tensor(2.0, name="x")
    with pytest.raises(GradientLossError, match=r"Tensor\(t\) would drop the gradient of 'x'.*Tensor\(t\.data\)"):
        Tensor(x)
    assert Tensor(x.detach()).item() == 2


def test_shape_and_company():
    t = Tensor(np.zeros((2, 3), np.float32))
    assert (t.shape, t.ndim, t.size, len(t), t.dtype, t.T.shape) == ((2, 3), 2, 6, 2, np.float32, (3, 2))


def test_item_is_a_python_number_and_needs_one_element():
    assert type(Tensor([2.5]).item()) is float
    with pytest.raises(ValueError, match=r"exactly one element.*\[2\]"):
        Tensor([1, 2]).item()


def test_iterating_gives_recorded_elements():
    t = Tensor([1.0, 2.0, 3.0])
    first, *_, last = t
    (first * last).backward()
    assert t.grad.tolist() == [3, 0, 1]


def test_a_number_has_no_length():
    with pytest.raises(TypeError, match="no length"):
        len(Tensor(1.0))


def test_truth_and_membership_are_those_of_the_values():
    assert Tensor(1.0)
    assert not Tensor(0.0)
    assert 2.0 in Tensor([1.0, 2.0])
    assert 3.0 not in Tensor([1.0, 2.0])


def test_comparisons_give_plain_arrays():
    t = Tensor([1.0, 2.0])
    for result in (t < 2, t <= Tensor([1.0, 1.0]), t == 1, t != 1, t < 2, np.array([0, 3]) >= t):
        assert type(result) is np.ndarray
        assert result.dtype == bool


def test_hash_is_identity():
    a, b = Tensor(1.0), Tensor(1.0)
    assert {a: "a", b: "b"}[b] == "b"


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (Tensor(3.0), "Tensor(3.)"),
        (Tensor([1, 2]), "Tensor([1., 2.])"),
        (Tensor(np.float32(0.5), name="w"), "Tensor(0.5, dtype=float32, name='w')"),
        (Tensor(1.0, requires_grad=False), "Tensor(1., requires_grad=False)"),
        (Tensor(1.0) + 1, "Tensor(2., op=add)"),
    ],
)
def test_repr(tensor, text):
    assert repr(tensor) == text


def test_formatting():
    assert f"{Tensor(2.0) / 3:.3f}" == "0.667"
    assert f"{Tensor([1.0, 2.0]):.1f}" == "[1.0 2.0]"
    assert f"{Tensor(1.0)}" == "Tensor(1.)"


def test_a_copy_keeps_the_name():
    t = Tensor([1.0, 2.0], name="t") * 2
    t.name = "double"
    w = Tensor([2.0, 4.0], name="double")
    for twin in (copy.copy(t), copy.deepcopy(t), copy.copy(w), copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert twin.tolist() == [2, 4]
        assert twin.name == "double"


# -- never losing a gradient in silence --------------------------------------------------------------------


@pytest.mark.parametrize(
    "convert",
    [float, int, complex, math.exp, math.sqrt, np.asarray, np.array],
)
def test_what_would_drop_the_gradient_raises_and_shows_the_way(convert):
    with pytest.raises(GradientLossError, match=r"drop the gradient of 'w'.*(np\.exp|np\.stack|t\.data)"):
        convert(Tensor(1.0, name="w"))


def test_putting_a_tensor_into_an_array_raises_with_the_way_out_as_its_cause():
    a = np.zeros(3)
    with pytest.raises(ValueError, match="setting an array element") as caught:
        a[0] = Tensor(1.0, name="w")
    assert "np.stack" in str(caught.value.__cause__)
    with pytest.raises(GradientLossError, match=r"np\.stack"):
        a[:2] = Tensor([1.0, 2.0])


def test_constants_convert_freely():
    t = Tensor(4.0, requires_grad=False)
    assert (float(t), int(t), math.sqrt(t), np.asarray(t).tolist()) == (4.0, 4, 2.0, 4.0)
    a = np.zeros(2)
    a[1] = t
    assert a.tolist() == [0, 4]


def test_assigning_an_element_shows_the_rewrite():
    with pytest.raises(TypeError, match=r"np\.where\(mask, new, t\)"):
        Tensor([1.0, 2.0])[0] = 1


def test_plus_equals_rebinds_and_leaves_the_data_alone():
    x = y = Tensor([1.0])
    y += 1
    assert x.tolist() == [1]
    assert y.tolist() == [2]


# -- among arrays ------------------------------------------------------------------------------------------


def test_operators_work_in_both_directions_with_numbers_arrays_and_lists():
    t = Tensor([1.0, 2.0])
    for other in (3.0, 3, np.float64(3), np.array([3.0, 3.0]), [3, 3]):
        assert (t + other).tolist() == (other + t).tolist() == [4, 5]
        assert (t - other).tolist() == [-2, -1]
        assert (other - t).tolist() == [2, 1]
        assert (other * t).tolist() == [3, 6]
        np.testing.assert_allclose((other / t).data, [3, 1.5])
        np.testing.assert_allclose((other**t).data, [3, 9])
        assert isinstance(other + t, Tensor)
    assert (np.eye(2) @ t).tolist() == (t @ np.eye(2)).tolist() == [1, 2]
    assert ((-t).tolist(), (+t).tolist(), abs(-t).tolist()) == ([-1, -2], [1, 2], [1, 2])


def test_numpy_functions_record():
    t = Tensor([1.0, 4.0])
    (np.sqrt(t).sum() + np.concatenate([t, np.ones(2)]).mean() + np.sum(a=t)).backward()
    np.testing.assert_allclose(t.grad, [0.5 + 0.25 + 1, 0.25 + 0.25 + 1])


def test_ops_on_arrays_give_arrays():
    assert type(sigmoid(np.zeros(2))) is np.ndarray


def test_a_numpy_function_without_a_rule_is_named():
    unknown = np.frompyfunc(lambda x: x, 1, 1)
    with pytest.raises(TypeError, match=r"has no gradient rule.*t\.data"):
        unknown(Tensor([1.0]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: np.exp(t, out=np.zeros(2)), r"np\.exp on Tensors does not take out=.*result = np\.exp"),
        (lambda t: np.exp(t, where=np.array([True, False])), r"does not take where=.*np\.where\(mask"),
        (lambda t: np.add.reduceat(t, [0]), r"np\.add\.reduceat has no gradient rule"),
        (lambda t: np.max(t, initial=3.0), r"does not take initial=.*np\.maximum\(np\.max\(t\), initial\)"),
    ],
)
def test_what_numpy_can_do_and_tensors_cannot_names_the_rewrite(call, message):
    with pytest.raises(TypeError, match=message):
        call(Tensor([1.0, 2.0]))


def test_a_tensor_does_not_mix_with_text():
    with pytest.raises(TypeError, match=r"unsupported operand.*'Tensor' and 'str'"):
        Tensor(1.0) + "1"
    with pytest.raises(TypeError, match="sigmoid: expected Tensors, arrays and numbers, got a str"):
        sigmoid("1")


def test_another_types_own_operator_gets_its_turn():
    class Unit:
        def __rmul__(self, other):
            return (other, "metres")

    t = Tensor(2.0)
    assert t * Unit() == (t, "metres")


@pytest.mark.parametrize(
    ("compute", "note"),
    [
        (lambda x, y: x @ y, r"in matmul(float32[2, 3], float64[4, 5]): the last axis of the first"),
        (lambda x, y: x + y, r"in add(float32[2, 3], float64[4, 5]): shapes broadcast when"),
    ],
)
def test_shapes_that_do_not_fit_are_told_with_the_op_both_shapes_and_what_would_fit(compute, note):
    with pytest.raises(ValueError, match=r"matmul|broadcast") as caught:
        compute(Tensor(np.ones((2, 3), np.float32)), Tensor(np.ones((4, 5))))
    assert note in caught.value.__notes__[0]


# -- recording or not --------------------------------------------------------------------------------------


def test_nothing_is_recorded_inside_no_grad():
    t = Tensor(2.0)
    with no_grad():
        assert not (t * t).requires_grad
        with no_grad():
            pass
        assert not (t * t).requires_grad
    assert (t * t).requires_grad


def test_no_grad_is_a_decorator_too_and_survives_an_exception():
    @no_grad()
    def f(t):
        if t > 1:
            raise KeyError
        return t * t

    assert not f(Tensor(0.5)).requires_grad
    with pytest.raises(KeyError):
        f(Tensor(2.0))
    assert (Tensor(2.0) * 1).requires_grad


def test_nothing_flows_through_detach_and_stop_gradient():
    t = Tensor(3.0)
    (t * t.detach() + t * stop_gradient(t)).backward()
    assert t.grad == 6


# -- changing it -------------------------------------------------------------------------------------------


def test_a_leafs_data_can_be_changed_before_it_is_used():
    t = Tensor([1.0, 2.0])
    t.data[0] = 5
    t.data = t.data * 2
    t.data -= 1
    assert t.tolist() == [9, 3]


def test_only_a_leafs_data_can_be_changed():
    t = Tensor(1.0) * 2
    with pytest.raises(GraphError, match="only a leaf's data"):
        t.data = 3.0


def test_new_data_has_the_old_shape_and_takes_the_old_dtype():
    t = Tensor(np.zeros(2, np.float32), name="w")
    t.data = [1, 2]
    assert t.dtype == np.float32
    with pytest.raises(ValueError, match=r"'w'.*\[3\]"):
        t.data = np.zeros(3)


def test_astype_carries_the_gradient_back_in_the_old_dtype():
    t = Tensor(np.ones(2, np.float32))
    t.astype(np.float64).sum().backward()
    assert t.grad.dtype == np.float32
    assert not t.astype(int).requires_grad


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("math.tanh(t)", "tanh"),
        ("math.exp(math.tanh(t))", "tanh"),
        ("math.tanh(math.exp(0.5) * 1) + sqrt(t)", "sqrt"),
        ("sqrt(t) if math.sin(1.0) else 0", "sqrt"),
        ("math.atan2(t, math.pi)", "atan2"),
        ("float(t)", "exp"),
        ("math.gamma(t)", "exp"),
    ],
)
def test_the_function_of_math_that_was_called_is_named_as_numpys(code, name):
    with pytest.raises(GradientLossError, match=rf"use np\.{name}\(t\) for math\.{name}\(t\)"):
        eval(code, {"math": math, "sqrt": math.sqrt, "t": Tensor(0.5)})
