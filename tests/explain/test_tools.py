"""Descent and the nudge, in a real browser, beside Python that does the same."""

import re

import numpy as np
import pytest

from autograd_core import Tensor, explain, sigmoid

X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
START = {
    "x": X,
    "w1": np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]]),
    "b1": np.array([0.1, -0.2, 0.3]),
    "w2": np.array([[1.0], [-2.0], [0.5]]),
    "b2": np.float64(0.25),
}


def network(leaves):
    x, w1, b1, w2, b2 = (Tensor(leaves[name], name=name) for name in START)
    return explain(np.mean((sigmoid(np.tanh(x @ w1 + b1) @ w2 + b2) - Y) ** 2), names={})


def result(steps):
    return float(steps.values[steps.result].value)


def descended(leaves, count, rate):
    """Gradient descent, as one writes it; x is data."""
    for _ in range(count):
        g = network(leaves).gradients
        leaves = {name: value if name == "x" else value - rate * g[name] for name, value in leaves.items()}
    return leaves


@pytest.fixture(scope="module")
def page(visits):
    with visits() as visit:
        page = visit(network(START))
        page.locator("#descend summary").click()
        page.locator("#nudge summary").click()
        yield page


def values(page):
    found = page.evaluate("nodes.map(n => [n.name, isArray(n.value) ? Array.from(numbers(n.value)) : [n.value]])")
    return dict(found)


def test_steps_downhill_are_those_of_python(page):
    assert page.locator("#movable input:checked").count() == 4  # and not x, which is data
    page.locator("#rate").fill("0.5")
    for _ in range(3):
        page.locator("#once").click()
    by_hand = descended(START, 3, 0.5)
    for name, value in by_hand.items():
        np.testing.assert_allclose(values(page)[name], np.ravel(value), rtol=1e-12)
    last = result(network(by_hand))
    said = page.locator("#descended").text_content()
    assert said.startswith("Step 3: ")
    assert float(re.search(r"= (\S+),", said)[1]) == pytest.approx(last, rel=1e-5)
    assert "over 3 steps, from 0.378346 to" in page.locator("#fall").get_attribute("aria-label")
    assert len(page.locator("#fall polyline").get_attribute("points").split()) == 4
    page.locator("#rewind").click()
    for name, value in START.items():
        assert values(page)[name] == np.ravel(value).tolist()
    assert page.locator("#descended").text_content() == ""


def test_only_the_leaves_that_are_chosen_move(page):
    boxes = page.locator("#movable input")
    for i in range(boxes.count()):
        boxes.nth(i).set_checked(i == 0)
    page.locator("#rate").fill("0.5")
    page.locator("#once").click()
    g = network(START).gradients["x"]
    np.testing.assert_allclose(values(page)["x"], np.ravel(X - 0.5 * g), rtol=1e-12)
    assert values(page)["w1"] == START["w1"].ravel().tolist()
    page.locator("#rewind").click()
    for i in range(boxes.count()):
        boxes.nth(i).set_checked(i > 0)


def test_it_runs_until_it_is_stopped(page):
    page.locator("#run").click()
    page.locator("#descended", has_text=re.compile(r"Step ([3-9]|\d\d+): ")).wait_for()  # whichever one sees
    page.locator("#run", has_text="Stop").click()
    said = page.locator("#descended").text_content()
    page.wait_for_timeout(300)
    assert page.locator("#descended").text_content() == said
    page.get_by_label("b2", exact=True).fill("1")  # what is changed by hand begins anew
    assert page.locator("#rewind").is_disabled()
    page.locator("#reset").click()


def test_descent_stops_where_there_is_no_number(visit):
    w = Tensor(0.5, name="w")
    page = visit(explain(-np.log(w) + 3 * w * w, names={}))
    page.locator("#descend summary").click()
    page.locator("#rate").fill("10")
    page.locator("#run").click()
    page.locator("#descended", has_text="Stopped at step").wait_for()
    assert page.locator("#run").text_content() == "Run"
    assert page.locator("#once").is_disabled()
    page.locator("#rewind").click()
    assert page.locator("#once").is_enabled()


def test_where_all_gradients_are_0_it_says_so(visit):
    page = visit(explain(np.maximum(Tensor(-1.0, name="w"), 0.0) * 2, names={}))
    page.locator("#descend summary").click()
    page.locator("#once").click()
    assert "All gradients of these leaves are 0: nothing moves." in page.locator("#descended").text_content()


def test_a_nudge_is_measured_and_foretold(page):
    page.locator("#nudged").select_option("w1[1, 0]")
    page.locator("#epsilon").fill("0.25")
    steps = network(START)
    moved = START["w1"].copy()
    moved[1, 0] += 0.25
    rise, slope = result(network(START | {"w1": moved})) - result(steps), steps.gradients["w1"][1, 0]
    told = r"f\(w1\[1, 0\] \+ ε\) − f\(w1\[1, 0\]\) = (\S+), and gradient · ε = (\S+) · (\S+) = (\S+)\. "
    said = re.fullmatch(told + r"They differ by (\S+)\.", page.locator("#difference").text_content())
    by_hand = [rise, slope, 0.25, slope * 0.25, rise - slope * 0.25]
    np.testing.assert_allclose([float(n) for n in said.groups()], by_hand, rtol=5e-3)
    assert page.locator("#tangent circle").count() == 2
    assert page.locator("#epsilon-slider").input_value() == "0.25"
    page.locator("#epsilon-slider").focus()
    page.keyboard.press("Home")
    assert page.locator("#epsilon").input_value() == "-1"
    assert values(page)["w1"] == START["w1"].ravel().tolist()  # the page's own numbers stay


def test_tools_tell_nothing_before_its_step(visit):
    page = visit(network(START), reveal="step")
    for tool in ("descend", "nudge", "why"):
        page.locator(f"#{tool} summary").click()
    for said in ("#descended", "#difference", "#paths-said"):
        assert "yet to come" in page.locator(said).text_content()
    assert page.locator("#once").is_disabled()
    assert page.locator("#tangent polyline").count() == 0
    assert page.locator("#paths li, #sizes li").count() == 0
    page.keyboard.press("End")
    assert page.locator("#tangent polyline").count() == 3
    assert page.locator("#once").is_enabled()


def test_without_a_number_to_lower_nothing_descends(visit):
    x = Tensor([1.0, 2.0], name="x")
    for steps in (explain(x * x, np.ones(2), names={}), explain(np.sum(np.sort(x)), names={})):
        page = visit(steps)
        assert page.locator("#descend").is_hidden()
        assert page.locator("#nudge").is_hidden()


def test_descent_in_firefox(firefox):
    found = firefox(
        network(START),
        ("focus", "#descend summary"),
        ("press", "Enter"),
        ("fill", "#rate", "0.5"),
        ("focus", "#once"),
        ("press", "Enter"),
        ("press", "Enter"),
        ("read", "Array.from(numbers(nodes.find(n => n.name === 'w1').value))"),
    )
    np.testing.assert_allclose(found[-1], np.ravel(descended(START, 2, 0.5)["w1"]), rtol=1e-12)


@pytest.mark.every(2)
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1366, "light")])
def test_axe_finds_nothing_in_open_tools(visit, axe, width, scheme):
    page = visit(network(START), viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True)
    for tool in ("descend", "nudge", "why"):
        page.locator(f"#{tool} summary").click()
    page.locator("#once").click()
    page.evaluate(axe)
    report = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in report["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
