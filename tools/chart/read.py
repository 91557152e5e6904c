"""``read_patient_record``: sections of one patient, filtered by codes and dates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import text
from tools.chart.analytes import by_loinc, by_name
from tools.chart.bundle import Patient
from tools.chart.find import find_patient
from tools.chart.index import Index
from tools.chart.sections import Entry
from tools.errors import Refusal

DEFAULT_LIMIT = 20
_CURRENT = ("active", "recurrence", "relapse", "in-progress", "on-hold", "draft")
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


class Reader:
    """Reads a folder of records for everyone, or for a stated set of patient ids."""

    def __init__(self, folder: Path, patients: Collection[str] | None = None, cache: Path | None = None) -> None:
        self.index = Index(folder, cache)
        self.scope = None if patients is None else frozenset(patients)

    def data_version(self) -> str:
        """The version of the records as they are now."""
        return self.index.version()

    def read(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The requested sections of one patient."""
        self.index.refresh()
        start, end = arguments.get("from"), arguments.get("to")
        if start is not None and end is not None and start > end:
            raise Refusal("invalid_range", "/from", start, f"a date up to {end}", f"from {start} is after to {end}.")
        patient, matched_by = find_patient(self.index, arguments["patient"], self.scope)
        wanted = [_wanted(code) for code in arguments.get("codes", ())]
        limit = arguments.get("limit", DEFAULT_LIMIT)
        sections: dict[str, Any] = {}
        found = dict.fromkeys((want.as_written for want in wanted), 0)
        undated = 0
        for section in arguments["sections"]:
            entries = _demographics(patient) if section == "demographics" else self.index.entries(patient.id, section)
            if wanted and section != "demographics":
                for want in wanted:
                    found[want.as_written] += sum(want.selects(entry) for entry in entries)
                entries = [entry for entry in entries if any(want.selects(entry) for want in wanted)]
            if (start or end) and section != "demographics":
                undated += sum(entry.date is None for entry in entries)
                entries = [entry for entry in entries if _within(entry.date, start, end)]
            latest = bool(arguments.get("latest_only")) and section != "demographics"
            sections[section] = _section(section, entries, latest, limit)
        result: dict[str, Any] = {
            "status": "ok",
            "patient": _identity(patient, arguments["patient"], matched_by),
        }
        if wanted:
            result["codes"] = [
                {
                    "as_written": want.as_written,
                    "resolved": want.resolved,
                    "matched_by": want.matched_by,
                    "found": found[want.as_written],
                }
                for want in wanted
            ]
        result["sections"] = sections
        result["notes"] = self._notes(patient, sections, wanted, found, undated)
        result["data_version"] = self.data_version()
        return result

    def _notes(
        self,
        patient: Patient,
        sections: Mapping[str, Any],
        wanted: Sequence[Wanted],
        found: Mapping[str, int],
        undated: int,
    ) -> list[str]:
        notes = []
        for want in wanted:
            if not found[want.as_written]:
                known = "" if want.matched_by != "text" else " and it is no test name or code known here"
                notes.append(f"Nothing recorded for {want.as_written} in these sections{known}.")
        orders = sections.get("medications", {}).get("entries", [])
        if patient.deceased and any(entry.get("status") in _CURRENT for entry in orders):
            notes.append("The patient is recorded as deceased; some orders are still marked active.")
        if undated:
            notes.append(f"{undated} entries without a date are left out by the date range.")
        files, resources = self.index.problems()
        if files:
            notes.append(f"{files} record files could not be read.")
        if resources:
            notes.append(f"{resources} resources of the folder have an unusable shape and were left out.")
        return notes


def _identity(patient: Patient, written: str, matched_by: str) -> dict[str, Any]:
    identity = {
        "id": patient.id,
        "mrn": patient.mrn,
        "name": patient.name,
        "birth_date": patient.birth_date,
        "sex": patient.sex,
        "deceased": patient.deceased,
    }
    known = {name: value for name, value in identity.items() if value}
    return {**known, "as_written": written, "matched_by": matched_by}


def _demographics(patient: Patient) -> list[Entry]:
    facts = {
        "name": patient.name,
        "birth date": patient.birth_date,
        "sex": patient.sex,
        "deceased": patient.deceased,
    }
    return [
        Entry(section="demographics", name=name, value=value, source=f"Patient/{patient.id}", group=name)
        for name, value in facts.items()
        if value
    ]


def _wanted(written: str) -> Wanted:
    """What a code or everyday name selects: a known analyte, else that code, else entries with its words."""
    analyte = by_loinc().get(written.strip())
    if analyte is not None:
        return Wanted(as_written=written, resolved=analyte.name, matched_by="code", groups=frozenset({analyte.name}))
    key = text.key(written)
    if key in by_name():
        analyte, matched_by = by_name()[key]
        return Wanted(
            as_written=written, resolved=analyte.name, matched_by=matched_by, groups=frozenset({analyte.name})
        )
    code = written.strip()
    return Wanted(as_written=written, resolved=code or written, matched_by="text", codes=frozenset({code}), words=key)


def _within(date: str | None, start: str | None, end: str | None) -> bool:
    """Whether a date that may be only a year or month can lie in the range."""
    if date is None:
        return False
    return (start is None or date >= start[: len(date)]) and (end is None or date <= end[: len(date)])


def _section(section: str, entries: list[Entry], latest_only: bool, limit: int) -> dict[str, Any]:
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
    fields = {
        "name": entry.name,
        "code": entry.code,
        "system": entry.system,
        "date": entry.date,
        "value": entry.value,
        "unit": entry.unit,
        "status": entry.status,
        "detail": entry.detail,
        "orders": orders if orders > 1 else None,
        "source": entry.source,
    }
    return {name: value for name, value in fields.items() if value is not None and value != ""}
