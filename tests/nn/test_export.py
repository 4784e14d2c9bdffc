"""Models as ONNX files, with onnxruntime as the judge: it must compute what we compute, for every batch size."""

import importlib.util
import threading
from pathlib import Path

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core.op import REGISTRY
from autograd_core.replay import decide
from nn.export import ExportError
from nn.export.rules import RULES

L = nn.layers


def neighbour(name):
    """Another file of tests, for what it holds."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


layers = neighbour("test_layers")


@pytest.fixture
def onnx(judge):
    return judge("onnx")


@pytest.fixture
def session(judge, onnx, tmp_path):
    """Export a model, and let onnxruntime open the file."""
    runtime = judge("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3

    def opened(model):
        path = tmp_path / "model.onnx"
        nn.export_onnx(model, path)
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    return opened


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def unit(*shape):
    """Numbers between 0 and 1, where every function is defined."""
    return np.random.default_rng(1).uniform(0.1, 0.9, shape).astype("float32")


def agree(session, model, make, sizes=(1, 7)):
    """onnxruntime gives our numbers, in our shapes, for batches of these sizes."""
    opened = session(model)
    for size in sizes:
        x = make(size)
        given = x if isinstance(x, list) else [x]
        got = opened.run(None, {i.name: v for i, v in zip(opened.get_inputs(), given, strict=True)})
        ours = model(x, training=False)
        ours = list(ours.values()) if isinstance(ours, dict) else ours if isinstance(ours, list) else [ours]
        for a, b in zip(got, ours, strict=True):
            assert a.shape == b.shape
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b.numpy(), rtol=1e-5, atol=1e-5 * max(1, np.abs(b.numpy()).max()))
    return opened


def of(function, shape=(4,), name="mine"):
    """A model that is one function."""
    model = nn.Sequential([L.Lambda(function, name=name)], name="model")
    model(unit(5, *shape))
    return model


def kinds(onnx, path):
    return [node.op_type for node in onnx.load(path).graph.node]


# -- every layer -------------------------------------------------------------------------------------------


@pytest.mark.every(2)
@pytest.mark.parametrize(("name", "settings", "shapes"), layers.TABLE, ids=[name for name, _, _ in layers.TABLE])
def test_a_file_computes_what_the_layer_computes(session, name, settings, shapes):
    """The table that Keras judges; the layers that may have the channels first have them there too."""
    formats = [{}]
    if "data_format" in nn.config.arguments(getattr(L, name)) and name != "Flatten":
        formats.append({"data_format": "channels_first"})
    failures = []
    for number, (kwargs, shape, where) in enumerate((k, s, f) for k in settings for s in shapes for f in formats):
        example = (shape[-1], *shape[1:-1]) if where else shape[1:]
        model = nn.Sequential([nn.Input(shape=example), getattr(L, name)(**kwargs, **where)])
        rng = np.random.default_rng(number)
        model.set_weights([rng.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in model.weights])
        try:
            agree(session, model, lambda n, e=example, seed=number: layers.distinct((n, *e), seed))
        except (AssertionError, ExportError) as error:
            failures.append(f"{name}({kwargs}, {where}) on {shape}: {error}")
    assert not failures, f"{len(failures)}:\n" + "\n".join(failures[:5])


SEQUENCES = {
    "a mask": lambda: [L.Masking(0.5), L.GRU(3, return_sequences=True), L.GlobalAveragePooling1D()],
    "both ways": lambda: [L.Bidirectional(L.LSTM(3, return_sequences=True)), L.SimpleRNN(2, go_backwards=True)],
    "step by step": lambda: [L.TimeDistributed(L.Dense(3, "relu")), L.RNN(L.GRUCell(2, reset_after=False))],
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_recurrent_layers_are_unrolled(session, name):
    agree(session, nn.Sequential([nn.Input(shape=(6, 4)), *SEQUENCES[name]()]), lambda n: normal(n, 6, 4))


def test_attention_and_padding(session):
    x = nn.Input(shape=(6,), dtype="int64")
    words = L.Embedding(9, 4, mask_zero=True)(x)
    found = L.MultiHeadAttention(2, 3)(words, words, use_causal_mask=True)
    model = nn.Model(x, L.LSTM(3)(L.Attention(use_scale=True)([found, words])))
    agree(session, model, lambda n: np.random.default_rng(n).integers(0, 9, (n, 6)) * (np.arange(6) < 4))


@pytest.mark.parametrize("name", sorted(nn.activations.registry.known))
def test_activations_by_name_and_as_functions(session, name):
    by_name = nn.Sequential([nn.Input(shape=(6,)), L.Dense(5, name), L.Activation(nn.activations.get(name))])
    agree(session, by_name, lambda n: normal(n, 6))


def test_activations_with_settings(session):
    agree(session, of(lambda x: nn.activations.relu(x, 0.1, 1.5, 0.5)), lambda n: 3 * normal(n, 4))
    agree(session, of(lambda x: nn.activations.gelu(x, approximate=True)), lambda n: 3 * normal(n, 4))
    agree(session, nn.Sequential([nn.Input(shape=(4,)), L.Dense(3, L.LeakyReLU(0.1))]), lambda n: normal(n, 4))


@pytest.mark.parametrize("trainable", [True, False])
def test_an_embedding_takes_whole_numbers(session, trainable):
    model = nn.Sequential([nn.Input(shape=(9,)), L.Embedding(20, 4), L.GlobalAveragePooling1D(), L.Dense(1, "sigmoid")])
    model.trainable = trainable
    opened = agree(session, model, lambda n: np.random.default_rng(0).integers(0, 20, (n, 9)))
    assert opened.get_inputs()[0].type == "tensor(int64)"


def test_an_input_has_the_name_and_the_dtype_that_it_was_given(session):
    model = nn.Sequential(
        [nn.Input(shape=(4, 4, 1), dtype="uint8", name="image"), L.Rescaling(1 / 255), L.Flatten(), L.Dense(2)]
    )
    opened = agree(session, model, lambda n: np.random.default_rng(0).integers(0, 255, (n, 4, 4, 1)).astype("uint8"))
    assert (opened.get_inputs()[0].name, opened.get_inputs()[0].type) == ("image", "tensor(uint8)")


def test_a_layer_in_double_precision(session):
    model = nn.Sequential([nn.Input(shape=(4,)), L.Dense(3, "tanh", dtype="float64"), L.Dense(2)])
    agree(session, model, lambda n: normal(n, 4))


def test_dropout_is_gone(session, onnx, tmp_path):
    model = nn.Sequential([nn.Input(shape=(4,)), L.Dense(3), L.Dropout(0.5), L.Dense(2)])
    agree(session, model, lambda n: normal(n, 4))
    assert kinds(onnx, tmp_path / "model.onnx") == ["Gemm", "Gemm"]
    agree(session, nn.Sequential([nn.Input(shape=(4,)), L.Dropout(0.5)]), lambda n: normal(n, 4))


# -- every model -------------------------------------------------------------------------------------------


class Residual(nn.Model):
    def __init__(self):
        super().__init__(name="residual")
        self.first = L.Conv2D(6, 3, padding="same", activation="relu", name="first")
        self.second = L.Conv2D(6, 3, padding="same", use_bias=False, name="second")
        self.norm = L.BatchNormalization(name="norm")
        self.head = nn.Sequential([L.GlobalAveragePooling2D(name="pool"), L.Dense(2, name="dense")], name="head")

    def call(self, x):
        x = self.first(x)
        return self.head(ag.relu(x + self.norm(self.second(x))))


def test_a_model_with_a_call_of_its_own(session, onnx, tmp_path):
    model = Residual()
    model(normal(2, 8, 8, 3))
    agree(session, model, lambda n: normal(n, 8, 8, 3))
    # The axes move once, at the input: ONNX has the channels first.
    assert kinds(onnx, tmp_path / "model.onnx") == [
        "Transpose", "Conv", "Relu", "Conv", "BatchNormalization", "Add", "Relu", "ReduceMean", "Gemm",
    ]  # fmt: skip


def test_several_inputs_and_outputs(session):
    class Both(nn.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = L.Dense(3), L.Dense(3)

        def call(self, inputs):
            x, y = inputs
            return {"sum": self.a(x) + self.b(y), "side by side": np.concatenate([self.a(x), y], axis=-1), "as is": y}

    model = Both()
    model([normal(2, 4), normal(2, 5)])
    opened = agree(session, model, lambda n: [normal(n, 4), normal(n, 5)])
    assert [i.name for i in opened.get_inputs()] == ["input_0", "input_1"]
    assert [o.name for o in opened.get_outputs()] == ["sum", "side by side", "as is"]


def test_a_layer_of_ones_own(session):
    """Attention with a mask and a token in front: lengths of the batch in reshapes, broadcasts and indices."""

    class Attention(nn.Layer):
        def build(self, shape):
            self.token = self.add_weight((1, 1, shape[-1]), name="token")
            self.project = self.add_weight((shape[-1], 3 * shape[-1]), name="project")

        def call(self, x):
            n, _, width = x.shape
            x = np.concatenate([np.broadcast_to(self.token, (n, 1, width)), x], axis=1)
            heads = np.reshape(x @ self.project, (n, x.shape[1], 3, 2, width // 2))
            q, k, v = (np.transpose(heads[:, :, i], (0, 2, 1, 3)) for i in range(3))
            mask = np.triu(np.full((x.shape[1], x.shape[1]), -np.inf, "float32"), 1)
            scores = q @ np.swapaxes(k, -1, -2) / float(np.sqrt(width)) + mask
            mixed = np.transpose(nn.activations.softmax(scores) @ v, (0, 2, 1, 3))
            return np.reshape(mixed, (n * x.shape[1], width)).reshape(n, -1)

    model = nn.Sequential([nn.Input(shape=(5, 4)), Attention(), L.Dense(1)])
    agree(session, model, lambda n: normal(n, 5, 4), sizes=(1, 2, 7))


def test_models_inside_models_give_their_names_to_the_nodes(session, onnx, tmp_path):
    inner = nn.Sequential([L.Dense(4, "relu", name="hidden")], name="inner")
    model = nn.Sequential([nn.Input(shape=(5,)), inner, L.Dense(2, "softmax", name="last")], name="outer")
    agree(session, model, lambda n: normal(n, 5))
    graph = onnx.load(tmp_path / "model.onnx").graph
    assert [node.name for node in graph.node] == ["inner/hidden/Gemm", "inner/hidden/Relu", "last/Gemm", "last/Softmax"]
    assert [i.name for i in graph.initializer] == ["hidden/kernel", "hidden/bias", "last/kernel", "last/bias"]
    assert (graph.name, graph.input[0].name, graph.output[0].name) == ("outer", "input", "output")


def test_lengths_that_are_not_known_stay_open(session):
    text = nn.Sequential(
        [nn.Input(shape=(None,)), L.Embedding(20, 4), L.Conv1D(5, 3, padding="same"), L.GlobalMaxPooling1D()]
    )
    agree(session, text, lambda n: np.random.default_rng(0).integers(0, 20, (n, 6 + n)))
    images = nn.Sequential([
        nn.Input(shape=(None, None, 3)), L.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
        L.MaxPooling2D(2), L.AveragePooling2D(2), L.GlobalAveragePooling2D(),
    ])  # fmt: skip
    opened = agree(session, images, lambda n: normal(n, 20 + n, 31, 3))
    assert opened.get_inputs()[0].shape == ["batch", "input_axis_1", "input_axis_2", 3]
    assert text.output_shape == (None, 5)


def test_a_network_for_images_moves_its_axes_at_both_ends_only(session, onnx, tmp_path):
    model = nn.Sequential([
        nn.Input(shape=(28, 28, 1)), L.Conv2D(8, 3, padding="same", activation="relu"), L.MaxPooling2D(2),
        L.ZeroPadding2D(1), L.Conv2D(4, 3, strides=2, activation="relu"), L.AveragePooling2D(2), L.Flatten(),
        L.Dense(10, "softmax"),
    ])  # fmt: skip
    agree(session, model, lambda n: normal(n, 28, 28, 1))
    assert kinds(onnx, tmp_path / "model.onnx") == [
        "Transpose", "Conv", "Relu", "MaxPool", "Conv", "Relu", "AveragePool", "Transpose", "Reshape", "Gemm",
        "Softmax",
    ]  # fmt: skip
    first = nn.Sequential([
        nn.Input(shape=(1, 28, 28)), L.Conv2D(8, 3, activation="relu", data_format="channels_first"),
        L.MaxPooling2D(2, data_format="channels_first"), L.Flatten(), L.Dense(10),
    ])  # fmt: skip
    agree(session, first, lambda n: normal(n, 1, 28, 28))
    assert kinds(onnx, tmp_path / "model.onnx") == ["Conv", "Relu", "MaxPool", "Reshape", "Gemm"]


@pytest.mark.parametrize("pool", [L.MaxPooling2D, L.AveragePooling2D])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_zeros_around_an_image_count_in_the_pooling_behind(session, pool, padding):
    """As before the first pooling of a ResNet. A runtime that merges the two must not take them for nothing."""
    for frame in (1, 2, 3, ((0, 0), (0, 1))):
        for window in (2, 3):
            model = nn.Sequential(
                [nn.Input(shape=(9, 8, 1)), L.Conv2D(2, 3), L.ZeroPadding2D(frame), pool(window, padding=padding)]
            )
            model.set_weights([np.ones_like(w) for w in model.get_weights()])
            agree(session, model, lambda n: -1 - np.abs(normal(n, 9, 8, 1)))


def layers_at_random(rng):
    """A few layers for images, in an order and with settings that nobody has thought of."""

    def pick(*choices):
        return choices[rng.integers(len(choices))]

    where = {"data_format": pick("channels_last", "channels_first")}
    kinds = [
        lambda: L.Conv2D(
            pick(2, 4), pick(1, 3, (2, 3)), pick(1, 2), pick("same", "valid"), groups=pick(1, 2),
            activation=pick(None, "relu", "elu", "softmax"), **where,
        ),
        lambda: L.MaxPooling2D(2, pick(None, 1), pick("same", "valid"), **where),
        lambda: L.AveragePooling2D(pick(2, 3), pick(None, 1, 2), "same", **where),
        lambda: L.ZeroPadding2D(pick(1, ((0, 1), (2, 0))), **where),
        lambda: L.BatchNormalization(pick(-1, 1, 2), center=pick(True, False)),
        lambda: L.LayerNormalization(pick(-1, 1, [1, 2], [1, 2, 3])),
        lambda: L.Activation(pick("leaky_relu", "gelu", "hard_sigmoid")),
        lambda: L.Softmax(pick(-1, 1)),
        lambda: L.Lambda(pick(
            lambda x: x + x * x, lambda x: x - np.mean(x, axis=(1, 2), keepdims=True),
            lambda x: np.concatenate([x, -x], axis=-1), lambda x: np.where(x.data > 0, x, 0.5),
        )),
    ]  # fmt: skip
    body = [pick(*kinds)() for _ in range(rng.integers(3, 7))]
    shape = (4, 12, 11) if where["data_format"] == "channels_first" else (12, 11, 4)
    return [nn.Input(shape=shape), *body, pick(L.Flatten(), L.GlobalAveragePooling2D(**where)), L.Dense(3)]


def test_networks_put_together_at_random(session):
    made = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        try:
            model = nn.Sequential(layers_at_random(rng))
        except ValueError:  # windows larger than what is left of the image, groups that do not divide the channels
            continue
        positive = ("gamma", "moving_variance")
        model.set_weights([
            rng.uniform(0.5, 1.5, w.shape) if w.name.endswith(positive) else rng.normal(0, 0.4, w.shape)
            for w in model.weights
        ])  # fmt: skip
        agree(session, model, lambda n, shape=model.called_with[1:]: normal(n, *shape), sizes=(1, 3))
        made += 1
    assert made > 30


def test_what_onnx_knows_by_name_is_called_by_it(session, onnx, tmp_path):
    model = nn.Sequential([
        nn.Input(shape=(6, 5)), L.Dense(4, "elu"), L.LayerNormalization(), L.Dense(4, "leaky_relu"),
        L.BatchNormalization(axis=1), L.Activation("hard_sigmoid"), L.LayerNormalization(axis=[1, 2]),
        L.Dense(3, "softsign"), L.LeakyReLU(0.1),
    ])  # fmt: skip
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in model.weights])
    agree(session, model, lambda n: normal(n, 6, 5))
    assert [kind for kind in kinds(onnx, tmp_path / "model.onnx") if kind not in ("MatMul", "Add")] == [
        "Elu", "LayerNormalization", "LeakyRelu", "BatchNormalization", "HardSigmoid", "LayerNormalization", "Softsign",
        "LeakyRelu",
    ]  # fmt: skip


def test_what_others_need_too_is_not_hidden_in_an_operator(session, onnx, tmp_path):
    def shared(x):
        small = x * 0.2
        return np.where(x.data > 0, x, small) + small

    agree(session, of(shared), lambda n: normal(n, 4))
    assert kinds(onnx, tmp_path / "model.onnx") == ["Mul", "Greater", "Where", "Add"]


def test_a_mask_that_is_filled_in_is_a_constant(session):
    def first(x):
        mask = np.zeros_like(x.data)
        mask[:, 0] = 1
        return x * mask

    agree(session, of(first), lambda n: normal(n, 4))


@pytest.mark.parametrize("axis", [1, 2])
def test_a_batch_normalization_along_an_axis_of_length_one(session, axis):
    model = nn.Sequential([nn.Input(shape=(8, 1)), L.BatchNormalization(axis=axis)])
    model.set_weights([np.random.default_rng(0).uniform(0.5, 1.5, w.shape) for w in model.weights])
    agree(session, model, lambda n: normal(n, 8, 1))


# -- every rule --------------------------------------------------------------------------------------------

# Functions that no table of shapes fits; x is (batch, 4), or what stands beside.
FUNCTIONS = {
    "add": lambda x: x + np.ones(4, "float32") + x,
    "where": lambda x: np.where(x.data > 0.5, x, 2.0),
    "clamp": lambda x: np.clip(x, 0.2, 0.5) + np.clip(x, np.zeros(4, "float32"), 0.4),
    "round": lambda x: np.round(10 * x),
    "astype": lambda x: x.astype("float64") * 2,
    "copy": lambda x: np.copy(x) * 2,
    "identity": lambda x: np.real(x) * 2,
    "positive": lambda x: np.positive(x) * 2,
    "sum": lambda x: np.sum(x, axis=0) + np.sum(x),
    "mean": lambda x: np.mean(x, axis=(0, 1), keepdims=True) + x / x.shape[0],
    "max": lambda x: np.max(x, -1),
    "min": lambda x: np.min(x, 1, keepdims=True),
    "prod": lambda x: np.prod(x, axis=1),
    "length": lambda x: x / np.linalg.norm(x, axis=0) + np.linalg.norm(x, axis=1, keepdims=True),
    "p_norm": lambda x: np.linalg.norm(x, 3, axis=0) + np.linalg.norm(x - 0.5, -1.5, axis=1, keepdims=True),
    "root_mean_square": lambda x: np.std(x, axis=0) + np.std(x, axis=1, keepdims=True, ddof=1) + np.std(x),
    "logsumexp": lambda x: ag.logsumexp(x, axis=1),
    "softmax": lambda x: ag.softmax(x, axis=(-1,)),
    "log_softmax": lambda x: ag.log_softmax(x[:, None], axis=2),
    "normalized": lambda x: ag.REGISTRY["normalized"](x + 0.1, axis=(0, 1)) + ag.REGISTRY["normalized"](x + 0.1),
    "cumsum": lambda x: np.cumsum(x, axis=-1),
    "argmax": lambda x: x[:, 0] + np.argmax(x.data, axis=1).astype("float32"),
    "argmin": lambda x: x + np.argmin(x.data, axis=1, keepdims=True).astype("float32"),
    "reshape": lambda x: np.reshape(np.reshape(x, -1), (x.shape[0], 2, 2)),
    "expand_dims": lambda x: np.expand_dims(x, (1, -1)),
    "squeeze": lambda x: np.squeeze(x[:, None], 1),
    "transpose": lambda x: x.T @ x,
    "broadcast_to": lambda x: np.broadcast_to(x[:, None], (x.shape[0], 3, 4)),
    "concatenate": lambda x: np.concatenate([x, np.zeros((x.shape[0], 2), "float32"), x], axis=-1),
    "flip": lambda x: np.flip(x, 1) + np.flip(x),
    "repeat": lambda x: np.repeat(np.repeat(x, 2, axis=-1), 3, axis=0)[::3],
    "repeat_each": lambda x: np.repeat(x, np.arange(x.shape[1]) % 3, axis=1),
    "roll": lambda x: np.roll(x, -1, axis=1) + np.roll(x, (1, 2), axis=(-1, 1)),
    "getitem": lambda x: x[:, [2, 0]] + x[:, 1:-1] + x[..., 3:1:-1] + x[:, None, -1],
    "matmul": lambda x: (x @ np.ones((4, 3), "float32")) @ np.ones(3, "float32"),
    "einsum": lambda x: np.einsum("bi,bj->bij", x, x),
    "frame": lambda x: np.pad(x, ((0, 0), (1, 2)), constant_values=0.5) + np.pad(x, ((0, 0), (3, 0)), mode="wrap"),
    "conv_transpose": lambda x: ag.conv_transpose(x[..., None], x[0, :2, None, None], strides=2, padding=((1, 0),)),
    "conv": lambda x: ag.conv(x[..., None], x[0, :2, None, None], padding=((1, 0),)),
    "windows": lambda x: np.min(ag.windows(x[..., None], 2, dilation=2), axis=2),
    "LeakyRelu": lambda x: nn.activations.leaky_relu(x - 0.5),
    "Elu": lambda x: nn.activations.selu(x - 0.5),
    "HardSigmoid": lambda x: nn.activations.hard_sigmoid(10 * x - 5),
    "Softsign": lambda x: nn.activations.softsign(x - 0.5),
    "isnan": lambda x: np.where(np.isnan(x), 0.0, x),
    "isinf": lambda x: np.where(np.isinf(x), 0.0, x),
    "fabs": lambda x: x * np.fabs(x.data - 0.5),  # on a Tensor it is absolute
}
TRUTHS = {
    "any": lambda x: np.any(x.data > 0.7, axis=1, keepdims=True),
    "all": lambda x: np.all(x.data > 0.3, axis=1, keepdims=True),
    "equal": lambda x: x.data == x.data[:, :1],
    "not_equal": lambda x: x.data != x.data[:, :1],
    "less": lambda x: x.data < 0.5,
    "less_equal": lambda x: x.data <= x.data[:, 1:2],
    "greater": lambda x: x.data > 1 / 3,
    "greater_equal": lambda x: x.data >= x.data[:, 1:2],
    "logical_and": lambda x: np.logical_and(x.data > 0.3, x.data < 0.6),
    "logical_or": lambda x: np.logical_or(x.data < 0.3, x.data > 0.6),
    "logical_xor": lambda x: np.logical_xor(x.data < 0.6, x.data > 0.3),
    "logical_not": lambda x: np.logical_not(x.data > 0.5),
    "bitwise_and": lambda x: (x.data > 0.3) & (x.data < 0.6),
    "bitwise_or": lambda x: (x.data < 0.3) | (x.data > 0.6),
    "bitwise_xor": lambda x: (x.data < 0.6) ^ (x.data > 0.3),
    "invert": lambda x: ~(x.data > 0.5),
}


def case(name):
    """A function that needs the rule with this name."""
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    if name in TRUTHS:
        return lambda x: np.where(TRUTHS[name](x), x, -x)
    op = REGISTRY[name]
    more = [] if op.arity == 1 else [0.3]
    return lambda x: op(x + 1 if name == "arccosh" else x, *more) + (op(x[:, ::-1], x) if more else 0)


# The two that have weights are above.
@pytest.mark.parametrize("name", sorted(RULES.keys() - {"BatchNormalization", "LayerNormalization"}))
def test_every_function_that_has_a_rule(session, name):
    # Between 0 and 1, where all of them are defined.
    agree(
        session, of(case(name)), lambda n: np.random.default_rng(n).uniform(0.1, 0.9, (n, 4)).astype("float32"), (2, 7)
    )


# -- the file ----------------------------------------------------------------------------------------------


def small():
    return nn.Sequential([nn.Input(shape=(4,)), L.Dense(3, "elu", name="a"), L.Dense(2, name="b")], name="small")


def test_the_file_says_what_it_is(onnx, tmp_path):
    path = tmp_path / "model.onnx"
    nn.export_onnx(small(), path)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert (model.producer_name, model.producer_version) == ("autograd-core", ag.__version__)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    assert model.ir_version == 8
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch", value.name


@pytest.mark.usefixtures("onnx")
def test_one_model_gives_one_file_whatever_is_frozen_or_watched(tmp_path):
    model = small()
    nn.export_onnx(model, tmp_path / "a.onnx")
    model.trainable = False
    nn.export_onnx(model, tmp_path / "b.onnx")
    with ag.no_grad(), ag.debug():
        nn.export_onnx(model, tmp_path / "c.onnx")
    first, *others = ((tmp_path / name).read_bytes() for name in ("a.onnx", "b.onnx", "c.onnx"))
    assert others == [first, first]


@pytest.mark.parametrize("fails", [False, True])
def test_an_export_leaves_the_model_as_it_was(onnx, tmp_path, fails):
    more = [L.Lambda(lambda x: np.cbrt(x) if fails else x)]
    model = nn.Sequential([nn.Input(shape=(None, 4)), L.Dense(3), L.BatchNormalization(), *more])
    model.layers[0].trainable = False
    before = [(w.data, w.requires_grad) for w in model.weights]
    shapes = [layer.output_shape for layer in model.layers]
    if fails:
        with pytest.raises(ExportError):
            nn.export_onnx(model, tmp_path / "model.onnx")
    else:
        nn.export_onnx(model, tmp_path / "model.onnx")
    after = [(w.data, w.requires_grad) for w in model.weights]
    assert all(a is c and b == d for (a, b), (c, d) in zip(before, after, strict=True))
    assert [layer.output_shape for layer in model.layers] == shapes


def test_a_trained_model_goes_on_training_after_it_was_exported(session):
    model = nn.Sequential([nn.Input(shape=(4,)), L.Dense(3, "relu"), L.BatchNormalization(), L.Dense(1)])
    model.compile("adam", "mse")
    x = normal(64, 4)
    model.fit(x, x[:, 0], verbose=0)
    agree(session, model, lambda n: normal(n, 4))
    before = model.get_weights()
    model.fit(x, x[:, 0], verbose=0)
    assert not np.array_equal(before[0], model.get_weights()[0])
    agree(session, model, lambda n: normal(n, 4))


def test_another_thread_may_predict_meanwhile(session):
    model = nn.Sequential([nn.Input(shape=(8, 8, 1)), L.Conv2D(4, 3, activation="elu"), L.Flatten(), L.Dense(1)])
    x = normal(3, 8, 8, 1)
    expected = model(x).numpy()
    wrong = []
    done = threading.Event()

    def predict():
        while not done.is_set():
            with ag.no_grad():
                y = model(x).numpy()
            if not np.array_equal(y, expected):
                wrong.append(y)

    thread = threading.Thread(target=predict)
    thread.start()
    for _ in range(5):
        agree(session, model, lambda n: normal(n, 8, 8, 1))
    done.set()
    thread.join()
    assert not wrong


def test_a_file_is_replaced_whole_or_not_at_all(onnx, tmp_path, monkeypatch):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"the old file")
    with pytest.raises(ExportError):
        nn.export_onnx(of(np.cbrt), path)
    monkeypatch.setattr("os.fsync", lambda handle: (_ for _ in ()).throw(OSError("no space left")))
    with pytest.raises(OSError, match="no space left"):
        nn.export_onnx(small(), path)
    assert path.read_bytes() == b"the old file"
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]


# -- what cannot be exported -------------------------------------------------------------------------------


def overwriting(x):
    values = x.data.copy()
    values[:, 0] = 2 * x.data[:, 1]
    return x + values


def filling(x):
    values = np.zeros_like(x.data)
    values[:, 0] = 2 * x.data[:, 1]
    return x + values


def through_a_view(x):
    values = x.data.copy()
    row = values[0]
    row[...] = 0
    return x + values


def in_place(x):
    values = x.data.copy()
    values += 1
    return x + values


REFUSED = {
    "a function without a counterpart": (np.cbrt, r"in layer 'mine': cbrt has no counterpart in ONNX here; write it"),
    "a number taken out": (lambda x: x * float(x.data[0, 0]), r"number \(float\).*test_export.py:\d+.*np\.where"),
    "a branch on a value": (lambda x: x if x.data.sum() > 0 else -x, r"asking for the truth.*test_export.py"),
    "a decision": (lambda x: x if decide(x.data.sum() > 0) else -x, r"deciding by a value.*test_export.py"),
    "a plain array": (lambda x: x * np.asarray(x.data), r"turning into a plain array.*test_export.py"),
    "random numbers": (lambda x: x * np.random.default_rng().random(4), r"multiply is given numbers.*drawn at random"),
    "a place for each example": (lambda x: x[np.arange(len(x)), 0], r"getitem is given constants that are not"),
    "elements by a mask": (lambda x: x[x.data > 0], r"with this index has no counterpart.*np\.where"),
    "quotients of bytes": (lambda x: x + x.astype("uint8") // 3, r"'mine': floor_divide of uint8 has no counterpart"),
    "decimals": (lambda x: np.round(x, 2), r"round to decimals"),
    "half of the batch": (lambda x: x[: len(x) // 2 + 3], r"getitem is given a number that depends on the length"),
    "work that follows the batch": (lambda x: sum(x[i] for i in range(len(x))), r"computes other things for 2"),
    "the batch in a float": (lambda x: x * (1 / len(x)), r"multiply is given 0\.5 for 2 examples"),
    "elements that are overwritten": (overwriting, r"an assignment to elements has no counterpart"),
    "zeros that are overwritten": (filling, r"an assignment to elements has no counterpart"),
    "a part that is overwritten": (through_a_view, r"changing a part of an array, at .*test_export.py"),
    "an array that is changed in place": (in_place, r"an assignment to elements has no counterpart"),
    "the batch, but at most 8": (lambda x: x / min(len(x), 8), r"divide needs a length that is 1, 2, 5, 8 for"),
    "the batch, but at least 2": (lambda x: x / max(len(x), 2), r"divide needs a length that is 2, 5, 37 for"),
    "something else for one example": (lambda x: -x if len(x) == 1 else x, r"things for 2 examples than for 1;"),
    "a batch that one example loses": (lambda x: np.squeeze(x[:, None]), r"2 axes for 2 examples and 1 for 1; say"),
    "nothing of the input": (lambda x: np.ones((3, 3), "float32"), r"does not depend on its input"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.usefixtures("onnx")
def test_what_a_file_cannot_say_is_an_error_that_names_it(tmp_path, what):
    function, message = REFUSED[what]
    with pytest.raises(ExportError, match=f"(?s){message}"):
        nn.export_onnx(of(function), tmp_path / "model.onnx")


UNKNOWN = {
    "the length, but at most 64": (lambda x: x / min(x.shape[1], 64), r"length that is 3, 32, 45, 64 for inputs"),
    "places that are counted": (
        lambda x: x * np.arange(x.shape[1])[:, None], r"not the same for each place along an axis that is None",
    ),
    "another function where it is long": (
        lambda x: np.tanh(x) if x.shape[1] > 100 else x, r"'mine'.*for a length of 32 than for one of 150, along an",
    ),
    "a pooling that pads as the length wants": (L.MaxPooling1D(2, padding="same", name="mine"), r"'mine'.*of 32 than"),
    "a mean of as many as lie inside": (L.AveragePooling1D(3, 1, padding="same", name="mine"), r"'mine'.*place along"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNKNOWN)
@pytest.mark.usefixtures("onnx")
def test_an_error_about_an_unknown_length_does_not_blame_the_batch(tmp_path, what):
    function, message = UNKNOWN[what]
    layer = function if isinstance(function, nn.Layer) else L.Lambda(function, name="mine")
    model = nn.Sequential([nn.Input(shape=(None, 2)), layer])
    with pytest.raises(ExportError, match=f"(?s){message}") as error:
        nn.export_onnx(model, tmp_path / "model.onnx")
    assert "examples" not in str(error.value)


def test_a_model_may_be_unable_to_take_a_very_short_input(session):
    """Of 3 places two poolings leave nothing."""
    model = nn.Sequential([nn.Input(shape=(None, 2)), L.MaxPooling1D(4), L.MaxPooling1D(2), L.GlobalAveragePooling1D()])
    agree(session, model, lambda n: normal(n, 20, 2))


def test_one_example_among_others_may_have_no_spread(session):
    agree(session, of(lambda x: x / np.sqrt(np.var(x, axis=0))), lambda n: normal(n, 4), sizes=(2, 7))


def test_lengths_in_a_file_neither_overflow_nor_vanish(session):
    extremes = np.float32([[3e30, 4e30, 0, 0], [3e-30, 0, 4e-30, 0], [0, 0, 0, 0], [np.inf, 1, 1, 1]])
    opened = session(of(lambda x: np.linalg.norm(x, axis=1)))
    (lengths,) = opened.run(None, {opened.get_inputs()[0].name: extremes})
    np.testing.assert_allclose(lengths, np.float32([5e30, 5e-30, 0, np.inf]), rtol=1e-6)
    opened = session(of(lambda x: np.std(x, axis=0)))
    (spread,) = opened.run(None, {opened.get_inputs()[0].name: np.float32([[1e30, 1e-30, 2, 0], [3e30, 3e-30, 2, 0]])})
    np.testing.assert_allclose(spread, np.float32([1e30, 1e-30, 0, 0]), rtol=1e-6)


def test_a_part_of_an_unknown_length_may_be_all_there_is(session):
    """Of less than 20 places a slice takes what there is, and what is computed from it follows."""
    model = nn.Sequential([nn.Input(shape=(None, 2)), L.Lambda(lambda x: np.sum(x[:, :20] * 2, axis=1))])
    for places in (7, 50):
        agree(session, model, lambda n, places=places: normal(n, places, 2))


@pytest.mark.parametrize("dtype", ["int64", "int32"])
@pytest.mark.parametrize("divisor", [3, -3])
def test_quotients_and_remainders_of_whole_numbers_round_as_pythons(session, dtype, divisor):
    for function in (lambda x: (10 * x).astype(dtype) // divisor, lambda x: (10 * x).astype(dtype) % divisor):
        agree(session, of(function), lambda n: 3 * normal(n, 4))


CORNERS = [
    0.0,
    -0.0,
    0.1,
    -0.1,
    0.3,
    0.5,
    1.0,
    -1.0,
    2.5,
    -6.0,
    6.0,
    1e-40,
    -1e-38,
    7e30,
    -3e38,
    np.inf,
    -np.inf,
    np.nan,
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("function", [np.remainder, np.floor_divide, np.fmod])
def test_quotients_and_remainders_are_ours_to_the_bit(session, function, dtype):
    """1 / 0.1 rounds to 10, and 0.1 goes into 1 nine times; with all corners against all corners."""
    x, y = (a.ravel().astype(dtype) for a in np.meshgrid(CORNERS, CORNERS))
    model = of(lambda t: function(t.astype(dtype), y), shape=y.shape)
    found = session(model).run(None, {"input": x[None].astype("float32")})[0]
    np.testing.assert_array_equal(found, model(x[None].astype("float32"), training=False).numpy())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("function", [np.remainder, np.floor_divide])
def test_whole_numbers_are_divided_by_zero_as_numpy_does(session, function, dtype):
    least = np.iinfo(dtype).min

    def divided(t):
        x = np.where(t < -1, least, (10 * t).astype(dtype))
        return function(x, (np.abs(t) < 1) * x[:, ::-1]), function(x, np.array([-1, 0, 3, -4], dtype))

    model = of(lambda t: np.concatenate(divided(t), axis=1))
    agree(session, model, lambda n: np.tile(np.float32([[-2.0, 0.5, -0.1, 1.5]]), (n, 1)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("function", [np.log1p, np.expm1])
def test_what_is_near_zero_is_not_lost_beside_one(session, function):
    x = np.float32([[1e-30, -1e-9, 1e-7, -3e-4, 0.1, -0.9, 0.0, -1.0, 2.0, 80.0, 1e30, np.inf, -np.inf, np.nan, -40.0]])
    model = of(function, shape=x.shape[1:])
    found = session(model).run(None, {"input": x})[0]
    np.testing.assert_allclose(found, model(x).numpy(), rtol=1e-6)


@pytest.mark.usefixtures("onnx")
def test_an_empty_path_is_an_error():
    with pytest.raises(ValueError, match="filepath of export_onnx: expected the name"):
        nn.export_onnx(small(), "")


@pytest.mark.usefixtures("onnx")
def test_a_model_that_is_too_large_for_the_format_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("nn.export.onnx_file.LIMIT", 50)
    with pytest.raises(ExportError, match=r"'small' take 92 bytes, and an ONNX file holds 2 GB at most"):
        nn.export_onnx(small(), tmp_path / "model.onnx")


@pytest.mark.usefixtures("onnx")
def test_a_model_that_is_not_built_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"not built.*call it once, or pass Input"):
        nn.export_onnx(nn.Sequential([L.Dense(3)]), tmp_path / "model.onnx")


def test_without_the_extra_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "autograd-core\[onnx\]"'):
        nn.export_onnx(small(), tmp_path / "model.onnx")
