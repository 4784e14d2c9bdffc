"""What is run elsewhere exists here: the targets, scripts and extras that the workflow and .ci/ name."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture
def workflow(judge):
    return judge("yaml").safe_load((ROOT / ".github/workflows/tests.yml").read_text(encoding="utf-8"))


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_the_readmes_two_commands_run_on_each_system_and_python(workflow):
    matrix = workflow["jobs"]["two-commands"]["strategy"]["matrix"]
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert f">={matrix['python'][0]}" == PROJECT["requires-python"]
    minors = [int(version.removeprefix("3.")) for version in matrix["python"]]
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert minors[-1] >= sys.version_info.minor
    shown = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+) ", shown, re.MULTILINE):
        assert any(f"make {target} " in step.get("run", "") for step in steps(workflow)), target


def test_what_it_calls_exists(workflow):
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    said = "\n".join(step.get("run", "") for step in steps(workflow))
    said += "".join((ROOT / ".ci" / name).read_text(encoding="utf-8") for name in ("lowest", "run"))
    assert set(re.findall(r"^make (\w+)", said, re.MULTILINE)) <= set(targets)
    assert all((ROOT / script).exists() for script in re.findall(r"(?:bash|python) (\.ci/\S+)", said))
    named = {extra for extras in re.findall(r'-e "?\.\[([\w,]+)\]', said) for extra in extras.split(",")}
    assert len(named) > 5
    assert named <= set(PROJECT["optional-dependencies"])


def test_it_may_only_read_and_its_actions_keep_their_major_version(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    uses = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert uses
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", action) for action in uses)


def test_without_make_the_same_is_run(workflow):
    """Each line of the targets `demo` and `test` stands in the steps for Windows."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    there = "\n".join(s["run"] for s in steps(workflow) if s.get("if") == "runner.os == 'Windows'")
    for target in ("demo", "test"):
        (recipe,) = re.findall(rf"^{target}: .*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
        for line in recipe.splitlines():
            assert line.strip().replace("$(BIN)", ".venv/Scripts") in there


def test_the_oldest_versions_are_those_of_the_project_file():
    done = subprocess.run([sys.executable, ROOT / ".ci/lowest.py"], capture_output=True, text=True, check=True)
    found = dict(line.split("==") for line in done.stdout.split())
    needed = dict(requirement.split(">=") for requirement in PROJECT["dependencies"])
    assert needed.items() <= found.items()
    assert {"matplotlib", "scipy", "onnx", "numba", "pytest", "hypothesis"} <= found.keys()
