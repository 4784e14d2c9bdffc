"""Random models from inputs to outputs go from Keras to ours and back, or the other way, and stay what they were."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

import nn
from autograd_core import tree

pytest.importorskip("h5py")

FEW = 2  # in each run; all of them with THOROUGH=1
SEEDS = [pytest.param(seed, marks=() if seed < FEW else pytest.mark.thorough) for seed in range(200)]
# Gradients that are all rounding do not decide a step at these epsilons.
OPTIMIZERS = [
    lambda k: k.optimizers.SGD(0.02, momentum=0.9), lambda k: k.optimizers.SGD(0.02, global_clipnorm=0.5),
    lambda k: k.optimizers.Adam(0.01, epsilon=0.01), lambda k: k.optimizers.RMSprop(0.01, epsilon=0.01),
    lambda k: k.optimizers.AdamW(0.01, epsilon=0.01, use_ema=True),
    lambda k: k.optimizers.Adam(0.01, epsilon=0.01, gradient_accumulation_steps=2),
]  # fmt: skip


def sequence(k, draw, x):
    """From (batch, steps, features) to (batch, features)."""
    L = k.layers
    more = [
        lambda x: L.Conv1D(3, 2, padding=draw.choice(["same", "causal"]), dilation_rate=draw.choice([1, 2]))(x),
        lambda x: L.SeparableConv1D(3, 2, padding="same", depth_multiplier=2)(x),
        lambda x: L.DepthwiseConv1D(2, padding="same", activation="tanh")(x),
        lambda x: L.Conv1DTranspose(3, 2, strides=draw.choice([1, 2]))(x), lambda x: L.UpSampling1D(2)(x),
        lambda x: L.ZeroPadding1D((1, 2))(x), lambda x: L.AveragePooling1D(2, padding="same")(x),
        lambda x: L.TimeDistributed(L.Dense(3, activation="softplus"))(x), lambda x: L.GroupNormalization(-1)(x),
        lambda x: L.LayerNormalization(axis=draw.choice([[1, 2], -1]))(x), lambda x: L.Permute((2, 1))(x),
        lambda x: L.MultiHeadAttention(2, 3, value_dim=2)(x, x, use_causal_mask=draw.random() < 0.5),
        lambda x: L.Attention(use_scale=True)([x, x]), lambda x: L.Softmax(axis=1)(x),
        lambda x: L.Bidirectional(L.GRU(2, return_sequences=True), draw.choice(["concat", "sum", "mul", "ave"]))(x),
        lambda x: L.LSTM(3, return_sequences=True, unit_forget_bias=draw.random() < 0.5)(x),
        lambda x: L.RNN([L.LSTMCell(3), L.SimpleRNNCell(2)], return_sequences=True)(x),
    ]  # fmt: skip
    for _ in range(draw.randint(0, 3)):
        x = draw.choice(more)(x)
    last = [
        lambda: L.GlobalAveragePooling1D()(x), lambda: L.GlobalMaxPooling1D()(x), lambda: L.Flatten()(x),
        lambda: L.SimpleRNN(3, go_backwards=True)(x), lambda: L.GRU(3, reset_after=draw.random() < 0.5)(x),
        lambda: L.LSTM(2, recurrent_regularizer="l2", kernel_constraint="max_norm")(x), lambda: x[:, -1],
        lambda: L.GRU(2, return_state=True)(x)[1],
    ]  # fmt: skip
    return draw.choice(last)()


def picture(k, draw, x):
    """From (batch, rows, columns, channels) to (batch, features)."""
    L = k.layers
    more = [
        lambda x: L.Conv2D(2, draw.choice([1, (3, 2)]), padding="same", strides=draw.choice([1, 2]))(x),
        lambda x: L.Conv2D(4, 2, groups=2, padding="same")(L.Conv2D(2, 1)(x)),
        lambda x: L.DepthwiseConv2D(2, depth_multiplier=2, padding="same")(x),
        lambda x: L.SeparableConv2D(3, 2, padding="same", pointwise_regularizer="l1")(x),
        lambda x: L.Conv2DTranspose(2, 3, strides=draw.choice([1, 2]), padding=draw.choice(["same", "valid"]))(x),
        lambda x: L.UpSampling2D((1, 2), interpolation=draw.choice(["nearest", "bilinear"]))(x),
        lambda x: L.Cropping2D(((1, 0), (0, 1)))(x), lambda x: L.ZeroPadding2D((1, 2))(x),
        lambda x: L.MaxPooling2D(2, strides=1, padding="same")(x), lambda x: L.BatchNormalization(momentum=0.7)(x),
        lambda x: L.ReLU(max_value=2.0, negative_slope=0.1)(x), lambda x: L.Rescaling(0.5, [0.1])(x),
    ]  # fmt: skip
    for _ in range(draw.randint(1, 4)):
        x = draw.choice(more)(x)
    return draw.choice([L.Flatten, L.GlobalAveragePooling2D, L.GlobalMaxPooling2D])()(x)


def vectors(k, draw, values):
    """Layers, functions and operators on (batch, features); one layer and one model may come again and again."""
    L, ops = k.layers, k.ops
    shared, begin = L.Dense(3, activation="tanh"), k.Input((3,))
    inner = k.Model(begin, L.Dense(3)(L.LayerNormalization()(begin) + begin))

    def one():
        return draw.choice(values)

    def two():
        return [L.Dense(3)(one()), L.Dense(3)(one())]

    def of_two(f):
        return lambda: f(*two())

    more = [
        lambda: L.Dense(draw.randint(1, 4), draw.choice(["relu", "gelu", None]), bias_constraint="unit_norm")(one()),
        *(of_two(lambda a, b, name=name: getattr(L, name)()([a, b]))
          for name in ("Add", "Multiply", "Average", "Maximum", "Subtract", "Concatenate")),
        of_two(lambda a, b: L.Dot(1, normalize=draw.random() < 0.5)([a, b])), of_two(lambda a, b: a * 2.0 + b),
        of_two(lambda a, b: 1.0 - a), of_two(lambda a, b: ops.exp(-a)), of_two(lambda a, b: inner(b)),
        of_two(lambda a, b: L.Reshape((3, 1))(a)[:, :, 0]), of_two(lambda a, b: shared(a)),
        of_two(lambda a, b: ops.concatenate([a, b], axis=1)),
        lambda: ops.mean(one(), axis=-1, keepdims=True), lambda: L.RepeatVector(2)(one())[:, 0],
        lambda: L.BatchNormalization()(one()), lambda: L.Activation("softmax")(one()), lambda: ops.tanh(one()),
        lambda: k.Sequential([L.Dense(3), L.Activation("sigmoid")])(one()),
    ]  # fmt: skip
    for _ in range(draw.randint(1, 5)):
        values.append(draw.choice(more)())
    return values


def drawn(k, seed):
    """A model of one or two inputs and outputs, of either library, with inputs and targets."""
    draw, rng = random.Random(seed), np.random.default_rng(seed)
    inputs, values, xs = [], [], []
    for i in range(draw.randint(1, 2)):
        kind = draw.choice(["vector", "sequence", "picture", "words"])
        shape = {"vector": (4,), "sequence": (5, 3), "picture": (6, 5, 2), "words": (5,)}[kind]
        xs.append(rng.normal(size=(10, *shape)).astype("float32"))
        inputs.append(k.Input(shape, name=f"in{i}", dtype="int32" if kind == "words" else None))
        value = inputs[-1]
        if kind == "words":  # each once: of one that comes twice Keras' Adam on TensorFlow squares the parts
            xs[-1] = rng.permutation(50).reshape(10, 5)
            embedded = k.layers.Embedding(50, 3, mask_zero=draw.random() < 0.3)(value)
            value = draw.choice([k.layers.LSTM(3), k.layers.GRU(2), k.layers.GlobalAveragePooling1D()])(embedded)
        values.append({"sequence": sequence, "picture": picture}.get(kind, lambda k, draw, x: x)(k, draw, value))
    values = vectors(k, draw, values)
    first = k.layers.Dense(2, name="first")(k.layers.concatenate(values))
    heads = draw.choice([{"a": first}, {"a": first, "b": k.layers.Dense(2, name="second")(values[-1])}])
    named, in_dict = draw.random() < 0.3, draw.random() < 0.5
    model = k.Model(
        {f"in{i}": x for i, x in enumerate(inputs)} if named else inputs, heads if in_dict else list(heads.values())
    )
    y = {name: rng.normal(size=(10, 2)).astype("float32") for name in heads}
    losses = dict(zip(heads, draw.sample(["mse", "mae", "huber", "log_cosh"], len(heads)), strict=True))
    loss, y = (losses, y) if in_dict else (list(losses.values()), list(y.values()))
    model.compile(draw.choice(OPTIMIZERS)(k), loss)
    x = {f"in{i}": x for i, x in enumerate(xs)} if named else xs
    return eager(model), x, y


def eager(model):
    """Keras on TensorFlow would compile each model for long."""
    if not isinstance(model, nn.Model):
        model.run_eagerly = True
    return model


def seen(model, x):
    return [np.asarray(v) for v in tree.leaves(model.predict_on_batch(x))]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("begin", ["keras", "ours"])
def test_a_random_model_goes_from_one_library_to_the_other_and_back(
    keras, warnings_are_only_shown, tmp_path, begin, seed
):
    one, other = (keras, nn) if begin == "keras" else (nn, keras)
    keras.utils.set_random_seed(seed), nn.utils.set_random_seed(seed)
    model, x, y = drawn(one, seed)
    for _ in range(2):
        model.train_on_batch(x, y)
    model.save(tmp_path / "there.keras")
    there = eager(other.models.load_model(tmp_path / "there.keras"))
    there.save(tmp_path / "back.keras")
    back = eager(one.models.load_model(tmp_path / "back.keras"))
    assert [layer.name for layer in there.layers] == [layer.name for layer in back.layers]
    for a, b, c in zip(seen(model, x), seen(there, x), seen(back, x), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(c, a, rtol=1e-3, atol=1e-4)
    found = [np.ravel(m.train_on_batch(x, y))[0] for m in (model, there, back)]
    np.testing.assert_allclose(found[1:], found[0], rtol=1e-3)
    for a, b, c in zip(*(m.get_weights() for m in (model, there, back)), strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-3, atol=2e-4)
        np.testing.assert_allclose(c, a, rtol=2e-3, atol=2e-4)
    assert json.loads(json.dumps(there.get_config(), default=str))
    # Some of what is drawn has a softmax over one number, of which both libraries warn; some grows beyond all numbers,
    # in both.
    expected = ["softmax over axis"]
    if not all(np.isfinite(w).all() for w in model.get_weights()):
        expected.append("invalid value encountered")
    warnings_are_only_shown[:] = [
        said for said in warnings_are_only_shown if not any(words in said for words in expected)
    ]
