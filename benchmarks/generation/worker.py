"""One engine in one process: each line of stdin is a question, each line of stdout its answer, both JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
"""cpu: for a machine that others work on too; a time only with one thread, since threads that wait are counted."""


class Worker:
    """The process of one engine, as its parent sees it."""

    def __init__(self, module: str, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if not os.environ.get("BENCHMARK_STDERR") else None,
            text=True,
        )
        self.about: dict[str, Any] = self._read()

    def ask(self, **question: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        print(json.dumps(question), file=self.process.stdin, flush=True)
        return self._read()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{' '.join(map(str, self.process.args))} ended; run again with BENCHMARK_STDERR=1")  # type: ignore[arg-type]
        answer: dict[str, Any] = json.loads(line)
        return answer


def main() -> None:
    """Continue prompts, and say how long it took."""
    from benchmarks.generation.engines import ENGINES

    warnings.simplefilter("ignore")
    engine = ENGINES[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps({"name": engine.name}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        began = CLOCKS[question["clock"]]()
        ids = engine.generate(question["prompts"], question["new"])
        print(json.dumps({"seconds": CLOCKS[question["clock"]]() - began, "ids": ids}), flush=True)


if __name__ == "__main__":
    main()
