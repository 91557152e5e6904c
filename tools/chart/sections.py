"""One reader a resource type: the lines it adds to a section of the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tools.chart.analytes import by_loinc
from tools.chart.elements import Resource, clean, concept_of, dig, iso_date, status_code, value_of


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of one section of one patient."""

    section: str
    name: str
    source: str
    group: str
    code: str | None = None
    system: str | None = None
    date: str | None = None
    value: float | str | bool | None = None
    unit: str | None = None
    status: str | None = None
    detail: str | None = None


def _simple(section: str, when: tuple[str, ...], concept: str, resource: Resource, source: str) -> Entry:
    name, code, system = concept_of(resource.get(concept))
    dates = (iso_date(dig(resource, key)) for key in when)
    return Entry(
        section=section,
        name=name,
        code=code,
        system=system,
        date=next((date for date in dates if date), None),
        status=resource.get("status") or status_code(resource.get("clinicalStatus")),
        source=source,
        group=code or name.casefold(),
    )


def _conditions(resource: Resource, source: str, _: Mapping[str, Resource]) -> list[Entry]:
    entry = _simple("conditions", ("onsetDateTime", "onsetPeriod.start", "recordedDate"), "code", resource, source)
    ended = iso_date(resource.get("abatementDateTime"))
    return [replace(entry, detail=f"ended {ended}" if ended else None)]


def _allergies(resource: Resource, source: str, _: Mapping[str, Resource]) -> list[Entry]:
    entry = _simple("allergies", ("onsetDateTime", "recordedDate"), "code", resource, source)
    reactions = [
        concept_of(shown)[0]
        for reaction in resource.get("reaction") or []
        for shown in reaction.get("manifestation") or []
    ]
    parts = [f"criticality {resource['criticality']}"] if resource.get("criticality") else []
    parts += [f"reaction {', '.join(reactions)}"] if reactions else []
    return [replace(entry, detail="; ".join(parts) or None)]


def _immunizations(resource: Resource, source: str, _: Mapping[str, Resource]) -> list[Entry]:
    return [_simple("immunizations", ("occurrenceDateTime", "recorded"), "vaccineCode", resource, source)]


def _procedures(resource: Resource, source: str, _: Mapping[str, Resource]) -> list[Entry]:
    return [_simple("procedures", ("performedDateTime", "performedPeriod.start"), "code", resource, source)]


def _encounters(resource: Resource, source: str, _: Mapping[str, Resource]) -> list[Entry]:
    kind = (resource.get("type") or [None])[0] or {"coding": [resource.get("class") or {}]}
    entry = _simple("encounters", ("period.start",), "type", {**resource, "type": kind}, source)
    reasons = [concept_of(reason)[0] for reason in resource.get("reasonCode") or []]
    return [replace(entry, detail=f"reason {', '.join(reasons)}" if reasons else None)]


def _medications(resource: Resource, source: str, references: Mapping[str, Resource]) -> list[Entry]:
    concept = resource.get("medicationCodeableConcept")
    if concept is None:
        reference = resource["medicationReference"]
        contained = {f"#{part.get('id')}": part for part in resource.get("contained") or []}
        target = contained.get(reference.get("reference")) or references.get(reference.get("reference")) or {}
        concept = target.get("code") or {"text": reference.get("display")}
    resource = {**resource, "medication": concept}
    when = ("authoredOn", "effectiveDateTime", "effectivePeriod.start", "dateAsserted")
    entry = _simple("medications", when, "medication", resource, source)
    dosage = [line for line in map(_dosage, resource.get("dosageInstruction") or resource.get("dosage") or []) if line]
    return [replace(entry, detail="; ".join(dosage) or None)]


def _dosage(dosage: Resource) -> str:
    """The written instruction, or the structured dose and timing put into words."""
    if dosage.get("text"):
        return clean(dosage["text"])
    parts = []
    for rate in dosage.get("doseAndRate") or []:
        quantity = rate.get("doseQuantity") or {}
        if "value" in quantity:
            parts.append(f"{quantity['value']:g} {quantity.get('unit', '')}".strip())
    repeat = (dosage.get("timing") or {}).get("repeat") or {}
    if "frequency" in repeat and "period" in repeat:
        parts.append(f"{repeat['frequency']} per {repeat['period']:g} {repeat.get('periodUnit', '')}".strip())
    if dosage.get("asNeededBoolean"):
        parts.append("as needed")
    return ", ".join(parts)


def _observations(resource: Resource, source: str, _: Mapping[str, Resource]) -> list[Entry]:
    name, code, system = concept_of(resource["code"])
    analyte = by_loinc().get(code or "")
    categories = {
        coding.get("code") for category in resource.get("category") or [] for coding in category.get("coding") or []
    }
    if "laboratory" in categories:
        section = "labs"
    elif "vital-signs" in categories:
        section = "vitals"
    elif analyte is not None:
        section = analyte.section
    else:
        return []
    base = Entry(
        section=section,
        name=analyte.name if analyte else name,
        code=code,
        system=system,
        date=next(
            (
                d
                for key in ("effectiveDateTime", "effectivePeriod.start", "issued")
                if (d := iso_date(dig(resource, key)))
            ),
            None,
        ),
        status=resource.get("status"),
        source=source,
        group=analyte.name if analyte else code or name.casefold(),
    )
    components = resource.get("component") or []
    if analyte is not None and analyte.name == "blood pressure" and components:
        parts = {concept_of(part["code"])[1]: value_of(part) for part in components}
        top, bottom = parts.get("8480-6"), parts.get("8462-4")
        if top and bottom:
            return [replace(base, value=f"{round(top[0], 1):g}/{round(bottom[0], 1):g}", unit="mmHg")]
    found = value_of(resource)
    if found is not None:
        return [replace(base, value=found[0], unit=found[1])]
    entries = []
    for part in components:
        value = value_of(part)
        if value is not None:
            part_name, part_code, part_system = concept_of(part["code"])
            entries.append(
                replace(
                    base,
                    name=part_name,
                    code=part_code,
                    system=part_system,
                    group=part_code or part_name.casefold(),
                    value=value[0],
                    unit=value[1],
                )
            )
    absent = concept_of(resource["dataAbsentReason"])[0] if resource.get("dataAbsentReason") else None
    return entries or ([replace(base, detail=f"no value: {absent}")] if absent else [])


READERS = {
    "Condition": _conditions,
    "AllergyIntolerance": _allergies,
    "Immunization": _immunizations,
    "Procedure": _procedures,
    "Encounter": _encounters,
    "MedicationRequest": _medications,
    "MedicationStatement": _medications,
    "Observation": _observations,
}
