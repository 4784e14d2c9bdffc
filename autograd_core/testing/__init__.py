"""Gradient checks and hypothesis strategies, for functions of any library and for the ops of this one.

`check_gradients` needs nothing but NumPy. The strategies and `gradient_property` need hypothesis, which is
imported when they are first asked for.
"""

from .check import GradientError, Report, check_gradients

__all__ = ["GradientError", "Report", "check_gradients"]
