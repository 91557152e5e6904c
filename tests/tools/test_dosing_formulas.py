"""Worked values of the bedside formulas, with where they are published, and the laws that conversions obey."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tools
from tools.dosing.frequency import FREQUENCIES, doses_per_day, hours_between
from tools.dosing.schema import CONCENTRATION_UNITS, DOSE_RATE_UNITS
from tools.dosing.units import HEMOGLOBIN_A1C, SUBSTANCES, UNITS

CALCULATE = tools.registry()["calculate_dose"]


def calculate(calculation: str, **arguments: Any) -> dict[str, Any]:
    return CALCULATE.call({"calculation": calculation, **arguments})


def ok(calculation: str, **arguments: Any) -> dict[str, Any]:
    result = calculate(calculation, **arguments)
    assert result["status"] == "ok", result
    return result


CHILD = {"age": 5, "age_unit": "years", "height_unit": "cm", "creatinine_unit": "mg/dL"}


@pytest.mark.parametrize(
    ("height", "creatinine", "expected"),
    [  # Schwartz et al., J Am Soc Nephrol 2009;20:629: 0.413 × height / creatinine; worked by hand
        (100, 0.5, 82.6),
        (100, 0.4, 103.3),
        (120, 1.0, 49.6),
        (110, 2.5, 18.2),
    ],
)
def test_bedside_schwartz_gives_the_published_equations_value(height: int, creatinine: float, expected: float) -> None:
    result = ok("bedside_schwartz", **CHILD, height=height, creatinine=creatinine)
    assert result["value"] == pytest.approx(expected, abs=0.05)
    assert "2009;20:629" in result["source"]


def test_bedside_schwartz_in_micromoles_is_the_constant_36_and_a_half() -> None:
    """The National Kidney Foundation's form for µmol/L: 36.5 × height / creatinine."""
    child = {**CHILD, "creatinine_unit": "µmol/L"}
    assert ok("bedside_schwartz", **child, height=100, creatinine=88.4)["value"] == pytest.approx(41.3, abs=0.05)
    assert ok("bedside_schwartz", **child, height=100, creatinine=73)["value"] == pytest.approx(50.0, abs=0.05)


@pytest.mark.parametrize(
    ("auc", "rate", "dose"),
    [  # FDA, Carboplatin dosing, October 2010: the maximum for AUC 6, 5 and 4 is 900, 750 and 600 mg
        (6, 125, 900),
        (6, 180, 900),
        (5, 126, 750),
        (4, 250, 600),
        (5, 90, 575),  # Calvert et al., J Clin Oncol 1989;7:1748: AUC × (GFR + 25), below the cap
        (7, 60, 595),
    ],
)
def test_carboplatin_follows_calvert_up_to_the_cap_of_fda(auc: int, rate: int, dose: int) -> None:
    result = ok("carboplatin_dose", target_auc=auc, creatinine_clearance=rate)
    assert result["value"] == dose
    assert bool(result["applied"]) == (rate > 125)


@pytest.mark.parametrize(
    ("drug", "dose", "unit", "frequency", "expected"),
    [  # CDC Clinical Practice Guideline for Prescribing Opioids, MMWR Recomm Rep 2022;71(3); its two worked examples
        ("hydrocodone", 5, "mg", "four times daily", 20),
        ("oxycodone", 10, "mg", "twice daily", 30),
        # and its factors
        ("codeine", 30, "mg", "every 6 hours", 18),
        ("hydromorphone", 4, "mg", "every 6 hours", 80),
        ("methadone", 10, "mg", "once daily", 47),
        ("morphine", 15, "mg", "twice daily", 30),
        ("oxymorphone", 10, "mg", "every 12 hours", 60),
        ("tapentadol", 50, "mg", "every 6 hours", 80),
        ("tramadol", 50, "mg", "four times daily", 40),
        ("fentanyl", 25, "mcg/h", None, 60),
        ("OxyContin", 10, "mg", "every 12 hours", 30),
        ("Percocet", 5, "mg", "every 6 hours", 30),
        ("Vicodin", 5, "mg", "four times daily", 20),
    ],
)
def test_morphine_equivalents_follow_cdc_2022(
    drug: str, dose: float, unit: str, frequency: str | None, expected: float
) -> None:
    given_ = {} if frequency is None else {"frequency": frequency}
    result = ok("morphine_equivalents", drug=drug, dose=dose, dose_unit=unit, **given_)
    assert result["value"] == pytest.approx(expected)
    assert any("50 MME" in band for band in result["applied"])
    assert any("new opioid" in warning for warning in result["warnings"])


EQUAL_DOSES = {  # Medrol label, Decadron label: mg with one glucocorticoid effect
    "hydrocortisone": 20,
    "cortisone": 25,
    "prednisone": 5,
    "prednisolone": 5,
    "methylprednisolone": 4,
    "triamcinolone": 4,
    "dexamethasone": 0.75,
    "betamethasone": 0.75,
}


@pytest.mark.parametrize("first", EQUAL_DOSES)
@pytest.mark.parametrize("second", EQUAL_DOSES)
def test_equal_glucocorticoid_doses_convert_into_one_another(first: str, second: str) -> None:
    result = ok("steroid_equivalence", drug=first, dose=EQUAL_DOSES[first], dose_unit="mg", to_drug=second)
    assert result["value"] == EQUAL_DOSES[second]
    assert (result["drug"]["resolved"], result["to_drug"]["resolved"]) == (first, second)


THEOPHYLLINE = {"target_concentration": 10, "concentration_unit": "mg/L"}


def test_doses_of_theophylline_follow_the_textbook_example() -> None:
    """Katzung, Basic & Clinical Pharmacology, ch. 3 (rational dosing): target 10 mg/L, 2.8 L/h, F 0.96, 35 L."""
    flow = {"clearance": 2.8, "clearance_unit": "L/h"}
    assert ok("maintenance_dose", **THEOPHYLLINE, **flow)["value"] == 28
    absorbed = {"bioavailability": 0.96, "bioavailability_unit": "fraction"}
    for frequency, dose in (("every 12 hours", 350), ("every 8 hours", 233)):
        result = ok("maintenance_dose", **THEOPHYLLINE, **flow, **absorbed, frequency=frequency)
        assert result["value"] == pytest.approx(dose, abs=0.5)
    assert ok("loading_dose", **THEOPHYLLINE, volume=35, volume_unit="L")["value"] == 350


def test_a_loading_dose_per_kilogram_a_salt_and_a_present_level_follow_the_definition() -> None:
    """Aminophylline holds 80 percent theophylline; each 1 mg/L in 0.5 L/kg takes 0.5 mg/kg (theophylline label)."""
    volume = {"volume": 0.5, "volume_unit": "L/kg", "weight": 70, "weight_unit": "kg"}
    assert ok("loading_dose", **THEOPHYLLINE, **volume)["value"] == 350
    assert ok("loading_dose", **THEOPHYLLINE, **volume, salt_factor=0.8)["value"] == 437.5
    assert ok("loading_dose", **THEOPHYLLINE, **volume, current_concentration=5)["value"] == 175
    percent = {"bioavailability": 70, "bioavailability_unit": "%"}
    digoxin = {"target_concentration": 1.5, "concentration_unit": "ng/mL", "volume": 7, "volume_unit": "L/kg"}
    result = ok("loading_dose", **digoxin, weight=70, weight_unit="kg", **percent)
    assert result["value"] == pytest.approx(1.5e-3 * 7 * 70 / 0.7)


def test_infusions_follow_the_worked_examples_of_a_textbook() -> None:
    """OpenStax, Pharmacology for Nurses (2024), ch. 2: dopamine 800 mg in 500 mL; 15 and 7.97 mL/h."""
    bag = {"concentration": 1.6, "concentration_unit": "mg/mL", "dose_unit": "mcg/kg/min", "drug": "dopamine"}
    assert ok("infusion_rate", dose=5, weight=176, weight_unit="lb", **bag)["value"] == 15
    assert ok("infusion_rate", dose=2.5, weight=85, weight_unit="kg", **bag)["value"] == 8.0
    back = ok("infusion_dose", rate=7.97, rate_unit="mL/h", weight=85, weight_unit="kg", **bag)
    assert back["value"] == pytest.approx(2.5, abs=0.001)


@pytest.mark.parametrize(
    ("arguments", "value", "unit", "other"),
    [
        # OpenStax, Pharmacology for Nurses (2024), ch. 2: amoxicillin 10 mg per kg, 110 lb: 500 mg
        ({"dose": 10, "dose_unit": "mg/kg", "weight": 110, "weight_unit": "lb"}, 499, "mg", {}),
        ({"dose": 90, "dose_unit": "mg/kg/day", "weight": 12, "frequency": "twice daily"}, 540, "mg", 1080),
        ({"dose": 90, "dose_unit": "mg/kg/day", "weight": 12}, 1080, "mg/day", {}),
        ({"dose": 15, "dose_unit": "mg/kg", "weight": 80, "max_dose": 1, "max_dose_unit": "g"}, 1000, "mg", {}),
        ({"dose": 80, "dose_unit": "units/kg", "weight": 70}, 5600, "units", {}),
        # surface area of 70 kg and 170 cm is 1.818 m² (Mosteller)
        ({"dose": 75, "dose_unit": "mg/m²", "weight": 70, "height": 170, "height_unit": "cm"}, 136.4, "mg", {}),
    ],
)
def test_a_dose_by_size_comes_to_its_worked_value(
    arguments: dict[str, Any], value: float, unit: str, other: dict[str, float] | float
) -> None:
    result = ok("dose_by_size", **{"weight_unit": "kg", **arguments})
    assert result["value"] == pytest.approx(value, abs=0.5)
    assert result["unit"] == unit
    assert result.get("other_values", {}) == (other if isinstance(other, dict) else {"daily_mg": other})


@pytest.mark.parametrize(
    ("value", "start", "end", "analyte", "expected"),
    [  # AMA Manual of Style, table of SI conversions, and definitions
        (1, "mg/dL", "µmol/L", "creatinine", 88.4),
        (100, "mg/dL", "mmol/L", "glucose", 5.55),
        (10, "mg/dL", "mmol/L", "calcium", 2.495),
        (10, "mg/dL", "mEq/L", "calcium", 4.99),
        (200, "mg/dL", "mmol/L", "cholesterol", 5.17),
        (150, "mg/dL", "mmol/L", "triglycerides", 1.69),
        (1, "mg/dL", "µmol/L", "bilirubin", 17.1),
        (1, "mg/dL", "µmol/L", "uric acid", 59.48),
        (14, "mg/dL", "mmol/L", "urea nitrogen", 5.0),
        (4, "mEq/L", "mmol/L", "potassium", 4),
        (1, "ng/mL", "nmol/L", "digoxin", 1.281),
        (30, "ng/mL", "nmol/L", "25-hydroxyvitamin D", 74.9),
        (7, "%", "mmol/mol", "hemoglobin A1c", 53),  # NGSP: 7 % is 53 mmol/mol
        (1, "lb", "kg", None, 0.453592),
        (1, "in", "cm", None, 2.54),
        (500, "mcg", "mg", None, 0.5),
        (1, "tsp", "mL", None, 5),
        (98.6, "°F", "°C", None, 37),
        (40, "°C", "°F", None, 104),
        (1, "kPa", "mmHg", None, 7.50062),
        (10, "mcg/mL", "mg/L", None, 10),
    ],
)
def test_a_conversion_gives_the_published_factor(
    value: float, start: str, end: str, analyte: str | None, expected: float
) -> None:
    more = {} if analyte is None else {"analyte": analyte}
    result = ok("unit_conversion", value=value, from_unit=start, to_unit=end, **more)
    assert result["value"] == pytest.approx(expected, rel=0.003)
    assert result["unit"] == end
    assert result["steps"]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(UNITS)), st.data())
def test_a_conversion_there_and_back_is_the_same_value(start: str, data: st.DataObject) -> None:
    dimension = UNITS[start].dimension
    a1c = dimension == "hemoglobin fraction"
    value = data.draw(st.floats(10, 20) if a1c else st.floats(0.5, 500))
    end = data.draw(st.sampled_from([name for name in UNITS if UNITS[name].dimension == dimension]))
    analyte = {"analyte": "hemoglobin A1c"} if a1c else {}
    there = ok("unit_conversion", value=value, from_unit=start, to_unit=end, **analyte)
    if 1e-6 < there["value"] < 1e9:  # kilograms in nanograms leave the schema's bounds
        back = ok("unit_conversion", value=there["value"], from_unit=end, to_unit=start, **analyte)
        assert back["value"] == pytest.approx(value, rel=1e-4, abs=1e-3)


MOLAR = [name for name, unit in UNITS.items() if unit.dimension == "molar concentration"]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([name for name in SUBSTANCES if name != HEMOGLOBIN_A1C]), st.sampled_from(MOLAR), st.floats(0, 1)
)
def test_a_laboratory_value_there_and_back_is_the_same(analyte: str, end: str, share: float) -> None:
    substance = SUBSTANCES[analyte]
    low, high = (float(substance.low), float(substance.high)) if substance.unit else (1.0, 100.0)
    value, start = low + share * (high - low), substance.unit or "mg/L"
    there = ok("unit_conversion", value=value, from_unit=start, to_unit=end, analyte=analyte)
    if there["value"] < 1e9:
        back = ok("unit_conversion", value=there["value"], from_unit=end, to_unit=start, analyte=analyte)
        assert back["value"] == pytest.approx(value, rel=1e-3)


FAMILIES = {"g": "mass", "mg": "mass", "mcg": "mass", "units": "units", "mEq": "mEq"}
MATCHING = [
    (dose_unit, strength_unit)
    for dose_unit in DOSE_RATE_UNITS
    for strength_unit in CONCENTRATION_UNITS
    if FAMILIES[dose_unit.split("/")[0]] == FAMILIES[strength_unit.split("/")[0]]
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(MATCHING), st.floats(1, 999), st.floats(0.05, 400), st.floats(3, 150))
def test_infusion_rate_inverts_infusion_dose(units: tuple[str, str], rate: float, strength: float, kg: float) -> None:
    bag = {
        "dose_unit": units[0],
        "concentration": strength,
        "concentration_unit": units[1],
        "weight": kg,
        "weight_unit": "kg",
    }
    dose = ok("infusion_dose", rate=rate, rate_unit="mL/h", **bag)
    assert dose["unit"] == units[0]
    if 1e-6 < dose["value"] < 100_000:
        back = ok("infusion_rate", dose=dose["value"], **bag)
        assert back["value"] == pytest.approx(rate, abs=0.06, rel=1e-4)  # the rate is rounded to 0.1 mL/h


@settings(max_examples=100, deadline=None)
@given(st.floats(1, 7), st.floats(0, 250), st.floats(0, 250))
def test_a_carboplatin_dose_never_falls_as_the_rate_rises(auc: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    doses = [ok("carboplatin_dose", target_auc=auc, creatinine_clearance=rate)["value"] for rate in (low, high)]
    assert doses[0] <= doses[1] <= auc * 150 * 1.001


@settings(max_examples=80, deadline=None)
@given(st.integers(3, 7), st.integers(0, 11), st.integers(40, 120))
def test_feet_and_inches_are_the_same_height_as_inches_alone(feet: int, inches: int, kg: int) -> None:
    body = {"weight": kg, "weight_unit": "kg"}
    apart = calculate("body_surface_area", **body, height=feet, height_unit="ft-in", height_inches=inches)
    together = calculate("body_surface_area", **body, height=12 * feet + inches, height_unit="in")
    assert apart.get("value") == together.get("value")
    assert apart["status"] == together["status"]


def test_feet_without_inches_are_whole_feet() -> None:
    body = {"weight": 70, "weight_unit": "kg", "height_unit": "ft-in"}
    assert (
        ok("body_mass_index", **body, height=6)["value"]
        == ok("body_mass_index", **body, height=6, height_inches=0)["value"]
    )


def test_every_frequency_fills_a_day() -> None:
    for frequency in FREQUENCIES:
        assert float(hours_between(frequency) * doses_per_day(frequency)) == pytest.approx(24)


def test_a_maintenance_dose_every_day_is_24_hours_of_its_infusion() -> None:
    flow = {"clearance": 50, "clearance_unit": "mL/min"}
    hourly = ok("maintenance_dose", **THEOPHYLLINE, **flow)
    daily = ok("maintenance_dose", **THEOPHYLLINE, **flow, frequency="once daily")
    assert daily["value"] == pytest.approx(24 * hourly["value"])
    assert hourly["unit"] == "mg/h"
    assert daily["other_values"] == hourly["other_values"]
