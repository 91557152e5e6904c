"""Input that cannot be right, and the likely slip behind it.

Each check returns the value in the unit the calculators use, or refuses with the mistake that would explain
it: a unit mixed up, a decimal point moved. The bounds are deliberately wider than any reference range.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tools.dosing.quantity import age_days, creatinine_mg_dl, decimal, height_cm, show, weight_kg
from tools.errors import Refusal

_YEAR = Decimal("365.25")

# age below (days) -> lowest and highest believable weight (kg)
_WEIGHT_BY_AGE = (
    (Decimal(31), Decimal("0.4"), Decimal("7")),
    (Decimal(183), Decimal("1.2"), Decimal("13")),
    (_YEAR, Decimal("2.5"), Decimal("18")),
    (_YEAR * 3, Decimal("4"), Decimal("32")),
    (_YEAR * 6, Decimal("7"), Decimal("50")),
    (_YEAR * 12, Decimal("10"), Decimal("120")),
    (_YEAR * 18, Decimal("18"), Decimal("250")),
    (_YEAR * 200, Decimal("25"), Decimal("400")),
)


def missing(name: str, why: str) -> Refusal:
    """A refusal that asks for an argument by name."""
    return Refusal("missing_argument", f"/{name}", None, f"a value for {name}", f"missing {name}: {why}")


def _implausible(name: str, found: str, expected: str, hint: str) -> Refusal:
    question = f"; did you mean {hint}?" if hint else ""
    return Refusal(
        "implausible_value",
        f"/{name}",
        found,
        expected,
        f"{name} {found} is implausible{question} Expected {expected}.",
    )


def weight(arguments: Mapping[str, Any], age: Decimal | None = None) -> Decimal | None:
    """Weight in kg, believable for the age (days) when one is known; None when the request has none."""
    number, unit = arguments.get("weight"), arguments.get("weight_unit")
    if number is None and unit is None:
        return None
    if number is None:
        raise missing("weight", "weight_unit was given without it")
    if unit is None:
        raise missing("weight_unit", "a weight needs its unit (kg, g or lb)")
    low, high = Decimal("0.4"), Decimal(400)
    group = ""
    if age is not None:
        low, high = next((low, high) for below, low, high in _WEIGHT_BY_AGE if age < below)
        group = f" at this age ({show(age / _YEAR, 3)} years)"
    kg = weight_kg(number, unit)
    if not low <= kg <= high:
        hints = [
            f"{number:g} {other}"
            for other in ("kg", "lb", "g")
            if other != unit and low <= weight_kg(number, other) <= high
        ]
        hints += [f"{show(decimal(number) * factor)} {unit}" for factor in _TENFOLD if low <= kg * factor <= high]
        raise _implausible(
            "weight",
            f"{number:g} {unit}",
            f"{show(low)} to {show(high)} kg{group}",
            hints[0] if hints else "",
        )
    return kg


_TENFOLD = (Decimal(10), Decimal("0.1"))


def required_weight(arguments: Mapping[str, Any], why: str, age: Decimal | None = None) -> Decimal:
    """Weight in kg, or a refusal that says why it is needed."""
    kg = weight(arguments, age)
    if kg is None:
        raise missing("weight", why)
    return kg


def height(arguments: Mapping[str, Any], *, adult: bool = False) -> Decimal | None:
    """Height in cm; None when the request has none."""
    number, unit = arguments.get("height"), arguments.get("height_unit")
    if number is None and unit is None:
        return None
    if number is None:
        raise missing("height", "height_unit was given without it")
    if unit is None:
        raise missing("height_unit", "a height needs its unit (cm, m or in)")
    low, high = (Decimal(100), Decimal(250)) if adult else (Decimal(25), Decimal(250))
    cm = height_cm(number, unit)
    if not low <= cm <= high:
        hints = [
            f"{number:g} {other}"
            for other in ("cm", "in", "m")
            if other != unit and low <= height_cm(number, other) <= high
        ]
        hints += [f"{show(decimal(number) * factor)} {unit}" for factor in _TENFOLD if low <= cm * factor <= high]
        raise _implausible("height", f"{number:g} {unit}", f"{show(low)} to {show(high)} cm", hints[0] if hints else "")
    return cm


def creatinine(arguments: Mapping[str, Any]) -> Decimal:
    """Serum creatinine in mg/dL, between 0.2 and 25."""
    number, unit = arguments["creatinine"], arguments["creatinine_unit"]
    low, high = Decimal("0.2"), Decimal(25)
    value = creatinine_mg_dl(number, unit)
    if not low <= value <= high:
        other = "mg/dL" if unit == "µmol/L" else "µmol/L"
        fits = low <= creatinine_mg_dl(number, other) <= high
        expected = "0.2 to 25 mg/dL (18 to 2210 µmol/L)"
        raise _implausible("creatinine", f"{number:g} {unit}", expected, f"{number:g} {other}" if fits else "")
    return value


def adult_age_years(arguments: Mapping[str, Any], formula: str) -> Decimal:
    """An age in years for a formula made for adults."""
    years = decimal(arguments["age"])
    if years < 18:
        raise Refusal(
            "not_eligible",
            "/age",
            arguments["age"],
            "18 years or more",
            f"{formula} is for adults; found {arguments['age']:g} years. Children need a paediatric formula.",
        )
    return years


def patient_age_days(arguments: Mapping[str, Any]) -> Decimal:
    """An age in days, at most 130 years."""
    return age_days(arguments["age"], arguments["age_unit"])


def within(arguments: Mapping[str, Any], name: str, unit: str, low: str, high: str, hint: str = "") -> Decimal:
    """A plain number inside its bounds; ``hint`` names the slip that usually explains a value outside."""
    number = decimal(arguments[name])
    if not Decimal(low) <= number <= Decimal(high):
        raise _implausible(name, f"{arguments[name]:g} {unit}", f"{low} to {high} {unit}", hint)
    return number
