"""The page, in a real browser: read, stepped through by keyboard, changed, and judged by axe."""

import html
import json
import os
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd_core import REGISTRY, Tensor, conv, debug, explain, op, sigmoid
from autograd_core.explain import dot, frames, looks
from autograd_core.explain.formula import number
from autograd_core.explain.page.live import program
from autograd_core.explain.symbol import Untraceable, trace, trace_rule


def said(steps, i):
    """A step in one sentence."""
    return "".join(map(str, steps.narration[i].sentence))


def lecture():
    x, y, z = Tensor(-2.0), Tensor(5.0), Tensor(-4.0)
    q = x + y
    f = q * z
    return explain(f)


def neuron():
    values = {"w0": 2.0, "w1": -3.0, "w2": -3.0, "x0": -1.0, "x1": -2.0}
    w0, w1, w2, x0, x1 = (Tensor(value, name=name) for name, value in values.items())
    return explain(1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2))), names={})


def network(inputs=4, hidden=5, batch=3):
    nn.utils.set_random_seed(0)
    model = nn.Sequential(
        [
            nn.Input(shape=(inputs,)),
            nn.layers.Dense(hidden, activation="tanh"),
            nn.layers.Dense(10, activation="softmax"),
        ]
    )
    x = np.random.default_rng(0).random((batch, inputs))
    return explain(nn.losses.SparseCategoricalCrossentropy()(np.arange(batch) % 10, model(x)))


def picture():
    """A convolution of a small image."""
    x, k = Tensor(np.arange(9.0).reshape(1, 3, 3, 1), name="x"), Tensor(np.ones((2, 2, 1, 1)), name="k")
    return explain(np.sum(np.tanh(conv(x, k) * 0.1)), names={})


def hostile():
    names = [
        "<script>window.stolen = 1</script>",
        '"><img src=x onerror="window.stolen=1">',
        "</script>",
        "{{data}}",
        "&lt;",
    ]
    return explain(np.exp(sum((Tensor(i + 0.5, name=n) for i, n in enumerate(names)), start=Tensor(0.1)) * -0.1))


# Each takes a page; more of them with this variable.
EXAMPLES = int(os.environ.get("AUTOGRAD_EXAMPLES", "10"))

STORIES = [lecture, neuron, network, hostile]


@pytest.fixture
def card(aloud):
    """What the card of a value says, term by term, without spaces."""
    return lambda page: dict(zip(aloud.read(page, "#card dt"), aloud.read(page, "#card dd"), strict=True))


@pytest.fixture
def told(aloud):
    """The steps of the transcript, without spaces."""
    return lambda page: [step.partition(".")[2] for step in aloud.read(page, "#steps p")]


# -- reading ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("story", STORIES)
def test_the_whole_story_is_there_without_the_script(visit, story, aloud, told):
    steps = story()
    page = visit(steps, java_script_enabled=False)
    assert told(page) == [aloud.text(said(steps, i)) for i in range(len(steps))]


@pytest.mark.parametrize("story", STORIES)
def test_page_and_picture_say_the_numbers_of_the_steps(visit, story):
    steps = story()
    page = visit(steps)
    if page.locator("#fold").is_visible() and page.locator("#fold").text_content() == "Open all layers":
        page.locator("#fold").click()
    written = " ".join(page.locator(".picture:visible text").all_text_contents())
    for name, value in steps.values.items():
        assert " ".join(name.split()) in written
        if np.ndim(value.value) == 0:
            assert f"∂{steps.result}/∂{name} = {number(value.gradient)}" in written


def test_stepping_by_keyboard(visit, aloud):
    steps = lecture()
    page = visit(steps)
    for i in range(len(steps)):
        page.keyboard.press("ArrowRight")
        assert page.locator("#count").text_content() == f"step {i + 1} of 6"
        assert aloud.text(said(steps, i)) in aloud.read(page, "#say")[0]
        assert page.locator("[aria-current=step]").get_attribute("id") == f"step-{i}"
    page.keyboard.press("ArrowLeft")
    assert page.locator("#count").text_content() == "step 5 of 6"
    page.keyboard.press("Home")
    assert page.locator("#count").text_content() == "step 1 of 6"
    page.keyboard.press("End")
    assert page.locator("#count").text_content() == "step 6 of 6"
    page.locator("#position").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#count").text_content() == "step 5 of 6"


def test_firefox_steps_and_computes_as_chromium_does(firefox, aloud):
    steps, key = lecture(), ("press", "ArrowRight")
    y = 'label[for="box-1"] + input'
    heard = ("read", f"(() => {{ {aloud.script} return spoken(document.getElementById('say')); }})()")
    seen = firefox(steps, key, key, key, heard, ("fill", y, "-1.5"), ("read", "nodes.map(n => n.value)"))
    assert seen == [f"Backward.{aloud.text(said(steps, 2))}", [-2, -1.5, -4, -3.5, 14]]


def test_space_plays_and_stops(visit):
    page = visit(lecture())
    page.keyboard.press("Space")
    assert page.locator("#play").text_content() == "Pause"
    page.locator("#count", has_text=re.compile("step [1-5] of 6")).wait_for()  # whichever one sees
    page.keyboard.press("Space")
    assert page.locator("#play").text_content() == "Play"


def test_each_step_lights_its_nodes_and_its_edge(visit):
    page = visit(lecture())
    lit = lambda kind: page.locator(f".{kind}.lit").count()  # noqa: E731
    page.keyboard.press("ArrowRight")  # q = x + y: three nodes, two edges
    assert (lit("node"), lit("edge")) == (3, 2)
    for _ in range(2):
        page.keyboard.press("ArrowRight")  # from f to q
    assert (lit("node"), lit("edge")) == (2, 1)
    assert page.locator(".edge.lit text").text_content().strip() == "-4"


def test_a_value_called_g_is_no_upstream_gradient(visit, card):
    g, x = Tensor(2.0, name="g"), Tensor(np.ones((1, 1)), name="x")
    page = visit(explain(np.sum((g * x) @ np.ones((1, 1))), names={}))
    page.locator(".node", has_text="v1 = g · x").first.click()
    assert card(page)["∂v1/∂x"] == "g"
    page.locator(".node", has_text="v2 = v1 @").first.click()
    assert card(page)["tov1"].startswith("g@")


def test_the_keyboard_alone_reaches_every_value(visit):
    page = visit(lecture())
    seen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('node')"):
            seen.add(page.locator("#card h2").text_content())
    assert seen == {"x", "y", "z", "q", "f"}


def test_the_card_says_value_gradient_formula_local_and_line(visit, card):
    with debug():
        x, y = Tensor(3.0), Tensor(2.0)
        f = x * y
    page = visit(explain(f))
    page.locator(".node", has_text="f = x · y").hover()
    said = card(page)
    assert said["value"] == "6"
    assert said["∂f/∂f"] == "1"
    assert said["formula"] == "f=x·y"
    assert said["∂f/∂x"] == "y"
    assert said["astheruleruns"] in ("g·y", "g·x")
    assert "test_page.py" in said["line"]
    assert "f=x*y" in said["line"]


def test_arrays_show_exact_numbers_on_focus_and_a_window_of_large_ones(visit):
    big = Tensor(np.random.default_rng(0).normal(size=(40, 30)), name="big")
    page = visit(explain(np.sum(big * big)))
    page.locator(".node", has_text="40×30").first.focus()
    heat = page.locator(".heat", has_text="value of big")
    assert f"40×30, min {number(big.data.min())}, max {number(big.data.max())}, mean" in heat.text_content()
    assert heat.locator("td[tabindex]").count() == 100
    heat.locator("td[tabindex='0']").focus()
    assert heat.locator("output").text_content() == f"[0, 0] = {float(big.data[0, 0])!r}"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert heat.locator("output").text_content() == f"[1, 1] = {float(big.data[1, 1])!r}"
    heat.locator("input").first.fill("30")
    heat.locator("td[tabindex='0']").focus()
    assert heat.locator("output").text_content() == f"[30, 0] = {float(big.data[30, 0])!r}"


def shown(page):
    """The layers that are boxes and those that are open, in the picture that is seen."""
    closed = page.locator(".picture:visible .node.layer text:first-of-type").all_text_contents()
    opened = page.locator(".picture:visible .cluster text").all_text_contents()
    return {t.strip(" +") for t in closed}, {t.strip(" −") for t in opened}


def test_each_layer_opens_and_closes_alone_and_all_of_them_together(visit):
    steps = network()
    first, second = dict.fromkeys(v.layers[0] for v in steps.values.values() if v.layers)
    page = visit(steps)
    assert shown(page) == ({first, second}, set())
    layer = lambda i: page.locator(f".picture:visible [data-layer='{i}']")  # noqa: E731
    layer(0).click()
    assert shown(page) == ({second}, {first})
    layer(1).focus()
    page.keyboard.press("Enter")
    assert shown(page) == (set(), {first, second})
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    page.keyboard.press("Enter")
    assert shown(page) == ({second}, {first})
    page.locator("#fold").click()
    assert shown(page) == (set(), {first, second})
    assert page.locator("#fold").text_content() == "Close all layers"
    page.locator("#fold").click()
    assert shown(page) == ({first, second}, set())


def test_layers_are_found_whatever_they_are_called(visit):
    names = ["back\\slash & <b>", "%N"]
    model = nn.Sequential([nn.Input(shape=(2,)), *(nn.layers.Dense(2, name=name) for name in names)])
    page = visit(explain(np.sum(model(np.ones((1, 2)))), names={}))
    assert shown(page) == (set(names), set())
    for i, name in enumerate(names):
        page.locator(f".picture:visible [data-layer='{i}']").click()
        assert name in shown(page)[1]
    page.locator(".picture:visible .cluster[data-layer='0']").press("Enter")
    assert shown(page) == ({names[0]}, {names[1]})


# -- changing --------------------------------------------------------------------------------------------


def test_changing_a_leaf_changes_every_number(visit, aloud, told):
    page = visit(lecture())
    page.get_by_label("y", exact=True).fill("-1.5")
    x, y, z = Tensor(-2.0), Tensor(-1.5), Tensor(-4.0)
    q = x + y
    f = q * z
    steps = explain(f)
    assert page.evaluate("nodes.map(n => n.value)") == [float(v.value) for v in steps.values.values()]
    assert page.evaluate("nodes.map(n => n.gradient)") == [float(v.gradient) for v in steps.values.values()]
    assert told(page) == [aloud.text(said(steps, i)) for i in range(len(steps))]
    written = " ".join(page.locator(".picture text").all_text_contents())
    assert "∂f/∂z = -3.5" in written
    page.locator("#reset").click()
    assert page.evaluate("nodes[0].value") == -2
    assert "∂f/∂z = 3" in " ".join(page.locator(".picture text").all_text_contents())


def test_a_slider_reaches_as_far_to_both_sides_of_wherever_its_number_goes(visit):
    page = visit(neuron())
    slider = page.get_by_label("slider for w0")
    ends = lambda: [float(slider.get_attribute(name)) for name in ("min", "max")]  # noqa: E731
    box = page.get_by_label("w0", exact=True)
    box.fill("50")
    assert ends() == [-50, 150]
    box.fill("")
    assert box.get_attribute("placeholder") == "50 still counts"
    assert page.evaluate("nodes[0].value") == 50
    page.locator("#say").click()
    assert box.input_value() == "50"
    slider.focus()
    page.keyboard.press("End")
    assert page.evaluate("nodes[0].value") == 150
    assert ends() == [-150, 450]


def test_the_halves_of_the_transcript_close(visit):
    page = visit(lecture(), viewport={"width": 390, "height": 700})
    shown = lambda: page.locator("#steps li:visible").count()  # noqa: E731
    assert shown() == 0
    page.keyboard.press("ArrowRight")
    assert shown() == 1  # the present step is always there
    page.get_by_role("button", name="Backward, 4 steps").click()
    assert shown() == 5
    page.get_by_role("button", name="Forward, 2 steps").click()
    assert shown() == 6


def test_a_slider_moves_its_leaf(visit):
    page = visit(neuron())
    page.get_by_label("slider for w0").focus()
    before = page.evaluate("nodes.at(-1).value")
    page.keyboard.press("Home")
    assert page.evaluate("nodes[0].value") == -2
    assert page.evaluate("nodes.at(-1).value") != before


@given(st.lists(st.floats(-100, 100, width=32), min_size=3, max_size=3))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_graph_in_float32_is_live_and_rounds_as_numpy_does(visits, numbers):
    def story(values):
        x, y, z = (Tensor(np.float32(v), name=n) for v, n in zip(values, "xyz", strict=True))
        with np.errstate(all="ignore"):
            return explain((x * y + 0.1) / z - x * x * np.maximum(y, z) + 1 / x, names={})

    with visits() as visit:
        page = visit(story([0.1, 0.2, 0.3]))
        assert "live" in page.locator("#status").text_content()
        for i, value in enumerate(numbers):
            page.evaluate("([i, v]) => { nodes[i].value = v; }", [i, value])
        page.evaluate("recompute()")
        found = np.array(page.evaluate("nodes.map(n => [String(n.value), String(n.gradient)])"), float)
    np.testing.assert_array_equal(found, [[v.value, v.gradient] for v in story(numbers).values.values()])


def test_a_neuron_in_float32_is_live_to_the_last_digits(visit):
    w, x = Tensor(np.float32(0.3), name="w"), Tensor(np.float32(-1.7), name="x")
    page = visit(explain(np.tanh(w * x), names={}))
    page.get_by_label("x", exact=True).fill("0.7")
    moved = explain(np.tanh(w * Tensor(np.float32(0.7), name="x")), names={})
    found = page.evaluate("nodes.map(n => [n.value, n.gradient])")
    np.testing.assert_allclose(found, [[v.value, v.gradient] for v in moved.values.values()], rtol=3e-7)


def test_ops_that_javascript_lacks_are_named():
    x = Tensor(1.3)
    assert program(explain(np.sin(x))).frozen == ""
    assert program(explain(np.expand_dims(x, 0).sum())).frozen == ""
    assert program(explain(Tensor(np.float32(2), name="h") * x)).frozen.startswith("h is float32, and f is float64")
    assert program(explain(Tensor(np.float16(2), name="h") * 2)).frozen.startswith("h is float16")

    @op("?", broadcasts=True)
    def test_bessel(x):
        return np.i0(x)

    test_bessel.vjp("?")(lambda g, z, x: g * x)
    try:
        assert program(explain(test_bessel(x))).frozen.startswith("the page has no test_bessel")
    finally:
        del REGISTRY["test_bessel"]


def live_ops():
    for name, o in sorted(REGISTRY.items()):
        if o.arity in (1, 2) and o.broadcasts and name not in ("round", "sinc", "copysign"):
            try:
                trace(o), *(trace_rule(o, i) for i in range(o.arity))
            except Untraceable:
                continue
            yield o


LIVE = list(live_ops())
numbers = st.floats(-3, 3).map(lambda v: round(v, 3))


@st.composite
def graphs(draw):
    """A random graph of live ops, and other values for its leaves."""
    count = draw(st.integers(1, 4))
    plan = [
        (draw(st.sampled_from(LIVE)), draw(st.integers(0, 100)), draw(st.one_of(st.integers(0, 100), numbers)))
        for _ in range(draw(st.integers(1, 12)))
    ]
    return plan, *([draw(numbers) for _ in range(count)] for _ in range(2))


def run(plan, leaves):
    values = [Tensor(v, name=f"leaf{i}") for i, v in enumerate(leaves)]
    with np.errstate(all="ignore"):
        for o, i, j in plan:
            other = j if isinstance(j, float) else values[j % len(values)]
            values.append(o(*(values[i % len(values)], other)[: o.arity]))
        result = sum(values[1:], start=values[0])
        return explain(result, names={})


@settings(max_examples=EXAMPLES, deadline=None)
@given(graphs())
def test_the_page_computes_what_python_computes(visits, graph):
    plan, first, second = graph
    steps = run(plan, first)
    if program(steps).frozen:
        return
    with visits() as visit:
        page = visit(steps)
        for i, value in enumerate(second):
            page.evaluate("([i, v]) => { nodes[i].value = v; }", [list(steps.values).index(f"leaf{i}"), value])
        page.evaluate("recompute()")
        found = np.array(page.evaluate("nodes.map(n => [String(n.value), String(n.gradient)])"), float)
    expected = run(plan, second)
    ours = np.array([[float(v.value), float(v.gradient)] for v in expected.values.values()])
    largest = np.max(np.abs(ours[np.isfinite(ours)]), initial=0.0)
    np.testing.assert_allclose(found, ours, rtol=0, atol=1e-12 * largest)


@given(st.floats(allow_nan=True))
@settings(max_examples=300, deadline=None)
def test_numbers_are_written_as_python_writes_them(numbers_page, x):
    written = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(x), repr(x))
    assert numbers_page.evaluate("x => format(Number(x))", written) == number(x)


@pytest.fixture(scope="module")
def numbers_page(chromium, tmp_path_factory):
    page = chromium.new_page()
    page.goto(lecture().save(tmp_path_factory.mktemp("page") / "p.html").as_uri())
    yield page
    page.close()


# -- what must hold --------------------------------------------------------------------------------------


def test_names_are_text_and_never_markup(visit):
    page = visit(hostile())
    page.keyboard.press("End")
    assert page.evaluate("window.stolen") is None
    assert page.locator("img").count() == 0
    assert "<script>window.stolen = 1</script>" in page.locator("#leaves").text_content()


@pytest.mark.parametrize("story", [neuron, network, picture])
def test_axe_finds_nothing(visit, axe, story):
    """The neuron at several widths, the larger ones at one, and all of them at all with THOROUGH=1."""
    page = visit(story(), bypass_csp=True)
    page.keyboard.press("End")
    page.evaluate("document.getElementById('legend').open = true")
    page.evaluate(axe)
    looks = [(w, "screen", s) for w in (390, 768, 1366, 1920) for s in ("light", "dark")]
    few = looks[::3] if story is neuron else looks[1:2]
    for width, media, scheme in [*(looks if "THOROUGH" in os.environ else few), (800, "print", "dark")]:
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(media=media, color_scheme=scheme)
        report = page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        found = [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in report["violations"]]
        assert (width, media, scheme, found) == (width, media, scheme, [])
        assert len(report["passes"]) > 15


@pytest.mark.parametrize("story", [lecture, network])
def test_nothing_sticks_out_on_a_phone(visit, story):
    page = visit(story(), viewport={"width": 360, "height": 740})
    page.keyboard.press("End")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_print_shows_the_story_by_day_and_no_controls(visit):
    page = visit(lecture(), viewport={"width": 390, "height": 700}, color_scheme="dark")
    assert not page.locator("#steps li").last.is_visible()  # on a phone the transcript begins closed
    page.emulate_media(media="print")
    looks = page.evaluate("['color', 'backgroundColor'].map(name => getComputedStyle(document.body)[name])")
    assert looks == ["rgb(27, 27, 31)", "rgb(255, 255, 255)"]
    assert not page.locator("#player").is_visible()
    assert page.locator("#steps li").last.is_visible()
    assert [n.is_visible() for n in page.locator(".picture .node").all()] == [True] * 5


def test_on_paper_the_graph_has_its_width_and_no_page_is_empty(visit):
    page = visit(neuron(), viewport={"width": 1900, "height": 900}, color_scheme="dark")
    rows = "new Set([...document.querySelectorAll('.picture .node')].map((n) => n.transform.baseVal[0].matrix.f)).size"
    heights = "[...document.querySelectorAll('.picture')].map((p) => Math.round(p.getBoundingClientRect().height))"
    before, height = page.evaluate(rows), page.evaluate(heights)
    page.evaluate(f"addEventListener('beforeprint', () => (window.onPaper = {rows}))")
    pdf = page.pdf(format="A4", print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 2
    assert page.evaluate("onPaper") > before  # a sheet is narrower
    assert (page.evaluate(rows), page.evaluate(heights)) == (before, height)


def test_pages_are_small_and_laid_out_once(chromium, tmp_path):
    x = Tensor(1.5, name="x")
    ten = x
    for _ in range(5):
        ten = np.sin(ten) * 1.1
    assert len(explain(ten).to_html().encode()) < 200_000
    numbers, arrays = neuron().to_html("step"), network().to_html()
    assert len(numbers.encode()) < 101_000
    assert (numbers.count("<style>"), numbers.count('background"')) == (1, 1)  # a picture has no looks of its own
    for only_of_arrays in ("function heatmap(", "function tables(", "function editable(", "div.cells td"):
        assert only_of_arrays in arrays
        assert only_of_arrays not in numbers
    steps = network(784, 50, 32)
    assert len(steps.to_html().encode()) < 2_000_000
    page = chromium.new_page()  # all that its process ever made is counted
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.goto(steps.save(tmp_path / "page.html").as_uri())
    page.locator("#count", has_text="steps").wait_for()
    counted = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    assert counted["LayoutCount"] <= 10  # a script that asks for a size after each change makes one a step
    assert counted["Nodes"] < 10_000


def test_the_notebook_shows_the_page_in_a_frame_of_its_own(chromium):
    page = chromium.new_page()
    page.set_content(f"<body>{hostile()._repr_html_()}</body>")
    frame = page.frame_locator("iframe")
    frame.locator("#next").click()
    assert frame.locator("#count").text_content().startswith("step 1 of")
    page.close()


def test_a_page_knows_the_parts_of_its_picture_by_their_ids_and_not_by_their_colours(monkeypatch, judge):
    judge("pygraphviz")
    page = neuron().to_html()
    monkeypatch.setattr(dot, "RAMP", ("#123456",) * len(looks.RAMP))
    monkeypatch.setattr(dot, "LINE", "#654321")
    assert neuron().to_html() == page
    shades = dict(re.findall(r'<g id="(\w+-\d+)" class="[\w ]+ s(\d)"', page))
    picture = frames.drawing(neuron())
    for kind, parts in (("node", picture.boxes), ("edge", picture.arrows)):
        for i, part in enumerate(parts):
            shade = looks.shade(part.gradient, picture.largest)
            assert shades.get(f"{kind}-{i}") == (None if shade is None else str(shade))
    assert len({*shades.values()}) > 1


def test_the_data_of_a_page_cannot_end_its_script():
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', hostile().to_html(), re.S)[1]
    assert "<" not in found
    names = {node["name"] for node in json.loads(found)["nodes"]}
    assert "</script>" in names
    assert html.escape("</script>") in hostile().to_html()


def test_what_cannot_be_a_page_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.html.*got 'page.pdf'"):
        lecture().save(tmp_path / "page.pdf")
    x = Tensor(1.0)
    for _ in range(3001):
        x = x * 1.01
    with pytest.raises(ValueError, match=r"expected at most 6,000 steps.*got 6,002"):
        explain(x).to_html()


def test_the_published_gradients_stand_on_the_page(visit):
    s = [Tensor(v, name=n) for n, v in (("w0", 2.0), ("x0", -1.0), ("w1", -3.0), ("x1", -2.0), ("w2", -3.0))]
    page = visit(explain(sigmoid(s[0] * s[1] + s[2] * s[3] + s[4])))
    rows = page.locator("#leaves tbody tr").all_text_contents()
    assert rows == ["w02-0.196612", "x0-10.393224", "w1-3-0.393224", "x1-2-0.589836", "w2-30.196612"]


def test_firefox_tells_a_training(firefox, tmp_path):
    nn.utils.set_random_seed(0)
    runs = []
    for activation in ("sigmoid", "relu"):
        hidden = [nn.layers.Dense(4, activation, name=f"hidden_{i + 1}") for i in range(7)]
        model = nn.Sequential([nn.Input(shape=(2,)), *hidden, nn.layers.Dense(1, name="out")], name=activation)
        model.compile("sgd", "mse")
        runs.append(nn.watch(model))
        model.fit(np.ones((4, 2)), np.ones(4), epochs=3, verbose=0, callbacks=runs[-1])
    count, said, dead, wide = firefox(
        runs[0].save(tmp_path / "two.html", beside=runs[1]),
        ("click", "h1"),
        ("press", "ArrowRight"),
        ("press", "4"),
        ("text", "#count"),
        ("text", "#said"),
        ("texts", "#run1 td.number[data-of=dead]"),
        ("read", "document.documentElement.scrollWidth"),
        width=390,
        height=844,
    )
    assert count == "epoch 2 of 3"
    assert "vanish on the way back: hidden_1’s are" in said
    assert dead == [f"{4 * share[1]:.0f} of {1 if name == 'out' else 4}" for name, share in runs[1].dead.items()]
    assert wide <= 390
