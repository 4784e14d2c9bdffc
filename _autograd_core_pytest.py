"""The pytest plugin: beside a failing gradient test stand the graph and the guilty op; ``--gradient-report`` draws it.

A module of its own, so that a test run that uses none of this imports neither NumPy nor autograd_core.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--gradient-report=report.html``."""
    parser.getgroup("gradients").addoption(
        "--gradient-report",
        metavar="PATH",
        help="write failing gradient tests, their graphs included, to this HTML page",
    )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """Add the diagnosis of a failing gradient to the report of its test."""
    outcome: Any = yield
    error: Any = call.excinfo.value if call.excinfo else None
    while isinstance(error, BaseExceptionGroup):  # several different failures of one hypothesis test
        error = error.exceptions[0]
    if type(error).__name__ != "GradientError" or error.function is None:
        return
    from autograd_core.testing.report import describe, story

    graph = describe(error)
    report = outcome.get_result()
    report.sections.append(("graph of the smallest failing example", graph))
    # Workers of pytest-xdist have no page of their own: what they found travels with the report.
    if item.config.getoption("--gradient-report"):
        report.user_properties.append(("gradient", [item.nodeid, str(error), graph, story(error)]))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Collect for the page where it is written: in the main process."""
    path = session.config.getoption("--gradient-report")
    if path and not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(_Collector(path), "gradient-report")


class _Collector:
    """Writes the page when the run is over."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.found: list[list[str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.found += [value for key, value in report.user_properties if key == "gradient"]

    def pytest_sessionfinish(self) -> None:
        from autograd_core.testing.report import page

        with open(self.path, "w", encoding="utf-8") as file:
            file.write(page(self.found))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.write_line(f"gradient report: {self.path} ({len(self.found)} failing)")
