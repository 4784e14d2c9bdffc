"""Sums over the processes of a parallel computation."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..op import Op


def _all_reduce(x: Any, communicator: Any = None) -> Any:
    """The sum of ``x`` over the processes of a communicator of mpi4py's, the same in all of them.

    Takes any shape, which must be equal in all processes, and gives it. Without a communicator there is one process,
    whose sum is ``x`` itself.

    Each process computes a part of the loss, and what is differentiated is the sum of the parts. So the gradients
    that arrive at the result are summed over the processes in their turn.

    >>> from autograd_core.ops.processes import all_reduce
    >>> print(all_reduce(np.array([1.0, 2.0])))
    [1. 2.]
    """
    part = np.asarray(x, np.result_type(x, np.float32), order="C")  # MPI knows no numbers of 16 bits
    if communicator is None:
        whole = part.copy()
    else:
        whole = np.empty_like(part)
        communicator.Allreduce(part, whole)
    return whole.astype(np.result_type(x), copy=False)[()]


# Made without registering it: what it computes depends on other processes, which the tests that loop over all ops
# cannot make up.
_all_reduce.__name__ = "all_reduce"
all_reduce = Op(_all_reduce, r"\textstyle\sum_r x_r")


@all_reduce.vjp("1")
def _(g: Any, z: Any, x: Any, communicator: Any = None) -> Any:
    return all_reduce(g, communicator=communicator)
