"""Write the files in this folder anew, with torch, onnx and onnxscript installed: ``python make.py``.

They are what PyTorch's two exporters write for small networks with random weights, in several operator sets, each
beside an ``.npz`` file with an input, PyTorch's output, and PyTorch's gradients of the sum of its squares with respect
to the input, if that is no index, and to the parameters, by their names.
"""

import math
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent


class Block(nn.Module):
    """Attention and a perceptron, each beside the way past it, and a learned number."""

    def __init__(self, width=8, heads=2):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.alpha = nn.Parameter(torch.tensor(0.7))

    def forward(self, x):
        y = self.n1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        return x + self.alpha * self.down(nn.functional.gelu(self.up(self.n2(x))))


class Words(nn.Module):
    """A transformer of one layer that sees only what came before, written out."""

    def __init__(self, words=20, places=12, width=8, heads=2):
        super().__init__()
        self.heads = heads
        self.tok, self.pos = nn.Embedding(words, width), nn.Embedding(places, width)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)

    def mixed(self, q, k, v):
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(q.shape[-1])
        n = q.shape[-2]
        later = torch.triu(torch.ones(n, n, dtype=torch.bool), 1)
        return scores.masked_fill(later, float("-inf")).softmax(-1) @ v

    def forward(self, i):
        batch, n = i.shape
        x = self.tok(i) + self.pos(torch.arange(n))
        q, k, v = self.qkv(self.norm(x)).split(x.shape[-1], -1)
        q, k, v = (t.view(batch, n, self.heads, -1).transpose(1, 2) for t in (q, k, v))
        x = x + self.proj(self.mixed(q, k, v).transpose(1, 2).reshape(batch, n, -1))
        return self.head(x)


class Fused(Words):
    """The same with PyTorch's own attention, an operator of its own in the newest files."""

    def mixed(self, q, k, v):
        return nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)


def perceptron():
    return nn.Sequential(
        nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3), nn.LogSoftmax(-1)
    )


def convolutions():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(3, 2, 1, ceil_mode=True),
        nn.Conv2d(4, 8, 3, padding=2, dilation=2, groups=2, bias=False), nn.GroupNorm(2, 8), nn.SiLU(),
        nn.AvgPool2d(2, count_include_pad=False, padding=1), nn.ConvTranspose2d(8, 4, 3, 2, 1, output_padding=1),
        nn.PReLU(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5), nn.Hardswish(),
    )  # fmt: skip


# The name, the network, an input, the axes that vary, the operator set, and whether the newer exporter writes it.
FILES = (
    ("perceptron_11", perceptron, (3, 4), {0: "batch"}, 11, False),
    ("perceptron_18", perceptron, (3, 4), {0: "batch"}, 18, True),
    ("convolutions_13", convolutions, (2, 2, 9, 8), {0: "batch"}, 13, False),
    ("convolutions_20", convolutions, (2, 2, 9, 8), {0: "batch"}, 20, True),
    ("block_17", Block, (2, 5, 8), {0: "batch"}, 17, False),
    ("block_18", Block, (2, 5, 8), {0: "batch", 1: "time"}, 18, True),
    ("words_14", Words, (2, 7), {0: "batch", 1: "time"}, 14, False),
    ("words_20", Words, (2, 7), {0: "batch", 1: "time"}, 20, True),
    ("words_23", Fused, (2, 7), {0: "batch", 1: "time"}, 23, True),
)


def write(name, network, shape, varying, opset, newer):
    torch.manual_seed(0)
    model = network().eval()
    with torch.no_grad():
        for weight in (*model.parameters(), *model.buffers()):
            if weight.is_floating_point():
                weight += 0.2 * torch.rand_like(weight)  # no two alike: what is equal is written once
    whole = len(shape) == 2 and shape[1] == 7
    x = torch.randint(0, 20, shape) if whole else torch.randn(shape, requires_grad=True)
    y = model(x)
    (y**2).sum().backward()
    found = {"x": x, "y": y, **{f"gradient of {n}": p.grad for n, p in model.named_parameters()}}
    found |= {} if whole else {"gradient of x": x.grad}
    np.savez_compressed(HERE / f"{name}.npz", **{n: t.detach().numpy() for n, t in found.items()})
    limits = {"batch": {"min": 1}, "time": {"min": 2, "max": 12}}
    path = str(HERE / f"{name}.onnx")
    if newer:
        dims = {axis: torch.export.Dim(n, **limits[n]) for axis, n in varying.items()}
        torch.onnx.export(
            model, (x.detach(),), path, input_names=["x"], output_names=["y"], dynamic_shapes=(dims,),
            opset_version=opset, dynamo=True, external_data=False, verbose=False,
        )  # fmt: skip
        forget(path)
    else:
        torch.onnx.export(
            model, (x.detach(),), path, input_names=["x"], output_names=["y"],
            dynamic_axes={"x": varying, "y": varying if len(y.shape) == len(shape) else {0: "batch"}},
            opset_version=opset, dynamo=False,
        )  # fmt: skip


def forget(path):
    """Leave out where in whose source each node was written, which is longer than the network."""
    import onnx

    model = onnx.load(path)
    for node in model.graph.node:
        kept = [p for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    for thing in (model, model.graph, *model.graph.value_info, *model.graph.input, *model.graph.output):
        del thing.metadata_props[:]
    onnx.save(model, path)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for entry in FILES:
            write(*entry)
