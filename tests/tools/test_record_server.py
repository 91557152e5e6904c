"""Records from a FHIR server: a small real one on this machine, well behaved or not."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

import tools
from tools.chart import server as server_module
from tools.chart.http import Client
from tools.chart.names import name_words
from tools.chart.read import Reader
from tools.chart.server import Server

RECORDS = Path(tools.__file__).with_name("records")
KINDS = (
    "Patient",
    "Observation",
    "Condition",
    "MedicationRequest",
    "AllergyIntolerance",
    "Encounter",
    "Immunization",
    "Procedure",
)
EVERYTHING = list(tools.argument_schemas()["read_patient_record"]["properties"]["sections"]["items"]["enum"])
PAGE = 7


def stored() -> list[dict[str, Any]]:
    """The shipped resources as a server keeps them: with plain references instead of urns."""
    found = []
    for path in sorted(RECORDS.glob("*.json")):
        text = path.read_text(encoding="utf-8")
        bundle = json.loads(text)
        urn = bundle["entry"][0]["fullUrl"]
        plain = json.loads(text.replace(f'"reference":"{urn}"', f'"reference":"Patient/{path.stem}"'))
        found += [entry["resource"] for entry in plain["entry"]]
    return found


class Fhir(ThreadingHTTPServer):
    """A FHIR server of the shipped records; ``answer`` may be replaced to misbehave."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server_port}/fhir"
        self.resources = stored()
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.answer: Callable[[Handler, str, dict[str, list[str]]], bool] = lambda *_: False

    def search(self, kind: str, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        found = [resource for resource in self.resources if resource["resourceType"] == kind]
        if "patient" in query:
            reference = f"Patient/{query['patient'][0]}"
            found = [r for r in found if (r.get("subject") or r.get("patient"))["reference"] == reference]
        if "_id" in query:
            found = [r for r in found if r["id"] in query["_id"][0].split(",")]
        if "identifier" in query:
            found = [r for r in found if any(i["value"] == query["identifier"][0] for i in r["identifier"])]
        for word in query.get("name", ()):
            found = [
                r
                for r in found
                if set(name_words(word)) <= set(name_words(" ".join(r["name"][0]["given"] + [r["name"][0]["family"]])))
            ]
        return found


class Handler(BaseHTTPRequestHandler):
    server: Fhir

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        self.server.requests.append((self.command, self.path, dict(self.headers)))
        if self.server.answer(self, parts.path, query):
            return
        _, _, kind, *rest = parts.path.split("/")
        if kind == "metadata":
            offered = [{"type": name} for name in KINDS]
            self.send(
                200, {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"resource": offered}]}
            )
        elif rest:
            found = [r for r in self.server.search(kind, {}) if r["id"] == rest[0]]
            self.send(200, found[0]) if found else self.send(404, {"resourceType": "OperationOutcome"})
        else:
            self.page(kind, query)

    def page(self, kind: str, query: dict[str, list[str]]) -> None:
        found, start = self.server.search(kind, query), int(query.get("start", ["0"])[0])
        entries = [{"resource": resource} for resource in found[start : start + PAGE]]
        links = []
        if start + PAGE < len(found):
            following = urlencode({**query, "start": start + PAGE}, doseq=True)
            links = [{"relation": "next", "url": f"{self.server.base}/{kind}?{following}"}]
        self.send(200, {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries})

    def send(self, status: int, document: object, **headers: str) -> None:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def fhir(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fhir]:
    for name in (
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        server_module.TOKEN,
    ):
        monkeypatch.delenv(name, raising=False)
    server = Fhir()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def reader(fhir: Fhir, patients: Any = None) -> tools.Tool:
    return tools.registry(records=fhir.base, patients=patients)["read_patient_record"]


def read(tool: tools.Tool, patient: str, *sections: str, **more: Any) -> dict[str, Any]:
    return tool.call({"patient": patient, "sections": list(sections or ["labs"]), **more})


@pytest.mark.parametrize("person", tools.patients()[::6], ids=lambda person: person.id)
def test_a_server_and_a_folder_give_the_same_record(fhir: Fhir, person: tools.PatientName) -> None:
    folder = tools.registry()["read_patient_record"]
    for written in (person.id, person.mrn, f"{person.name} {person.birth_date}"):
        live, local = (read(tool, written, *EVERYTHING, limit=100) for tool in (reader(fhir), folder))
        assert live["status"] == local["status"] == "ok"
        assert (live["sections"], live["patient"]) == (local["sections"], local["patient"])


def test_a_search_of_many_pages_is_read_to_its_end(fhir: Fhir) -> None:
    result = read(reader(fhir), "patient-003", "labs", "vitals", limit=100)
    assert sum(section["total"] for section in result["sections"].values()) > 3 * PAGE
    pages = [path for _, path, _ in fhir.requests if path.startswith("/fhir/Observation")]
    assert len(pages) == len(set(pages)) > 3


def test_only_get_is_ever_sent(fhir: Fhir) -> None:
    read(reader(fhir), "María Ortega", *EVERYTHING)
    assert {method for method, _, _ in fhir.requests} == {"GET"}


def test_the_version_of_a_result_is_that_of_what_it_rests_on(fhir: Fhir) -> None:
    tool = reader(fhir)
    first, again = read(tool, "patient-003"), read(tool, "patient-003")
    assert first == again
    changed = next(r for r in fhir.resources if "valueQuantity" in r and r["id"].startswith("003"))
    changed["valueQuantity"]["value"] = 77
    assert read(tool, "patient-003")["data_version"] != first["data_version"]


def test_none_one_and_many_matches_are_told_apart(fhir: Fhir) -> None:
    tool = reader(fhir)
    assert read(tool, "Nobody Known")["error"]["code"] == "unknown_patient"
    assert read(tool, "John Smith")["error"]["code"] == "ambiguous_patient"
    born = next(person.birth_date for person in tools.patients() if person.name == "John Smith")
    assert read(tool, f"John Smith {born}")["patient"]["birth_date"] == born


@pytest.mark.parametrize(
    "written",
    [
        "../metadata",
        "patient-003/../patient-001",
        "patient-003/$everything",
        "patient-003?_revinclude=Observation:subject",
        "..",
        "%2e%2e",
        "http://elsewhere/Patient/1",
        "//elsewhere/x",
        "patient-003#",
        "patient-003\r\nX-Evil: 1",
        "a|b,c$d",
    ],
)
def test_nothing_written_as_a_patient_changes_what_is_asked(fhir: Fhir, written: str) -> None:
    assert read(reader(fhir), written)["error"]["code"] == "unknown_patient"
    for _, path, headers in fhir.requests:
        parts = urlsplit(path)
        assert re.fullmatch(r"/fhir/(metadata|Patient|Patient/[A-Za-z0-9\-.]*[A-Za-z0-9\-][A-Za-z0-9\-.]*)", parts.path)
        assert set(parse_qs(parts.query)) <= {"identifier", "name", "_count"}
        assert "X-Evil" not in headers


def test_a_scoped_reader_asks_the_server_only_about_its_patients(fhir: Fhir) -> None:
    tool = reader(fhir, ["patient-003", "patient-005"])
    assert read(tool, "María Ortega")["status"] == read(tool, "patient-003")["status"] == "ok"
    refusals = [
        read(tool, written)["error"]
        for written in ("patient-001", "4410037", "Karen Moore", "John Smith", "Nobody Known", "patient-999")
    ]
    assert {error["code"] for error in refusals} == {"outside_scope"}
    assert len({error["message"].replace(error["found"], "") for error in refusals}) == 1
    asked = " ".join(path for _, path, _ in fhir.requests)
    assert "patient-003" in asked
    for other in ("patient-001", "4410037", "Karen", "Moore", "Smith", "Nobody", "patient-999"):
        assert other not in asked


def test_what_a_server_sends_about_someone_else_is_dropped(fhir: Fhir) -> None:
    mine = read(reader(fhir), "patient-003", "labs", limit=100)

    def everyone(handler: Handler, path: str, query: dict[str, list[str]]) -> bool:
        query.pop("patient", None)
        return False

    fhir.answer = everyone
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_module, "MAX_PAGES", 1000)
        everything = read(reader(fhir, ["patient-003"]), "patient-003", "labs", limit=100)
    assert everything["sections"] == mine["sections"]


def test_a_resource_type_the_server_does_not_offer_is_said_to_be_missing(fhir: Fhir) -> None:
    notes = read(reader(fhir), "patient-003", "medications")["notes"]
    assert "The server offers no MedicationStatement." in notes


def test_a_server_that_cannot_include_is_asked_without(fhir: Fhir) -> None:
    def strict(handler: Handler, path: str, query: dict[str, list[str]]) -> bool:
        if "_include" in query:
            handler.send(400, {"resourceType": "OperationOutcome"})
            return True
        return False

    fhir.answer = strict
    assert read(reader(fhir), "patient-003", "medications")["sections"]["medications"]["total"] > 0


def misbehave(fhir: Fhir, how: str) -> None:
    def answer(handler: Handler, path: str, query: dict[str, list[str]]) -> bool:
        if not path.endswith("/Observation"):
            return False
        bundle: dict[str, Any] = {"resourceType": "Bundle", "entry": []}
        if how == "redirect away":
            handler.send(302, b"", Location="http://127.0.0.2:9/fhir/Observation")
        elif how == "redirect to a file":
            handler.send(302, b"", Location="file:///etc/passwd")
        elif how == "redirect below another path":
            handler.send(302, b"", Location=fhir.base.replace("/fhir", "/other"))
        elif how == "next page away":
            handler.send(200, {**bundle, "link": [{"relation": "next", "url": "http://127.0.0.2:9/fhir/x"}]})
        elif how == "next page in circles":
            handler.send(200, {**bundle, "link": [{"relation": "next", "url": f"{fhir.base}{path[5:]}?x=1"}]})
        elif how == "not json":
            handler.send(200, b"<html>secret</html>")
        elif how == "no bundle":
            handler.send(200, {"resourceType": "Patient", "id": "secret"})
        elif how == "broken":
            handler.send(500, b"secret stack trace")
        elif how == "denied":
            handler.send(403, b"secret")
        elif how == "silent":
            time.sleep(1.5)
        elif how == "dripping":
            handler.send_response(200)
            handler.end_headers()
            for _ in range(20):
                handler.wfile.write(b" ")
                handler.wfile.flush()
                time.sleep(0.1)
        elif how == "dripping headers":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            with contextlib.suppress(OSError):
                for _ in range(20):
                    handler.wfile.write(b"a")
                    handler.wfile.flush()
                    time.sleep(0.1)
        elif how == "pages without end":
            page = int(query.get("page", ["0"])[0])
            url = f"{fhir.base}{path[5:]}?page={page + 1}"
            handler.send(200, {**bundle, "fill": "x" * 4_000, "link": [{"relation": "next", "url": url}]})
        elif how == "cut off":
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            handler.wfile.write(b"{")
        elif how == "huge":
            handler.send(200, b"[" + b"1," * 3_000 + b"1]")
        return True

    fhir.answer = answer


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("redirect away", "a redirect leads to another place than its base; not followed"),
        ("redirect to a file", "answered with status 302"),
        ("redirect below another path", "not followed"),
        ("next page away", "a next page leads to another place than its base; not followed"),
        ("next page in circles", "go round in circles"),
        ("not json", "an answer that is not JSON"),
        ("no bundle", "an answer that is no bundle"),
        ("broken", "answered with status 500"),
        ("denied", "access denied; a token can be given in MEDCALL_FHIR_TOKEN"),
        ("silent", "no complete answer in time"),
        ("dripping", "no complete answer in time"),
        ("dripping headers", "no complete answer in time"),
        ("pages without end", "more than a call may take"),
        ("cut off", "the connection broke"),
        ("huge", "an answer of more than"),
    ],
)
def test_a_server_that_misbehaves_is_a_refusal_that_says_how(
    fhir: Fhir, how: str, said: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if how == "huge":
        monkeypatch.setattr("tools.chart.http.MAX_BYTES", 4_000)
    if how == "pages without end":
        monkeypatch.setattr(server_module, "MAX_CALL_BYTES", 20_000)
    tool = tools.Tool(
        "read_patient_record",
        "",
        tools.argument_schemas()["read_patient_record"],
        tools.registry()["read_patient_record"].result_schema,
        slow_reader(fhir).read,
    )
    misbehave(fhir, how)
    with caplog.at_level(logging.DEBUG):
        began = time.monotonic()
        error = read(tool, "patient-003", "labs")["error"]
    assert error["code"] == "records_unavailable" and said in error["message"]
    assert "secret" not in error["message"] and "patient-003" not in error["message"]
    assert time.monotonic() - began < 1.4
    assert caplog.text == ""


def slow_reader(fhir: Fhir) -> Reader:
    made = Reader(fhir.base)
    made.source = Server(fhir.base, timeout=0.4, call_seconds=0.8)
    return made


def test_a_redirect_below_the_base_is_followed(fhir: Fhir) -> None:
    def moved(handler: Handler, path: str, query: dict[str, list[str]]) -> bool:
        if path.endswith("/Observation") and "moved" not in query:
            handler.send(307, b"", Location=f"{handler.path}&moved=1")
            return True
        return False

    fhir.answer = moved
    assert read(reader(fhir), "patient-003")["sections"]["labs"]["total"] > 0


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ({"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"}, "version 5.0.0; expected FHIR R4"),
        ({"resourceType": "CapabilityStatement"}, "version unknown; expected FHIR R4"),
        ({"hello": "world"}, "no capability statement at metadata"),
        ([], "no capability statement at metadata"),
        (b"hello", "not JSON"),
    ],
)
def test_what_is_no_r4_server_is_refused_when_it_is_opened(fhir: Fhir, statement: object, said: str) -> None:
    def answer(handler: Handler, path: str, query: dict[str, list[str]]) -> bool:
        handler.send(200, statement)
        return True

    fhir.answer = answer
    with pytest.raises(tools.RecordError, match=said):
        tools.registry(records=fhir.base)


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("http://127.0.0.1:9/fhir", "not reachable"),
        ("http://user:word@127.0.0.1/fhir", "MEDCALL_FHIR_TOKEN"),
        ("http:///fhir", "expected a base URL"),
        ("http://127.0.0.1:99999/fhir", "expected a base URL"),
        ("http://127.0.0.1/fhir?x=1", "without query or fragment"),
        ("http://[::1/fhir", "expected a base URL"),
    ],
)
def test_a_base_that_cannot_be_used_is_an_error_that_keeps_its_secrets(base: str, said: str) -> None:
    with pytest.raises(tools.RecordError, match=said) as error:
        tools.registry(records=base)
    assert "word" not in str(error.value).replace("password", "")


def test_a_token_goes_to_the_server_and_never_over_plain_http_to_another_machine(
    fhir: Fhir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(server_module.TOKEN, "t0ken")
    Server(fhir.base)
    assert fhir.requests[-1][2]["Authorization"] == "Bearer t0ken"
    with pytest.raises(tools.RecordError, match="over https only"):
        Client("http://example.org/fhir", token="t0ken")


def test_a_server_that_stops_is_a_refusal_and_the_next_call_tries_again(fhir: Fhir) -> None:
    tool = reader(fhir)
    fhir.answer = lambda handler, path, query: handler.send(503, b"") is None
    assert read(tool, "patient-003")["error"]["code"] == "records_unavailable"
    fhir.answer = lambda *_: False
    assert read(tool, "patient-003")["status"] == "ok"


def test_an_index_file_does_not_go_with_a_server(fhir: Fhir, tmp_path: Path) -> None:
    with pytest.raises(tools.RecordError, match="an index file is for a folder"):
        tools.registry(records=fhir.base, index=tmp_path / "index.sqlite")
