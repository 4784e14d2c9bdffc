"""Training and prediction beside the peers: ratios of times and of memory, as text, JSON, Markdown and pictures.

Each contender runs in a process of its own, because libraries in one process disturb each other; the turns are
rotated, so that a drift of the machine meets all alike. A ratio is ours over the other's, below 1 when we are
faster, from the medians and from the minima of each turn.

    python benchmarks/run.py [--only W1,W7] [--rounds 5] [--seconds 2] [--minutes 15] [--out DIR] [--smoke]

Each turn is written down at once, so a run that was interrupted goes on where it was when it is started again with
the same options, libraries and commit (``--fresh`` begins anew). With ``--only`` the other workloads that results.json
has from the same machine, libraries and commit stay in the tables. With ``--minutes`` the rounds stop when the time is
up: each workload gets its share, and what was measured until then is reported, with its number of rounds. A round of
all contenders takes about: W1 1.5 min, W2 2, W3 1.5, W4 2, W5 0.5, W6 9, W7 1.5, W8 3, W9 4 on two cores; so five
rounds of everything take some two hours, and those of ``--contenders PyTorch,Keras`` half of it.

HIPS autograd takes no part in W2: it has no layer of convolutions. In W6 the data are MNIST's, which is downloaded.
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

import numpy as np
import scalar_ops
from contenders import CONTENDERS, TUNED, WITHOUT_CONVOLUTIONS

HERE = Path(__file__).parent
OURS = "ours replayed"
LONGEST = 15 * 60  # seconds that one turn may take
NEEDS = {
    **dict.fromkeys(("PyTorch", "PyTorch tuned", "torch.compile"), "torch"),
    **dict.fromkeys(("Keras", "Keras jit_compile"), "tensorflow"),
    **{"JAX jit": "jax", "tinygrad": "tinygrad", "MyGrad": "mygrad", "HIPS autograd": "autograd"},
    **{"micrograd": "micrograd", "ours sparse": "scipy", "ours compiled": "numba"},
}


def table() -> dict[str, list[tuple[str, str, str, list[str]]]]:
    """What each workload is: rows of (title, task, network, contenders), the one that is compared first."""
    everyone = [c for c in CONTENDERS if c != "ours sparse"]
    convolving = [c for c in everyone if c not in WITHOUT_CONVOLUTIONS]
    few = [OURS, "PyTorch"]
    sparse = ["ours sparse", "PyTorch", "PyTorch tuned", "Keras", "Keras jit_compile"]
    predicting = [OURS, "ours eager", "PyTorch", "PyTorch tuned", "Keras"]
    kinds = [f"{kind}×{2**n}" for kind in ("batch", "width", "depth") for n in range(6)]
    return {
        **{w: [(w, "train", w, everyone)] for w in ("W1", "W4", "W7")},
        "W2": [("W2", "train", "W2", convolving)],
        "W3": [("W3", "train", "W3", everyone), ("W3 sparse", "train", "W3", sparse)],
        "W5": [("W5", "scalars", "W5", list(scalar_ops.CONTENDERS))],
        "W6": [(f"W6 {net}", "fit", net, [OURS, "ours compiled", "Keras"]) for net in ("mlp", "cnn")],
        "W8": [(f"W8 {net}", "predict", net, predicting) for net in ("W1", "W2")],
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
    """What an unfinished run has measured so far, kept in a file as it comes."""

    def __init__(self, path: Path, where: str, options: argparse.Namespace):
        self.path, self.options = path, options
        self.measuring = [where, options.seconds]
        self.done: dict[str, Any] = {}
        if path.exists() and not options.fresh:
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["measuring"] == self.measuring:
                self.done = kept["turns"]

    def take(self, n: int, task: str, net: str, contender: str) -> dict[str, Any] | None:
        """The n-th turn, measured now unless that was done."""
        name = f"{task} {net} {contender} {n}"
        if name not in self.done:
            result = turn(task, net, contender, self.options)
            if result is None:
                return None
            self.done[name] = result
            self.path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = self.path.with_suffix(".part")
            unfinished.write_text(json.dumps({"measuring": self.measuring, "turns": self.done}), encoding="utf-8")
            unfinished.replace(self.path)
        return self.done[name]

    def rounds(self, task: str, net: str, contenders: list[str], until: float) -> dict[str, dict[int, Any]]:
        """Rotated turns: of each contender those that did not fail. None but the first begins after ``until``."""
        found: dict[str, dict[int, Any]] = {c: {} for c in contenders}
        for n in range(self.options.rounds):
            if n and time.monotonic() >= until:
                break
            start = n % len(contenders)
            for contender in contenders[start:] + contenders[:start]:
                if n - len(found[contender]) < 2:  # not one that failed twice
                    result = self.take(n, task, net, contender)
                    found[contender].update({n: result} if result else {})
        return found


def compare(found: dict[str, dict[int, Any]], times: str = "times") -> list[dict[str, Any]]:
    """The ratios of the first to each, from the rounds that both have."""
    first = next(iter(found.values()))
    rows: list[dict[str, Any]] = []
    for contender, results in found.items():
        pairs = [(first[n], result) for n, result in results.items() if n in first]
        if not pairs:
            rows.append({"contender": contender, "missing": True})
            continue
        memory = [[r["memory"] for r in whose if r["memory"] is not None] for whose in zip(*pairs, strict=True)]
        mine, its = (max(m) if m else None for m in memory)
        rows.append(
            {
                "contender": contender,
                "rounds": len(pairs),
                "median_ms": statistics.median(statistics.median(r[times]) for _, r in pairs) * 1e3,
                "min_ms": min(min(r[times]) for _, r in pairs) * 1e3,
                "ours_over_it": statistics.median(
                    statistics.median(a[times]) / statistics.median(b[times]) for a, b in pairs
                ),
                "ours_over_it_min": statistics.median(min(a[times]) / min(b[times]) for a, b in pairs),
                "memory_mb": None if its is None else its / 1e6,
                "memory_ratio": mine / its if mine and its and its >= 1e5 else None,  # to less it is one to noise
                "date": time.strftime("%Y-%m-%d"),
            }
        )
    return rows


def commit() -> list[str]:
    """Which version of ours it is, where git knows."""
    git = ["git", "-C", str(HERE.parent)]
    try:
        done = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", "*.py"], check=False).returncode
    except (OSError, subprocess.CalledProcessError):
        return []
    return [f"autograd-core {done.stdout.strip()}{' with changes' * bool(changed)}"]


def machine() -> str:
    """What it ran on, and which versions of everything."""
    versions = commit()
    for package in (
        "numpy", "numba", "scipy", "torch", "keras", "tensorflow-cpu", "tensorflow", "jax", "tinygrad", "mygrad",
        "autograd", "micrograd",
    ):  # fmt: skip
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
        if package == "numpy":
            blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
            versions[-1] += f" with {blas['name']} {blas.get('version', '')}".rstrip()
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {os.cpu_count()} cores; Python {platform.python_version()}, {', '.join(versions)}"


def measured(results: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The rows of contenders that are here, of the workloads that anybody ran."""
    found = {title: [r for r in rows if not r.get("missing")] for title, rows in results.items()}
    return {title: rows for title, rows in found.items() if rows}


def shown(title: str, milliseconds: float, digits: int) -> str:
    """A time as the tables have it: W5 is about single ops, which take microseconds."""
    time = milliseconds * 1e3 if title == "W5" else milliseconds
    return f"{time:,.0f}" if time >= 100 else f"{time:.{digits}g}"


def unit(title: str) -> str:
    return "µs per op" if title == "W5" else "ms"


def dates(results: dict[str, list[dict[str, Any]]]) -> str:
    """When it was measured: a day, or the first and the last one."""
    days = sorted({r["date"] for rows in results.values() for r in rows if not r.get("missing")})
    return " to ".join(dict.fromkeys([*days[:1], *days[-1:]]))


def markdown(results: dict[str, list[dict[str, Any]]], where: str) -> str:
    """All tables: the ratios at a glance, then each workload."""
    found = measured(results)
    scaling = {t: rows for t, rows in found.items() if "×" in t}
    found = {t: rows for t, rows in found.items() if t not in scaling}
    lines = [f"{dates(found)}, {where}.", ""]
    lines += [
        "A ratio is ours over the other's: below 1 we are faster, or need less memory. Memory is the growth of the",
        "process's peak after the imports and the data.",
        "",
    ]
    peers = list(dict.fromkeys(r["contender"] for rows in found.values() for r in rows[1:]))
    if len(found) > 1:
        lines += ["## At a glance", "", "Medians, ours over each:", ""]
        lines += [f"| | ours | {' | '.join(peers)} |", "|---|---|" + "---|" * len(peers)]
        for title, rows in found.items():
            ratios = {r["contender"]: f"{r['ours_over_it']:.2f}" for r in rows}
            mine = f"{shown(title, rows[0]['median_ms'], 3)} {unit(title)}"
            lines.append(f"| {title} | {mine} | {' | '.join(ratios.get(p, '') for p in peers)} |")
        lines += [""]
    for title, rows in found.items():
        per_second = title == "W7"  # single rows, as in reinforcement learning: what counts is how many
        lines += [
            f"## {title}",
            "",
            f"| | {unit(title)}, median | best | {'steps per second | ' * per_second}ratio of ",
        ]
        lines[-1] += "medians | of minima | memory, MB | ratio | rounds |"
        lines += ["|---" * (8 + per_second) + "|"]
        for r in rows:
            share = "" if r["memory_ratio"] is None else f"{r['memory_ratio']:.2f}"
            memory = "" if r["memory_mb"] is None else f"{r['memory_mb']:.1f}"
            cells = [r["contender"], shown(title, r["median_ms"], 4), shown(title, r["min_ms"], 4)]
            cells += [f"{1e3 / r['median_ms']:.0f}"] * per_second
            cells += [f"{r['ours_over_it']:.2f}", f"{r['ours_over_it_min']:.2f}", memory, share, str(r["rounds"])]
            lines.append(f"| {' | '.join(cells)} |")
        lines += [""]
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
    "Keras jit_compile": ("#0072B2", "s"),
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
    figure.savefig(path, dpi=100)
    plt.close(figure)


def _draw_ratios(axis: Any, results: dict[str, list[dict[str, Any]]]) -> None:
    for y, rows in enumerate(results.values()):
        axis.axhline(y, color="#eeeeee", zorder=0)
        for r in rows[1:]:
            color, marker = MARKS[r["contender"]]
            axis.scatter(
                1 / r["ours_over_it"], y, s=50, c=color, marker=marker, alpha=0.9, linewidths=0, label=r["contender"]
            )
    axis.axvline(1, color="black", linewidth=1)
    axis.set(xscale="log", xlabel="times as long as ours: right of the line we are faster")
    axis.xaxis.set_major_formatter(lambda x, _: f"{x:g}")
    labels = [f"{title}  ({shown(title, rows[0]['median_ms'], 3)} {unit(title)})" for title, rows in results.items()]
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


def chosen(given: str | None, known: list[str], parser: argparse.ArgumentParser) -> list[str]:
    """The names in a list with commas, all of them when none is given."""
    if given is None:
        return known
    names = {name.lower(): name for name in known}
    wanted = [part.strip() for part in given.split(",") if part.strip()]
    unknown = [part for part in wanted if part.lower() not in names]
    if unknown or not wanted:
        parser.error(f"there is no {', '.join(unknown) or 'name'} in {given!r}; known are: {', '.join(known)}")
    return [name for lower, name in names.items() if lower in {part.lower() for part in wanted}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="workloads, with commas: W1,W7")
    parser.add_argument("--contenders", help="only these beside ours, with commas: PyTorch,Keras")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of measuring per contender and round")
    parser.add_argument("--minutes", type=float, help="for everything together; each workload gets one round at least")
    parser.add_argument("--fresh", action="store_true", help="forget what an interrupted run has measured")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="where results.json, .md and .png go")
    parser.add_argument("--redraw", action="store_true", help="measure nothing, draw the picture of what was measured")
    parser.add_argument("--smoke", action="store_true", help="everything in its smallest form, once")
    options = parser.parse_args()
    picture = options.out / "results.png"
    if options.redraw:
        draw(json.loads((options.out / "results.json").read_text(encoding="utf-8"))["results"], picture)
        return
    if options.smoke:
        options.rounds, options.seconds = 1, 0.01
    workloads = table()
    wanted = chosen(options.only, sorted(workloads), parser)
    everybody = list(dict.fromkeys(c for jobs in workloads.values() for *_, contenders in jobs for c in contenders))
    others = chosen(options.contenders, everybody, parser)
    where = machine() + "; all in its smallest form, which says nothing about speed" * options.smoke
    turns = Turns(options.out / "turns.json", where, options)
    results: dict[str, list[dict[str, Any]]] = {}
    jobs = [job for workload in wanted for job in workloads[workload]]
    begin = time.monotonic()
    for done, (title, task, net, contenders) in enumerate(jobs, 1):
        until = math.inf if options.minutes is None else begin + 60 * options.minutes * done / len(jobs)
        found = turns.rounds(task, net, [c for n, c in enumerate(contenders) if n == 0 or c in others], until)
        news = {title: compare(found)}
        if task == "fit":
            news[f"{title}, second epoch"] = compare(found, "second")
        print(markdown(news, where).split("## ", 1)[-1] if measured(news) else f"{title}: nobody is here", flush=True)
        results.update(news)
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "results.json"
    if file.exists():
        before = json.loads(file.read_text(encoding="utf-8"))
        if before["machine"] == where:
            results = dict(sorted({**before["results"], **results}.items(), key=lambda entry: entry[0][:2]))
    file.write_text(json.dumps({"machine": where, "results": results}, indent=2), encoding="utf-8")
    (options.out / "results.md").write_text(markdown(results, where), encoding="utf-8")
    turns.path.unlink(missing_ok=True)  # complete, and written: the next run measures anew
    if importlib.util.find_spec("matplotlib"):
        draw(results, picture)
    print(f"written to {options.out}")


if __name__ == "__main__":
    main()
