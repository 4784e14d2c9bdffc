"""A model as a table."""

from __future__ import annotations

import io
import itertools
import re
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autograd_core.optional import needed

if TYPE_CHECKING:
    from rich.console import JustifyMethod

from .config import suggest
from .layers.input_spec import show
from .layers.layer import Layer
from .layers.operation import Operation
from .layers.symbolic import symbols
from .models.network import calls_between
from .tensors import plain


def summary(
    self: Any,
    line_length: int | None = None,
    positions: Any = None,
    print_fn: Any = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> None:
    """Print the layers with their output shapes and numbers of parameters, and the totals.

    Parameters
    ----------
    line_length : int, optional
        In characters; None for the width of the terminal, from 60 to 100.
    positions : sequence of int, optional
        The ends of the columns, as shares of the line or in characters.
    print_fn : callable, optional
        What is called with each line instead of ``print``.
    expand_nested : bool
        Whether the layers of models in the model are listed too.
    show_trainable : bool
        Whether a column says which layers train.
    layer_range : pair of str, optional
        A pair of names, or patterns of names, of the first and the last layer to show.

    Raises
    ------
    ValueError
        For ``positions`` or a ``layer_range`` that do not fit.
    ImportError
        Without rich.
    """
    needed("rich", "The summary of a model")
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    width = line_length or max(min(shutil.get_terminal_size((80, 24)).columns, 100), 60)
    buffer = io.StringIO()
    console = Console(file=buffer, width=width, highlight=False, color_system=None, force_jupyter=False)
    table = Table(box=box.HEAVY_HEAD, show_lines=True, width=None if positions is None else width)
    columns: list[tuple[str, JustifyMethod, int]] = [
        ("Layer (type)", "left", 5), ("Output Shape", "left", 4), ("Param #", "right", 3),
    ]  # fmt: skip
    connected = connections(self)
    if connected is not None:
        columns.append(("Connected to", "left", 4))
    if show_trainable:
        columns.append(("Trainable", "center", 2))
    if positions is None:
        shares: list[Any] = [share for _, _, share in columns]
    else:
        shares = ends_to_widths(positions, len(columns), width)
    for (title, justify, _), share in zip(columns, shares, strict=True):
        table.add_column(title, justify=justify, overflow="fold", ratio=share)
    for layer in within(self._operations(), layer_range):
        for cells in rows(layer, expand_nested, connected):
            table.add_row(*(escape(cell) for cell in cells[: len(columns)]))
    console.print(escape(f'Model: "{self.name}"'))
    console.print(table)
    if self.built:
        state = self.optimizer.variables if self.compiled and self.optimizer.built else []
        weights = [plain(w) for w in self.weights]
        for name, arrays in (
            ("Total", [*weights, *state]),
            ("Trainable", [plain(w) for w in self.trainable_weights]),
            ("Non-trainable", [plain(w) for w in self.non_trainable_weights]),
            *([("Optimizer", state)] if state else []),
        ):
            count, size = sum(a.size for a in arrays), sum(a.nbytes for a in arrays)
            console.print(f" {name} params: {count:,} ({readable(size)})")
    else:
        console.print(" Parameters: not built: pass Input(shape=...) as the first layer, or call the model once")
    for line in buffer.getvalue().splitlines():
        (print_fn or print)(line.rstrip())


def ends_to_widths(positions: Any, columns: int, width: int) -> list[int]:
    """How many characters the columns are wide whose ends are given as shares of the line, or in characters.

    >>> ends_to_widths([0.5, 0.75, 1.0], 3, 80)
    [40, 20, 20]
    """
    ends = [0, *(int(p * width) if p <= 1 else int(p) for p in positions)]
    widths = [end - start for start, end in itertools.pairwise(ends)]
    if len(widths) == columns - 1:  # Keras, too, makes room for the column of what is trainable
        widths = [*(int(0.9 * w) for w in widths), max(width - int(0.9 * ends[-1]), 1)]
    if len(widths) != columns or min(widths) < 1:
        raise ValueError(f"positions: expected the ends of {columns} columns, each further right, got {positions!r}")
    return widths


def within(layers: list[Layer], layer_range: Any) -> list[Layer]:
    """The layers from the one whose name fits the first pattern to the one whose name fits the second."""
    if layer_range is None:
        return layers
    if not isinstance(layer_range, list | tuple) or [type(name) for name in layer_range] != [str, str]:
        raise ValueError(f"layer_range: expected a pair of names, of the first and the last layer, got {layer_range!r}")
    found = [[i for i, layer in enumerate(layers) if re.match(name, layer.name)] for name in layer_range]
    for name, places in zip(layer_range, found, strict=True):
        if not places:
            raise ValueError(f"layer_range: no layer is called {name!r}; {suggest(name, [x.name for x in layers])}")
    low, high = found if min(found[0]) <= max(found[1]) else (found[1], found[0])
    return layers[min(low) : max(high) + 1]


def connections(model: Any) -> dict[int, str] | None:
    """For each layer, by its identity, the calls whose outputs it is called on; None where the layers are a chain.

    As Keras writes them: the name of the layer, which of its calls, and which of the call's outputs.
    """
    network = getattr(model, "_network", None)
    if network is None:
        return None
    calls = calls_between(symbols(network.inputs), symbols(network.outputs))
    ends = [call.inputs[0] if len(call.inputs) == 1 else None for call in calls]
    before = [*symbols(network.inputs)[:1], *(symbols(call.outputs)[0] for call in calls[:-1])]
    layers = {id(call.layer) for call in calls}
    if len(layers) == len(calls) and all(end is value for end, value in zip(ends, before, strict=False)):
        return None
    found: dict[int, list[str]] = {}
    between = set(map(id, calls))
    for call in (call for layer in network.layers for call in layer._calls if id(call) in between):
        for value in call.inputs:
            begin = value._keras_history
            text = f"{begin.operation.name}[{begin.node_index}][{begin.tensor_index}]"
            found.setdefault(id(call.layer), []).append(text)
    return {layer: ", ".join(texts) for layer, texts in found.items()}


def rows(
    layer: Layer, expand_nested: bool, connected: dict[int, str] | None, level: int = 0
) -> Iterator[tuple[str, ...]]:
    """What the table says of a layer and, where they are asked for, of the layers inside it."""
    shape = "not built" if layer.output_shape is None else shown(layer.output_shape)
    weightless = type(layer).build is Layer.build and not layer._sublayers  # nothing is made when it is built
    known = layer.built or layer.output_shape is not None or weightless
    count = f"{sum(w.size for w in layer.weights):,}" if known else "0 (not built)"
    trains = ("Y" if layer.trainable else "N") if layer.weights else "-"
    name = f"{'   ' * level + '└ ' if level else ''}{layer.name} ({kind_of(layer)})"
    yield name, shape, count, *([] if connected is None else [connected.get(id(layer), "-")]), trains
    if expand_nested:
        for inner in getattr(layer, "operations", ()):
            yield from rows(inner, expand_nested, connected, level + 1)


def kind_of(layer: Layer) -> str:
    """What kind of layer this is: the name of its class, or of the function that it is."""
    if isinstance(layer, Operation):
        return str(layer.described()["class_name"])
    return layer.keras_name or type(layer).__name__


def shown(shape: Any) -> str:
    """The shape of an output, or of each of several."""
    if isinstance(shape, list):
        return ", ".join(shown(s) for s in shape)
    return show(shape)


def readable(size: float) -> str:
    """A number of bytes as a person reads it.

    >>> readable(2678824)
    '2.55 MB'
    """
    units = ["B", "KB", "MB", "GB"]
    while size >= 1024 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.2f} {units[0]}"
