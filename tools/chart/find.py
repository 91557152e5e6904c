"""From a patient as written (id, MRN, name, name with birth date) to one patient in scope, or a clear
refusal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.chart.bundle import Patient
from tools.chart.index import Index
from tools.errors import Refusal

_BIRTH_DATE = re.compile(r"\b(\d{4}-\d{2}-\d{2})\b")
_PREFIX = re.compile(r"^\s*(?:patient|mrn|id)\b[\s:#]*(?:(?:mrn|id)\b[\s:#]*)?", re.IGNORECASE)
MAX_CANDIDATES = 5


def find_patient(index: Index, written: str, scope: frozenset[str] | None) -> tuple[Patient, str]:
    """The patient and how they were matched.

    A reader opened for some patients refuses everyone else in the same words, whether or not they exist.
    """
    tries = list(dict.fromkeys((written.strip(), _PREFIX.sub("", written).strip())))
    for candidate in tries:
        for matched_by, found in (("id", index.by_id(candidate)), ("mrn", index.by_mrn(candidate))):
            allowed = _in_scope(found, scope)
            if allowed:
                return _only(allowed, written), matched_by
    birth_dates = _BIRTH_DATE.findall(written)
    name = _BIRTH_DATE.sub(" ", tries[-1])
    found = _in_scope(index.by_name(re.sub(r"\b(?:born|dob)\b", " ", name, flags=re.IGNORECASE)), scope)
    if birth_dates:
        found = [patient for patient in found if patient.birth_date == birth_dates[0]]
    if not found:
        raise _nobody(written, scope)
    return _only(found, written), "name_and_birth_date" if birth_dates else "name"


def _in_scope(found: Sequence[Patient], scope: frozenset[str] | None) -> list[Patient]:
    return [patient for patient in found if scope is None or patient.id in scope]


def _only(found: Sequence[Patient], written: str) -> Patient:
    if len({patient.id for patient in found}) == 1:
        return found[0]
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


def _nobody(written: str, scope: frozenset[str] | None) -> Refusal:
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
        f"no patient '{written}' in the records.",
    )
