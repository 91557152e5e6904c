"""Loading and maintenance doses from a target concentration and one-compartment parameters."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tools.dosing.answer import Answer
from tools.dosing.frequency import hours_between
from tools.dosing.plausible import implausible, required_weight, weight
from tools.dosing.quantity import decimal, json_number, show, significant
from tools.dosing.schema import SERUM_UNITS
from tools.dosing.units import UNITS
from tools.errors import Refusal

_SOURCE = "Rowland & Tozer, Clinical Pharmacokinetics and Pharmacodynamics; Winter, Basic Clinical Pharmacokinetics"
_LARGEST_MG = Decimal(50_000)
_CAUTION = "Parameters are of the population unless measured; follow concentrations."


def loading_dose(arguments: Mapping[str, Any]) -> Answer:
    """Dose in mg that brings the concentration to its target at once."""
    target = _concentration(arguments, "target_concentration")
    litres, inputs, steps = _volume(arguments)
    present = Decimal(0)
    if arguments.get("current_concentration") is not None:
        present = _concentration(arguments, "current_concentration")
        if present >= target:
            raise Refusal(
                "implausible_value",
                "/current_concentration",
                arguments["current_concentration"],
                f"below the target of {arguments['target_concentration']:g} {arguments['concentration_unit']}",
                "the concentration is already at or above its target; no loading dose is needed.",
            )
        inputs["current_concentration_mg_l"] = present
    inputs = {"target_concentration_mg_l": target, **inputs}
    amount = (target - present) * litres
    rise = show(target) if not present else f"({show(target)} - {show(present)})"
    steps.append(f"{rise} mg/L × {show(litres)} L = {show(amount)} mg")
    dose = _absorbed(amount, arguments, inputs, steps)
    _check_size(dose, arguments)
    return Answer(
        calculation="loading_dose",
        value=significant(dose),
        unit="mg",
        frequency="once",
        formula="dose = (target - current concentration) × volume of distribution / (bioavailability × salt factor)",
        inputs=inputs,
        steps=tuple(steps),
        warnings=(_CAUTION,),
        source=_SOURCE,
    )


def maintenance_dose(arguments: Mapping[str, Any]) -> Answer:
    """Dose in mg for each interval, or mg/h by infusion, that holds the average concentration at its target."""
    target = _concentration(arguments, "target_concentration")
    flow, inputs, steps = _clearance(arguments)
    inputs = {"target_concentration_mg_l": target, **inputs}
    hourly = target * flow
    steps.append(f"{show(target)} mg/L × {show(flow)} L/h = {show(hourly)} mg/h")
    rate = _absorbed(hourly, arguments, inputs, steps, unit="mg/h")
    frequency = arguments.get("frequency")
    if frequency is None:
        dose, unit, written = rate, "mg/h", "by continuous infusion"
    else:
        hours = hours_between(frequency)
        dose, unit, written = rate * hours, "mg", frequency
        inputs["interval_h"] = significant(hours)
        steps.append(f"{show(rate)} mg/h × {show(hours)} h = {show(dose)} mg")
    _check_size(dose, arguments)
    return Answer(
        calculation="maintenance_dose",
        value=significant(dose),
        unit=unit,
        frequency=written,
        other_values={"daily_mg": significant(rate * 24)},
        formula="dose = target concentration × clearance × interval / (bioavailability × salt factor)",
        inputs=inputs,
        steps=tuple(steps),
        warnings=(_CAUTION,),
        source=_SOURCE,
    )


Working = tuple[Decimal, dict[str, Decimal | str], list[str]]


def _concentration(arguments: Mapping[str, Any], name: str) -> Decimal:
    number, unit = decimal(arguments[name]), arguments["concentration_unit"]
    value = _in_base(number, unit, "mg/L")
    if value > 1000:
        fits = [other for other in SERUM_UNITS if _in_base(number, other, "mg/L") <= 1000]
        hint = f"{json_number(number)} {fits[0]}" if fits else ""
        raise implausible(name, f"{json_number(number)} {unit}", "at most 1000 mg/L", hint)
    return value


def _in_base(number: Decimal, unit: str, base: str) -> Decimal:
    """A number in the base unit; per kilogram stays per kilogram."""
    return number * UNITS[unit.removesuffix("/kg")].factor / UNITS[base].factor


def _volume(arguments: Mapping[str, Any]) -> Working:
    number, unit = decimal(arguments["volume"]), arguments["volume_unit"]
    volume = _in_base(number, unit, "L")
    low, high = (Decimal("0.02"), Decimal(500)) if "/kg" in unit else (Decimal("0.1"), Decimal(100_000))
    return _scaled(arguments, "volume", volume, unit, "L", (low, high))


def _clearance(arguments: Mapping[str, Any]) -> Working:
    number, unit = decimal(arguments["clearance"]), arguments["clearance_unit"]
    flow = _in_base(number, unit, "L/h")
    low, high = (Decimal("0.00001"), Decimal(10)) if "/kg" in unit else (Decimal("0.0005"), Decimal(500))
    return _scaled(arguments, "clearance", flow, unit, "L/h", (low, high))


def _scaled(
    arguments: Mapping[str, Any],
    name: str,
    value: Decimal,
    unit: str,
    base: str,
    bounds: tuple[Decimal, Decimal],
) -> Working:
    """A parameter of the whole body, from one per kilogram when the unit says so."""
    per_kg = "/kg" in unit
    written = f"{base}/kg" if per_kg else base
    if not bounds[0] <= value <= bounds[1]:
        expected = f"{show(bounds[0])} to {show(bounds[1])} {written}"
        raise implausible(name, f"{json_number(decimal(arguments[name]))} {unit}", expected, "")
    if not per_kg:
        weight(arguments)  # not used, but believable if given
        return value, {f"{name}_{base.lower().replace('/', '_')}": significant(value)}, []
    kg = required_weight(arguments, f"a {name} in {unit} needs it")
    whole = value * kg
    inputs: dict[str, Decimal | str] = {name: f"{show(value)} {written}", "weight_kg": significant(kg)}
    return whole, inputs, [f"{show(value)} {written} × {show(kg)} kg = {show(whole)} {base}"]


def _absorbed(
    amount: Decimal,
    arguments: Mapping[str, Any],
    inputs: dict[str, Decimal | str],
    steps: list[str],
    unit: str = "mg",
) -> Decimal:
    """The amount to give so that ``amount`` of active drug arrives."""
    fraction, salt = _bioavailability(arguments), decimal(arguments.get("salt_factor", 1))
    if fraction == salt == 1:
        return amount
    inputs["bioavailability"] = fraction
    if salt != 1:
        inputs["salt_factor"] = salt
    given = amount / (fraction * salt)
    product = show(fraction) if salt == 1 else f"({show(fraction)} × {show(salt)})"
    steps.append(f"{show(amount)} {unit} / {product} = {show(given)} {unit}")
    return given


def _bioavailability(arguments: Mapping[str, Any]) -> Decimal:
    if "bioavailability" not in arguments:
        return Decimal(1)
    number, unit = decimal(arguments["bioavailability"]), arguments["bioavailability_unit"]
    fraction = number / 100 if unit == "%" else number
    if not Decimal("0.005") <= fraction <= 1:
        hint = f"{json_number(number)} %" if unit == "fraction" and 1 < number <= 100 else ""
        raise implausible("bioavailability", f"{json_number(number)} {unit}", "0.5 to 100 %", hint)
    return fraction


def _check_size(dose: Decimal, arguments: Mapping[str, Any]) -> None:
    if dose > _LARGEST_MG:
        raise implausible(
            "target_concentration",
            f"{arguments['target_concentration']:g} {arguments['concentration_unit']}",
            f"a dose of at most {show(_LARGEST_MG / 1000)} g (this one comes to {show(dose / 1000)} g)",
            "",
        )
