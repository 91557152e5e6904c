"""Doses from body size or kidney function that are written by the prescriber: mg/kg, mg/m², carboplatin AUC."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tools.dosing.answer import Answer
from tools.dosing.body import surface_area_m2
from tools.dosing.drug import described, resolve
from tools.dosing.frequency import doses_per_day
from tools.dosing.label_range import Measure, check_against_label
from tools.dosing.plausible import clearance, implausible, missing, required_weight, size, within
from tools.dosing.quantity import MG_PER, decimal, json_number, show, significant
from tools.errors import Refusal

_LARGEST = {
    "g": Decimal(500),
    "mg": Decimal(100_000),
    "mcg": Decimal(1_000_000),
    "units": Decimal(50_000_000),
    "mEq": Decimal(1000),
    "mL": Decimal(10_000),
}


def dose_by_size(arguments: Mapping[str, Any]) -> Answer:
    """The amount that a dose per kg or per m² comes to, for one dose or divided over a day."""
    per_size, written = decimal(arguments["dose"]), str(arguments["dose_unit"])
    measure = Measure.of(written)
    about: dict[str, Any] = {}
    warnings: list[str] = []
    if arguments.get("drug") is not None:
        match = resolve(arguments["drug"])
        about = {"drug": described(match)}
        warnings = check_against_label(match.drug, per_size, written, "/dose")
    amount_of_body, steps, inputs = _body(arguments, measure, written)
    amount = per_size * amount_of_body
    unit = measure.unit
    total = f"{unit}/day" if measure.time == "day" else unit
    inputs = {"dose": f"{show(per_size)} {written}", **inputs}
    steps.append(f"{show(per_size)} {written} × {show(amount_of_body)} {measure.size} = {show(amount)} {total}")
    frequency = arguments.get("frequency")
    other: dict[str, Decimal] = {}
    if measure.time == "day" and frequency is not None:
        times = doses_per_day(frequency)
        steps.append(f"{show(amount)} {total} / {show(times)} doses = {show(amount / times)} {unit}")
        amount, total = amount / times, unit
        other = {f"daily_{unit}": significant(amount * times)}
    elif frequency is not None:
        other = {f"daily_{unit}": significant(amount * doses_per_day(frequency))}
    amount, applied = _limited(amount, unit, total, arguments)
    if applied and other:
        other = {f"daily_{unit}": significant(amount * doses_per_day(str(frequency)))}
    if amount > _LARGEST[unit]:
        expected = f"at most {show(_LARGEST[unit])} {unit} in all"
        raise implausible("dose", f"{json_number(per_size)} {written}", expected, "")
    formula = f"dose = {written} × {'weight_kg' if measure.size == 'kg' else 'body surface area'}"
    return Answer(
        calculation="dose_by_size",
        about=about,
        value=significant(amount),
        unit=total,
        frequency=frequency,
        other_values=other,
        formula=formula + (" / doses per day" if measure.time == "day" and frequency else ""),
        inputs=inputs,
        steps=tuple(steps),
        applied=applied,
        warnings=tuple(warnings),
        source="dimensional analysis (definition of the units)"
        if measure.size == "kg"
        else "dimensional analysis; surface area: Mosteller, N Engl J Med 1987;317:1098",
    )


def _body(
    arguments: Mapping[str, Any], measure: Measure, written: str
) -> tuple[Decimal, list[str], dict[str, Decimal | str]]:
    """Weight in kg or surface area in m², with the step and the inputs it came from."""
    if measure.size == "kg":
        kg = required_weight(arguments, f"a dose in {written} needs it")
        return kg, [], {"weight_kg": significant(kg)}
    kg, cm = size(arguments, f"a dose in {written} needs both")
    area = surface_area_m2(kg, cm)
    step = f"sqrt({show(cm)} × {show(kg)} / 3600) = {show(area)} m² (Mosteller)"
    return area, [step], {"weight_kg": significant(kg), "height_cm": significant(cm)}


def _limited(amount: Decimal, unit: str, total: str, arguments: Mapping[str, Any]) -> tuple[Decimal, tuple[str, ...]]:
    """The amount under the prescriber's maximum for one dose, if the request names one."""
    if "max_dose" not in arguments:
        return amount, ()
    most, most_unit = decimal(arguments["max_dose"]), str(arguments["max_dose_unit"])
    if total != unit:
        raise missing("frequency", why="a maximum for one dose needs to know how the day's dose is divided")
    if unit != most_unit and not {unit, most_unit} <= MG_PER.keys():
        raise Refusal(
            "unit_mismatch",
            "/max_dose_unit",
            most_unit,
            "mg, mcg or g" if unit in MG_PER else unit,
            f"a maximum in {most_unit} cannot limit a dose in {unit}.",
        )
    limit = most if unit == most_unit else most * MG_PER[most_unit] / MG_PER[unit]
    if amount <= limit:
        return amount, ()
    return limit, (f"maximum {show(limit)} {unit} per dose",)


_CAP = Decimal(125)  # mL/min
_NON_RENAL = 25  # mL/min


def carboplatin_dose(arguments: Mapping[str, Any]) -> Answer:
    """Carboplatin dose in mg by Calvert, the filtration rate capped at 125 mL/min."""
    target = within(arguments, "target_auc", "mg·min/mL", "1", "12")
    rate = clearance(arguments)
    assert rate is not None  # required by the schema
    used = min(rate, _CAP)
    dose = target * (used + _NON_RENAL)
    applied = (f"filtration rate capped at {_CAP} mL/min",) if rate > _CAP else ()
    warnings = ["The rate is in mL/min, not per 1.73 m²; creatinine below 0.7 mg/dL overestimates it."]
    if target > 7:
        warnings.append("A target above 7 mg·min/mL is beyond the usual range of 4 to 7.")
    if rate < 20:
        warnings.append("Below 20 mL/min the formula is little tested.")
    return Answer(
        calculation="carboplatin_dose",
        value=significant(dose),
        unit="mg",
        other_values={"maximum_mg": significant(target * (_CAP + _NON_RENAL))},
        formula="dose in mg = target AUC × (GFR + 25), GFR at most 125 mL/min (Calvert)",
        inputs={"target_auc_mg_min_ml": target, "gfr_ml_min": rate},
        steps=(f"{show(target)} × ({show(used)} + {_NON_RENAL}) = {show(dose)} mg",),
        applied=applied,
        warnings=tuple(warnings),
        source="Calvert et al., J Clin Oncol 1989;7:1748; cap: FDA, Carboplatin dosing, October 2010",
    )
