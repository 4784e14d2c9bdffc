"""The progress of an epoch: a bar where it can move, one plain line where it cannot."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_core.optional import needed

from .checks import number, whole
from .tensors import plain

if TYPE_CHECKING:
    from rich.text import Text

WIDTH = 20


def show_value(value: float) -> str:
    """A number as Keras prints it.

    >>> show_value(0.97531), show_value(0.00012)
    ('0.9753', '1.2000e-04')
    """
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def per_step(seconds: float, unit: str = "step") -> str:
    """The time that a step takes: ``6ms/step``."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit}"
    return f"{seconds * 1e3:.0f}ms/{unit}" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/{unit}"


class Progress:
    """Shows how far an epoch is and what it has reached.

    ``verbose`` is 0 for silence, 1 for a bar, 2 for one line per epoch, "auto" for the bar in a terminal or a
    notebook and the line in a file or a pipe.
    """

    def __init__(
        self, verbose: int | str, steps: int | None, width: int = WIDTH, interval: float = 0.05, unit: str = "step"
    ):
        if verbose not in ("auto", 0, 1, 2, "0", "1", "2"):
            raise ValueError(
                f"verbose: expected 0 for silence, 1 for a bar, 2 for a line per epoch, or 'auto', got {verbose!r}"
            )
        self.console: Any = None
        live = False
        if verbose not in (0, "0"):
            console = needed("rich.console", "The progress of a training")
            self.console = console.Console(file=sys.stdout, highlight=False, soft_wrap=True)
            live = self.console.is_terminal or self.console.is_jupyter
        self.verbose = (1 if live else 2) if verbose == "auto" else int(verbose)
        self.live = self.verbose == 1 and live
        self.steps, self.width, self.interval, self.unit = steps, width, interval, unit
        self.begun = self.shown = time.perf_counter()
        self.display: Any = None
        self.drawn = False

    def headline(self, text: str) -> None:
        """A line above the bar: ``Epoch 1/5``."""
        if self.verbose == 1:
            self.console.print(text)

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Draw the bar anew, unless it was drawn just now."""
        now = time.perf_counter()
        if self.live and (now - self.shown > self.interval or step == 1):
            self.shown = now
            self._draw(self._text(step, values, now, done=False))

    def finish(self, step: int, values: Mapping[str, float], prefix: str = "") -> None:
        """The last state of the epoch, which stays."""
        now = time.perf_counter()
        if self.live:
            self._draw(self._text(step, values, now, done=True), whole=True)
            if self.display is None:
                self.console.file.write("\n")
        elif self.verbose == 1:
            self.console.print(self._text(step, values, now, done=True))
        elif self.verbose == 2:
            took = now - self.begun
            parts = [f"{step}/{self.steps or step}", f"{took:.0f}s", per_step(took / max(step, 1), self.unit)]
            print(prefix + " - ".join(parts + _pairs(values)), file=self.console.file, flush=True)

    def stop(self) -> None:
        """Leave the bar where it is and go to the next line."""
        if self.drawn and self.display is None:
            self.console.file.write("\n")
            self.console.file.flush()

    def _text(self, step: int, values: Mapping[str, float], now: float, done: bool) -> Text:
        from rich.text import Text

        took = now - self.begun
        each = took / max(step, 1)
        text = Text(overflow="crop", no_wrap=True)
        if self.steps:
            text.append(f"{step:{len(str(self.steps))}d}/{self.steps} ", "bold")
            full = min(self.width, self.width * step // self.steps)
            text.append("━" * full, "green").append("━" * (self.width - full), "bright_black")
        else:
            text.append(f"{step}/Unknown", "bold")
        left = took if done or not self.steps else each * (self.steps - step)
        clock = f"{left:.0f}s" if left < 60 else f"{left // 60:.0f}:{left % 60:02.0f}"
        text.append(f" {clock} ", "bold").append(" - ".join([per_step(each, self.unit), *_pairs(values)]))
        return text

    def _draw(self, text: Text, whole: bool = False) -> None:
        self.drawn = True
        if self.console.is_jupyter:
            from IPython.display import display

            content = {"text/plain": text.plain}
            if self.display is None:
                self.display = display(content, raw=True, display_id=True)
            else:
                self.display.update(content, raw=True)
            return
        # To the start of the line, the text, and clear what an earlier and longer one left behind it. While it
        # moves it must stay on one line; the last state keeps every number, if need be on a second one.
        width = max(self.console.width - 1, 20)
        if whole and text.cell_len > width and (cut := text.plain.rfind(" - ", 0, width)) > 0:
            head, tail = text.divide([cut])
            text = type(text).assemble(head, "\n     ", tail)
        else:
            text.truncate(width)
        self.console.file.write("\r")
        self.console.print(text, end="\x1b[K")
        self.console.file.flush()


def _pairs(values: Mapping[str, float]) -> list[str]:
    """What was measured, in words; of several numbers, which a step of one's own may return, their mean."""
    return [f"{name}: {show_value(float(np.mean(value)))}" for name, value in values.items()]


class Progbar:
    """The bar of an epoch, for a loop of your own.

    Parameters
    ----------
    target : int, optional
        How many steps there are; None where nobody knows.
    width : int
        Of the bar, in letters; from 1 on.
    verbose : int
        1 for a bar, 2 for one line at the end, 0 for silence.
    interval : float
        The seconds from one drawing to the next, from 0 on.
    stateful_metrics, stateless_metrics : sequence of str, optional
        Names of values that are shown as they came, or of those that are not: of these the mean over the steps is
        shown, and at the end what came last.
    unit_name : str
        What a step is called.

    Raises
    ------
    ValueError
        For a target, a width or an interval that is none.

    Examples
    --------
    >>> import nn
    >>> bar = nn.utils.Progbar(3, verbose=2)
    >>> for step in range(1, 4):
    ...     bar.update(step, [("loss", 1 / step)])
    3/3 - 0s - ...us/step - loss: 0.3333
    """

    def __init__(
        self,
        target: int | None,
        width: int = WIDTH,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Any = None,
        stateless_metrics: Any = None,
        unit_name: str = "step",
    ):
        self.target = None if target is None else whole(target, "target")
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError("stateful_metrics and stateless_metrics: expected at most one of them, got both")
        self.stateful_metrics = None if stateful_metrics is None else frozenset(stateful_metrics)
        self.stateless_metrics = None if stateless_metrics is None else frozenset(stateless_metrics)
        bounds = whole(width, "width", 1), number(interval, "interval", 0)
        self._progress = Progress(verbose, self.target, *bounds, unit_name)
        self._seen = 0
        self._values: dict[str, tuple[float, int]] = {}

    def update(self, current: int, values: Any = None, finalize: bool | None = None) -> None:
        """Show how far it is, and values, which are pairs of a name and a number.

        Parameters
        ----------
        current : int
            The number of steps so far.
        values : sequence of pairs, optional
            Of names and numbers, or of arrays, of which the mean is shown.
        finalize : bool, optional
            Whether this is the last time; by default, whether ``current`` is the target.
        """
        last = self.target is not None and current >= self.target if finalize is None else finalize
        steps = max(current - self._seen, 1)
        for name, value in values or ():
            listed = self.stateless_metrics
            stateful = name in (self.stateful_metrics or ()) if listed is None else name not in listed
            alone = last or stateful  # at the end values come as they are to be shown
            total, count = (0.0, 0) if alone else self._values.get(name, (0.0, 0))
            self._values[name] = total + float(np.mean(plain(value))) * steps, count + steps
        self._seen = current
        means = {name: total / count for name, (total, count) in self._values.items()}
        if last:
            self._progress.finish(current, means)
        else:
            self._progress.update(current, means)

    def add(self, n: int, values: Any = None) -> None:
        """`update` for ``n`` further steps."""
        self.update(self._seen + n, values)
