"""Where Keras 2 had `pad_sequences`, which scripts still import from here."""

from .. import absent
from . import sequence

__all__ = ["sequence"]

__getattr__ = absent.getattr_of("preprocessing")
