import json
from collections.abc import Iterator
from functools import cache

import jsonschema
import pytest

import tools
from data.conversation import Example
from data.errors import ExamplesError
from data.examples.entities import Catalogue, alphabetic_tokens, held_out, plain_number
from data.examples.operations import operations
from data.examples.rows import SPLITS, RowMaker, check_spans, copied_pointers
from data.tokenizer import load_tokenizer
from data.wire import encode

SAMPLE = 60


@cache
def maker(split: str, seed: int = 0, nonce_share: float = 0.1) -> RowMaker:
    return RowMaker(
        seed=seed,
        split=split,
        catalogue=Catalogue.of_tools(),
        tokenizer=load_tokenizer(),
        context=256,
        nonce_share=nonce_share,
    )


@cache
def rows(split: str) -> tuple[Example, ...]:
    return tuple(maker(split).row(number) for number in range(SAMPLE if split != "nonce_drug" else 20))


def every_row() -> Iterator[Example]:
    for split in SPLITS:
        yield from rows(split)


def values(example: Example, *keys: str) -> Iterator[object]:
    for span in example.spans:
        if span.pointer.split("/")[1] in keys:
            yield example.request[span.start : span.end]


def test_a_row_is_the_same_whatever_was_made_before_it() -> None:
    fresh = RowMaker(
        seed=0, split="train", catalogue=Catalogue.of_tools(), tokenizer=load_tokenizer(), context=256, nonce_share=0.1
    )
    assert fresh.row(SAMPLE - 1) == rows("train")[-1]
    assert fresh.row(3) == rows("train")[3]


def test_another_seed_gives_other_rows() -> None:
    assert [maker("train", 1).row(n).request for n in range(5)] != [e.request for e in rows("train")[:5]]


def test_every_gold_call_fits_the_schema_of_its_tool() -> None:
    validator = jsonschema.Draft202012Validator(tools.call_schema())
    calls = [call.to_json() for example in every_row() for call in example.calls]
    assert len(calls) > SAMPLE
    for call in calls:
        assert validator.is_valid(call), call


def test_every_gold_call_was_executed_and_repeats() -> None:
    for example in every_row():
        assert len(example.results) == len(example.calls)
    for example in rows("new_number")[:20]:
        assert tuple(tools.run([call.to_json() for call in example.calls])) == example.results


def test_every_copied_argument_stands_in_the_request_as_json_spells_it() -> None:
    for example in every_row():
        check_spans(example)
        spelled = {(s.call, s.pointer): example.request[s.start : s.end] for s in example.spans}
        for index, call in enumerate(example.calls):
            for pointer in copied_pointers(call):
                value: object = call.arguments
                for part in pointer.split("/")[1:]:
                    value = value[int(part)] if isinstance(value, list) else value[part]  # type: ignore[index]
                assert spelled[index, pointer] == (value if isinstance(value, str) else json.dumps(value))


def test_a_span_that_does_not_spell_its_argument_is_caught() -> None:
    example = next(e for e in rows("train") if e.spans)
    moved = tuple(type(s)(call=s.call, pointer=s.pointer, start=s.start + 1, end=s.end) for s in example.spans)
    broken = Example(
        id="x", split="train", kind="k", conversation=example.conversation, spans=moved, results=example.results
    )
    with pytest.raises(ExamplesError, match="but the request says"):
        check_spans(broken)


def test_arguments_come_in_the_order_of_the_schema() -> None:
    for example in every_row():
        for call in example.calls:
            operation = operations()[call.arguments.get("calculation", call.name)]
            order = [operation.keys.index(key) for key in call.arguments]
            assert order == sorted(order)


def test_a_dialogue_without_a_call_is_answered_in_words() -> None:
    silent = [e for e in every_row() if e.kind.startswith(("missing.", "irrelevant."))]
    assert len(silent) > 20
    for example in silent:
        answer = example.conversation.messages[-1].content
        assert example.calls == () and answer
        assert ("?" in answer) >= example.kind.startswith("missing.")


def test_what_is_asked_back_for_is_not_in_the_request() -> None:
    for example in rows("train"):
        if example.kind.startswith("missing.") and "weight with its unit" in example.conversation.messages[-1].content:
            assert " kg" not in example.request and " lb" not in example.request


def test_dialogues_fit_the_context() -> None:
    assert max(len(encode(e.conversation, load_tokenizer()).ids) for e in every_row()) <= 256


def test_held_out_drugs_occur_only_in_their_split() -> None:
    generic = {name.lower(): names[0] for names in Catalogue.of_tools().drugs for name in names}
    for example in rows("new_drug"):
        assert all(held_out("drug", generic[str(name).lower()]) for name in values(example, "drugs", "drug"))
    for example in rows("train"):
        for name in values(example, "drugs", "drug"):
            assert not held_out("drug", generic.get(str(name).lower(), "aspirin-like"))


def test_nonce_drugs_exist_nowhere_and_are_new() -> None:
    known = {name.lower() for names in Catalogue.of_tools().drugs for name in names}
    for example in rows("nonce_drug"):
        for name in values(example, "drugs", "drug"):
            assert str(name).lower() not in known and held_out("nonce", str(name))


def test_held_out_numerals_occur_only_in_their_split() -> None:
    keys = ("weight", "height", "creatinine", "calcium", "albumin", "qt_ms", "heart_rate", "dose", "concentration")
    assert all(held_out("number", str(v)) for e in rows("new_number") for v in values(e, *keys))
    assert not any(held_out("number", str(v)) for e in rows("train") for v in values(e, *keys))


def test_new_patients_are_not_patients_of_the_training_split() -> None:
    def asked(split: str) -> set[str]:
        return {str(v).lower() for e in rows(split) for v in values(e, "patient")}

    assert asked("new_patient") and not asked("new_patient") & asked("train")


def test_optional_arguments_appear_only_when_the_request_asks_for_them() -> None:
    words = {
        "min_severity": ("major", "serious", "severe", "moderate", "contraindic", "minor"),
        "formula": ("ba", "frid", "du", "mos"),
    }
    for example in every_row():
        for call in example.calls:
            for key, asked in words.items():
                if key in call.arguments:
                    assert any(word in example.request.lower() for word in asked), example.request


def test_names_are_made_of_the_whole_alphabetic_vocabulary() -> None:
    tokens = alphabetic_tokens()
    assert len(tokens) > 15_000 and all(token.isalpha() and token.islower() for token in tokens)


def test_numbers_have_no_point_where_nothing_follows_it() -> None:
    assert [json.dumps(plain_number(x, 1)) for x in (70.04, 70.06, 0.5)] == ["70", "70.1", "0.5"]


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ExamplesError, match="'test'"):
        maker("test")
