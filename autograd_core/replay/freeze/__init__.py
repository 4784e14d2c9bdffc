"""What decides a computation, as a key to compare; and whether all of it is known, so that a program may stand for it.

`freeze` walks settings and knows a closed set: numbers, text, dtypes, tuples and dictionaries of these, weights, and
the functions and exact classes in `OURS`, which is written when a package has been imported. Anything else is foreign.
Nothing is searched: settings are values, so whatever changes one goes through an assignment, which `touch` counts.
"""

from .ours import OURS, SETTINGS, Watched, is_ours, own, own_engine, pure
from .settings import PROMISED, Settings, assigned, promised, refuse_assignment, settled, touch, version
from .walk import Frozen, Identity, freeze

__all__ = [
    "OURS",
    "PROMISED",
    "SETTINGS",
    "Frozen",
    "Identity",
    "Settings",
    "Watched",
    "assigned",
    "freeze",
    "is_ours",
    "own",
    "own_engine",
    "promised",
    "pure",
    "refuse_assignment",
    "settled",
    "touch",
    "version",
]
