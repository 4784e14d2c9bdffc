"""One contender in a process of its own: builds the network, warms up, and prints its times as JSON.

python benchmarks/contenders.py train W1 "PyTorch" --seconds 2
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scalar_ops
from workloads import SMOKE, WORKLOADS, Net, scaled

Step = Callable[[], Any]

# PyTorch as installed gives memory back to the system after each step and gets it again, page by page.
TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "2000000000", "MALLOC_TOP_PAD_": "67108864"}


# -- ours --------------------------------------------------------------------------------------------------


def keras_model(keras: Any, net: Net, **compiling: Any) -> Any:
    """The network in Keras' words, which are ours too."""
    layers = [keras.layers.Input(shape=net.inputs)]
    layers += [keras.layers.Conv2D(filters, 3, activation=net.activation) for filters in net.conv]
    if net.conv:
        layers += [keras.layers.MaxPooling2D(2), keras.layers.Flatten()]
    layers += [keras.layers.Dense(units, activation=net.activation) for units in net.dense[:-1]]
    last = {"classes": "softmax", "binary": "sigmoid", "square": None}[net.loss]
    model = keras.Sequential([*layers, keras.layers.Dense(net.dense[-1], activation=last)])
    loss = {"classes": "sparse_categorical_crossentropy", "binary": "binary_crossentropy", "square": "mse"}[net.loss]
    model.compile("rmsprop", loss, **compiling)
    return model


@functools.cache
def many(net: Net) -> Any:
    """Inputs to predict on; made when they are first asked for, so that training is not charged with them."""
    return net.data(10000 if net in WORKLOADS.values() else net.batch)[0]


def ours(net: Net, eagerly: bool = False, compiled: bool = False) -> tuple[Step, Step]:
    import nn

    model = keras_model(nn, net, run_eagerly=eagerly, jit_compile=compiled)
    x, y = net.data()
    return (lambda: model.train_on_batch(x, y)), (lambda: model.predict(many(net), batch_size=net.batch, verbose=0))


def ours_sparse(net: Net) -> tuple[Step, Step]:
    from scipy.sparse import csr_array

    import nn

    model = keras_model(nn, net)
    x, y = net.data()
    x = csr_array(x)
    return (lambda: model.train_on_batch(x, y)), (lambda: model.predict(x, batch_size=net.batch, verbose=0))


def ours_compiled(net: Net) -> tuple[Step, Step]:
    return ours(net, compiled=True)


def ours_eager(net: Net) -> tuple[Step, Step]:
    return ours(net, eagerly=True)


# -- peers -------------------------------------------------------------------------------------------------


def keras(net: Net) -> tuple[Step, Step]:
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    import keras
    import tensorflow as tf

    model = keras_model(keras, net)
    x, y = (tf.constant(a) for a in net.data())
    return (lambda: model.train_on_batch(x, y)), (lambda: model.predict(many(net), batch_size=net.batch, verbose=0))


def pytorch(net: Net, channels_last: bool = False, compiled: bool = False, device: str = "cpu") -> tuple[Step, Step]:
    import torch
    from torch import nn

    act = {"relu": nn.ReLU, "tanh": nn.Tanh}[net.activation]
    parts: list[Any] = []
    shape = net.inputs
    width = shape[-1]
    for filters in net.conv:
        parts += [nn.Conv2d(width, filters, 3), act()]
        width, shape = filters, (shape[0] - 2, shape[1] - 2, filters)
    if net.conv:
        parts += [nn.MaxPool2d(2), nn.Flatten()]
        width = (shape[0] // 2) * (shape[1] // 2) * width
    for units in net.dense[:-1]:
        parts += [nn.Linear(width, units), act()]
        width = units
    model = nn.Sequential(*parts, nn.Linear(width, net.dense[-1])).to(device)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)

    def prepared(x: Any) -> Any:
        if not net.conv:
            return x
        x = x.permute(0, 3, 1, 2).contiguous()
        return x.to(memory_format=torch.channels_last) if channels_last else x

    x, y = (torch.from_numpy(a).to(device) for a in net.data())
    x = prepared(x)
    loss_of = {"classes": nn.CrossEntropyLoss(), "binary": nn.BCEWithLogitsLoss(), "square": nn.MSELoss()}[net.loss]
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001, alpha=0.9, eps=1e-7)
    run = torch.compile(model) if compiled else model

    def train() -> float:
        optimizer.zero_grad()
        loss = loss_of(run(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    def predict() -> Any:
        with torch.no_grad():
            return [run(batch) for batch in prepared(torch.from_numpy(many(net)).to(device)).split(net.batch)]

    return train, predict


def pytorch_tuned(net: Net) -> tuple[Step, Step]:
    return pytorch(net, channels_last=True)


def torch_compile(net: Net) -> tuple[Step, Step]:
    return pytorch(net, compiled=True)


def _functional(net: Net, np_: Any) -> tuple[list[Any], Callable[..., Any]]:
    """Weights and the loss of a dense network by hand, for libraries that have no layers."""
    rng, width, weights = np.random.default_rng(0), net.inputs[-1], []
    for units in net.dense:
        weights += [(rng.normal(size=(width, units)) / width**0.5).astype(np.float32), np.zeros(units, np.float32)]
        width = units

    def logits(weights: Any, x: Any) -> Any:
        for i in range(0, len(weights), 2):
            x = np_.matmul(x, weights[i]) + weights[i + 1]
            if i < len(weights) - 2:
                x = np_.maximum(x, 0) if net.activation == "relu" else np_.tanh(x)
        return x

    def loss(weights: Any, x: Any, y: Any) -> Any:
        z = logits(weights, x)
        if net.loss == "classes":  # y is one-hot
            z = z - np_.max(z, axis=1, keepdims=True)
            return np_.mean(np_.log(np_.sum(np_.exp(z), axis=1)) - np_.sum(z * y, axis=1))
        if net.loss == "binary":
            return np_.mean(np_.maximum(z, 0) - z * y + np_.log(1 + np_.exp(-np_.abs(z))))
        return np_.mean((z - y) ** 2)

    return weights, loss


def _targets(net: Net) -> tuple[Any, Any]:
    x, y = net.data()
    return x, np.eye(net.dense[-1], dtype=np.float32)[y] if net.loss == "classes" else y


def jax_jit(net: Net) -> tuple[Step, None]:
    import jax
    import jax.numpy as jnp

    weights, loss = _functional(net, jnp)
    x, y = (jnp.asarray(a) for a in _targets(net))

    def update(weights: Any, slots: Any, x: Any, y: Any) -> Any:
        value, g = jax.value_and_grad(loss)(weights, x, y)
        slots = [0.9 * s + 0.1 * d * d for s, d in zip(slots, g, strict=True)]
        weights = [w - 0.001 * d / jnp.sqrt(s + 1e-7) for w, d, s in zip(weights, g, slots, strict=True)]
        return weights, slots, value

    run = jax.jit(update, donate_argnums=(0, 1))
    state = [[jnp.asarray(w) for w in weights], [jnp.zeros_like(w) for w in weights]]

    def train() -> float:
        state[0], state[1], value = run(*state, x, y)
        return float(value)

    return train, None


def _by_hand(net: Net, gradients: Callable[[list[Any], Any, Any], list[Any]], weights: list[Any]) -> tuple[Step, None]:
    x, y = _targets(net)
    slots = [np.zeros_like(w) for w in weights]

    def train() -> None:
        for w, s, g in zip(weights, slots, gradients(weights, x, y), strict=True):
            s *= 0.9
            s += 0.1 * g * g
            w -= 0.001 * g / np.sqrt(s + 1e-7)

    return train, None


def hips(net: Net) -> tuple[Step, None]:
    import autograd.numpy as anp
    from autograd import grad

    weights, loss = _functional(net, anp)
    return _by_hand(net, grad(loss), weights)


def mygrad(net: Net) -> tuple[Step, None]:
    import mygrad as mg

    weights, loss = _functional(net, mg)

    def gradients(weights: list[Any], x: Any, y: Any) -> list[Any]:
        tensors = [mg.tensor(w) for w in weights]
        loss(tensors, x, y).backward()
        return [t.grad for t in tensors]

    return _by_hand(net, gradients, weights)


def tinygrad(net: Net) -> tuple[Step, None]:
    from tinygrad import Tensor, TinyJit

    rng, width, shape = np.random.default_rng(0), net.inputs[-1], net.inputs
    weights = []
    for filters in net.conv:
        kernel = rng.normal(size=(filters, width, 3, 3)) / (9 * width) ** 0.5
        weights += [Tensor(kernel.astype(np.float32)), Tensor.zeros(filters).contiguous()]
        width, shape = filters, (shape[0] - 2, shape[1] - 2, filters)
    if net.conv:
        width *= (shape[0] // 2) * (shape[1] // 2)
    for units in net.dense:
        kernel = rng.normal(size=(width, units)) / width**0.5
        weights += [Tensor(kernel.astype(np.float32)), Tensor.zeros(units).contiguous()]
        width = units
    slots = [Tensor.zeros(*w.shape).contiguous() for w in weights]
    x, y = net.data()
    x, y = Tensor(x.transpose(0, 3, 1, 2) if net.conv else x), Tensor(y)
    Tensor.realize(x, y, *weights, *slots)

    def loss() -> Any:
        z = x
        for n, (kernel, bias) in enumerate(zip(weights[::2], weights[1::2], strict=True)):
            if n < len(net.conv):
                z = z.conv2d(kernel, bias)
            else:
                if net.conv and n == len(net.conv):
                    z = z.max_pool2d(2).flatten(1)
                z = z @ kernel + bias
            if n < len(weights) // 2 - 1:
                z = z.relu() if net.activation == "relu" else z.tanh()
        if net.loss == "classes":
            return z.sparse_categorical_crossentropy(y)
        return z.binary_crossentropy_logits(y) if net.loss == "binary" else ((z - y) ** 2).mean()

    @TinyJit
    def step() -> Any:
        value = loss()
        for w, s, g in zip(weights, slots, value.gradient(*weights), strict=True):
            s.assign(0.9 * s + 0.1 * g * g)
            w.assign(w - 0.001 * g / (s + 1e-7).sqrt())
        Tensor.realize(value, *weights, *slots)
        return value

    return (lambda: step().item()), None


CONTENDERS: dict[str, Callable[[Net], tuple[Step, Step | None]]] = {
    "ours replayed": ours,
    "ours compiled": ours_compiled,  # with the extra `fast`
    "ours eager": ours_eager,
    "ours sparse": ours_sparse,
    "PyTorch": pytorch,
    "PyTorch tuned": pytorch_tuned,
    "torch.compile": torch_compile,
    "Keras": keras,
    "JAX jit": jax_jit,
    "tinygrad": tinygrad,
    "MyGrad": mygrad,
    "HIPS autograd": hips,
}
WITHOUT_CONVOLUTIONS = ("JAX jit", "MyGrad", "HIPS autograd")


# -- measuring ---------------------------------------------------------------------------------------------


def peak(since_now: bool = False) -> int:
    """The most memory that this process has had, in bytes; ``since_now`` forgets what was before, where Linux can."""
    status, forget = Path("/proc/self/status"), Path("/proc/self/clear_refs")
    if since_now and forget.exists():
        forget.write_text("5")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(step: Step, seconds: float, warm_up: int) -> list[float]:
    """Seconds per call, after a warm-up."""
    for _ in range(warm_up):
        step()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return times


def epoch_of(name: str, conv: bool, smoke: bool) -> list[float]:
    """W6: one epoch of ``fit`` on MNIST, with all that has to be set up before it."""
    from datasets import digits, mnist

    (x, y), _ = digits.load_data() if smoke else mnist.load_data()
    x = x.reshape(len(x), *((8, 8, 1) if smoke else (28, 28, 1))).astype(np.float32) / x.max()
    net = (SMOKE if smoke else WORKLOADS)["W2" if conv else "W1"]
    net = Net(x.shape[1:] if conv else (x[0].size,), (*net.dense[:-1], 10), net.batch, conv=net.conv)
    if name == "Keras":
        keras(SMOKE["W7"])  # imports
        import keras as library
    else:
        import nn as library
    compiling = {} if name == "Keras" else {"jit_compile": name == "ours compiled"}
    start = time.perf_counter()
    model = keras_model(library, net, **compiling)
    model.fit(x if conv else x.reshape(len(x), -1), y, batch_size=net.batch, epochs=1, verbose=0)
    return [time.perf_counter() - start]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=["train", "predict", "fit", "scale", "scalars"])
    parser.add_argument("workload")
    parser.add_argument("contender")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.task == "scalars":
        print(json.dumps({"times": [scalar_ops.measure(options.contender, options.seconds) * 1e-6], "memory": 0}))
        return
    if options.task == "fit":
        print(json.dumps({"times": epoch_of(options.contender, options.workload == "cnn", options.smoke), "memory": 0}))
        return
    if options.task == "scale":
        kind, factor = options.workload.split("×")
        net = scaled(kind, int(factor))
    else:
        net = (SMOKE if options.smoke else WORKLOADS)[options.workload]
    CONTENDERS[options.contender](SMOKE["W7"])[0]()  # what importing and starting costs is not counted
    net.data()
    before = peak(since_now=True)
    train, predict = CONTENDERS[options.contender](net)
    step = predict if options.task == "predict" else train
    assert step is not None
    times = measure(step, options.seconds, 1 if options.smoke else 6 if options.task != "predict" else 2)
    print(json.dumps({"times": times, "memory": peak() - before}))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()
