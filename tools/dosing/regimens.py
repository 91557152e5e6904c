"""The regimen table: who a dose is for, how much, how often, and what changes it.

``regimens.tsv`` columns: ages as ``6 mo`` (``age_from`` inclusive, ``age_below`` exclusive), weights in kg
the same way (``>60`` and ``<=60`` shift the limit itself to the other side), ``basis`` fixed, per_kg or per_m2
(a dose), per_kg_day or per_m2_day (a day's total, divided by ``per_day``), ``dose`` a number or
``low..high``, ``unit`` of a dose (``mg``) or of a running infusion (``mcg/min``), ``max_day`` a number or
``75/kg``, ``renal`` bands of creatinine clearance in mL/min written ``[15,30): 2.25 g every 8 hours``,
``[0,30): 1.25 mg/kg every 24 hours``, ``x0.5 every 12 hours``, ``same every 24 hours``, ``avoid`` or
``individualise`` with the reason why there is no dose to give. The bands leave no gap above zero.
``second_source`` names another document that agrees, where one was compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from tools.dosing.quantity import DAYS_PER_YEAR, show
from tools.errors import TableError
from tools.tables import TABLES, Row, items, read_table

BASES = ("fixed", "per_kg", "per_kg_day", "per_m2", "per_m2_day")
UNITS = ("mg", "mcg", "g", "units", "mEq", "mcg/min", "mg/min", "mg/h", "units/h")
_DAYS = {"d": Decimal(1), "wk": Decimal(7), "mo": DAYS_PER_YEAR / 12, "y": DAYS_PER_YEAR}
_NUMBER = r"\d+(?:\.\d+)?"
_BAND = re.compile(rf"([\[(])({_NUMBER}),({_NUMBER})([\])]): (.+)")
_DOSE = re.compile(rf"({_NUMBER})(?:\.\.({_NUMBER}))? (\S+) (.+)")
_GRAM = Decimal("0.001")  # how far ">" and "<=" move a limit of weight in kg


@dataclass(frozen=True, kw_only=True)
class Band:
    """What changes inside one interval of creatinine clearance."""

    text: str
    low: Decimal
    high: Decimal
    low_included: bool
    high_included: bool
    action: str  # avoid, individualise, fixed, per_size, factor or same
    dose: tuple[Decimal, Decimal] = (Decimal(0), Decimal(0))
    factor: Decimal = Decimal(1)
    frequency: str = ""  # how often; of a band without a dose the reason

    def holds(self, clearance: Decimal) -> bool:
        above = clearance >= self.low if self.low_included else clearance > self.low
        below = clearance <= self.high if self.high_included else clearance < self.high
        return above and below


@dataclass(frozen=True, kw_only=True)
class Regimen:
    """One labelled dose of one drug for one group of patients."""

    drug: str
    indication: str
    also: tuple[str, ...]
    route: str
    age_from_days: Decimal | None
    age_below_days: Decimal | None
    kg_from: Decimal | None
    kg_below: Decimal | None
    population: str
    basis: str
    dose: tuple[Decimal, Decimal]
    unit: str
    per_day: int
    frequency: str
    max_dose: Decimal | None
    max_day: Decimal | None
    max_day_per_kg: Decimal | None
    round_to: Decimal | None
    renal: tuple[Band, ...]
    warning: str
    source: str
    second_source: str

    @property
    def size(self) -> str:
        """What the dose is multiplied by: ``kg``, ``m²`` or nothing."""
        return {"per_kg": "kg", "per_m2": "m²"}.get(self.basis.removesuffix("_day"), "")

    @property
    def sized_unit(self) -> str:
        """The unit of ``dose``: ``mg/kg/day``, ``mcg/kg/min``, ``mg``."""
        day = "day" if self.basis.endswith("_day") else ""
        return _sized(self.unit, self.size, day)

    @property
    def per_size_unit(self) -> str:
        """The unit of one dose before it is multiplied by the size: ``mg/kg``."""
        return _sized(self.unit, self.size)

    def eligible(self, age_days: Decimal, kg: Decimal) -> bool:
        """Whether a patient of this age and weight is in the group."""
        return _inside(age_days, self.age_from_days, self.age_below_days) and _inside(kg, self.kg_from, self.kg_below)


def _sized(unit: str, size: str, day: str = "") -> str:
    amount, _, time = unit.partition("/")
    return "/".join(part for part in (amount, size, time, day) if part)


def _inside(value: Decimal, low: Decimal | None, below: Decimal | None) -> bool:
    return (low is None or value >= low) and (below is None or value < below)


@lru_cache(maxsize=4)
def regimens(folder: Path = TABLES) -> tuple[Regimen, ...]:
    """All regimens, in table order."""
    rows = read_table("regimens", folder)
    return tuple(_regimen(row, f"regimens.tsv:{number}: {row['drug']}") for number, row in enumerate(rows, start=2))


def _regimen(row: Row, place: str) -> Regimen:
    if row["basis"] not in BASES:
        raise TableError(f"{place}: basis {row['basis']!r} is not one of {', '.join(BASES)}")
    if row["unit"] not in UNITS:
        raise TableError(f"{place}: unit {row['unit']!r} is not one of {', '.join(UNITS)}")
    low, _, high = row["dose"].partition("..")
    per_kg = row["max_day"].endswith("/kg")
    max_day = _number(row["max_day"].removesuffix("/kg"))
    return Regimen(
        drug=row["drug"],
        indication=row["indication"],
        also=tuple(items(row["also"])),
        route=row["route"],
        age_from_days=_age(row["age_from"], place),
        age_below_days=_age(row["age_below"], place),
        kg_from=_limit(row["kg_from"], ">"),
        kg_below=_limit(row["kg_below"], "<="),
        population=_population(row),
        basis=row["basis"],
        dose=(Decimal(low), Decimal(high or low)),
        unit=row["unit"],
        per_day=int(row["per_day"]),
        frequency=row["frequency"],
        max_dose=_number(row["max_dose"]),
        max_day=None if per_kg else max_day,
        max_day_per_kg=max_day if per_kg else None,
        round_to=_number(row["round_to"]),
        renal=tuple(_band(part, row, place) for part in items(row["renal"])),
        warning=row["warning"],
        source=row["source"],
        second_source=row["second_source"],
    )


def _number(cell: str) -> Decimal | None:
    return Decimal(cell) if cell else None


def _limit(cell: str, mark: str) -> Decimal | None:
    """A weight limit; the mark moves it by a gram, so that the limit itself falls on the other side."""
    shift = _GRAM if cell.startswith(mark) else Decimal(0)
    number = _number(cell.removeprefix(mark))
    return None if number is None else number + shift


def _age(cell: str, place: str) -> Decimal | None:
    if not cell:
        return None
    number, _, unit = cell.partition(" ")
    if unit not in _DAYS:
        raise TableError(f"{place}: age {cell!r}: expected a number and one of {', '.join(_DAYS)}")
    return Decimal(number) * _DAYS[unit]


def _population(row: Row) -> str:
    words = {"d": "days", "wk": "weeks", "mo": "months", "y": "years"}

    def age(cell: str) -> str:
        number, _, unit = cell.partition(" ")
        return f"{number} {words[unit].removesuffix('s') if number == '1' else words[unit]}"

    parts = []
    if row["age_from"] and row["age_below"]:
        parts.append(f"{age(row['age_from'])} to under {age(row['age_below'])}")
    elif row["age_from"]:
        parts.append(f"{age(row['age_from'])} and older")
    elif row["age_below"]:
        parts.append(f"under {age(row['age_below'])}")
    low, below = (
        _kg(row["kg_from"], "{} kg or more", "above {} kg"),
        _kg(row["kg_below"], "under {} kg", "{} kg or less"),
    )
    if low and below:
        parts.append(f"{low} and {below}")
    elif low or below:
        parts.append(low or below)
    return ", ".join(parts) or "any age and weight"


def _kg(cell: str, plain: str, marked: str) -> str:
    if not cell:
        return ""
    number = cell.removeprefix(">").removeprefix("<=")
    return (plain if number == cell else marked).format(show(Decimal(number), 4))


def _band(part: str, row: Row, place: str) -> Band:
    shape = _BAND.fullmatch(part)
    if shape is None:
        raise TableError(f"{place}: renal band {part!r}: expected e.g. '[15,30): 2.25 g every 8 hours'")
    left, low, high, right, action = shape.groups()
    bounds = Band(
        text=f"creatinine clearance {_interval(left, low, high, right)} mL/min",
        low=Decimal(low),
        high=Decimal(high),
        low_included=left == "[",
        high_included=right == "]",
        action="avoid",
    )
    word, _, rest = action.partition(" ")
    if word in ("avoid", "individualise", "same"):
        return replace(bounds, action=word, frequency=rest)
    if re.fullmatch(r"x[\d.]+", word):
        return replace(bounds, action="factor", factor=Decimal(word[1:]), frequency=rest)
    dose = _DOSE.fullmatch(action)
    size = {"per_kg": "kg", "per_m2": "m²"}.get(row["basis"].removesuffix("_day"), "")
    actions = {_sized(row["unit"], size): "per_size", row["unit"]: "fixed"}
    if dose is None or dose[3] not in actions:
        raise TableError(
            f"{place}: renal action {action!r}: expected avoid, individualise, same, x0.5 or a dose in {row['unit']}"
        )
    amounts = Decimal(dose[1]), Decimal(dose[2] or dose[1])
    return replace(bounds, action=actions[dose[3]], dose=amounts, frequency=dose[4])


def _interval(left: str, low: str, high: str, right: str) -> str:
    if Decimal(low) == 0 and left == "[":
        return f"{'up to' if right == ']' else 'below'} {high}"
    if Decimal(high) >= 400:
        return f"above {low}"
    return f"{low} to {high}"
