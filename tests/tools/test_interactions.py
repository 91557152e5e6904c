"""A row of questions a pharmacist would put to an interaction checker."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tools
from tools.interactions.names import Match, shipped_names

CHECK = tools.registry()["check_drug_interactions"]


def check(*drugs: str, **options: Any) -> dict[str, Any]:
    return CHECK.call({"drugs": list(drugs), **options})


def worst(*drugs: str) -> str:
    result = check(*drugs)
    assert result["status"] == "ok", result
    return str(result["highest_severity"])


@pytest.mark.parametrize(
    "drugs",
    [
        ("simvastatin", "clarithromycin"),
        ("simvastatin", "itraconazole"),
        ("simvastatin", "gemfibrozil"),
        ("lovastatin", "ketoconazole"),
        ("nitroglycerin", "sildenafil"),
        ("Imdur", "Cialis"),
        ("riociguat", "vardenafil"),
        ("sertraline", "phenelzine"),
        ("venlafaxine", "tranylcypromine"),
        ("meperidine", "selegiline"),
        ("amitriptyline", "isocarboxazid"),
        ("sumatriptan", "phenelzine"),
        ("dextroamphetamine", "tranylcypromine"),
        ("tizanidine", "ciprofloxacin"),
        ("tizanidine", "fluvoxamine"),
        ("ramelteon", "fluvoxamine"),
        ("azathioprine", "febuxostat"),
        ("mercaptopurine", "Uloric"),
        ("ergotamine", "clarithromycin"),
        ("pimozide", "voriconazole"),
        ("lisinopril", "Entresto"),
        ("irinotecan", "atazanavir"),
        ("atazanavir", "rifampin"),
        ("thioridazine", "fluoxetine"),
        ("voriconazole", "carbamazepine"),
        ("repaglinide", "gemfibrozil"),
        ("disulfiram", "metronidazole"),
        ("ketorolac", "ibuprofen"),
        ("eplerenone", "posaconazole"),
        ("naltrexone", "oxycodone"),
        ("tranylcypromine", "procarbazine"),
        ("dofetilide", "Bactrim"),
    ],
)
def test_pairs_that_must_never_be_combined_are_contraindicated(drugs: tuple[str, str]) -> None:
    result = check(*drugs)
    assert result["highest_severity"] == "contraindicated"
    assert all(len(e["sources"]) >= 2 for e in result["interactions"] if e["severity"] == "contraindicated")


@pytest.mark.parametrize(
    ("drugs", "severity"),
    [
        (("warfarin", "metronidazole"), "major"),
        (("warfarin", "Septra"), "major"),
        (("warfarin", "ibuprofen"), "major"),
        (("Coumadin", "amiodarone"), "major"),
        (("warfarin", "fluconazole"), "major"),
        (("clopidogrel", "omeprazole"), "major"),
        (("oxycodone", "alprazolam"), "major"),
        (("methotrexate", "co-trimoxazole"), "major"),
        (("digoxin", "verapamil"), "major"),
        (("azathioprine", "allopurinol"), "major"),
        (("lithium", "hydrochlorothiazide"), "major"),
        (("valproate", "meropenem"), "major"),
        (("irinotecan", "ketoconazole"), "major"),
        (("atazanavir", "omeprazole"), "major"),
        (("haloperidol", "methadone"), "major"),
        (("sertraline", "sumatriptan"), "moderate"),
        (("levothyroxine", "calcium carbonate"), "moderate"),
        (("ciprofloxacin", "iron"), "moderate"),
        (("lisinopril", "naproxen"), "moderate"),
        (("simvastatin", "amlodipine"), "moderate"),
        (("apixaban", "clarithromycin"), "minor"),
        (("allopurinol", "amoxicillin"), "minor"),
        (("metformin", "amoxicillin"), "none_found"),
        (("levothyroxine", "atorvastatin"), "none_found"),
    ],
)
def test_the_severity_is_the_labels_or_guidelines(drugs: tuple[str, str], severity: str) -> None:
    assert worst(*drugs) == severity


ONC_HIGH_PRIORITY = [  # Phansalkar et al., JAMIA 2012;19:735
    ("dextroamphetamine", "phenelzine"),
    ("atazanavir", "omeprazole"),
    ("azathioprine", "febuxostat"),
    ("irinotecan", "clarithromycin"),
    ("amitriptyline", "phenelzine"),
    ("meperidine", "phenelzine"),
    ("amiodarone", "sotalol"),
    ("ramelteon", "fluvoxamine"),
    ("ritonavir", "rifampin"),
    ("paroxetine", "phenelzine"),
    ("simvastatin", "ritonavir"),
    ("tizanidine", "ciprofloxacin"),
    ("tranylcypromine", "procarbazine"),
    ("rizatriptan", "phenelzine"),
    ("dihydroergotamine", "clarithromycin"),
]


@pytest.mark.parametrize("drugs", ONC_HIGH_PRIORITY)
def test_all_fifteen_onc_high_priority_class_pairs_are_major_or_worse(drugs: tuple[str, str]) -> None:
    assert worst(*drugs) in ("major", "contraindicated")


def test_a_curated_pair_is_reported_instead_of_the_class_rule_with_the_same_mechanism() -> None:
    result = check("simvastatin", "clarithromycin")
    assert [entry["rule"] for entry in result["interactions"]] == ["simvastatin + clarithromycin"]


def test_a_pair_without_a_curated_row_gets_the_prediction_and_says_so() -> None:
    result = check("quetiapine", "verapamil")
    assert [(e["evidence"], e["severity"]) for e in result["interactions"]] == [("pk_prediction", "moderate")]


def test_two_mechanisms_of_one_pair_are_both_reported() -> None:
    kinds = [entry["mechanism"]["type"] for entry in check("tramadol", "fluoxetine")["interactions"]]
    assert sorted(kinds) == ["pharmacodynamic", "pharmacokinetic"]


def test_each_ingredient_of_a_combination_product_is_screened() -> None:
    result = check("Vytorin", "clarithromycin")
    assert result["resolved"][0]["ingredients"] == ["ezetimibe", "simvastatin"]
    assert result["highest_severity"] == "contraindicated"


def test_the_intended_partners_inside_one_product_are_not_screened_against_each_other() -> None:
    assert check("Zestoretic", "metformin")["pairs_checked"] == 2


def test_the_same_ingredient_twice_is_reported_as_a_duplicate() -> None:
    result = check("Percocet", "Tylenol", "apixaban")
    assert result["duplicate_ingredients"] == [{"ingredient": "acetaminophen", "as_written": ["Percocet", "Tylenol"]}]


def test_one_drug_lists_its_partners_and_food_only_when_asked() -> None:
    plain, with_food = check("simvastatin"), check("simvastatin", include_food_herbal=True)
    assert plain["mode"] == "partners"
    partners = {entry["precipitant"] for entry in with_food["interactions"]}
    assert "grapefruit juice" in partners
    assert "grapefruit juice" not in {entry["precipitant"] for entry in plain["interactions"]}


def test_alcohol_and_herbs_can_be_screened_by_name() -> None:
    assert worst("metronidazole", "alcohol") == "contraindicated"
    assert worst("cyclosporine", "St Johns wort") == "major"


def test_min_severity_hides_rows_but_not_the_highest_severity() -> None:
    result = check("lisinopril", "ibuprofen", min_severity="major")
    assert result["interactions"] == []
    assert result["highest_severity"] == "moderate"
    assert any("below major" in note for note in result["notes"])


@pytest.mark.parametrize(
    ("written", "drug", "matched_by"),
    [
        ("warfarin", "warfarin", "generic"),
        ("COUMADIN", "warfarin", "brand"),
        ("Lipitor®", "atorvastatin", "brand"),
        ("metoprolol succinate ER 50 mg", "metoprolol", "alias"),
        ("24 HR metoprolol succinate 100 MG Extended Release Oral Tablet [Toprol]", "metoprolol", "brand"),
        ("Clonazepam [Klonopin]", "clonazepam", "brand"),
        ("paracetamol", "acetaminophen", "alias"),
        ("HCTZ", "hydrochlorothiazide", "alias"),
        ("ASA", "aspirin", "alias"),
        ("St. John's Wort", "St. John's wort", "generic"),
        ("atorvastatin calcium 20 mg tablet", "atorvastatin", "alias"),
        ("warfrin", "warfarin", "spelling"),
        ("Simvistatin 10 MG", "simvastatin", "spelling"),
        ("clarithromicin", "clarithromycin", "spelling"),
        ("Celexa", "citalopram", "brand"),
        ("Celebrex", "celecoxib", "brand"),
    ],
)
def test_a_name_as_written_is_resolved_and_says_how(written: str, drug: str, matched_by: str) -> None:
    [resolved] = check(written)["resolved"]
    assert (resolved["ingredients"], resolved["as_written"]) == ([drug], written)
    assert resolved["matched_by"] == matched_by
    assert (resolved["confidence"] < 1) == (matched_by == "spelling")


@pytest.mark.parametrize(
    ("written", "candidates"),
    [
        ("Celexia", {"Celexa", "Celebrex"}),
        ("Celebrexa", {"Celexa", "Celebrex"}),
        ("hydrolazine", {"hydralazine", "hydroxyzine"}),
        ("Losix", {"Lasix", "Losec"}),
    ],
)
def test_a_misspelling_between_look_alikes_is_asked_back(written: str, candidates: set[str]) -> None:
    result = check(written)
    assert result["error"]["code"] == "ambiguous_drug"
    assert all(name in result["error"]["message"] for name in candidates)


def test_metoprolol_and_metronidazole_are_never_taken_for_each_other() -> None:
    for written in ("metoprol", "metoprolal", "metronidazol", "metronidol", "metropolol", "metronidolol"):
        result = check(written)
        if result["status"] == "ok":
            assert result["resolved"][0]["ingredients"][0][:6] == (
                "metron" if written.startswith("metron") else "metopr"
            )


@pytest.mark.parametrize("written", ["cefixime", "levocarnitine", "daunorubicin", "tolazamide", "epirubicin"])
def test_another_drugs_right_name_is_not_taken_for_a_misspelling(written: str) -> None:
    result = check(written)
    assert result["status"] == "refused"
    assert result["error"]["code"] == "unknown_drug"


@pytest.mark.parametrize("written", ["epirubicn", "cefixim"])
def test_the_misspelt_name_of_a_drug_outside_the_database_is_not_in_it(written: str) -> None:
    assert check(written)["error"]["code"] == "unknown_drug"


def test_not_in_the_database_differs_from_nothing_found() -> None:
    unknown, nothing = check("warfarin", "cefixime"), check("metformin", "amoxicillin")
    assert unknown["unresolved"] == [{"as_written": "cefixime", "reason": "not_in_database", "candidates": []}]
    assert unknown["pairs_checked"] == 0
    assert (nothing["unresolved"], nothing["pairs_checked"], nothing["highest_severity"]) == (
        [],
        1,
        "none_found",
    )


@pytest.mark.parametrize("blank", ["\r", " ", "\u200b"])
def test_a_blank_name_is_shown_and_not_screened(blank: str) -> None:
    result = check("warfarin", blank)
    assert result["unresolved"] == [{"as_written": blank, "reason": "not_in_database", "candidates": []}]


def test_a_class_name_with_several_drugs_is_ambiguous() -> None:
    assert check("insulin")["error"]["code"] == "ambiguous_drug"


GENERICS = [drug.generic for drug in tools.drug_names()]
several = st.lists(st.sampled_from(GENERICS), min_size=2, max_size=6, unique=True)


@settings(max_examples=60, deadline=None)
@given(several, st.randoms(use_true_random=False))
def test_the_order_of_the_request_does_not_matter(drugs: list[str], random: Any) -> None:
    shuffled = drugs[:]
    random.shuffle(shuffled)
    one, other = check(*drugs), check(*shuffled)
    assert one["interactions"] == other["interactions"]
    assert one["pairs_checked"] == other["pairs_checked"]


@settings(max_examples=40, deadline=None)
@given(several)
def test_naming_a_drug_twice_changes_nothing(drugs: list[str]) -> None:
    assert check(*drugs, drugs[0])["interactions"] == check(*drugs)["interactions"]


@settings(max_examples=40, deadline=None)
@given(several)
def test_a_screen_of_many_is_the_union_of_its_pairs(drugs: list[str]) -> None:
    together = {(e["object"], e["precipitant"], e["rule"]) for e in check(*drugs)["interactions"]}
    singles = [name for drug in drugs for name in check(drug)["resolved"][0]["ingredients"]]
    if len(set(singles)) == len(drugs):
        apart = {
            (e["object"], e["precipitant"], e["rule"])
            for pair in itertools.combinations(drugs, 2)
            for e in check(*pair)["interactions"]
        }
        assert together == apart


def test_every_name_of_the_drug_table_resolves_to_its_drug() -> None:
    for drug in tools.drug_names():
        for name in (drug.generic, *drug.brands, *drug.aliases):
            answer = shipped_names().resolve(name)
            assert isinstance(answer, Match), name
            assert answer.ingredients == drug.ingredients, name


def test_every_interaction_shown_names_its_sources_and_the_data_version() -> None:
    result = check("warfarin", "simvastatin", "clarithromycin", "fluoxetine", "tramadol", "lisinopril", "Aldactone")
    assert len(result["interactions"]) > 4
    assert all(source for entry in result["interactions"] for source in entry["sources"])
    assert result["data_version"]
