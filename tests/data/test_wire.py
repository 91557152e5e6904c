import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.batches import IGNORE
from data.conversation import Call, Conversation, Message
from data.errors import WireError
from data.tokenizer import CONTROL, N_BPE, load_tokenizer
from data.wire import CLOSE, END, OPEN, STOP_IDS, encode, parse_ids, parse_text, prompt_ids, render

TOKENIZER = load_tokenizer()
MARKERS = st.lists(st.sampled_from([*CONTROL, '"', "\\", "}", " ", "µ", "warfarin"]), max_size=6).map("".join)
TEXT = MARKERS | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CALL = st.builds(
    lambda a: Call(name="tool", arguments=a),
    st.dictionaries(TEXT, TEXT | st.integers(-999, 999) | st.floats(allow_nan=False, allow_infinity=False), max_size=3),
)
REQUEST = Conversation.of_request("Is 5 mg ok?")


def turn(*calls: Call) -> Conversation:
    return REQUEST.then(Message(role="assistant", calls=calls))


def test_the_wire_spells_the_documented_layout() -> None:
    call = Call(name="check", arguments={"drugs": ["a", "b"]})
    talk = turn(call, call).then(
        Message(role="tool", content='{"status": "ok"}'), Message(role="assistant", content="Fine.")
    )
    body = '<tool_call>{"name": "check", "arguments": {"drugs": ["a", "b"]}}</tool_call>'
    expected = (
        f"<|user|>Is 5 mg ok?<|end|><|assistant|>{body}{body}<|end|>"
        '<|tool|><tool_response>{"status": "ok"}</tool_response><|end|><|assistant|>Fine.<|end|>'
    )
    assert render(talk) == expected
    assert TOKENIZER.decode(encode(talk, TOKENIZER).ids) == expected


@settings(deadline=None)
@given(st.lists(CALL, min_size=1, max_size=3))
def test_calls_survive_the_wire_as_ids_and_as_text(calls: list[Call]) -> None:
    talk = turn(*calls)
    start = len(prompt_ids(REQUEST, TOKENIZER))
    reply = parse_ids(encode(talk, TOKENIZER).ids[start:], TOKENIZER)
    assert (reply.outcome, reply.calls, reply.stopped) == ("calls", tuple(calls), True)
    as_text = render(talk)[len(render(REQUEST)) + len("<|assistant|>") :]
    reply = parse_text(as_text)
    assert (reply.outcome, reply.calls, reply.stopped) == ("calls", tuple(calls), True)


@given(st.lists(CALL, min_size=1, max_size=2), TEXT)
def test_loss_is_on_the_assistants_tokens_and_nowhere_else(calls: list[Call], result: str) -> None:
    talk = turn(*calls).then(Message(role="tool", content=result), Message(role="assistant", content="Done."))
    encoded = encode(talk, TOKENIZER)
    learned = TOKENIZER.decode(i for i, scored in zip(encoded.ids, encoded.loss, strict=True) if scored)
    bodies = "".join(render(turn(call))[len(render(REQUEST)) + 13 : -len("<|end|>")] for call in calls)
    assert learned == bodies + "<|end|>Done.<|end|>"


def test_targets_are_the_next_ids_and_the_stop_token_is_learned() -> None:
    ids, targets = encode(turn(Call(name="f", arguments={})), TOKENIZER).inputs_and_targets()
    start = len(prompt_ids(REQUEST, TOKENIZER)) - 1
    assert targets[:start] == [IGNORE] * start
    assert targets[start:-1] == ids[start + 1 :] and targets[start] == OPEN and targets[-1] == END


def test_the_prompt_is_a_prefix_of_the_encoded_dialogue() -> None:
    prompt = prompt_ids(REQUEST, TOKENIZER)
    assert encode(turn(Call(name="f", arguments={})), TOKENIZER).ids[: len(prompt)] == prompt


def test_a_dialogue_without_an_assistant_cannot_be_learned_from() -> None:
    with pytest.raises(WireError, match="no assistant"):
        encode(REQUEST, TOKENIZER)
    with pytest.raises(WireError, match="already"):
        prompt_ids(turn(Call(name="f", arguments={})), TOKENIZER)


@given(MARKERS)
def test_a_users_markers_are_ordinary_text(text: str) -> None:
    ids = prompt_ids(Conversation.of_request(text), TOKENIZER)
    assert [i for i in ids if i >= N_BPE] == [CONTROL["<|user|>"], END, CONTROL["<|assistant|>"]]


def say(text: str) -> list[int]:
    return TOKENIZER.encode(text)


@pytest.mark.parametrize(
    ("ids", "outcome"),
    [
        ([*say("Which drug?"), END], "text"),
        (say("Which drug?"), "text"),
        ([OPEN, *say('{"name": "f", "arguments": {}}'), CLOSE, END], "calls"),
        ([OPEN, *say('{"name": "f", "arguments": {}}'), CLOSE, *say("and"), END], "malformed"),
        ([*say("ok"), OPEN, *say('{"name": "f", "arguments": {}}'), CLOSE, END], "malformed"),
        ([OPEN, *say('{"name": "f", "arguments": {}}'), END], "malformed"),
        ([OPEN, *say('{"name": "f", "arguments": "{}"}'), CLOSE, END], "malformed"),
        ([OPEN, *say('{"name": "f"}'), CLOSE, END], "malformed"),
        ([OPEN, *say('{"name": "f", "name": "g", "arguments": {}}'), CLOSE, END], "malformed"),
        ([OPEN, *say("[" * 5000), CLOSE, END], "malformed"),
        ([OPEN, OPEN, END], "malformed"),
        ([*say('{"name": "f", "arguments": {}}'), END], "malformed"),
        ([*say("```json"), END], "malformed"),
        ([*say("..."), END], "malformed"),
        ([END], "malformed"),
        ([], "malformed"),
        ([*say("hi"), CONTROL["<|user|>"], *say("x"), END], "malformed"),
        ([*say("hi"), 50303, END], "malformed"),
        ([OPEN, *say("[1]"), CLOSE], "malformed"),
    ],
)
def test_a_turn_is_calls_or_words_or_malformed(ids: list[int], outcome: str) -> None:
    reply = parse_ids(ids, TOKENIZER)
    assert reply.outcome == outcome
    assert bool(reply.reason) == (outcome == "malformed")
    text = TOKENIZER.decode(ids)
    if 50303 not in ids:
        assert parse_text(text).outcome == outcome


@given(st.lists(st.integers(0, 50303) | st.sampled_from([OPEN, CLOSE, END]), max_size=12))
def test_any_ids_at_all_have_an_outcome(ids: list[int]) -> None:
    reply = parse_ids(ids, TOKENIZER)
    assert reply.outcome in ("calls", "text", "malformed")
    assert reply.stopped == (next((i for i in ids if i in STOP_IDS), None) == END)
