"""Layers, one kind a file: each is a short composition of recorded operations."""

from typing import Any

from .. import config
from .activation import Activation
from .average_pooling1d import AveragePooling1D
from .average_pooling2d import AveragePooling2D
from .batch_normalization import BatchNormalization
from .conv1d import Conv1D
from .conv2d import Conv2D
from .dense import Dense
from .dropout import Dropout
from .embedding import Embedding
from .flatten import Flatten
from .global_pooling import GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalMaxPooling1D, GlobalMaxPooling2D
from .input import Input, InputLayer
from .lambda_layer import Lambda
from .layer import InputSpec, Layer
from .layer_normalization import LayerNormalization
from .leaky_relu import LeakyReLU
from .max_pooling1d import MaxPooling1D
from .max_pooling2d import MaxPooling2D
from .merging import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Minimum,
    Multiply,
    Subtract,
    add,
    average,
    concatenate,
    dot,
    maximum,
    minimum,
    multiply,
    subtract,
)  # fmt: skip
from .operation import Operation
from .rescaling import Rescaling
from .reshape import Reshape
from .softmax import Softmax
from .zero_padding2d import ZeroPadding2D

AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D

CLASSES: tuple[Any, ...] = (
    Activation, Add, Average, AveragePooling1D, AveragePooling2D, BatchNormalization, Concatenate, Conv1D, Conv2D,
    Dense, Dot, Dropout, Embedding, Flatten, GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalMaxPooling1D,
    GlobalMaxPooling2D, InputLayer, Lambda, LayerNormalization, LeakyReLU, Maximum, MaxPooling1D, MaxPooling2D,
    Minimum, Multiply, Operation, Rescaling, Reshape, Softmax, Subtract, ZeroPadding2D,
)  # fmt: skip
registry = config.registry("layer").add(*CLASSES, Input=InputLayer)
registry.base = config.Configurable
serialize, deserialize = registry.functions(__name__, "Dense(3)", "units == 3", serialize="layer")[1:]

__all__ = [
    "Activation",
    "Add",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AvgPool1D",
    "AvgPool2D",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Dense",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "Input",
    "InputLayer",
    "InputSpec",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Multiply",
    "Operation",
    "Rescaling",
    "Reshape",
    "Softmax",
    "Subtract",
    "ZeroPadding2D",
    "add",
    "average",
    "concatenate",
    "deserialize",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "serialize",
    "subtract",
]
