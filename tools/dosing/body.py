"""Body size: surface area, mass index, ideal and adjusted weight."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tools.dosing.answer import Answer
from tools.dosing.plausible import check_body, height, missing, size, weight
from tools.dosing.quantity import CM_PER_IN, rounded, show, significant
from tools.errors import Refusal

_HUNDREDTH = Decimal("0.01")
_TENTH = Decimal("0.1")


def surface_area_m2(kg: Decimal, cm: Decimal) -> Decimal:
    """Body surface area in m² by Mosteller."""
    return (cm * kg / 3600).sqrt()


def body_surface_area(arguments: Mapping[str, Any]) -> Answer:
    """Body surface area in m² by Mosteller (default) or Du Bois."""
    kg, cm = size(arguments, "the formula needs both")
    if arguments.get("formula", "mosteller") == "mosteller":
        area = surface_area_m2(kg, cm)
        formula = "BSA = sqrt(height_cm × weight_kg / 3600) (Mosteller)"
        step = f"sqrt({show(cm)} × {show(kg)} / 3600) = {show(area)} m²"
        source = "Mosteller, N Engl J Med 1987;317:1098"
    else:
        area = Decimal("0.007184") * kg ** Decimal("0.425") * cm ** Decimal("0.725")
        formula = "BSA = 0.007184 × weight_kg^0.425 × height_cm^0.725 (Du Bois)"
        step = f"0.007184 × {show(kg)}^0.425 × {show(cm)}^0.725 = {show(area)} m²"
        source = "Du Bois & Du Bois, Arch Intern Med 1916;17:863"
    return Answer(
        calculation="body_surface_area",
        value=rounded(area, _HUNDREDTH),
        unit="m²",
        formula=formula,
        inputs={"weight_kg": significant(kg), "height_cm": significant(cm)},
        steps=(step,),
        source=source,
    )


_BMI_BANDS = ((Decimal("18.5"), "underweight"), (Decimal(25), "normal"), (Decimal(30), "overweight"))


def body_mass_index(arguments: Mapping[str, Any]) -> Answer:
    """Body mass index in kg/m²; the bands named are for adults."""
    kg, cm = size(arguments, "the formula needs both")
    metres = cm / 100
    index = kg / (metres * metres)
    band = next((name for below, name in _BMI_BANDS if rounded(index, _TENTH) < below), "obesity")
    return Answer(
        calculation="body_mass_index",
        value=rounded(index, _TENTH),
        unit="kg/m²",
        formula="BMI = weight_kg / height_m²",
        inputs={"weight_kg": significant(kg), "height_m": significant(metres)},
        steps=(f"{show(kg)} / {show(metres)}² = {show(index)} kg/m²",),
        applied=(f"adult band: {band}",),
        source="WHO Technical Report Series 894 (2000)",
    )


SHORTEST_FOR_DEVINE = Decimal(122)  # cm, 4 ft: below it the formula soon falls under zero


def devine_kg(sex: str, cm: Decimal) -> Decimal:
    """Ideal body weight by Devine: 50 (male) or 45.5 (female) plus 2.3 kg for each inch over 60."""
    base = Decimal(50) if sex == "male" else Decimal("45.5")
    return base + Decimal("2.3") * (cm / CM_PER_IN - 60)


def adjusted_kg(ideal: Decimal, actual: Decimal) -> Decimal:
    """Adjusted body weight: ideal plus 40 percent of the excess."""
    return ideal + Decimal("0.4") * (actual - ideal)


def ideal_body_weight(arguments: Mapping[str, Any]) -> Answer:
    """Ideal body weight (Devine) in kg, and adjusted weight when the actual weight is given."""
    cm = height(arguments, adult=True)
    if cm is None:
        raise missing("height", why="the Devine formula needs it")
    if cm < SHORTEST_FOR_DEVINE:
        raise Refusal(
            "not_eligible",
            "/height",
            f"{show(cm)} cm",
            f"{SHORTEST_FOR_DEVINE} cm (4 ft) or more",
            f"the Devine formula makes no sense for a height of {show(cm)} cm.",
        )
    kg = weight(arguments)
    if kg is not None:
        check_body(kg, cm)
    sex = arguments["sex"]
    ideal = devine_kg(sex, cm)
    inches = cm / CM_PER_IN
    base = "50" if sex == "male" else "45.5"
    steps = [f"{base} + 2.3 × ({show(inches)} in - 60) = {show(ideal)} kg"]
    inputs: dict[str, Decimal | str] = {"sex": sex, "height_in": significant(inches)}
    other: dict[str, Decimal] = {}
    applied: tuple[str, ...] = ()
    if kg is not None:
        inputs["weight_kg"] = significant(kg)
        if kg > ideal:
            adjusted = adjusted_kg(ideal, kg)
            steps.append(f"{show(ideal)} + 0.4 × ({show(kg)} - {show(ideal)}) = {show(adjusted)} kg adjusted")
            other["adjusted_weight_kg"] = rounded(adjusted, _TENTH)
        else:
            applied = ("actual weight is not above ideal weight, so no adjusted weight",)
    warnings = ("Devine's formula was made for heights of 60 in (152 cm) or more.",) if inches < 60 else ()
    return Answer(
        calculation="ideal_body_weight",
        value=rounded(ideal, _TENTH),
        unit="kg",
        other_values=other,
        formula="IBW = 50 (male) or 45.5 (female) + 2.3 × (height_in - 60); adjusted = IBW + 0.4 × (weight - IBW)",
        inputs=inputs,
        steps=tuple(steps),
        applied=applied,
        warnings=warnings,
        source="Devine, Drug Intell Clin Pharm 1974;8:650; adjusted weight: Winter, Basic Clinical Pharmacokinetics",
    )
