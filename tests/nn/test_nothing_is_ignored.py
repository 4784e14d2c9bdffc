"""No argument is taken and does nothing: each one that is not at its default changes what happens, or is refused."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import re
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd_core import tree
from nn import config
from nn.layers import merging
from nn.tensors import plain

L = nn.layers
rng = np.random.default_rng(0)
ROWS, SERIES = rng.normal(size=(4, 6)).astype("float32"), rng.normal(size=(4, 5, 4)).astype("float32")
SERIES[1, 3:] = 0  # what Masking leaves out
IMAGES, WORDS = rng.normal(size=(2, 6, 6, 4)).astype("float32"), rng.integers(0, 4, (4, 5))
EVEN, DROPS = {"kernel_size": 2, "filters": 4}, {"dropout": 0.3, "recurrent_dropout": 0.3}

# Of each layer what it is given, and what it must be told.
LAYERS = {
    "Activation": (ROWS, {"activation": "relu"}), "Attention": ([SERIES, SERIES], {"dropout": 0.3}),
    "BatchNormalization": (SERIES, {"beta_initializer": "ones"}),
    "Bidirectional": (SERIES, {"layer": lambda: L.GRU(2)}),
    "Conv1D": (SERIES, EVEN), "Conv1DTranspose": (SERIES, EVEN), "Conv2D": (IMAGES, EVEN),
    "Conv2DTranspose": (IMAGES, {"kernel_size": 3, "filters": 2, "strides": 3}),
    "Cropping2D": (IMAGES, {"cropping": 1}), "Dense": (ROWS, {"units": 3}),
    "Dot": ([SERIES, 1 - SERIES], {"axes": 2}),
    "DepthwiseConv1D": (SERIES, {"kernel_size": 2}), "DepthwiseConv2D": (IMAGES, {"kernel_size": 2}),
    "Dropout": (ROWS, {"rate": 0.5}), "Embedding": (WORDS, {"input_dim": 4, "output_dim": 2}), "Flatten": (IMAGES, {}),
    "GaussianNoise": (ROWS, {"stddev": 0.5}), "GroupNormalization": (IMAGES, {"groups": 2}),
    "InputLayer": (ROWS, {"shape": (6,)}), "Lambda": (ROWS, {"function": nn.activations.leaky_relu}),
    "LayerNormalization": (SERIES, {}), "Masking": (SERIES, {}),
    "MultiHeadAttention": (SERIES, {"num_heads": 2, "key_dim": 3, "dropout": 0.3}),
    "Normalization": (SERIES, {"mean": np.arange(4.0), "variance": np.arange(1.0, 5)}),
    "Operation": (nn.tensors.constant(ROWS), {"function": np.exp}), "Permute": (SERIES, {"dims": (2, 1)}),
    "RNN": (SERIES, {"cell": lambda: L.LSTMCell(2)}), "RepeatVector": (ROWS, {"n": 2}),
    "Rescaling": (ROWS, {"scale": 2.0}), "Reshape": (ROWS, {"target_shape": (2, 3)}), "SeparableConv1D": (SERIES, EVEN),
    "SeparableConv2D": (IMAGES, EVEN), "Softmax": (SERIES, {}), "SpatialDropout1D": (SERIES, {"rate": 0.5}),
    "SpatialDropout2D": (IMAGES, {"rate": 0.5}), "StackedRNNCells": (ROWS, {"cells": lambda: [L.GRUCell(2)]}),
    "TimeDistributed": (SERIES, {"layer": lambda: L.Dense(2)}),
    **{name: (SERIES, {"units": 3, **DROPS}) for name in ("GRU", "LSTM", "SimpleRNN")},
    **{name: (ROWS, {"units": 3, **DROPS}) for name in ("GRUCell", "LSTMCell", "SimpleRNNCell")},
}  # fmt: skip

# Other values by the name of the argument, and where these are not what is taken, by the class and the name.
OTHERS = {
    "activation": ["sigmoid", "tanh", "relu"], "recurrent_activation": ["tanh"], "trainable": [False],
    "dtype": ["float16"], "input_shape": [(3,)], "activity_regularizer": ["l2"], "axis": [1],
    "data_format": ["channels_first"], "padding": ["same", ((1, 2), (0, 1)), (1, 2), 3], "strides": [1, 2],
    "dilation_rate": [2], "groups": [2, 1], "output_padding": [1, 0], "depth_multiplier": [2], "pool_size": [3],
    "keepdims": [True], "seed": [5], "noise_shape": [(1, 6), (None, 1)], "mask_zero": [True],
    "weights": [np.ones((4, 2))], "arguments": [{"negative_slope": 0.7}],
    "output_shape": [(5,)], "mask": [lambda x, mask=None: np.ones(4, bool)], "merge_mode": ["sum", None],
    "backward_layer": [lambda: L.GRU(2, "relu", go_backwards=True)],
    "layer": [lambda: L.GRU(3), lambda: L.Dense(3)], "cell": [lambda: L.GRUCell(3)],
    "cells": [lambda: [L.GRUCell(3)]], "interpolation": ["bilinear"], "size": [3], "cropping": [2, ((0, 1), (1, 0))],
    "dims": [(1, 2)], "target_shape": [(3, 2)], "function": [nn.activations.elu, np.sin], "score_mode": ["concat"],
    "max_value": [0.5], "mean": [3.0], "variance": [5.0], "invert": [True], "attention_axes": [1],
    "kernel_size": [1], "batch_shape": [(2, 6)], "batch_size": [2], "shape": [(7,)], "mask_value": [1.0],
    "value_dim": [5], "sliding_window": [1], "use_gate": [True], "stateful": [True],
    "normalize": [True], "axes": [(1, 1)], "rate": [0.25],
}  # fmt: skip

MADE = {"layer", "cell", "cells", "backward_layer"}  # anew each time, for they keep their weights

# What means nothing here and says so in its docstring, or names the thing only.
SAYS_SO = {"unroll", "attention_axes", "name"}


def others(name, default):
    """Values that are not the default."""
    if name in OTHERS:
        return OTHERS[name]
    if name.endswith("_initializer"):
        return [nn.initializers.RandomUniform(-0.3, 0.3, seed=3)]
    if name.endswith("_regularizer"):
        return ["l1"]
    if name.endswith("_constraint"):
        return [nn.constraints.MaxNorm(0.01)]
    if isinstance(default, bool):
        return [not default]
    if isinstance(default, int):
        return [default + 1]
    return [0.25 if default is None else default / 2 or 0.25]


def flat(value):
    """What came out, as bytes with shapes and dtypes, so that it can be compared."""
    return [(np.shape(a), str(np.asarray(a).dtype), np.asarray(a).tobytes()) for a in map(plain, tree.leaves(value))]


def behaviour(cls, given, x):
    """All that can be seen of a layer: what it gives, its masks, weights, penalties, and what a step makes of it."""
    nn.utils.set_random_seed(1)
    layer = cls(**{k: v() if k in MADE else v for k, v in given.items()})
    nn.utils.set_random_seed(2)
    more = {}
    if "Cell" in cls.__name__:
        more = {"states": tree.map(lambda s: s + 0.5, layer.get_initial_state(len(x)))}
    if cls.__name__ == "MultiHeadAttention":
        more = {"value": x}
    if cls.__name__ == "Attention":
        more = {"mask": [None, np.arange(5) < np.array([[5], [2], [3], [1]])]}
    if cls.__name__ in ("GRU", "LSTM", "SimpleRNN", "RNN", "Bidirectional", "TimeDistributed", "Softmax"):
        more = {"mask": (np.arange(5) < np.array([[5], [2], [3], [1]]))}
        if cls.__name__ == "Softmax":
            more = {"mask": SERIES > 0}
    seen = []
    for training in (False, True, False):
        with nn.layers.calling.a_step(training):
            y = layer(x, training=training, **more)
            loss = sum((np.sum(v * v) for v in tree.leaves(y)), 0) + sum(layer.losses, 0)
        seen += [flat(y), flat(nn.masks.mask_of(y)), flat(loss)]
        if training and layer.trainable_weights:
            for w in layer.weights:
                w.grad = None
            loss.backward()
            grads = [w.grad for w in layer.trainable_weights]
            if any(g is not None for g in grads):
                nn.optimizers.SGD(0.01).apply(grads, layer.trainable_weights)
    told = None
    if "Cell" not in cls.__name__ and "Attention" not in cls.__name__:
        told = nn.layers.symbolic.shape_of(layer.compute_output_spec(symbol(x)))
    shapes = repr((layer.input_shape, getattr(layer, "batch_shape", None), told))
    return [*seen, flat(layer.get_weights()), layer.dtype.name, shapes, len(layer.trainable_weights)]


def symbol(x):
    """A value like this that is not computed yet."""
    if isinstance(x, list):
        return [symbol(one) for one in x]
    return nn.KerasTensor((None, *np.shape(x)[1:]), plain(x).dtype)


def look(do):
    """What came, or that it was refused."""
    try:
        return do()
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        return type(error).__name__, str(error)


INPUTS = {1: SERIES, 2: IMAGES}


@pytest.mark.filterwarnings(
    "ignore:no gradient came", "ignore:.*was given values with a mask", "ignore:overflow", "ignore:invalid value"
)
@pytest.mark.parametrize("cls", L.CLASSES, ids=lambda cls: cls.__name__)
def test_each_argument_of_a_layer_changes_something_or_is_refused(cls):
    name = cls.__name__
    dims = next((n for n in INPUTS if f"{n}D" in name), None)
    usual_input = [SERIES, 1 - SERIES] if issubclass(cls, merging.Merge) else ROWS if dims is None else INPUTS[dims]
    x, given = LAYERS.get(name, (usual_input, {}))
    usual = behaviour(cls, given, x)
    assert behaviour(cls, given, x) == usual
    ignored = []
    for argument in config.arguments(cls):
        if argument in SAYS_SO or (argument == "trainable" and not usual[-1]):
            continue
        default = given.get(argument, default_of(cls, argument))
        found = [look(lambda v=v, a=argument: behaviour(cls, {**given, a: v}, x)) for v in others(argument, default)]
        if all(f == usual for f in found):
            ignored.append(argument)
    assert not ignored, f"{name}: {ignored}"


# -- what is no layer ----------------------------------------------------------------------------------------

TARGETS, GUESSES = np.eye(3)[rng.integers(0, 3, 300)], rng.random((300, 3)) * 0.8 + 0.1
WEIGHTS = rng.random(300)
SHAPE = (6, 5)


def of_pair(thing, name):
    """What a loss or a metric makes of two batches."""
    y = np.argmax(TARGETS, -1) if "Sparse" in name else TARGETS
    args = (GUESSES,) if name in ("Mean", "Sum") else (y, GUESSES)
    found = [thing(*args), thing(*args, sample_weight=WEIGHTS if args[1:] else None)]
    return [flat(found), getattr(thing, "direction", None), [v.dtype.name for v in getattr(thing, "variables", ())]]


def of_optimizer(optimizer, name):
    """What an optimizer makes of variables in eight steps."""
    variables = [nn.Variable(np.linspace(-2, 2, 6).reshape(2, 3).astype("float32")), nn.Variable(np.ones(2, "float32"))]
    seen = []
    for step in range(8):
        gradients = [np.cos(step + 3 * plain(v)).astype("float32") * 0.5 for v in variables]
        optimizer.apply(gradients, variables)
        seen += [flat(variables), float(optimizer.learning_rate)]
    optimizer.finalize_variable_values(variables)
    return [*seen, flat(variables)]


def of_schedule(schedule, name):
    return [float(schedule(step)) for step in range(0, 40, 3)]


def of_weight(thing, name):
    """What an initializer makes of a shape, a regularizer or a constraint of a weight."""
    nn.utils.set_random_seed(3)
    weight = (np.linspace(-2, 2, 30).reshape(SHAPE) * np.geomspace(0.01, 1, 5)).astype("float32")
    return flat(thing(SHAPE) if isinstance(thing, nn.initializers.Initializer) else thing(weight))


ROOMS = {
    "losses": (nn.losses, nn.losses.Loss, of_pair), "metrics": (nn.metrics, nn.metrics.Metric, of_pair),
    "optimizers": (nn.optimizers, nn.optimizers.Optimizer, of_optimizer),
    "schedules": (nn.optimizers.schedules, nn.optimizers.schedules.LearningRateSchedule, of_schedule),
    "initializers": (nn.initializers, nn.initializers.Initializer, of_weight),
    "regularizers": (nn.regularizers, nn.regularizers.Regularizer, of_weight),
    "constraints": (nn.constraints, nn.constraints.Constraint, of_weight),
}  # fmt: skip
NEEDED = {
    "initial_learning_rate": 0.1, "decay_steps": 12, "decay_rate": 0.5, "first_decay_steps": 7,
    "boundaries": [5, 20], "values": [0.1, 0.05, 0.01], "fn": nn.losses.huber, "warmup_steps": 5,
    "momentum": 0.5, "centered": True, "use_ema": True, "warmup_target": 0.3, "power": 2.0,
}  # fmt: skip
ELSE = {
    "fn": [nn.losses.log_cosh], "reduction": ["sum"], "from_logits": [True], "label_smoothing": [0.2],
    "axis": [0, 1], "epsilon": [0.1],
    "curve": ["PR"], "summation_method": ["majoring"], "thresholds": [0.3, [0.3, 0.6]], "threshold": [0.3],
    "top_k": [1], "class_id": [1], "k": [1], "ignore_class": [0], "num_thresholds": [5], "multi_label": [True],
    "class_aggregation": [None], "num_regressors": [1], "average": ["macro"], "boundaries": [[9, 20]],
    "values": [[0.2, 0.05, 0.01]],
    "input_axes": [[0]], "output_axes": [[1]], "mode": ["fan_out"], "distribution": ["uniform"], "value": [0.5],
    "initial_learning_rate": [0.3], "dtype": ["float16"],
    "learning_rate": [0.3], "clipnorm": [0.1], "clipvalue": [0.1], "global_clipnorm": [0.1], "seed": [5],
    "gradient_accumulation_steps": [2], "ema_overwrite_frequency": [3], "cycle": [True], "label_weights": [
    [0.2, 0.3, 0.5]], "num_labels": [3], "warmup_steps": [9], "warmup_target": [0.7], "alpha": [0.3],
    "momentum": [0.25],
    "max_value": [0.5], "min_value": [0.4], "end_learning_rate": [0.05], "m_mul": [0.5], "t_mul": [1.0], "rho": [0.5],
}  # fmt: skip


def default_of(cls, argument):
    """What an argument is where nothing is said, of a class above too."""
    found = (inspect.signature(base.__init__).parameters.get(argument) for base in cls.__mro__)
    return next((p.default for p in found if p is not None), None)


def offered(room):
    """The classes of a room, but its base classes."""
    module, base, _ = ROOMS[room]
    found = {getattr(module, n) for n in module.__all__}
    return sorted(
        (c for c in found if isinstance(c, type) and issubclass(c, base) and c is not base), key=lambda c: c.__name__
    )


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.filterwarnings("ignore:.*was told from_logits", "ignore:overflow")
def test_each_argument_of_everything_else_changes_something_or_is_refused(room):
    ignored = []
    for cls in offered(room):
        parameters = config.arguments(cls)
        needed = {n for n, p in inspect.signature(cls).parameters.items() if p.default is p.empty}
        given = {
            n: NEEDED[n] for n in parameters if n in NEEDED and (n in needed or room in ("optimizers", "schedules"))
        }

        def came(more, cls=cls, given=given):
            return look(lambda: ROOMS[room][2](cls(**{**given, **more}), cls.__name__))

        usual = came({})
        assert usual == came({}), cls
        for argument in parameters:
            values = (
                []
                if argument in SAYS_SO
                else ELSE.get(argument) or others(argument, given.get(argument, default_of(cls, argument)))
            )
            if (
                argument not in SAYS_SO
                and (room, argument) != ("metrics", "dtype")
                and all(came({argument: v}) == usual for v in values)
            ):
                ignored.append(f"{cls.__name__}: {argument}")
    assert not ignored, ignored


# -- callbacks, and what a model and its helpers are told ----------------------------------------------------

C, U = nn.callbacks, nn.utils
FALLING = [3.0, 2.0, 2.05, 1.9, 2.5, 2.6, 2.7]


def in_a_folder(do, folder):
    """What comes, what is printed but for times, and which files there are."""
    folder.mkdir(exist_ok=True)
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()) as printed:
        nn.utils.set_random_seed(0)
        found = look(do)
        files = [
            (str(path).split("tfevents")[0], path.stat().st_size, path.read_bytes() if path.suffix == ".csv" else None)
            for path in sorted(Path().rglob("*"))
            if path.is_file()
        ]
    shutil.rmtree(folder)
    return found, re.sub(r"[\d.]+(us|ms|s)\b", "", printed.getvalue()), files


def ignored(do, given, values, signature, folder, but=()):
    """The arguments of which no other value changes anything."""
    told = [n for n in inspect.signature(signature).parameters if n not in ("self", "unknown", "others", "kwargs")]
    assert not set(told) - {*values, *but}, "an argument that is not tried"

    def came(**more):
        return in_a_folder(partial(do, **{**given, **more}), folder)

    usual = came()
    assert usual == came(), "it differs from run to run"
    return [name for name, others_ in values.items() if all(came(**{name: value}) == usual for value in others_)]


def small(**compiled):
    """A model with names of its own, so that its files are as long each time."""
    nn.utils.set_random_seed(1)
    layers = nn.Input(shape=(3,), name="i"), L.Dense(4, own, name="a"), L.Dense(1, "sigmoid", name="b")
    model = nn.Sequential(layers, name="small")
    model.compile(**{"optimizer": nn.optimizers.SGD(name="s"), "loss": "mse", **compiled})
    return model


def own(x):
    return np.tanh(x)


def of_callback(cls, losses=FALLING, **given):
    """What a callback does in a training of which only the measured numbers are made up."""
    Path("log.csv").write_text("epoch,loss\n0,1\n")
    model = small(run_eagerly=True)  # nothing is recorded for a few steps
    model.history, model.stop_training = C.History(), False
    callback = cls(**{name: value(model) if name == "model" else value for name, value in given.items()})
    told = C.CallbackList([model.history, callback], model, epochs=len(losses), steps=2, verbose=0)
    told.tell("on_train_begin", {})
    seen = []
    for epoch, loss in enumerate(losses):
        told.tell("on_epoch_begin", epoch, {})
        for batch in range(2):
            told.tell("on_train_batch_begin", batch, {})
            model.train_on_batch(ROWS[:, :3], np.full(4, epoch, "float32"))
            told.tell("on_train_batch_end", batch, {"loss": loss + batch / 8})
        told.tell("on_epoch_end", epoch, {"loss": -loss, "val_loss": loss, "accuracy": -loss})
        seen.append((model.stop_training, float(model.optimizer.learning_rate), sorted(map(str, Path().rglob("*.a*")))))
        if model.stop_training:
            break
    told.tell("on_train_end", {})
    return seen, flat(model.get_weights()), getattr(callback, "places", None), getattr(callback, "layers", None)


CALLBACKS = {
    C.BackupAndRestore: ({"backup_dir": "b"}, {
        "backup_dir": ["c"], "save_freq": [3], "double_checkpoint": [True], "delete_checkpoint": [False]}),
    C.CSVLogger: ({"filename": "log.csv"}, {"filename": ["other.csv"], "separator": [";"], "append": [True]}),
    C.EarlyStopping: ({"patience": 3, "verbose": 1}, {
        "monitor": ["loss"], "min_delta": [2.0], "patience": [1], "verbose": [0], "mode": ["max"], "baseline": [0.1],
        "restore_best_weights": [True], "start_from_epoch": [5]}),
    C.LearningRateScheduler: ({"schedule": lambda e, r: r / 2}, {"schedule": [lambda e: 0.3], "verbose": [1]}),
    C.ModelCheckpoint: ({"filepath": "m{epoch}.autograd", "save_best_only": True}, {
        "filepath": ["n.autograd"], "monitor": ["loss"], "verbose": [1], "save_best_only": [False],
        "save_weights_only": [True], "mode": ["max"], "save_freq": [3], "initial_value_threshold": [2.5]}),
    C.ReduceLROnPlateau: ({"patience": 1, "verbose": 1}, {
        "monitor": ["loss"], "factor": [0.5], "patience": [2], "verbose": [0], "mode": ["max"], "min_delta": [1.0],
        "cooldown": [2], "min_lr": [0.05]}),
    C.TensorBoard: ({"log_dir": "logs", "histogram_freq": 1}, {
        "log_dir": ["other"], "histogram_freq": [0, 2], "write_graph": [False], "write_images": [True],
        "write_steps_per_second": [True], "update_freq": ["batch", 2], "profile_batch": [1], "embeddings_freq": [1],
        "embeddings_metadata": ["words.tsv"]}),
    C.TerminateOnNaN: ({"losses": [1.0, np.nan, 2.0]}, {"raise_error": [True]}),
    C.Watch: ({"model": lambda m: m}, {"model": [lambda m: m.layers[1]], "every": [3]}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:ModelCheckpoint watches 'val_loss'")
def test_each_argument_of_a_callback_changes_something_or_is_refused(judge, tmp_path):
    judge("tensorboardX")
    rest = {C.Callback, C.CallbackList, C.History, C.LambdaCallback}  # which are told nothing, or functions alone
    assert {c for c in map(C.__dict__.get, C.__all__) if isinstance(c, type)} == {*CALLBACKS, *rest}
    for cls, (given, values) in CALLBACKS.items():
        found = ignored(partial(of_callback, cls), given, values, cls, tmp_path / "f")
        assert not found, (cls, found)
    told = [name for name in vars(C.Callback) if name.startswith("on_")]
    for event in told:
        assert getattr(C.LambdaCallback(**{event: lambda *args: args}), event)(1, {}) == (1, {}), event


class Told(C.Callback):
    def __init__(self):
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append((batch, dict(logs)))

    def on_test_batch_end(self, batch, logs=None):
        self.seen.append((batch, dict(logs)))

    def on_predict_batch_end(self, batch, logs=None):
        self.seen.append((batch, flat(logs["outputs"])))

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append((epoch, dict(logs)))


def printing(event):
    return C.LambdaCallback(**{event: lambda *args: print("told")})


X, Y, EACH = rng.normal(size=(8, 3)).astype("float32"), (np.arange(8) % 2).astype("float32"), np.linspace(0.5, 2, 8)
CLASSES = {0: 2.0, 1: 1.0}


def compiled_with(**given):
    model, told = small(**given), Told()
    model.fit(X, Y, batch_size=2, epochs=2, sample_weight=EACH, verbose=0, callbacks=[told])
    eager = [w.grad is None for w in model.weights]
    return told.seen, flat(model.get_weights()), eager, model.schedule.replayed


def doing(what, **given):
    """What a method for all data, or for a batch, gives and tells callbacks, and what it makes of the weights."""
    model, told = small(weighted_metrics=["mae"]), Told()
    if "on_batch" not in what:
        given = {**given, "callbacks": [*given.get("callbacks", []), told]}
    found = getattr(model, what)(**given)
    found = flat(found) if isinstance(found, np.ndarray) else getattr(found, "history", found)
    return found, told.seen, flat(model.get_weights())


ON_ALL = {"x": [X * 2], "batch_size": [2], "verbose": [1, 2]}
WITH_TARGETS = {"y": [1 - Y], "sample_weight": [EACH]}
METHODS = {
    "fit": ({"x": X, "y": Y, "validation_data": (X[:5], Y[:5]), "verbose": 0, "epochs": 2, "batch_size": 4}, {
        **ON_ALL, **WITH_TARGETS, "epochs": [1], "callbacks": [[printing("on_epoch_end")]], "validation_data": [None],
        "shuffle": [False], "class_weight": [CLASSES], "initial_epoch": [1], "steps_per_epoch": [1],
        "validation_steps": [1], "validation_batch_size": [2], "validation_freq": [2]}),
    "evaluate": ({"x": X, "y": Y, "verbose": 0, "batch_size": 4}, {
        **ON_ALL, **WITH_TARGETS, "steps": [1], "callbacks": [[printing("on_test_end")]], "return_dict": [True]}),
    "predict": ({"x": X, "verbose": 0, "batch_size": 4}, {
        **ON_ALL, "steps": [1], "callbacks": [[printing("on_predict_end")]]}),
    "train_on_batch": ({"x": X, "y": Y}, {
        "x": [X * 2], **WITH_TARGETS, "class_weight": [CLASSES], "return_dict": [True]}),
    "test_on_batch": ({"x": X, "y": Y}, {"x": [X * 2], **WITH_TARGETS, "return_dict": [True]}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*steps_per_epoch")
def test_each_argument_of_a_training_changes_something_or_is_refused(tmp_path):
    values = {
        "optimizer": ["adam"], "loss": ["mae"], "loss_weights": [0.5], "metrics": [["mae"]],
        "weighted_metrics": [["mae"]], "run_eagerly": [True], "steps_per_execution": [2], "jit_compile": [True],
    }  # fmt: skip
    assert not ignored(compiled_with, {}, values, nn.Model.compile, tmp_path / "f")
    for what, (given, values) in METHODS.items():
        # The data for validation win over a share of the others, as in Keras.
        method = getattr(nn.Model, what)
        found = ignored(partial(doing, what), given, values, method, tmp_path / "f", {"validation_split"})
        assert not found, (what, found)
    given = {"x": X, "y": Y, "verbose": 0}
    assert not ignored(partial(doing, "fit"), given, {"validation_split": [0.25]}, lambda: 0, tmp_path / "f")


class Mine(L.Layer):
    def call(self, x):
        return x


INNER = nn.Sequential([nn.Input(shape=(3,)), L.Dense(2, name="in")], name="inner")
BIG = nn.Sequential([nn.Input(shape=(3,)), INNER, L.Dense(1, "relu", name="last", trainable=False)], name="big")
NETWORK = nn.Model(begin := nn.Input(shape=(3,), name="begin"), L.Dense(1, name="end")(INNER(begin)), name="network")
STATE = nn.utils.to_torch_state_dict(INNER)
DESCRIBED = {**nn.utils.serialize_keras_object(Mine(name="mine")), "registered_name": "Mine"}
OF_MINE = nn.Sequential([nn.Input(shape=(3,)), Mine(name="mine")]).to_json()


class Batches(U.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return X, Y


def bar(**given):
    """A bar in what says that it is a terminal, with no time between two drawings."""
    sys.stdout.isatty = lambda: True
    shown = U.Progbar(**{"interval": 0.0, **given})
    for step in range(1, 4):
        shown.update(step, [("loss", step)])


def saved(method, **given):
    model = small()
    Path(given["there"]).write_bytes(b"something else")
    getattr(model, method)(**{name: value for name, value in given.items() if name != "there"})


def loaded(end, **given):
    small().save_weights(f"w{end}")
    other = nn.Sequential([nn.Input(shape=(3,), name="i"), L.Dense(4, name="a"), L.Dense(2, name="b")], name="s")
    other.load_weights(**given)
    return flat(other.get_weights())


def model_loaded(end, **given):
    layers = {"plain": L.Dense(2, name="d"), "mine": Mine(name="m"), "compiled": L.Dense(2, name="d")}
    for name, layer in layers.items():
        model = nn.Sequential([nn.Input(shape=(3,), name="i"), layer], name="s")
        if name == "compiled":
            model.compile(nn.optimizers.SGD(name="s"), "mse")
        model.save(name + end)
    model = nn.models.load_model(**given)
    return model.compiled, [layer.name for layer in model.layers]


def changed(**given):
    """A weight of a layer, after a step, and what it adds to the loss."""
    layer = L.Layer(name="l")
    weight = layer.add_weight(**given)
    if weight.trainable:
        nn.optimizers.SGD(0.5).apply([np.ones(weight.shape, "float32")], [weight])
    return flat(weight), weight.trainable, weight.path, flat(layer.losses)


def specified(**given):
    """Which inputs a layer takes."""
    layer = Mine(name="m")
    layer.input_spec = nn.InputSpec(**given)
    return [look(lambda x=x: layer(x).shape) for x in (X, X[None], X.astype("int32"), X[:, :2], X[0])]


def made(cls, *shown, **given):
    thing = cls(**given)
    return [flat(v) if hasattr(v := getattr(thing, name), "dtype") else repr(v) for name in shown]


def cloned(**given):
    model = nn.models.clone_model(**given)
    return [(layer.name, getattr(layer, "units", None)) for layer in model.layers], model.input_shape


def speaking(layer, *args, **kwargs):
    print(layer.name)
    return layer(*args, **kwargs) if args else type(layer).from_config(layer.get_config())


def drawn(**given):
    U.plot_model(BIG, **given)
    return [Path(file).read_text(errors="replace") for file in sorted(os.listdir())]


def registered(**given):
    class Named(L.Layer):
        pass

    return U.serialize_keras_object(U.register_keras_serializable(**given)(Named)(name="n"))["registered_name"]


# What is called, what it is told, the other values, and where its arguments are told apart.
CALLS = {
    "summary": (BIG.summary, {"line_length": 80}, {
        "line_length": [40], "positions": [[0.3, 0.6, 1.0]], "print_fn": [lambda line: print("!", line)],
        "expand_nested": [True], "show_trainable": [True], "layer_range": [["last", "last"]]}, nn.Model.summary),
    "get_layer": (lambda **given: BIG.get_layer(**given).name, {"name": "last"}, {
        "name": ["inner"], "index": [0]}, nn.Model.get_layer),
    **{f"{method} {name}": (partial(saved, method), {"filepath": name, "there": name}, {
        "filepath": [f"another.{name.split('.', 1)[1]}"], "overwrite": [False],
        **({"zipped": [False]} if method == "save" else {})}, getattr(nn.Model, method))
       for method, name in (("save", "m.keras"), ("save", "m.autograd"), ("save_weights", "m.weights.h5"),
                            ("save_weights", "m.autograd"))},
    **{f"load_weights {end}": (partial(loaded, end), {"filepath": f"w{end}"}, {
        "filepath": [f"no{end}"], "skip_mismatch": [True]}, nn.Model.load_weights)
       for end in (".weights.h5", ".autograd")},
    **{f"load_model {what}{end}": (partial(model_loaded, end), {"filepath": what + end}, {
        "filepath": [f"plain{end}"], **values}, nn.models.load_model)
       for end in (".keras", ".autograd")
       for what, values in (("compiled", {"compile": [False]}), ("mine", {"custom_objects": [{"Mine": Mine}]}))},
    "model_from_json": (lambda **given: nn.models.model_from_json(**given).layers[-1].name, {"json_string": OF_MINE}, {
        "json_string": [INNER.to_json()], "custom_objects": [{"Mine": Mine}]}, nn.models.model_from_json),
    "clone_model": (cloned, {"model": NETWORK, "clone_function": speaking}, {
        "model": [INNER], "input_tensors": [nn.Input(batch_shape=(7, 3))], "clone_function": [None],
        "call_function": [speaking], "recursive": [True]}, nn.models.clone_model),
    "plot_model": (drawn, {"to_file": "m.dot"}, {
        "to_file": ["n.dot"], "show_shapes": [True], "show_dtype": [True], "show_layer_names": [True],
        "rankdir": ["LR"], "expand_nested": [True], "show_layer_activations": [True], "show_trainable": [True],
        "splines": ["curved"]}, U.plot_model),
    "to_categorical": (lambda **given: flat(U.to_categorical(**given)), {"x": [0, 1, 2]}, {
        "x": [[1]], "num_classes": [5]}, U.to_categorical),
    "normalize": (lambda **given: flat(U.normalize(**given)), {"x": X}, {
        "x": [X + 1], "axis": [0], "order": [1]}, U.normalize),
    "pad_sequences": (lambda **given: flat(U.pad_sequences(**given)), {"sequences": [[1, 2, 3, 4], [5]], "maxlen": 3}, {
        "sequences": [[[1]]], "maxlen": [4], "dtype": ["float32"], "padding": ["post"], "truncating": ["post"],
        "value": [9]}, U.pad_sequences),
    "Progbar": (bar, {"target": 3}, {
        "target": [4], "width": [7], "verbose": [2], "interval": [1e3], "stateful_metrics": [["loss"]],
        "stateless_metrics": [["another"]], "unit_name": ["epoch"]}, U.Progbar),
    "register_keras_serializable": (registered, {}, {"package": ["P"], "name": ["N"]}, U.register_keras_serializable),
    "deserialize_keras_object": (lambda **given: U.deserialize_keras_object(**given).name, {"config": DESCRIBED}, {
        "config": [U.serialize_keras_object(L.Dense(2, name="d"))], "custom_objects": [{"Mine": Mine}],
        }, U.deserialize_keras_object),
    "to_torch_state_dict": (lambda **given: sorted(U.to_torch_state_dict(**given)), {"model": INNER}, {
        "model": [BIG], "names": [["w"]]}, U.to_torch_state_dict),
    "from_torch_state_dict": (
        lambda **given: (U.from_torch_state_dict(**given), flat(INNER.get_weights())),
        {"model": INNER, "state": STATE}, {
        "model": [BIG], "state": [{k: v * 2 for k, v in STATE.items()}], "names": [["w"]]}, U.from_torch_state_dict),
    "PyDataset": (lambda **given: small().fit(Batches(**given), verbose=0).history, {}, {
        "workers": [2], "use_multiprocessing": [True]}, U.PyDataset),
    "Variable": (partial(made, nn.Variable, "data", "trainable", "name"), {
        "initializer": "ones", "shape": (2,), "name": "n"}, {
        "initializer": ["zeros"], "shape": [(3,)], "dtype": ["float16"], "trainable": [False], "name": ["m"],
        "aggregation": ["another"], "synchronization": ["never"]}, nn.Variable),
    "Input": (partial(made, nn.Input, "shape", "dtype", "name"), {"shape": (2,), "name": "i"}, {
        "shape": [(3,)], "batch_size": [4], "dtype": ["int32"], "batch_shape": [(None, 2)], "name": ["j"],
        "sparse": [True], "ragged": [True], "tensor": [1], "optional": [True]}, nn.Input),
    "KerasTensor": (partial(made, nn.KerasTensor, "shape", "dtype", "name"), {"shape": (None, 2), "name": "k"}, {
        "shape": [(2,)], "dtype": ["float16"], "name": ["m"]}, nn.KerasTensor),
    "InputSpec": (specified, {}, {
        "dtype": ["int32"], "shape": [(8, 3)], "ndim": [3], "max_ndim": [2], "min_ndim": [2], "axes": [{-1: 2}],
        }, nn.InputSpec),
    "Layer.add_weight": (changed, {"shape": (2,)}, {
        "shape": [(3,)], "initializer": ["ones"], "dtype": ["float16"], "trainable": [False], "regularizer": ["l2"],
        "constraint": [nn.constraints.MaxNorm(0.1)], "aggregation": ["another"], "name": ["n"]}, L.Layer.add_weight),
    **{f"Metric.{method}": (partial(made, getattr(nn.metrics.Mean(name="m"), method), "data", "path"), {}, {
        "shape": [(3,)], "initializer": ["ones"], "dtype": ["float16"], "name": ["n"],
        **({"aggregation": ["another"]} if method == "add_variable" else {})}, getattr(nn.Metric, method))
       for method in ("add_weight", "add_variable")},
    "Loss": (lambda **given: flat(nn.losses.MeanSquaredError()(**given)), {"y_true": Y, "y_pred": Y / 2 + 0.1}, {
        "y_true": [Y * 2], "y_pred": [Y], "sample_weight": [EACH]}, nn.losses.Loss.__call__),
}  # fmt: skip

# Code in a file is never run, whether that is allowed or not; no queue is needed by one worker, as in Keras; and the
# number of dots in an inch is seen in a picture of dots alone. Values have one dtype, so autocast has nothing to cast.
SAID = {"autocast", "safe_mode", "max_queue_size", "dpi", "model", "custom_objects", "compile"}


@pytest.mark.filterwarnings("ignore:w.*expected weights of shapes", "ignore:w.*has weights of other shapes")
def test_each_argument_of_a_helper_changes_something_or_is_refused(judge, tmp_path):
    judge("h5py")
    judge("graphviz")
    for name, (call, given, values, signature) in CALLS.items():
        found = ignored(call, given, values, signature, tmp_path / "f", SAID)
        assert not found, (name, found)


FUNCTIONS = [
    (room, name)
    for room in (nn.activations, nn.losses, nn.metrics)
    for name in room.__all__
    if inspect.isfunction(getattr(room, name)) and name not in ("get", "serialize", "deserialize")
]


@pytest.mark.filterwarnings("ignore:.*was told from_logits", "ignore:invalid value", "ignore:divide by zero")
def test_each_argument_of_a_function_changes_something_or_is_refused():
    def came(function, args, **more):
        return look(lambda: flat(function(*args, **more)))

    nothing = []
    for room, name in FUNCTIONS:
        function = getattr(room, name)
        parameters = inspect.signature(function).parameters
        args = (
            (3 * ROWS,)
            if room is nn.activations
            else (np.argmax(TARGETS, -1) if "sparse" in name else TARGETS, GUESSES)
        )
        usual = came(function, args)
        for argument, parameter in list(parameters.items())[len(args) :]:
            values = ELSE.get(argument) or others(argument, parameter.default)
            if all(came(function, args, **{argument: value}) == usual for value in values):
                nothing.append(f"{name}: {argument}")
    assert len(FUNCTIONS) > 40
    assert not nothing, nothing
