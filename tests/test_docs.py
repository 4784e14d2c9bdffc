"""The pages that are generated say what the code says."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(scope="module")
def page():
    spec = importlib.util.spec_from_file_location("table_of_ops", DOCS / "table_of_ops.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_ops_is_the_registrys(page):
    written = (DOCS / "ops.md").read_text(encoding="utf-8")
    assert written == page.table(), "run: python docs/table_of_ops.py"


def test_every_entry_is_in_the_table(page):
    rows = {line.split("`")[1] for line in page.table().splitlines() if line.startswith("| `")}
    ours = {name for name, entry in {**page.REGISTRY, **page.COMPOSED}.items() if page.family(entry) in page.FAMILIES}
    assert rows == ours
    assert len(rows) > 140
