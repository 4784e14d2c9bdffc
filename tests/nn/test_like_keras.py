"""What Keras' own unit tests ask of layers: each asks both libraries the same, and Keras decides."""

import itertools
import warnings

import numpy as np
import pytest

import nn


def _layers_of_ones_own(lib):
    class Inner(lib.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(2,), name="w")

        def call(self, inputs):
            return inputs + self.w

    class Outer(lib.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.inner, self.dense = Inner(name="inner"), lib.layers.Dense(2, name="dense")

        def build(self, input_shape):
            self.o = self.add_weight(shape=(1,), name="o")
            self.inner.build(input_shape)

        def call(self, inputs):
            return self.dense(self.inner(inputs)) + self.o

    class Own(lib.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.a, self.b = Outer(name="a"), lib.layers.Dense(1, name="b")

        def call(self, inputs):
            return self.b(self.a(inputs))

    return Outer, Own


def test_paths_lead_through_the_layers_around(keras):
    def paths(lib):
        Outer, Own = _layers_of_ones_own(lib)
        layers, x, flat = lib.layers, np.ones((1, 3, 2), "float32"), np.ones((1, 2), "float32")
        made = [
            (Outer(name="outer"), flat), (Own(name="own"), flat),
            (lib.Sequential([lib.Input((2,)), Outer(name="o"), lib.Sequential([layers.Dense(1)], name="s")]), flat),
            (lib.Sequential([Outer(name="o")], name="later"), flat),
            (layers.Bidirectional(layers.LSTM(2, name="l"), name="both"), x),
            (layers.TimeDistributed(layers.Dense(2, name="d"), name="each"), x),
            (layers.RNN(layers.GRUCell(2, name="g"), name="r"), x), (layers.SimpleRNN(2, name="simple"), x),
        ]  # fmt: skip
        heads = layers.MultiHeadAttention(2, 3, name="heads")
        heads(x, x)
        for part, given in made:
            part(given)
        a, b = lib.Input((2,)), lib.Input((2,))
        inside = lib.Model(a, Outer(name="o")(a), name="inside")
        whole = lib.Model(b, layers.Dense(1, name="last")(inside(b)), name="whole")
        parts = [*(p for p, _ in made), heads, whole]
        return [[w.path.replace("sequential_1", "sequential") for w in p.weights] for p in parts], made[0][0].dense.path

    keras.backend.clear_session()
    nn.backend.clear_session()
    (theirs, path), (ours, own) = paths(keras), paths(nn)
    assert [sorted(p) for p in ours] == [sorted(p) for p in theirs]
    assert own == path == "outer/dense"


def test_a_layer_may_say_itself_what_comes_out(keras):
    def shapes(lib):
        class Never(lib.layers.Layer):
            def call(self, inputs):
                raise RuntimeError("a shape was asked for")

        class One(Never):
            def compute_output_shape(self, input_shape):
                return (input_shape[0], 7)

        class Dict(Never):
            def compute_output_shape(self, input_shape):
                return {"a": (input_shape[0], 7), "b": (input_shape[0], 2)}

        class Pair(Never):
            def compute_output_shape(self, input_shape):
                return (input_shape[0], 7), (input_shape[0], 2)

        class Spec(Never):
            def compute_output_spec(self, inputs, **kwargs):
                return lib.KerasTensor((None, 9), "float64")

        class Two(lib.layers.Layer):
            def build(self, a_shape, b_shape):
                self.w = self.add_weight(shape=(a_shape[-1], b_shape[-1]))

            def call(self, a, b):
                raise RuntimeError("a shape was asked for")

            def compute_output_shape(self, a_shape, b_shape):
                return (a_shape[0], a_shape[1] + b_shape[1])

        x, y, two = lib.Input((3,)), lib.Input((4,)), Two()
        found = [One()(x).shape, {k: v.shape for k, v in Dict()(x).items()}, [v.shape for v in Pair()(x)]]
        spec = Spec()(x)
        return [
            *found, spec.shape, np.dtype(spec.dtype).name, two(x, b=y).shape, two.w.shape, Two()(a=x, b=y).shape,
            lib.layers.MultiHeadAttention(2, 3).compute_output_shape((2, 5, 8), (2, 7, 8), None),
        ]  # fmt: skip

    assert shapes(nn) == shapes(keras)


def test_inputs_by_name_are_inputs_and_masks_are_masks(keras):
    seen = {}
    for lib in (nn, keras):

        def call(self, a, mask, b, lib=lib):
            seen[lib] = [np.asarray(v).dtype.name for v in (a, mask, b)]
            return a + b

        layer = type("Own", (lib.layers.Layer,), {"call": call})()
        layer.supports_masking = True
        one = np.ones((1, 2))  # float64, which becomes the dtype of the layer where it is an input
        out = np.asarray(layer(one, mask=np.ones((1,), bool), b=one.astype("float32")))
        assert (out.dtype, seen[lib]) == ("float32", ["float32", "bool", "float32"])
        pair = lib.layers.MultiHeadAttention(1, 2)
        assert np.asarray(pair(query=np.ones((1, 3, 2)), value=np.ones((1, 4, 2)))).dtype == "float32"


def test_training_where_nobody_says(keras):
    """An argument's own default counts, as of a dropout that also predicts at random, unless a call around says so."""

    def seen(lib):
        class Default(lib.layers.Layer):
            def __init__(self, default, **kwargs):
                super().__init__(**kwargs)
                self.inner, self.default = None, default

            def call(self, inputs, training=True):
                return inputs * (2.0 if training else 3.0)

        class Unsaid(Default):
            def call(self, inputs, training=None):
                inner = inputs if self.inner is None else self.inner(inputs)
                return inner + {None: 10.0, True: 20.0, False: 30.0}[training]

        class Off(Default):
            def call(self, inputs, training=False):
                return self.inner(inputs)

        one, found = np.ones((1, 1), "float32"), []
        for outer in (None, Unsaid, Off):
            for inner in (Default, Unsaid):
                for training in ({}, {"training": True}, {"training": False}):
                    layer = inner(True)
                    if outer is not None:
                        layer, inside = outer(True), layer
                        layer.inner = inside
                    for called in (layer, lib.Sequential([lib.Input((1,)), layer])):
                        found.append(float(np.asarray(called(one, **training))[0, 0]))
        return found

    assert seen(nn) == seen(keras)


def test_where_there_is_nothing_to_build_a_layer_is_built_from_the_start(keras):
    arguments = {
        "Dropout": (0.5,),
        "Activation": ("relu",),
        "SpatialDropout1D": (0.5,),
        "SpatialDropout2D": (0.5,),
        "AveragePooling1D": (2,),
        "AveragePooling2D": (2,),
        "GaussianNoise": (1.0,),
    }
    names = [
        "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "Identity", "Masking", "Dropout", "SpatialDropout1D",
        "SpatialDropout2D", "GaussianNoise", "MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D",
        "GlobalMaxPooling1D", "GlobalAveragePooling2D", "Dense", "Embedding", "LayerNormalization", "Add", "Conv2D",
    ]  # fmt: skip
    arguments |= {"Dense": (1,), "Embedding": (2, 3), "Conv2D": (1, 1)}

    def built(lib):
        own = type("Own", (lib.layers.Layer,), {"call": lambda self, inputs: inputs})
        later = type("Later", (lib.layers.Dropout,), {"build": lambda self, input_shape: None})
        return own().built, later(0.5).built, {n: getattr(lib.layers, n)(*arguments.get(n, ())).built for n in names}

    assert built(nn) == built(keras)


def test_what_is_masked_changes_no_product_and_no_extreme(keras):
    """The only numbers that differed from Keras': of Multiply, Maximum and Minimum behind a Masking."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 2, 4, 3)).astype("float32")
    x[rng.random((3, 2, 4)) < 0.5] = 0
    x[:, 0, 0] = 0
    for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
        for masked in ((0,), (1,), (0, 1), (0, 1, 2), (0, 2), ()):
            count = 2 if name == "Subtract" else 3
            found = []
            for lib in (nn, keras):
                layer = getattr(lib.layers, name)()
                values = [
                    lib.layers.Masking()(v) if i in masked else lib.ops.convert_to_tensor(v)
                    for i, v in enumerate(x[:count])
                ]
                found.append(np.asarray(layer(values)))
            np.testing.assert_allclose(found[0], found[1], rtol=1e-6, err_msg=f"{name}, {masked}")


def test_masks_of_other_forms_are_refused_as_keras_does(keras):
    x = np.ones((2, 3, 4), "float32")
    for lib in (nn, keras):
        values = [lib.ops.convert_to_tensor(x), lib.ops.convert_to_tensor(x)]
        for layer in (lib.layers.Add(), lib.layers.Concatenate(), lib.layers.Attention()):
            for inputs, mask in ((values, np.ones((2, 3))), (values, [None]), (values[0], [None, None])):
                with pytest.raises(ValueError, match=r"."):
                    layer.compute_mask(inputs, mask=mask)
        for mask in (np.ones((2, 3, 5)), np.ones((1, 2, 3, 4))):
            with pytest.raises(ValueError, match=r"."):
                lib.layers.Softmax()(values[0], mask=lib.ops.convert_to_tensor(mask))
        for mask in (np.ones((2, 4)), np.ones((3, 3)), np.ones((2,))):
            with pytest.raises(ValueError, match=r"."):
                lib.layers.TimeDistributed(lib.layers.Dense(1))(values[0], mask=lib.ops.convert_to_tensor(mask))
        with pytest.raises(ValueError, match=r"."):
            lib.layers.Dropout(0.5, noise_shape=(2, 0))
        with pytest.raises(ValueError, match=r"."):
            lib.layers.Dense(1).add_weight("kernel", shape=(2,))


def test_inputs_and_settings_as_keras_names_them(keras):
    x = np.arange(12, dtype="float32").reshape(1, 3, 4)
    table = np.arange(6.0, dtype="float32").reshape(3, 2)

    def computed(lib):
        found = [
            np.asarray(v)
            for v in (
                lib.layers.UpSampling1D(2)(inputs=x), lib.layers.Dropout(0.5)(inputs=x, training=False),
                lib.layers.Embedding(3, 2, weights=[table])(inputs=np.array([[0, 2]])),
                lib.layers.Embedding(3, 2, weights=table).embeddings, lib.ops.mean(x, axis=[0, 2]),
                lib.metrics.sparse_top_k_categorical_accuracy(
                    np.array([2, 3]), np.array([[2, 1, 0], [1, 0, 3]]), k=2, from_sorted_ids=True
                ),
            )
        ]  # fmt: skip
        for axis in (-1, 1, (1, 2), None):
            layer = lib.layers.Normalization(axis=axis)
            layer.adapt(x)
            found += [np.asarray(layer.mean), np.asarray(layer.variance), np.asarray(layer(x))]
        for given in ((2.0, 4.0), (np.arange(4.0), np.ones(4)), (np.ones((3, 1)), np.ones((3, 1)))):
            layer = lib.layers.Normalization(
                axis=-1 if np.ndim(given[0]) < 2 else (1, 2), mean=given[0], variance=given[1]
            )
            found += [np.asarray(layer(x)), np.asarray(layer.mean), np.asarray(layer.variance)]
        spec = lib.layers.InputSpec(shape=(None, 3, 4))
        own = type("Own", (lib.layers.Layer,), {"call": lambda self, inputs: inputs})()
        own.input_spec = spec
        for refused in (x[:, :2], x[0]):
            with pytest.raises(ValueError, match=r"."):
                own(refused)
        own.input_spec = lib.layers.InputSpec(max_ndim=2)
        with pytest.raises(ValueError, match=r"."):
            own(x)
        held = lib.Variable([-1.0, 2.0])
        held.constraint = lib.constraints.NonNeg()
        lib.optimizers.SGD(1.0).apply([lib.ops.convert_to_tensor(np.zeros(2, "float32"))], [held])
        found += [np.asarray(held), np.asarray(own(x[0]))]
        assert own.compute_dtype == own.variable_dtype == "float32"
        return found

    for ours, theirs in zip(computed(nn), computed(keras), strict=True):
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


def test_a_transposed_convolution_of_any_output_padding(keras):
    """TensorFlow refuses even kernels with padding="same" and output_padding=0; Keras' rule for JAX decides."""
    from keras.src.backend.common import backend_utils

    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(1, 4, 1)).astype("float32"), rng.normal(size=(5, 1, 1)).astype("float32")
    for k, s, d, padding, more in itertools.product((1, 2, 3, 4, 5), (1, 2, 3), (1, 2), ("same", "valid"), (0, 1, 2)):
        if (d > 1 and s > 1) or more >= s:
            continue
        layer = nn.layers.Conv1DTranspose(
            1, k, strides=s, padding=padding, output_padding=more, dilation_rate=d, use_bias=False
        )
        layer.build((None, 4, 1))
        layer.set_weights([w[:k]])
        found = np.asarray(layer(x))[0, :, 0]
        apart, reach = np.zeros((4 - 1) * s + 1, "float32"), (k - 1) * d + 1
        apart[::s] = x[0, :, 0]
        kernel = np.zeros(reach, "float32")
        kernel[::d] = w[:k, 0, 0]
        [(left, right)] = backend_utils.compute_conv_transpose_padding_args_for_jax(
            (1, 4, 1), (k, 1, 1), s, padding, more, d
        )
        most = reach + 3  # JAX is told how much stands around the input that is spread out
        whole = np.convolve(np.pad(apart, most), kernel, "valid")
        expected = whole[most - left : len(whole) - (most - right)]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6, err_msg=str((k, s, d, padding, more)))


def test_a_clone_may_have_other_layers(keras):
    def cloned(lib):
        layers, found = lib.layers, []

        def wider(layer):
            if not isinstance(layer, layers.Dense):
                return type(layer).from_config(layer.get_config())
            return layers.Dense(2 * layer.units, name=layer.name)

        def dropping(layer, *args, **kwargs):
            out = layer(*args, **kwargs)
            return layers.Dropout(0.5)(out) if isinstance(layer, layers.Dense) else out

        x = lib.Input((3,), name="x")
        shared = layers.Dense(3, name="shared")
        inner = lib.Sequential([lib.Input((3,)), layers.Dense(2, name="inside")], name="inner")
        functional = lib.Model(x, layers.Add(name="sum")([inner(shared(x)), inner(shared(shared(x) * 2.0))]))
        stack = lib.Sequential([lib.Input((3,)), inner, layers.Dense(2, name="a")])
        stack.compile("sgd", "mse")
        for model, settings in (
            (functional, {}), (functional, {"clone_function": lambda layer: layer, "call_function": dropping}),
            (functional, {"clone_function": lambda layer: layer, "call_function": dropping, "recursive": False}),
            (stack, {}), (stack, {"clone_function": wider}), (stack, {"clone_function": wider, "recursive": True}),
            (functional, {"input_tensors": lib.Input((3,), batch_size=7), "clone_function": lambda layer: layer}),
        ):  # fmt: skip
            made = lib.models.clone_model(model, **settings)
            out = np.asarray(made(np.ones((7, 3), "float32")))
            same = [any(w is v for v in model.weights) for w in made.weights]
            kinds = [type(layer).__name__ for layer in made.layers if type(layer).__name__ != "InputLayer"]
            found.append((out.shape, made.compiled, [tuple(w.shape) for w in made.weights], same, sorted(kinds)))
        for model, settings in ((stack, {"call_function": dropping}), (stack, {"input_tensors": np.ones((2, 3))})):
            with pytest.raises(ValueError, match=r"."):
                lib.models.clone_model(model, **settings)
        return found

    assert cloned(nn) == cloned(keras)


def test_losses_and_metrics_of_outputs_by_name(keras):
    """A loss in a list of its own, and a metric that is there with weights too."""

    def trained(lib):
        lib.utils.set_random_seed(0)
        x = lib.Input((3,))
        zeros = {"kernel_initializer": "zeros"}
        p, q = (lib.layers.Dense(1, name=n, **zeros)(x) for n in "pq")
        model = lib.Model(x, [p, q])
        model.compile(
            "sgd",
            loss={"p": "mse", "q": ["mae"]},
            metrics={"p": ["mae"], "q": ["mae"]},
            weighted_metrics={"p": ["mae"], "q": ["mse"]},
        )
        rows, targets = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")
        return model.fit(rows, [targets, targets], batch_size=8, epochs=2, verbose=0).history

    ours, theirs = trained(nn), trained(keras)
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-5, err_msg=name)


def test_inputs_may_stand_in_lists_of_lists(keras):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3, 4)).astype("float32")
    for lib in (nn, keras):
        x, y = lib.Input((4,)), lib.Input((4,))
        model = lib.Model([x, y], x - 2.0 * y)
        for given in ([a, b], (a, b), ([a], b), [[a], [b]]):
            with warnings.catch_warnings():
                warnings.simplefilter("error" if lib is nn else "ignore")  # Keras says that it takes them all the same
                np.testing.assert_allclose(np.asarray(model(given)), a - 2 * b, rtol=1e-6)
    x, y = nn.Input((4,)), nn.Input((4,))
    with pytest.raises(ValueError, match="expected the structure"):
        nn.Model([x, y], x + y)([a])


def test_a_loss_is_computed_in_the_dtype_that_it_was_given(keras):
    y_true, y_pred = np.array([[1.0], [0.0]], "float32"), np.array([[0.1], [0.4]], "float32")
    classes, shares = np.array([1, 300]), np.full((2, 400), 1 / 400, "float32")
    for lib in (nn, keras):
        own = type("Own", (lib.losses.Loss,), {"call": lambda self, a, b: (a - b)[:, 0]})
        for dtype in ("float16", "float32", "float64", None):
            for loss, pair in (
                (own(dtype=dtype), (y_true, y_pred)), (lib.losses.MeanAbsoluteError(dtype=dtype), (y_true, y_pred)),
                (lib.losses.SparseCategoricalCrossentropy(dtype=dtype), (classes, shares)),
            ):  # fmt: skip
                found = loss(*map(lib.ops.convert_to_tensor, pair))
                assert np.asarray(found).dtype == (dtype or "float32")
    masked = nn.layers.Masking()(np.array([[[0.0], [2.0]]], "float32"))
    assert nn.losses.MeanSquaredError(dtype="float64")(np.zeros((1, 2, 1), "float32"), masked).item() == 4


def test_a_stack_begins_with_what_its_first_model_takes(keras):
    for lib in (nn, keras):
        x = lib.Input((4, 3))
        first = lib.Model(x, lib.layers.Dense(2)(x))
        assert first.input_shape == (None, 4, 3)
        model = lib.Sequential([first, lib.layers.Flatten(), lib.layers.Dense(1)])
        assert (model.built, model.output_shape, model.count_params()) == (True, (None, 1), 17)
        empty = lib.Sequential([lib.Input((5,))])
        assert not lib.Sequential([empty]).weights


def test_batches_by_number_are_no_endless_data():
    class Numbered(nn.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return np.full((2, 4), float(index)), np.zeros(2)

    layer = nn.layers.Normalization()
    layer.adapt(Numbered())
    np.testing.assert_allclose(layer.mean, np.ones((1, 4)))
    np.testing.assert_allclose(layer.variance, np.full((1, 4), 2 / 3), rtol=1e-6)
    with pytest.raises(TypeError, match="expected arrays, got int"):
        nn.layers.Normalization().adapt(iter([42]))


def test_what_does_nothing_is_refused_by_name_unless_it_asks_for_nothing():
    assert nn.layers.BatchNormalization(synchronized=False, renorm=False).get_config().get("renorm") is None
    assert nn.Input(shape=(2,), sparse=False, ragged=None).shape == (None, 2)
    for made, name in (
        (lambda: nn.layers.BatchNormalization(renorm=True), "renorm"),
        (lambda: nn.layers.LSTM(2, use_cudnn=True), "use_cudnn"),
        (lambda: nn.layers.Dense(1, lora_rank=2), "lora_rank"),
        (lambda: nn.Input((2,), sparse=True), "sparse"),
        (lambda: nn.layers.InputLayer((2,), input_tensor=np.ones(2)), "input_tensor"),
    ):
        with pytest.raises(TypeError, match=f"has no argument '{name}'; .+"):
            made()


def test_names_that_keras_leaves_free_are_free_in_a_class_of_ones_own(keras):
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    ours = {"walk_layers", "zero_grad", "keras_module", "keras_name"}
    tried = set()
    for kind in ("Model", "Layer"):
        for name in set(dir(getattr(nn, kind))) - set(dir(getattr(keras, kind))) - ours:
            if name.startswith("_"):
                continue
            tried.add(name)
            for value in (nn.layers.Dense(1), False):

                class Own(getattr(nn, kind)):
                    def __init__(self, name=name, value=value):
                        super().__init__()
                        setattr(self, name, value)
                        self.last, self.called = nn.layers.Dense(1), name

                    def call(self, x):
                        first = getattr(self, self.called)
                        return self.last(first(x) if first else x)

                model = Own() if kind == "Model" else nn.Sequential([nn.Input((2,)), Own()])
                model.compile("sgd", "mse")
                model.fit(x, y, verbose=0)
                assert len(model.trainable_weights) == (4 if value else 2), (kind, name, value)
                model.summary(print_fn=str)
    assert {"shared", "schedule", "inputs", "outputs", "operations"} <= tried
    model = nn.Model(a := nn.Input((2,)), nn.layers.Dense(1)(a))
    with pytest.raises(AttributeError):
        model.outputs = []


def test_an_argument_of_keras_that_changes_nothing_at_its_value_is_taken():
    for cls in (nn.layers.LSTM, nn.layers.GRU):
        for value in ("auto", False, None):
            assert cls(2, use_cudnn=value).units == 2
    for value in (None, False):
        assert nn.layers.MultiHeadAttention(1, 2, flash_attention=value).key_dim == 2
    assert nn.layers.Bidirectional(nn.layers.GRU(2), weights=None).merge_mode == "concat"
    for made, name in (
        (lambda: nn.layers.GRU(2, use_cudnn=1), "use_cudnn"),  # True in a comparison, and no word of Keras'
        (lambda: nn.layers.MultiHeadAttention(1, 2, flash_attention=True), "flash_attention"),
        (lambda: nn.layers.Bidirectional(nn.layers.GRU(2), weights=[np.ones(2)]), "weights"),
        (lambda: nn.layers.Dense(1, autocast=False), "autocast"),
    ):
        with pytest.raises(TypeError, match=f"has no argument '{name}'; .+"):
            made()


@pytest.mark.filterwarnings("ignore:Gradients do not exist", "ignore:no gradient came for")
def test_the_losses_of_outputs_without_names_are_called_as_keras_calls_them(keras):
    x, y = np.ones((4, 2), "float32"), (np.ones((4, 1), "float32"), np.ones((4, 2), "float32"))
    for told in (
        lambda k: (["mse", "mae"], None),
        lambda k: ([k.losses.MeanSquaredError(name="q"), "mae"], [["mae"], ["mse"]]),
        lambda k: (["mse", None], [None, "mae"]),
    ):
        found = []
        for lib in (keras, nn):

            class Two(lib.Model):
                def __init__(self, layers=lib.layers):
                    super().__init__()
                    self.a, self.b = layers.Dense(1), layers.Dense(2)

                def call(self, x):
                    return self.a(x), self.b(x)

            model = Two()
            loss, metrics = told(lib)
            model.compile("sgd", loss, metrics=metrics, run_eagerly=True)
            found.append(list(model.fit(x, y, validation_data=(x, y), verbose=0).history))
        assert found[0] == found[1]
    model = Two()
    model.compile("sgd", ["mse", "mse"], metrics=[["mae"], ["mae"]], weighted_metrics=[["mae"], None])
    names = ["loss", "mse_loss", "mse_1_loss", "mae", "mae_1", "weighted_mae"]
    assert model.metrics_names == names  # Keras has one name for both, and tells the last


@pytest.mark.filterwarnings("ignore:no gradient came for")
def test_the_first_targets_tell_a_model_of_ones_own_how_many_outputs_it_has(keras):
    def model_of(lib, outputs):
        class Ones(lib.Model):
            def build(self, shape):
                self.built = True

            def call(self, x):
                one = x * 0 + 1
                return {"z": one, "a": one} if outputs == "dict" else (one, one)

        return Ones()

    x = np.ones((4, 1), "float32")
    for outputs, y in (("dict", {"z": x * 3, "a": x * 11}), ("pair", (x * 3, x * 11))):
        for loss, weights, metrics in (
            ("mse", None, None),
            ("mae", None, [["mse"], ["mae"]]),
            (["mse", "mae"], [0.5, 2.0], [["mae"], []]),
        ):
            found = []
            for lib in (keras, nn):
                model = model_of(lib, outputs)
                model.compile("sgd", loss, loss_weights=weights, metrics=metrics)
                found += [model.evaluate(x, y, verbose=0, return_dict=True)]
            theirs, ours = found
            both = ours.pop(f"{loss}_1_loss", None)  # where outputs have no names Keras' second takes the first's place
            if both is not None:
                ours[f"{loss}_loss"] = both
            assert ours == theirs, (outputs, loss)
    # It is learnt before a step is recorded, and a training goes as one that was told at once.
    y = {"z": np.linspace(0, 1, 64, dtype="float32")[:, None], "a": np.ones((64, 2), "float32")}
    x, histories = np.random.default_rng(0).normal(size=(64, 3)).astype("float32"), []
    for loss in ("mse", {"z": "mse", "a": "mse"}):
        nn.utils.set_random_seed(0)

        class Two(nn.Model):
            def __init__(self):
                super().__init__()
                self.z, self.a = nn.layers.Dense(1), nn.layers.Dense(2)

            def call(self, x):
                return {"z": self.z(x), "a": self.a(x)}

        model = Two()
        model.compile("adam", loss, metrics={"z": ["mae"], "a": []} if isinstance(loss, dict) else [[], ["mae"]])
        histories.append(model.fit(x, y, batch_size=8, epochs=3, verbose=0).history)
    assert histories[0] == histories[1]


def test_a_batch_is_told_once_under_either_name(keras):
    def of(lib, *names, above=()):
        """The events that a callback is told which defines these, and calls the class above in some."""
        told = []

        def method(name):
            def event(self, batch, logs=None):
                told.append((name, batch))
                if name in above:
                    getattr(super(kind, self), name)(batch, logs)

            return event

        kind = type("Own", (lib.callbacks.Callback,), {name: method(name) for name in names})
        model = lib.Sequential([lib.Input((2,)), lib.layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=True)
        model.fit(np.ones((2, 2)), np.ones((2, 1)), batch_size=1, verbose=0, callbacks=[kind()])
        return told

    both = "on_batch_end", "on_train_batch_end"
    for names, above in (
        (("on_batch_begin", "on_batch_end"), ()), (both, ()), (both, both[1:]), (("on_train_batch_begin",), ()),
        (("on_batch_begin", "on_train_batch_begin"), ("on_train_batch_begin",)),
    ):  # fmt: skip
        assert of(nn, *names, above=above) == of(keras, *names, above=above), names
