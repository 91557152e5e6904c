"""The whole pipeline on one textbook: each stage is the same function that its own verb calls, with settings for
two cores.

A stage whose manifest says that it has already been done with these inputs and settings is skipped; a
training run that was interrupted goes on; anything else is made anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from medcall.console import say
from medcall.manifest import Work

REQUESTS = (
    "Can I give clarithromycin to someone on simvastatin?",
    "Any interaction between warfarin and ibuprofen?",
    "CrCl for a 72 year old woman, 58 kg, creatinine 1.7 mg/dL",
    "BSA for 70 kg and 172 cm",
    "Corrected calcium with calcium 7.8 and albumin 2.4",
    "What is the weather like today?",
)


def handbook() -> Path:
    """The built-in textbook's PDF."""
    return Path(str(files("data.handbook") / "handbook.pdf"))


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step: its name, the folder it makes, what identifies it, and how to do it."""

    name: str
    out: Path
    work: Callable[[], Work]
    do: Callable[[], Mapping[str, Any]]


def run_stage(stage: Stage) -> float:
    """Do a stage unless it is done already; returns the seconds it took."""
    began = time.monotonic()
    if stage.work().is_done(stage.out):
        say(f"{stage.name}: unchanged, {stage.out} is reused")
        return 0.0
    summary = stage.do()
    shown = ", ".join(
        f"{name.replace('_', ' ')} {value:,.4g}" if isinstance(value, float) else f"{name.replace('_', ' ')} {value:,}"
        for name, value in summary.items()
        if isinstance(value, (int, float))
    )
    took = time.monotonic() - began
    say(f"{stage.name}: {shown}  ({took:.0f} s)")
    return took
