"""``python -m autograd_core`` is the command ``autograd``."""

import sys

from .command import main

if __name__ == "__main__":
    sys.exit(main())
