"""Backward passes written by hand: the pairs with a cache of lectures, and scripts line by line."""

import numpy as np
import pytest

from autograd_core.testing import GradientError, check_layer, check_script

rng = np.random.default_rng(0)
X, W, B = rng.normal(size=(4, 3)), rng.normal(size=(3, 5)), rng.normal(size=5)
LABELS = np.array([0, 2, 1, 2])


def error_of(check, *args, **inputs):
    with pytest.raises(GradientError) as raised:
        check(*args, **inputs)
    return raised.value


# -- layers ------------------------------------------------------------------------------------------------


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def batchnorm_forward(x, gamma, beta, settings):
    mean, var = x.mean(axis=0), x.var(axis=0)
    xhat = (x - mean) / np.sqrt(var + settings["eps"])
    return gamma * xhat + beta, (xhat, gamma, var, settings["eps"])


def batchnorm_backward(dout, cache):
    xhat, gamma, var, eps = cache
    dxhat = dout * gamma
    dx = (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=0)) / np.sqrt(var + eps)
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def softmax_forward(scores, y):
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(y)), y])), (p, y)


def softmax_backward(dout, cache):
    p, y = cache
    d = p.copy()
    d[np.arange(len(y)), y] -= 1
    return dout * d / len(y), None


LAYERS = {
    "affine": (affine_forward, affine_backward, (X, W, B)),
    "affine of images": (affine_forward, affine_backward, (X.reshape(2, 2, 3), rng.normal(size=(6, 5)), B)),
    "batch normalization": (batchnorm_forward, batchnorm_backward, (X, np.ones(3) * 2, np.zeros(3), {"eps": 1e-5})),
    "softmax loss": (softmax_forward, softmax_backward, (X, LABELS)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_right_layer_passes(name):
    forward, backward, args = LAYERS[name]
    assert check_layer(forward, backward, *args).verdict == "pass"


MISTAKES = {
    "affine: the bias gradient sums the input": (
        "affine", lambda dout, c: (dout @ c[1].T, c[0].T @ dout, c[0].sum(axis=0)[[0, 1, 2, 0, 1]]), "b"),
    "affine: the weights' gradient transposed": (
        "affine", lambda dout, c: (dout @ c[1].T, (dout.T @ c[0]), dout.sum(axis=0)), ""),
    "affine: a mean for the bias": (
        "affine", lambda dout, c: (dout @ c[1].T, c[0].T @ dout, dout.mean(axis=0)), "b"),
    "affine: the bias not summed": (
        "affine", lambda dout, c: (dout @ c[1].T, c[0].T @ dout, dout), ""),
    "batch normalization: through the mean": (
        "batch normalization",
        lambda dout, c: (dout * c[1] / np.sqrt(c[2] + c[3]), (dout * c[0]).sum(axis=0), dout.sum(axis=0)), "x"),
    "batch normalization: gamma left out": (
        "batch normalization",
        lambda dout, c: (batchnorm_backward(dout / c[1], c)[0], (dout * c[0]).sum(0), dout.sum(0)), "x"),
    "batch normalization: gamma and beta exchanged": (
        "batch normalization",
        lambda dout, c: (lambda dx, dg, db: (dx, db, dg))(*batchnorm_backward(dout, c)), "gamma"),
    "softmax loss: not divided by N": (
        "softmax loss", lambda dout, c: (4 * softmax_backward(dout, c)[0], None), "scores"),
    "softmax loss: the label's 1 added": (
        "softmax loss", lambda dout, c: (dout * (c[0] + np.eye(3)[c[1]]) / 4, None), "scores"),
    "softmax loss: dout forgotten": (
        "softmax loss", lambda dout, c: (softmax_backward(1.0, c)[0], None), "scores"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_layer_is_found_and_its_argument_named(mistake):
    layer, backward, argument = MISTAKES[mistake]
    forward, _, args = LAYERS[layer]
    error = error_of(check_layer, forward, backward, *args)
    assert error.argument == argument
    assert f"the gradient of {forward.__name__} is wrong" in str(error)
    assert "check_layer(" in str(error)
    if argument:
        wrong = [v.gradient for v in error.verdicts if v.right is False]
        assert f"d{argument}" in wrong


def test_a_verdict_for_every_argument():
    error = error_of(check_layer, affine_forward, lambda d, c: (d @ c[1].T, 2 * c[0].T @ d, d.sum(axis=0)), X, W, B)
    assert [(v.gradient, v.right) for v in error.verdicts] == [("dx", True), ("dw", False), ("db", True)]
    assert error.verdicts[1].looks_like == "twice the right one"


def test_gradients_by_name():
    def backward(dout, cache):
        dx, dw, db = affine_backward(dout, cache)
        return {"db": db, "dw": dw, "dx": dx}

    assert check_layer(affine_forward, backward, X, W, B).verdict == "pass"


def test_a_forward_without_a_cache_is_told():
    with pytest.raises(TypeError, match=r"the result of <lambda>: expected \(out, cache\), got ndarray"):
        check_layer(lambda x: x, affine_backward, X)


# -- scripts -----------------------------------------------------------------------------------------------


def forward(x, W1, b1, W2, b2, y):
    z1 = x @ W1 + b1
    a1 = np.tanh(z1)
    z2 = a1 @ W2 + b2
    e = np.exp(z2)
    p = e / np.sum(e, axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(4), y]))


INPUTS = {"x": X, "W1": W, "b1": B, "W2": rng.normal(size=(5, 3)), "b2": rng.normal(size=3), "y": LABELS}

BACKWARD = """
dz2 = p.copy()
dz2[np.arange(4), y] -= 1
dz2 /= 4
dW2 = a1.T @ dz2
db2 = dz2.sum(axis=0)
da1 = dz2 @ W2.T
dz1 = da1 * (1 - a1**2)
dW1 = x.T @ dz1
db1 = dz1.sum(axis=0)
dx = dz1 @ W1.T
"""


def test_a_right_script_passes_and_tells_each_line():
    report = check_script(forward, BACKWARD, **INPUTS)
    assert report.verdict == "pass"
    assert [line.name for line in report.lines] == ["dz2", "dW2", "db2", "da1", "dz1", "dW1", "db1", "dx"]
    assert report.lines[0].number == 4  # the last line that changed it


SLIPS = {
    "dz2 /= 4": ("dz2 = dz2", "dz2", "4 times the right one: a division by it, as in a mean, is missing"),
    "-= 1": ("+= 1", "dz2", ""),
    "a1.T @ dz2": ("z1.T @ dz2", "dW2", "it is z1.T @ dz2; right is a1.T @ dz2"),
    "dz2.sum(axis=0)": ("dz2.mean(axis=0)", "db2", "1/4 of the right one: it was divided by it once too often"),
    "dz2 @ W2.T": ("-dz2 @ W2.T", "da1", "the sign is wrong"),
    "(1 - a1**2)": ("(1 - z1**2)", "dz1", "it is da1 * (1 - z1²); right is da1 * (1 - a1²)"),
    "da1 * (1": ("a1 * (1", "dz1", ""),
    "x.T @ dz1": ("x.T @ da1", "dW1", "it is x.T @ da1; right is x.T @ dz1"),
    "dz1.sum(axis=0)": ("da1.sum(axis=0)", "db1", "it is da1 summed over axis 0; right is dz1 summed over axis 0"),
    "dz1 @ W1.T": ("dz1 @ W1.T * 2", "dx", "twice the right one"),
}


@pytest.mark.parametrize("line", SLIPS)
def test_the_first_wrong_line_is_marked(line):
    instead, name, said = SLIPS[line]
    error = error_of(check_script, forward, BACKWARD.replace(line, instead), **INPUTS)
    assert error.gradient == name
    marked = [text for text in str(error).splitlines() if text.startswith("  ✗")]
    assert len(marked) == 1
    assert f"{name} wrong" in marked[0]
    assert said in str(error)
    first = next(one for one in error.lines if not one.right)
    assert first.name == name


def test_functions_are_followed_as_scripts_are():
    def backward(x, W2, a1, p, y):
        dz2 = p - np.eye(3)[y]
        dz2 = dz2 / len(x)
        da1 = dz2 @ W2.T
        db1 = da1.sum(axis=0)
        assert db1.shape == (5,)

    error = error_of(check_script, forward, backward, **INPUTS)
    assert str(error).startswith("the backward pass goes wrong at line 5: db1 = da1.sum(axis=0)")


def test_what_is_missing_is_said():
    with pytest.raises(ValueError, match=r"variables of the forward pass, x, W1.* got q; give"):
        check_script(forward, lambda q: q, **INPUTS)
    with pytest.raises(ValueError, match="the loss: expected one number"):
        check_script("z = x * 2", "dz = 1.0", x=X)
    with pytest.raises(ValueError, match="expected some named like gradients"):
        check_script(forward, "delta = 1.0", **INPUTS)


def test_a_gradient_of_another_shape():
    error = error_of(check_script, "loss = np.sum(x @ w)", "dw = np.ones((4, 5))", x=X, w=W)
    assert "it has shape [4, 5], and w has shape [3, 5]" in str(error)


def test_labels_and_integers_are_passed_along_and_the_inputs_stay():
    before = {name: np.copy(value) for name, value in INPUTS.items()}
    check_script(forward, BACKWARD, **INPUTS)
    assert all(np.array_equal(INPUTS[name], value) for name, value in before.items())
