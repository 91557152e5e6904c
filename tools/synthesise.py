"""``python -m tools.synthesise``: write the synthetic patients that ship in ``tools/records``.

Needs the development-only package ``carebundle`` (Apache-2.0), which draws clinically coherent vitals,
laboratory values, conditions and prescriptions by seed. On top of each bundle this module puts what a reader
of records needs to be tried on: a plain name, an id and a medical record number, dosage text, one earlier
visit with values up to 7 percent apart, further medications, allergies, immunizations and a procedure. Nobody
in these records exists. Same seed, same bytes.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tools.tables import items, read_table

Resource = dict[str, Any]

RECORDS = Path(__file__).with_name("records")
SEED = 20260101
_TODAY = date(2026, 1, 1)
_KEPT = ("Patient", "Encounter", "Condition", "Observation", "MedicationRequest", "AllergyIntolerance")
_DERIVED = (
    "39156-5",
    "98979-8",
    "33914-3",
    "48642-3",
    "13457-7",
)  # BMI, eGFR, calculated LDL: not drawn apart
_TEST_DATA = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}


@dataclass(frozen=True, kw_only=True)
class Person:
    """A made-up patient: who they are and which carebundle profile draws their values."""

    given: str
    family: str
    sex: str
    age: int
    profile: str
    medications: tuple[str, ...]
    allergy: str | None = None
    deceased: str | None = None


def people() -> list[Person]:
    """The patients to write, from ``tables/synthetic_patients.tsv``."""
    return [
        Person(
            given=row["given"],
            family=row["family"],
            sex=row["sex"],
            age=int(row["age"]),
            profile=row["profile"],
            medications=tuple(items(row["medications"])),
            allergy=row["allergy"] or None,
            deceased=row["deceased"] or None,
        )
        for row in read_table("synthetic_patients")
    ]


def main() -> None:
    """Write the bundles and print how many resources they hold."""
    parser = argparse.ArgumentParser(prog="python -m tools.synthesise", description=main.__doc__)
    parser.add_argument("-o", "--output", type=Path, default=RECORDS, help="folder to write to")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for number, person in enumerate(people(), start=1):
        bundle = synthesise(person, number)
        total += len(bundle["entry"])
        write(bundle, folder / f"patient-{number:03d}.json")
    size = sum(path.stat().st_size for path in folder.glob("patient-*.json"))
    print(f"{number} synthetic patients, {total} resources, {size:,} bytes in {folder.name}/")


def write(bundle: Mapping[str, Any], path: Path) -> None:
    """The bundle with one resource a line, put in place in one step."""
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in bundle["entry"])
    temporary = path.with_suffix(".new")
    temporary.write_text(
        '{"resourceType":"Bundle","type":"collection","entry":[\n' + lines + "\n]}\n", encoding="utf-8"
    )
    temporary.replace(path)


def synthesise(person: Person, number: int) -> Resource:
    """One patient's bundle."""
    carebundle = importlib.import_module("carebundle")  # development only, not needed to read records
    drawn = carebundle.generate_bundle(
        profile=person.profile,
        seed=SEED + number,
        sex=person.sex,
        age_range=(person.age, person.age),
        reference_date=_TODAY,
    )
    source = json.loads(carebundle.to_json(drawn))
    rng = random.Random(SEED + number)
    record = _Record(number)
    last = _TODAY if person.deceased is None else date.fromisoformat(person.deceased)
    visit = last - timedelta(days=rng.randrange(20, 200))
    earlier = visit - timedelta(days=rng.randrange(170, 380))
    resources = [entry["resource"] for entry in source["entry"] if entry["resource"]["resourceType"] in _KEPT]
    record.patient(person, next(resource for resource in resources if resource["resourceType"] == "Patient"))
    for resource in resources:
        if resource["resourceType"] != "Patient":
            record.add(_moved(resource, visit))
    for resource in resources:
        if resource["resourceType"] in ("Observation", "Encounter") and _code(resource) not in _DERIVED:
            record.add(_apart(_moved(resource, earlier), rng))
    _prescribe(record, person, visit, earlier)
    _background(record, person, visit, rng)
    return {"resourceType": "Bundle", "type": "collection", "entry": record.entries}


class _Record:
    """Collects resources of one patient, giving each an id and the right subject."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.entries: list[Resource] = []
        self.subject = f"urn:uuid:{self._uuid('patient')}"

    def _uuid(self, key: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"medcall-synthetic/{SEED}/{self.number}/{key}"))

    def patient(self, person: Person, drawn: Mapping[str, Any]) -> None:
        """The patient resource under its plain name, id and record number."""
        resource: Resource = {
            "resourceType": "Patient",
            "id": f"patient-{self.number:03d}",
            "meta": {"security": [_TEST_DATA]},
            "text": {
                "status": "generated",
                "div": '<div xmlns="http://www.w3.org/1999/xhtml">Synthetic, not a real person.</div>',
            },
            "identifier": [
                {
                    "type": {
                        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}],
                        "text": "Medical Record Number",
                    },
                    "system": "urn:oid:2.999.1.1",
                    "value": str(4_410_000 + 37 * self.number),
                }
            ],
            "name": [{"use": "official", "family": person.family, "given": [person.given]}],
            "gender": "female" if person.sex == "F" else "male",
            "birthDate": drawn["birthDate"],
        }
        if person.deceased is not None:
            resource["deceasedDateTime"] = person.deceased
        self.entries.append({"fullUrl": self.subject, "resource": resource})

    def add(self, resource: Mapping[str, Any]) -> None:
        """One more resource, under the next id of this patient."""
        kept = {
            name: value
            for name, value in resource.items()
            if name not in ("text", "performer", "requester", "recorder", "encounter", "participant", "id", "meta")
        }
        about = "patient" if kept["resourceType"] in ("AllergyIntolerance", "Immunization") else "subject"
        kept[about] = {"reference": self.subject}
        identity = f"{self.number:03d}-{len(self.entries):03d}"
        ordered = {
            "resourceType": kept.pop("resourceType"),
            "id": identity,
            "meta": {"security": [_TEST_DATA]},
            **kept,
        }
        self.entries.append({"fullUrl": f"urn:uuid:{self._uuid(identity)}", "resource": ordered})


def _moved(resource: Mapping[str, Any], day: date) -> Resource:
    """The resource with its visit moved to another day."""
    moved = json.loads(json.dumps(resource).replace(_TODAY.isoformat(), day.isoformat()))
    assert isinstance(moved, dict)
    return moved


def _apart(resource: Resource, rng: random.Random) -> Resource:
    """The measurement as it might have been at another visit: up to 7 percent apart, same decimals."""
    for part in (resource, *resource.get("component", ())):
        quantity = part.get("valueQuantity")
        if quantity and _code(resource) != "8302-2":  # an adult's height stays
            number = quantity["value"]
            decimals = len(str(number).partition(".")[2])
            changed = round(number * (1 + rng.uniform(-0.07, 0.07)), decimals)
            quantity["value"] = min(changed, 100) if quantity.get("unit") == "%" else changed
            if not decimals:
                quantity["value"] = int(quantity["value"])
    return resource


def _code(resource: Mapping[str, Any]) -> str:
    return str(resource.get("code", {}).get("coding", [{}])[0].get("code"))


def _prescribe(record: _Record, person: Person, visit: date, earlier: date) -> None:
    """Dosage for carebundle's orders, the person's own medications, and one stopped order."""
    orders = {row["drug"]: row for row in read_table("synthetic_orders")}
    for entry in record.entries:
        resource = entry["resource"]
        if resource["resourceType"] == "MedicationRequest":
            words = resource["medicationCodeableConcept"]["text"].split()
            row = orders.get(words[0].lower())
            if row is not None:
                resource["dosageInstruction"] = [{"text": row["dosage"]}]
    for drug in person.medications:
        display, dosage = orders[drug]["display"], orders[drug]["dosage"]
        for day in (earlier, visit):
            record.add(_order(display, dosage, day, "active"))
    record.add(_order("amoxicillin 500 MG Oral Capsule", None, earlier, "stopped"))


def _order(display: str, dosage: str | None, day: date, status: str) -> Resource:
    order: Resource = {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": "order",
        "medicationCodeableConcept": {"text": display},
        "authoredOn": day.isoformat(),
    }
    if dosage is not None:
        order["dosageInstruction"] = [{"text": dosage}]
    return order


_VACCINES = (
    ("140", "Influenza, seasonal, injectable, preservative free"),
    ("113", "Td (adult), preservative free"),
)
_PROCEDURES = (("73761001", "Colonoscopy"), ("268400002", "12 lead electrocardiogram"))


def _background(record: _Record, person: Person, visit: date, rng: random.Random) -> None:
    """Allergy, immunizations and a procedure."""
    clinical = {
        "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
        "code": "active",
    }
    if person.allergy is not None:
        record.add(
            {
                "resourceType": "AllergyIntolerance",
                "clinicalStatus": {"coding": [clinical]},
                "category": ["medication"],
                "criticality": "high" if person.allergy == "Penicillin" else "low",
                "code": {"text": f"Allergy to {person.allergy.lower()}"},
                "recordedDate": (visit - timedelta(days=2000)).isoformat(),
                "reaction": [{"manifestation": [{"text": rng.choice(("Rash", "Hives", "Nausea"))}]}],
            }
        )
    for offset, (code, display) in zip((60, 900), _VACCINES, strict=True):
        record.add(
            {
                "resourceType": "Immunization",
                "status": "completed",
                "vaccineCode": {
                    "coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": code, "display": display}],
                    "text": display,
                },
                "occurrenceDateTime": (visit - timedelta(days=offset)).isoformat(),
            }
        )
    code, display = rng.choice(_PROCEDURES)
    record.add(
        {
            "resourceType": "Procedure",
            "status": "completed",
            "code": _snomed(code, display),
            "performedDateTime": (visit - timedelta(days=rng.randrange(100, 1500))).isoformat(),
        }
    )


def _snomed(code: str, display: str) -> Resource:
    return {
        "coding": [{"system": "http://snomed.info/sct", "code": code, "display": display}],
        "text": display,
    }


if __name__ == "__main__":
    main()
