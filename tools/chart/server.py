"""Records from a FHIR R4 server: read-only, one patient at a time, nothing kept between calls.

A reader opened for some patients asks the server for those ids only: whoever else is asked about is compared with
them here and never mentioned to the server. Whatever a server sends about another patient than the one asked for
is dropped.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from tools.chart.bundle import Contents, LeftOut, Pair, Patient, read_resources, resources_of
from tools.chart.http import TIMEOUT_SECONDS, Allowance, Client
from tools.chart.names import name_words
from tools.chart.sections import Entry
from tools.chart.source import Scope, newest_first
from tools.errors import RecordError

TOKEN = "MEDCALL_FHIR_TOKEN"  # environment variable with a bearer token
CALL_SECONDS = 60.0  # for all requests of one call together
MAX_CALL_BYTES = 256 * 1024 * 1024
MAX_PAGES = 100
PAGE = 200  # resources asked for at once
IDS = 50  # patients asked for at once
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TYPES: Mapping[str, tuple[tuple[str, Mapping[str, str]], ...]] = {
    "conditions": (("Condition", {}),),
    "medications": (
        ("MedicationRequest", {"_include": "MedicationRequest:medication"}),
        ("MedicationStatement", {"_include": "MedicationStatement:medication"}),
    ),
    "allergies": (("AllergyIntolerance", {}),),
    "labs": (("Observation", {}),),
    "vitals": (("Observation", {}),),
    "encounters": (("Encounter", {}),),
    "immunizations": (("Immunization", {}),),
    "procedures": (("Procedure", {}),),
}


class Server:
    """A FHIR server by its base URL; asked once what it is when opened."""

    def __init__(self, base: str, timeout: float = TIMEOUT_SECONDS, call_seconds: float = CALL_SECONDS) -> None:
        self.client = Client(base, os.environ.get(TOKEN), timeout)
        self.call_seconds = call_seconds
        self.types = self._types()

    def _types(self) -> frozenset[str]:
        """The resource types the server says it offers; empty when it does not say."""
        status, document = self.client.get("metadata", Allowance(self.call_seconds, MAX_CALL_BYTES))
        if status in (401, 403):
            raise _denied(self.client)
        if not isinstance(document, dict) or document.get("resourceType") != "CapabilityStatement":
            raise RecordError(
                f"FHIR server {self.client.host}: no capability statement at metadata (status {status}); "
                "expected the base URL of a FHIR R4 server"
            )
        version = document.get("fhirVersion")
        if not isinstance(version, str) or not version.startswith(("4.0", "4.3")):
            shown = version if isinstance(version, str) and len(version) < 12 else "unknown"
            raise RecordError(f"FHIR server {self.client.host}: version {shown}; expected FHIR R4 (4.0 or 4.3)")
        rest = document.get("rest")
        names = [
            resource.get("type")
            for part in (rest if isinstance(rest, list) else [])
            if isinstance(part, dict) and isinstance(part.get("resource"), list)
            for resource in part["resource"]
            if isinstance(resource, dict)
        ]
        return frozenset(name for name in names if isinstance(name, str))

    @contextmanager
    def view(self, scope: Scope = None) -> Iterator[ServerView]:
        """What the server says during one call."""
        yield ServerView(self, scope)

    def version(self) -> str:
        """A server has no version of its own; a result states the digest of what it rests on."""
        return "records-live"


class ServerView:
    """The answers of one call, each asked for once."""

    def __init__(self, server: Server, scope: Scope) -> None:
        self._server = server
        self._scope = scope
        self._allowance = Allowance(server.call_seconds, MAX_CALL_BYTES)
        self._read: dict[str, Contents] = {}  # by resource type
        self._in_scope: list[Patient] | None = None
        self._digest = hashlib.sha256()
        self._missing: list[str] = []

    def by_id(self, written: str) -> list[Patient]:
        """The patient of that id; nothing that is no FHIR id is ever sent."""
        if self._scope is None:
            return self._one(written)
        return [
            found
            for identity in self._scope
            if identity.casefold() == written.casefold()
            for found in self._one(identity)
        ]

    def by_mrn(self, written: str) -> list[Patient]:
        if not written:
            return []
        found = self._allowed() if self._scope is not None else self._search({"identifier": _escaped(written)})
        return [patient for patient in found if (patient.mrn or "").casefold() == written.casefold()]

    def by_name(self, written: str) -> list[Patient]:
        words = set(name_words(written))
        if not words:
            return []
        if self._scope is not None:
            found = self._allowed()
        else:
            found = self._search([("name", _escaped(word)) for word in _as_written(written)])
        return [p for p in found if any(words <= set(name_words(name)) for name in (p.name, *p.other_names))]

    def _allowed(self) -> list[Patient]:
        """Everyone in scope, asked for by id, once a call."""
        if self._in_scope is None:
            ids = sorted(identity for identity in self._scope or () if _is_id(identity))
            chunks = [ids[start : start + IDS] for start in range(0, len(ids), IDS)]
            found = [patient for chunk in chunks for patient in self._search({"_id": ",".join(chunk)})]
            self._in_scope = [patient for patient in found if patient.id in ids]
        return self._in_scope

    def _one(self, identity: str) -> list[Patient]:
        if not _is_id(identity):
            return []
        status, document = self._get(f"Patient/{quote(identity, safe='')}")
        if status in (400, 404, 410):
            return []
        found = self._patients(self._pairs(status, document))
        return [patient for patient in found if patient.id == identity]

    def _search(self, query: Mapping[str, str] | Sequence[tuple[str, str]]) -> list[Patient]:
        return self._patients(self._pages(f"Patient?{urlencode(query)}&_count={PAGE}"))

    def _patients(self, pairs: Sequence[Pair]) -> list[Patient]:
        self._count(pairs)
        return read_resources([pair for pair in pairs if _kind(pair[1]) == "Patient"]).patients

    def entries(self, patient: str, section: str) -> list[Entry]:
        found: list[Entry] = []
        for kind, also in _TYPES[section]:
            contents = self._resources(kind, patient, also)
            found += [entry for owner, entry in contents.entries if owner == patient and entry.section == section]
        return newest_first(found)

    def _resources(self, kind: str, patient: str, also: Mapping[str, str]) -> Contents:
        if kind not in self._read:
            if self._server.types and kind not in self._server.types:
                self._missing.append(kind)
                self._read[kind] = Contents()
            else:
                query = {"patient": patient, "_count": str(PAGE)}
                pairs = self._pages(f"{kind}?{urlencode({**query, **also})}", otherwise=f"{kind}?{urlencode(query)}")
                self._count(pairs)
                self._read[kind] = read_resources(pairs)
        return self._read[kind]

    def left_out(self, patient: str) -> list[LeftOut]:
        return [out for contents in self._read.values() for out in contents.left_out if out.patient in (patient, None)]

    def notes(self) -> list[str]:
        return [f"The server offers no {', '.join(self._missing)}."] if self._missing else []

    def version(self) -> str:
        return f"records-{self._digest.hexdigest()[:8]}"

    def _pages(self, url: str, otherwise: str | None = None) -> list[Pair]:
        """The resources of a search and of all pages that follow it; ``otherwise`` for a server that finds
        something wrong with the first (not every one can include what is referred to).
        """
        pairs: list[Pair] = []
        seen: set[str] = set()
        following: str | None = url
        while following is not None:
            absolute = self._server.client.check(following, "a next page")
            if absolute in seen or len(seen) >= MAX_PAGES:
                raise RecordError(
                    f"FHIR server {self._server.client.host}: pages that go round in circles or more than {MAX_PAGES}"
                )
            seen.add(absolute)
            status, document = self._get(absolute)
            if status == 400 and otherwise is not None and len(seen) == 1:
                status, document = self._get(otherwise)
            pairs += self._pairs(status, document, bundle=True)
            following = _next(document)
        return pairs

    def _get(self, url: str) -> tuple[int, Any]:
        return self._server.client.get(url, self._allowance)

    def _pairs(self, status: int, document: Any, bundle: bool = False) -> list[Pair]:
        client = self._server.client
        if status in (401, 403):
            raise _denied(client)
        if document is None:
            raise RecordError(f"FHIR server {client.host}: answered with status {status}")
        if not isinstance(document, dict) or (bundle and document.get("resourceType") != "Bundle"):
            raise RecordError(f"FHIR server {client.host}: an answer that is no {'bundle' if bundle else 'resource'}")
        return [pair for pair in resources_of(document) if _kind(pair[1]) != "OperationOutcome"]

    def _count(self, pairs: Sequence[Pair]) -> None:
        for _, resource in pairs:
            self._digest.update(json.dumps(resource, sort_keys=True).encode() + b"\n")


def _is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None and set(text) != {"."}


def _kind(resource: Any) -> object:
    return resource.get("resourceType") if isinstance(resource, dict) else None


def _next(document: Any) -> str | None:
    links = document.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, dict) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return str(link["url"])
    return None


def _escaped(value: str) -> str:
    """A search value in which FHIR's separators are ordinary characters."""
    return re.sub(r"([\\$,|])", r"\\\1", value.strip())


def _as_written(name: str) -> list[str]:
    """The words to search for, with their accents, which a server may or may not set aside."""
    words = re.findall(r"[^\W_]+(?:['’][^\W_]+)*", name)
    return [word for word in words if name_words(word)]


def _denied(client: Client) -> RecordError:
    return RecordError(f"FHIR server {client.host}: access denied; a token can be given in {TOKEN}")
