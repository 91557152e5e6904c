"""The door: schemas, calls, isolation, summaries."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tools

REGISTRY = tools.registry()
NAMES = ("check_drug_interactions", "calculate_dose", "read_patient_record")


def schema_keys(name: str) -> list[str]:
    return list(tools.argument_schemas()[name].get("properties", {}))


def test_the_three_tools_are_registered_under_their_names() -> None:
    assert tuple(REGISTRY) == NAMES
    assert all(REGISTRY[name].description for name in NAMES)


def test_argument_schemas_keep_the_agreed_keys_in_order() -> None:
    assert schema_keys("check_drug_interactions") == ["drugs", "min_severity", "include_food_herbal"]
    assert schema_keys("read_patient_record") == [
        "patient",
        "sections",
        "codes",
        "from",
        "to",
        "latest_only",
        "limit",
        "status",
        "as_of",
    ]
    branches = {
        branch["properties"]["calculation"]["const"]: list(branch["properties"])
        for branch in tools.argument_schemas()["calculate_dose"]["oneOf"]
    }
    assert branches["drug_dose"][1:8] == [  # what came later stands behind
        "drug", "indication", "age", "age_unit", "weight", "weight_unit", "creatinine_clearance",
    ]  # fmt: skip
    assert branches["egfr"] == ["calculation", "age", "sex", "creatinine", "creatinine_unit"]
    assert len(branches) >= 10


def test_what_comes_from_the_request_is_marked_in_the_schemas() -> None:
    text = json.dumps(tools.call_schema())
    assert text.count('"x-from": "conversation"') >= 30
    assert tools.argument_schemas()["check_drug_interactions"]["properties"]["drugs"]["x-distinct"] is True
    for branch in tools.argument_schemas()["calculate_dose"]["oneOf"]:
        for name, schema in branch["properties"].items():
            assert (schema.get("type") == "number") <= (schema.get("x-from") == "conversation"), name


def test_all_schemas_are_valid_json_schema() -> None:
    check = jsonschema.Draft202012Validator.check_schema
    check(tools.call_schema())
    for tool in REGISTRY.values():
        check(tool.arguments_schema)
        check(tool.result_schema)
    for definition in tools.openai_tools():
        assert definition["function"]["parameters"]["type"] == "object"


def test_call_schema_can_be_narrowed_and_refuses_unknown_names() -> None:
    [only] = tools.call_schema(["calculate_dose"])["oneOf"]
    assert only["properties"]["name"] == {"const": "calculate_dose"}
    with pytest.raises(tools.UnknownTool, match="no tool named 'nope'"):
        tools.call_schema(["nope"])


def test_a_call_that_fails_leaves_its_neighbours_alone() -> None:
    good = {"name": "check_drug_interactions", "arguments": {"drugs": ["warfarin", "aspirin"]}}
    calls: list[Any] = [
        good,
        {"name": "no_such_tool", "arguments": {}},
        {"name": "calculate_dose"},
        7,
        None,
        good,
    ]
    results = tools.run(calls)
    assert [result["status"] for result in results] == [
        "ok",
        "refused",
        "refused",
        "refused",
        "refused",
        "ok",
    ]
    assert results[0] == results[-1]


def test_a_crash_inside_a_tool_is_isolated_and_says_nothing_of_its_data() -> None:
    def broken(arguments: Any) -> dict[str, Any]:
        raise RuntimeError("secret")

    tool = tools.Tool("broken", "breaks", {"type": "object"}, {"type": "object"}, broken)
    [result] = tools.run([{"name": "broken", "arguments": {}}], {"broken": tool})
    assert result["error"]["code"] == "internal_error"
    assert "secret" not in json.dumps(result)


def test_a_new_tool_is_one_value_and_needs_no_medical_data() -> None:
    arguments = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    shout = tools.Tool(
        "shout",
        "Upper case.",
        arguments,
        {"type": "object"},
        lambda a: {"status": "ok", "text": a["text"].upper()},
    )
    mine = {"shout": shout}
    assert tools.run([{"name": "shout", "arguments": {"text": "hi"}}], mine) == [{"status": "ok", "text": "HI"}]
    assert tools.call_schema(tools=mine)["oneOf"][0]["properties"]["name"] == {"const": "shout"}


@pytest.mark.parametrize(
    ("name", "arguments", "code", "place"),
    [
        ("check_drug_interactions", {}, "missing_argument", "/drugs"),
        ("check_drug_interactions", {"drugs": []}, "invalid_arguments", "/drugs"),
        ("check_drug_interactions", {"drugs": ["x" * 81]}, "invalid_arguments", "/drugs/0"),
        ("check_drug_interactions", {"drugs": ["a"], "colour": 1}, "invalid_arguments", "/colour"),
        (
            "check_drug_interactions",
            {"drugs": ["a"], "min_severity": "bad"},
            "invalid_arguments",
            "/min_severity",
        ),
        ("calculate_dose", {}, "missing_argument", "/calculation"),
        ("calculate_dose", {"calculation": "magic"}, "invalid_arguments", "/calculation"),
        ("calculate_dose", {"calculation": ["egfr"]}, "invalid_arguments", "/calculation"),
        ("read_patient_record", {"patient": "x", "sections": ["dreams"]}, "invalid_arguments", "/sections/0"),
        (
            "read_patient_record",
            {"patient": "x", "sections": ["labs"], "from": "soon"},
            "invalid_arguments",
            "/from",
        ),
        ("read_patient_record", "John", "invalid_arguments", ""),
    ],
)
def test_arguments_outside_the_schema_are_refused_with_their_place(
    name: str, arguments: Any, code: str, place: str
) -> None:
    [result] = tools.run([{"name": name, "arguments": arguments}])
    assert (result["error"]["code"], result["error"]["place"]) == (code, place)
    assert result["error"]["expected"]


def from_schema(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values a schema allows (and that people write), for the keywords our schemas use."""
    if "oneOf" in schema:
        return st.one_of(*(from_schema(branch) for branch in schema["oneOf"]))
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema["type"]
    if kind == "object":
        required = {
            name: from_schema(part) for name, part in schema["properties"].items() if name in schema["required"]
        }
        optional = {name: from_schema(part) for name, part in schema["properties"].items() if name not in required}
        needs = schema.get("dependentRequired", {})
        made = st.fixed_dictionaries(required, optional=optional)
        return made.filter(lambda value: all(set(needs.get(key, ())) <= value.keys() for key in value))
    if kind == "array":
        unique = schema.get("uniqueItems", False)
        return st.lists(
            from_schema(schema["items"]),
            min_size=schema["minItems"],
            max_size=min(schema["maxItems"], 6),
            unique=unique,
        )
    if kind == "boolean":
        return st.booleans()
    if kind == "integer":
        return st.integers(schema["minimum"], schema["maximum"])
    if kind == "number":
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum", low + 1000))
        above, below = "exclusiveMinimum" in schema, "exclusiveMaximum" in schema
        near = st.floats(low, min(high, low + 300), exclude_min=above, exclude_max=below and high <= low + 300)
        whole = st.integers(
            math.floor(low) + 1 if above else math.ceil(low), math.ceil(high) - 1 if below else math.floor(high)
        )
        return st.one_of(near, st.floats(low, high, exclude_min=above, exclude_max=below), whole)
    assert kind == "string"
    if schema.get("format") == "date":
        return st.dates().map(str)
    return st.one_of(st.sampled_from(WORDS), st.text(min_size=1, max_size=schema["maxLength"]))


WORDS = [
    *(drug.generic for drug in tools.drug_names()),
    *(brand for drug in tools.drug_names() for brand in drug.brands),
    *(patient.name for patient in tools.patients()),
    *(patient.mrn for patient in tools.patients()),
    *(alias for lab in tools.lab_names() for alias in (lab.name, *lab.aliases)),
    *(name for regimen in tools.regimen_drugs() for name in (regimen.indication, *regimen.also)),
    "warfrin", "../../etc/passwd", "'; DROP TABLE patient; --", "%", "%s", "\u200b", "☃",
]  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(NAMES).flatmap(lambda n: st.tuples(st.just(n), from_schema(dict(REGISTRY[n].arguments_schema)))))
def test_any_arguments_the_schema_allows_give_a_valid_result(call: tuple[str, Any]) -> None:
    name, arguments = call
    jsonschema.Draft202012Validator(REGISTRY[name].arguments_schema).validate(arguments)
    result = REGISTRY[name].call(arguments)  # raises if the tool crashes or the result leaves its schema
    assert result["status"] in ("ok", "refused")
    assert result["data_version"]
    assert result.get("error", {}).get("code") not in ("internal_error", "invalid_arguments")
    json.dumps(result, allow_nan=False)
    assert tools.summarise(name, result)


HALF = "\ud800"  # JSON can spell half a character
ODD = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20))
    | st.sampled_from([HALF, "\0", "../../etc/passwd", "a/b~c", "2024-13-45", 3.0, -0.0, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.just(HALF), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, Any]:
    """A call with arguments missing, added or of another kind."""
    name = draw(st.sampled_from(NAMES))
    made = draw(from_schema(dict(REGISTRY[name].arguments_schema)))
    for _ in range(draw(st.integers(0, 2))):
        key = draw(st.sampled_from(list(made)))
        if draw(st.booleans()):
            made[key] = [*made[key], draw(ODD)] if isinstance(made[key], list) else draw(ODD)
        elif len(made) > 1:
            del made[key]
    if draw(st.integers(0, 3)) == 0:
        made[draw(st.text(max_size=8) | st.just(HALF))] = draw(ODD)
    return name, draw(ODD) if draw(st.integers(0, 9)) == 0 else made


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(spoilt())
def test_any_json_at_all_gives_a_result_of_the_schema_and_never_a_fault(call: tuple[str, Any]) -> None:
    name, arguments = call
    [result] = tools.run([{"name": name, "arguments": arguments}])
    jsonschema.Draft202012Validator(REGISTRY[name].result_schema).validate(result)
    assert result.get("error", {}).get("code") != "internal_error"
    json.dumps(result, allow_nan=False, ensure_ascii=False).encode()  # as the protocol server writes it
    assert tools.summarise(name, result)


@pytest.mark.parametrize(
    ("arguments", "place", "expected"),
    [
        ({"drugs": ["warfarin"], HALF: 1}, "", "whole characters"),
        ({"drugs": ["warfarin", f"a{HALF}"]}, "/drugs/1", "whole characters"),
        ({"drugs": ["warfarin"], "a/b~": math.nan}, "/a~1b~0", "a finite number"),
        ({"drugs": [math.inf]}, "/drugs/0", "a finite number"),
    ],
)
def test_what_no_protocol_can_carry_is_refused_with_its_place(arguments: Any, place: str, expected: str) -> None:
    [result] = tools.run([{"name": "check_drug_interactions", "arguments": arguments}])
    error = result["error"]
    assert (error["code"], error["place"], error["expected"]) == ("invalid_arguments", place, expected)


def test_nesting_without_end_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    [result] = tools.run([{"name": "calculate_dose", "arguments": deep}])
    assert "levels" in result["error"]["expected"]
    while deep:  # taken apart by hand: the interpreter would recurse
        deep = deep["a"]


def test_a_whole_number_may_be_written_with_a_point() -> None:
    """JSON Schema counts 3.0 as an integer."""
    read = REGISTRY["read_patient_record"].call({"patient": "patient-003", "sections": ["labs"], "limit": 3.0})
    assert read["sections"]["labs"]["returned"] == 3


def test_the_same_call_gives_the_same_result() -> None:
    call = {"name": "check_drug_interactions", "arguments": {"drugs": ["Zocor", "Biaxin", "Coumadin"]}}
    assert tools.run([call]) == tools.run([call])


def test_a_summary_repeats_the_result_and_adds_no_number() -> None:
    calls = [
        {"name": "check_drug_interactions", "arguments": {"drugs": ["Zocor", "Biaxin"]}},
        {"name": "calculate_dose", "arguments": {"calculation": "qtc", "qt_ms": 400, "heart_rate": 80}},
        {
            "name": "read_patient_record",
            "arguments": {
                "patient": "María Ortega",
                "sections": ["labs"],
                "codes": ["A1c"],
                "latest_only": True,
            },
        },
    ]
    results = tools.run(calls)
    texts = [tools.summarise(call["name"], result) for call, result in zip(calls, results, strict=True)]
    assert "contraindicated" in texts[0]
    assert results[0]["interactions"][0]["management"] in texts[0]
    assert texts[1].startswith("QTc: 462 ms.")
    latest = results[2]["sections"]["labs"]["entries"][0]
    assert f"hemoglobin A1c {latest['value']:g} % on {latest['date']}" in texts[2]


def test_a_refusal_is_summarised_by_its_message() -> None:
    [result] = tools.run([{"name": "check_drug_interactions", "arguments": {"drugs": ["Celexia"]}}])
    assert tools.summarise("check_drug_interactions", result) == result["error"]["message"]


def test_the_catalogue_names_what_requests_can_be_written_about() -> None:
    assert {"simvastatin", "warfarin"} <= {drug.generic for drug in tools.drug_names()}
    assert "Zocor" in next(drug.brands for drug in tools.drug_names() if drug.generic == "simvastatin")
    assert len(tools.patients()) == 20
    assert all(patient.mrn and patient.birth_date for patient in tools.patients())
    assert {"creatinine", "potassium", "hemoglobin A1c"} <= {lab.name for lab in tools.lab_names()}
    assert len(tools.regimen_drugs()) >= 40
