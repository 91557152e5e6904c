"""Infusions: pump rate from a dose rate and back, and maintenance fluids by weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tools.dosing.answer import Answer
from tools.dosing.drug import described, resolve
from tools.dosing.label_range import check_against_label
from tools.dosing.plausible import required_weight
from tools.dosing.quantity import MG_PER, decimal, json_number, rounded, show, significant
from tools.errors import Refusal

_TENTH, _HUNDREDTH = Decimal("0.1"), Decimal("0.01")
_FAMILY = {**dict.fromkeys(MG_PER, "mass"), "units": "units", "mEq": "mEq"}
_STRENGTHS = {"mass": "mg/mL or mcg/mL", "units": "units/mL", "mEq": "mEq/mL"}
_SLOWEST, _FASTEST = Decimal("0.01"), Decimal(1500)  # mL/h
_DEFINITION = "dimensional analysis (definition of the units)"


def infusion_rate(arguments: Mapping[str, Any]) -> Answer:
    """Pump rate in mL/h for a dose rate and a concentration."""
    dose, dose_unit = decimal(arguments["dose"]), str(arguments["dose_unit"])
    strength, strength_unit = decimal(arguments["concentration"]), str(arguments["concentration_unit"])
    bag_unit, kg = _bag_unit(dose_unit, strength_unit), _kg(arguments, dose_unit)
    hourly, steps = dose, []
    for link in _links(dose_unit, bag_unit, kg):
        steps.append(f"{show(hourly)} {link.before} × {link.written} = {show(hourly * link.factor)} {link.after}")
        hourly *= link.factor
    rate = hourly / strength
    steps.append(f"{show(hourly)} {bag_unit}/h / {show(strength)} {strength_unit} = {show(rate)} mL/h")
    about, warnings = _labelled(arguments, dose, dose_unit, "/dose")
    if not _SLOWEST <= rate <= _FASTEST:
        raise Refusal(
            "implausible_value",
            "/dose",
            f"{json_number(dose)} {dose_unit}",
            f"a rate of {_SLOWEST} to {_FASTEST} mL/h",
            f"{show(rate)} mL/h is not a rate a pump runs; check the dose unit and the concentration "
            "for a factor of ten or a thousand.",
        )
    place = _TENTH if rate >= 1 else _HUNDREDTH
    return Answer(
        calculation="infusion_rate",
        about=about,
        value=rounded(rate, place),
        unit="mL/h",
        formula="rate = dose [× weight_kg] [× 60 min/h] / concentration",
        inputs={
            "dose": f"{show(dose)} {dose_unit}",
            **_weighed(kg),
            "concentration": f"{show(strength)} {strength_unit}",
        },
        steps=tuple(steps),
        applied=(f"rounded to {place} mL/h",),
        warnings=(*warnings, *_pump(rate), *_unused(arguments, dose_unit, kg)),
        source=_DEFINITION,
    )


def infusion_dose(arguments: Mapping[str, Any]) -> Answer:
    """Dose rate of a running pump, in the unit asked for: the inverse of ``infusion_rate``."""
    rate, rate_unit = decimal(arguments["rate"]), str(arguments["rate_unit"])
    strength, strength_unit = decimal(arguments["concentration"]), str(arguments["concentration_unit"])
    dose_unit = str(arguments["dose_unit"])
    bag_unit, kg = _bag_unit(dose_unit, strength_unit), _kg(arguments, dose_unit)
    hourly_ml = rate * 60 if rate_unit == "mL/min" else rate
    if not _SLOWEST <= hourly_ml <= _FASTEST:
        raise Refusal(
            "implausible_value",
            "/rate",
            f"{json_number(rate)} {rate_unit}",
            f"a rate of {_SLOWEST} to {_FASTEST} mL/h",
            f"{show(hourly_ml)} mL/h is not a rate a pump runs; check the unit of the rate.",
        )
    amount = hourly_ml * strength
    steps = [f"{show(hourly_ml)} mL/h × {show(strength)} {strength_unit} = {show(amount)} {bag_unit}/h"]
    for link in reversed(_links(dose_unit, bag_unit, kg)):
        steps.append(f"{show(amount)} {link.after} / {link.written} = {show(amount / link.factor)} {link.before}")
        amount /= link.factor
    about, warnings = _labelled(arguments, amount, dose_unit, "/rate")
    return Answer(
        calculation="infusion_dose",
        about=about,
        value=significant(amount, 6),
        unit=dose_unit,
        formula="dose = rate × concentration [/ 60 min/h] [/ weight_kg]",
        inputs={
            "rate_ml_h": significant(hourly_ml),
            "concentration": f"{show(strength)} {strength_unit}",
            **_weighed(kg),
        },
        steps=tuple(steps),
        warnings=(*warnings, *_pump(hourly_ml), *_unused(arguments, dose_unit, kg)),
        source=_DEFINITION,
    )


@dataclass(frozen=True)
class _Link:
    """One factor between a dose rate and the drug that leaves the bag in an hour."""

    before: str
    factor: Decimal
    written: str
    after: str


def _links(dose_unit: str, bag_unit: str, kg: Decimal | None) -> list[_Link]:
    """From ``mcg/kg/min`` over ``mcg/min`` and ``mcg/h`` to ``mg/h``, as far as the units differ."""
    drug_unit, time = dose_unit.split("/")[0], dose_unit.split("/")[-1]
    links, unit = [], dose_unit
    if kg is not None:
        links.append(_Link(unit, kg, f"{show(kg)} kg", unit := f"{drug_unit}/{time}"))
    if time == "min":
        links.append(_Link(unit, Decimal(60), "60 min/h", unit := f"{drug_unit}/h"))
    if drug_unit != bag_unit:
        factor = MG_PER[drug_unit] / MG_PER[bag_unit]
        links.append(_Link(unit, factor, f"{show(factor)} {bag_unit}/{drug_unit}", f"{bag_unit}/h"))
    return links


def _kg(arguments: Mapping[str, Any], dose_unit: str) -> Decimal | None:
    """The weight in kg when the dose is per kilogram; None when it plays no part."""
    return required_weight(arguments, f"a dose in {dose_unit} needs it") if "/kg/" in dose_unit else None


def _weighed(kg: Decimal | None) -> dict[str, Decimal | str]:
    return {} if kg is None else {"weight_kg": significant(kg)}


def _unused(arguments: Mapping[str, Any], dose_unit: str, kg: Decimal | None) -> list[str]:
    unused = "weight" in arguments and kg is None
    return [f"Weight was not used: {dose_unit} is not per kilogram."] if unused else []


def _bag_unit(dose_unit: str, strength_unit: str) -> str:
    """The unit of the drug in the bag, which must be of the dose's kind."""
    drug_unit, bag_unit = dose_unit.split("/")[0], strength_unit.split("/")[0]
    if _FAMILY[drug_unit] != _FAMILY[bag_unit]:
        raise Refusal(
            "unit_mismatch",
            "/concentration_unit",
            strength_unit,
            _STRENGTHS[_FAMILY[drug_unit]],
            f"a dose in {dose_unit} cannot be drawn from a concentration in {strength_unit}",
        )
    return bag_unit


def _labelled(
    arguments: Mapping[str, Any], dose: Decimal, dose_unit: str, place: str
) -> tuple[dict[str, Any], list[str]]:
    """How the drug was understood and what its label says of the rate, when a drug was named."""
    if arguments.get("drug") is None:
        return {}, []
    match = resolve(arguments["drug"])
    return {"drug": described(match)}, check_against_label(match.drug, dose, dose_unit, place)


def _pump(rate: Decimal) -> list[str]:
    return ["Above 999 mL/h, the usual ceiling of infusion pumps."] if rate > 999 else []


def maintenance_fluids(arguments: Mapping[str, Any]) -> Answer:
    """Hourly maintenance fluid in mL/h by the 4-2-1 rule, with the daily 100-50-20 volume it comes from."""
    kg = required_weight(arguments, "the 4-2-1 rule needs it")
    ten, twenty = Decimal(10), Decimal(20)
    parts = (
        (min(kg, ten), 4, 100),
        (min(max(kg - ten, Decimal(0)), ten), 2, 50),
        (max(kg - twenty, Decimal(0)), 1, 20),
    )
    hourly = sum((part * rate for part, rate, _ in parts), Decimal(0))
    daily = sum((part * volume for part, _, volume in parts), Decimal(0))
    written = [f"{show(part)} kg × {rate}" for part, rate, _ in parts if part]
    warnings = ["Not for newborns, whose needs change daily."] if kg < 4 else []
    if kg > 60:
        warnings.append("The rule comes from children; adults seldom need more than about 100 mL/h.")
    return Answer(
        calculation="maintenance_fluids",
        value=rounded(hourly, _TENTH),
        unit="mL/h",
        other_values={"daily_ml": rounded(daily, Decimal(1))},
        formula="4 mL/kg/h for the first 10 kg + 2 for the next 10 + 1 for each kg above 20",
        inputs={"weight_kg": significant(kg)},
        steps=(" + ".join(written) + f" = {show(hourly)} mL/h",),
        applied=(f"{len(written)} of 3 weight bands",),
        warnings=tuple(warnings),
        source="Holliday & Segar, Pediatrics 1957;19:823",
    )
