"""Equivalent doses: opioids as oral morphine (CDC 2022), and one glucocorticoid for another."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tools.dosing.answer import Answer
from tools.dosing.drug import described, resolve
from tools.dosing.frequency import doses_per_day
from tools.dosing.plausible import implausible, missing
from tools.dosing.quantity import MG_PER, decimal, json_number, show, significant
from tools.errors import Refusal
from tools.interactions.names import Match

_CDC = "CDC Clinical Practice Guideline for Prescribing Opioids, MMWR Recomm Rep 2022;71(3), conversion table"

# mg of oral morphine for one mg by mouth
_MORPHINE_PER_MG: Mapping[str, Decimal] = {
    "codeine": Decimal("0.15"),
    "hydrocodone": Decimal(1),
    "hydromorphone": Decimal(5),
    "methadone": Decimal("4.7"),
    "morphine": Decimal(1),
    "oxycodone": Decimal("1.5"),
    "oxymorphone": Decimal(3),
    "tapentadol": Decimal("0.4"),
    "tramadol": Decimal("0.2"),
}
_FENTANYL_PER_MCG_H = Decimal("2.4")  # mg of oral morphine a day for one mcg/h of a patch
_MOST_MME = Decimal(3000)
_NOTES = {
    "methadone": "Methadone accumulates and its potency rises with dose; read this figure with particular caution.",
    "tapentadol": "Tapentadol and tramadol also act beyond the mu receptor; their figures are the least certain.",
    "tramadol": "Tapentadol and tramadol also act beyond the mu receptor; their figures are the least certain.",
    "fentanyl": "Absorption from a patch rises with heat and fever.",
}
_NOT_FOR_SWITCHING = "Not for choosing the dose of another opioid: a new opioid starts substantially lower."


def morphine_equivalents(arguments: Mapping[str, Any]) -> Answer:
    """Oral morphine milligram equivalents a day of one opioid."""
    match = resolve(arguments["drug"], known=(*_MORPHINE_PER_MG, "fentanyl", "buprenorphine"))
    opioid = _opioid(match)
    dose, unit = decimal(arguments["dose"]), str(arguments["dose_unit"])
    route = arguments.get("route")
    patch = opioid == "fentanyl"
    if route is not None and route != ("transdermal" if patch else "oral"):
        raise _no_factor(
            match, "/route", route, f"{opioid} has a factor for the {'patch' if patch else 'oral route'} only"
        )
    if (unit == "mcg/h") != patch:
        raise Refusal(
            "unit_mismatch",
            "/dose_unit",
            unit,
            "mcg/h" if patch else "mg or mcg",
            f"{opioid} is counted {'as a patch in mcg/h' if patch else 'by the dose, not as a rate'}.",
        )
    inputs: dict[str, Decimal | str] = {"opioid": opioid, "dose": f"{show(dose)} {unit}"}
    if patch:
        factor, daily, steps = _FENTANYL_PER_MCG_H, dose, []
    else:
        frequency = arguments.get("frequency")
        if frequency is None:
            raise missing("frequency", why="the equivalent is of a whole day's doses")
        factor = _MORPHINE_PER_MG[opioid]
        single, times = dose * MG_PER[unit], doses_per_day(frequency)
        daily = single * times
        inputs["doses_per_day"] = significant(times)
        steps = [f"{show(single)} mg × {show(times)} = {show(daily)} mg a day"]
    morphine = daily * factor
    steps.append(f"{show(daily)} {'mcg/h' if patch else 'mg'} × {show(factor)} = {show(morphine)} MME a day")
    if morphine > _MOST_MME:
        other = "mcg" if unit == "mg" else ""
        hint = f"{json_number(dose)} {other}" if other else ""
        raise implausible("dose", f"{json_number(dose)} {unit}", f"at most {_MOST_MME} MME a day", hint)
    warnings = [_NOT_FOR_SWITCHING, *([_NOTES[opioid]] if opioid in _NOTES else [])]
    return Answer(
        calculation="morphine_equivalents",
        about={"drug": described(match)},
        value=significant(morphine),
        unit="MME/day",
        formula="MME a day = dose a day × conversion factor",
        inputs={**inputs, "factor": factor},
        steps=tuple(steps),
        applied=(_band(morphine), "taken as the patch" if patch else "taken as the oral route"),
        warnings=tuple(warnings),
        source=_CDC,
    )


def _opioid(match: Match) -> str:
    """The one opioid among the ingredients that has a factor."""
    if "buprenorphine" in match.ingredients:
        raise _no_factor(match, "/drug", match.as_written, "CDC 2022 leaves buprenorphine out (a partial agonist)")
    for ingredient in match.ingredients:
        if ingredient in _MORPHINE_PER_MG or ingredient == "fentanyl":
            return ingredient
    raise _no_factor(match, "/drug", match.as_written, f"CDC 2022 has no factor for {match.drug}")


def _no_factor(match: Match, place: str, found: object, why: str) -> Refusal:
    known = ", ".join(_MORPHINE_PER_MG)
    return Refusal(
        "not_convertible",
        place,
        found,
        f"by mouth: {known}; as a patch: fentanyl",
        f"'{match.as_written}' has no morphine equivalent here: {why}.",
    )


def _band(morphine: Decimal) -> str:
    if morphine >= 50:
        return "50 MME a day or more: risk rises with little more benefit; reassess (CDC 2022)"
    return "below 50 MME a day (counting this opioid only)"


# mg with the same glucocorticoid effect as 20 mg of hydrocortisone
_GLUCOCORTICOIDS: Mapping[str, Decimal] = {
    "betamethasone": Decimal("0.75"),
    "cortisone": Decimal(25),
    "dexamethasone": Decimal("0.75"),
    "hydrocortisone": Decimal(20),
    "methylprednisolone": Decimal(4),
    "prednisolone": Decimal(5),
    "prednisone": Decimal(5),
    "triamcinolone": Decimal(4),
}
_STEROID_SOURCE = "Medrol (methylprednisolone) label s.2, table of equivalent doses"
_MOST_HYDROCORTISONE = Decimal(10_000)  # mg; a pulse of methylprednisolone 1 g is 5 g


def steroid_equivalence(arguments: Mapping[str, Any]) -> Answer:
    """The dose of another glucocorticoid with the same anti-inflammatory effect, by mouth or vein."""
    first = _glucocorticoid(arguments["drug"], "/drug")
    second = _glucocorticoid(arguments["to_drug"], "/to_drug")
    unit = str(arguments["dose_unit"])
    milligrams = decimal(arguments["dose"]) * MG_PER[unit]
    start, end = _GLUCOCORTICOIDS[first.drug], _GLUCOCORTICOIDS[second.drug]
    hydrocortisone = milligrams / start * 20
    if hydrocortisone > _MOST_HYDROCORTISONE:
        found = f"{arguments['dose']:g} {unit}"
        most = show(_MOST_HYDROCORTISONE / 20 * start)
        raise implausible("dose", found, f"at most {most} mg of {first.drug}", "")
    dose = milligrams * end / start
    warnings = [
        "Glucocorticoid effect by mouth or vein only, not for injection into joints or tissue.",
    ]
    if {first.drug, second.drug} & {"hydrocortisone", "cortisone"} and first.drug != second.drug:
        warnings.append("The mineralocorticoid effect is not kept: hydrocortisone and cortisone have the most of it.")
    step = f"{show(milligrams)} mg {first.drug} × {show(end)} / {show(start)} = {show(dose)} mg {second.drug}"
    return Answer(
        calculation="steroid_equivalence",
        about={"drug": described(first), "to_drug": described(second)},
        value=significant(dose),
        unit="mg",
        formula="dose × equivalent dose of the second drug / equivalent dose of the first",
        inputs={"dose_mg": milligrams, "equivalent_mg": f"{show(start)} mg and {show(end)} mg"},
        steps=(step,),
        warnings=tuple(warnings),
        source=_STEROID_SOURCE,
    )


def _glucocorticoid(written: str, place: str) -> Match:
    match = resolve(written, place, known=_GLUCOCORTICOIDS)
    if match.drug not in _GLUCOCORTICOIDS:
        raise Refusal(
            "not_convertible",
            place,
            written,
            f"one of {', '.join(_GLUCOCORTICOIDS)}",
            f"'{written}' is {match.drug}, which is not in the table of systemic glucocorticoids.",
        )
    return match
