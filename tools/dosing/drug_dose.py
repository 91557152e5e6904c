"""The labelled dose of a drug for one patient.

Choose the regimen (drug, indication, age, weight), compute the dose, cap it, change it for kidney function,
round it to something measurable. More than one possible regimen is a question back to the caller, not a
choice made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tools import text
from tools.dosing.answer import Answer
from tools.dosing.plausible import patient_age_days, required_weight
from tools.dosing.quantity import decimal, rounded, rounded_down, show, significant
from tools.dosing.regimens import Band, Regimen, regimens
from tools.errors import Refusal
from tools.interactions.names import Match, shipped_names

_YEAR = Decimal("365.25")


def drug_dose(arguments: Mapping[str, Any]) -> Answer:
    """The dose of one drug for one patient, with what limited it."""
    match = _drug(arguments["drug"])
    age = patient_age_days(arguments)
    kg = required_weight(arguments, "dosing needs it", age)
    clearance = None
    if "creatinine_clearance" in arguments:
        clearance = decimal(arguments["creatinine_clearance"])
    regimen = _choose(match, arguments, age, kg)
    band = None if clearance is None else next((band for band in regimen.renal if band.holds(clearance)), None)
    if band is not None and band.action == "avoid":
        raise Refusal(
            "contraindicated_renal",
            "/creatinine_clearance",
            arguments["creatinine_clearance"],
            f"a creatinine clearance outside {band.text.removeprefix('creatinine clearance ')}",
            f"{regimen.drug}: the label says to avoid {band.frequency or 'it'} with {band.text} ({regimen.source}).",
        )
    dose = _compute(regimen, kg, band)
    inputs: dict[str, Decimal | str] = {
        "age": f"{arguments['age']:g} {arguments['age_unit']}",
        "weight_kg": significant(kg),
    }
    if clearance is not None:
        inputs["creatinine_clearance"] = clearance
    warnings = [regimen.warning] if regimen.warning else []
    if regimen.renal and clearance is None and age >= 18 * _YEAR:
        warnings.append("The label changes the dose in kidney impairment; no creatinine clearance was given.")
    return Answer(
        calculation="drug_dose",
        about={
            "drug": {"as_written": arguments["drug"], "resolved": match.drug, "matched_by": match.matched_by},
            "indication": regimen.indication,
            "population": regimen.population,
            "route": regimen.route,
        },
        value=dose.low,
        value_high=dose.high if dose.high != dose.low else None,
        unit=regimen.unit,
        frequency=band.frequency if band is not None else regimen.frequency,
        other_values=dose.other,
        formula=_formula(regimen),
        inputs=inputs,
        steps=tuple(dose.steps),
        applied=tuple(dose.applied),
        warnings=tuple(warnings),
        source=regimen.source,
    )


def _drug(written: str) -> Match:
    """The drug by any of its names, if the table has a dose for it."""
    answer = shipped_names().resolve(written)
    dosed = {regimen.drug for regimen in regimens()}
    if isinstance(answer, Match) and answer.drug in dosed:
        return answer
    if isinstance(answer, Match):
        raise Refusal(
            "no_regimen",
            "/drug",
            written,
            f"one of {len(dosed)} drugs with a dose in the table",
            f"'{written}' is {answer.drug}, which has no dose in the table.",
        )
    if answer.reason == "ambiguous":
        options = " or ".join(answer.candidates)
        raise Refusal(
            "ambiguous_drug",
            "/drug",
            written,
            f"one of {options}",
            f"'{written}' could be {options}; which one is meant?",
        )
    hint = f"; did you mean {' or '.join(answer.candidates)}?" if answer.candidates else "."
    raise Refusal(
        "unknown_drug",
        "/drug",
        written,
        "a drug in the database",
        f"'{written}' is not in the database{hint}",
    )


def _choose(match: Match, arguments: Mapping[str, Any], age: Decimal, kg: Decimal) -> Regimen:
    rows = [regimen for regimen in regimens() if regimen.drug == match.drug]
    wanted = arguments.get("indication")
    if wanted is not None:
        named = _for_indication(rows, wanted, age, kg)
        if not named:
            options = "; ".join(dict.fromkeys(row.indication for row in rows))
            raise Refusal(
                "unknown_indication",
                "/indication",
                wanted,
                f"one of {options}",
                f"no dose of {match.drug} for '{wanted}' in the table; it has {options}.",
            )
        rows = named
    fits = [row for row in rows if row.eligible(age, kg)]
    if not fits:
        groups = "; ".join(dict.fromkeys(f"{row.indication}: {row.population}" for row in rows))
        raise Refusal(
            "not_eligible",
            "/age",
            f"{arguments['age']:g} {arguments['age_unit']}, {show(kg)} kg",
            groups,
            f"no labelled dose of {match.drug} in the table for this age and weight; it has {groups}.",
        )
    if len(fits) > 1:
        options = "; ".join(dict.fromkeys(row.indication for row in fits))
        raise Refusal(
            "ambiguous_indication",
            "/indication",
            wanted,
            f"one of {options}",
            f"{match.drug} has several doses for this patient; what is it for? One of: {options}.",
        )
    return fits[0]


def _for_indication(rows: Sequence[Regimen], wanted: str, age: Decimal, kg: Decimal) -> list[Regimen]:
    """Rows for the indication: by its own name, by another name of it, else by its words.

    A name that fits no row this patient may have gives way to the next way of matching; words count only
    when no name matches at all.
    """
    key = text.key(wanted)
    own = [row for row in rows if key == text.key(row.indication)]
    also = [row for row in rows if key in {text.key(name) for name in row.also}]
    for named in (own, also):
        if any(row.eligible(age, kg) for row in named):
            return named
    if own or also:
        return own + [row for row in also if row not in own]
    words = set(key.split()) - _FILLER
    return [row for row in rows if words and any(_shares(words, key, name) for name in (row.indication, *row.also))]


_FILLER = frozenset(["acute", "the", "a", "an", "of", "in", "for", "with", "and", "treatment", "therapy", "disease"])


def _shares(words: set[str], key: str, name: str) -> bool:
    """Whether the wanted words are all in the name, or the name stands in what was written ("high fever")."""
    known = text.key(name)
    if " other than " in known:
        return False
    return words <= set(known.split()) or (len(known) > 3 and f" {known} " in f" {key} ")


@dataclass
class _Dose:
    low: Decimal
    high: Decimal
    steps: list[str]
    applied: list[str]
    other: dict[str, Decimal]


def _compute(regimen: Regimen, kg: Decimal, band: Band | None) -> _Dose:
    low, high, steps = _base(regimen, kg)
    applied: list[str] = []
    if band is not None and band.action == "fixed":
        low, high = band.dose
        steps = [f"{_range(low, high)} {regimen.unit}: {band.text}"]
        applied.append(band.text)
        return _Dose(low, high, steps, applied, {})
    low, high = (_capped(value, regimen, kg, applied) for value in (low, high))
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
    other = (
        {f"daily_{regimen.unit}": significant(high * regimen.per_day)} if band is None and regimen.per_day > 1 else {}
    )
    return _Dose(significant(low, 6), significant(high, 6), steps, list(dict.fromkeys(applied)), other)


def _base(regimen: Regimen, kg: Decimal) -> tuple[Decimal, Decimal, list[str]]:
    written = _range(*regimen.dose)
    if regimen.basis == "fixed":
        return (
            *regimen.dose,
            [f"{written} {regimen.unit}, independent of weight within {regimen.population}"],
        )
    low, high = (value * kg for value in regimen.dose)
    if regimen.basis == "per_kg":
        return (
            low,
            high,
            [f"{written} {regimen.unit}/kg × {show(kg)} kg = {_range(low, high)} {regimen.unit}"],
        )
    each_low, each_high = low / regimen.per_day, high / regimen.per_day
    steps = [
        f"{written} {regimen.unit}/kg/day × {show(kg)} kg = {_range(low, high)} {regimen.unit}/day",
        f"/ {regimen.per_day} doses = {_range(each_low, each_high)} {regimen.unit}",
    ]
    return each_low, each_high, steps


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


def _formula(regimen: Regimen) -> str:
    if regimen.basis == "fixed":
        return "fixed dose"
    if regimen.basis == "per_kg":
        return f"dose = {_range(*regimen.dose)} {regimen.unit}/kg × weight_kg"
    return f"dose = {_range(*regimen.dose)} {regimen.unit}/kg/day × weight_kg / {regimen.per_day}"
