"""In a notebook an error comes with the picture of what was computed before it."""

from __future__ import annotations

import sys
from typing import Any


def with_picture(error: BaseException) -> None:
    """Let a notebook show a drawing above this error, should nobody catch it; elsewhere nothing changes."""
    if "ipykernel" in sys.modules:
        error._render_traceback_ = _shown  # type: ignore[attr-defined]


def _shown(*given: Any) -> Any:
    """What IPython asks an error for: the lines of its traceback. It asks while the error is handled."""
    from IPython import get_ipython  # it is there: it calls this
    from IPython.display import display

    from .explain import draw  # circle: an error is drawn when it is shown

    kind, error, trace = sys.exc_info()
    traceback = get_ipython().InteractiveTB
    try:
        drawing = draw(error)
        drawing.render("svg")
    except (ImportError, ValueError):  # no engine, or too much for a picture: then the words alone
        pass
    else:
        display(drawing)
    return traceback.structured_traceback(kind, error, trace, tb_offset=traceback.tb_offset)
