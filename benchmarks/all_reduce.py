"""How far data-parallel training goes: what the sum of the gradients costs, here and on networks of many machines.

``python benchmarks/all_reduce.py`` measures, on this machine, the sum over processes (all-reduce) against its size and
the training step against the number of processes and the size of the gradient; fits the cost of a ring and of a tree;
and draws both, with what they predict for 8 to 1,024 machines. The measured numbers go to ``--out``/all_reduce.json,
the picture to ``--picture``; with ``--draw`` a picture is drawn from numbers that were measured before. It needs
mpi4py, an MPI and Matplotlib. ``--smoke`` measures next to nothing, to see that it runs.

The model is that of Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations in MPICH"
(2005): a message of n bytes takes alpha + n·beta seconds, and adding n bytes to others n·gamma.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
RANKS = (1, 2, 3, 4)
SIZES = tuple(4**k for k in range(3, 14))  # bytes: 64 B to 64 MB
WIDTHS = (16, 64, 256, 1024, 4096)  # of a network of 784 inputs and one hidden layer
BATCH = 256

# What is assumed of a network: seconds before a message arrives, seconds for each byte of it.
NETWORKS = {"10 Gbit/s": (30e-6, 8 / 10e9), "100 Gbit/s": (3e-6, 8 / 100e9)}
NODES = tuple(2**k for k in range(3, 11))
# What is summed in the predictions: the gradients, in float32, of the digits' network of 784-300-10, and of ResNet-50.
GRADIENTS = {"238,510 parameters (0.95 MB)": 4 * 238_510, "25.6 million parameters (102 MB)": 4 * 25_557_032}


# -- the two algorithms ------------------------------------------------------------------------------------


def ring(world: Any, x: Any) -> None:
    """Each process hands a part to the next one, which adds its own; when all are added, once more around."""
    p, r = world.size, world.rank
    parts = np.array_split(x, p)
    inbox = np.empty_like(parts[0])
    for step in range(p - 1):
        mine, sum_of_others = parts[(r - step) % p], parts[(r - step - 1) % p]
        world.Sendrecv(mine, (r + 1) % p, recvbuf=inbox[: len(sum_of_others)], source=(r - 1) % p)
        sum_of_others += inbox[: len(sum_of_others)]
    for step in range(p - 1):
        world.Sendrecv(parts[(r + 1 - step) % p], (r + 1) % p, recvbuf=parts[(r - step) % p], source=(r - 1) % p)


def tree(world: Any, x: Any) -> None:
    """Half of the processes hand everything to the other half, which adds it, until one has all; and back again."""
    p, r = world.size, world.rank
    inbox = np.empty_like(x)
    levels = [2**k for k in range((p - 1).bit_length())]
    for reach in levels:
        if r % reach == 0 and r % (2 * reach):
            world.Send(x, r - reach)
        elif r % reach == 0 and r + reach < p:
            world.Recv(inbox, r + reach)
            x += inbox
    for reach in reversed(levels):
        if r % reach == 0 and r % (2 * reach):
            world.Recv(x, r - reach)
        elif r % reach == 0 and r + reach < p:
            world.Send(x, r + reach)


def ring_cost(p: int, n: Any, alpha: float, beta: float, gamma: float) -> Any:
    """Seconds that a ring takes: 2(p - 1) messages of an n/p-th, half of which are added."""
    return (p - 1) * (2 * alpha + n / p * (2 * beta + gamma))


def tree_cost(p: int, n: Any, alpha: float, beta: float, gamma: float) -> Any:
    """Seconds that a tree takes: up and down ⌈log₂ p⌉ levels, all n bytes on each, which are added on the way up."""
    return math.ceil(math.log2(p)) * (2 * alpha + n * (2 * beta + gamma))


ALGORITHMS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "ring": (ring, ring_cost),
    "tree": (tree, tree_cost),
}


# -- measuring ---------------------------------------------------------------------------------------------


def as_one_of_several(repeats: int, sizes: list[int], widths: list[int]) -> dict[str, Any]:
    """What one of several processes measures, together with the others."""
    import nn

    nn.distributed.init()
    found: dict[str, Any] = {"step": {}, "ring": {}, "tree": {}, "MPI": {}}
    for width in widths:
        gradient, seconds = training_step(nn, width, repeats)
        found["step"][gradient] = seconds
    if nn.distributed.size() == 1:
        return found
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    for n in sizes:
        x = np.empty(n // 4, np.float32)
        for name, (algorithm, _) in ALGORITHMS.items():
            x[...] = 1
            algorithm(world, x)
            assert np.all(x == world.size), name
            x[...] = 0
            found[name][n] = timed(world, lambda f=algorithm, x=x: f(world, x), repeats)
        y = np.empty_like(x)
        found["MPI"][n] = timed(world, lambda x=x, y=y: world.Allreduce(x, y), repeats)
    return found


def timed(world: Any, run: Callable[[], Any], repeats: int) -> float:
    """The seconds that the slowest process takes; the least of several times, since other programs only add to it."""
    taken = []
    for _ in range(repeats):
        world.Barrier()
        start = time.perf_counter()
        run()
        taken.append(max(world.allgather(time.perf_counter() - start)))
    return min(taken)


def training_step(nn: Any, width: int, repeats: int) -> tuple[int, float]:
    """The bytes of a network's gradients, and the seconds of a step on 256 examples, the least of several times."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(BATCH, 784)).astype(np.float32), rng.integers(0, 10, BATCH)
    layers = [nn.Input(shape=(784,)), nn.layers.Dense(width, "relu"), nn.layers.Dense(10, "softmax")]
    model = nn.Sequential(layers)
    model.compile("sgd", "sparse_categorical_crossentropy")
    taken = []
    for _ in range(repeats + 4):  # the first ones are recorded
        start = time.perf_counter()
        model.train_on_batch(x, y)
        taken.append(time.perf_counter() - start)
    return 4 * model.count_params(), min(taken[4:])


def adding() -> float:
    """Seconds for adding a byte of float32 numbers to others."""
    x, y = np.ones(2**22, np.float32), np.ones(2**22, np.float32)
    taken = []
    for _ in range(9):
        start = time.perf_counter()
        x += y
        taken.append(time.perf_counter() - start)
    return min(taken) / x.nbytes


def measure(ranks: tuple[int, ...], repeats: int, sizes: tuple[int, ...], widths: tuple[int, ...]) -> dict[str, Any]:
    """Everything, by the number of processes."""
    mpiexec = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if mpiexec is None:
        raise SystemExit("there is no mpiexec: pip install mpich")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    found: dict[str, Any] = {}
    for p in ranks:
        task = json.dumps({"repeats": repeats, "sizes": sizes, "widths": widths})
        command = [mpiexec, "-n", str(p), sys.executable, __file__, "--one-of-several", task]
        print(f"{p} processes", flush=True)
        output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        found[str(p)] = json.loads(output)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    machine = {"cores": cores, "system": f"{platform.system()} {platform.machine()}", "numpy": np.__version__}
    return {"machine": machine, "gamma": adding(), "processes": found}


def fit(measured: dict[str, float], cost: Callable[..., Any], gamma: float, p: int) -> tuple[float, float]:
    """Alpha and beta for which ``cost`` is nearest to the measured times, as a ratio: each size counts alike."""
    n = np.array([float(size) for size in measured])
    t = np.array(list(measured.values()))
    latency, bandwidth = cost(p, n * 0, 1.0, 0.0, 0.0), cost(p, n, 0.0, 1.0, 0.0)
    known = cost(p, n, 0.0, 0.0, gamma)
    columns = np.stack([latency / t, bandwidth / t], 1)
    alpha, beta = np.linalg.lstsq(columns, (t - known) / t, rcond=None)[0]
    return max(float(alpha), 0.0), max(float(beta), 1e-15)


# -- the picture -------------------------------------------------------------------------------------------

COLOURS = {"ring": "#0b57a4", "tree": "#c2500b", "MPI": "#555555"}
MARKERS = {"ring": "o", "tree": "s", "MPI": "^"}


def draw(found: dict[str, Any], path: Path) -> None:
    """Four panels: what was measured, above, and what it means for networks, below."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter

    figure = Figure(figsize=(11, 9.6), layout="constrained")
    (sums, steps), below = figure.subplots(2, 2)
    _measured_sums(sums, found)
    _measured_steps(steps, found)
    for axes, (what, size) in zip(below, GRADIENTS.items(), strict=True):
        _predicted(axes, what, size, found)
    low, high = below[0].get_ylim()
    below[0].set_ylim(low, high * 6)  # room for the legend, which holds for both
    below[0].legend(frameon=False, fontsize=8, loc="upper left", ncols=2)
    for axes in (sums, steps):
        axes.xaxis.set_major_formatter(FuncFormatter(_bytes))
    for axes in (sums, steps, *below):
        axes.yaxis.set_major_formatter(FuncFormatter(_seconds))
        axes.grid(alpha=0.25, which="major")
        axes.spines[["top", "right"]].set_visible(False)
    cores, adding_speed = found["machine"]["cores"], 1e-9 / found["gamma"]
    networks = ", ".join(f"{name}: α = {a * 1e6:.0f} µs, 1/β = {1e-9 / b:g} GB/s" for name, (a, b) in NETWORKS.items())
    figure.supxlabel(
        f"Measured: processes of one machine with {cores} cores, through shared memory, the best of several times; "
        "hollow: more processes than cores.\n"
        f"Assumed: {networks}; adding, 1/γ = {adding_speed:.0f} GB/s, as measured here;\n"
        "one process a machine, full duplex, no contention, nothing computed meanwhile.   "
        "Ring: (p−1)·(2α + n/p·(2β + γ)).   Tree: ⌈log₂p⌉·(2α + n·(2β + γ)).",
        fontsize=9,
        x=0.02,
        ha="left",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _points(found: dict[str, Any], name: str) -> dict[int, dict[str, float]]:
    return {int(p): one[name] for p, one in found["processes"].items() if one[name]}


def _style(p: int, found: dict[str, Any], colour: str) -> dict[str, Any]:
    """Filled where each process has a core of its own."""
    return {"markerfacecolor": colour if p <= found["machine"]["cores"] else "white", "color": colour}


def _measured_sums(axes: Any, found: dict[str, Any]) -> None:
    p = min(_points(found, "ring"))
    for name, marker in MARKERS.items():
        times = _points(found, name)[p]
        n = np.array([float(size) for size in times])
        label = "MPI's Allreduce" if name == "MPI" else name
        if name in ALGORITHMS:
            cost = ALGORITHMS[name][1]
            alpha, beta = fit(times, cost, found["gamma"], p)
            axes.plot(n, cost(p, n, alpha, beta, found["gamma"]), color=COLOURS[name], linewidth=1)
            label += f": α = {alpha * 1e6:.2g} µs, 1/β = {1e-9 / beta:.2g} GB/s"
        axes.plot(n, list(times.values()), marker, markersize=5, label=label, **_style(p, found, COLOURS[name]))
    axes.set(
        xscale="log", yscale="log", xlabel="size of what is summed", title=f"One sum over {p} processes, and the fits"
    )
    axes.legend(frameon=False)


def _measured_steps(axes: Any, found: dict[str, Any]) -> None:
    for (p, times), colour in zip(
        _points(found, "step").items(), ("#222222", "#0b57a4", "#7a4fb3", "#c2500b"), strict=False
    ):
        n = [float(size) for size in times]
        label = f"{p} process" + ("es" if p > 1 else "")
        axes.plot(n, list(times.values()), "o-", markersize=5, linewidth=1, label=label, **_style(p, found, colour))
    axes.set(xscale="log", yscale="log", xlabel="size of the gradients")
    axes.set_title(f"One training step, {BATCH} examples in all")
    axes.legend(frameon=False)


def _predicted(axes: Any, what: str, size: int, found: dict[str, Any]) -> None:
    nodes = np.array(NODES)
    for (network, (alpha, beta)), line in zip(NETWORKS.items(), ("-", "--"), strict=True):
        for name, (_, cost) in ALGORITHMS.items():
            t = [cost(int(p), size, alpha, beta, found["gamma"]) for p in nodes]
            axes.plot(nodes, t, line, color=COLOURS[name], linewidth=1.8, label=f"{name}, {network}")
    for name in MARKERS:
        for p, times in _points(found, name).items():
            n, t = np.array([float(s) for s in times]), np.array(list(times.values()))
            near = float(np.exp(np.interp(np.log(size), np.log(n), np.log(t)))) * max(size / n.max(), 1)
            axes.plot(p, near, MARKERS[name], **_style(p, found, COLOURS[name]))
    axes.plot([], [], "^", color=COLOURS["MPI"], label="measured here (ring ●, tree ■, MPI ▲)")
    steps = _points(found, "step")[1]
    sizes = [float(n) for n in steps]
    if size <= sizes[-1]:
        step = float(np.exp(np.interp(np.log(size), np.log(sizes), np.log(list(steps.values())))))
        axes.axhline(
            step, color="#222222", linewidth=1, linestyle=":", label=f"computing it from {BATCH} examples, here"
        )
    axes.set(xscale="log", yscale="log", xlabel="machines (measured: processes)", title=f"One sum of {what}")
    axes.set_xticks([2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
    axes.get_xaxis().set_major_formatter("{x:.0f}")
    axes.minorticks_off()


def _bytes(n: float, _: Any) -> str:
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:g} {unit}"
        n /= 1000
    return f"{n:g} GB"


def _seconds(t: float, _: Any) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if t * factor >= 0.999:
            return f"{t * factor:g} {unit}"
    return f"{t * 1e9:g} ns"


def main() -> None:
    """Measure and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--smoke", action="store_true", help="measure next to nothing")
    parser.add_argument("--draw", action="store_true", help="draw what was measured before")
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--picture", type=Path, default=ROOT / "docs" / "_static" / "all_reduce.png")
    parser.add_argument("--one-of-several", metavar="TASK", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one_of_several:
        print(json.dumps(as_one_of_several(**json.loads(given.one_of_several))))
        return
    file = given.out / "all_reduce.json"
    if not given.draw:
        found = (
            measure((1, 2), 2, SIZES[:3], WIDTHS[:2]) if given.smoke else measure(RANKS, given.repeats, SIZES, WIDTHS)
        )
        given.out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draw(json.loads(file.read_text(encoding="utf-8")), given.picture)
    print(f"{file} and {given.picture}")


if __name__ == "__main__":
    main()
