"""What all optimizers share: their state, their learning rate, clipping and weight decay."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd_core.arrays import to_numpy
from autograd_core.replay import freeze, refuse
from autograd_core.tensor import Tensor

from .. import config
from ..checks import number, optional, whole
from ..names import unique_name
from ..tensors import assign
from .change import change, checked, clipped
from .memory import ACCUMULATED, AVERAGE, Memory, State, overwrite
from .rate import Iterations, LearningRate, Rate

_ONE = np.array(1)  # added to a number without axes in a third of the time of Python's 1

_builds = itertools.count(1)


class Optimizer(config.Configurable):
    """Changes variables by their gradients.

    An optimizer of your own defines `update`, one pure function from a parameter, its gradient and its state to the
    next parameter and state. ``slots`` names the arrays in the state and what they begin with.

    Parameters
    ----------
    learning_rate : float or callable
        A finite number from 0 on, a `schedules.LearningRateSchedule`, or another function: of nothing, as in
        Keras, or, if it cannot be called so, of the number of steps so far.
    weight_decay : float, optional
        ``learning_rate · weight_decay`` times each parameter is taken off it before the step; from 0 on. None:
        nothing.
    clipnorm : float, optional
        The largest norm of the gradient of each variable, above 0; a longer one is scaled down.
    clipvalue : float, optional
        The largest size of each number in a gradient, above 0.
    global_clipnorm : float, optional
        The largest norm of all gradients together, above 0.
    use_ema : bool
        Whether a moving average of each variable is kept; `finalize_variable_values`, which `fit` ends with, gives the
        variables their averages.
    ema_momentum : float
        How much of the average is left after a step, from 0 to 1.
    ema_overwrite_frequency : int, optional
        After how many steps the variables get their averages, again and again; None: not before the end.
    gradient_accumulation_steps : int, optional
        How many gradients, 2 or more, make one update, by their mean. None: each one does. A schedule counts
        gradients, everything else updates.
    name : str, optional
        By default that of the class, with a number from the second one on.
    **unknown
        Nothing: each is an error that names the nearest argument.

    Raises
    ------
    ValueError
        For a rate or a ``weight_decay`` below 0, a bound for clipping that is not above 0, and two of these, an
        ``ema_momentum`` outside 0 … 1, counts of steps that are none; in `apply`, for gradients in other shapes than
        their variables.
    TypeError
        For an unknown argument; in `apply`, for a variable that is no Tensor, and for complex numbers.

    Examples
    --------
    >>> import nn
    >>> class SignDescent(nn.optimizers.Optimizer):
    ...     def update(self, parameter, gradient, state, learning_rate, step):
    ...         return parameter - learning_rate * np.sign(gradient), state
    >>> w = Tensor(np.array([1.0, 2.0], "float32"))
    >>> SignDescent(learning_rate=0.5).apply([np.array([3.0, -0.1])], [w])
    >>> w.data
    array([0.5, 2.5], dtype=float32)
    """

    keras_module = "keras.optimizers"

    # The arrays that a step changes, and what gives the rate, which a step is told.
    untracked = frozenset({"_memory", "_step", "_rate", "learning_rate"})

    # Whether `update` works on each element for itself. Large parameters are then updated a part at a time, which
    # is faster, since a part stays in cache, and needs no second copy of everything.
    elementwise = False

    def __init__(
        self,
        learning_rate: Any = 0.01,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        *,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **unknown: Any,
    ):
        config.reject(self, unknown)
        self.name = name or unique_name(config.snake_case(type(self).__name__))
        self.weight_decay = optional(number, weight_decay, "weight_decay", 0)
        self.clipnorm = optional(number, clipnorm, "clipnorm", 0, above=True)
        self.clipvalue = optional(number, clipvalue, "clipvalue", 0, above=True)
        self.global_clipnorm = optional(number, global_clipnorm, "global_clipnorm", 0, above=True)
        if sum(bound is not None for bound in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError("clipnorm, clipvalue and global_clipnorm: expected at most one of them, got several")
        self.use_ema, self.ema_momentum = bool(use_ema), number(ema_momentum, "ema_momentum", 0, 1)
        self.ema_overwrite_frequency = optional(whole, ema_overwrite_frequency, "ema_overwrite_frequency", 1)
        steps = optional(whole, gradient_accumulation_steps, "gradient_accumulation_steps", 2)
        self.gradient_accumulation_steps = steps
        self._undecayed: tuple[Tensor | str, ...] = ()  # variables, and parts of names
        self.slots: dict[str, float] = {}
        self._rate = Rate(learning_rate)
        self._step = np.array(0, np.int64)
        self._memory, self._built = Memory((), {}, self.name), 0  # another number for each memory that was made

    def update(self, parameter: Any, gradient: Any, state: State, learning_rate: Any, step: Any) -> tuple[Any, State]:
        """The next parameter and state: what an optimizer of your own defines.

        Run on arrays it trains; run on Tensors it can be differentiated, with respect to the learning rate too.

        Parameters
        ----------
        parameter, gradient : array
            Arrays of one shape.
        state : State
            From each name in ``slots`` to an array in the shape of the parameter.
        learning_rate, step : array
            Numbers without axes, in the dtype of the parameter, so that a recorded step never freezes them. The
            first ``step`` is 1.

        Returns
        -------
        tuple
            The next parameter, and a dict with the next state.

        Raises
        ------
        TypeError
            Where it is not defined.
        """
        raise TypeError(f"{type(self).__name__} must define update(parameter, gradient, state, learning_rate, step)")

    def decay(self, parameter: Any, learning_rate: Any) -> Any:
        """The parameter after weight decay, if there is any."""
        if self.weight_decay is None:
            return parameter
        return parameter - parameter * self.weight_decay * learning_rate

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        """Leave variables as they are where others decay: those in a list, and those whose own name has a part.

        ``var_names`` are regular expressions, looked for in names without that of the layer, such as "bias".
        ValueError once there is state for variables.

        >>> import nn
        >>> optimizer = nn.optimizers.AdamW(weight_decay=0.1)
        >>> optimizer.exclude_from_weight_decay(var_names=["bias"])
        """
        if self.built:
            raise ValueError(
                "exclude_from_weight_decay: expected to be called before the first step, got an optimizer that is "
                "built already; call it where the optimizer is made"
            )
        self._undecayed = *(var_list or ()), *(var_names or ())

    def clip(self, gradients: Sequence[Any]) -> list[Any]:
        """The gradients held within the bounds that were asked for."""
        return clipped(gradients, self.clipnorm, self.clipvalue, self.global_clipnorm)

    def build(self, variables: Iterable[Tensor]) -> None:
        """Make the state for these variables."""
        self._memory, self._built = Memory(variables, self.remembered, type(self).__name__), next(_builds)

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Tensor] | None = None) -> None:
        """Change the variables by one step. A gradient of None leaves its variable as it is."""
        refuse("apply() of an optimizer counts its steps, which a replay would not; train_on_batch replays a step")
        self.apply_at(*self.rate_and_step(), grads, trainable_variables)
        self._step += 1

    def rate_and_step(self) -> tuple[Any, Any]:
        """The learning rate and the number of the next step, as arrays without axes."""
        return np.asarray(self._rate.at(self._step)), np.asarray(np.add(self._step, _ONE))

    def apply_at(
        self, learning_rate: Any, step: Any, grads: Sequence[Any], trainable_variables: Sequence[Tensor] | None = None
    ) -> None:
        """`apply` at a given rate and step; it counts no step, so that it can be recorded and run again.

        Parameters
        ----------
        learning_rate, step : array
            Numbers without axes, as `update` takes them.
        grads : sequence
            A gradient for each variable, in its shape, or None for one that stays as it is.
        trainable_variables : sequence of Tensor, optional
            Tensors; None takes those that the optimizer was built for.

        Raises
        ------
        ValueError
            For another number of gradients than of variables, a gradient in another shape, variables that it was not
            built for, and where none of them has a gradient.
        TypeError
            For a variable that is no Tensor, and for complex numbers.
        """
        variables = self._memory.variables if trainable_variables is None else list(trainable_variables)
        grads = checked(grads, variables, type(self).__name__)
        if not self.built:
            freeze.promised(self.build, variables, kept=False)
        change(self, learning_rate, step, grads, variables, self._memory.of(variables))

    def finalize_variable_values(self, var_list: Iterable[Tensor]) -> None:
        """Give variables their moving averages, if any are kept; ValueError for variables that are unknown.

        >>> import nn
        >>> w = Tensor(np.array([1.0], "float32"))
        >>> optimizer = nn.optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
        >>> for _ in range(2):
        ...     optimizer.apply([np.array([1.0])], [w])
        >>> optimizer.finalize_variable_values([w])
        >>> w.data  # between 0 and -1
        array([-0.5], dtype=float32)
        """
        variables = list(var_list) if self.use_ema else []
        for variable, state in zip(variables, self._memory.of(variables), strict=True):
            assign(variable, state[AVERAGE])

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Tensor]]) -> int:
        """`apply` for pairs of a gradient and its variable; returns the number of steps so far."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self.iterations

    @property
    def iterations(self) -> int:
        """How many updates were made: a number, which can be assigned to."""
        return Iterations(int(self._step) // (self.gradient_accumulation_steps or 1), self)

    def rate_at(self, step: Any) -> Any:
        """The learning rate for a step, counted from 0: a number without axes."""
        return self._rate.at(step)

    @property
    def schedule(self) -> Any:
        """The function that the learning rate comes from; None where it is a number."""
        return self._rate.schedule

    @property
    def learning_rate(self) -> Any:
        """The present learning rate. Assigning a number changes it, at any time, and so does its ``assign``."""
        return LearningRate(self.rate_at(self._step), self)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._rate.assign(value)

    @property
    def variables(self) -> list[Any]:
        """The number of steps, the learning rate, and the state of each variable in turn, as arrays."""
        return self.state_for(self._memory.variables)[1]

    @property
    def built(self) -> bool:
        """Whether it has state for variables."""
        return bool(self._memory.variables)

    def state_for(self, weights: Sequence[Tensor]) -> tuple[list[int], list[Any]]:
        """The places among ``weights`` of those that it has state for, and `variables` without the state of others."""
        places = {id(w): i for i, w in enumerate(weights)}
        known = [(places[id(v)], state) for v, state in self._memory if id(v) in places]
        arrays = (array for _, state in known for array in state.values())
        return [place for place, _ in known], [self._step, *self._rate.variables, *arrays]

    def get_weights(self) -> list[Any]:
        """Copies of `variables`."""
        return [np.array(to_numpy(v)) for v in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace `variables`, given in the order of `get_weights`."""
        overwrite(self.variables, weights, self)

    @property
    def remembered(self) -> dict[str, float]:
        """The names of all arrays in the state of a variable, with what they begin with; those of the rule last."""
        own = {AVERAGE: 0.0} if self.use_ema else {}
        return own | ({ACCUMULATED: 0.0} if self.gradient_accumulation_steps else {}) | self.slots

    def _agree(self, other: Any, name: str) -> None:
        """Take the slots that this setting asks for, or raise where those of variables exist already."""
        if other.remembered != self.remembered and self.built:
            raise ValueError(
                f"{name} decides what {self.name!r} remembers of each variable, and it has begun to; make a new "
                "optimizer with it"
            )
        self.slots = other.slots

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this, as plain data."""
        return {**super().get_config(), "learning_rate": self._rate.serialized()}
