"""The Berkeley leaderboard's rules, case by case, by hand from its published checker (release v4).

https://github.com/ShishirPatil/gorilla, berkeley-function-call-leaderboard/bfcl_eval/eval_checker/ast_eval/
"""

from typing import Any

import pytest

from data.conversation import Call
from sft.bfcl import as_ground_truth, check_call, check_calls, function_of, standardised
from sft.errors import UnreadableItem
from sft.judge import Judge
from tests.sft.makers import BSA, PAIR, SURFACE


def function(schema: dict[str, Any], required: bool = True) -> dict[str, Any]:
    properties = {"x": schema}
    return {
        "name": "f",
        "parameters": {"type": "dict", "properties": properties, "required": ["x"] if required else []},
    }


STRING, INTEGER, FLOAT, BOOLEAN = ({"type": t} for t in ("string", "integer", "float", "boolean"))
STRINGS = {"type": "array", "items": STRING}
TUPLE = {"type": "tuple", "items": INTEGER}
DICTS = {"type": "array", "items": {"type": "dict"}}
DICT = {"type": "dict"}
PLACE = {"city": ["Rome", "ROM"], "year": [2020, ""]}

CASES: dict[str, tuple[dict[str, Any], Any, list[Any], bool]] = {
    # strings: lower case, without blanks and , . / - _ * ^, single quotes as double ones
    "case": (STRING, "NEW YORK", ["New York"], True),
    "blanks and commas": (STRING, "April 1,2024", ["April 1, 2024"], True),
    "points and dashes": (STRING, "well-known U.S. _file_", ["wellknown us file"], True),
    "quotes": (STRING, "it's", ['it"s'], True),
    "other punctuation counts": (STRING, "what?", ["what"], False),
    "one of several": (STRING, "NYC", ["New York", "nyc"], True),
    "none of them": (STRING, "Boston", ["New York", "NYC"], False),
    "units are text": (STRING, "2.5 mg", ["25 mg"], True),
    "a number is no string": (STRING, 5, ["5"], False),
    "empty text is an answer where it is listed": (STRING, "", ["a", ""], True),
    # numbers
    "integer": (INTEGER, 5, [5], True),
    "an integer is no string": (INTEGER, "5", [5], False),
    "true is no integer": (INTEGER, True, [1], False),
    "a float is no integer": (INTEGER, 5.0, [5], False),
    "a float among integers that count": (INTEGER, 5.5, [5.5], True),
    "an integer for a float": (FLOAT, 5, [5.0], True),
    "a float": (FLOAT, 0.5, [0.5], True),
    "a float where integers count": (FLOAT, 5.0, [5], True),
    "another float": (FLOAT, 0.51, [0.5], False),
    "true is no float": (FLOAT, True, [1.0], False),
    # booleans
    "boolean": (BOOLEAN, True, [True], True),
    "one is no boolean": (BOOLEAN, 1, [True], False),
    "text is no boolean": (BOOLEAN, "true", [True], False),
    # a variable's name for a value, compared as it is
    "variable": (INTEGER, "n_users", ["n_users"], True),
    "a variable in another case": (INTEGER, "N_users", ["n_users"], False),
    # lists
    "list": (STRINGS, ["A-1", "b"], [["a1", "B"]], True),
    "a list in another order": (STRINGS, ["b", "a"], [["a", "b"]], False),
    "a list in a listed order": (STRINGS, ["b", "a"], [["a", "b"], ["b", "a"]], True),
    "a list with a wrong type": (STRINGS, ["a", 1], [["a", "1"]], False),
    "no list": (STRINGS, "a", [["a"]], False),
    "an empty list where the parameter is optional": (STRINGS, [], [["a"], ""], True),
    "tuple": (TUPLE, [1, 2], [[1, 2]], True),
    # dicts: every key lists its own values
    "dict": (DICT, {"city": "rome"}, [PLACE], True),
    "dict with an optional key": (DICT, {"city": "Rom", "year": 2020}, [PLACE], True),
    "dict without a needed key": (DICT, {"year": 2020}, [PLACE], False),
    "dict with a key too many": (DICT, {"city": "Rome", "zip": 1}, [PLACE], False),
    "dict with a wrong value": (DICT, {"city": "Rome", "year": 2021}, [PLACE], False),
    "dict for a string": (STRING, {"city": "Rome"}, ["Rome"], False),
    "dicts": (DICTS, [{"city": "Rome"}], [[PLACE]], True),
    "dicts, too few": (DICTS, [{"city": "Rome"}], [[PLACE, PLACE]], False),
    "dicts in another order": (DICTS, [{"a": 1}, {"b": 2}], [[{"b": [2]}, {"a": [1]}]], False),
    # any is read as text
    "any": ({"type": "any"}, "Rome", ["rome"], True),
    "any number among numbers": ({"type": "any"}, 5, [5], True),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_value_counts_as_published(name: str) -> None:
    schema, value, values, valid = CASES[name]
    why = check_call(function(schema), Call(name="f", arguments={"x": value}), {"x": values})
    assert (why == "") is valid, why


TWO = {
    "name": "f",
    "parameters": {"type": "dict", "properties": {"a": INTEGER, "b": STRING}, "required": ["a"]},
}


@pytest.mark.parametrize(
    ("arguments", "possible", "reason"),
    [
        ({"a": 1}, {"a": [1], "b": ["x", ""]}, ""),
        ({"a": 1, "b": "X"}, {"a": [1], "b": ["x", ""]}, ""),
        ({"a": 1}, {"a": [1], "b": ["x"]}, "'b' is left out"),
        ({"b": "x"}, {"a": [1], "b": ["x"]}, "required parameter 'a'"),
        ({"a": 1, "c": 1}, {"a": [1]}, "'c' is not expected"),
        ({"a": 1, "b": "x"}, {"a": [1]}, "'b' is not expected"),
    ],
)
def test_parameters_are_required_optional_or_unexpected(arguments: Any, possible: Any, reason: str) -> None:
    why = check_call(TWO, Call(name="f", arguments=arguments), possible)
    assert reason in why and (why == "") is (reason == "")


def test_the_name_of_a_function_is_compared_as_written() -> None:
    assert check_call(TWO, Call(name="F", arguments={"a": 1}), {"a": [1]}) == "'F' where 'f' is wanted"


G = {"name": "g", "parameters": {"type": "dict", "properties": {"a": INTEGER}, "required": ["a"]}}


def test_parallel_calls_match_in_any_order() -> None:
    truth = [{"f": {"a": [1]}}, {"g": {"a": [2]}}, {"f": {"a": [3]}}]
    made = [Call(name="f", arguments={"a": 3}), Call(name="f", arguments={"a": 1}), Call(name="g", arguments={"a": 2})]
    assert check_calls([TWO, G], made, truth) == ""
    assert "2 calls where 3" in check_calls([TWO, G], made[:2], truth)
    assert check_calls([TWO, G], [made[0], made[0], made[2]], truth) != ""


def test_each_possible_answer_takes_the_first_call_that_fits_it() -> None:
    truth = [{"f": {"a": [1, 2]}}, {"f": {"a": [1]}}]
    one, two = Call(name="f", arguments={"a": 1}), Call(name="f", arguments={"a": 2})
    assert check_calls([TWO], [two, one], truth) == ""
    assert check_calls([TWO], [one, two], truth) != "", "the first answer takes the call that only the second could use"


def test_a_type_of_another_language_is_refused() -> None:
    with pytest.raises(UnreadableItem, match="'HashMap'"):
        check_call(function({"type": "HashMap"}), Call(name="f", arguments={"x": 1}), {"x": [1]})


def test_a_string_is_standardised() -> None:
    assert standardised("Apr. 1st, 'New-York_City' */^") == 'apr1st"newyorkcity"'


def test_our_own_calls_are_right_by_these_rules_and_slips_are_not() -> None:
    functions = [function_of(tool) for tool in Judge().registry.values()]
    assert check_calls(functions, [SURFACE, PAIR], as_ground_truth([PAIR, SURFACE])) == ""
    shouted = Call(name=PAIR.name, arguments={"drugs": ["WARFARIN", "ibu-profen"]})
    assert check_calls(functions, [shouted], as_ground_truth([PAIR])) == "", "laxer than the judge"
    slip = Call(name=SURFACE.name, arguments={**SURFACE.arguments, **BSA, "weight": 700})
    assert check_calls(functions, [slip], as_ground_truth([SURFACE])) != ""
