"""The package as a whole: its table, its documentation, its weight."""

import doctest
import inspect
import subprocess
import sys
from importlib import import_module

import pytest

import datasets
from datasets import catalog, imdb, mnist
from datasets._catalog import SETS


def test_the_catalog_has_every_set_once():
    with_loader = [name for name in datasets.__all__ if hasattr(getattr(datasets, name), "load_data")]
    assert sorted(SETS) == sorted(with_loader)


def test_the_catalog_fits_80_columns(alone, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    catalog()
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    assert len(lines) <= 2 + 2 * len(SETS)
    assert lines[0].split("  ")[0] == "set"
    words = {line.split()[0]: line.split() for line in lines}
    assert set(SETS) <= set(words)
    assert words["mnist"][1:7] == ["60000", "+", "10000", "11.6", "MB", "no"]
    assert words["digits"][1:5] == ["1437", "+", "360", "inside"]
    assert words["moons"][-3:] == ["MIT", "(ours)", "scikit-learn's"]


def test_the_catalog_says_what_is_here(alone, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("AUTOGRAD_DATA_DIR", str(alone))
    for file in (*mnist.FILES, imdb.ARCHIVE):
        path = alone / file.folder / file.name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    catalog()
    words = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()}
    assert words["mnist"][6] == "yes"
    assert words["imdb"][6] == "no"  # the words are missing
    assert words["fashion_mnist"][6] == "no"


@pytest.mark.parametrize("name", [*SETS, "helpers", "_catalog"])
def test_the_examples_in_the_documentation_are_true(name, alone):
    module = import_module(f"datasets.{name}")
    outcome = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert outcome.attempted > 0
    assert outcome.failed == 0


@pytest.mark.parametrize("name", SETS)
def test_every_public_function_is_documented_with_an_example(name):
    module = getattr(datasets, name)
    for function in vars(module).values():
        if inspect.isfunction(function) and function.__module__ == module.__name__:
            assert ">>> " in inspect.getdoc(function), function


def test_importing_is_light():
    heavy = ["matplotlib", "rich", "pooch", "requests", "filelock", "PIL", "autograd_core", "nn"]
    code = f"import sys, datasets; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
