"""Which of the processes of `torchrun` this is, known without loading torch."""

from __future__ import annotations

import os


def is_first() -> bool:
    """Whether this process writes and speaks for the run: the only one, or the first that `torchrun` started."""
    return int(os.environ.get("RANK", "0")) == 0
