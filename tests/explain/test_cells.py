"""Arrays on a page, in a real browser: cells that can be changed, and what each number was computed from."""

import numpy as np
import pytest

from autograd_core import Tensor, conv, explain, sigmoid


def network(w1=((0.5, -1.0, 2.0), (1.5, 0.25, -0.75)), w2=((1.0,), (-2.0,), (0.5,))):
    """A network of 2-3-1 on XOR."""
    x, y = Tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]], name="x"), np.array([[0.0], [1], [1], [0]])
    w1, b1 = Tensor(w1, name="w1"), Tensor([0.1, -0.2, 0.3], name="b1")
    w2, b2 = Tensor(w2, name="w2"), Tensor([0.25], name="b2")
    p = sigmoid(np.tanh(x @ w1 + b1) @ w2 + b2)
    return explain(np.mean((p - y) ** 2), names={})


def told(page):
    return [t.partition(". ")[2] for t in page.locator("#steps p").all_text_contents()]


def go_to(page, steps, kind, name, op=None):
    """Go to the first step of this kind that is about this value."""
    at = next(i for i, s in enumerate(steps) if (s.kind, s.name) == (kind, name) and op in (None, s.op))
    page.locator(f"[data-go='{at}']").click()
    return at


@pytest.fixture(scope="module")
def page(visits):
    with visits() as visit:
        yield visit(network())


def test_numbers_are_coloured_by_sign_and_by_share_of_the_largest(page):
    """``colour(cell, number, largest)`` beside the colours of the stylesheet; also of a cell that is coloured again."""
    script = """(cases) => {
      const td = document.createElement("td"), of = (value) => {
        td.style.cssText = `background: ${value}`;
        const found = getComputedStyle(td).backgroundColor;
        td.style.cssText = "";
        return found;
      };
      td.classList.add("used");
      document.querySelector("div.cells tr").append(td);
      const mixed = (hue, share) => of(`color-mix(in srgb, var(--${hue}) ${share}%, var(--ground))`);
      const found = cases.map(([x, largest, hue, share]) => {
        colour(td, x, largest);
        return [getComputedStyle(td).backgroundColor, mixed(hue, share)];
      });
      found.push([String([...td.classList].filter((name) => name.startsWith("t"))), "t0"]);
      found.push([td.classList.contains("used"), true]);
      td.remove();
      return found;
    }"""
    cases = [
        (1, 1, "high", 100), (-1, 1, "low", 100), (0, 1, "high", 0), (0.5, 1, "high", 50), (-0.001, 1, "low", 5),
        (5e-324, 1, "high", 5), (1e308, 1.7e308, "high", 60), (np.nan, 1, "high", 0), (np.inf, 1, "high", 0),
    ]  # fmt: skip
    for got, expected in page.evaluate(script, [[x, largest, hue, share] for x, largest, hue, share in cases]):
        assert got == expected


def test_a_cell_is_changed_and_everything_is_computed_again(page, visits):
    cell = page.get_by_label("w1[0, 1]")
    cell.fill("3.5")
    changed = network(((0.5, 3.5, 2.0), (1.5, 0.25, -0.75)))
    with visits() as visit:
        assert told(page) == told(visit(changed))
    written = " ".join(page.locator(".picture:visible text").all_text_contents())
    assert f"mean |gradient| {np.abs(changed.gradients['w1']).mean():.3g}" in written
    cell.fill("")
    cell.fill("3e")  # while a number is being typed, the last whole one stands
    assert page.evaluate("nodes.find(n => n.name === 'w1').value.numbers[1]") == 3.5
    page.locator("#reset").click()
    assert page.get_by_label("w1[0, 1]").input_value() == "-1"
    assert page.evaluate("nodes.find(n => n.name === 'w1').value.numbers[1]") == -1


def test_arrows_go_from_cell_to_cell_and_a_tab_to_the_next_array(page):
    focused = lambda: page.evaluate("document.activeElement.ariaLabel")  # noqa: E731
    page.get_by_label("w1[0, 0]").focus()
    for key, place in (
        ("ArrowDown", "[1, 0]"),
        ("ArrowRight", "[1, 1]"),
        ("ArrowRight", "[1, 2]"),
        ("ArrowUp", "[0, 2]"),
    ):
        page.keyboard.press(key)
        assert focused() == "w1" + place
    page.keyboard.press("ArrowUp")
    assert focused() == "w1[0, 2]"  # there is none above
    page.keyboard.press("Tab")
    assert not focused().startswith("w1[")
    page.get_by_label("w1[0, 0]").fill("12")
    page.keyboard.press("ArrowLeft")  # within the number that is written
    assert focused() == "w1[0, 0]"
    page.locator("#reset").click()


def used(page, title):
    """The cells that are lit in the table with this title."""
    table = page.locator(".heat").filter(has=page.locator("p", has_text=title)).first
    return [int(td.get_attribute("data-k")) for td in table.locator(".used").all()]


def test_a_cell_of_a_gradient_shows_its_row_its_column_and_its_sum(page):
    steps = network()
    at = go_to(page, steps, "backward", "w1", "matmul")
    cell = page.locator(".heat", has_text=f"contribution of step {at + 1}").locator("td[data-k='4']")
    cell.hover()  # the gradient of w1[1, 1]: column 1 of x times column 1 of what arrives
    assert used(page, "value of x") == [1, 3, 5, 7]
    assert used(page, f"upstream of step {at + 1}") == [1, 4, 7, 10]
    x, g = steps.leaves["x"][:, 1], steps[at].upstream[:, 1]
    said = page.locator(".written").text_content()
    left, _, right = said.rpartition(" = ")
    terms = [eval(term.replace("·", "*")) for term in left.split(" + ")]
    np.testing.assert_allclose(terms, x * g, rtol=1e-3)
    assert float(right) == pytest.approx(np.sum(x * g), rel=1e-5)
    page.locator(".heat", has_text=f"contribution of step {at + 1}").locator("td[data-k='0']").focus()
    assert used(page, "value of x") == [0, 2, 4, 6]


def test_a_cell_of_a_value_shows_what_it_was_computed_from(page):
    go_to(page, network(), "forward", "v1")
    page.locator(".heat", has_text="value of v1").locator("td[data-k='10']").hover()  # row 3, column 1 of x @ w1
    assert (used(page, "value of x"), used(page, "value of w1")) == ([6, 7], [1, 4])
    assert page.locator(".written").text_content() == "1 · (-1) + 1 · 0.25 = -0.75"


COUNTED = """([leaf, x]) => {
  const calls = { f: 0, d: 0 };
  for (const call of CALLS) {
    const { f, d } = call;
    call.f = (...given) => (calls.f++, f(...given));
    call.d = (d || []).map((rule) => rule && ((...given) => (calls.d++, rule(...given))));
  }
  const observer = new MutationObserver(() => {});
  const everything = { subtree: true, childList: true, attributes: true, characterData: true };
  for (const id of ["stage", "leaves", "steps", "card"]) observer.observe($(id), everything);
  change(leaf, x, 0);
  const seen = observer.takeRecords().filter(({ target }) => !target.closest("dl") && target.id !== "card");
  const rebuilt = seen.filter(({ target }) => target.matches("table, tbody, tr, ol, section, div"));
  return { ...calls, seen: seen.length, rebuilt: rebuilt.length };
}"""


def test_a_change_computes_each_formula_once_and_writes_only_what_it_changed(visit):
    steps = network()
    page = visit(steps)
    page.keyboard.press("End")  # where a card with five tables is open
    assert page.locator("#card .heat").count() >= 4
    ops = sum(value.op is not None for value in steps.values.values())
    back = [step for step in steps if step.kind == "backward"]
    leaf = page.evaluate("nodes.findIndex((node) => node.name === 'w2')")
    counted = page.evaluate(COUNTED, [leaf, 5.0])
    assert counted["f"] == ops
    locals = [step for step in back if step.local is not None]  # what the rule makes of ones
    assert counted["d"] == len(back) + len(locals)
    assert counted["seen"] > 20
    assert counted["rebuilt"] == 0
    page.reload()
    page.keyboard.press("End")
    page.evaluate(f"change({leaf}, 5, 0)")
    again = page.evaluate(COUNTED, [leaf, 5.0])
    assert (again["f"], again["seen"]) == (ops, 0)


def test_the_card_follows_a_change(visit):
    page = visit(network())
    at = go_to(page, network(), "backward", "w1", "matmul")
    contribution = page.locator(".heat", has_text=f"contribution of step {at + 1}")
    contribution.locator("td[data-k='4']").focus()
    page.get_by_label("w2[1, 0]").fill("-20")
    changed = next(
        s for s in network(w2=((1.0,), (-20.0,), (0.5,))) if (s.name, s.op) == ("w1", "matmul") and s.kind != "forward"
    )
    shown = [float(text) for text in contribution.locator("td[data-k]").all_text_contents()]
    np.testing.assert_allclose(shown, changed.contribution.ravel(), rtol=6e-3)
    assert float(page.locator(".written").text_content().rpartition(" = ")[2]) == pytest.approx(
        changed.contribution[1, 1], rel=1e-5
    )
    place, _, exact = contribution.locator("output").text_content().partition(" = ")
    assert (place, float(exact)) == ("[1, 1]", pytest.approx(changed.contribution[1, 1], rel=1e-13))


def test_a_matrix_of_equal_numbers_is_shown(visit):
    page = visit(explain(np.sum(Tensor(np.full((2, 3), 7.0), name="x") * 2), names={}))
    page.locator(".node", has_text="x").first.focus()
    assert page.locator(".heat", has_text="value of x").locator("td[data-k]").all_text_contents() == ["7"] * 6


def test_images_are_grids(visit):
    rng = np.random.default_rng(0)
    x, kernel = Tensor(rng.normal(size=(1, 4, 3, 1)), name="x"), Tensor(rng.normal(size=(2, 2, 1, 2)), name="k")
    page = visit(explain(np.sum(conv(x, kernel)), names={}))
    grids = lambda box: [t.locator("tr").count() - 1 for t in box.locator("table").all()]  # noqa: E731
    assert grids(page.locator("[data-cells='0']")) == [4]  # rows, in one table
    assert grids(page.locator("[data-cells='1']")) == [2, 2]  # a table for each channel
    page.get_by_label("x[0, 3, 2, 0]").fill("9")
    assert page.evaluate("nodes[0].value.numbers[11]") == 9


def test_arrays_can_be_changed_in_firefox(firefox):
    steps = network()
    changed = network(((0.5, 3.5, 2.0), (1.5, 0.25, -0.75)))
    found = firefox(
        steps,
        ("fill", "[aria-label='w1[0, 1]']", "3.5"),
        ("text", "#steps li:last-child p"),
    )
    last = "".join(map(str, changed.narration[-1].sentence))
    assert last.rpartition("=")[2].split(";")[0].strip() in found[-1]


@pytest.mark.every(2)
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1366, "light")])
def test_axe_finds_nothing_in_cells(visit, axe, width, scheme):
    page = visit(network(), viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True)
    page.keyboard.press("End")
    page.evaluate(axe)
    report = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in report["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_page_of_a_network_is_small():
    assert len(network().to_html().encode()) < 200_000


def test_a_page_can_be_opened_with_other_arrays(visits):
    """What is changed stands in the address, and a page that is opened with it begins there."""
    changed = ((0.5, 3.5, 2.0), (1.5, 0.25, -0.75))
    with visits() as visit:
        page = visit(network(), at="#w1=0.5,3.5,2,1.5,0.25,-0.75&w2=1,2")  # of two numbers for three nothing is made
        assert told(page) == told(visit(network(changed)))
        page.get_by_label("b2[0]").fill("0.75")
        page.wait_for_url("**b2=0.75**")
        assert "w1=0.5%2C3.5%2C2%2C1.5%2C0.25%2C-0.75" in page.evaluate("location.hash")
