"""Logits processors, with a real (tiny, random) GPT-2 of transformers and a loop of our own."""

from __future__ import annotations

import json
import os
from typing import Any

import jsonschema
import pytest
import torch

from decoding import Constraint, GrammarProcessor, HuggingFaceProcessor, IllegalToken, Vocabulary, compile_json_schema

os.environ.setdefault("HF_HUB_OFFLINE", "1")
transformers = pytest.importorskip("transformers")

EOS, PAD, WIDTH = 256, 257, 264
SCHEMA = {
    "type": "object",
    "properties": {"drug": {"enum": ["warfarin", "aspirin"]}, "mg": {"type": "integer", "minimum": 1, "maximum": 99}},
    "required": ["drug"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary([*(bytes([b]) for b in range(256)), b"", b"", b'{"drug": "', b'"}'], eos=EOS)


@pytest.fixture(scope="module")
def constraint(vocabulary: Vocabulary) -> Constraint:
    return compile_json_schema(SCHEMA, vocabulary)


@pytest.fixture(scope="module")
def model() -> Any:
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=WIDTH,
        n_positions=128,
        n_embd=16,
        n_layer=1,
        n_head=2,
        bos_token_id=EOS,
        eos_token_id=EOS,
        pad_token_id=PAD,
    )
    return transformers.GPT2LMHeadModel(config).eval()


def documents(vocabulary: Vocabulary, rows: torch.Tensor, prompt: int) -> list[Any]:
    texts = [b"".join(vocabulary.token_bytes[i] for i in row[prompt:].tolist() if i < 260 and i != PAD) for row in rows]
    return [json.loads(text) for text in texts]


@pytest.mark.parametrize(
    "how",
    [{"do_sample": False}, {"do_sample": True}, {"num_beams": 3, "do_sample": False}],
    ids=["greedy", "sample", "beam"],
)
def test_transformers_generate_writes_valid_documents(
    model: Any, vocabulary: Vocabulary, constraint: Constraint, how: dict[str, Any]
) -> None:
    prompts = torch.tensor([[PAD, PAD, 72, 105], [72, 105, 33, 33], [PAD, 80, 80, 80]])  # left padding
    torch.manual_seed(1)
    rows = model.generate(
        prompts,
        attention_mask=(prompts != PAD).long(),
        max_new_tokens=60,
        logits_processor=[HuggingFaceProcessor(constraint, pad_id=PAD)],
        **how,
    )
    found = documents(vocabulary, rows, prompts.size(1))
    assert len(found) == 3
    for document in found:
        jsonschema.validate(document, SCHEMA)


def test_rows_that_end_early_are_padded(model: Any, vocabulary: Vocabulary) -> None:
    short_or_long = compile_json_schema({"enum": ["a", "a much longer text"]}, vocabulary)
    prompts = torch.tensor([[72, 105], [80, 80], [33, 44], [55, 66]])
    torch.manual_seed(3)
    rows = model.generate(
        prompts,
        attention_mask=torch.ones_like(prompts),
        max_new_tokens=40,
        do_sample=True,
        logits_processor=[HuggingFaceProcessor(short_or_long, pad_id=PAD)],
    )
    found = documents(vocabulary, rows, 2)
    assert set(found) <= {"a", "a much longer text"}
    assert (rows[:, 2:] == EOS).sum(dim=1).tolist() == [1, 1, 1, 1]


def test_our_own_loop_gets_the_same_mask_as_the_constraint(constraint: Constraint) -> None:
    processor = GrammarProcessor(constraint)
    generator = torch.Generator().manual_seed(0)
    ids = [5, 6, 7]
    state = constraint.start()
    while not (constraint.accepting(state) and not constraint.allowed(state).any()):
        logits = torch.randn(WIDTH, generator=generator)
        out = processor(torch.tensor(ids), logits)
        legal = torch.from_numpy(constraint.allowed(state).copy())
        assert torch.equal(out.isfinite()[: len(legal)], legal)
        assert not out[len(legal) :].isfinite().any()
        assert torch.equal(out[out.isfinite()], logits[out.isfinite()])
        ids.append(int(out.argmax()))
        state = constraint.advance(state, ids[-1])
    assert ids[-1] == EOS


def test_a_row_may_go_back_or_fork(constraint: Constraint) -> None:
    processor = GrammarProcessor(constraint)
    logits = torch.zeros(2, WIDTH)
    first = processor(torch.tensor([[1], [2]]), logits)
    processor(torch.tensor([[1, 258], [2, ord("{")]]), logits)
    swapped = processor(torch.tensor([[2, ord("{")], [1, 258]]), logits)
    assert swapped[0].isfinite().nonzero().flatten().tolist() == [ord('"')]
    assert torch.equal(processor(torch.tensor([[1], [2]]), logits), first)


def test_a_text_that_the_grammar_forbids_is_an_error(constraint: Constraint) -> None:
    processor = GrammarProcessor(constraint, prompt_length=1)
    with pytest.raises(IllegalToken):
        processor(torch.tensor([[1, 65]]), torch.zeros(1, WIDTH))


def test_logits_narrower_than_the_vocabulary_are_an_error(constraint: Constraint) -> None:
    with pytest.raises(ValueError, match="10 columns"):
        GrammarProcessor(constraint)(torch.tensor([[1]]), torch.zeros(1, 10))


def test_a_model_whose_own_text_is_valid_is_not_disturbed(constraint: Constraint) -> None:
    wanted = [258, *b"aspirin", 259, EOS]
    ids, processor = [0], GrammarProcessor(constraint)
    for token in wanted:
        logits = torch.full((WIDTH,), -1.0)
        logits[token] = 2.0
        out = processor(torch.tensor(ids), logits)
        assert int(out.argmax()) == token == int(logits.argmax())
        ids.append(token)
