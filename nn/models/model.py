"""Models: layers that can be trained."""

from __future__ import annotations

import functools
from typing import Any, Self

import numpy as np

from autograd_core.mode import no_grad

from ..layers.layer import Layer
from ..layers.operation import Operation
from ..layers.symbolic import KerasTensor, shape_of, symbols
from ..names import unique_name
from .arguments import fitted
from .in_files import InFiles
from .network import Network
from .network_config import described, ends
from .trainer import Trainer
from .yielding import Yielding


class Model(InFiles, Trainer):
    """A model of your own: what leads from inputs to outputs, or a class with layers and a ``call`` in plain Python.

    Parameters
    ----------
    inputs, outputs : KerasTensor, or list or dict of them, optional
        What `Input` gives, and what layers give that were called on it: one, or a list or dict of them; None for a
        class with a ``call`` of its own, where residual connections and several inputs need nothing more.
    **kwargs : dict
        ``trainable`` and ``name``, as in `Layer`.

    Raises
    ------
    TypeError
        For an argument that it does not have, and for inputs without outputs.
    ValueError
        For outputs that need more than the inputs; in a call, for inputs of another shape than before.
    RuntimeError
        Where it is to train and was not compiled.

    Examples
    --------
    >>> import nn
    >>> x = nn.Input(shape=(4,))
    >>> y = nn.layers.Dense(1)(x + nn.layers.Dense(4, "relu")(x))
    >>> model = nn.Model(x, y)
    >>> model(np.ones((2, 4), "float32")).shape
    (2, 1)

    >>> import nn
    >>> class Residual(nn.Model):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.inner, self.last = nn.layers.Dense(4, "relu"), nn.layers.Dense(1)
    ...     def call(self, x):
    ...         return self.last(x + self.inner(x))
    >>> Residual()(np.ones((2, 4), "float32")).shape
    (2, 1)
    """

    # The model's layers convert what they need; whole numbers reach an Embedding as they are.
    autocast = False
    takes_sparse = True

    def __init__(self, inputs: Any = None, outputs: Any = None, **kwargs: Any):
        if (inputs is None) != (outputs is None):
            raise TypeError(
                "a Model: expected inputs and outputs, Model(inputs=x, outputs=layer(x)), or neither, in a class that "
                "defines call(self, x)"
            )
        if inputs is not None and type(self) is Model and kwargs.get("name") is None:
            kwargs["name"] = unique_name("functional")
        super().__init__(**kwargs)
        # What it computes, where it was made from inputs and outputs.
        self._network: Network | None = None
        self._network_layers: tuple[Layer, ...] = ()
        # The shape of the inputs of the first call, from which a saved model is built again.
        self.called_with: Any = None
        self._building = False
        if inputs is not None:
            self._network = Network(inputs, outputs)
            self._network_layers = tuple(x for x in self._network.layers if not isinstance(x, Operation))
            self.called_with, self.output_shape, self.built = shape_of(inputs), shape_of(outputs), True
            self.input_shape = self.called_with

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return self._sublayers

    @Yielding
    def operations(self) -> list[Layer]:
        """The layers, and the functions of NumPy's that stand between them."""
        return self._operations()

    def _operations(self) -> list[Layer]:
        return self.layers if self._network is None else list(self._network.layers)

    @property
    def keras_module(self) -> str | None:  # type: ignore[override]
        """Where Keras has such a model."""
        return None if self._network is None else "keras.src.models.functional"

    @property
    def keras_name(self) -> str | None:  # type: ignore[override]
        """What Keras calls it."""
        return None if self._network is None else "Functional"

    # -- made from inputs and outputs ------------------------------------------------------------------

    @Yielding
    def inputs(self) -> list[KerasTensor]:
        """What the model takes, one after another."""
        return symbols(self._ends("inputs").inputs)

    @Yielding
    def outputs(self) -> list[KerasTensor]:
        """What the model gives, one after another."""
        return symbols(self._ends("outputs").outputs)

    @property
    def input(self) -> Any:
        """What the model takes, as it was written down."""
        return self._ends("input").inputs

    @property
    def output(self) -> Any:
        """What the model gives, as it was written down."""
        return self._ends("output").outputs

    @Yielding
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return self._ends("input_names").input_names

    @Yielding
    def output_names(self) -> list[str]:
        """The names of the layers that give the outputs, by which losses and metrics are told apart."""
        return self._ends("output_names").output_names

    def _structure_of_outputs(self) -> Any:
        return None if self._network is None else self._network.outputs

    def _names_of_outputs(self) -> list[str] | None:
        if self._network is None:
            return None
        outputs = self._network.outputs
        return list(outputs) if isinstance(outputs, dict) else self._network.output_names

    def _ends(self, what: str) -> Network:
        if self._network is None:
            raise AttributeError(
                f"{self.name!r} has no {what}: only a Model(inputs, outputs), and a Sequential that knows its Input, do"
            )
        return self._network

    def call(self, inputs: Any) -> Any:
        """What the layers between inputs and outputs compute; a class of your own says so itself."""
        if self._network is None:
            raise TypeError(
                f"{type(self).__name__}: expected a call(inputs) of its own, or inputs and outputs in "
                "super().__init__(inputs, outputs), got neither"
            )
        return self._network(fitted(self._network.given(inputs, self.name), symbols(self._network.inputs), self.name))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: what its layers give has their masks."""
        return None

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its position."""
        from ..config import suggest

        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"{self.name!r}: expected the index of one of its {len(layers)} layers, got {index}")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(f"{self.name!r} has no layer {name!r}; {suggest(str(name), [x.name for x in layers])}")

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "build" in vars(cls) and cls.completes_build:
            cls.build = _completed(vars(cls)["build"])  # type: ignore[method-assign]

    # Whether calling the model makes the weights that a `build` of its own leaves to it.
    completes_build = True

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like this, as plain data; of layers between inputs and outputs these."""
        if self._network is None or type(self).__init__ is not Model.__init__:
            made = super().get_config()
            return {k: v for k, v in made.items() if k not in ("inputs", "outputs")}
        return {"name": self.name, "trainable": self.trainable, **described(self._network)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """A model like the one that `get_config`, or Keras', described, with new weights."""
        if not {"layers", "input_layers", "output_layers"} <= config.keys():
            return super().from_config(config)
        inputs, outputs = ends(config, custom_objects)
        made = cls(inputs, outputs, name=config.get("name"))
        made._trainable = config.get("trainable", True)  # its layers say themselves whether they train
        return made

    def build(self, input_shape: Any) -> None:
        """Make all weights, for inputs of this shape, whose first axis is None.

        A ``build`` of a class of your own makes the model's own weights; the call that follows it builds the layers.
        """
        if self._building:  # super().build() in a build of one's own
            return
        with no_grad():
            self(zeros(input_shape))

    def _build(self, shape: Any, **others: Any) -> None:
        """Nothing to do before the call itself, in which the layers are built; unless ``build`` says more."""
        if type(self).build is not Model.build:
            self._building = True
            try:
                self.build(shape)
            finally:
                self._building = False
        self.called_with, self.built = shape, True


def zeros(shape: Any) -> Any:
    """A batch of one example of zeros, or a list or dict of several for a model of several inputs."""
    if isinstance(shape, dict):
        return {name: zeros(s) for name, s in shape.items()}
    if isinstance(shape, list):
        return [zeros(s) for s in shape]
    return np.zeros([n or 1 for n in (1, *shape[1:])], np.float32)


def _completed(build: Any) -> Any:
    """A ``build`` of one's own, which is a part of building the model: the call of the model builds the layers."""

    @functools.wraps(build)
    def completed(self: Model, input_shape: Any) -> None:
        if self._building:
            build(self, input_shape)
        else:
            Model.build(self, input_shape)

    return completed
