"""``read_patient_record``: sections of one patient, filtered by codes, dates and status."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools.chart.bundle import LeftOut, Patient
from tools.chart.dates import age_on, at_or_before
from tools.chart.find import find_patient
from tools.chart.sections import Entry
from tools.chart.select import ACTIVE, Tally, Wanted, as_of_day, as_section, in_range, wanted, with_status
from tools.chart.source import Source, View
from tools.errors import RecordError, Refusal

DEFAULT_LIMIT = 20
MAX_REASONS = 3


class Reader:
    """Reads records for everyone in them, or for a stated set of patient ids.

    ``records`` is a folder or the base URL of a FHIR server; ``cache`` names a file for a folder's index, which
    otherwise lives in memory.
    """

    def __init__(self, records: Path | str, patients: Collection[str] | None = None, cache: Path | None = None) -> None:
        self.source: Source = _open(records, cache)
        self.scope = None if patients is None else frozenset(patients)

    def data_version(self) -> str:
        """The version to state when a call was refused before anything was read."""
        return self.source.version()

    def read(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The requested sections of one patient."""
        day = arguments.get("as_of")
        start, end = _range(arguments.get("from"), arguments.get("to"), day)
        try:
            with self.source.view(self.scope) as view:
                found, matched_by = find_patient(view, arguments["patient"], self.scope)
                return _Reading(view, found, day).result(arguments, matched_by, start, end)
        except RecordError as error:
            raise Refusal("records_unavailable", "", None, "records that can be read now", str(error)) from error


def _open(records: Path | str, cache: Path | None) -> Source:
    if isinstance(records, str) and records.lower().startswith(("http://", "https://")):
        from tools.chart.server import Server

        if cache is not None:
            raise RecordError("an index file is for a folder of records; a FHIR server is asked anew for each call")
        return Server(records)
    from tools.chart.index import Index

    return Index(Path(records), cache)


def _range(start: str | None, end: str | None, day: str | None) -> tuple[str | None, str | None]:
    """The date range, ending with the day of the view."""
    if start is not None and end is not None and start > end:
        raise Refusal("invalid_range", "/from", start, f"a date up to {end}", f"from {start} is after to {end}.")
    if start is not None and day is not None and start > day:
        raise Refusal("invalid_range", "/from", start, f"a date up to {day}", f"from {start} is after as_of {day}.")
    return start, end


class _Reading:
    """One call: the patient as of the day, and what was left out on the way."""

    def __init__(self, view: View, patient: Patient, day: str | None) -> None:
        self.view = view
        self.day = day
        self.tally = Tally()
        if day is not None:
            if patient.birth_date is not None and not at_or_before(patient.birth_date, day):
                raise Refusal(
                    "invalid_range",
                    "/as_of",
                    day,
                    f"a date from {patient.birth_date} on",
                    f"as_of {day} is before this patient's birth on {patient.birth_date}.",
                )
            if patient.deceased not in (None, "yes") and not at_or_before(str(patient.deceased), day):
                patient = replace(patient, deceased=None)  # alive then
        self.patient = patient

    def result(
        self, arguments: Mapping[str, Any], matched_by: str, start: str | None, end: str | None
    ) -> dict[str, Any]:
        chosen = [wanted(code) for code in arguments.get("codes", ())]
        found = dict.fromkeys((want.as_written for want in chosen), 0)
        sections: dict[str, Any] = {}
        undosed = 0
        for section in arguments["sections"]:
            if section == "demographics":
                entries = self._demographics()
                sections[section] = as_section(section, entries, False, len(entries))
                continue
            entries = list(self.view.entries(self.patient.id, section))
            if self.day is not None:
                entries = as_of_day(section, entries, self.day, self.tally)
            if chosen:
                for want in chosen:
                    found[want.as_written] += sum(want.selects(entry) for entry in entries)
                entries = [entry for entry in entries if any(want.selects(entry) for want in chosen)]
            if start or end:
                entries = in_range(entries, start, end, self.tally)
            if "status" in arguments:
                entries = with_status(section, entries, arguments["status"], self.tally)
            latest = bool(arguments.get("latest_only"))
            sections[section] = as_section(section, entries, latest, int(arguments.get("limit", DEFAULT_LIMIT)))
            if section == "medications":
                undosed = sum(
                    "detail" not in shown and shown.get("status") in ACTIVE[section]
                    for shown in sections[section]["entries"]
                )
        result: dict[str, Any] = {"status": "ok", "patient": self._identity(arguments["patient"], matched_by)}
        if self.day is not None:
            result["as_of"] = self.day
        if chosen:
            result["codes"] = [_as_json(want, found[want.as_written]) for want in chosen]
        result["sections"] = sections
        result["notes"] = self._notes(sections, chosen, found, undosed)
        result["data_version"] = self.view.version()
        return result

    def _age(self) -> tuple[int, str] | None:
        """The age on the day of the view, or at death when that came first."""
        if self.day is None or self.patient.birth_date is None or self.patient.deceased == "yes":
            return None
        died = self.patient.deceased
        if died is not None and len(died) < len("2000-01-01"):
            return None
        return age_on(self.patient.birth_date, died or self.day)

    def _identity(self, written: str, matched_by: str) -> dict[str, Any]:
        patient = self.patient
        age = self._age()
        identity = {
            "id": patient.id,
            "mrn": patient.mrn,
            "name": patient.name,
            "birth_date": patient.birth_date,
            "sex": patient.sex,
            "deceased": patient.deceased,
        }
        known: dict[str, Any] = {name: value for name, value in identity.items() if value}
        if age is not None:
            known |= {"age": age[0], "age_unit": age[1]}
        return {**known, "as_written": written, "matched_by": matched_by}

    def _demographics(self) -> list[Entry]:
        patient = self.patient
        facts = {
            "name": patient.name,
            "birth date": patient.birth_date,
            "sex": patient.sex,
            "deceased": patient.deceased,
        }
        source = f"Patient/{patient.id}"
        entries = [
            Entry(section="demographics", name=name, value=value, source=source, group=name)
            for name, value in facts.items()
            if value
        ]
        age = self._age()
        if age is not None:
            name = "age at death" if patient.deceased else "age"
            entries.append(
                Entry(section="demographics", name=name, value=age[0], unit=age[1], source=source, group=name)
            )
        return entries

    def _notes(
        self, sections: Mapping[str, Any], chosen: Sequence[Wanted], found: Mapping[str, int], undosed: int
    ) -> list[str]:
        notes = []
        for want in chosen:
            if not found[want.as_written]:
                known = "" if want.matched_by != "text" else " and it is no test name or code known here"
                notes.append(f"Nothing recorded for {want.as_written} in these sections{known}.")
        orders = sections.get("medications", {}).get("entries", [])
        if self.patient.deceased and any(entry.get("status") in ("active", "on-hold", "draft") for entry in orders):
            notes.append("The patient is recorded as deceased; some orders are still marked active.")
        if self.day is not None and self.patient.deceased == "yes":
            notes.append(f"The patient is recorded as deceased without a date, perhaps after {self.day}.")
        if undosed:
            notes.append(f"{undosed} active medication{' has' if undosed == 1 else 's have'} no dosage recorded.")
        notes += self.tally.notes(self.day)
        left_out = self.view.left_out(self.patient.id)
        if left_out:
            notes.append(_reasons(left_out))
        return notes + self.view.notes()


def _reasons(left_out: Sequence[LeftOut]) -> str:
    """How many resources of the patient were left out, with the commonest reasons."""
    counts = Counter(f"{out.kind}: {out.reason}" for out in left_out)
    shown = "; ".join(f"{reason} ({count})" for reason, count in counts.most_common(MAX_REASONS))
    more = f"; and {len(counts) - MAX_REASONS} more reasons" if len(counts) > MAX_REASONS else ""
    verbs = "resource of this patient cannot be read and is", "resources of this patient cannot be read and are"
    return f"{len(left_out)} {verbs[len(left_out) > 1]} left out: {shown}{more}."


def _as_json(want: Wanted, found: int) -> dict[str, Any]:
    return {
        "as_written": want.as_written,
        "resolved": want.resolved,
        "matched_by": want.matched_by,
        "found": found,
    }
