"""Run the experiments with both libraries, and write a table and the curves.

    python benchmarks/experiments [--only NAME …] [--libraries nn keras] [--seeds N] [--out FOLDER]

Each run is a process of its own and its result a line in ``results.jsonl``, so the whole can be interrupted
and started again. ``table.md`` has the mean over the seeds with its standard error, beside Keras' and the
published figure; ``curves.png`` has the measured values over the epochs.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from experiments import EXPERIMENTS, load


def run(name: str, library: str, seed: int) -> dict[str, object]:
    """One training."""
    if library == "keras":
        os.environ["KERAS_BACKEND"] = "tensorflow"
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import keras

        # Weights and dropout are seeded from this. Not keras.utils.set_random_seed: with TensorFlow seeded,
        # Keras 3 shuffles in the same order in each epoch.
        random.seed(seed)
    else:
        import nn as keras

        keras.utils.set_random_seed(seed)
    experiment = EXPERIMENTS[name]
    data = load(experiment.data)
    begun = time.perf_counter()
    value, curves = experiment.run(keras, data, experiment.epochs)
    seconds = time.perf_counter() - begun
    return {"name": name, "library": library, "seed": seed, "value": value, "seconds": seconds, "curves": curves}


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def spread(results: list[dict], name: str, library: str) -> tuple[float, float, int]:
    """The mean over the seeds, its standard error, and how many there were."""
    values = [r["value"] for r in results if r["name"] == name and r["library"] == library]
    if not values:
        return math.nan, math.nan, 0
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return statistics.mean(values), error, len(values)


def written(mean: float, error: float, count: int) -> str:
    if count < 2:
        return f"{mean:.4f}" if count else "–"
    return f"{mean:.4f} ± {error:.4f}"


def table(results: list[dict]) -> str:
    """Both libraries beside what was published; "apart" is their difference in standard errors of it."""
    lines = ["| experiment | seeds | nn | Keras | apart | published |", "|---|---|---|---|---|---|"]
    for name, experiment in EXPERIMENTS.items():
        ours, theirs = (spread(results, name, library) for library in ("nn", "keras"))
        difference, error = abs(ours[0] - theirs[0]), math.hypot(ours[1], theirs[1])
        distance = "–" if math.isnan(error) else f"{difference / error:.1f}" if difference else "0.0"
        cells = (f"{name}, {experiment.epochs} epochs", str(min(ours[2], theirs[2])), written(*ours), written(*theirs))
        lines.append("| " + " | ".join((*cells, distance, experiment.published)) + " |")
    return "\n".join(lines) + "\n"


def curves(results: list[dict], path: Path) -> None:
    """What was measured over the epochs, ours and Keras', of the first seed; needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = [n for n in EXPERIMENTS if any(r["name"] == n for r in results)]
    if not names:
        return
    rows = -(-len(names) // 4)
    figure, axes = plt.subplots(rows, 4, figsize=(13, 2.4 * rows), squeeze=False, layout="constrained")
    for axis in axes.flat[len(names) :]:
        axis.set_axis_off()
    for axis, name in zip(axes.flat, names, strict=False):
        for library, label, style in (("nn", "nn", "-"), ("keras", "Keras", "--")):
            found = min((r for r in results if (r["name"], r["library"]) == (name, library)), key=by_seed, default=None)
            if found:
                key = next(k for k in ("smoothed", "val_loss", "val_mae", "loss") if k in found["curves"])
                values = found["curves"][key]
                axis.plot(range(1, len(values) + 1), values, style, label=label)
                axis.set_ylabel(key)
        axis.set_title(name, fontsize=10)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].legend(frameon=False)
    figure.supxlabel("epoch")
    figure.savefig(path, dpi=100)


def by_seed(result: dict) -> int:
    return result["seed"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", choices=list(EXPERIMENTS), default=list(EXPERIMENTS), metavar="NAME")
    parser.add_argument("--libraries", nargs="*", choices=["nn", "keras"], default=["nn", "keras"])
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--out", type=Path, default=Path("experiments"))
    parser.add_argument("--one", nargs=3, metavar=("NAME", "LIBRARY", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, library, seed = options.one
        print(json.dumps(run(name, library, int(seed))))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "results.jsonl"
    for name in options.only:
        for seed in range(options.seeds or EXPERIMENTS[name].seeds):
            for library in options.libraries:
                if any((r["name"], r["library"], r["seed"]) == (name, library, seed) for r in read(path)):
                    continue
                command = [sys.executable, str(Path(__file__).parent), "--one", name, library, str(seed)]
                line = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
                with path.open("a") as file:
                    file.write(line + "\n")
                result = json.loads(line)
                print(
                    f"{name} · {library} · seed {seed}: {result['value']:.4f} in {result['seconds']:.0f} s", flush=True
                )
                (options.out / "table.md").write_text(table(read(path)), encoding="utf-8")
    (options.out / "table.md").write_text(table(read(path)), encoding="utf-8")
    curves(read(path), options.out / "curves.png")
    print(table(read(path)))


if __name__ == "__main__":
    main()
