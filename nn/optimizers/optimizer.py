"""What all optimizers share: their state, their learning rate, clipping and weight decay."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from autograd_core.arrays import asarray_like, is_foreign, like, to_numpy
from autograd_core.caller import level_of_caller
from autograd_core.graph import kind
from autograd_core.replay import freeze, refuse
from autograd_core.tensor import Tensor

from .. import config, constraints
from ..checks import number, real, whole
from ..names import unique_name
from ..tensors import assign, plain
from . import schedules

State = dict[str, Any]

_builds = itertools.count(1)

# How many elements of a parameter are updated at a time.
PART = 2**17

# What is remembered of each variable beside what the rule asks for.
AVERAGE, ACCUMULATED = "moving average", "accumulated gradient"


class LearningRate(float):
    """The learning rate as it was when it was asked for, and a way to change it, as Keras' variable has.

    It stays the number that it was: ask the optimizer for the new one.

    >>> import nn
    >>> optimizer = nn.optimizers.SGD(0.25)
    >>> optimizer.learning_rate.assign(0.5)
    >>> optimizer.learning_rate, optimizer.learning_rate.numpy()
    (0.5, np.float32(0.5))
    """

    owner: Optimizer

    def __new__(cls, value: Any, owner: Optimizer) -> Self:
        new = super().__new__(cls, value)
        new.owner = owner
        return new

    def __reduce__(self) -> Any:
        return float, (float(self),)  # a copy is a number, and drags no optimizer along

    def assign(self, value: Any) -> None:
        """Give the optimizer another learning rate; ValueError and TypeError as for ``learning_rate = value``."""
        self.owner.learning_rate = value

    def numpy(self) -> Any:
        """The number in NumPy's float32."""
        return np.float32(self)

    @property
    def value(self) -> Any:
        """The same number, as Keras' variables have it."""
        return self.numpy()


class Iterations(int):
    """How many updates were made when it was asked for, and a way to change it, as Keras' variable has."""

    owner: Optimizer

    def __new__(cls, value: Any, owner: Optimizer) -> Self:
        new = super().__new__(cls, value)
        new.owner = owner
        return new

    def __reduce__(self) -> Any:
        return int, (int(self),)

    def assign(self, value: Any) -> None:
        """Let the optimizer count from here; ValueError for what is no whole number from 0 on."""
        updates = whole(int(value) if float(value).is_integer() else value, "the number of updates")
        self.owner._step[...] = updates * (self.owner.gradient_accumulation_steps or 1)

    def numpy(self) -> Any:
        """The number in NumPy's int64."""
        return np.int64(self)


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
    untracked = frozenset({"_variables", "_state", "_step", "_rate", "_counts_steps", "schedule", "learning_rate"})

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
        self.weight_decay = None if weight_decay is None else number(weight_decay, "weight_decay", 0)
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        if sum(c is not None for c in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError("clipnorm, clipvalue and global_clipnorm: expected at most one of them, got several")
        for bound in ("clipnorm", "clipvalue", "global_clipnorm"):
            value = getattr(self, bound)
            if value is not None:
                number(value, bound, 0, above=True)
        self.use_ema, self.ema_momentum = bool(use_ema), number(ema_momentum, "ema_momentum", 0, 1)
        often, several = ema_overwrite_frequency, gradient_accumulation_steps
        self.ema_overwrite_frequency = None if often is None else whole(often, "ema_overwrite_frequency", 1)
        self.gradient_accumulation_steps = None if several is None else whole(several, "gradient_accumulation_steps", 2)
        self._undecayed_names: tuple[str, ...] = ()
        self._undecayed: tuple[Tensor, ...] = ()
        self.slots: dict[str, float] = {}
        self.schedule: Any = None
        if isinstance(learning_rate, dict | str):  # what a file says; of a function its name
            learning_rate = schedules.deserialize(learning_rate)
        if callable(learning_rate):
            self._follow(learning_rate)
        else:
            self._rate = np.array(rate(learning_rate), np.float32)
        self._step = np.array(0, np.int64)
        self._variables: tuple[Tensor, ...] = ()
        self._built = 0  # another number for each state that was made
        self._state: list[State] = []

    # -- the rule --------------------------------------------------------------------------------------

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
        self._undecayed, self._undecayed_names = tuple(var_list or ()), tuple(var_names or ())

    def _decays(self, variable: Tensor) -> bool:
        own = (variable.node.name or "").rpartition("/")[2]
        excluded = any(v is variable for v in self._undecayed)
        return not excluded and not any(re.search(pattern, own) for pattern in self._undecayed_names)

    def clip(self, gradients: Sequence[Any]) -> list[Any]:
        """The gradients held within the bounds that were asked for."""
        if self.clipvalue is not None:
            return [np.clip(g, -self.clipvalue, self.clipvalue) for g in gradients]
        if self.clipnorm is not None:
            return [g * _shrink(np.sum(np.square(g)), self.clipnorm) for g in gradients]
        if self.global_clipnorm is not None:
            square = sum(np.sum(np.square(g)) for g in gradients)
            return [g * _shrink(square, self.global_clipnorm) for g in gradients]
        return list(gradients)

    # -- applying it -----------------------------------------------------------------------------------

    def build(self, variables: Iterable[Tensor]) -> None:
        """Make the state for these variables."""
        variables = tuple(variables)
        for v in variables:
            real(v, f"the variables of {type(self).__name__}")
        self._variables, self._built = variables, next(_builds)
        self._state = [{} for _ in self._variables]
        # One vector for each slot, and of it each variable's part: small ones are then updated together.
        for slot, start in self.remembered.items():
            vector = np.full(sum(v.size for v in self._variables), start, np.result_type(*self._variables, np.float32))
            vector = asarray_like(self._variables[0], vector) if self._variables else vector
            begin = 0
            for v, state in zip(self._variables, self._state, strict=True):
                part = vector[begin : begin + v.size].reshape(v.shape)
                state[slot] = part if part.dtype == v.dtype else np.full_like(v.data, start)
                begin += v.size

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Tensor] | None = None) -> None:
        """Change the variables by one step. A gradient of None leaves its variable as it is."""
        refuse("apply() of an optimizer counts its steps, which a replay would not; train_on_batch replays a step")
        self.apply_at(*self.rate_and_step(), grads, trainable_variables)
        self._step += 1

    def rate_and_step(self) -> tuple[Any, Any]:
        """The learning rate and the number of the next step, as arrays without axes."""
        return np.asarray(self.rate_at(self._step)), np.asarray(self._step + 1)

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
        variables = self._variables if trainable_variables is None else list(trainable_variables)
        grads = [None if g is None else plain(g) for g in grads]
        if len(grads) != len(variables):
            raise ValueError(f"apply: expected a gradient for each of the {len(variables)} variables, got {len(grads)}")
        for v, g in zip(variables, grads, strict=True):
            if not isinstance(v, Tensor):
                raise TypeError(
                    f"the variables of an optimizer: expected Tensors, as in model.trainable_variables, got {kind(v)}"
                )
            real(v, f"{type(self).__name__} at {v.node.name or 'a variable'}")
            if g is None:
                continue
            real(g, f"{type(self).__name__}, the gradient of {v.node.name or 'a variable'}")
            if np.shape(g) != v.shape:
                raise ValueError(
                    f"the gradient of {v.node.name or 'a variable'}: expected the shape of its values, {v.shape}, got "
                    f"{np.shape(g)}"
                )
        if not self._variables:
            freeze.promised(self.build, variables, kept=False)
        places = self._places(variables)
        present = [i for i, g in enumerate(grads) if g is not None]
        if not present:
            names = ", ".join(str(v.node.name) for v in variables)
            raise ValueError(
                f"none of the variables has a gradient ({names}); call loss.backward() first, on a loss that was "
                "computed from them"
            )
        if len(present) < len(grads):
            without = [str(v.node.name) for v, g in zip(variables, grads, strict=True) if g is None]
            if len(without) > 5:
                without[5:] = [f"and {len(without) - 5} more"]
            warnings.warn(
                f"no gradient came for {', '.join(without)}, which stay as they are: the loss was not computed from "
                "them",
                stacklevel=level_of_caller(),
            )
        gradients = [grads[i] for i in present]
        every = self.gradient_accumulation_steps
        if every:
            states = [self._state[places[i]] for i in present]
            gradients = [state[ACCUMULATED] + g for state, g in zip(states, gradients, strict=True)]
            now, step = step % every == 0, (step - 1) // every + 1
            for state, total in zip(states, gradients, strict=True):
                np.copyto(state[ACCUMULATED], np.where(now, 0, total))
            gradients = [total / every for total in gradients]
        for i, gradient in zip(present, self.clip(gradients), strict=True):
            variable, state = variables[i], self._state[places[i]]
            decays = self._decays(variable)
            rate_, step_ = learning_rate.astype(variable.dtype), step.astype(variable.dtype)
            if is_foreign(variable.data):  # beside which a number may stand, but no array of NumPy's
                rate_, step_ = rate_[()], step_[()]
            for part in self._parts(variable):
                parameter, slots = variable.data[part], {slot: state[slot][part] for slot in self.slots}
                old = self.decay(parameter, rate_) if decays else parameter
                new, after = self.update(old, gradient[part], slots, rate_, step_)
                np.copyto(parameter, np.where(now, new, parameter) if every else new)
                for slot, value in after.items():
                    np.copyto(slots[slot], np.where(now, value, slots[slot]) if every else value)
        if self.use_ema:
            self._average(step)
        for variable in (variables[i] for i in present):
            constraints.hold(variable)
            variable.data = variable.data  # tells the engine that what was computed from the old values is stale

    def _average(self, step: Any) -> None:
        """Take all variables into their averages, which begin with what the first step made."""
        for variable, state in zip(self._variables, self._state, strict=True):
            kept = np.where(step > 1, self.ema_momentum, 0).astype(variable.dtype)
            average = kept * state[AVERAGE] + (1 - kept) * variable.data
            np.copyto(state[AVERAGE], average)
            if self.ema_overwrite_frequency:
                now = step % self.ema_overwrite_frequency == 0
                np.copyto(variable.data, np.where(now, average, variable.data))
                variable.data = variable.data

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
        for variable, place in zip(variables, self._places(variables), strict=True):
            assign(variable, self._state[place][AVERAGE])

    def _parts(self, variable: Tensor) -> list[Any]:
        """What is updated at a time: everything, or so many rows."""
        if not self.elementwise or variable.size <= PART or is_foreign(variable.data):
            return [...]
        rows = max(PART * len(variable) // variable.size, 1)
        return [slice(start, start + rows) for start in range(0, len(variable), rows)]

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Tensor]]) -> int:
        """`apply` for pairs of a gradient and its variable; returns the number of steps so far."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self.iterations

    def _places(self, variables: Sequence[Tensor]) -> list[int]:
        known = {id(v): i for i, v in enumerate(self._variables)}
        for v in variables:
            if id(v) not in known:
                raise ValueError(
                    f"{v.node.name or 'a variable'} is unknown to this optimizer, which was built for "
                    f"{len(self._variables)} others; make a new optimizer for a new set of variables"
                )
        return [known[id(v)] for v in variables]

    # -- its numbers -----------------------------------------------------------------------------------

    @property
    def iterations(self) -> int:
        """How many updates were made: a number, which can be assigned to."""
        return Iterations(int(self._step) // (self.gradient_accumulation_steps or 1), self)

    def rate_at(self, step: Any) -> Any:
        """The learning rate for a step, counted from 0: a number without axes."""
        if self.schedule is None:
            return self._rate
        return self.schedule(step) if self._counts_steps else self.schedule()

    def _follow(self, schedule: Any) -> None:
        """Take the learning rate from a function, of the number of steps or, as in Keras, of nothing."""
        self.schedule, self._counts_steps = schedule, True
        if not isinstance(schedule, schedules.LearningRateSchedule):
            with contextlib.suppress(TypeError, ValueError):  # it needs the steps, or nobody knows its arguments
                inspect.signature(schedule).bind()
                self._counts_steps = False

    @property
    def learning_rate(self) -> Any:
        """The present learning rate. Assigning a number changes it, at any time, and so does its ``assign``."""
        return LearningRate(self.rate_at(self._step), self)

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if callable(value):
            self._follow(value)
            return
        if self.schedule is not None:
            raise TypeError(
                "this optimizer follows a learning rate schedule, so its rate cannot be assigned; make it with a "
                "number, learning_rate=0.01, to change it later"
            )
        self._rate[...] = rate(value)

    @property
    def variables(self) -> list[Any]:
        """The number of steps, the learning rate, and the state of each variable in turn, as arrays."""
        own = [self._step] if self.schedule is not None else [self._step, self._rate]
        return [*own, *(a for state in self._state for a in state.values())]

    @property
    def built(self) -> bool:
        """Whether it has state for variables."""
        return bool(self._variables)

    def state_for(self, weights: Sequence[Tensor]) -> tuple[list[int], list[Any]]:
        """The places among ``weights`` of those that it has state for, and `variables` without the state of others."""
        places = {id(w): i for i, w in enumerate(weights)}
        known = [(v, state) for v, state in zip(self._variables, self._state, strict=True) if id(v) in places]
        own = [self._step] if self.schedule is not None else [self._step, self._rate]
        return [places[id(v)] for v, _ in known], [*own, *(a for _, state in known for a in state.values())]

    def get_weights(self) -> list[Any]:
        """Copies of `variables`."""
        return [np.array(to_numpy(v)) for v in self.variables]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace `variables`, given in the order of `get_weights`."""
        own = self.variables
        if len(weights) != len(own):
            raise ValueError(
                f"{self.name!r}: expected {len(own)} arrays of state, got {len(weights)}"
                + ("" if self._variables else "; call build(model.trainable_variables) first")
            )
        for array, value in zip(own, weights, strict=True):
            if array.shape != np.shape(value):
                raise ValueError(
                    f"the state of {self.name!r}: expected an array of shape {array.shape}, got {np.shape(value)}"
                )
        step = float(to_numpy(weights[0]))
        whole(int(step) if step.is_integer() else step, "the number of steps")
        if self.schedule is None:
            rate(weights[1])
        for array, value in zip(own, weights, strict=True):
            array[...] = like(array, value)

    @property
    def remembered(self) -> dict[str, float]:
        """The names of all arrays in the state of a variable, with what they begin with; those of the rule last."""
        own = {AVERAGE: 0.0} if self.use_ema else {}
        return own | ({ACCUMULATED: 0.0} if self.gradient_accumulation_steps else {}) | self.slots

    def _agree(self, other: Any, name: str) -> None:
        """Take the slots that this setting asks for, or raise where those of variables exist already."""
        if other.remembered != self.remembered:
            if self._variables:
                raise ValueError(
                    f"{name} decides what {self.name!r} remembers of each variable, and it has begun to; make a new "
                    "optimizer with it"
                )
            self.slots = other.slots

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this, as plain data."""
        rate_ = config.serialize(self.schedule) if self.schedule is not None else float(self._rate)
        return {**super().get_config(), "learning_rate": rate_}


def rate(value: Any) -> float:
    """A learning rate as a number, if it is one."""
    if isinstance(value, str | None) or np.ndim(value) != 0:
        raise ValueError(f"a learning rate: expected a number or a schedule, got {value!r}")
    number = float(plain(value))
    if not number >= 0 or number == np.inf:
        raise ValueError(f"a learning rate: expected a finite number from 0 on, got {value!r}")
    return number


def _shrink(square: Any, bound: float) -> Any:
    """The factor that brings a norm, given squared, down to a bound."""
    return bound / np.maximum(np.sqrt(square), bound)
