"""What a distribution of SciPy's has beside densities: ``rvs``, ``mean``, ``interval``, … as they are, for arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...optional import needed


def theirs(distribution: str) -> Callable[[str], Any]:
    """A module's ``__getattr__``: looks a name up in SciPy's distribution, which is imported for it."""

    def look_up(name: str) -> Any:
        known = getattr(needed("scipy.stats", "autograd_core.scipy", "scipy"), distribution)
        if name.startswith("_") or not callable(getattr(known, name, None)):
            raise AttributeError(f"autograd_core.scipy.stats.{distribution} has no function {name!r}, nor has SciPy's")
        return getattr(known, name)

    return look_up
