"""Everything that a model can be made of, replayed and eager from one seed: the same bits.

Workers share products of matrices, each by itself; what is added up in another order then is held against the size of
what is added, found in wider numbers. All else has eager's bits, in any number of threads and compiled.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd_core.replay import replay
from autograd_core.replay.forms import bind
from autograd_core.replay.ir import array_at
from nn import layers, losses, optimizers, regularizers
from nn.optimizers import schedules

cut, spread, parallel = (
    importlib.import_module(f"autograd_core.replay.threads.{n}") for n in ("cut", "spread", "parallel")
)

rng = np.random.default_rng(0)
X = rng.normal(size=(22, 6)).astype(np.float32)
Y = rng.integers(0, 3, 22)
IMAGES = rng.normal(size=(22, 8, 8, 2)).astype(np.float32)
SIGNALS = rng.normal(size=(22, 9, 2)).astype(np.float32)
WORDS = rng.integers(0, 9, (22, 4))
WEIGHTS = rng.uniform(0.5, 2, 22).astype(np.float32)

# -- what a model is made of ----------------------------------------------------------------------------------


def classes(module, base):
    """The classes of that kind that a module offers: one that is added there is met here."""
    offered = (getattr(module, name) for name in module.__all__)
    return {cls.__name__: cls for cls in offered if isinstance(cls, type) and issubclass(cls, base) and cls is not base}


def dense(*middle):
    return [layers.Dense(5, "tanh"), *middle, layers.Dense(3, "softmax")]


# By the class, and what is special: the data, and the layers between the input and the last one.
LAYERS = {
    "Activation": (X, lambda: [layers.Dense(4), layers.Activation("relu")]),
    "AveragePooling1D": (SIGNALS, lambda: [layers.AveragePooling1D(2)]),
    "AveragePooling2D": (IMAGES, lambda: [layers.AveragePooling2D(3, strides=2, padding="same")]),
    "BatchNormalization": (X, lambda: [layers.Dense(4), layers.BatchNormalization(momentum=0.8)]),
    "BatchNormalization of images": (IMAGES, lambda: [layers.Conv2D(3, 2), layers.BatchNormalization()]),
    "Conv1D": (SIGNALS, lambda: [layers.Conv1D(4, 3, padding="same", dilation_rate=2)]),
    "Conv2D": (IMAGES, lambda: [layers.Conv2D(4, 3, activation="relu"), layers.Conv2D(3, 2, 2, "same")]),
    "Conv2D in groups": (IMAGES, lambda: [layers.Conv2D(4, 2, groups=2, use_bias=False)]),
    "Dense": (X, lambda: [layers.Dense(4, "relu")]),
    "Operation": (X, lambda: [layers.Dense(4), layers.Operation(np.tanh)]),
    "Dense of signals": (SIGNALS, lambda: [layers.Dense(4, use_bias=False)]),
    "Dropout": (X, lambda: [layers.Dropout(0.4), layers.Dense(4), layers.Dropout(0.2, seed=3)]),
    "Dropout of channels": (SIGNALS, lambda: [layers.Dropout(0.5, noise_shape=(None, 1, None))]),
    "Embedding": (WORDS, lambda: [layers.Embedding(9, 5)]),
    "Flatten": (IMAGES, lambda: [layers.Flatten()]),
    "GlobalAveragePooling1D": (SIGNALS, lambda: [layers.GlobalAveragePooling1D()]),
    "GlobalAveragePooling2D": (IMAGES, lambda: [layers.GlobalAveragePooling2D()]),
    "GlobalMaxPooling1D": (SIGNALS, lambda: [layers.GlobalMaxPooling1D()]),
    "GlobalMaxPooling2D": (IMAGES, lambda: [layers.GlobalMaxPooling2D(keepdims=True)]),
    "Lambda": (X, lambda: [layers.Lambda(nn.activations.leaky_relu, arguments={"negative_slope": 0.3})]),
    "LayerNormalization": (X, lambda: [layers.LayerNormalization()]),
    "LeakyReLU": (X, lambda: [layers.Dense(4), layers.LeakyReLU()]),
    "MaxPooling1D": (SIGNALS, lambda: [layers.MaxPooling1D(3, strides=2)]),
    "MaxPooling2D": (IMAGES, lambda: [layers.Conv2D(4, 3), layers.MaxPooling2D(2)]),
    "Rescaling": (X, lambda: [layers.Rescaling(0.5, 1.0)]),
    "Reshape": (X, lambda: [layers.Reshape((3, 2)), layers.Dense(2)]),
    "Softmax": (X, lambda: [layers.Dense(4), layers.Softmax()]),
    "ZeroPadding1D": (SIGNALS, lambda: [layers.ZeroPadding1D(2), layers.Conv1D(2, 3)]),
    "ZeroPadding2D": (IMAGES, lambda: [layers.ZeroPadding2D(2), layers.Conv2D(2, 3)]),
    "Bidirectional": (SIGNALS, lambda: [layers.Bidirectional(layers.GRU(2, return_sequences=True))]),
    "Conv1DTranspose": (SIGNALS, lambda: [layers.Conv1DTranspose(3, 3, strides=2, padding="same")]),
    "Conv2DTranspose": (IMAGES, lambda: [layers.Conv2DTranspose(3, 2, strides=2)]),
    "Cropping1D": (SIGNALS, lambda: [layers.Cropping1D(2)]),
    "Cropping2D": (IMAGES, lambda: [layers.Conv2D(2, 2), layers.Cropping2D((1, 2))]),
    "DepthwiseConv1D": (SIGNALS, lambda: [layers.DepthwiseConv1D(3, depth_multiplier=2)]),
    "DepthwiseConv2D": (IMAGES, lambda: [layers.DepthwiseConv2D(3, depthwise_constraint="max_norm")]),
    "ELU": (X, lambda: [layers.Dense(4), layers.ELU(0.5)]),
    "GRU": (SIGNALS, lambda: [layers.GRU(3, dropout=0.2, recurrent_dropout=0.2)]),
    "GaussianNoise": (X, lambda: [layers.GaussianNoise(0.3)]),
    "GroupNormalization": (IMAGES, lambda: [layers.Conv2D(4, 2), layers.GroupNormalization(2)]),
    "Identity": (X, lambda: [layers.Identity()]),
    "LSTM": (SIGNALS, lambda: [layers.LSTM(3, return_sequences=True), layers.LSTM(2, go_backwards=True)]),
    "Masking": (SIGNALS, lambda: [layers.Masking(0.0), layers.SimpleRNN(3)]),
    "Normalization": (X, lambda: [layers.Normalization(mean=0.5, variance=2.0)]),
    "Permute": (SIGNALS, lambda: [layers.Permute((2, 1)), layers.Dense(3)]),
    "RNN": (SIGNALS, lambda: [layers.RNN([layers.LSTMCell(2, dropout=0.2), layers.GRUCell(3)])]),
    "ReLU": (X, lambda: [layers.Dense(4), layers.ReLU(1.0, 0.1)]),
    "RepeatVector": (X, lambda: [layers.Dense(4), layers.RepeatVector(3)]),
    "SeparableConv1D": (SIGNALS, lambda: [layers.SeparableConv1D(3, 2)]),
    "SeparableConv2D": (IMAGES, lambda: [layers.SeparableConv2D(3, 2)]),
    "SimpleRNN": (SIGNALS, lambda: [layers.SimpleRNN(3, kernel_constraint="unit_norm")]),
    "SpatialDropout1D": (SIGNALS, lambda: [layers.SpatialDropout1D(0.5)]),
    "SpatialDropout2D": (IMAGES, lambda: [layers.Conv2D(4, 2), layers.SpatialDropout2D(0.5)]),
    "TimeDistributed": (SIGNALS, lambda: [layers.TimeDistributed(layers.Dense(3, "tanh"))]),
    "UpSampling1D": (SIGNALS, lambda: [layers.Conv1D(2, 3), layers.UpSampling1D(2)]),
    "UpSampling2D": (IMAGES, lambda: [layers.Conv2D(2, 3), layers.UpSampling2D(2, interpolation="bilinear")]),
}
# Of several inputs, in tests/nn/test_functional.py and test_layers.py; or of one step, in those of a sequence.
OTHERS = {"Attention", "GRUCell", "InputLayer", "LSTMCell", "MultiHeadAttention", "SimpleRNNCell", "StackedRNNCells"}
SCHEDULES = {
    "CosineDecay": lambda: schedules.CosineDecay(0.1, 9, warmup_target=0.2, warmup_steps=3),
    "CosineDecayRestarts": lambda: schedules.CosineDecayRestarts(0.1, 2),
    "ExponentialDecay": lambda: schedules.ExponentialDecay(0.1, 3, 0.5),
    "InverseTimeDecay": lambda: schedules.InverseTimeDecay(0.1, 3, 0.5),
    "PiecewiseConstantDecay": lambda: schedules.PiecewiseConstantDecay([4, 8], [0.1, 0.05, 0.01]),
    "PolynomialDecay": lambda: schedules.PolynomialDecay(0.1, 9, power=2.0),
}
OPTIMIZERS = {
    **classes(optimizers, optimizers.Optimizer),
    "nesterov": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "clipnorm": lambda: optimizers.SGD(0.1, clipnorm=0.1),
    "global clipnorm": lambda: optimizers.SGD(0.1, global_clipnorm=0.1),
    "clipvalue": lambda: optimizers.SGD(0.1, clipvalue=0.01, weight_decay=0.1),
    "centered": lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "amsgrad": lambda: optimizers.Adam(0.01, amsgrad=True),
    "averages": lambda: optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3),
    "gathered": lambda: optimizers.Adam(0.01, use_ema=True, gradient_accumulation_steps=3, clipnorm=0.1),
    **{name: lambda rate=rate: optimizers.SGD(rate()) for name, rate in SCHEDULES.items()},
}
ACTIVATIONS = sorted({*nn.activations.__all__} - {"get", "serialize", "deserialize"})
LOSSES = sorted({*losses.__all__} - {"Loss", "LossFunction", "deserialize", "get", "serialize"})
REGULARIZERS = classes(regularizers, regularizers.Regularizer)


def with_layer(name):
    x, between = LAYERS[name]
    return {"x": x, "layers": [*between(), layers.Flatten(), layers.Dense(3, "softmax")]}


def with_loss(name):
    y = Y if "sparse" in name.lower() else np.eye(3, dtype=np.float32)[Y]
    return {"layers": dense(), "y": y, "loss": losses.get(name), "sample_weight": WEIGHTS}


def with_regularizer(name):
    made = (REGULARIZERS[name]() for _ in range(2))
    return {"layers": dense(layers.Dense(4, kernel_regularizer=next(made), bias_regularizer=next(made)))}


CASES = {
    **{f"layer {name}": lambda name=name: with_layer(name) for name in LAYERS},
    **{f"activation {name}": lambda name=name: {"layers": dense(layers.Dense(4, name))} for name in ACTIVATIONS},
    **{f"loss {name}": lambda name=name: with_loss(name) for name in LOSSES},
    **{f"optimizer {n}": lambda n=n: {"layers": dense(), "optimizer": OPTIMIZERS[n]()} for n in OPTIMIZERS},
    **{f"regularizer {name}": lambda name=name: with_regularizer(name) for name in REGULARIZERS},
}


def test_nothing_is_forgotten():
    others = classes(layers, layers.merging.Merge).keys() | OTHERS
    assert {name.split()[0] for name in LAYERS} == classes(layers, layers.Layer).keys() - others
    for name, (_, between) in LAYERS.items():
        assert name.split()[0] in {type(layer).__name__ for layer in between()}
    assert SCHEDULES.keys() == classes(schedules, schedules.LearningRateSchedule).keys()


# -- ways to run it -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def way(workers=1, numba=False, in_parts=cut.in_parts):
    """So many threads for every program, however small; every group in parts that can be; loops at once or never."""
    before = nn.config.get_numba()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "workers", lambda: workers)
        patch.setattr(spread, "in_parts", in_parts)
        for name, least in (("SHORT", -1), ("BARRIER", 0), ("LARGE", 0)):
            patch.setattr(spread, name, least)
        nn.config.set_numba(numba)
        try:
            yield
        finally:
            nn.config.set_numba(before)


@functools.cache
def eager(case, dtype, batch_size):
    return trained(case, dtype, batch_size, eagerly=True)[0]


def trained(case, dtype, batch_size, eagerly=False):
    """All numbers that a training and what comes after it give, and the programs of its steps."""
    nn.utils.set_random_seed(1)
    made = CASES[case]()
    x, y, weights = made.get("x", X), made.get("y", Y), made.get("sample_weight")
    for layer in made["layers"]:
        for part in layer.walk_layers():
            part.dtype = np.dtype(dtype)
    x = x.astype(dtype) if x.dtype.kind == "f" else x
    model = nn.Sequential([layers.Input(x.shape[1:], dtype=x.dtype.name), *made["layers"]])
    model.compile(
        made.get("optimizer", "rmsprop"), made.get("loss", "sparse_categorical_crossentropy"), metrics=["accuracy"],
        run_eagerly=eagerly,
    )  # fmt: skip
    history = model.fit(x, y, batch_size, epochs=6, verbose=0, sample_weight=weights).history
    times = range(6)  # so that each shape of a batch is replayed at last
    measured = [model.evaluate(x, y, batch_size, verbose=0) for _ in times]
    predicted = [model.predict(x, batch_size, verbose=0) for _ in times]
    assert all(w.dtype == dtype for w in model.get_weights())
    numbers = [*model.get_weights(), *model.optimizer.get_weights(), *map(np.array, history.values()), *measured]
    steps = model._steps.plans.plan
    programs = [] if eagerly else [p for s in (steps.training, steps.testing, steps.predicting) for p in s.programs]
    return [np.asarray(n) for n in (*numbers, *predicted)], [program.schedule for program in programs]


def bits(numbers):
    return [(n.dtype, n.shape, n.tobytes()) for n in numbers]


# Each case in turn in one dtype or the other, in whole batches or ragged ones; with this variable in all of them.
THOROUGH = "THOROUGH" in os.environ
DTYPES = [
    pytest.param(case, dtype, id=f"{case}-{dtype}")
    for i, case in enumerate(CASES)
    for j, dtype in enumerate(("float32", "float64"))
    if THOROUGH or i % 2 == j
]
BATCHES = [
    pytest.param(*case.values, size, id=f"{case.id}-{'whole' if size == 22 else 'ragged'}")
    for i, case in enumerate(DTYPES)
    for j, size in enumerate((22, 8))
    if THOROUGH or i // 2 % 2 == j
]


@pytest.mark.every(2)
@pytest.mark.parametrize(("case", "dtype", "batch_size"), BATCHES)
def test_everything_trains_to_the_same_bits(case, dtype, batch_size):
    with way():
        found, schedules = trained(case, dtype, batch_size)
    assert bits(found) == bits(eager(case, dtype, batch_size))
    assert len(schedules) == (3 if batch_size == 22 else 6)  # each with the last batch too, which has another size
    assert {schedule.workers for schedule in schedules} == {1}


def whole_products(group, n):
    return [] if group.instructions[0].function is np.matmul else cut.in_parts(group, n)


@pytest.mark.every(5)
@pytest.mark.parametrize(("case", "dtype"), DTYPES)
def test_threads_change_nothing_but_the_sums_of_products(case, dtype):
    products = []

    def noted(group, n):
        parts = cut.in_parts(group, n)
        if parts and group.instructions[0].function is np.matmul:
            products.append((group, parts))
        return parts

    with way(3, in_parts=whole_products):
        found, schedules = trained(case, dtype, 8)
    assert bits(found) == bits(eager(case, dtype, 8))
    assert max(schedule.workers for schedule in schedules) == 3
    with way(2, in_parts=noted):
        found, schedules = trained(case, dtype, 8)
        again, _ = trained(case, dtype, 8)
    assert bits(found) == bits(again)
    assert {schedule.workers for schedule in schedules[:2]} == {2}
    assert products
    for group, parts in products:
        assert_parts_add_up(group, parts)


def assert_parts_add_up(group, parts):
    """A product in parts and whole, on other numbers that lie as its own did."""
    (whole,) = group.instructions
    numbers, memory = np.random.default_rng(1), {}

    def array_of(view):
        if view.buffer not in memory:
            made = numbers.normal(size=view.buffer.size // view.dtype.itemsize)
            memory[view.buffer] = made.astype(view.dtype).view(np.uint8)
        return array_at(view, memory[view.buffer])

    a, b, result = map(array_of, (*whole.args, whole.results[0]))
    bind(whole, array_of)()
    expected = result.copy()
    result[...] = np.nan
    for part in parts:
        for inst in part.instructions:
            bind(inst, array_of)()
    assert_close_in_the_last_place(result, expected, a, b)


def assert_close_in_the_last_place(found, expected, a, b):
    """Within 4 units in the last place of the largest number on the way, which the sizes of all summands add up to.

    And each element within what two orders of adding up its own summands may differ by, which is a theorem.
    """
    wide = np.longdouble if found.dtype == np.float64 else np.float64
    sizes = np.matmul(np.abs(a).astype(wide), np.abs(b).astype(wide))
    distance = np.abs(found.astype(wide) - expected.astype(wide))
    terms, unit = a.shape[-1], np.finfo(found.dtype).eps / 2
    assert np.max(distance, initial=0) <= 4 * np.spacing(np.max(sizes, initial=0).astype(found.dtype))
    assert np.all(distance <= 2 * terms * unit / (1 - terms * unit) * sizes)


@st.composite
def operands(draw):
    """Two matrices, or two stacks of them, of numbers of one size or of many, in four ways to lie in memory."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    stack = draw(st.sampled_from([(), (), (3,), (2, 2)]))
    m, k, n = (draw(st.integers(1, 130)) for _ in range(3))
    numbers, orders = np.random.default_rng(draw(st.integers(0, 99))), draw(st.sampled_from([0, 0, 6]))

    def matrix(rows, columns):
        shape = *stack, rows, columns
        made = (numbers.normal(size=shape) * 10.0 ** numbers.integers(-orders, orders + 1, shape)).astype(dtype)
        lies = draw(st.sampled_from(["C", "F", "gaps", "backwards"]))
        if lies == "F":
            return np.ascontiguousarray(made.swapaxes(-1, -2)).swapaxes(-1, -2)
        if lies == "gaps":
            return np.repeat(made, 2, axis=-1)[..., ::2]
        return made[..., ::-1, :] if lies == "backwards" else made

    return matrix(m, k), matrix(k, n)


@settings(max_examples=60, deadline=None)
@given(operands(), st.integers(2, 4))
def test_any_product_in_threads_is_close_in_the_last_place_and_the_same_again(given, n):
    def product(a, b):
        return np.matmul(a, b)

    a, b = given
    with way(n):
        first, second = (replay(product, numba=False) for _ in range(2))
        for _ in range(6):
            found, again = first(a, b), second(a, b)
    assert first.programs
    assert found.tobytes() == again.tobytes()
    assert_close_in_the_last_place(found, product(a, b), a, b)


@pytest.mark.every(5)
@pytest.mark.parametrize(("case", "dtype"), DTYPES)
def test_compiled_loops_change_nothing(case, dtype, judge):
    judge("numba")
    with way(numba=True):
        found, schedules = trained(case, dtype, 22)
    for a, b in zip(found, eager(case, dtype, 22), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)
    assert all(schedule.hot for schedule in schedules)
