"""Training loops side by side, taking turns step by step on one machine in one run; tables on stdout.

pip install "medcall[hf]" trl           # the peers, to be measured only
python -m benchmarks.training           # preset tiny: pretraining and fine-tuning
python -m benchmarks.training --preset 124m --rounds 4
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.training.contenders import CONTENDERS
from benchmarks.training.material import Task, prepare
from gpt2 import GPTConfig, flops_per_token, matmul_peak

TASKS = {
    ("pretrain", "tiny"): Task(kind="pretrain", preset="tiny", rows=16, window=256),
    ("pretrain", "124m"): Task(kind="pretrain", preset="124m", rows=4, window=256),
    ("finetune", "tiny"): Task(kind="finetune", preset="tiny", rows=32),
    ("finetune", "124m"): Task(kind="finetune", preset="124m", rows=8),
}
LOOPS = {"pretrain": ("medcall", "transformers", "nanogpt"), "finetune": ("finetune-plain", "finetune", "trl")}
"""Ours first: the ratios are of the first to the others."""
WARM_UP = 2
"""Steps that are taken and not counted."""

Steps = list[dict[str, float]]


class Loop:
    """A contender in its process."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.training.worker", name, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / f"{name}.log").open("w"),
            text=True,
        )
        self.log = folder / f"{name}.log"
        self.step(begun=True)  # the first step comes unasked

    def step(self, *, begun: bool = False) -> dict[str, float]:
        """Let it take one step."""
        assert self.process.stdin and self.process.stdout
        if not begun:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} could not be measured:\n{self.log.read_text()[-3000:]}")
        step: dict[str, float] = json.loads(line)
        return step

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def compare(task: Task, names: list[str], rounds: int) -> tuple[dict[str, Steps], float]:
    """Steps of each loop, and this machine's best matrix product meanwhile, in operations a second."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        prepare(folder, task)
        loops: list[Loop] = []
        try:
            for name in names:
                loops.append(Loop(name, folder))
                for _ in range(WARM_UP - 1):
                    loops[-1].step()
            steps: dict[str, Steps] = {name: [] for name in names}
            peak = 0.0
            for turn in range(rounds):
                peak = max(peak, matmul_peak(torch.device("cpu")))
                for i in range(len(loops)):
                    loop = loops[(turn + i) % len(loops)]  # nobody is always first
                    steps[loop.name].append(loop.step())
        finally:
            for loop in loops:
                loop.end()
    return steps, peak


def summary(task: Task, name: str, steps: Steps, own: Steps, peak: float) -> dict[str, Any]:
    """The figures of one loop; `own` are those of ours.

    Batches of dialogues differ in length, so fine-tuning is counted over all steps and not step by step.
    """
    seconds = [step["seconds"] for step in steps]
    rate = sum(step["tokens"] for step in steps) / sum(seconds)
    figures: dict[str, Any] = {
        "loop": CONTENDERS[name].title,
        "tokens/s": round(rate),
        "lowest and highest": [round(f(step["tokens"] / step["seconds"] for step in steps)) for f in (min, max)],
        "scored tokens/s": round(sum(step["scored"] for step in steps) / sum(seconds)),
        "ms a step (median)": round(1e3 * median(seconds)),
        "ours is faster by": round(sum(s["tokens"] for s in own) / sum(s["seconds"] for s in own) / rate, 2),
        "in each round": [
            round(o["tokens"] / o["seconds"] / (s["tokens"] / s["seconds"]), 2) for o, s in zip(own, steps, strict=True)
        ],
        "peak memory, GB": round(steps[-1]["peak_gb"], 2),
        "of that before training, GB": round(steps[-1]["loaded_gb"], 2),
        "loss at the end": round(steps[-1]["loss"], 3),
    }
    if task.kind == "pretrain":
        flops = flops_per_token(GPTConfig.preset(task.preset), task.window)
        figures["share of matmul peak"] = round(rate * flops / peak, 3)
    return figures


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown, a column a loop."""
    lines = ["| | " + " | ".join(row["loop"] for row in rows) + " |", "|---|" + "---|" * len(rows)]
    for key in list(rows[0])[1:]:
        cells = (" – ".join(map(str, row[key])) if isinstance(row[key], list) else f"{row[key]:,}" for row in rows)
        lines.append(f"| {key} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("torch", "transformers", "trl"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--preset", choices=["tiny", "124m"], default="tiny")
    parser.add_argument("--only", choices=["pretrain", "finetune"], help="left out: both")
    parser.add_argument("--loops", help=f"comma-separated, ours first, of {', '.join(CONTENDERS)}")
    parser.add_argument("--rounds", type=int, default=8, help="steps of each loop that are counted (default 8)")
    parser.add_argument("--rows", type=int, help="windows or dialogues in a batch")
    parser.add_argument("--json", action="store_true", help="JSON instead of tables")
    args = parser.parse_args()
    about = {"date": str(date.today()), "machine": f"{platform.machine()}, {os.cpu_count()} cores", **versions()}
    results: list[dict[str, Any]] = []
    for kind in [args.only] if args.only else LOOPS:
        task = TASKS[kind, args.preset]
        task = Task(**(vars(task) | ({"rows": args.rows} if args.rows else {})))
        names = args.loops.split(",") if args.loops else list(LOOPS[kind])
        steps, peak = compare(task, names, args.rounds)
        rows = [summary(task, name, steps[name], steps[names[0]], peak) for name in names]
        results.append({"task": vars(task), "peak_gflops": round(peak / 1e9), "loops": rows})
        if not args.json:
            print(f"{kind} {args.preset}, {args.rounds} rounds, " + ", ".join(f"{k} {v}" for k, v in about.items()))
            print(f"{task}; matmul peak {peak / 1e9:.0f} GF/s\n\n{table(rows)}\n", flush=True)
    if args.json:
        print(json.dumps({"about": about, "comparisons": results}, indent=1))


if __name__ == "__main__":
    main()
