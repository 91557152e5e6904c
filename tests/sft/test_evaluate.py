"""Rates, intervals, baselines and the report, on a handful of examples with known answers."""

import json
import math
from pathlib import Path

import pytest

from data.conversation import Call, Conversation, Example, Message
from sft.baselines import always_abstain, majority_call
from sft.errors import NothingToScore
from sft.evaluate import Rate, evaluate
from sft.judge import Judge
from sft.report import markdown, write_report

PAIR = Call(name="check_drug_interactions", arguments={"drugs": ["warfarin", "ibuprofen"]})
OTHER = Call(name="check_drug_interactions", arguments={"drugs": ["warfarin"]})


def example(name: str, request: str, *calls: Call, split: str = "iid") -> Example:
    answer = Message(role="assistant", calls=calls) if calls else Message(role="assistant", content="No tool for that.")
    talk = Conversation(messages=(Message(role="user", content=request), answer))
    return Example(id=name, split=split, kind="call" if calls else "irrelevant", conversation=talk)


EXAMPLES = [
    example("a", "warfarin with ibuprofen?", PAIR),
    example("b", "is warfarin fine with ibuprofen", PAIR, split="new_template"),
    example("c", "<b>what</b> goes with warfarin", OTHER),
    example("d", "nice weather"),
]


def test_always_abstaining_is_right_only_where_no_call_is_wanted() -> None:
    rates = evaluate("abstain", always_abstain(), EXAMPLES, Judge()).rates["all"]
    assert (rates["abstained"].hits, rates["abstained"].n) == (1, 1)
    assert (rates["exact"].hits, rates["exact"].n) == (0, 3)
    assert rates["schema_valid"].n == 0


def test_the_majority_call_scores_its_own_share() -> None:
    scores = evaluate("majority", majority_call(EXAMPLES), EXAMPLES, Judge())
    assert (scores.rates["all"]["exact"].hits, scores.rates["all"]["exact"].n) == (2, 3)
    assert scores.rates["new_template"]["exact"].value == 1.0
    assert scores.rates["all"]["abstained"].value == 0.0
    assert scores.rates["all"]["grounded"].hits == 2  # "ibuprofen" is in two of the four requests


def test_nothing_to_score_is_an_error() -> None:
    with pytest.raises(NothingToScore, match="medcall examples"):
        evaluate("abstain", always_abstain(), [], Judge())


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],  # Newcombe, Stat Med 1998;17:857, table I
)
def test_wilson_intervals_match_published_values(hits: int, n: int, low: float, high: float) -> None:
    assert Rate(hits, n).interval == pytest.approx((low, high), abs=1e-4)


def test_a_rate_of_nothing_is_not_a_number_and_prints_a_dash() -> None:
    assert math.isnan(Rate(0, 0).value)
    assert str(Rate(0, 0)) == "–"


def test_the_report_holds_the_same_rates_in_all_three_files(tmp_path: Path) -> None:
    judge = Judge()
    scores = [
        evaluate("abstain", always_abstain(), EXAMPLES, judge),
        evaluate("majority", majority_call(EXAMPLES), EXAMPLES, judge),
    ]
    write_report(tmp_path, scores, {"model": "none"})
    result = json.loads((tmp_path / "report.json").read_text())
    assert result["scores"][1]["rates"]["all"]["exact"] == {"hits": 2, "n": 3, "value": 0.6667}
    assert len(result["items"]) == 8
    shown = str(Rate(2, 3))
    assert shown in (tmp_path / "report.md").read_text()
    page = (tmp_path / "report.html").read_text()
    assert shown in page
    assert "&lt;b&gt;what&lt;/b&gt;" in page and "<b>what</b>" not in page
    assert "not clinical advice" in page and "not clinical advice" in markdown(scores, {})
