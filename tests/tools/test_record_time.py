"""The record as of a date, what is active, and ages: "now" is always an argument."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tools
from tools.chart.dates import age_on, at_or_after, at_or_before, dates_in

SECTIONS = list(tools.argument_schemas()["read_patient_record"]["properties"]["sections"]["items"]["enum"])
READ = tools.registry()["read_patient_record"]


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", "name": [{"text": "Ada Byron"}], "birthDate": "1980-05-20", **more}


def about(kind: str, identity: str, **more: Any) -> dict[str, Any]:
    subject = "patient" if kind in ("AllergyIntolerance", "Immunization") else "subject"
    return {"resourceType": kind, "id": identity, subject: {"reference": "Patient/p"}, **more}


def status(code: str) -> dict[str, Any]:
    return {"coding": [{"code": code}]}


def condition(identity: str, name: str, **more: Any) -> dict[str, Any]:
    return about("Condition", identity, code={"text": name}, **more)


def order(identity: str, drug: str, day: str | None, state: str = "active", **more: Any) -> dict[str, Any]:
    dated = {"authoredOn": day} if day else {}
    concept = {"text": drug}
    return about("MedicationRequest", identity, status=state, medicationCodeableConcept=concept, **dated, **more)


def lab(identity: str, day: str, value: float, **more: Any) -> dict[str, Any]:
    code = {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]}
    quantity = {"value": value, "unit": "mg/dL"}
    return about(
        "Observation", identity, status="final", code=code, effectiveDateTime=day, valueQuantity=quantity, **more
    )


def read(folder: Path, *resources: Any, sections: Any = ("conditions",), **arguments: Any) -> dict[str, Any]:
    lines = "\n".join(map(json.dumps, resources))
    (folder / "record.ndjson").write_text(lines, encoding="utf-8")
    tool = tools.registry(records=folder)["read_patient_record"]
    return tool.call({"patient": "p", "sections": list(sections), **arguments})


def shown(result: dict[str, Any], section: str) -> list[dict[str, Any]]:
    assert result["status"] == "ok", result
    found: list[dict[str, Any]] = result["sections"][section]["entries"]
    return found


def names(result: dict[str, Any], section: str) -> list[str]:
    return [entry["name"] for entry in shown(result, section)]


def test_only_what_is_active_or_only_what_is_not_is_shown(tmp_path: Path) -> None:
    resources = [
        patient(),
        condition("1", "asthma", clinicalStatus=status("active")),
        condition("2", "eczema", clinicalStatus=status("relapse")),
        condition("3", "measles", clinicalStatus=status("resolved")),
        order("4", "metformin", "2020-01-01"),
        order("5", "warfarin", "2020-01-01", "on-hold"),
        order("6", "codeine", "2020-01-01", doNotPerform=True),
    ]
    both = ("conditions", "medications")
    active = read(tmp_path, *resources, sections=both, status="active")
    assert (names(active, "conditions"), names(active, "medications")) == (["asthma", "eczema"], ["metformin"])
    inactive = read(tmp_path, *resources, sections=both, status="inactive")
    assert (names(inactive, "conditions"), sorted(names(inactive, "medications"))) == (
        ["measles"],
        ["codeine", "warfarin"],
    )


def test_a_refuted_allergy_is_never_active(tmp_path: Path) -> None:
    allergy = about("AllergyIntolerance", "1", code={"text": "penicillin"}, clinicalStatus=status("active"))
    wrong = {**allergy, "id": "2", "code": {"text": "latex"}, "verificationStatus": status("refuted")}
    unsure = {**allergy, "id": "3", "code": {"text": "nuts"}, "verificationStatus": status("unconfirmed")}
    result = read(tmp_path, patient(), allergy, wrong, unsure, sections=["allergies"], status="active")
    assert names(result, "allergies") == ["nuts", "penicillin"]
    assert [entry.get("detail") for entry in shown(result, "allergies")] == ["unconfirmed", None]


def test_an_entry_without_status_is_shown_either_way_and_said_to_be(tmp_path: Path) -> None:
    allergy = about("AllergyIntolerance", "1", code={"text": "penicillin"})
    for wanted in ("active", "inactive"):
        result = read(tmp_path, patient(), allergy, sections=["allergies"], status=wanted)
        assert names(result, "allergies") == ["penicillin"]
        assert "1 entry shown without a recorded status." in result["notes"]


def test_sections_that_know_no_active_are_shown_whole_and_said_to_be(tmp_path: Path) -> None:
    result = read(tmp_path, patient(), lab("1", "2020-01-01", 1.1), sections=["labs"], status="inactive")
    assert len(shown(result, "labs")) == 1
    assert "Active or inactive does not apply to labs: shown whole." in result["notes"]


def test_a_view_of_a_date_shows_nothing_later(tmp_path: Path) -> None:
    labs = [lab("1", "2019-03-01", 1.0), lab("2", "2020-03-01T08:00:00Z", 1.2), lab("3", "2021-03-01", 1.4)]
    result = read(tmp_path, patient(), *labs, sections=["labs"], as_of="2020-06-01")
    assert [entry["value"] for entry in shown(result, "labs")] == [1.2, 1.0]
    assert result["as_of"] == "2020-06-01"
    latest = read(tmp_path, patient(), *labs, sections=["labs"], as_of="2020-06-01", codes=["SCr"], latest_only=True)
    assert [entry["value"] for entry in shown(latest, "labs")] == [1.2]
    assert latest["codes"][0]["found"] == 2


def test_a_result_issued_after_the_date_was_not_known_on_it(tmp_path: Path) -> None:
    late = lab("1", "2020-05-31", 9.9, issued="2020-06-02T10:00:00Z")
    result = read(tmp_path, patient(), late, sections=["labs"], as_of="2020-06-01")
    assert shown(result, "labs") == []
    assert "1 entry dated by 2020-06-01 but recorded later left out." in result["notes"]


def test_a_condition_that_ended_later_was_active_then(tmp_path: Path) -> None:
    ended = condition(
        "1",
        "pneumonia",
        clinicalStatus=status("resolved"),
        onsetDateTime="2020-01-10",
        abatementDateTime="2020-02-10",
    )
    then = read(tmp_path, patient(), ended, as_of="2020-01-20", status="active")
    assert shown(then, "conditions")[0]["status"] == "active"
    assert "2020-02-10" not in json.dumps(then)
    after = read(tmp_path, patient(), ended, as_of="2020-03-01")
    assert (shown(after, "conditions")[0]["status"], shown(after, "conditions")[0]["detail"]) == (
        "resolved",
        "ended 2020-02-10",
    )


def test_a_status_whose_change_has_no_date_is_said_to_be_the_present_one(tmp_path: Path) -> None:
    stopped = order("1", "metformin", "2019-01-01", "stopped")
    result = read(tmp_path, patient(), stopped, sections=["medications"], as_of="2020-01-01")
    assert shown(result, "medications")[0]["status"] == "stopped"
    assert "1 entry shown with the present status; when it changed is not recorded." in result["notes"]


def test_undated_entries_are_left_out_of_a_view_and_counted(tmp_path: Path) -> None:
    result = read(tmp_path, patient(), order("1", "metformin", None), sections=["medications"], as_of="2020-01-01")
    assert shown(result, "medications") == []
    assert "1 entry without a date left out as of 2020-01-01." in result["notes"]


@pytest.mark.parametrize(
    ("day", "age", "unit"),
    [
        ("2020-05-19", 39, "years"),
        ("2020-05-20", 40, "years"),
        ("1982-05-19", 23, "months"),
        ("1982-05-20", 2, "years"),
        ("1980-06-16", 27, "days"),
        ("1980-06-17", 0, "months"),
        ("1980-05-20", 0, "days"),
    ],
)
def test_ages_are_those_of_the_date(tmp_path: Path, day: str, age: int, unit: str) -> None:
    result = read(tmp_path, patient(), sections=["demographics"], as_of=day)
    assert (result["patient"]["age"], result["patient"]["age_unit"]) == (age, unit)
    assert {"name": "age", "value": age, "unit": unit, "source": "Patient/p"} in shown(result, "demographics")


def test_without_a_date_no_age_is_claimed(tmp_path: Path) -> None:
    result = read(tmp_path, patient(), sections=["demographics"])
    assert "age" not in result["patient"] and "age" not in names(result, "demographics")


def test_a_date_before_birth_is_refused(tmp_path: Path) -> None:
    error = read(tmp_path, patient(), as_of="1980-05-19")["error"]
    assert (error["code"], error["place"]) == ("invalid_range", "/as_of")
    assert "1980-05-20" in error["expected"]


def test_a_range_that_begins_after_the_view_is_refused(tmp_path: Path) -> None:
    error = read(tmp_path, patient(), as_of="2020-01-01", **{"from": "2020-01-02"})["error"]
    assert (error["code"], error["place"]) == ("invalid_range", "/from")


def test_death_is_known_from_its_day_on_and_stops_the_age(tmp_path: Path) -> None:
    dead = patient(deceasedDateTime="2021-07-01T03:00:00Z")
    alive = read(tmp_path, dead, sections=["demographics"], as_of="2021-06-30")
    assert "deceased" not in alive["patient"] and "2021-07-01" not in json.dumps(alive)
    assert alive["patient"]["age"] == 41
    later = read(tmp_path, dead, sections=["demographics"], as_of="2030-01-01")
    assert (later["patient"]["deceased"], later["patient"]["age"]) == ("2021-07-01", 41)
    assert "age at death" in names(later, "demographics")
    assert "deceased at 41 years" in tools.summarise("read_patient_record", later)


def test_a_death_without_a_date_gives_no_age_and_is_said_to_have_none(tmp_path: Path) -> None:
    result = read(tmp_path, patient(deceasedBoolean=True), sections=["demographics"], as_of="2020-01-01")
    assert "age" not in result["patient"]
    assert any("deceased without a date" in note for note in result["notes"])


def test_active_orders_of_the_dead_are_pointed_out_only_once_they_are_dead(tmp_path: Path) -> None:
    resources = (patient(deceasedDateTime="2021-07-01"), order("1", "digoxin", "2021-01-01"))
    dead, alive = (
        read(tmp_path, *resources, sections=["medications"], as_of=day) for day in ("2022-01-01", "2021-02-01")
    )
    assert [any("still marked active" in note for note in result["notes"]) for result in (dead, alive)] == [True, False]


def test_a_missing_dosage_is_pointed_out(tmp_path: Path) -> None:
    dosed = order("2", "digoxin", "2021-01-01", dosageInstruction=[{"text": "once a day"}])
    result = read(tmp_path, patient(), order("1", "metformin", "2021-01-01"), dosed, sections=["medications"])
    assert "1 active medication has no dosage recorded." in result["notes"]


@pytest.mark.parametrize("person", tools.patients(), ids=lambda person: person.id)
def test_no_later_date_is_in_any_shipped_record_as_of_a_day(person: tools.PatientName) -> None:
    call = {"patient": person.id, "sections": SECTIONS, "limit": 100}
    days = sorted({e["date"] for s in READ.call(call)["sections"].values() for e in s["entries"] if "date" in e})
    for day in days[:: max(1, len(days) // 4)]:
        result = READ.call({**call, "as_of": day})
        dates = [
            entry["date"] for section in result["sections"].values() for entry in section["entries"] if "date" in entry
        ]
        assert all(found <= day for found in dates)
        assert {day} <= set(dates)


day = st.dates(date(1900, 1, 1), date(2100, 1, 1))


@given(day, st.integers(0, 40_000))
def test_an_age_agrees_with_counting_birthdays(born: date, days: int) -> None:
    on = born + timedelta(days=days)
    age = age_on(born.isoformat(), on.isoformat())
    assert age is not None
    count, unit = age
    if unit == "years":
        birthdays = sum(
            1
            for year in range(born.year + 1, on.year + 1)
            if (year, born.month, born.day) <= (on.year, on.month, on.day)
        )
        assert count == birthdays >= 2
    elif unit == "months":
        assert days >= 28 and count < 24 and days // 31 <= count <= days / 28
    else:
        assert count == days < 28


@given(day, day)
def test_a_partial_birth_date_gives_an_age_only_when_no_day_of_it_disagrees(born: date, on: date) -> None:
    for partial in (born.isoformat()[:7], born.isoformat()[:4]):
        found = age_on(partial, on.isoformat())
        if found is not None and on >= born:
            assert found == age_on(born.isoformat(), on.isoformat())


@given(day, day, st.sampled_from((4, 7, 10)), st.sampled_from((4, 7, 10)))
def test_dates_compare_as_far_as_both_say_something(left: date, right: date, some: int, other: int) -> None:
    a, b = left.isoformat()[:some], right.isoformat()[:other]
    if left <= right:
        assert at_or_before(a, b) and at_or_after(b, a)
    assert at_or_before(a, b) or at_or_after(a, b)


FORMS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d %B %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%b %d %Y",
    "%dth of %B %Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
)


@settings(max_examples=60)
@given(day, st.sampled_from(FORMS))
def test_a_birth_date_is_read_as_people_write_it(when: date, form: str) -> None:
    found, rest = dates_in(f"Ada Byron born {when.strftime(form)}")
    assert when.isoformat() in found[0]
    assert rest.split() == ["Ada", "Byron", "born"]


@pytest.mark.parametrize("written", ["1980-05-20", "20 May 1980", "May 20th, 1980", "5/20/1980", "20.05.1980"])
def test_a_namesake_is_told_apart_by_a_birth_date_in_any_of_its_forms(tmp_path: Path, written: str) -> None:
    other = {**patient(), "id": "q", "birthDate": "1981-05-20"}
    (tmp_path / "record.ndjson").write_text(f"{json.dumps(patient())}\n{json.dumps(other)}", encoding="utf-8")
    tool = tools.registry(records=tmp_path)["read_patient_record"]
    result = tool.call({"patient": f"Ada Byron, {written}", "sections": ["demographics"]})
    assert (result["patient"]["id"], result["patient"]["matched_by"]) == ("p", "name_and_birth_date")
