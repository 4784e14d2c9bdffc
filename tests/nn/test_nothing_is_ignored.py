"""No argument is taken and does nothing: each one that is not at its default changes what happens, or is refused."""

from __future__ import annotations

import inspect

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
    "value_dim": [5], "stateful": [True], "normalize": [True], "axes": [(1, 1)], "rate": [0.25],
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
    return nn.KerasTensor((None, *np.shape(x)[1:]), plain(x).dtype)


def look(do):
    """What came, or that it was refused."""
    try:
        return do()
    except (ValueError, TypeError) as error:
        return type(error).__name__, str(error)


KINDS = [cls for cls in L.CLASSES if not issubclass(cls, merging.Merge)]
INPUTS = {1: SERIES, 2: IMAGES}


@pytest.mark.filterwarnings(
    "ignore:no gradient came", "ignore:.*was given values with a mask", "ignore:overflow", "ignore:invalid value"
)
@pytest.mark.parametrize("cls", KINDS, ids=lambda cls: cls.__name__)
def test_each_argument_of_a_layer_changes_something_or_is_refused(cls):
    name = cls.__name__
    dims = next((n for n in INPUTS if f"{n}D" in name), None)
    x, given = LAYERS.get(name, (ROWS if dims is None else INPUTS[dims], {}))
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
