"""FHIR R4 resources as plain rows: what a section shows, and nothing that is not in the record.

Reads what real exports hold: values in components, several codings, zero-width characters and brand names in
displays, medications by reference, missing dosage, partial dates. A resource of the wrong shape is left out
and counted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.chart.elements import Resource, clean, iso_date, status_code
from tools.chart.references import References, id_of_url
from tools.chart.sections import READERS, Entry
from tools.chart.valid import problem

Pair = tuple[str | None, Any]  # (full URL, resource)
_FORMER = ("old", "maiden", "anonymous")


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


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A resource that could not be read: whose it is (when known), its type, and the reason without content."""

    patient: str | None
    kind: str
    reason: str


@dataclass
class Contents:
    """What one file or response holds."""

    patients: list[Patient] = field(default_factory=list)
    entries: list[tuple[str, Entry]] = field(default_factory=list)  # (patient id, entry)
    left_out: list[LeftOut] = field(default_factory=list)


class _NotJson:
    """A line of bulk data that is not JSON: counted like a resource of the wrong shape."""


def read_file(path: Path) -> Contents:
    """The patients and entries of a bundle (.json) or of one resource a line (.ndjson).

    Raises ValueError or RecursionError when the file as a whole is not UTF-8 or not JSON.
    """
    return read_bytes(path.read_bytes(), lines=path.suffix == ".ndjson")


def read_bytes(data: bytes, *, lines: bool) -> Contents:
    """Like :func:`read_file`, from the bytes of a file; ``lines`` for bulk data."""
    text = data.decode("utf-8-sig")
    if lines:
        return read_resources([(None, _line(line)) for line in text.split("\n") if line.strip()])
    return read_resources(list(resources_of(parse(text))))


def parse(text: str) -> Any:
    """JSON as the standard has it: NaN and Infinity are not in it."""
    return json.loads(text, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _line(line: str) -> Any:
    try:
        return parse(line)
    except (ValueError, RecursionError):
        return _NotJson()


def resources_of(document: Any) -> Iterator[Pair]:
    """The entries of a bundle, or the one resource that the document is."""
    if not isinstance(document, Mapping) or document.get("resourceType") != "Bundle":
        yield None, document
        return
    entries = document.get("entry")
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, Mapping):
            yield None, entry
        elif "resource" in entry:
            url = entry.get("fullUrl")
            yield (url if isinstance(url, str) else None), entry["resource"]


def read_resources(pairs: Sequence[Pair]) -> Contents:
    """Rows of resources given with their full URLs, in order."""
    contents = Contents()
    references = References(pairs)
    for url, resource in pairs:
        reason = "not JSON" if isinstance(resource, _NotJson) else problem(resource)
        if reason is None:
            try:
                _read(resource, url, references, contents)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                reason = str(error) if type(error) is ValueError else "an element of another shape than FHIR gives it"
        if reason is not None:
            kind = resource.get("resourceType") if isinstance(resource, Mapping) else None
            kind = kind if isinstance(kind, str) and kind in READERS else "Patient" if kind == "Patient" else "resource"
            contents.left_out.append(LeftOut(patient=_whose(resource, references), kind=kind, reason=reason))
    return contents


def _whose(resource: Any, references: References) -> str | None:
    """The patient that an unreadable resource is about, when that much can be read."""
    if not isinstance(resource, Mapping):
        return None
    subject = resource.get("subject") or resource.get("patient")
    reference = subject.get("reference") if isinstance(subject, Mapping) else None
    try:
        return references.patient(reference) if isinstance(reference, str) else None
    except ValueError:
        return None


def _read(resource: Resource, url: str | None, references: References, contents: Contents) -> None:
    kind = resource["resourceType"]
    if kind == "Patient":
        contents.patients.append(_patient(resource, url))
    elif kind in READERS:
        patient = references.patient((resource.get("subject") or resource.get("patient") or {}).get("reference"))
        if patient is None or "entered-in-error" in (
            resource.get("status"),
            status_code(resource.get("verificationStatus")),
        ):
            return
        source = f"{kind}/{_id(resource, url)}"
        for entry in READERS[kind](resource, source, references):
            contents.entries.append((patient, entry))


def _patient(resource: Resource, url: str | None) -> Patient:
    written = sorted(resource.get("name") or [], key=lambda name: name.get("use") in _FORMER)
    names = [name for name in map(_human_name, written) if name]
    deceased = resource.get("deceasedDateTime") or resource.get("deceasedBoolean")
    return Patient(
        id=_id(resource, url),
        name=names[0] if names else "(no name)",
        other_names=tuple(names[1:]),
        mrn=_mrn(resource),
        birth_date=iso_date(resource.get("birthDate")),
        sex=resource.get("gender") or None,
        deceased=None if not deceased else "yes" if deceased is True else iso_date(deceased),
    )


def _human_name(name: Resource) -> str:
    parts = [*(name.get("given") or []), name.get("family") or ""]
    return clean(" ".join(part for part in parts if part) or name.get("text") or "")


def _mrn(resource: Resource) -> str | None:
    """The identifier typed as a medical record number, else the first one with a value."""
    identifiers = [found for found in resource.get("identifier") or [] if clean(found.get("value") or "")]
    identifiers.sort(
        key=lambda found: not any(c.get("code") == "MR" for c in (found.get("type") or {}).get("coding") or [])
    )
    return clean(identifiers[0]["value"]) if identifiers else None


def _id(resource: Resource, url: str | None) -> str:
    identity = clean(resource.get("id") or id_of_url(url) or "")
    if not identity:
        raise ValueError("neither id nor full URL")
    return identity
