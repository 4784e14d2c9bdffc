"""Pictures of models that one would put on a slide: sizes, folding, colours, and what is said in words."""

import copy
import dataclasses
import json
import pickle
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import combinations

import numpy as np
import pytest

import nn
from autograd_core import Tensor, draw
from autograd_core.explain import looks
from autograd_core.explain.columns import parts, ranks
from autograd_core.explain.folding import folded
from nn.picture import family

SVG = "{http://www.w3.org/2000/svg}"
L = nn.layers


def pixels(drawing):
    root = ET.fromstring(drawing.render("svg"))
    return [float(root.get(side).removesuffix("pt")) * 4 / 3 for side in ("width", "height")]


def cnn():
    return nn.Sequential(
        [nn.Input(shape=(28, 28, 1)), L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(), L.Conv2D(16, 3),
         L.MaxPooling2D(), L.Flatten(), L.Dropout(0.5), L.Dense(10, "softmax")]
    )  # fmt: skip


def mlp(layers=30):
    hidden = [L.Dense(16, "tanh") for _ in range(layers)]
    return nn.Sequential([nn.Input(shape=(16,)), *hidden, L.Dense(10, "softmax")])


def resnet(blocks=3):
    x = begin = nn.Input(shape=(8, 8, 4))
    for _ in range(blocks):
        y = L.Activation("relu")(L.BatchNormalization()(L.Conv2D(4, 3, padding="same")(x)))
        x = L.Activation("relu")(L.Add()([x, L.BatchNormalization()(L.Conv2D(4, 3, padding="same")(y))]))
    return nn.Model(begin, L.Dense(10, "softmax")(L.GlobalAveragePooling2D()(x)))


class Attention(L.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.query, self.key, self.value = (L.Dense(8, name=name) for name in ("query", "key", "value"))
        self.out = L.Dense(8, name="out")

    def call(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        weights = nn.activations.softmax(q @ np.transpose(k, (0, 2, 1)) / np.float32(3))
        return self.out(weights @ v)


class Block(L.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.norm, self.attention = L.LayerNormalization(name="norm"), Attention(name="attention")
        self.up, self.down, self.drop = (
            L.Dense(16, "relu", name="up"),
            L.Dense(8, name="down"),
            L.Dropout(0.1, name="drop"),
        )

    def call(self, x):
        x = x + self.attention(self.norm(x))
        return x + self.drop(self.down(self.up(x)))


class Transformer(nn.Model):
    def __init__(self, blocks):
        super().__init__()
        self.blocks, self.head = [Block(name=f"block_{i + 1}") for i in range(blocks)], L.Dense(3, name="head")

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x)


def transformer(blocks=1):
    model = Transformer(blocks)
    model(np.zeros((2, 5, 8), "float32"))
    return model


def random_graph(ops):
    rng = np.random.default_rng(0)
    values = [Tensor(float(v), name=f"x{i}") for i, v in enumerate(rng.normal(size=5))]
    for i in range(ops):
        a, b = rng.integers(max(0, len(values) - 12), len(values), 2)
        values.append(np.tanh(values[a] + values[b]) if i % 2 else values[a] * values[b])
    return sum(values[-12:])


# -- size --------------------------------------------------------------------------------------------------


def test_a_model_fits_a_slide(judge):
    judge("pygraphviz")
    for model in (cnn(), mlp(), resnet(), transformer(), transformer(12), mlp(500)):
        drawing = draw(model)
        width, height = pixels(drawing)
        assert max(width / 1920, height / 1080) < 1.15, (model.name, width, height)
        assert len(drawing.boxes) <= 50
    for asked in ({}, {"show_shapes": True, "show_layer_names": True}):
        width, height = pixels(nn.utils.plot_model(mlp(), None, **asked))
        assert width <= 1920
        assert height <= 1080


def test_what_is_longer_than_a_slide_goes_on_beside_it():
    f = Tensor(1.0, name="x")
    for i in range(60):
        f = (np.sin, np.cos, np.exp)[i * i % 3](f) * (1.0 + i)
    for direction in ("LR", "RL", "TB", "BT"):
        drawing = draw(f, direction=direction)
        columns = parts(drawing)
        assert len(columns) > 2
        assert [box for part in columns for box in part] == list(drawing.boxes)
        crossing = [a for a in drawing.arrows if not any({a.start, a.end} <= {b.key for b in p} for p in columns)]
        assert len(crossing) == len(columns) - 1
        assert parts(draw(f * 1, max_nodes=4, fold=False))[1:] == []
    wide = draw(f)
    wide.wrapped = False
    assert len(parts(wide)) == 1


def test_boxes_do_not_overlap_and_lines_end_at_boxes(judge):
    """In each direction, as it is read back from the file."""
    judge("pygraphviz")
    f = random_graph(60)
    for direction in ("LR", "RL", "TB", "BT"):
        drawing = draw(f, direction=direction, fold=False)
        assert len(parts(drawing)) > 1
        root = ET.fromstring(drawing.render("svg"))
        boxes, heads = {}, {}
        for g in root.iter(f"{SVG}g"):
            kind = str(g.get("id")).partition("-")[0]
            if kind == "node":
                shape = next(e for e in g if e.tag in (f"{SVG}polygon", f"{SVG}path"))
                numbers = [float(n) for n in re.findall(r"-?[\d.]+", shape.get("points") or shape.get("d"))]
                boxes[g.get("id")] = min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])
            elif kind == "edge":
                points = g.find(f"{SVG}polygon").get("points")
                heads[g.get("id")] = [tuple(map(float, p.split(","))) for p in points.split()]
        assert len(boxes) == len(drawing.boxes)
        assert len(heads) == len(drawing.arrows)
        for a, b in combinations(boxes.values(), 2):
            assert a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]
        at = {box.key: boxes[f"node-{i}"] for i, box in enumerate(drawing.boxes)}
        for i, arrow in enumerate(drawing.arrows):
            end = at[arrow.end]
            near = [max(end[0] - x, x - end[2], end[1] - y, y - end[3]) for x, y in heads[f"edge-{i}"]]
            assert min(near) < 12, (direction, arrow)


def test_numbers_never_lie_under_the_heads_of_arrows(judge):
    judge("pygraphviz")
    x, y, z = Tensor(-2.0, name="x"), Tensor(5.0, name="y"), Tensor(-4.0, name="z")
    for f in ((x + y) * z, random_graph(30), x * x * x):
        for direction in ("LR", "TB"):
            root = ET.fromstring(draw(f, direction=direction).render("svg"))
            heads = [
                g.find(f"{SVG}polygon").get("points") for g in root.iter(f"{SVG}g") if "edge" in g.get("class", "")
            ]
            for text in (t for g in root.iter(f"{SVG}g") if "edge" in g.get("class", "") for t in g.iter(f"{SVG}text")):
                x0, y0, half = float(text.get("x")), float(text.get("y")), 2.8 * len(text.text.strip())
                for points in heads:
                    xs, ys = zip(*[map(float, p.split(",")) for p in points.split()], strict=True)
                    outside = max(xs) < x0 - half or min(xs) > x0 + half or max(ys) < y0 - 7 or min(ys) > y0
                    assert outside, (direction, text.text)


def test_a_rank_is_behind_all_that_a_box_needs():
    drawing = draw(random_graph(40), fold=False)
    rank = ranks(drawing)
    assert all(rank[arrow.start] < rank[arrow.end] for arrow in drawing.arrows)


# -- folding -----------------------------------------------------------------------------------------------


def test_what_repeats_is_drawn_once_with_how_often_it_is_there():
    drawing = draw(transformer(12), fold=True)
    assert len(drawing.boxes) < len(draw(transformer(12), fold=False, max_nodes=1_000).boxes) / 4
    frames = {box.layers[0] for box in drawing.boxes if box.layers}
    assert "11 times" in frames  # the first begins with the input
    assert {box.layers[1] for box in drawing.boxes if box.layers[:1] == ("11 times",)} == {"block_2"}
    assert "drawn once" in drawing.note
    assert "drawn once" in repr(drawing)
    (many,) = (box for box in draw(mlp(100)).boxes if "×" in box.title)
    assert many.title.endswith("× 100")
    assert many.lines == ("Dense · tanh", "272 weights")


def test_a_fold_keeps_what_is_different_and_every_way_in_and_out():
    x, w = Tensor([1.0, 2.0], name="x"), Tensor([3.0, 4.0], name="w")
    f = x
    for _ in range(40):
        f = np.tanh(f * w)
    f = np.sum(np.exp(f))
    drawing = draw(f, fold=True)
    ops = [re.sub(r"v\d+", "v", box.title) for box in drawing.boxes]
    assert sorted(op for op in ops if "tanh" in op or "w" in op) == [
        "v = tanh v", "v = tanh v", "v = v · w", "v = x · w", "w",
    ]  # fmt: skip
    assert {box.layers for box in drawing.boxes if "v · w" in re.sub(r"v\d+", "v", box.title)} == {("39 times",)}
    ends = {arrow.end for arrow in drawing.arrows}
    assert {box.key for box in drawing.boxes} - ends == {"x", "w"}
    assert drawing.boxes[-1].gradient == 1


def test_folding_finds_the_longest_repetition():
    period = list("abcda")
    looks_ = ["start", *period * 7, *"xy", *"pq" * 3]
    inputs = [[], *([i] for i in range(len(looks_) - 1))]
    found = folded(looks_, inputs)
    assert found.shown == 1 + 5 + 2 + 2
    assert sorted(set(found.times.values())) == [(0, 7), (1, 3)]
    assert folded(looks_, inputs, limit=20).shown == 1 + 5 + 2 + 6
    assert folded(looks_, inputs, limit=100).shown == len(looks_)
    # The same things, but each is computed from the one two before it: nothing repeats in a chain of pairs alone.
    assert folded([], []).shown == 0
    assert folded(["a"], [[]]).shown == 1
    other = [[], *([max(0, i - 2 * (i % 3 == 0))] for i in range(8))]
    assert folded(["a"] * 9, other).shown > 3


def test_ten_times_as_many_ops_are_folded_for_less_than_the_tenth_costs_whole(count_calls, judge):
    judge("pygraphviz")

    def unrolled(steps):
        h, w, u = (Tensor(np.ones((2, 2)), name=name) for name in "hwu")
        for _ in range(steps):
            h = np.tanh(np.ones((2, 2)) @ u + h @ w)
        return np.sum(h)

    large, small = unrolled(600), unrolled(60)
    whole = draw(small, max_nodes=10_000, fold=False)
    assert len(whole.boxes) > 240
    assert len(parts(whole)) > 5
    assert max(map(len, parts(whole))) < 100
    assert count_calls(lambda: draw(large).render("svg")) < count_calls(
        lambda: draw(small, max_nodes=10_000, fold=False).render("svg")
    )
    assert len(draw(large).boxes) < 30


def test_the_engine_s_warning_of_many_nodes_is_held_back(judge, capfd):
    judge("pygraphviz")
    leaves = np.concatenate([Tensor(np.ones(1), name=f"x{i}") for i in range(1_100)])
    drawing = draw(leaves, max_nodes=2_000, fold=False)
    drawing.wrapped = False
    assert drawing.render("svg")
    assert capfd.readouterr().err == ""


# -- looks -------------------------------------------------------------------------------------------------

# Machado, Oliveira and Fernandes 2009, severity 1: how linear RGB is seen with protanopia, deuteranopia, tritanopia.
BLIND = [
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
]
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    c = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE 1976, of linear RGB in sRGB's primaries, for daylight."""
    xyz = TO_XYZ @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("when", [1, 2], ids=["day", "night"])
def test_kinds_are_told_apart_by_those_who_are_colour_blind(when):
    fills = {kind: linear(told[when]) for kind, told in looks.KINDS.items() if kind != "other"}
    for seen in (np.eye(3), *map(np.array, BLIND)):
        for (a, x), (b, y) in combinations(fills.items(), 2):
            apart = np.linalg.norm(lab(seen @ x) - lab(seen @ y))
            assert apart > 5, (a, b, apart)  # two is what one just sees, side by side


@pytest.mark.parametrize("when", [1, 2], ids=["day", "night"])
def test_text_is_read_on_each_fill(when):
    """WCAG 2's ratio of contrast for text."""
    ink = linear(looks.INK if when == 1 else "#e8e8e8") @ TO_XYZ[1]
    for told in looks.KINDS.values():
        fill = linear(told[when]) @ TO_XYZ[1]
        assert (max(ink, fill) + 0.05) / (min(ink, fill) + 0.05) > 4.5


def test_each_box_is_of_a_kind_and_the_legend_names_those_that_are_there():
    drawing = draw(cnn())
    assert [box.family for box in drawing.boxes] == [
        "input", "conv", "pool", "conv", "pool", "shape", "other", "linear",
    ]  # fmt: skip
    text = drawing.source
    for kind, (name, fill, _) in looks.KINDS.items():
        there = any(box.family == kind for box in drawing.boxes)
        assert (f">{name}  <" in text) == there
        assert (f'BGCOLOR="{fill}"' in text) == there


def test_arrows_carry_shapes():
    drawing = draw(cnn())
    labels = {arrow.label for arrow in drawing.arrows}
    assert {"(None, 28, 28, 1)", "(None, 26, 26, 8)", "(None, 400)"} <= labels
    x, w = Tensor(np.ones((3, 4)), name="x"), Tensor(np.ones((4, 2)), name="w")
    f = np.sum(np.tanh(x @ w))
    assert {arrow.label for arrow in draw(f).arrows} == {"3×4", "4×2", "3×2"}


# -- models ------------------------------------------------------------------------------------------------


def test_a_model_with_a_call_of_its_own_is_drawn_as_what_it_computes():
    drawing = draw(transformer())
    titles = [box.title for box in drawing.boxes]
    assert {"input", "norm", "query", "key", "value", "softmax", "out", "up", "down", "drop", "head"} <= set(titles)
    assert not [title for title in titles if "kernel" in title]
    inside = {box.title: box.layers for box in drawing.boxes}
    assert inside["query"] == ("block_1", "attention")
    at = {box.key: box.title for box in drawing.boxes}
    arrows = {(at[a.start], at[a.end]) for a in drawing.arrows}
    assert {("norm", "query"), ("softmax", "matmul"), ("up", "down"), ("add", "head")} <= arrows
    closed = draw(transformer(3), depth=0)
    found = {box.title: box.lines for box in closed.boxes}
    assert found.keys() == {"input", "block_1", "block_2", "block_3", "head"}
    assert found["block_1"] == ("Block", "584 weights")


def test_a_layer_of_ones_own_is_of_no_kind_whatever_its_file_is_called():
    for file, base, kind in (("convnet", L.Layer, "other"), ("attention", L.Layer, "other"), ("x", L.Conv1D, "conv")):
        mine = type("Mine", (base,), {"__module__": file})
        assert family(mine() if base is L.Layer else mine(1, 1)) == kind, file


def chain_of_models():
    model = None
    for name in ("inner", "middle", "outer"):
        begin = nn.Input(shape=(4,))
        x = L.Dense(4)(begin)
        model = nn.Model(begin, x if model is None else model(x), name=name)
    return model


def test_as_many_levels_of_models_are_open_as_asked():
    frames = [{box.layers for box in draw(chain_of_models(), depth=depth).boxes} for depth in (0, 1, 2, 3, None)]
    middle, inner = ("middle",), ("middle", "inner")
    assert frames == [{()}, {(), middle}, *3 * [{(), middle, inner}]]
    frames = [{box.layers for box in draw(transformer(), depth=depth).boxes} for depth in (0, 1, 2, 3, None)]
    block, attention = ("block_1",), ("block_1", "attention")
    assert frames == [{()}, {(), block}, *3 * [{(), block, attention}]]


@pytest.mark.parametrize("fold", [None, True, False])
def test_of_a_model_of_different_layers_those_nearest_to_what_it_gives_are_drawn(fold):
    begin = nn.Input(shape=(4,))
    x = begin
    for units in range(1, 21):
        x = L.Dense(units, name=f"d{units}")(x)
    model = nn.Model(begin, [L.Dense(1, name="left")(x), L.Dense(2, name="right")(x)])
    drawing = draw(model, max_nodes=5, fold=fold)
    at = {box.key: box.title for box in drawing.boxes}
    assert list(at.values()) == ["… 18 more", "d18", "d19", "d20", "left", "right"]
    assert drawing.left_out == 18
    arrows = [(at[a.start], at[a.end]) for a in drawing.arrows]
    assert arrows[-1] == ("… 18 more", "d18")
    assert set(arrows[:-1]) == {("d18", "d19"), ("d19", "d20"), ("d20", "left"), ("d20", "right")}
    assert [box.title for box in draw(model, max_nodes=1, fold=fold).boxes] == ["… 22 more", "left"]
    assert draw(model, fold=fold).left_out == 0
    drawing.render("svg")


def test_layers_called_in_a_circle_are_drawn():
    there, back = L.Dense(4, name="there"), L.Dense(4, name="back")
    begin = nn.Input(shape=(4,))
    model = nn.Model(begin, there(back(there(begin))))
    assert draw(model, max_nodes=1).boxes[0].title == "… 2 more"


@pytest.mark.parametrize("name", ["x id=node-1", "id=legend", 'a" id="node-0', "[id=edge-0", "\\ id=node-0"])
def test_a_name_may_read_as_graphviz_words(name):
    x = Tensor(2.0, name=name)
    for gradients in (True, False):
        drawing = draw(np.exp(x * x), gradients=gradients)
        texts = [text.text for text in ET.fromstring(drawing.render("svg")).iter(f"{SVG}text")]
        assert name in texts
        assert not [text for text in texts if "pos=" in str(text)]


def test_a_drawing_is_the_same_when_it_was_looked_at():
    x = Tensor(2.0, name="x")
    one, other = draw(x * x), draw(x * x)
    one.digraph.graph_attr["dpi"] = "50"
    assert one == other == copy.deepcopy(one) == pickle.loads(pickle.dumps(one))
    assert "dpi" not in dataclasses.replace(one, direction="TB").source


def test_drawing_a_model_changes_nothing_in_it():
    nn.utils.set_random_seed(0)
    model = transformer()
    x = np.ones((2, 5, 8), "float32")
    before = [*model.get_weights(), model(x, training=True).numpy()]
    nn.utils.set_random_seed(0)
    other = transformer()
    draw(other)
    nn.utils.plot_model(other, None, expand_nested=True)
    after = [*other.get_weights(), other(x, training=True).numpy()]
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_drawn_of_a_call_is_drawn_by_layers_with_their_gradients():
    model = mlp(12)
    loss = np.mean(model(np.ones((2, 16), "float32")) ** 2)
    drawing = draw(loss)
    layers = [box for box in drawing.boxes if box.kind == "layer"]
    assert [box.title for box in layers] == [layer.name for layer in model.layers]
    assert all(box.gradient > 0 for box in layers)


def test_layers_of_one_name_in_different_blocks_are_no_second_call():
    loss = np.mean(transformer(2)(np.ones((2, 5, 8), "float32")))
    paths = {box.layers for box in draw(loss, depth=9, max_nodes=10**6).boxes}
    assert ("block_1", "attention") in paths
    assert ("block_2", "attention", "query") in paths
    shared = L.Dense(4, name="shared")
    twice = {box.layers for box in draw(np.sum(shared(shared(np.ones((1, 4))))), depth=9).boxes}
    assert twice == {("shared",), ("shared (call 2)",), ()}


def test_a_model_of_unknown_input_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"is not built, so its graph is not known; pass Input\(shape=…\)"):
        draw(nn.Sequential([L.Dense(1)]))
    with pytest.raises(TypeError, match=r"draw: expected a Tensor.*got a list"):
        draw([1])


# -- without an engine -------------------------------------------------------------------------------------

WITHOUT = """
import sys, os
sys.modules["pygraphviz"] = None
os.environ["PATH"] = sys.argv[1]
from autograd_core import Tensor, draw
picture = draw(Tensor(2.0, name="x") * 3)
said = picture._repr_mimebundle_()
assert "image/svg+xml" not in said
try:
    picture.save("graph.svg")
except ImportError as error:
    print(error)
"""


def test_without_an_engine_a_drawing_says_what_is_missing(tmp_path):
    """Where there is no program, and where one may not be started at all, as in a browser."""
    for kind in ("missing", "forbidden"):
        folder = tmp_path / kind
        folder.mkdir()
        if kind == "forbidden":
            (folder / "dot").write_text("not a program")
            (folder / "dot").chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT, folder], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.stderr == ""
        assert 'pip install "autograd-core[plots]"' in done.stdout
        assert not (tmp_path / "graph.svg").exists()


def test_a_system_s_dot_program_draws_the_same(judge, monkeypatch, tmp_path):
    judge("pygraphviz")
    if not any((folder / "dot").exists() for folder in map(type(tmp_path), ["/usr/bin", "/usr/local/bin"])):
        pytest.skip("no dot program is installed")
    drawing = draw(mlp())
    inside = pixels(drawing)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert pixels(drawing) == pytest.approx(inside, rel=0.1)  # its fonts may be others


def test_by_night_a_picture_is_dark(chromium, tmp_path):
    inner = nn.Sequential([nn.Input(shape=(4, 4, 1)), L.Conv2D(2, 3), L.Flatten()])
    file = draw(nn.Sequential([nn.Input(shape=(4, 4, 1)), inner, L.Dense(3)])).save(tmp_path / "graph.svg")
    shown = {}
    for scheme in ("light", "dark"):
        context = chromium.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(file.as_uri())
        shown[scheme] = json.loads(
            page.evaluate(
                """JSON.stringify(['.graph > polygon', '.is_conv > polygon', 'text', '.legend polygon',
                '.cluster path'].map(
                (s) => getComputedStyle(document.querySelector(s)).fill))"""
            )
        )
        paper = "getComputedStyle(document.querySelector('.graph > polygon')).stroke"
        assert page.evaluate(paper) in ("none", "rgba(0, 0, 0, 0)")  # there is no frame around it
        context.close()
    assert shown["light"].pop() in ("none", "rgb(255, 255, 255)")
    assert shown["dark"].pop() == "none"
    assert shown["light"][0] == "rgb(255, 255, 255)"
    assert shown["dark"][0] == "rgb(22, 24, 29)"
    assert all(a != b for a, b in zip(shown["light"], shown["dark"], strict=True))
