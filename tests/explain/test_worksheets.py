"""Worksheets: numbers of their own, a key that Python's own arithmetic confirms, and a page that knows the numbers."""

import csv
import re

import numpy as np
import pytest

from autograd_core.command import main
from autograd_core.command.worksheets import LEAST, MOST, Task, drawn
from autograd_core.files import folder_whole

PRODUCT = "(x + y) * z"
NEURON = "1 / (1 + exp(-(w * x + b)))"
MATRIX = "sum((W @ x + b - y)**2)"


def made(folder, *arguments):
    assert main(["worksheet", *arguments, "--out", str(folder)]) == 0
    with open(folder / "answers.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_key_is_right_and_everybody_has_other_numbers(tmp_path, capsys, judge):
    judge("pygraphviz")
    rows = made(tmp_path / "sheets", PRODUCT, "--students", "40")
    assert capsys.readouterr().out.split() == [str(tmp_path / "sheets" / n) for n in ("class.html", "answers.csv")]
    assert [row["sheet"] for row in rows] == [str(i) for i in range(1, 41)]
    assert len({(row["x"], row["y"], row["z"]) for row in rows}) == 40
    for row in rows:
        x, y, z = (float(row[name]) for name in "xyz")
        assert float(row["f"]) == (x + y) * z
        assert [float(row[f"∂f/∂{name}"]) for name in "xyz"] == [z, z, x + y]
        assert 0 not in (x, y, z, x + y)
        assert len({x, y, z}) == 3
    files = sorted(file.name for file in (tmp_path / "sheets").iterdir())
    assert files == ["answers.csv", "class.html", "page.html", *(f"sheet-{i:02}.html" for i in range(1, 41))]
    whole = (tmp_path / "sheets" / "class.html").read_text(encoding="utf-8")
    assert whole.count("<article>") == 40
    assert whole.count("<symbol") == 1  # the graph is drawn once


def test_the_key_of_matrices_is_that_of_finite_differences(tmp_path):
    rows = made(tmp_path / "s", MATRIX, "--array", "W=2x3", "--array", "x=3", "--array", "y=2", "--students", "3")
    for row in rows:
        take = lambda name: np.array([float(v) for k, v in row.items() if re.fullmatch(rf"{name}(\[.*\])?", k)])  # noqa: E731, B023
        leaves = {name: take(name) for name in "Wxby"}
        f = lambda at: np.sum((at["W"].reshape(2, 3) @ at["x"] + at["b"] - at["y"]) ** 2)  # noqa: E731
        assert take("f") == pytest.approx(f(leaves))
        for name, value in leaves.items():
            for i in range(value.size):
                nudged = [{**leaves, name: value + sign * 1e-5 * np.eye(value.size)[i]} for sign in (1, -1)]
                slope = (f(nudged[0]) - f(nudged[1])) / 2e-5
                assert take(f"∂f/∂{name}")[i] == pytest.approx(slope, rel=1e-4)


def test_the_same_seed_gives_the_same_sheets_and_one_more_student_changes_nobodys(tmp_path):
    folders = [tmp_path / name for name in "abcd"]
    for folder, extra in zip(folders, (["1", "8"], ["1", "8"], ["2", "8"], ["1", "9"]), strict=True):
        made(folder, NEURON, "--seed", extra[0], "--students", extra[1])
    first, again, other, more = ({f.name: f.read_bytes() for f in folder.iterdir()} for folder in folders)
    assert first == again
    assert first["answers.csv"] != other["answers.csv"]
    assert more["answers.csv"].startswith(first["answers.csv"])


@pytest.mark.parametrize(
    ("source", "arrays"),
    [(PRODUCT, ()), (NEURON, ()), (MATRIX, ("W=2x2", "x=2", "y=2")), ("log(x) * sqrt(y)", ()), ("tanh(x * y) + x", ()),
     ("maximum(x, y) * z", ()), ("-log(softmax(z)[1])", ("z=3",)), ("x**3 - x", ()), ("abs(x) / y", ())],
)  # fmt: skip
def test_answers_can_be_written_down(source, arrays):
    steps = drawn(Task.read(source, [], arrays), 20, 3)
    zeros = set()
    for story in steps:
        found = [v.value for v in story.values.values()] + [v.gradient for v in story.values.values()]
        sizes = np.abs(np.concatenate([np.ravel(v) for v in found]))
        assert np.all(np.isfinite(sizes))
        assert np.all((sizes == 0) | (sizes >= LEAST))
        assert np.all(sizes <= MOST)
        zeros.add(np.count_nonzero(sizes == 0))
        assert all(len(f"{float(x):.6g}") <= 4 for leaf in story.leaves.values() for x in np.ravel(leaf))
    assert len(zeros) == 1  # those that are 0 whatever the numbers are: of a maximum the smaller one's


def test_a_sheet_has_a_blank_for_each_number_and_none_of_the_answers(tmp_path):
    rows = made(tmp_path / "s", "tanh(w * x) + x", "--students", "2")
    sheet = (tmp_path / "s" / "sheet-1.html").read_text(encoding="utf-8")
    text = re.sub(r"<footer>.*?</footer>|<style>.*?</style>|<[^>]*>", " ", sheet, flags=re.DOTALL)
    for name, value in rows[0].items():
        if name in ("w", "x"):
            assert value in text
        elif name != "sheet" and len(value) > 3:
            assert value not in text
    # Three values; five contributions of two factors each, and what x has in sum; two gradients; and a name.
    assert sheet.count('class="blank"') == 3 + 5 * 3 + 1 + 2 + 1


def test_what_is_given_is_the_same_on_all_sheets(tmp_path):
    rows = made(tmp_path / "s", "(w * x - y)**2", "x=3", "y:=2", "--students", "5")
    assert {row["x"] for row in rows} == {"3"}
    assert "y" not in rows[0]
    assert "∂f/∂y" not in rows[0]
    assert len({row["w"] for row in rows}) == 5


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["x * y", "--students", "0"], 1, "--students: expected 1 to 1,000, got 0"),
        (["x * y", "--students", "1001"], 1, "--students: expected 1 to 1,000, got 1,001"),
        (["x * y", "--seed", "-1"], 1, "--seed: expected a whole number from 0 on, got -1"),
        (["x * y", "x=1", "y=2"], 2, "every name has a value"),
        (["x * y", "q=1"], 2, "q is not in the expression"),
        (["x * y", "--array", "W=2x2"], 2, "W is not in the expression"),
        (["x * y", "--array", "x=0x2"], 2, "--array: expected a name and a shape"),
        (["x * y", "--array", "x=3"], 2, "a worksheet ends in one number; write sum"),
        (["step * y"], 2, "step cannot be in the address of a page"),
        (["x +"], 2, "^"),
        (["sum(x)", "--array", "x=30"], 1, "expected numbers and matrices of up to 16 cells"),
        (["+".join(["sin(x * y)"] * 12)], 1, "expected at most 60 steps"),
        (["exp(1000 * x**2)"], 1, "no numbers were found"),
    ],
)
def test_what_cannot_be_a_worksheet_is_said_and_nothing_written(tmp_path, capsys, arguments, status, said):
    folder = tmp_path / "s"
    assert main(["worksheet", *arguments, "--out", str(folder)]) == status
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["worksheet", PRODUCT, "--students", "2", "--out", str(tmp_path)]) == 1
    assert "expected a free name or an empty folder, got a folder with files in it" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
    assert main(["worksheet", PRODUCT, "--students", "2", "--out", str(tmp_path / "no" / "where")]) == 1
    assert "make that one first" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert len(made(tmp_path / "empty", PRODUCT, "--students", "2")) == 2


def test_a_folder_is_written_whole_or_not_at_all(tmp_path):
    def interrupted():
        with folder_whole(tmp_path / "s") as made:
            (made / "half").write_text("")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    with folder_whole(tmp_path / "s") as made:
        (made / "whole").write_text("")
        assert not (tmp_path / "s").exists()
    assert [file.name for file in (tmp_path / "s").iterdir()] == ["whole"]


@pytest.fixture(scope="module")
def sheets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sheets")
    return folder / "s", made(folder / "s", NEURON, "--students", "3")


def test_the_link_of_a_sheet_is_the_quiz_with_its_numbers(chromium, sheets):
    folder, rows = sheets
    page = chromium.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto((folder / "sheet-2.html").as_uri())
    page.locator("footer a").click()
    row = rows[1]
    page.locator("#cells input").wait_for()
    assert page.locator("#say").text_content() == "Backward, from f to v5. What is the gradient ∂f/∂v5?"
    values = page.evaluate("nodes.map(n => [n.name, n.value, n.gradient])")
    for name, value, gradient in values:
        assert value == pytest.approx(float(row[name]), rel=1e-5)
        if name != "f":
            assert gradient == pytest.approx(float(row[f"∂f/∂{name}"]), rel=1e-5)
    page.locator("#cells input").fill(row["∂f/∂v5"])
    page.keyboard.press("Enter")
    assert page.locator("#verdict").text_content() == "Right."
    page.get_by_label("w", exact=True).fill("0.125")
    page.wait_for_url(re.compile("w=0.125"))
    assert faults == []
    page.close()


def test_a_sheet_of_matrices_links_to_them_and_what_the_page_cannot_compute_has_pages_of_its_own(tmp_path, chromium):
    rows = made(tmp_path / "m", MATRIX, "--array", "W=2x2", "--array", "x=2", "--array", "y=2", "--students", "2")
    page = chromium.new_page()
    page.goto((tmp_path / "m" / "sheet-2.html").as_uri())
    with page.expect_navigation():
        page.locator("footer a").click()
    found = page.evaluate("Array.from(numbers(nodes.find(n => n.name === 'W').gradient))")
    assert found == [float(rows[1][f"∂f/∂W[{i},{j}]"]) for i in (0, 1) for j in (0, 1)]
    page.close()


@pytest.mark.parametrize("width", [390, 1366])
def test_axe_finds_nothing_on_a_sheet(chromium, axe, sheets, width):
    page = chromium.new_page(viewport={"width": width, "height": 800})
    page.goto((sheets[0] / "sheet-1.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(axe)
    report = page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
    )
    assert [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in report["violations"]] == []
    page.close()


def test_each_sheet_begins_on_a_page_of_its_own(chromium, sheets):
    page = chromium.new_page()
    page.goto((sheets[0] / "class.html").as_uri())
    alone = chromium.new_page()
    alone.goto((sheets[0] / "sheet-1.html").as_uri())
    count = lambda p: len(re.findall(rb"/Type\s*/Page\b", p.pdf(prefer_css_page_size=True, format="A4")))  # noqa: E731
    assert count(page) == 3 * count(alone)
    page.close()
    alone.close()
