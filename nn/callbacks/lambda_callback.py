"""Functions as a callback."""

from __future__ import annotations

from typing import Any

from .. import checks
from ..config import suggest
from .callback import Callback


class LambdaCallback(Callback):
    """Calls the functions that it is given at their events.

    Parameters
    ----------
    on_epoch_begin, on_epoch_end : callable, optional
        Called with the number of the epoch from 0 on, and a dict of what was measured.
    on_train_begin, on_train_end : callable, optional
        Called with that dict.
    on_train_batch_begin, on_train_batch_end : callable, optional
        Called with the number of the batch in its epoch, and that dict.
    **others
        The other events of a `Callback`, by name; and whatever else is to be kept as an attribute.

    Raises
    ------
    TypeError
        For an unknown event, which begins with ``on_``, or what is no function.

    Examples
    --------
    >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch)).on_epoch_end(3, {})
    3
    """

    def __init__(
        self,
        on_epoch_begin: Any = None,
        on_epoch_end: Any = None,
        on_train_begin: Any = None,
        on_train_end: Any = None,
        on_train_batch_begin: Any = None,
        on_train_batch_end: Any = None,
        **others: Any,
    ):
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **others,
        }
        for event, function in given.items():
            if not event.startswith("on_"):
                setattr(self, event, function)
                continue
            if not hasattr(Callback, event):
                events = [name for name in vars(Callback) if name.startswith("on_")]
                raise TypeError(f"there is no event {event!r} in a training; {suggest(event, events)}")
            if function is not None:
                setattr(self, event, checks.function(function, event))
