"""What comes later is hidden until its step: on a page, nothing of it can be read before."""

import re

import numpy as np
import pytest

import nn
from autograd_core import Tensor, explain
from autograd_core.explain.formula import number, summary

# All that a page shows or says: text that is not hidden, and what stands for it where one listens.
READ = """() => {
  const labels = [...document.querySelectorAll("[aria-label], [title]")].map(e => e.ariaLabel + " " + e.title);
  const drawn = [...document.querySelectorAll(".picture:not([hidden]) text")].map(e => e.textContent);
  return [document.title, document.body.innerText, ...drawn, ...labels].join(" | ");
}"""
PLACES = """() => [...document.querySelectorAll(".picture:not([hidden]) .node")].map(e => {
  const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height].join();
}).join(" ")"""


def told_apart():
    """No two of its numbers are written alike; y is used twice."""
    x, y, z = Tensor(1.37, name="x"), Tensor(2.91, name="y"), Tensor(0.83, name="z")
    return explain(np.tanh(x * y * 0.1) * (y + z * z), names={})


def network():
    nn.utils.set_random_seed(0)
    dense = nn.layers.Dense
    model = nn.Sequential([nn.Input(shape=(4,)), dense(5, activation="tanh"), dense(10, activation="softmax")])
    x = np.random.default_rng(0).random((3, 4))
    return explain(nn.losses.SparseCategoricalCrossentropy()(np.arange(3), model(x)))


def known_after(steps, count):
    """The numbers that the first steps tell, and those that come later, as they are written."""
    told, comes = set(), set()
    for i, step in enumerate(steps):
        for value in (step.value if step.kind == "forward" else None, step.contribution, step.total):
            if value is not None:
                (told if i < count else comes).add(value)
    told |= {*steps.leaves.values(), steps.seed}
    return told, comes


def test_a_number_cannot_be_read_before_its_step(visit):
    steps = told_apart()
    page = visit(steps, reveal="step")
    places = page.evaluate(PLACES)
    for count in range(len(steps) + 1):
        told, comes = ({number(v) for v in numbers} for numbers in known_after(steps, count))
        read = page.evaluate(READ)
        assert {text for text in comes - told if text in read} == set()
        if count:
            assert page.locator("#say").inner_text() in page.locator("#steps [aria-current] p").inner_text()
        assert page.locator("#steps p:visible").count() == count
        assert page.evaluate(PLACES) == places  # nothing moves when a number appears
        page.keyboard.press("ArrowRight")
    read = page.evaluate(READ)
    for value in steps.values.values():
        assert number(value.value) in read
        assert f"∂f/∂{value.name} = {number(value.gradient)}" in read
    page.keyboard.press("Home")  # and hidden again where one goes back
    assert number(steps.gradients["x"]) not in page.evaluate(READ)


def test_a_gradient_is_known_when_all_of_it_has_arrived(visit):
    x = Tensor(3.0, name="x")
    steps = explain(x * x + x, names={})
    page = visit(steps, reveal="step")
    arrivals = [i + 1 for i, step in enumerate(steps) if step.name == "x" and step.kind == "backward"]
    assert len(arrivals) == 3
    shown = []
    for _ in range(len(steps)):
        page.keyboard.press("ArrowRight")
        shown.append(page.locator("#leaves tbody td").last.text_content())
    assert shown == ["?"] * (arrivals[-1] - 1) + ["7"] * (len(steps) - arrivals[-1] + 1)


def test_the_size_of_a_gradient_is_no_hint(visit):
    page = visit(told_apart(), reveal="step")
    shapes = "[...document.querySelectorAll('.node path, .node polygon, .edge path')]"
    looks = f"new Set({shapes}.map(e => getComputedStyle(e)).map(s => s.stroke + s.strokeWidth)).size"
    assert page.evaluate(looks) == 1
    page.locator("#reveal").click()
    assert page.evaluate(looks) > 3


def test_arrays_layers_and_cards_wait_too(visit):
    steps = network()
    page = visit(steps, reveal="step")
    closed = page.evaluate(READ)
    page.locator("#fold").click()
    for name in list(steps.values):
        page.locator(".picture:visible .node", has_text=name).first.focus()
        read = page.evaluate(READ)
        for value in steps.values.values():
            shown = [number(value.gradient), f"mean |gradient| {np.abs(value.gradient).mean():.3g}"]
            if value.op is not None:
                shown += [number(value.value), summary(value.value)]
            if value.name != steps.result:
                assert [text for text in shown if text in read + closed] == []
    assert page.locator(".heat td").count() == 0 or page.locator("#card h2").text_content() in steps.leaves
    page.locator("#reveal").click()
    read = page.evaluate(READ)
    for value in steps.values.values():
        assert summary(value.value) in read
        if np.ndim(value.value):
            assert f"mean |gradient| {np.abs(value.gradient).mean():.3g}" in read


def test_what_is_changed_stays_hidden_until_its_step(visit):
    page = visit(told_apart(), reveal="step")
    page.get_by_label("x", exact=True).fill("2")
    assert page.locator("#leaves tbody td").all_text_contents() == ["2", "?", "2.91", "?", "0.83", "?"]
    page.keyboard.press("Escape")
    page.locator("#last").click()
    assert "?" not in page.locator("#leaves tbody").text_content()


def test_the_address_says_the_step_and_what_is_revealed(visit):
    steps = told_apart()
    page = visit(steps, reveal="step", at="#step=4&reveal=all")
    assert page.locator("#count").text_content() == f"step 4 of {len(steps)}"
    assert "?" not in page.locator("#steps").inner_text()
    page.locator("#reveal").click()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**#step=5")
    page.evaluate("location.hash = 'reveal=all&step=2'")
    page.locator("#count", has_text="step 2 of").wait_for()
    assert "?" not in page.locator("#steps").inner_text()
    page.evaluate("location.hash = 'reveal=<b>&step=1e9'")
    page.locator("#count", has_text=f"step {len(steps)} of").wait_for()


def test_the_address_has_the_numbers_of_leaves(visit):
    a, s = Tensor([[1.0, 2.0], [3.0, 4.0]], name="A"), Tensor(0.5, name="s")
    page = visit(explain(np.sum(a * a * s), names={}), at="#A=[[1,0],[-2,1.5]]&s=2&q=7")
    assert page.evaluate("nodes.find(n => n.name === 's').gradient") == 1 + 4 + 1.5**2
    page.get_by_label("A[0, 1]").fill("3")
    page.wait_for_url(re.compile(r"#A=1%2C3%2C-2%2C1.5&s=2&q=7$"))
    page.evaluate("location.hash = 'A=[1,2]&s=x'")  # too few, and no number: nothing changes
    page.evaluate("location.hash = 's=4'")
    page.locator("header .n", has_text="65").wait_for()
    page.locator("#reset").click()
    assert page.evaluate("nodes.at(-1).value") == 15


def test_notebooks_reveal_by_step_and_files_as_they_are_asked():
    steps = told_apart()
    assert "&quot;reveal&quot;:&quot;step&quot;" in steps._repr_html_()
    assert '"reveal":"all"' in steps.to_html()
    assert '"reveal":"step"' in steps.to_html(reveal="step")
    with pytest.raises(ValueError, match="reveal: expected 'step' or 'all', got 'never'"):
        steps.to_html(reveal="never")
