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

from ..arrays import decide
from ..errors import ReplayError
from .capture import Replay, ReplayWarning, replay
from .recording import Source, refuse
from .running import Program
from .traced import Traced

__all__ = ["Program", "Replay", "ReplayError", "ReplayWarning", "Source", "Traced", "decide", "refuse", "replay"]
