"""The picture is the user's code, with the user's names."""

import gc
import html
import io
import itertools
import re
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import nn
from autograd_core import Tensor, draw, explain
from autograd_core.explain.looks import strength

SVG = "{http://www.w3.org/2000/svg}"


def lecture():
    x, y, z = Tensor(-2.0), Tensor(5.0), Tensor(-4.0)
    q = x + y
    f = q * z
    return draw(f)


def network(layers=2, units=8, activation="tanh"):
    nn.utils.set_random_seed(0)
    dense = [nn.layers.Dense(units, activation=activation, name=f"dense_{i + 1}") for i in range(layers)]
    model = nn.Sequential([nn.Input(shape=(4,)), *dense])
    return np.mean(model(np.ones((3, 4))) ** 2)


@pytest.fixture
def pygraphviz(judge):
    judge("graphviz")
    return judge("pygraphviz")


def texts(svg):
    """What is written in each node of an SVG, read back from the file."""
    root = ET.fromstring(svg)
    nodes = [g for g in root.iter(f"{SVG}g") if g.get("class", "").startswith("node") and g.get("id") != "legend"]
    return {tuple(t.text.strip() for t in g.iter(f"{SVG}text")) for g in nodes}


def test_the_picture_says_name_formula_value_and_gradient(pygraphviz, tmp_path):
    file = lecture().save(tmp_path / "graph.svg")
    assert texts(file.read_bytes()) == {
        ("x", "-2", "∂f/∂x = -4"),
        ("y", "5", "∂f/∂y = -4"),
        ("z", "-4", "∂f/∂z = 3"),
        ("q = x + y", "3", "∂f/∂q = -4"),
        ("f = q · z", "-12", "∂f/∂f = 1"),
    }


def test_edges_carry_what_flows_back_along_them():
    assert {(a.start, a.end, a.label) for a in lecture().arrows} == {
        ("x", "q", "-4"),
        ("y", "q", "-4"),
        ("q", "f", "-4"),
        ("z", "f", "3"),
    }


def test_every_format_reads_back(pygraphviz, tmp_path, judge):
    image = judge("PIL.Image")
    picture = lecture()
    with image.open(io.BytesIO(picture.save(tmp_path / "g.png").read_bytes())) as png:
        assert png.format == "PNG"
        assert png.width > png.height > 50
    assert picture.save(tmp_path / "g.pdf").read_bytes().startswith(b"%PDF-")
    nodes = pygraphviz.AGraph(string=picture.save(tmp_path / "g.dot").read_text("utf-8")).nodes()
    assert [n for n in nodes if n != "legend"] == [f"n{i}" for i in range(5)]
    assert ET.fromstring(picture._repr_mimebundle_()["image/svg+xml"]).tag == f"{SVG}svg"
    with pytest.raises(ValueError, match=r"formats svg, png, pdf, dot.*got 'jpg'"):
        picture.save(tmp_path / "g.jpg")


def test_it_is_a_digraph_of_the_graphviz_package(judge):
    graphviz = judge("graphviz")
    picture = lecture()
    assert isinstance(picture.digraph, graphviz.Digraph)
    assert picture.source == picture.digraph.source
    picture.digraph.attr(label="changed")
    assert "changed" in picture.source


def test_drawing_needs_no_dot_program(pygraphviz, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert lecture().render("svg").startswith(b"<?xml")


def test_a_value_used_twice_has_two_edges():
    a = Tensor(3.0, name="a")
    assert [(e.start, e.label, e.position) for e in draw(a * a).arrows] == [("a", "3", 0), ("a", "3", 1)]


def test_values_and_gradients_can_be_left_out():
    x = Tensor(3.0, name="x")
    f = x * x
    assert draw(f, values=False).boxes[0].lines == ("∂f/∂x = 6",)
    assert draw(f, gradients=False).boxes[0].lines == ("3",)
    assert draw(f, gradients=False).arrows[0].label == ""


def test_what_was_not_computed_is_not_zero():
    f = Tensor([1.0, 2.0], name="x") * 2
    assert draw(f).boxes[0].lines[-1] == "∂f/∂x = not computed"
    assert draw(f).arrows[0].gradient is None


def test_drawing_changes_no_gradient():
    x = Tensor(2.0)
    f = x * x
    draw(f)
    assert x.grad is None
    assert f.grad is None


def test_layers_are_boxes_that_hold_their_ops(pygraphviz):
    graph = pygraphviz.AGraph(string=draw(network()).source)
    clusters = {c.graph_attr["label"]: len(c.nodes()) for c in graph.subgraphs()}
    assert clusters == {"dense_1": 6, "dense_2": 5}


def test_layers_with_a_path_alike_are_two_boxes(pygraphviz):
    inner = nn.Sequential([nn.layers.Dense(1, use_bias=False, name="b")], name="a")
    model = nn.Sequential([nn.Input(shape=(2,)), inner, nn.layers.Dense(1, use_bias=False, name="a/b")])
    picture = draw(np.sum(model(np.ones((1, 2)))), depth=2)
    assert picture.layers == [("a",), ("a", "b"), ("a/b",)]
    graph = pygraphviz.AGraph(string=picture.source)
    assert sorted(c.graph_attr["label"] for c in graph.subgraphs()) == ["a", "a/b"]
    ids = {element.get("id") for element in ET.fromstring(picture.render("svg")).iter()}
    assert {f"cluster-{i}" for i in range(3)} <= ids


def test_a_layer_may_be_called_layer():
    layer = nn.layers.Dense(2, name="layer 1")
    titles = [(box.kind, box.title) for box in draw(np.mean(layer(np.ones((3, 4)))), depth=1).boxes]
    assert ("leaf", "layer 1/kernel") in titles
    assert not [title for kind, title in titles if kind == "layer"]


def test_depth_0_shows_each_layer_as_one_node_with_its_weights():
    titles = {b.title: b for b in draw(network(), depth=0).boxes if b.kind == "layer"}
    assert set(titles) == {"dense_1", "dense_2"}
    lines = titles["dense_1"].lines
    assert lines[0] == "Dense, 3 ops: matmul, add, tanh"
    assert lines[1].startswith("kernel 4×8, mean |gradient| 0.0")
    assert lines[-1].startswith("3×4 → 3×8, ")


def test_layers_are_closed_by_default_above_fifty_nodes():
    assert not [b for b in draw(network(layers=8)).boxes if b.kind == "layer"]
    closed = draw(network(layers=12))
    assert len([b for b in closed.boxes if b.kind == "layer"]) == 12
    assert len(draw(network(layers=12), depth=1).boxes) > 50


def test_a_vanishing_gradient_is_paler_and_thinner_and_written(pygraphviz):
    picture = draw(network(layers=10, units=4, activation="sigmoid"), depth=0)
    boxes = [b for b in picture.boxes if b.kind == "layer"]
    first, last = boxes[0], boxes[-1]
    assert first.gradient < last.gradient / 1000
    graph = pygraphviz.AGraph(string=picture.source)
    looks = {}
    for node in (node for node in graph.nodes() if node != "legend"):
        looks[node.attr["label"].split("\\n")[0]] = node.attr["color"], float(node.attr["penwidth"])
    assert looks["dense_1"][1] < looks["dense_10"][1]
    lightness = {name: sum(int(color[i : i + 2], 16) for i in (1, 3, 5)) for name, (color, _) in looks.items()}
    assert lightness["dense_1"] > lightness["dense_10"]
    assert any("mean |gradient|" in line and "e-" in line for line in first.lines)


def test_strength_falls_a_step_for_each_power_of_ten():
    assert strength(1.0, 1.0) == 1
    assert 0 < strength(1e-2, 1.0) < strength(1e-1, 1.0) < 1
    assert strength(0.0, 1.0) == strength(1e-30, 1.0) == strength(1.0, 0.0) == 0
    assert strength(float("nan"), 1.0) == 1


def test_a_legend_says_what_thickness_means(pygraphviz):
    def captions(picture):
        root = ET.fromstring(picture.render("svg"))
        return " ".join(t.text for g in root.iter(f"{SVG}g") if g.get("id") == "legend" for t in g.iter(f"{SVG}text"))

    assert captions(lecture()).startswith("Thick and dark: the largest gradient, 4.")  # two colours need no words
    x = Tensor(3.0, name="x")
    assert captions(draw(x * x, gradients=False)) == ""
    assert captions(draw(np.sum(np.tanh(x * x)), gradients=False)).split() == (
        ["input", "or", "weight", "activation", "pooling", "or", "sum", "arithmetic"]
    )


def test_a_long_chain_is_laid_out_in_rows(pygraphviz, judge):
    x = Tensor(1.0, name="x")
    y = x
    for _ in range(100):
        y = np.sin(y) * 1.01
    with judge("PIL.Image").open(io.BytesIO(draw(y).render("png"))) as image:
        assert image.width < 5000
        assert image.height < 4000


def test_a_long_chain_is_cut_honestly():
    x = Tensor(1.0)
    for _ in range(411):
        x = x * 1.5
    picture = draw(x, fold=False)
    assert picture.left_out == 212
    assert picture.boxes[0].title == "… 212 more"
    assert len(picture.boxes) == 201
    assert len(draw(x, max_nodes=10, fold=False).boxes) == 11


@pytest.mark.thorough
def test_a_million_ops_are_a_drawing_of_two_hundred_boxes(pygraphviz, count_calls):
    def chain(length):
        x = Tensor(1.0)
        for _ in range(length):
            x = x * 1.0
        return x

    picture = draw(chain(1_000_000), fold=False)
    assert len(picture.boxes) == 201
    assert picture.source.count("->") == 200
    assert picture.render("svg")
    few, many = (count_calls(lambda f=f: draw(f)) for f in (chain(20_000), chain(40_000)))
    assert many < 2.01 * few


def test_names_are_text_whatever_they_hold(pygraphviz):
    for name in ("<script>alert(1)</script>", 'a"b', "back\\slash", "<b>", "new\nline", "\nfirst\n\nlast\n", "\\N"):
        f = Tensor(1.0, name=name) * 2
        written = " ".join(" ".join(t) for t in texts(draw(f).render("svg")))
        for part in name.split("\n"):
            assert part in written


def test_constants_that_are_arrays_are_drawn():
    x = Tensor(np.ones(3))
    box = next(b for b in draw(np.sum(x * np.arange(3.0))).boxes if b.kind == "constant")
    assert (box.title, box.lines) == ("constant[3]", ("[0, 1, 2]",))


def test_a_drawing_leaves_no_cycles_behind():
    def look():
        assert lecture().source

    look()  # what is imported for it stays
    gc.collect()
    gc.disable()
    try:
        look()
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("wrong", [{"direction": "up"}, {"depth": -1}, {"max_nodes": 0}])
def test_what_cannot_be_drawn_is_said(wrong):
    with pytest.raises(ValueError, match=re.escape(str(next(iter(wrong.values()))))):
        draw(Tensor(1.0) * 2, **wrong)
    with pytest.raises(TypeError, match=r"draw: expected a Tensor.*a model or an error, got a float; draw\(f\(x\)\)"):
        draw(1.0)


def test_the_picture_agrees_with_the_steps():
    x, w = Tensor([1.0, -2.0], name="x"), Tensor([0.5, 4.0], name="w")
    f = np.sum(np.tanh(x * w) / w)
    steps = explain(f)
    for box in draw(f).boxes:
        assert box.gradient == pytest.approx(np.mean(np.abs(steps.gradients[box.key])))


@pytest.mark.parametrize("name", ["a" * 17_000, "a\0b\x1b[0m", "half a \ud800 character", "no character \ufffe\uffff"])
def test_a_name_of_any_length_and_of_no_text_is_shown_everywhere(name, pygraphviz, tmp_path):
    x = Tensor(3.0, name=name)
    f = x * 2
    (leaf,) = (node for node in texts(draw(f).render("svg")) if len(node) == 3 and not node[0].startswith("f"))
    assert leaf[0][0] == name[0]
    assert leaf[1:] == ("3", f"∂f/∂{leaf[0]} = 2")
    assert len(leaf[0]) <= 80
    steps = explain(f)
    steps.save(tmp_path / "page.html")
    for view in (steps.to_text(), steps.to_latex(), str(steps), (tmp_path / "page.html").read_text("utf-8")):
        assert view.encode()
        assert not re.search("[\0\x1b\ufffe\uffff]", view)


def test_long_names_of_one_beginning_stay_apart():
    x, y = (Tensor(1.0, name="weight of the layer " * 10 + end) for end in ("one", "one"))
    assert len({box.title for box in draw(x * y).boxes}) == 3
    assert len(explain(x * y).leaves) == 2


def test_a_name_borne_by_many_is_counted_once():
    values = [Tensor([1.0], name="w") for _ in range(500)]
    leaves = explain(np.sum(np.concatenate(values))).leaves
    assert list(leaves) == ["w", *(f"w_{i}" for i in range(2, 501))]


def test_of_many_arguments_the_first_and_the_last_are_named(pygraphviz):
    values = [Tensor([float(i)], name=f"x{i}") for i in range(3000)]
    f = np.concatenate(values)
    picture = draw(f, max_nodes=50)
    assert picture.boxes[-1].title == "f = concatenate(x0, x1, x2, …, x2999)"
    assert picture.render("svg")
    assert draw(np.concatenate(values[:8])).boxes[-1].title == "f = concatenate(x0, x1, x2, x3, x4, x5, x6, x7)"
    steps = explain(np.sum(np.concatenate(values[:100])), names={})
    for view in (steps.to_text(), str(steps)):
        assert "concatenate(x0, x1, x2, …, x99)" in view
    assert r"\dots, {x_{99}}" in steps.to_latex()


def test_many_constants_and_many_uses_are_one_box_and_one_edge():
    x = Tensor(np.ones(2), name="x")
    picture = draw(np.concatenate([x, *(np.full(2, i) for i in range(3000))]))
    assert len(picture.boxes) == 14
    assert picture.boxes[-1].title == "… 2,989 more constants"
    often = draw(np.sum(np.concatenate([x] * 3000)))
    assert [(a.start, a.label) for a in often.arrows] == [("v1", "6000"), ("x", "3,000 times")]
    assert often.arrows[1].gradient == 1
    twice = draw(x * x)
    assert len(twice.arrows) == 2


def test_of_many_weights_of_a_closed_layer_some_are_listed():
    class Wide(nn.layers.Layer):
        def build(self, input_shape):
            self.parts = [self.add_weight((1,), name=f"w{i}") for i in range(100)]

        def call(self, x):
            return x + np.concatenate(self.parts).sum()

    f = np.sum(Wide(name="wide")(Tensor(np.ones((1, 1)), name="x")) * 2)
    (box,) = (b for b in draw(f, depth=0).boxes if b.kind == "layer")
    assert len(box.lines) == 14
    assert box.lines[12] == "… 89 more weights"


def test_a_picture_of_more_than_anyone_reads_is_refused_with_the_way_out(pygraphviz, tmp_path):
    y = np.concatenate([Tensor(np.ones(1), name=f"x{i}") for i in range(5000)])
    picture = draw(y, max_nodes=6000, fold=False)
    with pytest.raises(ValueError, match=r"at most 5,000 nodes and 15,000 edges, got 5,001 and 5,000.*max_nodes=200"):
        picture.save(tmp_path / "graph.svg")
    assert not list(tmp_path.iterdir())
    assert "max_nodes=200" in picture._repr_mimebundle_()["text/plain"]
    assert picture.save(tmp_path / "graph.dot").read_text("utf-8").count("->") == 5000


# -- where Graphviz is missing ------------------------------------------------------------------------------------


class Framed:
    """The page of a drawing, for a fixture that saves what it visits."""

    def __init__(self, drawing):
        self.drawing = drawing

    def save(self, path, _):
        frame = self.drawing.to_frame("what is <drawn>")
        path.write_text(html.unescape(re.search(r'srcdoc="([^"]*)"', frame)[1]), encoding="utf-8")
        return path


SEEN = """() => [...document.querySelectorAll("svg .node")].map((node) => {
  const { left, top, right, bottom } = node.getBoundingClientRect();
  return { lines: [...node.querySelectorAll("text")].map((t) => t.textContent), place: [left, top, right, bottom], class: node.getAttribute("class") };
})"""  # noqa: E501


def test_without_graphviz_a_notebook_shows_what_the_browser_lays_out(monkeypatch, visit, axe):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setitem(sys.modules, "graphviz", None)
    loss = network()
    x = Tensor(3.0, name="a <b> & c")
    for drawing in (draw(loss), draw(loss, depth=0, direction="TB"), draw(x * x + 1.0, gradients=False)):
        shown = drawing._repr_mimebundle_()
        assert shown["text/html"].startswith('<iframe srcdoc="')
        assert 'sandbox="allow-scripts"' in shown["text/html"]
        page = visit(Framed(drawing))
        page.wait_for_selector("svg")
        seen = page.evaluate(SEEN)
        lines = ["\n".join((box.title, *box.lines)).split("\n") for box in drawing.boxes]
        assert [box["lines"] for box in seen] == lines
        assert page.evaluate("document.querySelectorAll('svg .edge').length") == len(drawing.arrows)
        assert page.evaluate("document.querySelectorAll('svg .cluster').length") == len(drawing.layers)
        for (left, top, right, bottom), (x0, y0, x1, y1) in itertools.combinations([b["place"] for b in seen], 2):
            assert right <= x0 or x1 <= left or bottom <= y0 or y1 <= top, "two boxes overlap"
        shades = [re.findall(r"\bs(\d)\b", box["class"]) for box in seen]
        assert [bool(s) for s in shades] == [box.gradient is not None for box in drawing.boxes]
        place = {box.key: b["place"] for box, b in zip(drawing.boxes, seen, strict=True)}
        along = 1 if drawing.direction == "TB" else 0
        assert all(place[a.start][along] < place[a.end][along] for a in drawing.arrows)
        page.evaluate(axe)
        assert page.evaluate("axe.run().then((found) => found.violations.map((v) => v.id))") == []


def test_labels_that_would_lengthen_too_many_long_arrows_are_left_out(judge):
    """Graphviz keeps ranks free for labels: in a graph whose leaves are used everywhere it took minutes for them."""
    judge("graphviz")
    found = []
    for shared, times in ((False, 100), (True, 10), (True, 40)):
        x, y = Tensor(0.5, name="x"), Tensor(0.25, name="y")
        f = x
        for _ in range(times):
            f = np.sin(f) * y + x if shared else np.sin(f)
        source = draw(f, max_nodes=1000, fold=False).source
        arrows = [line for line in source.splitlines() if " -> " in line]
        found.append((len(arrows), sum("label=" in line for line in arrows)))
        assert ("nslimit=2" in source) == (shared and times == 40)  # and it looks for better places not as long
    (chain, in_chain), (short, in_short), (long, in_long) = found
    assert chain == in_chain == 100
    assert short == in_short == 50
    assert (long, in_long) == (200, 0)
