"""Ways to score well without doing well; none of them works.

Each is an answer as a model would write it, read by the parser of the wire format and judged."""

import json
import random

import pytest

from data.conversation import Conversation
from data.tokenizer import load_tokenizer
from data.wire import CLOSE, END, OPEN, Reply, call_json, parse_ids, parse_text
from sft.baselines import always_abstain
from sft.evaluate import evaluate
from sft.judge import Judge, Verdict
from sft.trace import Responder, Trace
from sft.turns import all_turns
from tests.sft.makers import OTHER, PAIR, SURFACE, calls, example, turn, words

ASKED = turn("Can I take warfarin with ibuprofen?", PAIR)
CHAT = turn("What a lovely day!")
MISSING = turn("BSA please", kind="missing.body_surface_area", words="Could you give me the weight and the height?")
GOOD = call_json(PAIR)
JUDGE = Judge()


def judged(text: str, asked: object = ASKED) -> Verdict:
    """The verdict on an answer that arrives as text."""
    return JUDGE(asked, Trace(reply=parse_text(text)))  # type: ignore[arg-type]


def tagged(json_text: str) -> str:
    return f"<tool_call>{json_text}</tool_call><|end|>"


def test_the_honest_answer_is_right() -> None:
    assert judged(tagged(GOOD)).right


BROKEN = {
    "empty": "",
    "only the end": "<|end|>",
    "a tag and nothing": "<tool_call><|end|>",
    "an empty call": tagged(""),
    "an empty object": tagged("{}"),
    "NaN": tagged(GOOD.replace('"ibuprofen"', "NaN")),
    "Infinity": tagged(GOOD.replace('"ibuprofen"', "Infinity")),
    "an overflowing number": tagged(GOOD.replace('"ibuprofen"', "1e999")),
    "a number of 5,000 digits": tagged(GOOD.replace('"ibuprofen"', "1" * 5000)),
    "the same key twice": tagged(GOOD.replace('{"drugs"', '{"drugs": ["a"], "drugs"')),
    "the same name twice": tagged('{"name": "x", ' + GOOD[1:]),
    "trailing text inside": tagged(GOOD + " ok?"),
    "trailing text behind": tagged(GOOD).replace("<|end|>", " Sure!<|end|>"),
    "text in front": "Sure! " + tagged(GOOD),
    "a call in prose": f"I would call {GOOD} for this.<|end|>",
    "a call in a code block": f"```json\n{GOOD}\n```<|end|>",
    "a call like Python": "check_drug_interactions(drugs=['warfarin', 'ibuprofen'])<|end|>",
    "a call like Python in words": "Let me use check_drug_interactions (drugs: warfarin).<|end|>",
    "JSON without a tag": GOOD + "<|end|>",
    "JSON with single quotes": tagged(GOOD.replace('"', "'")),
    "a tag in look-alikes": f"＜tool_call＞{GOOD}＜/tool_call＞<|end|>",
    "a tag with invisible letters": f"<tool\u200b_call>{GOOD}</tool\u200b_call><|end|>",
    "another model's tag": "[TOOL_CALLS] something<|end|>",
    "arguments as a string": tagged(json.dumps({"name": PAIR.name, "arguments": json.dumps(dict(PAIR.arguments))})),
    "a list of calls in one tag": tagged(f"[{GOOD}]"),
    "one key too many": tagged(GOOD[:-1] + ', "id": 1}'),
    "cut off within the call": "<tool_call>" + GOOD[:-9],
    "cut off behind the call": f"<tool_call>{GOOD}</tool_call>",
    "half a character": tagged(GOOD.replace("ibuprofen", "\\ud800")),
    "only punctuation": "... ?!<|end|>",
    "numbers": "12 12 12<|end|>",
    "the same words over and over": "no no no no no<|end|>",
    "a phrase over and over": "I cannot I cannot I cannot help<|end|>",
    "bytes that are no text": "I \ufffd cannot<|end|>",
    "words that are cut off": "I cannot help with",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_is_malformed_whatever_was_wanted(name: str) -> None:
    for asked in (ASKED, CHAT, MISSING):
        verdict = judged(BROKEN[name], asked)
        assert verdict.outcome == "malformed", (name, verdict)
        assert not verdict.right and not verdict.exact and not verdict.abstained and not verdict.asked, name
        assert verdict.reason


@pytest.mark.parametrize("depth", [40, 200, 900, 960, 985, 990, 995, 2000])
def test_deep_nesting_is_malformed_and_crashes_nothing(depth: int) -> None:
    text = GOOD.replace('"ibuprofen"', "[" * depth + "]" * depth)
    assert judged(tagged(text)).outcome == "malformed"
    tokenizer = load_tokenizer()
    reply = parse_ids([OPEN, *tokenizer.encode(text), CLOSE, END], tokenizer)
    assert JUDGE(ASKED, Trace(reply=reply)).outcome == "malformed"


def test_a_call_that_runs_into_the_token_budget_is_called_cut_off() -> None:
    tokenizer = load_tokenizer()
    for ids in ([OPEN, *tokenizer.encode(GOOD)], [OPEN, *tokenizer.encode(GOOD), CLOSE]):
        verdict = JUDGE(ASKED, Trace(reply=parse_ids(ids, tokenizer)))
        assert verdict.outcome == "malformed" and verdict.errors == ("cut off",)


def test_the_order_of_keys_and_the_spaces_do_not_matter() -> None:
    arguments = dict(reversed(SURFACE.arguments.items()))
    asked = turn("BSA for 70 kg, 170 cm", SURFACE)
    text = json.dumps({"arguments": arguments, "name": SURFACE.name}, separators=(",", ":"))
    assert judged(tagged(text), asked).right
    assert judged(tagged(text.replace(":70,", ":70.0,").replace(":170", ":1.7e2")), asked).right


@pytest.mark.parametrize(
    ("wrong", "outcome"),
    [
        ('"weight": "70"', "malformed"),
        ('"weight": true', "malformed"),
        ('"weight": 70.000001', "valid"),
        ('"weight": 1e300', "malformed"),
        ('"weight": -70', "malformed"),
        ('"weight": null', "malformed"),
        ('"weight": [70]', "malformed"),
    ],
)
def test_a_number_is_that_number_and_nothing_like_it(wrong: str, outcome: str) -> None:
    asked = turn("BSA for 70 kg, 170 cm", SURFACE)
    verdict = judged(tagged(call_json(SURFACE).replace('"weight": 70', wrong)), asked)
    assert verdict.outcome == outcome and verdict.exact is False


def test_a_true_where_one_is_wanted_is_not_one() -> None:
    asked = turn("BSA for 1 kg, 170 cm", type(SURFACE)(name=SURFACE.name, arguments={**SURFACE.arguments, "weight": 1}))
    assert judged(tagged(call_json(SURFACE).replace('"weight": 70', '"weight": true')), asked).outcome == "malformed"


def test_look_alike_letters_are_other_letters() -> None:
    verdict = judged(tagged(GOOD.replace("warfarin", "w\u0430rfarin")))  # a Cyrillic a
    assert verdict.outcome == "valid" and verdict.exact is False and verdict.invented == ("/0/drugs/0",)
    verdict = judged(tagged(GOOD.replace("ibuprofen", "ibu\u200bprofen")))
    assert verdict.exact is False and verdict.invented == ("/0/drugs/1",)


def test_saying_the_right_call_twice_is_wrong() -> None:
    verdict = JUDGE(ASKED, calls(PAIR, PAIR))
    assert verdict.exact is False and verdict.extra == 1 and verdict.same_result is False and verdict.ast is False


def test_a_thousand_calls_with_the_right_one_among_them_are_wrong_and_judged_at_once() -> None:
    verdict = JUDGE(ASKED, calls(*[OTHER] * 1000, PAIR))
    assert verdict.exact is False and verdict.extra == 1000


def test_the_whole_request_as_an_argument_is_said_but_not_right() -> None:
    call = type(PAIR)(name=PAIR.name, arguments={"drugs": ["Can I take warfarin with ibuprofen"]})
    verdict = JUDGE(ASKED, calls(call))
    assert verdict.invented == () and verdict.exact is False and verdict.arguments == (0, 1)


def test_an_empty_or_blank_argument_is_not_said() -> None:
    for name in ("", " "):
        verdict = JUDGE(ASKED, calls(type(PAIR)(name=PAIR.name, arguments={"drugs": [name]})))
        assert verdict.invented == ("/0/drugs/0",)


def test_calls_hidden_beside_words_are_malformed() -> None:
    assert (
        JUDGE(CHAT, Trace(reply=Reply(outcome="text", text="Hello", calls=(PAIR,), stopped=True))).outcome
        == "malformed"
    )


# ---- systems that always do the same

EXAMPLES = [
    *(example(f"warfarin with ibuprofen? {i}", PAIR, id=f"call{i}") for i in range(20)),
    *(example(f"how are you {i}", id=f"chat{i}", kind="irrelevant.chat") for i in range(10)),
    *(
        example("BSA please", id=f"missing{i}", kind="missing.body_surface_area", words="Could you give me the height?")
        for i in range(10)
    ),
]


def always(trace: Trace) -> Responder:
    return lambda conversation: trace


def test_always_abstaining_is_right_only_where_words_were_wanted() -> None:
    scores = evaluate("abstain", always_abstain(), all_turns(EXAMPLES), JUDGE)
    assert scores.get("right").total == 10 and scores.get("abstained").value == 1.0
    assert scores.get("exact").total == 0 and scores.get("asked").total == 0


def test_always_calling_is_never_right_where_words_were_wanted() -> None:
    scores = evaluate("call", always(calls(PAIR)), all_turns(EXAMPLES), JUDGE)
    assert scores.get("right").total == 20
    assert scores.get("abstained").total == 0 and scores.get("asked").total == 0


@pytest.mark.parametrize(
    "question",
    [
        "Could you tell me more?",
        "Could you give me the drug, the age, the sex, the weight, the height and the creatinine?",
    ],
)
def test_always_asking_is_never_right_where_something_is_missing(question: str) -> None:
    scores = evaluate("ask", always(words(question)), all_turns(EXAMPLES), JUDGE)
    assert scores.get("asked").total == 0
    assert scores.get("right").total <= 10


def test_random_bytes_are_never_right() -> None:
    rng = random.Random(0)

    def noise(conversation: Conversation) -> Trace:
        return Trace(
            reply=parse_text("".join(chr(rng.randrange(33, 127)) for _ in range(rng.randrange(60))) + "<|end|>")
        )

    scores = evaluate("noise", noise, all_turns(EXAMPLES), JUDGE)
    assert scores.get("exact").total == 0 and scores.get("asked").total == 0
