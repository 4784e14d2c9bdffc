"""What the documents say is what happens: their code runs, and what is generated is up to date."""

import ast
import contextlib
import dataclasses
import importlib.util
import inspect
import io
import itertools
import re
import shlex
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd_core import REGISTRY, Op
from autograd_core.__main__ import main
from autograd_core.tracer import Operators, Tracer

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PEERS = ("torch", "jax", "keras", "tensorflow", "micrograd", "onnx", "onnxruntime", "scipy", "autograd")
NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")

ELSEWHERE = {  # where a test of their own looks closer
    DOCS / "howto" / "test_an_op.md",  # tests/testing/test_howto.py
    DOCS / "howto" / "train_on_several_machines.md",  # tests/nn/test_distributed.py
}

SIDE_BY_SIDE = sorted((DOCS / "coming_from").glob("[!i]*.md"))
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
    if not {"_build", ".venv"} & set(page.parts)
    and page not in (*SIDE_BY_SIDE, *ELSEWHERE)
    and "```python" in page.read_text(encoding="utf-8")
]


def script(name):
    """A script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(page, *languages):
    """The fenced blocks of a page in those languages: (language, text)."""
    found = re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [(language, text) for language, text in found if language in languages]


def numbers(text):
    """The numbers in a text, without those in the names of types, and without the lines of our files."""
    return [float(n) for n in NUMBER.findall(re.sub(r"float\d+|\.py:\d+", "", text))]


def run(code, names, page):
    """What a block prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, str(page), "exec"), names)
    return printed.getvalue()


@pytest.fixture
def peers(judge, monkeypatch):
    """Import what a text imports of other libraries, or skip where it is missing."""
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    def load(text):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in PEERS:
                if re.search(rf"^(import|from) (autograd(_core)?\.)?{name}\b", text, re.MULTILINE):
                    judge(name)

    return load


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Pages write their pictures into a folder that goes away, and open no browser."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    yield
    nn.set_device("cpu")  # a page may stop on another


# -- the code on the pages ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("the_registry_as_it_was", "elsewhere")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_code_of_a_page_runs_and_prints_what_the_page_says(page, peers):
    found = blocks(page, "python", "text")
    peers("".join(text for _, text in found))
    names = {"__name__": "page"}
    printed = None
    for language, text in found:
        if language == "python":
            printed = run(text, names, page)
        elif printed is not None:
            assert NUMBER.sub("#", printed).split() == NUMBER.sub("#", text).split()
            np.testing.assert_allclose(numbers(printed), numbers(text), rtol=0.02, atol=1e-6)
            printed = None


@pytest.mark.usefixtures("the_registry_as_it_was", "elsewhere")
@pytest.mark.parametrize("page", SIDE_BY_SIDE, ids=lambda page: page.stem)
def test_both_columns_of_a_comparison_print_the_same_numbers(page, peers):
    found = [text for _, text in blocks(page, "python")]
    assert found
    assert len(found) % 2 == 0
    peers("".join(found))
    theirs, ours = {"__name__": "theirs"}, {"__name__": "ours"}
    for left, right in zip(found[::2], found[1::2], strict=True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = numbers(run(left, theirs, page))
        own = right.replace("autograd_core.scipy", "autograd_core")
        assert not any(re.search(rf"\b{name}\b", own) for name in PEERS)
        # As far as PyTorch prints them.
        np.testing.assert_allclose(numbers(run(right, ours, page)), expected, rtol=5e-3, atol=1e-6)


@pytest.mark.usefixtures("elsewhere")
def test_the_commands_on_the_pages_work(capsys):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    ran = made = 0
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")):
        for _, text in blocks(page, "sh"):
            for line in text.splitlines():
                words = shlex.split(line, comments=True)
                if words[:1] == ["make"]:
                    assert words[1] in targets, page
                    made += 1
                elif words[:1] == ["autograd"] and words[1] in ("explain", "worksheet"):
                    assert main(words[1:]) == 0, page
                    ran += 1
    assert ran >= 2
    assert made >= 5


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.relative_to(DOCS).as_posix())
def test_what_a_page_includes_is_there(page):
    for path, options in re.findall(r"^```{literalinclude} (\S+)\n(.*?)```", page.read_text("utf-8"), re.DOTALL | re.M):
        source = (page.parent / path).read_text(encoding="utf-8")
        found = dict(re.findall(r'^:([\w-]+): "?(.*?)"?$', options, re.MULTILINE))
        at = 0
        for marker in ("start-at", "start-after", "end-at", "end-before"):
            if marker in found:
                at = source.find(found[marker], at)
                assert at >= 0, f"{path} has no {found[marker]!r}: mend the :{marker}: in {page.name}"
        if "pyobject" in found:
            last = found["pyobject"].rpartition(".")[2]
            assert re.search(rf"^ *(def|class) {last}\b", source, re.MULTILINE), f"{path} has no {last}"
        assert found.keys() & {"start-at", "start-after", "pyobject"}


def test_the_landing_page_gives_the_timings_of_the_readme():
    readme, landing = ((p / n).read_text("utf-8") for p, n in ((ROOT, "README.md"), (DOCS, "index.md")))
    scalars = readme.partition("A step of training")[0]
    measured = re.findall(r"^\| \w.*? \| ([\d.]+) \| [\d.]+ \|$", scalars, re.MULTILINE)
    (shown,) = re.findall(r"^- \*\*How fast\*\*(.*?)\(\[", landing, re.DOTALL | re.MULTILINE)
    assert sorted(re.findall(r"\d+\.\d+", shown)) == sorted(measured)
    assert len(measured) == 5


# -- the reference -----------------------------------------------------------------------------------------


def public():
    """Every public name with its module and what it is."""
    reference = script("reference")
    for module in reference.all_modules():
        for name, value in reference.public(module).items():
            yield pytest.param(reference, f"{module.__name__}.{name}", value, id=f"{module.__name__}.{name}")


@pytest.mark.parametrize(("reference", "name", "value"), list(public()))
def test_every_public_name_has_a_summary_and_an_example(reference, name, value):
    described = value.function if isinstance(value, Op) else value
    if inspect.isclass(value) or inspect.isroutine(value) or isinstance(value, Op):
        text = (vars(value).get("__doc__") if inspect.isclass(value) else described.__doc__) or ""
    else:
        text = reference.DATA[name]
    lines = inspect.cleandoc(text).splitlines()
    assert lines, "no docstring"
    assert lines[0].rstrip().endswith((".", ":", "?"))
    assert len(lines) == 1 or not lines[1], "the summary is one line, with an empty one below"
    raised = inspect.isclass(value) and issubclass(value, Exception)
    assert ">>> " in text, "no example" + (" of what raises it" if raised else "")


# What raises nothing of its own, and why.
CANNOT_RAISE = {
    "autograd_core": {
        "made by the engine, for you to read": ("Node", "Step"),
        "keeps what it is given": ("Domain", "example"),
        "takes nothing": ("no_grad",),
        "takes anything": ("stop_gradient", "composed"),
    },
    "nn": {"takes nothing": ("get_device",)},
    "nn.saving": {"takes anything": ("get_registered_name", "get_registered_object")},
    "autograd_core.testing": {"made by a check, for you to read": ("Report",)},
    "autograd_core.replay": {"made by a recording, for you to read": ("Program", "Source", "Traced")},
    "nn.backend": {"takes nothing": ("backend", "clear_session", "epsilon", "floatx", "image_data_format")},
    "nn.config": {"takes nothing": ("backend", "epsilon", "floatx", "get_numba", "image_data_format")},
    "nn.callbacks": {"takes nothing": ("Callback",)},
    "nn.constraints": {"takes nothing": ("NonNeg", "non_neg")},
    "nn.distributed": {"takes nothing": ("rank", "size")},
    "datasets": {"takes nothing": ("catalog",)},
    "datasets.camera": {"takes nothing": ("get_label_names",)},
    "datasets.digits": {"takes nothing, and reads what ships with it": ("load_data",)},
    "datasets.reuters": {"takes nothing": ("get_label_names",)},
}


@pytest.mark.parametrize(("reference", "name", "value"), list(public()))
def test_every_public_name_says_what_it_raises(reference, name, value):
    module, _, last = name.rpartition(".")
    exempt = [last in names for names in CANNOT_RAISE.get(module, {}).values()]
    if isinstance(value, Op):
        text = reference.entry(module, last, value, module)
        assert re.search(r"^ +:Shapes: .+\n +:Raises: .*TypeError for what is no array of numbers", text, re.MULTILINE)
    elif inspect.isclass(value) or inspect.isroutine(value):
        says = re.search(r"\b(\w*(Error|Warning)|InvalidArgument)\b|\bRaises\b", inspect.getdoc(value) or "")
        assert bool(says) != any(exempt), "says nothing of errors" if not says else "need not be exempt any more"


def test_every_public_name_stands_beside_the_file_that_holds_it():
    reference = script("reference")
    files = reference.files()
    listed = {name for names in files.values() for name in names}
    assert listed == {f.values[1] for f in public()}
    for name, file in (("nn.layers.Dense", "nn/layers/dense.py"), ("nn.Dense", None), ("np.sum", None)):
        assert [f for f, names in files.items() if name in names] == ([file] if file else [])
    assert all(Path(reference.ROOT, file).is_file() for file in files)


def test_the_page_of_ops_says_what_each_function_is():
    page, functions = script("keras_ops").page(), script("keras_ops").functions()
    assert {"abs", "gelu", "logsumexp", "top_k", "where"} < functions.keys()
    for call, what in (
        ("abs(x)", "``np.absolute``"), ("logsumexp(x, axis, keepdims)", "``autograd_core.logsumexp``"),
        ("relu(x)", "``nn.activations.relu``"), ("norm(x, ord, axis, keepdims)", "``np.linalg.norm``"),
        ("relu6(x)", "`relu` with a ceiling of 6."), ("zeros(shape, dtype=None)", "An array of zeros."),
    ):  # fmt: skip
        assert f"   * - ``{call}``\n     - {what}\n" in page, call
    assert page.count("   * - ``") == len(functions)


OURS = ("autograd_core.", "nn.", "datasets.")

# The parts of a docstring after what it is, in NumPy's order.
SECTIONS = ("Parameters", "Returns", "Raises", "References", "Examples")


def parts_of(doc):
    """The lines of a docstring by the section that they stand in; what comes before the first one under ""."""
    parts, at = {"": []}, ""
    lines = inspect.cleandoc(doc).splitlines()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line.isalpha() and below == "-" * len(line):
            at = line
            parts[at] = []
        else:
            parts[at].append(line)
    return parts


def heads(lines):
    """The names that the lines of a section describe."""
    return {head.strip() for line in lines if line[:1].strip() for head in line.split(" : ")[0].split(",")}


def raised_by(function):
    """The names of the errors that the body of a function raises."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except OSError:  # hypothesis wraps a strategy in a function that it makes from text: look in the file of ours
        nodes = ast.walk(ast.parse(inspect.getsource(sys.modules[function.__module__])))
        tree = next(n for n in nodes if isinstance(n, ast.FunctionDef) and n.name == function.__name__)
    calls = [node.exc.func for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    return {call.id for call in calls if isinstance(call, ast.Name) and call.id[0].isupper()}


def left_out(thing, is_method=False):
    """What the docstring of a function or class of more than two arguments does not describe."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    function = getattr(thing, "function", thing)  # of an op
    parameters = [
        p for p in inspect.signature(function).parameters.values() if p.name[0] != "_" and p.name not in ("self", "cls")
    ]
    if len(parameters) <= 2:
        return set()
    parts = parts_of(thing.__doc__)
    made = [*parts][1:]
    wanted = {"Parameters"} if is_method else {"Parameters", "Examples"}  # a method's example is that of its class
    if not inspect.isclass(thing) and inspect.signature(function).return_annotation not in (None, "None"):
        wanted.add("Returns")
    by_hand = not dataclasses.is_dataclass(thing)
    raised = raised_by(thing.__init__ if inspect.isclass(thing) else function) if by_hand else set()
    return (
        (wanted - {*made})
        | ({stars.get(p.kind, "") + p.name for p in parameters} - heads(parts.get("Parameters", ())))
        | (raised - heads(parts.get("Raises", ())))
        | ({*made} if made != [part for part in SECTIONS if part in made] else set())  # another order or title
    )


SIMPLE = {bool: "bool", int: "int", float: "float", str: "str"} | {
    word: word for word in ("bool", "int", "float", "str")
}


def untyped(thing):
    """What a docstring describes without its type, as ``name : type``, or with another one than its annotation says.

    Of the further arguments ``*args`` and ``**kwargs`` there is none to say, and what is as elsewhere is said there.
    """
    function = getattr(thing, "function", thing)  # of an op
    lines = parts_of(function.__doc__ or "-").get("Parameters", [])
    found = set()
    for line, below in itertools.pairwise([*lines, ""]):
        names, _, kind = line.partition(" : ")
        if line[:1].strip() and line[0] not in "-*" and not re.match(r"(As|See|Those) .*`", below.strip()):
            known = inspect.signature(function).parameters
            annotated = [known[name].annotation for name in names.split(", ") if name in known]
            simple = {SIMPLE.get(a.removesuffix(" | None") if isinstance(a, str) else a) for a in annotated} - {None}
            said = "str" if kind.startswith("{") else re.sub(", optional| or None", "", kind)  # one of these words
            found |= set() if kind and simple <= {said} else {line}
    return found


def methods():
    """The public methods that classes of ours define, but those that a class above them or NumPy describes."""
    for _, _, value in (found.values for found in public()):
        bases = value.__mro__ if inspect.isclass(value) else ()
        for base in (b for b in bases if b.__module__.startswith(OURS)):
            arrays_have = dir(np.ndarray) if issubclass(base, Tracer) else ()
            for name, method in vars(base).items():
                function = getattr(method, "__func__", method)
                written = inspect.isfunction(function) and function.__module__ == base.__module__ and function.__doc__
                if written and name[0] != "_" and name not in arrays_have and base is not Operators:
                    yield f"{base.__module__}.{base.__qualname__}.{name}", function


@pytest.mark.parametrize(("reference", "name", "value"), list(public()))
def test_every_public_name_of_more_than_two_arguments_has_sections(reference, name, value):
    described = isinstance(value, Op | type) or inspect.isroutine(value)
    error = isinstance(value, type) and issubclass(value, Exception)
    if described and not error:
        assert not left_out(value)


@pytest.mark.parametrize(("reference", "name", "value"), list(public()))
def test_types_of_parameters_are_written_in_one_way(reference, name, value):
    if isinstance(value, Op | type) or inspect.isroutine(value):
        assert not untyped(value)


@pytest.mark.parametrize(("name", "method"), [pytest.param(*found, id=found[0]) for found in dict(methods()).items()])
def test_every_public_method_of_more_than_two_arguments_has_sections(name, method):
    assert not left_out(method, is_method=True)
    assert not untyped(method)


WHOLE = """It adds.

Parameters
----------
x, y : float
    Numbers.
*rest
    More of them.

Returns
-------
float
    The sum.

Raises
------
ValueError
    Always.

Examples
--------
>>> 1 + 1
2
"""


def test_what_a_docstring_leaves_out_is_seen():
    def total(x: float, y: "float", *rest):
        raise ValueError("x: expected another number, got this one")

    total.__doc__ = WHOLE
    assert not left_out(total)
    assert not untyped(total)
    for title, other, said in (
        ("x, y : float", "x", "y"),
        ("*rest", "rest", "*rest"),
        ("ValueError", "TypeError", "ValueError"),
        ("Returns\n-------", "Gives\n-----", "Returns"),
        ("Examples\n--------", "Examples:", "Examples"),
        ("Parameters\n----------", "Parameters:", "Parameters"),
    ):
        total.__doc__ = WHOLE.replace(title, other)
        assert said in left_out(total)
    for other in ("x, y", "x, y : int", "x, y: float"):
        total.__doc__ = WHOLE.replace("x, y : float", other)
        assert untyped(total) == {other}


def test_what_an_op_raises_is_found_by_making_the_mistakes():
    reference = script("reference")
    said = {name: reference.errors(REGISTRY[name]) for name in ("tanh", "add", "matmul", "sum", "concatenate")}
    text, shapes = "TypeError for what is no array of numbers", "ValueError for shapes that do not fit"
    assert said["tanh"] == text
    assert said["add"] == said["matmul"] == f"{text}; {shapes}"
    assert said["sum"] == f"{text}; ValueError for an axis that is not there"
    assert said["concatenate"] == f"{text}; {shapes} and for an axis that is not there"
    assert reference.shapes(REGISTRY["add"]) == "those of the arguments, broadcast together"
    assert reference.shapes(REGISTRY["sum"]).startswith("``(2, 3)`` to ``()``; ``(2, 3)`` to ``(3,)`` with ``axis=0``")


def test_the_pages_of_the_reference_show_every_public_name():
    reference = script("reference")
    homes = reference.homes()
    for module in reference.all_modules():
        page = reference.page(module, homes)
        for name in reference.public(module):
            assert re.search(rf"\b{name}\b", page), name


# What says in ``__all__`` what others of our files take from it; `Value` is what a method gives.
WITHIN = {
    "autograd_core.explain",
    "autograd_core.ops",
    "autograd_core.replay.freeze",
    "autograd_core.testing.libraries",
}


def test_every_public_module_has_a_page(monkeypatch):
    """What says with ``__all__`` what it has, and what has a function of SciPy's."""
    monkeypatch.syspath_prepend(DOCS)
    reference, listed = script("reference"), (DOCS / "reference" / "index.md").read_text("utf-8")
    shown = {module.__name__ for module in reference.all_modules()}
    for file in (f for package in ("autograd_core", "nn", "datasets") for f in (ROOT / package).rglob("*.py")):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if re.search(r"^__all__", file.read_text("utf-8"), re.MULTILINE) and not name.startswith("autograd_core.scipy"):
            assert (name in shown) != (name in WITHIN), name
    for package in ("autograd_core", "autograd_core.hips", "autograd_core.testing", "autograd_core.replay"):
        assert f"\n{package}\n" in listed
    pytest.importorskip("scipy")
    scipy = script("scipy_functions")
    pages = scipy.pages()
    assert all(f"\n{name}\n" in listed for name in (page.removesuffix(".rst") for page in pages))
    for file in (ROOT / "autograd_core" / "scipy").rglob("*.py"):
        name = ".".join(file.relative_to(ROOT / "autograd_core" / "scipy").with_suffix("").parts)
        if file.name not in ("__init__.py", "arguments.py", "theirs.py"):
            text = pages[f"{scipy.OURS}.{name.partition('.')[0]}.rst"]
            entries = dict(zip(*[iter(re.split(r"py:function:: ([\w.]+)", text)[1:])] * 2, strict=True))
            assert scipy.public(name)
            for function in scipy.public(name):
                assert re.search(r"\n +>>> |The same as", entries[f"{name}.{function}"]), function


# -- what is generated -------------------------------------------------------------------------------------


def test_every_function_of_tensors_is_shown_with_an_example_that_ran(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    functions = script("functions")
    shown = functions.page().split(".. py:function:: ")[1:]
    entries = {**functions.REGISTRY, **functions.COMPOSED}
    assert len(shown) == sum(functions.family(entry) in functions.FAMILIES for entry in entries.values())
    assert all(">>> z = " in text for text in shown)
    product = next(text for text in shown if text.startswith("np.dot("))
    assert "z.backward(" in product


@pytest.fixture(scope="module")
def table(judge):
    judge("scipy")
    return script("table_of_ops")


@pytest.mark.skipif(not hasattr(np, "cumulative_sum"), reason="it is written with NumPy 2.1 or newer, as the site is")
def test_the_table_of_ops_is_the_registrys(table):
    written = (DOCS / "ops.md").read_text(encoding="utf-8")
    assert written == table.table(), "run: python docs/table_of_ops.py"


def test_every_entry_is_in_the_table(table):
    rows = {line.split("`")[1].removeprefix("np.") for line in table.table().splitlines() if line.startswith("| `")}
    ours = {
        name for name, entry in {**table.REGISTRY, **table.COMPOSED}.items() if table.family(entry) in table.FAMILIES
    }
    theirs = {row for row in rows if "scipy." in row}
    assert rows - theirs == ours
    assert {row.rpartition(".")[2] for row in theirs} == {*table.SCIPY}
    assert len(rows) > 140


def test_the_animation_in_the_readme_is_that_of_the_steps(tmp_path):
    pytest.importorskip("pygraphviz")
    image = pytest.importorskip("PIL.Image")
    pictures = script("pictures")
    with image.open(pictures.steps().to_gif(tmp_path / "step.gif")) as fresh, image.open(pictures.GIF) as kept:
        assert kept.n_frames == fresh.n_frames == len(pictures.steps())


# -- the built site ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="there.html#part">', "there.html#part names no place in that page"),
        ('<a href="gone.html">', "gone.html leads to no file"),
        ('<script src="https://cdn.example/x.js"></script>', "https://cdn.example/x.js is loaded from the network"),
        ('<p id="here"></p><a href="#here"><a href="there.html"><a href="https://example.org">', None),
    ],
)
def test_the_check_of_the_built_site_finds_dead_links_and_what_comes_from_the_network(tmp_path, body, fault):
    (tmp_path / "page.html").write_text(body, encoding="utf-8")
    (tmp_path / "there.html").write_text("<h1 id='other'></h1>", encoding="utf-8")
    assert list(script("check_links").faults(tmp_path)) == ([f"page.html: {fault}"] if fault else [])
