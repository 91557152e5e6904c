"""Which entries of a section are shown: as of a date, in a range, of some tests, active or not, the latest of each.

Each filter counts what it leaves out for a reason the caller should know; :meth:`Tally.notes` says it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tools import text
from tools.chart.analytes import by_loinc, by_name, groups_of
from tools.chart.dates import at_or_after, at_or_before
from tools.chart.sections import PROHIBITED, REFUTED, Entry

ACTIVE: Mapping[str, frozenset[str]] = {  # statuses that mean "now", by section; the others know no such thing
    "conditions": frozenset(("active", "recurrence", "relapse")),
    "medications": frozenset(("active", "intended")),
    "allergies": frozenset(("active",)),
    "encounters": frozenset(("in-progress", "arrived", "triaged", "onleave")),
    "procedures": frozenset(("in-progress", "preparation")),
}
_OPEN = {
    "conditions": "active",
    "medications": "active",
    "encounters": "in-progress",
    "procedures": "in-progress",
}
_CURRENT = ("active", "recurrence", "relapse", "in-progress", "on-hold", "draft")  # shown before what is over
_GROUPED = ("medications",)  # the same order many times over is one line with a count


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One code as written and what it selects."""

    as_written: str
    resolved: str
    matched_by: str
    groups: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()
    words: str = ""

    def selects(self, entry: Entry) -> bool:
        if entry.group in self.groups or (entry.code is not None and entry.code in self.codes):
            return True
        return bool(self.words) and f" {self.words} " in f" {text.key(entry.name)} "


def wanted(written: str) -> Wanted:
    """What a code or everyday name selects: a known analyte, else that code, else entries with its words."""
    code, key = written.strip(), text.key(written)
    analyte, matched_by = by_loinc().get(code), "code"
    if analyte is None and key in by_name():
        analyte, matched_by = by_name()[key]
    if analyte is None:
        return Wanted(
            as_written=written, resolved=code or written, matched_by="text", codes=frozenset({code}), words=key
        )
    return Wanted(as_written=written, resolved=analyte.name, matched_by=matched_by, groups=groups_of(analyte))


@dataclass
class Tally:
    """How many entries were left out, or shown with a reservation, and why."""

    undated: int = 0
    recorded_later: int = 0
    present_status: int = 0
    no_status: int = 0
    whole: list[str] = field(default_factory=list)

    def notes(self, as_of: str | None) -> list[str]:
        """The counts in words."""
        by_day = f"as of {as_of}" if as_of else "in the date range"
        said = (
            (self.undated, "{} without a date left out " + by_day + "."),
            (self.recorded_later, f"{{}} dated by {as_of} but recorded later left out."),
            (self.present_status, "{} shown with the present status; when it changed is not recorded."),
            (self.no_status, "{} shown without a recorded status."),
        )
        notes = [line.format(f"{count} entr{'y' if count == 1 else 'ies'}") for count, line in said if count]
        if self.whole:
            notes.append(f"Active or inactive does not apply to {', '.join(self.whole)}: shown whole.")
        return notes


def as_of_day(section: str, entries: Sequence[Entry], day: str, tally: Tally) -> list[Entry]:
    """The entries as the record held them on a day: nothing dated or recorded later, nothing ended later is over."""
    kept = []
    for entry in entries:
        if entry.date is None:
            tally.undated += 1
        elif at_or_before(entry.date, day):
            if entry.recorded is not None and not at_or_before(entry.recorded, day):
                tally.recorded_later += 1
                continue
            still_open = entry.ended is not None and not at_or_before(entry.ended, day)
            if still_open:
                settled = entry.status in (REFUTED, PROHIBITED) or section not in _OPEN
                entry = replace(entry, status=entry.status if settled else _OPEN[section], ended=None)
            elif entry.ended is None and entry.status is not None and section in ("conditions", "medications"):
                tally.present_status += entry.status not in ACTIVE[section]
            kept.append(entry)
    return kept


def in_range(entries: Sequence[Entry], start: str | None, end: str | None, tally: Tally) -> list[Entry]:
    """Entries whose date, which may be only a year or month, can lie in the range."""
    tally.undated += sum(entry.date is None for entry in entries)
    return [
        entry
        for entry in entries
        if entry.date is not None
        and (start is None or at_or_after(entry.date, start))
        and (end is None or at_or_before(entry.date, end))
    ]


def with_status(section: str, entries: Sequence[Entry], status: str, tally: Tally) -> list[Entry]:
    """Active or inactive entries; one that states neither is shown and counted, never guessed."""
    if section not in ACTIVE:
        if entries:
            tally.whole.append(section)
        return list(entries)
    kept = []
    for entry in entries:
        if entry.status in (None, "", "unknown"):
            tally.no_status += 1
            kept.append(entry)
        elif (entry.status in ACTIVE[section]) == (status == "active"):
            kept.append(entry)
    return kept


def as_section(section: str, entries: Sequence[Entry], latest_only: bool, limit: int) -> dict[str, Any]:
    """The section of the result: repeated orders as one line, current before past, at most ``limit`` entries."""
    counts: dict[tuple[str, str | None], int] = {}
    if section in _GROUPED or latest_only:
        latest: dict[tuple[str, str | None], Entry] = {}
        for entry in entries:  # newest first
            identity = (entry.group, entry.status if section in _GROUPED and not latest_only else None)
            counts[identity] = counts.get(identity, 0) + 1
            latest.setdefault(identity, entry)
        kept = list(latest.items())
    else:
        kept = [((entry.group, None), entry) for entry in entries]
    if section in ("medications", "conditions", "allergies"):
        kept.sort(key=lambda pair: pair[1].status not in _CURRENT)
    room = len(kept) if section == "demographics" else limit
    shown = [_as_json(entry, counts.get(identity, 1) if section in _GROUPED else 1) for identity, entry in kept[:room]]
    return {"total": len(kept), "returned": len(shown), "entries": shown}


def _as_json(entry: Entry, orders: int) -> dict[str, Any]:
    ended = f"ended {entry.ended}" if entry.ended and entry.section == "conditions" else None
    fields = {
        "name": entry.name,
        "code": entry.code,
        "system": entry.system,
        "date": entry.date,
        "value": entry.value,
        "unit": entry.unit,
        "status": entry.status,
        "detail": "; ".join(part for part in (ended, entry.detail) if part),
        "orders": orders if orders > 1 else None,
        "source": entry.source,
    }
    return {name: value for name, value in fields.items() if value is not None and value != ""}
