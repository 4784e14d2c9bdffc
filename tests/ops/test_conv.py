"""Convolutions of one to three axes: PyTorch, JAX, Keras and the definition agree."""

import itertools

import numpy as np
import pytest

from autograd_core import Tensor, conv, conv_transpose, fold, grad, replay, vjp, windows
from autograd_core.testing import check_gradients


def written_out(x, kernel, strides, pairs, dilation, groups):
    """The definition of a convolution, one number at a time."""
    n = x.ndim - 2
    x = np.pad(x, ((0, 0), *pairs, (0, 0)))
    window, inside, out = kernel.shape[:n], kernel.shape[-2], kernel.shape[-1]
    spatial = [
        (size - (k - 1) * d - 1) // s + 1
        for size, k, s, d in zip(x.shape[1:-1], window, strides, dilation, strict=True)
    ]
    z = np.zeros((x.shape[0], *spatial, out))
    for place in np.ndindex(*spatial):
        for offset in np.ndindex(*window):
            here = tuple(p * s + o * d for p, s, o, d in zip(place, strides, offset, dilation, strict=True))
            for o in range(out):
                first = o // (out // groups) * inside
                z[(slice(None), *place, o)] += (
                    x[(slice(None), *here)][:, first : first + inside] @ kernel[(*offset, slice(None), o)]
                )
    return z


def arrays(n, *, groups=1, sizes=(7, 6, 5), window=(3, 2, 2)):
    random = np.random.default_rng(0)
    x = random.normal(size=(2, *sizes[:n], 2 * groups))
    return x, random.normal(size=(*window[:n], 2, 3 * groups))


SETTINGS = [
    {"strides": strides, "dilation": dilation, "groups": groups}
    for strides, dilation, groups in itertools.product((1, 2, 3), (1, 2), (1, 2))
]


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_it_is_its_definition(n, settings):
    x, kernel = arrays(n, groups=settings["groups"])
    pairs = ((1, 0), (0, 2), (1, 1))[:n]
    expected = written_out(
        x, kernel, (settings["strides"],) * n, pairs, (settings["dilation"],) * n, settings["groups"]
    )
    np.testing.assert_allclose(conv(x, kernel, padding=pairs, **settings), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_pytorch_has_the_same_values_and_gradients(n, settings, judge):
    torch = judge("torch")
    x, kernel = arrays(n, groups=settings["groups"])
    tensors = [torch.tensor(v, requires_grad=True) for v in (x, kernel)]
    first = torch.movedim(tensors[0], -1, 1), torch.movedim(tensors[1], (-1, -2), (0, 1))
    function = getattr(torch.nn.functional, f"conv{n}d")
    stride, dilation, groups = settings["strides"], settings["dilation"], settings["groups"]
    expected = torch.movedim(function(*first, stride=stride, padding=1, dilation=dilation, groups=groups), 1, -1)
    value, pullback = vjp(lambda x, k: conv(x, k, padding=((1, 1),) * n, **settings), x, kernel)
    np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    g = np.random.default_rng(1).normal(size=value.shape)
    for ours, theirs in zip(pullback(g), torch.autograd.grad(expected, tensors, torch.tensor(g)), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_pytorch_transposes_to_the_same_values_and_gradients(n, settings, judge):
    torch = judge("torch")
    stride, dilation, groups = settings["strides"], settings["dilation"], settings["groups"]
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(2, *(4, 3, 3)[:n], 3 * groups)), random.normal(size=(*(3, 2, 2)[:n], 2, 3 * groups))
    pairs = ((1, 1), (0, 0), (0, 0))[:n]
    tensors = [torch.tensor(v, requires_grad=True) for v in (x, kernel)]
    first = torch.movedim(tensors[0], -1, 1), torch.movedim(tensors[1], (-1, -2), (0, 1))
    function = getattr(torch.nn.functional, f"conv_transpose{n}d")
    options = {"stride": stride, "padding": [before for before, _ in pairs], "dilation": dilation, "groups": groups}
    expected = torch.movedim(function(*first, **options), 1, -1)
    value, pullback = vjp(lambda x, k: conv_transpose(x, k, padding=pairs, **settings), x, kernel)
    np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    g = np.random.default_rng(1).normal(size=value.shape)
    for ours, theirs in zip(pullback(g), torch.autograd.grad(expected, tensors, torch.tensor(g)), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("size", [5, 6, 7, 8])
@pytest.mark.parametrize("window", [1, 2, 3, 4])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_jax_pads_alike(size, window, strides, padding, judge):
    jax = judge("jax")
    x, kernel = arrays(2, sizes=(size, 6), window=(window, 2))
    with jax.enable_x64(True):
        expected = jax.lax.conv_general_dilated(
            x, kernel, (strides, 1), padding.upper(), dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
    np.testing.assert_allclose(conv(x, kernel, strides=(strides, 1), padding=padding), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(
    ("window", "strides"), [(1, 1), (2, 1), (3, 1), (2, 2), (3, 2), (4, 2), (1, 2), (2, 3), (5, 3)]
)
def test_keras_transposes_alike(padding, window, strides, judge):
    tensorflow = judge("tensorflow")
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(2, 4, 3, 3)), random.normal(size=(window, window, 2, 3))
    got = conv_transpose(x, kernel, strides=strides, padding=padding)
    expected = tensorflow.nn.conv2d_transpose(x, kernel, got.shape, strides, padding.upper())
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12)
    keras = judge("keras")
    layer = keras.layers.Conv2DTranspose(2, window, strides=strides, padding=padding)
    assert got.shape == tuple(layer.compute_output_shape(x.shape))


@pytest.mark.parametrize("padding", ["valid", "same", ((2, 1), (0, 1))])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_transpose_is_the_adjoint_with_the_same_kernel_and_options(settings, padding):
    x, kernel = arrays(2, groups=settings["groups"])
    z = conv(x, kernel, padding=padding, **settings)
    g = np.random.default_rng(1).normal(size=z.shape)
    back = conv_transpose(g, kernel, padding=padding, shape=x.shape, **settings)
    assert np.sum(z * g) == pytest.approx(np.sum(x * back), rel=1e-12)


@pytest.mark.parametrize("strides", [1, 2, (1, 3)])
@pytest.mark.parametrize("dilation", [1, 2])
def test_fold_is_the_adjoint_of_windows(strides, dilation):
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 7, 6, 3))
    w = windows(x, (3, 2), strides=strides, dilation=dilation)
    g = random.normal(size=w.shape)
    assert np.sum(w * g) == pytest.approx(np.sum(x * fold(g, x.shape, strides=strides, dilation=dilation)), rel=1e-12)


def test_windows_are_slices():
    x = np.random.default_rng(0).normal(size=(2, 7, 6, 3))
    w = windows(x, (3, 2), strides=(2, 1), dilation=(1, 3))
    assert w.shape == (2, 3, 3, 3, 2, 3)
    np.testing.assert_array_equal(w[:, 1, 2], x[:, 2:5, 2:6:3])


def test_pooling_is_a_reduction_of_windows(judge):
    torch = judge("torch")
    x = np.random.default_rng(0).normal(size=(2, 7, 6, 3))
    tensor = torch.tensor(x, requires_grad=True)
    first = torch.movedim(tensor, -1, 1)
    for ours, theirs in (
        (lambda x: np.max(windows(x, 3, strides=2), axis=(3, 4)), torch.nn.functional.max_pool2d),
        (lambda x: np.mean(windows(x, 3, strides=2), axis=(3, 4)), torch.nn.functional.avg_pool2d),
    ):
        expected = torch.movedim(theirs(first, 3, 2), 1, -1)
        value, pullback = vjp(ours, x)
        np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-12)
        g = np.random.default_rng(1).normal(size=value.shape)
        (their_g,) = torch.autograd.grad(expected, tensor, torch.tensor(g), retain_graph=True)
        np.testing.assert_allclose(pullback(g)[0], their_g.numpy(), rtol=1e-12, atol=1e-14)


def test_second_derivatives_are_right():
    x, kernel = arrays(1, sizes=(4,), window=(2,))
    report = check_gradients(lambda x, k: np.tanh(conv(x, k, strides=2, padding="same")), x[:1], kernel, order=2)
    assert report.verdict == "pass"


def test_third_derivatives_exist():
    # ∑ conv(x, k)³ is of third degree in a kernel of one number: its third derivative is 6 ∑ x³.
    x = np.random.default_rng(0).normal(size=(1, 5, 1))

    def cubes(k):
        return np.sum(conv(x, np.reshape(k, (1, 1, 1))) ** 3)

    assert grad(grad(grad(cubes)))(0.7) == pytest.approx(6 * np.sum(x**3), rel=1e-12)


def test_single_precision_stays_that():
    x, kernel = (Tensor(np.float32(v)) for v in arrays(2))
    z = conv(x, kernel, strides=2, padding="same")
    z.sum().backward()
    assert z.dtype == x.grad.dtype == kernel.grad.dtype == np.float32


def test_no_images_give_no_results():
    kernel = np.ones((3, 3, 2, 4))
    assert conv(np.zeros((0, 8, 8, 2)), kernel).shape == (0, 6, 6, 4)
    assert conv_transpose(np.zeros((0, 6, 6, 4)), kernel).shape == (0, 8, 8, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conv(np.ones((1, 5, 5, 2)), np.ones((3, 3, 3, 4))), r"in / groups, out"),
        (lambda: conv(np.ones((1, 5, 5, 2)), np.ones((3, 2, 4))), r"as many window axes"),
        (lambda: conv(np.ones((1, 5, 5, 4)), np.ones((3, 3, 2, 3)), groups=2), r"divisible by groups, got .*groups=2"),
        (lambda: conv(np.ones((1, 2, 2)), np.ones((3, 2, 1))), r"reaches over \[3\]"),
        (lambda: conv(np.ones((1, 5, 2)), np.ones((3, 2, 1)), padding="full"), r'"valid", "same", or a pair'),
        (lambda: conv(np.ones((1, 5, 2)), np.ones((3, 2, 1)), padding=(1, 1)), r"each of the 1 spatial axes"),
        (lambda: conv(np.ones((1, 5, 2)), np.ones((3, 2, 1)), strides=0), r"strides: expected a whole number"),
        (
            lambda: fold(np.ones((1, 3, 3, 1)), (2, 5, 1)),
            r"which have shape \[2, 3, 3, 1\], got shape \[1, 3, 3, 1\]",
        ),
        (lambda: fold(np.ones((1, 3, 3, 1)), (1, 6, 1)), r"which have shape \[1, 4, 3, 1\]"),
        (lambda: fold(np.ones((1, 3)), (1, 6, 1)), r"fold: expected the windows"),
        (lambda: windows(np.ones((5, 2)), 2), r"at least one spatial axis"),
        (lambda: windows(np.ones((1, 5, 2)), (2, 2)), r"window: expected a whole number"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


SMALL_IMAGES = [
    ((2, 3, 3, 16), 16, "valid"),
    ((1, 9, 7, 17), 20, "same"),
    ((3, 12, 6, 16), 33, ((2, 0), (0, 2))),
    ((0, 6, 6, 16), 16, "valid"),
    ((40, 14, 14, 24), 16, "same"),
]


@pytest.mark.parametrize(("shape", "filters", "padding"), SMALL_IMAGES)
def test_many_channels_in_float32_are_convolved_by_another_algorithm_with_the_same_result(shape, filters, padding):
    rng = np.random.default_rng(0)
    x, kernel = rng.normal(size=shape), rng.normal(size=(3, 3, shape[-1], filters))

    def close(found, exact):  # float64 takes the columns of all windows, as the definition says
        assert found.dtype == np.float32
        assert found.shape == exact.shape
        np.testing.assert_allclose(found, exact, atol=2e-5 * np.max(np.abs(exact), initial=0))

    value, pullback = vjp(lambda x, k: conv(x, k, padding=padding), x, kernel)
    found, pullback32 = vjp(lambda x, k: conv(x, k, padding=padding), x.astype("f4"), kernel.astype("f4"))
    close(found, value)
    g = rng.normal(size=value.shape)
    for mine, exact in zip(pullback32(g.astype("f4")), pullback(g), strict=True):
        close(mine, exact)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # an infinity times zero, on the way
@pytest.mark.parametrize("replayed", [False, True])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 5e37])
@pytest.mark.parametrize("where", ["corner", "edge", "inside", "gradient", "kernel"])
def test_what_is_not_finite_stays_in_its_windows(where, bad, padding, replayed, judge):
    """The 3×3 kernels of many channels are convolved patch by patch; the definition knows no patches."""
    torch = judge("torch")
    random = np.random.default_rng(0)
    inset = 0 if padding == "same" else 2
    x, kernel = random.normal(size=(2, 11, 12, 16)), random.normal(size=(3, 3, 16, 17))
    g = random.normal(size=(2, 11 - inset, 12 - inset, 17))
    finite = [a.astype(np.float32) for a in (x, kernel, g)]
    place = {"corner": (0, 0), "edge": (0, 5), "inside": (6, 5)}.get(where)
    if place:
        x[1, *place, 3] = bad
    (g if where == "gradient" else kernel if where == "kernel" else x)[0, 1, 2, 3] = bad

    @replay
    def program(x, kernel, g):
        z, back = vjp(lambda a, b: conv(a, b, padding=padding), x, kernel)
        return z, *back(g)

    for i in range(6 if replayed else 0):
        program(*(a + np.float32(i) for a in finite))
    assert bool(program.programs) == replayed
    found = program(*(a.astype(np.float32) for a in (x, kernel, g)))

    tx, tk, tg = (torch.tensor(a.astype(np.float32)).double() for a in (x, kernel, g))
    tx, tk, tg = (
        tx.permute(0, 3, 1, 2).requires_grad_(),
        tk.permute(3, 2, 0, 1).requires_grad_(),
        tg.permute(0, 3, 1, 2),
    )
    tz = torch.nn.functional.conv2d(tx, tk, padding=padding)
    tz.backward(tg)
    expected = tz.permute(0, 2, 3, 1), tx.grad.permute(0, 2, 3, 1), tk.grad.permute(2, 3, 1, 0)
    for i, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        if where == "kernel" and i == 1:
            continue  # the adjoint is the convolution of g with a frame of zeros, which a NaN of the kernel meets too
        theirs = theirs.detach().numpy()
        np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
        if abs(bad) == np.inf:
            np.testing.assert_array_equal(ours[~np.isfinite(ours)], theirs[~np.isfinite(theirs)])
        usual = np.isfinite(theirs)
        np.testing.assert_allclose(ours[usual], theirs[usual], rtol=1e-3, atol=1e-3)
