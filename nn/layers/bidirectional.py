"""A recurrent layer in both directions."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np

from .. import config
from .layer import Layer

MERGES = ("concat", "sum", "ave", "mul", None)


class Bidirectional(Layer):
    """A recurrent layer over a sequence, and another one like it over the sequence from its end.

    From (batch, steps, features) to what the layer gives, that of both put together: twice as long with "concat".

    Parameters
    ----------
    layer : Layer
        A recurrent layer, such as an `LSTM`; both are made like it, and it is not used itself.
    merge_mode : str, optional
        "concat", "sum", "ave" for the mean, "mul" for the product; None gives both.
    backward_layer : Layer, optional
        The one for the other direction, if it is not to be like ``layer``; with another ``go_backwards``.
    **kwargs
        As in `Layer`.

    Raises
    ------
    ValueError
        For another ``merge_mode``, and for layers that go in one direction, or give different things.

    Examples
    --------
    >>> import nn
    >>> Bidirectional(nn.layers.LSTM(3))(np.ones((2, 5, 4))).shape
    (2, 6)
    """

    supports_masking = True

    def __init__(self, layer: Any, merge_mode: str | None = "concat", *, backward_layer: Any = None, **kwargs: Any):
        super().__init__(**kwargs)
        layer, backward = (_made(one) for one in (layer, backward_layer))
        if merge_mode not in MERGES:
            raise ValueError(f"merge_mode: expected one of {', '.join(map(repr, MERGES))}, got {merge_mode!r}")
        if not isinstance(layer, Layer) or not hasattr(layer, "go_backwards"):
            raise ValueError(
                f"the layer of a Bidirectional: expected a recurrent layer, such as LSTM(3), got {layer!r}"
            )
        self.merge_mode = merge_mode
        self.forward_layer = _like(layer, "forward", layer.go_backwards)
        self._own_backward = backward
        self.backward_layer = backward or _like(layer, "backward", not layer.go_backwards)
        same = ("stateful", "return_sequences", "return_state")
        first, second = ([getattr(one, name) for name in same] for one in (self.forward_layer, self.backward_layer))
        if first != second or self.forward_layer.go_backwards == self.backward_layer.go_backwards:
            raise ValueError(
                f"backward_layer: expected {', '.join(same)} as layer has them, {first}, and another go_backwards, got "
                f"{second} and go_backwards={self.backward_layer.go_backwards}"
            )
        self.stateful, self.return_sequences, self.return_state = first
        for one in (self.forward_layer, self.backward_layer):
            one.zero_output_for_mask = self.return_sequences
        self.input_spec = self.forward_layer.input_spec

    def build(self, input_shape: Any) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                layer._build(input_shape)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """As for any layer; ValueError where it is stateful and the size of a batch is not known."""
        if self.stateful:
            self.forward_layer.compute_output_spec(*args)
        return super().compute_output_spec(*args, **kwargs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """That of the inputs for outputs of all steps; none for the last output and for states."""
        mask = mask[0] if isinstance(mask, list) else mask
        mask = mask if self.return_sequences else None
        if self.merge_mode is None:
            return [mask, mask]
        return [mask] if self.return_state else mask

    def reset_state(self) -> None:
        """Let the next batch begin with zeros."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None) -> Any:
        half = len(initial_state) // 2 if initial_state is not None else 0
        starts = (initial_state[:half], initial_state[half:]) if half else (None, None)
        first, second = (
            layer(sequences, initial_state=start, mask=mask)
            for layer, start in zip((self.forward_layer, self.backward_layer), starts, strict=True)
        )
        states: tuple[Any, ...] = ()
        if self.return_state:
            states = (*first[1:], *second[1:])
            first, second = first[0], second[0]
        if self.return_sequences:
            second = np.flip(second, axis=1)
        if self.merge_mode is None:
            return (first, second, *states)
        merged = self._merged(first, second)
        return (merged, *states) if states else merged

    def _merged(self, first: Any, second: Any) -> Any:
        if self.merge_mode == "concat":
            return np.concatenate([first, second], axis=-1)
        if self.merge_mode == "mul":
            return first * second
        return first + second if self.merge_mode == "sum" else (first + second) / 2

    def _given_settings(self) -> dict[str, Any]:
        return {**super()._given_settings(), "layer": self.forward_layer, "backward_layer": self._own_backward}

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this, as plain data."""
        settings = {**super().get_config(), "layer": config.description(self.forward_layer)}
        settings.pop("backward_layer", None)
        if self._own_backward is not None:
            settings["backward_layer"] = config.description(self._own_backward)
        return settings


def _made(layer: Any) -> Any:
    return config.registry("layer").from_description(layer) if isinstance(layer, dict) else layer


def _like(layer: Any, direction: str, go_backwards: bool) -> Any:
    """A new layer like this one, in this direction."""
    name = f"{direction}_{layer.name.removeprefix(direction + '_')}"
    description = config.description(layer)
    settings = {**copy.deepcopy(description["config"]), "name": name, "go_backwards": go_backwards}
    with config.custom_object_scope(_own(layer)):
        return type(layer).from_config(settings)


def _own(layer: Any) -> dict[str, Any]:
    """The classes of a layer and of those in it, and functions they were given, by the names in descriptions."""
    found: dict[str, Any] = {}
    for part in layer.walk_layers():
        things: list[Any] = [type(part), *filter(inspect.isfunction, vars(part).values())]
        for thing in things:
            if found.setdefault(thing.__name__, thing) is not thing:
                raise ValueError(
                    f"layer {layer.name!r}: expected functions and classes of different names, got two that are called "
                    f"{thing.__name__!r}; give one another name"
                )
    return found
