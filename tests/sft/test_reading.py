"""Numbers, words, and what a question asks for."""

import itertools
import random
from decimal import Decimal

import pytest

from data.examples.operations import ITEMS, PURPOSES, QUESTIONS, WHO, ask_for, operations
from sft.reading import items_asked, not_an_answer, numbers_in, occurs


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("58kg, Cr 1.7", {"58", "1.7"}),
        ("1,200 mg", {"1200"}),
        (".5 mg", {"0.5"}),
        ("1,7 mg/dl", {"1", "7", "1.7"}),
        ("72F or F72, q6h, 5ft7in, 6'2\"", {"72", "6", "5", "7", "2"}),
        ("vitamin B12 and patient-003", {"3"}),
        ("since 2024-01-31", set()),
        ("twenty-five and twelve", {"20", "25", "12"}),
        ("-5 and 3-4", {"5", "-5", "3", "4"}),
        ("2.50", {"2.5"}),
        ("one", set()),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, numbers: set[str]) -> None:
    assert numbers_in(text) == set(map(Decimal, numbers))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("warfarin", True),
        ("Warfarin", True),
        ("warf", False),
        ("1.7", True),
        ("7", False),
        (1.7, True),
        (17, False),
        (True, False),
        (None, False),
        ("", False),
        ("(MRN", True),
    ],
)
def test_a_value_occurs_as_whole_words_or_as_a_number(value: object, said: bool) -> None:
    text = "Warfarin for María (MRN 4410111), Cr 1.7"
    assert occurs(value, text, numbers_in(text)) is said


@pytest.mark.parametrize("name", operations())
def test_a_question_is_read_the_same_however_it_is_put(name: str) -> None:
    keys = [key for key in operations()[name].keys if key in ITEMS]
    for count in (1, 2, 3):
        for lacking in itertools.combinations(keys, count):
            phrases = [ITEMS[key] for key in lacking]
            items = phrases[0] if count == 1 else ", ".join(phrases[:-1]) + " and " + phrases[-1]
            wanted = {"drug" if key == "drugs" else key for key in lacking}
            for form in QUESTIONS:
                assert items_asked(form.format(items=items, purpose=PURPOSES[name])) == wanted


def test_a_question_for_the_patient_is_read_however_it_is_put() -> None:
    for form in WHO:
        assert items_asked(form.format(purpose="read the record")) == {"patient"}
    assert items_asked(ask_for("read_patient_record", ["patient"], random.Random(0))) == {"patient"}


def test_what_a_question_is_for_is_not_asked_for() -> None:
    assert items_asked("To calculate the creatinine clearance I need the age. Could you tell me?") == {"age"}
    assert items_asked("I check drug interactions and calculate doses.") == frozenset()
    assert items_asked("Could you give me the pickup date?", {"pickup_date", "ward"}) == {"pickup_date"}


@pytest.mark.parametrize(
    "text",
    [
        "No.",
        "I can't help with that: I only check interactions (and doses).",
        "The check_drug_interactions tool does not cover that.",
        "That costs $5 [approximately]; ask again, and again.",
        "Bye-bye!",
    ],
)
def test_an_answer_in_words_is_one(text: str) -> None:
    assert not_an_answer(text, ["check_drug_interactions"]) == ""


def test_a_number_of_thousands_of_digits_is_just_not_there() -> None:
    assert occurs(10**5000, "1", numbers_in("1")) is False
