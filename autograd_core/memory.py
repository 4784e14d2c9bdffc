"""How the C library treats the memory of arrays that are freed."""

from __future__ import annotations

import numpy as np


def keep_freed_memory() -> None:
    """Let glibc keep up to 64 MB that a step frees, for the next step, instead of giving it back to the system.

    The arrays of a graph are freed together. glibc then hands the top of its heap back and gets it again, page by
    page, at the next step, which can take as long as a step on arrays of 1,000 elements does. It keeps what is less
    than twice the largest block that it saw come and go (of up to 32 MB; mallopt(3), M_TRIM_THRESHOLD), and here one
    comes and goes, whose pages are never touched. It changes nothing with other allocators, nor where
    MALLOC_TRIM_THRESHOLD_ is set.
    """
    np.empty((32 << 20) - (1 << 16), np.uint8)
