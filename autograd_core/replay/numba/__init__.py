"""Chains of arithmetic as compiled loops: a pass that uses numba where it is installed, registered from outside.

The name is that of the library, as it is in `replay(numba=…)`; inside of this package ``import numba`` is the library.
"""

from __future__ import annotations

from ..passes import Extension, Stage, register
from . import loops, whole

register(
    Extension("numba", Stage.HOT, lambda schedule: loops.with_loops(schedule, whole.in_one), lambda: loops.available())
)
