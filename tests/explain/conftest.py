"""A real browser, driven as a person drives it."""

import json
import re
import shutil
import subprocess
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

import pytest

MODULES = Path(__file__).parent.parent.parent / "node_modules"
AXE = MODULES / "axe-core" / "axe.min.js"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


# What stands in an element, formulas read aloud from their MathML: the judge of how they are typeset, by what a browser
# made of them. Without spaces, for which MathML has no letters.
SPOKEN = """
function spoken(element) {
  const grouped = (t) => (/^(√?[\\p{L}\\p{N}_.∂]+(\\^\\d+)?|\\([^()]*\\))$/u.test(t) ? t : `(${t})`);
  const raised = (t) => (t.endsWith("ᵀ") ? t : "^" + (/^-?[\\d.]+$/.test(t) ? t : grouped(t)));
  function read(node) {
    if (node.nodeType === Node.TEXT_NODE) return node.textContent;
    const parts = [...node.childNodes].map(read);
    if (node.tagName === "mfrac") return parts.join() === "1,2" ? "½" : `${grouped(parts[0])}/${grouped(parts[1])}`;
    if (node.tagName === "msqrt" || node.tagName === "mroot") return `√${grouped(parts[0])}`;
    if (node.tagName === "msup") return parts[0] + raised(parts[1]);
    if (node.tagName === "msub") return `${parts[0]}_${parts[1]}`;
    const text = parts.join("");
    return node.namespaceURI.includes("MathML") ? text.replace("⊤", "ᵀ").replace("∑", "Σ").replaceAll("−", "-") : text;
  }
  return read(element).replace(/\\s/g, "");
}
"""


class Aloud:
    """Formulas read aloud: ``text`` as the page is read, ``read`` what stands in each of the elements of a page."""

    script = SPOKEN

    @staticmethod
    def text(text):
        """Without spaces, and with one way to write an index and a power."""
        text = re.sub(r"\s", "", re.sub(r"(?<=[\w∏Σ])\[([^\d\]].*?)\]", r"_\1", text))
        plain = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
        powers = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda m: "^" + m[0].translate(plain), text)
        return re.sub(r"\^\((-[\d.]+)\)", r"^\1", powers)

    @staticmethod
    def read(page, selector):
        return page.evaluate(
            f"(() => {{ {SPOKEN} return [...document.querySelectorAll('{selector}')].map(spoken); }})()"
        )


@pytest.fixture(scope="session")
def aloud():
    return Aloud


@pytest.fixture(scope="module")
def chromium(judge, patience):
    sync_playwright = judge("playwright.sync_api").sync_playwright
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET, timeout=1000 * patience)
        yield browser
        browser.close()


@pytest.fixture
def visit(visits):
    """Open the page of some steps; any error of its script and any request that leaves fails the test."""
    with visits() as go:
        yield go


@pytest.fixture(scope="module")
def visits(chromium, tmp_path_factory, patience):
    """The same for what is opened within a ``with``: an example of a property is shorter than its test."""
    folder, idle = tmp_path_factory.mktemp("pages"), defaultdict(list)
    return lambda: visiting(chromium, folder, patience, idle)


@contextmanager
def visiting(chromium, folder, patience, idle):
    """``idle`` are pages that nobody visits, by what cannot be changed: a new one takes three times as long to open."""
    opened = []

    def page_of(**fixed):
        if free := idle[tuple(fixed.items())]:
            return free.pop()
        page = chromium.new_page(**fixed)
        page.set_default_timeout(1000 * patience)
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: page.faults.append(request.url) if request.url != page.home else None)
        return page

    def go(steps, reveal="all", at="", viewport=None, color_scheme="light", reduced_motion="no-preference", **fixed):
        file = steps.save(folder / f"page{len(opened)}.html", reveal)
        page = page_of(**fixed)
        opened.append((page, idle[tuple(fixed.items())]))
        page.faults, page.home = [], file.as_uri()
        page.set_viewport_size(viewport or {"width": 1280, "height": 900})
        page.emulate_media(media="null", color_scheme=color_scheme, reduced_motion=reduced_motion)
        page.goto(page.home + at)
        return page

    try:
        yield go
        assert not [fault for page, _ in opened for fault in page.faults]
    except BaseException:
        for page, _ in opened:
            page.close()
        raise
    for page, free in opened:
        page.home = "about:blank"
        page.goto(page.home)  # ends its timers, and the next visit loads its file anew
        page.mouse.move(0, 0)
        free.append(page)


@pytest.fixture(scope="session")
def firefox(judge, tmp_path_factory):
    """Firefox: ``firefox(steps, ("press", "ArrowRight"), ("text", "#say"), width=390)`` gives a list of what was read.

    What can be done and read stands in firefox.mjs. Any error of the page's script and any request fails the test.
    """
    judge("playwright.sync_api")  # where its tests are not installed, neither is this expected
    node, program = shutil.which("node"), next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
    for found, what in (
        (node, "Node.js is not installed: apt-get install nodejs"),
        (program, "Firefox is not installed: apt-get install firefox-esr"),
        ((MODULES / "puppeteer-core").exists(), "npm install --no-save puppeteer-core@24"),
    ):
        if not found:
            pytest.skip(what)
    folder = tmp_path_factory.mktemp("firefox")
    command = [node, str(Path(__file__).with_name("firefox.mjs")), program]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "encoding": "utf-8"}

    def visit(steps, *actions, width=1280, height=900):
        file = steps if isinstance(steps, Path) else steps.save(folder / "page.html")
        order = {"url": file.as_uri(), "width": width, "height": height, "actions": actions}
        print(json.dumps(order), file=driver.stdin, flush=True)
        answer = json.loads(driver.stdout.readline())
        assert "error" not in answer, answer["error"]
        assert answer["faults"] == []
        return answer["found"]

    with subprocess.Popen(command, **pipes) as driver:
        yield visit
        driver.stdin.close()  # its browser ends with it


@pytest.fixture
def axe():
    """Deque's accessibility rules."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm install --no-save axe-core")
    return AXE.read_text(encoding="utf-8")
