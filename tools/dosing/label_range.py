"""A dose as written against the labelled doses of the table: a wrong unit stands out by a factor of ten or more.

All regimens of the drug with the same measure (per kg, per m², or a rate) count, whatever the indication and
route, so the range is wide; what leaves it by far is refused with the likely slip, what leaves it a little
is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from tools.dosing.plausible import implausible
from tools.dosing.quantity import MG_PER, show
from tools.dosing.regimens import Regimen, regimens

_STEP_DOWN = {"g": "mg", "mg": "mcg"}
_STEP_UP = {"mcg": "mg", "mg": "g"}
_PER_MINUTE = {"min": Decimal(1), "h": Decimal(1) / 60}
_TOO_HIGH, _TOO_LOW = 5, Decimal("0.01")  # times the highest, times the lowest labelled dose
_TOO_FAST = 30  # times the highest labelled rate: in shock, rates far above the label are given on purpose


@dataclass(frozen=True)
class Measure:
    """What a dose unit counts: ``mcg/kg/min`` is mcg, per kg, per minute."""

    unit: str
    size: str
    time: str

    @classmethod
    def of(cls, written: str) -> Measure:
        """The measure that a unit such as ``mg/kg``, ``mg/m²/day`` or ``units/h`` stands for."""
        unit, *per = written.split("/")
        size = next((part for part in per if part in ("kg", "m²")), "")
        return cls(unit, size, next((part for part in per if part in ("day", "min", "h")), ""))

    @property
    def factor(self) -> Decimal:
        """To mg (or the unit itself) per minute, day or dose."""
        return MG_PER.get(self.unit, Decimal(1)) * _PER_MINUTE.get(self.time, Decimal(1))

    @property
    def kind(self) -> tuple[str, str, bool]:
        """What must agree for two doses to be compared."""
        return ("mass" if self.unit in MG_PER else self.unit, self.size, self.time in _PER_MINUTE)


def check_against_label(drug: str, dose: Decimal, written: str, place: str) -> list[str]:
    """Warnings for a dose in the unit ``written``, of one dose, a day or a rate; refuses what must be a slip."""
    asked = Measure.of(written)
    known = list(_labelled(drug, asked))
    if not known:
        return [f"The table has no dose of {drug} in a unit like {written} to compare with."]
    low, high = (bound / asked.factor for bound in (min(one for one, _ in known), max(one for _, one in known)))
    span = show(low) if low == high else f"{show(low)} to {show(high)}"
    expected = f"about {span} {written}, the labelled doses of {drug} in the table"
    limit = _TOO_FAST if asked.time in _PER_MINUTE else _TOO_HIGH
    if dose > high * limit or dose < low * _TOO_LOW:
        raise implausible(place[1:], f"{show(dose)} {written} of {drug}", expected, _slip(dose, written, low, high))
    if dose > high:
        return [f"Above the highest labelled dose of {drug} in the table ({show(high)} {written})."]
    if dose < low:
        return [f"Below the lowest labelled dose of {drug} in the table ({show(low)} {written})."]
    return []


def _labelled(drug: str, asked: Measure) -> Iterator[tuple[Decimal, Decimal]]:
    """Lowest and highest labelled dose of each regimen that can be compared, in base units."""
    for regimen in regimens():
        if regimen.drug == drug:
            known = Measure.of(regimen.sized_unit)
            if known.kind == asked.kind:
                low, high = _over_time(regimen, known, asked)
                yield low * known.factor, high * known.factor


def _over_time(regimen: Regimen, known: Measure, asked: Measure) -> tuple[Decimal, Decimal]:
    low, high = regimen.dose
    if asked.time == "day" and known.time != "day":
        return low * regimen.per_day, high * regimen.per_day
    if asked.time == "" and known.time == "day":
        return low / regimen.per_day, high
    return low, high


def _slip(dose: Decimal, written: str, low: Decimal, high: Decimal) -> str:
    """The dose that was probably meant: a neighbouring unit or a moved point, if that lands in the range."""
    unit, _, rest = written.partition("/")
    candidates = []
    if unit in _STEP_DOWN:
        candidates.append((dose / 1000, f"{show(dose)} {_STEP_DOWN[unit]}/{rest}"))
    if unit in _STEP_UP:
        candidates.append((dose * 1000, f"{show(dose)} {_STEP_UP[unit]}/{rest}"))
    candidates += [(dose * factor, f"{show(dose * factor)} {written}") for factor in (Decimal("0.1"), Decimal(10))]
    return next((hint for value, hint in candidates if low / 2 <= value <= high * 2), "")
