"""The judge is strict: it is told apart here what it must tell apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.conversation import Call, Conversation, Example, Message
from data.wire import Reply
from sft.errors import NothingToScore
from sft.judge import Judge, question, same_calls, same_value
from sft.trace import Trace

PAIR = Call(name="check_drug_interactions", arguments={"drugs": ["warfarin", "ibuprofen"]})
BSA = {"weight": 70, "weight_unit": "kg", "height": 170, "height_unit": "cm"}
SURFACE = Call(name="calculate_dose", arguments={"calculation": "body_surface_area", **BSA})


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


def example(request: str, *calls: Call, kind: str = "call") -> Example:
    answer = (
        Message(role="assistant", calls=calls)
        if calls
        else Message(role="assistant", content="I cannot help with that.")
    )
    talk = Conversation(messages=(Message(role="user", content=request), answer))
    return Example(id="x", split="iid", kind=kind, conversation=talk)


def calls(*made: Call) -> Trace:
    return Trace(reply=Reply(outcome="calls", calls=made, stopped=True))


def words(text: str, stopped: bool = True) -> Trace:
    return Trace(reply=Reply(outcome="text", text=text, stopped=stopped))


BROKEN = Trace(reply=Reply(outcome="malformed", text='{"name": "check', reason="not JSON"))
ASKED = example("Can I take warfarin with ibuprofen?", PAIR)
CHAT = example("What a lovely day!")


def test_the_wanted_call_is_exact(judge: Judge) -> None:
    verdict = judge(ASKED, calls(PAIR))
    assert verdict.exact and verdict.right_tool and verdict.same_result and verdict.schema_valid
    assert verdict.abstained is None and not verdict.invented


def test_a_malformed_answer_is_never_abstention(judge: Judge) -> None:
    verdict = judge(CHAT, BROKEN)
    assert verdict.abstained is False
    assert verdict.schema_valid is False


def test_words_without_sense_are_not_an_attempt_to_call(judge: Judge) -> None:
    noise = Trace(reply=Reply(outcome="malformed", text=": : :", reason="no word in the answer"))
    verdict = judge(ASKED, noise)
    assert verdict.schema_valid is None and verdict.exact is False


def test_words_that_were_cut_off_are_not_abstention(judge: Judge) -> None:
    assert judge(CHAT, words("I can")).abstained is True
    assert judge(CHAT, words("I can", stopped=False)).abstained is False


def test_a_call_where_none_was_wanted_is_wrong(judge: Judge) -> None:
    verdict = judge(CHAT, calls(PAIR))
    assert verdict.abstained is False and verdict.exact is None and verdict.schema_valid is True


def test_text_where_a_call_was_wanted_is_wrong(judge: Judge) -> None:
    verdict = judge(ASKED, words("No."))
    assert verdict.exact is False and verdict.right_tool is False and verdict.schema_valid is None


def test_a_drug_that_nobody_named_is_invented(judge: Judge) -> None:
    verdict = judge(ASKED, calls(Call(name=PAIR.name, arguments={"drugs": ["warfarin", "aspirin"]})))
    assert verdict.exact is False and verdict.right_tool is True
    assert verdict.invented == ("/0/drugs/1",)


def test_a_part_of_a_word_does_not_count_as_said(judge: Judge) -> None:
    verdict = judge(ASKED, calls(Call(name=PAIR.name, arguments={"drugs": ["warf", "ibuprofen"]})))
    assert verdict.invented == ("/0/drugs/0",)


def test_a_tenfold_weight_is_named(judge: Judge) -> None:
    asked = example("BSA for 70 kg, 170 cm", SURFACE)
    verdict = judge(asked, calls(Call(name=SURFACE.name, arguments={**SURFACE.arguments, "weight": 700})))
    assert verdict.tenfold == ("/0/weight",)
    assert verdict.invented == ("/0/weight",)


def test_an_unknown_tool_or_a_wrong_type_is_not_schema_valid(judge: Judge) -> None:
    assert judge(ASKED, calls(Call(name="order_pizza", arguments={}))).schema_valid is False
    assert judge(ASKED, calls(Call(name=PAIR.name, arguments={"drugs": "warfarin"}))).schema_valid is False


def test_drugs_in_another_order_are_not_exact_but_give_the_same_kind_of_verdict(judge: Judge) -> None:
    verdict = judge(ASKED, calls(Call(name=PAIR.name, arguments={"drugs": ["ibuprofen", "warfarin"]})))
    assert verdict.exact is False and verdict.right_tool is True and not verdict.invented


def test_parallel_calls_match_in_any_order_and_each_once() -> None:
    assert same_calls([PAIR, SURFACE], [SURFACE, PAIR])
    assert not same_calls([PAIR, PAIR], [PAIR, SURFACE])
    assert not same_calls([PAIR], [PAIR, SURFACE])


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (2, 2.0, True),
        (1, True, False),
        (0, False, False),
        ("2.5", 2.5, False),
        ("2.5 mg", "25 mg", False),
        ([1, 2], [2, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        (None, None, True),
        (None, False, False),
    ],
)
def test_values_are_equal_only_with_their_types(a: object, b: object, same: bool) -> None:
    assert same_value(a, b) is same
    assert same_value(b, a) is same


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_every_value_equals_itself(value: object) -> None:
    assert same_value(value, value)


def test_a_missing_argument_wants_a_question(judge: Judge) -> None:
    asked = example("Work out her clearance", kind="missing.creatinine_clearance")
    assert judge(asked, words("How old is she?")).asked is True
    assert judge(asked, words("It is fine.")).asked is False
    assert judge(asked, calls(PAIR)).asked is False


def test_the_last_answer_to_a_user_is_what_is_judged() -> None:
    talk = Conversation(
        messages=(
            Message(role="user", content="Check warfarin"),
            Message(role="assistant", content="With what?"),
            Message(role="user", content="ibuprofen"),
            Message(role="assistant", calls=(PAIR,)),
            Message(role="tool", content="{}"),
            Message(role="assistant", content="They interact."),
        )
    )
    prompt, wanted = question(Example(id="x", split="iid", kind="call", conversation=talk))
    assert [m.role for m in prompt.messages] == ["user", "assistant", "user"]
    assert wanted == (PAIR,)


def test_an_example_without_an_answer_cannot_be_judged() -> None:
    with pytest.raises(NothingToScore, match="'x'"):
        question(Example(id="x", split="iid", kind="call", conversation=Conversation.of_request("hi")))
