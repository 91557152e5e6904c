"""Argument and result schemas of ``read_patient_record``."""

from __future__ import annotations

from typing import Any

from tools.schema_parts import REFUSED, closed_object, from_conversation, text

SECTIONS = (
    "demographics",
    "conditions",
    "medications",
    "allergies",
    "labs",
    "vitals",
    "encounters",
    "immunizations",
    "procedures",
)

DESCRIPTION = (
    "Read sections of one patient's record: by id, MRN or name; optionally only some tests (LOINC or "
    "everyday names), a date range, the latest value of each, a number of entries, only what is active or "
    "inactive, or the record as it was on a date."
)

_DATE = from_conversation({"type": "string", "format": "date"})

ARGUMENTS: dict[str, Any] = closed_object(
    {
        "patient": from_conversation({"type": "string", "minLength": 1, "maxLength": 80}),
        "sections": {
            "type": "array",
            "items": {"type": "string", "enum": list(SECTIONS)},
            "minItems": 1,
            "maxItems": 9,
            "uniqueItems": True,
        },
        "codes": {
            "type": "array",
            "items": from_conversation({"type": "string", "minLength": 1, "maxLength": 80}),
            "minItems": 1,
            "maxItems": 10,
            "x-distinct": True,
        },
        "from": _DATE,
        "to": _DATE,
        "latest_only": {"type": "boolean"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
        "status": {"type": "string", "enum": ["active", "inactive"]},
        "as_of": _DATE,
    },
    required=["patient", "sections"],
)

_ENTRY = closed_object(
    {
        "name": text(),
        "code": text(),
        "system": text(),
        "date": text(),
        "value": {"type": ["number", "string", "boolean"]},
        "unit": text(),
        "status": text(),
        "detail": text(),
        "orders": {"type": "integer", "minimum": 1},
        "source": text(),
    },
    required=["name", "source"],
)

_OK = closed_object(
    {
        "status": {"const": "ok"},
        "patient": closed_object(
            {
                "id": text(),
                "mrn": text(),
                "name": text(),
                "birth_date": text(),
                "sex": text(),
                "deceased": text(),
                "age": {"type": "integer", "minimum": 0},
                "age_unit": {"enum": ["days", "months", "years"]},
                "as_written": text(),
                "matched_by": {"enum": ["id", "mrn", "name", "name_and_birth_date", "name_and_mrn"]},
            },
            required=["id", "name", "as_written", "matched_by"],
        ),
        "as_of": text(),
        "codes": {
            "type": "array",
            "items": closed_object(
                {
                    "as_written": text(),
                    "resolved": text(),
                    "matched_by": {"enum": ["code", "name", "alias", "text"]},
                    "found": {"type": "integer", "minimum": 0},
                },
                required=["as_written", "resolved", "matched_by", "found"],
            ),
        },
        "sections": {
            "type": "object",
            "properties": {
                name: closed_object(
                    {
                        "total": {"type": "integer", "minimum": 0},
                        "returned": {"type": "integer", "minimum": 0},
                        "entries": {"type": "array", "items": _ENTRY},
                    },
                    required=["total", "returned", "entries"],
                )
                for name in SECTIONS
            },
            "additionalProperties": False,
        },
        "notes": {"type": "array", "items": text()},
        "data_version": text(),
    },
    required=["status", "patient", "sections", "notes", "data_version"],
)

RESULT: dict[str, Any] = {"oneOf": [_OK, REFUSED]}
