"""One loop in a process of its own, which takes a step only when it is told to.

Loops with different memory and settings can then take turns on one machine, a step each, so that whatever else the
machine does befalls all of them alike. A line of JSON on stdout for each step; a line on stdin allows the next.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import TextIO

from torch import Tensor, nn


class Over(Exception):
    """No further step is wanted."""


class Gate:
    """Loops call `passed` at the end of each step; it returns when the next one may begin."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.loaded_gb = peak_gb()
        self.tokens = 0
        self.began = time.perf_counter()

    def watch(self, embedding: nn.Module, pad: int) -> None:
        """Count the ids that are looked up in `embedding` and are no padding."""

        def count(module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            self.tokens += int((arguments[0] != pad).sum())

        embedding.register_forward_pre_hook(count)

    def passed(self, loss: float, scored: int) -> None:
        """`loss` is the mean of the step's `scored` tokens."""
        line = {"seconds": time.perf_counter() - self.began, "loss": loss, "tokens": self.tokens, "scored": scored}
        print(json.dumps(line | {"peak_gb": peak_gb(), "loaded_gb": self.loaded_gb}), file=self.out, flush=True)
        if not sys.stdin.readline():
            raise Over
        self.tokens, self.began = 0, time.perf_counter()


def peak_gb() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    out, sys.stdout = sys.stdout, sys.stderr  # peers print tables and bars
    from benchmarks.training.contenders import CONTENDERS

    name, folder = sys.argv[1:]
    try:
        CONTENDERS[name].loop(Path(folder), Gate(out))
    except Over:
        pass


if __name__ == "__main__":
    main()
