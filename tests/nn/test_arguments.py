"""An argument that makes no sense is refused where it is given, not three layers and an epoch later."""

from __future__ import annotations

import re

import numpy as np
import pytest

import nn
from autograd_core import Tensor
from nn import callbacks, initializers, layers, losses, metrics, optimizers, utils
from nn.optimizers import schedules

X, IMAGES, STEPS = np.ones((2, 4), "float32"), np.ones((2, 8, 8, 3), "float32"), np.ones((2, 8, 3), "float32")
EYE = np.eye(3)


def refused(call, words, kind=ValueError):
    with pytest.raises(kind, match=re.escape(words)):
        call()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Dense(True), "whole number from 1 on, got True"),
        (lambda: layers.Dense(3.0), "got 3.0"),
        (lambda: layers.Dropout(float("nan")), "between 0 and 1, got nan"),
        (lambda: layers.Dropout(0.5, seed=-1), "a seed: expected a whole number from 0 on"),
        (lambda: layers.Conv2D(3, 3, strides=0), "strides: expected a whole number from 1 on"),
        (lambda: layers.Conv2D(3, 3.0), "kernel_size: expected a whole number from 1 on"),
        (lambda: layers.MaxPooling2D((2, 2, 2)), "one for each of the 2 spatial axes"),
        (lambda: layers.AveragePooling1D(2.5), "pool_size: expected a whole number from 1 on"),
        (lambda: layers.BatchNormalization(momentum=1.5), "momentum: expected a number between 0 and 1"),
        (lambda: layers.BatchNormalization(epsilon=-1), "epsilon: expected a number from 0 on"),
        (lambda: layers.LayerNormalization(epsilon=-1), "epsilon: expected a number from 0 on"),
        (lambda: layers.LeakyReLU(float("nan")), "negative_slope: expected a number from 0 on, got nan"),
        (lambda: layers.Flatten("channels"), "data_format: expected"),
        (lambda: layers.Reshape(5), "Reshape((5,))"),
        (lambda: layers.Reshape((2.5, 2)), "got 2.5"),
        (lambda: layers.Rescaling("a"), "scale of a Rescaling: expected a number"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), "a pair for rows and columns, got (1, 2, 3)"),
        (lambda: layers.ZeroPadding2D(1.5), "padding: expected a whole number from 0 on"),
        (lambda: losses.Huber(delta=0), "delta: expected a number above 0"),
        (
            lambda: losses.CategoricalCrossentropy(label_smoothing=1.5),
            "label_smoothing: expected a number between 0 and 1",
        ),
        (lambda: losses.BinaryCrossentropy(label_smoothing=-1), "label_smoothing: expected a number between 0 and 1"),
        (lambda: metrics.BinaryAccuracy(threshold=None), "threshold: expected a number that is finite"),
        (lambda: metrics.TopKCategoricalAccuracy(k=0), "k: expected a whole number from 1 on"),
        (lambda: metrics.SparseTopKCategoricalAccuracy(k=1.5), "got 1.5"),
        (lambda: metrics.Precision(thresholds=[0.5, 2]), "a threshold: expected a number between 0 and 1, got 2"),
        (lambda: metrics.Recall(top_k=-2), "top_k: expected a whole number from 1 on"),
        (lambda: metrics.Recall(class_id=-1), "class_id: expected a whole number from 0 on"),
        (lambda: optimizers.SGD(None), "a learning rate: expected a number or a schedule, got None"),
        (lambda: optimizers.SGD(momentum="a"), "momentum: expected a number between 0 and 1, got 'a'"),
        (lambda: optimizers.SGD(clipnorm="a"), "clipnorm: expected a number above 0"),
        (lambda: optimizers.SGD(weight_decay=-1), "weight_decay: expected a number from 0 on"),
        (lambda: optimizers.Adam(beta_1=1), "beta_1: expected a number from 0 on and below 1, got 1"),
        (lambda: optimizers.Adam(beta_2=-1), "beta_2: expected"),
        (lambda: optimizers.Adam(epsilon=-1), "epsilon: expected a number from 0 on"),
        (lambda: optimizers.AdamW(weight_decay=None), "weight_decay of AdamW: expected a number"),
        (lambda: optimizers.RMSprop(rho=1.5), "rho: expected a number between 0 and 1"),
        (lambda: optimizers.RMSprop(momentum=-1), "momentum: expected a number between 0 and 1"),
        (
            lambda: optimizers.Adagrad(initial_accumulator_value=-1),
            "initial_accumulator_value: expected a number from 0",
        ),
        (lambda: optimizers.Adadelta(rho=2), "rho: expected a number between 0 and 1"),
        (lambda: schedules.ExponentialDecay(-0.1, 10, 0.5), "initial_learning_rate: expected a number from 0 on"),
        (lambda: schedules.ExponentialDecay(0.1, 10, -0.5), "decay_rate: expected a number from 0 on"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [1, 2, 3]), "steps in order, each once, got [2, 1]"),
        (
            lambda: schedules.PiecewiseConstantDecay([1], [-1, 2]),
            "a learning rate: expected a number from 0 on, got -1",
        ),
        (lambda: schedules.CosineDecay(0.1, 10, alpha=2), "alpha: expected a number between 0 and 1"),
        (lambda: schedules.CosineDecay(0.1, 10, warmup_steps=-1), "warmup_steps: expected a number from 0 on"),
        (lambda: callbacks.EarlyStopping(patience=-1), "patience: expected a whole number from 0 on, got -1"),
        (lambda: callbacks.EarlyStopping(start_from_epoch=1.5), "start_from_epoch: expected a whole number"),
        (lambda: callbacks.EarlyStopping(baseline="a"), "baseline: expected a number that is finite, got 'a'"),
        (
            lambda: callbacks.ReduceLROnPlateau(factor=-1),
            "factor of ReduceLROnPlateau: expected a number from 0 on and below",
        ),
        (lambda: callbacks.ReduceLROnPlateau(min_lr=-1), "min_lr: expected a number from 0 on"),
        (
            lambda: callbacks.ModelCheckpoint("m", save_freq=0),
            "save_freq, unless it is 'epoch': expected a whole number",
        ),
        (
            lambda: callbacks.TensorBoard(update_freq=0),
            "update_freq, unless it is 'epoch' or 'batch': expected a whole",
        ),
        (lambda: callbacks.TensorBoard(histogram_freq=-1), "histogram_freq: expected a whole number from 0 on"),
        (lambda: callbacks.CSVLogger("log.csv", separator="ab"), "separator: expected one character, got 'ab'"),
        (lambda: initializers.Constant("a"), "a Constant: expected a number"),
        (lambda: initializers.RandomNormal(stddev=-1), "stddev: expected a number from 0 on"),
        (lambda: initializers.RandomUniform(1, -1), "maxval: expected a number from 1 on, got -1"),
        (lambda: initializers.VarianceScaling(scale=0), "scale: expected a number above 0"),
        (lambda: initializers.GlorotUniform("a"), "a seed: expected a whole number from 0 on, got 'a'"),
        (lambda: utils.to_categorical([0, 1], 0), "num_classes: expected a whole number from 1 on"),
        (lambda: utils.to_categorical([0.5, 1]), "to_categorical: expected whole numbers, got 0.5"),
        (lambda: optimizers.get(3), "expected an optimizer, given by name"),
    ],
)
def test_a_number_out_of_its_range_is_refused_with_the_range(make, words):
    refused(make, words)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Lambda(3), "what a Lambda computes: expected a function, got 3"),
        (lambda: losses.LossFunction(3), "expected a function, got 3"),
        (lambda: metrics.MeanMetricWrapper(3), "expected a function, got 3"),
        (lambda: callbacks.LearningRateScheduler(0.1), "schedule: expected a function, got 0.1"),
        (lambda: callbacks.LambdaCallback(on_epoch_end=3), "on_epoch_end: expected a function, got 3"),
        (lambda: callbacks.LambdaCallback(on_epoch=print), "did you mean 'on_epoch_end'"),
        (lambda: callbacks.EarlyStopping(monitor=3), "such as 'val_loss', got 3"),
        (lambda: nn.Sequential(layers.Dense(3, name="d")), "Sequential([…])"),
        (lambda: utils.custom_object_scope(3).__enter__(), "custom_objects: expected a dict from names"),
        *((lambda m=m: m.serialize(3), "or a function, got 3") for m in (layers, losses, schedules)),
    ],
)
def test_a_thing_of_another_kind_is_refused(make, words):
    refused(make, words, TypeError)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: layers.BatchNormalization(axis=5, name="n")(X),
            "layer 'n': expected an axis of its input, from -2 to 1, got axis 5",
        ),
        (lambda: layers.BatchNormalization(axis=0)(X), "that of the channels, got 0, that of the batch"),
        (lambda: layers.BatchNormalization(axis="a")(X), "got axis 'a'"),
        (lambda: layers.LayerNormalization(axis=5)(X), "got axis 5"),
        (lambda: layers.LayerNormalization(axis=(1, -1))(X), "each once and not that of the batch, got [1, -1]"),
        (lambda: layers.LayerNormalization(axis=[])(X), "one axis or several"),
        (lambda: layers.Softmax(axis=5)(X), "axis 5 is out of bounds"),
        (lambda: layers.Dropout(0.5, noise_shape=(2,))(X, training=True), "whose shape is (2, 4), got (2,)"),
        (lambda: layers.Flatten()(np.float32(3)), "at least 1 axes"),
        (lambda: layers.GlobalMaxPooling2D()(STEPS), "expected an input with 4 axes"),
        (lambda: layers.MaxPooling1D()(IMAGES), "expected an input with 3 axes"),
        (lambda: layers.Conv1D(3, 9)(STEPS), "expected a window within the spatial axes"),
        (lambda: layers.Embedding(5, 2)(np.array([[1.5]])), "expected whole numbers, got 1.5"),
        (lambda: layers.Embedding(5, 2)(np.array([[np.nan]])), "expected whole numbers, got nan"),
        (lambda: losses.mean_squared_error(1.0, 2.0), "whose first axis is the batch"),
        (lambda: losses.categorical_crossentropy(EYE, EYE, axis=5), "got axis 5"),
        (lambda: losses.sparse_categorical_crossentropy([0.5, 1, 2], EYE), "expected whole numbers, got 0.5"),
        (lambda: metrics.accuracy([1, 2], [1, 2, 3]), "got targets (2,) and predictions (3,)"),
        (lambda: metrics.binary_accuracy(np.ones((2, 1)), np.ones((1, 2))), "of one shape"),
        (lambda: metrics.categorical_accuracy([0, 1, 2], EYE), "use sparse_categorical_accuracy"),
        (lambda: metrics.top_k_categorical_accuracy(EYE, np.eye(4)), "of one shape"),
        (lambda: metrics.sparse_categorical_accuracy(EYE, EYE), "use categorical_accuracy"),
        (lambda: metrics.sparse_top_k_categorical_accuracy([0, 1], EYE), "shape (3,), got (2,)"),
        (lambda: metrics.Mean()([1.0, 2.0], [1.0, 2.0, 3.0]), "values of shape (2,), got shape (3,)"),
        (lambda: metrics.Precision(class_id=7)(EYE, EYE), "a class 7, the class_id, got shape (3, 3)"),
        (lambda: metrics.Recall()([0, 1], [1, 1], [1, 2, 3]), "got shape (3,)"),
        (lambda: initializers.Constant(np.ones(3))((2,)), "fill a weight of shape (2,), got (3,)"),
        (
            lambda: optimizers.SGD().apply([np.ones(1)], [Tensor(np.ones(4), name="w")]),
            "the gradient of w: expected the shape of its values, (4,), got (1,)",
        ),
    ],
)
def test_what_does_not_fit_the_input_is_refused_when_it_meets_it(call, words):
    refused(call, words)


@pytest.mark.parametrize(
    ("options", "words", "kind"),
    [
        ({"validation_freq": 0}, "validation_freq: expected a whole number from 1 on", ValueError),
        ({"validation_freq": -1}, "such as [1, 5], got -1", ValueError),
        ({"validation_freq": 1.5}, "such as [1, 5], got 1.5", ValueError),
        ({"validation_freq": "1"}, "such as [1, 5], got '1'", ValueError),
        ({"initial_epoch": -1}, "initial_epoch: expected a whole number from 0 on, got -1", ValueError),
        ({"initial_epoch": None}, "initial_epoch: expected a whole number from 0 on, got None", ValueError),
        ({"class_weight": [1.0, 2.0]}, "such as {0: 1.0, 1: 2.0}, got [1.0, 2.0]", TypeError),
        ({"class_weight": "balanced"}, "such as {0: 1.0, 1: 5.0}, got 'balanced'", TypeError),
    ],
    ids=str,
)
def test_fit_refuses_what_says_nothing_about_its_epochs_and_classes(options, words, kind):
    model = nn.Sequential([nn.Input(shape=(4,)), layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    before = model.get_weights()
    refused(lambda: model.fit(X, np.zeros(2), validation_data=(X, np.zeros(2)), verbose=0, **options), words, kind)
    if "class_weight" in options:
        refused(lambda: model.train_on_batch(X, np.zeros(2), **options), words, kind)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_validation_may_come_after_any_epochs_and_a_class_may_be_missing():
    model = nn.Sequential([nn.Input(shape=(4,)), layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    options = {"validation_data": (X, np.zeros(2)), "verbose": 0, "epochs": 4}
    for frequency, times in ((np.int64(2), 2), ([1, 3, 4], 3), ({4}, 1), (range(1, 9), 4)):
        history = model.fit(X, np.zeros(2), validation_freq=frequency, class_weight={0: 1.0, 7: 2.0}, **options).history
        assert len(history["val_loss"]) == times


def test_fit_is_told_how_much_to_say():
    model = nn.Sequential([nn.Input(shape=(4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    refused(lambda: model.fit(X, np.ones(2), verbose="loud"), "2 for a line per epoch, or 'auto', got 'loud'")


def test_a_layer_that_forgets_to_return_says_so():
    refused(
        lambda: layers.Lambda(lambda x: None, name="mine")(X),
        "call of layer 'mine': expected a result, got None",
        TypeError,
    )


def test_an_optimizer_changes_tensors_only():
    refused(lambda: optimizers.SGD().apply([np.ones(3)], [np.ones(3)]), "got float64[3]", TypeError)


def test_nobody_is_right_about_a_class_that_is_not_there():
    assert metrics.sparse_top_k_categorical_accuracy([0, 7, -1], EYE, k=3).tolist() == [1, 0, 0]
    assert metrics.sparse_categorical_accuracy([0, 7, -1], EYE).tolist() == [1, 0, 0]


def test_a_noise_shape_repeats_one_decision_along_the_axes_of_length_one():
    out = layers.Dropout(0.5, noise_shape=(None, 1), seed=1)(np.ones((50, 4), "float32"), training=True).numpy()
    assert {tuple(row) for row in out.tolist()} == {(0.0,) * 4, (2.0,) * 4}


def test_what_keras_refuses_is_refused_here_too(keras):
    """The same mistakes, where Keras looks for them: also a ValueError."""
    wrong = [
        lambda k: k.layers.Dense(-1),
        lambda k: k.layers.Dropout(1.5),
        lambda k: k.layers.LeakyReLU(-1.0),
        lambda k: k.layers.Embedding(0, 2),
        lambda k: k.layers.Conv2D(3, 3, strides=0),
        lambda k: k.optimizers.SGD(momentum=2.0),
        lambda k: k.optimizers.AdamW(weight_decay=None),
        lambda k: k.initializers.VarianceScaling(scale=0.0),
        lambda k: k.metrics.Precision(thresholds=[0.5, 2.0]),
        lambda k: k.optimizers.schedules.PiecewiseConstantDecay([1, 2], [1.0, 2.0]),
        lambda k: k.callbacks.ReduceLROnPlateau(factor=1.0),
    ]
    for make in wrong:
        for library in (keras, nn):
            with pytest.raises(ValueError, match=r".+"):
                make(library)


def test_flatten_follows_the_format_that_was_set_for_all_as_in_keras(keras):
    x = np.arange(12.0, dtype="float32").reshape(1, 2, 3, 2)
    for library in (keras, nn):
        library.backend.set_image_data_format("channels_first")
    try:
        expected, ours = keras.layers.Flatten()(x), nn.layers.Flatten()(x)
    finally:
        for library in (keras, nn):
            library.backend.set_image_data_format("channels_last")
    np.testing.assert_array_equal(ours.numpy(), np.asarray(expected))
    assert ours.numpy()[0].tolist() != x.ravel().tolist()
