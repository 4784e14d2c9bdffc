"""Models: layers that can be trained."""

from __future__ import annotations

import functools
import json
from typing import Any

import numpy as np

from autograd_core.mode import no_grad

from .. import keras_files, saving
from ..layers.layer import Layer
from ..summary import summary
from .trainer import Trainer


class Model(Trainer):
    """A model of your own: layers in ``__init__``, and what they compute in ``call``, in plain Python.

    Residual connections and several inputs need nothing more. TypeError for an argument that it does not have, such as
    Keras' ``inputs`` and ``outputs``; ValueError for inputs of another shape than before, RuntimeError where it is to
    train and was not compiled.

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

    def __init__(self, *args: Any, **kwargs: Any):
        if args or "inputs" in kwargs or "outputs" in kwargs:
            raise TypeError(
                "a Model is not made from inputs and outputs here; derive a class from nn.Model and write call(self, "
                "x) in plain Python, or use nn.Sequential"
            )
        super().__init__(**kwargs)
        # The shape of the inputs of the first call, from which a saved model is built again.
        self.called_with: Any = None
        self._building = False

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return self.sublayers

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

    def build(self, input_shape: Any) -> None:
        """Make all weights, for inputs of this shape, whose first axis is None.

        A ``build`` of a class of your own makes the model's own weights; the call that follows it builds the layers.
        """
        if self._building:  # super().build() in a build of one's own
            return
        with no_grad():
            self(zeros(input_shape))

    def _build(self, shape: Any) -> None:
        """Nothing to do before the call itself, in which the layers are built; unless ``build`` says more."""
        if type(self).build is not Model.build:
            self._building = True
            try:
                self.build(shape)
            finally:
                self._building = False
        self.called_with, self.built = shape, True

    # -- files and text --------------------------------------------------------------------------------

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None) -> None:
        """Save the model, its weights, what it was compiled with and its optimizer's state in one file.

        Parameters
        ----------
        filepath : path or file object
            A name that ends in ``.keras`` for a file of Keras, in ``.autograd`` for one of our own; or a file object.
        overwrite : bool
            Whether a file that is there may be replaced.
        zipped : bool, optional
            True or None; Keras' folders are not written.

        Raises
        ------
        ValueError, FileExistsError, ImportError
            Where `nn.models.save_model` does.
        """
        saving.save_model(self, filepath, overwrite, zipped)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Save the weights alone, in a file that ends in ``.weights.h5`` (of Keras) or ``.autograd``."""
        saving.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False) -> None:
        """Replace the weights by those in a file; with ``skip_mismatch`` layers that do not fit keep their own."""
        saving.load_weights(self, filepath, skip_mismatch)

    def to_json(self, **kwargs: Any) -> str:
        """The model without its weights as Keras' JSON, from which `nn.models.model_from_json` makes another.

        ``kwargs`` are those of `json.dumps`.
        """
        return json.dumps(keras_files.described(self), **kwargs)

    def summary(
        self,
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
        summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)


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
