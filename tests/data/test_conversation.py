import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.conversation import Call, Conversation, Example, Message, Span, dump_json, load_json
from data.errors import ConversationError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
CALLS = st.builds(lambda n, a: Call(name=n, arguments=a), TEXT, st.dictionaries(TEXT, VALUES, max_size=4))


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    messages = [Message(role="system", content=draw(TEXT))] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        messages.append(Message(role="user", content=draw(TEXT)))
        calls = tuple(draw(st.lists(CALLS, max_size=3)))
        if calls:
            messages.append(Message(role="assistant", calls=calls))
            messages += [Message(role="tool", content=draw(TEXT)) for _ in range(draw(st.integers(0, len(calls))))]
        else:
            messages.append(Message(role="assistant", content=draw(TEXT)))
    return Conversation(messages=tuple(messages))


@given(conversations())
def test_openai_json_holds_a_conversation_without_loss(conversation: Conversation) -> None:
    sent = json.loads(json.dumps(conversation.to_json()))
    assert Conversation.from_json(sent) == conversation
    assert Conversation.from_json({"messages": sent}) == conversation


def test_answers_are_matched_to_calls_by_id_not_by_order() -> None:
    calls = [
        {"id": i, "type": "function", "function": {"name": "f", "arguments": f'{{"x": {n}}}'}}
        for n, i in enumerate(("a", "b"))
    ]
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "b", "content": "second"},
        {"role": "tool", "tool_call_id": "a", "content": "first"},
    ]
    assert [m.content for m in Conversation.from_json(messages).messages[2:]] == ["first", "second"]
    messages[3]["tool_call_id"] = "c"
    with pytest.raises(ConversationError, match="'c'"):
        Conversation.from_json(messages)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "at least one message"),
        ("hi", "expected a list"),
        ([{"role": "robot", "content": "x"}], "'robot'"),
        ([{"role": "user", "content": 3}], "expected text"),
        ([{"role": "tool", "content": "x"}], "answers no call"),
        ([{"role": "user", "content": "x"}, {"role": "system", "content": "y"}], "may only be the first"),
        ([{"role": "assistant", "content": ""}], "neither text nor calls"),
        ([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}], "not JSON"),
        ([{"role": "assistant", "tool_calls": [{"function": {"name": "", "arguments": {}}}]}], "name"),
        ([{"role": "user", "content": "x", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}], "only"),
    ],
)
def test_what_is_not_a_conversation_is_refused(value: object, message: str) -> None:
    with pytest.raises(ConversationError, match=message):
        Conversation.from_json(value)


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": 1, "a": 2}', "[1,]", ""])
def test_json_that_readers_disagree_on_is_refused(text: str) -> None:
    with pytest.raises(ConversationError):
        load_json(text)


def test_json_is_spaced_and_keeps_letters() -> None:
    assert dump_json({"unit": "µmol/L", "n": [1, 2.5]}) == '{"unit": "µmol/L", "n": [1, 2.5]}'


def test_an_example_survives_its_line_of_json() -> None:
    call = Call(name="f", arguments={"drugs": ["Eliquis"]})
    talk = Conversation.of_request("on Eliquis?").then(Message(role="assistant", calls=(call,)))
    span = Span(call=0, pointer="/drugs/0", start=3, end=10, message=0)
    example = Example(
        id="a", split="train", kind="k", conversation=talk, origin="p.txt:3", spans=(span,), results=({"status": "ok"},)
    )
    assert Example.from_json(json.loads(json.dumps(example.to_json()))) == example
    assert example.request[span.start : span.end] == "Eliquis" and example.calls == (call,)
    with pytest.raises(ConversationError, match="kind"):
        Example.from_json({"id": "a", "split": "train", "messages": []})


OFFERED = {"type": "function", "function": {"name": "f", "description": "", "parameters": {"type": "object"}}}


def test_offered_tools_stay_with_a_conversation_and_its_beginning() -> None:
    talk = Conversation(
        messages=(Message(role="system", content="Tools:"), Message(role="user", content="x")), tools=(OFFERED,)
    )
    longer = talk.then(Message(role="assistant", calls=(Call(name="f", arguments={}),)))
    assert longer.tools == (OFFERED,) and longer.upto(2) == talk
    example = Example(id="a", split="train", kind="k", conversation=longer)
    assert Example.from_json(json.loads(json.dumps(example.to_json()))) == example
    with pytest.raises(ConversationError, match="'function'"):
        Conversation(messages=talk.messages, tools=({"name": "f"},))


def test_calls_are_counted_through_the_conversation() -> None:
    one, two = (Call(name=name, arguments={}) for name in "fg")
    talk = Conversation.of_request("x").then(
        Message(role="assistant", calls=(one,)),
        Message(role="tool", content="1"),
        Message(role="assistant", calls=(two,)),
    )
    example = Example(id="a", split="train", kind="k", conversation=talk)
    assert example.all_calls == (one, two) and example.calls == (two,)
