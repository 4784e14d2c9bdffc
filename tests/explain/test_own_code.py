"""The page "Step through your own code": what Python answers, and the page around it in a real browser."""

import contextlib
import functools
import http.server
import importlib
import io
import json
import re
import socket
import sys
import threading
import zipfile
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
WIDTHS = (390, 844, "light"), (768, 1024, "dark"), (1366, 768, "dark"), (1920, 1080, "light")

SQUARE = "from autograd_core import Tensor\nx = Tensor(3.0)\nprint('</script>', 'é')\ny = x * x\ny"
WRONG = "from autograd_core import Tensor\n\nx = Tensor(2.0)\nif True:\n    float(x)"
ENDLESS = "while True:\n    pass"
# Instead of the worker: it answers what real Python, this one, wrote.
STAND_IN = """
const answers = {answers};
onmessage = ({{ data: {{ home, id, code }} }}) => {{
  if (home) postMessage({{ ready: true }});
  else if (code in answers) postMessage({{ id, answer: answers[code] }});
}};
"""


@pytest.fixture(scope="module")
def own_code():
    before = [*sys.path]
    sys.path.insert(0, str(DOCS))
    try:
        yield importlib.import_module("own_code")
    finally:
        sys.path[:] = before


# -- what Python answers -------------------------------------------------------------------------------------------


def test_the_last_expression_is_what_is_shown(own_code):
    answer = own_code.answering.answer
    begin = "import numpy as np\nfrom autograd_core import Tensor, draw, explain\nx = Tensor(2.0)\n"
    for last, title in (
        ("explain(x * x)", "How f was computed"),
        ("y = x * x\ny", "How y was computed"),
        ("draw(x * x)", "drawing of 2 nodes"),
    ):
        found = answer(begin + last)
        assert title in found["html"], last
        assert found["printed"] == ""
        assert "error" not in found
    assert answer(begin + "y = x * x") == {"html": "", "printed": ""}
    assert answer(begin + "x.shape, None") == {"html": "", "printed": "((), None)\n"}
    assert answer("") == answer("# nothing\n") == answer("None") == {"html": "", "printed": ""}
    assert answer("print('a' * 30_000)")["printed"] == "a" * 20_000 + "\n…"
    assert answer("import sys\nprint('e', file=sys.stderr)")["printed"] == "e\n"
    assert "x" not in answer("a = 1")  # each begins anew
    assert answer("a")["error"] == "NameError: name 'a' is not defined"


def test_an_error_is_told_in_its_own_words_with_its_line(own_code):
    answer = own_code.answering.answer
    for code, line, words in (
        (WRONG, 5, "GradientLossError: float(t) would drop the gradient"),
        ("def f(x):\n    return 1 / x\n\nf(0)", 2, "ZeroDivisionError: division by zero"),
        ("x = (1,\n  2", 1, "SyntaxError: '(' was never closed"),
        ("import sys\nsys.exit(3)", 2, "SystemExit: 3"),
        ("def f():\n    f()\nf()", 2, "RecursionError"),
        ("from autograd_core import Tensor, explain\nx = Tensor(1j)\nexplain(x * x)", 3, "expected"),
        ("import no_such_thing", 1, "ModuleNotFoundError"),
        ("from autograd_core import Tensor\nTensor([1.0, 2.0]) * 2", 2, "a seed says how much each of its"),
        ("eval('1 +')", 1, "SyntaxError"),
        ("\0", None, "null bytes"),
    ):
        found = answer(code)
        assert words in found["error"], code
        assert found["line"] == line, code
        assert found["html"] == ""
    assert answer("print(1)\n1 / 0")["printed"] == "1\n"


def test_the_examples_answer_and_only_the_mistake_is_one(own_code):
    told = {title: own_code.answering.answer(code) for title, code in own_code.examples().items()}
    assert len(told) == 5
    for title, found in told.items():
        assert bool(found["html"]) != ("mistake" in title) == ("error" in found), title


def test_the_library_is_all_of_it(own_code):
    with zipfile.ZipFile(io.BytesIO(own_code.library())) as archive:
        names = {*archive.namelist()}
    assert {
        "autograd_core/explain/page/scripts/layout.js",
        "nn/layers/dense.py",
        "datasets/data/digits.csv.gz",
    } <= names
    assert not any("__pycache__" in name for name in names)
    assert own_code.library() == own_code.library()


# -- the page ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(own_code, tmp_path_factory):
    """The page with a stand-in for Python."""
    folder = tmp_path_factory.mktemp("own_code")
    page = own_code.save(folder)
    with contextlib.redirect_stdout(io.StringIO()):
        answers = {code: own_code.answering.answer(code) for code in (SQUARE, WRONG)}
    stand_in = STAND_IN.format(answers=own_code.embedded(json.dumps(answers)))
    text = page.read_text(encoding="utf-8")
    before = (DOCS / "own_code" / "worker.js").read_text(encoding="utf-8")
    assert before in text
    page.write_text(text.replace(before, stand_in), encoding="utf-8")
    return page


@pytest.fixture
def open_page(chromium, saved, patience):
    """Open the page at an address; any error of its script fails the test, and all that it asks for is kept."""
    opened, faults = [], []

    def go(at=""):
        page = chromium.new_page()
        opened.append(page)
        page.set_default_timeout(1000 * patience)
        page.asked = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(saved.as_uri() + at)
        return page

    yield go
    for page in opened:
        page.close()
    assert not faults


def inside(page):
    return page.frame_locator("#page")


def said(page):
    return page.evaluate("['state', 'error', 'printed'].map((id) => document.getElementById(id).textContent)")


def test_the_gallery_is_there_before_python(open_page, own_code):
    page = open_page()
    examples = list(own_code.examples().items())
    assert page.locator("#gallery option").all_text_contents() == [title for title, _ in examples]
    for i, (_, code) in enumerate(examples):
        if i:
            page.select_option("#gallery", str(i))
        assert page.input_value("#code") == code
    _, error, _ = said(page)  # of the last, which is the mistake
    assert "cannot be assigned" in error
    assert page.text_content("#numbers .wrong") == "7"
    page.select_option("#gallery", "0")
    inside(page).locator("#steps li").first.wait_for(state="attached")
    assert inside(page).locator("h1").text_content().endswith("f")
    assert said(page) == ["", "", ""]
    assert [url for url in page.asked if not url.startswith("about:")] == [page.url.partition("#")[0]]


def test_code_runs_and_its_link_brings_it_back_without_running_it(open_page):
    page = open_page()
    page.fill("#code", SQUARE)
    page.press("#code", "Control+Enter")
    page.wait_for_function("document.getElementById('state').textContent === 'Done.'")
    assert inside(page).locator("h1").text_content().endswith("y")
    assert said(page)[1:] == ["", "</script> é\n"]
    assert {url.rpartition("/")[2].partition("#")[0] for url in page.asked if url.startswith("file:")} == {
        "own_code.html",
        "own_code_library.js",
    }
    assert not [url for url in page.asked if url.startswith("http")]
    again = open_page(page.url.partition("own_code.html")[2])
    assert again.input_value("#code") == SQUARE
    assert "came with the link" in inside(again).locator("p").text_content()
    assert again.locator("#gallery option:checked").text_content() == "your own code"
    assert not [url for url in again.asked if url.startswith("blob:")]
    again.click("#run")
    again.wait_for_function("document.getElementById('state').textContent === 'Done.'")
    assert inside(again).locator("h1").text_content().endswith("y")
    cut = open_page("#code=%E0%A4%A")
    assert "cut off" in said(cut)[0]


def test_an_error_names_its_line_and_leads_there(open_page):
    page = open_page()
    page.fill("#code", WRONG)
    page.click("#run")
    page.locator("#error button").click()
    assert page.text_content("#error button") == "Line 5"
    assert "GradientLossError: float(t) would drop" in page.text_content("#error pre")
    assert page.text_content("#numbers .wrong") == "5"
    assert page.evaluate("document.activeElement.id") == "code"
    assert page.evaluate("getSelection().toString()") == "    float(x)"
    page.press("#code", "End")
    page.press("#code", "Enter")
    page.keyboard.type("for i in x:")
    page.press("#code", "Enter")
    page.keyboard.type("z")
    assert page.input_value("#code").endswith("    float(x)\n    for i in x:\n        z")
    assert page.locator("#numbers span").count() == 7
    page.press("#code", "Tab")
    assert page.evaluate("document.activeElement.id") == "run"


def test_a_loop_without_end_is_stopped(open_page):
    page = open_page()
    assert not page.is_enabled("#stop")
    page.fill("#code", ENDLESS)
    page.click("#run")
    page.wait_for_function("document.getElementById('state').textContent === 'Running …'")
    page.click("#stop")
    assert said(page)[0].startswith("Stopped.")
    assert page.evaluate("[worker, document.activeElement.id, document.getElementById('page').className]") == [
        None,
        "run",
        "",
    ]
    page.click("#run")  # and what is run while it runs ends it, too
    page.wait_for_function("document.getElementById('state').textContent === 'Running …'")
    page.fill("#code", SQUARE)
    page.click("#run")
    page.wait_for_function("document.getElementById('state').textContent === 'Done.'")
    assert not page.is_enabled("#stop")


def test_where_python_cannot_be_had_the_page_says_so(open_page):
    page = open_page()
    page.evaluate(
        "document.getElementById('worker').textContent = 'onmessage = () => postMessage({ failed: \"no network\" })'"
    )
    page.fill("#code", SQUARE)
    page.click("#run")
    page.locator("#error pre").wait_for()
    assert said(page)[1] == "Python could not be started: no network\nThe examples above need none of it."
    assert not page.is_enabled("#stop")


def test_it_fits_and_axe_finds_nothing(open_page, axe):
    page = open_page()
    page.select_option("#gallery", "4")
    page.locator("#error pre").wait_for()
    for width, height, scheme in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for id in ("code", "run", "error"):
            box = page.locator(f"#{id}").bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        if width not in (390, 1366):
            continue
        page.evaluate(axe)
        rules = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], iframes: false}"
        assert page.evaluate(f"axe.run(document, {rules}).then((found) => found.violations.map((v) => v.id))") == []


# -- with Python itself ----------------------------------------------------------------------------------------------


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.mark.thorough
def test_real_python_answers_in_the_browser(own_code, chromium, pyodide_with_numpy, tmp_path, patience):
    (tmp_path / "pyodide").symlink_to(pyodide_with_numpy)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}/"
        own_code.save(tmp_path, f"{home}pyodide/")
        page, outside = chromium.new_page(), []
        page.set_default_timeout(1000 * patience)
        page.on("request", lambda r: outside.append(r.url) if not r.url.startswith((home, "blob:", "about:")) else None)
        page.goto(f"{home}own_code.html")

        def ran(code):
            page.fill("#code", code)
            page.click("#run")
            page.wait_for_function("wanted === null", polling=100)
            return said(page)

        here = own_code.answering.answer(SQUARE)
        assert ran(SQUARE) == ["Done.", "", here["printed"]]
        there = page.evaluate("document.getElementById('page').srcdoc")
        steps = re.compile(r'<ol id="steps">.*?</ol>', re.S)
        assert steps.search(there)[0] == steps.search(here["html"])[0]
        assert own_code.answering.answer(WRONG)["error"] in ran(WRONG)[1]
        for code in own_code.examples().values():
            assert ran(f"{code}\n") is not None
        assert not outside
        with socket.create_server(
            ("127.0.0.1", 0)
        ) as elsewhere:  # the page's policy lets code reach Python's server only
            elsewhere.settimeout(1)
            url = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/"
            for sends in (
                f"from js import XMLHttpRequest\nr = XMLHttpRequest.new()\nr.open('GET', '{url}', False)\nr.send()",
                f"from js import importScripts\nimportScripts('{url}')",
            ):
                assert "NetworkError" in ran(sends)[1]
            with pytest.raises(TimeoutError):
                elsewhere.accept()
        page.fill("#code", ENDLESS)
        page.click("#run")
        page.wait_for_timeout(1000)
        page.click("#stop")
        assert ran(SQUARE)[0] == "Done."
        page.close()
        server.shutdown()
