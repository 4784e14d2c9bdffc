# A mistake, and what the library says of it
import numpy as np

from autograd_core import Tensor, explain

x = Tensor([1.0, 2.0, 3.0])
x[0] = 5.0  # loses a gradient?

explain(np.sum(x**2))
