"""What the mask took from a model, held against probabilities that are worked out step by step."""

from copy import copy

import pytest
import torch

from data.conversation import Conversation
from data.tokenizer import load_tokenizer
from data.wire import CLOSE, OPEN, prompt_ids
from gpt2 import GPT, GPTConfig
from sft.audit import audit, audited
from sft.respond import ModelResponder

REQUEST = Conversation.of_request("Can I give clarithromycin to someone on simvastatin?")


@pytest.fixture(scope="module")
def model() -> GPT:
    torch.manual_seed(1)
    return GPT(GPTConfig(n_layer=1, n_head=2, n_embd=32, block_size=512))


MADE: dict[str, ModelResponder] = {}


def responder(model: GPT, mode: str) -> ModelResponder:
    if mode not in MADE:
        choice = "auto" if mode == "free" else "required"
        MADE[mode] = ModelResponder(model, load_tokenizer(), mode=mode, tool_choice=choice, max_new_tokens=24)  # type: ignore[arg-type]
    return copy(MADE[mode])


@torch.inference_mode()
def test_mass_is_what_the_model_gave_to_the_legal_tokens(model: GPT) -> None:
    made = responder(model, "grounded")
    trace = audited(made)(REQUEST)
    constraint = made.constraint(REQUEST)
    assert constraint is not None
    ids, state = prompt_ids(REQUEST, load_tokenizer()), constraint.start()
    seen = 0
    for token in trace.tokens:
        probabilities = model(torch.tensor([ids]))[0, -1].double().softmax(0)
        legal = torch.from_numpy(constraint.allowed(state).copy())
        if token.mass is not None:
            seen += 1
            assert token.mass == pytest.approx(float(probabilities[legal].sum()), abs=1e-4)
            assert token.overruled is not bool(legal[probabilities.argmax()])
        ids.append(token.id)
        state = constraint.advance(state, token.id)
    assert seen > 15


def test_only_tokens_of_calls_are_measured_forced_ones_too(model: GPT) -> None:
    trace = audited(responder(model, "grounded"))(REQUEST)
    inside = False
    for token in trace.tokens:
        inside = inside or token.id == OPEN
        assert (token.mass is not None) is inside
        inside = inside and token.id != CLOSE
    assert any(token.origin == "forced" and token.mass is not None and token.mass < 0.5 for token in trace.tokens)


def test_an_audit_changes_nothing_else(model: GPT) -> None:
    made = responder(model, "constrained")
    plain, seen = made(REQUEST), audited(made)(REQUEST)
    assert plain.reply == seen.reply and plain.forward_passes == seen.forward_passes
    assert [t.id for t in plain.tokens] == [t.id for t in seen.tokens]


def test_a_free_answer_is_held_against_the_grammar_until_it_leaves_it(model: GPT) -> None:
    made = responder(model, "free")
    tokenizer = load_tokenizer()
    from sft.trace import Token, Trace

    ids = [OPEN, *tokenizer.encode('{"name": "order_pizza"'), CLOSE]
    written = Trace(reply=made(REQUEST).reply, tokens=tuple(Token(text="", origin="free", id=i) for i in ids))
    judge = responder(model, "constrained")
    judge.tool_choice = "auto"
    seen = audit(written, REQUEST, judge)
    measured = [token.mass is not None for token in seen.tokens]
    assert measured[0] and not measured[-1] and measured == sorted(measured, reverse=True)
    name = tokenizer.encode('{"name": "')
    assert sum(measured) >= 1 + len(name) - 1


def test_a_free_answer_without_a_call_is_left_as_it_is(model: GPT) -> None:
    trace = audited(responder(model, "free"))(REQUEST)
    assert all(token.mass is None for token in trace.tokens) or OPEN in [token.id for token in trace.tokens]
