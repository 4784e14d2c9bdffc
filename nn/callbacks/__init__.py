"""Callbacks: what can happen at each moment of a training."""

from .callback import Callback, CallbackList
from .history import History

__all__ = ["Callback", "CallbackList", "History"]
