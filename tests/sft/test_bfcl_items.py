"""Items of the Berkeley leaderboard come in, are judged, and ours go out and come back."""

import json
from pathlib import Path
from typing import Any

import pytest

from data.conversation import Call
from sft.bfcl_items import is_item, nearest, read_item, read_items, write_items
from sft.errors import UnreadableItem
from sft.judge import Judge
from sft.turns import all_turns
from tests.sft.makers import PAIR, SURFACE, calls, example, words

BMI = {
    "name": "health.bmi",
    "description": "Body mass index.",
    "parameters": {
        "type": "dict",
        "properties": {
            "height": {"type": "float", "description": "In feet."},
            "weight": {"type": "integer"},
            "unit": {"type": "string", "enum": ["metric", "imperial"], "default": "metric"},
            "tags": {"type": "tuple", "items": {"type": "string"}},
            "more": {"type": "dict", "properties": {"note": {"type": "any"}}},
        },
        "required": ["height", "weight"],
    },
}
ITEM = {
    "id": "simple_0",
    "question": [[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "BMI at 6 feet and 80 kg"}]],
    "function": [BMI],
}
JAVA = {"type": "dict", "properties": {"x": {"type": "ArrayList"}}}
TRUTH = [{"health.bmi": {"height": [6.0], "weight": [80], "unit": ["metric", ""], "tags": [""], "more": [""]}}]


def bmi(**arguments: Any) -> Call:
    return Call(name="health.bmi", arguments={"height": 6, "weight": 80, **arguments})


def test_an_item_becomes_a_turn_with_its_own_tools() -> None:
    turn = read_item(ITEM, TRUTH)
    assert turn.want == "calls" and turn.wanted == (bmi(height=6.0, unit="metric"),)
    schema = turn.prompt.tools[0]["function"]["parameters"]
    assert schema["type"] == "object" and schema["additionalProperties"] is False
    assert {name: part.get("type") for name, part in schema["properties"].items()} == {
        "height": "number", "weight": "integer", "unit": "string", "tags": "array", "more": "object",
    }  # fmt: skip
    assert schema["properties"]["more"]["properties"] == {"note": {}}
    system, user = turn.prompt.messages
    assert system.content.startswith("Be brief.\n") and "health.bmi(height: number" in system.content
    assert user.content == "BMI at 6 feet and 80 kg"


@pytest.mark.parametrize(
    ("call", "exact", "ast"),
    [
        (bmi(), True, True),
        (bmi(unit="metric"), True, True),
        (bmi(unit="Metric"), False, True),
        (bmi(unit="imperial"), False, False),
        (bmi(weight=80.0), True, False),
        (bmi(weight="80"), False, False),
        (bmi(depth=1), False, False),
    ],
)
def test_the_judge_is_strict_and_the_leaderboard_is_not(call: Call, exact: bool, ast: bool) -> None:
    verdict = Judge()(read_item(ITEM, TRUTH), calls(call))
    assert (verdict.exact, verdict.ast) == (exact, ast)


def test_any_of_the_possible_answers_is_exact_but_only_in_its_type() -> None:
    truth = [{"f": {"to": ["LA", "Los Angeles"], "n": [[1, 2], [2, 1]], "at": [{"x": [1], "y": [2, ""]}]}}]
    made = Call(name="f", arguments={"to": "Los Angeles", "n": [2, 1], "at": {"x": 1}})
    assert nearest(truth, [made]) == (made,)
    other = Call(name="f", arguments={"to": "los angeles", "n": [2, 1], "at": {"x": True}})
    assert nearest(truth, [other]) == (
        Call(name="f", arguments={"to": "LA", "n": [2, 1], "at": {"x": 1, "y": 2}}),
    )  # fmt: skip


def test_parallel_possible_answers_go_to_the_calls_that_they_fit() -> None:
    truth = [{"f": {"a": [1], "b": ["x", ""]}}, {"f": {"a": [2]}}]
    made = [Call(name="f", arguments={"a": 2}), Call(name="f", arguments={"a": 1})]
    assert nearest(truth, made) == (made[1], made[0])


def test_an_item_without_a_possible_answer_wants_no_call() -> None:
    turn = read_item({**ITEM, "id": "irrelevance_0"}, None)
    judge = Judge()
    assert turn.want == "words" and turn.example.kind == "irrelevant"
    assert judge(turn, words("None of these fits.")).right
    assert not judge(turn, calls(bmi())).right
    assert not judge(turn, words("[health.bmi(height=6, weight=80)")).right, "the leaderboard itself lets this pass"


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_possible_answers_are_found_beside_the_file_within_it_or_where_told(tmp_path: Path) -> None:
    beside = lines(tmp_path / "BFCL_v4_simple.json", [ITEM])
    lines(tmp_path / "possible_answer" / "BFCL_v4_simple.json", [{"id": "simple_0", "ground_truth": TRUTH}])
    within = lines(tmp_path / "own.jsonl", [{**ITEM, "ground_truth": TRUTH}])
    alone = lines(tmp_path / "alone.jsonl", [ITEM])
    told = lines(tmp_path / "truth.jsonl", [{"id": "simple_0", "ground_truth": TRUTH}])
    found = [read_items(beside), read_items(within), read_items(alone, told)]
    assert all(turn.wanted == (bmi(height=6.0, unit="metric"),) for (turn,) in found)
    with pytest.raises(UnreadableItem, match="no item has possible answers"):
        read_items(alone)


@pytest.mark.parametrize(
    ("change", "truth", "why"),
    [
        ({"question": [[], []]}, TRUTH, "has 2 turns, expected one"),
        ({"question": "hello"}, TRUTH, "has no turns"),
        ({"function": []}, TRUTH, "expected a list of functions"),
        ({"id": "live_relevance_3"}, None, "not scored by possible answers"),
        ({"id": "multi_turn_base_1"}, None, "not scored by possible answers"),
        ({"function": [{"name": "f", "parameters": {"type": "dict"}}]}, None, "expected properties"),
        ({"function": [{**BMI, "parameters": JAVA}]}, None, "'ArrayList'"),
        ({}, [{"nothing": {}}], "not among its functions"),
        ({}, [{"health.bmi": {"height": 6}}], "no list of values"),
        ({}, [{}], "expected {function: parameters}"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused_by_file_and_line(change: Any, truth: Any, why: str, tmp_path: Path) -> None:
    path = lines(tmp_path / "x.jsonl", [{**ITEM, "ground_truth": TRUTH}, {**ITEM, **change, "ground_truth": truth}])
    with pytest.raises(UnreadableItem, match=r"x\.jsonl:2: ") as error:
        read_items(path)
    assert why in str(error.value)


def test_ours_go_out_and_come_back_right_by_both_scores(tmp_path: Path) -> None:
    examples = [
        example("warfarin with ibuprofen, and BSA for 70 kg, 170 cm", PAIR, SURFACE, id="a"),
        example("warfarin with ibuprofen", PAIR, id="b"),
        example("hello", id="c", kind="irrelevant.chat"),
        example("BSA", id="d", kind="missing.body_surface_area", words="Could you give me the height?"),
    ]
    ours = all_turns(examples)
    assert write_items(tmp_path, ours, Judge().registry) == 3, "a question has no form there"
    first = json.loads((tmp_path / "iid.jsonl").read_text().splitlines()[0])
    assert is_item(first) and not is_item(examples[0].to_json())
    back = read_items(tmp_path / "iid.jsonl")
    judge = Judge()
    for turn, mine in zip(back, ours[:3], strict=True):
        answer = calls(*mine.wanted) if mine.wanted else words("That is none of it.")
        verdict = judge(turn, answer)
        assert verdict.right and verdict.ast in (True, None)
        assert turn.prompt.messages[-1].content == mine.prompt.messages[-1].content
