"""Units by dimension, and the laboratory substances that join mass to amount of substance.

A unit is a dimension and the factor to that dimension's base unit (kg, m, L, ...). A substance gives the
molar mass that leads from a mass concentration to a molar one. Factors are exact by definition where one
exists; molar masses are standard atomic weights (IUPAC), creatinine by its usual 88.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tools.dosing.quantity import CM_PER_IN, KG_PER_LB, UMOL_PER_MG_DL_CREATININE


@dataclass(frozen=True)
class Unit:
    """One unit: ``base = value × factor``."""

    dimension: str
    factor: Decimal


def _units(dimension: str, **factors: str) -> dict[str, Unit]:
    return {name: Unit(dimension, Decimal(factor)) for name, factor in factors.items()}


UNITS: Mapping[str, Unit] = {
    **_units("mass", kg="1", g="1e-3", mg="1e-6", mcg="1e-9", ng="1e-12"),
    "lb": Unit("mass", KG_PER_LB),
    "oz": Unit("mass", KG_PER_LB / 16),
    **_units("length", m="1", cm="1e-2", mm="1e-3"),
    "in": Unit("length", CM_PER_IN / 100),
    "ft": Unit("length", CM_PER_IN * 12 / 100),
    **_units("volume", L="1", mL="1e-3", tsp="5e-3", tbsp="15e-3"),
    "fl oz": Unit("volume", Decimal("0.0295735295625")),
    "°C": Unit("temperature", Decimal(1)),
    "°F": Unit("temperature", Decimal(1)),  # has an offset; see convert
    "mmHg": Unit("pressure", Decimal("0.133322387415")),
    "kPa": Unit("pressure", Decimal(1)),
    "kcal": Unit("energy", Decimal("4.184")),
    "kJ": Unit("energy", Decimal(1)),
    "L/h": Unit("flow", Decimal(1)),
    "mL/h": Unit("flow", Decimal("1e-3")),
    "mL/min": Unit("flow", Decimal("0.06")),
    "g/L": Unit("mass concentration", Decimal(1)),
    "g/dL": Unit("mass concentration", Decimal(10)),
    "mg/mL": Unit("mass concentration", Decimal(1)),
    "mg/dL": Unit("mass concentration", Decimal("1e-2")),
    "mg/L": Unit("mass concentration", Decimal("1e-3")),
    "mcg/mL": Unit("mass concentration", Decimal("1e-3")),
    "mcg/dL": Unit("mass concentration", Decimal("1e-5")),
    "mcg/L": Unit("mass concentration", Decimal("1e-6")),
    "ng/mL": Unit("mass concentration", Decimal("1e-6")),
    "ng/dL": Unit("mass concentration", Decimal("1e-8")),
    "pg/mL": Unit("mass concentration", Decimal("1e-9")),
    "mmol/L": Unit("molar concentration", Decimal("1e-3")),
    "µmol/L": Unit("molar concentration", Decimal("1e-6")),
    "nmol/L": Unit("molar concentration", Decimal("1e-9")),
    "pmol/L": Unit("molar concentration", Decimal("1e-12")),
    "mEq/L": Unit("equivalents", Decimal("1e-3")),
    "%": Unit("hemoglobin fraction", Decimal(1)),
    "mmol/mol": Unit("hemoglobin fraction", Decimal(1)),  # has an offset; see convert
}


@dataclass(frozen=True)
class Substance:
    """What one laboratory substance needs for conversion, and the values a patient can have.

    ``g_per_mol`` is of what the laboratory counts (nitrogen of urea: two atoms); ``valence`` where
    milliequivalents are used; ``low`` to ``high`` in ``unit`` are wider than any reference range.
    """

    g_per_mol: Decimal
    valence: int | None = None
    unit: str = ""
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)


def _substance(g_per_mol: str, valence: int | None = None, bounds: str = "") -> Substance:
    if not bounds:
        return Substance(Decimal(g_per_mol), valence)
    low, high, unit = bounds.split(" ")
    return Substance(Decimal(g_per_mol), valence, unit, Decimal(low), Decimal(high))


SUBSTANCES: Mapping[str, Substance] = {
    "creatinine": Substance(10_000 / UMOL_PER_MG_DL_CREATININE, unit="mg/dL", low=Decimal("0.1"), high=Decimal(25)),
    "glucose": _substance("180.156", bounds="10 2500 mg/dL"),
    "urea nitrogen": _substance("28.014", bounds="1 300 mg/dL"),
    "uric acid": _substance("168.11", bounds="0.5 60 mg/dL"),
    "bilirubin": _substance("584.66", bounds="0.05 80 mg/dL"),
    "cholesterol": _substance("386.65", bounds="10 2000 mg/dL"),
    "triglycerides": _substance("885.4", bounds="10 20000 mg/dL"),
    "calcium": _substance("40.078", 2, bounds="2 25 mg/dL"),
    "magnesium": _substance("24.305", 2, bounds="0.3 20 mg/dL"),
    "phosphorus": _substance("30.974", bounds="0.2 30 mg/dL"),
    "sodium": _substance("22.990", 1, bounds="80 220 mmol/L"),
    "potassium": _substance("39.098", 1, bounds="1 12 mmol/L"),
    "lithium": _substance("6.94", 1, bounds="0.05 10 mmol/L"),
    "lactate": _substance("90.08"),
    "iron": _substance("55.845"),
    "cortisol": _substance("362.46"),
    "25-hydroxyvitamin D": _substance("400.64"),
    "vitamin B12": _substance("1355.4"),
    "folate": _substance("441.40"),
    "digoxin": _substance("780.94"),
    "theophylline": _substance("180.16"),
    "phenytoin": _substance("252.27"),
    "hemoglobin A1c": _substance("1"),
}
HEMOGLOBIN_A1C = "hemoglobin A1c"
