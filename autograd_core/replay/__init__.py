"""A function recorded at its NumPy calls, planned once, and run again.

======================  ======================================================================================
`ir`, `effects`         what all rooms share: buffers, views, instructions, guards, a schedule; what a call may do
`traced`, `tape`        recording: a stand-in for arrays is passed through the function, and its calls are noted
`sources`               random numbers that a replay draws anew
`passes`                from what was recorded to what is run: schedule to schedule, under one driver
`memory`                the last of them: what lies where in one arena, and what a failing run must put back
`forms`, `execute`      a schedule bound to memory, and run
`blas`                  how many threads matrix products use
`verify`                whether two recordings agree, and whether a program does what the function does
`state`, `arguments`    what a function may change, and what it is given
`checks`                whether what was recorded still stands for the function
`cache`                 how far a function has come to a program, for each combination of shapes
`freeze`                what decides a computation, as a key, and whether all of it is known
`show`, `page`          a schedule for people
`threads`, `numba`      passes that are registered from outside: workers, and compiled loops
======================  ======================================================================================

>>> f = replay(lambda x: np.tanh(x) * 2)
>>> [float(f(np.array([1.0 * i]))[0]) for i in range(5)] == [2 * np.tanh(1.0 * i) for i in range(5)]
True
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..arrays import decide
from ..errors import ReplayError

if TYPE_CHECKING:
    from .cache import Replay, ReplayWarning
    from .execute import Program
    from .sources import Source
    from .tape import refuse
    from .traced import Traced

__all__ = ["Program", "Replay", "ReplayError", "ReplayWarning", "Source", "Traced", "decide", "refuse", "replay"]
# Imported with the first that is asked for: who replays nothing waits for nothing.
_ROOMS = {
    "Program": ".execute",
    "Replay": ".cache",
    "ReplayWarning": ".cache",
    "Source": ".sources",
    "Traced": ".traced",
    "refuse": ".tape",
}
# What registers passes of its own; the core does without.
_EXTENSIONS = ".threads", ".numba"


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "Replay":
        _extend()
    return getattr(importlib.import_module(_ROOMS[name], __name__), name)


def _extend() -> None:
    """Let the passes from outside of the core register themselves."""
    for extension in _EXTENSIONS:
        importlib.import_module(extension, __name__)


def replay(
    function: Callable[..., Any],
    *,
    state: Sequence[Any] = (),
    numba: bool | str = "auto",
    check: int = 0,
    exact: bool = False,
) -> Any:
    """``function``, recorded at its NumPy calls and replayed for arguments of the same shapes and dtypes.

    This is a promise, as with ``jax.jit``: live are the arguments and the declared state, and everything else is that
    of the recording: variables, attributes, what containers and files hold, what time it is. A question about a
    value, such as ``if x > 0``, is an error; one about a type, such as ``isinstance``, is answered. The first call
    with new shapes runs as it is, the second and third are recorded, and in the fourth a replay is compared with the
    function. What the function does beside computing, such as printing, happens in these only.

    Parameters
    ----------
    function : callable
        Takes and returns numbers, arrays, and lists, tuples and dicts of them.
    state : sequence of Tensor
        Those that the function changes.
    numba : bool or "auto"
        Whether long chains of arithmetic are compiled, where numba is installed (the extra ``fast``): at once, never,
        or once a program has run for 5 seconds. Results have the same bits, but NumPy's warnings of overflows are
        lost in such chains, and the sign of a NaN is anything. A program of small arrays is compiled as a whole, and
        the last digits of its products may differ.
    check : int
        In every so many replays the function runs beside the program, and a difference is an error; 0 for never.
    exact : bool
        Whether to leave out all that may change the last digit: threads, and what is compiled.

    Returns
    -------
    Replay
        It takes what the function takes and gives what it gives.

    Raises
    ------
    ReplayError
        In a call that asks for a value or that does otherwise than the one before; where a check finds a difference;
        and in the call after one in which the comparison did. State, arguments and random generators are then as
        they were.
    TypeError
        For a state that is no list of Tensors.
    ValueError
        For another ``numba``, or a negative ``check``.

    Examples
    --------
    >>> import autograd_core as ag
    >>> slope = replay(ag.grad(lambda x: np.sum(np.sin(x))))
    >>> for n in range(5):
    ...     g = slope(np.array([0.0, n]))
    >>> print(np.allclose(g, np.cos([0.0, 4.0])), len(slope.programs))
    True 1
    """
    if not isinstance(numba, bool | np.bool_) and not (isinstance(numba, str) and numba == "auto"):
        raise ValueError(f'numba: expected True, False or "auto", got {numba!r}')
    if isinstance(check, bool) or not isinstance(check, int | np.integer) or check < 0:
        raise ValueError(f"check: expected how many replays lie between two checks, 0 for none, got {check!r}")
    _extend()
    from .cache import recorded

    return recorded(function, state, numba, int(check), bool(exact))
