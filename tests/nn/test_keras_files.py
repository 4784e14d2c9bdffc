"""Files of Keras are Keras' own: it reads what is written here, and what it wrote is read here."""

from __future__ import annotations

import io
import json
import os
import random
import warnings
import zipfile

import numpy as np
import pytest

import nn
from nn.saving import ModelFileError

h5py = pytest.importorskip("h5py")

# Each random model goes Keras -> ours -> Keras, and ours -> Keras -> ours; more of them with this variable.
MODELS = range(int(os.environ.get("ROUND_TRIPS", "4")))


@pytest.fixture(autouse=True)
def what_keras_warns_of_is_not_ours(warnings_are_only_shown):
    warnings.filterwarnings("ignore", message="Skipping variable loading for optimizer")


# -- what random models are made of -------------------------------------------------------------------------


def images(k, draw):
    """Layers that take pictures, and end in numbers."""
    layers = [k.layers.Conv2D(draw.randint(1, 4), draw.choice([1, 2, 3]), padding=draw.choice(["same", "valid"]),
                              activation=draw.choice(["relu", "tanh", None]),
                              kernel_regularizer=draw.choice([None, "l2", k.regularizers.L1(0.02)]))]  # fmt: skip
    more = [
        lambda: k.layers.BatchNormalization(momentum=draw.choice([0.5, 0.99]), epsilon=0.01),
        lambda: k.layers.MaxPooling2D(2, padding="same"),
        lambda: k.layers.AveragePooling2D(2),
        lambda: k.layers.ZeroPadding2D(1),
        lambda: k.layers.LeakyReLU(negative_slope=0.2),
        lambda: k.layers.Rescaling(0.5, offset=0.1),
    ]
    layers += [draw.choice(more)() for _ in range(draw.randint(0, 2))]
    return [*layers, draw.choice([k.layers.Flatten, k.layers.GlobalAveragePooling2D])()]


def words(k, draw):
    """Layers that take whole numbers."""
    layers = [k.layers.Embedding(10, draw.randint(2, 4))]
    if draw.random() < 0.5:
        layers.append(k.layers.Conv1D(3, 2, activation="relu", use_bias=draw.random() < 0.5))
    return [*layers, draw.choice([k.layers.Flatten, k.layers.GlobalMaxPooling1D])()]


def numbers(k, draw):
    """Layers that take and give vectors."""
    more = [
        lambda: k.layers.Dense(draw.randint(1, 5), activation=draw.choice(["relu", "gelu", "softplus", None])),
        lambda: k.layers.Dense(3, use_bias=False, kernel_initializer=k.initializers.HeNormal(seed=draw.randint(0, 9)),
                               bias_regularizer=k.regularizers.L1L2(0.1, 0.2)),
        lambda: k.layers.LayerNormalization(epsilon=1e-3),
        lambda: k.layers.BatchNormalization(scale=False),
        lambda: k.layers.Activation("elu"),
        lambda: k.layers.Dropout(0.5, seed=draw.choice([None, 3])),
        lambda: k.Sequential([k.layers.Dense(4, activation="tanh"), k.layers.Dense(3, trainable=draw.random() < 0.5)]),
    ]  # fmt: skip
    return [draw.choice(more)() for _ in range(draw.randint(1, 4))]


OPTIMIZERS = [
    lambda k: k.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    # epsilons at which a gradient that is all rounding does not decide the step
    lambda k: k.optimizers.Adam(k.optimizers.schedules.ExponentialDecay(0.02, 3, 0.5), epsilon=0.01),
    lambda k: k.optimizers.Adam(0.02, epsilon=0.01, amsgrad=True),
    lambda k: k.optimizers.AdamW(0.01, weight_decay=0.1, clipnorm=1.0, epsilon=0.01),
    lambda k: k.optimizers.RMSprop(0.01, centered=True, momentum=0.5, epsilon=0.01),
    lambda k: k.optimizers.Adadelta(0.5, epsilon=0.01),
    lambda k: k.optimizers.Adagrad(0.1, global_clipnorm=0.5),
]
# Keras 3.15 does not save the delta of Huber: with another than 1 its own file comes back as another loss.
LOSSES = ["mse", lambda k: k.losses.Huber(), lambda k: k.losses.MeanAbsoluteError(reduction="sum")]


def drawn(k, seed):
    """A random model of either library, with inputs and targets, after two steps of training."""
    draw, rng = random.Random(seed), np.random.default_rng(seed)
    kind = draw.choice(["images", "words", "numbers"])
    if kind == "images":
        x, first = rng.normal(size=(6, 7, 7, 2)).astype("float32"), images(k, draw)
    elif kind == "words":
        # Each word once: of one that comes twice Keras' Adam on TensorFlow squares the parts, not their sum.
        x, first = rng.permutation(10).reshape(2, 5), words(k, draw)
    else:
        x, first = rng.normal(size=(6, 4)).astype("float32"), []
    model = k.Sequential([k.Input(x.shape[1:]), *first, *numbers(k, draw), k.layers.Dense(2)])
    rule, loss = draw.choice(OPTIMIZERS), draw.choice(LOSSES)
    model.compile(rule(k), loss if isinstance(loss, str) else loss(k), metrics=["mae", k.metrics.MeanSquaredError()],
                  run_eagerly=k is not nn)  # fmt: skip
    y = rng.normal(size=(len(x), 2)).astype("float32")
    for _ in range(2):
        model.train_on_batch(x, y)
    return model, x, y


def draws_at_random(model):
    """Whether a step of its training does, so that two libraries differ."""
    return "Dropout" in json.dumps(model.get_config())


def equal(one, other, x, y):
    """The same weights, predictions, optimizer, and the same after one further step."""
    step = not draws_at_random(one)
    for _ in range(1 + step):
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-5)
        np.testing.assert_allclose(one.predict_on_batch(x), other.predict_on_batch(x), rtol=2e-4, atol=1e-5)
        equal_states(one, other, 2e-3)
        if step:
            np.testing.assert_allclose(one.train_on_batch(x, y), other.train_on_batch(x, y), rtol=2e-4)


def equal_states(one, other, rtol):
    """The same state of two optimizers, by the names that their libraries give the slots."""
    states = []
    for model in (one, other):
        optimizer = model.optimizer
        if model.__module__.startswith("nn."):
            slots = {(i, name): a for i, state in enumerate(optimizer._memory.states) for name, a in state.items()}
        else:
            slots = {}
            for v in optimizer.variables:
                name = v.name if hasattr(v, "name") else ""
                slot = next((s for s in SLOTS if name.endswith(s)), None)
                if slot:
                    slots[sum(k[1] == slot for k in slots), slot] = np.asarray(v)
        states.append({"steps": np.asarray(plain(optimizer.iterations)), **slots})
    assert states[0].keys() == states[1].keys()
    for key, value in states[0].items():
        np.testing.assert_allclose(value, states[1][key], rtol=rtol, atol=1e-6 if rtol else 0, err_msg=str(key))


SLOTS = ["velocity_hat", "velocity", "momentum", "average_gradient", "accumulator", "accumulated_grad",
         "accumulated_delta_var"]  # fmt: skip


@pytest.fixture(params=["keras", "ours"])
def pair(request, keras):
    """The library that makes the model, and the other one."""
    return (keras, nn) if request.param == "keras" else (nn, keras)


@pytest.mark.parametrize("seed", MODELS)
def test_a_model_goes_from_one_library_to_the_other_and_back(pair, tmp_path, seed):
    one, other = pair
    model, x, y = drawn(one, seed)
    model.save(tmp_path / "there.keras")
    there = other.models.load_model(tmp_path / "there.keras")
    there.save(tmp_path / "back.keras")
    back = one.models.load_model(tmp_path / "back.keras")
    assert type(there).__name__ == type(back).__name__ == "Sequential"
    assert [layer.name for layer in there.layers] == [layer.name for layer in model.layers]
    if one is nn:
        for a, b in zip(model.get_weights(), back.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    equal(model, there, x, y)
    model.load_weights(tmp_path / "there.keras")  # where it was before that step
    np.testing.assert_allclose(back.predict_on_batch(x), model.predict_on_batch(x), rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("seed", MODELS)
def test_weights_go_from_one_library_to_the_other(pair, tmp_path, seed):
    one, other = pair
    model, x, _ = drawn(one, seed)
    model.save_weights(tmp_path / "m.weights.h5")
    there, _, _ = drawn(other, seed)
    there.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(there.predict_on_batch(x), model.predict_on_batch(x), rtol=2e-4, atol=1e-5)
    equal_states(model, there, 0)


# -- where Keras keeps what ---------------------------------------------------------------------------------


def own(k):
    """Classes of a person's own, with layers in attributes and containers, in either library."""

    class Block(k.layers.Layer):
        def __init__(self, units=3, **kwargs):
            super().__init__(**kwargs)
            self.units, self.z = units, k.layers.Dense(units)
            self.many = [k.layers.Dense(units), [k.layers.Dense(units)], {"a": k.layers.Dense(units)}]
            self._private = k.layers.Dense(units)

        def build(self, input_shape):
            self.state = self.add_weight(shape=(), initializer="ones", trainable=False, name="state")
            self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

        def call(self, x):
            for layer in (self.z, self.many[0], self.many[1][0], self.many[2]["a"], self._private):
                x = layer(x if layer is not self.z else x * self.scale)
            return x * self.state

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    class Net(k.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.last, self.block, self.parts = k.layers.Dense(1), Block(2), [k.layers.Dense(2), k.layers.Dense(2)]

        def call(self, x):
            return self.last(self.parts[1](self.parts[0](self.block(x))))

    return Block, Net


def layout(data):
    """The paths and shapes of the arrays in an HDF5 file."""
    found = {}
    with h5py.File(io.BytesIO(data)) as file:
        file.visititems(lambda path, item: found.update({path: getattr(item, "shape", None)}))
    return found


def hdf5_of(path):
    with zipfile.ZipFile(path) as archive:
        return archive.read("model.weights.h5")


def test_classes_of_ones_own_keep_their_weights_where_keras_does(pair, tmp_path):
    paths = []
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    models = []
    for k in pair:
        _, net = own(k)
        models.append(net())
        models[-1](x)
        models[-1].save(tmp_path / f"{len(paths)}.keras")
        paths.append(tmp_path / f"{len(paths)}.keras")
    one, other = (layout(hdf5_of(path)) for path in paths)
    assert {k: v for k, v in one.items() if "optimizer" not in k} == {
        k: v for k, v in other.items() if "optimizer" not in k
    }
    block, net = own(pair[1])
    again = pair[1].models.load_model(paths[0], custom_objects={"Net": net, "Block": block})
    np.testing.assert_allclose(plain(models[0](x)), plain(again(x)), rtol=1e-5, atol=1e-6)


def plain(value):
    return value.numpy() if hasattr(value, "numpy") else value


# -- configurations -----------------------------------------------------------------------------------------

THINGS = {
    "layers": [
        lambda k: k.layers.Dense(3, "relu", kernel_regularizer="l1"), lambda k: k.layers.Conv1D(2, 3, strides=2),
        lambda k: k.layers.Conv2D(2, (3, 2), padding="same"), lambda k: k.layers.BatchNormalization(axis=1),
        lambda k: k.layers.LayerNormalization(), lambda k: k.layers.Embedding(4, 2), lambda k: k.layers.Dropout(0.3),
        lambda k: k.layers.Flatten(), lambda k: k.layers.Reshape((2, -1)), lambda k: k.layers.Softmax(axis=1),
        lambda k: k.layers.MaxPooling1D(3), lambda k: k.layers.AveragePooling2D((2, 1), strides=1),
        lambda k: k.layers.GlobalMaxPooling2D(keepdims=True), lambda k: k.layers.ZeroPadding2D(((1, 2), (3, 4))),
        lambda k: k.layers.Rescaling(2.0), lambda k: k.layers.LeakyReLU(0.1), lambda k: k.layers.Activation("tanh"),
        lambda k: k.Sequential([k.Input((2,)), k.layers.Dense(1, dtype="float16")]),
        lambda k: k.layers.LSTM(3, return_sequences=True, dropout=0.1, recurrent_regularizer="l2"),
        lambda k: k.layers.GRU(3, reset_after=False, stateful=True), lambda k: k.layers.SimpleRNN(2, go_backwards=True),
        lambda k: k.layers.RNN(k.layers.LSTMCell(2, unit_forget_bias=False), return_state=True),
        lambda k: k.layers.RNN([k.layers.GRUCell(2), k.layers.SimpleRNNCell(3)], go_backwards=True),
        lambda k: k.layers.Bidirectional(k.layers.GRU(2), merge_mode="sum"),
        lambda k: k.layers.TimeDistributed(k.layers.Dense(2)), lambda k: k.layers.Attention(True, "concat", 0.1),
        lambda k: k.layers.MultiHeadAttention(2, 3, 4, output_shape=(5,), sliding_window=2, use_gate=True),
        lambda k: k.layers.Masking(0.5),
        lambda k: k.layers.Conv2DTranspose(2, 3, 2, "same", (1, 0)), lambda k: k.layers.DepthwiseConv2D(3, 2),
        lambda k: k.layers.SeparableConv1D(3, 2, depth_multiplier=2), lambda k: k.layers.GroupNormalization(2),
        lambda k: k.layers.Normalization(axis=(1, 2)), lambda k: k.layers.UpSampling2D((1, 2), None, "bilinear"),
        lambda k: k.layers.Cropping2D(((1, 2), (3, 4))), lambda k: k.layers.SpatialDropout2D(0.2),
        lambda k: k.layers.Dense(2, kernel_constraint=k.constraints.MinMaxNorm(0.1, 2.0, 0.5, axis=0)),
    ],
    "constraints": [lambda k: k.constraints.UnitNorm(axis=[0, 1]), lambda k: k.constraints.NonNeg()],
    "initializers": [
        lambda k: k.initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=1),
        lambda k: k.initializers.Constant(0.5), lambda k: k.initializers.GlorotNormal(),
    ],
    "regularizers": [lambda k: k.regularizers.L1L2(0.1, 0.2)],
    "optimizers": [lambda k, rule=rule: rule(k) for rule in OPTIMIZERS],
    "losses": [lambda k: k.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)],
    "metrics": [lambda k: k.metrics.TopKCategoricalAccuracy(k=3, name="top")],
}  # fmt: skip
EACH = [(module, make) for module, makes in THINGS.items() for make in makes]


@pytest.mark.parametrize(("module", "make"), EACH, ids=[f"{m} {i}" for i, (m, _) in enumerate(EACH)])
def test_what_one_library_describes_the_other_makes(pair, module, make):
    one, other = pair
    thing = make(one)
    described = json.loads(json.dumps(getattr(one, module).serialize(thing)))
    made = getattr(other, module).deserialize(described)
    assert type(made).__name__ in (type(thing).__name__, f"TF{type(thing).__name__}")
    config, back = thing.get_config(), made.get_config()
    for name in config.keys() & back.keys() - {"dtype", "layers", "build_input_shape", "learning_rate"}:
        if not isinstance(config[name], dict):
            assert np.array_equal(json.loads(json.dumps(back[name])), json.loads(json.dumps(config[name]))), name
    type(made).from_config(config)  # without the name of the class, too


def test_masks_between_layers_are_read_and_recurrent_weights_find_their_places(pair, tmp_path):
    """Keras writes the functions that make its masks as layers of a model."""
    one, other = pair
    x = one.Input((6,), dtype="int32")
    words = one.layers.Masking(0.25)(one.layers.Embedding(9, 4, mask_zero=True)(x))
    heard = one.layers.MultiHeadAttention(2, 3)(words, words)
    output, h, c = one.layers.LSTM(3, return_sequences=True, return_state=True)(heard)
    again = one.layers.Bidirectional(one.layers.GRU(2, return_sequences=True))(output)
    model = one.Model(x, one.layers.Concatenate()([one.layers.GlobalAveragePooling1D()(again), h, c]))
    data = np.random.default_rng(0).integers(0, 9, (4, 6))
    model.save(tmp_path / "there.keras")
    there = other.models.load_model(tmp_path / "there.keras")
    assert there.count_params() == model.count_params()
    there.save(tmp_path / "back.keras")
    back = one.models.load_model(tmp_path / "back.keras")
    expected = model.predict(data, verbose=0)
    for twin in (there, back):
        np.testing.assert_allclose(twin.predict(data, verbose=0), expected, rtol=2e-4, atol=1e-5)


def test_json_goes_both_ways(pair):
    one, other = pair
    model, _, _ = drawn(one, 3)
    made = other.models.model_from_json(model.to_json())
    assert [w.shape for w in made.weights] == [w.shape for w in model.weights]
    assert type(made.optimizer).__name__ == type(model.optimizer).__name__


@pytest.mark.parametrize(
    ("make", "said"),
    {
        "an argument that we lack": (lambda k: k.layers.BatchNormalization(renorm=True), "no argument 'renorm'"),
        "another dtype inside": (lambda k: k.layers.Dense(1, dtype="mixed_float16"), "weights and results have one"),
        "a layer that we lack": (lambda k: k.layers.ConvLSTM1D(2, 3), "unknown layer 'ConvLSTM1D'"),
    }.values(),
)  # fmt: skip
def test_what_there_is_not_here_is_refused_by_name(keras, make, said):
    with pytest.raises((ValueError, TypeError), match=said):
        nn.layers.deserialize(keras.layers.serialize(make(keras)))


def test_jit_compile_of_keras_promises_nothing(keras, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=True)
    model.save(tmp_path / "m.keras")
    assert nn.models.load_model(tmp_path / "m.keras").get_compile_config()["jit_compile"] == "auto"


# -- names --------------------------------------------------------------------------------------------------


def small():
    model = nn.Sequential([nn.Input((3,)), nn.layers.Dense(2, name="a"), nn.layers.Dense(1, name="b")])
    model.compile("adam", "mse")
    return model


@pytest.mark.parametrize("name", ["m.h5", "m.hdf5", "m.weights.h5", "m.ckpt", "m.pt", "m.onnx", "m.npz", "m.keras.bak"])
def test_a_model_is_not_saved_under_a_name_of_another_format(tmp_path, name):
    with pytest.raises(ValueError, match=r"expected a file for a model to end in \.keras"):
        small().save(tmp_path / name)
    with pytest.raises(ValueError, match="end in"):
        nn.callbacks.ModelCheckpoint(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["m.h5", "m.keras", "m.ckpt", "m.safetensors"])
def test_weights_are_not_saved_under_a_name_of_another_format(tmp_path, name):
    with pytest.raises(ValueError, match=r"expected a file for weights to end in \.weights\.h5"):
        small().save_weights(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_files_of_earlier_versions_are_read_with_a_word(tmp_path, name):
    model = small()
    model.save(tmp_path / "m.autograd")
    os.rename(tmp_path / "m.autograd", tmp_path / name)
    with pytest.warns(UserWarning, match=r"is one of ours, as earlier versions wrote it"):
        again = nn.models.load_model(tmp_path / name)
    with pytest.warns(UserWarning, match=r"is one of ours"):
        model.load_weights(tmp_path / name)
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_file_objects_hold_files_of_keras(keras, tmp_path):
    model, buffer = small(), io.BytesIO()
    nn.models.save_model(model, buffer)
    buffer.seek(0)
    np.testing.assert_array_equal(nn.models.load_model(buffer).get_weights()[0], model.get_weights()[0])
    (tmp_path / "m.keras").write_bytes(buffer.getvalue())
    theirs = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(theirs.get_weights()[0], model.get_weights()[0])


class Pipe(io.RawIOBase):
    """A file without a buffer, which takes 100 bytes at a time, as POSIX lets it."""

    def __init__(self):
        self.taken = b""

    def writable(self):
        return True

    def write(self, data):
        self.taken += bytes(data)[:100]
        return min(len(data), 100)


def test_a_file_object_that_takes_a_part_gets_the_rest(keras, tmp_path):
    model, pipe = small(), Pipe()
    model.save(pipe)
    (tmp_path / "m.keras").write_bytes(pipe.taken)
    theirs = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(theirs.get_weights()[0], model.get_weights()[0])


def test_without_h5py_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    small().save(tmp_path / "m.keras")
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    sentence = r'A file of Keras needs h5py: pip install "autograd-core\[keras\]"'
    with pytest.raises(ImportError, match=sentence):
        small().save(tmp_path / "n.keras")
    assert not (tmp_path / "n.keras").exists()
    with pytest.raises(ImportError, match=sentence):  # the file is whole
        nn.models.load_model(tmp_path / "m.keras")
    with pytest.raises(ImportError, match=sentence):
        small().load_weights(tmp_path / "m.keras")


def test_what_a_link_leads_to_has_a_say_in_the_format(tmp_path):
    kinds = {"latest.keras": "blob", "latest": "best.keras", "m.zip.link": "m.zip"}
    for link, file in kinds.items():
        (tmp_path / link).symlink_to(tmp_path / file)
        small().save(tmp_path / link)
        with zipfile.ZipFile(tmp_path / file) as archive:
            assert ("model.weights.h5" in archive.namelist()) == ("keras" in link + file)
    (tmp_path / "newest").symlink_to(tmp_path / "m.h5")
    with pytest.raises(ValueError, match="end in"):
        small().save(tmp_path / "newest")
    assert not (tmp_path / "m.h5").exists()


class Many(nn.layers.Layer):
    """So many weights that their numbers sort otherwise as text; one has no elements, one no axes."""

    def build(self, input_shape):
        start = nn.initializers.Constant
        self.parts = [self.add_weight((1,), start(i / 2**10), trainable=i % 5 != 4) for i in range(10_002)]
        self.empty, self.scale = self.add_weight((0, 3)), self.add_weight((), "ones")

    def call(self, x):
        return x * self.parts[-1] * self.scale


def test_many_arrays_and_odd_shapes_and_dtypes_keep_their_places(tmp_path):
    model = nn.Sequential([nn.Input((3,)), Many(dtype="float16"), nn.layers.Dense(1, dtype="float64")])
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.keras")
    again = nn.models.load_model(tmp_path / "m.keras", custom_objects={"Many": Many})
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_array_equal(a, b)


# -- what does not fit --------------------------------------------------------------------------------------


def test_weights_that_do_not_fit_change_nothing_and_may_be_skipped(tmp_path):
    model = small()
    for name in ("m.weights.h5", "m.autograd"):
        model.save_weights(tmp_path / name)
        other = nn.Sequential([nn.Input((3,)), nn.layers.Dense(2), nn.layers.Dense(1, use_bias=True)])
        wide = nn.Sequential([nn.Input((3,)), nn.layers.Dense(2), nn.layers.Dense(4, name="last")])
        other.load_weights(tmp_path / name)
        np.testing.assert_array_equal(other.get_weights()[2], model.get_weights()[2])
        before = wide.get_weights()
        with pytest.raises(ModelFileError, match=r"\(2, 1\)|shape"):
            wide.load_weights(tmp_path / name)
        for a, b in zip(wide.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)
        with pytest.warns(UserWarning, match="'last'.*skipped"):
            wide.load_weights(tmp_path / name, skip_mismatch=True)
        np.testing.assert_array_equal(wide.get_weights()[0], model.get_weights()[0])
        np.testing.assert_array_equal(wide.get_weights()[2], before[2])


def test_layers_that_the_model_lacks_are_not_lost_without_a_word(tmp_path):
    small().save_weights(tmp_path / "m.weights.h5")
    fewer = nn.Sequential([nn.Input((3,)), nn.layers.Dense(2)])
    with pytest.raises(ModelFileError, match="no layer for the weights in layers/dense_1"):
        fewer.load_weights(tmp_path / "m.weights.h5")


def test_sub_models_that_the_model_lacks_are_not_lost_without_a_word(keras, tmp_path):
    inner = keras.Sequential([keras.layers.Dropout(0.5, seed=1), keras.Sequential([keras.layers.Dense(4)])])
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), inner]).save_weights(tmp_path / "m.weights.h5")
    fewer = nn.Sequential([nn.Input((3,)), nn.layers.Dense(2)])
    with pytest.raises(ModelFileError, match="no layer for the weights in layers/sequential"):
        fewer.load_weights(tmp_path / "m.weights.h5")
    dropout = keras.layers.Dropout(0.5, seed=1)  # whose generator is no weight
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), dropout]).save_weights(tmp_path / "d.weights.h5")
    fewer.load_weights(tmp_path / "d.weights.h5")


def test_attributes_that_the_model_lacks_are_told(pair, tmp_path):
    x = np.ones((2, 3), "float32")
    _, net = own(pair[0])
    model = net()
    model.extra = pair[0].layers.Dense(2)
    model.extra(x), model(x)
    model.save_weights(tmp_path / "m.weights.h5")
    fewer = own(nn)[1]()
    fewer(x)
    with pytest.warns(UserWarning, match="no layer for the weights in extra; skipped"):
        fewer.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_allclose(plain(fewer(x)), plain(model(x)), rtol=1e-5)
    if pair[0] is not nn:
        return
    model.save(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match="no layer for the weights in extra; skipped"):
        nn.models.load_model(tmp_path / "m.keras", custom_objects=dict(zip(["Block", "Net"], own(nn), strict=True)))


STATES = {
    "steps that are no number": lambda file: file["optimizer/vars/0"].__setitem__((), -5),
    "a rate that is none": lambda file: file["optimizer/vars/1"].__setitem__((), np.nan),
    "an array that is missing": lambda file: file.__delitem__("optimizer/vars/3"),
    "text": lambda file: file.create_dataset(f"optimizer/vars/{len(file['optimizer/vars'])}", data="text"),
}


@pytest.mark.parametrize("what", STATES)
def test_an_optimizer_that_is_damaged_leaves_the_weights_as_they_are(tmp_path, what):
    model, other = small(), small()
    for each in (model, other):
        each.train_on_batch(np.ones((2, 3)), np.ones((2, 1)))
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "a") as file:
        STATES[what](file)
    before = [*other.get_weights(), *other.optimizer.get_weights()]
    with pytest.raises(ModelFileError):
        other.load_weights(tmp_path / "m.weights.h5")
    for a, b in zip(before, [*other.get_weights(), *other.optimizer.get_weights()], strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_optimizer_that_does_not_fit_begins_anew_with_a_word(tmp_path):
    model = small()
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 1)))
    model.layers[0].trainable = False
    model.save(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match="the optimizer begins anew"):
        again = nn.models.load_model(tmp_path / "m.keras")
    assert int(again.optimizer.iterations) == 0
    assert [w.requires_grad for w in again.weights] == [False, False, True, True]


# -- what is refused ----------------------------------------------------------------------------------------


def double(x):
    return x * 2


def test_code_in_a_file_is_never_run(keras, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "m.keras")
    for safe_mode in (True, False):
        with pytest.raises(ModelFileError, match="Python code, which is never run, whatever safe_mode says"):
            nn.models.load_model(tmp_path / "m.keras", safe_mode=safe_mode)
    named = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(double)])
    named.save(tmp_path / "n.keras")
    with pytest.raises(ModelFileError, match="hand the function in"):
        nn.models.load_model(tmp_path / "n.keras")
    again = nn.models.load_model(tmp_path / "n.keras", custom_objects={"double": double})
    assert again.predict_on_batch(np.ones((1, 2))).tolist() == [[2.0, 2.0]]


def test_the_formats_of_keras_2_are_told(keras, tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(tmp_path / "m.h5")
    with pytest.raises(ModelFileError, match=r"HDF5 format of Keras 2; load it with Keras, and save"):
        nn.models.load_model(tmp_path / "m.h5")
    with pytest.raises(ModelFileError, match="HDF5 format of Keras 2"):
        nn.Sequential([nn.Input((2,)), nn.layers.Dense(1)]).load_weights(tmp_path / "m.h5")
    model.save_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ModelFileError, match=r"weights without a model; use model\.load_weights"):
        nn.models.load_model(tmp_path / "m.weights.h5")
    x = keras.Input((2,))
    keras.Model(x, keras.ops.erf(keras.layers.Dense(1)(x))).save(tmp_path / "f.keras")
    with pytest.raises(ModelFileError, match="the operation Erf of Keras has no layer here"):
        nn.models.load_model(tmp_path / "f.keras")


def graph(change):
    """The configuration of a small model from inputs to outputs, after a change of it."""
    x = nn.Input((2,), name="x")
    config = nn.Model(x, nn.layers.Dense(1, name="d")(x)).get_config()
    change(config)
    return config


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["layers"][1]["inbound_nodes"][0]["args"][0]["config"].update(keras_history=["d", 0, 0]), "circle"),
        (lambda c: c["layers"][1]["inbound_nodes"][0]["args"][0]["config"].update(keras_history=["y", 0, 0]), "'y'"),
        (lambda c: c.update(output_layers=["d", 7, 0]), "no call 7 of layer 'd'"),
        (lambda c: c.update(layers=[*c["layers"], c["layers"][1]]), "'d' twice"),
    ],
    ids=["circle", "unknown layer", "unknown call", "twice"],
)
def test_a_graph_that_is_none_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        nn.Model.from_config(graph(change))


def elsewhere(file, folder):
    file["layers/a/vars/0"] = h5py.ExternalLink(str(folder / "other.h5"), "/x")


def linked(file, folder):
    file["layers/a/vars/0"] = h5py.SoftLink("/layers/dense/vars/0")


def raw(file, folder):
    (folder / "raw").write_bytes(bytes(24))
    file.create_dataset("layers/a/vars/0", (3, 2), "float32", external=[(str(folder / "raw"), 0, 24)])


def virtual(file, folder):
    source = h5py.VirtualSource(str(folder / "other.h5"), "x", (3, 2), "float32")
    layout_ = h5py.VirtualLayout((3, 2), "float32")
    layout_[:] = source
    file.create_virtual_dataset("layers/a/vars/0", layout_)


HOSTILE = {
    "a link to another file": elsewhere,
    "a link inside": linked,
    "an array in another file": raw,
    "an array made of another file's": virtual,
    "text": lambda f, _: f.create_dataset("layers/a/vars/0", (3, 2), h5py.string_dtype()),
    "references": lambda f, _: f.create_dataset("layers/a/vars/0", (3, 2), h5py.ref_dtype),
    "records": lambda f, _: f.create_dataset("layers/a/vars/0", (3, 2), [("x", "f4")]),
    "more than the file holds": lambda f, _: f.create_dataset("layers/a/vars/0", (2**20, 2**20), "f4", chunks=True),
    "a group": lambda f, _: f.create_group("layers/a/vars/0"),
    "another number": lambda f, _: f.create_dataset("layers/a/vars/7", (3, 2), "f4"),
    "nothing": lambda f, _: None,
    "an empty shape": lambda f, _: f.create_dataset("layers/a/vars/0", data=h5py.Empty("f4")),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hdf5_that_keras_never_writes_is_refused(tmp_path, what):
    model = nn.Sequential([nn.Input((3,)), nn.layers.Dense(2, use_bias=False, name="a")])
    before = model.get_weights()[0]
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        HOSTILE[what](file, tmp_path)
        if "layers/a" in file:
            file.move("layers/a", "layers/dense") if "dense" not in file["layers"] else None
    with pytest.raises(ModelFileError):
        model.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_a_file_that_was_cut_off_or_changed_is_told(tmp_path):
    model = small()
    model.save(tmp_path / "m.keras")
    whole, rng = (tmp_path / "m.keras").read_bytes(), np.random.default_rng(0)
    weights = model.get_weights()
    for length in [0, 1, 7, 100, *rng.integers(0, len(whole), 30)]:
        (tmp_path / "n.keras").write_bytes(whole[:length])
        with pytest.raises(ModelFileError):
            nn.models.load_model(tmp_path / "n.keras")
    for name in ("config.json", "model.weights.h5"):
        with zipfile.ZipFile(tmp_path / "m.keras") as old, zipfile.ZipFile(tmp_path / "z.keras", "w") as new:
            for part in old.namelist():
                squeezed = zipfile.ZIP_DEFLATED if part == name else zipfile.ZIP_STORED
                new.writestr(part, old.read(part), squeezed)
        with pytest.raises(ModelFileError, match=f"{name}: expected it stored as it is"):
            nn.models.load_model(tmp_path / "z.keras")
    again = nn.models.load_model(tmp_path / "m.keras")
    for a, b in zip(again.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(a, b)


CONFIGURATIONS = {
    "no dict": lambda c: [],
    "no config": lambda c: {**c, "config": 3},
    "another class": lambda c: {**c, "class_name": "os.system"},
    "a class that is no model": lambda c: {**c, "class_name": "Adam"},
    "layers that are none": lambda c: {**c, "config": {**c["config"], "layers": 5}},
    "a huge layer": lambda c: {**c, "config": {**c["config"], "layers": [
        {"class_name": "InputLayer", "config": {"batch_shape": [None, 10**6]}},
        {"class_name": "Dense", "config": {"units": 10**6}}]}},
    "a compiled thing that is none": lambda c: {**c, "compile_config": 7},
    "another optimizer": lambda c: {**c, "compile_config": {**c["compile_config"], "optimizer": "eval"}},
}  # fmt: skip


@pytest.mark.parametrize("what", CONFIGURATIONS)
def test_a_configuration_that_describes_no_model_is_told(tmp_path, what):
    small().save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as old, zipfile.ZipFile(tmp_path / "n.keras", "w") as new:
        for part in old.namelist():
            data = old.read(part)
            new.writestr(part, json.dumps(CONFIGURATIONS[what](json.loads(data))) if part == "config.json" else data)
    with pytest.raises(ModelFileError):
        nn.models.load_model(tmp_path / "n.keras")


def test_what_is_wrong_with_a_configuration_is_not_said_of_the_weights(tmp_path):
    small().save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as old, zipfile.ZipFile(tmp_path / "n.keras", "w") as new:
        for part in old.namelist():
            new.writestr(part, old.read(part).replace(b'"name": "a"', b'"name": 333'))
    with pytest.raises(ModelFileError, match=r"cannot be loaded: the name of a layer: expected a string, got 333"):
        nn.models.load_model(tmp_path / "n.keras")


def test_a_registered_class_needs_no_word(tmp_path):
    @nn.saving.register_keras_serializable(package="tests")
    class Twofold(nn.layers.Layer):
        def call(self, x):
            return x * 2

    model = nn.Sequential([nn.Input((3,)), Twofold(), nn.layers.Dense(1)])
    for name in ("m.keras", "m.autograd"):
        model.save(tmp_path / name)
        again = nn.models.load_model(tmp_path / name)
        assert type(again.layers[0]) is Twofold
    assert nn.saving.get_registered_name(Twofold) == "tests>Twofold"
    assert nn.saving.get_registered_object("tests>Twofold") is Twofold


def test_a_clone_is_another_model_with_new_weights():
    model = small()
    other = nn.models.clone_model(model)
    assert [w.shape for w in other.weights] == [w.shape for w in model.weights]
    assert other.compiled
    assert other.optimizer is not model.optimizer
    assert not any(a is b for a, b in zip(model.layers, other.layers, strict=True))
    assert not np.array_equal(model.get_weights()[0], other.get_weights()[0])


# -- any object as plain data -------------------------------------------------------------------------------


def cube(x):
    return x**3


class Plain:
    """What knows nothing of layers."""

    def __init__(self, value):
        self.value = value

    def get_config(self):
        return {"value": self.value}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def test_any_object_is_described_as_keras_does_and_made_again(keras):
    own = {"cube": cube, "Plain": Plain}
    same = (
        "hello", 3, 0.5, True, None, b"hello", slice(None, 20, 2), ..., np.array([0, 1]), np.arange(4.0).reshape(2, 2),
        ["hello", 0, {"1": [True, None]}],
    )  # fmt: skip
    for thing in same:
        described = nn.saving.serialize_keras_object(thing)
        assert described == keras.saving.serialize_keras_object(thing)
        np.testing.assert_equal(nn.saving.deserialize_keras_object(json.loads(json.dumps(described))), thing)
    for make in (
        lambda k: k.losses.Huber(2.0), lambda k: k.layers.Dense(3, "relu"), lambda k: k.regularizers.L2(0.5),
        lambda k: k.optimizers.Adam(k.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)), lambda k: k.metrics.AUC(),
        lambda k: k.activations.tanh, lambda k: k.initializers.HeNormal(3),
        lambda k: k.Sequential([k.Input((2,)), k.layers.Dense(1)]),
    ):  # fmt: skip
        theirs = json.loads(json.dumps(keras.saving.serialize_keras_object(make(keras))))
        made = nn.saving.deserialize_keras_object(theirs)
        assert type(made) is type(make(nn))
        again = nn.saving.deserialize_keras_object(json.loads(json.dumps(nn.saving.serialize_keras_object(made))))
        assert type(again) is type(made)
    for thing in (cube, [cube, Plain(3)]):
        described = json.loads(json.dumps(nn.saving.serialize_keras_object(thing)))
        made = nn.saving.deserialize_keras_object(described, own)
        assert nn.saving.serialize_keras_object(made) == described


@pytest.mark.parametrize(
    ("described", "error", "words"),
    [
        ({"class_name": "Dense", "config": [1, 2]}, TypeError, "expected a dict as its config"),
        ({"class_name": "function", "config": ["no"]}, TypeError, "expected its name as the config"),
        ({"class_name": "function", "config": "relu", "registered_name": "my>relu"}, ValueError, "registered as"),
        ({"class_name": "Dense", "config": {"units": 1}, "registered_name": "my>Dense"}, ValueError, "registered as"),
        ({"class_name": "__lambda__", "config": {"value": ["4wEA"]}}, ValueError, "never run"),
        ({"class_name": "nobody", "config": {}}, ValueError, "unknown layer 'nobody'"),
    ],
)  # fmt: skip
def test_what_describes_no_object_is_refused(described, error, words):
    with pytest.raises(error, match=words):
        nn.saving.deserialize_keras_object(described)


def test_what_cannot_be_described_is_refused():
    with pytest.raises(ValueError, match="a lambda has no name"):
        nn.saving.serialize_keras_object(lambda x: x)
    with pytest.raises(TypeError, match=r"expected one with a get_config\(\)"):
        nn.saving.serialize_keras_object(object())
    with pytest.raises(TypeError, match="from_config"):
        nn.saving.deserialize_keras_object({"class_name": "object", "config": {}}, {"object": object})


def test_a_model_with_a_compile_of_its_own_is_loaded_without_it(tmp_path):
    class Adversarial(nn.Sequential):
        def compile(self, first, second):
            super().compile(first, "mse")
            self.second = second

    model = Adversarial([nn.Input((2,)), nn.layers.Dense(1)])
    model.compile("adam", "sgd")
    for name in ("m.keras", "m.autograd"):
        model.save(tmp_path / name)
        with pytest.warns(UserWarning, match="Adversarial has a compile\\(\\) of its own"):
            again = nn.models.load_model(tmp_path / name, {"Adversarial": Adversarial})
        assert not again.compiled
        np.testing.assert_array_equal(again(np.ones((1, 2))).numpy(), model(np.ones((1, 2))).numpy())


def test_layers_that_a_configuration_holds_as_they_are_come_back(tmp_path):
    class Around(nn.layers.Layer):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

        def call(self, x):
            return self.inner(x)

        def get_config(self):
            return {**super().get_config(), "inner": self.inner}

    model = nn.Sequential([nn.Input((2,)), Around(nn.layers.Dense(3))])
    model.save(tmp_path / "m.keras")
    again = nn.models.load_model(tmp_path / "m.keras", {"Around": Around})
    np.testing.assert_array_equal(again(np.ones((1, 2))).numpy(), model(np.ones((1, 2))).numpy())
