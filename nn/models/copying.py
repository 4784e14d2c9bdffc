"""Another model like one: from itself, or from JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .. import saving
from ..config import custom_object_scope


def clone_model(model: Any) -> Any:
    """A new model with the same layers and new weights, not compiled.

    ValueError or TypeError where a class of your own cannot be made from its `get_config`.

    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> [w.shape for w in clone_model(model).weights]
    [(2, 1), (1,)]
    """
    made = type(model).from_config(model.get_config())
    if model.called_with is not None and not made.built:
        made.build(model.called_with)
    return made


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `Model.to_json`, ours or Keras', described, with new weights; compiled if that one was.

    ValueError for what describes no model. No code in it is run.

    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> model_from_json(model.to_json()).count_params()
    3
    """
    with custom_object_scope(custom_objects):
        return saving.model_from(json.loads(json_string), compile=True)
