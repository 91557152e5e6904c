"""Kidney function of adults: Cockcroft–Gault clearance and CKD-EPI 2021 filtration rate."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tools.dosing.answer import Answer
from tools.dosing.body import adjusted_kg, devine_kg
from tools.dosing.plausible import adult_age_years, creatinine, height, required_weight
from tools.dosing.quantity import rounded, show, significant

_TENTH = Decimal("0.1")
_OBESE = Decimal("1.2")  # actual weight above 120 percent of ideal


def creatinine_clearance(arguments: Mapping[str, Any]) -> Answer:
    """Cockcroft–Gault clearance in mL/min.

    Weight policy: without a height the actual weight; with one, actual weight if below ideal, ideal weight
    up to 120 percent of ideal, adjusted weight above.
    """
    years = adult_age_years(arguments, "Cockcroft-Gault")
    kg = required_weight(arguments, "Cockcroft-Gault needs it", years * Decimal("365.25"))
    cm = height(arguments, adult=True)
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
    stage = next((name for below, name in _STAGES if rounded(rate, Decimal(1)) < below), "G1")
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
