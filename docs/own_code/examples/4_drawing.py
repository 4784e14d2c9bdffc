# A drawing: where gradients vanish, in a chain of sigmoid layers
import numpy as np

import nn
from autograd_core import draw

nn.utils.set_random_seed(0)
model = nn.Sequential([nn.Input((4,))])
for i in (1, 2, 3):
    model.add(nn.layers.Dense(4, "sigmoid", name=f"hidden {i}"))
model.add(nn.layers.Dense(1, name="last"))
loss = np.mean(model(np.eye(4)) ** 2)

draw(loss, depth=0, direction="TB")
