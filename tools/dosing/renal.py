"""Kidney function: Cockcroft–Gault and CKD-EPI 2021 for adults, the bedside Schwartz equation for children."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tools.dosing.answer import Answer
from tools.dosing.body import SHORTEST_FOR_DEVINE, adjusted_kg, devine_kg
from tools.dosing.plausible import (
    adult_age_years,
    check_body,
    creatinine,
    height,
    missing,
    patient_age_days,
    required_weight,
)
from tools.dosing.quantity import DAYS_PER_YEAR, rounded, show, significant
from tools.errors import Refusal

_TENTH = Decimal("0.1")
_OBESE = Decimal("1.2")  # actual weight above 120 percent of ideal


def creatinine_clearance(arguments: Mapping[str, Any]) -> Answer:
    """Cockcroft–Gault clearance in mL/min.

    Weight policy: without a height the actual weight; with one, actual weight if below ideal, ideal weight
    up to 120 percent of ideal, adjusted weight above.
    """
    years = adult_age_years(arguments, "Cockcroft-Gault")
    kg = required_weight(arguments, "Cockcroft-Gault needs it", years * DAYS_PER_YEAR)
    cm = height(arguments, adult=True)
    if cm is not None:
        check_body(kg, cm)
    mg_dl = creatinine(arguments)
    sex = arguments["sex"]
    used, policy, steps = _dosing_weight(kg, cm, sex)
    factor = Decimal("0.85") if sex == "female" else Decimal(1)
    clearance = max((140 - years) * used / (72 * mg_dl) * factor, Decimal(0))
    suffix = " × 0.85" if sex == "female" else ""
    steps.append(f"(140 - {show(years)}) × {show(used)} / (72 × {show(mg_dl)}){suffix} = {show(clearance)} mL/min")
    inputs: dict[str, Decimal | str] = {
        "age_years": years,
        "sex": sex,
        "weight_kg": significant(kg),
        "creatinine_mg_dl": significant(mg_dl, 3),
    }
    if cm is not None:
        inputs["height_cm"] = significant(cm)
    return Answer(
        calculation="creatinine_clearance",
        value=rounded(clearance, _TENTH),
        unit="mL/min",
        formula="CrCl = (140 - age) × weight_kg / (72 × creatinine_mg_dl), × 0.85 if female (Cockcroft-Gault)",
        inputs=inputs,
        steps=tuple(steps),
        applied=(policy,),
        warnings=() if cm is not None else ("No height given: actual weight overestimates clearance in obesity.",),
        source="Cockcroft & Gault, Nephron 1976;16:31",
    )


def _dosing_weight(kg: Decimal, cm: Decimal | None, sex: str) -> tuple[Decimal, str, list[str]]:
    if cm is None:
        return kg, "actual weight used", []
    if cm < SHORTEST_FOR_DEVINE:
        return kg, "actual weight used (too short for an ideal weight by Devine)", []
    ideal = devine_kg(sex, cm)
    step = f"ideal weight (Devine) = {show(ideal)} kg"
    if kg < ideal:
        return kg, "actual weight used (below ideal)", [step]
    if kg <= ideal * _OBESE:
        return ideal, "ideal weight used (actual within 120 percent of it)", [step]
    adjusted = adjusted_kg(ideal, kg)
    steps = [step, f"{show(ideal)} + 0.4 × ({show(kg)} - {show(ideal)}) = {show(adjusted)} kg adjusted"]
    return adjusted, "adjusted weight used (actual above 120 percent of ideal)", steps


_STAGES = ((15, "G5"), (30, "G4"), (45, "G3b"), (60, "G3a"), (90, "G2"))


def _stage(rate: Decimal) -> str:
    return next((name for below, name in _STAGES if rounded(rate, Decimal(1)) < below), "G1")


def egfr(arguments: Mapping[str, Any]) -> Answer:
    """CKD-EPI 2021 creatinine equation (no race term) in mL/min/1.73 m²."""
    years = adult_age_years(arguments, "CKD-EPI 2021")
    mg_dl = creatinine(arguments)
    sex = arguments["sex"]
    kappa, alpha = (Decimal("0.7"), Decimal("-0.241")) if sex == "female" else (Decimal("0.9"), Decimal("-0.302"))
    ratio = mg_dl / kappa
    low, high = min(ratio, Decimal(1)) ** alpha, max(ratio, Decimal(1)) ** Decimal("-1.200")
    aged = Decimal("0.9938") ** years
    factor = Decimal("1.012") if sex == "female" else Decimal(1)
    rate = 142 * low * high * aged * factor
    value = rounded(rate, _TENTH)
    stage = _stage(rate)
    suffix = " × 1.012" if sex == "female" else ""
    return Answer(
        calculation="egfr",
        value=value,
        unit="mL/min/1.73 m²",
        formula="eGFR = 142 × min(Scr/κ, 1)^α × max(Scr/κ, 1)^-1.200 × 0.9938^age, × 1.012 if female (CKD-EPI 2021)",
        inputs={"age_years": years, "sex": sex, "creatinine_mg_dl": significant(mg_dl, 3)},
        steps=(
            f"κ = {show(kappa)}, α = -{show(-alpha)}, Scr/κ = {show(ratio)}",
            f"142 × {show(low)} × {show(high)} × {show(aged)}{suffix} = {show(rate)}",
        ),
        applied=(f"KDIGO category {stage}",),
        source="Inker et al., N Engl J Med 2021;385:1737",
    )


_SCHWARTZ = Decimal("0.413")  # mg/dL·mL/min/1.73 m² per cm


def bedside_schwartz(arguments: Mapping[str, Any]) -> Answer:
    """Bedside Schwartz filtration rate of a child of 1 to 17 years in mL/min/1.73 m²."""
    age = patient_age_days(arguments)
    if not DAYS_PER_YEAR <= age < 18 * DAYS_PER_YEAR:
        raise Refusal(
            "not_eligible",
            "/age",
            f"{arguments['age']:g} {arguments['age_unit']}",
            "1 year to under 18 years",
            "the bedside Schwartz equation is for children of 1 to 17 years; "
            + ("use the calculation egfr for adults." if age > DAYS_PER_YEAR else "infants have no equation here."),
        )
    cm = height(arguments, age=age)
    if cm is None:
        raise missing("height", why="the equation needs it")
    mg_dl = creatinine(arguments, lowest="0.1")
    rate = _SCHWARTZ * cm / mg_dl
    warnings = ["For creatinine measured by an enzymatic (IDMS-traceable) method."]
    if rate > 75:
        warnings.append("The equation comes from children with a rate of 15 to 75; above that it is less certain.")
    return Answer(
        calculation="bedside_schwartz",
        value=rounded(rate, _TENTH),
        unit="mL/min/1.73 m²",
        formula="eGFR = 0.413 × height_cm / creatinine_mg_dl (bedside Schwartz)",
        inputs={
            "age_years": significant(age / DAYS_PER_YEAR, 3),
            "height_cm": significant(cm),
            "creatinine_mg_dl": significant(mg_dl, 3),
        },
        steps=(f"0.413 × {show(cm)} / {show(mg_dl)} = {show(rate)}",),
        applied=(f"KDIGO category {_stage(rate)}",) if age >= 2 * DAYS_PER_YEAR else (),
        warnings=tuple(warnings),
        source="Schwartz et al., J Am Soc Nephrol 2009;20:629",
    )
