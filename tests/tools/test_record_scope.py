"""Who may be read: a reader opened for stated patients knows nobody else, and nothing of a record gets out sideways."""

from __future__ import annotations

import json
import logging
import random
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tools

RECORDS = Path(tools.__file__).with_name("records")
EVERYTHING = list(tools.argument_schemas()["read_patient_record"]["properties"]["sections"]["items"]["enum"])
ALLOWED = ("patient-003", "patient-009")
OTHERS = [person for person in tools.patients() if person.id not in ALLOWED]
SCOPED = tools.registry(patients=ALLOWED)["read_patient_record"]


def ask(tool: tools.Tool, patient: str, **more: Any) -> dict[str, Any]:
    return tool.call({"patient": patient, "sections": EVERYTHING, **more})


def ways(person: tools.PatientName) -> Iterator[str]:
    yield from (person.id, person.id.upper(), person.mrn, f"MRN {person.mrn}", person.name, person.name.split()[-1])
    yield from (f"{person.name} {person.birth_date}", f"{person.name} (MRN {person.mrn})", f"patient {person.id}")


@pytest.mark.parametrize("person", OTHERS, ids=lambda person: person.id)
def test_whoever_is_outside_is_refused_in_the_words_for_nobody(person: tools.PatientName) -> None:
    def words(written: str) -> str:
        result = ask(SCOPED, written)
        assert result["error"].pop("found") == written
        return json.dumps(result).replace(json.dumps(written)[1:-1], "...")

    nobody = words("Nobody At-All")
    assert "outside_scope" in nobody
    assert all(words(written) == nobody for written in ways(person))


@pytest.mark.parametrize("patient", ALLOWED)
def test_whoever_is_inside_is_read_in_every_way_they_are_written(patient: str) -> None:
    person = next(person for person in tools.patients() if person.id == patient)
    for written in ways(person):
        assert ask(SCOPED, written)["patient"]["id"] == patient


def test_a_namesake_outside_the_scope_is_not_a_candidate() -> None:
    smiths = [person.id for person in tools.patients() if person.name == "John Smith"]
    assert len(smiths) == 2
    only = tools.registry(patients=smiths[:1])["read_patient_record"]
    assert ask(only, "John Smith")["patient"]["id"] == smiths[0]


def test_a_reader_for_nobody_reads_nobody() -> None:
    nobody = tools.registry(patients=[])["read_patient_record"]
    assert {ask(nobody, person.id)["error"]["code"] for person in OTHERS[:3]} == {"outside_scope"}


def test_an_mrn_of_one_patient_with_the_name_of_another_is_nobody() -> None:
    first, second = tools.patients()[2:4]
    result = ask(tools.registry()["read_patient_record"], f"{first.name}, MRN {second.mrn}")
    assert result["error"]["code"] == "unknown_patient"


def test_a_result_for_one_patient_holds_nothing_of_another() -> None:
    for patient in ALLOWED:
        text = json.dumps(ask(SCOPED, patient, limit=100), ensure_ascii=False)
        for person in OTHERS:
            assert person.mrn not in text and person.id not in text and person.name not in text


WRITTEN = [
    "../patient-001", "patient-001.json", "/etc/passwd", "file:///etc/passwd", "..\\patient-001", "patient-00_",
    "patient-00%", "*", "%", "_", "' OR '1'='1", "patient-001'; DROP TABLE entry; --",
    "\x00", "patient-001\x00", "\ud800", "",
]  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN, ids=repr)
def test_nothing_written_as_a_patient_is_a_path_a_pattern_or_a_command(written: str, tmp_path: Path) -> None:
    opened: list[str] = []
    tool = tools.registry()["read_patient_record"]
    ask(tool, "patient-001")

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and watching:
            opened.append(str(arguments[0]))

    watching = True
    sys.addaudithook(watch)
    error = ask(tool, written)["error"]
    watching = False
    assert error["code"] == "unknown_patient" or (written in ("", "\ud800") and error["code"] == "invalid_arguments")
    json.dumps(error, ensure_ascii=False).encode()
    assert opened == []
    assert ask(tool, "patient-001")["status"] == "ok"


def test_random_text_as_a_patient_never_raises_and_never_finds_anyone() -> None:
    tool, rng = tools.registry()["read_patient_record"], random.Random(3)
    letters = [chr(c) for c in (*range(0, 48), *range(58, 64), *range(0x2000, 0x2070), 0xD800, 0xFFFF, 0x1F600)]
    for _ in range(300):
        written = "".join(rng.choices(letters, k=rng.randrange(1, 12)))
        error = ask(tool, written)["error"]
        assert error["code"] == ("invalid_arguments" if "\ud800" in written else "unknown_patient")
        json.dumps(error, ensure_ascii=False).encode()


def test_nothing_of_a_record_is_logged_printed_or_put_into_an_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "Xyzzyname"
    person = {"resourceType": "Patient", "id": secret, "name": [{"text": secret}], "birthDate": secret}
    broken = {"resourceType": "Condition", "id": secret, "subject": {"reference": secret}, "code": {"text": secret}}
    (tmp_path / f"{secret}.json").write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": person}]}))
    (tmp_path / "bad.json").write_text(f'{{"{secret}": ')
    (tmp_path / "more.ndjson").write_text(json.dumps(broken) + f"\n{secret}\n")
    with caplog.at_level(logging.DEBUG):
        tool = tools.registry(records=tmp_path)["read_patient_record"]
        results = [ask(tool, written) for written in ("someone", "nobody")]
    captured = capfd.readouterr()
    assert (caplog.text, captured.out, captured.err) == ("", "", "")
    assert secret not in json.dumps(results)


def test_an_error_of_the_index_file_names_no_one(tmp_path: Path) -> None:
    cache = tmp_path / "index.sqlite"
    tool = tools.registry(index=cache)["read_patient_record"]
    connection = sqlite3.connect(cache)
    connection.execute("DROP TABLE entry")
    connection.commit()
    connection.close()
    [result] = tools.run(
        [{"name": tool.name, "arguments": {"patient": "patient-001", "sections": ["labs"]}}], {tool.name: tool}
    )
    assert result["error"]["code"] == "records_unavailable"
    assert "Smith" not in json.dumps(result)
