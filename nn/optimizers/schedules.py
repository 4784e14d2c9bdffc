"""Learning rates that change with the number of steps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import config
from ..checks import number

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


class LearningRateSchedule(config.Configurable):
    """A function from the number of steps so far to a learning rate.

    One of your own defines ``__call__(step)``. TypeError when it does not.

    >>> import nn
    >>> class Linear(nn.optimizers.schedules.LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 / (1 + step)
    >>> print(nn.optimizers.SGD(Linear()).learning_rate)
    0.1
    """

    keras_module = "keras.optimizers.schedules"

    def __call__(self, step: Any) -> Any:
        raise TypeError(f"{type(self).__name__} must define __call__(step)")


class ExponentialDecay(LearningRateSchedule):
    """``initial_learning_rate · decay_rate^(step / decay_steps)``.

    Parameters
    ----------
    initial_learning_rate : float
        That of step 0, from 0 on.
    decay_steps : int
        After how many steps the rate has been multiplied by ``decay_rate`` once; above 0.
    decay_rate : float
        From 0 on.
    staircase : bool
        Whether the exponent is rounded down, so that the rate changes every ``decay_steps`` steps.
    name : str
        For Keras' sake.

    Raises
    ------
    ValueError
        When a rate is below 0, or ``decay_steps`` not above it.

    Examples
    --------
    >>> print(ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)(100))
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        self.initial_learning_rate = number(initial_learning_rate, "initial_learning_rate", 0)
        self.decay_steps = number(decay_steps, "decay_steps", 0, above=True)
        self.decay_rate = number(decay_rate, "decay_rate", 0)
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Any:
        part = np.asarray(step, np.float32) / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (np.floor(part) if self.staircase else part)


class InverseTimeDecay(LearningRateSchedule):
    """``initial_learning_rate / (1 + decay_rate · step / decay_steps)``.

    Parameters
    ----------
    initial_learning_rate : float
        That of step 0, from 0 on.
    decay_steps : int
        What a step is divided by; above 0.
    decay_rate : float
        From 0 on.
    staircase : bool
        Whether the quotient is rounded down, so that the rate changes every ``decay_steps`` steps.
    name : str
        For Keras' sake.

    Raises
    ------
    ValueError
        When a rate is below 0, or ``decay_steps`` not above it.

    Examples
    --------
    >>> print(InverseTimeDecay(0.1, decay_steps=100, decay_rate=1.0)(100))
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        self.initial_learning_rate = number(initial_learning_rate, "initial_learning_rate", 0)
        self.decay_steps = number(decay_steps, "decay_steps", 0, above=True)
        self.decay_rate = number(decay_rate, "decay_rate", 0)
        self.staircase, self.name = staircase, name

    def __call__(self, step: Any) -> Any:
        part = np.asarray(step, np.float64) / self.decay_steps
        return self.initial_learning_rate / (1 + self.decay_rate * (np.floor(part) if self.staircase else part))


class PolynomialDecay(LearningRateSchedule):
    """From the initial rate to the end one along ``(1 - step / decay_steps)^power``.

    Parameters
    ----------
    initial_learning_rate : float
        That of step 0, from 0 on.
    decay_steps : int
        How many steps it takes; above 0.
    end_learning_rate : float
        That of all later steps, from 0 on.
    power : float
        1 is a straight line; above 0.
    cycle : bool
        Whether it begins again after its end, each time for as many steps more: back to the curve of 2, 3, …
        times ``decay_steps``.
    name : str
        For Keras' sake.

    Raises
    ------
    ValueError
        When a rate is below 0, or ``decay_steps`` or ``power`` not above it.

    Examples
    --------
    >>> print(PolynomialDecay(0.5, decay_steps=100, end_learning_rate=0.1)(50).round(6))
    0.3
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        self.initial_learning_rate = number(initial_learning_rate, "initial_learning_rate", 0)
        self.decay_steps = number(decay_steps, "decay_steps", 0, above=True)
        self.end_learning_rate = number(end_learning_rate, "end_learning_rate", 0)
        self.power, self.cycle, self.name = number(power, "power", 0, above=True), cycle, name

    def __call__(self, step: Any) -> Any:
        done = np.asarray(step, np.float64) / self.decay_steps
        part = done / np.maximum(np.ceil(done), 1) if self.cycle else np.minimum(done, 1)
        end = self.end_learning_rate
        return (self.initial_learning_rate - end) * (1 - part) ** self.power + end


class PiecewiseConstantDecay(LearningRateSchedule):
    """``values[i]`` up to and including the step ``boundaries[i]``, and the last value after them all.

    Parameters
    ----------
    boundaries : sequence of float
        Numbers of steps from 0 on, each larger than the one before.
    values : sequence of float
        Learning rates from 0 on, one more than boundaries.
    name : str
        For Keras' sake.

    Raises
    ------
    ValueError
        Unless the boundaries grow and there is one value more than boundaries, each from 0 on.

    Examples
    --------
    >>> rate = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
    >>> print(rate(100), rate(101), rate(1000))
    0.1 0.01 0.001
    """

    def __init__(self, boundaries: Any, values: Any, name: str = "PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(f"values: expected {len(boundaries) + 1}, one more than boundaries, got {len(values)}")
        self.boundaries = [number(b, "a boundary", 0) for b in boundaries]
        self.values = [number(v, "a learning rate", 0) for v in values]
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError(f"boundaries: expected steps in order, each once, got {list(self.boundaries)}")
        self.name = name

    def __call__(self, step: Any) -> Any:
        return np.asarray(self.values, float)[np.searchsorted(self.boundaries, step, side="left")]


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial rate down to ``alpha`` times it; after a linear warm-up, if one is asked for.

    Parameters
    ----------
    initial_learning_rate : float
        That of step 0, from 0 on.
    decay_steps : int
        How many steps the cosine takes; above 0.
    alpha : float
        What is left of the rate at the end, as a share from 0 to 1.
    name : str
        For Keras' sake.
    warmup_target : float, optional
        The rate to climb to from the initial one before it falls, from 0 on. None: no warm-up.
    warmup_steps : int
        How many steps the climb takes, from 0 on.

    Raises
    ------
    ValueError
        When a rate or ``warmup_steps`` is below 0, ``decay_steps`` not above it, or ``alpha`` outside 0 … 1.

    References
    ----------
    I. Loshchilov, F. Hutter: SGDR: stochastic gradient descent with warm restarts. ICLR 2017.

    Examples
    --------
    >>> print(CosineDecay(0.1, decay_steps=100)(50).round(6))
    0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        self.initial_learning_rate = number(initial_learning_rate, "initial_learning_rate", 0)
        self.decay_steps = number(decay_steps, "decay_steps", 0, above=True)
        self.alpha, self.name = number(alpha, "alpha", 0, 1), name
        self.warmup_target = None if warmup_target is None else number(warmup_target, "warmup_target", 0)
        self.warmup_steps = number(warmup_steps, "warmup_steps", 0)

    def __call__(self, step: Any) -> Any:
        start, top, warm = self.initial_learning_rate, self.warmup_target, self.warmup_steps
        if top is None:
            top, warm = start, 0
        step = np.asarray(step, np.float64)
        climbing = start + (top - start) * step / max(warm, 1)
        part = np.minimum(step - warm, self.decay_steps) / self.decay_steps
        falling = top * ((1 - self.alpha) * 0.5 * (1 + np.cos(math.pi * part)) + self.alpha)
        return np.where(step < warm, climbing, falling)[()]


class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine from the initial rate down to ``alpha`` times it, again and again.

    Parameters
    ----------
    initial_learning_rate : float
        That of step 0, from 0 on.
    first_decay_steps : int
        How many steps the first cosine takes; above 0.
    t_mul : float
        How many times as long as the last one each further cosine takes; from 1 on.
    m_mul : float
        How many times as high it begins; from 0 on.
    alpha : float
        What is left of the rate at the end of each, as a share from 0 to 1.
    name : str
        For Keras' sake.

    Raises
    ------
    ValueError
        When a rate or ``m_mul`` is below 0, ``first_decay_steps`` not above it, ``t_mul`` below 1, or ``alpha``
        outside 0 … 1.

    References
    ----------
    I. Loshchilov, F. Hutter: SGDR: stochastic gradient descent with warm restarts. ICLR 2017.

    Examples
    --------
    >>> rate = CosineDecayRestarts(0.1, first_decay_steps=100)
    >>> print(rate(50).round(6), rate(100), rate(200).round(6))
    0.05 0.1 0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        self.initial_learning_rate = number(initial_learning_rate, "initial_learning_rate", 0)
        self.first_decay_steps = number(first_decay_steps, "first_decay_steps", 0, above=True)
        self.t_mul, self.m_mul = number(t_mul, "t_mul", 1), number(m_mul, "m_mul", 0)
        self.alpha, self.name = number(alpha, "alpha", 0, 1), name

    def __call__(self, step: Any) -> Any:
        # In lengths of the first cosine: how far it is, and when the present one began, which is t_mul^restarts long.
        done = np.asarray(step, np.float64) / self.first_decay_steps
        begun = restarts = np.floor(done) if self.t_mul == 1 else np.zeros_like(done)
        while np.any(over := done >= begun + self.t_mul**restarts):
            begun, restarts = begun + over * self.t_mul**restarts, restarts + over
        cosine = 0.5 * self.m_mul**restarts * (1 + np.cos(math.pi * (done - begun) / self.t_mul**restarts))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)


registry = config.registry("learning rate schedule").add(
    ExponentialDecay, InverseTimeDecay, PolynomialDecay, PiecewiseConstantDecay, CosineDecay, CosineDecayRestarts
)
serialize, deserialize = registry.functions(
    __name__, "CosineDecay(0.1, 100)", "decay_steps == 100", serialize="learning_rate_schedule"
)[1:]
