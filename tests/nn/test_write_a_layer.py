"""The page "Write a layer" runs, and its attention block computes what PyTorch and Keras compute."""

import re
from pathlib import Path

import numpy as np
import pytest

from autograd_core import Tensor

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "write_a_layer.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def run(blocks):
    namespace = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), namespace)
    return namespace


def test_the_page_runs(capsys):
    assert len(BLOCKS) == 4
    run(BLOCKS)
    trained, drawn, verdict, saved = capsys.readouterr().out.splitlines()
    first, last = map(float, re.findall(r"\d+\.\d+", trained))
    assert last < first / 4
    assert "attention" in drawn
    assert verdict == "pass"
    assert saved == "True"


@pytest.fixture
def attention():
    """The page's layer with two heads, what goes in, what comes out of it and back, and its weights."""
    layer = run(BLOCKS[:1])["Attention"](heads=2)
    rng = np.random.default_rng(0)
    x = Tensor(rng.normal(size=(3, 5, 8)).astype("float32"))
    y = layer(x)
    g = rng.normal(size=y.shape).astype("float32")
    y.backward(g)
    assert y.dtype == np.float32
    return x, y, g, layer


def test_pytorch_attends_alike(attention, judge):
    torch = judge("torch")
    x, y, g, layer = attention
    tx, kernel, out = (torch.tensor(t.numpy(), requires_grad=True) for t in (x, layer.kernel, layer.out))
    q, k, v = ((tx @ part).unflatten(-1, (2, 4)).transpose(1, 2) for part in kernel.split(8, dim=1))
    mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    ty = mixed.transpose(1, 2).flatten(2) @ out
    ty.backward(torch.tensor(g))
    np.testing.assert_allclose(y.numpy(), ty.detach().numpy(), rtol=1e-5, atol=1e-6)
    for mine, theirs in ((x, tx), (layer.kernel, kernel), (layer.out, out)):
        np.testing.assert_allclose(mine.grad, theirs.grad.numpy(), rtol=1e-4, atol=1e-5)


def test_keras_attends_alike(attention, judge):
    keras = judge("keras")
    x, y, _, layer = attention
    theirs = keras.layers.MultiHeadAttention(2, 4, use_bias=False)
    theirs.build((3, 5, 8), (3, 5, 8))
    kernel, out = layer.get_weights()
    theirs.set_weights([*(part.reshape(8, 2, 4) for part in np.split(kernel, 3, axis=1)), out.reshape(2, 4, 8)])
    np.testing.assert_allclose(y.numpy(), np.asarray(theirs(x.numpy(), x.numpy())), rtol=1e-4, atol=1e-5)
