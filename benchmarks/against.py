"""This tree beside another one of the same project: paired times of a step, peak memory and calls, as ratios.

    git worktree add ../before 62444f1
    python benchmarks/against.py ../before [--only W7,W5] [--pairs 6] [--rounds 30] [--seconds 0.1]

A pair is two processes, one for each tree, which both train the same network (`workloads.py`) and take turns of a
fraction of a second each, so that whatever else the machine does meets both alike. A ratio is this tree's time over the
other's, below 1 where this one is faster: the median over the rounds of each pair, and then over the pairs, because a
process keeps the memory layout that it happened to get. The interval holds that median in 95 of 100 resamplings of the
pairs' own medians. "cpu" is processor time, which a busy machine disturbs less; of several threads it is the sum.

Memory is the growth of the peak from before the network is made to the end of the first 30 steps, the least of the
pairs. Calls are those of one step once all is recorded: Python's own functions, and functions written in C, as
`sys.setprofile` tells. W5 is the graph of 600 scalar ops of `scalar_ops.py`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scalar_ops
from contenders import keras_model, peak, release
from workloads import SMOKE, WORKLOADS

HERE = Path(__file__).parent
WARM_UP = 30


def calls_of(step: Callable[[], Any]) -> list[int]:
    """How many functions of Python and of C one step calls."""
    found = {"call": 0, "c_call": 0}

    def note(frame: Any, event: str, what: Any) -> None:
        if event in found:
            found[event] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        step()
    finally:
        sys.setprofile(before)
    return [found["call"] - 1, found["c_call"] - 1]  # but for the step itself, and the end of it


def step_of(workload: str, smoke: bool) -> Callable[[], Any]:
    """A step of a workload, made by whatever ``nn`` can be imported."""
    if workload == "W5":
        return scalar_ops.ours()
    import nn

    net = (SMOKE if smoke else WORKLOADS)[workload]
    x, y = net.data()
    model = keras_model(nn, net)
    model.set_weights(net.weights())
    return lambda: model.train_on_batch(x, y)


def serve(workload: str, smoke: bool) -> None:
    """One process of a pair: tells its memory and its calls, then runs steps for as long as each line asks for."""
    step_of("W7", True)()  # what importing and starting costs is not counted
    release()
    before = peak(since_now=True)
    step = step_of(workload, smoke)
    for _ in range(WARM_UP):
        step()
    print(json.dumps({"memory": peak() - before, "calls": calls_of(step)}), flush=True)
    for line in sys.stdin:
        steps, end = 0, time.perf_counter() + float(line)
        cpu, wall = time.process_time(), time.perf_counter()
        while not steps or time.perf_counter() < end:
            step()
            steps += 1
        times = (time.process_time() - cpu) / steps, (time.perf_counter() - wall) / steps
        print(json.dumps(times), flush=True)


class Turns:
    """One process of a pair, seen from outside."""

    def __init__(self, tree: Path, workload: str, smoke: bool):
        command = [sys.executable, __file__, str(tree), "--one", workload, *["--smoke"] * smoke]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.told = self.listen()

    def listen(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(map(str, self.process.args))} failed")  # type: ignore[union-attr]
        return json.loads(line)

    def run(self, seconds: float) -> list[float]:
        """Seconds per step, of the processor and of the clock."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return self.listen()

    def __enter__(self) -> Turns:
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.communicate()


def pair(trees: list[Path], workload: str, options: argparse.Namespace, swapped: bool) -> dict[str, Any]:
    """The two processes in turns: the median ratios of this pair, and what each told."""
    with contextlib.ExitStack() as both:
        order = (1, 0) if swapped else (0, 1)
        turns = {which: both.enter_context(Turns(trees[which], workload, options.smoke)) for which in order}
        found: list[list[list[float]]] = []
        for n in range(options.rounds):
            ran = {which: turns[which].run(options.seconds) for which in (order if n % 2 else order[::-1])}
            found.append([ran[0], ran[1]])
        times = np.array(found)  # round, tree, kind of time
        return {
            "ratios": np.median(times[:, 0] / times[:, 1], axis=0).tolist(),
            "ms": (1e3 * np.median(times, axis=0)).tolist(),
            "told": [turns[0].told, turns[1].told],
        }


def interval(values: list[float]) -> tuple[float, float]:
    """Where the median lies in 95 of 100 resamplings."""
    picks = np.random.default_rng(0).integers(len(values), size=(2000, len(values)))
    low, high = np.quantile(np.median(np.array(values)[picks], axis=1), [0.025, 0.975])
    return float(low), float(high)


def row(workload: str, pairs: list[dict[str, Any]]) -> str:
    """A workload as a line of the table."""
    cells = [workload]
    for kind in range(2):
        ratios = [p["ratios"][kind] for p in pairs]
        low, high = interval(ratios)
        mine, its = (statistics.median(p["ms"][tree][kind] for p in pairs) for tree in range(2))
        cells += [f"{mine:.4g}", f"{its:.4g}", f"**{statistics.median(ratios):.3f}** ({low:.3f}–{high:.3f})"]
    memory = [min(p["told"][tree]["memory"] for p in pairs) / 1e6 for tree in range(2)]
    calls = [" + ".join(map(str, pairs[0]["told"][tree]["calls"])) for tree in range(2)]
    return "| " + " | ".join([*cells, *(f"{m:.1f}" for m in memory), *calls]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the other tree")
    parser.add_argument("--only", default="W7,W1,W2,W4,W5", help="which workloads")
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=30, help="of each pair")
    parser.add_argument("--seconds", type=float, default=0.1, help="of one turn")
    parser.add_argument("--smoke", action="store_true", help="everything in its smallest form, once")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.path.insert(0, str(options.other))
        serve(options.one, options.smoke)
        return
    if not (options.other / "autograd_core").is_dir():
        parser.error(f"expected the folder of another tree of this project, got {options.other}")
    if options.smoke:
        options.pairs, options.rounds, options.seconds = 1, 2, 0.001
    trees = [HERE.parent, options.other.resolve()]
    print("| | cpu ms | other | ratio | wall ms | other | ratio | MB | other | calls, Python + C | other |")
    print("|---" * 11 + "|")
    for workload in options.only.split(","):
        pairs = [pair(trees, workload, options, swapped=bool(n % 2)) for n in range(options.pairs)]
        print(row(workload, pairs), flush=True)


if __name__ == "__main__":
    main()
