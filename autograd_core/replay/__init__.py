"""A function recorded at its NumPy calls, planned once, and run again: three rooms and a door.

The door is `capture`: when a function is recorded, when its program is trusted (`comparing`), when it simply runs.
Programs that change the same `state` take turns. `recording` notes `calls`, with a stand-in for arrays (`traced`) and
an eye on what is read from `outside`. `planning` works out what is the same for every batch (`folding`), leaves out
what is in vain (`simplifying`), puts chains together (`grouping`), shares the work out to threads (`lanes`, by
`cutting`) and gives each result a place in one arena (`placing`). `running` binds that to memory and runs it (in
`threads`), chains of arithmetic as `compiled` loops where numba is installed, and `showing` lets people see it.

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
    from .capture import Replay, ReplayWarning
    from .recording import Source, refuse
    from .running import Program
    from .traced import Traced

__all__ = ["Program", "Replay", "ReplayError", "ReplayWarning", "Source", "Traced", "decide", "refuse", "replay"]
# Imported with the first that is asked for: who replays nothing waits for nothing.
_ROOMS = {
    "Program": ".running",
    "Replay": ".capture",
    "ReplayWarning": ".capture",
    "Source": ".recording",
    "Traced": ".traced",
    "refuse": ".recording",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_ROOMS[name], __name__), name)


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
        lost in such chains, and the sign of a NaN is anything.
    check : int
        In every so many replays the function runs beside the program, and a difference is an error; 0 for never.
    exact : bool
        Whether to leave out all that may change the last digit: threads and compiled chains.

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
    from .capture import recorded

    return recorded(function, state, numba, int(check), bool(exact))
