"""Models on another device give the numbers that they give on the CPU, and hand them back in NumPy."""

import sys
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

import autograd_core as ag
import nn
from autograd_core import DeviceError, Tensor
from autograd_core.testing import strict
from autograd_core.testing.strict import StrictArray
from nn.models import load_model

L = nn.layers
rng = np.random.default_rng(0)
IMAGES = rng.normal(size=(6, 7, 7, 2)).astype("f4")
SERIES = rng.normal(size=(6, 5, 3)).astype("f4")
ROWS = rng.normal(size=(6, 4)).astype("f4")
CLASSES = rng.integers(0, 3, 6)


@pytest.fixture(autouse=True)
def the_cpu_again():
    yield
    nn.set_device("cpu")


def on(device, compute):
    """What a function gives when models live on a device."""
    nn.set_device(device)
    nn.backend.clear_session()
    nn.utils.set_random_seed(3)
    try:
        return compute()
    finally:
        nn.set_device("cpu")


def agree(got, expected):
    if isinstance(expected, list | tuple):
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            agree(g, e)
    elif isinstance(expected, dict):
        assert got.keys() == expected.keys()
        agree([*got.values()], [*expected.values()])
    else:
        assert type(got) is type(expected)
        # Winograd's convolution, NumPy's only, rounds at 1e-5 of the largest value.
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-5 * np.max(np.abs(expected), initial=0.1))


LAYERS = {
    "Dense": (lambda: L.Dense(3, "gelu", kernel_regularizer="l1_l2"), ROWS),
    "Activation": (lambda: L.Activation("selu"), ROWS),
    "LeakyReLU": (L.LeakyReLU, ROWS),
    "Softmax": (L.Softmax, ROWS),
    "Dropout": (lambda: L.Dropout(0.5), ROWS),
    "Dropout of whole columns": (lambda: L.Dropout(0.5, noise_shape=(1, None)), ROWS),
    "BatchNormalization": (L.BatchNormalization, IMAGES),
    "LayerNormalization": (lambda: L.LayerNormalization(axis=[1, 2]), SERIES),
    "Embedding": (lambda: L.Embedding(5, 2), rng.integers(0, 5, (6, 3))),
    "Flatten": (L.Flatten, IMAGES),
    "Reshape": (lambda: L.Reshape((-1, 2)), ROWS),
    "Rescaling": (lambda: L.Rescaling([1.0, 2.0, 3.0, 4.0], -1), ROWS),
    "Lambda": (lambda: L.Lambda(lambda x: np.concatenate([x, np.sort(x)], axis=-1)), ROWS),
    "Conv1D": (lambda: L.Conv1D(4, 2, padding="causal", dilation_rate=2), SERIES),
    "Conv2D": (lambda: L.Conv2D(4, 3, padding="same", strides=2, activation="relu"), IMAGES),
    "Conv2D in groups": (lambda: L.Conv2D(4, (1, 3), groups=2, data_format="channels_last"), IMAGES),
    "Conv2D of many channels": (lambda: L.Conv2D(16, 3), rng.normal(size=(2, 6, 6, 16)).astype("f4")),
    "MaxPooling1D": (lambda: L.MaxPooling1D(2), SERIES),
    "MaxPooling2D": (lambda: L.MaxPooling2D(3, strides=2, padding="same"), IMAGES),
    "AveragePooling1D": (lambda: L.AveragePooling1D(3, strides=1, padding="same"), SERIES),
    "AveragePooling2D": (lambda: L.AveragePooling2D(2, data_format="channels_first"), IMAGES),
    "GlobalAveragePooling1D": (L.GlobalAveragePooling1D, SERIES),
    "GlobalAveragePooling2D": (L.GlobalAveragePooling2D, IMAGES),
    "GlobalMaxPooling1D": (L.GlobalMaxPooling1D, SERIES),
    "GlobalMaxPooling2D": (L.GlobalMaxPooling2D, IMAGES),
    "Operation": (lambda: L.Operation(np.exp), IMAGES),
    "ZeroPadding1D": (lambda: L.ZeroPadding1D((1, 2)), SERIES),
    "ZeroPadding2D": (lambda: L.ZeroPadding2D(((1, 0), (0, 2))), IMAGES),
    "Cropping1D": (lambda: L.Cropping1D((1, 2)), SERIES),
    "Cropping2D": (lambda: L.Cropping2D(((1, 0), (0, 2))), IMAGES),
    "UpSampling1D": (lambda: L.UpSampling1D(3), SERIES),
    "UpSampling2D": (lambda: L.UpSampling2D((2, 3)), IMAGES),
    "UpSampling2D between": (lambda: L.UpSampling2D(2, interpolation="bilinear"), IMAGES),
    "Permute": (lambda: L.Permute((2, 1)), SERIES),
    "RepeatVector": (lambda: L.RepeatVector(3), ROWS),
    "Identity": (L.Identity, ROWS),
    "ReLU": (lambda: L.ReLU(1.0, 0.1, 0.2), ROWS),
    "ELU": (lambda: L.ELU(0.5), ROWS),
    "GaussianNoise": (lambda: L.GaussianNoise(0.5), ROWS),
    "SpatialDropout1D": (lambda: L.SpatialDropout1D(0.5), SERIES),
    "SpatialDropout2D": (lambda: L.SpatialDropout2D(0.5), IMAGES),
    "Conv1DTranspose": (lambda: L.Conv1DTranspose(4, 3, strides=2), SERIES),
    "Conv2DTranspose": (lambda: L.Conv2DTranspose(4, 3, strides=2, padding="same"), IMAGES),
    "DepthwiseConv1D": (lambda: L.DepthwiseConv1D(2, depth_multiplier=2), SERIES),
    "DepthwiseConv2D": (lambda: L.DepthwiseConv2D(2, padding="same"), IMAGES),
    "SeparableConv1D": (lambda: L.SeparableConv1D(4, 2), SERIES),
    "SeparableConv2D": (lambda: L.SeparableConv2D(4, 2, depthwise_constraint="max_norm"), IMAGES),
    "GroupNormalization": (lambda: L.GroupNormalization(-1), IMAGES),
    "Normalization": (lambda: L.Normalization(mean=1.0, variance=2.0), ROWS),
    "Masking": (lambda: L.Masking(0.0), SERIES),
    "SimpleRNN": (lambda: L.SimpleRNN(3, dropout=0.5, recurrent_dropout=0.5), SERIES),
    "GRU": (lambda: L.GRU(3, return_sequences=True), SERIES),
    "LSTM": (lambda: L.LSTM(3, go_backwards=True), SERIES),
    "RNN": (lambda: L.RNN(L.GRUCell(2)), SERIES),
    "Bidirectional": (lambda: L.Bidirectional(L.LSTM(2, return_sequences=True)), SERIES),
    "TimeDistributed": (lambda: L.TimeDistributed(L.Dense(2)), SERIES),
}
# Of several arguments, or of one step.
OTHERS = {"InputLayer", "Attention", "MultiHeadAttention", "SimpleRNNCell", "GRUCell", "LSTMCell", "StackedRNNCells"}


def test_every_layer_is_tried():
    tried = {name.split()[0] for name in LAYERS}
    assert {cls.__name__ for cls in L.CLASSES} == tried | OTHERS | {
        c.__name__ for c in L.CLASSES if issubclass(c, L.merging.Merge)
    }


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_and_its_gradients(name):
    make, x = LAYERS[name]

    def compute():
        layer = make()
        given = Tensor(nn.device.here(x.astype("f4"))) if x.dtype.kind == "f" else x
        out = layer(given, training=True)
        np.sum(out * out).backward()
        leaves = [*layer.trainable_weights, *([given] if isinstance(given, Tensor) else [])]
        return [Tensor(t).numpy() for t in (out.data, layer(x).data, *(t.grad for t in leaves))], layer.get_weights()

    agree(on("strict", compute), on("cpu", compute))


@pytest.mark.parametrize("name", ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"])
def test_a_merge_and_its_gradients(name):
    def compute():
        layer = L.Dot(axes=1, normalize=True) if name == "Dot" else getattr(L, name)()
        given = [Tensor(nn.device.here(ROWS * factor)) for factor in (1.0, -0.5)]
        out = layer(given)
        np.sum(out * out).backward()
        return [Tensor(t).numpy() for t in (out.data, *(t.grad for t in given))], []

    agree(on("strict", compute), on("cpu", compute))


@pytest.mark.parametrize("name", ["SimpleRNN", "GRU", "LSTM", "MultiHeadAttention", "GlobalAveragePooling1D"])
def test_a_mask_goes_along(name):
    """From an array of NumPy's to layers whose values are elsewhere."""

    def compute():
        embedding = L.Embedding(3, 4, mask_zero=True)
        embedded = embedding(np.array([[1, 2, 0], [2, 0, 0]]))
        layer = (
            L.MultiHeadAttention(2, 3)
            if name == "MultiHeadAttention"
            else getattr(L, name)(*[3] * (name != "GlobalAveragePooling1D"))
        )
        out = layer(*[embedded] * (2 if name == "MultiHeadAttention" else 1))
        np.sum(out * out).backward()
        return [Tensor(t).numpy() for t in (out.data, embedding.embeddings.grad)], layer.get_weights()

    agree(on("strict", compute), on("cpu", compute))


@pytest.mark.parametrize("name", ["Attention", "MultiHeadAttention"])
def test_attention_and_its_gradients(name):
    def compute():
        layer = L.MultiHeadAttention(2, 3) if name == "MultiHeadAttention" else L.Attention(use_scale=True)
        given = [Tensor(nn.device.here(SERIES * factor)) for factor in (1.0, -0.5)]
        options = {"use_causal_mask": True}
        out = layer(*given, **options) if name == "MultiHeadAttention" else layer(given, **options)
        np.sum(out * out).backward()
        return [Tensor(t).numpy() for t in (out.data, *(t.grad for t in given))], layer.get_weights()

    agree(on("strict", compute), on("cpu", compute))


LOSSES = {
    "categorical_crossentropy": np.eye(3)[CLASSES],
    "sparse_categorical_crossentropy": CLASSES,
    "binary_crossentropy": np.eye(3)[CLASSES],
    "mean_squared_error": rng.normal(size=(6, 3)),
    "mean_absolute_error": rng.normal(size=(6, 3)),
    "huber": rng.normal(size=(6, 3)),
    "kl_divergence": np.full((6, 3), 1 / 3),
}


def small(optimizer="sgd", loss="sparse_categorical_crossentropy", activation="softmax", **options):
    model = nn.Sequential([nn.Input(shape=(4,)), L.Dense(5, "tanh"), L.Dropout(0.2), L.Dense(3, activation)])
    model.compile(optimizer, loss, **options)
    return model


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_training_with_each_loss(loss, activation):
    def compute():
        model = small(loss=loss, activation=activation)
        weights = np.linspace(0.5, 2, 6)
        history = model.fit(ROWS, LOSSES[loss], sample_weight=weights, epochs=2, batch_size=4, verbose=0)
        return history.history, model.predict(ROWS, verbose=0), model.get_weights()

    agree(on("strict", compute), on("cpu", compute))


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=0.1),
        lambda: nn.optimizers.RMSprop(nn.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5), global_clipnorm=1.0),
        lambda: nn.optimizers.Adam(amsgrad=True, clipvalue=0.1),
        lambda: nn.optimizers.AdamW(0.1),
        lambda: nn.optimizers.Adagrad(),
        lambda: nn.optimizers.Adadelta(1.0),
    ],
)
def test_a_training_with_each_optimizer(make):
    def compute():
        model = small(make())
        model.fit(ROWS, CLASSES, epochs=3, batch_size=4, verbose=0)
        return model.get_weights(), model.optimizer.get_weights()

    agree(on("strict", compute), on("cpu", compute))


def test_metrics_and_evaluation():
    hot = np.eye(3)[CLASSES]
    metrics = ["accuracy", "mae", nn.metrics.TopKCategoricalAccuracy(k=2), nn.metrics.Precision(), nn.metrics.Recall()]

    def compute():
        model = small(loss="categorical_crossentropy", metrics=metrics, weighted_metrics=["mse"])
        return (
            model.evaluate(ROWS, hot, sample_weight=np.arange(6.0), verbose=0, return_dict=True),
            model.train_on_batch(ROWS, hot, class_weight={0: 1.0, 1: 2.0, 2: 0.5}),
            model.test_on_batch(ROWS, hot),
            model.predict_on_batch(ROWS),
        )

    agree(on("strict", compute), on("cpu", compute))


def test_weights_gradients_and_state_lie_on_the_device():
    def compute():
        model = small("adam")
        model.train_on_batch(ROWS, CLASSES)
        lying = [w.data for w in model.weights] + model.optimizer.variables[2:]
        lying += [w.grad for w in model.trainable_weights]
        assert {type(array) for array in lying} == {StrictArray}
        assert type(model(ROWS).data) is StrictArray
        assert [type(w) for w in model.get_weights()] == [np.ndarray] * 4

    on("strict", compute)


def test_batches_that_are_there_already_stay_there():
    def compute():
        model = small()
        x, y = strict.array(ROWS), strict.array(CLASSES)
        before = model.evaluate(ROWS, CLASSES, verbose=0)
        assert model.evaluate(x, y, verbose=0) == before
        history = model.fit(x, y, validation_data=(x, y), epochs=1, verbose=0)
        assert type(model.predict(x, verbose=0)) is np.ndarray
        return history.history

    agree(
        on("strict", compute),
        on("cpu", lambda: small().fit(ROWS, CLASSES, validation_data=(ROWS, CLASSES), verbose=0).history),
    )


def test_a_model_moves_from_device_to_device_in_a_file(tmp_path):
    def there():
        model = small("adam", metrics=["accuracy"])
        model.fit(ROWS, CLASSES, epochs=2, verbose=0)
        model.save(tmp_path / "model.zip")
        return model.predict(ROWS, verbose=0), model.optimizer.get_weights()

    predicted, state = on("strict", there)
    for device in ("cpu", "strict"):
        model = on(device, lambda: load_model(tmp_path / "model.zip"))
        nn.set_device(device)
        agree(model.predict(ROWS, verbose=0), predicted)
        agree(model.optimizer.get_weights(), state)


def test_weights_go_to_pytorch_and_back():
    def compute():
        model = small()
        state = nn.utils.to_torch_state_dict(model)
        nn.utils.from_torch_state_dict(model, {name: -array for name, array in state.items()})
        return state, model.get_weights()

    agree(on("strict", compute), on("cpu", compute))


def test_a_model_on_the_device_says_how_to_export_it(tmp_path, judge):
    judge("onnx")

    def compute():
        with pytest.raises(ValueError, match=r"is on strict:0 .*nn\.set_device\(\"cpu\"\)"):
            nn.export_onnx(small(), tmp_path / "m.onnx")

    on("strict", compute)


def test_callbacks_that_look_at_weights_and_gradients(tmp_path):
    def compute():
        model = small("adam", metrics=["accuracy"])
        watching = nn.watch(model)
        keep = nn.callbacks.EarlyStopping("loss", patience=1, restore_best_weights=True)
        backup = nn.callbacks.BackupAndRestore(tmp_path / nn.get_device(), delete_checkpoint=False)
        model.fit(ROWS, CLASSES, epochs=3, verbose=0, callbacks=[watching, keep, backup])
        resumed = small("adam", metrics=["accuracy"])
        resumed.fit(ROWS, CLASSES, epochs=3, verbose=0, callbacks=[backup])
        return watching.gradients, watching.spreads, model.get_weights(), resumed.get_weights()

    agree(on("strict", compute), on("cpu", compute))


# -- what cannot be ----------------------------------------------------------------------------------------------


def test_a_model_from_before_does_not_mix_with_batches_on_another_device():
    model = small()
    nn.set_device("strict")
    with pytest.raises(
        DeviceError, match=r"matmul .*strict:0 \(a strict library\), tensor 'dense.*/kernel' on the CPU"
    ):
        model.predict(ROWS, verbose=0)


def test_a_device_that_nobody_knows():
    with pytest.raises(ValueError, match=r"a device: expected 'cpu', or one of 'cuda', 'strict'.*got 'tpu'"):
        nn.set_device("tpu")
    with pytest.raises(ValueError, match="got 'cuda:x'"):
        nn.set_device("cuda:x")
    for number in (None, 0):
        with pytest.raises(ValueError, match=f"with a number where there are several, got {number}"):
            nn.set_device(number)
    assert nn.get_device() == "cpu"


def test_the_stand_in_has_a_single_device():
    with pytest.raises(DeviceError, match='there is no device "strict:5"'):
        nn.set_device("strict:5")
    assert nn.get_device() == "cpu"
    nn.set_device("strict:0")
    assert type(nn.device.here(np.ones(2))) is StrictArray


def test_cuda_without_cupy_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(ImportError, match=r'pip install "autograd-core\[gpu\]"'):
        nn.set_device("cuda")
    assert nn.get_device() == "cpu"


def test_cuda_without_a_gpu_says_that_there_is_none(monkeypatch):
    class CUDARuntimeError(RuntimeError):
        pass

    def device(number):
        raise CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")

    cuda = SimpleNamespace(Device=device, runtime=SimpleNamespace(CUDARuntimeError=CUDARuntimeError))
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=cuda))
    with pytest.raises(DeviceError, match=r'no device "cuda:1" that CuPy can use .*no CUDA-capable device'):
        nn.set_device("cuda:1")
    assert nn.get_device() == "cpu"


def test_the_cuda_device_that_is_named_is_the_one_used(monkeypatch):
    used, put = [], []

    @contextmanager
    def inside(number):
        yield put.append(number)

    class Device:
        def __new__(cls, number):
            device = inside(number)
            device.use = lambda: used.append(number)
            return device

    cuda = SimpleNamespace(Device=Device, runtime=SimpleNamespace(CUDARuntimeError=RuntimeError))
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=cuda, zeros=np.zeros, asarray=strict.array))
    nn.set_device("cuda:1")
    assert used == [1]
    assert type(nn.device.here(np.ones(2))) is StrictArray
    assert put == [1]


def test_sparse_arrays_stay_on_the_cpu(judge):
    sparse = judge("scipy.sparse").csr_array(ROWS)

    def compute():
        with pytest.raises(TypeError, match=r"pass x\.toarray\(\)"):
            small().predict(sparse, verbose=0)

    on("strict", compute)


def test_a_drawing_of_a_model_on_the_device():
    def compute():
        model = small()
        return ag.draw(np.sum(model(ROWS))).source

    assert on("strict", compute) == on("cpu", compute)
