"""The written patterns, checked once and sorted by what they ask for and by who may use them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

from data.errors import ExamplesError
from data.examples.entities import held_out
from data.examples.operations import operations
from data.examples.patterns import UNSEEN, Pattern, read_patterns
from data.examples.slots import SLOTS, keys_of

PATTERNS: Final = Path(__file__).parent / "patterns"
WORDLESS: Final = ("irrelevant.", "distractor.", "narrative.", "reply.", "chain.")
"""Beginnings of headings whose patterns ask for no operation by themselves."""
Use = Literal["known", "new_template", "new_phrasing"]
Library = Mapping[tuple[str, ...], tuple[Pattern, ...]]


@cache
def all_patterns() -> tuple[Pattern, ...]:
    """Every pattern, checked: known slots and operations, required arguments certain, replies where no tool
    answers.
    """
    patterns = tuple(pattern for path in sorted(PATTERNS.glob("*.txt")) for pattern in read_patterns(path))
    for pattern in patterns:
        check(pattern)
    return patterns


def check(pattern: Pattern) -> None:
    """Raise `ExamplesError` unless the pattern can make sound requests."""
    for slot in pattern.slots():
        if slot.name == "title" and pattern.operations[0].startswith("chain."):
            continue
        if slot.name not in SLOTS and not (slot.name.startswith("=") and slot.variant):
            raise ExamplesError(f"{pattern.place}: no slot named {slot.name!r}")
        if "@" in slot.variant:
            raise ExamplesError(
                f"{pattern.place}: write {{{slot.name}@n:variant}}, not {slot.variant!r} behind the colon"
            )
        if slot.call is not None and not 0 <= slot.call < len(pattern.operations):
            raise ExamplesError(f"{pattern.place}: {slot.name!r} belongs to call {slot.call + 1}, which is not there")
    if pattern.operations[0].startswith("irrelevant.") and not pattern.replies:
        raise ExamplesError(f"{pattern.place}: the section has no '=> reply'")
    if pattern.operations[0].startswith(WORDLESS):
        return
    for index, name in enumerate(pattern.operations):
        if name not in operations():
            raise ExamplesError(f"{pattern.place}: no operation named {name!r}; have {', '.join(operations())}")
        operation = operations()[name]
        mine = {key for slot in pattern.slots() if slot.call in (None, index) for key in keys_of(slot.name)}
        if strange := {slot.name for slot in pattern.slots() if slot.name.startswith("=")} - {
            f"={key}" for name in pattern.operations for key in operations()[name].keys
        }:
            raise ExamplesError(f"{pattern.place}: no operation takes {', '.join(sorted(strange))}")
        if "missing" in pattern.constants:
            continue
        certain = {
            key for slot in pattern.certain_slots() if slot.call in (None, index) for key in keys_of(slot.name)
        } | set(pattern.constants)
        if lacking := operation.required - certain - set(operation.fixed):
            raise ExamplesError(f"{pattern.place}: {pattern.text!r} never gives {', '.join(sorted(lacking))}")
        if not mine & set(operation.keys) and not set(pattern.constants) & set(operation.keys):
            raise ExamplesError(f"{pattern.place}: {pattern.text!r} gives nothing to {name}")


def use_of(pattern: Pattern) -> Use:
    """Which split may use a pattern: voices that are never trained on, templates kept from training, the others."""
    if pattern.voice.startswith(UNSEEN):
        return "new_phrasing"
    shared = pattern.operations[0].startswith(("distractor.", "narrative.", "reply.", "chain."))
    return "new_template" if not shared and held_out("pattern", pattern.text) else "known"


@cache
def patterns_of(use: Use) -> Library:
    """Patterns by the operations they ask for. Hand-written gaps are under ("missing",)."""
    grouped: dict[tuple[str, ...], list[Pattern]] = {}
    for pattern in all_patterns():
        if use_of(pattern) == use:
            key = ("missing",) if "missing" in pattern.constants else pattern.operations
            grouped.setdefault(key, []).append(pattern)
    return {key: tuple(found) for key, found in grouped.items()}
