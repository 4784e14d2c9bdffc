"""The walk's steps, turned into text: what was computed, and how each gradient came about."""

from .drawing import Drawing, draw
from .steps import Step, Steps, explain
from .values import Value

__all__ = ["Drawing", "Step", "Steps", "Value", "draw", "explain"]
