"""One contender in a process of its own: builds the network, warms up, and prints its times as JSON.

python benchmarks/contenders.py train W1 "PyTorch" --seconds 2
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib
import json
import os
import platform
import resource
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import scalar_ops
from workloads import SMOKE, WORKLOADS, Net, scaled

Step = Callable[[], Any]
Given = tuple[Any, Any, list[Any]]  # inputs, targets and the weights to begin with, as the library wants them

# PyTorch as installed gives memory back to the system after each step and gets it again, page by page.
TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "2000000000", "MALLOC_TOP_PAD_": "67108864"}

# All contenders begin with the same weights and take the same steps, but for one thing: PyTorch divides by √s + ε where
# all others divide by √(s + ε). Everybody has it as its users do.


# -- ours --------------------------------------------------------------------------------------------------


def plain(net: Net, n: int | None) -> Given:
    return *net.data(n), net.weights()


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


def _steps(library: Any, net: Net, given: Given, **compiling: Any) -> tuple[Step, Step]:
    x, y, weights = given
    model = keras_model(library, net, **compiling)
    model.set_weights(weights)
    return (lambda: model.train_on_batch(x, y)), (lambda: model.predict(x, batch_size=net.batch, verbose=0))


def ours(net: Net, given: Given, numba: bool | str = "auto", **compiling: Any) -> tuple[Step, Step]:
    import nn

    nn.config.set_numba(numba)
    return _steps(nn, net, given, **compiling)


def sparse(net: Net, n: int | None) -> Given:
    from scipy.sparse import csr_array

    x, y, weights = plain(net, n)
    return csr_array(x), y, weights


# -- peers -------------------------------------------------------------------------------------------------


def import_keras() -> Any:
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    import keras

    return keras


def in_tensorflow(net: Net, n: int | None) -> Given:
    import_keras()
    import tensorflow as tf

    x, y, weights = plain(net, n)
    if n:  # to predict: arrays, as its users have them, and tensors are no faster
        return x, y, weights
    return tf.constant(x), tf.constant(y), weights


def keras(net: Net, given: Given, **compiling: Any) -> tuple[Step, Step]:
    return _steps(import_keras(), net, given, **compiling)


def in_torch(net: Net, n: int | None, channels_last: bool = False, device: str = "cpu") -> Given:
    import torch

    x, y = (torch.from_numpy(a).to(device) for a in net.data(n))
    if net.conv:
        x = x.permute(0, 3, 1, 2).contiguous()
        x = x.to(memory_format=torch.channels_last) if channels_last else x
    return x, y, [torch.from_numpy(w if w.ndim == 4 else w.T) for w in net.weights(channels_first=True)]


def pytorch(
    net: Net, given: Given | None = None, tuned: bool = False, compiled: bool = False, device: str = "cpu"
) -> tuple[Step, Step]:
    import torch
    from torch import nn

    x, y, weights = given or in_torch(net, None, tuned, device)
    act = {"relu": nn.ReLU, "tanh": nn.Tanh}[net.activation]
    parts: list[Any] = []
    for layer, weight in enumerate(weights[::2]):
        if layer < len(net.conv):
            parts += [nn.Conv2d(weight.shape[1], weight.shape[0], 3), act()]
            continue
        if net.conv and layer == len(net.conv):
            parts += [nn.MaxPool2d(2), nn.Flatten()]
        parts += [nn.Linear(weight.shape[1], weight.shape[0]), act()]
    model = nn.Sequential(*parts[:-1]).to(device)
    with torch.no_grad():
        for parameter, weight in zip(model.parameters(), weights, strict=True):
            parameter.copy_(weight)
    if tuned:
        model = model.to(memory_format=torch.channels_last)
    loss_of = {"classes": nn.CrossEntropyLoss(), "binary": nn.BCEWithLogitsLoss(), "square": nn.MSELoss()}[net.loss]
    last = {"classes": nn.Softmax(dim=1), "binary": nn.Sigmoid(), "square": nn.Identity()}[net.loss]
    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001, alpha=0.9, eps=1e-7, foreach=tuned or None)

    def forward(x: Any, y: Any) -> Any:
        return loss_of(model(x), y)

    run = torch.compile(forward) if compiled else forward  # the optimizer stays eager, as users have it

    def train() -> float:
        optimizer.zero_grad()
        loss = run(x, y)
        loss.backward()
        optimizer.step()
        return loss.item()

    def predict() -> Any:
        model.eval()
        with torch.inference_mode():
            return torch.cat([last(model(batch)) for batch in x.split(net.batch)])

    return train, predict


def _functional(net: Net, np_: Any, convolve: Any = None, pool: Any = None) -> Callable[..., Any]:
    """The loss of a network by hand, for libraries that have no layers; targets of classes are one-hot."""

    def act(x: Any) -> Any:
        return np_.maximum(x, 0) if net.activation == "relu" else np_.tanh(x)

    def logits(weights: Any, x: Any) -> Any:
        layers = [*zip(weights[::2], weights[1::2], strict=True)]
        if net.conv:
            for kernel, bias in layers[: len(net.conv)]:
                x = act(convolve(x, kernel, bias))
            x = pool(x).reshape((x.shape[0], -1))
        *hidden, (kernel, bias) = layers[len(net.conv) :]
        for k, b in hidden:
            x = act(np_.matmul(x, k) + b)
        return np_.matmul(x, kernel) + bias

    def loss(weights: Any, x: Any, y: Any) -> Any:
        z = logits(weights, x)
        if net.loss == "classes":
            z = z - np_.max(z, axis=1, keepdims=True)
            return np_.mean(np_.log(np_.sum(np_.exp(z), axis=1)) - np_.sum(z * y, axis=1))
        if net.loss == "binary":
            return np_.mean(np_.maximum(z, 0) - z * y + np_.log(1 + np_.exp(-np_.abs(z))))
        return np_.mean((z - y) ** 2)

    return loss


def one_hot(net: Net, n: int | None) -> Given:
    x, y, weights = plain(net, n)
    return x, np.eye(net.dense[-1], dtype=np.float32)[y] if net.loss == "classes" else y, weights


def in_jax(net: Net, n: int | None) -> Given:
    import jax.numpy as jnp

    x, y, weights = one_hot(net, n)
    return jnp.asarray(x), jnp.asarray(y), weights


def jax_jit(net: Net, given: Given) -> tuple[Step, None]:
    import jax
    import jax.numpy as jnp
    from jax import lax

    def convolve(x: Any, kernel: Any, bias: Any) -> Any:
        return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + bias

    def pool(x: Any) -> Any:
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    x, y, weights = given
    loss = _functional(net, jnp, convolve, pool)

    def update(weights: Any, slots: Any, x: Any, y: Any) -> Any:
        value, g = jax.value_and_grad(loss)(weights, x, y)
        slots = [0.9 * s + 0.1 * d * d for s, d in zip(slots, g, strict=True)]
        weights = [w - 0.001 * d / jnp.sqrt(s + 1e-7) for w, d, s in zip(weights, g, slots, strict=True)]
        return weights, slots, value

    run = jax.jit(update, donate_argnums=(0, 1))
    state = [[jnp.array(w) for w in weights], [jnp.zeros_like(w) for w in weights]]

    def train() -> float:
        state[0], state[1], value = run(*state, x, y)
        return float(value)

    return train, None


def _by_hand(given: Given, loss_and_gradients: Callable[..., tuple[Any, list[Any]]]) -> tuple[Step, None]:
    x, y, weights = given
    weights = [w.copy() for w in weights]
    slots = [np.zeros_like(w) for w in weights]

    def train() -> float:
        loss, gradients = loss_and_gradients(weights, x, y)
        for w, s, g in zip(weights, slots, gradients, strict=True):
            s *= 0.9
            s += 0.1 * g * g
            w -= 0.001 * g / np.sqrt(s + 1e-7)
        return float(loss)

    return train, None


def hips(net: Net, given: Given) -> tuple[Step, None]:
    import autograd.numpy as anp
    from autograd import value_and_grad

    return _by_hand(given, value_and_grad(_functional(net, anp)))


def images_first(net: Net, n: int | None) -> Given:
    x, y, _ = one_hot(net, n)
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if net.conv else x, y, net.weights(channels_first=True)


def mygrad(net: Net, given: Given) -> tuple[Step, None]:
    import mygrad as mg
    from mygrad.nnet.layers import conv_nd, max_pool

    def convolve(x: Any, kernel: Any, bias: Any) -> Any:
        return conv_nd(x, kernel, stride=1) + bias.reshape((-1, 1, 1))

    loss = _functional(net, mg, convolve, lambda x: max_pool(x, (2, 2), 2))

    def loss_and_gradients(weights: list[Any], x: Any, y: Any) -> tuple[Any, list[Any]]:
        tensors = [mg.tensor(w, copy=False) for w in weights]  # locked until backward() is done, then changed in place
        value = loss(tensors, x, y)
        value.backward()
        return value, [t.grad for t in tensors]

    return _by_hand(given, loss_and_gradients)


def in_tinygrad(net: Net, n: int | None) -> Given:
    from tinygrad import Tensor

    x, y = net.data(n)
    x, y = Tensor(x.transpose(0, 3, 1, 2) if net.conv else x), Tensor(y)
    return x.realize(), y.realize(), net.weights(channels_first=True)


def tinygrad(net: Net, given: Given) -> tuple[Step, None]:
    from tinygrad import Tensor, TinyJit

    x, y, weights = given
    weights = [Tensor(w).contiguous() for w in weights]
    slots = [Tensor.zeros(*w.shape).contiguous() for w in weights]
    Tensor.realize(*weights, *slots)

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


# What makes the data of each, which is not measured, and what makes its steps of them.
CONTENDERS: dict[str, tuple[Callable[[Net, int | None], Given], Callable[[Net, Given], tuple[Step, Step | None]]]] = {
    "ours replayed": (plain, ours),
    "ours compiled": (plain, partial(ours, numba=True)),  # with the extra `fast`
    "ours eager": (plain, partial(ours, run_eagerly=True)),
    "ours sparse": (sparse, ours),
    "PyTorch": (in_torch, pytorch),
    "PyTorch tuned": (partial(in_torch, channels_last=True), partial(pytorch, tuned=True)),
    "torch.compile": (in_torch, partial(pytorch, compiled=True)),
    "Keras": (in_tensorflow, keras),
    "Keras jit_compile": (in_tensorflow, partial(keras, jit_compile=True)),  # Keras alone leaves XLA off on a CPU
    "JAX jit": (in_jax, jax_jit),
    "tinygrad": (in_tinygrad, tinygrad),
    "MyGrad": (images_first, mygrad),
    "HIPS autograd": (one_hot, hips),
}
WITHOUT_CONVOLUTIONS = ("HIPS autograd",)  # it has scipy.signal's alone, which is no layer, and no pooling


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


def release() -> None:
    """Give freed memory back to the system, where glibc can: what a process happens to have in hand is not counted."""
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


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


def epochs_of(name: str, conv: bool, smoke: bool) -> tuple[float, float]:
    """W6: one epoch of ``fit`` on MNIST, with all that has to be set up before it, and another one after that."""
    from datasets import digits, mnist

    (x, y), _ = digits.load_data() if smoke else mnist.load_data()
    x = x.reshape(len(x), *((8, 8, 1) if smoke else (28, 28, 1))).astype(np.float32) / x.max()
    x = x if conv else x.reshape(len(x), -1)
    net = (SMOKE if smoke else WORKLOADS)["W2" if conv else "W1"]
    net = Net(x.shape[1:], (*net.dense[:-1], 10), net.batch, conv=net.conv)
    library = import_keras() if name == "Keras" else importlib.import_module("nn")
    begin = time.perf_counter()
    if name == "ours compiled":
        library.config.set_numba(True)
    model = keras_model(library, net)
    model.fit(x, y, batch_size=net.batch, epochs=1, verbose=0)
    first = time.perf_counter()
    model.fit(x, y, batch_size=net.batch, epochs=1, verbose=0)
    return first - begin, time.perf_counter() - first


def turn(task: str, workload: str, contender: str, seconds: float, smoke: bool) -> dict[str, Any]:
    """What is measured: seconds, and bytes where they are looked at."""
    if task == "scalars":
        return {"times": [scalar_ops.measure(contender, seconds) * 1e-6], "memory": None}
    make, build = CONTENDERS[contender]
    build(SMOKE["W7"], make(SMOKE["W7"], None))[0]()  # what importing and starting costs is not counted
    if task == "fit":
        first, second = epochs_of(contender, workload == "cnn", smoke)
        return {"times": [first], "second": [second], "memory": None}
    kind, _, factor = workload.partition("×")
    net = scaled(kind, int(factor)) if task == "scale" else (SMOKE if smoke else WORKLOADS)[workload]
    given = make(net, 10000 if task == "predict" and not smoke else None)
    release()
    before = peak(since_now=True)
    train, predict = build(net, given)
    if task == "predict":
        assert predict is not None
        return {"times": measure(predict, seconds, 1 if smoke else 2), "memory": peak() - before}
    loss = float(train())  # the same for everybody
    return {"times": measure(train, seconds, 0 if smoke else 5), "memory": peak() - before, "loss": loss}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=["train", "predict", "fit", "scale", "scalars"])
    parser.add_argument("workload")
    parser.add_argument("contender")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(json.dumps(turn(**vars(options))))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()
