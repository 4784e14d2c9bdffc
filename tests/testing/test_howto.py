"""The page "Test your own op in five minutes" runs, from its first line to its last."""

import re
from pathlib import Path

from autograd_core import REGISTRY
from autograd_core.testing import gradient_property

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "test_an_op.md"


def test_the_page_runs(capsys, monkeypatch):
    # How many examples there are is looked at elsewhere.
    monkeypatch.setitem(gradient_property.__kwdefaults__, "max_examples", 15)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 6
    namespace = {"__name__": "page"}
    try:
        for block in blocks:
            exec(compile(block, str(PAGE), "exec"), namespace)
    finally:
        REGISTRY.pop("cube", None)
    printed = capsys.readouterr().out
    assert printed.startswith("pass\n")
    assert "the gradient of loss is wrong: db1, with respect to b1" in printed
