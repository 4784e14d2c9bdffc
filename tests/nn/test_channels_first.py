"""Images with the channels first, as PyTorch has them: it is the judge, since Keras computes them on no CPU."""

import numpy as np
import pytest

import nn
from autograd_core import Tensor

L = nn.layers


@pytest.fixture
def torch(judge):
    return judge("torch")


def distinct(shape):
    """Values no two of which are close, so that there is one largest."""
    values = np.linspace(-2, 2, int(np.prod(shape)))
    return np.random.default_rng(0).permutation(values).reshape(shape).astype("float32")


def convolution(settings):
    """What PyTorch calls the settings of a convolution."""
    return {
        "stride": settings.get("strides", 1),
        "padding": settings.get("padding", "valid"),
        "dilation": settings.get("dilation_rate", 1),
        "groups": settings.get("groups", 1),
    }


def agree(torch, layer, x, theirs):
    """The same outputs and the same gradients, of the images and of the weights, for weights that PyTorch is given."""
    layer(x)
    rng = np.random.default_rng(1)
    layer.set_weights([rng.normal(size=w.shape).astype("float32") for w in layer.get_weights()])
    mine = Tensor(x)
    y = layer(mine)
    tx = torch.tensor(x, requires_grad=True)
    weights = [torch.tensor(w, requires_grad=True) for w in layer.get_weights()]
    ty = theirs(tx, *weights)
    assert y.shape == tuple(ty.shape)
    assert layer.compute_output_shape((None, *x.shape[1:])) == (None, *ty.shape[1:])
    g = rng.normal(size=y.shape).astype("float32")
    y.backward(g)
    ty.backward(torch.tensor(g))
    np.testing.assert_allclose(y.numpy(), ty.detach().numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(mine.grad, tx.grad.numpy(), rtol=1e-5, atol=1e-5)
    for w, tw in zip(layer.trainable_variables, weights, strict=True):
        np.testing.assert_allclose(w.grad, tw.grad.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"padding": "same"},
        {"strides": 2},
        {"strides": (1, 3)},
        {"dilation_rate": 2},
        {"dilation_rate": (2, 1), "padding": "same"},
        {"groups": 2},
        {"use_bias": False, "strides": 2, "groups": 2},
    ],
)
@pytest.mark.parametrize("kernel", [(3, 3), (2, 3), (1, 1)])
@pytest.mark.filterwarnings("ignore:Using padding='same'")  # it copies the image, which is no concern of ours
def test_convolutions_of_images(torch, settings, kernel):
    def theirs(x, k, *bias):
        k = k.permute(3, 2, 0, 1)  # (height, width, in, out) to (out, in, height, width)
        return torch.nn.functional.conv2d(x, k, *bias, **convolution(settings))

    layer = L.Conv2D(6, kernel, data_format="channels_first", **settings)
    agree(torch, layer, distinct((2, 4, 7, 8)), theirs)


@pytest.mark.parametrize("settings", [{}, {"padding": "same"}, {"strides": 3}, {"dilation_rate": 2}, {"groups": 3}])
def test_convolutions_of_sequences(torch, settings):
    def theirs(x, k, *bias):
        return torch.nn.functional.conv1d(x, k.permute(2, 1, 0), *bias, **convolution(settings))

    agree(torch, L.Conv1D(6, 3, data_format="channels_first", **settings), distinct((2, 3, 11)), theirs)


@pytest.mark.parametrize("window", [2, 3, (2, 3)])
@pytest.mark.parametrize("strides", [None, 1, 2])
@pytest.mark.parametrize(("name", "theirs"), [("MaxPooling2D", "max_pool2d"), ("AveragePooling2D", "avg_pool2d")])
def test_pooling_of_images(torch, name, theirs, window, strides):
    pool = getattr(torch.nn.functional, theirs)
    layer = getattr(L, name)(window, strides, data_format="channels_first")
    agree(torch, layer, distinct((2, 3, 7, 8)), lambda x: pool(x, window, strides))


@pytest.mark.parametrize(("name", "theirs"), [("MaxPooling1D", "max_pool1d"), ("AveragePooling1D", "avg_pool1d")])
def test_pooling_of_sequences(torch, name, theirs):
    pool = getattr(torch.nn.functional, theirs)
    layer = getattr(L, name)(3, 2, data_format="channels_first")
    agree(torch, layer, distinct((2, 3, 9)), lambda x: pool(x, 3, 2))


@pytest.mark.parametrize("axes", [1, 2])
def test_pooling_of_everything(torch, axes):
    x, over = distinct((2, 3, 6, 5)[: axes + 2]), tuple(range(2, axes + 2))
    average = getattr(L, f"GlobalAveragePooling{axes}D")(data_format="channels_first")
    agree(torch, average, x, lambda t: t.mean(dim=over))
    largest = getattr(L, f"GlobalMaxPooling{axes}D")(data_format="channels_first")
    agree(torch, largest, x, lambda t: t.amax(dim=over))


def test_padding_with_zeros(torch):
    layer = L.ZeroPadding2D(((1, 2), (3, 0)), data_format="channels_first")
    agree(torch, layer, distinct((2, 3, 4, 5)), lambda x: torch.nn.functional.pad(x, (3, 0, 1, 2)))


def test_a_small_network_of_images(torch):
    """All together: the flattened order of the features is Keras', channels last."""
    f = torch.nn.functional
    parts = [
        L.Conv2D(4, 3, activation="relu", data_format="channels_first"),
        L.MaxPooling2D(2, data_format="channels_first"),
    ]
    model = nn.Sequential([nn.Input(shape=(1, 8, 8)), *parts, L.Flatten(data_format="channels_first"), L.Dense(3)])

    def theirs(x, k, b, w, c):
        y = f.max_pool2d(f.relu(f.conv2d(x, k.permute(3, 2, 0, 1), b)), 2)
        return y.permute(0, 2, 3, 1).flatten(1) @ w + c

    agree(torch, model, distinct((3, 1, 8, 8)), theirs)
