"""From a patient as written (id, MRN, name, name with birth date or MRN) to one patient in scope, or a clear
refusal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.chart.bundle import Patient
from tools.chart.dates import dates_in
from tools.chart.names import name_words
from tools.chart.source import Scope, View
from tools.errors import Refusal

_PREFIX = re.compile(r"^\s*(?:patient|mrn|id)\b[\s:#]*(?:(?:mrn|id|no|number)\b[\s.:#]*)*", re.IGNORECASE)
_MRN = re.compile(r"\bmrn\b[\s.:#]*(?:(?:no|number)\b[\s.:#]*)?([A-Za-z0-9][\w\-./]*)", re.IGNORECASE)
_AROUND = re.compile(r"\b(?:patient|born(?:\s+on)?|dob|date of birth)\b", re.IGNORECASE)
MAX_CANDIDATES = 5


def find_patient(view: View, written: str, scope: Scope) -> tuple[Patient, str]:
    """The patient and how they were matched.

    A reader opened for some patients refuses everyone else in the same words, whether or not they exist.
    """
    for candidate in dict.fromkeys((written.strip(), _PREFIX.sub("", written).strip())):
        for matched_by, found in (("id", view.by_id(candidate)), ("mrn", view.by_mrn(candidate))):
            allowed = _in_scope(found, scope)
            if allowed:
                return _only(allowed, written), matched_by
    number = _MRN.search(written)
    days, name = dates_in(_MRN.sub(" ", written))
    name = _AROUND.sub(" ", name)
    found, matched_by = view.by_name(name), "name"
    if number is not None:
        numbered = view.by_mrn(number[1].rstrip("./-"))
        same = {patient.id for patient in numbered}
        if name_words(name):
            found, matched_by = [patient for patient in found if patient.id in same], "name_and_mrn"
        else:
            found, matched_by = numbered, "mrn"
    elif days:
        found = [patient for patient in found if patient.birth_date is not None and _born(patient.birth_date, days)]
        matched_by = "name_and_birth_date"
    found = _in_scope(found, scope)
    if not found:
        raise _nobody(view, written, scope)
    return _only(found, written), matched_by


def _in_scope(found: Sequence[Patient], scope: Scope) -> list[Patient]:
    return [patient for patient in found if scope is None or patient.id in scope]


def _born(recorded: str, days: Sequence[frozenset[str]]) -> bool:
    """Whether the first date written can be the recorded birth date, which may be only a year or month."""
    return any(day.startswith(recorded) for day in days[0])


def _only(found: Sequence[Patient], written: str) -> Patient:
    if len({patient.id for patient in found}) == 1:
        if _is_one_person(found):
            return found[0]
        raise Refusal(
            "ambiguous_patient",
            "/patient",
            written,
            "an id that one patient has",
            f"'{written}' is the id of {len(found)} patients who differ in name or birth date; the records mix them, "
            "so nothing is read.",
        )
    shown = [
        f"{patient.name}, born {patient.birth_date or 'unknown'}, MRN {patient.mrn or 'none'}" for patient in found
    ]
    options = "; ".join(shown[:MAX_CANDIDATES])
    raise Refusal(
        "ambiguous_patient",
        "/patient",
        written,
        f"one of {options}",
        f"'{written}' matches {len(found)} patients: {options}. Give the MRN or the birth date.",
    )


def _is_one_person(found: Sequence[Patient]) -> bool:
    """Whether patients under one id can be copies of one: no two birth dates, and a word of the name in common."""
    births = {patient.birth_date for patient in found if patient.birth_date}
    words = [{w for name in (p.name, *p.other_names) for w in name_words(name)} for p in found]
    named = [some for some in words if some]
    return len(births) <= 1 and (not named or bool(set.intersection(*named)))


def _nobody(view: View, written: str, scope: Scope) -> Refusal:
    if scope is not None:
        return Refusal(
            "outside_scope",
            "/patient",
            written,
            "a patient this reader was opened for",
            f"'{written}' is not among the {len(scope)} patients this reader may open.",
        )
    return Refusal(
        "unknown_patient",
        "/patient",
        written,
        "the id, MRN or name of a patient in the records",
        " ".join([f"no patient '{written}' in the records.", *view.notes()]),
    )
