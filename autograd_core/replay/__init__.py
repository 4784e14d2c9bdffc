"""A function recorded at its NumPy calls, planned once, and run again: three rooms and this door.

>>> f = replay(lambda x: np.tanh(x) * 2)
>>> [float(f(np.array([1.0 * i]))[0]) for i in range(5)] == [2 * np.tanh(1.0 * i) for i in range(5)]
True
"""

from .capture import Replay, ReplayWarning, replay
from .recording import Source, Traced, decide
from .running import Program

__all__ = ["Program", "Replay", "ReplayWarning", "Source", "Traced", "decide", "replay"]
