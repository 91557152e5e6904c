"""A model that has learned nothing still writes only what its mode allows."""

import pytest
import torch

from data.conversation import Conversation
from data.tokenizer import load_tokenizer
from decoding import NothingToGround
from gpt2 import GPT, GPTConfig
from sft.errors import PromptTooLong
from sft.judge import Judge
from sft.respond import ModelResponder

REQUESTS = [
    "Can I give clarithromycin to someone on simvastatin?",
    "CrCl for a 72 year old woman, 58 kg, creatinine 1.7 mg/dL",
    "Latest potassium of María Ortega (MRN 4410111)",
    'weird "quotes" and a \\ backslash with 3.5 mg/kg',
]


@pytest.fixture(scope="module")
def model() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(n_layer=1, n_head=2, n_embd=32, block_size=512))


@pytest.mark.parametrize("request_text", REQUESTS)
def test_a_grounded_call_of_a_random_model_is_valid_and_invents_nothing(model: GPT, request_text: str) -> None:
    responder = ModelResponder(model, load_tokenizer(), mode="grounded", tool_choice="required", max_new_tokens=400)
    conversation = Conversation.of_request(request_text)
    trace = responder(conversation)
    judge = Judge()
    assert trace.reply.outcome == "calls" and trace.reply.stopped, trace.reply
    assert all(judge.is_valid(call) for call in trace.reply.calls)
    assert list(judge.invented(trace.reply.calls, conversation)) == []


def test_forced_tokens_cost_no_forward_pass(model: GPT) -> None:
    responder = ModelResponder(model, load_tokenizer(), mode="grounded", tool_choice="required", max_new_tokens=400)
    trace = responder(Conversation.of_request(REQUESTS[0]))
    forced = sum(token.origin == "forced" for token in trace.tokens)
    assert forced > 0
    assert trace.forward_passes <= len(trace.tokens) - forced + 1


def test_the_tokens_of_a_trace_spell_its_text(model: GPT) -> None:
    responder = ModelResponder(model, load_tokenizer(), mode="constrained", tool_choice="required", max_new_tokens=400)
    trace = responder(Conversation.of_request(REQUESTS[1]))
    assert "".join(token.text for token in trace.tokens).startswith(trace.reply.text)


def test_without_a_usable_word_there_is_no_call(model: GPT) -> None:
    conversation = Conversation.of_request("?!")
    words = ModelResponder(model, load_tokenizer(), mode="grounded", max_new_tokens=8)(conversation)
    assert words.reply.outcome != "calls"
    with pytest.raises(NothingToGround):
        ModelResponder(model, load_tokenizer(), mode="grounded", tool_choice="required")(conversation)


def test_a_conversation_that_fills_the_context_is_refused(model: GPT) -> None:
    responder = ModelResponder(model, load_tokenizer(), mode="free")
    with pytest.raises(PromptTooLong, match="of the model's 512 positions"):
        responder(Conversation.of_request("word " * 600))
