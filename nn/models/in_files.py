"""A model outside of the program: in a file, as text, and as a picture."""

from __future__ import annotations

import json
from typing import Any

from autograd_core.replay import freeze

from .. import keras_files, saving
from ..summary import summary


class InFiles(metaclass=freeze.Watched):
    """What is written of a model, and read again."""

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

    summary = summary

    def _draw_(self, direction: str, depth: int | None, max_nodes: int | None, fold: bool | None) -> Any:
        """What `draw` shows of a model."""
        from ..picture import model_drawn  # when it is asked for

        return model_drawn(self, direction, depth, max_nodes, fold)
