"""What a person does first, in one run: in a folder of its own, anywhere that Python with NumPy runs."""

from pathlib import Path

import numpy as np

import datasets
import nn
from autograd_core import Tensor, draw, explain, grad, replay
from autograd_core.command import main
from autograd_core.testing import check_gradients

# Gradients, and how they came about.
x, y, z = Tensor(-2.0), Tensor(5.0), Tensor(-4.0)
f = (x + y) * z
f.backward()
assert (x.grad, y.grad, z.grad) == (-4.0, -4.0, 3.0)
assert abs(grad(grad(np.tanh))(0.5) + 0.7268619813835873) < 1e-15
check_gradients(lambda a, b: np.sum(np.tanh(a @ b)), np.eye(3), np.ones((3, 2)))
half = replay(lambda v: v / 2)
assert [float(half(np.array(float(n)))) for n in range(6)] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
assert half.programs

steps = explain(f)
assert "∂f/∂" in steps.to_text()
assert "frac" in steps.to_latex()
steps.save("page.html")  # says where the picture would be that no layout engine is there
draw(f).save("graph.dot")
assert Path("graph.dot").read_text(encoding="utf-8").startswith("digraph")
try:
    draw(f).save("graph.svg")
except ImportError as error:
    if "laying out a drawing needs" not in str(error) and "needs graphviz" not in str(error):
        raise

# Data, a training that is replayed, and a file of it.
for data in (
    datasets.boston_housing,
    datasets.moons,
    datasets.circles,
    datasets.spirals,
    datasets.xor,
    datasets.digits,
):
    (a, b), _ = data.load_data()
    assert len(a) == len(b)
model = nn.Sequential([nn.layers.Flatten(), nn.layers.Dense(32, "relu"), nn.layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(a / 16, b, epochs=2, verbose=2, callbacks=[nn.callbacks.ModelCheckpoint("model.autograd")])
assert model.schedule.replayed == {"gradient": True, "update": True}
again = nn.models.load_model("model.autograd")
assert np.array_equal(again.predict(a, verbose=0), model.predict(a, verbose=0))
model.summary()

for arguments in (
    ["explain", "(x + y) * z", "x=-2", "y=5", "z=-4", "--html", "explained.html"],
    ["demo"],
    ["worksheet", "x * y", "--students", "2", "--out", "sheets"],
    ["playground"],
):
    assert main(arguments) == 0, arguments
print("all of it")
