"""What each operator of ONNX is here: a function of arrays or Tensors, under the operator's name.

A function takes the operator's inputs by place and its attributes by name. What moved from the attributes to the inputs
from one version to the next (axes, pads, limits) is therefore an argument that is given one way or the other. Functions
are made of NumPy's and the engine's, so the same one computes shapes on plain arrays and records on Tensors.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..tensors import plain

# How many numbers an array may hold that a file asks for.
LIMIT = 2**28


@dataclass(frozen=True)
class Rule:
    """A function for an operator, which attributes it takes, which values of them alone, and how many outputs."""

    function: Callable[..., Any]
    attributes: frozenset[str]
    only: Mapping[str, Sequence[Any]]
    outputs: int | None
    told: frozenset[str]  # what it is told of the node: its "kind", the "opset", how many results it "gives"
    room: str  # the file of those like it

    def lacks(self, attributes: Mapping[str, Any], outputs: int) -> str:
        """What of a node the function cannot do, as a clause behind the operator's name; empty if it can do all."""
        for name, value in attributes.items():
            if name not in self.attributes:
                return f" with {name}"
            if value not in self.only.get(name, (value,)):
                return f" with {name}={value}"
        return f" with {outputs} outputs" if self.outputs is not None and outputs > self.outputs else ""


RULES: dict[str, Rule] = {}

# Of which kind operators are in a drawing, where it is not that of the file they are written in.
_FAMILIES = {
    "arithmetic": "Add Sub Mul Div Neg Pow Sum Mean Max Min Reciprocal Sqrt Where Clip Mod Identity Dropout",
    "linear": "MatMul Gemm Einsum",
    "activation": "Softmax LogSoftmax Hardmax",
    "pool": "MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool",
    "norm": "LayerNormalization RMSNormalization BatchNormalization InstanceNormalization GroupNormalization "
    "MeanVarianceNormalization LpNormalization LRN",
    "shape": "Resize",
}
_ROOMS = {"elementwise": "activation", "axes": "pool", "shapes": "shape", "windows": "conv"}


def family(kind: str) -> str:
    """What a drawing takes an operator for, as its colours tell: "conv", "linear", "norm" and so on."""
    found = next((name for name, kinds in _FAMILIES.items() if kind in kinds.split()), None)
    return found or _ROOMS[RULES[kind].room]


_TOLD = frozenset({"kind", "opset", "gives"})


def room_of(function: Callable[..., Any]) -> str:
    """The last part of the name of the module that a function is written in."""
    return function.__module__.rpartition(".")[2]


def rule(*kinds: str, outputs: int | None = 1, only: Mapping[str, Sequence[Any]] | None = None) -> Callable[..., Any]:
    """Decorate the function for the operators with these names.

    It takes nodes of at most so many ``outputs`` (None: of any number), and ``only`` these values of some attributes.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        names = frozenset(inspect.signature(function).parameters)
        for kind in kinds:
            RULES[kind] = Rule(function, names - _TOLD, only or {}, outputs, names & _TOLD, room_of(function))
        return function

    return decorate


def same(room: str, functions: Mapping[str, Callable[..., Any]]) -> None:
    """Enter operators without attributes that are one function of their inputs, with the file they stand in."""
    for kind, function in functions.items():
        RULES[kind] = Rule(function, frozenset(), {}, 1, frozenset(), room.rpartition(".")[2])


def apply(kind: str, opset: int, gives: int, inputs: Sequence[Any], attributes: Mapping[str, Any]) -> list[Any]:
    """The results of one node."""
    entry = RULES[kind]
    node = {"kind": kind, "opset": opset, "gives": gives}
    found = entry.function(*inputs, **attributes, **{name: node[name] for name in entry.told})
    return list(found) if isinstance(found, tuple | list) else [found]


# -- what rules are told -----------------------------------------------------------------------------------


def whole(values: Any) -> tuple[int, ...]:
    """Whole numbers from an attribute or from an array: axes, lengths, places."""
    return tuple(int(v) for v in np.ravel(plain(values)))


def axes_of(axes: Any, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front; None are all."""
    return tuple(range(ndim)) if axes is None else tuple(a % ndim if ndim else 0 for a in whole(axes))


def within(shape: Any) -> tuple[int, ...]:
    """A shape as a tuple; ValueError for one of more numbers than a file may ask for."""
    shape = whole(shape)
    if math.prod(shape) > LIMIT:
        raise ValueError(f"the shape of a result: expected at most {LIMIT:,} numbers, got {list(shape)}")
    return shape
