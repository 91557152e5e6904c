"""Reading records: who is meant, what is selected, what must not come out."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

import tools
from tools.chart.read import Reader

READ = tools.registry()["read_patient_record"]


def read(patient: str, *sections: str, **options: Any) -> dict[str, Any]:
    return READ.call({"patient": patient, "sections": list(sections), **options})


def entries(result: dict[str, Any], section: str) -> list[dict[str, Any]]:
    assert result["status"] == "ok", result
    found: list[dict[str, Any]] = result["sections"][section]["entries"]
    return found


@pytest.mark.parametrize("patient", tools.patients(), ids=lambda patient: patient.id)
def test_every_shipped_patient_has_what_a_reader_is_asked_for(patient: tools.PatientName) -> None:
    for written in (patient.id, patient.mrn, f"{patient.name} {patient.birth_date}"):
        assert read(written, "demographics")["patient"]["id"] == patient.id
    result = read(patient.mrn, "medications", "encounters", "immunizations", "procedures", "labs", "vitals")
    assert all(content["entries"] for content in result["sections"].values())
    chosen = ["creatinine", "potassium", "weight", "height", "blood pressure"]
    latest = read(patient.mrn, "labs", "vitals", codes=chosen, latest_only=True)
    assert [code["found"] > 0 for code in latest["codes"]] == [True] * 5
    assert latest["sections"]["labs"]["total"] == 2
    assert latest["sections"]["vitals"]["total"] == 3


@pytest.mark.parametrize("written", ["María Ortega", "maria ortega", "ORTEGA, María", "Ms. Maria Ortega", "Ortega"])
def test_a_name_is_found_without_accents_case_or_order(written: str) -> None:
    assert read(written, "demographics")["patient"]["name"] == "María Ortega"


def test_none_one_and_many_matches_are_told_apart() -> None:
    assert read("Nobody Known", "labs")["error"]["code"] == "unknown_patient"
    many = read("John Smith", "labs")["error"]
    assert many["code"] == "ambiguous_patient"
    born = sorted(p.birth_date for p in tools.patients() if p.name == "John Smith")
    assert all(date in many["message"] for date in born)
    one = read(f"John Smith born {born[0]}", "labs")
    assert one["patient"]["birth_date"] == born[0]
    assert one["patient"]["matched_by"] == "name_and_birth_date"


def test_everyday_names_and_loinc_codes_select_the_same_entries() -> None:
    by_name = read("María Ortega", "labs", codes=["A1c"])
    by_code = read("María Ortega", "labs", codes=["4548-4"])
    assert entries(by_name, "labs") == entries(by_code, "labs")
    assert by_name["codes"][0]["resolved"] == "hemoglobin A1c"


def test_a_known_test_without_values_differs_from_an_unknown_word() -> None:
    known, unknown = (read("María Ortega", "labs", codes=[code])["notes"][0] for code in ("INR", "flubber"))
    assert known.startswith("Nothing recorded for INR")
    assert "known here" not in known
    assert "no test name or code known here" in unknown


def test_dates_and_limits_narrow_the_entries() -> None:
    every = entries(read("María Ortega", "labs", codes=["creatinine"]), "labs")
    assert len(every) == 2
    newest, oldest = every
    assert newest["date"] > oldest["date"]
    only = read("María Ortega", "labs", codes=["creatinine"], **{"from": newest["date"], "to": newest["date"]})
    assert entries(only, "labs") == [newest]
    assert (
        read("María Ortega", "labs", **{"from": "2030-01-01", "to": "2020-01-01"})["error"]["code"] == "invalid_range"
    )
    few = read("María Ortega", "labs", limit=3)["sections"]["labs"]
    assert few["returned"] == 3 < few["total"]


def test_the_same_order_many_times_is_one_line_with_a_count() -> None:
    orders = entries(read("Karen Moore", "medications"), "medications")
    assert [order["orders"] for order in orders if order["status"] == "active"] == [2, 2]


def test_a_deceased_patient_with_active_orders_is_pointed_out() -> None:
    result = read("Thomas Martin", "medications")
    assert any("deceased" in note for note in result["notes"])


PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"given": ["José12"], "family": "Peña34"}, {"given": ["Pepe"], "family": "Peña34"}],
    "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": "77-1"}],
    "birthDate": "1950-02",
    "deceasedBoolean": True,
}


def observation(identity: str, code: str, date: str, **value: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": "Crea\u200btinine"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": date,
        **value,
    }


def bundle(*resources: Any) -> str:
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]})


def open_folder(folder: Path, *resources: Any, patients: Any = None) -> tools.Tool:
    (folder / "one.json").write_text(bundle(PATIENT, *resources), encoding="utf-8")
    return tools.registry(records=folder, patients=patients)["read_patient_record"]


def quantity(value: object, unit: str = "mg/dL") -> dict[str, Any]:
    return {"valueQuantity": {"value": value, "unit": unit}}


def test_two_loinc_families_of_one_test_are_one_history(tmp_path: Path) -> None:
    tool = open_folder(
        tmp_path,
        observation("a", "38483-4", "2020-01-01", **quantity(1.1)),
        observation("b", "2160-0", "2021-01-01", **quantity(1.3)),
    )
    call = {"patient": "p1", "sections": ["labs"], "codes": ["creatinine"], "latest_only": True}
    assert [entry["value"] for entry in entries(tool.call(call), "labs")] == [1.3]


def test_blood_pressure_in_components_is_one_reading(tmp_path: Path) -> None:
    parts = [
        {"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, **quantity(value, "mmHg")}
        for code, value in (("8462-4", 81), ("8480-6", 128.04))
    ]
    pressure = observation("bp", "55284-4", "2020-01-01", component=parts)
    pressure["category"] = [{"coding": [{"code": "vital-signs"}]}]
    [entry] = entries(open_folder(tmp_path, pressure).call({"patient": "p1", "sections": ["vitals"]}), "vitals")
    assert (entry["name"], entry["value"], entry["unit"]) == ("blood pressure", "128/81", "mmHg")


def test_names_with_digits_other_names_and_invisible_characters_are_read(tmp_path: Path) -> None:
    tool = open_folder(tmp_path, observation("a", "9999-9", "2020-01-01", **quantity(1)))
    for written in ("Jose Pena", "Pepe Peña", "77-1", "MRN 77-1", "patient p1", "Jose Pena (MRN 77-1)", "MRN: 77-1."):
        result = tool.call({"patient": written, "sections": ["labs"]})
        assert result["status"] == "ok", written
    assert entries(result, "labs")[0]["name"] == "Creatinine"
    assert result["patient"]["deceased"] == "yes"


def test_medication_references_and_structured_doses_are_put_into_words(tmp_path: Path) -> None:
    medication = {"resourceType": "Medication", "id": "m", "code": {"text": "Digoxin 125 MCG Tablet"}}
    dosage = {
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
        "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
        "asNeededBoolean": True,
    }
    order = {
        "resourceType": "MedicationRequest",
        "id": "o",
        "status": "active",
        "medicationReference": {"reference": "Medication/m"},
        "subject": {"reference": "Patient/p1"},
        "dosageInstruction": [dosage],
    }
    [entry] = entries(
        open_folder(tmp_path, medication, order).call({"patient": "p1", "sections": ["medications"]}),
        "medications",
    )
    assert entry["name"] == "Digoxin 125 MCG Tablet"
    assert entry["detail"] == "1 tablet, 2 per 1 d, as needed"


def test_entries_marked_entered_in_error_are_not_shown(tmp_path: Path) -> None:
    wrong = observation("a", "2160-0", "2020-01-01", **quantity(99))
    wrong["status"] = "entered-in-error"
    assert entries(open_folder(tmp_path, wrong).call({"patient": "p1", "sections": ["labs"]}), "labs") == []


@pytest.mark.parametrize(
    "junk",
    [
        None,
        7,
        {},
        {"resourceType": "Observation"},
        {"resourceType": "Observation", "subject": {"reference": "Patient/p1"}, "code": "x", "id": "q"},
        {"resourceType": 3},
        observation("a", "2160-0", "2020-01-01", valueQuantity={"value": "QNS"}),
        {"resourceType": "Condition", "subject": {"reference": 5}, "code": {"text": "x"}, "id": "q"},
    ],
)
def test_a_malformed_resource_is_counted_and_its_neighbours_are_read(tmp_path: Path, junk: Any) -> None:
    tool = open_folder(tmp_path, junk, observation("ok", "2160-0", "2020-01-01", **quantity(1)))
    result = tool.call({"patient": "p1", "sections": ["labs"]})
    assert [entry["value"] for entry in entries(result, "labs")] == [1]
    assert any(note.startswith("1 resource") for note in result["notes"])


def test_a_file_that_is_not_json_is_counted_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe secret")
    tool = open_folder(tmp_path)
    result = tool.call({"patient": "p1", "sections": ["labs"]})
    assert "1 record file could not be read." in result["notes"]
    assert "secret" not in json.dumps(result)


def test_bulk_export_lines_are_read(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_text(json.dumps(PATIENT) + "\n", encoding="utf-8")
    line = json.dumps(observation("a", "2160-0", "2020-01-01", **quantity(1.5)))
    (tmp_path / "Observation.ndjson").write_text(line + "\n\n", encoding="utf-8")
    tool = tools.registry(records=tmp_path)["read_patient_record"]
    assert entries(tool.call({"patient": "p1", "sections": ["labs"]}), "labs")[0]["value"] == 1.5


def test_a_changed_file_is_read_again_and_changes_the_data_version(tmp_path: Path) -> None:
    tool = open_folder(tmp_path, observation("a", "2160-0", "2020-01-01", **quantity(1)))
    first = tool.call({"patient": "p1", "sections": ["labs"]})
    (tmp_path / "one.json").write_text(bundle(PATIENT, observation("a", "2160-0", "2020-01-01", **quantity(2.25))))
    second = tool.call({"patient": "p1", "sections": ["labs"]})
    assert [entries(result, "labs")[0]["value"] for result in (first, second)] == [1, 2.25]
    assert first["data_version"] != second["data_version"]
    (tmp_path / "one.json").unlink()
    assert tool.call({"patient": "p1", "sections": ["labs"]})["error"]["code"] == "unknown_patient"


def test_a_cache_file_gives_the_same_answers(tmp_path: Path) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "one.json").write_text(bundle(PATIENT, observation("a", "2160-0", "2020-01-01", **quantity(1))))
    request = {"patient": "p1", "sections": ["labs"]}
    answers = [Reader(folder, cache=tmp_path / "index.sqlite").read(request) for _ in range(2)]
    assert answers[0] == answers[1] == Reader(folder).read(request)


def test_a_reader_opened_for_some_patients_refuses_everyone_else_alike() -> None:
    scoped = tools.registry(patients=["patient-003"])["read_patient_record"]
    assert scoped.call({"patient": "María Ortega", "sections": ["labs"]})["status"] == "ok"
    refusals = [
        scoped.call({"patient": written, "sections": ["labs"]})["error"]
        for written in ("patient-001", "4410037", "Karen Moore", "John Smith", "Nobody Known")
    ]
    assert {error["code"] for error in refusals} == {"outside_scope"}
    assert len({error["message"].replace(error["found"], "") for error in refusals}) == 1


@pytest.mark.parametrize(
    "written", ["../one", "/etc/passwd", "one.json", "file:///etc/passwd", "..", "%2e%2e", "' OR 1=1 --", "%"]
)
def test_nothing_written_as_a_patient_reaches_a_file_or_the_query(tmp_path: Path, written: str) -> None:
    assert open_folder(tmp_path).call({"patient": written, "sections": ["labs"]})["error"]["code"] == "unknown_patient"


def test_a_link_that_leads_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "records"
    outside.mkdir()
    folder.mkdir()
    (outside / "other.json").write_text(bundle(PATIENT), encoding="utf-8")
    (folder / "link.json").symlink_to(outside / "other.json")
    tool = tools.registry(records=folder)["read_patient_record"]
    assert tool.call({"patient": "p1", "sections": ["labs"]})["error"]["code"] == "unknown_patient"


def test_a_missing_folder_is_an_error_that_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(tools.RecordError, match="not a folder; expected FHIR R4 bundles"):
        tools.registry(records=tmp_path / "nowhere")


def test_nothing_of_a_record_is_logged_or_printed(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        read("María Ortega", "demographics", "labs", "medications")
        read("John Smith", "labs")
    captured = capfd.readouterr()
    assert (caplog.text, captured.out, captured.err) == ("", "", "")


def test_the_shipped_records_are_marked_synthetic_and_small() -> None:
    folder = Path(tools.__file__).with_name("records")
    files = sorted(folder.glob("*.json"))
    assert len(files) == 20
    assert sum(path.stat().st_size for path in files) < 2_500_000
    for path in files:
        for entry in json.loads(path.read_text(encoding="utf-8"))["entry"]:
            assert entry["resource"]["meta"]["security"][0]["code"] == "HTEST"


def test_the_shipped_records_are_valid_fhir() -> None:
    module = pytest.importorskip("fhir.resources.R4B.bundle", reason="fhir.resources is a development extra")
    for path in Path(tools.__file__).with_name("records").glob("*.json"):
        module.Bundle.model_validate_json(path.read_text(encoding="utf-8"))


def test_the_shipped_records_come_from_the_committed_generator() -> None:
    pytest.importorskip("carebundle", reason="carebundle is a development extra")
    from tools.synthesise import people, synthesise

    shipped = json.loads((Path(tools.__file__).with_name("records") / "patient-003.json").read_text(encoding="utf-8"))
    assert synthesise(people()[2], 3) == shipped


def test_a_worked_chain_goes_from_the_record_to_a_dose() -> None:
    chart = read(
        "Patricia White",
        "labs",
        "vitals",
        "medications",
        codes=["creatinine", "weight", "warfarin", "amiodarone"],
        latest_only=True,
    )
    creatinine, weight = entries(chart, "labs")[0], entries(chart, "vitals")[0]
    drugs = [entry["name"] for entry in entries(chart, "medications")]
    screen, clearance = tools.run(
        [
            {"name": "check_drug_interactions", "arguments": {"drugs": drugs}},
            {
                "name": "calculate_dose",
                "arguments": {
                    "calculation": "creatinine_clearance",
                    "age": 66,
                    "sex": "female",
                    "weight": weight["value"],
                    "weight_unit": weight["unit"],
                    "creatinine": creatinine["value"],
                    "creatinine_unit": creatinine["unit"],
                },
            },
        ]
    )
    assert screen["highest_severity"] == "major"
    dose = {
        "calculation": "drug_dose",
        "drug": "enoxaparin",
        "indication": "prophylaxis",
        "age": 66,
        "age_unit": "years",
        "weight": weight["value"],
        "weight_unit": "kg",
        "creatinine_clearance": clearance["value"],
    }
    [final] = tools.run([{"name": "calculate_dose", "arguments": dose}])
    assert final["value"] == (30 if clearance["value"] < 30 else 40)
