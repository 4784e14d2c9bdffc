"""Layers, one a file: each is a short composition of recorded operations."""

from .activation import Activation
from .dense import Dense
from .flatten import Flatten
from .input import Input
from .layer import InputSpec, Layer

__all__ = ["Activation", "Dense", "Flatten", "Input", "InputSpec", "Layer"]
