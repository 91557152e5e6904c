"""What the shipped data knows, for those who write requests: drugs, regimens, patients, tests."""

from __future__ import annotations

from dataclasses import dataclass

from tools.tables import items, read_table


@dataclass(frozen=True, kw_only=True)
class DrugName:
    """A drug (or combination, food, herb) and the other names of the readable table."""

    generic: str
    kind: str
    brands: tuple[str, ...]
    aliases: tuple[str, ...]
    ingredients: tuple[str, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RegimenDrug:
    """One regimen a dose can be asked for, with the patients it is for (ages in days, weights in kg)."""

    drug: str
    indication: str
    also: tuple[str, ...]
    route: str
    population: str
    age_from_days: float | None
    age_below_days: float | None
    kg_from: float | None
    kg_below: float | None
    renal: bool


@dataclass(frozen=True, kw_only=True)
class PatientName:
    """One shipped synthetic patient."""

    id: str
    mrn: str
    name: str
    birth_date: str
    sex: str


@dataclass(frozen=True, kw_only=True)
class LabName:
    """One test or vital sign by its everyday name."""

    name: str
    aliases: tuple[str, ...]
    loinc: tuple[str, ...]
    section: str


def drug_names() -> list[DrugName]:
    """Every row of the drug table."""
    return [
        DrugName(
            generic=row["name"],
            kind=row["kind"],
            brands=tuple(items(row["brands"])),
            aliases=tuple(items(row["aliases"])),
            ingredients=tuple(items(row["ingredients"])) or (row["name"],),
            classes=tuple(items(row["classes"])),
        )
        for row in read_table("drugs")
    ]


def regimen_drugs() -> list[RegimenDrug]:
    """Every regimen of the dose table, in table order."""
    from tools.dosing.regimens import regimens

    def number(value: object) -> float | None:
        return None if value is None else float(str(value))

    return [
        RegimenDrug(
            drug=regimen.drug,
            indication=regimen.indication,
            also=regimen.also,
            route=regimen.route,
            population=regimen.population,
            age_from_days=number(regimen.age_from_days),
            age_below_days=number(regimen.age_below_days),
            kg_from=number(regimen.kg_from),
            kg_below=number(regimen.kg_below),
            renal=bool(regimen.renal),
        )
        for regimen in regimens()
    ]


def patients() -> list[PatientName]:
    """The shipped synthetic patients, by id."""
    from tools.chart import RECORDS
    from tools.chart.bundle import read_file

    found = [patient for path in sorted(RECORDS.glob("*.json")) for patient in read_file(path).patients]
    return [
        PatientName(
            id=patient.id,
            mrn=patient.mrn or "",
            name=patient.name,
            birth_date=patient.birth_date or "",
            sex=patient.sex or "",
        )
        for patient in sorted(found, key=lambda patient: patient.id)
    ]


def lab_names() -> list[LabName]:
    """Every test and vital sign known by an everyday name, in table order."""
    from tools.chart.analytes import analytes

    return [
        LabName(name=analyte.name, aliases=analyte.aliases, loinc=analyte.loinc, section=analyte.section)
        for analyte in analytes()
    ]
