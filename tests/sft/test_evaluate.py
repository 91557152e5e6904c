"""Metrics, groups, reports and going on after an interruption, on a handful of examples with known answers."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest

from data.conversation import Conversation, Message
from data.tokenizer import load_tokenizer
from data.wire import Reply, call_json
from sft.answers import Answers
from sft.baselines import always_abstain, majority_tool
from sft.errors import NothingToScore, PromptTooLong
from sft.evaluate import METRICS, Scores, evaluate
from sft.judge import Judge
from sft.report import markdown, shown, table, where_rules_win, write_report
from sft.trace import Token, Trace
from sft.turns import all_turns
from tests.sft.makers import OTHER, PAIR, SURFACE, calls, example, words

EXAMPLES = [
    example("warfarin with ibuprofen?", PAIR, id="a"),
    example("is warfarin fine with ibuprofen", PAIR, id="b", split="new_template"),
    example("<b>what</b> goes with warfarin", OTHER, id="c"),
    example("nice weather", id="d", kind="irrelevant.chat"),
]
TURNS = all_turns(EXAMPLES)
JUDGE = Judge()
SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"


def scored(name: str, *traces: Trace) -> Scores:
    """A responder that gives these answers in turn."""
    left = list(traces)
    return evaluate(name, lambda conversation: left.pop(0), TURNS, JUDGE)


def test_the_majority_tool_scores_its_own_share() -> None:
    scores = evaluate("majority", majority_tool(TURNS), TURNS, JUDGE)
    assert (scores.get("exact").total, scores.get("exact").n) == (2, 3)
    assert scores.get("exact", "split:new_template").value == 1.0
    assert scores.get("right_tools").value == 1.0
    assert scores.get("abstained").value == 0.0
    assert (scores.get("inventing").total, scores.get("inventing").n) == (2, 4)  # two requests do not name both drugs
    assert (scores.get("invented").total, scores.get("invented").n) == (3, 8)


def test_a_majority_of_nothing_abstains() -> None:
    assert majority_tool(all_turns(EXAMPLES[3:]))(TURNS[0].prompt) == always_abstain()(TURNS[0].prompt)


def test_nothing_to_score_is_an_error() -> None:
    with pytest.raises(NothingToScore, match="medcall examples"):
        evaluate("abstain", always_abstain(), [], JUDGE)


def test_a_conversation_that_does_not_fit_is_a_wrong_answer_and_no_crash() -> None:
    def full(conversation: Conversation) -> Trace:
        raise PromptTooLong("the conversation takes 600 of the model's 512 positions")

    scores = evaluate("full", full, TURNS, JUDGE)
    assert scores.get("right").total == 0 and scores.get("malformed").value == 1.0
    assert scores.items[0].verdict.reason.startswith("no room")


def test_costs_are_of_answers_that_call_and_per_call() -> None:
    def made(*wanted: object, tokens: int, seconds: float) -> Trace:
        parts = tuple(Token(text="x", origin="forced" if i % 2 else "narrowed") for i in range(tokens))
        return replace(calls(*wanted), tokens=parts, seconds=seconds, forward_passes=tokens // 2)  # type: ignore[arg-type]

    scores = scored(
        "model",
        made(PAIR, tokens=10, seconds=0.1),
        made(PAIR, OTHER, tokens=20, seconds=0.2),
        made(OTHER, tokens=10, seconds=0.1),
        replace(words("Hello there."), tokens=(Token(text="x", origin="free"),) * 4, seconds=1.0),
    )
    assert scores.get("tokens").value == 10 and scores.get("milliseconds").value == pytest.approx(100)
    assert scores.get("passes").value == 5
    assert scores.get("answer_tokens").value == 11 and scores.get("forced").value == pytest.approx(20 / 44)
    assert scores.get("extra_calls").value == pytest.approx(1 / 3)


def test_mass_and_intervention_are_means_over_the_tokens_of_calls() -> None:
    tokens = (
        Token(text="<tool_call>", origin="narrowed", id=1, mass=1.0, overruled=False),
        Token(text="x", origin="forced", id=2, mass=0.5, overruled=True),
        Token(text="</tool_call>", origin="forced", id=3, mass=0.75, overruled=False),
        Token(text="<|end|>", origin="narrowed", id=4),
    )
    scores = scored("model", *(replace(calls(PAIR), tokens=tokens) for _ in TURNS))
    assert scores.get("mass").value == 0.75 and scores.get("intervention").value == pytest.approx(1 / 3)
    assert scores.get("mass").n == 12


def test_dialogues_are_right_when_all_their_turns_are() -> None:
    talk = Conversation(
        messages=(
            Message(role="user", content="BSA for 70 kg"),
            Message(role="assistant", content="Could you give me the height?"),
            Message(role="user", content="170 cm"),
            Message(role="assistant", calls=(SURFACE,)),
        )
    )
    two = all_turns([replace(EXAMPLES[0], id="two", kind="continue.body_surface_area", conversation=talk)])
    scores = evaluate("calls", lambda conversation: calls(SURFACE), two, JUDGE)
    assert (scores.get("right").value, scores.get("right").n, scores.get("right").clusters) == (0.5, 2, 1)
    assert scores.dialogues.value == 0.0


# ---- going on


def test_an_interrupted_evaluation_goes_on_with_the_next_question(tmp_path: Path) -> None:
    asked: list[str] = []

    def respond(conversation: Conversation) -> Trace:
        asked.append(conversation.messages[-1].content)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return calls(PAIR)

    path = tmp_path / "answers.jsonl"
    with Answers(path) as answers, pytest.raises(KeyboardInterrupt):
        evaluate("x", respond, TURNS, JUDGE, answers)
    with path.open("ab") as file:
        file.write(b'{"key": "iid/c#0", "outco')  # the line that was being written
    with Answers(path) as answers:
        again = evaluate("x", respond, TURNS, JUDGE, answers)
    assert asked == [t.prompt.messages[-1].content for t in (*TURNS[:3], *TURNS[2:])]
    whole = evaluate("x", lambda conversation: calls(PAIR), TURNS, JUDGE)
    assert again.as_json() == whole.as_json()
    with Answers(path) as answers:
        evaluate("x", respond, TURNS, JUDGE, answers)
    assert len(asked) == 5, "nothing is asked a third time"


def test_answers_that_no_file_could_hold_as_they_are_are_kept(tmp_path: Path) -> None:
    half = type(PAIR)(name=PAIR.name, arguments={"drugs": ["\ud800"]})
    with Answers(tmp_path / "a.jsonl") as answers:
        answers.put("k", calls(half))
    with Answers(tmp_path / "a.jsonl") as answers:
        assert answers.known["k"].reply.calls == (half,)
    write_report(tmp_path, [scored("x", *[calls(half)] * 4)], {})
    assert (tmp_path / "report.html").read_text("utf-8")


# ---- reports


def reported(folder: Path) -> list[Scores]:
    tokens = (
        Token(text="<tool_call>", origin="narrowed", id=1, mass=0.3, overruled=True),
        Token(text='{"name', origin="forced", id=2, mass=1.0, overruled=False),
    )
    wrong = Trace(reply=Reply(outcome="calls", calls=(OTHER,), text=call_json(OTHER), stopped=True), tokens=tokens)
    scores = [
        evaluate("always abstain", always_abstain(), TURNS, JUDGE, note="always the same"),
        evaluate("extractor", majority_tool(TURNS), TURNS, JUDGE),
        scored("grounded", wrong, wrong, wrong, wrong),
    ]
    write_report(folder, scores, {"model": "none", "date": "2026-11-28"})
    return scores


def test_the_report_holds_the_same_figures_in_all_its_files(tmp_path: Path) -> None:
    scores = reported(tmp_path)
    result = json.loads((tmp_path / "report.json").read_text())
    jsonschema.validate(result, json.loads(SCHEMA.read_text()))
    exact = result["scores"][1]["groups"]["all"]["exact"]
    assert (exact["total"], exact["n"], exact["value"], exact["interval"]) == (2, 3, 0.66667, "wilson")
    assert set(result["metrics"]) == set(METRICS)
    items = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    assert len(items) == 12 and sum(item["right"] for item in items if item["responder"] == "extractor") == 2
    text = shown(scores[1].get("exact"))
    assert text == "67 % [21–94]"
    assert text in (tmp_path / "report.md").read_text()
    assert "67 %<small>21–94</small>" in (tmp_path / "report.html").read_text()


class Loads(HTMLParser):
    """What a page would fetch, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [str(v) for k, v in attrs if k in ("src", "href", "data", "srcset")]
        if tag not in ("meta", "br", "img", "link", "input", "line", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("line", "circle"):
            assert self.open.pop() == tag


def test_the_page_loads_nothing_closes_its_tags_and_escapes_what_was_said(tmp_path: Path) -> None:
    reported(tmp_path)
    page = (tmp_path / "report.html").read_text()
    loads = Loads()
    loads.feed(page)
    assert loads.fetched == [] and loads.open == [] and "url(" not in page and "<script" not in page
    assert "&lt;b&gt;what&lt;/b&gt;" in page and "<b>what</b>" not in page
    assert "not clinical advice" in page and "not clinical advice" in markdown(reported(tmp_path), {})


def test_the_page_shows_failures_by_kind_and_what_the_mask_took(tmp_path: Path) -> None:
    reported(tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<summary>wrong list <b>2</b>" in page and "<summary>called without need <b>1</b>" in page
    assert (
        'title="narrowed; the mask took 70.0 % of the model&#x27;s probability; its first choice was illegal"' in page
        or ("narrowed; the mask took 70.0 % of the model" in page)
    )
    assert "<svg" in page and "prefers-color-scheme: dark" in page


def test_a_character_in_two_tokens_is_shown_whole(tmp_path: Path) -> None:
    tokenizer = load_tokenizer()
    ids = tokenizer.encode("creatinine 90 μmol 体")
    tokens = tuple(Token(text=tokenizer.decode([i]), origin="free", id=i) for i in ids)
    assert any("�" in token.text for token in tokens)
    write_report(tmp_path, [scored("free", *[replace(words("Hello there."), tokens=tokens)] * 4)], {})
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "�" not in page and "体" in page


def test_the_report_says_where_the_rules_win(tmp_path: Path) -> None:
    scores = reported(tmp_path)
    sentence = where_rules_win(scores)
    assert (
        "new_template (100 % against 0 %)" in sentence or "new_template (100 % against 0 %, beyond chance)" in sentence
    )
    assert sentence in (tmp_path / "report.md").read_text()
    assert where_rules_win([scores[2]]) == ""


def test_a_table_leaves_out_what_was_never_asked() -> None:
    header, rows = table([evaluate("abstain", always_abstain(), TURNS, JUDGE)])
    assert "asked ↑" not in header and "exact calls ↑" in header
    assert rows[0][0] == "abstain"
