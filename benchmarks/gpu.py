"""On a machine with a GPU: every op there against the CPU, and training there beside PyTorch.

    pip install "autograd-core[gpu,testing]" torch
    python benchmarks/gpu.py [--device cuda:1] [--seconds 2] [--check] [--smoke]

First each call of each op, and its gradients, in float32 on both devices; they may differ by 1e-4 of the largest
value. Then a step of training of W1 to W4 (see workloads.py) with the batch on the GPU already, in milliseconds; both
libraries multiply in float32, without TF32. ``--check`` leaves that out. The exit status is 1 if anything differs.

``--device strict`` runs it all on a stand-in for a GPU, to see that this file still works where there is none.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import statistics
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from contenders import keras_model, measure, pytorch
from workloads import SMOKE, WORKLOADS

TOLERANCE = 1e-4
NETS = ("W1", "W2", "W3", "W4")


# -- every op ----------------------------------------------------------------------------------------------------


def bring(value: Any, put: Callable[[Any], Any]) -> Any:
    """``value`` with its arrays, floating ones in float32, on a device."""
    if isinstance(value, list | tuple):
        return type(value)(bring(v, put) for v in value)
    if not isinstance(value, np.ndarray):
        return value
    return put(value.astype(np.float32) if value.dtype.kind == "f" else value)


def computed(call: Any, put: Callable[[Any], Any]) -> list[Any]:
    """The values of a call and the gradients of its arguments on a device, as NumPy arrays."""
    from autograd_core import Tensor, tree
    from autograd_core.arrays import to_numpy

    args = [bring(arg, put) for arg in call.args]
    tensors = []
    for n in call.argnums:
        given = [Tensor(a) if hasattr(a, "dtype") and a.dtype.kind == "f" else a for a in tree.leaves(args[n])]
        tensors += [t for t in given if isinstance(t, Tensor)]
        args[n] = tree.rebuild(args[n], given)
    results = tree.leaves(call.function(*args, **{k: bring(v, put) for k, v in call.params.items()}))
    recorded = [r for r in results if isinstance(r, Tensor) and r.requires_grad]
    weights = np.random.default_rng(0)  # so that no two elements of a result have the same gradient
    for r in recorded:
        r.backward(put(weights.uniform(0.5, 1.5, r.shape).astype(r.dtype)))
    values = [r.data if isinstance(r, Tensor) else r for r in results]
    return [np.asarray(to_numpy(v)) for v in (*values, *(t.grad for t in tensors)) if v is not None]


def distance(got: list[Any], expected: list[Any]) -> float:
    """The largest difference, over the largest value of each array; infinite where shapes or NaNs differ."""
    if [g.shape for g in got] != [e.shape for e in expected]:
        return np.inf
    worst = 0.0
    for g, e in zip(got, expected, strict=True):
        g, e = (np.asarray(v, np.float64) for v in (g, e))
        finite = np.isfinite(e)
        if not np.array_equal(np.where(finite, 0, g), np.where(finite, 0, e), equal_nan=True):
            return np.inf
        off = np.abs(np.where(finite, g - e, 0))
        worst = max(worst, np.max(off, initial=0) / max(np.max(np.abs(e), where=finite, initial=0), 1e-30))
    return float(worst)


def check(device: str, names: list[str] | None = None) -> Iterator[tuple[str, int, float, str]]:
    """For each op its name, how many calls were compared, the largest distance, and what is wrong if anything is."""
    from autograd_core.arrays import putter
    from autograd_core.testing.calls import calls, entries

    put = putter(device)
    assert put is not None
    for name, _ in entries():
        if names is not None and name not in names:
            continue
        count, worst, wrong = 0, 0.0, ""
        for call in calls([name]):
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the mean of nothing
                expected = computed(call, np.asarray)
                try:
                    off = distance(computed(call, put), expected)
                except Exception as error:
                    off, wrong = np.inf, f"{call!r}: {type(error).__name__}: {error}"
            count += 1
            worst = max(worst, off)
            if off > TOLERANCE and not wrong:
                wrong = f"{call!r} differs by {off:.1e}"
        yield name, count, worst, wrong


# -- training ----------------------------------------------------------------------------------------------------


def time_of(contender: str, name: str, device: str, options: argparse.Namespace) -> list[float]:
    """Seconds per training step, in this process."""
    net = (SMOKE if options.smoke else WORKLOADS)[name]
    if contender == "PyTorch":
        import torch

        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        train, _ = pytorch(net, device=device if device.startswith("cuda") else "cpu")
        return measure(train, options.seconds, 3)
    import nn

    nn.set_device(device)
    model = keras_model(nn, net)
    x, y = (nn.device.here(a) for a in net.data())
    return measure(lambda: model.train_on_batch(x, y), options.seconds, 3)


def train(device: str, options: argparse.Namespace) -> Iterator[tuple[str, float, float | None]]:
    """For each network our milliseconds and PyTorch's, each measured in a process of its own."""
    for name in options.nets.split(","):
        found: dict[str, float | None] = {"ours": None, "PyTorch": None}
        for contender in found:
            if contender == "PyTorch" and importlib.util.find_spec("torch") is None:
                continue
            command = [sys.executable, __file__, "--device", device, "--one", contender, "--net", name]
            command += ["--seconds", str(options.seconds), *["--smoke"] * options.smoke]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            found[contender] = statistics.median(json.loads(done.stdout.splitlines()[-1])) * 1e3
        assert found["ours"] is not None
        yield name, found["ours"], found["PyTorch"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--ops", help="only these, with commas: conv,matmul")
    parser.add_argument("--nets", default=",".join(NETS), help="only these networks, with commas: W1,W3")
    parser.add_argument("--check", action="store_true", help="compare the ops and time nothing")
    parser.add_argument("--seconds", type=float, default=2.0, help="of measuring per network and library")
    parser.add_argument("--smoke", action="store_true", help="the networks in their smallest form")
    parser.add_argument("--one", choices=("ours", "PyTorch"), help=argparse.SUPPRESS)
    parser.add_argument("--net", choices=NETS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.device == "strict":
        importlib.import_module("autograd_core.testing.strict")
    if options.one:
        print(json.dumps(time_of(options.one, options.net, options.device, options)))
        return 0
    print(f"Each op on {options.device} against the CPU, in float32\n")
    print("| op | calls | largest difference | |\n|---|---|---|---|")
    faults = compared = 0
    for name, count, worst, wrong in check(options.device, options.ops.split(",") if options.ops else None):
        compared += count
        faults += bool(wrong)
        print(f"| {name} | {count} | {worst:.1e} | {wrong.replace('|', chr(92) + '|')} |", flush=True)
    print(f"\n{compared} calls compared; {faults} ops differ.\n")
    if not options.check:
        print("A training step, milliseconds\n\n| | ours | PyTorch | ours / PyTorch |\n|---|---|---|---|")
        for name, ours, theirs in train(options.device, options):
            beside = "not installed | " if theirs is None else f"{theirs:.3g} | {ours / theirs:.2f}"
            print(f"| {name} | {ours:.3g} | {beside} |", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    sys.exit(main())
