"""The regimen table: its rules, what the documentation says of it, and the laws every labelled dose obeys."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tools
from tools.dosing.quantity import DAYS_PER_YEAR
from tools.dosing.regimens import Regimen, regimens
from tools.dosing.schema import CALCULATIONS, ROUTES
from tools.dosing.units import SUBSTANCES, UNITS
from tools.errors import TableError
from tools.tables import TABLES

CALCULATE = tools.registry()["calculate_dose"]
TABLE = regimens()


def calculate(calculation: str, **arguments: Any) -> dict[str, Any]:
    return CALCULATE.call({"calculation": calculation, **arguments})


def test_the_table_is_as_large_as_promised_and_says_what_was_compared() -> None:
    assert len(TABLE) >= 100
    assert len({regimen.drug for regimen in TABLE}) >= 70
    for regimen in TABLE:
        assert regimen.second_source, regimen
        assert regimen.route in ROUTES, regimen
        assert regimen.dose[0] <= regimen.dose[1], regimen
        assert regimen.source != regimen.second_source


def test_the_documentation_counts_what_the_table_holds() -> None:
    page = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")
    compared = [regimen.second_source for regimen in TABLE if regimen.second_source]
    textbook = sum("OpenStax" in source for source in compared)
    label = sum("label text" in source for source in compared)
    flat = " ".join(page.split())
    assert f"{len(TABLE)} regimens over {len({regimen.drug for regimen in TABLE})} drugs" in flat
    assert f"Of the {len(TABLE)} rows, {len(compared)} name a second source" in flat
    assert f"{textbook} an open textbook" in flat
    assert f"{label} the label's text" in flat
    assert f"{len(UNITS)} units; {len(SUBSTANCES)} laboratory substances" in flat
    assert all(f"`{name}`" in flat for name in CALCULATIONS)


@pytest.mark.parametrize(
    ("column", "cell", "words"),
    [
        ("basis", "per_litre", "basis 'per_litre'"),
        ("unit", "tablets", "unit 'tablets'"),
        ("age_from", "6 moons", "age '6 moons'"),
        ("renal", "below 30: avoid", "renal band"),
        ("renal", "[0,30): 5 mcg every 24 hours", "renal action"),
        ("renal", "[0,30): 5 mg/m² every 24 hours", "renal action"),
        ("source", "", "empty source"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused_by_line(tmp_path: Path, column: str, cell: str, words: str) -> None:
    header, first, *_ = (TABLES / "regimens.tsv").read_text(encoding="utf-8").splitlines()
    row = dict(zip(header.split("\t"), first.split("\t"), strict=True)) | {column: cell}
    (tmp_path / "regimens.tsv").write_text(header + "\n" + "\t".join(row.values()) + "\n", encoding="utf-8")
    with pytest.raises(TableError, match=re.escape(words)) as caught:
        regimens(tmp_path)
    assert "regimens.tsv:2" in str(caught.value)


WEIGHTED = [regimen for regimen in TABLE if regimen.basis != "fixed"]


def middle_age_days(regimen: Regimen) -> float:
    low = float(regimen.age_from_days or 0)
    high = float(regimen.age_below_days or max(low * 1.2, 40 * 365.25))
    return (low + high) / 2


def ages_days(regimen: Regimen) -> tuple[float, float, float]:
    """Just inside the lower limit, the middle, and just inside the upper one."""
    low = float(regimen.age_from_days or 0) + 0.5
    return low, middle_age_days(regimen), float(regimen.age_below_days or 80 * 365.25) - 0.5


def asked(regimen: Regimen, age_days: float, weight: float, unit: str = "kg", **more: float) -> dict[str, Any]:
    years = age_days / 365.25
    age, age_unit = (years, "years") if age_days > 130 else (age_days, "days")
    kg = weight * {"kg": 1, "lb": 0.45359237}[unit]
    size = {"height": round(100 * (kg / 18) ** 0.5), "height_unit": "cm"} if regimen.size == "m²" else {}
    return calculate(
        "drug_dose",
        drug=regimen.drug,
        indication=regimen.indication,
        age=age,
        age_unit=age_unit,
        weight=weight,
        weight_unit=unit,
        route=regimen.route,
        **size,
        **more,
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
        weights = [w for w in (2, 3.5, 6, 9, 13, 18, 28, 35, 45, 60, 80, 95) if w >= low]
        results = (asked(regimen, age, weight) for age in ages_days(regimen) for weight in weights)
        reached = any(r["status"] == "ok" and r["population"] == regimen.population for r in results)
        assert reached, (regimen.drug, regimen.indication, regimen.population)


def test_two_regimens_of_one_drug_and_indication_never_overlap() -> None:
    years = (
        0.01,
        0.05,
        0.2,
        0.4,
        0.8,
        1,
        1.5,
        2,
        3,
        6,
        7,
        11,
        12,
        12.5,
        13,
        14,
        15,
        16,
        16.5,
        17,
        17.5,
        18,
        30,
        70,
        80,
    )
    groups: dict[tuple[str, str, str], list[Regimen]] = {}
    for regimen in TABLE:
        groups.setdefault((regimen.drug, regimen.indication, regimen.route), []).append(regimen)
    for group, rows in groups.items():
        for age in years:
            for kg in (2, 5, 10, 15, 20, 25, 30, 35, 40, 41, 50, 55, 60, 70, 85, 90):
                fits = [row for row in rows if row.eligible(Decimal(str(age)) * DAYS_PER_YEAR, Decimal(kg))]
                assert len(fits) <= 1, (group, age, kg)


def test_renal_bands_of_a_regimen_neither_overlap_nor_leave_a_gap_above_zero() -> None:
    """In a gap below a band, the worst kidneys would get the full dose."""
    for regimen in TABLE:
        low_side = [band for band in regimen.renal if band.high < 400]  # edoxaban has a band at the other end too
        for tenths in range(0, 2000):
            clearance = Decimal(tenths) / 10
            holding = [band for band in regimen.renal if band.holds(clearance)]
            assert len(holding) <= 1, (regimen.drug, clearance)
            assert holding or all(clearance >= band.high for band in low_side), (regimen.drug, clearance)


def test_a_dose_never_rises_as_the_kidneys_fail() -> None:
    for regimen in TABLE:
        kg = float(regimen.kg_from or 0) + (8 if (regimen.age_below_days or 9999) < 1500 else 61)
        if regimen.kg_below is not None:
            kg = min(kg, float(regimen.kg_below) - 1)
        highest: dict[str, float] = {}
        for clearance in (0, 4, 8, 12, 18, 25, 29, 35, 48, 55, 65, 75, 88, 94):
            result = asked(regimen, middle_age_days(regimen), kg, creatinine_clearance=clearance)
            if result["status"] == "ok" and result["population"] == regimen.population:
                most = result.get("value_high", result["value"])
                assert most >= highest.get(result["frequency"], 0), (regimen.drug, regimen.indication, clearance)
                highest[result["frequency"]] = most
            else:
                assert not highest, (regimen.drug, clearance, result)  # refused at the low end only


@pytest.mark.parametrize("drug", ["vancomycin", "gentamicin", "tobramycin", "amikacin"])
def test_a_drug_dosed_by_levels_has_no_fixed_dose_in_kidney_impairment_and_says_why(drug: str) -> None:
    adult = {"drug": drug, "age": 60, "age_unit": "years", "weight": 80, "weight_unit": "kg"}
    error = calculate("drug_dose", **adult, creatinine_clearance=35)["error"]
    assert (error["code"], error["place"]) == ("individualise_renal", "/creatinine_clearance")
    assert "measured levels" in error["message"]
    assert "label" in error["message"]
    assert calculate("drug_dose", **adult, creatinine_clearance=105)["status"] == "ok"
