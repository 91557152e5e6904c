"""Whom and what a FHIR reference points to.

Seen in the field: ``Patient/123``, ``https://host/fhir/Patient/123/_history/2``, ``urn:uuid:...`` that only the
bundle's ``fullUrl`` explains, ``Patient?identifier=system|value`` in transactions, ``#contained``, and subjects
that are no patients (``Group/123``, a device), whose resources must never land in the record of patient 123.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from tools.chart.elements import Resource

_TYPED = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-._]+)(?:/_history/[^/]+)?")
_URN = re.compile(r"urn:(?:uuid|oid):(.+)")


class References:
    """Resources of one file or response by the ways a reference can name them."""

    def __init__(self, pairs: Iterable[tuple[str | None, Any]]) -> None:
        self._resources: dict[str, Resource] = {}
        self._patients: dict[tuple[str | None, str], str] = {}  # (system, value) of an identifier -> patient id
        for url, resource in pairs:
            kind = resource.get("resourceType") if isinstance(resource, Mapping) else None
            if not isinstance(kind, str):
                continue
            if isinstance(url, str):
                self._resources[url] = resource
            identity = resource.get("id")
            if isinstance(identity, str):
                self._resources[f"{kind}/{identity}"] = resource
            if kind == "Patient":
                self._know(resource, identity if isinstance(identity, str) else id_of_url(url))

    def _know(self, patient: Resource, identity: str | None) -> None:
        identifiers = patient.get("identifier")
        for identifier in identifiers if isinstance(identifiers, list) and identity else []:
            if isinstance(identifier, Mapping) and isinstance(identifier.get("value"), str):
                for system in (identifier.get("system"), None):
                    if system is None or isinstance(system, str):
                        self._patients[system, identifier["value"]] = identity or ""

    def resource(self, reference: str | None, contained: object = None) -> Resource | None:
        """The resource a reference names, here or among the contained ones."""
        if reference is None:
            return None
        if reference.startswith("#"):
            parts = contained if isinstance(contained, list) else []
            return next((p for p in parts if isinstance(p, Mapping) and p.get("id") == reference[1:]), None)
        found = self._resources.get(reference)
        match = _TYPED.fullmatch(reference)
        return self._resources.get(f"{match[1]}/{match[2]}") if found is None and match else found

    def patient(self, reference: str | None) -> str | None:
        """The id of the patient a subject is, or None when the subject is someone or something else.

        Raises ValueError when the reference says nothing that can be followed.
        """
        if not reference:
            raise ValueError("a subject without a reference")
        kind, _, query = reference.partition("?")
        if query:
            return self._by_identifier(query) if kind == "Patient" else None
        target = self.resource(reference)
        if target is not None:
            if target.get("resourceType") != "Patient":
                return None
            if isinstance(target.get("id"), str):
                return str(target["id"])
        match = _TYPED.fullmatch(reference)
        if match is not None:
            return match[2] if match[1] == "Patient" else None
        urn = _URN.fullmatch(reference)
        if urn is None:
            raise ValueError("a subject that is neither a patient's address nor a urn")
        return urn[1]

    def _by_identifier(self, query: str) -> str:
        system, separator, value = parse_qs(query).get("identifier", [""])[0].rpartition("|")
        found = self._patients.get((system if separator and system else None, value))
        if found is None:
            raise ValueError("a subject by identifier that no patient of the file has")
        return found


def id_of_url(url: str | None) -> str | None:
    """The id at the end of a full URL (``urn:uuid:ID``, ``https://host/fhir/Patient/ID``)."""
    return re.split(r"[/:]", url)[-1] if isinstance(url, str) and url else None
