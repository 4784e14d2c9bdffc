"""What all callbacks share: a method for each event of a training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import distributed

Logs = dict[str, float]


class Callback:
    """Something that is told what happens while a model trains. All methods may be left out.

    >>> import nn
    >>> model = nn.Sequential([nn.Input(shape=(1,)), nn.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.linspace(-1, 1, 32)[:, None]
    >>> class Counter(nn.callbacks.Callback):
    ...     batches = 0
    ...     def on_train_batch_end(self, batch, logs=None):
    ...         self.batches += 1
    >>> counter = Counter()
    >>> history = model.fit(x, 2 * x, batch_size=8, epochs=3, verbose=0, callbacks=[counter])
    >>> counter.batches
    12
    """

    model: Any = None
    params: dict[str, Any]
    # The attributes that a training changes and an interrupted one needs back: numbers, text, lists, dictionaries and
    # None, or a list of arrays. `BackupAndRestore` saves them.
    remembers: tuple[str, ...] = ()

    # Whether it looks at what a step computes inside: the outputs of layers, the gradients in the weights. A
    # replayed step does not pass there, so with such a callback the training runs the layers' own code.
    eager = False

    # Whether it writes files and does nothing else: of several processes that train together the first one has it.
    writes = False

    def set_model(self, model: Any) -> None:
        """Which model is trained."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """With how many epochs and steps, and how verbosely."""
        self.params = params

    def set_others(self, others: list[Callback]) -> None:
        """The other callbacks of the same training."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first epoch."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last epoch, however the training ended."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch; epochs count from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch and its validation; ``logs`` holds what was measured."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch; ``logs`` holds the running averages."""
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of `on_train_batch_begin`, told where that is not defined."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of `on_train_batch_end`, told where that is not defined."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Before an evaluation."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """After an evaluation."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of an evaluation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of an evaluation."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Before a prediction."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """After a prediction."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Before a batch of a prediction."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a batch of a prediction."""


class CallbackList:
    """Several callbacks told as one, in order.

    Parameters
    ----------
    callbacks : iterable of Callback
        Instances of `Callback`.
    model : Model
        What they find as ``self.model``.
    **params
        What they find in ``self.params``: ``epochs``, ``steps``, ``verbose``.

    Raises
    ------
    TypeError
        For what is no instance of `Callback`.

    Examples
    --------
    >>> import nn
    >>> history = nn.callbacks.History()
    >>> all_of_them = nn.callbacks.CallbackList([nn.callbacks.TerminateOnNaN(), history], nn.Sequential())
    >>> all_of_them.tell("on_epoch_end", 0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    def __init__(self, callbacks: Iterable[Callback], model: Any, **params: Any):
        self.callbacks = [c for c in callbacks if not (getattr(c, "writes", False) and distributed.rank())]
        for callback in self.callbacks:
            if not isinstance(callback, Callback):
                hint = " (the class; make one with parentheses)" if isinstance(callback, type) else ""
                raise TypeError(f"callbacks: expected instances of nn.callbacks.Callback, got {callback!r}{hint}")
            callback.set_model(model)
            callback.set_params(params)
        for callback in self.callbacks:
            callback.set_others([other for other in self.callbacks if other is not callback])
        # Only those that listen are called for each batch.
        self.listeners: dict[str, list[Any]] = {}

    def tell(self, event: str, *args: Any) -> None:
        """Call the method ``event`` of those that define it."""
        listeners = self.listeners.get(event)
        if listeners is None:
            of_training = event.replace("on_batch", "on_train_batch")
            listeners = [
                getattr(c, event)
                for c in self.callbacks
                if _defines(c, event) and (of_training == event or not _defines(c, of_training))
            ]
            self.listeners[event] = listeners
        for listener in listeners:
            listener(*args)


def _defines(callback: Callback, event: str) -> bool:
    """Whether a callback has a method of its own for an event."""
    return getattr(type(callback), event) is not getattr(Callback, event) or event in vars(callback)
