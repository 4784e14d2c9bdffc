"""The progress of an epoch: a bar where it can move, one plain line where it cannot."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autograd_core.optional import needed

if TYPE_CHECKING:
    from rich.text import Text

WIDTH = 20


def show_value(value: float) -> str:
    """A number as Keras prints it.

    >>> show_value(0.97531), show_value(0.00012)
    ('0.9753', '1.2000e-04')
    """
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def per_step(seconds: float) -> str:
    """The time that a step takes: ``6ms/step``."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/step"
    return f"{seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/step"


class Progress:
    """Shows how far an epoch is and what it has reached.

    ``verbose`` is 0 for silence, 1 for a bar, 2 for one line per epoch, "auto" for the bar in a terminal or a
    notebook and the line in a file or a pipe.
    """

    def __init__(self, verbose: int | str, steps: int | None):
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
        self.steps = steps
        self.begun = self.shown = time.perf_counter()
        self.display: Any = None
        self.drawn = False

    def headline(self, text: str) -> None:
        """A line above the bar: ``Epoch 1/5``."""
        if self.verbose == 1:
            self.console.print(text)

    def update(self, step: int, values: Mapping[str, float]) -> None:
        """Draw the bar anew, at most twenty times a second."""
        now = time.perf_counter()
        if self.live and (now - self.shown > 0.05 or step == 1):
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
            parts = [f"{step}/{self.steps or step}", f"{took:.0f}s", per_step(took / max(step, 1))]
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
            full = min(WIDTH, WIDTH * step // self.steps)
            text.append("━" * full, "green").append("━" * (WIDTH - full), "bright_black")
        else:
            text.append(f"{step}/Unknown", "bold")
        left = took if done or not self.steps else each * (self.steps - step)
        clock = f"{left:.0f}s" if left < 60 else f"{left // 60:.0f}:{left % 60:02.0f}"
        text.append(f" {clock} ", "bold").append(" - ".join([per_step(each), *_pairs(values)]))
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
    return [f"{name}: {show_value(value)}" for name, value in values.items()]
