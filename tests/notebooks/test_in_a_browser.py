"""The lessons in a browser: what stands in them and what they need; when all is asked for, that they run."""

import ast
import functools
import gzip
import http.server
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import threading
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from datasets import mnist

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
KNOWN = json.loads((DOCS / "pyodide.json").read_text(encoding="utf-8"))


def script(name):
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    path = [*sys.path]
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = path
    return module


lite = script("lite")


def sources(notebook, kind):
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == kind]


def test_a_lesson_begins_by_fetching_what_it_needs_and_says_what_it_leaves_out():
    for file in LESSONS:
        before = json.loads(file.read_text(encoding="utf-8"))
        there, without = lite.prepared(file), lite.prepared(file, digits=False)
        title, said, first = there["cells"][:3]
        assert title == before["cells"][0]
        assert said["source"].startswith("**In your browser.**")
        assert first["source"].splitlines()[1].startswith("%pip install -q autograd-core ")
        outside = [c for c in before["cells"] if "no-browser" in c["metadata"].get("tags", ())]
        assert len(there["cells"]) == len(before["cells"]) + 2
        assert len(sources(there, "code")) == len(sources(before, "code")) + 1 - len(outside)
        assert not any(cell.get("outputs") for cell in there["cells"])
        runs_whole = not outside and not before["metadata"].get("needs")
        assert ("Everything of this lesson runs here." in said["source"]) <= runs_whole
        assert bool(outside) <= ("as it was stored" in said["source"])
        for cell in outside:  # to read, with what it showed
            (told,) = [s for s in sources(there, "markdown") if "".join(cell["source"]) in s]
            assert "<img" in told or "```text" in told
        if "mnist" in before["metadata"].get("needs", ()):
            assert "first 20,000 digits here, and 2,000" in said["source"]
            assert "MNIST is not here" in without["cells"][1]["source"]
        assert len({cell["id"] for cell in there["cells"]}) == len(there["cells"])


def needed(judge, names):
    """All that is installed with these, and what of it cannot be: by name, with what is asked and what there is."""
    requirement = judge("packaging.requirements").Requirement
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ours = {"autograd-core": {"version": project["version"], "needs": project["dependencies"]}}
    where = {
        "python_version": "3.14",
        "python_full_version": KNOWN["python"],
        "sys_platform": "emscripten",
        "extra": "",
    }
    found, faults, waiting = set(), [], [*names]
    while waiting:
        asked = requirement(waiting.pop())
        if asked.marker and not asked.marker.evaluate(where):
            continue
        name = re.sub(r"[-_.]+", "-", asked.name.lower())
        added = (KNOWN["wheels"] | ours).get(name)
        version = added["version"] if added else KNOWN["packages"].get(name)  # whose needs Pyodide brings itself
        if version is None or version not in asked.specifier:
            faults.append(f"{asked}: there is {version}")
        elif name not in found:
            found.add(name)
            waiting += added["needs"] if added else ()
    return found, faults


def test_all_that_a_lesson_installs_and_imports_there_is_in_pyodide_or_comes_with_the_site(judge):
    tested = "hypothesis>=6.112"  # the extra ``testing``, whose pytest no lesson needs
    found, faults = needed(judge, [*lite.INSTALLED, tested, "comm", "ipython"])
    assert not faults
    assert {"numpy", "rich", "safetensors", "pooch", "requests"} <= found
    assert needed(judge, ["pooch>=99", "no-such-thing"])[1] == [
        "no-such-thing: there is None",
        "pooch>=99: there is 1.9.0",
    ]
    known = found | {"autograd_core", "nn", "datasets", "lesson", "IPython", *sys.stdlib_module_names}
    for file in LESSONS:
        for cell in sources(json.loads(file.read_text(encoding="utf-8")), "code"):
            for node in ast.walk(ast.parse(cell)):
                modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                modules += [node.module] if isinstance(node, ast.ImportFrom) else []
                assert {module.partition(".")[0] for module in modules} <= known, file


def test_the_list_is_that_of_the_wheels_and_of_the_pyodide_that_the_kernel_loads():
    pinned = dict(re.findall(r"^([\w-]+)==(\S+) --hash=sha256:[0-9a-f]{64}$", (DOCS / "wheels.txt").read_text(), re.M))
    assert pinned == {name: told["version"] for name, told in KNOWN["wheels"].items()}
    kernel = pytest.importorskip("jupyterlite_pyodide_kernel.constants")
    assert KNOWN["pyodide"] == kernel.PYODIDE_VERSION, "run: python docs/wheels.py"


def test_the_small_mnist_is_the_first_of_the_digits(monkeypatch, tmp_path):
    rng = np.random.default_rng(0)
    whole, some = tmp_path / "whole", tmp_path / "some"
    (whole / "mnist").mkdir(parents=True)
    for file, n in zip(mnist.FILES, (9, 9, 7, 7), strict=True):
        shape = (n, 28, 28) if "images" in file.name else (n,)
        head = bytes((0, 0, 8, len(shape))) + b"".join(size.to_bytes(4, "big") for size in shape)
        data = rng.integers(0, 10, shape, np.uint8).tobytes()
        (whole / file.folder / file.name).write_bytes(gzip.compress(head + data))
    monkeypatch.setenv("AUTOGRAD_DATA_DIR", str(whole))
    monkeypatch.setattr(lite, "DIGITS", (5, 3))
    everything = mnist.load_data()
    assert lite.save_digits(some / "mnist")
    monkeypatch.setenv("AUTOGRAD_DATA_DIR", str(some))
    for (x, y), (first, labels), n in zip(everything, mnist.load_data(), (5, 3), strict=True):
        np.testing.assert_array_equal(first, x[:n])
        np.testing.assert_array_equal(labels, y[:n])


def test_without_jupyterlite_or_a_network_the_site_is_built_and_says_why(monkeypatch, tmp_path):
    out = tmp_path / "lite"
    out.mkdir()
    monkeypatch.setattr(lite, "find_spec", lambda name: None if name == "hatchling" else True)
    assert lite.build(out) == "hatchling is not installed"
    assert not out.exists()
    monkeypatch.setattr(lite, "find_spec", lambda name: True)
    monkeypatch.setattr(lite, "save_digits", lambda folder: False)

    def offline(folder):
        raise subprocess.CalledProcessError(1, ["python", "-m", "pip"], "", "ERROR: no network\n")

    monkeypatch.setattr(lite, "wheels", offline)
    assert lite.build(out) == "pip failed: ERROR: no network"
    assert not out.exists()


def test_pages_link_to_the_lessons_that_run_only_where_there_are_some(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(DOCS)
    index = script("lesson_index")
    monkeypatch.setattr(index, "LITE", tmp_path / "lite")
    assert "href" not in index.run_link()
    (tmp_path / "lite").mkdir()
    assert index.run_link() == '<a href="lite/lab/index.html">Run the lessons in your browser</a>'
    assert 'href="../lite/notebooks/index.html?path=01_derivatives.ipynb"' in index.run_link(LESSONS[0], "../")


# -- run there, with no request that leaves the machine ---------------------------------------------------------------

# An older Pyodide with NumPy can be had without its own network, and these belong to it.
OLD = ("jupyterlite-core==0.6.4", "jupyterlite-pyodide-kernel==0.6.1", "jupyter-server>=2.14")
BESIDE = ("rich==14.3.3", "markdown-it-py", "mdurl", "platformdirs", "requests", "charset-normalizer", "idna",
          "urllib3", "certifi", "sortedcontainers")  # fmt: skip
STUB = {  # what it has not: weights are saved in no lesson, and nothing there is compressed like this
    "safetensors/__init__.py": "",
    "lzma.py": "class LZMAError(Exception): pass\ndef open(*_, **__): raise OSError('no lzma')\nLZMAFile = open\n",
    "safetensors-0.7.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: safetensors\nVersion: 0.7.0\n",
    "safetensors-0.7.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "safetensors-0.7.0.dist-info/RECORD": "",
}
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
SETTINGS = {
    "exposeAppInBrowser": True,
    "litePluginSettings": {KERNEL: {"pyodideUrl": "./static/pyodide/pyodide.js", "disablePyPIFallback": True}},
}


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(pyodide_with_numpy, tmp_path_factory):
    """The address of a JupyterLite with the lessons that needs nothing from elsewhere."""
    folder = tmp_path_factory.mktemp("lite")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", *OLD], check=True)
    (folder / "contents").mkdir()
    lite.contents(folder / "contents")
    wheels = lite.wheels(folder / "wheels")
    pip = (sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "--platform", "any")
    subprocess.run([*pip, "-d", folder / "beside", *BESIDE], check=True)
    stub = folder / "safetensors-0.7.0-py3-none-any.whl"
    with zipfile.ZipFile(stub, "w") as archive:
        for name, text in STUB.items():
            archive.writestr(name, text)
    settings = {"jupyter-lite-schema-version": 0, "jupyter-config-data": SETTINGS}
    (folder / "jupyter-lite.json").write_text(json.dumps(settings), encoding="utf-8")
    lite.assembled(folder, [*wheels, *(folder / "beside").glob("*.whl"), stub], folder / "out", str(python))
    shutil.copytree(pyodide_with_numpy, folder / "out" / "static" / "pyodide")
    handler = functools.partial(Quiet, directory=folder / "out")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser(judge):
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with judge("playwright.sync_api").sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


NOTEBOOK = "jupyterapp.shell.currentWidget"
RAN = f"""() => {{
  const cells = {NOTEBOOK}.content.model.toJSON().cells.filter((cell) => cell.cell_type === "code");
  const wrong = cells.flatMap((cell) => cell.outputs).filter((output) => output.output_type === "error");
  const idle = {NOTEBOOK}.sessionContext.session.kernel.status === "idle";
  return idle && (wrong.length || cells.every((cell) => cell.execution_count)) ? wrong.map((o) => o.evalue) : null;
}}"""


@pytest.mark.thorough
@pytest.mark.parametrize("file", LESSONS, ids=lambda file: file.stem)
def test_a_lesson_runs_whole_in_chromium_with_everything_outside_cut_off(file, site, browser, patience):
    context, outside = browser.new_context(), []

    def only_ours(route):
        if not (ours := route.request.url.startswith((site, "blob:", "data:"))):
            outside.append(route.request.url)
        return route.continue_() if ours else route.abort()

    context.route("**/*", only_ours)
    context.set_default_timeout(1000 * patience)
    page = context.new_page()
    page.goto(f"{site}notebooks/index.html?path={file.name}")
    page.wait_for_function("globalThis.jupyterapp?.shell?.currentWidget?.content?.model?.cells?.length > 2")
    page.wait_for_function(f"{NOTEBOOK}.sessionContext?.session?.kernel?.status === 'idle'")
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_timeout(2000)
    assert page.wait_for_function(RAN, polling=2000).json_value() == []
    assert not outside
    context.close()
