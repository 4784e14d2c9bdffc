"""The quiz: right answers are right, and what is said of a wrong one is how one gets there."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_core import Tensor, explain, sigmoid

ASKED = "#cells input"


def lecture():
    x, y, z = Tensor(-2.0, name="x"), Tensor(5.0, name="y"), Tensor(-4.0, name="z")
    return explain((x + y) * z, names={})


def two_ways():
    """x reaches f over two ways, and over one of them through a chain."""
    x = Tensor(3.0, name="x")
    return explain(sigmoid(x * 0.5) * 1.5 + x * x, names={})


def arrays():
    a = Tensor(np.array([[1.0, 2.0], [3.0, 5.0]]), name="A")
    b = Tensor(np.array([0.5, -1.0]), name="b")
    return explain(np.sum((a @ np.array([[2.0, 7.0], [1.0, -4.0]]) + b) ** 2), names={})


def wanted(steps, i):
    """What is asked of a step: a value, a gradient that is complete with it, or its contribution."""
    step = steps[i]
    if step.kind == "forward":
        return step.value
    arrive = [j for j, s in enumerate(steps) if s.name == step.name and s.kind != "forward" and s.total is not None]
    return step.total if i == arrive[-1] else step.contribution


def answer(page, value, form="{:.6g}"):
    for cell, number in zip(page.locator(ASKED).all(), np.ravel(value), strict=True):
        cell.fill(form.format(number))
    page.keyboard.press("Enter")
    return page.locator("#verdict").text_content()


@pytest.mark.parametrize("story", [lecture, two_ways, arrays])
def test_who_answers_every_step_rightly_has_them_all(visit, story):
    steps = story()
    page = visit(steps, at="#quiz&step=1")
    for i in range(len(steps)):
        question = page.locator("#say").text_content()
        assert question.endswith("?")
        assert page.locator(f"#step-{i} p").is_hidden()
        assert answer(page, wanted(steps, i)) == "Right."
        assert page.locator(f"#step-{i} p").is_visible()
        assert page.locator("#say").text_content() != question
        page.keyboard.press("Enter")  # the next step, whose cells have the focus
    assert page.locator("#score").text_content() == f"Right at once: {len(steps)} of {len(steps)}"
    assert page.locator("#count").text_content() == f"step 1 of {len(steps)}"
    assert page.locator(ASKED).first.input_value() != ""  # it was answered before


def test_opening_it_hides_what_comes_and_begins_where_the_gradients_do(visit):
    steps = two_ways()
    page = visit(steps)
    page.locator("#quiz summary").focus()
    page.keyboard.press("Enter")
    first = next(i for i, step in enumerate(steps) if step.kind != "forward")
    page.locator("#count", has_text=f"step {first + 1} of").wait_for()
    assert page.locator("#steps p:visible").count() == first
    assert page.locator("#leaves tbody td").all_text_contents() == ["3", "?"]
    page.locator("#reveal").click()  # who asks for all numbers has them, and no question any more
    assert page.locator("#quiz").get_attribute("open") is None
    assert page.locator("#steps p:visible").count() == len(steps)


def told(page, steps, name, output, text):
    """What the page says of a wrong answer to the step from ``output`` to ``name``."""
    at = next(i for i, s in enumerate(steps) if (s.kind, s.name, s.output) == ("backward", name, output))
    page.evaluate("step => { answered.clear(); show(step); }", at + 1)
    return answer(page, text, "{}")


def test_a_wrong_answer_is_told_what_went_wrong(visit):
    steps = two_ways()  # v1 = x · 0.5, v2 = σ(v1), v3 = v2 · 1.5, v4 = x · x, f = v3 + v4
    page = visit(steps, at="#quiz")
    value = {name: float(v.value) for name, v in steps.values.items()}
    slope = value["v2"] * (1 - value["v2"])
    says = lambda *asked: told(page, steps, *asked)  # noqa: E731
    assert "the sign is wrong" in says("v2", "v3", -1.5)
    assert "upstream gradient, ∂f/∂v2, is missing" in says("v1", "v2", f"{slope:.5g}")
    assert "local derivative, ∂v2/∂v1, is missing" in says("v1", "v2", 1.5)
    assert "multiplied by the value of v2" in says("v1", "v2", f"{1.5 * value['v2']:.5g}")
    assert "upstream and local are added" in says("v1", "v2", f"{1.5 + slope:.5g}")
    assert "∂v3/∂v2 is missing: the chain goes through v3" in says("x", "v1", f"{slope * 0.5:.5g}")
    assert says("v1", "v2", 17) == "Not yet."
    assert says("v1", "v2", "a lot").startswith("Type a number")
    assert says("v1", "v2", f"{1.5 * slope:.2g}").startswith("Nearly")
    last = steps[-1]  # x has got something over its other ways before
    assert last.name == "x"
    part, whole = float(last.contribution), float(last.total)
    page.evaluate("step => { answered.clear(); show(step); }", len(steps))
    assert "this step brings, and x has other ways to f: add them" in answer(page, part)
    assert "had arrived before" in answer(page, whole - part)
    assert answer(page, whole) == "Right."
    assert page.locator("#score").text_content().startswith("Right at once: 0 of")


def test_arrays_are_marked_cell_by_cell(visit):
    steps = arrays()
    page = visit(steps, at="#quiz")
    at = next(i for i, s in enumerate(steps) if (s.kind, s.name) == ("backward", "A"))
    right = np.asarray(wanted(steps, at))
    page.evaluate("step => show(step)", at + 1)
    assert [cell.get_attribute("aria-label") for cell in page.locator(ASKED).all()] == [
        f"∂f/∂A [{i}, {j}]" for i in (0, 1) for j in (0, 1)
    ]
    assert "rows and columns are exchanged" in answer(page, right.T)
    one_off = right + np.diag([0, 1.0])
    assert answer(page, one_off) == "Not yet. 1 of 4 cells are wrong."
    assert [cell.get_attribute("aria-invalid") for cell in page.locator(ASKED).all()] == [None, None, None, "true"]
    alone = np.ones((2, 2)) @ np.array([[2.0, 7.0], [1.0, -4.0]]).T  # what the rule makes of ones
    assert "∂f/∂v1, is missing" in answer(page, alone)
    assert answer(page, right) == "Right."
    at = next(i for i, s in enumerate(steps) if (s.kind, s.name) == ("unbroadcast", "b"))
    page.evaluate("step => show(step)", at + 1)
    assert "one of the copies" in answer(page, np.asarray(steps[at].upstream)[0])
    assert "the mean of the copies" in answer(page, np.asarray(steps[at].upstream).mean(axis=0))


def product(x, y, scale=1.0):
    x, y = Tensor(x, name="x"), Tensor(y, name="y")
    return explain(x * y * scale, names={})


def test_where_two_wrong_ways_meet_both_are_named_and_where_more_do_none(visit):
    steps = product(5.0, 3.0, 3.0)  # from v1 to x upstream 3 and local 3
    page = visit(steps, at="#quiz")
    said = told(page, steps, "x", "v1", 3)
    assert "upstream gradient, ∂f/∂v1, is missing" in said
    assert ", or the local derivative, ∂v1/∂x, is missing" in said
    steps = product(1.0, 2.0, 2.0)  # 2 is upstream, local, upstream · x, …; the answer is 4
    page = visit(steps, at="#quiz")
    assert told(page, steps, "x", "v1", 2) == "Not yet."


def test_a_right_answer_is_right_though_a_wrong_way_leads_to_it(visit):
    steps = product(2.0, 2.0, 2.0)  # upstream · local = upstream + local = upstream · x = 4
    page = visit(steps, at="#quiz")
    assert told(page, steps, "x", "v1", 4) == "Right."
    steps = product(7.0, 0.0)
    page = visit(steps, at="#quiz")
    assert told(page, steps, "x", "v1", 0) == "Right."
    page.evaluate("step => { answered.clear(); show(step); }", 1)
    assert answer(page, "-0", "{}") == "Right."


def test_what_cancels_is_zero_and_nan_is_nan(visit):
    x = Tensor(0.3, name="x")
    steps = explain((x + x + x - x * 3) * 1.0, names={})
    page = visit(steps, at=f"#quiz&step={len(steps)}")
    assert 0 < abs(float(steps[-1].total)) < 1e-15 or float(steps[-1].total) == 0
    assert answer(page, 0) == "Right."
    with np.errstate(all="ignore"):
        page = visit(explain(np.log(Tensor(0.0, name="x")) * 2.0, names={}), at="#quiz&step=1")
    assert answer(page, "5", "{}") == "Not yet."
    assert answer(page, "-inf", "{}") == "Right."


def reasons(x, y, z, typed):
    """Which of the wrong ways from v1 to x in x · y · z lead to what was typed, by our own arithmetic."""
    upstream, local, right = z, y, y * z
    ways = {
        "the sign is wrong": -right,
        "upstream gradient, ∂f/∂v1, is missing": local,
        "local derivative, ∂v1/∂x, is missing": upstream,
        "upstream and local are added": upstream + local,
        "multiplied by the value of v1": upstream * x * y,
        "multiplied by x itself": upstream * x,
    }
    found = {said for said, value in ways.items() if value == typed and value != right}
    return found if len(found) <= 2 else set()


@given(*[st.integers(-4, 4)] * 3, st.integers(-20, 20))
@settings(max_examples=200, deadline=None)
def test_no_reason_is_given_that_is_not_one(product_page, x, y, z, typed):
    said = product_page.evaluate(
        """([x, y, z, typed]) => {
          for (const [i, value] of [x, y, z].entries()) nodes[i].value = value;
          recompute();
          const step = steps.find((s) => s.kind === "backward" && nodes[s.node].name === "x");
          return [wanted(step), reason(step, [{ k: 0, answer: { value: typed, half: 0, digits: 9 } }])];
        }""",
        [x, y, z, typed],
    )
    assert said[0] == y * z
    if typed == y * z:
        return
    expected = reasons(x, y, z, typed)
    assert bool(said[1]) == bool(expected)
    assert all(text in said[1] for text in expected)
    assert said[1].count(", or ") == max(len(expected) - 1, 0)


@pytest.fixture(scope="module")
def product_page(visits):
    values = [Tensor(v, name=n) for n, v in (("x", 2.0), ("y", 3.0), ("z", 5.0))]
    with visits() as visit:
        yield visit(explain(values[0] * values[1] * values[2], names={}))


@pytest.fixture(scope="module")
def quiz_page(visits):
    with visits() as visit:
        yield visit(lecture(), at="#quiz")


@given(st.floats(1e-6, 1e6), st.booleans(), st.integers(1, 8), st.sampled_from("gef"))
@settings(max_examples=200, deadline=None)
def test_an_answer_is_rounded_to_what_was_typed(quiz_page, size, negative, digits, form):
    x = -size if negative else size
    text = f"{x:.{digits}{form}}"
    typed = Fraction(text)
    exact = abs(typed - Fraction(x)) <= Fraction(x).__abs__() / 10**9
    figures = len(text.lower().partition("e")[0].replace(".", "").replace("-", "").lstrip("0"))
    marked = quiz_page.evaluate("([text, x]) => matches(typed(text), x)", [text, x])
    assert marked == (exact or figures >= 3)
    mantissa, _, exponent = text.partition("e")
    unit = Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    for off in (typed + unit, typed - unit):  # one more or less in the last place is wrong
        near = abs(off - Fraction(x)) <= abs(Fraction(x)) / 10**9
        other = f"{float(off):.17g}"
        beyond = {"text": other, "half": float(unit / 2)}
        found = quiz_page.evaluate("([{text, half}, x]) => matches({...typed(text), half, digits: 9}, x)", [beyond, x])
        assert found == (near or abs(off - Fraction(x)) <= unit / 2 * (1 + Fraction(1, 10**9)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-1/3", -1 / 3),
        ("−0.25", -0.25),
        (" 1,5 ", 1.5),
        (".5", 0.5),
        ("-2.", -2),
        ("1e-3", 1e-3),
        ("+7", 7),
        ("2/-8", -0.25),
        *((bad, None) for bad in ("", "x", "1/2/3", "0x10", "1 2 3x", "--1", "1.2.3", "e5", "()", "1/")),
    ],
)
def test_what_is_read_as_a_number(quiz_page, text, value):
    found = quiz_page.evaluate("text => typed(text)?.value ?? null", text)
    assert found == value


def test_of_a_large_array_some_cells_are_asked_for(visit):
    big = Tensor(np.arange(35.0).reshape(5, 7), name="big")
    steps = explain(np.sum(big * 0.5), names={})
    page = visit(steps, at=f"#quiz&step={len(steps)}")
    labels = [cell.get_attribute("aria-label") for cell in page.locator(ASKED).all()]
    assert labels == [f"∂f/∂big [{k // 7}, {k % 7}]" for k in (4, 13, 21, 30)]
    assert answer(page, [0.5] * 4) == "Right."


def test_what_is_frozen_is_not_asked_for(visit):
    x, big = Tensor(2.0, name="x"), Tensor(np.arange(500.0), name="big")
    steps = explain(x * np.sum(big * big), names={})
    page = visit(steps, at=f"#quiz&step={len(steps)}")
    assert page.locator("#say").text_content().endswith("?")
    page.get_by_label("x", exact=True).fill("3")  # what arrives at big is not computed again
    assert page.locator("#check").text_content() != "Check"
    assert page.locator(ASKED).first.input_value() == "frozen"


@pytest.mark.every(3)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1366, 1920])
def test_axe_finds_nothing_where_the_quiz_is_open(visit, axe, width, scheme):
    steps = arrays() if scheme == "dark" else lecture()
    page = visit(steps, "step", "#quiz", viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)
    answer(page, 99 + np.zeros(page.locator(ASKED).count()))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(axe)
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    report = page.evaluate("rules => axe.run(document, {runOnly: rules})", rules)
    assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in report["violations"]] == []


def test_the_quiz_in_firefox(firefox):
    enter = ("press", "Enter")
    read = firefox(
        lecture(),
        ("click", "#quiz summary"),
        ("text", "#say"),
        ("focus", ASKED),
        ("type", "4"),
        enter,
        ("text", "#verdict"),
        ("fill", ASKED, -4),
        enter,
        ("text", "#verdict"),
        enter,
        ("text", "#count"),
        ("text", "#score"),
        ("text", "#leaves tbody"),
    )
    question, wrong, right, count, score, leaves = read
    assert question == "Backward, from f to v1. What is the gradient ∂f/∂v1?"
    assert wrong == "Not yet. It looks as if the sign is wrong."
    assert (right, count, score) == ("Right.", "step 4 of 6", "Right at once: 0 of 1")
    assert leaves.count("?") == 3


def test_the_graph_makes_room_for_a_matrix_of_cells(visit):
    x, w = Tensor(np.ones((4, 3)), name="x"), Tensor(np.ones((3, 3)), name="w")
    page = visit(explain(np.sum(np.tanh(x @ w)), names={}), viewport={"width": 1366, "height": 768})
    height = lambda: page.locator(".picture").bounding_box()["height"]  # noqa: E731
    before = height()
    page.evaluate("location.hash = 'quiz&step=1'")
    check = page.get_by_role("button", name="Check")
    check.wait_for()
    box = check.bounding_box()
    assert box["y"] + box["height"] <= 768
    assert height() >= 190
    page.locator("#quiz summary").click()
    assert height() == before
