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
        (lambda: layers.Dense(True), "whole number from 1 on; True came"),
        (lambda: layers.Dense(3.0), "3.0 came"),
        (lambda: layers.Dropout(float("nan")), "between 0 and 1; nan came"),
        (lambda: layers.Dropout(0.5, seed=-1), "a seed is a whole number from 0 on"),
        (lambda: layers.Conv2D(3, 3, strides=0), "strides is a whole number from 1 on"),
        (lambda: layers.Conv2D(3, 3.0), "kernel_size is a whole number from 1 on"),
        (lambda: layers.MaxPooling2D((2, 2, 2)), "one for each of the 2 spatial axes"),
        (lambda: layers.AveragePooling1D(2.5), "pool_size is a whole number from 1 on"),
        (lambda: layers.BatchNormalization(momentum=1.5), "momentum is a number between 0 and 1"),
        (lambda: layers.BatchNormalization(epsilon=-1), "epsilon is a number from 0 on"),
        (lambda: layers.LayerNormalization(epsilon=-1), "epsilon is a number from 0 on"),
        (lambda: layers.LeakyReLU(float("nan")), "negative_slope is a number from 0 on; nan came"),
        (lambda: layers.Flatten("channels"), "data_format is"),
        (lambda: layers.Reshape(5), "Reshape((5,))"),
        (lambda: layers.Reshape((2.5, 2)), "2.5 came"),
        (lambda: layers.Rescaling("a"), "scale of a Rescaling is a number"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), "a pair for rows and columns; (1, 2, 3) came"),
        (lambda: layers.ZeroPadding2D(1.5), "padding is a whole number from 0 on"),
        (lambda: losses.Huber(delta=0), "delta is a number above 0"),
        (lambda: losses.CategoricalCrossentropy(label_smoothing=1.5), "label_smoothing is a number between 0 and 1"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=-1), "label_smoothing is a number between 0 and 1"),
        (lambda: metrics.BinaryAccuracy(threshold=None), "threshold is a number that is finite"),
        (lambda: metrics.TopKCategoricalAccuracy(k=0), "k is a whole number from 1 on"),
        (lambda: metrics.SparseTopKCategoricalAccuracy(k=1.5), "1.5 came"),
        (lambda: metrics.Precision(thresholds=[0.5, 2]), "a threshold is a number between 0 and 1; 2 came"),
        (lambda: metrics.Recall(top_k=-2), "top_k is a whole number from 1 on"),
        (lambda: metrics.Recall(class_id=-1), "class_id is a whole number from 0 on"),
        (lambda: optimizers.SGD(None), "a learning rate is a number or a schedule; None came"),
        (lambda: optimizers.SGD(momentum="a"), "momentum is a number between 0 and 1; 'a' came"),
        (lambda: optimizers.SGD(clipnorm="a"), "clipnorm is a number above 0"),
        (lambda: optimizers.SGD(weight_decay=-1), "weight_decay is a number from 0 on"),
        (lambda: optimizers.Adam(beta_1=1), "beta_1 is a number from 0 on and below 1; 1 came"),
        (lambda: optimizers.Adam(beta_2=-1), "beta_2 is"),
        (lambda: optimizers.Adam(epsilon=-1), "epsilon is a number from 0 on"),
        (lambda: optimizers.AdamW(weight_decay=None), "weight_decay of AdamW is a number"),
        (lambda: optimizers.RMSprop(rho=1.5), "rho is a number between 0 and 1"),
        (lambda: optimizers.RMSprop(momentum=-1), "momentum is a number between 0 and 1"),
        (lambda: optimizers.Adagrad(initial_accumulator_value=-1), "initial_accumulator_value is a number from 0"),
        (lambda: optimizers.Adadelta(rho=2), "rho is a number between 0 and 1"),
        (lambda: schedules.ExponentialDecay(-0.1, 10, 0.5), "initial_learning_rate is a number from 0 on"),
        (lambda: schedules.ExponentialDecay(0.1, 10, -0.5), "decay_rate is a number from 0 on"),
        (lambda: schedules.PiecewiseConstantDecay([2, 1], [1, 2, 3]), "steps in order, each once; [2, 1] came"),
        (lambda: schedules.PiecewiseConstantDecay([1], [-1, 2]), "a learning rate is a number from 0 on; -1 came"),
        (lambda: schedules.CosineDecay(0.1, 10, alpha=2), "alpha is a number between 0 and 1"),
        (lambda: schedules.CosineDecay(0.1, 10, warmup_steps=-1), "warmup_steps is a number from 0 on"),
        (lambda: callbacks.EarlyStopping(patience=-1), "patience is a whole number from 0 on; -1 came"),
        (lambda: callbacks.EarlyStopping(start_from_epoch=1.5), "start_from_epoch is a whole number"),
        (lambda: callbacks.EarlyStopping(baseline="a"), "baseline is a number that is finite; 'a' came"),
        (lambda: callbacks.ReduceLROnPlateau(factor=-1), "factor of ReduceLROnPlateau is a number from 0 on and below"),
        (lambda: callbacks.ReduceLROnPlateau(min_lr=-1), "min_lr is a number from 0 on"),
        (lambda: callbacks.ModelCheckpoint("m", save_freq=0), "save_freq, unless it is 'epoch', is a whole number"),
        (lambda: callbacks.TensorBoard(update_freq=0), "update_freq, unless it is 'epoch' or 'batch', is a whole"),
        (lambda: callbacks.TensorBoard(histogram_freq=-1), "histogram_freq is a whole number from 0 on"),
        (lambda: callbacks.CSVLogger("log.csv", separator="ab"), "separator is one character; 'ab' came"),
        (lambda: initializers.Constant("a"), "a Constant is a number"),
        (lambda: initializers.RandomNormal(stddev=-1), "stddev is a number from 0 on"),
        (lambda: initializers.RandomUniform(1, -1), "maxval is a number from 1 on; -1 came"),
        (lambda: initializers.VarianceScaling(scale=0), "scale is a number above 0"),
        (lambda: initializers.GlorotUniform("a"), "a seed is a whole number from 0 on; 'a' came"),
        (lambda: utils.to_categorical([0, 1], 0), "num_classes is a whole number from 1 on"),
        (lambda: utils.to_categorical([0.5, 1]), "to_categorical takes whole numbers; it was given 0.5"),
        (lambda: optimizers.get(3), "expected an optimizer, given by name, class or configuration, got 3"),
    ],
)
def test_a_number_out_of_its_range_is_refused_with_the_range(make, words):
    refused(make, words)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layers.Lambda(3), "what a Lambda computes is a function; 3 came"),
        (lambda: losses.LossFunction(3), "is a function; 3 came"),
        (lambda: metrics.MeanMetricWrapper(3), "is a function; 3 came"),
        (lambda: callbacks.LearningRateScheduler(0.1), "schedule is a function; 0.1 came"),
        (lambda: callbacks.LambdaCallback(on_epoch_end=3), "on_epoch_end is a function; 3 came"),
        (lambda: callbacks.LambdaCallback(on_epoch=print), "did you mean 'on_epoch_end'"),
        (lambda: callbacks.EarlyStopping(monitor=3), "such as 'val_loss'; 3 came"),
        (lambda: nn.Sequential(layers.Dense(3, name="d")), "Sequential([…])"),
        (lambda: utils.custom_object_scope(3).__enter__(), "custom_objects maps names"),
        *((lambda m=m: m.serialize(3), "or a function, got 3") for m in (layers, losses, schedules)),
    ],
)
def test_a_thing_of_another_kind_is_refused(make, words):
    refused(make, words, TypeError)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: layers.BatchNormalization(axis=5, name="n")(X), "layer 'n' works along axis 5, and its input has 2"),
        (lambda: layers.BatchNormalization(axis=0)(X), "that of the channels; 0 is that of the batch"),
        (lambda: layers.BatchNormalization(axis="a")(X), "works along axis 'a'"),
        (lambda: layers.LayerNormalization(axis=5)(X), "works along axis 5"),
        (lambda: layers.LayerNormalization(axis=(1, -1))(X), "each once and not that of the batch; [1, -1] came"),
        (lambda: layers.LayerNormalization(axis=[])(X), "one axis or several"),
        (lambda: layers.Softmax(axis=5)(X), "axis 5 is out of bounds"),
        (lambda: layers.Dropout(0.5, noise_shape=(2,))(X, training=True), "whose shape is (2, 4); (2,) came"),
        (lambda: layers.Flatten()(np.float32(3)), "at least 1 axes"),
        (lambda: layers.GlobalMaxPooling2D()(STEPS), "expected an input with 4 axes"),
        (lambda: layers.MaxPooling1D()(IMAGES), "expected an input with 3 axes"),
        (lambda: layers.Conv1D(3, 9)(STEPS), "does not fit into the spatial axes"),
        (lambda: layers.Embedding(5, 2)(np.array([[1.5]])), "takes whole numbers; it was given 1.5"),
        (lambda: layers.Embedding(5, 2)(np.array([[np.nan]])), "takes whole numbers; it was given nan"),
        (lambda: losses.mean_squared_error(1.0, 2.0), "whose first axis is the batch"),
        (lambda: losses.categorical_crossentropy(EYE, EYE, axis=5), "works along axis 5"),
        (lambda: losses.sparse_categorical_crossentropy([0.5, 1, 2], EYE), "takes whole numbers; it was given 0.5"),
        (lambda: metrics.accuracy([1, 2], [1, 2, 3]), "the targets are (2,), the predictions (3,)"),
        (lambda: metrics.binary_accuracy(np.ones((2, 1)), np.ones((1, 2))), "of one shape"),
        (lambda: metrics.categorical_accuracy([0, 1, 2], EYE), "use sparse_categorical_accuracy"),
        (lambda: metrics.top_k_categorical_accuracy(EYE, np.eye(4)), "of one shape"),
        (lambda: metrics.sparse_categorical_accuracy(EYE, EYE), "use categorical_accuracy"),
        (lambda: metrics.sparse_top_k_categorical_accuracy([0, 1], EYE), "shape (3,); the targets are (2,)"),
        (lambda: metrics.Mean()([1.0, 2.0], [1.0, 2.0, 3.0]), "sample_weight of shape (3,) for values of shape (2,)"),
        (lambda: metrics.Precision(class_id=7)(EYE, EYE), "class_id=7, and predictions of shape (3, 3)"),
        (lambda: metrics.Recall()([0, 1], [1, 1], [1, 2, 3]), "sample_weight of shape (3,)"),
        (lambda: initializers.Constant(np.ones(3))((2,)), "of shape (3,) cannot fill a weight of shape (2,)"),
        (
            lambda: optimizers.SGD().apply([np.ones(1)], [Tensor(np.ones(4), name="w")]),
            "the gradient of w has the shape of its values, (4,); one of shape (1,) came",
        ),
    ],
)
def test_what_does_not_fit_the_input_is_refused_when_it_meets_it(call, words):
    refused(call, words)


@pytest.mark.parametrize(
    ("options", "words", "kind"),
    [
        ({"validation_freq": 0}, "validation_freq is a whole number from 1 on", ValueError),
        ({"validation_freq": -1}, "such as [1, 5]; -1 came", ValueError),
        ({"validation_freq": 1.5}, "such as [1, 5]; 1.5 came", ValueError),
        ({"validation_freq": "1"}, "such as [1, 5]; '1' came", ValueError),
        ({"initial_epoch": -1}, "initial_epoch is a whole number from 0 on; -1 came", ValueError),
        ({"initial_epoch": None}, "initial_epoch is a whole number from 0 on; None came", ValueError),
        ({"class_weight": [1.0, 2.0]}, "such as {0: 1.0, 1: 2.0}; [1.0, 2.0] came", TypeError),
        ({"class_weight": "balanced"}, "such as {0: 1.0, 1: 5.0}; 'balanced' came", TypeError),
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
    refused(lambda: model.fit(X, np.ones(2), verbose="loud"), "2 for a line per epoch, or 'auto'; 'loud' came")


def test_a_layer_that_forgets_to_return_says_so():
    refused(lambda: layers.Lambda(lambda x: None, name="mine")(X), "call of layer 'mine' returned nothing", TypeError)


def test_an_optimizer_changes_tensors_only():
    refused(lambda: optimizers.SGD().apply([np.ones(3)], [np.ones(3)]), "float64[3] came", TypeError)


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
