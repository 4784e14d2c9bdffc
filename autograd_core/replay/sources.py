"""Random numbers that a replay draws anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import rerun
from .freeze import SETTINGS
from .tape import active


class Source(np.random.Generator):
    """A random generator whose draws are recorded: a replay draws again, in the same order.

    >>> Source(np.random.PCG64(0)).random() == np.random.default_rng(0).random()
    True
    """

    def _draw(self, method: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        draw = getattr(super(), method)
        rerun.will_draw(self)
        recording = active.recording
        if recording is None:
            return draw(*args, **kwargs)
        if rerun.watched():
            recording.graph_break("what checkpoint runs again draws random numbers, and a replay would draw new ones")
        recording.will_draw(self)
        return recording.run(draw, tuple(args), kwargs, has_side_effects=True)

    def random(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("random", args, kwargs)

    def uniform(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("uniform", args, kwargs)

    def normal(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("normal", args, kwargs)

    def standard_normal(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("standard_normal", args, kwargs)

    def integers(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("integers", args, kwargs)

    def binomial(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("binomial", args, kwargs)

    def permutation(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("permutation", args, kwargs)


SETTINGS.add(Source)
