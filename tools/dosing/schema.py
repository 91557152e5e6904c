"""Argument and result schemas of ``calculate_dose``.

The arguments are one flat object per calculation, told apart by the constant ``calculation``, so a grammar
can hold which fields and units belong together. Bounds here are wide; the plausibility checks in the
calculators are narrow.
"""

from __future__ import annotations

from typing import Any

from tools.schema_parts import REFUSED, closed_object, from_conversation, text

WEIGHT_UNITS = ("kg", "g", "lb")
HEIGHT_UNITS = ("cm", "m", "in")
CREATININE_UNITS = ("mg/dL", "µmol/L")
AGE_UNITS = ("years", "months", "weeks", "days")
DOSE_RATE_UNITS = ("mcg/kg/min", "mg/kg/h", "units/kg/h", "mcg/min", "mg/h", "units/h")
CONCENTRATION_UNITS = ("mg/mL", "mcg/mL", "units/mL")

DESCRIPTION = (
    "Calculate a drug dose (by drug, age, weight, kidney function) or a bedside value: creatinine clearance, "
    "eGFR, body surface area, BMI, ideal body weight, infusion rate, corrected calcium, QTc or fluids."
)


def _number(**bounds: float) -> dict[str, Any]:
    return from_conversation({"type": "number", **bounds})


def _choice(values: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


_TEXT = from_conversation({"type": "string", "minLength": 1, "maxLength": 80})
_AGE = _number(minimum=0, maximum=130)
_WEIGHT = _number(exclusiveMinimum=0, maximum=700_000)  # 700 kg written in grams; the calculators hold 700 kg
_HEIGHT = _number(exclusiveMinimum=0, maximum=300)
_CREATININE = _number(exclusiveMinimum=0, maximum=5000)
_SEX = _choice(("female", "male"))


def _calculation(name: str, properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    fields = {"calculation": {"const": name}, **properties}
    return closed_object(fields, required=[key for key in fields if key not in optional])


_DRUG_DOSE = _calculation(
    "drug_dose",
    {
        "drug": _TEXT,
        "indication": _TEXT,
        "age": _AGE,
        "age_unit": _choice(AGE_UNITS),
        "weight": _WEIGHT,
        "weight_unit": _choice(WEIGHT_UNITS),
        "creatinine_clearance": _number(minimum=0, maximum=400),
    },
    optional=("indication", "creatinine_clearance"),
)
_CREATININE_CLEARANCE = _calculation(
    "creatinine_clearance",
    {
        "age": _AGE,
        "sex": _SEX,
        "weight": _WEIGHT,
        "weight_unit": _choice(WEIGHT_UNITS),
        "height": _HEIGHT,
        "height_unit": _choice(HEIGHT_UNITS),
        "creatinine": _CREATININE,
        "creatinine_unit": _choice(CREATININE_UNITS),
    },
    optional=("height", "height_unit"),
)
_EGFR = _calculation(
    "egfr",
    {"age": _AGE, "sex": _SEX, "creatinine": _CREATININE, "creatinine_unit": _choice(CREATININE_UNITS)},
)
_BODY = {
    "weight": _WEIGHT,
    "weight_unit": _choice(WEIGHT_UNITS),
    "height": _HEIGHT,
    "height_unit": _choice(HEIGHT_UNITS),
}
_BODY_SURFACE_AREA = _calculation(
    "body_surface_area", {**_BODY, "formula": _choice(("mosteller", "du_bois"))}, optional=("formula",)
)
_BODY_MASS_INDEX = _calculation("body_mass_index", _BODY)
_IDEAL_BODY_WEIGHT = _calculation(
    "ideal_body_weight",
    {
        "sex": _SEX,
        "height": _HEIGHT,
        "height_unit": _choice(HEIGHT_UNITS),
        "weight": _WEIGHT,
        "weight_unit": _choice(WEIGHT_UNITS),
    },
    optional=("weight", "weight_unit"),
)
_INFUSION_RATE = _calculation(
    "infusion_rate",
    {
        "dose": _number(exclusiveMinimum=0, maximum=100_000),
        "dose_unit": _choice(DOSE_RATE_UNITS),
        "weight": _WEIGHT,
        "weight_unit": _choice(WEIGHT_UNITS),
        "concentration": _number(exclusiveMinimum=0, maximum=100_000),
        "concentration_unit": _choice(CONCENTRATION_UNITS),
    },
    optional=("weight", "weight_unit"),
)
_CORRECTED_CALCIUM = _calculation(
    "corrected_calcium",
    {
        "calcium": _number(exclusiveMinimum=0, maximum=100),
        "albumin": _number(exclusiveMinimum=0, maximum=100),
    },
)
_QTC = _calculation(
    "qtc",
    {
        "qt_ms": _number(exclusiveMinimum=0, maximum=2000),
        "heart_rate": _number(exclusiveMinimum=0, maximum=500),
        "formula": _choice(("bazett", "fridericia")),
    },
    optional=("formula",),
)
_MAINTENANCE_FLUIDS = _calculation("maintenance_fluids", {"weight": _WEIGHT, "weight_unit": _choice(WEIGHT_UNITS)})

ARGUMENTS: dict[str, Any] = {
    "oneOf": [
        _DRUG_DOSE,
        _CREATININE_CLEARANCE,
        _EGFR,
        _BODY_SURFACE_AREA,
        _BODY_MASS_INDEX,
        _IDEAL_BODY_WEIGHT,
        _INFUSION_RATE,
        _CORRECTED_CALCIUM,
        _QTC,
        _MAINTENANCE_FLUIDS,
    ]
}
CALCULATIONS: tuple[str, ...] = tuple(branch["properties"]["calculation"]["const"] for branch in ARGUMENTS["oneOf"])

_OK = closed_object(
    {
        "status": {"const": "ok"},
        "calculation": {"enum": list(CALCULATIONS)},
        "drug": closed_object(
            {
                "as_written": text(),
                "resolved": text(),
                "matched_by": {"enum": ["generic", "brand", "alias", "spelling"]},
            },
            required=["as_written", "resolved", "matched_by"],
        ),
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
