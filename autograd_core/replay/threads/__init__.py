"""A program in several threads: a pass that shares its groups out to workers, registered from outside of the core.

`spread` decides which worker runs what, by parts that `cut` makes; `parallel` runs them.
"""

from __future__ import annotations

from ..passes import Extension, Stage, register
from .spread import spread

register(Extension("threads", Stage.PROVED, spread))
