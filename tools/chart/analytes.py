"""Everyday names of tests and measurements, and the LOINC codes that stand for each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tools import text
from tools.errors import TableError
from tools.tables import items, read_table

BLOOD_PRESSURE = "blood pressure"
SYSTOLIC, DIASTOLIC = "8480-6", "8462-4"  # components of a blood pressure, or readings of their own


@dataclass(frozen=True, kw_only=True)
class Analyte:
    """One test under its everyday name; ``loinc`` may hold codes of several families."""

    name: str
    aliases: tuple[str, ...]
    loinc: tuple[str, ...]
    section: str
    also: tuple[str, ...] = ()


@lru_cache(maxsize=1)
def analytes() -> tuple[Analyte, ...]:
    """All analytes, in table order."""
    return tuple(
        Analyte(
            name=row["name"],
            aliases=tuple(items(row["aliases"])),
            loinc=tuple(items(row["loinc"])),
            section=row["section"],
            also=tuple(items(row["also"])),
        )
        for row in read_table("analytes")
    )


@lru_cache(maxsize=1)
def by_loinc() -> dict[str, Analyte]:
    """Analytes by LOINC code; a code belongs to one analyte."""
    table: dict[str, Analyte] = {}
    for analyte in analytes():
        for code in analyte.loinc:
            if table.setdefault(code, analyte) is not analyte:
                raise TableError(f"analytes.tsv: code {code} belongs to {table[code].name!r} and {analyte.name!r}")
    return table


@lru_cache(maxsize=1)
def by_name() -> dict[str, tuple[Analyte, str]]:
    """Analytes by lookup key, with how the key matches (name or alias)."""
    table: dict[str, tuple[Analyte, str]] = {text.key(a.name): (a, "name") for a in analytes()}
    for analyte in analytes():
        for alias in analyte.aliases:
            table.setdefault(text.key(alias), (analyte, "alias"))
    return table


def groups_of(analyte: Analyte) -> frozenset[str]:
    """The names of entries that answer a question for this analyte: its own, and those the table puts beside it.

    A blood pressure may be kept as one reading, as two, or with one part missing; urea as such or as its nitrogen.
    Each is shown under its own name.
    """
    return frozenset((analyte.name, *analyte.also))
