"""Run tests with pytest, and write a line of JSON for each: what came out, and why where it is no pass.

    python guest.py RESULTS TESTS …

In WebAssembly, where it is started by run.py, and natively. A test that has a line already is not run again: so a run
goes on behind one that has ended the interpreter.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

# What Python says where the system below it has no such thing.
LACKS = {
    r"does not support processes|module 'os' has no attribute 'fork'": "it starts a process",
    r"can't start new thread": "it starts a thread",
    r"^OSError: \[Errno 58\] Not supported": "it opens a socket",
    r"^AttributeError: module '(?:os|signal|time)' has no attribute '(\w+)'": "it calls {}",
    r"^ModuleNotFoundError: No module named '(\w+)'": "it imports {}",
}
# How our own code says that a library is missing.
NEEDS = r"needs (\w+)\b.*: pip install "


def lack(caught: Any) -> str:
    """What is not here and a test itself asked for; of what our code asked for in vain only libraries, as it says."""
    said = f"{caught.typename}: {caught.value}"
    if caught.errisinstance(ImportError) and (found := re.search(NEEDS, said)):
        return f"it needs {found[1]}"
    ours = [Path(entry.path) for entry in caught.traceback if Path(entry.path).is_relative_to(ROOT)]
    if not ours or not ours[-1].is_relative_to(ROOT / "tests"):
        return ""
    found = ((re.search(pattern, said), reason) for pattern, reason in LACKS.items())
    return next((reason.format(*match.groups()) for match, reason in found if match), "")


class Outcomes:
    """A plugin of pytest."""

    def __init__(self, path: str):
        self.path = Path(path)
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ()
        self.done = {json.loads(line)["test"] for line in lines}

    def say(self, test: str, outcome: str, reason: str = "", seconds: float = 0.0) -> None:
        line = {"test": test, "outcome": outcome, "reason": reason, "seconds": round(seconds, 3)}
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [item for item in items if item.nodeid not in self.done]
        if sys.platform == "wasi":
            for item in items:
                if {"capfd", "capfdbinary"} & {*item.fixturenames}:  # there they would break all tests behind them
                    item.add_marker(pytest.mark.skip(reason="it catches what is written to a file descriptor"))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.say(nodeid, "failed", "it ended the interpreter")  # unless another line comes

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: Any) -> Any:
        report = yield
        report.lack = lack(call.excinfo) if report.failed else ""
        return report

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.tell(report, report.lack)
        if report.passed and report.when == "call":
            self.say(report.nodeid, "passed", seconds=report.duration)

    def pytest_collectreport(self, report: Any) -> None:
        self.tell(report, "")

    def tell(self, report: Any, lacks: str) -> None:
        if report.failed:
            self.say(report.nodeid, "not applicable" if lacks else "failed", lacks or str(report.longrepr)[-2000:])
        elif report.skipped:
            why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.say(report.nodeid, "skipped", why.removeprefix("Skipped: "))


if __name__ == "__main__":
    results, *tests = sys.argv[1:]
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    options = ["-q", "--tb=short", "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning"]
    if sys.platform == "wasi":
        os.getuid = lambda: 0  # type: ignore[attr-defined]  # platformdirs cannot be imported without
        # No file without a name to capture in, no null device to log to, no user to name a folder after.
        options += ["--capture=sys", "-p", "no:logging", "-p", "no:faulthandler", "--basetemp=/tmp/pytest"]
    sys.exit(pytest.main([*options, *tests], plugins=[Outcomes(results)]))
