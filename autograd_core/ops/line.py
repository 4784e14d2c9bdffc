"""A straight line between two numbers, of which either may be infinite: medians and interpolation go along it."""

from __future__ import annotations

from typing import Any

import numpy as np


def between(low: Any, high: Any, part: Any) -> Any:
    """What lies a ``part`` of the way, from 0 to 1, from ``low`` to ``high``.

    At an end it is that end, whatever the other one is. Between two infinities of one sign, and between an infinity
    and a number, it is the infinity; between two of both signs NaN.

    >>> low, high = np.array([1.0, np.inf, -np.inf, 5.0]), np.array([2.0, np.inf, 7.0, np.nan])
    >>> between(low, high, np.array([0.5, 0.5, 0.5, 0.0]))
    array([ 1.5,  inf, -inf,  5. ])
    """
    with np.errstate(invalid="ignore", over="ignore"):
        rise = high - low
        straight = np.isfinite(rise)
        # Elsewhere the difference is infinite or no number, but parts of both can be added up.
        weighed = low * (1 - part) + high * part
        elsewhere = np.where(part == 0, low, np.where(part == 1, high, weighed))
        return np.where(straight, low + part * np.where(straight, rise, 0), elsewhere)
