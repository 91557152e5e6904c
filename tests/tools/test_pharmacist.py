"""Classes, additive risks and precedence: what a pharmacist expects of a screen beyond single pairs."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tools
from tools.interactions.check import shipped_screen
from tools.interactions.schema import SEVERITIES
from tools.interactions.screen import Interaction, Rule, most_specific

CHECK = tools.registry()["check_drug_interactions"]
SCREEN = shipped_screen()


def check(*drugs: str, **options: Any) -> dict[str, Any]:
    result = CHECK.call({"drugs": list(drugs), **options})
    assert result["status"] == "ok", result
    return result


def risks(one: str, other: str) -> set[str]:
    """The pharmacodynamic risks that rows speak about for two drugs."""
    return {
        risk
        for entry in SCREEN.pair(one, other)
        for kind, risk in entry.rule.speaks_for
        if kind == "pharmacodynamic" and risk
    }


ONC = {  # Phansalkar et al., JAMIA 2012;19:735, table 2; as reprinted in AJHP 2022;79:1086, table 4
    "amphetamines and MAO inhibitors": (("amphetamine", "methamphetamine", "dexmethylphenidate"), ("phenelzine",)),
    "atazanavir and proton pump inhibitors": (("atazanavir",), ("omeprazole", "rabeprazole", "dexlansoprazole")),
    "febuxostat and thiopurines": (("febuxostat",), ("azathioprine", "mercaptopurine", "thioguanine")),
    "SSRIs and MAO inhibitors": (("paroxetine", "citalopram", "fluoxetine"), ("isocarboxazid", "selegiline")),
    "irinotecan and strong CYP3A4 inhibitors": (("irinotecan",), ("ketoconazole", "cobicistat", "lopinavir")),
    "narcotic analgesics and MAO inhibitors": (("meperidine", "methadone", "fentanyl"), ("phenelzine",)),
    "tricyclics and MAO inhibitors": (("nortriptyline", "protriptyline", "trimipramine"), ("tranylcypromine",)),
    "high-risk QT-prolonging agents": (("ibutilide", "vandetanib", "pentamidine"), ("methadone", "sotalol")),
    "ramelteon and strong CYP1A2 inhibitors": (("ramelteon",), ("fluvoxamine", "ciprofloxacin", "viloxazine")),
    "CYP3A4 inducers and protease inhibitors": (("rifampin", "St. John's wort"), ("darunavir", "fosamprenavir")),
    "statins and CYP3A4 or protease inhibitors": (("simvastatin", "lovastatin"), ("posaconazole", "nelfinavir")),
    "ergot alkaloids and CYP3A4 or protease inhibitors": (
        ("ergotamine", "methylergonovine"),
        ("voriconazole", "indinavir"),
    ),
    "tizanidine and CYP1A2 inhibitors": (("tizanidine",), ("ciprofloxacin", "fluvoxamine", "viloxazine")),
    "tranylcypromine and procarbazine": (("tranylcypromine",), ("procarbazine",)),
    "triptans and MAO inhibitors": (("sumatriptan", "rizatriptan", "zolmitriptan"), ("phenelzine", "isocarboxazid")),
}


@pytest.mark.parametrize("pair", ONC)
def test_each_onc_high_priority_class_pair_is_caught_for_several_members(pair: str) -> None:
    for one, other in itertools.product(*ONC[pair]):
        assert check(one, other)["highest_severity"] in ("major", "contraindicated"), (one, other)


def test_all_fifteen_onc_pairs_are_tested() -> None:
    assert len(ONC) == 15


@pytest.mark.parametrize(
    ("drugs", "risk"),
    [
        (("vandetanib", "quinine"), "QT"),
        (("leuprolide", "ondansetron"), "QT"),
        (("vortioxetine", "tramadol"), "serotonin"),
        (("fenfluramine", "sertraline"), "serotonin"),
        (("fondaparinux", "cilostazol"), "bleeding"),
        (("vilazodone", "ticagrelor"), "bleeding"),
        (("ibrutinib", "warfarin"), "bleeding"),
        (("methocarbamol", "eszopiclone"), "sedation"),
        (("cannabidiol", "clobazam"), "sedation"),
        (("trandolapril", "drospirenone"), "potassium"),
        (("trimethoprim", "dalteparin"), "potassium"),
        (("amphotericin B", "tacrolimus"), "kidney"),
        (("cidofovir", "foscarnet"), "kidney"),
        (("oxybutynin", "benztropine"), "anticholinergic"),
        (("scopolamine", "amitriptyline"), "anticholinergic"),
        (("glyburide", "dulaglutide"), "glucose"),
        (("nateglinide", "insulin degludec"), "glucose"),
        (("streptomycin", "ethacrynic acid"), "hearing"),
        (("bupropion", "mefloquine"), "seizure"),
        (("fingolimod", "metoprolol"), "bradycardia"),
        (("haloperidol", "pramipexole"), "dopamine"),
        (("rocuronium", "gentamicin"), "neuromuscular"),
        (("clozapine", "deferiprone"), "marrow"),
        (("yellow fever vaccine", "adalimumab"), "infection"),
    ],
)
def test_an_additive_risk_is_caught_for_drugs_without_a_row_of_their_own(drugs: tuple[str, str], risk: str) -> None:
    assert risk in risks(*drugs)


def test_two_risks_of_one_pair_are_both_reported() -> None:
    assert {"QT", "serotonin"} <= risks("citalopram", "methadone")
    assert {"sedation", "serotonin"} <= risks("tramadol", "trazodone")


@pytest.mark.parametrize(
    ("new", "known", "severity"),
    [
        ("pitavastatin", "gemfibrozil", "major"),
        ("telithromycin", "simvastatin", "contraindicated"),
        ("ceritinib", "lurasidone", "contraindicated"),
        ("apalutamide", "apixaban", "major"),
        ("enzalutamide", "Nexplanon", "major"),
        ("fosphenytoin", "rivaroxaban", "major"),
        ("Rinvoq", "Humira", "major"),
        ("Trintellix", "Nardil", "contraindicated"),
        ("Biktarvy", "rifampin", "contraindicated"),
        ("Biktarvy", "dofetilide", "contraindicated"),
        ("Edurant", "pantoprazole", "contraindicated"),
        ("Harvoni", "amiodarone", "major"),
        ("Sprycel", "omeprazole", "major"),
        ("Imbruvica", "posaconazole", "major"),
        ("Xeloda", "warfarin", "major"),
        ("Qelbree", "duloxetine", "contraindicated"),
        ("Verquvo", "riociguat", "contraindicated"),
        ("Movantik", "clarithromycin", "contraindicated"),
        ("Epidiolex", "valproate", "major"),
        ("Mavyret", "atorvastatin", "major"),
        ("M-M-R II", "infliximab", "contraindicated"),
        ("Uptravi", "gemfibrozil", "contraindicated"),
    ],
)
def test_a_new_member_of_a_class_meets_the_rules_of_its_class(new: str, known: str, severity: str) -> None:
    assert check(new, known)["highest_severity"] == severity


@pytest.mark.parametrize(
    ("drug", "food", "severity"),
    [
        ("felodipine", "grapefruit juice", "moderate"),
        ("amiodarone", "grapefruit", "major"),
        ("nilotinib", "grapefruit juice", "moderate"),
        ("clozapine", "smoking", "major"),
        ("ciprofloxacin", "dairy products", "moderate"),
        ("spironolactone", "salt substitute", "major"),
        ("warfarin", "ginkgo biloba", "major"),
        ("lorazepam", "kava", "moderate"),
        ("atorvastatin", "red yeast rice", "major"),
        ("phenelzine", "aged cheese", "major"),
        ("isoniazid", "alcohol", "major"),
        ("etonogestrel", "St John's wort", "major"),
    ],
)
def test_food_and_herbs_are_screened_by_their_everyday_names(drug: str, food: str, severity: str) -> None:
    assert check(drug, food)["highest_severity"] == severity
    asked = check(drug, "metformin", include_food_herbal=True)
    assert any(
        SCREEN.is_food_or_herb(e["object"]) or SCREEN.is_food_or_herb(e["precipitant"]) for e in asked["interactions"]
    )


@pytest.mark.parametrize("floor", SEVERITIES)
def test_a_severity_filter_hides_what_is_below_it_and_nothing_else(floor: str) -> None:
    drugs = ("warfarin", "amiodarone", "simvastatin", "clarithromycin", "Percocet", "sertraline", "St. John's wort")
    everything, shown = check(*drugs), check(*drugs, min_severity=floor)
    wanted = [e for e in everything["interactions"] if SEVERITIES.index(e["severity"]) >= SEVERITIES.index(floor)]
    assert shown["interactions"] == wanted
    assert shown["highest_severity"] == everything["highest_severity"]


def test_interactions_are_listed_most_severe_first() -> None:
    listed = check("warfarin", "simvastatin", "clarithromycin", "ibuprofen", "sertraline")["interactions"]
    ranks = [SEVERITIES.index(entry["severity"]) for entry in listed]
    assert ranks == sorted(ranks, reverse=True)


def test_an_ingredient_in_three_products_is_one_duplicate_and_is_screened_once() -> None:
    result = check("Percocet", "Fioricet", "Tylenol PM", "warfarin")
    [duplicate] = result["duplicate_ingredients"]
    assert duplicate == {"ingredient": "acetaminophen", "as_written": ["Fioricet", "Percocet", "Tylenol PM"]}
    with_warfarin = [
        e for e in result["interactions"] if {e["object"], e["precipitant"]} == {"warfarin", "acetaminophen"}
    ]
    assert len(with_warfarin) == 1


def test_two_names_of_one_drug_are_a_duplicate_and_not_an_interaction() -> None:
    result = check("Prinivil", "Zestril")
    assert result["duplicate_ingredients"] == [{"ingredient": "lisinopril", "as_written": ["Prinivil", "Zestril"]}]
    assert result["interactions"] == []


def test_two_drugs_of_one_class_are_reported() -> None:
    assert check("atorvastatin", "rosuvastatin")["highest_severity"] == "major"
    assert check("lisinopril", "enalapril")["highest_severity"] == "major"


def rule(number: int, sides: tuple[str, str], severity: str, mechanism: str, risk: str, evidence: str) -> Interaction:
    row = Rule(
        id=number,
        object=sides[0],
        precipitant=sides[1],
        severity=severity,
        action="monitor",
        evidence=evidence,
        mechanism=mechanism,
        risk=risk,
        pathway="",
        effect="",
        management="",
        sources="somewhere",
        verified="",
    )
    return Interaction(object="a", precipitant="b", rule=row)


PAIR = rule(1, ("a", "b"), "moderate", "pharmacodynamic", "bleeding", "label")
HALF = rule(2, ("a", "[B]"), "major", "pharmacodynamic", "bleeding", "label")
CLASSES = rule(3, ("[A]", "[B]"), "contraindicated", "pharmacodynamic", "QT", "class_rule")
CURATED = rule(4, ("[A]", "[B]"), "minor", "pharmacokinetic", "", "label")
PREDICTED = rule(5, ("[A]", "[B]"), "major", "pharmacokinetic", "", "pk_prediction")
MIXED = rule(6, ("a", "[B]"), "major", "mixed", "QT", "label")


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ([HALF, PAIR], [PAIR]),  # the pair's own row, although milder
        ([CLASSES, PAIR], [PAIR, CLASSES]),  # another risk is another statement
        ([PREDICTED, CURATED], [CURATED]),  # a prediction never speaks where a curated row does
        ([PREDICTED, PAIR], [PAIR, PREDICTED]),  # unless the mechanism is another
        ([CLASSES, PREDICTED, MIXED], [MIXED]),  # a mixed row speaks for both kinds
        ([MIXED, PAIR], [PAIR, MIXED]),
    ],
)
def test_precedence_is_decided_per_mechanism_and_risk(rows: list[Interaction], kept: list[Interaction]) -> None:
    assert most_specific(rows) == kept
    assert most_specific(rows[::-1]) == kept


def test_no_pair_has_two_rows_with_one_mechanism() -> None:
    drugs = sorted(drug for drug, kind in SCREEN.kinds.items() if kind == "drug")[::9]
    for one, other in itertools.combinations(drugs, 2):
        spoken = [entry.rule.speaks_for for entry in SCREEN.pair(one, other)]
        assert all(a != b for a, b in itertools.combinations(spoken, 2)), (one, other)


GENERICS = sorted(drug for drug, kind in SCREEN.kinds.items() if kind == "drug")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(GENERICS), st.sampled_from(GENERICS))
def test_a_pair_is_the_same_from_both_sides(one: str, other: str) -> None:
    if one != other:
        forward = {(e.rule.id, frozenset((e.object, e.precipitant))) for e in SCREEN.pair(one, other)}
        backward = {(e.rule.id, frozenset((e.object, e.precipitant))) for e in SCREEN.pair(other, one)}
        assert forward == backward


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(GENERICS), min_size=2, max_size=5, unique=True))
def test_screening_the_resolved_names_again_changes_nothing(drugs: list[str]) -> None:
    first = check(*drugs)
    names = [name for entry in first["resolved"] for name in entry["ingredients"]]
    assert check(*names)["interactions"] == first["interactions"]


def fastest(action: Callable[[], object], repeats: int = 5) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def test_a_screen_of_twenty_drugs_takes_less_than_a_fifth_of_a_second() -> None:
    drugs = ["warfarin", "amiodarone", "simvastatin", "clarithromycin", "sertraline", "tramadol", "alprazolam"]
    drugs += ["lisinopril", "spironolactone", "digoxin", "metformin", "glipizide", "omeprazole", "clopidogrel"]
    drugs += ["ibuprofen", "oxycodone", "quetiapine", "levothyroxine", "Bactrim", "prednisone"]
    assert len(drugs) == 20
    result = check(*drugs)
    assert len(result["interactions"]) > 30
    assert fastest(lambda: check(*drugs)) < 0.2
