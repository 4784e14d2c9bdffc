"""Recurrent layers: a cell, taken over the steps of a sequence."""

from __future__ import annotations

import functools
import inspect
import operator
from typing import Any

import numpy as np

from autograd_core import tree
from autograd_core.replay import freeze
from autograd_core.tensor import Tensor

from .. import config
from ..masks import truth
from ..tensors import assign, constant, plain
from .input_spec import InputSpec
from .layer import Layer
from .rnn_cells import Cell, GRUCell, LSTMCell, SimpleRNNCell, steps_of, zeros_of
from .stacked_rnn_cells import StackedRNNCells


class RNN(Layer):
    """A cell, taken over the steps of a sequence: (batch, steps, features) gives (batch, units), the last output.

    The loop is Python's; each step is recorded, so gradients flow back through all of them.

    Parameters
    ----------
    cell : Layer
        It has a ``state_size``, and its call takes an input and a list of states, and gives an output and such a list.
        A list of cells is a stack of them, `StackedRNNCells`.
    return_sequences : bool
        Whether the outputs of all steps come out, (batch, steps, units), rather than the last one.
    return_state : bool
        Whether the last state comes out as well: then the layer gives the output and each part of the state.
    go_backwards : bool
        Whether it begins at the last step; outputs are in the order in which they came about.
    stateful : bool
        Whether the next batch begins where this one ended, example by example; `reset_state` begins with zeros. The
        size of a batch must then be known: ``Input(batch_shape=…)``.
    unroll : bool
        Kept for Keras' sake: the steps always follow one another, each recorded.
    zero_output_for_mask : bool
        Whether the output of a step that a mask leaves out is 0, rather than that of the step before.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For a cell without a ``state_size``; in a call, for no steps, and for a batch of another size than
        before where it is stateful.

    Examples
    --------
    >>> layer = RNN(SimpleRNNCell(3), return_sequences=True)
    >>> layer(np.ones((2, 5, 4))).shape
    (2, 5, 3)
    """

    cell_type: type[Cell] | None = None
    supports_masking = True

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if isinstance(cell, dict):
            cell = config.registry("layer").from_description(cell)
        if isinstance(cell, list | tuple):
            cell = StackedRNNCells(cell, dtype=self.dtype)
        if not isinstance(getattr(cell, "state_size", None), int | list | tuple):
            raise ValueError(
                f"the cell of layer {self.name!r}: expected a layer with a state_size, a number or a list of them, got "
                f"{cell!r}"
            )
        self.cell = cell
        self.return_sequences, self.return_state = bool(return_sequences), bool(return_state)
        self.go_backwards, self.stateful, self.unroll = bool(go_backwards), bool(stateful), bool(unroll)
        self.zero_output_for_mask = bool(zero_output_for_mask)
        self.input_spec = InputSpec(min_ndim=3)

    def __init_subclass__(cls) -> None:
        if "cell_type" in vars(cls):
            _with_the_arguments_of_its_cell(cls)
        super().__init_subclass__()

    def build(self, input_shape: Any) -> None:
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell._build((input_shape[0], *input_shape[2:]))
        if self.stateful and input_shape[0] is not None:
            self._carry(input_shape[0])

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """As for any layer; ValueError where it is stateful and the size of a batch is not known."""
        if self.stateful and args[0].shape[0] is None:
            raise ValueError(
                f"layer {self.name!r} is stateful: expected a known batch size, Input(batch_shape=(32, …)), got "
                f"inputs of shape {args[0].shape}"
            )
        return super().compute_output_spec(*args, **kwargs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """That of the inputs for outputs of all steps; none for the last output and for states."""
        mask = next(iter(tree.leaves(mask)), None) if self.return_sequences else None
        return [mask] if self.return_state else mask

    # -- the state between batches ---------------------------------------------------------------------

    @property
    def states(self) -> list[Tensor]:
        """What the next batch begins with, where the layer is stateful."""
        return tree.rebuild(self.get_initial_state(len(self._carried[0])), self._carried) if self._carried else []

    def _carry(self, batch: int) -> None:
        """Make room for the state between batches."""
        states = tree.leaves(self.get_initial_state(batch))
        self._carried = tuple(Tensor(np.array(plain(s)), requires_grad=False) for s in states)

    def reset_state(self) -> None:
        """Let the next batch begin with zeros."""
        for state in self._carried:
            assign(state, np.zeros(state.shape, state.dtype))

    reset_states = reset_state

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """What a sequence begins with: zeros, unless the cell says otherwise."""
        if hasattr(self.cell, "get_initial_state"):
            found = self.cell.get_initial_state(batch_size)
            return list(found) if isinstance(found, list | tuple) else [found]
        sizes = self.cell.state_size if isinstance(self.cell.state_size, list | tuple) else [self.cell.state_size]
        return zeros_of(list(sizes), batch_size, self.dtype)

    def _first_states(self, given: Any, batch: int) -> list[Any]:
        if self.stateful and not self._carried:
            freeze.promised(self._carry, batch, kept=False)
        if self.stateful and len(self._carried[0]) != batch:
            raise ValueError(
                f"layer {self.name!r} is stateful: expected a batch of {len(self._carried[0])} examples, as before, "
                f"got {batch}"
            )
        if given is not None:
            return tree.map(lambda s: constant(s, self.dtype), [*given] if isinstance(given, list | tuple) else [given])
        states = self.get_initial_state(batch)
        return tree.rebuild(states, (constant(np.copy(plain(s))) for s in self._carried)) if self.stateful else states

    # -- the loop --------------------------------------------------------------------------------------

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        batch, steps = sequences.shape[:2]
        if steps == 0:
            raise ValueError(f"layer {self.name!r}: expected at least one step, got a sequence of none")
        states = self._first_states(initial_state, batch)
        step, inputs = self._steps(sequences, training)
        mask = None if mask is None else truth(next(iter(tree.leaves(mask))))
        outputs: list[Any] = []
        output: Any = None
        for t in reversed(range(steps)) if self.go_backwards else range(steps):
            new, after = step(inputs[t], states)
            if mask is not None:  # what does not count changes nothing
                before = new.dtype.type(0) if self.zero_output_for_mask or output is None else output
                new = _where(mask[:, t], new, before)
                after = tree.map(functools.partial(_where, mask[:, t]), after, states)
            output, states = new, after
            outputs.append(output)
        if self.stateful:
            for kept, state in zip(self._carried, tree.leaves(states), strict=True):
                assign(kept, plain(state))
        result = np.stack(outputs, axis=1) if self.return_sequences else output
        return (result, *states) if self.return_state else result

    def _steps(self, sequences: Any, training: bool) -> tuple[Any, Any]:
        """What makes a step of an input and the states, and the inputs, step by step."""
        cell, inputs = self.cell, np.moveaxis(sequences, 1, 0)
        if not isinstance(cell, Cell):
            return steps_of(cell, (inputs.shape[1], inputs.shape[-1]), sequences.dtype, training), inputs
        steps, batch, features = inputs.shape
        of_inputs, of_state = cell.masks((batch, features), sequences.dtype, training)
        if len(of_inputs) == 0:  # one product for all steps
            projected = cell.project(np.reshape(inputs, (steps * batch, features)), of_inputs)
            projected = np.reshape(projected, (steps, batch, projected.shape[-1]))
        else:
            projected = cell.project(inputs, of_inputs)
        return functools.partial(_step, cell, of_state), projected

    def _given_settings(self) -> dict[str, Any]:
        of_cell = {} if self.cell_type is None else {n: getattr(self, n) for n in config.arguments(type(self))}
        return {**of_cell, **super()._given_settings()}


def _where(counts: Any, new: Any, old: Any) -> Any:
    """The new values of the examples whose step counts, whatever their shape, and the old ones of the others."""
    return np.where(counts.reshape(-1, *(1,) * (new.ndim - 1)), new, old)


def _step(cell: Cell, masks: Any, z: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    return cell.step(z, states, masks)


def _with_the_arguments_of_its_cell(cls: Any) -> None:
    """Give a layer a constructor that takes what its cell takes, and then what an `RNN` takes; and these attributes."""
    of_cell = [p for p in inspect.signature(cls.cell_type.__init__).parameters.values() if p.kind is not p.VAR_KEYWORD]
    of_layer = [p for p in inspect.signature(RNN.__init__).parameters.values() if p.name not in ("self", "cell")]
    names = [p.name for p in of_cell]
    by_place = names.index("kernel_constraint")  # where Keras has activity_regularizer
    by_name = [p.replace(kind=p.KEYWORD_ONLY) for p in (*of_cell[by_place:], *of_layer[:-1])]
    signature = inspect.Signature([*of_cell[:by_place], *by_name, of_layer[-1]])

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            given = signature.bind(self, *args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(f"{cls.__name__}: {error}") from None
        given.pop("self")
        more = given.pop("kwargs", {})
        of_both = {k: v for k, v in more.items() if k in ("dtype", "trainable")}
        of_both["name"] = config.snake_case(cls.cell_type.__name__)
        cell = cls.cell_type(**{n: v for n, v in given.items() if n in names}, **of_both)
        RNN.__init__(self, cell, **{n: v for n, v in given.items() if n not in names}, **more)

    __init__.__signature__ = signature  # type: ignore[attr-defined]
    __init__.__qualname__ = f"{cls.__qualname__}.__init__"
    cls.__init__, cls.decided = __init__, frozenset({"cell"})
    for name in names[1:]:
        setattr(cls, name, property(operator.attrgetter(f"cell.{name}"), doc=f"The {name} of the cell."))


class SimpleRNN(RNN):
    """``h = activation(x @ kernel + bias + h @ recurrent_kernel)``, step by step.

    From (batch, steps, features) to (batch, units), the last ``h``.

    Parameters
    ----------
    units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer, \
recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout, \
recurrent_dropout, seed
        As in `SimpleRNNCell`.
    return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask, **kwargs
        As in `RNN`.

    Raises
    ------
    ValueError
        As in `SimpleRNNCell` and `RNN`.
    TypeError
        For other arguments.

    Examples
    --------
    >>> SimpleRNN(3)(np.ones((2, 5, 4))).shape
    (2, 3)
    """

    cell_type = SimpleRNNCell


class GRU(RNN):
    """Gated recurrent units, step by step, as `GRUCell` has them.

    From (batch, steps, features) to (batch, units), the last output.

    Parameters
    ----------
    units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, \
kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, \
bias_constraint, dropout, recurrent_dropout, reset_after, seed
        As in `GRUCell`.
    return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask, **kwargs
        As in `RNN`.

    Raises
    ------
    ValueError
        As in `GRUCell` and `RNN`.
    TypeError
        For other arguments.

    Examples
    --------
    >>> GRU(3, return_sequences=True)(np.ones((2, 5, 4))).shape
    (2, 5, 3)
    """

    cell_type = GRUCell


class LSTM(RNN):
    """Long short-term memory, step by step, as `LSTMCell` has it.

    From (batch, steps, features) to (batch, units), the last output.

    Parameters
    ----------
    units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, \
unit_forget_bias, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, \
recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed
        As in `LSTMCell`.
    return_sequences, return_state, go_backwards, stateful, unroll, zero_output_for_mask, **kwargs
        As in `RNN`.

    Raises
    ------
    ValueError
        As in `LSTMCell` and `RNN`.
    TypeError
        For other arguments.

    Examples
    --------
    >>> output, h, c = LSTM(3, return_state=True)(np.ones((2, 5, 4)))
    >>> output.shape, h.shape, c.shape
    ((2, 3), (2, 3), (2, 3))
    """

    cell_type = LSTMCell
