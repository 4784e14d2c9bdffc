"""Recurrent cells one on another, as one cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import config
from .layer import Layer
from .rnn_cells import steps_of, zeros_of


class StackedRNNCells(Layer):
    """Cells one on another: each step's output of one is the input of the next, and each keeps its own state.

    Takes (batch, inputs) and a list with the states of the cells; gives the last output and a list of the next states.

    Parameters
    ----------
    cells : sequence of Layer
        At least one, each with a ``state_size``, such as an `LSTMCell`.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For no cells, and for what is no cell.

    Examples
    --------
    >>> import nn
    >>> stack = StackedRNNCells([nn.layers.LSTMCell(3), nn.layers.GRUCell(2)])
    >>> nn.layers.RNN(stack)(np.ones((4, 5, 6))).shape
    (4, 2)
    """

    def __init__(self, cells: Any, **kwargs: Any):
        super().__init__(**kwargs)
        made = config.registry("layer").from_description
        cells = [made(c) if isinstance(c, dict) else c for c in cells] if isinstance(cells, list | tuple) else [cells]
        wrong = [c for c in cells if not (isinstance(c, Layer) and hasattr(c, "state_size"))]
        if wrong or not cells:
            raise ValueError(
                f"the cells of layer {self.name!r}: expected a list of layers with a state_size, such as "
                f"[LSTMCell(3), LSTMCell(3)], got {wrong[0] if wrong else cells!r}"
            )
        self.cells = cells

    @property
    def state_size(self) -> list[Any]:
        """How long the state of each cell is."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """How long the output of the last cell is."""
        return output_size(self.cells[-1])

    def build(self, input_shape: Any) -> None:
        for cell in self.cells:
            if not cell.built:
                cell._build(input_shape)
            input_shape = (input_shape[0], output_size(cell))

    def get_initial_state(self, batch_size: Any) -> list[Any]:
        """Zeros for each cell, unless it says otherwise."""
        return [
            cell.get_initial_state(batch_size)
            if hasattr(cell, "get_initial_state")
            else zeros_of(cell.state_size, batch_size, self.dtype)
            for cell in self.cells
        ]

    def call(self, inputs: Any, states: Any = None, training: bool = False) -> tuple[Any, Any]:
        return self._stepping(inputs.shape, inputs.dtype, training)(inputs, states)

    def _stepping(self, shape: Sequence[int], dtype: Any, training: bool) -> Any:
        """What makes one step after the other of all cells; what is left out is the same in all of them."""
        lengths = [shape[-1], *map(output_size, self.cells)]
        each = [steps_of(cell, (shape[0], n), dtype, training) for cell, n in zip(self.cells, lengths, strict=False)]

        def step(x: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
            after = []
            for one, state in zip(each, states, strict=True):
                several = isinstance(state, list | tuple)
                x, new = one(x, list(state) if several else [state])
                after.append(new if several else new[0])
            return x, after

        return step


def output_size(cell: Any) -> int:
    """How long the output of a cell is: by itself the first part of its state."""
    size: Any = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size[0] if isinstance(cell.state_size, list | tuple) else cell.state_size
    return int(size)
