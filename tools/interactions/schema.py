"""Argument and result schemas of ``check_drug_interactions``."""

from __future__ import annotations

from typing import Any

from tools.schema_parts import REFUSED, closed_object, text

SEVERITIES = ("minor", "moderate", "major", "contraindicated")
ACTIONS = ("avoid", "adjust_dose", "monitor", "separate_doses", "none")
EVIDENCE = ("label", "guideline", "class_rule", "pk_prediction")
MECHANISMS = ("pharmacodynamic", "pharmacokinetic", "mixed", "unknown")
MATCHED_BY = ("generic", "brand", "alias", "spelling")

DESCRIPTION = (
    "Screen drugs for interactions. Several drugs are screened pairwise; one drug lists its known partners. "
    "Names may be generic, brand or abbreviated, as written."
)

ARGUMENTS: dict[str, Any] = closed_object(
    {
        "drugs": {
            "type": "array",
            "items": {"type": "string", "minLength": 1, "maxLength": 80, "x-from": "conversation"},
            "minItems": 1,
            "maxItems": 20,
            "x-distinct": True,
        },
        "min_severity": {"type": "string", "enum": list(SEVERITIES)},
        "include_food_herbal": {"type": "boolean"},
    },
    required=["drugs"],
)

_RESOLVED = closed_object(
    {
        "as_written": text(),
        "ingredients": {"type": "array", "items": text(), "minItems": 1},
        "matched_by": {"enum": list(MATCHED_BY)},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "look_alike": text(),
    },
    required=["as_written", "ingredients", "matched_by", "confidence"],
)

_UNRESOLVED = closed_object(
    {
        "as_written": text(),
        "reason": {"enum": ["not_in_database", "ambiguous"]},
        "candidates": {"type": "array", "items": text()},
    },
    required=["as_written", "reason", "candidates"],
)

_INTERACTION = closed_object(
    {
        "object": text(),
        "precipitant": text(),
        "severity": {"enum": list(SEVERITIES)},
        "action": {"enum": list(ACTIONS)},
        "evidence": {"enum": list(EVIDENCE)},
        "mechanism": closed_object(
            {"type": {"enum": list(MECHANISMS)}, "pathway": text()}, required=["type", "pathway"]
        ),
        "effect": text(),
        "management": text(),
        "rule": text(),
        "sources": {"type": "array", "items": text(), "minItems": 1},
    },
    required=[
        "object",
        "precipitant",
        "severity",
        "action",
        "evidence",
        "mechanism",
        "effect",
        "management",
        "rule",
        "sources",
    ],
)

_OK = closed_object(
    {
        "status": {"const": "ok"},
        "mode": {"enum": ["pairs", "partners"]},
        "resolved": {"type": "array", "items": _RESOLVED},
        "unresolved": {"type": "array", "items": _UNRESOLVED},
        "interactions": {"type": "array", "items": _INTERACTION},
        "highest_severity": {"enum": [*SEVERITIES, "none_found"]},
        "pairs_checked": {"type": "integer", "minimum": 0},
        "duplicate_ingredients": {
            "type": "array",
            "items": closed_object(
                {"ingredient": text(), "as_written": {"type": "array", "items": text(), "minItems": 2}},
                required=["ingredient", "as_written"],
            ),
        },
        "notes": {"type": "array", "items": text()},
        "data_version": text(),
    },
    required=[
        "status",
        "mode",
        "resolved",
        "unresolved",
        "interactions",
        "highest_severity",
        "pairs_checked",
        "duplicate_ingredients",
        "notes",
        "data_version",
    ],
)

RESULT: dict[str, Any] = {"oneOf": [_OK, REFUSED]}
