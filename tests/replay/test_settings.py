"""Every setting of everything of ours, changed in mid-training: replayed and eager stay equal."""

from __future__ import annotations

import functools
import inspect
import signal
import sys

import numpy as np
import pytest

import nn
from autograd_core.replay import freeze
from nn import config, layers, losses, optimizers, regularizers
from nn.optimizers import schedules

rng = np.random.default_rng(0)
X = rng.normal(size=(8, 6)).astype(np.float32)
IMAGES = rng.normal(size=(8, 8, 8, 2)).astype(np.float32)
SIGNALS = rng.normal(size=(8, 9, 2)).astype(np.float32)
WORDS = rng.integers(0, 9, (8, 4))
CLASSES = rng.integers(0, 3, 8)

# One of each kind of layer, and its input.
LAYERS = {
    "Activation": (X, lambda: layers.Activation("relu")),
    "AveragePooling1D": (SIGNALS, lambda: layers.AveragePooling1D(2)),
    "AveragePooling2D": (IMAGES, lambda: layers.AveragePooling2D(2)),
    "BatchNormalization": (X, lambda: layers.BatchNormalization()),
    "Conv1D": (SIGNALS, lambda: layers.Conv1D(4, 3)),
    "Conv2D": (IMAGES, lambda: layers.Conv2D(4, 3)),
    "Dense": (X, lambda: layers.Dense(4, "tanh", kernel_regularizer="l2")),
    "Dropout": (X, lambda: layers.Dropout(0.4, seed=3)),
    "Embedding": (WORDS, lambda: layers.Embedding(9, 5)),
    "Flatten": (IMAGES, lambda: layers.Flatten()),
    "GlobalAveragePooling1D": (SIGNALS, lambda: layers.GlobalAveragePooling1D()),
    "GlobalAveragePooling2D": (IMAGES, lambda: layers.GlobalAveragePooling2D()),
    "GlobalMaxPooling1D": (SIGNALS, lambda: layers.GlobalMaxPooling1D()),
    "GlobalMaxPooling2D": (IMAGES, lambda: layers.GlobalMaxPooling2D()),
    "Lambda": (X, lambda: layers.Lambda(nn.activations.leaky_relu, arguments={"negative_slope": 0.1})),
    "LayerNormalization": (X, lambda: layers.LayerNormalization()),
    "LeakyReLU": (X, lambda: layers.LeakyReLU()),
    "MaxPooling1D": (SIGNALS, lambda: layers.MaxPooling1D(2)),
    "MaxPooling2D": (IMAGES, lambda: layers.MaxPooling2D(2)),
    "Rescaling": (X, lambda: layers.Rescaling(0.5, 1.0)),
    "Reshape": (X, lambda: layers.Reshape((3, 2))),
    "Softmax": (X, lambda: layers.Softmax()),
    "ZeroPadding1D": (SIGNALS, lambda: layers.ZeroPadding1D(1)),
    "ZeroPadding2D": (IMAGES, lambda: layers.ZeroPadding2D(1)),
    "Bidirectional": (SIGNALS, lambda: layers.Bidirectional(layers.SimpleRNN(2))),
    "Conv1DTranspose": (SIGNALS, lambda: layers.Conv1DTranspose(2, 3)),
    "Conv2DTranspose": (IMAGES, lambda: layers.Conv2DTranspose(2, 2)),
    "Cropping1D": (SIGNALS, lambda: layers.Cropping1D(1)),
    "Cropping2D": (IMAGES, lambda: layers.Cropping2D(1)),
    "DepthwiseConv1D": (SIGNALS, lambda: layers.DepthwiseConv1D(2)),
    "DepthwiseConv2D": (IMAGES, lambda: layers.DepthwiseConv2D(2)),
    "ELU": (X, lambda: layers.ELU(0.5)),
    "GRU": (SIGNALS, lambda: layers.GRU(2)),
    "GaussianNoise": (X, lambda: layers.GaussianNoise(0.3)),
    "GroupNormalization": (IMAGES, lambda: layers.GroupNormalization(1)),
    "Identity": (X, lambda: layers.Identity()),
    "LSTM": (SIGNALS, lambda: layers.LSTM(2)),
    "Masking": (SIGNALS, lambda: layers.Masking(0.0)),
    "Normalization": (X, lambda: layers.Normalization(mean=0.5, variance=2.0)),
    "Permute": (SIGNALS, lambda: layers.Permute((2, 1))),
    "RNN": (SIGNALS, lambda: layers.RNN(layers.GRUCell(2))),
    "ReLU": (X, lambda: layers.ReLU(1.0, 0.1)),
    "RepeatVector": (X, lambda: layers.RepeatVector(2)),
    "SeparableConv1D": (SIGNALS, lambda: layers.SeparableConv1D(2, 2)),
    "SeparableConv2D": (IMAGES, lambda: layers.SeparableConv2D(2, 2)),
    "SimpleRNN": (SIGNALS, lambda: layers.SimpleRNN(2)),
    "SpatialDropout1D": (SIGNALS, lambda: layers.SpatialDropout1D(0.3)),
    "SpatialDropout2D": (IMAGES, lambda: layers.SpatialDropout2D(0.3)),
    "TimeDistributed": (SIGNALS, lambda: layers.TimeDistributed(layers.Dense(2))),
    "UpSampling1D": (SIGNALS, lambda: layers.UpSampling1D(2)),
    "UpSampling2D": (IMAGES, lambda: layers.UpSampling2D(2)),
}
# Of several inputs: tests/nn/test_functional.py and test_layers.py. Of one step: those whose cells they are.
ELSEWHERE = {
    "Attention", "GRUCell", "InputLayer", "LSTMCell", "MultiHeadAttention", "Operation", "SimpleRNNCell",
    "StackedRNNCells",
}  # fmt: skip

# What else a setting may be, by its name; the others follow from what they are.
OTHERS = {
    "activation": ["sigmoid", nn.activations.softplus, "linear"],
    "function": [nn.activations.elu, nn.activations.tanh],
    "arguments": [{"negative_slope": 0.7}, {}],
    "axis": [-1, 1, [1]],
    "data_format": ["channels_first"],
    "dtype": ["float64"],
    "padding": ["same", "valid", 2],
    "strides": [1, 2],
    "dilation_rate": [1, 2],
    "pool_size": [3, 2],
    "target_shape": [(2, 3), (6,)],
    "noise_shape": [(None, 1)],
    "kernel_regularizer": ["l1", None, regularizers.L2(0.5)],
    "bias_regularizer": ["l1"],
    "loss": ["mae"],
    "reduction": ["sum", "mean_with_sample_weight"],
    "learning_rate": [0.3],
    "weight_decay": [0.1, None],
    "clipnorm": [0.01, None],
    "clipvalue": [0.01],
    "global_clipnorm": [0.01],
    "name": ["another"],
    "input_shape": [None],
}


def others(name, value):
    """Other values for a setting."""
    if name in OTHERS:
        return OTHERS[name]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1 if value > 1 else value + 2]
    if isinstance(value, float):
        return [value / 2, min(value * 1.5, 0.95) if value < 1 else value + 0.25]
    return [None, 0, 1.5]


def pair(make, loss, optimizer, metrics=lambda: None):
    """Two equal models, one replayed and one eager."""
    models = []
    for eagerly in (False, True):
        nn.utils.set_random_seed(1)
        x, layer = make()
        model = nn.Sequential([layers.Input(x.shape[1:]), layer, layers.Flatten(), layers.Dense(3, "softmax")])
        model.compile(optimizer(), loss(), metrics=metrics(), run_eagerly=eagerly)
        models.append(model)
    return models, x


def outcome(do):
    """What came of something: a value, or the kind and the text of an error."""
    try:
        return do()
    except Exception as error:
        return type(error).__name__, str(error)


def assert_equal_steps(models, x, y, n=6):
    for _ in range(n):
        state = nn.random.generator.bit_generator.state
        found = []
        for model in models:
            nn.random.generator.bit_generator.state = state
            found.append(outcome(lambda model=model: (model.train_on_batch(x, y), model.predict_on_batch(x).tolist())))
        named = [str(f).replace(models[0].name, "it").replace(models[1].name, "it") for f in found]
        if isinstance(found[0][0], str):  # an error, in which layers are counted
            assert isinstance(found[1][0], str)
            assert found[0][0] == found[1][0]
        else:
            assert named[0] == named[1]
        for a, b in zip(*(model.get_weights() for model in models), strict=True):
            np.testing.assert_array_equal(a, b)


def change_all(models, things, x, y):
    """Change each setting of two equal things in turn, with steps in between."""
    thing = things[0]
    for name in config.arguments(type(thing)):
        if not hasattr(thing, name) or name.endswith("_initializer"):
            continue
        for value in others(name, getattr(thing, name)):
            results = [outcome(lambda t=t, name=name, value=value: setattr(t, name, value)) for t in things]
            assert (results[0] is None) == (results[1] is None), (name, value, results)
            if results[0] is None:
                assert_equal_steps(models, x, y)
                before = [vars(t).get(name) for t in things]
                assert freeze.freeze(before[0], name).foreign is None, name


@pytest.mark.filterwarnings("ignore:.*was given values with a mask")  # the Flatten behind it
@pytest.mark.every(2)
@pytest.mark.parametrize("name", LAYERS)
def test_each_setting_of_a_layer(name):
    models, x = pair(lambda: (LAYERS[name][0], LAYERS[name][1]()), losses.SparseCategoricalCrossentropy, lambda: "adam")
    assert_equal_steps(models, x, CLASSES)
    assert models[0].schedule.replayed == {"gradient": True, "update": True}
    change_all(models, [model.layers[0] for model in models], x, CLASSES)


def test_no_layer_is_forgotten():
    offered = [getattr(layers, name) for name in layers.__all__]
    kinds = {cls for cls in offered if isinstance(cls, type) and issubclass(cls, layers.Layer)} - {layers.Layer}
    assert LAYERS.keys() == {cls.__name__ for cls in kinds if not issubclass(cls, layers.merging.Merge)} - ELSEWHERE


def dense():
    return X, layers.Dense(4, "tanh")


def dense_loss():
    return "sparse_categorical_crossentropy"


def classes(module, base):
    """The classes of that kind that a module offers: one that is added there is met here."""
    offered = {getattr(module, name) for name in module.__all__}
    found = (c for c in offered if isinstance(c, type) and issubclass(c, base) and c is not base)
    return sorted(found, key=lambda cls: cls.__name__)


@pytest.mark.every(2)
@pytest.mark.parametrize("cls", classes(optimizers, optimizers.Optimizer))
def test_each_setting_of_an_optimizer(cls):
    models, x = pair(dense, lambda: "sparse_categorical_crossentropy", lambda: cls(0.01))
    assert_equal_steps(models, x, CLASSES)
    change_all(models, [model.optimizer for model in models], x, CLASSES)
    assert models[0].schedule.replayed == {"gradient": True, "update": True}


LOSSES = [cls for cls in classes(losses, losses.Loss) if cls is not losses.LossFunction]


@pytest.mark.every(2)
@pytest.mark.filterwarnings("ignore:.*was told from_logits=True")
@pytest.mark.parametrize("cls", LOSSES)
def test_each_setting_of_a_loss(cls):
    y = CLASSES if "Sparse" in cls.__name__ else np.eye(3, dtype=np.float32)[CLASSES]
    models, x = pair(dense, cls, lambda: "adam")
    assert_equal_steps(models, x, y)
    assert models[0].schedule.replayed == {"gradient": True, "update": True}
    change_all(models, [model._loss for model in models], x, y)


@pytest.mark.parametrize("cls", classes(regularizers, regularizers.Regularizer))
def test_each_setting_of_a_regularizer(cls):
    def make():
        return X, layers.Dense(4, kernel_regularizer=cls(0.01))

    models, x = pair(make, lambda: "sparse_categorical_crossentropy", lambda: "adam")
    assert_equal_steps(models, x, CLASSES)
    change_all(models, [model.layers[0].kernel_regularizer for model in models], x, CLASSES)
    assert models[0].schedule.replayed == {"gradient": True, "update": True}


SCHEDULES = {
    "CosineDecay": lambda: schedules.CosineDecay(0.1, 9, warmup_target=0.2, warmup_steps=3),
    "CosineDecayRestarts": lambda: schedules.CosineDecayRestarts(0.1, 2),
    "ExponentialDecay": lambda: schedules.ExponentialDecay(0.1, 3, 0.5),
    "InverseTimeDecay": lambda: schedules.InverseTimeDecay(0.1, 3, 0.5),
    "PiecewiseConstantDecay": lambda: schedules.PiecewiseConstantDecay([4, 8], [0.1, 0.05, 0.01]),
    "PolynomialDecay": lambda: schedules.PolynomialDecay(0.1, 9, power=2.0),
}


@pytest.mark.parametrize("cls", classes(schedules, schedules.LearningRateSchedule))
def test_each_setting_of_a_schedule(cls):
    models, x = pair(
        dense, lambda: "sparse_categorical_crossentropy", lambda: optimizers.SGD(SCHEDULES[cls.__name__]())
    )
    assert_equal_steps(models, x, CLASSES)
    change_all(models, [model.optimizer.schedule for model in models], x, CLASSES)
    assert models[0].schedule.replayed == {"gradient": True, "update": True}


# -- of functions, of metrics and of initializers -----------------------------------------------------------

FUNCTIONS = {
    name: tuple(inspect.signature(getattr(nn.activations, name)).parameters.values())[1:]
    for name in sorted({*nn.activations.__all__} - {"get", "serialize", "deserialize"})
}


@pytest.mark.every(2)
@pytest.mark.parametrize("name", [name for name, parameters in FUNCTIONS.items() if parameters])
def test_each_setting_of_an_activation(name):
    models, x = pair(lambda: (X, layers.Lambda(getattr(nn.activations, name))), dense_loss, lambda: "adam")
    assert_equal_steps(models, x, CLASSES)
    for parameter in FUNCTIONS[name]:
        for value in others(parameter.name, parameter.default):
            for model in models:
                model.layers[0].arguments = {parameter.name: value}
            assert_equal_steps(models, x, CLASSES)
            for model in models:
                model.layers[0].arguments = {}
                model.layers[0].function = functools.partial(getattr(nn.activations, name), **{parameter.name: value})
            assert_equal_steps(models, x, CLASSES)
    for model in models:  # a last value may have been none that the function takes
        model.layers[0].function = getattr(nn.activations, name)
    assert_equal_steps(models, x, CLASSES)
    assert models[0].schedule.replayed == {"gradient": True, "update": True}


@pytest.mark.filterwarnings("ignore:.*was told from_logits=True")
@pytest.mark.parametrize("name", sorted(n for n in losses.__all__ if n[0].islower() and "_" in n))
def test_each_setting_of_a_function_for_a_loss(name):
    function = getattr(losses, name)
    y = CLASSES if "sparse" in name else np.eye(3, dtype=np.float32)[CLASSES]
    models, x = pair(dense, lambda: losses.LossFunction(function), lambda: "adam")
    assert_equal_steps(models, x, y)
    assert models[0].schedule.replayed == {"gradient": True, "update": True}
    for parameter in tuple(inspect.signature(function).parameters.values())[2:]:
        for value in others(parameter.name, parameter.default):
            for model in models:
                loss = losses.LossFunction(function, **{parameter.name: value})
                model.compile("adam", loss, run_eagerly=model._steps.plans.eagerly)
            assert_equal_steps(models, x, y)


@pytest.mark.every(2)
@pytest.mark.parametrize("cls", classes(nn.metrics, nn.metrics.Metric))
def test_each_setting_of_a_metric(cls):
    """They are computed outside of what is replayed."""
    if cls is nn.metrics.Mean:
        return  # of values, and no metric of predictions
    given = [nn.metrics.sparse_categorical_accuracy] if cls is nn.metrics.MeanMetricWrapper else []
    made = [cls(*given) for _ in range(2)]
    y, loss = np.eye(3, dtype=np.float32)[CLASSES], "categorical_crossentropy"
    if given or "Sparse" in cls.__name__:
        y, loss = CLASSES, "sparse_categorical_crossentropy"
    models, x = pair(dense, lambda: loss, lambda: "adam", lambda: [made.pop()])
    assert_equal_steps(models, x, y)
    change_all(models, [model.metrics[1] for model in models], x, y)
    assert models[0].schedule.replayed == {"gradient": True, "update": True}


@pytest.mark.parametrize("cls", classes(nn.initializers, nn.initializers.Initializer))
def test_each_setting_of_an_initializer(cls):
    """It has done its work, and an own one is no foreign part of a step."""
    models, x = pair(lambda: (X, layers.Dense(4, kernel_initializer=cls())), dense_loss, lambda: "adam")
    assert_equal_steps(models, x, CLASSES)
    change_all(models, [model.layers[0].kernel_initializer for model in models], x, CLASSES)
    assert models[0].schedule.replayed == {"gradient": True, "update": True}


# What decides a step and is no setting of the constructor.
CHANGES = {
    "frozen": lambda m: setattr(m.layers[0], "trainable", False),
    "thawed": lambda m: setattr(m.layers[0], "trainable", True),
    "a weight that records no more": lambda m: setattr(m.layers[0].kernel.node, "requires_grad", False),
    "a weight that records again": lambda m: setattr(m.layers[0].kernel.node, "requires_grad", True),
    "weights": lambda m: m.set_weights([w * 2 for w in m.get_weights()]),
    "weights of another memory": lambda m: setattr(m.layers[0].bias, "data", m.layers[0].bias.data + 1),
    "the weight of the loss": lambda m: setattr(m, "loss_weights", 0.5),
    "the state of the optimizer": lambda m: m.optimizer.build(m.trainable_variables),
    "another seed": lambda m: setattr(m.layers[0], "note", 3),
}


def test_what_decides_a_step_and_is_no_setting():
    models, x = pair(dense, lambda: "sparse_categorical_crossentropy", lambda: "adam")
    assert_equal_steps(models, x, CLASSES)
    for change in CHANGES.values():
        for model in models:
            change(model)
        assert_equal_steps(models, x, CLASSES)
        for n in (3, 1, 8):  # ragged batches
            assert_equal_steps(models, x[:n], CLASSES[:n], 5)
        assert_equal_steps(models, x.astype(np.float64), CLASSES.astype(np.float32))  # other dtypes
    assert models[0].schedule.replayed == {"gradient": True, "update": True}


# -- Ctrl-C ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("python_s_own_ctrl_c")
@pytest.mark.parametrize("eagerly", [False, True])
def test_ctrl_c_in_train_on_batch_waits_until_all_weights_have_the_step(eagerly):
    """It is pressed at each line of the update in turn, and of what runs it."""
    models, x = pair(dense, lambda: "sparse_categorical_crossentropy", lambda: "adam")
    model, other = models if not eagerly else models[::-1]
    assert_equal_steps(models, x, CLASSES)
    inside = ("optimizer.py", "adam.py", "execute.py", "forms.py")
    for position in range(0, 400, 7):
        left = position

        def trace(frame, event, arg):
            nonlocal left
            if event == "line" and frame.f_code.co_filename.endswith(inside):
                left -= 1
                if left == 0:
                    signal.raise_signal(signal.SIGINT)
            return trace

        sys.settrace(trace)
        try:
            model.train_on_batch(x, CLASSES)
            pressed = False
        except KeyboardInterrupt:
            pressed = True
        finally:
            sys.settrace(None)
        if left > 0:
            assert not pressed
            break
        before = [w.copy() for w in other.get_weights()]
        if model.optimizer.iterations > other.optimizer.iterations:
            other.train_on_batch(x, CLASSES)
        for a, b, c in zip(model.get_weights(), other.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)
            assert model.optimizer.iterations == other.optimizer.iterations or not np.array_equal(a, c)
    assert position > 7  # it was pressed inside
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# -- how far it is from `fit` to NumPy ------------------------------------------------------------------------


def test_from_fit_to_the_first_call_of_numpy_in_a_step_are_at_most_eight_calls():
    """Counted as the frames below that of `fit` when a replayed step makes its first call."""
    models, x = pair(dense, lambda: "sparse_categorical_crossentropy", lambda: "sgd")
    model = models[0]
    model.fit(x, CLASSES, batch_size=8, epochs=6, verbose=0)
    program = model.schedule.programs[0]
    depths, first = [], program.steps[0]

    def noting():
        frame, names = sys._getframe(1), []
        while frame is not None:
            names.append(frame.f_code.co_name)
            if frame.f_code.co_name == "fit":
                depths.append(names[::-1])
                break
            frame = frame.f_back
        return first()

    program.steps[0] = noting
    model.fit(x, CLASSES, batch_size=8, epochs=1, verbose=0)
    assert depths
    assert len(depths[0]) - 1 <= 8, " ".join(depths[0])
