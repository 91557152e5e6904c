"""Parts of FHIR resources in plain form: text, dates, coded concepts, values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Resource = Mapping[str, Any]
LOINC = "http://loinc.org"
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_SYSTEMS = {
    LOINC: "LOINC",
    "http://snomed.info/sct": "SNOMED CT",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://hl7.org/fhir/sid/icd-10": "ICD-10",
    "http://hl7.org/fhir/sid/cvx": "CVX",
}


def clean(value: str) -> str:
    return " ".join(value.translate(_INVISIBLE).split())


def iso_date(value: object) -> str | None:
    match = _DATE.match(value) if isinstance(value, str) else None
    return match.group() if match else None


def concept_of(concept: Resource | None) -> tuple[str, str | None, str | None]:
    """(name, code, system) of a codeable concept; LOINC first, then the first coding."""
    concept = concept or {}
    codings = [coding for coding in concept.get("coding") or [] if coding.get("code")]
    codings.sort(key=lambda coding: coding.get("system") != LOINC)
    coding = codings[0] if codings else {}
    name = clean(concept.get("text") or coding.get("display") or coding.get("code") or "")
    if not name:
        raise ValueError("a concept without text, display or code")
    system = coding.get("system")
    return name, coding.get("code"), _SYSTEMS.get(system, system) if system else None


def status_code(concept: Resource | None) -> str | None:
    codings = (concept or {}).get("coding") or []
    return codings[0].get("code") if codings else None


def dig(resource: Resource, path: str) -> object:
    value: object = resource
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def value_of(part: Resource) -> tuple[Any, str | None] | None:
    """(value, unit) of an observation or component, whatever type the value has."""
    quantity = part.get("valueQuantity")
    if quantity is not None:
        number = quantity["value"]
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ValueError("a quantity that is not a number")
        comparator = quantity.get("comparator")
        unit = quantity.get("unit") or quantity.get("code")
        shown = round(number, 4)
        return (f"{comparator}{shown:g}" if comparator else shown), unit
    if part.get("valueCodeableConcept") is not None:
        return concept_of(part["valueCodeableConcept"])[0], None
    for key in ("valueString", "valueInteger", "valueBoolean", "valueDateTime"):
        if key in part and part[key] != "":
            return (clean(part[key]) if isinstance(part[key], str) else part[key]), None
    return None
