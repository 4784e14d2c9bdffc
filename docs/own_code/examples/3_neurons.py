# Two layers of neurons, in matrices, and one step of descent
import numpy as np

from autograd_core import Tensor, explain

x = np.array([0.5, -1.0, 2.0])
target = np.array([1.0, 0.0])
W1 = Tensor([[0.2, -0.4, 0.1], [0.7, 0.3, -0.2]])
W2 = Tensor([[0.5, -0.6], [-0.1, 0.8]])

hidden = np.tanh(W1 @ x)
loss = np.sum((W2 @ hidden - target) ** 2)

loss.backward()
print("W2 - 0.1 · gradient =", W2.data - 0.1 * W2.grad, sep="\n")

explain(loss)
