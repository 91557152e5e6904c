"""FHIR R4 resources as plain rows: what a section shows, and nothing that is not in the record.

Reads what real exports hold: values in components, several codings, zero-width characters and brand names in
displays, medications by reference, missing dosage, partial dates. A resource of the wrong shape is left out
and counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.chart.elements import Resource, clean, iso_date, status_code
from tools.chart.sections import READERS, Entry


@dataclass(frozen=True, kw_only=True)
class Patient:
    """Who a record is about."""

    id: str
    name: str
    other_names: tuple[str, ...] = ()
    mrn: str | None = None
    birth_date: str | None = None
    sex: str | None = None
    deceased: str | None = None


@dataclass
class Contents:
    """What one file holds."""

    patients: list[Patient] = field(default_factory=list)
    entries: list[tuple[str, Entry]] = field(default_factory=list)  # (patient id, entry)
    skipped: int = 0


def read_file(path: Path) -> Contents:
    """The patients and entries of a bundle (.json) or of one resource a line (.ndjson)."""
    data = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".ndjson":
        lines = [line for line in data.splitlines() if line.strip()]
        pairs: list[tuple[str | None, Any]] = [(None, json.loads(line)) for line in lines]
    else:
        pairs = list(_resources(json.loads(data)))
    return read_resources(pairs)


def _resources(document: Any) -> Iterator[tuple[str | None, Any]]:
    if isinstance(document, Mapping) and document.get("resourceType") == "Bundle":
        for entry in document.get("entry") or []:
            if isinstance(entry, Mapping):
                yield entry.get("fullUrl"), entry.get("resource")
    else:
        yield None, document


def read_resources(pairs: list[tuple[str | None, Any]]) -> Contents:
    """Rows of resources given with their full URLs, in order."""
    contents = Contents()
    by_reference: dict[str, Resource] = {}
    for url, resource in pairs:
        if isinstance(resource, Mapping) and isinstance(resource.get("resourceType"), str):
            if isinstance(url, str):
                by_reference[url] = resource
            if isinstance(resource.get("id"), str):
                by_reference[f"{resource['resourceType']}/{resource['id']}"] = resource
    for url, resource in pairs:
        try:
            _read(resource, url, by_reference, contents)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            contents.skipped += 1
    return contents


def _read(resource: Any, url: str | None, references: Mapping[str, Resource], contents: Contents) -> None:
    kind = resource["resourceType"]
    if not isinstance(kind, str):
        raise ValueError("a resource type that is not text")
    if kind == "Patient":
        contents.patients.append(_patient(resource, url))
    elif kind in READERS:
        reference = (resource.get("subject") or resource.get("patient"))["reference"]
        patient = _patient_id(reference, references)
        source = f"{kind}/{resource.get('id') or _tail(url)}"
        if "entered-in-error" in (resource.get("status"), status_code(resource.get("verificationStatus"))):
            return
        for entry in READERS[kind](resource, source, references):
            contents.entries.append((patient, entry))


def _patient(resource: Resource, url: str | None) -> Patient:
    names = [name for name in (_human_name(name) for name in resource.get("name") or []) if name]
    deceased = resource.get("deceasedDateTime") or resource.get("deceasedBoolean")
    return Patient(
        id=clean(resource.get("id") or _tail(url)),
        name=names[0] if names else "(no name)",
        other_names=tuple(names[1:]),
        mrn=_mrn(resource),
        birth_date=iso_date(resource.get("birthDate")),
        sex=resource.get("gender"),
        deceased=None if not deceased else "yes" if deceased is True else iso_date(deceased),
    )


def _human_name(name: Resource) -> str:
    parts = [*(name.get("given") or []), name.get("family") or ""]
    return clean(" ".join(part for part in parts if part) or name.get("text") or "")


def _mrn(resource: Resource) -> str | None:
    identifiers = resource.get("identifier") or []
    for identifier in identifiers:
        codings = (identifier.get("type") or {}).get("coding") or []
        if any(coding.get("code") == "MR" for coding in codings):
            return str(identifier["value"])
    return str(identifiers[0]["value"]) if identifiers and identifiers[0].get("value") else None


def _patient_id(reference: str, references: Mapping[str, Resource]) -> str:
    target = references.get(reference)
    if target is not None and isinstance(target.get("id"), str):
        return str(target["id"])
    return _tail(reference)


def _tail(url: str | None) -> str:
    if not url:
        raise ValueError("a resource without id and full URL")
    return re.split(r"[/:]", url)[-1]
