# (x + y) · z, the first graph of every lecture
from autograd_core import Tensor, explain

x = Tensor(-2.0)
y = Tensor(5.0)
z = Tensor(-4.0)
q = x + y
f = q * z

explain(f)
