"""The playground, in a real browser: what is typed there is read, computed and told as Python does it."""

import hashlib
import html
import json
import math
import os
import re
from dataclasses import asdict
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from autograd_core import explain
from autograd_core.command import main, playground
from autograd_core.command.expression import evaluate, variables
from autograd_core.command.grammar import functions, grammar
from autograd_core.command.parser import ExpressionError, parse
from autograd_core.explain import page as page_of_steps
from autograd_core.explain.boxes import of_steps
from autograd_core.explain.page.data import data_of
from autograd_core.explain.page.live import Program

GALLERY = json.loads(files(playground).joinpath("gallery.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return playground.save(tmp_path_factory.mktemp("playground") / "playground.html")


class Saved:
    """What is written already, for a fixture that saves what it visits."""

    def __init__(self, path):
        self.path = path

    def save(self, *_):
        return self.path


@pytest.fixture(scope="module")
def open_page(visits, saved):
    """A playground for many examples."""
    with visits() as visit:
        yield visit(Saved(saved))


@pytest.fixture
def play(visit, saved):
    """The playground at an address; its page's frame when it has come to rest."""

    def go(address="", **options):
        page = visit(Saved(saved), at=address, **options)
        until(page, "!!now || !!document.getElementById('error').textContent")
        return page

    return go


def told(page):
    """The transcript, without the spaces that formulas are set with."""
    return re.sub(r"\s", "", frame(page).locator("#steps").text_content()).replace("\u2212", "-")


def until(page, condition):
    """Wait for what the page's security policy does not let Playwright wait for."""
    for _ in range(3000):  # minutes: what has not come by then never comes
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"never: {condition}")


def frame(page):
    """The page of what is typed."""
    inner = page.frame_locator("#page")
    inner.locator("#steps li").first.wait_for(state="attached")
    return inner


# -- the grammar ----------------------------------------------------------------------------------------------

PIECES = [
    *"xyz12.+-*/@(),[]=<>:!^%e \n\0µ×é$½'|&𝕩", "sum", "max(", "axis=", "**", "x[", "where(", "keepdims=True", ".sum()",
    "tahn(", ".T", "[1,2]", "pi", "inf", "...", "sin(", "0:1", "shape=(2,", "None", "ﬁ", "2.5e3", "not ", " if ", "//",
    "x", "y", "x", "+", "-",
]  # fmt: skip
WHOLE = [
    "(" * 500 + "x",
    "-" * 400 + "x",
    "x" + "+x" * 990,
    "x" * 3000,
    "[" * 160 + "1",
    "-x**2",
    "x<y<z",
    "(x<y)<z",
    "x^2",
]


def read_here(text):
    """Instructions, or what is wrong with the text and where."""
    try:
        return json.loads(json.dumps([asdict(instruction) for instruction in parse(text)]))
    except ExpressionError as error:
        return [error.message, error.column]


READ_THERE = """texts => texts.map((text) => {
  const place = (column) => [...text.slice(0, column)].length; // Python counts characters, JavaScript halves of some
  try {
    return parse(text).map((made) => ({ ...made, column: place(made.column) }));
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return [error.message, place(error.column)];
  }
})"""


@settings(max_examples=20)
@given(texts=st.lists(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), max_size=60))
def test_each_text_means_the_same_there_or_is_wrong_at_the_same_column(open_page, texts):
    texts = [text for text in texts + WHOLE if not re.search("inf|nan", text)]  # which JSON has no number for
    assert open_page.evaluate(READ_THERE, texts) == [read_here(text) for text in texts]


def test_the_names_given_are_read_the_same(open_page):
    texts = ["x=-2", "y:=1", " µ = [1, [2]]", "x", "x=", "x==2", "2=x", "é=-pi", "x=[1,-2.5e3]"]
    for text in texts:
        try:
            (leaf,) = variables([text]).values()
            expected = [leaf.name, np.asarray(leaf.data).tolist(), not leaf.requires_grad]
        except ExpressionError as error:
            expected = [error.message, error.column]
        there = open_page.evaluate(
            """text => { try { const [[name, { value, data }]] = parseGiven([text]); return [name, value, data]; }
            catch (error) { return [error.message, error.column]; } }""",
            text,
        )
        assert there == expected


# -- what is computed and told --------------------------------------------------------------------------------

UNARY = [
    "-{}",
    "exp({})",
    "tanh({})",
    "sigmoid({})",
    "relu({})",
    "sin({})",
    "{}**2",
    "{}**3",
    "abs({})",
    "softplus({})",
]
UNARY += [
    "({} + 2.5)**0.5",
    "log({} * {} + 1.5)",
    "binary_cross_entropy(sigmoid({}), 0)",
    "sqrt({}**2 + 1)",
    "binary_cross_entropy(sigmoid({}), 1)",
]
BINARY = ["({} + {})", "({} - {})", "{} * {}", "{} / ({}**2 + 0.5)", "max({}, {})", "minimum({}, {})", "2**{} + {}"]
BINARY += [
    "hypot({}, {} + 3)",
    "where({0} > {1}, {0}, 0.25 * {1})",
    "({} <= {}) * 1.5",
    "({1}**2 + 1)**{0}",
    "-1.5 * {} - -2 * {}",
]
ATOMS = ["x", "y", "z", "d", "0.75", "3", "-2", "pi", "(x)"]

expressions = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: (
        st.builds(str.format, st.sampled_from(UNARY), inner, inner)
        | st.builds(str.format, st.sampled_from(BINARY), inner, inner)
    ),
    max_leaves=6,
)
numbers = st.integers(-300, 300).map(lambda n: n / 100)

SHOW = """([source, texts]) => new Promise((done) => {
  const frame = document.getElementById("page");
  frame.onload = () => done();
  frame.srcdoc = pageOf(parse(source), parseGiven(texts), "f").html;
})"""
READ = """() => ({
  nodes, steps, result: nodes[result].name,
  told: [...document.querySelectorAll("#steps p")].map((p) => p.textContent),
  titles: [...document.querySelectorAll(".picture .node text:first-of-type")].map((text) => text.textContent),
})"""


def shown(page, source, texts):
    """What the page of an expression holds, once it is in the frame."""
    page.evaluate(SHOW, [source, texts])
    return page.frames[1].evaluate(READ)


def show(page):
    """As Enter does, which Firefox presses below: Chromium at times never said that a key was up again whose press had
    put another page into the frame that takes the focus, and the driver waited for ever."""
    page.evaluate("document.getElementById('typed').requestSubmit()")


def close(a, b, scale):
    a, b = (math.nan if v is None else float(v) for v in (a, b))
    return (math.isnan(a) and math.isnan(b)) or a == b or abs(a - b) <= 1e-12 * max(scale, abs(b))


NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]\d+)?")


@settings(max_examples=60, phases=[Phase.explicit, Phase.generate])  # to shrink an example takes a page for each try
@given(source=expressions, values=st.tuples(numbers, numbers, numbers, numbers))
def test_the_page_made_there_is_the_page_made_here(open_page, source, values):
    given = [f"{name}{':=' if name == 'd' else '='}{value}" for name, value in zip("xyzd", values, strict=True)]
    try:
        f = evaluate(source, variables(given))
    except ExpressionError:
        assume(False)
    f.name = "f"
    with np.errstate(all="ignore"):
        steps = explain(f, names={})
    sizes = [abs(float(v)) for value in steps.values.values() for v in (value.value, value.gradient) if v is not None]
    assume(all(s == 0 or 1e-3 < s < 1e4 for s in sizes))  # no digits are lost on the way
    scale = max(sizes)
    there = shown(open_page, source, given)
    constants = [float(arg) for value in steps.values.values() for arg in value.args]
    assume(all(c == 0 or 1e-4 < abs(c) < 1e6 for c in constants))  # others are written in two forms, 1e-16 and 10^-16
    expected = json.loads(json.dumps(data_of(steps, Program()), default=list))
    assert there["result"] == steps.result
    assert [n["name"] for n in there["nodes"]] == list(steps.values)
    for node, found in zip(expected["nodes"], there["nodes"], strict=True):
        for key in node.keys() - {"value", "gradient", "call", "constants", "live"}:
            # As a rule runs it is shown with what constants make of it: a factor 1 and a choice are left out.
            if key == "derivatives" and (
                {"d", "where"} & {*node["inputs"], node["op"]} or {0, 1, -1} & {*node["constants"]}
            ):
                found[key], node[key] = ([derivative[:2] for derivative in n[key]] for n in (found, node))
            assert found[key] == node[key], (key, node["name"])
        assert close(found["value"], node["value"], scale)
        assert close(found["gradient"], node["gradient"], scale)
    for step, found in zip(expected["steps"], there["steps"], strict=True):
        for key in ("kind", "node", "out", "position"):
            assert found.get(key) == step.get(key)
        for key in ("upstream", "local", "contribution", "total"):
            assert (step.get(key) is None) == (found.get(key) is None)
            assert step.get(key) is None or close(found[key], step[key], scale)
    for row, found in zip(page_of_steps.transcript(steps).split("\n"), there["told"], strict=True):
        here = html.unescape(re.sub("<[^>]*>", "", row.partition("</button>")[2])).replace("\u2212", "-")
        found = found.replace("\u2212", "-")
        assert NUMBER.sub("#", found) == NUMBER.sub("#", here)
        for a, b in zip(NUMBER.findall(found), NUMBER.findall(here), strict=True):
            assert close(a, b, scale * 1e7)  # of six digits the last may be rounded the other way
    boxes = [box.title for box in of_steps(steps).boxes if box.kind in ("leaf", "op")]
    assert sorted(there["titles"]) == sorted(boxes)


POINTS = [(0.5, 0.25, 2.0), (-0.75, 1.5, -1.0), (2.0, 2.0, 0.5), (1.0, 0.0, 3.0)][
    :: 1 if "THOROUGH" in os.environ else 2
]


def test_every_function_of_numbers_computes_there_what_it_computes_here(open_page):
    known = set(open_page.evaluate("() => [...Object.keys(OPS), ...Object.keys(TEMPLATES.compositions)]"))
    tried = set()
    for name, count, op in ((n, c, op) for n, f in functions().items() for c, op in f["by"].items()):
        if op not in known:
            continue
        tried.add(name)
        called = f"{name}({', '.join('xyz'[: int(count)])})" if name != "where" else "where(x > y, x, z)"
        # Each point is a term of one sum, so that a page is made for each function, and not for each point.
        terms = [re.sub(r"\b[xyz]\b", lambda m, i=i: f"{m[0]}{i}", called) for i in range(len(POINTS))]
        given = [f"{n}{i}={v}" for i, point in enumerate(POINTS) for n, v in zip("xyz", point, strict=True)]
        with np.errstate(all="ignore"):
            steps = explain(evaluate(" + ".join(terms), variables(given)), names={})
        found = shown(open_page, " + ".join(terms), given)["nodes"]
        assert [node["name"] for node in found] == list(steps.values)
        for node, own in zip(found, steps.values.values(), strict=True):
            assert close(node["value"], own.value, 1), (called, node["name"])
            assert close(node["gradient"], own.gradient, 1), (called, node["name"])
    assert len(tried) > 60


# -- the page around ---------------------------------------------------------------------------------------------


def test_typing_makes_the_page_and_the_address(play):
    page = play()
    assert page.locator("#expression").input_value() == "(x + y) * z"
    assert "f=v1·z" in told(page)
    page.locator("#expression").fill("a*b + 1")
    show(page)
    frame(page).locator("#steps", has_text="a·b").wait_for(state="attached")
    assert page.locator("#given").input_value() == "x=-2 y=5 z=-4 a=1 b=1"
    assert "x and y and z is not in the expression" in page.locator("#error").text_content()
    until(page, "location.hash.includes('a=1&b=1')")
    page.keyboard.press("ArrowRight")  # the frame has the focus
    until(page, "location.hash.includes('step=1')")


def test_a_leaf_that_is_changed_in_the_frame_is_in_the_address_and_decides_anew(play):
    page = play("#f=where(x>0,x,0.1*x)*y&x=3&y:=2&step=2")
    inner = frame(page)
    assert inner.locator("#count").text_content() == "step 2 of 7"
    inner.locator("#box-0").fill("-4")
    until(page, "location.hash.includes('x=-4&y:=2&step=2')")
    inner.locator("#steps", has_text="where(0").wait_for(state="attached")
    assert "v2=where(x>0,x,v1)=where(0,-4,-0.4)=-0.4." in told(page)
    assert inner.locator("#count").text_content() == "step 2 of 7"
    assert page.locator("#given").input_value() == "x=-4 y:=2"


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("source", "given"),
    [
        ("1 / x", "x=-0"),
        ("sqrt(x) * y", "x=inf y=-inf"),
        ("x * y", "x=nan y=1"),
        ("f * x", "f=2 x=3"),  # and leaves that are called as what else stands in an address
        ("step * reveal", "step=2 reveal=3"),
    ],
)
def test_an_address_opens_what_it_was_written_for(play, source, given):
    first = play()
    first.locator("#expression").fill(source)
    first.locator("#given").fill(given)
    show(first)
    frame(first).locator("#count", has_text="steps").wait_for()
    first.keyboard.press("ArrowRight")
    until(first, "location.hash.endsWith('&step=1')")
    page = play(first.evaluate("location.hash"))
    assert frame(page).locator("#count").text_content().startswith("step 1 of")
    assert page.locator("#error").text_content() == ""
    assert (page.locator("#expression").input_value(), page.locator("#given").input_value()) == (source, given)
    with np.errstate(all="ignore"):
        steps = explain(evaluate(source, variables(given.split())), names={})
    there = page.frames[-1].evaluate("nodes.map((node) => [exact(node.value), exact(node.gradient)])")
    here = [(value.value, value.gradient) for value in steps.values.values()]
    np.testing.assert_array_equal([[float(x.replace("Infinity", "inf")) for x in pair] for pair in there], here)
    zeros = [(x.startswith("-"), bool(np.signbit(y))) for (x, _), (y, _) in zip(there, here, strict=True) if y == 0]
    assert all(a == b for a, b in zeros)


def test_mistakes_are_pointed_at_and_what_was_there_stays(play):
    page = play("#f=x*x&x=3")
    frame(page)
    page.locator("#expression").fill("x^2")
    show(page)
    assert page.locator("#error").text_content() == "write x**2\n  x^2\n   ^"
    assert "f=x·x" in told(page)
    page.locator("#expression").fill("x @ x")
    show(page)
    assert "matmul is for arrays" in page.locator("#error").text_content()
    page.locator("#expression").fill("x*2")
    page.locator("#given").fill("x=two")
    show(page)
    assert "expected a number or a list of numbers, got two" in page.locator("#error").text_content()
    page.locator("#given").fill("x=2")
    show(page)
    assert page.locator("#error").text_content() == ""


@pytest.mark.every(2)
@pytest.mark.parametrize("i", range(len(GALLERY)))
def test_each_of_the_gallery_is_what_python_makes_of_it(play, i):
    page = play()
    frame(page)
    page.locator("#gallery").select_option(str(i))
    entry = GALLERY[i]
    steps = explain(evaluate(entry["f"], variables(entry["given"].split())), names={})
    inner = frame(page)
    inner.locator(f"#step-{len(steps) - 1}").wait_for(state="attached")
    assert inner.locator("#steps li").count() == len(steps)
    leaves = [
        inner.locator("tbody tr", has=page.frame_locator("#page").locator(f"th:text-is('{n}')")) for n in steps.leaves
    ]
    for name, row in zip(steps.leaves, leaves, strict=True):
        value, gradient = map(float, row.locator("td").all_text_contents())
        assert value == pytest.approx(float(steps.leaves[name]), rel=1e-5)
        assert gradient == pytest.approx(float(steps.gradients[name]), rel=1e-4, abs=1e-9)


@pytest.mark.parametrize(
    "address", ["#f=%", "#f=x%2By&x=%zz", "#&&=&x", "#f=<img src=x onerror=alert(1)>", "#f=x*2&x=<b>"]
)
def test_no_address_breaks_it(play, address):
    page = play(address)
    assert page.locator("#expression").is_visible()


@pytest.mark.every(3)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1366, 1920])
def test_axe_finds_nothing(play, axe, width, scheme):
    page = play("#f=x^2", viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.locator("#expression").fill("x**2 + y")
    show(page)
    frame(page)
    page.locator("#known summary").click()
    rules = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
    for part in (page, page.frames[1]):
        part.evaluate(axe)
        found = part.evaluate(f"axe.run(document, {rules})")
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_firefox_plays_too(firefox, saved):
    made = "now?.source === 'a*b' ? done(now.made.steps.length) : setTimeout(look, 50)"
    told, given = firefox(
        saved,
        ("fill", "#expression", "a*b"),
        ("press", "Enter"),
        ("read", f"new Promise((done) => {{ const look = () => {made}; look(); }})"),
        ("read", "document.getElementById('given').value"),
    )
    assert (told, given) == (3, "x=-2 y=5 z=-4 a=1 b=1")


# -- the file ----------------------------------------------------------------------------------------------------------


def test_the_command_writes_one_file_of_moderate_size(tmp_path, capsys):
    out = tmp_path / "play.html"
    assert main(["playground", "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    assert out.stat().st_size < 600_000
    assert main(["playground", "--out", str(tmp_path / "play.txt")]) == 1
    assert "--out: expected a file that ends in .html" in capsys.readouterr().err
    assert not (tmp_path / "play.txt").exists()


def test_the_library_that_is_not_ours_is_pinned():
    folder = files(page_of_steps).joinpath("vendor")
    digest = hashlib.sha256(folder.joinpath("dagre.min.js").read_bytes()).hexdigest()
    assert digest in folder.joinpath("README.md").read_text(encoding="utf-8")
    assert "MIT" in folder.joinpath("README.md").read_text(encoding="utf-8")
    assert "Permission is hereby granted" in folder.joinpath("dagre.LICENSE").read_text(encoding="utf-8")


def test_no_script_has_a_table_of_its_own():
    """No name of a function, and no derivative, is written in JavaScript by hand."""
    names = {n for n in functions() if len(n) > 3} - {"where", "sign", "power", "transpose", "square"}
    for script in playground.SCRIPTS:
        text = files(playground).joinpath(script).read_text(encoding="utf-8")
        code = re.sub(r"//.*|Math\.\w+|\.\w+\(", "", text)
        assert names & set(re.findall(r"\w+", code)) == set(), script
    assert grammar()["functions"].keys() >= names
