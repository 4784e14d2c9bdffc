"""Why a gradient is what it is: the paths to the result, counted and added up, in Python and on the page."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_core import Tensor, explain, relu, sigmoid, softmax

OPS = [np.add, np.multiply, np.subtract, np.maximum, np.tanh, np.square, relu]


@st.composite
def graphs(draw):
    """The steps of a random graph of single numbers, in which much is used more than once."""
    leaves = [round(draw(st.floats(-2, 2)), 2) for _ in range(draw(st.integers(1, 3)))]
    values = [Tensor(x, name=f"leaf{i}") for i, x in enumerate(leaves)]
    for _ in range(draw(st.integers(1, 9))):
        op, one, other = draw(st.sampled_from(OPS)), draw(st.sampled_from(values)), draw(st.sampled_from(values))
        values.append(op(one, other) if op in OPS[:4] else op(one))
    return explain(values[-1], names={})


def network():
    """A network of 2-3-1 on XOR."""
    x, y = Tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]], name="x"), np.array([[0.0], [1], [1], [0]])
    w1, b1 = Tensor([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]], name="w1"), Tensor([0.1, -0.2, 0.3], name="b1")
    w2, b2 = Tensor([[1.0], [-2.0], [0.5]], name="w2"), Tensor(0.25, name="b2")
    return explain(np.mean((sigmoid(np.tanh(x @ w1 + b1) @ w2 + b2) - y) ** 2), names={})


def every_path(steps, name):
    """All ways from a value to the result, one by one, as lists of the steps that they are made of."""
    if name == steps.result:
        return [[]]
    back = [s for s in steps if s.kind == "backward" and s.name == name]
    return [[step, *rest] for step in back for rest in every_path(steps, step.output)]


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_the_products_of_all_paths_add_up_to_the_gradient(steps):
    for name in steps.leaves:
        found = steps.paths(name, most=5000)
        walked = every_path(steps, name)
        assert found.count == len(walked)
        assert len(found.largest) == min(found.count, 5000)
        sizes = [abs(p.product) for p in found.largest]
        if all(map(math.isfinite, sizes)):
            assert sizes == sorted(sizes, reverse=True)
            total = math.fsum(p.product for p in found.largest)
            np.testing.assert_allclose(total, found.gradient, rtol=1e-9, atol=1e-9 * max(sizes, default=0))
        for path in found.largest:
            assert (path.names[0], path.names[-1]) == (name, steps.result)
            assert all(a in steps.values[b].parents for a, b in pairwise(path.names))
            np.testing.assert_allclose(math.prod(path.factors), path.product, rtol=1e-13)  # in another order
        assert [p.product for p in steps.paths(name, most=3).largest] == [p.product for p in found.largest[:3]]


def dead():
    w, x, b = Tensor(2.0, name="w"), Tensor(-1.0, name="x"), Tensor(0.5, name="b")
    h = relu(w * x + b)
    return explain(h * 3 + w * 0.01 * b + h * h, names={})


def test_a_dead_relu_is_named():
    assert str(dead().paths("x")).splitlines() == [
        "∂f/∂x = 0 is the sum of 3 paths:",
        "  2 · 1 · 0 · 3 · 1 · 1 = 0, through v1, v2, v3, v4, v7, f; 0 because of ∂v3/∂v2",
        "  2 · 1 · 0 · 0 · 1 = 0, through v1, v2, v3, v8, f; 0 because of ∂v3/∂v2",
        "  2 · 1 · 0 · 0 · 1 = 0, through v1, v2, v3, v8, f; 0 because of ∂v3/∂v2",
    ]


def test_there_may_be_more_paths_than_can_be_walked():
    x = Tensor(0.5, name="x")
    f = x
    for _ in range(200):
        f = f * 0.5 + f * 0.25 + f * 0.25
    found = explain(f, np.ones(()), names={}).paths("x", most=2)
    assert found.count == 3**200
    assert len(found.largest) == 2


def test_what_paths_cannot_follow_is_said():
    steps = dead()
    with pytest.raises(ValueError, match="expected the name of a value, such as 'w', got 'q'"):
        steps.paths("q")
    with pytest.raises(ValueError, match="most: expected a number from 1 on, got 0"):
        steps.paths("w", most=0)
    x = Tensor([1.0, 2.0], name="x")
    with pytest.raises(ValueError, match=r"single numbers all the way from x to f, got x of shape \[2\]"):
        explain(np.sum(x), names={}).paths("x")


# -- on the page ---------------------------------------------------------------------------------------------------


def ask(page, name):
    if page.locator("#why").get_attribute("open") is None:
        page.locator("#why summary").click()
    page.locator("#question-why").select_option(name)
    return page.locator("#paths-said").text_content()


def test_the_page_tells_the_paths_of_python(visit):
    steps = dead()
    page = visit(steps)
    for name in steps.leaves:
        found = steps.paths(name)
        said = ask(page, name)
        assert f"∂f/∂{name} = {found.gradient:.6g}. {found.count} paths lead from {name} to f" in said
        products = [float(t.rpartition("= ")[2]) for t in page.locator("#paths li > p:first-child").all_text_contents()]
        assert products == [p.product for p in found.largest]
    ask(page, "x")
    assert "Each has a factor that is 0." in page.locator("#paths-said").text_content()
    assert page.locator("#paths li").first.locator("mark").all_text_contents() == ["0"]
    assert page.locator("#paths li").first.locator("mark").get_attribute("title") == "∂v3/∂v2"
    assert "0 because of ∂v3/∂v2 = 0" in page.locator("#paths li").first.text_content()
    page.get_by_label("b", exact=True).fill("3")  # and the relu is alive
    assert "Their sum is the gradient: 10." in page.locator("#paths-said").text_content()


PATHS_OF = "i => ways(i).map(({ count, best }) => [count, best.map(({ product }) => product)])"


@pytest.mark.parametrize("broadcast", [False, True])
def test_paths_of_the_elements_of_arrays_add_up_to_their_gradients(visit, broadcast):
    if broadcast:
        x, b = Tensor([[1.0, -2.0], [0.5, 3.0]], name="x"), Tensor([0.25, -1.0], name="b")
        steps = explain(np.sum(relu(x * b + 1.0)), names={})
    else:
        steps = explain(np.sum(softmax(Tensor([0.5, -1.0, 2.0], name="x")) * np.array([1.0, 2.0, 4.0])), names={})
    page = visit(steps)
    for i, name in enumerate(steps.values):
        if name in steps.leaves:
            sums = [sum(products) for _, products in page.evaluate(PATHS_OF, i)]
            np.testing.assert_allclose(sums, steps.gradients[name].ravel(), rtol=1e-12, atol=1e-15)


def test_paths_through_a_network_go_by_its_elements(visit):
    steps = network()
    page = visit(steps)
    names = list(steps.values)
    found = page.evaluate(PATHS_OF, names.index("w1"))
    assert [count for count, _ in found] == [4] * 6  # one for each row of x
    np.testing.assert_allclose([sum(p) for _, p in found], steps.gradients["w1"].ravel(), rtol=1e-12)
    counts = [count for count, _ in page.evaluate(PATHS_OF, names.index("x"))]
    assert counts == [3] * 8  # one for each hidden unit
    said = ask(page, "w1[0, 1]")
    assert "4 paths lead from w1[0, 1] to f" in said
    sizes = page.locator("#sizes li").all_text_contents()
    assert sizes[0] == "f: 1"
    assert sizes[-1].startswith(f"w1: {np.abs(steps.gradients['w1']).mean():.3g}, × ")
    marked = page.locator("#sizes li", has=page.locator("mark")).all_text_contents()
    factors = [float(text.rpartition("× ")[2]) for text in sizes[1:]]
    assert len(marked) == sum(f <= 0.1 or f >= 10 for f in factors)
    assert math.prod(factors) == pytest.approx(np.abs(steps.gradients["w1"]).mean(), rel=1e-2)


def test_a_page_of_large_arrays_tells_the_sizes_alone(visit):
    big = Tensor(np.full((30, 20), 0.5), name="big")
    page = visit(explain(np.sum(np.tanh(big * 20.0)), names={}))
    assert page.locator("#descend").is_hidden()
    ask(page, "big")
    assert page.locator("#paths li").count() == 0
    assert page.locator("#sizes li").count() == 4
    assert page.locator("#sizes mark").count() >= 1


def test_a_descent_that_runs_away_leaves_paths_that_are_no_numbers(visit):
    """Its result is inf or nan, and so are factors of the paths."""
    x = Tensor(0.3, name="x")
    page = visit(explain((np.exp(x * x) - np.exp(x**4)) * x, names={}))
    page.evaluate("for (const details of document.querySelectorAll('#tools details')) details.open = true")
    page.locator("#rate").fill("1e200")
    for _ in range(4):
        if page.locator("#once").is_enabled():
            page.locator("#once").click()
    assert "is no number any more" in page.locator("#descended").text_content()
    assert "nan" in page.locator("#paths").text_content()
