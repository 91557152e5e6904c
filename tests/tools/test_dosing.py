"""Worked reference values, with where they come from, and the laws every dose obeys."""

from __future__ import annotations

from typing import Any

import pytest

import tools

CALCULATE = tools.registry()["calculate_dose"]


def calculate(calculation: str, **arguments: Any) -> dict[str, Any]:
    return CALCULATE.call({"calculation": calculation, **arguments})


def value(calculation: str, **arguments: Any) -> float:
    result = calculate(calculation, **arguments)
    assert result["status"] == "ok", result
    return float(result["value"])


def dose(drug: str, age: float, weight: float, **more: Any) -> dict[str, Any]:
    arguments = {"age_unit": "years", "weight_unit": "kg", **more}
    return calculate("drug_dose", drug=drug, age=age, weight=weight, **arguments)


@pytest.mark.parametrize(
    ("sex", "age", "creatinine", "expected"),
    [  # Inker et al., N Engl J Med 2021;385:1737; values recomputed by hand from the published equation
        ("male", 50, 0.8, 107.8),
        ("male", 50, 0.9, 104.0),
        ("male", 50, 1.2, 73.7),
        ("female", 50, 0.7, 105.3),
        ("female", 50, 0.6, 109.3),
        ("female", 60, 1.1, 57.5),
        ("male", 70, 2.0, 35.2),
    ],
)
def test_ckd_epi_2021_gives_the_published_equations_value(
    sex: str, age: int, creatinine: float, expected: float
) -> None:
    result = value("egfr", sex=sex, age=age, creatinine=creatinine, creatinine_unit="mg/dL")
    assert result == pytest.approx(expected, abs=0.05)


def test_ckd_epi_2021_matches_an_independent_float_computation_everywhere() -> None:
    for sex, kappa, alpha, factor in (("male", 0.9, -0.302, 1.0), ("female", 0.7, -0.241, 1.012)):
        for age in (18, 40, 65, 99):
            for creatinine in (0.3, 0.7, 0.89, 0.9, 1.5, 4.0, 12.0):
                ratio = creatinine / kappa
                expected = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age * factor
                got = value("egfr", sex=sex, age=age, creatinine=creatinine, creatinine_unit="mg/dL")
                assert got == pytest.approx(expected, abs=0.051)


@pytest.mark.parametrize(
    ("calculation", "arguments", "expected"),
    [
        # Cockcroft & Gault 1976: (140 - 60) × 72 / (72 × 1) = 80; a woman 85 percent of it
        ("creatinine_clearance", {"age": 60, "sex": "male", "weight": 72, "creatinine": 1.0}, 80),
        ("creatinine_clearance", {"age": 60, "sex": "female", "weight": 72, "creatinine": 1.0}, 68),
        # Mosteller 1987: 170 cm, 70 kg
        ("body_surface_area", {"weight": 70, "height": 170}, 1.82),
        # Du Bois 1916: 0.007184 × 70^0.425 × 170^0.725
        ("body_surface_area", {"weight": 70, "height": 170, "formula": "du_bois"}, 1.81),
        ("body_mass_index", {"weight": 70, "height": 175}, 22.9),
        # Payne 1973: 8.0 + 0.8 × (4 - 2) = 9.6
        ("corrected_calcium", {"calcium": 8.0, "albumin": 2.0}, 9.6),
        # Bazett: 400 / sqrt(0.75) ; Fridericia: 400 / 0.75^(1/3)
        ("qtc", {"qt_ms": 400, "heart_rate": 80}, 462),
        ("qtc", {"qt_ms": 400, "heart_rate": 80, "formula": "fridericia"}, 440),
        ("qtc", {"qt_ms": 400, "heart_rate": 60}, 400),
        # Holliday & Segar 1957: 25 kg is 40 + 20 + 5
        ("maintenance_fluids", {"weight": 25}, 65),
        ("maintenance_fluids", {"weight": 10}, 40),
        # Devine 1974: 70 in is 50 + 23 for a man, 45.5 + 23 for a woman
        ("ideal_body_weight", {"sex": "male", "height": 70, "height_unit": "in"}, 73),
        ("ideal_body_weight", {"sex": "female", "height": 70, "height_unit": "in"}, 68.5),
        # 5 mcg/kg/min × 80 kg × 60 = 24 mg/h; 400 mg in 250 mL is 1.6 mg/mL
        (
            "infusion_rate",
            {
                "dose": 5,
                "dose_unit": "mcg/kg/min",
                "weight": 80,
                "concentration": 1.6,
                "concentration_unit": "mg/mL",
            },
            15,
        ),
        # heparin 18 units/kg/h × 70 kg = 1260 units/h; 25,000 units in 250 mL is 100 units/mL
        (
            "infusion_rate",
            {
                "dose": 18,
                "dose_unit": "units/kg/h",
                "weight": 70,
                "concentration": 100,
                "concentration_unit": "units/mL",
            },
            12.6,
        ),
    ],
)
def test_a_formula_gives_its_worked_value(calculation: str, arguments: dict[str, Any], expected: float) -> None:
    units = {"weight": "weight_unit", "height": "height_unit", "creatinine": "creatinine_unit"}
    defaults = {"weight": "kg", "height": "cm", "creatinine": "mg/dL"}
    filled = {units[name]: defaults[name] for name in units if name in arguments} | arguments
    assert value(calculation, **filled) == pytest.approx(expected)


def test_micromoles_and_milligrams_of_creatinine_agree() -> None:
    one = value("egfr", age=50, sex="male", creatinine=88.4, creatinine_unit="µmol/L")
    assert one == value("egfr", age=50, sex="male", creatinine=1.0, creatinine_unit="mg/dL")


def test_the_weight_policy_of_cockcroft_gault_is_stated_and_follows_the_height() -> None:
    patient = {"age": 60, "sex": "male", "creatinine": 1.0, "creatinine_unit": "mg/dL", "weight_unit": "kg"}
    tall = {"height": 70, "height_unit": "in"}  # ideal 73 kg
    for weight, policy, used in ((60, "actual", 60), (80, "ideal", 73), (100, "adjusted", 83.8)):
        result = calculate("creatinine_clearance", **patient, weight=weight, **tall)
        assert result["applied"][0].startswith(policy)
        assert result["value"] == pytest.approx(80 * used / 72, abs=0.05)


@pytest.mark.parametrize(
    ("drug", "indication", "age", "weight", "more", "amount", "frequency"),
    [  # each worked from the label section named in the table
        ("amoxicillin", "infection", 5, 18, {}, 225, "every 12 hours"),
        ("Augmentin", "ear infection", 2, 12, {}, 540, "every 12 hours for 10 days"),
        ("Lovenox", "DVT", 60, 80, {}, 80, "every 12 hours"),
        ("Lovenox", "DVT", 60, 80, {"creatinine_clearance": 20}, 80, "every 24 hours"),
        ("enoxaparin", "prophylaxis", 60, 80, {"creatinine_clearance": 20}, 30, "every 24 hours"),
        ("Zosyn", "infection", 60, 80, {"creatinine_clearance": 30}, 2.25, "every 6 hours"),
        ("Xarelto", "atrial fibrillation", 75, 80, {"creatinine_clearance": 50}, 15, None),
        ("Xarelto", "atrial fibrillation", 75, 80, {"creatinine_clearance": 51}, 20, None),
        ("Tamiflu", "flu", 4, 15, {}, 30, None),
        ("Tamiflu", "flu", 4, 16, {}, 45, None),
        ("Tamiflu", "flu", 8, 30, {}, 60, None),
        ("oseltamivir", "influenza", 40, 70, {"creatinine_clearance": 20}, 30, "every 24 hours"),
        ("valacyclovir", "shingles", 70, 70, {"creatinine_clearance": 20}, 1000, "every 24 hours"),
        ("meropenem", "peritonitis", 60, 70, {"creatinine_clearance": 20}, 500, "every 12 hours"),
        ("alteplase", "stroke", 60, 120, {}, 90, None),
        ("alteplase", "stroke", 60, 80, {}, 72, None),
        ("azithromycin", "strep throat", 6, 20, {}, 240, None),
        ("epinephrine", "anaphylaxis", 4, 16, {}, 0.16, None),
        ("isoniazid", "tuberculosis", 40, 80, {}, 300, None),
        ("levothyroxine", "hypothyroidism", 40, 70, {}, 112.5, None),
        ("lisinopril", "hypertension", 50, 80, {"creatinine_clearance": 20}, 5, None),
        # two of age 80, weight 60 kg and creatinine 1.5 mg/dL make apixaban 2.5 mg
        ("Eliquis", "atrial fibrillation", 82, 58, {}, 2.5, "every 12 hours"),
        ("Eliquis", "atrial fibrillation", 80, 60, {}, 2.5, "every 12 hours"),
        ("Eliquis", "atrial fibrillation", 82, 60.1, {}, 5, "every 12 hours"),
        ("Eliquis", "atrial fibrillation", 79, 58, {}, 5, "every 12 hours"),
        ("Savaysa", "DVT", 60, 60, {}, 30, None),
        ("Savaysa", "DVT", 60, 61, {}, 60, None),
        ("Effient", "ACS", 60, 59.9, {}, 5, None),
        ("Effient", "ACS", 60, 60, {}, 10, None),
        # surface area of 70 kg and 170 cm is 1.818 m² (Mosteller)
        ("carboplatin", "recurrent ovarian cancer", 60, 70, {"height": 170, "height_unit": "cm"}, 650, None),
        ("vincristine", "acute leukemia", 40, 70, {"height": 170, "height_unit": "cm"}, 2.5, "once a WEEK"),
        ("vincristine", "leukemia", 1.2, 9, {}, 0.45, "once a WEEK"),
        ("prednisolone", "nephrotic syndrome", 6, 20, {"height": 115, "height_unit": "cm"}, 16, None),
        ("CellCept", "kidney transplant", 10, 30, {"height": 4, "height_unit": "ft-in", "height_inches": 7}, 650, None),
        ("milrinone", "acute heart failure, infusion", 60, 70, {}, 26.25, "by continuous infusion"),
        ("milrinone", "infusion", 60, 70, {"creatinine_clearance": 25}, 19.6, "by continuous infusion"),
        ("dopamine", "shock", 60, 80, {}, 160, None),
        ("ondansetron", "chemotherapy-induced nausea", 40, 70, {"route": "oral"}, 8, None),
        ("acetaminophen", "pain", 40, 70, {"route": "intravenous"}, 1000, "every 6 hours"),
        ("Keppra", "epilepsy", 0.3, 6, {}, 40, "every 12 hours"),
        ("Strattera", "adhd", 10, 30, {}, 15, None),
        ("Strattera", "adhd", 15, 71, {}, 40, None),
        ("omeprazole", "gerd", 3, 14, {}, 10, None),
        ("Celexa", "depression", 65, 70, {}, 20, None),
        ("amantadine", "parkinsonism", 60, 70, {"creatinine_clearance": 10}, 200, "every 7 days"),
        ("tobramycin", "sepsis", 0.01, 3, {}, 6, "every 12 hours"),
    ],
)
def test_a_labelled_dose_comes_out(
    drug: str,
    indication: str,
    age: float,
    weight: float,
    more: dict[str, Any],
    amount: float,
    frequency: str | None,
) -> None:
    result = dose(drug, age, weight, indication=indication, **more)
    assert result["status"] == "ok", result
    assert result["value"] == pytest.approx(amount)
    assert frequency is None or result["frequency"] == frequency
    assert result["source"]
    assert result["steps"]


def test_a_cap_is_applied_and_named() -> None:
    result = dose("alteplase", 60, 130, indication="stroke")
    assert result["value"] == 90
    assert result["applied"] == ["maximum 90 mg per dose"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            {"calculation": "egfr", "age": 50, "sex": "male", "creatinine": 120, "creatinine_unit": "mg/dL"},
            "implausible_value",
            "did you mean 120 µmol/L?",
        ),
        (
            {"calculation": "egfr", "age": 50, "sex": "male", "creatinine": 1.1, "creatinine_unit": "µmol/L"},
            "implausible_value",
            "did you mean 1.1 mg/dL?",
        ),
        (
            {"calculation": "egfr", "age": 9, "sex": "male", "creatinine": 0.5, "creatinine_unit": "mg/dL"},
            "not_eligible",
            "for adults",
        ),
        (
            {"calculation": "corrected_calcium", "calcium": 2.2, "albumin": 3},
            "implausible_value",
            "did you mean 2.2 mmol/L?",
        ),
        (
            {"calculation": "corrected_calcium", "calcium": 9, "albumin": 30},
            "implausible_value",
            "did you mean 30 g/L?",
        ),
        ({"calculation": "qtc", "qt_ms": 0.4, "heart_rate": 60}, "implausible_value", "did you mean 400 ms?"),
        (
            {
                "calculation": "body_mass_index",
                "weight": 70,
                "weight_unit": "kg",
                "height": 1.75,
                "height_unit": "cm",
            },
            "implausible_value",
            "did you mean 1.75 m?",
        ),
        (
            {
                "calculation": "infusion_rate",
                "dose": 5,
                "dose_unit": "mcg/kg/min",
                "concentration": 1.6,
                "concentration_unit": "mg/mL",
            },
            "missing_argument",
            "missing weight",
        ),
        (
            {
                "calculation": "infusion_rate",
                "dose": 5,
                "dose_unit": "units/h",
                "concentration": 1.6,
                "concentration_unit": "mg/mL",
            },
            "unit_mismatch",
            "units",
        ),
        ({"calculation": "maintenance_fluids", "weight": 20}, "missing_argument", "weight_unit"),
    ],
)
def test_implausible_or_missing_input_is_refused_with_the_likely_mistake(
    arguments: dict[str, Any], code: str, words: str
) -> None:
    error = CALCULATE.call(arguments)["error"]
    assert error["code"] == code
    assert words in error["message"]


@pytest.mark.parametrize(
    ("drug", "age", "weight", "more", "code", "words"),
    [
        ("acetaminophen", 40, 7, {"indication": "pain"}, "implausible_value", "did you mean 70 kg?"),
        ("acetaminophen", 3, 300, {"indication": "pain"}, "implausible_value", "did you mean 30 kg?"),
        ("acetaminophen", 2, 13000, {"indication": "pain"}, "implausible_value", "did you mean 13000 g?"),
        ("amoxicillin", 5, 18, {}, "ambiguous_indication", "infection, severe"),
        (
            "amoxicillin",
            5,
            18,
            {"indication": "gout"},
            "unknown_indication",
            "no dose of amoxicillin for 'gout'",
        ),
        ("nitrofurantoin", 50, 70, {"creatinine_clearance": 40}, "contraindicated_renal", "avoid"),
        ("doxycycline", 5, 18, {}, "not_eligible", "18 years and older"),
        ("simvastatin", 50, 70, {}, "no_regimen", "no dose in the table"),
        ("cefixime", 50, 70, {}, "unknown_drug", "not in the database"),
        ("hydrolazine", 50, 70, {}, "ambiguous_drug", "hydralazine"),
    ],
)
def test_a_dose_that_cannot_be_named_is_refused(
    drug: str, age: float, weight: float, more: dict[str, Any], code: str, words: str
) -> None:
    error = dose(drug, age, weight, **more)["error"]
    assert error["code"] == code
    assert words in error["message"]


def test_no_clearance_given_is_a_warning_when_the_label_has_bands() -> None:
    assert any(
        "no creatinine clearance" in warning for warning in dose("Lovenox", 60, 80, indication="DVT")["warnings"]
    )


def test_the_labels_daily_maximum_is_shown_even_where_the_dose_is_far_below_it() -> None:
    assert dose("Zestril", 50, 80, indication="hypertension")["other_values"] == {"maximum_daily_mg": 80}
    assert dose("atomoxetine", 10, 30, indication="adhd")["other_values"] == {"maximum_daily_mg": 42}
    small = dose("acetaminophen", 5, 18, indication="pain", route="oral")["other_values"]
    assert small == {"daily_mg": 1350, "maximum_daily_mg": 1350}  # five doses of 15 mg/kg; 75 mg/kg


def test_a_route_the_table_lacks_is_refused_with_those_it_has() -> None:
    refused = dose("acetaminophen", 40, 70, indication="fever", route="rectal")["error"]
    assert (refused["code"], refused["place"]) == ("no_regimen", "/route")
    assert refused["expected"] == "one of oral, intravenous"


def test_a_weight_limit_can_fall_on_either_side() -> None:
    below, above = (dose("Savaysa", 60, kg, indication="DVT")["population"] for kg in (60, 61))
    assert below == "18 years and older, 60 kg or less"
    assert above == "18 years and older, above 60 kg"


def test_grams_are_a_weight_unit_for_newborns() -> None:
    grams = calculate("drug_dose", drug="gentamicin", age=3, age_unit="days", weight=3200, weight_unit="g")
    assert grams["value"] == 8
    assert grams["frequency"] == "every 12 hours"
