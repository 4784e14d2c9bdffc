"""A page whose layers open and close, level by level: what is drawn, told and stepped over then."""

import itertools
import json
import os
import re

import numpy as np
import pytest

import nn
from autograd_core import Tensor, draw, explain
from autograd_core.explain.page.data import SQUARES, WHOLE
from autograd_core.explain.page.levels import MOST, levels, places

L = nn.layers
SIZES = [(w, s) for w in (390, 768, 1366, 1920) for s in ("light", "dark")]


class Block(L.Layer):
    """Attention, with a way around it: four kernels that would all be called kernel."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.query, self.key, self.value, self.out = (L.Dense(4, name=n) for n in ("query", "key", "value", "out"))

    def call(self, x):
        weights = nn.activations.softmax(self.query(x) @ np.transpose(self.key(x), (0, 2, 1)))
        return x + self.out(weights @ self.value(x))


def transformer():
    nn.utils.set_random_seed(0)
    model = nn.Sequential([nn.Input(shape=(3, 4)), L.Dense(4, name="in"), Block(name="block"), L.Dense(2, name="head")])
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    return explain(np.mean(model(x) ** 2), names={"x": x})


def small():
    nn.utils.set_random_seed(0)
    model = nn.Sequential([nn.Input(shape=(2,)), L.Dense(3, "tanh", name="first"), L.Dense(1, name="second")])
    return explain(np.sum(model(np.array([[0.5, -1.0]]))), names={})


def chain(length, shared):
    h, w = Tensor(0.5, name="h"), Tensor(0.9, name="w")
    for _ in range(length):
        h = np.sin(h) * w if shared else np.sin(h)
    return explain(h, names={})


def read(page):
    """The boxes with their first lines, the frames and the labels of arrows."""
    return page.evaluate("""(() => {
      const texts = (part) => [...part.querySelectorAll("text")].map((t) => t.textContent.trim()), all = (s) => [...document.querySelectorAll(".picture " + s)];
      return { layers: all(".node.layer").map((b) => texts(b)[0].slice(2)), ops: all(".node.op").map((b) => texts(b)[0].split(" =")[0]),
        frames: all(".cluster").map((c) => texts(c)[0].slice(2)), labels: all(".edge text").map((t) => t.textContent) };
    })()""")  # noqa: E501


def seen(steps, opened):
    """The boxes of layers and ops where these layers are open, by the paths of values."""
    layers, ops = {}, []
    for value in steps.values.values():
        closed = next((p for d in range(len(value.layers)) if (p := value.layers[: d + 1]) not in opened), None)
        if closed:
            layers.setdefault(closed[-1])
        elif value.op is not None:
            ops.append(value.name)
    return sorted(layers), sorted(ops)


def test_layers_open_one_level_at_a_time_and_the_address_says_which(visit):
    steps = transformer()
    page = visit(steps)
    found = read(page)
    assert (sorted(found["layers"]), sorted(found["ops"])) == seen(steps, set())
    assert (found["frames"], found["labels"][:2]) == ([], ["2×3×4", "2×3×4"])
    page.locator(".node.layer", has_text="+ block").press("Enter")
    found = read(page)
    assert (sorted(found["layers"]), sorted(found["ops"])) == seen(steps, {("block",)})
    assert found["frames"] == ["block"]
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Close the layer block"
    page.locator(".node.layer", has_text="+ query").click()
    found = read(page)
    assert (sorted(found["layers"]), sorted(found["ops"])) == seen(steps, {("block",), ("block", "query")})
    assert found["frames"] == ["block", "query"]
    page.locator(".cluster", has_text="− block").press("Enter")  # with all that is in it; it stays as it was
    assert read(page)["frames"] == []
    page.locator(".node.layer", has_text="+ block").press("Enter")
    assert read(page)["frames"] == ["block", "query"]
    again = visit(steps, at=f"#{page.evaluate('address.toString()')}")
    assert read(again) == read(page)
    page.locator("#fold").click()
    found = read(page)
    assert (found["layers"], len(found["ops"])) == ([], sum(v.op is not None for v in steps.values.values()))
    assert visit(steps, at="#open=99.x.-1").evaluate("opened.size") == 0  # somebody's own address


def test_a_closed_layer_names_its_weights_by_their_way(visit):
    steps = transformer()
    page = visit(steps)
    box = page.locator(".node.layer", has_text="+ block")
    text = box.text_content()
    for name in ("query", "key", "value", "out"):
        assert f"{name}/kernel 4×4, mean |gradient| " in text
        assert f"{name}/bias 4, mean |gradient| " in text
    assert "Block, " in text
    assert "2×3×4 → 2×3×4, " in text
    box.hover()
    rows = page.locator("#card tbody tr").evaluate_all("rows => rows.map(r => [...r.cells].map(c => c.textContent))")
    (kernel,) = (row for row in rows if row[0] == "key/kernel")
    assert kernel[1] == "4×4"
    gradient = np.abs(steps.gradients["key/kernel"]).mean()
    assert float(kernel[3]) == pytest.approx(gradient, rel=0.01, abs=1e-15)
    page.locator("#card tbody button", has_text="key/kernel").click()
    assert page.locator("#card h2").text_content() == "key/kernel"
    # and so does the picture of the same computation
    block = Block(name="block")(np.ones((2, 3, 4)))
    boxes = {b.title: b for b in draw(np.sum(L.LayerNormalization(name="norm")(block)), depth=0).boxes}
    drawn = boxes["block"]
    assert (drawn.family, boxes["norm"].family) == ("linear", "norm")
    assert drawn.lines[0].startswith("Block, ")
    assert any(line.startswith("query/kernel 4×4") for line in drawn.lines)


def runs(steps, opened):
    """Where one stops: after each step, or after all of a half that are within the same closed layer."""

    def within(i):
        path = steps.values[steps[i].output].layers
        closed = next((p for d in range(len(path)) if (p := path[: d + 1]) not in opened), None)
        return (steps[i].kind == "forward", closed) if closed else i

    return [list(group) for _, group in itertools.groupby(range(len(steps)), within)]


def test_a_closed_layer_is_one_step_and_says_what_comes_in_and_out(visit):
    steps = transformer()
    page = visit(steps, at="#reveal=step")
    expected = runs(steps, set())
    assert page.locator("#count").text_content() == f"{len(expected)} steps"
    for place, run in enumerate(expected, start=1):
        page.keyboard.press("ArrowRight")
        assert page.locator("#count").text_content() == f"step {place} of {len(expected)}"
        assert page.evaluate("at") == run[-1] + 1
        said = page.locator("#say").text_content()
        assert "?" not in said
        step = steps[run[-1]]
        layer = steps.values[step.output].layers[:1]
        if not layer:
            continue
        assert said.startswith("Forward through" if step.kind == "forward" else "Back through")
        assert layer[0] in said
        if step.kind == "forward":
            value = np.asarray(step.value)
            assert f"{value.min():.4g}" in said
            assert f"{value.max():.4g}" in said
            continue
        for name in (n for n in steps.leaves if steps.values[n].layers[:1] == layer):
            told = re.search(
                rf"([\d.e-]+) \({'/'.join((*steps.values[name].layers[1:], name.rpartition('/')[2]))}\)", said
            )
            if layer != ("block",):  # of many the first few are told
                size = np.abs(steps.gradients[name]).mean()
                assert float(told[1]) == pytest.approx(size, rel=0.01)
    page.keyboard.press("ArrowRight")
    assert page.evaluate("at") == len(steps)
    page.locator(".node.layer", has_text="+ block").press("Enter")
    expected = runs(steps, {("block",)})
    assert page.locator("#count").text_content() == f"step {len(expected)} of {len(expected)}"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("at") == expected[-2][-1] + 1
    page.evaluate("setQuiz(true)")  # in which every step is a question
    assert page.locator("#count").text_content().endswith(f"of {len(steps)}")


def test_what_comes_later_is_hidden_in_closed_layers_too(visit):
    page = visit(small(), reveal="step")
    box = page.locator(".node.layer", has_text="+ second")
    assert "?" in box.text_content()
    thumbs = """Object.fromEntries(all('.picture .thumb').map(
      (t) => [nodes[t.dataset.thumb.slice(1)].name, t.childElementCount]))"""
    assert page.evaluate(thumbs) == {"first/kernel": 1}  # a leaf is known from the beginning
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert re.search(r"→ \[\[[-\d.]+\]\]", box.text_content())
    assert "mean |gradient| ?" in box.text_content()


def test_a_changed_leaf_changes_what_closed_layers_say(visit):
    page = visit(small())
    page.keyboard.press("ArrowRight")
    before = page.locator("#say").text_content()
    page.evaluate("change(nodes.findIndex((n) => n.name === 'first/bias'), 2, 1)")
    after = page.locator("#say").text_content()
    assert before != after
    value = page.evaluate("Array.from(numbers(nodes.find((n) => n.name === 'v3').value))")
    assert f"{value[1]:.4g}" in after
    rows = page.locator("#card tbody tr").count()
    assert rows == 3  # kernel, bias, and what it gives


def test_arrays_are_small_pictures_of_their_numbers(visit):
    table = np.arange(-6.0, 6.0).reshape(3, 4)
    table[0, 0], table[2, 3] = np.nan, 6
    wide = np.random.default_rng(0).normal(size=(300, 400)).astype("float32")
    layer = L.Dense(4, use_bias=False, name="dense")
    page = visit(explain(np.sum(layer(np.ones((1, 3))) + np.sum(Tensor(table, name="t")))))
    squares = lambda name: page.evaluate(  # noqa: E731
        f"Object.values(thumbnail(nodes.find((n) => n.name === '{name}').value))"
    )
    paths, rows, columns = squares("t")
    assert (rows, columns) == (3, 4)
    found = {
        letter: {tuple(map(int, p.split())) for p in re.findall(r"M(\d+ \d+)h1v1h-1z", d)}
        for letter, d in paths.items()
    }
    for (r, c), x in np.ndenumerate(table):
        letter = "x" if np.isnan(x) else "abcdefg"[int(np.floor(3 * x / 6 + 0.5)) + 3]
        assert (c, r) in found[letter]
    assert wide.nbytes > WHOLE
    layer = L.Dense(400, use_bias=False, name="dense")
    layer(np.ones((1, 300), "float32"))
    layer.set_weights([wide])
    steps = explain(np.sum(layer(np.ones((1, 300), "float32"))))
    kernel = next(name for name in steps.leaves)
    page = visit(steps)
    paths, rows, columns = squares(kernel)
    shown = wide[:: -(-300 // SQUARES), :: -(-400 // SQUARES)]  # of what the page does not hold whole
    assert (rows, columns) == shown.shape
    low = {
        tuple(map(int, p.split())) for p in re.findall(r"M(\d+ \d+)h1v1h-1z", paths.get("a", "") + paths.get("g", ""))
    }
    assert low == {(c, r) for (r, c), x in np.ndenumerate(shown) if abs(round(3 * x / np.abs(shown).max())) == 3}


@pytest.mark.parametrize("shared", [False, True])
def test_of_many_values_blocks_are_drawn_and_nothing_is_left_out(visit, shared):
    steps = chain(130 if shared else MOST + 50, shared)
    paths = places(steps.values)
    order, told = levels(steps, paths)
    assert set(paths) == set(steps.values)
    count = len(order)
    assert 10 < count < 25
    assert sum(level["ops"] for level in told) == sum(v.op is not None for v in steps.values.values())
    rank = {path: i for i, path in enumerate(order)}  # blocks depend on earlier ones only
    for name, value in steps.values.items():
        ranks = [rank[paths[p]] for p in value.parents if p and paths[p]]
        assert all(r <= rank[paths[name]] for r in ranks)
    assert paths.get("w", ()) == ()  # what many blocks take is in none
    page = visit(steps)
    assert len(read(page)["layers"]) == count
    if shared:
        assert f"1 of {count}" in read(page)["labels"]
    page.locator("[data-layer='3']").press("Enter")
    assert sorted(read(page)["ops"]) == sorted(n for n, p in paths.items() if p == order[3] and steps.values[n].op)
    last = steps.result
    page.keyboard.press("/")
    page.keyboard.type(last)
    page.keyboard.press("Enter")
    assert page.locator("#card h2").text_content() == last


def test_a_layer_is_found_by_its_name_and_what_is_around_it_opens(visit):
    page = visit(transformer())
    page.keyboard.press("/")
    page.keyboard.type("value")  # a layer in the block; the weights are value/kernel and value/bias
    page.keyboard.press("Enter")
    assert read(page)["frames"] == ["block"]
    assert page.evaluate("document.activeElement.querySelector('text').textContent") == "+ value"
    assert page.locator("#card h2").text_content() == "value"


def test_pages_of_models_are_light():
    nn.utils.set_random_seed(0)
    mlp = nn.Sequential([nn.Input(shape=(64,)), *[L.Dense(64, "tanh") for _ in range(30)], L.Dense(10)])
    page = explain(np.mean(mlp(np.ones((8, 64), "float32")))).to_html()
    assert len(page.encode()) < 1_300_000
    assert len(transformer().to_html().encode()) < 400_000


def test_a_layer_that_is_called_twice_and_one_without_ops_of_its_own(visit):
    twice = L.Dense(2, name="twice")
    x = np.ones((1, 2))
    steps = explain(np.sum(twice(twice(x))), names={})
    page = visit(steps)
    assert sorted(read(page)["layers"]) == ["twice", "twice (call 2)"]
    data = json.loads(re.search(r'id="data">(.*?)</script>', steps.to_html(), re.S)[1])
    assert [layer["kind"] for layer in data["graph"]["layers"]] == ["Dense", "Dense"]
    page.locator("#fold").click()
    assert sorted(read(page)["frames"]) == ["twice", "twice (call 2)"]


def test_axe_finds_nothing_whatever_is_open(visit, axe):
    page = visit(transformer(), bypass_csp=True)
    page.evaluate(axe)
    page.locator(".node.layer", has_text="+ block").press("Enter")
    page.keyboard.press("ArrowRight")
    page.evaluate("describeLayer(1)")
    for width, scheme in SIZES if "THOROUGH" in os.environ else SIZES[1:2]:
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)
        found = [(v["id"], v["nodes"][0]["html"][:120]) for v in page.evaluate("axe.run(document)")["violations"]]
        assert (width, scheme, found) == (width, scheme, [])
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_where_a_page_is_looked_for_its_way_is_said(tmp_path):
    model = nn.Sequential([nn.Input(shape=(2,)), L.Dense(2)])
    with pytest.raises(TypeError, match=r"got a Sequential; explain\(np\.mean\(model\(x\)\)\) explains"):
        explain(model)
    with pytest.raises(ValueError, match=r"got 'html'; explain\(f\)\.save\('page\.html'\)"):
        draw(model).save(tmp_path / "model.html")
