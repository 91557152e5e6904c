"""What makes a resource readable: each element that is read has the type FHIR R4 gives it.

A shape is a primitive's name, ``[shape]`` for a list, or a mapping of elements; elements that are not read are
not judged, so a record with foreign extensions is still read. A wrong element spoils its whole resource, which
is left out and counted. Reasons name the element and the kind of thing found there, never its content.
Types and cardinalities: HL7 FHIR R4 (4.0.1), the pages of each resource and "Data Types".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

Shape = str | list[Any] | dict[str, Any]
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: no file or database can hold it
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T.+)?)?)?")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and (value.isascii() or _SURROGATE.search(value) is None)


def _is_number(value: object) -> bool:
    """A number that JSON can carry on; not infinite, as 1e999 would be read."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _is_date(value: object) -> bool:
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return False
    try:
        date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return False
    return True


PRIMITIVES: Mapping[str, Callable[[object], bool]] = {
    "text": _is_text,
    "boolean": lambda value: isinstance(value, bool),
    "number": _is_number,
    "date": _is_date,
}
_CODING = {"system": "text", "code": "text", "display": "text"}
_CONCEPT = {"coding": [_CODING], "text": "text"}
_REFERENCE = {"reference": "text", "display": "text"}
_QUANTITY = {"value": "number", "comparator": "text", "unit": "text", "code": "text"}
_PERIOD = {"start": "date", "end": "date"}
_IDENTIFIER = {"type": _CONCEPT, "system": "text", "value": "text"}
_NAME = {"use": "text", "text": "text", "family": "text", "given": ["text"]}
_REPEAT = {"frequency": "number", "period": "number", "periodUnit": "text"}
_DOSAGE = {
    "text": "text",
    "asNeededBoolean": "boolean",
    "timing": {"repeat": _REPEAT, "code": _CONCEPT},
    "doseAndRate": [{"doseQuantity": _QUANTITY}],
}
_VALUE = {
    "valueQuantity": _QUANTITY,
    "valueCodeableConcept": _CONCEPT,
    "valueString": "text",
    "valueInteger": "number",
    "valueBoolean": "boolean",
    "valueDateTime": "date",
    "dataAbsentReason": _CONCEPT,
}
_MEDICATION = {
    "status": "text",
    "medicationCodeableConcept": _CONCEPT,
    "medicationReference": _REFERENCE,
    "subject": _REFERENCE,
}
_VERIFIED = {"clinicalStatus": _CONCEPT, "verificationStatus": _CONCEPT, "code": _CONCEPT, "recordedDate": "date"}
_ONSET = {"onsetDateTime": "date", "onsetPeriod": _PERIOD}
_PERFORMED = {"performedDateTime": "date", "performedPeriod": _PERIOD}
_OBSERVED = {"effectiveDateTime": "date", "effectivePeriod": _PERIOD, "issued": "date"}

SHAPES: Mapping[str, dict[str, Any]] = {
    "Patient": {
        "identifier": [_IDENTIFIER],
        "name": [_NAME],
        "gender": "text",
        "birthDate": "date",
        "deceasedBoolean": "boolean",
        "deceasedDateTime": "date",
    },
    "Condition": {
        **_VERIFIED,
        **_ONSET,
        "subject": _REFERENCE,
        "abatementDateTime": "date",
        "abatementPeriod": _PERIOD,
    },
    "AllergyIntolerance": {
        **_VERIFIED,
        **_ONSET,
        "patient": _REFERENCE,
        "criticality": "text",
        "reaction": [{"manifestation": [_CONCEPT]}],
    },
    "Immunization": {
        "status": "text",
        "vaccineCode": _CONCEPT,
        "patient": _REFERENCE,
        "occurrenceDateTime": "date",
        "recorded": "date",
    },
    "Procedure": {"status": "text", "code": _CONCEPT, "subject": _REFERENCE, **_PERFORMED},
    "Encounter": {
        "status": "text",
        "class": _CODING,
        "type": [_CONCEPT],
        "subject": _REFERENCE,
        "period": _PERIOD,
        "reasonCode": [_CONCEPT],
    },
    "MedicationRequest": {
        **_MEDICATION,
        "intent": "text",
        "doNotPerform": "boolean",
        "authoredOn": "date",
        "dosageInstruction": [_DOSAGE],
    },
    "MedicationStatement": {
        **_MEDICATION,
        "effectiveDateTime": "date",
        "effectivePeriod": _PERIOD,
        "dateAsserted": "date",
        "dosage": [_DOSAGE],
    },
    "Observation": {
        "status": "text",
        "category": [_CONCEPT],
        "code": _CONCEPT,
        "subject": _REFERENCE,
        **_OBSERVED,
        **_VALUE,
        "component": [{"code": _CONCEPT, **_VALUE}],
    },
    "Medication": {"code": _CONCEPT},
}
_REQUIRED: Mapping[str, tuple[tuple[str, ...], ...]] = {  # one of each group
    "Condition": (("subject",), ("code",)),
    "AllergyIntolerance": (("patient",), ("code",)),
    "Immunization": (("status",), ("patient",), ("vaccineCode",)),
    "Procedure": (("status",), ("subject",), ("code",)),
    "Encounter": (("status",), ("subject",)),
    "MedicationRequest": (
        ("status",),
        ("subject",),
        ("medicationCodeableConcept", "medicationReference"),
    ),
    "MedicationStatement": (
        ("status",),
        ("subject",),
        ("medicationCodeableConcept", "medicationReference"),
    ),
    "Observation": (("status",), ("subject",), ("code",)),
}


def problem(resource: object) -> str | None:
    """What makes the resource unreadable (``birthDate: found a number, expected a date``), or None."""
    if not isinstance(resource, dict):
        return f"found {_word(resource)}, expected a resource"
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        return f"resourceType: found {_word(kind)}, expected text"
    if resource.get("id") is not None and not _is_text(resource["id"]):
        return f"id: found {_word(resource['id'])}, expected text"
    for group in _REQUIRED.get(kind, ()):
        if all(resource.get(name) is None for name in group):
            return f"{' or '.join(group)}: missing"
    shape = SHAPES.get(kind)
    return None if shape is None else _check(resource, shape)


def _check(value: object, shape: Shape) -> str | None:
    """``place: found ..., expected ...`` of the first wrong element below ``value``; the place is built on the
    way out, because almost every resource has nothing wrong.
    """
    if value is None:  # an absent element, or the gap in a list whose entry is only an extension
        return None
    if isinstance(shape, str):
        return None if PRIMITIVES[shape](value) else _wrong(value, shape)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return _wrong(value, "list")
        for part in value:
            if found := _check(part, shape[0]):
                return found
        return None
    if not isinstance(value, dict):
        return _wrong(value, "object")
    for name, part in value.items():
        if name in shape and (found := _check(part, shape[name])):
            return f"{name}{found}" if found.startswith(":") else f"{name}.{found}"
    return None


def _wrong(value: object, expected: str) -> str:
    article = {"text": "", "object": "an "}.get(expected, "a ")
    return f": found {_word(value)}, expected {article}{expected}"


def _word(value: object) -> str:
    """The kind of a JSON value, in words."""
    if value is None:
        return "nothing"
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (str, "text that is no such thing"),
        (int, "a number"),
        (float, "a number"),
        (list, "a list"),
    )
    return next((word for kind, word in kinds if isinstance(value, kind)), "an object")
