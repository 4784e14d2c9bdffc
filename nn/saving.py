"""Models in files: of our own format, a zip of a JSON configuration and safetensors weights, or of Keras'.

Loading never runs code. A file is written whole or not at all (`autograd_core.files`), so whatever happens there is the
old file or the new one. The name says which format it is: ``.keras`` and ``.weights.h5`` are Keras' (`keras_files`).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_core import caller
from autograd_core.arrays import to_numpy
from autograd_core.files import written_whole
from autograd_core.optional import needed

from . import absent, checks, config, distributed, keras_files, random
from .config import custom_object_scope
from .layers.layer import Layer
from .layers.making import limited_weights
from .objects import (
    class_of,
    compile_as_told,
    deserialize_keras_object,
    model_from,
    serialize_keras_object,
    shape_told,
)
from .tensors import plain

FORMAT = "autograd-core model"
VERSION = 1
HDF5 = b"\x89HDF\r\n\x1a\n"
PARTS = {"config.json", "weights.safetensors"}


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


class MissingFileError(ModelFileError, FileNotFoundError):
    """There is no such file: what Python calls a FileNotFoundError and Keras a ValueError."""


# -- names -------------------------------------------------------------------------------------------------

OURS = (".autograd", ".zip", "")


def is_keras(filepath: Any, weights: bool = False) -> bool:
    """Whether a file of this name is to be written in Keras' format; a file object is, as by Keras.

    ValueError for a name that belongs to another format.

    >>> is_keras("m.keras"), is_keras("m.weights.h5", weights=True), is_keras("m.autograd")
    (True, True, False)
    """
    if hasattr(filepath, "write"):
        return True
    # A link is followed, so both names are the file's.
    name, written = (os.path.basename(path) for path in (os.fspath(filepath), os.path.realpath(filepath)))
    keras = ".weights.h5" if weights else ".keras"
    if name.endswith(keras) or written.endswith(keras):
        return True
    if os.path.splitext(written)[1] in OURS:
        return False
    what = "weights" if weights else "a model"
    hint = ""
    if name.endswith(".h5") and not weights:
        hint = "; .h5 is the format of Keras 2, and .weights.h5 is for save_weights()"
    raise ValueError(
        f"expected a file for {what} to end in {keras} (the format of Keras) or .autograd (our own, which .zip or no "
        f"ending mean too), got {name!r}{hint}"
    )


def _free(filepath: Any, overwrite: bool) -> None:
    if not overwrite and not hasattr(filepath, "write") and not distributed.rank() and os.path.exists(filepath):
        raise FileExistsError(f"{filepath} exists; save with overwrite=True, or under another name")


# -- whole models ------------------------------------------------------------------------------------------


def save_model(model: Any, filepath: Any, overwrite: bool = True, zipped: bool | None = None) -> None:
    """Save a model with its weights, what it was compiled with, and its optimizer's state.

    Parameters
    ----------
    model : Model
        A model that is built.
    filepath : path or file object
        A path that ends in ``.keras``, which Keras reads (it needs h5py), or in ``.autograd``, our own format, which
        remembers also where generators of dropout have come to; or a file object, for Keras' format.
    overwrite : bool
        Whether a file that is there may be replaced.
    zipped : bool, optional
        True or None; Keras' folders (False) are not written.

    Raises
    ------
    ValueError
        The model is not built, or the name belongs to another format.
    FileExistsError
        The file is there and ``overwrite`` is False.
    ImportError
        Without h5py for ``.keras``, without safetensors for ``.autograd``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "model.autograd"
    >>> nn.models.save_model(model, file)
    >>> file.exists()
    True
    """
    keras = is_keras(filepath)
    if zipped is False:
        raise ValueError("expected zipped=True, got False: a model is saved in one file, not in a folder")
    _free(filepath, overwrite)
    if not model.built and model.weights:
        raise ValueError(f"{model.name!r} is not built as a whole; call it once before it is saved, or pass Input(…)")
    if model.built and model.called_with is None:
        raise ValueError(
            f"{model.name!r} was never called, so the shape of its inputs, from which a loaded model is built, is not "
            "known; call it once, or model.build(shape)"
        )
    if keras:
        _put(filepath, keras_files.whole(model))
        return
    content = {
        "format": FORMAT,
        "version": VERSION,
        "class_name": type(model).__name__,
        "config": model.get_config(),
        "registered_name": config.registered_name(type(model)),
        "input_shape": model.called_with,
        "trainable": [layer.trainable for layer in _with_weights(model)],
        "generators": _chances_of(model),
    }
    arrays = _numbered("weights", (plain(w) for w in model.weights))
    if model.compiled:
        content["compile"] = model.get_compile_config()
        content["optimized"], state = model.optimizer.state_for(model.weights)
        arrays |= _numbered("optimizer", state)
    write(os.fspath(filepath), content, arrays)


def load_model(
    filepath: Any, custom_objects: Mapping[str, Any] | None = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """The model in a file of ours or of Keras (``.keras``). No code in it is run.

    Parameters
    ----------
    filepath : path or file object
        A path or a file object.
    custom_objects : dict, optional
        Classes and functions of your own by name, beside those that `register_keras_serializable` knows.
    compile : bool
        Whether to compile it as it was when it was saved, with the optimizer's state.
    safe_mode : bool
        Taken so that scripts run: code in a file is never run, so a file that holds some is refused with False too.

    Returns
    -------
    Model
        Of the class that was saved, built.

    Raises
    ------
    ModelFileError
        It is no model of ours or of Keras, was damaged, holds code, or asks for what there is not here (a ValueError).
    FileNotFoundError
        There is none.
    ImportError
        Without h5py for ``.keras``, without safetensors for ``.autograd``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "model.autograd"
    >>> model.save(file)
    >>> np.array_equal(nn.models.load_model(file).get_weights()[0], model.get_weights()[0])
    True
    """
    path = _name_of(filepath)
    content, arrays = read(filepath)
    if isinstance(arrays, bytes):
        with config.custom_object_scope(custom_objects), _described(path):
            return _of_keras(path, content, arrays, compile)
    if "class_name" not in content or not isinstance(content.get("config"), dict):
        raise ModelFileError(f"{path} holds weights without a model; use model.load_weights()")
    _say_ours(path)
    with config.custom_object_scope(custom_objects), _described(path):
        weights, state = _part(arrays, "weights"), _part(arrays, "optimizer")
        with limited_weights(sum(a.size for a in weights)):
            shape = shape_told(content.get("input_shape"))
            model = class_of(content).from_config(content["config"])
            if not model.built and shape is not None:
                model.build(shape)
            model.set_weights(weights)
            _freeze(model, content.get("trainable"))
            _go_on(model, content.get("generators"))
        if compile and content.get("compile"):
            compile_as_told(model, content["compile"])
            if model.compiled:
                _restore_optimizer(model, content.get("optimized"), state)
    return model


def _of_keras(path: str, content: Any, data: bytes, compile: bool) -> Any:
    """The model in a file of Keras: made from its configuration, then given its weights and its optimizer's state."""
    if not content:
        with keras_files.opened(data) as stored:
            raise ValueError(
                "it is in the HDF5 format of Keras 2; load it with Keras, and save('….keras')"
                if stored.legacy()
                else "it holds weights without a model; use model.load_weights()"
            )
    with limited_weights(len(data)):  # a number takes a byte at least
        model = model_from(content, compile)
    with keras_files.opened(data) as stored:
        if model.compiled and stored.count("optimizer") > len(model.optimizer.variables):
            model.optimizer.build(model.trainable_variables)
        skipped, problem = keras_files.assign(model, stored)
    if skipped:
        warnings.warn(f"{path}: {'; '.join(skipped)}; skipped", stacklevel=caller.level_of_caller())
    if problem:  # as Keras does; the model itself is whole
        warnings.warn(
            f"{path} holds {problem[0]} arrays of the optimizer's state where {problem[1]} are needed: other "
            "weights trained then; the optimizer begins anew",
            stacklevel=caller.level_of_caller(),
        )
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
    model : Model
        A model that is built.
    filepath : path or file object
        A path that ends in ``.weights.h5``, which Keras reads (it needs h5py), or in ``.autograd``; or a file object,
        for Keras' format.
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    ValueError, FileExistsError, ImportError
        Where `save_model` does.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "weights.autograd"
    >>> nn.saving.save_weights(model, file)
    >>> file.exists()
    True
    """
    keras = is_keras(filepath, weights=True)
    _free(filepath, overwrite)
    if not model.built:
        raise ValueError(f"{model.name!r} is not built, so it has no weights to save; call it once, or pass Input(…)")
    if keras:
        _put(filepath, keras_files.hdf5(model))
        return
    content = {"format": FORMAT, "version": VERSION}
    write(os.fspath(filepath), content, _numbered("weights", (plain(w) for w in model.weights)))


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False) -> None:
    """Replace the weights of a model by those in a file of ours, or in a ``.weights.h5`` or ``.keras`` file of Keras.

    As in Keras, a file of Keras' brings the optimizer's state too, where the model's one has arrays of these shapes.

    Parameters
    ----------
    model : Model
        A model that is built.
    filepath : path or file object
        A path or a file object.
    skip_mismatch : bool
        Whether a layer whose weights have other shapes keeps its own, with a warning.

    Raises
    ------
    ModelFileError, ValueError
        The file is damaged, its weights do not fit, or the model is not built; then none is changed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(2,)), nn.layers.Dense(1)])
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "weights.autograd"
    >>> nn.saving.save_weights(model, file)
    >>> model.set_weights([np.zeros((2, 1)), np.zeros(1)])
    >>> nn.saving.load_weights(model, file)
    >>> bool(np.any(model.get_weights()[0]))
    True
    """
    path = _name_of(filepath)
    _, arrays = read(filepath)
    with _described(path):
        if not model.built:
            raise ValueError(f"{model.name!r} is not built yet; pass Input(shape=…) first, or call it once")
        if isinstance(arrays, bytes):
            with keras_files.opened(arrays) as stored:
                if stored.legacy():
                    raise ValueError(
                        "it is in the HDF5 format of Keras 2; load it there, and save_weights('….weights.h5') again"
                    )
                skipped, _ = keras_files.assign(model, stored, skip_mismatch)
        else:
            _say_ours(path)
            skipped = _assign(model, _part(arrays, "weights"), skip_mismatch)
    if skipped:
        warnings.warn(f"{path}: {'; '.join(skipped)}; skipped", stacklevel=caller.level_of_caller())


def _assign(model: Any, weights: list[Any], skip_mismatch: bool) -> list[str]:
    """Replace the weights, those of layers in which one does not fit excepted if they may be; tell which."""
    skipped = []
    if skip_mismatch and len(weights) == len(model.weights):
        given = dict(zip(map(id, model.weights), weights, strict=True))
        for layer in _with_weights(model):
            if any(w.shape != given[id(w)].shape for w in layer._weights):
                skipped.append(f"layer {layer.name!r} has weights of other shapes")
                given |= {id(w): plain(w) for w in layer._weights}
        weights = list(given.values())
    model.set_weights(weights)
    return skipped


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
    if isinstance(arrays, bytes):
        raise ModelFileError(f"{path} is a file of Keras, not a backup of a training")
    with _described(path):
        if not model.built:
            model.build(shape_told(content["input_shape"]))
        model.set_weights(_part(arrays, "weights"))
        _freeze(model, content.get("trainable"))
        _restore_optimizer(model, content.get("optimized"), _part(arrays, "optimizer"))
        random.generator.bit_generator.state = content["generator"]
        _go_on(model, content["generators"])
        model.history.history.update(content["history"])
        model.history.epoch[:] = content["epochs"]
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


def _put(filepath: Any, data: bytes) -> None:
    """Write bytes, to a file whole or not at all; of several processes the first one does."""
    if distributed.rank():
        return
    if hasattr(filepath, "write"):
        rest = memoryview(data)
        while rest:  # a file without a buffer may take a part
            taken = filepath.write(rest)
            rest = rest[len(rest) if taken is None else taken :]
        return
    with written_whole(filepath) as file:
        file.write(data)


def _name_of(filepath: Any) -> str:
    """What messages call a file."""
    return "the file" if hasattr(filepath, "read") else os.fspath(filepath)


def _say_ours(path: str) -> None:
    """Say of a file of ours that it has a name of Keras', as earlier versions gave it."""
    if path.endswith((".keras", ".h5")):
        warnings.warn(
            f"{path} has the name of a file of Keras, but is one of ours, as earlier versions wrote it; save it again "
            "under a name that ends in .autograd, or in .keras for a file that Keras reads",
            stacklevel=caller.level_of_caller(),
        )


def read(filepath: Any) -> tuple[dict[str, Any], Any]:
    """The configuration and the arrays in a file, or an error that says what is wrong with it.

    Of a file of Keras the arrays are the bytes of its HDF5 part; weights alone have no configuration.
    """
    path = _name_of(filepath)
    if hasattr(filepath, "read"):
        return _read(path, io.BytesIO(filepath.read()))
    if not os.path.exists(path):
        raise MissingFileError(f"there is no file {path}")
    try:
        with open(path, "rb") as file:
            return _read(path, file)
    except IsADirectoryError:
        raise ModelFileError(f"{path} is a folder, not a file") from None


def _read(path: str, file: Any) -> tuple[dict[str, Any], Any]:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(8)
    if start == HDF5:
        file.seek(0)
        return {}, file.read()
    try:
        with zipfile.ZipFile(file) as archive:
            if keras_files.PARTS[2] in archive.namelist():
                return keras_files.parts(archive, size)
            return _own(path, archive, size)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        pickled = ". It is a pickle, and pickles run code: none is ever read" if start[:1] == b"\x80" else ""
        raise ModelFileError(f"{path} is not a model file, or was cut off or damaged: {error}{pickled}") from error
    except ModelFileError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFileError(f"{path} is damaged: {error}") from error


def _own(path: str, archive: zipfile.ZipFile, size: int) -> tuple[dict[str, Any], Any]:
    """What a file of our own holds."""
    needed("safetensors", "A model's file")
    from safetensors import SafetensorError
    from safetensors.numpy import load

    entries = archive.infolist()
    if sorted(e.filename for e in entries) != sorted(PARTS):
        raise ModelFileError(f"{path} is a zip, but not a model of ours: it holds {[e.filename for e in entries][:5]}")
    content = keras_files.configuration(archive, PARTS, size)
    try:
        arrays = load(archive.read("weights.safetensors"))
    except SafetensorError as error:
        raise ModelFileError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelFileError(f"{path} is a zip, but not a model of ours")
    if content.get("version") != VERSION:
        raise ModelFileError(f"{path} has format version {content.get('version')!r}; this library reads {VERSION}")
    return content, arrays


def _numbered(prefix: str, arrays: Iterable[Any]) -> dict[str, Any]:
    return {f"{prefix}/{i:04d}": array for i, array in enumerate(arrays)}


def _part(arrays: Mapping[str, Any], prefix: str) -> list[Any]:
    """The arrays of one kind, by their numbers."""
    found = {name.removeprefix(f"{prefix}/"): a for name, a in arrays.items() if name.startswith(f"{prefix}/")}
    expected = [f"{i:04d}" for i in range(len(found))]
    if found.keys() != set(expected):
        raise ValueError(f"the {len(found)} arrays of {prefix!r}: expected numbers from 0 on, got others")
    return [found[number] for number in expected]


@contextlib.contextmanager
def _described(path: str) -> Iterator[None]:
    """Say which file it was when what it describes cannot be made."""
    try:
        yield
    except ImportError:  # what reads it is missing, and the file may be whole
        raise
    except Exception as error:
        raise ModelFileError(f"{path} cannot be loaded: {error}") from error


register_keras_serializable = config.register_keras_serializable
get_registered_name = config.registered_name
get_registered_object = config.registered_object

__all__ = [
    "ModelFileError",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]

__getattr__ = absent.getattr_of("saving")
