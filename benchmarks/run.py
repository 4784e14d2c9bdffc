"""Training and prediction beside the peers: ratios of times and of memory, as text, JSON, Markdown and pictures.

Each contender runs in a process of its own, because libraries in one process disturb each other; the turns are
rotated, so that a drift of the machine meets all alike. A ratio is ours over the other's, below 1 when we are
faster, from the medians and from the minima of each turn.

    python benchmarks/run.py [--only W1,W7] [--rounds 5] [--seconds 2] [--out DIR] [--smoke]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import scalar_ops
from contenders import CONTENDERS, TUNED, WITHOUT_CONVOLUTIONS

HERE = Path(__file__).parent
OURS = "ours replayed"
NEEDS = {"PyTorch": "torch", "PyTorch tuned": "torch", "torch.compile": "torch", "Keras": "keras", "JAX jit": "jax",
         "MyGrad": "mygrad", "HIPS autograd": "autograd", "micrograd": "micrograd"}  # fmt: skip


def table() -> dict[str, list[tuple[str, str, list[str]]]]:
    """What each workload is: rows of (task, network, contenders)."""
    everyone = list(CONTENDERS)
    convolving = [c for c in everyone if c not in WITHOUT_CONVOLUTIONS]
    few = [OURS, "PyTorch"]
    return {
        **{w: [("train", w, everyone)] for w in ("W1", "W3", "W4", "W7")},
        "W2": [("train", "W2", convolving)],
        "W5": [("scalars", "W5", list(scalar_ops.CONTENDERS))],
        "W6": [("fit", net, [OURS, "Keras"]) for net in ("mlp", "cnn")],
        "W8": [("predict", net, [OURS, "ours eager", "PyTorch", "Keras"]) for net in ("W1", "W2")],
        "W9": [("scale", f"{kind}×{2**n}", few) for kind in ("batch", "width", "depth") for n in range(6)],
    }


def turn(task: str, net: str, contender: str, options: argparse.Namespace) -> dict[str, Any] | None:
    """One measurement in a process of its own; None when the contender is missing or fails."""
    library = NEEDS.get(contender)
    if library and importlib.util.find_spec(library) is None:
        return None
    command = [sys.executable, str(HERE / "contenders.py"), task, net, contender, "--seconds", str(options.seconds)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), **(TUNED if contender == "PyTorch tuned" else {})}
    done = subprocess.run(
        command + ["--smoke"] * options.smoke, capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        if contender.startswith("ours"):
            raise RuntimeError(done.stderr)
        print(f"  {contender} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def compare(task: str, net: str, contenders: list[str], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Rotated turns, and the ratios of ours to each."""
    found: dict[str, list[dict[str, Any]]] = {c: [] for c in contenders}
    for n in range(options.rounds):
        for contender in contenders[n % len(contenders) :] + contenders[: n % len(contenders)]:
            if len(found[contender]) == n:  # not one that failed before
                result = turn(task, net, contender, options)
                found[contender] += [result] if result else []
    first = found[contenders[0]]
    rows = []
    for contender, results in found.items():
        if len(results) < len(first):
            continue
        medians = [statistics.median(r["times"]) for r in results]
        ratios = [a / b for a, b in zip([statistics.median(r["times"]) for r in first], medians, strict=True)]
        minima = [min(a["times"]) / min(b["times"]) for a, b in zip(first, results, strict=True)]
        memory = max(r["memory"] for r in results)
        rows.append(
            {
                "contender": contender,
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
    for package in ("numpy", "torch", "keras", "tensorflow-cpu", "jax"):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {os.cpu_count()} cores; Python {platform.python_version()}, {', '.join(versions)}"


def markdown(results: dict[str, list[dict[str, Any]]], where: str, options: argparse.Namespace) -> str:
    """All tables."""
    lines = [f"{where}. {options.rounds} rounds. A ratio is ours over the other's: below 1 we are faster.", ""]
    for title, rows in results.items():
        lines += [f"## {title}", "", "| | ms, median | ms, best | ratio of medians | of minima | memory, MB | ratio |"]
        lines += ["|---|---|---|---|---|---|---|"]
        for r in rows:
            share = "" if r["memory_ratio"] is None else f"{r['memory_ratio']:.2f}"
            lines.append(
                f"| {r['contender']} | {r['median_ms']:.4g} | {r['min_ms']:.4g} | {r['ours_over_it']:.2f} | "
                f"{r['ours_over_it_min']:.2f} | {r['memory_mb']:.1f} | {share} |"
            )
        lines.append("")
    return "\n".join(lines)


def draw(results: dict[str, list[dict[str, Any]]], path: Path) -> None:
    """The ratios as bars, and W9 on logarithmic axes; needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    bars = {t: rows for t, rows in results.items() if "×" not in t}
    scaling = {t: rows for t, rows in results.items() if "×" in t}
    panels = len(bars) + 2 * bool(scaling)
    figure, axes = plt.subplots(panels, 1, figsize=(8, 2.2 * panels), squeeze=False)
    for axis, (title, rows) in zip(axes[:, 0], bars.items(), strict=False):
        axis.barh([r["contender"] for r in rows], [r["median_ms"] for r in rows])
        axis.set(title=title, xlabel="ms", xscale="log")
        axis.invert_yaxis()
    for axis, (quantity, unit) in zip(axes[len(bars) :, 0], (("median_ms", "ms"), ("memory_mb", "MB")), strict=False):
        for kind in ("batch", "width", "depth"):
            points = [(t, rows) for t, rows in scaling.items() if f" {kind}×" in t]
            for n, style in enumerate(("-", "--")):
                xs = [int(t.split("×")[1]) for t, rows in points if len(rows) > n]
                ys = [max(rows[n][quantity], 1e-3) for _, rows in points if len(rows) > n]
                axis.plot(xs, ys, style, marker="o", label=f"{kind}, {('ours', 'PyTorch')[n]}")
        axis.set(xscale="log", yscale="log", xlabel="times as large", ylabel=unit)
        axis.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="workloads, with commas: W1,W7")
    parser.add_argument("--contenders", help="only these beside ours, with commas: PyTorch,Keras")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of measuring per contender and round")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="where results.json, .md and .svg go")
    parser.add_argument("--smoke", action="store_true", help="everything in its smallest form, once")
    options = parser.parse_args()
    if options.smoke:
        options.rounds, options.seconds = 1, 0.01
    wanted = options.only.split(",") if options.only else list(table())
    results: dict[str, list[dict[str, Any]]] = {}
    for workload in sorted(wanted):
        for task, net, contenders in table()[workload]:
            if options.contenders:
                others = options.contenders.split(",")
                contenders = [c for n, c in enumerate(contenders) if n == 0 or c in others]
            title = workload if net == workload else f"{workload} {net}"
            results[title] = compare(task, net, contenders, options)
            print(markdown({title: results[title]}, title, options).split("\n", 2)[2], flush=True)
    where = machine()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps({"machine": where, "results": results}, indent=2))
    (options.out / "results.md").write_text(markdown(results, where, options))
    if importlib.util.find_spec("matplotlib"):
        draw(results, options.out / "results.svg")
    print(f"written to {options.out}")


if __name__ == "__main__":
    main()
