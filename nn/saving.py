"""Models in files: a zip of a JSON configuration and safetensors weights. Loading never runs code.

A file is written whole or not at all (`autograd_core.files`), so whatever happens there is the old file or the new one.
"""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_core.arrays import to_numpy
from autograd_core.files import written_whole
from autograd_core.optional import needed

from . import checks, config, distributed, random
from .layers.layer import Layer, limited_weights
from .tensors import plain

FORMAT = "autograd-core model"
VERSION = 1
PARTS = {"config.json", "weights.safetensors"}
JSON_LIMIT = 64 * 2**20


class ModelFileError(ValueError):
    """A file is not a model of ours, or was damaged.

    >>> import pathlib, tempfile
    >>> import nn
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "model.zip"
    >>> _ = file.write_text("not a model")
    >>> nn.models.load_model(file)
    Traceback (most recent call last):
    nn.saving.ModelFileError: model.zip is not a model file, or was cut off or damaged
    """


# -- whole models ------------------------------------------------------------------------------------------


def save_model(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Save a model with its weights, what it was compiled with, and its optimizer's state.

    Parameters
    ----------
    model
        A built one that was called, or knows its input.
    filepath
        The file to write; it is replaced when the new one is complete.
    overwrite
        Whether a file that is there may be replaced.

    Raises
    ------
    ValueError
        When the model is not built.
    FileExistsError
        When the file is there and ``overwrite`` is False.
    ImportError
        Without safetensors.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "model.zip"
    >>> nn.models.save_model(model, file)
    >>> file.exists()
    True
    """
    path = os.fspath(filepath)
    if not overwrite and not distributed.rank() and os.path.exists(path):
        raise FileExistsError(f"{path} exists; save with overwrite=True, or under another name")
    if not model.built:
        raise ValueError(f"{model.name!r} is not built, so it has no weights to save; call it once, or pass Input(…)")
    if model.called_with is None:
        raise ValueError(
            f"{model.name!r} was never called, so the shape of its inputs, from which a loaded model is built, is not "
            "known; call it once, or model.build(shape)"
        )
    content = {
        "format": FORMAT,
        "version": VERSION,
        "class_name": type(model).__name__,
        "config": model.get_config(),
        "input_shape": model.called_with,
        "trainable": [layer.trainable for layer in _with_weights(model)],
        "generators": _chances_of(model),
    }
    arrays = _numbered("weights", (plain(w) for w in model.weights))
    if model.compiled:
        content["compile"] = model.get_compile_config()
        content["optimized"], state = model.optimizer.state_for(model.weights)
        arrays |= _numbered("optimizer", state)
    write(path, content, arrays)


def load_model(filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True) -> Any:
    """The model in a file. No code in it is run.

    Parameters
    ----------
    filepath
        What `save_model` has written.
    custom_objects
        From the names of classes and functions of your own to these.
    compile
        Whether the model is compiled as it was, with its optimizer's state.

    Returns
    -------
    Model
        With the weights of the saved one.

    Raises
    ------
    ModelFileError
        When the file is not a model of ours, or damaged (a ValueError).
    FileNotFoundError
        When there is none.
    ImportError
        Without safetensors.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "model.zip"
    >>> model.save(file)
    >>> np.array_equal(nn.models.load_model(file).get_weights()[0], model.get_weights()[0])
    True
    """
    path = os.fspath(filepath)
    content, arrays = read(path)
    if "class_name" not in content or not isinstance(content.get("config"), dict):
        raise ModelFileError(f"{path} holds weights without a model; use model.load_weights()")
    with config.custom_object_scope(custom_objects), _described(path):
        weights, state = _part(arrays, "weights"), _part(arrays, "optimizer")
        with limited_weights(sum(a.size for a in weights)):
            cls = config.registry("model").lookup(str(content["class_name"]))
            shape = _shape(content.get("input_shape"))
            model = cls.from_config(content["config"])
            if not model.built and shape is not None:
                model.build(shape)
            model.set_weights(weights)
            _freeze(model, content.get("trainable"))
            _go_on(model, content.get("generators"))
        if compile and content.get("compile"):
            model.compile(**content["compile"])
            _restore_optimizer(model, content.get("optimized"), state)
    return model


def _with_weights(model: Layer) -> list[Layer]:
    return [layer for layer in model.walk_layers() if layer._weights]


def _freeze(model: Layer, trainable: Any) -> None:
    """Which layers train, of those too that a model makes itself and its configuration does not tell of."""
    if trainable is None:  # a file of earlier versions
        return
    for layer, trains in zip(_with_weights(model), trainable, strict=True):
        if not isinstance(trains, bool):
            raise ValueError(f"trainable: expected true or false, got {trains!r}")
        if layer.trainable != trains:
            layer._train(trains)


def _restore_optimizer(model: Any, optimized: Any, state: Sequence[Any]) -> None:
    """Give an optimizer back what its `state_for` told."""
    weights, optimizer = model.weights, model.optimizer
    if optimized is not None:
        variables = [weights[checks.whole(i, "the place of a weight")] for i in optimized]
    else:  # a file of earlier versions
        variables = model.trainable_variables if len(state) > len(optimizer.variables) else []
    if variables:
        optimizer.build(variables)
    optimizer.set_weights(state)


# -- weights alone -----------------------------------------------------------------------------------------


def save_weights(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Save the weights of a model, without its configuration.

    Parameters
    ----------
    model, filepath, overwrite
        As in `save_model`.

    Raises
    ------
    ValueError, FileExistsError, ImportError
        Where `save_model` does.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "model.zip"
    >>> nn.saving.save_weights(model, file)
    >>> file.exists()
    True
    """
    path = os.fspath(filepath)
    if not overwrite and not distributed.rank() and os.path.exists(path):
        raise FileExistsError(f"{path} exists; save with overwrite=True, or under another name")
    if not model.built:
        raise ValueError(f"{model.name!r} is not built, so it has no weights to save; call it once, or pass Input(…)")
    write(path, {"format": FORMAT, "version": VERSION}, _numbered("weights", (plain(w) for w in model.weights)))


def load_weights(model: Any, filepath: Any) -> None:
    """Replace the weights of a model by those in a file.

    Raises ModelFileError when the file is damaged, ValueError when the weights do not fit.

    >>> import pathlib, tempfile
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "model.zip"
    >>> nn.saving.save_weights(model, file)
    >>> model.set_weights([np.zeros((2, 1)), np.zeros(1)])
    >>> nn.saving.load_weights(model, file)
    >>> bool(np.any(model.get_weights()[0]))
    True
    """
    path = os.fspath(filepath)
    _, arrays = read(path)
    with _described(path):
        model.set_weights(_part(arrays, "weights"))


# -- a training in progress --------------------------------------------------------------------------------


def save_training(model: Any, path: str, epoch: int, callbacks: Sequence[Any] = ()) -> None:
    """Save all that the next epoch depends on."""
    remembered, kept = _memories(callbacks)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "epoch": epoch,
        "history": model.history.history,
        "epochs": model.history.epoch,
        "input_shape": model.called_with,
        "generator": random.get_state(random.generator),
        "generators": _chances_of(model),
        "stopped": model.stop_training,
        "trainable": [layer.trainable for layer in _with_weights(model)],
        "callbacks": remembered,
    }
    content["optimized"], state = model.optimizer.state_for(model.weights)
    arrays = _numbered("weights", (plain(w) for w in model.weights)) | _numbered("optimizer", state)
    write(path, content, arrays | kept)


def restore_training(model: Any, path: str, callbacks: Sequence[Any] = ()) -> int:
    """Restore what `save_training` saved; the epoch to go on with."""
    content, arrays = distributed.from_first(lambda: read(path), "reading a backup")
    with _described(path):
        if not model.built:
            model.build(_shape(content["input_shape"]))
        model.set_weights(_part(arrays, "weights"))
        _freeze(model, content.get("trainable"))
        _restore_optimizer(model, content.get("optimized"), _part(arrays, "optimizer"))
        random.generator.bit_generator.state = content["generator"]
        _go_on(model, content["generators"])
        model.history.history.update(content["history"])
        model.history.epoch.extend(content["epochs"])
        model.stop_training = content.get("stopped", False)
        for key, callback in _by_class(callbacks).items():
            for name, value in content.get("callbacks", {}).get(key, {}).items():
                if name in callback.remembers:
                    several = value == ARRAYS
                    setattr(callback, name, _part(arrays, f"callbacks/{key}/{name}") if several else value)
        return int(content["epoch"])


ARRAYS = {"arrays": True}  # stands in the configuration for a list of arrays, which are with the weights


def _by_class(callbacks: Sequence[Any]) -> dict[str, Any]:
    """Callbacks that remember something, by the name of their class and which of that class they are."""
    found: dict[str, Any] = {}
    for callback in callbacks:
        if callback.remembers:
            name = type(callback).__name__
            found[f"{name} {sum(key.rpartition(' ')[0] == name for key in found)}"] = callback
    return found


def _memories(callbacks: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What callbacks remember, as JSON and as arrays."""
    content: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    for key, callback in _by_class(callbacks).items():
        content[key] = {}
        for name in callback.remembers:
            value = getattr(callback, name)
            if isinstance(value, list) and value and all(isinstance(v, np.ndarray) for v in value):
                arrays |= _numbered(f"callbacks/{key}/{name}", value)
                value = ARRAYS
            elif isinstance(value, np.generic):
                value = value.item()
            content[key][name] = value
    return content, arrays


def _chances_of(model: Layer) -> list[Any]:
    """Where the generators of a model's layers have come to, as plain data."""
    return [config.serialize(random.get_state(generator)) for generator in random.generators_of(model)]


def _go_on(model: Layer, states: Any) -> None:
    """Let the generators of a model's layers go on where those that were saved had come to."""
    if states is None:  # a file of earlier versions
        return
    for generator, state in zip(random.generators_of(model), states, strict=True):
        kind = getattr(np.random, str(state["bit_generator"]))
        if not (isinstance(kind, type) and issubclass(kind, np.random.BitGenerator)):
            raise ValueError(f"a generator: expected one of NumPy's, got {state['bit_generator']!r}")
        if isinstance(generator.bit_generator, kind):
            generator.bit_generator.state = state


# -- the file ----------------------------------------------------------------------------------------------


def write(path: str, content: Any, arrays: Mapping[str, Any]) -> None:
    """Write a file whole or not at all; of several processes the first one does."""
    if distributed.rank():
        return
    save = needed("safetensors.numpy", "A model's file").save

    with written_whole(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("config.json", json.dumps(content, indent=1))
        copies = {name: to_numpy(a) for name, a in arrays.items()}
        whole = {name: np.ascontiguousarray(a).reshape(np.shape(a)) for name, a in copies.items()}
        archive.writestr("weights.safetensors", save(whole))


def read(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The configuration and the arrays in a file, or an error that says what is wrong with it."""
    needed("safetensors", "A model's file")
    from safetensors import SafetensorError
    from safetensors.numpy import load

    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {path}")
    size = os.path.getsize(path)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if sorted(e.filename for e in entries) != sorted(PARTS):
                raise ModelFileError(
                    f"{path} is a zip, but not a model of ours: it holds {[e.filename for e in entries][:5]}"
                )
            # We store without compression, so nothing can be larger than the file that it came in.
            if any(e.compress_type != zipfile.ZIP_STORED or e.file_size > size for e in entries):
                raise ModelFileError(f"{path} was not written by us: its parts are compressed or larger than the file")
            if archive.getinfo("config.json").file_size > JSON_LIMIT:
                raise ModelFileError(f"{path} has a configuration of more than {JSON_LIMIT} bytes")
            content = json.loads(archive.read("config.json"))
            arrays = load(archive.read("weights.safetensors"))
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, RecursionError):
            raise ModelFileError(f"{path} has a configuration nested without end") from None
        raise ModelFileError(f"{path} is not a model file, or was cut off or damaged: {error}{_guess(path)}") from error
    except ModelFileError:
        raise
    except (ValueError, SafetensorError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelFileError(f"{path} is a zip, but not a model of ours")
    if content.get("version") != VERSION:
        raise ModelFileError(f"{path} has format version {content.get('version')!r}; this library reads {VERSION}")
    return content, arrays


def _guess(path: str) -> str:
    """What a file of another kind seems to be."""
    with open(path, "rb") as file:
        start = file.read(8)
    if start.startswith(b"\x89HDF"):
        return ". It is an HDF5 file, such as Keras writes; carry weights over with get_weights and set_weights"
    return ". It is a pickle, and pickles run code: none is ever read" if start.startswith(b"\x80") else ""


def _numbered(prefix: str, arrays: Iterable[Any]) -> dict[str, Any]:
    return {f"{prefix}/{i:04d}": array for i, array in enumerate(arrays)}


def _part(arrays: Mapping[str, Any], prefix: str) -> list[Any]:
    """The arrays of one kind, by their numbers."""
    found = {name.removeprefix(f"{prefix}/"): a for name, a in arrays.items() if name.startswith(f"{prefix}/")}
    expected = [f"{i:04d}" for i in range(len(found))]
    if found.keys() != set(expected):
        raise ValueError(f"the {len(found)} arrays of {prefix!r}: expected numbers from 0 on, got others")
    return [found[number] for number in expected]


def _shape(shape: Any) -> Any:
    """The shape of the inputs, or a list or dict of the shapes of several."""
    if shape is None:
        return None
    if isinstance(shape, dict):
        return {str(name): _shape(s) for name, s in shape.items()}
    if isinstance(shape, list) and any(isinstance(s, list | dict) for s in shape):
        return [_shape(s) for s in shape]
    return checks.lengths(shape, "the shape of the inputs")


@contextlib.contextmanager
def _described(path: str) -> Iterator[None]:
    """Say which file it was when what it describes cannot be made."""
    try:
        yield
    except Exception as error:
        raise ModelFileError(f"{path} cannot be loaded: {error}") from error


__all__ = ["ModelFileError", "load_model", "load_weights", "save_model", "save_weights"]
