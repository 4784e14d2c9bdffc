"""The rules of the house that a machine can check."""

import ast
import doctest
import importlib
import inspect
import pkgutil
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


@pytest.mark.usefixtures("the_registry_as_it_was")
@pytest.mark.parametrize("name", list(modules()))
def test_the_examples_in_the_docstrings_run(name):
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
