"""The lessons run as they are stored, and their exercises tell right answers from wrong ones."""

import html
import importlib.util
import linecache
import os
import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from autograd_core import Tensor, explain

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")

FOLDER = Path(__file__).parents[2] / "notebooks"
ANSWERS = Path(__file__).with_name("answers")
# zmq's own event loop and history file are none of ours.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def module(name):
    """A module of the folder of notebooks, which is no package."""
    spec = importlib.util.spec_from_file_location(f"notebooks_{name}", FOLDER / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


run = module("run")
LESSONS = run.lessons()
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda p: p.stem)
# Those whose trainings and checks take longest are run when all is asked for; `make lessons` runs them, too.
LONG = ("04", "07", "10")
each_lesson_in_time = pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=pytest.mark.thorough) if p.stem.startswith(LONG) else p for p in LESSONS],
    ids=lambda p: p.stem,
)


def read(path):
    return nbformat.read(path, as_version=4)


def tagged(notebook, tag):
    (cell,) = [c for c in notebook.cells if tag in c.metadata.get("tags", ())]
    return cell


@each_lesson_in_time
def test_a_lesson_runs_from_a_fresh_kernel_as_stored_and_its_exercises_are_decided(path, patience):
    stored, fresh = read(path), read(path)
    folder = os.environ.get("AUTOGRAD_DATA_DIR")
    for name in stored.metadata.get("needs", ()):
        if folder is None or not (Path(folder) / name).is_dir():
            pytest.skip(f"set AUTOGRAD_DATA_DIR to a folder that has the real {name}/ to run this lesson")
    exercises = tomllib.loads((ANSWERS / f"{path.stem[:2]}.toml").read_text(encoding="utf-8"))["exercise"]
    assert len(exercises) == 3

    def answer(client):
        for number, exercise in enumerate(exercises, 1):
            check = tagged(stored, f"check-{number}").source
            run.ask(client, exercise["right"])
            assert "pass" in run.ask(client, check), f"exercise {number}: the right answer does not pass"
            for wrong in exercise["wrong"] if isinstance(exercise["wrong"], list) else [exercise["wrong"]]:
                run.ask(client, wrong)
                with pytest.raises(run.CellExecutionError) as caught:
                    run.ask(client, check)
                assert caught.value.ename == "GradientError", f"exercise {number}: {caught.value}"

    run.execute(fresh, offline=True, patience=patience, afterwards=answer)
    assert not (different := run.differences(stored, fresh)), "\n".join(different)


@each_lesson
def test_a_lesson_is_at_most_a_megabyte(path):
    assert path.stat().st_size <= 1_000_000


@each_lesson
def test_a_lesson_opens_with_one_question(path):
    first = read(path).cells[0]
    number = int(path.stem[:2])
    assert first.cell_type == "markdown"
    title, _, rest = first.source.partition("\n")
    assert title.startswith(f"# {number}. ")
    assert rest.count("?") == 1
    assert rest.strip().partition("\n\n")[0].rstrip("*").endswith("?"), "the question comes before anything else"


@each_lesson
def test_a_lesson_ends_with_three_exercises_checked_by_autograd_core_testing(path):
    notebook = read(path)
    tags = [
        tag
        for cell in notebook.cells
        for tag in cell.metadata.get("tags", ())
        if tag not in ("varies", "no-browser", run.HIDDEN)
    ]
    assert tags == [f"{kind}-{n}" for n in (1, 2, 3) for kind in ("exercise", "check")]
    assert "check-3" in notebook.cells[-1].metadata.get("tags", ())
    for n in (1, 2, 3):
        assert "..." in tagged(notebook, f"exercise-{n}").source, "there is something left to do"
        assert re.search(r"answered\(", tagged(notebook, f"check-{n}").source)
        assert re.search(r"check_gradients\(|check_properties\(|\btest_\w+\(", tagged(notebook, f"check-{n}").source)


@each_lesson
def test_every_figure_of_a_lesson_has_a_text_alternative(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            assert "![](" not in cell.source
            assert "<img" not in cell.source
            continue
        for output in cell.outputs:
            data = output.get("data", {})
            assert not any(kind.startswith("image/") for kind in data), "use show(figure, alt)"
            page = data.get("text/html", "")
            for image in re.findall(r"<img[^>]*>", page) if "<iframe" not in page else ():
                alt = re.search(r'alt="([^"]+)"', image)
                assert alt, "use show(figure, alt)"
                assert len(alt[1].split()) >= 5
            for frame in re.findall(r"<iframe[^>]*>", page):
                assert re.search(r'title="[^"]+"', frame)


@each_lesson
def test_a_lesson_holds_nothing_that_changes_from_run_to_run(path):
    before = path.read_text(encoding="utf-8")
    notebook = read(path)
    run.normalise(notebook)
    assert nbformat.writes(notebook).strip() == before.strip(), "run notebooks/run.py, which stores it normalised"
    outputs = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    assert not any(o.output_type == "error" for o in outputs)
    assert not any(o.get("name") == "stderr" for o in outputs), "a reader sees it in a red box"


def test_the_lessons_are_numbered_in_order():
    assert [int(p.stem[:2]) for p in LESSONS] == list(range(1, len(LESSONS) + 1))


def notebook_that_prints(*texts):
    cells = [nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("stream", text=t)]) for t in texts]
    return nbformat.v4.new_notebook(cells=cells)


@pytest.mark.parametrize(
    ("stored", "fresh", "same"),
    [
        ("loss 0.123", "loss 0.124", True),
        ("loss 0.123", "loss 0.126", False),
        ("loss 1.5e-03", "loss 1.6e-03", True),
        ("loss 1.5e-03", "loss 1.5e-02", False),
        ("12 multiplications", "13 multiplications", False),
        ("12 multiplications", "12 additions", False),
        ("0.1 0.2", "0.1", False),
        ("-0.50", "0.50", False),
    ],
)
def test_numbers_agree_up_to_one_unit_of_the_last_digit_shown(stored, fresh, same):
    assert (run.differences(notebook_that_prints(stored), notebook_that_prints(fresh)) == []) == same


def notebook_that_explains(*edits, small=3.0, last=1.0):
    """With a page whose words tell ``small``, and not ``last``, an element of a matrix; with what ``edits`` replace."""
    w = np.linspace(-1, 2, 144).reshape(12, 12)
    w[5, 7] = last
    W, x, k = Tensor(w), Tensor(np.full(12, 0.01)), Tensor(small)
    shown = explain(k * np.sum(np.tanh(W @ x)), names={"W": W, "x": x, "k": k})._repr_html_()
    for old, new in edits:
        assert html.escape(old) in shown
        shown = shown.replace(html.escape(old), html.escape(new))
    output = nbformat.v4.new_output("display_data", {"text/html": shown, "text/plain": "a page"})
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])])


def test_a_page_is_compared_by_what_it_says_and_not_by_its_looks():
    def stale(*edits, **numbers):
        return run.differences(notebook_that_explains(), notebook_that_explains(*edits, **numbers)) != []

    assert not stale()
    assert not stale(("</style>", "p { color: red; }</style>"), ("arrive();", "leave();"), ("Full screen", "Larger"))
    assert not stale(("<strong>Forward.</strong>", "Forward."), (" contributes ", " <em>contributes</em> "))
    assert not stale(('"graph":{', '"graph":{"more":0,'), ('"single":', '"a name of later":1,"single":'))
    assert not stale(small=3 + 1e-9)
    assert not stale(last=1 + 1e-9)
    assert stale(small=3.0001)
    assert stale(last=1.0001)  # said nowhere but in the data of the page
    assert stale(("Backward.", "Back."))
    assert stale(("<title>How", "<title>Why"))
    assert stale(('"kind":"forward"', '"kind":"backward"'))


class TestHelpers:
    lesson = property(lambda self: module("lesson"))

    def test_a_figure_without_words_is_refused(self):
        lesson = self.lesson
        figure, _ = lesson.plt.subplots()
        with pytest.raises(ValueError, match="cannot see"):
            lesson.show(figure, "a figure")
        lesson.plt.close(figure)

    def test_a_figure_is_shown_with_its_words_and_is_the_same_bytes_twice(self, monkeypatch):
        lesson = self.lesson
        shown = []
        monkeypatch.setattr(lesson, "display", shown.append)
        for _ in range(2):
            figure, axis = lesson.plt.subplots()
            axis.plot([0, 1], [0, 1])
            lesson.show(figure, 'a line that "rises" from 0 to 1')
        first, second = shown
        assert first.data == second.data
        assert 'alt="a line that &quot;rises&quot; from 0 to 1"' in first._repr_html_()
        assert 'a line that "rises" from 0 to 1' in repr(first)

    def test_a_stored_result_of_other_code_is_told(self, monkeypatch, tmp_path, capsys):
        lesson = self.lesson
        monkeypatch.setattr(lesson, "RESULTS", tmp_path)

        def one():
            return {"loss": [1.0, 0.5]}

        def two():
            return {"loss": [1.0, 0.25]}

        lesson.remember("training", one, redo=True)
        assert lesson.remember("training", one)["loss"].tolist() == [1.0, 0.5]
        assert capsys.readouterr().out == ""
        lesson.remember("training", two)
        assert "made by other code" in capsys.readouterr().out

    def test_a_stored_result_remembers_what_its_code_calls(self):
        lesson = self.lesson

        def fingerprint(rate):
            source = f"def helper():\n    return {rate}\n\ndef compute():\n    return {{'rate': helper()}}\n"
            name = f"<made for {rate}>"
            linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
            made = {"__name__": "made"}
            exec(compile(source, name, "exec"), made)
            return lesson._fingerprint(made["compute"])

        assert fingerprint(0.1) == fingerprint(0.1)
        assert fingerprint(0.1) != fingerprint(0.2)

    def test_an_exercise_is_answered_once_its_dots_are_gone(self, capsys):
        lesson = self.lesson

        def open_one(x):
            return ...

        def open_pair(x):
            return ..., ...

        def done(x):
            return 2 * x

        def open_index(x):
            x[..., 0] = ...

        def done_with_an_index(x):
            return x[..., None]

        assert not lesson.answered(open_one, done)
        assert not lesson.answered(open_pair)
        assert not lesson.answered(open_index)
        assert "open_one" in capsys.readouterr().out
        assert lesson.answered(done, done_with_an_index)
