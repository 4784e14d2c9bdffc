"""What is skipped is told in a line for each thing that is missing, and fails where nothing may be missing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPING = """
import pytest

@pytest.mark.parametrize("n", range(30))
def test_with_a_judge(judge, n):
    judge("a_judge.linalg" if n % 2 else "another_judge")

def test_with_a_library():
    pytest.importorskip("PIL.NoSuchPart")

def test_with_a_program():
    pytest.skip("chess is not installed: apt-get install chess")

def test_with_a_gpu():
    pytest.skip("cupy is not installed")

@pytest.mark.parametrize("n", range(20))
def test_of_something_else(n):
    pytest.skip("it is no moon night")
"""
AT_IMPORT = "import pytest\npytest.importorskip('a_judge')\ndef test_nothing(): pass\n"


@pytest.fixture
def tell(tmp_path):
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_skipping.py").write_text(SKIPPING, encoding="utf-8")
    (tmp_path / "test_at_import.py").write_text(AT_IMPORT, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n", encoding="utf-8")

    def run(**environment):
        kept = {k: v for k, v in os.environ.items() if k not in ("AUTOGRAD_REQUIRE_JUDGES", "PYTEST_ADDOPTS")}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", tmp_path],
            cwd=tmp_path,
            env={**kept, "PYTHONPATH": str(Path(__file__).parent.parent), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


def test_one_line_for_each_thing_that_would_make_skipped_tests_run(tell):
    status, said = tell()
    lines = said[said.index("= skipped =") :].splitlines()[1:]
    assert status == 0
    assert lines == [
        '   31 without a_judge, another_judge: pip install -e ".[judges]"',
        "   20 it is no moon night",
        '    1 without PIL: pip install -e ".[plots]"',
        "    1 without chess: apt-get install chess",
        '    1 without cupy: pip install -e ".[gpu]"',
        lines[-1],
    ]
    assert "54 skipped" in lines[-1]


def test_where_judges_are_required_what_is_missing_fails(tell):
    status, said = tell(AUTOGRAD_REQUIRE_JUDGES="1")  # a whole file of tests, here
    assert status not in (0, 1)
    assert 'a_judge is needed here and not installed: pip install -e ".[judges]"' in said
    status, said = tell(AUTOGRAD_REQUIRE_JUDGES="1", PYTEST_ADDOPTS="--ignore=test_at_import.py")
    assert status == 1
    assert "chess is needed here and not installed: apt-get install chess" in said
    assert re.search(r"^32 failed, 21 skipped", said, re.MULTILINE)
