"""What goes from step to step and from layer to layer: states, masks, what is left out, what weights are held to."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import nn
from autograd_core import Tensor, tree
from autograd_core.testing import check_gradients

L = nn.layers
rng = np.random.default_rng(0)
X, WORDS = rng.normal(size=(4, 6, 3)).astype("float32"), rng.integers(1, 9, (4, 6))
WORDS[1:, 3:] = 0
KINDS = ["SimpleRNN", "GRU", "LSTM"]


def recurrent(k, name, units, **kwargs):
    """A layer of this kind, or of a stack of cells."""
    if name == "stack":
        return k.layers.RNN([k.layers.LSTMCell(3), k.layers.SimpleRNNCell(units)], **kwargs)
    return getattr(k.layers, name)(units, **kwargs)


def states_of(layer):
    return [np.array(state.data) for state in tree.leaves(layer.states)]


# -- state between batches ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*KINDS, "stack"])
def test_a_state_goes_from_batch_to_batch_as_in_keras(keras, name):
    """Eagerly and replayed, in training and in prediction; it is no weight, and is not saved."""

    def stateful(k):
        return k.Sequential([k.Input(batch_shape=(4, 6, 3)), recurrent(k, name, 5, stateful=True), k.layers.Dense(1)])

    theirs, mine = stateful(keras), stateful(nn)
    weights = [rng.normal(size=w.shape).astype("float32") / 2 for w in theirs.get_weights()]
    y = rng.normal(size=(4, 1)).astype("float32")
    for model in (theirs, mine):
        model.set_weights(weights)
        model.compile("sgd", "mse", run_eagerly=model is theirs)
    for _ in range(5):
        assert mine.train_on_batch(X, y) == pytest.approx(theirs.train_on_batch(X, y), rel=1e-4)
    assert mine._steps.plans.plan.training.programs  # the last of them were replayed
    for _ in range(5):
        np.testing.assert_allclose(mine.predict_on_batch(X), theirs.predict_on_batch(X), rtol=1e-4, atol=1e-5)
    assert mine._steps.plans.plan.predicting.programs
    for a, b in zip(states_of(mine.layers[0]), tree.leaves(theirs.layers[0].states), strict=True):
        np.testing.assert_allclose(a, np.asarray(b), rtol=1e-4, atol=1e-5)
    mine.layers[0].reset_state()
    for state in tree.leaves(theirs.layers[0].states):  # Keras 3.15's own reset_state fails where states are nested
        state.assign(np.zeros(state.shape))
    np.testing.assert_allclose(mine.predict_on_batch(X), theirs.predict_on_batch(X), rtol=1e-4, atol=1e-5)
    assert len(mine.get_weights()) == len(weights)


def test_a_long_sequence_in_two_halves_is_one_sequence():
    whole, halves = L.LSTM(5), L.LSTM(5, stateful=True)
    expected = whole(X).numpy()
    halves(X[:, :3])
    halves.set_weights(whole.get_weights()), halves.reset_state()
    halves(X[:, :3])
    np.testing.assert_allclose(halves(X[:, 3:]).numpy(), expected, rtol=1e-6, atol=1e-6)
    twin = copy.deepcopy(halves)
    assert all(np.array_equal(a, b) for a, b in zip(states_of(halves), states_of(twin), strict=True))
    halves.reset_state()
    assert not any(s.any() for s in states_of(halves))
    assert any(s.any() for s in states_of(twin))


def test_the_size_of_a_batch_must_be_known_and_stay():
    with pytest.raises(ValueError, match=r"stateful: expected a known batch size, Input\(batch_shape"):
        L.GRU(2, stateful=True)(nn.Input(shape=(6, 3)))
    layer = L.GRU(2, stateful=True)
    layer(X)
    with pytest.raises(ValueError, match="expected a batch of 4 examples, as before, got 2"):
        layer(X[:2])


def test_shapes_are_looked_for_without_a_trace():
    layer = L.LSTM(2, stateful=True)
    x = nn.Input(batch_shape=(4, 6, 3))
    layer(x), layer(x)
    assert not any(s.any() for s in states_of(layer))


def test_a_first_state_that_is_given_gets_its_gradient():
    layer, h = L.GRU(5), Tensor(rng.normal(size=(4, 5)).astype("float32"))
    layer(X)
    np.sum(layer(X, initial_state=h)).backward()
    assert h.grad is not None
    assert h.grad.any()


@pytest.mark.parametrize("name", KINDS)
def test_gradients_through_time_are_those_of_finite_differences(name):
    layer = getattr(L, name)(3, return_sequences=True, dtype="float64")
    x = X[:2, :4].astype("float64")
    layer(x)
    mask = np.array([[1, 1, 0, 1], [1, 0, 0, 0]], bool)
    names = ("kernel", "recurrent_kernel", "bias")
    values = [getattr(layer.cell, name).data.copy() for name in names]

    def f(x, *values):
        for name, value in zip(names, values, strict=True):
            vars(layer.cell)[name] = value
        return layer(x, mask=mask)

    check_gradients(f, x, *values)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("more", [{}, {"bias_initializer": "ones"}, {"unit_forget_bias": False}])
def test_a_bias_begins_as_in_keras(keras, name, more):
    if name != "LSTM":
        more = {k: v for k, v in more.items() if k != "unit_forget_bias"}
    theirs, mine = (getattr(k.layers, name)(3, **more) for k in (keras, nn))
    theirs(X), mine(X)
    np.testing.assert_array_equal(mine.get_weights()[2], theirs.get_weights()[2])


def test_a_first_state_may_be_given_before_a_stateful_layer_has_one():
    given = [rng.normal(size=(4, 5)).astype("float32") for _ in range(2)]
    whole, halves = L.LSTM(5), L.LSTM(5, stateful=True)
    halves(X[:, :3], initial_state=given)
    whole(X)
    whole.set_weights(halves.get_weights())
    expected = whole(X, initial_state=given).numpy()
    np.testing.assert_allclose(halves(X[:, 3:]).numpy(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_no_examples_give_none_and_no_steps_are_an_error(name):
    for layer in (getattr(L, name)(5), L.Bidirectional(getattr(L, name)(5), merge_mode="sum")):
        assert layer(X[:0]).shape == (0, 5)
        with pytest.raises(ValueError, match="expected at least one step"):
            layer(X[:, :0])
    with pytest.raises(ValueError, match="expected at least one step"):
        L.TimeDistributed(L.Dense(2))(X[:, :0])


class Sums(L.Layer):
    """A cell of one's own, whose state has an axis more."""

    def __init__(self, state_size, scale=1, **kwargs):
        super().__init__(**kwargs)
        self.state_size, self.scale = state_size, scale

    def get_initial_state(self, batch_size=None):
        return [np.zeros((batch_size, 1, self.state_size), "float32")]

    def call(self, x, states):
        total = states[0] + self.scale * np.expand_dims(x, 1)
        return total, [total]


def doubled(x):
    return 2 * x


def test_a_cell_of_ones_own_goes_both_ways_and_its_state_has_any_shape():
    mask = np.arange(6) < np.array([[6], [2], [1], [0]])
    both = L.Bidirectional(L.RNN(Sums(3, scale=2)), merge_mode=None)
    for y in both(X, mask=mask):
        expected = 2 * np.sum(X * mask[..., None], axis=1, keepdims=True)
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert both.forward_layer.cell is not both.backward_layer.cell
    assert L.Bidirectional(L.GRU(2, activation=doubled))(X).shape == (4, 4)
    with pytest.raises(ValueError, match="two that are called '<lambda>'"):
        L.Bidirectional(L.GRU(2, lambda x: x, lambda x: 2 * x))


# -- masks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_a_state_of_zeros_changes_nothing_beside_a_mask_either(name):
    layer, masked = getattr(L, name)(5), L.Masking(0.0)(np.where(np.arange(6)[:, None] < 4, X, 0))
    zeros = [np.zeros((4, 5), "float32")] * (2 if name == "LSTM" else 1)
    np.testing.assert_array_equal(layer(masked, initial_state=zeros).numpy(), layer(masked).numpy())
    np.testing.assert_array_equal(layer(masked).numpy(), layer(X[:, :4]).numpy())


def models_with_masks(k):
    L = k.layers
    x = k.Input((6,), dtype="int32")
    words = L.LSTM(3, return_sequences=True)(L.Embedding(9, 4, mask_zero=True)(x))
    yield k.Model(x, L.Dense(2)(L.Dropout(0.0)(words)))
    x = k.Input((6,), dtype="int32")
    e = L.Embedding(9, 4, mask_zero=True)(x)
    both = L.Add()([L.GRU(4, return_sequences=True)(e), L.LayerNormalization()(e)])
    yield k.Model(x, L.Dense(2)(L.Concatenate()([both, L.MultiHeadAttention(2, 3)(e, e)])))
    x = k.Input((6,), dtype="int32")
    e = L.Embedding(9, 4, mask_zero=True)(x)
    states = L.LSTM(4, return_state=True)(e)[1:]
    named = {} if k is nn else {"mask": k.ops.not_equal(x, 0)}  # Keras loses it beside a state, ours does not
    yield k.Model(x, L.Dense(2)(L.LSTM(4, return_sequences=True)(e, initial_state=states, **named)))
    x = k.Input((6,), dtype="int32")
    e = L.Masking(0.25)(L.Embedding(9, 4)(x))
    yield k.Model(x, L.Dense(2)(L.Bidirectional(L.GRU(3, return_sequences=True))(e)))


@pytest.mark.parametrize("number", range(4))
def test_masks_travel_to_the_loss_and_to_metrics_as_in_keras(keras, number):
    """Training and evaluation, replayed, with and without weights of steps."""
    theirs, mine = (list(models_with_masks(k))[number] for k in (keras, nn))
    draw = np.random.default_rng(number)
    weights = [draw.normal(size=w.shape).astype("float32") / 2 for w in theirs.get_weights()]
    if number == 3:
        weights[0][0] = 0.25  # the word 0 is what Masking leaves out
    y, sample_weight = draw.normal(size=(4, 6, 2)).astype("float32"), draw.random((4, 6)).astype("float32")
    for model in (theirs, mine):
        model.set_weights(weights)
        model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"], run_eagerly=model is theirs)
    for _ in range(5):
        a, b = (model.train_on_batch(WORDS, y, return_dict=True) for model in (mine, theirs))
        assert a == pytest.approx(b, rel=1e-4)
    for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    given = {"sample_weight": sample_weight, "verbose": 0, "return_dict": True}
    a, b = (model.evaluate(WORDS, y, **given) for model in (mine, theirs))
    assert a == pytest.approx(b, rel=1e-4)


def test_the_same_layers_know_masks_as_in_keras(keras):
    given = {
        "Dense": (1,), "Activation": ("relu",), "Embedding": (2, 3), "Conv1D": (1, 1), "Dropout": (0.5,), "LSTM": (2,),
        "GRU": (2,), "SimpleRNN": (2,), "Reshape": ((2,),), "Permute": ((1,),), "RepeatVector": (2,), "Rescaling": (1,),
        "GaussianNoise": (0.1,), "SpatialDropout1D": (0.1,), "MultiHeadAttention": (1, 1), "Dot": (1,), "Attention": (),
    }  # fmt: skip
    for name in [*given, "Flatten", "Masking", "Add", "Concatenate", "ReLU", "ELU", "LeakyReLU", "Softmax", "Identity",
                 "BatchNormalization", "LayerNormalization", "GroupNormalization", "Normalization", "UpSampling1D",
                 "Cropping1D", "ZeroPadding1D", "GlobalAveragePooling1D", "GlobalMaxPooling1D"]:  # fmt: skip
        ours, theirs = (getattr(k.layers, name)(*given.get(name, ())) for k in (nn, keras))
        assert ours.supports_masking == theirs.supports_masking, name
    for k in (nn, keras):
        assert k.layers.Embedding(2, 3, mask_zero=True).supports_masking


def test_a_mask_that_ends_is_told():
    model = nn.Sequential([L.Embedding(9, 4, mask_zero=True), L.Flatten()])
    with pytest.warns(UserWarning, match=r"layer 'flatten.*' \(Flatten\) was given values with a mask"):
        model(WORDS)


def test_a_layer_of_ones_own_is_given_masks_and_makes_them():
    class Last(L.Layer):
        """The last step that counts."""

        def call(self, x, mask=None):
            place = np.sum(mask, axis=1) - 1
            return x[np.arange(len(x)), place]

        def compute_mask(self, inputs, previous_mask=None):
            return None

    class Odd(L.Layer):
        def compute_mask(self, inputs, previous_mask=None):
            return np.asarray(inputs.data[..., 0] > 0)

        def call(self, x):
            return x * 1

    found = nn.Sequential([L.Embedding(9, 4, mask_zero=True), Last()])(WORDS).numpy()
    assert found.shape == (4, 4)
    averaged = nn.Sequential([Odd(), L.GlobalAveragePooling1D()])(X).numpy()
    expected = [x[x[:, 0] > 0].mean(axis=0) for x in X]
    np.testing.assert_allclose(averaged, expected, rtol=1e-5)


def test_a_list_without_masks_is_given_as_such_whatever_else_has_one():
    given = []

    class Told(L.Layer):
        def call(self, xs, mask=None):
            given.append(mask)
            return xs[0] + xs[1]

    Told()([X, X])
    other = L.Masking()(X)
    Told()([X, X])
    assert given == [[None, None]] * 2, other


def test_whether_zeros_are_padding_can_be_said_later():
    layer, words = L.Embedding(9, 4), np.array([[1, 2, 0, 0]])
    layer(words)
    layer.mask_zero = True
    assert layer.supports_masking
    padded = L.GlobalAveragePooling1D()(layer(words)).numpy()
    np.testing.assert_allclose(padded, layer.embeddings.numpy()[[1, 2]].mean(axis=0, keepdims=True), rtol=1e-5)


def test_masks_in_float16_lose_and_overflow_nothing():
    x = np.full((1, 1003, 2), 100, "float16")
    mask = np.arange(1003)[None] < 1000
    mean = L.GlobalAveragePooling1D(dtype="float16")(x, mask=mask)
    assert mean.dtype == np.float16
    np.testing.assert_array_equal(mean.numpy(), 100)
    query, value = np.full((1, 2, 4), 5, "float16"), np.full((1, 3, 4), -5, "float16")
    nothing = [None, np.zeros((1, 3), bool)]  # the mean of all, then
    np.testing.assert_allclose(L.Attention(dtype="float16")([query, value], mask=nothing).numpy(), -5, rtol=1e-3)


# -- what is left out --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_the_same_is_left_out_in_all_steps_of_a_sequence(name):
    """Inputs that are left out in one step are in all: with one input a sequence counts or does not."""
    layer = getattr(L, name)(4, dropout=0.5, use_bias=False, return_sequences=True, seed=1)
    x = np.ones((200, 3, 1), "float32")
    layer(x)
    y = layer(x, training=True).numpy()
    silent = ~y.any(axis=(1, 2))
    assert 0.3 < silent.mean() < 0.7
    assert (y[~silent] != 0).any(axis=-1).all()
    np.testing.assert_array_equal(layer(x).numpy(), layer(x).numpy())
    again = getattr(L, name)(4, dropout=0.5, use_bias=False, return_sequences=True, seed=1)
    again(x)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(x, training=True).numpy(), y)


def test_in_a_stack_too_the_same_is_left_out_in_all_steps():
    cells = [L.SimpleRNNCell(2, use_bias=False), L.SimpleRNNCell(3, dropout=0.5, use_bias=False)]
    layer = L.RNN(cells, return_sequences=True)
    x = np.ones((200, 4, 1), "float32")
    layer(x)
    cells[1].set_weights([np.eye(2, 3), np.zeros((3, 3))])
    y = layer(x, training=True).numpy()
    counts = (y[..., :2] != 0).all(axis=1)
    assert (counts == (y[..., :2] != 0).any(axis=1)).all()
    assert 0.3 < counts.mean() < 0.7
    assert (layer(x).numpy()[..., :2] != 0).all()


@pytest.mark.parametrize("cells", [[], [3], [L.Dense(2)], L.Dense(2)])
def test_a_stack_is_of_cells(cells):
    with pytest.raises(ValueError, match="with a state_size"):
        L.RNN(cells)


def test_of_the_state_each_gate_has_its_own_part_left_out():
    cell = L.LSTMCell(5, recurrent_dropout=0.5, dropout=0.2)
    of_inputs, of_state = cell.masks((3, 7), np.dtype("float32"), True)
    assert [m.shape for m in of_inputs] == [(3, 7)] * 4
    assert [m.shape for m in of_state] == [(3, 5)] * 4
    assert set(np.unique(of_state)) == {np.float32(0), np.float32(2)}
    assert cell.masks((3, 7), np.dtype("float32"), False) == ([], [])
    model = nn.Sequential([nn.Input(shape=(6, 3)), L.GRU(4, recurrent_dropout=0.5, dropout=0.5), L.Dense(1)])
    model.compile("sgd", "mse")
    losses = [model.train_on_batch(X, np.ones((4, 1))) for _ in range(8)]
    assert model._steps.plans.plan.training.programs
    assert len(set(losses)) == 8  # each replay draws anew


# -- constraints -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"])
def test_weights_are_held_to_constraints_as_in_keras(keras, name):
    settings = {"MinMaxNorm": {"min_value": 0.5, "max_value": 0.8, "rate": 0.5}, "MaxNorm": {"max_value": 0.7}}.get(
        name, {}
    )
    values = rng.normal(size=(3, 4)).astype("float32")
    values[:, 1] = 0
    theirs = getattr(keras.constraints, name)(**settings)
    np.testing.assert_allclose(getattr(nn.constraints, name)(**settings)(values), theirs(values), rtol=1e-5, atol=1e-7)

    def model_of(k):
        held = getattr(k.constraints, name)(**settings)
        return k.Sequential([k.Input((3,)), k.layers.Dense(4, kernel_constraint=held, bias_constraint="non_neg")])

    theirs, mine = model_of(keras), model_of(nn)
    x, y = rng.normal(size=(8, 3)).astype("float32"), rng.normal(size=(8, 4)).astype("float32")
    for model in (theirs, mine):
        model.set_weights([values, np.zeros(4, "float32")])
        model.compile("sgd", "mse", run_eagerly=model is theirs)
    for _ in range(5):
        assert mine.train_on_batch(x, y) == pytest.approx(theirs.train_on_batch(x, y), rel=1e-5)
    for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert mine._steps.plans.plan.training.programs
    for twin in (copy.deepcopy(mine), pickle.loads(pickle.dumps(mine))):
        twin.set_weights([-values, np.full(4, -1.0)])
        twin.train_on_batch(x, y)
        assert (twin.get_weights()[1] >= 0).all()
    assert (mine.get_weights()[1] >= 0).all()


@pytest.mark.parametrize("size", [1e-4, 300.0])
def test_norms_of_float16_are_those_of_float64(size):
    values = np.full((4, 3), size, "float16")
    norm = np.linalg.norm(values.astype("float64"), axis=0)
    for held, wanted in (
        (nn.constraints.UnitNorm(), 1),
        (nn.constraints.MaxNorm(2), np.minimum(norm, 2)),
        (nn.constraints.MinMaxNorm(0.5, 2), np.clip(norm, 0.5, 2)),
    ):
        found = held(values)
        assert found.dtype == np.float16
        np.testing.assert_allclose(np.linalg.norm(found.astype("float64"), axis=0), wanted, rtol=2e-3)


def test_a_constraint_of_ones_own_gives_the_shape_of_its_weight():
    def trained(constraint):
        model = nn.Sequential([nn.Input((3,)), L.Dense(3, kernel_constraint=constraint)])
        model.compile("sgd", "mse")
        model.train_on_batch(X[0], X[0])
        return model.get_weights()[0]

    assert trained(lambda w: nn.activations.relu(Tensor(w))).min() == 0  # a Tensor is a value, too
    with pytest.raises(ValueError, match=r"expected an array of this shape, got one of shape \(3,\)"):
        trained(lambda w: np.sum(w, axis=0))


def test_a_constraint_counts_in_a_loop_of_ones_own():
    layer = L.Dense(2, kernel_constraint="non_neg")
    y = layer(X[0])
    np.sum(y**2).backward()
    nn.optimizers.SGD(10.0).apply([w.grad for w in layer.weights], layer.weights)
    assert (layer.get_weights()[0] >= 0).all()
    with pytest.raises(ValueError, match="unknown constraint 'max'; did you mean"):
        L.Dense(2, kernel_constraint="max")


# -- training ----------------------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["LSTM", "GRU", "MultiHeadAttention"])
def test_a_small_task_is_learned_as_well_as_by_keras(keras, name):
    """Which of two marks comes first in a noisy sequence; from the same weights, with the same batches."""
    draw = np.random.default_rng(5)
    x = draw.normal(size=(512, 12, 2)).astype("float32") / 4
    first, second = draw.permuted(np.tile(np.arange(12), (512, 1)), axis=1)[:, :2].T
    x[np.arange(512), first, 0] += 2
    x[np.arange(512), second, 1] += 2
    y = (first < second).astype("float32")

    def model_of(k):
        inputs = k.Input((12, 2))
        if name == "MultiHeadAttention":
            places = k.layers.Conv1D(16, 5, padding="causal", activation="relu")(inputs)
            found = k.layers.GlobalAveragePooling1D()(k.layers.MultiHeadAttention(2, 8)(places, places))
        else:
            found = getattr(k.layers, name)(16)(inputs)
        return k.Model(inputs, k.layers.Dense(1, activation="sigmoid")(found))

    theirs, mine = model_of(keras), model_of(nn)
    mine.set_weights(theirs.get_weights())
    losses = []
    for model in (theirs, mine):
        model.compile("adam", "binary_crossentropy")
        losses.append(model.fit(x, y, epochs=15, batch_size=32, shuffle=False, verbose=0).history["loss"])
    assert losses[1][0] == pytest.approx(losses[0][0], rel=1e-3)
    assert losses[0][-1] < 0.6 * losses[0][0]
    assert losses[1][-1] == pytest.approx(losses[0][-1], rel=0.05)
