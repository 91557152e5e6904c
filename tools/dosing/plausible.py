"""Input that cannot be right, and the likely slip behind it.

Each check returns the value in the unit the calculators use, or refuses with the mistake that would explain
it: a unit mixed up, a decimal point moved. The bounds are deliberately wider than any reference range.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tools.dosing.quantity import (
    UMOL_PER_MG_DL_CREATININE,
    age_days,
    creatinine_mg_dl,
    decimal,
    height_cm,
    show,
    weight_kg,
)
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


# age below (days) -> lowest and highest believable height (cm)
_HEIGHT_BY_AGE = (
    (Decimal(31), Decimal(25), Decimal(65)),
    (_YEAR, Decimal(35), Decimal(95)),
    (_YEAR * 3, Decimal(55), Decimal(120)),
    (_YEAR * 6, Decimal(70), Decimal(145)),
    (_YEAR * 12, Decimal(80), Decimal(195)),
    (_YEAR * 200, Decimal(100), Decimal(250)),
)
_ADULT_HEIGHT = (Decimal(100), Decimal(250))
_ANY_HEIGHT = (Decimal(25), Decimal(250))
_BODY_MASS_INDEX = (Decimal(5), Decimal(150))


def missing(*names: str, why: str) -> Refusal:
    """A refusal that asks for arguments by name, all that are lacking at once."""
    wanted = ", ".join(names)
    return Refusal("missing_argument", f"/{names[0]}", None, f"a value for {wanted}", f"missing {wanted}: {why}")


def require(arguments: Mapping[str, Any], *names: str, why: str) -> None:
    """Refuse unless all these arguments are there, naming every one that is not."""
    lacking = [name for name in names if arguments.get(name) is None]
    if lacking:
        raise missing(*lacking, why=why)


def implausible(name: str, found: str, expected: str, hint: str) -> Refusal:
    """A refusal of a value that cannot be right; ``hint`` is the value that was probably meant."""
    question = f"; did you mean {hint}?" if hint else "."
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
    if number is None or unit is None:
        return None
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
        raise implausible(
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
        raise missing("weight", why=why)
    return kg


def height(arguments: Mapping[str, Any], *, adult: bool = False, age: Decimal | None = None) -> Decimal | None:
    """Height in cm, believable for the age (days) when one is known; None when the request has none."""
    number, unit, inches = (arguments.get(key) for key in ("height", "height_unit", "height_inches"))
    if number is None or unit is None:
        return None
    _check_feet(number, unit, inches)
    low, high = _ADULT_HEIGHT if adult else _ANY_HEIGHT
    group = ""
    if age is not None:
        low, high = next((low, high) for below, low, high in _HEIGHT_BY_AGE if age < below)
        group = f" at this age ({show(age / _YEAR, 3)} years)"
    cm = height_cm(number, unit, inches or 0)
    if not low <= cm <= high:
        hints = [
            f"{number:g} {'ft' if other == 'ft-in' else other}"
            for other in ("cm", "in", "m", "ft-in")
            if other != unit and low <= height_cm(number, other) <= high
        ]
        hints += [f"{show(decimal(number) * factor)} {unit}" for factor in _TENFOLD if low <= cm * factor <= high]
        found = f"{number:g} {unit}" if unit != "ft-in" else f"{number:g} ft {inches or 0:g} in"
        raise implausible("height", found, f"{show(low)} to {show(high)} cm{group}", hints[0] if hints else "")
    return cm


def _check_feet(number: float, unit: str, inches: float | None) -> None:
    """Feet are whole and inches go with feet only, so that 5.6 is never read as 5 ft 6 in nor as 5.6 ft."""
    if unit != "ft-in" and inches is not None:
        raise Refusal(
            "unit_mismatch",
            "/height_inches",
            inches,
            "height_unit ft-in with height_inches, or no height_inches",
            f"height_inches goes with feet; the height was given in {unit}.",
        )
    if unit == "ft-in" and number != int(number):
        raise Refusal(
            "unit_mismatch",
            "/height",
            number,
            "whole feet in height and the inches in height_inches",
            f"{number:g} feet can be read in two ways; give whole feet in height and the rest in height_inches.",
        )


def size(arguments: Mapping[str, Any], why: str, age: Decimal | None = None) -> tuple[Decimal, Decimal]:
    """Weight in kg and height in cm that can belong to one body."""
    require(arguments, "weight", "height", why=why)
    kg, cm = weight(arguments, age), height(arguments, age=age)
    assert kg is not None and cm is not None
    check_body(kg, cm)
    return kg, cm


def check_body(kg: Decimal, cm: Decimal) -> None:
    """Refuse a weight and a height that cannot belong to one body."""
    index = kg / (cm / 100) ** 2
    low, high = _BODY_MASS_INDEX
    if not low <= index <= high:
        raise Refusal(
            "implausible_value",
            "/height",
            f"{show(kg)} kg and {show(cm)} cm",
            f"a body mass index of {low} to {high} kg/m²",
            f"weight {show(kg)} kg with height {show(cm)} cm gives a BMI of {show(index)}; "
            "check both values and their units.",
        )


def creatinine(arguments: Mapping[str, Any], lowest: str = "0.2") -> Decimal:
    """Serum creatinine in mg/dL, between ``lowest`` and 25."""
    number, unit = arguments["creatinine"], arguments["creatinine_unit"]
    low, high = Decimal(lowest), Decimal(25)
    value = creatinine_mg_dl(number, unit)
    if not low <= value <= high:
        other = "mg/dL" if unit == "µmol/L" else "µmol/L"
        fits = low <= creatinine_mg_dl(number, other) <= high
        micromoles = show(low * UMOL_PER_MG_DL_CREATININE, 2)
        expected = f"{low} to 25 mg/dL ({micromoles} to 2210 µmol/L)"
        raise implausible("creatinine", f"{number:g} {unit}", expected, f"{number:g} {other}" if fits else "")
    return value


def clearance(arguments: Mapping[str, Any]) -> Decimal | None:
    """A creatinine clearance or filtration rate in mL/min; None when the request has none."""
    if arguments.get("creatinine_clearance") is None:
        return None
    return within(arguments, "creatinine_clearance", "mL/min", "0", "250")


def adult_age_years(arguments: Mapping[str, Any], formula: str) -> Decimal:
    """An age in years for a formula made for adults."""
    years = decimal(arguments["age"])
    if years < 18:
        raise Refusal(
            "not_eligible",
            "/age",
            arguments["age"],
            "18 years or more",
            f"{formula} is for adults; found {arguments['age']:g} years. "
            "For a child use the calculation bedside_schwartz, which needs the height.",
        )
    return years


def patient_age_days(arguments: Mapping[str, Any]) -> Decimal:
    """An age in days, at most 130 years."""
    return age_days(arguments["age"], arguments["age_unit"])


def within(arguments: Mapping[str, Any], name: str, unit: str, low: str, high: str, hint: str = "") -> Decimal:
    """A plain number inside its bounds; ``hint`` names the slip that usually explains a value outside."""
    number = decimal(arguments[name])
    if not Decimal(low) <= number <= Decimal(high):
        raise implausible(name, f"{arguments[name]:g} {unit}", f"{low} to {high} {unit}", hint)
    return number
