"""Unit conversion with the factor shown; a laboratory substance joins mg/dL to mmol/L."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tools.dosing.answer import Answer
from tools.dosing.plausible import implausible, missing
from tools.dosing.quantity import decimal, json_number, show, significant
from tools.dosing.units import HEMOGLOBIN_A1C, SUBSTANCES, UNITS, Substance
from tools.errors import Refusal

_CHEMICAL = ("mass concentration", "molar concentration", "equivalents")
_BY_DEFINITION = "definition of the units (NIST Special Publication 811)"
_LOWEST = {"°C": Decimal("-273.15"), "°F": Decimal("-459.67")}  # absolute zero; of anything else there is none below 0
_IFCC = "NGSP and IFCC master equation, Clin Chem 2008;54:240"


def unit_conversion(arguments: Mapping[str, Any]) -> Answer:
    """A value in another unit of the same kind."""
    value, start, end = decimal(arguments["value"]), arguments["from_unit"], arguments["to_unit"]
    analyte = arguments.get("analyte")
    _check_kinds(start, end, analyte)
    low = _LOWEST.get(start, Decimal(0))
    if value < low:
        raise implausible("value", f"{json_number(value)} {start}", f"{show(low, 5)} {start} or more", "")
    if analyte is not None:
        _check_value(value, start, end, analyte)
    if UNITS[start].dimension == "temperature":
        return _temperature(value, start, end)
    if UNITS[start].dimension == "hemoglobin fraction":
        return _hemoglobin(value, start, end)
    factor = _factor(start, end, analyte)
    converted = value * factor
    steps = [f"1 {start} = {show(factor, 6)} {end}"]
    if analyte is not None and UNITS[start].dimension != UNITS[end].dimension:
        steps[0] += f" for {analyte} ({_why(SUBSTANCES[analyte], start, end)})"
    steps.append(f"{show(value, 6)} {start} × {show(factor, 6)} = {show(converted, 6)} {end}")
    chemical = analyte is not None and UNITS[start].dimension != UNITS[end].dimension
    return _answer(
        value,
        start,
        end,
        converted,
        analyte,
        formula=f"value in {end} = value in {start} × {show(factor, 6)}",
        steps=tuple(steps),
        source="molar mass from standard atomic weights (IUPAC)" if chemical else _BY_DEFINITION,
    )


def _answer(
    value: Decimal,
    start: str,
    end: str,
    converted: Decimal,
    analyte: str | None,
    *,
    formula: str,
    steps: tuple[str, ...],
    source: str,
) -> Answer:
    inputs: dict[str, Decimal | str] = {"value": value, "from_unit": start}
    if analyte is not None:
        inputs["analyte"] = analyte
    return Answer(
        calculation="unit_conversion",
        value=significant(converted, 6),
        unit=end,
        formula=formula,
        inputs=inputs,
        steps=steps,
        source=source,
    )


def _check_kinds(start: str, end: str, analyte: str | None) -> None:
    one, other = UNITS[start].dimension, UNITS[end].dimension
    if one != other and not (one in _CHEMICAL and other in _CHEMICAL):
        alike = [name for name, unit in UNITS.items() if unit.dimension == one and name != start]
        raise Refusal(
            "unit_mismatch",
            "/to_unit",
            end,
            f"one of {', '.join(alike)}",
            f"{start} is a unit of {one} and {end} of {other}; one cannot become the other.",
        )
    if one != other and analyte is None:
        raise missing("analyte", why=f"{start} to {end} differs from substance to substance")
    if (one == "hemoglobin fraction") != (analyte == HEMOGLOBIN_A1C):
        raise Refusal(
            "unit_mismatch",
            "/analyte",
            analyte,
            f"{HEMOGLOBIN_A1C} with % and mmol/mol, and only with them",
            f"% and mmol/mol are converted for {HEMOGLOBIN_A1C} only.",
        )
    if "equivalents" in (one, other) and one != other and SUBSTANCES[str(analyte)].valence is None:
        charged = ", ".join(name for name, substance in SUBSTANCES.items() if substance.valence)
        raise Refusal(
            "unit_mismatch",
            "/analyte",
            analyte,
            f"one of {charged}",
            f"{analyte} carries no charge that is counted in mEq/L; {charged} do.",
        )


_ROUNDING = Decimal("1e-5")  # results are rounded; a limit converted and back is still the limit


def _check_value(value: Decimal, start: str, end: str, analyte: str) -> None:
    """Refuse a value no patient has, when the other unit would explain it."""
    substance = SUBSTANCES[analyte]
    if not substance.unit:
        return
    low, high = (bound * _factor(substance.unit, start, analyte) for bound in (substance.low, substance.high))
    if not low * (1 - _ROUNDING) <= value <= high * (1 + _ROUNDING):
        found = value * _factor(end, substance.unit, analyte)
        hint = f"{json_number(value)} {end}" if substance.low <= found <= substance.high else ""
        expected = f"{show(low, 3)} to {show(high, 3)} {start} for {analyte}"
        raise implausible("value", f"{json_number(value)} {start}", expected, hint)


def _factor(start: str, end: str, analyte: str | None) -> Decimal:
    return _per_base(start, end, analyte) / _per_base(end, start, analyte)


def _per_base(unit: str, partner: str, analyte: str | None) -> Decimal:
    """The factor to the base unit: of the unit's own kind, or mol/L when the partner is of another kind."""
    factor = UNITS[unit].factor
    if UNITS[unit].dimension == UNITS[partner].dimension or analyte is None:
        return factor
    substance = SUBSTANCES[analyte]
    if UNITS[unit].dimension == "mass concentration":
        return factor / substance.g_per_mol
    if UNITS[unit].dimension == "equivalents":
        assert substance.valence is not None
        return factor / substance.valence
    return factor


def _why(substance: Substance, start: str, end: str) -> str:
    kinds = {UNITS[start].dimension, UNITS[end].dimension}
    reasons = []
    if "mass concentration" in kinds:
        reasons.append(f"{show(substance.g_per_mol, 6)} g/mol")
    if "equivalents" in kinds:
        reasons.append(f"valence {substance.valence}")
    return ", ".join(reasons)


def _temperature(value: Decimal, start: str, end: str) -> Answer:
    if start == end:
        converted, formula = value, f"{end} = {start}"
    elif end == "°F":
        converted, formula = value * 9 / 5 + 32, "°F = °C × 9/5 + 32"
    else:
        converted, formula = (value - 32) * 5 / 9, "°C = (°F - 32) × 5/9"
    step = f"{show(value, 6)} {start} = {show(converted, 6)} {end}"
    return _answer(value, start, end, converted, None, formula=formula, steps=(step,), source=_BY_DEFINITION)


_SLOPE, _OFFSET = Decimal("0.09148"), Decimal("2.152")  # NGSP % = slope × IFCC mmol/mol + offset


def _hemoglobin(value: Decimal, start: str, end: str) -> Answer:
    low, high = (Decimal(3), Decimal(25)) if start == "%" else (Decimal(9), Decimal(250))
    if not low <= value <= high:
        fits = (Decimal(9) if start == "%" else Decimal(3)) <= value <= (Decimal(250) if start == "%" else Decimal(25))
        hint = f"{json_number(value)} {end}" if fits and start != end else ""
        raise implausible("value", f"{json_number(value)} {start}", f"{low} to {high} {start} for A1c", hint)
    if start == end:
        converted, formula = value, f"{end} = {start}"
    elif end == "%":
        converted, formula = _SLOPE * value + _OFFSET, "% = 0.09148 × mmol/mol + 2.152"
    else:
        converted, formula = (value - _OFFSET) / _SLOPE, "mmol/mol = (% - 2.152) / 0.09148"
    step = f"{show(value, 6)} {start} = {show(converted, 4)} {end}"
    return _answer(value, start, end, converted, HEMOGLOBIN_A1C, formula=formula, steps=(step,), source=_IFCC)
