"""Numbers with units: exact decimal conversions and the way numbers are written in steps.

Everything is :class:`decimal.Decimal`; a float enters through its shortest text and leaves once, at the end.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

KG_PER_LB = Decimal("0.45359237")  # exact by definition
CM_PER_IN = Decimal("2.54")  # exact by definition
IN_PER_FT = 12
UMOL_PER_MG_DL_CREATININE = Decimal("88.4")  # molar mass 113.12 g/mol
DAYS_PER_YEAR = Decimal("365.25")

MG_PER = {"g": Decimal(1000), "mg": Decimal(1), "mcg": Decimal("0.001")}
_KG = {"kg": Decimal(1), "g": Decimal("0.001"), "lb": KG_PER_LB}
_CM = {"cm": Decimal(1), "m": Decimal(100), "in": CM_PER_IN, "ft-in": CM_PER_IN * IN_PER_FT}
_DAYS = {"days": Decimal(1), "weeks": Decimal(7), "months": DAYS_PER_YEAR / 12, "years": DAYS_PER_YEAR}


def decimal(number: float) -> Decimal:
    """The decimal a person would read in ``number``."""
    return Decimal(str(number))


def weight_kg(number: float, unit: str) -> Decimal:
    """A weight in kilograms."""
    return decimal(number) * _KG[unit]


def height_cm(number: float, unit: str, inches: float = 0) -> Decimal:
    """A height in centimetres; ``ft-in`` is feet in ``number`` and the rest in ``inches``."""
    return decimal(number) * _CM[unit] + decimal(inches) * CM_PER_IN


def age_days(number: float, unit: str) -> Decimal:
    """An age in days; a month is a twelfth of 365.25 days."""
    return decimal(number) * _DAYS[unit]


def creatinine_mg_dl(number: float, unit: str) -> Decimal:
    """Serum creatinine in mg/dL."""
    return decimal(number) / (UMOL_PER_MG_DL_CREATININE if unit == "µmol/L" else Decimal(1))


def rounded(number: Decimal, step: Decimal) -> Decimal:
    """The multiple of ``step`` nearest to ``number``, halves up."""
    return (number / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step


def rounded_down(number: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of ``step`` that is not above ``number``."""
    return (number / step).quantize(Decimal(1), rounding=ROUND_DOWN) * step


def significant(number: Decimal, digits: int = 4) -> Decimal:
    """``number`` with so many significant digits, never fewer than its whole part."""
    if not number or number.adjusted() > 20:
        return +number
    places = min(max(digits - 1 - number.adjusted(), 0), 12)
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def show(number: Decimal, digits: int = 4) -> str:
    """A number as steps and sentences write it: no trailing zeros, an exponent only for the absurd."""
    if number and not -9 <= number.adjusted() <= 15:
        return f"{number:.3E}"
    text = f"{significant(number, digits):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def json_number(number: Decimal) -> int | float:
    """A JSON number: an integer when whole."""
    return int(number) if number == number.to_integral_value() else float(number)
