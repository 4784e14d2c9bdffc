"""What the constructor refuses is refused when it is assigned, so that no model is saved that cannot be loaded."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nn
from nn import config

optimizers, layers, losses, schedules = nn.optimizers, nn.layers, nn.losses, nn.optimizers.schedules


def built(layer, shape):
    layer.build(shape)
    return layer


REFUSED = [
    *((f"{cls.__name__}.{name}", cls, name, value)
      for cls in (optimizers.SGD, optimizers.RMSprop, optimizers.Adagrad, optimizers.Adadelta, optimizers.Adam)
      for name, value in [("clipnorm", -1.0), ("clipvalue", 0.0), ("global_clipnorm", math.nan),
                          ("weight_decay", -0.1), ("learning_rate", math.nan), ("learning_rate", -1.0)]),
    ("two clippings", lambda: optimizers.Adam(clipnorm=1.0), "global_clipnorm", 0.5),
    ("two others", lambda: optimizers.SGD(clipvalue=1.0), "clipnorm", 0.5),
    ("AdamW.weight_decay", optimizers.AdamW, "weight_decay", None),
    ("Adam.beta_1", optimizers.Adam, "beta_1", 1.0),
    ("Adam.beta_2", optimizers.Adam, "beta_2", -0.1),
    ("Adam.epsilon", optimizers.Adam, "epsilon", math.nan),
    ("SGD.momentum", optimizers.SGD, "momentum", 1.5),
    ("RMSprop.rho", optimizers.RMSprop, "rho", 2.0),
    ("Adagrad", optimizers.Adagrad, "initial_accumulator_value", -1.0),
    ("ExponentialDecay", lambda: schedules.ExponentialDecay(0.1, 10, 0.5), "decay_steps", 0),
    ("Optimizer.gradient_accumulation_steps", optimizers.SGD, "gradient_accumulation_steps", 1),
    ("Optimizer.ema_momentum", optimizers.SGD, "ema_momentum", 1.5),
    ("CosineDecayRestarts", lambda: schedules.CosineDecayRestarts(0.1, 3), "t_mul", 0.5),
    ("PolynomialDecay", lambda: schedules.PolynomialDecay(0.1, 3), "power", 0.0),
    ("boundaries", lambda: schedules.PiecewiseConstantDecay([1], [0.1, 0.2]), "boundaries", [3, 2]),
    ("LeakyReLU", layers.LeakyReLU, "negative_slope", -0.1),
    ("Dropout", lambda: layers.Dropout(0.5), "rate", 1.5),
    ("Dense.units", lambda: layers.Dense(2), "units", 0),
    ("Dense.activation", lambda: layers.Dense(2), "activation", "rleu"),
    ("Dense.kernel_regularizer", lambda: layers.Dense(2), "kernel_regularizer", 3),
    ("Dense.name", lambda: layers.Dense(2), "name", 3),
    ("Dense.dtype", lambda: layers.Dense(2), "dtype", "int32"),
    ("Conv2D.strides", lambda: layers.Conv2D(2, 3), "strides", -1),
    ("Conv2D.padding", lambda: layers.Conv2D(2, 3), "padding", "causal"),
    ("strides beside dilation", lambda: layers.Conv2D(2, 3, dilation_rate=2), "strides", 2),
    ("Reshape", lambda: layers.Reshape((2,)), "target_shape", (-1, -1)),
    ("BatchNormalization", layers.BatchNormalization, "momentum", 1.5),
    ("units of weights that are there", lambda: built(layers.Dense(2), (None, 3)), "units", 3),
    ("a bias that is there", lambda: built(layers.Dense(2), (None, 3)), "use_bias", False),
    ("a dtype of weights that are there", lambda: built(layers.Dense(2), (None, 3)), "dtype", "float64"),
    ("a window of weights that are there", lambda: built(layers.Conv1D(2, 3), (None, 8, 3)), "kernel_size", 2),
    ("an axis", lambda: built(layers.LayerNormalization(), (None, 2, 3)), "axis", 1),
    ("Huber", losses.Huber, "delta", 0.0),
    ("a loss", losses.MeanSquaredError, "reduction", "average"),
    ("label_smoothing", losses.BinaryCrossentropy, "label_smoothing", 1.5),
    ("a regularizer", nn.regularizers.L2, "l2", -1.0),
    ("two factors", nn.regularizers.L1L2, "l1", math.inf),
    ("an initializer", nn.initializers.RandomNormal, "stddev", -1.0),
    ("a metric", lambda: nn.metrics.TopKCategoricalAccuracy(k=2), "k", 0),
    ("a threshold", nn.metrics.Precision, "thresholds", 3.0),
    ("the name of a model", nn.Sequential, "name", 3),
]  # fmt: skip


@pytest.mark.parametrize(("make", "name", "value"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_the_constructor_refuses_is_refused_when_it_is_set(make, name, value):
    thing = make()
    before = dict(vars(thing))
    with pytest.raises((ValueError, TypeError)):
        setattr(thing, name, value)
    assert vars(thing).keys() == before.keys()
    assert all(vars(thing)[key] is before[key] for key in before)


def all_of_ours():
    modules = (optimizers, layers, losses, nn.regularizers, nn.constraints, nn.initializers, schedules, nn.metrics)
    found = {v for m in modules for v in vars(m).values() if isinstance(v, type) and issubclass(v, config.Configurable)}
    found = {cls for cls in found if not cls.__name__.startswith("_")}
    return sorted(found, key=lambda cls: (cls.__module__, cls.__name__))


GIVEN = {
    "units": 2, "filters": 2, "kernel_size": 2, "rate": 0.5, "activation": "relu", "function": np.tanh, "scale": 2.0,
    "target_shape": (2,), "input_dim": 2, "output_dim": 2, "shape": (2,), "initial_learning_rate": 0.1,
    "decay_steps": 2, "decay_rate": 0.5, "boundaries": [1], "values": [0.1, 0.2], "fn": nn.losses.huber,
    "axes": 1, "first_decay_steps": 2, "stddev": 0.1, "dims": (1,), "n": 2,
    "num_heads": 2, "key_dim": 2, "layer": layers.LSTM(2), "cell": layers.LSTMCell(2),
    "cells": [layers.GRUCell(2)],
}  # fmt: skip


@pytest.mark.parametrize("cls", all_of_ours(), ids=lambda cls: cls.__name__)
def test_every_setting_of_every_class_is_checked_and_can_be_set_to_what_it_is(cls):
    thing = cls(**{name: GIVEN[name] for name in config.arguments(cls) if name in GIVEN})
    kept = thing.get_config()
    assert thing._settable >= {name for name in kept if name in vars(thing) and name not in (cls.untracked or ())}
    for name in thing._settable & set(vars(thing)):
        setattr(thing, name, getattr(thing, name))
    assert thing.get_config() == kept


def test_a_setting_means_what_the_argument_means():
    dense = layers.Dense(2)
    dense.activation, dense.kernel_initializer = "relu", "ones"
    assert dense.activation is nn.activations.relu
    assert isinstance(dense.kernel_initializer, nn.initializers.Ones)
    conv = layers.Conv2D(2, 3)
    conv.kernel_size = 5
    assert conv.kernel_size == (5, 5)
    adam = optimizers.Adam()
    adam.amsgrad = True
    assert "velocity_hat" in adam.slots
    adam.clipnorm = 1.0
    adam.clipnorm, adam.clipvalue = None, 2.0
    assert adam.get_config()["clipvalue"] == 2.0


def test_what_the_optimizer_remembers_is_not_changed_under_it():
    dense = built(layers.Dense(1), (None, 2))
    sgd = optimizers.SGD(0.1)
    sgd.momentum = 0.9
    sgd.apply([np.ones((2, 1)), np.ones(1)], dense.weights)
    sgd.momentum = 0.5  # goes on with the same velocities
    with pytest.raises(ValueError, match="momentum decides what 'sgd"):
        sgd.momentum = 0.0


def test_setting_draws_no_random_numbers_and_takes_no_names():
    dropout = layers.Dropout(0.5)
    before = nn.random.get_state(nn.random.generator)
    dropout.rate = 0.25
    assert nn.random.get_state(nn.random.generator) == before
    first = layers.Dropout(0.5).name
    dropout.rate = 0.5
    second = layers.Dropout(0.5).name
    assert int(second.rpartition("_")[2]) == int(first.rpartition("_")[2] or 0) + 1


def test_the_constructor_of_somebody_else_is_not_run_again():
    made = []

    class Own(layers.Dense):
        def __init__(self, units):
            super().__init__(units)
            made.append(self)

    class Renamed(optimizers.Adam):
        pass

    own = Own(2)
    own.units = 3
    assert made == [own]
    with pytest.raises(ValueError, match="beta_1"):
        Renamed().beta_1 = 2.0
