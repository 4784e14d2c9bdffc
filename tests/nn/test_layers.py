"""Every layer, with Keras' weights: the same outputs and the same gradients."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import nn
from autograd_core import Tensor, tree

IMAGE, STEPS = (3, 9, 8, 4), (3, 11, 4)


def options(**lists):
    """All combinations of some arguments."""
    return [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]


CONV2D = [
    *options(filters=[6], kernel_size=[1, 3, (2, 3)], strides=[1, 2, (2, 1)], padding=["valid", "same"]),
    *options(filters=[6], kernel_size=[3, (3, 2)], dilation_rate=[2, (1, 2)], padding=["valid", "same"]),
    *options(filters=[6], kernel_size=[3], groups=[2], padding=["valid", "same"], use_bias=[True, False]),
    *options(filters=[4], kernel_size=[2], activation=["relu", "softmax", "tanh"]),
]
CONV1D = [
    *options(filters=[6], kernel_size=[1, 2, 3], strides=[1, 2, 3], padding=["valid", "same", "causal"]),
    *options(filters=[6], kernel_size=[3], dilation_rate=[2], padding=["valid", "same", "causal"]),
    *options(filters=[6], kernel_size=[3], groups=[2], use_bias=[True, False]),
]
POOL2D = options(pool_size=[2, 3, (2, 3)], strides=[None, 1, (3, 2)], padding=["valid", "same"])
POOL1D = options(pool_size=[2, 3], strides=[None, 1, 3], padding=["valid", "same"])
NORM = options(center=[True, False], scale=[True, False], axis=[-1, 1])
CONV2D_TRANSPOSE = [
    *options(filters=[5], kernel_size=[1, 3, (2, 3)], strides=[1, 2, (2, 1)], padding=["valid", "same"]),
    *options(filters=[5], kernel_size=[3], strides=[3], padding=["valid", "same"], output_padding=[1, (2, 0)]),
    {"filters": 5, "kernel_size": 3, "use_bias": False},  # TensorFlow has no dilation here; see tests/ops/test_conv.py
]
CONV1D_TRANSPOSE = [
    *options(filters=[5], kernel_size=[1, 2, 3], strides=[1, 2, 3], padding=["valid", "same"]),
    {"filters": 5, "kernel_size": 3, "strides": 2, "output_padding": 1, "padding": "same", "activation": "tanh"},
]
DEPTHWISE = [
    *options(kernel_size=[3, (2, 3)], strides=[1, 2], padding=["valid", "same"], depth_multiplier=[1, 2]),
    {"kernel_size": 3, "dilation_rate": 2, "activation": "relu", "use_bias": False},
]
TABLE = [
    ("Dense", options(units=[5], use_bias=[True, False], activation=[None, "relu", "softmax"]), [(3, 4), (3, 2, 4)]),
    ("Flatten", [{}, {"data_format": "channels_first"}], [(3, 4), (3, 4, 5), IMAGE]),
    ("Reshape", [{"target_shape": (8, 9, 4)}, {"target_shape": (-1, 8)}], [IMAGE]),
    ("Activation", options(activation=["relu", "sigmoid", "gelu"]), [STEPS]),
    ("Conv2D", CONV2D, [IMAGE]),
    ("Conv1D", CONV1D, [STEPS]),
    ("MaxPooling2D", POOL2D, [IMAGE]),
    ("AveragePooling2D", POOL2D, [IMAGE]),
    ("MaxPooling1D", POOL1D, [STEPS]),
    ("AveragePooling1D", POOL1D, [STEPS]),
    *((f"Global{kind}Pooling2D", options(keepdims=[True, False]), [IMAGE]) for kind in ("Average", "Max")),
    *((f"Global{kind}Pooling1D", options(keepdims=[True, False]), [STEPS]) for kind in ("Average", "Max")),
    ("ZeroPadding2D", options(padding=[1, (2, 1), ((1, 0), (0, 2))]), [IMAGE]),
    ("BatchNormalization", [*NORM, {"epsilon": 0.1, "momentum": 0.5}], [(6, 4), IMAGE]),
    ("LayerNormalization", [*NORM, {"epsilon": 0.1}, {"axis": [1, 2]}], [STEPS, IMAGE]),
    ("Rescaling", [{"scale": 1 / 255}, {"scale": 2.0, "offset": -1.0}], [IMAGE]),
    ("LeakyReLU", [{}, {"negative_slope": 0.1}], [STEPS]),
    ("Softmax", [{}, {"axis": 1}], [STEPS]),
    ("Dropout", [{"rate": 0.0}], [STEPS]),
    ("ReLU", [{}, {"negative_slope": 0.1, "max_value": 1.0, "threshold": 0.5}], [STEPS]),
    ("ELU", [{}, {"alpha": 0.3}], [STEPS]),
    ("Identity", [{}], [STEPS]),
    ("Permute", [{"dims": (2, 1)}], [STEPS]),
    ("RepeatVector", [{"n": 3}], [(3, 4)]),
    ("GaussianNoise", [{"stddev": 0.0}], [STEPS]),
    ("SpatialDropout1D", [{"rate": 0.0}], [STEPS]),
    ("SpatialDropout2D", [{"rate": 0.0}], [IMAGE]),
    ("UpSampling1D", [{}, {"size": 3}], [STEPS]),
    ("UpSampling2D", options(size=[2, (1, 3)], interpolation=["nearest", "bilinear"]), [IMAGE]),
    ("Cropping1D", [{}, {"cropping": 2}, {"cropping": (0, 3)}], [STEPS]),
    ("Cropping2D", options(cropping=[1, (2, 1), ((1, 0), (0, 2))]), [IMAGE]),
    ("ZeroPadding1D", [{}, {"padding": (0, 3)}], [STEPS]),
    ("Conv2DTranspose", CONV2D_TRANSPOSE, [IMAGE]),
    ("Conv1DTranspose", CONV1D_TRANSPOSE, [STEPS]),
    ("DepthwiseConv2D", DEPTHWISE, [IMAGE]),
    ("DepthwiseConv1D", [{"kernel_size": 3, "depth_multiplier": 2, "strides": 2}], [STEPS]),
    ("SeparableConv2D", [{"filters": 5, **kwargs} for kwargs in DEPTHWISE[-4:]], [IMAGE]),
    ("SeparableConv1D", [{"filters": 5, "kernel_size": 3, "strides": 2, "padding": "same"}], [STEPS]),
    ("GroupNormalization", [{"groups": 2}, {"groups": -1}, {"groups": 1, "scale": False}], [(6, 4), STEPS, IMAGE]),
    ("GroupNormalization", [{"groups": 3, "axis": 1, "center": False, "epsilon": 0.1}], [(2, 9, 8, 4)]),
    ("Normalization", [{}, {"axis": None}, {"axis": (1, 2)}, {"invert": True}], [STEPS]),
    ("Normalization", [{"mean": [1.0, 2, 3, 4], "variance": [1.0, 4, 0, 9]}, {"mean": 1.0, "variance": 4.0}], [STEPS]),
]
CASES = [(name, kwargs, shape) for name, settings, shapes in TABLE for kwargs in settings for shape in shapes]
# Channels in front: on the CPU TensorFlow computes these for few layers only, so Keras transposes for it here.
FIRST = [
    "Conv2D", "MaxPooling2D", "AveragePooling2D", "ZeroPadding2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D",
    "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D", "UpSampling2D", "Cropping2D",
]  # fmt: skip


def distinct(shape, seed):
    """Values no two of which are equal or close: Keras and we agree on the largest of them and on its place."""
    rng = np.random.default_rng(seed)
    values = np.linspace(-2, 2, int(np.prod(shape)))
    return rng.permutation(values).reshape(shape).astype("float32")


def ours(layer, x, g, training):
    x = Tensor(x)
    for w in layer.weights:
        w.grad = None
    y = layer(x, training=training)
    y.backward(g)
    return y.numpy(), [x.grad, *(w.grad for w in layer.trainable_variables)]


def test_layers_compute_what_keras_computes(keras, tf):
    """Outputs, and the gradients of inputs and weights, in inference and in training."""
    failures = []
    for number, (name, kwargs, shape) in enumerate(CASES):
        theirs = getattr(keras.layers, name)(**kwargs)
        mine = getattr(nn.layers, name)(**kwargs)
        x = distinct(shape, number)
        theirs(x), mine(x)
        rng = np.random.default_rng(number)
        weights = [rng.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in theirs.get_weights()]
        theirs.set_weights(weights), mine.set_weights(weights)
        if name == "Normalization":
            theirs.finalize_state()
        for training in (False, True):
            with tf.GradientTape() as tape:
                tx = tf.constant(x)
                tape.watch(tx)
                ty = theirs(tx, training=training)
            g = rng.normal(size=ty.shape).astype("float32")
            expected = tape.gradient(ty, [tx, *(v.value for v in theirs.trainable_variables)], output_gradients=g)
            y, got = ours(mine, x, g, training)
            try:
                assert y.dtype == np.float32
                np.testing.assert_allclose(y, ty.numpy(), rtol=1e-5, atol=1e-6 * max(1, np.abs(y).max()))
                for a, b in zip(got, expected, strict=True):
                    b = tf.convert_to_tensor(b).numpy()
                    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * max(1, np.abs(b).max()))
                for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
            except AssertionError as error:
                failures.append(f"{name}({kwargs}) on {shape}, training={training}: {error}")
        theirs_of = tuple(theirs.compute_output_shape((None, *shape[1:])))
        assert mine.compute_output_shape((None, *shape[1:])) == theirs_of, (name, kwargs)
    assert not failures, f"{len(failures)} of {len(CASES)}:\n" + "\n".join(failures[:5])


SEQUENCE, SOURCE, KEYS = (distinct(shape, 7) for shape in ((3, 4, 4), (3, 5, 4), (3, 5, 6)))
LONG, SHORT = np.arange(4) < np.array([[4], [2], [0]]), np.arange(5) < np.array([[5], [4], [1]])
PAIRS = np.random.default_rng(1).random((3, 4, 5)) > 0.5
RECURRENT = options(units=[5], return_sequences=[False, True], return_state=[False, True])
RECURRENT += [{"units": 5, "go_backwards": True, "return_sequences": True}, {"units": 5, "use_bias": False}]
RECURRENT += [{"units": 5, "activation": "relu", "return_sequences": True, "zero_output_for_mask": True}]
ATTENTION = [{}, {"use_causal_mask": True}, {"use_causal_mask": True, "return_attention_scores": True}]
# A layer, its inputs, and what else its call is given.
CALLS = [
    *(
        (lambda L, n=name, k=kwargs: getattr(L, n)(**k), [SEQUENCE], given)
        for name in ("SimpleRNN", "GRU", "LSTM") for kwargs in RECURRENT for given in ({}, {"mask": LONG})
    ),
    (lambda L: L.GRU(5, reset_after=False, recurrent_activation="hard_sigmoid"), [SEQUENCE], {}),
    (lambda L: L.GRU(5, reset_after=False, use_bias=False), [SEQUENCE], {"mask": LONG}),
    (lambda L: L.LSTM(5, unit_forget_bias=False, unroll=True), [SEQUENCE[:, :1]], {}),
    (lambda L: L.RNN(L.LSTMCell(4), return_sequences=True), [SEQUENCE], {"mask": LONG}),
    *(
        (lambda L: L.RNN([L.LSTMCell(4), L.GRUCell(3)], return_sequences=True, return_state=True), [SEQUENCE], given)
        for given in ({}, {"mask": LONG})
    ),
    (lambda L: L.LSTM(4), [SEQUENCE], {"initial_state": [SEQUENCE[:, 0], SEQUENCE[:, 1]]}),
    (lambda L: L.Bidirectional(L.LSTM(3)), [SEQUENCE], {}),
    (lambda L: L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum"), [SEQUENCE], {"mask": LONG}),
    (lambda L: L.Bidirectional(L.SimpleRNN(3, return_state=True), merge_mode="ave"), [SEQUENCE], {"mask": LONG}),
    (lambda L: L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode=None), [SEQUENCE], {}),
    (lambda L: L.Bidirectional(L.GRU(3), merge_mode="mul", backward_layer=L.GRU(3, go_backwards=True)), [SEQUENCE], {}),
    (lambda L: L.TimeDistributed(L.Dense(3, activation="tanh")), [SEQUENCE], {}),
    (lambda L: L.TimeDistributed(L.Conv1D(2, 3)), [distinct((2, 3, 7, 4), 3)], {"mask": LONG[:2, :3]}),
    (lambda L: L.MultiHeadAttention(4, 3), [SEQUENCE, SOURCE], {"attention_mask": PAIRS[0]}),
    (lambda L: L.MultiHeadAttention(2, 3, 5, use_bias=False, output_shape=6), [SEQUENCE, SOURCE, KEYS], {}),
    (lambda L: L.MultiHeadAttention(2, 3, sliding_window=2), [SEQUENCE, SOURCE], {"use_causal_mask": True}),
    (lambda L: L.MultiHeadAttention(2, 3, 5, sliding_window=1, use_gate=True), [SEQUENCE, SEQUENCE], {}),
    *(
        (make, inputs, {**given, **more})
        for given in ATTENTION
        for make, inputs, more in (
            (lambda L: L.MultiHeadAttention(2, 3), [SEQUENCE, SOURCE], {}),
            (lambda L: L.MultiHeadAttention(2, 3, dropout=0.5), [SEQUENCE, SOURCE], {"attention_mask": PAIRS}),
            (lambda L: L.MultiHeadAttention(2, 3), [SEQUENCE, SOURCE], {"attention_mask": PAIRS, "value_mask": SHORT}),
            (lambda L: L.Attention(use_scale=True), [[SEQUENCE, SOURCE]], {}),
            (lambda L: L.Attention(score_mode="concat"), [[SEQUENCE, SOURCE, SOURCE]], {"mask": [LONG, SHORT]}),
        )
    ),
    (lambda L: L.Softmax(axis=(1, 2)), [SEQUENCE], {"mask": np.broadcast_to(LONG[..., None], SEQUENCE.shape)}),
    (lambda L: L.GlobalAveragePooling1D(), [SEQUENCE], {"mask": SHORT[:, [0, 0, 3, 4]]}),
    (lambda L: L.BatchNormalization(), [SEQUENCE], {"mask": LONG, "training": True}),
]  # fmt: skip


def test_layers_over_sequences_compute_what_keras_computes(keras, tf):
    """Outputs, and the gradients of inputs and weights; with masks, given states, several inputs and outputs."""
    failures = []
    for number, (make, inputs, given) in enumerate(CALLS):
        theirs, mine = make(keras.layers), make(nn.layers)
        tx = tree.map(tf.constant, inputs)
        kwargs = {k: v if isinstance(v, bool) else tree.map(tf.constant, v) for k, v in given.items()}
        theirs(*tx, **kwargs), mine(*inputs, **given)
        rng = np.random.default_rng(number)
        weights = [rng.normal(size=w.shape).astype("float32") / 2 for w in theirs.get_weights()]
        weights = [np.abs(w) if "moving" in v.name else w for w, v in zip(weights, theirs.weights, strict=True)]
        theirs.set_weights(weights), mine.set_weights(weights)
        with tf.GradientTape() as tape:
            tape.watch(tx)
            expected = tree.leaves(theirs(*tx, **kwargs))
            gs = [rng.normal(size=y.shape).astype("float32") for y in expected]
            loss = sum(tf.reduce_sum(y * g) for y, g in zip(expected, gs, strict=True))
        wanted = tape.gradient(loss, [*tree.leaves(tx), *(v.value for v in theirs.trainable_variables)])
        x = tree.map(Tensor, inputs)
        found = tree.leaves(mine(*x, **given))
        sum(np.sum(y * g) for y, g in zip(found, gs, strict=True)).backward()
        try:
            for y, z in zip(found, expected, strict=True):
                assert y.dtype == np.float32
                np.testing.assert_allclose(y.numpy(), z.numpy(), rtol=1e-5, atol=1e-6 * max(1, np.abs(z).max()))
            for t, z in zip([*tree.leaves(x), *mine.trainable_variables], wanted, strict=True):
                z = np.zeros(t.shape) if z is None else tf.convert_to_tensor(z).numpy()
                grad = np.zeros(t.shape) if t.grad is None else t.grad
                np.testing.assert_allclose(grad, z, rtol=1e-5, atol=1e-5 * max(1, np.abs(z).max()))
            for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
        except AssertionError as error:
            failures.append(f"{number}: {mine} {mine.get_config()} {[*given]}: {error}")
    assert not failures, f"{len(failures)} of {len(CALLS)}:\n" + "\n".join(failures[:5])


@pytest.mark.parametrize("name", FIRST)
def test_channels_first_is_channels_last_with_the_axes_moved(name):
    settings = next(settings for n, settings, _ in TABLE if n == name)
    for number, kwargs in enumerate(settings):
        last = getattr(nn.layers, name)(**kwargs)
        first = getattr(nn.layers, name)(**kwargs, data_format="channels_first")
        x = distinct(IMAGE, number)
        y = last(x).numpy()
        moved = x.transpose(0, 3, 1, 2)
        first(moved)
        first.set_weights(last.get_weights())
        z = first(moved).numpy()
        if kwargs.get("activation") == "softmax":
            continue  # over the last axis, whatever it holds, as in Keras
        np.testing.assert_allclose(z if z.ndim < 4 else z.transpose(0, 2, 3, 1), y, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("axis", [-1, None, (1, 2)])
def test_normalization_finds_the_mean_and_variance_of_all_batches(axis):
    """Batches of any length, far from zero, none of them at all too; and again from the start."""
    x = 1e6 + np.random.default_rng(0).normal(size=(7, 2, 3))
    layer = nn.layers.Normalization(axis, dtype="float64")
    layer.adapt(np.ones((4, 2, 3)))
    layer.adapt([x[:0], x[:2], x[2:2], x[2:3], x[3:]])
    others = {-1: (0, 1), None: None, (1, 2): (0,)}[axis]
    expected = (x - x.mean(axis=others)) / x.std(axis=others)
    np.testing.assert_allclose(layer(x).numpy(), expected, atol=1e-8)
    with pytest.raises(ValueError, match="expected some to take a mean of, got none"):
        layer.adapt(x[:0])


def test_an_embedding_gives_keras_rows_and_gradients(keras, tf):
    index = np.array([[1, 4, 1], [0, 2, 4]])
    theirs, mine = keras.layers.Embedding(5, 3), nn.layers.Embedding(5, 3)
    mine(index)
    with tf.GradientTape() as tape:
        y = theirs(index)
        mine.set_weights(theirs.get_weights())
        loss = tf.reduce_sum(y**2)
    expected = tf.convert_to_tensor(tape.gradient(loss, theirs.trainable_variables[0].value)).numpy()
    z = mine(index)
    np.sum(z**2).backward()
    np.testing.assert_allclose(z.numpy(), y.numpy())
    np.testing.assert_allclose(mine.embeddings.grad, expected, rtol=1e-6)


def test_dropout_leaves_out_the_fraction_it_was_told_and_keeps_the_mean():
    x = np.ones((200, 500), "float32")
    y = nn.layers.Dropout(0.3, seed=1)(x, training=True).numpy()
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.01)
    assert y.mean() == pytest.approx(1, abs=0.02)
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.7)}
    np.testing.assert_array_equal(nn.layers.Dropout(0.3)(x).numpy(), x)


def test_dropout_with_one_seed_leaves_out_the_same_units_but_others_at_each_call():
    x = np.ones((4, 50), "float32")
    a, b = nn.layers.Dropout(0.5, seed=7), nn.layers.Dropout(0.5, seed=7)
    first, second = a(x, training=True).numpy(), a(x, training=True).numpy()
    np.testing.assert_array_equal(first, b(x, training=True).numpy())
    assert not np.array_equal(first, second)


def test_noise_shape_repeats_a_decision_along_an_axis():
    y = nn.layers.Dropout(0.5, noise_shape=(None, 1, None), seed=0)(np.ones((5, 6, 7)), training=True).numpy()
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))


def test_regularizers_add_keras_penalties(keras):
    for name, kwargs in [("L1", {"l1": 0.1}), ("L2", {"l2": 0.2}), ("L1L2", {"l1": 0.1, "l2": 0.3})]:
        weight = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)
        expected = getattr(keras.regularizers, name)(**kwargs)(weight)
        assert float(getattr(nn.regularizers, name)(**kwargs)(weight)) == pytest.approx(float(expected), rel=1e-6)
    layer = nn.layers.Dense(3, kernel_regularizer="l2", bias_regularizer=nn.regularizers.L1(0.5))
    layer(np.ones((2, 4)))
    layer.set_weights([np.ones((4, 3)), np.full(3, 2.0)])
    assert [float(p.item()) for p in layer.losses] == pytest.approx([0.12, 3.0])


def test_initializers_draw_from_keras_distributions(keras):
    for name in ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal"):
        for shape in [(300, 200), (3, 3, 40, 60)]:
            mine = getattr(nn.initializers, name)(seed=1)(shape)
            theirs = np.asarray(getattr(keras.initializers, name)(seed=1)(shape))
            assert mine.dtype == np.float32
            assert mine.std() == pytest.approx(theirs.std(), rel=0.03)
            assert np.abs(mine).max() == pytest.approx(np.abs(theirs).max(), rel=0.05)
    for name, kwargs in [("RandomNormal", {}), ("TruncatedNormal", {"stddev": 2.0}), ("RandomUniform", {})]:
        mine = getattr(nn.initializers, name)(seed=1, **kwargs)((300, 200))
        theirs = np.asarray(getattr(keras.initializers, name)(seed=1, **kwargs)((300, 200)))
        assert mine.std() == pytest.approx(theirs.std(), rel=0.03)
    for kwargs in ({}, {"input_axes": [0], "output_axes": [1, 2]}):
        mine, theirs = (
            np.asarray(k.initializers.VarianceScaling(2.0, "fan_avg", seed=1, **kwargs)((30, 20, 40)))
            for k in (nn, keras)
        )
        assert mine.std() == pytest.approx(theirs.std(), rel=0.03)
    for initializer in ("glorot_uniform", "he_normal", "lecun_normal", "random_normal", "orthogonal"):
        mine, theirs = (k.layers.MultiHeadAttention(8, 16, kernel_initializer=initializer) for k in (nn, keras))
        mine.build((None, 4, 96), (None, 4, 96)), theirs.build((None, 4, 96), (None, 4, 96))
        for w, other in zip(mine.get_weights(), theirs.get_weights(), strict=True):
            assert w.std() == pytest.approx(other.std(), rel=0.05), initializer
    assert nn.initializers.get("zeros")((2,)).tolist() == [0, 0]
    assert nn.initializers.get(Tensor([1.0, 2.0]))((2,)).tolist() == [1, 2]
    assert nn.initializers.get(np.array([1.0, 2.0]))((2,)).tolist() == [1, 2]
    assert nn.initializers.get("he_normal").scale == 2.0


def test_constructors_take_keras_arguments_in_keras_order(keras):
    """Those that we have stand where Keras has them, with its defaults."""
    import inspect

    absent = {"activity_regularizer", "use_cudnn", "flash_attention"}
    for name in {name for name, _, _ in TABLE} | {
        "Embedding", "Lambda", "Masking", "RNN", "SimpleRNN", "GRU", "LSTM", "SimpleRNNCell", "GRUCell", "LSTMCell",
        "StackedRNNCells",
        "Bidirectional", "TimeDistributed", "MultiHeadAttention", "Attention",
    }:  # fmt: skip
        theirs = inspect.signature(getattr(keras.layers, name).__init__).parameters
        mine = {n: nn.config.arguments(getattr(nn.layers, name)).index(n) for n in theirs if n not in absent | {
            "self", "args", "kwargs", "weights", "lora_rank", "lora_alpha",
            "quantization_config", "renorm", "renorm_clipping", "renorm_momentum", "synchronized", "name",
        }}  # fmt: skip
        layer = getattr(nn.layers, name)
        parameters = {
            n: p for base in reversed(layer.__mro__) if "__init__" in vars(base)
            for n, p in inspect.signature(vars(base)["__init__"]).parameters.items()
        }  # fmt: skip
        places = [place for n, place in mine.items() if parameters[n].kind is not inspect.Parameter.KEYWORD_ONLY]
        assert places == sorted(places), name
        for n in mine:
            default = theirs[n].default
            default = {(1, 1): 1, (2, 2): 2}.get(default, default) if isinstance(default, tuple) else default
            own = parameters[n].default
            own = {(1, 1): 1}.get(own, own) if isinstance(own, tuple) else own
            if default is not inspect.Parameter.empty:
                assert own == default, (name, n)


def test_a_nested_sequential_is_a_layer():
    inner = nn.Sequential([nn.layers.Dense(4, "relu"), nn.layers.Dense(3)])
    model = nn.Sequential([nn.Input(shape=(5,)), inner, nn.layers.Dense(2)])
    x = np.ones((2, 5), "float32")
    assert model.count_params() == 5 * 4 + 4 + 4 * 3 + 3 + 3 * 2 + 2
    np.testing.assert_array_equal(model(x).numpy(), model.layers[1](inner(x)).numpy())


def test_a_layer_of_ones_own_is_ten_lines():
    class Attention(nn.Layer):
        def build(self, input_shape):
            n = input_shape[-1]
            self.q, self.k, self.v = (self.add_weight((n, n), name=name) for name in "qkv")

        def call(self, x):
            scores = (x @ self.q) @ np.swapaxes(x @ self.k, -1, -2) / np.sqrt(x.shape[-1])
            return nn.activations.softmax(scores) @ (x @ self.v)

    nn.backend.clear_session()
    nn.utils.set_random_seed(0)
    model = nn.Sequential([nn.Input(shape=(6, 4)), Attention(), nn.layers.Flatten(), nn.layers.Dense(1)])
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(64, 6, 4))
    history = model.fit(x, x[:, 0, 0] * x[:, 3, 1], epochs=5, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert [w.path for w in model.layers[0].weights] == [f"sequential/attention/{n}" for n in "qkv"]
