"""Every op, and its gradients, replayed: the same numbers to the last bit."""

from __future__ import annotations

import warnings

import numpy as np

import autograd_core as ag
from autograd_core.replay import ReplayWarning, replay

# Their rules look at the data to choose a way; they are noticed, and run eagerly.
CHOOSING = {"det", "cumprod", "cumulative_prod", "prod"}


def test_an_op_and_its_gradients_replay_to_the_last_bit(case):
    def loss(*values):
        total = 0.0
        for z in case.call(*values):
            if hasattr(z, "dtype") and z.dtype.kind == "f":
                total = total + np.sum(z * (np.arange(1, z.size + 1).reshape(z.shape) / 7))
        return total

    slope = ag.value_and_grad(loss, argnums=tuple(range(len(case.values))))

    def both(*values):
        value, gradients = slope(*values)
        return [value, *gradients]

    replayed = replay(both)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ReplayWarning)
        for n in range(5):
            values = [v * (1 + 0.002 * n) for v in case.values]
            for a, b in zip(both(*values), replayed(*values), strict=True):
                assert np.asarray(a).dtype == np.asarray(b).dtype
                np.testing.assert_array_equal(a, b)
    assert [str(w.message) for w in said] == [] or case.name in CHOOSING
    assert replayed.programs or case.name in CHOOSING
