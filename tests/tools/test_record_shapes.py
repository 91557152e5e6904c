"""What real and broken resources become: references, components, names, and junk that must never stop a reading."""

from __future__ import annotations

import copy
import importlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tools
from tools.chart.bundle import parse, read_bytes, read_resources, resources_of
from tools.chart.names import name_words
from tools.chart.sections import READERS
from tools.chart.valid import problem

RECORDS = Path(tools.__file__).with_name("records")
PATIENT = {"resourceType": "Patient", "id": "1", "name": [{"given": ["Ada"], "family": "Byron"}]}
EVERYTHING = list(tools.argument_schemas()["read_patient_record"]["properties"]["sections"]["items"]["enum"])


def observation(identity: str, subject: str, value: float = 1.5, code: str = "2160-0", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": identity,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": subject},
        "effectiveDateTime": "2020-01-01",
        "valueQuantity": {"value": value, "unit": "mg/dL"},
        **more,
    }


def reader(folder: Path, *resources: Any, urls: dict[int, str] | None = None) -> tools.Tool:
    entries = [
        {**({"fullUrl": urls[number]} if urls and number in urls else {}), "resource": resource}
        for number, resource in enumerate(resources)
    ]
    (folder / "one.json").write_text(json.dumps({"resourceType": "Bundle", "entry": entries}), encoding="utf-8")
    return tools.registry(records=folder)["read_patient_record"]


def values(tool: tools.Tool, patient: str = "1", section: str = "labs", **more: Any) -> list[Any]:
    result = tool.call({"patient": patient, "sections": [section], **more})
    assert result["status"] == "ok", result
    return [entry.get("value") for entry in result["sections"][section]["entries"]]


@pytest.mark.parametrize(
    "subject",
    [
        "Patient/1",
        "https://host/fhir/Patient/1",
        "Patient/1/_history/7",
        "https://host/fhir/Patient/1/_history/7",
        "urn:uuid:aaaa",
        "Patient?identifier=urn:x|77",
        "Patient?identifier=77",
    ],
)
def test_a_subject_is_the_patient_however_it_is_referred_to(tmp_path: Path, subject: str) -> None:
    patient = {**PATIENT, "identifier": [{"system": "urn:x", "value": "77"}]}
    tool = reader(tmp_path, patient, observation("a", subject), urls={0: "urn:uuid:aaaa"})
    assert values(tool) == [1.5]


def test_a_patient_without_an_id_is_known_by_its_urn(tmp_path: Path) -> None:
    nameless = {key: value for key, value in PATIENT.items() if key != "id"}
    tool = reader(tmp_path, nameless, observation("a", "urn:uuid:aaaa"), urls={0: "urn:uuid:aaaa"})
    assert values(tool, "aaaa") == [1.5]


@pytest.mark.parametrize("subject", ["Group/1", "Device/1", "Location/1", "https://host/fhir/Group/1", "urn:uuid:g"])
def test_what_is_about_no_patient_never_lands_in_the_record_of_one(tmp_path: Path, subject: str) -> None:
    group = {"resourceType": "Group", "id": "1"}
    tool = reader(tmp_path, PATIENT, observation("a", subject), group, urls={2: "urn:uuid:g"})
    assert values(tool) == []


@pytest.mark.parametrize("subject", ["", "somebody", "Patient?identifier=none", "Patient?name=Ada"])
def test_a_subject_that_cannot_be_followed_is_left_out_and_counted(tmp_path: Path, subject: str) -> None:
    tool = reader(tmp_path, PATIENT, observation("a", subject))
    result = tool.call({"patient": "1", "sections": ["labs"]})
    assert result["sections"]["labs"]["total"] == 0
    assert any(note.startswith("1 resource") for note in result["notes"])


def pressure(identity: str, day: str, **parts: float) -> dict[str, Any]:
    codes = {"top": "8480-6", "bottom": "8462-4"}
    component = [
        {"code": {"coding": [{"system": "http://loinc.org", "code": codes[name]}]}, "valueQuantity": {"value": value}}
        for name, value in parts.items()
    ]
    whole = observation(identity, "Patient/1", code="85354-9", component=component, effectiveDateTime=day)
    del whole["valueQuantity"]
    return whole


def test_a_pressure_with_one_part_missing_is_not_put_together(tmp_path: Path) -> None:
    tool = reader(
        tmp_path, PATIENT, pressure("a", "2020-01-02", top=131.4), pressure("b", "2020-01-01", bottom=80, top=120)
    )
    result = tool.call({"patient": "1", "sections": ["vitals"], "codes": ["BP"]})
    shown = [(entry["name"], entry["value"]) for entry in result["sections"]["vitals"]["entries"]]
    assert shown == [("systolic blood pressure", 131.4), ("blood pressure", "120/80")]


def test_systolic_and_diastolic_kept_as_two_observations_are_two_readings(tmp_path: Path) -> None:
    tool = reader(
        tmp_path,
        PATIENT,
        observation("a", "Patient/1", 128, "8480-6"),
        observation("b", "Patient/1", 81, "8462-4"),
    )
    assert sorted(values(tool, section="vitals", codes=["blood pressure"], latest_only=True)) == [81, 128]
    assert values(tool, section="vitals", codes=["systolic"], latest_only=True) == [128]
    assert values(tool, section="vitals", codes=["8462-4"]) == [81]


def test_one_resource_kept_in_two_files_is_shown_once(tmp_path: Path) -> None:
    tool = reader(tmp_path, PATIENT, observation("a", "Patient/1"))
    (tmp_path / "two.json").write_bytes((tmp_path / "one.json").read_bytes())
    assert values(tool) == [1.5]
    assert tool.call({"patient": "Ada Byron", "sections": ["labs"]})["patient"]["id"] == "1"


def test_two_people_under_one_id_are_not_read_as_one(tmp_path: Path) -> None:
    tool = reader(tmp_path, PATIENT, observation("a", "Patient/1"))
    other = {**PATIENT, "name": [{"text": "Grace Hopper"}]}
    (tmp_path / "two.json").write_text(json.dumps(other), encoding="utf-8")
    error = tool.call({"patient": "1", "sections": ["labs"]})["error"]
    assert error["code"] == "ambiguous_patient" and "mix" in error["message"]


@pytest.mark.parametrize(
    ("recorded", "written"),
    [
        ("José12 Peña34", "jose pena"),
        ("Łukasz Żółć", "Lukasz Zolc"),
        ("Søren Ærø", "soren aero"),
        ("O'Keefe", "O’KEEFE"),
        ("Анна Каренина", "каренина АННА"),
        ("王小明", "王小明"),
        ("Dr. Zoë Müller", "mueller zoe".replace("ue", "u")),
        ("Straße", "STRASSE"),
    ],
)
def test_names_of_any_script_compare_by_their_words(recorded: str, written: str) -> None:
    assert name_words(recorded) == name_words(written) != []


def test_a_former_name_finds_the_patient_and_the_present_one_is_shown(tmp_path: Path) -> None:
    names = [{"use": "maiden", "text": "Ada Lovelock"}, {"use": "official", "text": "Ada Byron"}]
    tool = reader(tmp_path, {**PATIENT, "name": names})
    assert tool.call({"patient": "Lovelock", "sections": ["labs"]})["patient"]["name"] == "Ada Byron"


def test_a_bad_line_of_bulk_data_spoils_only_itself() -> None:
    lines = [json.dumps(PATIENT), "{not json", json.dumps(observation("a", "Patient/1")), '{"a": NaN}', "[" * 100_000]
    contents = read_bytes("\n".join(lines).encode(), lines=True)
    assert (len(contents.patients), len(contents.entries)) == (1, 1)
    assert [out.reason for out in contents.left_out] == ["not JSON"] * 3


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_what_is_not_in_the_json_standard_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match="is not JSON"):
        parse(text)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": None}, "status: missing"),
        ({"subject": {"reference": 7}}, "subject.reference: found a number, expected text"),
        ({"effectiveDateTime": "2020-13-45"}, "effectiveDateTime: found text that is no such thing, expected a date"),
        (
            {"valueQuantity": {"value": "secret"}},
            "valueQuantity.value: found text that is no such thing, expected a number",
        ),
        ({"valueQuantity": {"value": 1e999}}, "valueQuantity.value: found a number, expected a number"),
        ({"valueQuantity": {"value": True}}, "valueQuantity.value: found true or false, expected a number"),
        ({"code": {"text": "\ud800"}}, "code.text: found text that is no such thing, expected text"),
        ({"component": {"code": 1}}, "component: found an object, expected a list"),
        ({"category": ["labs"]}, "category: found text that is no such thing, expected an object"),
    ],
)
def test_what_is_wrong_is_named_by_element_and_kind_never_by_content(change: dict[str, Any], reason: str) -> None:
    assert problem({**observation("a", "Patient/1"), **change}) == reason


def test_the_reasons_stand_in_the_result_of_the_patient_they_concern(tmp_path: Path) -> None:
    broken = observation("a", "Patient/1", valueQuantity={"value": "secret"})
    tool = reader(tmp_path, PATIENT, {**PATIENT, "id": "2"}, broken)
    mine, other = (tool.call({"patient": who, "sections": ["labs"]})["notes"] for who in ("1", "2"))
    assert mine == [
        "1 resource of this patient cannot be read and is left out: Observation: valueQuantity.value: "
        "found text that is no such thing, expected a number (1)."
    ]
    assert other == []


@cache
def shipped() -> tuple[Any, ...]:
    """Every shape of resource that ships, one of each type and code, from three patients."""
    found: dict[str, Any] = {}
    for path in sorted(RECORDS.glob("*.json"))[:3]:
        for entry in json.loads(path.read_text(encoding="utf-8"))["entry"]:
            resource = entry["resource"]
            code = json.dumps(resource.get("code", ""))[:60]
            found.setdefault(f"{resource['resourceType']} {code}", resource)
    return tuple(found.values())


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inside for place in places(part, (*path, key)))]


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["\ud800", "\x00", "2020-02-30", "urn:uuid:", "#", "Patient/", 10**30, 1e308, "9" * 5000]),
    st.lists(st.none() | st.text(max_size=2) | st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3) | st.none(), max_size=2),
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A shipped resource with one to three places replaced by junk or removed."""
    resource = copy.deepcopy(draw(st.sampled_from(shipped())))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(resource)[1:] or [()]))
        if not place:
            break
        target = resource
        for key in place[:-1]:
            target = target[key]
        if draw(st.booleans()):
            target[place[-1]] = draw(JUNK)
        else:
            del target[place[-1]]
    return resource


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(st.lists(mutated() | JUNK, min_size=1, max_size=4))
def test_no_junk_stops_the_reading_or_reaches_a_result_that_leaves_its_schema(tmp_path: Path, junk: list[Any]) -> None:
    good = observation("good", "Patient/1")
    lines = [json.dumps(resource) for resource in (PATIENT, good, *junk)]
    (tmp_path / "all.ndjson").write_text("\n".join(lines), encoding="utf-8")
    tool = tools.registry(records=tmp_path)["read_patient_record"]
    for who in ("1", "patient-001", "patient-002"):
        result = tool.call({"patient": who, "sections": EVERYTHING, "as_of": "2026-01-01", "limit": 100})
        json.dumps(result, allow_nan=False).encode()
        assert result["status"] == "ok" or result["error"]["code"] != "internal_error"
    call = {"patient": "1", "sections": ["labs"], "codes": ["creatinine"]}
    assert 1.5 in [entry.get("value") for entry in tool.call(call)["sections"]["labs"]["entries"]]


COERCED = tuple(  # JSON of another kind than FHIR's, which the library turns into the right one
    f": found {found}, expected {expected}"
    for found, expected in (
        ("a number", "a date"),
        ("text that is no such thing", "a number"),
        ("true or false", "a number"),
        ("text that is no such thing", "a boolean"),
        ("a number", "a boolean"),
    )
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_what_an_independent_fhir_library_accepts_is_never_left_out_as_invalid(resource: Any) -> None:
    models = pytest.importorskip("fhir.resources.R4B", reason="fhir.resources is a development extra")
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if kind not in (*READERS, "Patient"):
        return
    model = getattr(importlib.import_module(f"{models.__name__}.{kind.lower()}"), kind)
    try:
        model.model_validate(resource)
    except Exception:
        return  # what it refuses may still be readable here: elements that are not read are not judged
    reason = problem(resource) or ""
    assert reason in ("", "subject: missing", "patient: missing", "code: missing") or reason.endswith(COERCED), reason


def test_every_shipped_resource_is_valid_and_shown() -> None:
    for path in RECORDS.glob("*.json"):
        contents = read_resources(list(resources_of(json.loads(path.read_text(encoding="utf-8")))))
        assert contents.left_out == []
        assert len(contents.patients) == 1 and len(contents.entries) > 40
