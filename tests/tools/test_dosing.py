"""Worked reference values, with where they come from, and the laws every dose obeys."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tools
from tools.dosing.regimens import Regimen, regimens

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


TABLE = regimens()
WEIGHTED = [regimen for regimen in TABLE if regimen.basis != "fixed"]


def middle_age_days(regimen: Regimen) -> float:
    low = float(regimen.age_from_days or 0)
    high = float(regimen.age_below_days or max(low * 1.2, 40 * 365.25))
    return (low + high) / 2


def asked(regimen: Regimen, age_days: float, weight: float, unit: str = "kg") -> dict[str, Any]:
    years = age_days / 365.25
    age, age_unit = (years, "years") if age_days > 130 else (age_days, "days")
    return calculate(
        "drug_dose",
        drug=regimen.drug,
        indication=regimen.indication,
        age=age,
        age_unit=age_unit,
        weight=weight,
        weight_unit=unit,
    )


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(WEIGHTED), st.floats(0.5, 120), st.floats(0.5, 120))
def test_a_dose_never_falls_as_weight_rises(regimen: Regimen, one: float, other: float) -> None:
    low, high = sorted((round(one, 1), round(other, 1)))
    small, large = (asked(regimen, middle_age_days(regimen), weight) for weight in (low, high))
    same = (
        small["status"] == large["status"] == "ok" and small["population"] == large["population"] == regimen.population
    )
    if same:
        assert small["value"] <= large["value"]
        assert large.get("value_high", large["value"]) <= float(regimen.max_dose or 1e9)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(TABLE), st.integers(2, 220))
def test_pounds_and_kilograms_agree(regimen: Regimen, pounds: int) -> None:
    in_lb = asked(regimen, middle_age_days(regimen), pounds, "lb")
    in_kg = asked(regimen, middle_age_days(regimen), float(f"{pounds * 0.45359237:.8f}"))
    if in_lb["status"] == "ok":
        assert (in_lb["value"], in_lb["unit"]) == (in_kg["value"], in_kg["unit"])
    else:
        assert in_lb["error"]["code"] == in_kg["error"]["code"]


def test_every_regimen_can_be_asked_for_by_its_own_indication() -> None:
    for regimen in TABLE:
        low = float(regimen.kg_from or 0)
        weights = [w for w in (2, 3.5, 6, 9, 13, 18, 28, 35, 45, 60, 80) if w >= low]
        results = [asked(regimen, middle_age_days(regimen), weight) for weight in weights]
        reached = [r for r in results if r["status"] == "ok" and r["population"] == regimen.population]
        assert reached, (regimen.drug, regimen.indication, regimen.population)


def test_two_regimens_of_one_drug_and_indication_never_overlap() -> None:
    ages = [days * 365.25 for days in (0.01, 0.05, 0.2, 0.4, 0.8, 1.5, 3, 7, 11, 12.5, 14, 16.5, 17.5, 30, 70)]
    from decimal import Decimal

    for drug in {regimen.drug for regimen in TABLE}:
        rows = [regimen for regimen in TABLE if regimen.drug == drug]
        for indication in {regimen.indication for regimen in rows}:
            for age in ages:
                for kg in (2, 5, 10, 15, 20, 30, 39, 41, 49, 55, 90):
                    fits = [
                        r for r in rows if r.indication == indication and r.eligible(Decimal(str(age)), Decimal(kg))
                    ]
                    assert len(fits) <= 1, (drug, indication, age, kg)


def test_renal_bands_of_a_regimen_never_overlap() -> None:
    from decimal import Decimal

    for regimen in TABLE:
        for clearance in range(0, 200):
            holding = [band for band in regimen.renal if band.holds(Decimal(clearance))]
            assert len(holding) <= 1, (regimen.drug, clearance)


def test_grams_are_a_weight_unit_for_newborns() -> None:
    grams = calculate("drug_dose", drug="gentamicin", age=3, age_unit="days", weight=3200, weight_unit="g")
    assert grams["value"] == 8
    assert grams["frequency"] == "every 12 hours"
