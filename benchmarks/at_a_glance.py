"""Ours over the fastest of the peers, and the README's tables of speed: made from results, and held against new ones.

    python benchmarks/at_a_glance.py            # one table of what benchmarks/results holds; 1 where the README is off
    python benchmarks/at_a_glance.py --write    # make the README's tables of it

`make bench` ends with it. A ratio is ours over the other's, below 1 where we are faster, the median of the rounds. One
of the README that a median of five rounds or more misses by over 25 % is told, and is the exit status 1; of fewer
rounds it is told that they are too few, because a shared machine moves a ratio by some 10 %.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
README = HERE.parent / "README.md"

# The rows of the README's table of training, and its columns.
ROWS = {
    "784-512-512-10, batch 128": "W1",
    "two convolutions, batch 128": "W2",
    "784-2500-2000-1500-1000-500-10, batch 128": "W4",
    "13-64-64-1, batch 1": "W7",
}
COLUMNS = {"PyTorch": "PyTorch", "Keras on TensorFlow": "Keras"}

ROUNDS = 5  # of which a median is believed
TOLERANCE = 0.25

Results = dict[str, list[dict[str, Any]]]
Ratios = dict[tuple[str, str], tuple[float, int]]  # by row and column; of how many rounds


def ratios(results: Results, scalars: dict[str, Any]) -> Ratios:
    """What the README tells, as it was measured; what was not is left out."""
    found: Ratios = {}
    for row, title in ROWS.items():
        rows = {r["contender"]: r for r in results.get(title, []) if not r.get("missing")}
        for column, contender in COLUMNS.items():
            if contender in rows:
                found[row, column] = rows[contender]["ours_over_it"], rows[contender]["rounds"]
    best = scalars.get("best_us", {})
    for name in list(best)[1:]:
        found[name, "scalars"] = best["autograd-core"] / best[name], scalars["rounds"]
    return found


def training_table(results: Results) -> list[str]:
    """The README's table of training, line by line; nothing in a cell that was not measured."""
    found = ratios(results, {})
    lines = [f"| | {' | '.join(COLUMNS)} |", "|---" * (1 + len(COLUMNS)) + "|"]
    for row in ROWS:
        cells = [f"{found[row, column][0]:.2f}" if (row, column) in found else "" for column in COLUMNS]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return lines


def scalar_table(scalars: dict[str, Any]) -> list[str]:
    """The README's table of scalar ops, line by line."""
    lines = ["| | µs per op | ours / it |", "|---|---|---|"]
    best, versions = scalars["best_us"], scalars["versions"]
    for name, time in best.items():
        version = "" if name == "autograd-core" else " " + versions[name].replace("+cpu", ", CPU")
        lines.append(f"| {name}{version} | {time:.1f} | {best['autograd-core'] / time:.2f} |")
    return lines


def tables_in(text: str) -> list[tuple[int, int]]:
    """Where the tables under "How fast" begin and end, as numbers of lines."""
    lines = text.splitlines()
    begin = lines.index("## How fast")
    end = next((n for n in range(begin + 1, len(lines)) if lines[n].startswith("## ")), len(lines))
    rows = [n for n in range(begin, end) if lines[n].startswith("|")]
    starts = [n for n in rows if n - 1 not in rows]
    return [(n, next(m for m in range(n, len(lines) + 1) if m not in rows)) for n in starts]


def written(text: str, results: Results, scalars: dict[str, Any]) -> str:
    """The README with its two tables as they were measured."""
    lines = text.splitlines()
    places, made = tables_in(text), [scalar_table(scalars), training_table(results)]
    if len(places) != len(made):
        raise ValueError(f'README.md: expected {len(made)} tables under "How fast", found {len(places)}')
    for (begin, end), table in reversed(list(zip(places, made, strict=True))):
        lines[begin:end] = table
    return "\n".join(lines) + "\n"


def told(text: str) -> dict[tuple[str, str], float]:
    """The ratios that the README tells, by row and column."""
    lines = text.splitlines()
    (scalars, training) = (lines[begin + 2 : end] for begin, end in tables_in(text))
    found: dict[tuple[str, str], float] = {}
    for line in scalars:
        name, _, ratio = (cell.strip() for cell in line.strip("|").split("|"))
        found[re.split(r" \d", name)[0], "scalars"] = float(ratio)
    for line in training:
        row, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        found.update({(row, column): float(c) for column, c in zip(COLUMNS, cells, strict=True) if c})
    found.pop(("autograd-core", "scalars"), None)
    return found


def off(told: dict[tuple[str, str], float], measured: Ratios) -> tuple[list[str], list[str]]:
    """Sentences: which ratios of the README a median misses, and which cannot be judged."""
    missed, unknown = [], []
    for (row, column), said in told.items():
        what = f"{row}, {column}: the README says {said:.2f}"
        ratio, rounds = measured.get((row, column), (0.0, 0))
        if rounds < ROUNDS:
            unknown.append(f"{what}, and {rounds or 'no'} rounds are too few to judge it")
        elif abs(ratio / said - 1) > TOLERANCE and abs(ratio - said) > 0.01:  # of which it has two digits
            missed.append(f"{what}, and {rounds} rounds have a median of {ratio:.2f}")
    return missed, unknown


def over_the_fastest(results: Results, scalars: dict[str, Any]) -> str:
    """The table: each workload beside its fastest peer, and beside the one that needs least memory."""
    lines = ["| | ours over the fastest | which | with numba | memory over the least | which |", "|---" * 6 + "|"]
    for title, rows in results.items():
        if "×" in title or title == "W5":  # W9 has a table of its own, and scalar ops are below
            continue
        here = [r for r in rows if not r.get("missing")]
        peers = [r for r in here[1:] if not r["contender"].startswith("ours")]
        if not peers:
            continue
        fastest = max(peers, key=lambda r: r["ours_over_it"])
        compiled = next((r for r in here if r["contender"] == "ours compiled"), None)
        # What takes nearly nothing, in noise, has no ratio.
        least = max((r for r in peers if r["memory_ratio"]), key=lambda r: r["memory_ratio"], default=None)
        cells = [title, f"{fastest['ours_over_it']:.2f}", fastest["contender"]]
        cells += [f"{fastest['ours_over_it'] / compiled['ours_over_it']:.2f}" if compiled else ""]
        cells += [f"{least['memory_ratio']:.2f}", least["contender"]] if least else ["", ""]
        lines.append(f"| {' | '.join(cells)} |")
    best = scalars.get("best_us", {})
    if len(best) > 1:
        name, time = min(((n, t) for n, t in best.items() if n != "autograd-core"), key=lambda pair: pair[1])
        lines.append(f"| scalar ops | {best['autograd-core'] / time:.2f} | {name} | | | |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where results.json is")
    parser.add_argument("--readme", type=Path, default=README)
    parser.add_argument("--write", action="store_true", help="make the README's tables of the results")
    options = parser.parse_args()
    results = json.loads((options.results / "results.json").read_text(encoding="utf-8"))["results"]
    scalars = json.loads((options.results / "scalar_ops.json").read_text(encoding="utf-8"))
    text = options.readme.read_text(encoding="utf-8")
    if options.write:
        options.readme.write_text(written(text, results, scalars), encoding="utf-8")
        return
    print(over_the_fastest(results, scalars), end="\n\n")
    missed, unknown = off(told(text), ratios(results, scalars))
    print("\n".join([*unknown, *missed]) or "The README's ratios hold.")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
