"""Mistakes are met early, in words that name the thing, what was expected, what came, and the way out."""

from __future__ import annotations

import numpy as np
import pytest

import nn

X, Y = np.ones((8, 4)), np.zeros(8, int)


def classifier(activation="softmax", loss="sparse_categorical_crossentropy", outputs=3):
    model = nn.Sequential([nn.Input(shape=(4,)), nn.layers.Dense(outputs, activation, name="out")])
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


def raises(kind, *parts):
    """The error's message holds all of these."""
    import re

    return pytest.raises(kind, match="".join(f"(?=.*{re.escape(p)})" for p in parts) if parts else None)


def test_a_wrong_input_shape_names_the_layer_and_both_shapes():
    with raises(ValueError, "'out'", "(None, 4)", "(None, 5)"):
        classifier().fit(np.ones((8, 5)), Y, verbose=0)
    layer = nn.layers.Dense(3, name="first")
    layer(X)
    with raises(ValueError, "'first'", "4 on axis -1", "(None, 7)"):
        layer(np.ones((2, 7)))
    conv = nn.layers.Conv2D(3, 3, name="images")
    with raises(ValueError, "'images'", "4 axes", "(None, 28, 28)", "x[..., None]"):
        conv(np.ones((2, 28, 28)))
    model = nn.Sequential([nn.layers.Dense(3)])
    model(np.ones((2, 784)))
    with raises(ValueError, "(None, 784)", "(None, 28, 28)", "x.reshape((-1, 784))"):
        model(np.ones((2, 28, 28)))


def test_labels_that_do_not_fit_the_loss_are_told_the_loss_that_fits():
    with raises(ValueError, "(8, 3)", "(8,)", "sparse_categorical_crossentropy", "to_categorical"):
        classifier(loss="categorical_crossentropy").fit(X, Y, verbose=0)
    with raises(ValueError, "for one-hot targets use loss='categorical_crossentropy'"):
        classifier().fit(X, np.eye(3)[Y], verbose=0)
    with raises(ValueError, "class numbers from 0 to 2", "3 classes, got 3"):
        classifier().fit(X, Y + 3, verbose=0)
    with raises(ValueError, "got -1"):
        classifier().fit(X, Y - 1, verbose=0)
    with raises(ValueError, "binary_crossentropy", "sparse_categorical_crossentropy"):
        classifier("sigmoid", "binary_crossentropy", 1).fit(X, Y + 2, verbose=0)
    with raises(ValueError, "single sigmoid output use loss='binary_crossentropy'"):
        classifier("sigmoid", outputs=1).fit(X, Y + 1, verbose=0)
    with raises(ValueError, "mean_squared_error", "(8, 3)", "(8,)"):
        classifier(loss="mse").fit(X, Y, verbose=0)


@pytest.mark.filterwarnings("ignore:softmax over axis")
def test_a_single_class_with_categorical_crossentropy_is_warned_of():
    with pytest.warns(UserWarning, match="always 0; for one probability use loss='binary_crossentropy'"):
        classifier(loss="categorical_crossentropy", outputs=1).fit(X, np.ones((8, 1)), verbose=0)


@pytest.mark.parametrize("rate", [1.5, -0.1, "half", None])
def test_a_dropout_rate_must_be_a_fraction(rate):
    with raises(ValueError, "between 0 and 1", repr(rate)):
        nn.layers.Dropout(rate)


def test_nan_in_the_data_is_found_and_located():
    x = X.copy()
    x[5, 2] = np.nan
    with raises(ValueError, "x holds NaN", "1 of 32", "(5, 2)"):
        classifier().fit(x, Y, shuffle=False, verbose=0)
    y = np.zeros((8, 1))
    y[3] = np.nan
    with raises(ValueError, "y holds NaN"):
        classifier("linear", "mse", 1).fit(X, y, verbose=0)
    weights = np.ones(8)
    weights[6] = np.nan
    for train in ("fit", "train_on_batch"):
        with raises(ValueError, "sample_weight holds NaN", "1 of 8"):
            model = classifier("linear", "mse", 1)
            getattr(model, train)(X, np.zeros((8, 1)), sample_weight=weights)


def test_a_model_that_is_not_compiled_or_not_built_says_so():
    model = nn.Sequential([nn.layers.Dense(2)])
    for action in (model.fit, model.evaluate, model.train_on_batch):
        with raises(RuntimeError, "is not compiled", "model.compile("):
            action(X, Y)
    with raises(ValueError, "is not built", "Input(shape"):
        model.count_params()
    with raises(ValueError, "expected 0 weights", "is not built"):
        model.set_weights([np.ones((4, 2))])
    with raises(ValueError, "without a loss"):
        model.compile("sgd")
        model.fit(X, Y, verbose=0)


@pytest.mark.parametrize(
    ("get", "wrong", "right"),
    [
        (nn.activations.get, "rellu", "'relu'"), (nn.losses.get, "crossentropy_categorical", "'categorical_cross"),
        (nn.optimizers.get, "admw", "'AdamW'"), (nn.metrics.get, "acuracy", "'Accuracy'"),
        (nn.initializers.get, "glorot_unifrm", "'GlorotUniform'"), (nn.regularizers.get, "L3", "'L1'"),
    ],
)  # fmt: skip
def test_an_unknown_string_is_answered_with_near_matches(get, wrong, right):
    with raises(ValueError, repr(wrong), right):
        get(wrong)


def test_a_history_key_that_is_not_there_is_answered_with_near_matches():
    history = classifier().fit(X, Y, verbose=0).history
    with raises(KeyError, "'acc'", "'accuracy'"):
        history["acc"]
    with raises(KeyError, "'val_loss'", "did you mean 'loss'"):
        history["val_loss"]
    assert history.get("val_loss") is None
    assert "val_loss" not in history


def test_an_unknown_argument_is_answered_with_near_matches():
    with raises(TypeError, "Dense has no argument 'activaton'; did you mean 'activation'?"):
        nn.layers.Dense(3, activaton="relu")
    with raises(TypeError, "SGD has no argument 'lr'; that is the old name: write learning_rate"):
        nn.optimizers.SGD(lr=0.1)


def test_arrays_that_do_not_belong_together_are_told_apart():
    with raises(ValueError, "y: expected as many examples as x, 8, got 7"):
        classifier().fit(X, Y[:7], verbose=0)
    with raises(ValueError, "sample_weight: expected as many examples as x, 8, got 3"):
        classifier().fit(X, Y, sample_weight=np.ones(3), verbose=0)
    with raises(ValueError, "at least one example"):
        classifier().fit(X[:0], Y[:0], verbose=0)
    with raises(TypeError, "rows differ in length"):
        classifier().fit(np.array([[1], [1, 2]], dtype=object), Y[:2], verbose=0)
    with raises(ValueError, "no targets"):
        classifier().fit(X, verbose=0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.layers.Dense(0), "units of Dense: expected a whole number from 1 on"),
        (lambda: nn.layers.Dense("10"), "got '10'"),
        (lambda: nn.layers.Conv2D(4, 3, padding="full"), "got 'full'"),
        (lambda: nn.layers.Conv2D(4, 0), "kernel_size"),
        (lambda: nn.layers.Conv2D(5, 3, groups=2), "divides the 5 filters"),
        (lambda: nn.layers.Conv2D(4, 3, strides=2, dilation_rate=2), "at most one of them above 1"),
        (lambda: nn.layers.Conv2D(4, 3, data_format="channels"), "data_format"),
        (lambda: nn.layers.Embedding(0, 3), "input_dim"),
        (lambda: nn.layers.Reshape((-1, -1)), "at most one -1"),
        (lambda: nn.Input(shape=4), "Input(shape=(4,))"),
        (lambda: nn.Input(), "Input(shape=(784,))"),
        (lambda: nn.optimizers.Adam(clipnorm=1.0, clipvalue=1.0), "at most one of them"),
        (lambda: nn.optimizers.SGD(-0.1), "from 0 on"),
        (lambda: nn.optimizers.SGD(momentum=2), "between 0 and 1"),
        (lambda: nn.regularizers.L2(-1.0), "from 0 on"),
        (lambda: nn.losses.MeanSquaredError(reduction="avg"), "got 'avg'"),
        (lambda: nn.utils.to_categorical([0, 5], 3), "0 … 2"),
        (lambda: nn.utils.set_random_seed(-1), "from 0 on"),
        (lambda: nn.backend.set_image_data_format("NHWC"), "got 'NHWC'"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_by_value(make, words):
    with raises(ValueError, words):
        make()


def test_things_that_are_no_layers_are_refused_with_advice():
    with raises(ValueError, "make one with parentheses"):
        nn.Sequential([nn.layers.Flatten])
    with raises(ValueError, "nn.layers.Lambda(function)"):
        nn.Sequential([np.tanh])
    with raises(ValueError, "names are unique"):
        nn.Sequential([nn.layers.Dense(2, name="one"), nn.layers.Dense(2, name="one")])
    with raises(TypeError, "expected what Input(shape=…) gives"):
        nn.Model(inputs=1, outputs=2)
    with raises(TypeError, "in a class that defines call(self, x)"):
        nn.Model(nn.Input((2,)))
    with raises(TypeError, "the class; make one with parentheses"):
        classifier().fit(X, Y, callbacks=[nn.callbacks.TerminateOnNaN], verbose=0)


def test_an_embedding_asked_for_a_row_it_does_not_have_says_which():
    for index in (5, -1):
        with raises(ValueError, "5 rows, from 0 to 4", f"got {index}"):
            nn.layers.Embedding(5, 2)(np.array([[index]]))


def test_a_generator_that_ends_too_early_says_so():
    with pytest.warns(UserWarning, match="ended after 2 of the 3 steps"):
        classifier().fit(((X, Y) for _ in range(2)), steps_per_epoch=3, verbose=0)
    with raises(ValueError, "the data gave no batch", "make it endless"):
        classifier().fit(((X, Y) for _ in range(2)), epochs=2, verbose=0)


@pytest.mark.parametrize("key", [0.5, "invalid", "0", True, np.nan])
def test_a_class_weight_is_for_a_class(key):
    for train in (classifier().fit, classifier().train_on_batch):
        with raises(ValueError, "whole class numbers", "such as {0: 1.0, 1: 5.0}", repr(key)):
            train(X, Y, class_weight={key: 0.5})
    with raises(ValueError, "the weight of class 1: expected a number"):
        classifier().fit(X, Y, class_weight={1: np.nan}, verbose=0)


def test_sample_weights_that_fit_nothing_say_what_is_expected():
    model = classifier()
    for weights in (np.ones((len(X), 3)), np.ones((len(X), 1, 1)), np.ones((len(X), 2, 2))):
        with raises(
            ValueError, "sample_weight: expected one weight for each example", f"got shape {(*weights.shape,)}"
        ):
            model.fit(X, Y, sample_weight=weights, batch_size=len(X), verbose=0)


def test_a_model_of_which_nothing_trains_says_so():
    model = classifier()
    model.trainable = False
    for train in (lambda: model.fit(X, Y, verbose=0), lambda: model.train_on_batch(X, Y)):
        with pytest.warns(UserWarning, match="has no trainable weights, so training changes nothing"):
            train()


def test_a_softmax_over_one_says_so_as_in_keras(keras):
    for library in (nn, keras):
        with pytest.warns(UserWarning, match="[Ss]oftmax over axis -1"):
            library.activations.softmax(np.ones((3, 1), "float32"))
        library.activations.softmax(np.ones((1, 3), "float32"))
    with pytest.warns(UserWarning, match="use a sigmoid"):
        nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1, "softmax")])


def test_a_layer_that_is_not_there_is_answered_with_the_names_that_are():
    with raises(ValueError, "'ou'", "did you mean 'out'"):
        classifier().get_layer("ou")


def test_a_failing_layer_is_named_in_the_error():
    def broken(x):
        return x @ np.ones((9, 9))

    with pytest.raises(ValueError, match="matmul") as caught:
        nn.Sequential([nn.layers.Lambda(broken, name="mine")])(X)
    assert any("in layer 'mine' (Lambda)" in note for note in caught.value.__notes__)
