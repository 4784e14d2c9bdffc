"""Any model that is saved comes back as it was: its weights, its optimizer, its predictions, and its next step."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import nn

WIDTH = 3  # all layers take and give so many numbers, so any of them can stand anywhere, and in several places
X = np.random.default_rng(0).normal(size=(8, WIDTH)).astype("float32")
Y = np.roll(X, 1, axis=1)


class Many(nn.Layer):
    """So many weights, some of which do not train, and which differ."""

    def __init__(self, count, **kwargs):
        super().__init__(**kwargs)
        self.count = count

    def build(self, input_shape):
        start = nn.initializers.Constant
        self.parts = [self.add_weight((1,), start(1 + i / 2**20), trainable=i % 5 != 4) for i in range(self.count)]

    def call(self, x):
        for part in self.parts[:: max(len(self.parts) // 20, 1)]:  # all are saved, and these are trained
            x = x * part
        return x


class Learned(nn.Layer):
    """A layer that keeps its argument under another name, and draws random numbers of its own."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self._by = factor
        self.chance = np.random.default_rng(5)

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", regularizer="l2")

    def call(self, x, training=False):
        return x * self.scale * self._by * (self.chance.choice([0.5, 2.0]) if training else 1.0)


class Residual(nn.Model):
    """A model of one's own around a layer that it is given; it has a weight, and a build, of its own."""

    def __init__(self, inner, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.last = inner, nn.layers.Dense(WIDTH)

    def build(self, input_shape):
        self.gate = self.add_weight((), "ones")

    def call(self, x):
        return self.last(x + self.gate * self.inner(x))


OWN = {cls.__name__: cls for cls in (Many, Learned, Residual)}

LEAVES = st.one_of(
    st.tuples(st.just("Dense"), st.sampled_from([None, "tanh", "softplus"]), st.booleans()),
    st.tuples(st.just("BatchNormalization"), st.sampled_from([0.5, 0.99])),
    st.tuples(st.just("LayerNormalization")),
    st.tuples(st.just("Dropout"), st.sampled_from([0.25, 0.5]), st.sampled_from([None, 3])),
    st.tuples(st.just("Activation"), st.sampled_from(["gelu", "sigmoid"])),
    st.tuples(st.just("Many"), st.integers(1, 40)),
    st.tuples(st.just("Learned"), st.floats(0.5, 2, width=32)),
    st.tuples(st.just("again"), st.integers(0, 7)),  # a layer that was made before
)
BLOCKS = st.recursive(
    LEAVES,
    lambda inside: st.one_of(
        st.tuples(st.just("Sequential"), st.lists(inside, min_size=1, max_size=3)),
        st.tuples(st.just("Residual"), inside),
    ),
    max_leaves=8,
)
RULES = st.sampled_from([
    ("SGD", {}), ("SGD", {"momentum": 0.5, "nesterov": True}), ("RMSprop", {"centered": True, "momentum": 0.1}),
    ("Adagrad", {}), ("Adadelta", {"clipnorm": 1.0}), ("Adam", {"amsgrad": True, "global_clipnorm": 0.5}),
    ("AdamW", {"clipvalue": 0.25}), ("Adam", {"learning_rate": nn.optimizers.schedules.CosineDecay(0.1, 5)}),
])  # fmt: skip


def make(block, made):
    """The layer that a block describes; ``made`` holds those so far, of which some come again."""
    kind, *arguments = block
    if kind == "again":
        if made:
            return made[arguments[0] % len(made)]
        kind, arguments = "Dense", [None, True]
    if kind == "Dense":
        layer = nn.layers.Dense(WIDTH, arguments[0], use_bias=arguments[1])
    elif kind == "Dropout":
        layer = nn.layers.Dropout(arguments[0], seed=arguments[1])
    elif kind == "BatchNormalization":
        layer = nn.layers.BatchNormalization(momentum=arguments[0])
    elif kind == "Sequential":
        layer = stack(arguments[0], made)
    elif kind == "Residual":
        layer = Residual(make(arguments[0], made))
    else:
        layer = (OWN.get(kind) or getattr(nn.layers, kind))(*arguments)
    made.append(layer)
    return layer


def stack(blocks, made):
    """Blocks one after another; a Sequential takes each layer once, so what comes again there is wrapped."""
    layers = []
    for block in blocks:
        layer = make(block, made)
        layers.append(nn.Sequential([layer]) if any(layer is other for other in layers) else layer)
    return nn.Sequential(layers)


def same(a, b):
    assert len(a) == len(b)
    for v, w in zip(a, b, strict=True):
        assert v.dtype == w.dtype
        np.testing.assert_array_equal(v, w)


# Some parts of Many are not used, and some of the models drawn diverge: both as the one that was saved.
@pytest.mark.filterwarnings("ignore:no gradient came", "ignore:overflow", "ignore:invalid value")
@settings(max_examples=40 if "THOROUGH" in os.environ else 15, suppress_health_check=[HealthCheck.too_slow])
@given(
    blocks=st.lists(BLOCKS, min_size=1, max_size=4),
    rule=RULES,
    steps=st.integers(0, 2),
    frozen=st.sets(st.integers(0, 9), max_size=2),
    own_class=st.booleans(),
)
@example(blocks=[("Residual", ("again", 0))], rule=("SGD", {}), steps=0, frozen=set(), own_class=False)
@example(blocks=[("Many", 1_000)], rule=("Adam", {}), steps=1, frozen=set(), own_class=False)
@example(blocks=[("Many", 10_001), ("again", 0)], rule=("SGD", {}), steps=1, frozen=set(), own_class=True)
def test_a_saved_model_goes_on_as_if_nothing_had_happened(tmp_path_factory, blocks, rule, steps, frozen, own_class):
    nn.utils.set_random_seed(0)
    model = stack([("Dense", "tanh", True), *blocks], [])
    if own_class:
        model = Residual(model)
    name, options = rule
    model.compile(getattr(nn.optimizers, name)(**options), "mse", metrics=["mae"])
    model(X)
    for _ in range(steps):
        model.train_on_batch(X, Y)
    layers = [layer for layer in model.walk_layers() if layer is not model]
    for i in frozen:
        layers[i % len(layers)].trainable = False
    if not model.trainable_weights:
        layers[0].trainable = True
    path = tmp_path_factory.mktemp("saved") / "m"
    model.save(path)
    again = nn.models.load_model(path, custom_objects=OWN)

    for step in range(2):
        assert again.get_config() == json.loads(json.dumps(model.get_config()))
        assert [w.requires_grad for w in again.weights] == [w.requires_grad for w in model.weights]
        same(again.get_weights(), model.get_weights())
        same(again.optimizer.get_weights(), model.optimizer.get_weights())
        same([again.predict(X, verbose=0)], [model.predict(X, verbose=0)])
        if step == 0:
            assert again.train_on_batch(X, Y) == model.train_on_batch(X, Y)
