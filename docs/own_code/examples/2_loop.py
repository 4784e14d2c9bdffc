# A loop: two rounds of the square root of 3
from autograd_core import Tensor, explain

x = Tensor(3.0)
guess = x / 2
for _ in range(2):
    guess = (guess + x / guess) / 2
print("1 / (2 √3) is", 0.5 / 3**0.5)

explain(guess)
