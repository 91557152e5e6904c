"""Result schema of ``calculate_dose``: one shape for every calculation, or the refusal."""

from __future__ import annotations

from typing import Any

from tools.dosing.schema import CALCULATIONS
from tools.schema_parts import REFUSED, closed_object, text

_UNDERSTOOD = closed_object(
    {
        "as_written": text(),
        "resolved": text(),
        "matched_by": {"enum": ["generic", "brand", "alias", "spelling"]},
    },
    required=["as_written", "resolved", "matched_by"],
)
_OK = closed_object(
    {
        "status": {"const": "ok"},
        "calculation": {"enum": list(CALCULATIONS)},
        "drug": _UNDERSTOOD,
        "to_drug": _UNDERSTOOD,
        "indication": text(),
        "population": text(),
        "route": text(),
        "value": {"type": "number"},
        "value_high": {"type": "number"},
        "unit": text(),
        "frequency": text(),
        "other_values": {"type": "object", "additionalProperties": {"type": "number"}},
        "formula": text(),
        "inputs": {"type": "object", "additionalProperties": {"type": ["number", "string"]}},
        "steps": {"type": "array", "items": text(), "minItems": 1},
        "applied": {"type": "array", "items": text()},
        "warnings": {"type": "array", "items": text()},
        "source": text(),
        "data_version": text(),
    },
    required=[
        "status",
        "calculation",
        "value",
        "unit",
        "formula",
        "inputs",
        "steps",
        "applied",
        "warnings",
        "source",
        "data_version",
    ],
)

RESULT: dict[str, Any] = {"oneOf": [_OK, REFUSED]}
