"""One reader a resource type: the lines it adds to a section of the record.

FHIR's modifier elements are honoured: a refuted condition or allergy and an order not to give something say so
in their status, so that nobody takes them for the opposite.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tools.chart.analytes import BLOOD_PRESSURE, DIASTOLIC, SYSTOLIC, Analyte, by_loinc
from tools.chart.elements import Resource, clean, concept_of, dig, iso_date, status_code, value_of
from tools.chart.references import References
from tools.chart.valid import problem

REFUTED, PROHIBITED = "refuted", "do-not-perform"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of one section of one patient.

    ``date`` is when it happened or was ordered, ``recorded`` when the record came to know it (if it says so),
    ``ended`` when it was over; ``group`` is what makes two entries the same test, drug or condition.
    """

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
    recorded: str | None = None
    ended: str | None = None


def _simple(section: str, when: tuple[str, ...], concept: str, resource: Resource, source: str) -> Entry:
    name, code, system = concept_of(resource.get(concept))
    return Entry(
        section=section,
        name=name,
        code=code,
        system=system,
        date=_first(resource, when),
        status=resource.get("status") or status_code(resource.get("clinicalStatus")),
        source=source,
        group=code or name.casefold(),
    )


def _first(resource: Resource, paths: tuple[str, ...]) -> str | None:
    return next((found for path in paths if (found := iso_date(dig(resource, path)))), None)


def _verified(entry: Entry, resource: Resource, parts: list[str]) -> Entry:
    """A condition or allergy with how sure it is: a refuted one is not active, an unconfirmed one says so."""
    certainty = status_code(resource.get("verificationStatus"))
    if certainty == REFUTED:
        entry = replace(entry, status=REFUTED)
    elif certainty not in (None, "confirmed"):
        parts = [*parts, str(certainty)]
    return replace(entry, recorded=iso_date(resource.get("recordedDate")), detail="; ".join(parts) or None)


def _conditions(resource: Resource, source: str, _: References) -> list[Entry]:
    entry = _simple("conditions", ("onsetDateTime", "onsetPeriod.start", "recordedDate"), "code", resource, source)
    ended = _first(resource, ("abatementDateTime", "abatementPeriod.end"))
    return [replace(_verified(entry, resource, []), ended=ended)]


def _allergies(resource: Resource, source: str, _: References) -> list[Entry]:
    entry = _simple("allergies", ("onsetDateTime", "onsetPeriod.start", "recordedDate"), "code", resource, source)
    reactions = [
        concept_of(shown)[0]
        for reaction in resource.get("reaction") or []
        for shown in reaction.get("manifestation") or []
    ]
    parts = [f"criticality {resource['criticality']}"] if resource.get("criticality") else []
    parts += [f"reaction {', '.join(reactions)}"] if reactions else []
    return [_verified(entry, resource, parts)]


def _immunizations(resource: Resource, source: str, _: References) -> list[Entry]:
    entry = _simple("immunizations", ("occurrenceDateTime", "recorded"), "vaccineCode", resource, source)
    return [replace(entry, recorded=iso_date(resource.get("recorded")))]


def _procedures(resource: Resource, source: str, _: References) -> list[Entry]:
    entry = _simple("procedures", ("performedDateTime", "performedPeriod.start"), "code", resource, source)
    return [replace(entry, ended=iso_date(dig(resource, "performedPeriod.end")))]


def _encounters(resource: Resource, source: str, _: References) -> list[Entry]:
    kind = (resource.get("type") or [None])[0] or {"coding": [resource.get("class") or {}]}
    entry = _simple("encounters", ("period.start",), "type", {**resource, "type": kind}, source)
    reasons = [concept_of(reason)[0] for reason in resource.get("reasonCode") or []]
    detail = f"reason {', '.join(reasons)}" if reasons else None
    return [replace(entry, detail=detail, ended=iso_date(dig(resource, "period.end")))]


def _medications(resource: Resource, source: str, references: References) -> list[Entry]:
    concept = resource.get("medicationCodeableConcept")
    if concept is None:
        reference = resource["medicationReference"]
        target = references.resource(reference.get("reference"), resource.get("contained"))
        concept = target.get("code") if target is not None and problem(target) is None else None
        concept = concept or {"text": reference.get("display")}
    resource = {**resource, "medication": concept}
    when = ("authoredOn", "effectiveDateTime", "effectivePeriod.start", "dateAsserted")
    entry = _simple("medications", when, "medication", resource, source)
    if resource.get("doNotPerform"):
        entry = replace(entry, status=PROHIBITED)
    intent = resource.get("intent")
    parts = [intent] if intent in ("proposal", "plan", "option") else []
    parts += [line for line in map(_dosage, resource.get("dosageInstruction") or resource.get("dosage") or []) if line]
    return [
        replace(
            entry,
            detail="; ".join(parts) or None,
            recorded=iso_date(resource.get("dateAsserted")),
            ended=iso_date(dig(resource, "effectivePeriod.end")),
        )
    ]


def _dosage(dosage: Resource) -> str:
    """The written instruction, or the structured dose and timing put into words."""
    if dosage.get("text"):
        return clean(dosage["text"])
    parts = []
    for rate in dosage.get("doseAndRate") or []:
        quantity = rate.get("doseQuantity") or {}
        if quantity.get("value") is not None:
            parts.append(f"{quantity['value']:g} {quantity.get('unit') or ''}".strip())
    timing = dosage.get("timing") or {}
    repeat = timing.get("repeat") or {}
    if repeat.get("frequency") is not None and repeat.get("period") is not None:
        parts.append(f"{repeat['frequency']} per {repeat['period']:g} {repeat.get('periodUnit') or ''}".strip())
    elif timing.get("code"):
        parts.append(concept_of(timing["code"])[0])
    if dosage.get("asNeededBoolean"):
        parts.append("as needed")
    return ", ".join(parts)


def _observations(resource: Resource, source: str, _: References) -> list[Entry]:
    name, code, system = concept_of(resource["code"])
    analyte = by_loinc().get(code or "")
    section = _section_of(resource, analyte)
    if section is None:
        return []
    base = Entry(
        section=section,
        name=analyte.name if analyte else name,
        code=code,
        system=system,
        date=_first(resource, ("effectiveDateTime", "effectivePeriod.start", "issued")),
        status=resource.get("status"),
        source=source,
        group=analyte.name if analyte else code or name.casefold(),
        recorded=iso_date(resource.get("issued")),
    )
    components = resource.get("component") or []
    if analyte is not None and analyte.name == BLOOD_PRESSURE:
        both = _pressure(components)
        if both is not None:
            return [replace(base, value=both, unit="mmHg")]
    found = value_of(resource)
    if found is not None:
        return [replace(base, value=found[0], unit=found[1])]
    entries = [entry for part in components if (entry := _component(base, part)) is not None]
    absent = concept_of(resource["dataAbsentReason"])[0] if resource.get("dataAbsentReason") else None
    return entries or ([replace(base, detail=f"no value: {absent}")] if absent else [])


def _section_of(resource: Resource, analyte: Analyte | None) -> str | None:
    categories = {
        coding.get("code") for category in resource.get("category") or [] for coding in category.get("coding") or []
    }
    if "laboratory" in categories:
        return "labs"
    if "vital-signs" in categories:
        return "vitals"
    return None if analyte is None else analyte.section


def _pressure(components: list[Resource]) -> str | None:
    """``128/81`` from the two components of one reading; a reading that lacks one is not put together."""
    parts = {concept_of(part["code"])[1]: value_of(part) for part in components}
    top, bottom = parts.get(SYSTOLIC), parts.get(DIASTOLIC)
    if top is None or bottom is None or isinstance(top[0], str) or isinstance(bottom[0], str):
        return None
    return f"{round(top[0], 1):g}/{round(bottom[0], 1):g}"


def _component(base: Entry, part: Resource) -> Entry | None:
    """One component as an entry of its own, under its everyday name where it has one."""
    value = value_of(part)
    if value is None:
        return None
    name, code, system = concept_of(part["code"])
    analyte = by_loinc().get(code or "")
    return replace(
        base,
        name=analyte.name if analyte else name,
        code=code,
        system=system,
        group=analyte.name if analyte else code or name.casefold(),
        value=value[0],
        unit=value[1],
    )


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
