"""Tables, LaTeX and pictures all say what the list of steps says."""

import html
import itertools
import re
import shutil
import subprocess
from importlib import import_module

import numpy as np
import pytest

from autograd_core import Tensor, conv, explain, softmax
from autograd_core.explain import frames, layout
from autograd_core.explain.frames import drawing
from autograd_core.explain.narration import Backward, Unbroadcast
from autograd_core.explain.steps import Steps


def lecture():
    x, y, z = Tensor(-2.0), Tensor(5.0), Tensor(-4.0)
    q = x + y
    f = q * z
    return explain(f)


def layer():
    rng = np.random.default_rng(0)
    x, w, b = (Tensor(rng.normal(size=s), name=n) for s, n in (((4, 3), "x"), ((3, 2), "w"), ((2,), "b")))
    return explain(np.mean(np.tanh(x @ w + b) ** 2), names={})


AWKWARD = ["<script>", "a_b%$#&", "α", "back\\slash", "ß", "x'", "{", "~^", "dense_1/kernel"]


def awkward():
    total = sum((Tensor(i + 0.5, name=name) for i, name in enumerate(AWKWARD)), start=Tensor(1.0, name="x0"))
    return explain(np.exp(total * -1e-3) ** 2 * np.nan, names={})


def batch():
    """Constants that are too large to write out, and one that is not."""
    w = Tensor(np.ones((3, 2)), name="w")
    return explain(np.sum((np.ones((5, 3)) @ w - np.arange(10.0).reshape(5, 2)) * np.array([1.0, 2.0])), names={})


def moved():
    """What is no product element by element: a softmax, a reshape, a cumulative sum, an index, a convolution."""
    x = Tensor([1.0, 2.0, -1.0], name="x0")
    y = np.reshape(softmax(x), (3, 1)) * np.cumsum(x)[::-1]
    return explain(np.sum(conv(np.expand_dims(y, -1), np.ones((2, 1, 2)))), names={})


def cells(line):
    return re.split(r"\s{2,}", line.strip())


def test_the_tables_hold_every_step():
    rows = [cells(line) for line in str(lecture()).splitlines()]
    for row in (
        ["x", "-2"],
        ["1", "q = x + y", "-2 + 5 = 3"],
        ["2", "f = q · z", "3 · (-4) = -12"],
        ["3", "∂f/∂q", "1", "∂f/∂q = z = -4", "-4"],
        ["4", "∂f/∂z", "1", "∂f/∂z = q = 3", "3"],
        ["5", "∂f/∂x", "-4", "∂q/∂x = 1", "-4"],
        ["∂f/∂z", "3.0"],
    ):
        assert row in rows


@pytest.mark.parametrize("story", [lecture, layer, awkward])
def test_tables_fit_80_columns_and_need_no_colour(story):
    text = str(story())
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    numbers = [int(m[1]) for m in re.finditer(r"^ *(\d+)   ", text, flags=re.M)]
    assert numbers == list(range(1, len(story()) + 1))


@pytest.mark.parametrize("story", [lecture, layer, awkward, batch, moved])
def test_text_and_table_say_what_the_narrator_says(story):
    """The table folds its cells, so that of each only the beginning is looked for."""
    steps = story()
    transcript, table = steps.to_text(), str(steps)
    for told in steps.narration:
        assert f"{told.output if isinstance(told, Backward) else told.name} = " in transcript
        assert str(told.formula if not isinstance(told, Unbroadcast) else told.wanted) in transcript
        assert str(told.wanted if isinstance(told, Backward) else told.formula)[:9] in table
        number = told.contribution if isinstance(told, Backward) else told.value
        assert str(number) in transcript


def test_names_that_look_like_formulas_stay_names(judge):
    judge("pygraphviz")
    x, y = Tensor(2.0, name="a = b × c"), Tensor(-3.0, name="back\\slash^2_{i}")
    steps = explain(x * y * np.ones((30, 40)), np.ones((30, 40)), names={})
    for view in (steps.to_text(), html.unescape(steps.to_html())):
        assert "v1 = a = b × c · back\\slash^2_{i}" in view
    lines = steps.to_text().splitlines()
    assert "    ∂f/∂a = b × c:  1200 × (-3) = -3600   with ∂v1/∂a = b × c = back\\slash^2_{i}" in lines


def test_a_minus_stands_in_parentheses_inside_of_a_formula_only():
    x, y = Tensor(-2.0, name="x"), Tensor(-3.0, name="y")
    text = explain(np.maximum(x, y) ** 2 - abs(x) * -0.5, names={}).to_text()
    for line in (
        "v1 = max(x, y) = max(-2, -3) = -2",
        "v2 = v1² = (-2)² = 4",
        "v3 = |x| = |-2| = 2",
        "v4 = v3 · (-0.5) = 2 · (-0.5) = -1",
        "f = v2 - v4 = 4 - (-1) = 5",
    ):
        assert f"  {line}\n" in text


def test_a_sum_that_begins_with_nothing_is_told_alike():
    a = Tensor(3.0, name="a")
    steps = explain(a * a + np.sin(a) * 0.0, names={})
    assert steps.to_text().count("; in sum 3 ") == 1
    assert "its sum is now 3" in re.sub("<[^>]*>", "", steps.to_html())
    assert [cells(line)[-2:] for line in str(steps).splitlines() if "∂v1/∂a" in line] == [["3", "3"], ["3", "6"]]


def test_what_a_layer_computes_fits_80_columns():
    rng = np.random.default_rng(0)
    x = Tensor(rng.normal(size=(3, 10)), name="x")
    text = explain(np.sum(np.exp(x) * (x - np.log(np.sum(np.exp(x), axis=1, keepdims=True)))), names={}).to_text()
    assert "in sum [3×10" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_running_sum_stands_in_its_own_column():
    a = Tensor(3.0, name="a")
    rows = [cells(line) for line in str(explain(a * a)).splitlines()]
    assert ["2", "∂f/∂a", "1", "∂f/∂a = a = 3", "3"] in rows
    assert ["3", "∂f/∂a", "1", "∂f/∂a = a = 3", "3", "6"] in rows


def test_the_derivation_writes_the_chain_rule_out():
    latex = lecture().to_latex()
    for line in (
        r"q &= {x} + {y} = {\left(-2\right)} + {5} = 3",
        r"\frac{\partial f}{\partial x} &= \frac{\partial f}{\partial q} \cdot \underbrace{1}_{",
        r"&= \left(-4\right) \cdot 1",
        r"&= -4",
    ):
        assert line in latex


def test_each_use_of_a_value_is_a_term_of_its_sum():
    a = Tensor(3.0, name="a")
    latex = explain(a * a).to_latex()
    assert r"&= 1 \cdot 3 + 1 \cdot 3 \\" in latex
    assert "&= 6" in latex


def test_a_sum_of_many_terms_is_written_in_outline():
    x = Tensor([2.0], name="x")
    many = explain(np.sum(np.concatenate([x] * 100))).to_latex()
    assert many.count(r"\cdots") == 1
    few = explain(np.sum(np.concatenate([x] * 8))).to_latex()
    assert r"\cdots" not in few


def test_a_long_derivation_takes_time_in_proportion(monkeypatch):
    """Counted in looks at a step; and TeX gets it in parts that its memory holds."""
    looks = []
    get = Steps.__getitem__
    monkeypatch.setattr(Steps, "__getitem__", lambda steps, i: looks.append(i) or get(steps, i))

    def derived(n):
        x = Tensor(1.0, name="x")
        for _ in range(n):
            x = x * 1.0
        steps = explain(x)
        looks.clear()
        text = steps.to_latex()
        return len(looks), text.count(r"\begin{align*}"), max(map(len, text.split(r"\begin{align*}")))

    (few, parts, longest), (many, more, as_long) = derived(500), derived(2000)
    assert many < 4.1 * few
    assert (parts, more) == (4, 10)
    assert as_long < 1.5 * longest


def test_matrices_show_their_shapes():
    latex = layer().to_latex()
    assert r"{\underset{4 \times 3}{x}}^{\mathsf T} {\underset{4 \times 2}{" in latex
    assert r"\sum_{\text{copies}}" in latex


@pytest.mark.parametrize("story", [lecture, layer, awkward, batch, moved])
def test_the_derivation_compiles(story, tmp_path, judge_program):
    program = judge_program("tectonic", "pdflatex")
    file = tmp_path / "derivation.tex"
    file.write_text(story().to_latex(), encoding="utf-8")
    options = [] if program.endswith("tectonic") else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run(
        [program, *options, file.name], cwd=tmp_path, capture_output=True, text=True, errors="replace"
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert file.with_suffix(".pdf").read_bytes().startswith(b"%PDF")


@pytest.fixture
def judge_program():
    """The first of some programs that is installed; LaTeX is large, so that its absence always skips."""

    def find(*names):
        found = next(filter(None, map(shutil.which, names)), None)
        if found is None:
            pytest.skip(f"none of {', '.join(names)} is installed")
        return found

    return find


@pytest.fixture
def pillow(judge):
    judge("pygraphviz")
    judge("graphviz")
    return judge("PIL.Image")


def test_there_is_a_frame_for_each_step_all_of_one_size(pillow, tmp_path):
    steps = lecture()
    files = steps.save_frames(tmp_path / "frames")
    assert [f.name for f in files] == [f"step_{i:03}.png" for i in range(1, len(steps) + 1)]
    sizes, contents = set(), set()
    for file in files:
        with pillow.open(file) as image:
            sizes.add(image.size)
            contents.add(image.tobytes())
    assert len(sizes) == 1
    assert len(contents) == len(steps)


def test_the_animation_has_the_frames(pillow, tmp_path):
    a = Tensor(3.0, name="a")
    steps = explain(a * a + np.sin(a))
    with pytest.raises(ValueError, match=r"ends in \.gif.*got 'f\.mp4'"):
        steps.to_gif(tmp_path / "f.mp4")
    for seconds in (-1, 0, 201, np.nan):
        with pytest.raises(ValueError, match=f"expected seconds from 0.01 to 200, got {seconds}"):
            steps.to_gif(tmp_path / "f.gif", seconds=seconds)
    assert not list(tmp_path.iterdir())
    with pillow.open(steps.to_gif(tmp_path / "f.gif", seconds=0.5)) as gif:
        assert gif.format == "GIF"
        assert gif.n_frames == len(steps)
        assert gif.info["duration"] == 500


ORANGE, YELLOW = (0xB3, 0x59, 0x00), (0xFF, 0xE0, 0x8A)  # a highlighted edge, a highlighted node


def lit(image):
    """The places of highlighted nodes and edges in a frame, and the pixels of its caption."""
    pixels = np.asarray(image.convert("RGB")).astype(int)
    near = lambda colour: np.argwhere(np.abs(pixels - colour).sum(axis=-1) < 40)  # noqa: E731
    caption = pixels[int(0.75 * len(pixels)) :]
    return near(YELLOW), near(ORANGE), caption


def test_each_frame_of_the_animation_shows_its_step(pillow, tmp_path):
    """x + y, then times z: nodes stand from left to right, x and y above z."""
    with pillow.open(lecture().to_gif(tmp_path / "f.gif")) as gif:
        frames = []
        for i in range(gif.n_frames):
            gif.seek(i)
            frames.append(lit(gif.copy()))
    width = gif.width
    nodes = [(yellow[:, 1].min() / width, yellow[:, 1].max() / width) for yellow, _, _ in frames]
    edges = [orange[:, 1].mean() / width for _, orange, _ in frames]
    sum_forward, product_forward, to_q, to_z, to_x, to_y = nodes
    assert sum_forward[0] < 0.35 < sum_forward[1] < 0.7  # x, y and q: the left
    assert product_forward[1] > 0.75 > 0.3 < product_forward[0]  # q, z and f: the right
    assert min(to_q[0], to_z[0]) > 0.3  # from f on the right to the middle,
    assert max(to_x[1], to_y[1]) < 0.7  # and from q in the middle to the left
    assert min(edges[1:4]) > 0.5 > max(edges[0], *edges[4:])
    x_row, y_row = (frames[i][0][frames[i][0][:, 1] < 0.35 * width][:, 0].mean() for i in (4, 5))
    assert x_row < y_row
    captions = [caption.tobytes() for _, _, caption in frames]
    assert all((caption.min() < 60) for _, _, caption in frames)  # each has words,
    assert len(set(captions)) == len(captions)  # and no two the same


def test_each_box_has_the_size_and_the_place_that_were_laid_out_for_it(pillow, monkeypatch):
    """Graphviz makes a box larger where its letters need it, and its neighbours stay where they are."""
    drawn = []
    draw = layout.draw
    monkeypatch.setattr(layout, "draw", lambda g, *how: drawn.append(draw(g, "svg", "nop2").decode()) or draw(g, *how))
    x, y, z = Tensor(-2.5e-7, name="x"), Tensor(123456.0, name="a longer name"), Tensor(-4.0, name="z")
    steps = explain(np.tanh(x * y) * z + x, names={})
    assert len(list(frames.frames(steps))) == len(drawn) == len(steps)
    kept = {}
    for svg in drawn:
        boxes = {}
        for name, points in re.findall(r'<title>(n\d+)</title>\n<.*? (?:points|d)="([^"]*)"', svg):
            xy = np.array(re.findall(r"-?[\d.]+", points), float).reshape(-1, 2)
            boxes[name] = np.concatenate([xy.min(axis=0), xy.max(axis=0)])
        for name, box in boxes.items():
            np.testing.assert_allclose(box, kept.setdefault(name, box), atol=0.1)
            others = [b for other, b in boxes.items() if other != name]
            assert not any((box[:2] < b[2:]).all() and (b[:2] < box[2:]).all() for b in others)
    assert len(kept) == 7


def test_no_frame_shows_the_gradient_of_copies_as_that_of_what_was_broadcast(pillow, monkeypatch):
    seen = []
    render = frames._render
    monkeypatch.setattr(frames, "_render", lambda *given: seen.append(given[1]) or render(*given))
    x, b = Tensor([[1.0, 2.0], [3.0, 4.0]], name="x"), Tensor([-1.0, 2.0], name="b")
    steps = explain(np.sum((x + b) ** 2 + b), names={})
    assert len(list(frames.frames(steps))) == len(seen) == len(steps)
    told = [box.lines[1] for frame in seen for box in frame.boxes if box.key == "b"]
    assert list(dict.fromkeys(told)) == ["∂f/∂b = ?", "∂f/∂b = [2, 2]", "∂f/∂b = [6, 22]"]


def test_frames_of_a_layer_and_of_awkward_names_are_drawn(pillow, tmp_path):
    # A picture of all these names would be as wide as it is empty, and take a second for each of its frames.
    pairs = [explain(Tensor(1.0, name=a) * Tensor(np.nan, name=b)) for a, b in itertools.pairwise(AWKWARD)]
    for n, story in enumerate([layer(), *pairs]):
        assert len(story.save_frames(tmp_path / f"{n}")) == len(story) >= 3


def test_more_frames_than_anyone_watches_are_refused(pillow, tmp_path):
    x = Tensor(1.0)
    for _ in range(200):
        x = x * 1.5
    with pytest.raises(ValueError, match=r"expected at most 300 steps.*got 400"):
        explain(x).to_gif(tmp_path / "f.gif")


def test_large_constants_are_called_by_their_shape():
    text = batch().to_text()
    assert "v1 = constant[5×3] @ w" in text
    assert "v2 = v1 - constant[5×2]" in text
    assert r"\underset{5 \times 3}{C}" in batch().to_latex()


@pytest.mark.parametrize("moment", ["before", "while it is written"])
@pytest.mark.parametrize("what", ["svg", "dot", "html", "gif", "frames"])
def test_ctrl_c_leaves_the_file_that_was_there(pillow, tmp_path, monkeypatch, what, moment):
    steps = lecture()
    save = {
        "svg": lambda: drawing(steps).save(tmp_path / "file.svg"),
        "dot": lambda: drawing(steps).save(tmp_path / "file.dot"),
        "html": lambda: steps.save(tmp_path / "file.html"),
        "gif": lambda: steps.to_gif(tmp_path / "file.gif"),
        "frames": lambda: steps.save_frames(tmp_path),
    }[what]
    file = tmp_path / ("step_001.png" if what == "frames" else f"file.{what}")
    file.write_bytes(b"the one before")

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    if moment == "before":
        monkeypatch.setattr(import_module("autograd_core.explain.dot"), "digraph", interrupted)
    else:
        monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save()
    assert file.read_bytes() == b"the one before"
    assert list(tmp_path.iterdir()) == [file]
    monkeypatch.undo()
    save()
    assert file.read_bytes() != b"the one before"
