"""One step of a recurrent network: from an input and the state to an output and the next state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_core import tree

from .. import activations, distributed, random
from ..checks import number, whole
from ..tensors import constant, plain
from .layer import Layer


class Cell(Layer):
    """What the cells share: one product of the inputs with ``kernel``, one of the state with ``recurrent_kernel``.

    The first does not depend on the state, so a layer that goes over a sequence takes it for all steps at once.
    """

    bias_initializer: Any
    gates = 1  # how many times ``units`` wide the kernels are
    units: int

    def _plan(
        self, units: int, use_bias: bool, kernel: Any, recurrent: Any, bias: Any, dropout: Any, recurrent_dropout: Any,
        seed: int | None,
    ) -> None:  # fmt: skip
        """Check and keep the settings; of each weight its initializer, regularizer and constraint."""
        self.units = self.output_size = whole(units, f"the number of units of {type(self).__name__}", 1)
        self.use_bias = use_bias
        self._plan_weight("kernel", *kernel)
        self._plan_weight("recurrent", *recurrent)
        self._plan_weight("bias", *bias)
        self.dropout = number(dropout, "dropout", 0, 1, below=True)
        self.recurrent_dropout = number(recurrent_dropout, "recurrent_dropout", 0, 1, below=True)
        self.seed = seed
        self.generator = random.generator_of(seed)

    @property
    def state_size(self) -> Any:
        """How long the state is: a number, or one for each of its parts."""
        return self.units

    def build(self, input_shape: Any) -> None:
        self.kernel = self._make_weight("kernel", (input_shape[-1], self.gates * self.units))
        self.recurrent_kernel = self._make_weight(
            "recurrent", (self.units, self.gates * self.units), "recurrent_kernel"
        )
        if self.use_bias:
            self.bias = self._make_weight("bias", self._bias_shape(), initializer=self._first_bias)

    def _bias_shape(self) -> tuple[int, ...]:
        return (self.gates * self.units,)

    def _first_bias(self, shape: tuple[int, ...], dtype: Any) -> Any:
        return self.bias_initializer(shape, dtype)

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """Zeros, for a batch."""
        return zeros_of(
            self.state_size if isinstance(self.state_size, list) else [self.state_size], batch_size, self.dtype
        )

    def call(self, inputs: Any, states: Any = None, training: bool = False) -> tuple[Any, Any]:
        given = list(states) if isinstance(states, list | tuple) else [states]
        output, after = self._stepping(inputs.shape, inputs.dtype, training)(inputs, given)
        return output, after if isinstance(states, list | tuple) else after[0]

    def _stepping(
        self, shape: Sequence[int], dtype: Any, training: bool
    ) -> Callable[[Any, Any], tuple[Any, list[Any]]]:
        """What makes one step after the other, of inputs of this shape; the same is left out in all of them."""
        of_inputs, of_state = self.masks(shape, dtype, training)
        return lambda x, states: self.step(self.project(x, of_inputs), states, of_state)

    def masks(self, shape: Sequence[int], dtype: Any, training: bool) -> tuple[list[Any], list[Any]]:
        """What the inputs and the state are multiplied by in each step of a call: the same in all of them.

        Parameters
        ----------
        shape : sequence of int
            Of the inputs of one step, (batch, inputs).
        dtype : dtype
            Theirs.
        training : bool
            Whether anything is left out.

        Returns
        -------
        tuple of list
            Those of the inputs and of the state: none, one, or as in Keras one for each gate where the state has any.
        """
        count = self.gates if self.recurrent_dropout else 1
        return tuple(
            [self._drawn((shape[0], length), rate, dtype) for _ in range(count)] if training and rate else []
            for rate, length in ((self.dropout, shape[-1]), (self.recurrent_dropout, self.units))
        )  # type: ignore[return-value]

    def _drawn(self, shape: tuple[int, ...], rate: float, dtype: Any) -> Any:
        kept = distributed.own(self.generator.random(distributed.whole(shape), np.float32) >= rate)
        return plain(kept) * dtype.type(1 / (1 - rate))

    def project(self, x: Any, masks: Sequence[Any]) -> Any:
        """What the inputs add to each step, for one step or for many."""
        z = product(x, self.kernel, masks)
        return z + self.bias if self.use_bias else z

    def step(self, z: Any, states: Sequence[Any], masks: Sequence[Any]) -> tuple[Any, list[Any]]:
        """The output and the next state.

        Parameters
        ----------
        z : array_like
            What the inputs add to this step, as `project` gives it.
        states : sequence of array_like
            The parts of the state.
        masks : sequence of array_like
            What the state is multiplied by, as `masks` gives it.

        Returns
        -------
        tuple
            The output, and a list with the next state.

        Raises
        ------
        NotImplementedError
            Where it is not defined.
        """
        raise NotImplementedError(f"{type(self).__name__} must define step(z, states, masks)")


def zeros_of(sizes: Any, batch: Any, dtype: Any) -> Any:
    """The state that a sequence begins with, for a batch: in the structure of the sizes."""
    return tree.map(lambda n: constant(np.zeros((batch, n), dtype)), sizes)


def steps_of(cell: Any, shape: Sequence[int], dtype: Any, training: bool) -> Any:
    """What makes one step after the other of a sequence: a function of an input and the state.

    What is left out of the inputs, whose ``shape`` and ``dtype`` are those of one step, is the same in all steps.
    """
    if hasattr(cell, "_stepping"):
        return cell._stepping(shape, dtype, training)
    told = {"training": training} if "training" in getattr(cell, "_call_takes", ()) else {}

    def called(x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
        output, after = cell(x, states, **told)
        return output, list(after) if isinstance(after, list | tuple) else [after]

    return called


def product(x: Any, kernel: Any, masks: Sequence[Any]) -> Any:
    """``x @ kernel``, of an ``x`` that is masked, for each gate by itself where there are several masks."""
    if len(masks) < 2:
        return (x * masks[0] if masks else x) @ kernel
    parts = np.split(kernel, len(masks), axis=1)
    return np.concatenate([(x * mask) @ part for mask, part in zip(masks, parts, strict=True)], axis=-1)


class SimpleRNNCell(Cell):
    """``h = activation(x @ kernel + bias + h @ recurrent_kernel)``, which is output and state.

    Takes (batch, inputs) and a list with the state, (batch, units); gives the output and a list with the next state.

    Parameters
    ----------
    units : int
        How long the state is, from 1 on.
    activation : str or callable, optional
        A name or a function of arrays; None: none.
    use_bias : bool
        Whether there is a bias.
    kernel_initializer, recurrent_initializer, bias_initializer : str or Initializer
        Names or instances of `Initializer`.
    kernel_regularizer, recurrent_regularizer, bias_regularizer : str or Regularizer, optional
        Names or instances of `Regularizer`; None: none.
    kernel_constraint, recurrent_constraint, bias_constraint : str or Constraint, optional
        What the weights are held to after each step: names or instances of `Constraint`; None: nothing.
    dropout, recurrent_dropout : float
        Which share of the inputs, and of the state, is left out while training, the same in all steps of a sequence;
        from 0 on and below 1.
    seed : int, optional
        A whole number from 0 on leaves out the same in each training; None something new.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For numbers outside these ranges.

    Examples
    --------
    >>> cell = SimpleRNNCell(3)
    >>> output, states = cell(np.ones((2, 4)), [np.zeros((2, 3))])
    >>> output.shape, len(states)
    ((2, 3), 1)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        kernel = kernel_initializer, kernel_regularizer, kernel_constraint
        recurrent = recurrent_initializer, recurrent_regularizer, recurrent_constraint
        bias = bias_initializer, bias_regularizer, bias_constraint
        self._plan(units, use_bias, kernel, recurrent, bias, dropout, recurrent_dropout, seed)
        self.activation = activations.get(activation)

    def step(self, z: Any, states: Sequence[Any], masks: Sequence[Any]) -> tuple[Any, list[Any]]:
        h = self.activation(z + product(states[0], self.recurrent_kernel, masks))
        return h, [h]


class GRUCell(Cell):
    """A state ``h`` that is kept as far as a gate is open: ``h = z · h + (1 - z) · candidate``.

    Takes (batch, inputs) and a list with the state, (batch, units); gives the output and a list with the next state.
    The kernels hold those of the update gate z, the reset gate and the candidate, side by side.

    Parameters
    ----------
    units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer, \
recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout, \
recurrent_dropout, seed, **kwargs
        As in `SimpleRNNCell`.
    recurrent_activation : str or callable, optional
        That of the gates.
    reset_after : bool
        Whether the reset gate acts after the product with the recurrent kernel. Then there is a second bias.

    Raises
    ------
    ValueError
        As in `SimpleRNNCell`.

    References
    ----------
    K. Cho et al.: Learning phrase representations using RNN encoder-decoder for statistical machine translation. 2014.

    Examples
    --------
    >>> cell = GRUCell(3)
    >>> output, states = cell(np.ones((2, 4)), [np.zeros((2, 3))])
    >>> output.shape, len(states)
    ((2, 3), 1)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        kernel = kernel_initializer, kernel_regularizer, kernel_constraint
        recurrent = recurrent_initializer, recurrent_regularizer, recurrent_constraint
        bias = bias_initializer, bias_regularizer, bias_constraint
        self._plan(units, use_bias, kernel, recurrent, bias, dropout, recurrent_dropout, seed)
        self.activation, self.recurrent_activation = map(activations.get, (activation, recurrent_activation))
        self.reset_after = reset_after

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def project(self, x: Any, masks: Sequence[Any]) -> Any:
        z = product(x, self.kernel, masks)
        if not self.use_bias:
            return z
        return z + (self.bias[0] if self.reset_after else self.bias)

    def step(self, z: Any, states: Sequence[Any], masks: Sequence[Any]) -> tuple[Any, list[Any]]:
        (h,), n = states, 2 * self.units
        kernel = self.recurrent_kernel
        if self.reset_after:
            inner = product(h, kernel, masks)
            inner = inner + self.bias[1] if self.use_bias else inner
            opened = self.recurrent_activation(z[:, :n] + inner[:, :n])
            candidate = self.activation(z[:, n:] + opened[:, self.units :] * inner[:, n:])
        else:
            opened = self.recurrent_activation(z[:, :n] + product(h, kernel[:, :n], masks[:2]))
            reset = opened[:, self.units :] * (h * masks[2] if masks else h)
            candidate = self.activation(z[:, n:] + reset @ kernel[:, n:])
        update = opened[:, : self.units]
        h = update * h + (1 - update) * candidate
        return h, [h]


class LSTMCell(Cell):
    """A state that gates write, keep and show: ``c = f · c + i · candidate``, ``h = o · activation(c)``.

    Takes (batch, inputs) and a list with both parts of the state, h and c, each (batch, units); gives the output, h,
    and a list with the next state. The kernels hold those of the gates i and f, of the candidate and of the gate o,
    side by side.

    Parameters
    ----------
    units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer, \
recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout, \
recurrent_dropout, seed, **kwargs
        As in `SimpleRNNCell`.
    recurrent_activation : str or callable, optional
        That of the gates.
    unit_forget_bias : bool
        Whether the bias of the gate f begins with ones: then the state is kept to begin with.

    Raises
    ------
    ValueError
        As in `SimpleRNNCell`.

    References
    ----------
    S. Hochreiter, J. Schmidhuber: Long short-term memory. Neural Computation 9 (1997).

    Examples
    --------
    >>> cell = LSTMCell(3)
    >>> output, states = cell(np.ones((2, 4)), [np.zeros((2, 3)), np.zeros((2, 3))])
    >>> output.shape, len(states)
    ((2, 3), 2)
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        kernel = kernel_initializer, kernel_regularizer, kernel_constraint
        recurrent = recurrent_initializer, recurrent_regularizer, recurrent_constraint
        bias = bias_initializer, bias_regularizer, bias_constraint
        self._plan(units, use_bias, kernel, recurrent, bias, dropout, recurrent_dropout, seed)
        self.activation, self.recurrent_activation = map(activations.get, (activation, recurrent_activation))
        self.unit_forget_bias = unit_forget_bias

    @property
    def state_size(self) -> Any:
        """How long the two parts of the state are."""
        return [self.units, self.units]

    def _first_bias(self, shape: tuple[int, ...], dtype: Any) -> Any:
        values = plain(super()._first_bias(shape, dtype)).copy()
        if self.unit_forget_bias:
            values[self.units : 2 * self.units] = 1
        return values

    def step(self, z: Any, states: Sequence[Any], masks: Sequence[Any]) -> tuple[Any, list[Any]]:
        h, c = states
        i, f, candidate, o = np.split(z + product(h, self.recurrent_kernel, masks), 4, axis=-1)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(candidate)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]
