"""Keras' own files: ``.keras``, a whole model, and ``.weights.h5``, its weights.

The layout is that of ``keras.src.saving.saving_lib`` in Keras 3: a ``.keras`` file is a zip of ``metadata.json``,
``config.json`` and ``model.weights.h5``. In the HDF5 file each layer has a group ``…/vars`` of arrays numbered from 0
on; its path is the names of the attributes and containers that lead to it. Nothing in a file is run, and of an HDF5
file only the arrays that the model asks for are read, each after a look at its size.
"""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

from autograd_core.arrays import to_numpy
from autograd_core.optional import needed

from . import config, tensors
from .layers.layer import Layer

# What our files say they were written by: Keras reads this for its messages alone.
KERAS_VERSION = "3.15.1"
PARTS = ("metadata.json", "config.json", "model.weights.h5")
# Of a Sequential and of a model from inputs to outputs Keras walks the list of layers first.
WITH_LAYERS = ("keras", "keras.src.models.functional")
JSON_LIMIT = 64 * 2**20


# -- where Keras keeps what ---------------------------------------------------------------------------------


def places(model: Layer) -> Iterator[tuple[str, Layer]]:
    """Each layer with the path of its group, as Keras walks: attributes by name, those that begin with _ last.

    >>> import nn
    >>> model = nn.Sequential([nn.layers.Dense(2), nn.layers.Dense(1), nn.layers.Flatten()])
    >>> [path for path, _ in places(model)]
    ['', 'layers/dense', 'layers/dense_1', 'layers/flatten']
    """
    yield from _at("", model, set())


def _at(path: str, layer: Layer, seen: set[int]) -> Iterator[tuple[str, Layer]]:
    if id(layer) in seen:
        return
    seen.add(id(layer))
    yield path, layer
    held = {name: getattr(layer, name, None) for name in layer._holders}
    layers = getattr(layer, "layers", None)
    if layers is not None:
        held["layers"] = layers
    first = "layers" if layer.keras_module in WITH_LAYERS else None  # before its attributes
    for name in sorted(held, key=lambda n: (n != first, f"~{n}" if n.startswith("_") else n)):
        yield from _inside(f"{path}/{name}".lstrip("/"), held[name], seen)


def _inside(path: str, value: Any, seen: set[int]) -> Iterator[tuple[str, Layer]]:
    if isinstance(value, Layer):
        yield from _at(path, value, seen)
        return
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    used: Counter[str] = Counter()
    for child in value:
        if isinstance(child, Layer | list | tuple | dict):
            kind = (child.keras_name or type(child).__name__) if isinstance(child, Layer) else "container"
            name = config.snake_case(kind)
            number, used[name] = used[name], used[name] + 1
            yield from _inside(f"{path}/{name}_{number}" if number else f"{path}/{name}", child, seen)


def own_weights(layer: Layer) -> list[Any]:
    """The weights of a layer itself: first those that train, then its state."""
    kept = set(map(id, layer._kept))
    return sorted(layer._weights, key=lambda w: id(w) in kept)


# -- HDF5 ---------------------------------------------------------------------------------------------------


def hdf5(model: Any) -> bytes:
    """The weights of a model, and the state of its optimizer if it has one, as Keras stores them."""
    h5py = needed("h5py", "A file of Keras", extra="keras")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, layer in places(model):
            _write(file, path, layer.name, [w.data for w in own_weights(layer)])
        if model.compiled and model.optimizer is not None:
            optimizer = model.optimizer
            _, (step, *state) = optimizer.state_for(model.weights)
            arrays = [np.int32(to_numpy(step)), *state]  # steps are whole numbers there
            _write(file, "optimizer", optimizer.name, [arrays[i] for i in optimizer_order(optimizer, len(arrays))])
    return buffer.getvalue()


# Slots that Keras makes variable by variable, one beside the other; any other slot it makes for all variables in turn.
BESIDE = [("momentum", "velocity"), ("accumulated_grad", "accumulated_delta_var")]


def optimizer_order(optimizer: Any, count: int) -> list[int]:
    """Where each array of an optimizer in a file of Keras stands among the ``count`` that `Optimizer.variables` tells.

    >>> import nn
    >>> optimizer = nn.optimizers.RMSprop(centered=True)
    >>> optimizer_order(optimizer, 6)  # steps, rate, and two slots of two variables: velocities, then averages
    [0, 1, 2, 4, 3, 5]
    """
    slots = list(optimizer.remembered)
    own = 1 if optimizer.schedule is not None else 2
    groups: list[list[int]] = []
    for j, slot in enumerate(slots):
        if j and (slots[j - 1], slot) in BESIDE:
            groups[-1].append(j)
        else:
            groups.append([j])
    variables = range((count - own) // max(len(slots), 1))
    return [*range(own), *(own + i * len(slots) + j for group in groups for i in variables for j in group)]


def _write(file: Any, path: str, name: str, arrays: Sequence[Any]) -> None:
    group = file.create_group(f"{path}/vars".lstrip("/"))
    group.attrs["name"] = name
    for number, array in enumerate(arrays):
        group[str(number)] = to_numpy(array)


class Weights:
    """The arrays in an HDF5 file of Keras', by the path of their group. ValueError for what Keras never writes.

    Of hostile files: no link is followed but the plain one, no array lies in another file, holds objects or references,
    or is larger than the file that it is in.
    """

    def __init__(self, data: bytes):
        h5py = needed("h5py", "A file of Keras", extra="keras")
        self.size, self.left = len(data), len(data)
        self._h5py, self._file = h5py, h5py.File(io.BytesIO(data), "r")

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def group(self, path: str) -> Any:
        """A group, or None where there is none."""
        here = self._file
        for name in filter(None, path.split("/")):
            here = self._child(here, name)
            if here is None:
                return None
            if not isinstance(here, self._h5py.Group):
                raise ValueError(f"{path}: expected a group of arrays, got {here!r}")
        return here

    def _child(self, group: Any, name: str) -> Any:
        link = group.get(name, getlink=True)
        if link is None:
            return None
        if not isinstance(link, self._h5py.HardLink):
            raise ValueError(f"{name!r} is a link to another place, which is not followed")
        return group[name]

    def count(self, path: str) -> int:
        """How many arrays a group holds itself."""
        return len(self.group(f"{path}/vars".lstrip("/")) or ())

    def arrays(self, path: str) -> list[Any]:
        """The arrays ``0``, ``1``, … in the group ``path/vars``; none where there is no such group."""
        group = self.group(f"{path}/vars".lstrip("/"))
        if group is None:
            return []
        if any(str(i) not in group for i in range(len(group))):
            raise ValueError(
                f"the {len(group)} arrays of {path or 'the model'!r}: expected numbers from 0 on, got others"
            )
        return [self._array(group, str(i), path) for i in range(len(group))]

    def holders(self, path: str) -> list[str]:
        """The names of the groups in a group in which there are weights, however deep; those of chance are none."""
        group = self.group(path)
        return [] if group is None else [name for name in group if self._holds(self._child(group, name))]

    def _holds(self, item: Any) -> bool:
        def found(path: str, inside: Any) -> bool | None:
            return (isinstance(inside, self._h5py.Dataset) and "seed_generator" not in path.split("/")) or None

        return bool(isinstance(item, self._h5py.Group) and item.visititems(found))  # each once, and no link is followed

    def legacy(self) -> bool:
        """Whether this is the HDF5 format of Keras 2."""
        return bool({"layer_names", "model_config"} & self._file.attrs.keys())

    def _array(self, group: Any, name: str, path: str) -> Any:
        stored = self._child(group, name)
        what = f"array {name} of {path or 'the model'!r}"
        if not isinstance(stored, self._h5py.Dataset):
            raise ValueError(f"{what}: expected an array, got {stored!r}")
        if stored.external or stored.is_virtual:
            raise ValueError(f"{what} lies in another file, which is not read")
        if stored.dtype.kind not in "fiub":
            raise ValueError(f"{what}: expected numbers, got {stored.dtype}")
        self.left -= stored.size * stored.dtype.itemsize
        if stored.shape is None or self.left < 0:
            raise ValueError(f"{what} is said to be larger than the file that holds it")
        return np.array(stored[()])


@contextlib.contextmanager
def opened(data: bytes) -> Iterator[Weights]:
    """The arrays in the bytes of an HDF5 file, inside a ``with`` block; ValueError where they are none."""
    try:
        weights = Weights(data)
        try:
            yield weights
        finally:
            weights.close()
    except (OSError, RuntimeError, KeyError, TypeError) as error:  # what h5py raises for a damaged file
        raise ValueError(f"its HDF5 part was cut off or damaged: {error}") from error


def assign(model: Any, stored: Weights, skip_mismatch: bool = False) -> tuple[list[str], tuple[int, int] | None]:
    """Replace the weights of a model, and its optimizer's state, by those stored.

    Tells which layers were skipped, and how many arrays of an optimizer's state there are and are needed if these do
    not fit. ValueError, before anything is changed, where the weights of a layer do not fit, the file has more layers,
    or a state is none; with ``skip_mismatch`` such a layer keeps its own.
    """
    skipped, found = [], []
    known = {"", "optimizer"}
    for path, layer in places(model):
        steps = path.split("/")
        known.update("/".join(steps[:i]) for i in range(1, len(steps) + 1))
        own, arrays = own_weights(layer), stored.arrays(path)
        shapes, expected = [a.shape for a in arrays], [w.shape for w in own]
        if shapes == expected:
            found.append((own, arrays))
        else:
            skipped.append(f"layer {layer.name!r} expected weights of shapes {expected}, and got {shapes} ({path})")
    others: list[str] = []  # perhaps of metrics, which Keras keeps beside the layers that are attributes
    for parent in sorted(known - {"optimizer"}):
        for name in stored.holders(parent):
            path = f"{parent}/{name}".lstrip("/")
            if path not in known and name not in ("vars", "seed_generator"):
                lost = skipped if parent.rpartition("/")[2] == "layers" else others
                lost.append(f"the model has no layer for the weights in {path}")
    if skipped and not skip_mismatch:
        raise ValueError("; ".join(skipped[:3]))
    misfit = _assign_optimizer(model, stored) if model.compiled else None
    for own, arrays in found:
        for variable, array in zip(own, arrays, strict=True):
            tensors.assign(variable, array)
    return skipped + others, misfit


def _assign_optimizer(model: Any, stored: Weights) -> tuple[int, int] | None:
    """Replace the state of a model's optimizer by the one stored; how many arrays there are and are needed if not."""
    state = stored.arrays("optimizer")
    if not state or model.optimizer is None:
        return None
    own = model.optimizer.variables
    order = optimizer_order(model.optimizer, len(own))
    if [np.shape(own[i]) for i in order] != [a.shape for a in state]:
        return len(state), len(own)
    in_own_order = sorted(zip(order, state, strict=True), key=lambda pair: pair[0])
    model.optimizer.set_weights([array for _, array in in_own_order])
    return None


# -- whole models -------------------------------------------------------------------------------------------


def described(model: Any) -> dict[str, Any]:
    """What Keras calls the configuration of a model, with what it was built for and compiled with."""
    with config.sharing():
        found: dict[str, Any] = config.description(model)
    shape = model.called_with
    if shape is not None:
        found["build_config"] = {"input_shape": shape}
    if model.compiled:
        found["compile_config"] = model.get_compile_config()
    return found


def whole(model: Any) -> bytes:
    """The bytes of a ``.keras`` file."""
    metadata = {"keras_version": KERAS_VERSION, "date_saved": f"{datetime.datetime.now():%Y-%m-%d@%H:%M:%S}"}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("metadata.json", json.dumps(metadata))
        archive.writestr("config.json", json.dumps(described(model)))
        archive.writestr("model.weights.h5", hdf5(model))
    return buffer.getvalue()


def parts(archive: zipfile.ZipFile, size: int) -> tuple[Any, bytes]:
    """The configuration and the HDF5 part of a ``.keras`` file of ``size`` bytes; ValueError where they are none."""
    return configuration(archive, PARTS, size), archive.read("model.weights.h5")


def configuration(archive: zipfile.ZipFile, names: Collection[str], size: int) -> Any:
    """What ``config.json`` says in a zip of ``size`` bytes, of Keras or of ours; ValueError for what neither writes.

    Both store the parts called ``names`` without compression, so nothing can be larger than the file that it came in.
    """
    for entry in archive.infolist():
        if entry.filename in names and (entry.compress_type != zipfile.ZIP_STORED or entry.file_size > size):
            raise ValueError(
                f"{entry.filename}: expected it stored as it is, got it compressed or larger than the file"
            )
    length = archive.getinfo("config.json").file_size
    if length > JSON_LIMIT:
        raise ValueError(f"its configuration: expected at most {JSON_LIMIT} bytes, got {length}")
    try:
        return json.loads(archive.read("config.json"))
    except RecursionError:
        raise ValueError("its configuration is nested without end") from None
