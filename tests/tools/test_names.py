"""Drug names as people write them: never another drug's."""

from __future__ import annotations

import random
import string

import pytest

from tools import text
from tools.interactions.names import Match, Names, NoMatch, shipped_names
from tools.interactions.salts import bare

NAMES = shipped_names()


def misspelt(key: str, edits: int, rng: random.Random) -> str:
    """``key`` after some deletions, insertions, substitutions or neighbour swaps of letters."""
    word = key
    for _ in range(edits):
        at, letter = rng.randrange(len(word)), rng.choice(string.ascii_lowercase)
        word = rng.choice(
            [
                word[:at] + word[at + 1 :] or word,
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            ]
        )
    return word


def another_drug(names: Names, key: str, written: str) -> Match | None:
    """The match for ``written`` when it is some other drug than the one called ``key``."""
    if names._exact(written) or names._combination(written):
        return None  # by chance somebody else's right name
    if text.edit_distance(text.key(written), key, 2) > 2:
        return None  # a blank that was trimmed away made it a third edit
    answer = names.resolve(written)
    meant = names.ingredients[names.by_key[key][1]]
    return answer if isinstance(answer, Match) and answer.ingredients != meant else None


def test_a_misspelling_of_any_name_of_the_table_is_never_taken_for_another_drug() -> None:
    rng = random.Random(2012)
    for number, key in enumerate(NAMES.by_key):
        written = misspelt(key, 1 + number % 2, rng)
        assert another_drug(NAMES, key, written) is None, (key, written)


@pytest.mark.slow
def test_ten_misspellings_of_each_name_are_never_taken_for_another_drug() -> None:
    rng = random.Random(735)
    for key in NAMES.by_key:
        for edits in (1, 2) * 5:
            written = misspelt(key, edits, rng)
            assert another_drug(NAMES, key, written) is None, (key, written)


def test_one_wrong_letter_in_a_long_name_is_resolved_or_asked_back() -> None:
    rng = random.Random(19)
    long_names = [key for key in NAMES.by_key if len(key) >= 9][::7]
    answers = [NAMES.resolve(misspelt(key, 1, rng)) for key in long_names]
    silent = [a.as_written for a in answers if isinstance(a, NoMatch) and not a.candidates]
    assert len(long_names) > 200
    assert not silent
    assert sum(isinstance(a, Match) for a in answers) > 0.85 * len(answers)


def test_a_guess_states_a_confidence_below_one_and_a_right_name_does_not() -> None:
    guess, right = NAMES.resolve("clarithromicin"), NAMES.resolve("clarithromycin")
    assert isinstance(guess, Match)
    assert isinstance(right, Match)
    assert (guess.matched_by, right.matched_by) == ("spelling", "generic")
    assert 0.8 < guess.confidence < 1 == right.confidence


LOOK_ALIKES = sorted(
    (key, text.key(other))
    for key, others in NAMES.look_alikes.items()
    for other in others
    if key in NAMES.by_key
    and text.key(other) in NAMES.by_key
    and NAMES.by_key[key][1] != NAMES.by_key[text.key(other)][1]
)


@pytest.mark.parametrize(("name", "other"), LOOK_ALIKES)
def test_a_misspelt_look_alike_is_asked_back_or_keeps_its_own_drug(name: str, other: str) -> None:
    rng = random.Random(f"{name}/{other}")
    for edits in (1, 1, 2, 2):
        written = misspelt(name, edits, rng)
        answer = NAMES.resolve(written)
        if isinstance(answer, Match) and NAMES._exact(written) is None:
            assert answer.drug == NAMES.by_key[name][1], written


@pytest.mark.parametrize(
    ("written", "either"),
    [
        ("Celexia", {"Celexa", "Celebrex"}),
        ("Losic", {"Losec", "Lasix"}),
        ("hydralyzine", {"hydralazine", "hydroxyzine"}),
        ("clonodine", {"clonidine"}),
        ("Zyprxa", {"Zyprexa", "Zyrtec"}),
        ("Lamical", {"Lamictal", "Lamisil"}),
        ("buproprione", {"bupropion", "buspirone"}),
        ("vinblistine", {"vinblastine", "vincristine"}),
        ("Adderal", {"Adderall", "Inderal"}),
    ],
)
def test_between_look_alikes_the_caller_is_asked(written: str, either: set[str]) -> None:
    answer = NAMES.resolve(written)
    assert isinstance(answer, NoMatch)
    assert answer.reason == "ambiguous"
    assert either <= set(answer.candidates)


@pytest.mark.parametrize("name", ["metoprolol", "metronidazole"])
def test_the_right_name_of_a_look_alike_resolves_and_carries_a_warning(name: str) -> None:
    answer = NAMES.resolve(name)
    assert isinstance(answer, Match)
    assert answer.drug == name
    assert answer.look_alike is not None


@pytest.mark.parametrize(
    ("written", "ingredients"),
    [
        ("Acetaminophen 325 MG / Hydrocodone Bitartrate 7.5 MG Oral Tablet", {"acetaminophen", "hydrocodone"}),
        ("amoxicillin 250 MG / clavulanate 125 MG Oral Tablet", {"amoxicillin", "clavulanate"}),
        ("tramadol and acetaminophen", {"tramadol", "acetaminophen"}),
        ("lisinopril-HCTZ 20-12.5", {"lisinopril", "hydrochlorothiazide"}),
        ("hydrocodone-acetaminophen 5-325", {"acetaminophen", "hydrocodone"}),
        ("Norco 10/325", {"acetaminophen", "hydrocodone"}),
        ("Tylenol #3", {"acetaminophen", "codeine"}),
        ("Biktarvy", {"bictegravir", "emtricitabine", "tenofovir"}),
        ("Trelegy Ellipta", {"fluticasone", "umeclidinium", "vilanterol"}),
        ("Adderall XR 20 mg", {"amphetamine", "dextroamphetamine"}),
    ],
)
def test_no_ingredient_of_a_combination_is_lost(written: str, ingredients: set[str]) -> None:
    answer = NAMES.resolve(written)
    assert isinstance(answer, Match)
    assert set(answer.ingredients) == ingredients


def test_an_unknown_part_of_a_combination_is_not_dropped_in_silence() -> None:
    assert isinstance(NAMES.resolve("lidocaine 10 MG/ML / foobarine 5 mg"), NoMatch)


@pytest.mark.parametrize(
    ("written", "drug"),
    [
        ("escitalopram oxalate 10 mg", "escitalopram"),
        ("doxycycline hyclate", "doxycycline"),
        ("divalproex sodium ER", "valproate"),
        ("tenofovir alafenamide", "tenofovir"),
        ("testosterone cypionate", "testosterone"),
        ("ibuprofen 100 mg/5 mL suspension", "ibuprofen"),
        ("5-FU", "fluorouracil"),
        ("TDF", "tenofovir"),
        ("rifampicin", "rifampin"),
        ("Paxil CR", "paroxetine"),
        ("lisinopril 10", "lisinopril"),
        ("Rinvoq", "upadacitinib"),
    ],
)
def test_salts_strengths_abbreviations_and_new_brands_resolve(written: str, drug: str) -> None:
    answer = NAMES.resolve(written)
    assert isinstance(answer, Match)
    assert answer.ingredients == (drug,)
    assert answer.confidence == 1


@pytest.mark.parametrize("family", ["insulin", "penicillin"])
def test_a_family_name_is_asked_back(family: str) -> None:
    answer = NAMES.resolve(family)
    assert isinstance(answer, NoMatch)
    assert answer.reason == "ambiguous"
    assert all(name.startswith(family) for name in answer.candidates)


def test_salt_words_alone_leave_nothing() -> None:
    assert bare("escitalopram oxalate 10 mg tablet") == "escitalopram"
    assert bare("sodium chloride") == ""


@pytest.mark.parametrize("written", ["", "   ", "?", "mg", "10 mg tablet", "x" * 80, "💊", "null"])
def test_a_name_without_sense_is_not_in_the_database(written: str) -> None:
    assert isinstance(NAMES.resolve(written), NoMatch)
