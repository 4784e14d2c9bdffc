"""The rules of the house that a machine can check."""

import ast
import doctest
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import numpy as np
import pytest

import autograd_core
import datasets
import nn

ROOT = Path(autograd_core.__file__).parent.parent
PACKAGES = (autograd_core, nn, datasets)


def modules():
    for package in PACKAGES:
        yield package.__name__
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                yield module.name


def imported(file):
    """The top-level packages that a file imports by name."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("package", ["autograd_core", "datasets"])
def test_arrows_only_point_down(package):
    above = {"autograd_core": {"nn", "datasets"}, "datasets": {"nn", "autograd_core"}}[package]
    for file in (ROOT / package).rglob("*.py"):
        assert not above & set(imported(file)), file


def modules_imported(name, file, known):
    """Which of our modules a file imports, anywhere in it, but for what only a type checker reads and named circles."""
    lines = file.read_text(encoding="utf-8").splitlines()
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    nodes = [ast.parse("\n".join(lines))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            nodes += node.orelse
        elif isinstance(node, ast.Import | ast.ImportFrom):
            level, module = getattr(node, "level", 0), getattr(node, "module", None)
            base = [*package[: len(package) + 1 - level if level else 0], *([module] if module else [])]
            for alias in node.names if "# circle: " not in lines[node.end_lineno - 1] else ():
                whole = ".".join((*base, alias.name))
                yield whole if whole in known else ".".join(base)
        else:
            nodes += ast.iter_child_nodes(node)


def circles(edges):
    """Whatever is left when those that import nothing of what is left are taken away, one after the other."""
    while free := [name for name, needed in edges.items() if not needed & edges.keys()]:
        edges = {name: needed for name, needed in edges.items() if name not in free}
    return edges


def test_no_import_goes_in_a_circle():
    files = {name: Path(importlib.util.find_spec(name).origin) for name in modules()}
    edges = {name: {*modules_imported(name, file, files)} - {name} for name, file in files.items()}
    assert not circles(edges), "a line that must import in a circle says why: # circle: …"
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}).keys() == {"a", "b", "c"}
    assert "autograd_core.tree" in edges["autograd_core.transforms"]
    assert "autograd_core.replay.show" in edges["autograd_core.replay.execute"]  # in a function
    assert "autograd_core.explain" not in edges["autograd_core.tensor"]  # for a type only
    assert sum(map(len, edges.values())) > 600


@pytest.mark.usefixtures("the_registry_as_it_was")
@pytest.mark.parametrize("name", list(modules()))
def test_the_examples_in_the_docstrings_run(name, judge):
    library = {"hips": "autograd"}.get(name.rpartition(".")[2], name.rpartition(".")[2])
    if name.startswith("autograd_core.testing.libraries.") and library not in ("library", "ours"):
        judge(library)
    if name.startswith("autograd_core.scipy."):
        judge("scipy")
    module = importlib.import_module(name)
    globs = {"np": np, **vars(autograd_core), **vars(module)}
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
    finder = doctest.DocTestFinder(exclude_empty=True)
    runner = doctest.DocTestRunner(optionflags=flags)
    tests = finder.find(module, name, globs=globs)
    found = {test.name for test in tests}
    for key, value in vars(module).items():  # doctest passes by what is an object or was wrapped, as ops are
        doc = getattr(value, "__doc__", None) or ""
        ours = getattr(value, "__module__", None) == name and f"{name}.{key}" not in found
        if ours and not inspect.isclass(value) and ">>>" in doc:
            tests.append(doctest.DocTestParser().get_doctest(doc, dict(globs), f"{name}.{key}", None, None))
    for test in tests:
        runner.run(test)
    assert not runner.failures


# -- errors ------------------------------------------------------------------------------------------------

# What a message may say instead of "expected …, got …", and why.
OTHERWISE = {
    r"is not built|does not know its input|was never called": "a model is not ready, whatever the argument",
    r" has no (argument|parameter)|there is no event": "a name that there is not: the nearest one is said",
    r"already|is called twice|is unknown to|a .* of its own|begun to": "something that was there before is in the way",
    r"out of scope|no gradient (rule|flows|here)|cannot be cast": "no other value would do: the way out is said",
    r"does not support item assignment": "Python's words: a stand-in says what the value itself would",
    r"Unsupported (dtype|type)|Wrong arguments": "CuPy's words: the strict array says what CuPy would",
    r"is on |computes on |channels last|holds (NaN|other numbers)|do not fit": "it is in the data: where is said",
}
# Their messages are halves of a sentence, which says before them what was expected of the file.
REASONS = {"datasets/_read.py", "datasets/_fetch.py"}
REFUSALS = {"TypeError", "ValueError", "OperandError", "RuleError", "IndexError"}


def names_in(*nodes):
    return {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)}


def refusals(tree):
    """The messages of the errors that show something that was just looked at: a value is refused, with what it is."""
    for node in (n for n in ast.walk(tree) if isinstance(n, ast.If)):
        for error in (n.exc for n in node.body if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call)):
            shown = names_in(*(part for part in ast.walk(error) if isinstance(part, ast.FormattedValue)))
            if names_in(error.func) & REFUSALS and names_in(node.test) & shown:
                yield error.lineno, " ".join(ast.unparse(argument) for argument in error.args)


def test_what_is_refused_is_told_what_was_expected_and_what_came():
    told, excused = [], set()
    for package in PACKAGES:
        folder = Path(package.__file__).parent
        for file in sorted(folder.rglob("*.py")):
            for line, message in refusals(ast.parse(file.read_text(encoding="utf-8"))):
                why = [phrase for phrase in OTHERWISE if re.search(phrase, message)]
                told.append(bool(re.search(r"expected .*\bgot ", message, re.DOTALL)))
                excused.update(() if told[-1] else why)
                assert told[-1] or why or file.relative_to(ROOT).as_posix() in REASONS, f"{file}:{line} {message}"
    assert sum(told) > 150
    assert excused == OTHERWISE.keys()  # none is there for nothing
    (found,) = refusals(ast.parse("if n < 1:\n    raise ValueError(f'n is a number; {n} came')"))
    assert found == (2, "f'n is a number; {n} came'")


# -- sizes -------------------------------------------------------------------------------------------------

LARGEST = 150


def sizes(source):
    """The classes in a source with their numbers of lines, without docstrings."""
    for found in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef)):
        told = 0
        for node in ast.walk(found):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
                told += node.body[0].end_lineno - node.body[0].lineno + 1
        yield found.name, found.end_lineno - min(n.lineno for n in (found, *found.decorator_list)) + 1 - told


def test_a_class_of_nn_is_read_on_two_screens():
    files = sorted((ROOT / "nn").rglob("*.py"))
    found = {(file.name, *size) for file in files for size in sizes(file.read_text(encoding="utf-8"))}
    assert len(found) > 200
    assert not {size for size in found if size[-1] > LARGEST}, "split it by what its parts are for"
    example = '@final\nclass A:\n    """Two\n    lines."""\n\n    def f(self):\n        """One."""\n        return 1\n'
    assert list(sizes(example)) == [("A", 5)]
