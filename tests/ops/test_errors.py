"""What does not work says so, and names what to write instead."""

import operator

import numpy as np
import pytest

from autograd_core import Tensor


@pytest.fixture
def t():
    return Tensor([[2.0, 1.0], [1.0, 3.0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: np.emath.log(t), r"np\.emath\.log on Tensors is out of scope"),
        (lambda t: np.roots(t[0]), r"write np\.linalg\.eigvals\(np\.concatenate\("),
        (lambda t: np.fill_diagonal(t, 0), r"t\.at\[np\.diag_indices_from\(t\)\]\.set"),
        (lambda t: np.put(t, 0, 1), r"t\.at\[np\.unravel_index\(indices, t\.shape\)\]\.set"),
        (lambda t: np.copyto(t, 0), r"t\.at\[index\]\.set"),
        (lambda t: t.__setitem__(0, 1), r"t\.at\[index\]\.set"),
        (lambda t: np.add(t, 1, out=np.zeros((2, 2))), "not take out="),
        (lambda t: np.sum(t, out=np.zeros(())), "not take out="),
        (lambda t: operator.iadd(np.zeros((2, 2)), t), r"a = a \+ t for a \+= t"),
        (lambda t: t + np.array(["a", "b"]), "an ndarray of <U1"),
        (lambda t: np.exp(t, where=np.eye(2) > 0), r"np\.where\(mask"),
        (lambda t: np.sum(t, where=np.eye(2) > 0), r"does not take where=; write np\.sum\(np\.where\(mask, t, 0\)\)"),
        (lambda t: np.prod(t, where=np.eye(2) > 0), r"np\.where\(mask, t, 1\)"),
        (lambda t: np.min(t, where=np.eye(2) > 0, initial=1), r"np\.min\(np\.where\(mask, t, np\.inf\)"),
        (lambda t: np.mean(t, where=np.eye(2) > 0), r"np\.average\(t, weights=np\.broadcast_to\(mask, t\.shape\)\)"),
        (lambda t: np.sum(t, initial=1), r"np\.sum\(t\) \+ initial"),
        (lambda t: np.prod(t, initial=2), r"np\.prod\(t\) \* initial"),
        (lambda t: np.exp(t, order="F"), r"does not take order=.*leave it out"),
        (lambda t: np.less(1.0, 2.0, out=t), r"does not take out="),
        (lambda t: np.pad(t, 1.5), "whole numbers"),
        (lambda t: np.add.at(t, 0, 1), r"t\.at\[index\]\.add"),
        (lambda t: np.add.reduceat(t, [0]), "np.add.reduce on each part"),
        (lambda t: np.subtract.reduce(t), r"np\.subtract\.reduce has no gradient rule"),
        (lambda t: np.pad(t, 1, mode="linear_ramp"), "a mode of constant, edge, reflect"),
        (lambda t: np.frompyfunc(abs, 1, 1)(t), "the ufunc abs.* has no gradient rule"),
    ],
)
def test_type_errors(t, call, message):
    with pytest.raises(TypeError, match=message):
        call(t)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: np.einsum("ij,jk", t), "as many arrays as terms in 'ij,jk', 2, got 1"),
        (lambda t: np.einsum("ijk", t), "the axes 'ijk', got one of 2 axes"),
        (lambda t: np.cross(t, t), "vectors of 3 numbers"),
        (lambda t: np.tensordot(t, np.ones((3, 2)), 1), "same lengths, pair by pair"),
        (lambda t: np.split(t, 3), "array_split"),
        (lambda t: np.vecdot(t, np.ones((2, 1))), "two last axes of the same length"),
        (lambda t: np.vecdot(t[0, 0], t[0, 0]), "two last axes of the same length"),
        (lambda t: np.stack([t, t[0]]), "arrays of one shape"),
        (lambda t: np.average(t, axis=0, weights=[1.0, 2.0, 3.0]), "one number for each place"),
        (lambda t: np.take_along_axis(t, np.array([0]), axis=1), "as many axes as x"),
        (lambda t: np.linalg.norm(t, 3), "an order for 2 axes, a number for a vector, got 3"),
        (lambda t: np.gradient(t[:1], axis=0), "more samples"),
        (lambda t: np.tril(t[0, 0]), "tril: expected 1 axes at least"),
        (lambda t: np.where(t > 0, t), "both x and y, or neither"),
        (lambda t: t[None].transpose(1, 2), r"all 3 axes .* t\.swapaxes\(1, 2\)"),
        (lambda t: np.select([], []), "number of cases|conditions|empty"),
        (lambda t: np.select([t > 0], []), "as many choices|same length|conditions"),
    ],
)
def test_value_errors(t, call, message):
    with pytest.raises(ValueError, match=message):
        call(t)


@pytest.mark.parametrize(
    ("method", "rewrite"), [("sort", "np.sort"), ("fill", "full_like"), ("put", "at"), ("resize", "reshape")]
)
def test_methods_that_change_an_array_are_not_there(t, method, rewrite):
    with pytest.raises(AttributeError, match=rewrite):
        getattr(t, method)
    assert not hasattr(t, method)


def test_linear_algebra_keeps_numpys_errors():
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        np.linalg.inv(Tensor(np.zeros((2, 2))))
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        np.linalg.cholesky(Tensor(-np.eye(2)))


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda t: t + np.ones(3), "shapes broadcast when"),
        (lambda t: np.clip(t, np.ones(3), 5), "shapes broadcast when"),
        (lambda t: t @ np.ones(3), "the last axis of the first"),
        (lambda t: Tensor(np.array([1, 2])) ** -1, None),
        (lambda t: np.linalg.solve(t * 0, t), None),
        (lambda t: np.linalg.solve(t, np.ones(3)), None),
    ],
)
def test_only_shapes_that_do_not_fit_get_the_advice_about_shapes(t, call, hint):
    with pytest.raises(ValueError, match=r"broadcast|dimension|Integers|Singular") as error:
        call(t)
    note = error.value.__notes__[-1]
    assert hint in note if hint else "shapes" not in note
