"""Argument schema of ``calculate_dose``.

The arguments are one flat object per calculation, told apart by the constant ``calculation``, so a grammar
can hold which fields and units belong together. Bounds here are wide; the plausibility checks in the
calculators are narrow.
"""

from __future__ import annotations

from typing import Any

from tools.dosing.frequency import FREQUENCIES
from tools.dosing.units import SUBSTANCES, UNITS
from tools.schema_parts import closed_object, from_conversation

WEIGHT_UNITS = ("kg", "g", "lb")
HEIGHT_UNITS = ("cm", "m", "in", "ft-in")
CREATININE_UNITS = ("mg/dL", "µmol/L")
AGE_UNITS = ("years", "months", "weeks", "days")
DOSE_RATE_UNITS = (
    *("mcg/kg/min", "mg/kg/h", "units/kg/h", "mcg/min", "mg/h", "units/h"),
    *("mcg/kg/h", "mg/kg/min", "mg/min", "mcg/h", "g/h", "units/min", "mEq/h"),
)
CONCENTRATION_UNITS = ("mg/mL", "mcg/mL", "units/mL", "mEq/mL")
SIZED_DOSE_UNITS = (
    *("mg/kg", "mcg/kg", "g/kg", "units/kg", "mEq/kg", "mL/kg"),
    *("mg/m²", "mcg/m²", "g/m²", "units/m²"),
    *("mg/kg/day", "mcg/kg/day", "units/kg/day", "mEq/kg/day", "mL/kg/day", "mg/m²/day"),
)
AMOUNT_UNITS = ("mg", "mcg", "g", "units", "mEq", "mL")
SERUM_UNITS = ("mg/L", "mcg/mL", "ng/mL", "mcg/L")
VOLUME_UNITS = ("L", "L/kg", "mL/kg")
CLEARANCE_UNITS = ("L/h", "mL/min", "L/h/kg", "mL/min/kg", "mL/h/kg")
ROUTES = (
    *("oral", "intravenous", "intramuscular", "subcutaneous", "rectal", "nebulised", "inhaled"),
    *("intranasal", "sublingual", "transdermal"),
)

DESCRIPTION = (
    "Calculate a drug dose (by drug, age, weight, kidney function; per kg or m²), carboplatin, a loading or "
    "maintenance dose, opioid or steroid equivalents, an infusion rate or its dose, or a bedside value: creatinine "
    "clearance, eGFR, body surface area, BMI, ideal body weight, corrected calcium, QTc, fluids, another unit."
)


def _number(**bounds: float) -> dict[str, Any]:
    return from_conversation({"type": "number", **bounds})


def _choice(values: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "string", "enum": list(values)}


_TEXT = from_conversation({"type": "string", "minLength": 1, "maxLength": 80})
_AGE = _number(minimum=0, maximum=130)
_WEIGHT = _number(exclusiveMinimum=0, maximum=700_000)  # 700 kg written in grams; the calculators hold 700 kg
_HEIGHT = _number(exclusiveMinimum=0, maximum=300)
_INCHES = _number(minimum=0, exclusiveMaximum=12)  # beside height in feet, height_unit ft-in
_CREATININE = _number(exclusiveMinimum=0, maximum=5000)
_RATE = _number(minimum=0, maximum=400)
_SEX = _choice(("female", "male"))
_WEIGHED = {"weight": _WEIGHT, "weight_unit": _choice(WEIGHT_UNITS)}
_TALL = {"height": _HEIGHT, "height_unit": _choice(HEIGHT_UNITS)}
_WEIGHT_KEYS = tuple(_WEIGHED)
_HEIGHT_KEYS = (*_TALL, "height_inches")


_TOGETHER = {  # what may be left out, with what it cannot stand without
    "weight": ["weight_unit"],
    "weight_unit": ["weight"],
    "height": ["height_unit"],
    "height_unit": ["height"],
    "height_inches": ["height", "height_unit"],
    "max_dose": ["max_dose_unit"],
    "max_dose_unit": ["max_dose"],
    "bioavailability": ["bioavailability_unit"],
    "bioavailability_unit": ["bioavailability"],
}


def _calculation(name: str, properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    fields = {"calculation": {"const": name}, **properties}
    schema = closed_object(fields, required=[key for key in fields if key not in optional])
    together = {key: needed for key, needed in _TOGETHER.items() if key in optional and set(needed) & set(optional)}
    if together:
        schema["dependentRequired"] = together
    return schema


_DRUG_DOSE = _calculation(
    "drug_dose",
    {
        "drug": _TEXT,
        "indication": _TEXT,
        "age": _AGE,
        "age_unit": _choice(AGE_UNITS),
        **_WEIGHED,
        "creatinine_clearance": _RATE,
        "route": _choice(ROUTES),
        **_TALL,
        "height_inches": _INCHES,
    },
    optional=("indication", "creatinine_clearance", "route", *_HEIGHT_KEYS),
)
_CREATININE_CLEARANCE = _calculation(
    "creatinine_clearance",
    {
        "age": _AGE,
        "sex": _SEX,
        **_WEIGHED,
        **_TALL,
        "creatinine": _CREATININE,
        "creatinine_unit": _choice(CREATININE_UNITS),
        "height_inches": _INCHES,
    },
    optional=_HEIGHT_KEYS,
)
_EGFR = _calculation(
    "egfr",
    {"age": _AGE, "sex": _SEX, "creatinine": _CREATININE, "creatinine_unit": _choice(CREATININE_UNITS)},
)
_BODY = {**_WEIGHED, **_TALL}
_BODY_SURFACE_AREA = _calculation(
    "body_surface_area",
    {**_BODY, "formula": _choice(("mosteller", "du_bois")), "height_inches": _INCHES},
    optional=("formula", "height_inches"),
)
_BODY_MASS_INDEX = _calculation("body_mass_index", {**_BODY, "height_inches": _INCHES}, optional=("height_inches",))
_IDEAL_BODY_WEIGHT = _calculation(
    "ideal_body_weight",
    {
        "sex": _SEX,
        **_TALL,
        **_WEIGHED,
        "height_inches": _INCHES,
    },
    optional=(*_WEIGHT_KEYS, "height_inches"),
)
_INFUSION_RATE = _calculation(
    "infusion_rate",
    {
        "dose": _number(exclusiveMinimum=0, maximum=100_000),
        "dose_unit": _choice(DOSE_RATE_UNITS),
        **_WEIGHED,
        "concentration": _number(exclusiveMinimum=0, maximum=100_000),
        "concentration_unit": _choice(CONCENTRATION_UNITS),
        "drug": _TEXT,
    },
    optional=(*_WEIGHT_KEYS, "drug"),
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

_BEDSIDE_SCHWARTZ = _calculation(
    "bedside_schwartz",
    {
        "age": _AGE,
        "age_unit": _choice(AGE_UNITS),
        **_TALL,
        "height_inches": _INCHES,
        "creatinine": _CREATININE,
        "creatinine_unit": _choice(CREATININE_UNITS),
    },
    optional=("height_inches",),
)
_DOSE_BY_SIZE = _calculation(
    "dose_by_size",
    {
        "drug": _TEXT,
        "dose": _number(exclusiveMinimum=0, maximum=1_000_000),
        "dose_unit": _choice(SIZED_DOSE_UNITS),
        **_WEIGHED,
        **_TALL,
        "height_inches": _INCHES,
        "frequency": _choice(FREQUENCIES),
        "max_dose": _number(exclusiveMinimum=0, maximum=1_000_000),
        "max_dose_unit": _choice(AMOUNT_UNITS),
    },
    optional=("drug", *_HEIGHT_KEYS, "frequency", "max_dose", "max_dose_unit"),
)
_CARBOPLATIN_DOSE = _calculation(
    "carboplatin_dose", {"target_auc": _number(exclusiveMinimum=0, maximum=100), "creatinine_clearance": _RATE}
)
_MORPHINE_EQUIVALENTS = _calculation(
    "morphine_equivalents",
    {
        "drug": _TEXT,
        "dose": _number(exclusiveMinimum=0, maximum=100_000),
        "dose_unit": _choice(("mg", "mcg", "mcg/h")),
        "frequency": _choice(FREQUENCIES),
        "route": _choice(ROUTES),
    },
    optional=("frequency", "route"),
)
_STEROID_EQUIVALENCE = _calculation(
    "steroid_equivalence",
    {
        "drug": _TEXT,
        "dose": _number(exclusiveMinimum=0, maximum=100_000),
        "dose_unit": _choice(("mg", "mcg", "g")),
        "to_drug": _TEXT,
    },
)
_TARGET = {
    "target_concentration": _number(exclusiveMinimum=0, maximum=1_000_000),
    "concentration_unit": _choice(SERUM_UNITS),
}
_ABSORBED = {
    "bioavailability": _number(exclusiveMinimum=0, maximum=100),
    "bioavailability_unit": _choice(("%", "fraction")),
    "salt_factor": _number(exclusiveMinimum=0, maximum=1),
}
_LOADING_DOSE = _calculation(
    "loading_dose",
    {
        **_TARGET,
        "volume": _number(exclusiveMinimum=0, maximum=1_000_000),
        "volume_unit": _choice(VOLUME_UNITS),
        **_WEIGHED,
        **_ABSORBED,
        "current_concentration": _number(minimum=0, maximum=1_000_000),
    },
    optional=(*_WEIGHT_KEYS, *_ABSORBED, "current_concentration"),
)
_MAINTENANCE_DOSE = _calculation(
    "maintenance_dose",
    {
        **_TARGET,
        "clearance": _number(exclusiveMinimum=0, maximum=1_000_000),
        "clearance_unit": _choice(CLEARANCE_UNITS),
        **_WEIGHED,
        **_ABSORBED,
        "frequency": _choice(FREQUENCIES),
    },
    optional=(*_WEIGHT_KEYS, *_ABSORBED, "frequency"),
)
_INFUSION_DOSE = _calculation(
    "infusion_dose",
    {
        "rate": _number(exclusiveMinimum=0, maximum=100_000),
        "rate_unit": _choice(("mL/h", "mL/min")),
        "concentration": _number(exclusiveMinimum=0, maximum=100_000),
        "concentration_unit": _choice(CONCENTRATION_UNITS),
        "dose_unit": _choice(DOSE_RATE_UNITS),
        **_WEIGHED,
        "drug": _TEXT,
    },
    optional=(*_WEIGHT_KEYS, "drug"),
)
_UNIT_CONVERSION = _calculation(
    "unit_conversion",
    {
        "value": _number(minimum=-1000, maximum=1_000_000_000),
        "from_unit": _choice(tuple(UNITS)),
        "to_unit": _choice(tuple(UNITS)),
        "analyte": _choice(tuple(SUBSTANCES)),
    },
    optional=("analyte",),
)

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
        _BEDSIDE_SCHWARTZ,
        _DOSE_BY_SIZE,
        _CARBOPLATIN_DOSE,
        _MORPHINE_EQUIVALENTS,
        _STEROID_EQUIVALENCE,
        _LOADING_DOSE,
        _MAINTENANCE_DOSE,
        _INFUSION_DOSE,
        _UNIT_CONVERSION,
    ]
}
CALCULATIONS: tuple[str, ...] = tuple(branch["properties"]["calculation"]["const"] for branch in ARGUMENTS["oneOf"])
