"""Input that is missing or cannot be right is refused by name, with the likely slip; nothing ever raises."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tools
from tools.dosing.calculate import CALCULATORS
from tools.dosing.schema import ARGUMENTS, CALCULATIONS

CALCULATE = tools.registry()["calculate_dose"]
BRANCHES = {branch["properties"]["calculation"]["const"]: branch for branch in ARGUMENTS["oneOf"]}
KG = {"weight_unit": "kg"}
HEIGHT = {"height": 170, "height_unit": "cm"}
MG = {"dose_unit": "mg"}


@pytest.mark.parametrize(
    ("calculation", "arguments", "code", "place", "words"),
    [
        ("dose_by_size", {"drug": "digoxin", "dose": 10, "dose_unit": "mg/kg", "weight": 70, **KG},
         "implausible_value", "/dose", "did you mean 10 mcg/kg?"),
        ("dose_by_size", {"drug": "Tylenol", "dose": 15, "dose_unit": "mcg/kg", "weight": 20, **KG},
         "implausible_value", "/dose", "did you mean 15 mg/kg?"),
        ("dose_by_size", {"drug": "Lovenox", "dose": 10, "dose_unit": "mg/kg", "weight": 80, **KG},
         "implausible_value", "/dose", "did you mean 1 mg/kg?"),
        ("dose_by_size", {"dose": 75, "dose_unit": "mg/m²", "weight": 70, **KG},
         "missing_argument", "/height", "missing height"),
        ("dose_by_size", {"dose": 5, "dose_unit": "units/kg", "weight": 70, **KG, "max_dose": 1, "max_dose_unit": "g"},
         "unit_mismatch", "/max_dose_unit", "cannot limit"),
        ("dose_by_size", {"dose": 5, "dose_unit": "mg/kg", "weight": 70, **KG, "max_dose": 1},
         "missing_argument", "/max_dose_unit", "missing max_dose_unit"),
        ("infusion_rate", {"drug": "norepinephrine", "dose": 10, "dose_unit": "mg/min", "concentration": 4,
                           "concentration_unit": "mg/mL"},
         "implausible_value", "/dose", "did you mean 10 mcg/min?"),
        ("infusion_dose", {"rate": 5000, "rate_unit": "mL/h", "concentration": 1, "concentration_unit": "mg/mL",
                           "dose_unit": "mg/h"},
         "implausible_value", "/rate", "not a rate a pump runs"),
        ("infusion_dose", {"rate": 10, "rate_unit": "mL/h", "concentration": 1, "concentration_unit": "mg/mL",
                           "dose_unit": "mcg/kg/min"},
         "missing_argument", "/weight", "missing weight"),
        ("infusion_dose", {"rate": 10, "rate_unit": "mL/h", "concentration": 1, "concentration_unit": "mg/mL",
                           "dose_unit": "units/h"},
         "unit_mismatch", "/concentration_unit", "cannot be drawn"),
        ("bedside_schwartz", {"age": 30, "age_unit": "years", **HEIGHT, "creatinine": 1, "creatinine_unit": "mg/dL"},
         "not_eligible", "/age", "egfr for adults"),
        ("bedside_schwartz", {"age": 5, "age_unit": "years", "height": 110, "height_unit": "in", "creatinine": 0.5,
                              "creatinine_unit": "mg/dL"},
         "implausible_value", "/height", "did you mean 110 cm?"),
        ("bedside_schwartz", {"age": 5, "age_unit": "years", "height": 110, "height_unit": "cm", "creatinine": 45,
                              "creatinine_unit": "mg/dL"},
         "implausible_value", "/creatinine", "did you mean 45 µmol/L?"),
        ("egfr", {"age": 9, "sex": "male", "creatinine": 0.5, "creatinine_unit": "mg/dL"},
         "not_eligible", "/age", "bedside_schwartz"),
        ("creatinine_clearance", {"age": 60, "sex": "male", "weight": 80, **KG, "creatinine": 120,
                                  "creatinine_unit": "mg/dL"},
         "implausible_value", "/creatinine", "did you mean 120 µmol/L?"),
        ("creatinine_clearance", {"age": 60, "sex": "male", "weight": 7, **KG, "creatinine": 1,
                                  "creatinine_unit": "mg/dL"},
         "implausible_value", "/weight", "did you mean 70 kg?"),
        ("body_mass_index", {"weight": 70, **KG, "height": 67, "height_unit": "ft-in"},
         "implausible_value", "/height", "did you mean 67 cm?"),
        ("body_mass_index", {"weight": 70, **KG, "height": 5.6, "height_unit": "ft-in"},
         "unit_mismatch", "/height", "two ways"),
        ("body_mass_index", {"weight": 70, **KG, "height": 170, "height_unit": "cm", "height_inches": 7},
         "unit_mismatch", "/height_inches", "goes with feet"),
        ("body_surface_area", {"weight": 70, **KG, "height": 40, "height_unit": "cm"},
         "implausible_value", "/height", "BMI"),
        ("ideal_body_weight", {"sex": "male", "height": 5, "height_unit": "in"},
         "implausible_value", "/height", "did you mean 5 ft?"),
        ("ideal_body_weight", {"sex": "male", "height": 70, "height_unit": "in", "weight": 80},
         "missing_argument", "/weight_unit", "weight_unit (kg, g, lb)"),
        ("carboplatin_dose", {"target_auc": 60, "creatinine_clearance": 90},
         "implausible_value", "/target_auc", "1 to 12"),
        ("carboplatin_dose", {"target_auc": 5, "creatinine_clearance": 300},
         "implausible_value", "/creatinine_clearance", "0 to 250"),
        ("carboplatin_dose", {"target_auc": 5}, "missing_argument", "/creatinine_clearance", "creatinine_clearance"),
        ("morphine_equivalents", {"drug": "Subutex", "dose": 8, **MG, "frequency": "once daily"},
         "not_convertible", "/drug", "buprenorphine"),
        ("morphine_equivalents", {"drug": "ibuprofen", "dose": 8, **MG, "frequency": "once daily"},
         "not_convertible", "/drug", "no factor"),
        ("morphine_equivalents", {"drug": "morphine", "dose": 4, **MG, "frequency": "every 4 hours",
                                  "route": "intravenous"},
         "not_convertible", "/route", "oral route only"),
        ("morphine_equivalents", {"drug": "oxycodone", "dose": 5, **MG},
         "missing_argument", "/frequency", "missing frequency"),
        ("morphine_equivalents", {"drug": "fentanyl", "dose": 25, **MG, "frequency": "once daily"},
         "unit_mismatch", "/dose_unit", "mcg/h"),
        ("morphine_equivalents", {"drug": "oxycodone", "dose": 5000, **MG, "frequency": "every 4 hours"},
         "implausible_value", "/dose", "did you mean 5000 mcg?"),
        ("steroid_equivalence", {"drug": "prednisone", "dose": 20, **MG, "to_drug": "ibuprofen"},
         "not_convertible", "/to_drug", "not in the table"),
        ("steroid_equivalence", {"drug": "prednisone", "dose": 9000, **MG, "to_drug": "dexamethasone"},
         "implausible_value", "/dose", "at most 2500 mg"),
        ("loading_dose", {"target_concentration": 10, "concentration_unit": "mg/L", "volume": 0.5,
                          "volume_unit": "L/kg"},
         "missing_argument", "/weight", "L/kg needs it"),
        ("loading_dose", {"target_concentration": 10, "concentration_unit": "mg/L", "volume": 35, "volume_unit": "L",
                          "bioavailability": 80, "bioavailability_unit": "fraction"},
         "implausible_value", "/bioavailability", "did you mean 80 %?"),
        ("loading_dose", {"target_concentration": 10, "concentration_unit": "mg/L", "volume": 35, "volume_unit": "L",
                          "current_concentration": 12},
         "implausible_value", "/current_concentration", "no loading dose is needed"),
        ("loading_dose", {"target_concentration": 10, "concentration_unit": "mg/L", "volume": 35, "volume_unit": "L",
                          "bioavailability": 80},
         "missing_argument", "/bioavailability_unit", "bioavailability_unit"),
        ("maintenance_dose", {"target_concentration": 1500, "concentration_unit": "mg/L", "clearance": 3,
                              "clearance_unit": "L/h"},
         "implausible_value", "/target_concentration", "did you mean 1500 ng/mL?"),
        ("unit_conversion", {"value": 120, "from_unit": "mg/dL", "to_unit": "µmol/L", "analyte": "creatinine"},
         "implausible_value", "/value", "did you mean 120 µmol/L?"),
        ("unit_conversion", {"value": 5, "from_unit": "mg/dL", "to_unit": "mmol/L"},
         "missing_argument", "/analyte", "from substance to substance"),
        ("unit_conversion", {"value": 5, "from_unit": "mg", "to_unit": "mL"},
         "unit_mismatch", "/to_unit", "one cannot become the other"),
        ("unit_conversion", {"value": -5, "from_unit": "kg", "to_unit": "lb"},
         "implausible_value", "/value", "0 kg or more"),
        ("unit_conversion", {"value": -300, "from_unit": "°C", "to_unit": "°F"},
         "implausible_value", "/value", "-273.15 °C or more"),
        ("unit_conversion", {"value": 5, "from_unit": "mEq/L", "to_unit": "mmol/L", "analyte": "glucose"},
         "unit_mismatch", "/analyte", "no charge"),
        ("unit_conversion", {"value": 53, "from_unit": "%", "to_unit": "mmol/mol", "analyte": "hemoglobin A1c"},
         "implausible_value", "/value", "did you mean 53 mmol/mol?"),
        ("drug_dose", {"drug": "Mtx", "indication": "juvenile arthritis", "age": 9, "age_unit": "years",
                       "weight": 30, **KG},
         "missing_argument", "/height", "missing height, height_unit"),
        ("drug_dose", {"drug": "enoxaparin", "indication": "DVT", "age": 60, "age_unit": "years", "weight": 80, **KG,
                       "route": "oral"},
         "no_regimen", "/route", "no oral dose"),
        ("drug_dose", {"drug": "enoxaparin", "indication": "DVT", "age": 60, "age_unit": "years", "weight": 80, **KG,
                       "creatinine_clearance": 330},
         "implausible_value", "/creatinine_clearance", "0 to 250"),
    ],
)  # fmt: skip
def test_a_slip_is_refused_with_what_was_probably_meant(
    calculation: str, arguments: dict[str, Any], code: str, place: str, words: str
) -> None:
    result = CALCULATE.call({"calculation": calculation, **arguments})
    assert result["status"] == "refused", result
    error = result["error"]
    assert (error["code"], error["place"]) == (code, place), error
    assert words in error["message"] + error["expected"], error
    assert error["expected"]


@pytest.mark.parametrize("calculation", CALCULATIONS)
def test_what_is_missing_is_named_all_at_once(calculation: str) -> None:
    required = [key for key in BRANCHES[calculation]["required"] if key != "calculation"]
    error = CALCULATE.call({"calculation": calculation})["error"]
    assert error["code"] == "missing_argument"
    assert all(key in error["expected"] for key in required)
    assert error["place"] == f"/{required[0]}"


@pytest.mark.parametrize("calculation", CALCULATIONS)
def test_no_unit_stands_without_its_number_and_no_number_without_its_unit(calculation: str) -> None:
    branch = BRANCHES[calculation]
    needs = branch.get("dependentRequired", {})
    for name in branch["properties"]:
        number = name.removesuffix("_unit")
        if name != number and number in branch["properties"] and name not in branch["required"]:
            assert (needs[name], needs[number]) == ([number], [name])
    if "height_inches" in branch["properties"]:
        assert {"height", "height_unit"} <= {*branch["required"], *needs.get("height_inches", ())}


def test_every_calculation_of_the_schema_has_a_calculator_and_no_other() -> None:
    assert tuple(CALCULATORS) == CALCULATIONS


def test_a_new_argument_stands_after_the_old_ones() -> None:
    """Requests written for the first release stay valid and keep their order of keys."""
    first = {
        "drug_dose": "drug indication age age_unit weight weight_unit creatinine_clearance",
        "creatinine_clearance": "age sex weight weight_unit height height_unit creatinine creatinine_unit",
        "egfr": "age sex creatinine creatinine_unit",
        "body_surface_area": "weight weight_unit height height_unit formula",
        "body_mass_index": "weight weight_unit height height_unit",
        "ideal_body_weight": "sex height height_unit weight weight_unit",
        "infusion_rate": "dose dose_unit weight weight_unit concentration concentration_unit",
        "corrected_calcium": "calcium albumin",
        "qtc": "qt_ms heart_rate formula",
        "maintenance_fluids": "weight weight_unit",
    }
    assert CALCULATIONS[: len(first)] == tuple(first)
    for calculation, keys in first.items():
        now = list(BRANCHES[calculation]["properties"])[1:]
        old = keys.split()
        assert now[: len(old)] == old
        assert not set(now[len(old) :]) & set(BRANCHES[calculation]["required"])


USUAL = {  # where an answer is likely, so that both outcomes are met often
    "age": (18, 90),
    "weight": (40, 120),
    "height": (120, 200),
    "creatinine": (0.4, 4),
    "creatinine_clearance": (5, 140),
    "target_auc": (4, 7),
    "calcium": (6, 14),
    "albumin": (1, 5),
    "qt_ms": (300, 500),
    "heart_rate": (50, 120),
    "dose": (1, 40),
    "bioavailability": (0.2, 1),
    "salt_factor": (0.5, 1),
}
DRUGS = sorted(
    {regimen.drug for regimen in tools.regimen_drugs()}
    | {"Percocet", "Suboxone", "Medrol", "Lanoxin", "prednisone", "hydrocortisone", "fentanyl", "OxyContin", "codeine"}
)
PHRASES = sorted({name for regimen in tools.regimen_drugs() for name in (regimen.indication, *regimen.also)})
ODD = ["warfrin", "'; DROP TABLE", "\u200b", "☃"]


def from_schema(name: str, schema: dict[str, Any], likely: bool) -> st.SearchStrategy[Any]:
    """Values of one argument: believable ones, or anything that its schema allows."""
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        first = schema["enum"][0]  # the commonest unit
        return st.just(first) if likely and name.endswith("_unit") else st.sampled_from(schema["enum"])
    if schema["type"] == "string":
        words = PHRASES if name == "indication" else DRUGS
        return st.sampled_from(words) if likely else st.one_of(st.sampled_from(ODD), st.text(min_size=1, max_size=20))
    assert schema["type"] == "number"
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    high = schema.get("maximum", schema.get("exclusiveMaximum", 1000))
    if likely:
        return st.floats(*USUAL.get(name, (max(low, 0.5), min(high * 0.9, 100)))).map(lambda number: round(number, 2))
    return st.floats(low, high, exclude_min="exclusiveMinimum" in schema, exclude_max="exclusiveMaximum" in schema)


@st.composite
def arguments(draw: st.DrawFn) -> dict[str, Any]:
    branch = BRANCHES[draw(st.sampled_from(CALCULATIONS))]
    made = {}
    for name, schema in branch["properties"].items():
        if name in branch["required"] or draw(st.sampled_from([False, False, True])):
            made[name] = draw(from_schema(name, schema, likely=draw(st.sampled_from([True] * 15 + [False]))))
    return complete(made, branch)


def complete(made: dict[str, Any], branch: dict[str, Any]) -> dict[str, Any]:
    """Without the keys whose companion is not there: a weight without its unit, inches without feet."""
    needs = branch.get("dependentRequired", {})
    kept = {key: value for key, value in made.items() if set(needs.get(key, ())) <= made.keys()}
    return made if len(kept) == len(made) else complete(kept, branch)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arguments())
def test_any_arguments_of_the_schema_are_answered_or_refused_with_a_place(made: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(BRANCHES[made["calculation"]]).validate(made)
    result = CALCULATE.call(made)  # raises if the tool crashes or its result leaves the result schema
    json.dumps(result, allow_nan=False)
    assert tools.summarise("calculate_dose", result)
    if result["status"] == "ok":
        assert result["calculation"] == made["calculation"]
        assert result["value"] >= 0 or result["calculation"] in ("unit_conversion", "corrected_calcium")
        assert all(step.strip() for step in result["steps"])
    else:
        error = result["error"]
        assert error["code"] not in ("internal_error", "invalid_arguments")
        assert error["place"].lstrip("/") in BRANCHES[made["calculation"]]["properties"]
        assert error["expected"]
        assert error["message"]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(number: float) -> None:
    result = CALCULATE.call({"calculation": "maintenance_fluids", "weight": number, "weight_unit": "kg"})
    assert result["error"]["code"] in ("invalid_arguments", "implausible_value")
    assert result["error"]["place"] == "/weight"


def test_a_doubtful_dose_within_reason_is_computed_and_said_to_be_outside_the_label() -> None:
    digoxin = {
        "calculation": "dose_by_size",
        "drug": "Lanoxin",
        "dose_unit": "mcg/kg",
        "weight": 70,
        "weight_unit": "kg",
    }
    assert CALCULATE.call({**digoxin, "dose": 10})["warnings"] == []
    assert "Above the highest" in CALCULATE.call({**digoxin, "dose": 20})["warnings"][0]
    assert "Below the lowest" in CALCULATE.call({**digoxin, "dose": 2})["warnings"][0]
    unknown = CALCULATE.call({**digoxin, "drug": "simvastatin", "dose": 20})
    assert "no dose of simvastatin" in unknown["warnings"][0]
