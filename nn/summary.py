"""A model as a table."""

from __future__ import annotations

import io
import shutil
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .layers.layer import Layer, show


def summary(model: Any, line_length: int | None = None, print_fn: Any = None) -> None:
    """Print a model's layers, output shapes and numbers of parameters, each line through ``print_fn``."""
    width = line_length or max(min(shutil.get_terminal_size((80, 24)).columns, 100), 60)
    buffer = io.StringIO()
    console = Console(file=buffer, width=width, highlight=False, color_system=None, force_jupyter=False)
    table = Table(box=box.HEAVY_HEAD, show_lines=True)
    table.add_column("Layer (type)", overflow="fold", ratio=5)
    table.add_column("Output Shape", overflow="fold", ratio=4)
    table.add_column("Param #", justify="right", overflow="fold", ratio=3)
    for layer in model.layers:
        table.add_row(*(escape(cell) for cell in row(layer)))
    console.print(escape(f'Model: "{model.name}"'))
    console.print(table)
    if model.built:
        for name, weights in (
            ("Total", model.weights),
            ("Trainable", model.trainable_weights),
            ("Non-trainable", model.non_trainable_weights),
        ):
            count, size = sum(w.size for w in weights), sum(w.data.nbytes for w in weights)
            console.print(f" {name} params: {count:,} ({readable(size)})")
    else:
        console.print(" Parameters: not built: pass Input(shape=...) as the first layer, or call the model once")
    for line in buffer.getvalue().splitlines():
        (print_fn or print)(line.rstrip())


def row(layer: Layer) -> tuple[str, str, str]:
    """What the table says of a layer."""
    shape = "not built" if layer.output_shape is None else shown(layer.output_shape)
    weightless = type(layer).build is Layer.build and not layer.sublayers  # nothing is made when it is built
    known = layer.built or layer.output_shape is not None or weightless
    count = f"{sum(w.size for w in layer.weights):,}" if known else "0 (not built)"
    return f"{layer.name} ({type(layer).__name__})", shape, count


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
