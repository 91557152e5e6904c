"""The labelled dose of a drug for one patient.

Choose the regimen (drug, indication, age, weight), compute the dose, cap it, change it for kidney function,
round it to something measurable. More than one possible regimen is a question back to the caller, not a
choice made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tools.dosing.answer import Answer
from tools.dosing.body import surface_area_m2
from tools.dosing.choose import choose
from tools.dosing.drug import described, resolve
from tools.dosing.plausible import check_body, clearance, height, missing, patient_age_days, required_weight
from tools.dosing.quantity import rounded, rounded_down, show, significant
from tools.dosing.regimens import Band, Regimen, regimens
from tools.errors import Refusal
from tools.interactions.names import Match

_YEAR = Decimal("365.25")


def drug_dose(arguments: Mapping[str, Any]) -> Answer:
    """The dose of one drug for one patient, with what limited it."""
    match = _drug(arguments["drug"])
    age = patient_age_days(arguments)
    kg = required_weight(arguments, "dosing needs it", age)
    cm = height(arguments, age=age)
    if cm is not None:
        check_body(kg, cm)
    rate = clearance(arguments)
    regimen = choose(match, arguments, age, kg)
    band = None if rate is None else next((band for band in regimen.renal if band.holds(rate)), None)
    if band is not None and band.action in ("avoid", "individualise"):
        raise _no_renal_dose(regimen, band, arguments["creatinine_clearance"])
    body = Body(kg, surface_area_m2(kg, cm) if cm is not None else None)
    dose = _compute(regimen, body, band)
    inputs: dict[str, Decimal | str] = {
        "age": f"{arguments['age']:g} {arguments['age_unit']}",
        "weight_kg": significant(kg),
    }
    if cm is not None:
        inputs["height_cm"] = significant(cm)
    if rate is not None:
        inputs["creatinine_clearance"] = rate
    warnings = [regimen.warning] if regimen.warning else []
    if regimen.renal and rate is None and age >= 18 * _YEAR:
        warnings.append("The label changes the dose in kidney impairment; no creatinine clearance was given.")
    return Answer(
        calculation="drug_dose",
        about={
            "drug": described(match),
            "indication": regimen.indication,
            "population": regimen.population,
            "route": regimen.route,
        },
        value=dose.low,
        value_high=dose.high if dose.high != dose.low else None,
        unit=regimen.unit,
        frequency=band.frequency if band is not None else regimen.frequency,
        other_values=dose.other,
        formula=_formula(regimen, band),
        inputs=inputs,
        steps=tuple(dose.steps),
        applied=tuple(dose.applied),
        warnings=tuple(warnings),
        source=regimen.source,
    )


def _drug(written: str) -> Match:
    """The drug by any of its names, if the table has a dose for it."""
    dosed = {regimen.drug for regimen in regimens()}
    match = resolve(written)
    if match.drug not in dosed:
        raise Refusal(
            "no_regimen",
            "/drug",
            written,
            f"one of {len(dosed)} drugs with a dose in the table",
            f"'{written}' is {match.drug}, which has no dose in the table.",
        )
    return match


def _no_renal_dose(regimen: Regimen, band: Band, rate: float) -> Refusal:
    """The label forbids the drug at this clearance, or has no dose that would be right for everyone."""
    if band.action == "avoid":
        code, why = "contraindicated_renal", f"the label says to avoid {band.frequency or 'it'} with {band.text}"
    else:
        code, why = "individualise_renal", f"no fixed dose with {band.text}: {band.frequency}"
    return Refusal(
        code,
        "/creatinine_clearance",
        rate,
        f"a creatinine clearance that is not {band.text.removeprefix('creatinine clearance ')}",
        f"{regimen.drug}: {why} ({regimen.source}).",
    )


@dataclass(frozen=True)
class Body:
    """What a dose may be multiplied by."""

    kg: Decimal
    m2: Decimal | None

    def of(self, regimen: Regimen) -> Decimal:
        """Weight or surface area, whichever the regimen counts by."""
        if regimen.size != "m²":
            return self.kg
        if self.m2 is None:
            raise missing("height", "height_unit", why=f"{regimen.drug} is dosed by body surface area")
        return self.m2


@dataclass
class _Dose:
    low: Decimal
    high: Decimal
    steps: list[str]
    applied: list[str]
    other: dict[str, Decimal]


def _compute(regimen: Regimen, body: Body, band: Band | None) -> _Dose:
    low, high, steps = _base(regimen, body)
    applied: list[str] = []
    if band is not None and band.action == "fixed":
        low, high = band.dose
        steps = [f"{_range(low, high)} {regimen.unit}: {band.text}"]
        applied.append(band.text)
        return _Dose(low, high, steps, applied, {})
    if band is not None and band.action == "per_size":
        low, high, steps = _sized(band.dose, regimen.per_size_unit, regimen, body)
    low, high = (_capped(value, regimen, body.kg, applied) for value in (low, high))
    if band is not None:
        applied.append(band.text)
    if band is not None and band.action == "factor":
        low, high = low * band.factor, high * band.factor
        steps.append(f"× {show(band.factor)} = {_range(low, high)} {regimen.unit} ({band.text})")
    if regimen.round_to is not None:
        before = (low, high)
        low, high = (_measurable(value, regimen) for value in before)
        if (low, high) != before:
            applied.append(f"rounded to {show(regimen.round_to)} {regimen.unit}")
            steps.append(f"{_range(*before)} {regimen.unit} rounded to {_range(low, high)} {regimen.unit}")
    other = _day(regimen, body, high) if band is None else {}
    return _Dose(significant(low, 6), significant(high, 6), steps, list(dict.fromkeys(applied)), other)


def _base(regimen: Regimen, body: Body) -> tuple[Decimal, Decimal, list[str]]:
    """The dose before anything limits it, and the steps to it."""
    if regimen.basis == "fixed":
        step = f"{_range(*regimen.dose)} {regimen.unit}, independent of weight within {regimen.population}"
        return (*regimen.dose, [step])
    low, high, steps = _sized(regimen.dose, regimen.sized_unit, regimen, body)
    if not regimen.basis.endswith("_day"):
        return low, high, steps
    each_low, each_high = low / regimen.per_day, high / regimen.per_day
    steps.append(f"/ {regimen.per_day} doses = {_range(each_low, each_high)} {regimen.unit}")
    return each_low, each_high, steps


def _sized(
    dose: tuple[Decimal, Decimal], written: str, regimen: Regimen, body: Body
) -> tuple[Decimal, Decimal, list[str]]:
    """A dose per kg or per m² times the size of the patient."""
    by = body.of(regimen)
    low, high = (value * by for value in dose)
    unit = f"{regimen.unit}/day" if written.endswith("/day") else regimen.unit
    return low, high, [f"{_range(*dose)} {written} × {show(by)} {regimen.size} = {_range(low, high)} {unit}"]


def _day(regimen: Regimen, body: Body, each: Decimal) -> dict[str, Decimal]:
    """The day's total when there are several doses, and the most the label allows in a day."""
    day: dict[str, Decimal] = {}
    if regimen.per_day > 1:
        day[f"daily_{regimen.unit}"] = significant(each * regimen.per_day)
    most = regimen.max_day
    if regimen.max_day_per_kg is not None:
        most = regimen.max_day_per_kg * body.kg
        if regimen.max_dose is not None:
            most = min(most, regimen.max_dose * regimen.per_day)
    if most is not None:
        day[f"maximum_daily_{regimen.unit}"] = significant(most)
    return day


def _capped(value: Decimal, regimen: Regimen, kg: Decimal, applied: list[str]) -> Decimal:
    limits = []
    if regimen.max_dose is not None:
        limits.append((regimen.max_dose, f"maximum {show(regimen.max_dose)} {regimen.unit} per dose"))
    if regimen.max_day is not None:
        limits.append((regimen.max_day / regimen.per_day, f"maximum {show(regimen.max_day)} {regimen.unit} a day"))
    if regimen.max_day_per_kg is not None:
        daily = regimen.max_day_per_kg * kg
        limits.append((daily / regimen.per_day, f"maximum {show(regimen.max_day_per_kg)} {regimen.unit}/kg a day"))
    for limit, label in limits:
        if value > limit:
            value = limit
            applied.append(label)
    return value


def _measurable(value: Decimal, regimen: Regimen) -> Decimal:
    """Rounded to the step, never above the maximum dose, never to nothing."""
    assert regimen.round_to is not None
    near = rounded(value, regimen.round_to)
    if regimen.max_dose is not None and near > regimen.max_dose:
        near = rounded_down(regimen.max_dose, regimen.round_to)
    return near or value


def _range(low: Decimal, high: Decimal) -> str:
    return show(low) if low == high else f"{show(low)} to {show(high)}"


def _formula(regimen: Regimen, band: Band | None) -> str:
    if band is not None and band.action == "fixed":
        return "fixed dose for this kidney function"
    if regimen.basis == "fixed":
        return "fixed dose"
    size = "weight_kg" if regimen.size == "kg" else "body surface area"
    if band is not None and band.action == "per_size":
        return f"dose = {_range(*band.dose)} {regimen.per_size_unit} × {size}"
    formula = f"dose = {_range(*regimen.dose)} {regimen.sized_unit} × {size}"
    return f"{formula} / {regimen.per_day}" if regimen.basis.endswith("_day") else formula
