"""The judge is strict: it is told apart here what it must tell apart."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tools
from data.conversation import Call, Conversation, Example, Message
from data.result_text import shown
from data.wire import Reply
from sft.errors import NothingToScore
from sft.judge import Judge, same_calls
from sft.trace import Trace
from sft.turns import turns
from sft.values import result_key, same_value
from tests.sft.makers import BSA, PAIR, SURFACE, calls, turn, words

ASKED = turn("Can I take warfarin with ibuprofen?", PAIR)
CHAT = turn("What a lovely day!")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


def test_the_wanted_call_is_right_in_every_way(judge: Judge) -> None:
    verdict = judge(ASKED, calls(PAIR))
    assert verdict.right and verdict.outcome == "valid" and verdict.errors == ()
    assert verdict.exact and verdict.right_tools and verdict.same_result and verdict.ast
    assert verdict.abstained is None and verdict.asked is None
    assert (verdict.arguments, verdict.copied, verdict.invented, verdict.extra, verdict.lost) == ((1, 1), 2, (), 0, 0)


def test_words_where_a_call_was_wanted_are_no_call(judge: Judge) -> None:
    verdict = judge(ASKED, words("No."))
    assert (verdict.outcome, verdict.errors) == ("none", ("no call",))
    assert verdict.exact is False and verdict.right_tools is False and not verdict.tried_to_call
    assert (verdict.lost, verdict.arguments) == (1, (0, 1))


def test_a_call_where_none_was_wanted_is_wrong(judge: Judge) -> None:
    verdict = judge(CHAT, calls(PAIR))
    assert verdict.abstained is False and verdict.exact is None and verdict.errors == ("called without need",)


def test_an_unknown_tool_or_a_wrong_type_is_malformed(judge: Judge) -> None:
    for call in (Call(name="order_pizza", arguments={}), Call(name=PAIR.name, arguments={"drugs": "warfarin"})):
        verdict = judge(ASKED, calls(call))
        assert verdict.outcome == "malformed" and verdict.errors == ("call outside the schema",)
        assert verdict.tried_to_call and verdict.exact is False


def test_one_malformed_call_of_two_spoils_the_answer(judge: Judge) -> None:
    verdict = judge(ASKED, calls(PAIR, Call(name=PAIR.name, arguments={})))
    assert verdict.outcome == "malformed" and verdict.exact is False


def test_a_drug_that_nobody_named_is_invented(judge: Judge) -> None:
    verdict = judge(ASKED, calls(Call(name=PAIR.name, arguments={"drugs": ["warfarin", "aspirin"]})))
    assert verdict.exact is False and verdict.right_tools is True
    assert verdict.invented == ("/0/drugs/1",) and verdict.copied == 2
    assert verdict.errors[0] == "invented value"


def test_a_part_of_a_word_does_not_count_as_said(judge: Judge) -> None:
    verdict = judge(ASKED, calls(Call(name=PAIR.name, arguments={"drugs": ["warf", "ibuprofen"]})))
    assert verdict.invented == ("/0/drugs/0",)


def test_what_only_an_assistant_or_the_system_said_is_not_said() -> None:
    talk = Conversation(
        messages=(
            Message(role="system", content="Mind aspirin."),
            Message(role="user", content="Is it safe?"),
            Message(role="assistant", content="Do you mean ibuprofen?"),
            Message(role="user", content="With warfarin"),
        )
    )
    wrong = Call(name=PAIR.name, arguments={"drugs": ["aspirin", "ibuprofen", "warfarin"]})
    assert Judge().invented([wrong], talk) == ["/0/drugs/0", "/0/drugs/1"]


def test_what_a_tool_said_may_be_used() -> None:
    talk = Conversation.of_request("Her BSA?").then(
        Message(role="assistant", calls=(PAIR,)), Message(role="tool", content='{"weight": 70, "height": 170}')
    )
    assert Judge().invented([SURFACE], talk) == []


def test_a_unit_or_sex_that_is_neither_said_nor_wanted_is_unfounded(judge: Judge) -> None:
    wanted = {"calculation": "egfr", "age": 50, "sex": "female", "creatinine": 0.8, "creatinine_unit": "mg/dL"}
    asked = turn("eGFR: woman of 50, creatinine 0.8 mg/dL", Call(name=SURFACE.name, arguments=wanted))
    verdict = judge(asked, calls(Call(name=SURFACE.name, arguments={**wanted, "sex": "male"})))
    assert verdict.unfounded == ("/0/sex",) and verdict.choices == 2
    assert judge(asked, calls(*asked.wanted)).unfounded == ()


@pytest.mark.parametrize("weight", [700, 7, 7000, 0.07])
def test_a_slipped_decimal_point_is_named(judge: Judge, weight: float) -> None:
    asked = turn("BSA for 70 kg, 170 cm", SURFACE)
    verdict = judge(asked, calls(Call(name=SURFACE.name, arguments={**SURFACE.arguments, "weight": weight})))
    assert verdict.tenfold == ("/0/weight",) and verdict.numbers == 2
    assert verdict.invented == ("/0/weight",) and verdict.errors[0] == "tenfold number"


def test_seventy_kilograms_in_grams_are_no_slip(judge: Judge) -> None:
    asked = turn("BSA for 70 kg, 170 cm", SURFACE)
    grams = {**SURFACE.arguments, "weight": 70000, "weight_unit": "g"}
    verdict = judge(asked, calls(Call(name=SURFACE.name, arguments=grams)))
    assert verdict.tenfold == () and verdict.same_result and not verdict.exact


def test_drugs_in_another_order_are_not_exact_but_give_the_same_result(judge: Judge) -> None:
    verdict = judge(ASKED, calls(Call(name=PAIR.name, arguments={"drugs": ["ibuprofen", "warfarin"]})))
    assert verdict.exact is False and verdict.same_result is True and verdict.errors == ("other order",)


def test_another_name_of_a_drug_gives_the_same_result_and_an_unknown_name_does_not(judge: Judge) -> None:
    asked = turn("Zocor with Biaxin", Call(name=PAIR.name, arguments={"drugs": ["Zocor", "Biaxin"]}))

    def same(*drugs: str) -> bool | None:
        return judge(asked, calls(Call(name=PAIR.name, arguments={"drugs": list(drugs)}))).same_result

    assert same("simvastatin", "clarithromycin") is True
    assert same("simvastatin", "azithromycin") is False
    unknown = turn("Zocor with blorb", Call(name=PAIR.name, arguments={"drugs": ["Zocor", "blorb"]}))
    verdict = judge(unknown, calls(Call(name=PAIR.name, arguments={"drugs": ["Zocor", "glorb"]})))
    assert verdict.same_result is False, "two names that nothing was found for are two names"


def test_two_refusals_are_not_the_same_result(judge: Judge) -> None:
    asked = turn("blorb", Call(name=PAIR.name, arguments={"drugs": ["blorb"]}))
    verdict = judge(asked, calls(Call(name=PAIR.name, arguments={"drugs": ["glorb"]})))
    assert verdict.same_result is False


def test_a_result_keeps_the_names_that_nothing_was_found_for() -> None:
    results = tools.run([{"name": PAIR.name, "arguments": {"drugs": ["warfarin", n]}} for n in ("blorb", "glorb")])
    assert result_key(results[0]) != result_key(results[1])


# ---- parallel calls


def test_parallel_calls_match_in_any_order_and_each_once() -> None:
    assert same_calls([PAIR, SURFACE], [SURFACE, PAIR])
    assert not same_calls([PAIR, PAIR], [PAIR, SURFACE])
    assert not same_calls([PAIR], [PAIR, SURFACE])


def test_lost_and_extra_calls_are_counted(judge: Judge) -> None:
    asked = turn("warfarin with ibuprofen, and the BSA for 70 kg and 170 cm", PAIR, SURFACE)
    lost = judge(asked, calls(SURFACE))
    assert (lost.lost, lost.extra, lost.exact, lost.errors) == (1, 0, False, ("lost call",))
    assert lost.arguments == (5, 6)
    extra = judge(asked, calls(SURFACE, PAIR, PAIR))
    assert (extra.lost, extra.extra, extra.exact, extra.errors) == (0, 1, False, ("extra call",))


def test_two_calls_of_one_tool_are_paired_by_what_they_say(judge: Judge) -> None:
    other = Call(name=SURFACE.name, arguments={**SURFACE.arguments, "weight": 82, "height": 181})
    asked = turn("BSA for 70 kg, 170 cm and for 82 kg, 181 cm", SURFACE, other)
    slipped = Call(name=SURFACE.name, arguments={**SURFACE.arguments, "weight": 7})
    verdict = judge(asked, calls(other, slipped))
    assert verdict.tenfold == ("/1/weight",) and verdict.arguments == (9, 10)


def test_another_calculation_of_the_right_tool_is_named(judge: Judge) -> None:
    asked = turn("BSA for 70 kg, 170 cm", SURFACE)
    index = Call(name=SURFACE.name, arguments={"calculation": "body_mass_index", **BSA})
    verdict = judge(asked, calls(index))
    assert verdict.right_tools is True and verdict.errors[0] == "wrong operation"
    assert verdict.unfounded == (), "the choice of the calculation is no value"


# ---- values


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (2, 2.0, True),
        (1, True, False),
        (0, False, False),
        ("2.5", 2.5, False),
        ("5", 5, False),
        ("2.5 mg", "25 mg", False),
        (10**22, 1e22, True),
        (2**53 + 1, float(2**53), False),
        ([1, 2], [2, 1], False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": 1}, {"a": 1, "b": None}, False),
        (None, None, True),
        (None, False, False),
        ("é", "e\u0301", False),
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


@given(json_values, json_values)
def test_values_that_are_equal_are_written_alike_but_for_numbers(a: object, b: object) -> None:
    def plain(value: object) -> object:
        return json.loads(json.dumps(value), parse_int=float)

    if same_value(a, b):
        assert json.dumps(plain(a), sort_keys=True) == json.dumps(plain(b), sort_keys=True) or "0.0" in json.dumps(a)


# ---- questions, words, answers

MISSING = turn(
    "Work out her clearance: 58 kg", kind="missing.creatinine_clearance",
    words="To calculate the creatinine clearance I need the age and the serum creatinine. Could you tell me?",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("How old is she, and what is the creatinine?", True),
        ("Could you give me the creatinine and the age? I need that to calculate the clearance.", True),
        ("How old is she?", False),
        ("I need the age and the creatinine.", False),
        ("What do you mean?", False),
        ("Could you give me the age, the creatinine, the weight, the sex, the height and the drug?", False),
    ],
)  # fmt: skip
def test_a_question_must_ask_for_exactly_what_is_missing(judge: Judge, text: str, right: bool) -> None:
    verdict = judge(MISSING, words(text))
    assert verdict.asked is right and verdict.right is right


def test_a_call_instead_of_a_question_is_named(judge: Judge) -> None:
    verdict = judge(MISSING, calls(PAIR))
    assert verdict.asked is False and verdict.errors == ("called instead of asking",)


def test_where_the_recorded_question_names_nothing_any_question_for_an_argument_counts(judge: Judge) -> None:
    asked = turn("Work out her clearance", kind="missing", words="What else do I need to know?")
    assert judge(asked, words("How old is she?")).asked is True
    assert judge(asked, words("What do you mean?")).asked is False


def test_a_doubtful_value_must_be_named_in_the_question(judge: Judge) -> None:
    asked = turn(
        "eGFR: woman of 50, creatinine 9000", kind="confirm.egfr",
        words="I read 9000 for the serum creatinine, which can not be right. What should it be?",
    )  # fmt: skip
    assert asked.want == "ask"
    assert judge(asked, words("Could you check the creatinine? 9000 is out of range.")).asked is True
    assert judge(asked, words("Could you check the creatinine?")).asked is False
    assert judge(asked, words("Could you check the age? 9000 is out of range.")).asked is False


def test_asking_for_arguments_is_not_abstaining(judge: Judge) -> None:
    assert judge(CHAT, words("I can check drug interactions. What do you need?")).abstained is True
    verdict = judge(CHAT, words("Could you give me the age?"))
    assert verdict.abstained is False and verdict.errors == ("asked without need",)


def test_an_answer_repeats_the_result_and_adds_no_number(judge: Judge) -> None:
    result = tools.run([SURFACE.to_json()])[0]
    talk = Conversation.of_request("BSA for 70 kg, 170 cm").then(
        Message(role="assistant", calls=(SURFACE,)),
        Message(role="tool", content=shown(SURFACE.name, result)),
        Message(role="assistant", content=tools.summarise(SURFACE.name, result)),
    )
    told = turns(Example(id="x", split="iid", kind="answer.body_surface_area", conversation=talk))[1]
    assert told.want == "answer"
    assert judge(told, words(told.text)).answered is True
    assert judge(told, words(told.text + " Give 500 mg.")).answered is False
    assert judge(told, words("Done.")).answered is False
    assert judge(told, words("Body surface area: 18.2 m².")).answered is False
    assert judge(told, calls(SURFACE)).errors == ("called again",)


def test_pouring_out_everything_the_tool_said_is_no_answer(judge: Judge) -> None:
    call = Call(name="read_patient_record", arguments={"patient": "4410111", "sections": ["labs"]})
    talk = Conversation.of_request("labs of 4410111").then(
        Message(role="assistant", calls=(call,)),
        Message(role="tool", content="creatinine 0.9 " + " ".join(f"analyte {n}.5" for n in range(90))),
        Message(role="assistant", content="The creatinine is 0.9."),
    )
    told = turns(Example(id="x", split="iid", kind="answer.read_patient_record", conversation=talk))[1]
    assert judge(told, words("The creatinine is 0.9.")).answered is True
    assert judge(told, words("The creatinine is " + talk.messages[2].content)).answered is False


# ---- dialogues of several turns


def test_every_turn_is_judged_after_the_true_history() -> None:
    talk = Conversation(
        messages=(
            Message(role="user", content="Check warfarin"),
            Message(role="assistant", content="Could you give me the drugs?"),
            Message(role="user", content="and ibuprofen"),
            Message(role="assistant", calls=(PAIR,)),
            Message(role="tool", content="{}"),
            Message(role="assistant", content="They interact."),
        )
    )
    found = turns(Example(id="x", split="iid", kind="continue.check_drug_interactions", conversation=talk))
    assert [t.want for t in found] == ["ask", "calls", "answer"]
    assert [len(t.prompt.messages) for t in found] == [1, 3, 5]
    assert [t.key for t in found] == ["iid/x#0", "iid/x#1", "iid/x#2"]


def test_an_example_without_an_answer_cannot_be_judged() -> None:
    with pytest.raises(NothingToScore, match="'x'"):
        turns(Example(id="x", split="iid", kind="call", conversation=Conversation.of_request("hi")))


def test_a_conversation_with_its_own_tools_is_judged_by_them(judge: Judge) -> None:
    parameters = {
        "type": "object",
        "properties": {"to": {"type": "string", "x-from": "conversation"}},
        "required": ["to"],
        "additionalProperties": False,
    }
    function = {"type": "function", "function": {"name": "page", "description": "", "parameters": parameters}}
    page = Call(name="page", arguments={"to": "Ortega"})
    talk = Conversation(
        messages=(Message(role="user", content="page Ortega"), Message(role="assistant", calls=(page,))),
        tools=(function,),
    )
    asked = turns(Example(id="x", split="new_tool", kind="own_tool.call", conversation=talk))[0]
    assert judge(asked, calls(page)).right and judge(asked, calls(page)).ast
    assert judge(asked, calls(Call(name="page", arguments={"to": "Smith"}))).invented == ("/0/to",)
    assert judge(asked, calls(PAIR)).outcome == "malformed", "the built-in tools are not offered here"
    assert judge(ASKED, calls(PAIR)).right, "and are again in the next dialogue"


def test_a_trace_survives_its_json() -> None:
    trace = Trace(reply=Reply(outcome="calls", calls=(PAIR,), text="…", stopped=True), seconds=0.5, forward_passes=3)
    assert Trace.from_json(json.loads(json.dumps(trace.to_json()))) == trace


def test_the_schema_of_a_tool_decides_what_is_checked(judge: Judge) -> None:
    impossible = Call(name=SURFACE.name, arguments={"calculation": "body_surface_area", **BSA, "weight": -70})
    assert "outside the schema of calculate_dose at /weight" in judge.why_invalid(impossible)
