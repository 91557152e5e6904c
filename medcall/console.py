"""What a person sees: progress bars on stderr while work goes on, one summary on stdout when it is done."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from medcall.processes import is_first

Advance = Callable[[int, int | None, str], None]
"""Told how far the work is: done, total (None while unknown), a few words on the current state."""

stderr = Console(stderr=True)


@contextmanager
def progress(title: str) -> Iterator[Advance]:
    """A progress bar on stderr; the block is given the function that moves it. Off a terminal: a line now and then."""
    if not is_first():
        yield _nowhere
        return
    if not stderr.is_terminal:
        yield _lines(title)
        return
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=stderr) as bars:
        task = bars.add_task(title, total=None, note="")

        def advance(done: int, total: int | None = None, note: str = "") -> None:
            bars.update(task, completed=done, total=total, note=note)

        yield advance


def _nowhere(done: int, total: int | None = None, note: str = "") -> None:
    """Progress of a process that is not the first: the first tells it."""


def _lines(title: str) -> Advance:
    """Progress for logs: one line at the start of each tenth of the work."""
    last = -1

    def advance(done: int, total: int | None = None, note: str = "") -> None:
        nonlocal last
        tenth = 10 * done // total if total else done // 100
        if tenth != last:
            last = tenth
            print(f"{title}: {done}/{total or '?'} {note}".rstrip(), file=sys.stderr, flush=True)

    return advance


def say(text: str) -> None:
    """A remark on stderr, for what a person should know and a program should not read."""
    if is_first():
        stderr.print(text, highlight=False, markup=False, soft_wrap=True)


def add_json_flag(parser: argparse.ArgumentParser) -> None:
    """The flag that every command with a machine-readable result has."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON on stdout")


def show(result: Mapping[str, Any], as_json: bool) -> None:
    """Print a command's summary on stdout: JSON for programs, aligned lines for people."""
    if not is_first():
        return
    if as_json:
        print(json.dumps(result, ensure_ascii=False, indent=2, default=str))
        return
    width = max((len(name) for name in result), default=0)
    for name, value in result.items():
        shown = f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if type(value) is int else value
        print(f"{name.replace('_', ' '):<{width}}  {shown}")


@contextmanager
def training_progress(title: str, flops: float = 0.0, peak: float = 0.0) -> Iterator[Callable[[Any, Any], None]]:
    """A progress bar for the training loop: called with each step, and the held-out score when there is a new one.

    `flops` for each scored token and the machine's `peak` a second, if known, add the share of that peak.
    """
    held_out = ""

    with progress(title) as advance:

        def draw(step: Any, score: Any = None) -> None:
            nonlocal held_out
            if score is not None:
                held_out = f"  held-out {score.loss:.3f}"
            rate = step.weight / step.seconds
            share = f" ({rate * flops / peak:.0%} of peak)" if peak else ""
            advance(step.step, step.steps, f"loss {step.loss:.3f}{held_out}  {rate:,.0f} tokens/s{share}")

        yield draw
