import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import jsonschema
import pytest

import tools
from data.conversation import Conversation, Example, Message
from data.errors import ExamplesError
from data.examples.checks import at, check_spans, copied_pointers
from data.examples.drafts import spells
from data.examples.entities import Catalogue, held_out, held_out_number, plain_number
from data.examples.nonce import alphabetic_tokens
from data.examples.operations import operations
from data.examples.own_tools import families
from data.examples.rows import RowMaker
from data.examples.splits import SPLITS
from data.tokenizer import load_tokenizer
from data.wire import CLOSE, encode
from decoding import Constraint, Vocabulary, call_schema, compile_json_schema, ground
from sft.respond import said

SAMPLE = {"train": 160, "irrelevance": 8, "parallel": 8, "missing": 16}


@cache
def maker(split: str, seed: int = 0, nonce_share: float = 0.1) -> RowMaker:
    return RowMaker(
        seed=seed,
        split=split,
        catalogue=Catalogue.of_tools(),
        tokenizer=load_tokenizer(),
        context=512,
        nonce_share=nonce_share,
    )


@cache
def rows(split: str) -> tuple[Example, ...]:
    return tuple(maker(split).row(number) for number in range(SAMPLE.get(split, 14)))


def every_row() -> Iterator[Example]:
    for split in SPLITS:
        yield from rows(split)


def values(example: Example, *keys: str) -> Iterator[object]:
    for span in example.spans:
        if span.pointer.split("/")[1] in keys:
            yield at(example.all_calls[span.call].arguments, span.pointer)


def turns(example: Example) -> Iterator[tuple[Conversation, Message]]:
    """Each assistant message with what was there before it."""
    for index, message in enumerate(example.conversation.messages):
        if message.role == "assistant":
            yield example.conversation.upto(index), message


def test_a_row_is_the_same_whatever_was_made_before_it() -> None:
    fresh = RowMaker(
        seed=0, split="train", catalogue=Catalogue.of_tools(), tokenizer=load_tokenizer(), context=512, nonce_share=0.1
    )
    assert fresh.row(59) == rows("train")[59]
    assert fresh.row(3) == rows("train")[3]


def test_another_seed_gives_other_rows() -> None:
    assert [maker("train", 1).row(n).request for n in range(5)] != [e.request for e in rows("train")[:5]]


def test_every_kind_of_dialogue_occurs() -> None:
    kinds = {example.kind.partition(".")[0] for example in rows("train")}
    assert {"parallel", "missing", "continue", "confirm", "irrelevant", "answer", "chain", "own_tool"} <= kinds
    assert {"check_drug_interactions", "read_patient_record", "drug_dose"} <= kinds


def test_every_gold_call_fits_the_schema_of_its_tool() -> None:
    for example in every_row():
        offered = example.conversation.tools
        validator = jsonschema.Draft202012Validator(call_schema(offered) if offered else tools.call_schema())
        for call in example.all_calls:
            assert validator.is_valid(call.to_json()), call


def test_every_gold_call_was_executed_and_repeats() -> None:
    for example in every_row():
        assert len(example.results) == (0 if example.conversation.tools else len(example.all_calls))
    for example in [*rows("new_number"), *rows("train")[:40]]:
        if not example.conversation.tools:
            assert tuple(tools.run([call.to_json() for call in example.all_calls])) == example.results


def test_only_a_slip_to_confirm_is_refused_as_wrong() -> None:
    for example in every_row():
        for result in example.results[:-1] if example.kind.startswith("confirm.") else example.results:
            if result["status"] == "refused" and not example.kind.startswith("confirm."):
                assert result["error"]["code"] not in {"invalid_arguments", "missing_argument", "implausible_value"}


def test_every_copied_argument_was_said_before_the_call() -> None:
    for example in every_row():
        check_spans(example)
        found = {(span.call, span.pointer): span for span in example.spans}
        number = 0
        for index, message in enumerate(example.conversation.messages):
            for call in message.calls:
                for pointer in copied_pointers(call, example.conversation):
                    span = found[number, pointer]
                    assert span.message < index
                    source = example.conversation.messages[span.message]
                    assert source.role in ("user", "tool")
                    assert spells(at(call.arguments, pointer), source.content[span.start : span.end])
                number += 1


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    tokenizer = load_tokenizer()
    return Vocabulary(tokenizer.token_bytes(), eos=CLOSE, encode=tokenizer.encode)


@pytest.mark.parametrize("split", list(SPLITS))
def test_the_decoder_grounded_in_the_conversation_can_write_every_gold_call(vocabulary: Vocabulary, split: str) -> None:
    built_in = compile_json_schema(tools.call_schema(), vocabulary)
    for example in rows(split)[: 30 if split == "train" else 5]:
        offered = example.conversation.tools
        schema = compile_json_schema(call_schema(offered), vocabulary) if offered else built_in
        for before, message in turns(example):
            grounded: Constraint | None = ground(schema, said(before)) if message.calls else None
            for call in message.calls:
                assert grounded is not None
                state = grounded.start()
                for token in load_tokenizer().encode(json.dumps(call.to_json(), ensure_ascii=False)):
                    assert token in grounded.allowed_ids(state), (example.id, said(before), call)
                    state = grounded.advance(state, token)
                assert grounded.accepting(state)


def test_a_span_that_does_not_spell_its_argument_is_caught() -> None:
    example = next(e for e in rows("train") if e.spans)
    for spans, reason in (
        (tuple(replace(span, start=span.start + 1) for span in example.spans), "stands there"),
        (tuple(replace(span, message=5) for span in example.spans), "not said before"),
        ((), "no source"),
    ):
        broken = Example(
            id="x", split="train", kind="k", conversation=example.conversation, spans=spans, results=example.results
        )
        with pytest.raises(ExamplesError, match=reason):
            check_spans(broken)


def test_arguments_come_in_the_order_of_the_schema() -> None:
    for example in every_row():
        for call in example.all_calls if not example.conversation.tools else ():
            operation = operations()[call.arguments.get("calculation", call.name)]
            order = [operation.keys.index(key) for key in call.arguments]
            assert order == sorted(order)


def test_a_dialogue_without_a_call_is_answered_in_words() -> None:
    silent = [e for e in every_row() if e.kind.startswith(("missing.", "irrelevant."))]
    assert len(silent) > 40
    for example in silent:
        answer = example.conversation.messages[-1].content
        assert example.calls == () and answer
        assert ("?" in answer) >= example.kind.startswith("missing.")


def test_what_is_asked_back_for_is_not_in_the_request() -> None:
    for example in [*rows("train"), *rows("missing")]:
        if example.kind.startswith("missing.") and "weight with its unit" in example.conversation.messages[-1].content:
            assert " kg" not in example.request and " lb" not in example.request


def test_an_answer_from_a_result_holds_no_number_that_was_not_said() -> None:
    answered = [e for e in every_row() if e.kind.startswith(("answer.", "chain."))]
    assert len(answered) > 6
    for example in answered:
        *before, last = example.conversation.messages
        assert last.role == "assistant" and before[-1].role == "tool"
        told = numbers("\n".join(m.content for m in before) + json.dumps([c.to_json() for c in example.all_calls]))
        assert numbers(last.content) <= told | {"1", "2", "3", "4", "5", "6", "7", "8"}, example.id


def numbers(text: str) -> set[str]:
    return {token.strip(".") for token in "".join(c if c.isdigit() or c == "." else " " for c in text).split()} - {""}


def test_dialogues_fit_the_context() -> None:
    assert max(len(encode(e.conversation, load_tokenizer()).ids) for e in every_row()) <= 512


def test_long_requests_are_longer_than_those_of_training() -> None:
    lengths = [len(load_tokenizer().encode(e.request)) for e in rows("long_context")]
    assert min(lengths) > 120 and sorted(len(load_tokenizer().encode(e.request)) for e in rows("train"))[80] < 50


def test_a_perturbed_row_is_the_iid_row_of_its_number_typed_worse() -> None:
    changed = 0
    for perturbed, plain in zip(rows("perturbed"), rows("iid"), strict=True):
        if perturbed.origin != plain.origin:
            continue  # another attempt was sound
        changed += perturbed.request != plain.request
        assert [c.name for c in perturbed.calls] == [c.name for c in plain.calls]
    assert changed > 8


# --- what is held out --------------------------------------------------------


@pytest.mark.parametrize("split", ["new_drug", "new_stem"])
def test_drugs_kept_for_a_split_occur_only_there(split: str) -> None:
    catalogue = Catalogue.of_tools()
    for example in rows(split):
        assert list(catalogue.held_names(example.request)), example.request
    for other in ("train", "iid", "parallel"):
        for example in rows(other):
            text = "\n".join(message.content for message in example.conversation.messages)
            assert not list(catalogue.held_names(text))


def test_a_stem_is_kept_with_all_its_drugs() -> None:
    catalogue = Catalogue.of_tools()
    endings = {n[0].split()[-1][-4:].lower() for n in catalogue.by_newness["new_stem"] if "-" not in n[0]}
    assert len(endings) >= 4
    for names in catalogue.by_newness["known"]:
        if catalogue.kinds[names[0]] == "drug" and len(names[0].split()[-1]) > 5:
            assert names[0][-4:].lower() not in endings


def test_nonce_drugs_exist_nowhere_and_are_new() -> None:
    catalogue = Catalogue.of_tools()
    foods = {name.lower() for names in catalogue.foods for name in names}
    for example in rows("nonce_drug"):
        names = {str(name).lower() for name in values(example, "drugs", "drug")} - foods
        assert names and not names & catalogue.all_names and all(held_out("nonce", name) for name in names)


def test_held_out_numbers_occur_only_in_their_split() -> None:
    def given(example: Example) -> Iterator[tuple[str, float]]:
        for span in example.spans:
            value = at(example.all_calls[span.call].arguments, span.pointer)
            if isinstance(value, int | float):
                yield span.pointer[1:], value

    assert all(any(held_out_number(k, v) for k, v in given(e)) for e in rows("new_number"))
    for example in rows("train"):
        assert not any(held_out_number(k, v) for k, v in given(example))


def test_new_patients_are_not_patients_of_the_training_split() -> None:
    def asked(split: str) -> set[str]:
        return {str(v).lower() for e in rows(split) for v in values(e, "patient")}

    assert asked("new_patient") and not asked("new_patient") & asked("train")


def test_new_tools_are_never_in_the_prompt_of_a_training_dialogue() -> None:
    held = {name for family in families() if held_out("tool", family.names[0]) for name in family.names}

    def offered(split: str) -> set[str]:
        return {tool["function"]["name"] for e in rows(split) for tool in e.conversation.tools}

    assert offered("new_tool") and offered("new_tool") <= held
    assert offered("train") and not offered("train") & held


def test_the_tools_of_the_prompt_are_what_its_system_message_says() -> None:
    for example in rows("new_tool"):
        first = example.conversation.messages[0]
        assert first.role == "system"
        assert all(f"{tool['function']['name']}(" in first.content for tool in example.conversation.tools)


def test_optional_arguments_appear_only_when_the_request_asks_for_them() -> None:
    for example in every_row():
        text = "\n".join(m.content.lower() for m in example.conversation.messages if m.role == "user")
        for call in example.all_calls:
            if "formula" in call.arguments and example.split != "perturbed":
                assert any(word in text for word in ("ba", "frid", "du", "mos", "qtcf", "qtcb")), text


def test_names_are_made_of_the_whole_alphabetic_vocabulary() -> None:
    tokens = alphabetic_tokens()
    assert len(tokens) > 15_000 and all(token.isalpha() and token.islower() for token in tokens)


def test_numbers_have_no_point_where_nothing_follows_it() -> None:
    assert [json.dumps(plain_number(x, 1)) for x in (70.04, 70.06, 0.5)] == ["70", "70.1", "0.5"]


@pytest.mark.parametrize(
    ("value", "said_"), [(1250, "1,250"), (0.5, ".5"), (70.0, "70.0"), (1.7, "1,7"), ("Eliquis", "Eliquis")]
)
def test_a_number_may_be_written_in_several_ways(value: object, said_: str) -> None:
    assert spells(value, said_) and not spells(value, said_ + "x")


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ExamplesError, match="'test'"):
        maker("test")
