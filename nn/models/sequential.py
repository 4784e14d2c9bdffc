"""A stack of layers."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from .. import config
from ..checks import lengths
from ..layers import deserialize
from ..layers.input import InputLayer
from ..layers.input_spec import show
from ..layers.layer import Layer
from ..layers.symbolic import KerasTensor, shape_of
from ..tensors import plain
from .arguments import fitted_one
from .model import Model
from .network import Network


class Sequential(Model):
    """Layers one after another.

    With an `Input` first (or ``input_shape=`` on the first layer) the weights exist at once, otherwise from the
    first call on.

    Parameters
    ----------
    layers : sequence of Layer, optional
        A list of layers; None for none, to `add` them later.
    trainable : bool
        Whether training changes the weights.
    name : str, optional
        What summaries and drawings call it; by default "sequential" with a number.

    Raises
    ------
    TypeError
        For what is no list of layers.
    ValueError
        For what is no layer, and the name of another layer; in a call, for an input of another shape.

    Examples
    --------
    >>> from nn import layers
    >>> model = Sequential([layers.Input(shape=(4,)), layers.Dense(3, "relu"), layers.Dense(1)])
    >>> model.count_params()
    19
    """

    completes_build = False
    keras_module = "keras"

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None):
        super().__init__(trainable=trainable, name=name)
        self._layers: tuple[Layer, ...] = ()
        self._input: InputLayer | None = None
        self._other_lengths = False  # whether its input was seen on the first batch only, so that others may differ
        if not isinstance(layers, list | tuple | None):
            raise TypeError(f"a Sequential: expected a list of layers, Sequential([…]), got {layers!r}")
        for layer in layers or []:
            self.add(layer)

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return list(self._layers)

    @property
    def _links(self) -> tuple[Layer, ...] | None:
        """The layers, if nothing but them is called, one after another, on batches of any length; else None."""
        fixed = self._input is not None and self._input.batch_shape[0] is not None
        return None if fixed or type(self) is not Sequential else self._layers

    def add(self, layer: Any) -> None:
        """Put a layer at the end."""
        if isinstance(layer, KerasTensor) and isinstance(layer._keras_history.operation, InputLayer):
            layer = layer._keras_history.operation
        if isinstance(layer, InputLayer):
            if self._layers or self._input is not None:
                raise ValueError("an Input is the first of the layers; this model begins already")
            self._begin(layer)
            return
        if not isinstance(layer, Layer):
            hint = "; make one with parentheses" if isinstance(layer, type) else ""
            if not hint and callable(layer):
                hint = "; a function goes into nn.layers.Lambda(function)"
            raise ValueError(f"a Sequential: expected layers, got {layer!r}{hint}")
        if any(layer is not other and layer.name == other.name for other in self._layers):
            raise ValueError(
                f"there is a layer {layer.name!r} in this model already; names are unique, so that layers can be found"
            )
        first = _told(layer) if not self._layers and self._input is None else None
        if first is not None:
            self._begin(first)
        before, self._layers = self._layers, (*self._layers, layer)
        self.built = False
        if self._input is not None and not (isinstance(layer, Sequential) and not layer.layers):
            try:
                self.build(self._input.batch_shape)
            except Exception:
                self._layers = before
                raise

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer away and return it."""
        if not self._layers:
            raise TypeError("there is no layer to pop")
        *rest, layer = self._layers
        self._layers = tuple(rest)
        self.built = bool(self._layers) and all(other.built for other in self._layers)
        self.output_shape = self._layers[-1].output_shape if self.built else None
        return layer

    def _begin(self, first: InputLayer) -> None:
        """Take inputs of this shape, which ``input_shape`` tells with the batch axis, as ``output_shape`` does."""
        self._input, self.input_shape = first, first.batch_shape

    def build(self, input_shape: Any = None) -> None:
        """Make all weights, for inputs of this shape, whose first axis is None."""
        if input_shape is None:
            if self._input is None:
                raise ValueError(f"{self.name!r} does not know its input: pass Input(shape=…) first, or build(shape)")
            input_shape = self._input.batch_shape
        if not self._layers:
            raise ValueError(f"{self.name!r}: expected layers to build, got none; add some first")
        if self._input is None:
            self._begin(InputLayer(shape=tuple(input_shape)[1:]))
        assert self._input is not None
        shape: Any = tuple(input_shape)
        value: Any = self._input.output if shape == self._input.batch_shape else KerasTensor(shape)
        for layer in self._layers:
            found = _given(layer, value)
            if found is not None:  # since it was added
                value = found
                continue
            try:
                value = layer(value)
            except Exception as error:
                error.add_note(f"while building {self.name!r} for inputs of shape {show(input_shape)}")
                raise
        self.output_shape, self.called_with = shape_of(value), shape
        self.built = True

    def _names_of_outputs(self) -> list[str] | None:
        return [self._layers[-1].name] if self._layers else None

    def _ends(self, what: str) -> Network:
        if self._input is None or not self._layers:
            return super()._ends(what)
        value: Any = self._input.output
        for layer in self._layers:
            value = _given(layer, value)
            if value is None:  # a copy, whose layers were called on nothing yet
                self.build()
                return self._ends(what)
        return Network(self._input.output, value)

    def _build(self, shape: Any, **others: Any) -> None:
        self.called_with, self.built = shape, True
        if self._input is None and isinstance(shape, tuple):
            self._begin(InputLayer(shape=shape[1:]))
            self._other_lengths = True

    def get_config(self) -> dict[str, Any]:
        """The layers and the input as plain data."""
        names = [layer.name for layer in dict.fromkeys(self._layers)]
        if len(set(names)) < len(names):  # they were given other names since
            raise ValueError(f"the layers of {self.name!r}: expected names of their own, each once, got {names}")
        first = [] if self._input is None else [config.serialize(self._input)]
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self.dtype.name,
            "layers": first + [config.serialize(layer) for layer in self._layers],
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """A model with the layers that `get_config`, or Keras', described and new weights."""
        layers = [deserialize(layer, custom_objects) for layer in config["layers"]]
        if config.get("input_shape") is not None:  # a file of earlier versions
            layers.insert(0, InputLayer(shape=config["input_shape"]))
        made = cls(layers, name=config.get("name"))
        made._trainable = config.get("trainable", True)  # its layers say themselves whether they train
        shape = config.get("build_input_shape")
        if shape is not None and not made.built:
            made.build(lengths(shape, "build_input_shape"))
        return made

    def call(self, inputs: Any) -> Any:
        if not self._layers:
            raise ValueError(f"{self.name!r}: expected layers to call, got none; add some first")
        inputs = self._fit(inputs)
        for layer in self._layers:
            inputs = layer(inputs)
        return inputs

    def _fit(self, x: Any) -> Any:
        """``x`` with a last axis of length one added or removed where that makes it what the model takes."""
        if self._input is None or isinstance(x, list | tuple | dict):
            return x
        if self._other_lengths and np.ndim(plain(x)) == len(self._input.batch_shape):
            return x  # each layer says itself what does not fit
        first = self._layers[0].name if self._layers else self.name
        return fitted_one(x, self._input.output, self.name, first)


def _told(layer: Layer) -> InputLayer | None:
    """The input that a layer tells a model that begins with it."""
    if isinstance(layer, Sequential):
        return layer._input
    if isinstance(layer, Model) and layer._network is not None:
        one = isinstance(layer.input, KerasTensor)
        return InputLayer(batch_shape=layer.input.shape, dtype=layer.input.dtype) if one else None
    return None if layer.input_shape is None else InputLayer(shape=layer.input_shape)


def _given(layer: Layer, value: Any) -> Any:
    """What a layer gave when it was called on a value; None where it was not."""
    return next((call.outputs for call in layer._calls if call.args and call.args[0] is value), None)
