"""A step of training a recurrent network, replayed, beside Keras on TensorFlow; processor time, in turns.

    python benchmarks/recurrent.py            # LSTM and GRU of 128 units, 50 steps of 32 numbers, batches of 32

One thread each. A process for each library, since each brings a matrix product of its own; they take turns, so that
what else the machine does meets both.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = "1"

ROUNDS, STEPS = 5, 20


def step_time(library: str, layer: str) -> float:
    """The median processor time of a step, in milliseconds."""
    import numpy as np

    if library == "keras":
        os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
        import keras as k
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    else:
        import nn as k
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 50, 32)).astype("float32"), rng.normal(size=(32, 1)).astype("float32")
    model = k.Sequential([k.Input((50, 32)), getattr(k.layers, layer)(128), k.layers.Dense(1)])
    model.compile("adam", "mse")
    times = []
    for _ in range(8 + STEPS):
        start = time.process_time()
        model.train_on_batch(x, y)
        times.append(time.process_time() - start)
    return 1e3 * statistics.median(times[8:])


def main() -> None:
    """Print both times, and their ratio, the median of the rounds."""
    for layer in ("LSTM", "GRU"):
        found: dict[str, list[float]] = {"nn": [], "keras": []}
        for _ in range(ROUNDS):
            for library, times in found.items():
                command = [sys.executable, __file__, library, layer]
                times.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        ratio = statistics.median(a / b for a, b in zip(*found.values(), strict=True))
        ours, theirs = (statistics.median(times) for times in found.values())
        print(f"{layer}: {ours:.1f} ms here, {theirs:.1f} ms with Keras, {ratio:.2f} of its time")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(step_time(*sys.argv[1:]))
    else:
        main()
