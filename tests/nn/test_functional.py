"""Models from inputs to outputs: the same code runs here and on Keras, and gives the same."""

from __future__ import annotations

import copy
import pickle
import random
import re

import numpy as np
import pytest

import nn
from autograd_core import Tensor

rng = np.random.default_rng(0)
X, Z = rng.normal(size=(12, 4)).astype("f4"), rng.normal(size=(12, 4)).astype("f4")
SERIES = rng.normal(size=(12, 5, 4)).astype("f4")
IMAGES = rng.normal(size=(4, 8, 8, 3)).astype("f4")
P, Q = rng.normal(size=(12, 2)).astype("f4"), rng.normal(size=(12, 1)).astype("f4")


# -- models of one code for both libraries ------------------------------------------------------------------


def residual(k):
    x = k.Input((4,), name="x")
    y = k.layers.Dense(4, "tanh")(x)
    return k.Model(x, k.layers.Dense(1)(k.layers.Add()([x, y]))), X


def shared(k):
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    twin = k.layers.Dense(3, "tanh")
    both = k.layers.Concatenate()([twin(a), twin(b), k.layers.Multiply()([twin(a), twin(b)])])
    return k.Model([a, b], k.layers.Dense(1)(both)), [X, Z]


def operators(k):
    x = k.Input((4,), name="x")
    y = (1 - x) * x / 2.0 + (-x) ** 2
    return k.Model(x, k.layers.Dense(1)(y[:, 1:3])), X


def siamese(k):
    a, b = k.Input((4,)), k.Input((4,))
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(3, "relu"), k.layers.Dense(3)])
    return k.Model([a, b], k.layers.Dot(axes=1, normalize=True)([inner(a), inner(b)])), [X, Z]


def nested(k):
    x = k.Input((4,))
    block = k.Model(x, k.layers.Add()([x, k.layers.Dense(4, "relu")(x)]), name="block")
    y = k.Input((4,))
    return k.Model(y, k.layers.Dense(1)(block(block(y)))), X


def unknown_length(k):
    x = k.Input((None, 4))
    y = k.layers.Conv1D(3, 2, activation="relu")(x)
    return k.Model(x, k.layers.Dense(1)(k.layers.GlobalMaxPooling1D()(y))), SERIES


def pictures(k):
    x = k.Input((8, 8, 3))
    y = k.layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    y = k.layers.BatchNormalization()(y)
    y = k.layers.Add()([y, k.layers.Conv2D(4, 1)(x)])
    y = k.layers.GlobalAveragePooling2D()(k.layers.MaxPooling2D()(y))
    return k.Model(x, k.layers.Dense(1)(y)), IMAGES


def by_name(k):
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    y = k.layers.Average()([a, k.layers.Minimum()([a, b]), k.layers.Maximum()([a, b])])
    return k.Model({"a": a, "b": b}, k.layers.Dense(1)(k.layers.Subtract()([y, b]))), {"a": X, "b": Z}


MODELS = [residual, shared, operators, siamese, nested, unknown_length, pictures, by_name]


def drawn(k, seed):
    """A random graph of layers, the same in both libraries."""
    draw = random.Random(seed)
    inputs = [k.Input((4,), name=f"input_{i}") for i in range(draw.randint(1, 3))]
    values = list(inputs)
    layers = []
    for _ in range(draw.randint(3, 12)):
        kind = draw.choice(["dense", "dense", "again", "add", "concatenate", "multiply", "activation"])
        if kind == "again" and layers:
            values.append(draw.choice(layers)(draw.choice(values[: len(inputs)])))
        elif kind in ("add", "multiply"):
            first = draw.choice(values)
            others = [v for v in values if v.shape == first.shape]
            merge = k.layers.Add() if kind == "add" else k.layers.Multiply()
            values.append(merge([first, draw.choice(others)]))
        elif kind == "concatenate":
            values.append(k.layers.Concatenate()([draw.choice(values), draw.choice(values)]))
        elif kind == "activation":
            values.append(k.layers.Activation(draw.choice(["tanh", "relu"]))(draw.choice(values)))
        else:
            layer = k.layers.Dense(4, draw.choice(["tanh", None]))
            value = draw.choice(values)
            if value.shape[-1] == 4:
                layers.append(layer)
            values.append(layer(value))
    outputs = [k.layers.Dense(1, name="head")(k.layers.Concatenate()([values[-1], *inputs]))]
    return k.Model(inputs, outputs[0]), [rng.normal(size=(6, 4)).astype("f4") for _ in inputs]


def names(model):
    return [layer.name for layer in model.layers]


def targets(x):
    one = next(iter(x.values())) if isinstance(x, dict) else x[0] if isinstance(x, list) else x
    return np.linspace(-1, 1, len(one), dtype="f4")[:, None]


def same_layers(mine, theirs):
    assert [type(layer).__name__.replace("Model", "Functional") for layer in mine.layers] == [
        type(layer).__name__ for layer in theirs.layers
    ]
    for layer, other in zip(mine.layers, theirs.layers, strict=True):
        assert [w.shape for w in layer.weights] == [tuple(w.shape) for w in other.weights]


def trained(model, x, y, **kwargs):
    model.compile("sgd", **{"loss": "mse", **kwargs})
    return model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0).history


def close(mine, theirs):
    assert list(mine) == list(theirs)
    for name in mine:
        np.testing.assert_allclose(mine[name], theirs[name], rtol=2e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("build", MODELS, ids=lambda f: f.__name__)
def test_the_same_code_makes_the_model_that_keras_makes(keras, build):
    (mine, x), (theirs, _) = build(nn), build(keras)
    same_layers(mine, theirs)
    mine.set_weights(theirs.get_weights())
    y = targets(x)
    np.testing.assert_allclose(mine.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    close(trained(mine, x, y), trained(theirs, x, y))
    for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_random_graphs_have_the_layers_and_numbers_of_keras(keras, seed):
    (mine, x), (theirs, _) = drawn(nn, seed), drawn(keras, seed)
    same_layers(mine, theirs)
    mine.set_weights(theirs.get_weights())
    np.testing.assert_allclose(mine.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("build", MODELS, ids=lambda f: f.__name__)
def test_a_step_is_replayed_and_the_same_as_eagerly(build):
    found = []
    for eagerly in (False, True):
        nn.utils.set_random_seed(3)
        model, x = build(nn)
        y = targets(x)
        model.compile("adam", "mse", run_eagerly=eagerly)
        found.append((model.fit(x, y, epochs=6, batch_size=4, verbose=0).history, model.get_weights()))
        if not eagerly:
            assert model.schedule.programs, model.schedule.show()
    assert found[0][0] == found[1][0]
    for a, b in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_array_equal(a, b)


# -- several outputs ----------------------------------------------------------------------------------------


def two(k, outputs):
    x = k.Input((4,), name="x")
    p, q = k.layers.Dense(2, name="p")(x), k.layers.Dense(1, name="q")(x)
    return k.Model(x, outputs(p, q))


COMPILED = {
    "one loss for all": ([P, Q], lambda p, q: [p, q], {"loss": "mse"}),
    "a list": ([P, Q], lambda p, q: [p, q], {"loss": ["mse", "mae"], "metrics": ["mae", "mse"]}),
    "lists of metrics": ([P, Q], lambda p, q: [p, q], {"loss": ["mse", "mae"], "metrics": [["mae", "mse"], ["mse"]]}),
    "metrics by name": (
        [P, Q], lambda p, q: [p, q],
        {"loss": ["mse", "mae"], "metrics": {"q": "mae"}, "weighted_metrics": {"p": ["mse"]}},
    ),
    "losses by name": ({"p": P, "q": Q}, lambda p, q: [p, q], {"loss": {"p": "mse", "q": "mae"}}),
    "no loss for one": ([P, Q], lambda p, q: [p, q], {"loss": ["mse", None]}),
    "a dict of outputs": (
        {"u": P, "v": Q}, lambda p, q: {"u": p, "v": q},
        {"loss": {"u": "mse", "v": "mae"}, "metrics": {"v": ["mae"]}, "loss_weights": {"u": 2.0, "v": 0.5}},
    ),
    "an output that the dict leaves out": ({"u": P, "v": Q}, lambda p, q: {"u": p, "v": q}, {"loss": {"v": "mae"}}),
    "outputs in a tuple in a dict": (
        {"u": (P, Q), "v": P}, lambda p, q: {"u": (p, q), "v": p * 2},
        {"loss": {"u": (None, "mae"), "v": "mse"}, "loss_weights": {"u": (1.0, 2.0), "v": 0.5}},
    ),
    "one loss for a structure": ({"u": (P, Q), "v": P}, lambda p, q: {"u": (p, q), "v": p + 1}, {"loss": "mae"}),
    "a list of losses for a tuple": (
        {"u": (P, Q), "v": P}, lambda p, q: {"u": (p, q), "v": p + 1}, {"loss": {"u": ["mse", "mae"]}},
    ),
    "a loss of a part, and one inside": (
        {"u": (P, Q), "v": P}, lambda p, q: {"u": (p, q), "v": p + 1},
        {"loss": {"u": [lambda y, z: abs(y[0] - z[0]).sum(-1) + abs(y[1] - z[1]).sum(-1), (None, "mse")]}},
    ),
    "weights in a list": ([P, Q], lambda p, q: [p, q], {"loss": ["mse", "mse"], "loss_weights": [1, 2]}),
    "a list of one": ([P], lambda p, q: [p], {"loss": ["mse"], "metrics": ["mae"]}),
    "a dict of one": (P, lambda p, q: p, {"loss": {"p": "mse"}, "metrics": {"p": "mae"}}),
}  # fmt: skip


@pytest.mark.every(2)
@pytest.mark.filterwarnings("ignore:Gradients do not exist", "ignore:no gradient came")
@pytest.mark.parametrize("case", COMPILED)
def test_losses_and_metrics_of_several_outputs_are_those_of_keras(keras, case):
    y, outputs, compiled = COMPILED[case]
    mine, theirs = two(nn, outputs), two(keras, outputs)
    mine.set_weights(theirs.get_weights())
    close(trained(mine, X, y, **compiled), trained(theirs, X, y, **compiled))
    weights = np.linspace(0, 1, 12) if isinstance(y, list) and case != "no loss for one" else None
    close(*(m.evaluate(X, y, sample_weight=weights, verbose=0, return_dict=True) for m in (mine, theirs)))
    assert np.ndim(mine.evaluate(X, y, verbose=0)) == np.ndim(theirs.evaluate(X, y, verbose=0))
    predicted = [m.predict(X, verbose=0) for m in (mine, theirs)]
    assert type(predicted[0]) is type(predicted[1])


def test_a_loss_at_a_place_where_there_is_no_output_is_refused():
    model = two(nn, lambda p, q: {"u": (p, q), "v": p})
    for loss in ({"u": {"p": "mse"}}, {"w": ("mse", "mse")}, {"u": (None, None)}):
        with pytest.raises(ValueError, match="loss: expected"):
            model.compile("sgd", loss)


def test_inputs_are_brought_to_the_dtype_that_was_asked_for(keras):
    def ends(k):
        x, n = k.Input((2,), dtype="float16"), k.Input((2,), dtype="int32")
        return k.Model([x, n], [x + 2, n + 2])

    for model in (ends(nn), ends(keras)):
        found = model([np.ones((2, 2)), np.ones((2, 2))])
        assert [np.asarray(v).dtype.name for v in found] == ["float16", "int32"]
    with pytest.raises(ValueError, match=r"expected whole numbers, got 0\.5"):
        ends(nn)([np.ones((2, 2)), np.full((2, 2), 0.5)])
    words, masked = nn.Input((3,), dtype="int32"), nn.layers.Embedding(5, 2, mask_zero=True)
    model = nn.Model(words, nn.layers.LSTM(2)(masked(words)))
    given = np.array([[1.0, 2, 0]], "float32")
    np.testing.assert_array_equal(model(given).numpy(), model.layers[-1](masked(given[:, :2])).numpy())


def test_an_input_that_nobody_asked_for_is_told():
    model = two_inputs = nn.Model({"a": (a := nn.Input((1,), name="a")), "b": (b := nn.Input((1,)))}, a + b)
    x = np.ones((2, 1), "float32")
    with pytest.warns(UserWarning, match=r"expected no inputs beside \['a', 'b'\], got \['c'\] too"):
        two_inputs({"a": x, "b": x, "c": x})
    with pytest.raises(ValueError, match="the inputs of"):
        model([x, x])  # which would be which?
    with pytest.raises(ValueError, match="x: expected an array of numbers, got None"):
        model.predict([None], verbose=0)


def test_what_gives_a_tuple_gives_one_after_it_was_described():
    x = nn.Input((2,))
    again = nn.Model.from_config(nn.Model(x, (x + 1, x + 2)).get_config())
    assert type(again(np.ones((1, 2)))) is tuple


def test_each_output_may_have_weights_of_examples_of_its_own(keras):
    mine, theirs = two(nn, lambda p, q: [p, q]), two(keras, lambda p, q: [p, q])
    mine.set_weights(theirs.get_weights())
    weights = [np.linspace(0, 1, 12), np.linspace(1, 3, 12)]
    for model in (mine, theirs):
        model.compile("sgd", "mse", weighted_metrics=[["mae"], ["mae"]])
    close(*(m.evaluate(X, [P, Q], sample_weight=weights, verbose=0, return_dict=True) for m in (mine, theirs)))


@pytest.mark.parametrize(
    ("compiled", "words"),
    [
        ({"loss": ["mse"]}, "loss: expected 2, one for each of the outputs ['p', 'q'], got 1: ['mse']"),
        ({"loss": {"p": "mse"}}, "loss: expected one for each of the outputs ['p', 'q'], got ['p']; None for none"),
        ({"loss": {"p": "mse", "z": "mse"}}, "loss: expected one for each of the outputs ['p', 'q'], got ['p', 'z']"),
        ({"loss": [None, None]}, "loss: expected one for one of the outputs"),
        ({"loss": "mse", "loss_weights": [1]}, "loss_weights: expected 2, one for each of the outputs"),
        (
            {"loss": "mse", "loss_weights": 2.0},
            "loss_weights: expected one for each of the outputs ['p', 'q'], got 2.0",
        ),
        ({"loss": "mse", "metrics": ["mae"]}, "metrics: expected 2, one for each of the outputs ['p', 'q'], got 1"),
        ({"loss": "mse", "metrics": {"z": "mae"}}, "metrics: expected names of the outputs ['p', 'q'], got 'z'"),
    ],
    ids=str,
)
def test_what_fits_no_outputs_is_refused(compiled, words):
    model = two(nn, lambda p, q: [p, q])
    with pytest.raises(ValueError, match=re.escape(words)):
        model.compile("sgd", **compiled)


def test_targets_of_another_structure_are_refused():
    model = two(nn, lambda p, q: [p, q])
    model.compile("sgd", "mse")
    for y, words in [
        (P, "the targets: expected 2"),
        ([P], "got 1 of them"),
        ({"p": P}, "output 'q': expected targets"),
    ]:
        with pytest.raises(ValueError, match=words):
            model.fit(X, y, verbose=0)
    with pytest.raises(ValueError, match="class_weight: expected a model of one output"):
        model.fit(X, [P, Q], class_weight={0: 1.0}, verbose=0)


def test_the_gradient_of_several_outputs_is_that_of_the_sum_by_hand():
    model = two(nn, lambda p, q: {"p": p, "q": q})
    model.compile("sgd", {"p": "mse", "q": "mae"}, loss_weights={"p": 0.5, "q": 3.0}, run_eagerly=True)
    kernel = Tensor(model.get_layer("p").get_weights()[0])
    bias = Tensor(model.get_layer("p").get_weights()[1])
    loss = 0.5 * np.mean((X @ kernel + bias - P) ** 2)
    loss.backward()
    model.train_on_batch(X, {"p": P, "q": Q})
    np.testing.assert_allclose(model.get_layer("p").kernel.grad, kernel.grad, rtol=1e-5)


# -- ends, names, files -------------------------------------------------------------------------------------


def test_features_are_taken_out_by_a_second_model(keras):
    def features(k):
        stack = k.Sequential([k.Input((4,)), k.layers.Dense(3, "tanh", name="h"), k.layers.Dense(1)])
        return (
            stack,
            k.Model(stack.inputs, stack.get_layer("h").output),
            k.Model(stack.inputs, [x.output for x in stack.layers]),
        )

    (mine, first, every), (theirs, their_first, their_every) = features(nn), features(keras)
    mine.set_weights(theirs.get_weights())
    np.testing.assert_allclose(first.predict(X, verbose=0), their_first.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    for a, b in zip(every.predict(X, verbose=0), their_every.predict(X, verbose=0), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert mine.output.shape == (None, 1)
    assert mine.layers[0].input.shape == (None, 4)


def test_shapes_and_names_are_those_of_keras(keras):
    for build in MODELS:
        mine, theirs = build(nn)[0], build(keras)[0]
        assert [v.shape for v in mine.inputs] == [v.shape for v in theirs.inputs]
        assert [v.shape for v in mine.outputs] == [v.shape for v in theirs.outputs]
        assert len(mine.output_names) == len(theirs.output_names)


@pytest.mark.parametrize("build", MODELS, ids=lambda f: f.__name__)
def test_files_go_to_keras_and_back(keras, build, tmp_path):
    pytest.importorskip("h5py")
    model, x = build(nn)
    model.save(tmp_path / "mine.keras")
    theirs = keras.models.load_model(tmp_path / "mine.keras")
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(theirs.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)
    theirs.save(tmp_path / "theirs.keras")
    back = nn.models.load_model(tmp_path / "theirs.keras")
    np.testing.assert_allclose(back.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    other = build(nn)[0]
    other.load_weights(tmp_path / "theirs.weights.h5")
    np.testing.assert_allclose(other.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("build", MODELS, ids=lambda f: f.__name__)
def test_copies_are_whole(build, tmp_path):
    model, x = build(nn)
    model.compile("adam", "mse")
    expected = model.predict(x, verbose=0)
    model.save(tmp_path / "m.autograd")
    copies = [
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        nn.models.load_model(tmp_path / "m.autograd"),
    ]
    clone = nn.models.clone_model(model)
    assert not np.array_equal(clone.predict(x, verbose=0), expected)
    clone.set_weights(model.get_weights())
    for other in (*copies, clone):
        np.testing.assert_array_equal(other.predict(x, verbose=0), expected)
        assert not {id(w) for w in other.weights} & {id(w) for w in model.weights}
        assert names(other) == names(model)
        again = nn.Model(other.inputs, other.outputs)
        np.testing.assert_array_equal(again.predict(x, verbose=0), expected)


def test_a_thousand_layers_are_built_run_and_copied():
    x = y = nn.Input((2,))
    for _ in range(1000):
        y = nn.layers.Activation("tanh")(y)
    model = nn.Model(x, y)
    assert len(model.layers) == 1001
    value = X[:3, :2]
    expected = model(value).numpy()
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), nn.models.clone_model(model)):
        np.testing.assert_array_equal(other(value).numpy(), expected)


# -- what is no model ---------------------------------------------------------------------------------------


def test_a_value_that_is_not_computed_says_so():
    x = nn.Input((3,), name="x")
    for ask in (float, int, bool, len, iter, np.asarray, lambda v: v.numpy(), lambda v: [0, 1][v]):
        with pytest.raises(TypeError, match="has no values"):
            ask(x)


def test_ends_that_do_not_meet_are_errors():
    x, z = nn.Input((3,), name="x"), nn.Input((3,), name="z")
    with pytest.raises(ValueError, match=r"depend on its inputs alone, got one that needs .*name=z"):
        nn.Model(x, nn.layers.Add()([x, z]))
    with pytest.raises(TypeError, match="expected inputs and outputs, Model"):
        nn.Model(x)
    with pytest.raises(TypeError, match="inputs of a model: expected what Input"):
        nn.Model(np.ones(3), x)
    with pytest.raises(ValueError, match="expected each once"):
        nn.Model([x, x], x)
    with pytest.raises(ValueError, match="expected a known length"):
        nn.layers.Dense(3)(nn.Input((None,)))
    with pytest.raises(AttributeError, match="was called on no Input"):
        _ = nn.layers.Dense(3).output
    with pytest.raises(AttributeError, match="has no inputs"):
        _ = nn.Sequential([nn.layers.Dense(3)]).inputs


def test_inputs_may_be_told_by_name_and_must_be_all_there():
    a, b = nn.Input((4,), name="a"), nn.Input((4,), name="b")
    model = nn.Model([a, b], a - b)
    expected = model.predict([X, Z], verbose=0)
    np.testing.assert_array_equal(model.predict({"b": Z, "a": X}, verbose=0), expected)
    with pytest.raises(ValueError, match="'b' is missing"):
        model.predict({"a": X}, verbose=0)
    with pytest.raises(ValueError, match="the inputs of 'functional"):
        model.predict([X, Z, X], verbose=0)
    with pytest.raises(ValueError, match=r"expected inputs of shape \(None, 4\)"):
        model.predict([X, Z[:, :3]], verbose=0)


class Pair(nn.layers.Layer):
    def call(self, x):
        return [x, x * 2]


def test_a_stack_may_end_in_several_values():
    stack = nn.Sequential([nn.Input((4,)), Pair()])
    assert [v.shape for v in stack.outputs] == [(None, 4)] * 2
    for found, factor in zip(stack.predict(X, verbose=0), (1, 2), strict=True):
        np.testing.assert_array_equal(found, X * factor)


def test_comparisons_and_choices_stand_between_layers():
    x = nn.Input((4,))
    model = nn.Model(x, np.where(x > 0, x, -0.5 * x))
    np.testing.assert_array_equal(model.predict(X, verbose=0), np.where(X > 0, X, -0.5 * X))


@pytest.mark.parametrize(
    "constant", [np.ones(4, "f4"), Tensor(np.ones(4, "f4")), 1.0], ids=["array", "Tensor", "number"]
)
def test_constants_keep_their_dtype_in_files(keras, tmp_path, constant):
    pytest.importorskip("h5py")
    x = nn.Input((4,))
    model = nn.Model(x, nn.layers.Dense(1)(x + constant))
    expected = model.predict(X, verbose=0)
    for file in ("m.keras", "m.autograd"):
        model.save(tmp_path / file)
        found = nn.models.load_model(tmp_path / file).predict(X, verbose=0)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)
    theirs = keras.models.load_model(tmp_path / "m.keras").predict(X, verbose=0)
    np.testing.assert_allclose(theirs, expected, rtol=1e-5, atol=1e-6)


def test_a_loss_of_ones_own_needs_no_other(keras):
    class Sum(nn.Model):
        def __init__(self):
            super().__init__()
            self.dense = nn.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return np.sum(y_pred**2)

    model = Sum()
    model.compile("sgd")
    history = model.fit(X, epochs=2, batch_size=12, verbose=0).history["loss"]
    assert history[1] < history[0]


def test_a_thousand_calls_of_one_layer_are_described_in_order():
    layer, x = nn.layers.Dense(4), nn.Input((4,))
    y = x
    for _ in range(1000):
        y = layer(y)
    model = nn.Model(x, y)
    nodes = model.get_config()["layers"][1]["inbound_nodes"]
    taken = [node["args"][0]["config"]["keras_history"] for node in nodes]
    assert taken == [[x.name, 0, 0], *([layer.name, i, 0] for i in range(999))]


def test_a_run_for_shapes_changes_no_state():
    class Counter(nn.layers.Layer):
        def build(self, input_shape):
            self.count = self.add_weight((), "zeros", trainable=False)

        def call(self, x):
            nn.tensors.assign(self.count, self.count.numpy() + 1)
            return x

    layer, noise = Counter(), nn.layers.Dropout(0.5, seed=1)
    x = nn.Input((2,))
    noise(layer(x), training=True)
    assert layer.count.item() == 0
    kept = noise(np.ones((4, 4), "f4"), training=True).numpy()
    np.testing.assert_array_equal(nn.layers.Dropout(0.5, seed=1)(np.ones((4, 4), "f4"), training=True).numpy(), kept)


def test_weights_are_drawn_as_those_of_a_stack():
    """The run that looks for shapes takes nothing from the generator that initializers draw from."""
    nn.utils.set_random_seed(1)
    stack = nn.Sequential([nn.Input((4,)), nn.layers.Dense(3), nn.layers.Dense(2)])
    nn.utils.set_random_seed(1)
    x = nn.Input((4,))
    model = nn.Model(x, nn.layers.Dense(2)(nn.layers.Dense(3)(x)))
    for a, b in zip(stack.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len({w.tobytes() for w in model.get_weights() if w.any()}) == 2


def test_a_class_made_of_inputs_and_outputs():
    class Block(nn.Model):
        def __init__(self, units):
            x = nn.Input((4,))
            super().__init__(x, nn.layers.Dense(units)(x))
            self.units = units

    model = Block(3)
    assert model.predict(X, verbose=0).shape == (12, 3)
    other = Block.from_config(model.get_config())
    assert (other.units, other.output.shape) == (3, (None, 3))


def test_a_layer_called_with_training_keeps_to_it():
    x = nn.Input((4,))
    frozen = nn.Model(x, nn.layers.BatchNormalization(name="bn")(x, training=False))
    frozen.compile("sgd", "mse")
    frozen.fit(X, Z, verbose=0)
    np.testing.assert_array_equal(frozen.get_layer("bn").moving_mean.numpy(), np.zeros(4))
    assert frozen.get_config()["layers"][1]["inbound_nodes"][0]["kwargs"] == {"training": False}


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot"])
def test_merges_are_those_of_keras(keras, name):
    both = [X[:, None, :] * 1.5, SERIES] if name not in ("concatenate", "dot") else [SERIES, SERIES[::-1] * 0.5]
    options = {"axes": (1, 1)} if name == "dot" else {}
    mine = getattr(nn.layers, name)([Tensor(b) for b in both], **options)
    np.testing.assert_allclose(
        mine.numpy(), np.asarray(getattr(keras.layers, name)(both, **options)), rtol=1e-5, atol=1e-6
    )


def test_a_layer_that_was_called_by_keyword_goes_into_a_stack():
    class Twice(nn.layers.Layer):
        def call(self, x):
            return x * 2.0

    layer = Twice()
    layer(x=nn.Input((3,)))
    model = nn.Sequential([nn.Input((3,)), layer])
    assert model.output_shape == (None, 3)
    np.testing.assert_array_equal(model.predict_on_batch(np.ones((2, 3))), np.full((2, 3), 2))
    assert nn.Model(model.inputs[0], model.outputs[0]).output_shape == (None, 3)


def test_what_was_made_not_to_train_trains_nothing(keras, tmp_path):
    """In Keras a layer in a frozen Bidirectional or inner Sequential trains all the same, once that is in a model."""
    for k in (nn, keras):
        L, x = k.layers, k.Input((4,))
        stack = k.Sequential([k.Input((4,)), L.Dense(2)], trainable=False)
        attention = L.MultiHeadAttention(2, 3, trainable=False)
        attention(np.ones((1, 2, 3)), np.ones((1, 2, 3)))
        frozen = [stack, k.Model(x, L.Dense(2)(x), trainable=False), attention]
        assert [layer.trainable_weights for layer in frozen] == [[], [], []]
    L = nn.layers
    inner = nn.Sequential([L.Dense(2)], trainable=False)
    around = nn.Sequential([nn.Input((5, 4)), L.Bidirectional(L.GRU(2), trainable=False), inner, L.Dense(1)])
    assert [w.path.split("/")[-2] for w in around.trainable_weights] == [around.layers[-1].name] * 2
    inner.layers[0].trainable = True  # said later, it counts, here and after a file
    around.save(tmp_path / "m.autograd")
    for model in (around, nn.models.load_model(tmp_path / "m.autograd"), nn.models.clone_model(around)):
        assert len(model.trainable_weights) == 4


def test_the_shape_that_a_lambda_tells_is_that_which_comes_out():
    x = nn.Input((4, 3))
    for told in ((3,), lambda shape: (shape[0], shape[2]), (None,)):
        assert nn.layers.Lambda(lambda x: x[:, 0], output_shape=told)(x).shape == (None, 3)
    for wrong in ((4,), 4, (4, 3), lambda shape: shape):
        with pytest.raises(
            ValueError, match=r"output_shape of layer 'lambda.*': expected \(None, 3\), which comes out"
        ):
            nn.layers.Lambda(lambda x: x[:, 0], output_shape=wrong)(x)


def test_shapes_of_a_large_batch_are_found_on_a_few_examples():
    seen = []

    class Looks(nn.layers.Layer):
        def call(self, x):
            seen.append(len(x))
            return np.concatenate([x, x + 1], axis=0)

    x = nn.Input((3, 4), batch_size=512)
    assert Looks()(x).shape == (1024, 3, 4)
    assert seen == [1, 2]
    assert (x + np.ones((512, 1, 1))).shape == (512, 3, 4)  # which wants as many as there are
    assert x.reshape((-1, 4)).shape == (1536, 4)
    assert np.mean(x, axis=0).shape == (3, 4)
    assert nn.layers.LSTM(2, stateful=True, return_sequences=True)(x).shape == (512, 3, 2)


def test_operators_that_assign_name_another_value(keras):
    def made(k):
        x = begin = k.Input((3,))
        x += begin
        x *= 2.0
        x -= 1.0
        x /= 4.0
        return k.Model(begin, x)

    given = np.arange(6.0, dtype="float32").reshape(2, 3)
    np.testing.assert_allclose(made(nn).predict(given, verbose=0), made(keras).predict(given, verbose=0), rtol=1e-6)
    with pytest.raises(TypeError, match="has no values"):
        np.add(nn.Input((3,)), 1, out=np.zeros(3))
