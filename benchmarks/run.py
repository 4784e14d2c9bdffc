"""Training and prediction beside the peers: ratios of times and of memory, as text, JSON, Markdown and pictures.

Each contender runs in a process of its own, because libraries in one process disturb each other; the turns are
rotated, so that a drift of the machine meets all alike. A ratio is ours over the other's, below 1 when we are
faster, from the medians and from the minima of each turn.

    python benchmarks/run.py [--only W1,W7] [--rounds 5] [--seconds 2] [--minutes 15] [--out DIR] [--smoke]

Each turn is written down at once, so a run that was interrupted goes on where it was when it is started again with
the same options (``--fresh`` begins anew). With ``--minutes`` the rounds stop when the time is up: each workload gets
its share, and what was measured until then is reported, with its number of rounds. A round of all contenders takes
about: W1 1.5 min, W2 2, W3 1.5, W4 2, W5 0.5, W6 5, W7 1.5, W8 2.5, W9 4 on two cores; so five rounds of everything
take an hour and three quarters, and those of ``--contenders PyTorch,Keras`` half of it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import scalar_ops
from contenders import CONTENDERS, TUNED, WITHOUT_CONVOLUTIONS

HERE = Path(__file__).parent
OURS = "ours replayed"
LONGEST = 15 * 60  # seconds that one turn may take
NEEDS = {"PyTorch": "torch", "PyTorch tuned": "torch", "torch.compile": "torch", "Keras": "keras", "JAX jit": "jax",
         "tinygrad": "tinygrad", "MyGrad": "mygrad", "HIPS autograd": "autograd", "micrograd": "micrograd",
         "ours sparse": "scipy", "ours compiled": "numba"}  # fmt: skip


def table() -> dict[str, list[tuple[str, str, str, list[str]]]]:
    """What each workload is: rows of (title, task, network, contenders), the one that is compared first."""
    everyone = [c for c in CONTENDERS if c != "ours sparse"]
    convolving = [c for c in everyone if c not in WITHOUT_CONVOLUTIONS]
    few = [OURS, "PyTorch"]
    sparse = ["ours sparse", "PyTorch", "PyTorch tuned", "Keras"]
    kinds = [f"{kind}×{2**n}" for kind in ("batch", "width", "depth") for n in range(6)]
    return {
        **{w: [(w, "train", w, everyone)] for w in ("W1", "W4", "W7")},
        "W2": [("W2", "train", "W2", convolving)],
        "W3": [("W3", "train", "W3", everyone), ("W3 sparse", "train", "W3", sparse)],
        "W5": [("W5", "scalars", "W5", list(scalar_ops.CONTENDERS))],
        "W6": [(f"W6 {net}", "fit", net, [OURS, "ours compiled", "Keras"]) for net in ("mlp", "cnn")],
        "W8": [(f"W8 {net}", "predict", net, [OURS, "ours eager", "PyTorch", "Keras"]) for net in ("W1", "W2")],
        "W9": [(f"W9 {net}", "scale", net, few) for net in kinds],
    }


def turn(task: str, net: str, contender: str, options: argparse.Namespace) -> dict[str, Any] | None:
    """One measurement in a process of its own; None when the contender is missing or fails."""
    library = NEEDS.get(contender)
    if library and importlib.util.find_spec(library) is None:
        return None
    command = [sys.executable, str(HERE / "contenders.py"), task, net, contender, "--seconds", str(options.seconds)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), **(TUNED if contender == "PyTorch tuned" else {})}
    try:
        done = subprocess.run(
            command + ["--smoke"] * options.smoke,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        print(f"  {contender} was stopped after {LONGEST / 60:.0f} minutes of {net}", file=sys.stderr)
        return None
    if done.returncode:
        if contender.startswith("ours"):
            raise RuntimeError(done.stderr)
        print(f"  {contender} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


class Turns:
    """What was measured so far, kept in a file as it comes."""

    def __init__(self, path: Path, options: argparse.Namespace):
        self.path, self.options = path, options
        self.measuring = [options.seconds, options.smoke]
        self.done: dict[str, Any] = {}
        if path.exists() and not options.fresh:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["measuring"] == self.measuring:
                self.done = kept["turns"]

    def take(self, n: int, task: str, net: str, contender: str) -> dict[str, Any] | None:
        """The n-th turn, measured now unless that was done."""
        name = f"{task} {net} {contender} {n}"
        if name not in self.done:
            self.done[name] = turn(task, net, contender, self.options)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = self.path.with_suffix(".part")
            unfinished.write_text(json.dumps({"measuring": self.measuring, "turns": self.done}), encoding="utf-8")
            unfinished.replace(self.path)
        return self.done[name]


def compare(task: str, net: str, contenders: list[str], turns: Turns, until: float) -> list[dict[str, Any]]:
    """Rotated turns, and the ratios of the first to each. No round but the first begins after ``until``."""
    found: dict[str, list[dict[str, Any]]] = {c: [] for c in contenders}
    rounds = 0
    while rounds < turns.options.rounds and (not rounds or time.monotonic() < until):
        start = rounds % len(contenders)
        for contender in contenders[start:] + contenders[:start]:
            if len(found[contender]) == rounds:  # not one that failed before
                result = turns.take(rounds, task, net, contender)
                found[contender] += [result] if result else []
        rounds += 1
    first = found[contenders[0]]
    rows: list[dict[str, Any]] = []
    for contender, results in found.items():
        if len(results) < rounds or not first:
            rows.append({"contender": contender, "missing": True})
            continue
        medians = [statistics.median(r["times"]) for r in results]
        ratios = [a / b for a, b in zip([statistics.median(r["times"]) for r in first], medians, strict=True)]
        minima = [min(a["times"]) / min(b["times"]) for a, b in zip(first, results, strict=True)]
        memory = max(r["memory"] for r in results)
        rows.append(
            {
                "contender": contender,
                "rounds": rounds,
                "median_ms": statistics.median(medians) * 1e3,
                "min_ms": min(min(r["times"]) for r in results) * 1e3,
                "ours_over_it": statistics.median(ratios),
                "ours_over_it_min": statistics.median(minima),
                "memory_mb": memory / 1e6,
                "memory_ratio": max(r["memory"] for r in first) / memory if memory else None,
            }
        )
    return rows


def machine() -> str:
    """What it ran on."""
    versions = []
    for package in ("numpy", "torch", "keras", "tensorflow-cpu", "jax", "tinygrad"):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {os.cpu_count()} cores; Python {platform.python_version()}, {', '.join(versions)}"


def measured(results: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The rows of contenders that are here, of the workloads that anybody ran."""
    found = {title: [r for r in rows if not r.get("missing")] for title, rows in results.items()}
    return {title: rows for title, rows in found.items() if rows}


def markdown(results: dict[str, list[dict[str, Any]]], where: str) -> str:
    """All tables: the ratios at a glance, then each workload."""
    found = measured(results)
    scaling = {t: rows for t, rows in found.items() if "×" in t}
    found = {t: rows for t, rows in found.items() if t not in scaling}
    lines = [f"{where}. A ratio is ours over the other's: below 1 we are faster, or need less memory.", ""]
    peers = list(dict.fromkeys(r["contender"] for rows in found.values() for r in rows[1:]))
    if len(found) > 1:
        lines += ["## At a glance", "", "Medians, ours over each:", ""]
        lines += [f"| | ours, ms | {' | '.join(peers)} |", "|---|---|" + "---|" * len(peers)]
        for title, rows in found.items():
            ratios = {r["contender"]: f"{r['ours_over_it']:.2f}" for r in rows}
            lines.append(f"| {title} | {rows[0]['median_ms']:.3g} | {' | '.join(ratios.get(p, '') for p in peers)} |")
        lines += [""]
    for title, rows in found.items():
        lines += [f"## {title}", "", "| | ms, median | ms, best | ratio of medians | of minima | memory, MB | ratio |"]
        lines += ["|---|---|---|---|---|---|---|"]
        for r in rows:
            share = "" if r["memory_ratio"] is None else f"{r['memory_ratio']:.2f}"
            memory = f"{r['memory_mb']:.1f}" if r["memory_mb"] else ""
            lines.append(
                f"| {r['contender']} | {r['median_ms']:.4g} | {r['min_ms']:.4g} | {r['ours_over_it']:.2f} | "
                f"{r['ours_over_it_min']:.2f} | {memory} | {share} |"
            )
        lines += ["", f"Rounds: {rows[0]['rounds']}."]
        missing = [r["contender"] for r in results[title] if r.get("missing")]
        lines += [f"Not installed, or failed: {', '.join(missing)}."] * bool(missing) + [""]
    if scaling:
        lines += [
            "## W9, as the network grows",
            "",
            "| | ours, ms | PyTorch, ms | ratio | ours, MB | PyTorch, MB | ratio |",
        ]
        lines += ["|---|---|---|---|---|---|---|"]
        for title, (mine, *others) in scaling.items():
            for r in others:
                share = "" if r["memory_ratio"] is None else f"{r['memory_ratio']:.2f}"
                lines.append(
                    f"| {title.removeprefix('W9 ')} | {mine['median_ms']:.4g} | {r['median_ms']:.4g} | "
                    f"{r['ours_over_it']:.2f} | {mine['memory_mb']:.1f} | {r['memory_mb']:.1f} | {share} |"
                )
        lines += [""]
    return "\n".join(lines)


# Each contender has its own mark wherever it appears; the colours are told apart by the colour-blind too.
MARKS = {
    "ours compiled": ("#000000", "*"),
    "ours eager": ("#999999", "*"),
    "ours sparse": ("#000000", "*"),
    "PyTorch": ("#D55E00", "o"),
    "PyTorch tuned": ("#D55E00", "s"),
    "torch.compile": ("#D55E00", "^"),
    "Keras": ("#0072B2", "o"),
    "JAX jit": ("#009E73", "o"),
    "tinygrad": ("#CC79A7", "o"),
    "MyGrad": ("#E69F00", "o"),
    "HIPS autograd": ("#56B4E9", "o"),
    "micrograd": ("#E69F00", "s"),
}


def draw(results: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """How many times our time each takes, and W9 on logarithmic axes; needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    results = measured(results)
    beside = {t: rows for t, rows in results.items() if "×" not in t}
    scaling = {t: rows for t, rows in results.items() if "×" in t}
    heights = [0.45 * len(beside) + 0.8] * bool(beside) + [3.6] * bool(scaling)
    figure = plt.figure(figsize=(9, sum(heights)), layout="constrained")
    parts = list(figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0])
    if beside:
        _draw_ratios(parts.pop(0).subplots(), beside)
    if scaling:
        axes = parts.pop(0).subplots(1, 2)
        for axis, quantity, title in zip(axes, ("median_ms", "memory_mb"), ("time, ms", "memory, MB"), strict=True):
            _draw_growth(axis, scaling, quantity)
            axis.set_title(f"W9: {title}", loc="left", fontsize=10)
        axes[0].legend(fontsize=8, frameon=False)
    figure.savefig(path)
    plt.close(figure)


def _draw_ratios(axis: Any, results: dict[str, list[dict[str, Any]]]) -> None:
    for y, rows in enumerate(results.values()):
        axis.axhline(y, color="#eeeeee", zorder=0)
        for r in rows[1:]:
            color, marker = MARKS[r["contender"]]
            axis.scatter(1 / r["ours_over_it"], y, 50, color, marker, alpha=0.9, linewidths=0, label=r["contender"])
    axis.axvline(1, color="black", linewidth=1)
    axis.set(xscale="log", xlabel="times as long as ours: right of the line we are faster")
    axis.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    labels = [f"{title}  ({rows[0]['median_ms']:.3g} ms)" for title, rows in results.items()]
    axis.set_yticks(range(len(results)), labels)
    axis.invert_yaxis()
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(axis="y", length=0)
    named = dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True))
    order = [name for name in MARKS if name in named]
    axis.legend([named[n] for n in order], order, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8, frameon=False)


def _draw_growth(axis: Any, scaling: dict[str, list[dict[str, Any]]], quantity: str) -> None:
    for kind, color in (("batch", "#0072B2"), ("width", "#D55E00"), ("depth", "#009E73")):
        points = {int(t.split("×")[1]): rows for t, rows in scaling.items() if f" {kind}×" in t}
        for n, (whose, style) in enumerate((("ours", "-"), ("PyTorch", "--"))):
            known = {x: max(rows[n][quantity], 1e-3) for x, rows in points.items() if len(rows) > n}
            axis.plot(list(known), list(known.values()), style, color=color, marker="o", ms=4, label=f"{kind}, {whose}")
    axis.set(xscale="log", yscale="log", xlabel="times as large")
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_formatter(lambda x, _: f"{x:g}")
    axis.minorticks_off()
    axis.set_xticks([1, 2, 4, 8, 16, 32])
    axis.spines[["top", "right"]].set_visible(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="workloads, with commas: W1,W7")
    parser.add_argument("--contenders", help="only these beside ours, with commas: PyTorch,Keras")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of measuring per contender and round")
    parser.add_argument("--minutes", type=float, help="for everything together; each workload gets one round at least")
    parser.add_argument("--fresh", action="store_true", help="forget what an interrupted run has measured")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="where results.json, .md and .svg go")
    parser.add_argument("--smoke", action="store_true", help="everything in its smallest form, once")
    options = parser.parse_args()
    if options.smoke:
        options.rounds, options.seconds = 1, 0.01
    wanted = options.only.split(",") if options.only else list(table())
    results: dict[str, list[dict[str, Any]]] = {}
    turns = Turns(options.out / "turns.json", options)
    jobs = [job for workload in sorted(wanted) for job in table()[workload]]
    begin = time.monotonic()
    for done, (title, task, net, contenders) in enumerate(jobs, 1):
        if options.contenders:
            others = options.contenders.split(",")
            contenders = [c for n, c in enumerate(contenders) if n == 0 or c in others]
        until = math.inf if options.minutes is None else begin + 60 * options.minutes * done / len(jobs)
        results[title] = compare(task, net, contenders, turns, until)
        print(markdown({title: results[title]}, "").split("\n", 2)[2] or f"{title}: nobody is here", flush=True)
    where = machine()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps({"machine": where, "results": results}, indent=2))
    (options.out / "results.md").write_text(markdown(results, where))
    if importlib.util.find_spec("matplotlib"):
        draw(results, options.out / "results.svg")
    print(f"written to {options.out}")


if __name__ == "__main__":
    main()
