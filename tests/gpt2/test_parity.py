"""The model beside the independent GPT-2 of transformers, with the same random weights."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gpt2 import GPT, GenerateConfig, GPTConfig, generate, next_token_loss
from gpt2.masks import left_padded

SHAPES = [
    pytest.param({"n_layer": 2, "n_head": 4, "n_embd": 64}, id="tiny"),
    pytest.param({"n_layer": 3, "n_head": 12, "n_embd": 96}, id="124m"),
    pytest.param({"n_layer": 4, "n_head": 16, "n_embd": 128}, id="355m"),
    pytest.param({"n_layer": 2, "n_head": 20, "n_embd": 160}, id="774m"),
    pytest.param({"n_layer": 2, "n_head": 25, "n_embd": 200}, id="1.5b"),
]
"""The presets' numbers of heads, with fewer layers and narrower heads."""


def is_transposed(name: str) -> bool:
    """Whether Conv1D there holds the transpose of Linear here."""
    return name.endswith("weight") and ".h." in name and ".ln_" not in name


def hugging_face_twin(model: GPT, attention: str = "eager") -> Any:
    """The same weights in the independent implementation."""
    from transformers import GPT2Config, GPT2LMHeadModel

    ours = model.config
    twin = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=ours.vocab_size,
            n_positions=ours.block_size,
            n_layer=ours.n_layer,
            n_head=ours.n_head,
            n_embd=ours.n_embd,
            tie_word_embeddings=ours.tie_weights,
            attn_implementation=attention,
            bos_token_id=0,
            eos_token_id=None,
        )
    ).eval()
    twin.load_state_dict({n: value.T if is_transposed(n) else value for n, value in model.state_dict().items()})
    return twin


def lively(config: GPTConfig) -> GPT:
    """Weights far from their start, so that every part of the model shows in the logits."""
    torch.manual_seed(0)
    model = GPT(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


def assert_same_gradients(model: GPT, twin: Any) -> None:
    theirs = dict(twin.named_parameters())
    for name, parameter in model.named_parameters():
        expected = theirs[name].grad.T if is_transposed(name) else theirs[name].grad
        torch.testing.assert_close(
            parameter.grad, expected, atol=1e-5, rtol=1e-4, msg=lambda m, name=name: f"{name}: {m}"
        )


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("attention", ["fused", "longhand"])
def test_logits_and_gradients_equal_hugging_faces_gpt2(shape: dict[str, int], tied: bool, attention: Any) -> None:
    model = lively(GPTConfig(vocab_size=101, block_size=48, tie_weights=tied, attention=attention, **shape))
    twin = hugging_face_twin(model)
    ids = torch.randint(0, 101, (2, 48), generator=torch.Generator().manual_seed(1))
    ours, theirs = model(ids), twin(ids).logits
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    for logits in (ours, theirs):
        F.cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten()).backward()
    assert_same_gradients(model, twin)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("attention", ["fused", "longhand"])
def test_left_padded_logits_and_gradients_equal_hugging_faces_gpt2(shape: dict[str, int], attention: Any) -> None:
    model = lively(GPTConfig(vocab_size=101, block_size=32, attention=attention, **shape))
    twin = hugging_face_twin(model)
    ids = torch.randint(0, 101, (3, 20), generator=torch.Generator().manual_seed(2))
    real = torch.arange(20) >= torch.tensor([[0], [7], [18]])
    positions, visible = left_padded(real)
    ours = model(ids, positions=positions, visible=visible)
    theirs = twin(ids, attention_mask=real.long(), position_ids=positions).logits
    torch.testing.assert_close(ours[real], theirs[real], atol=1e-5, rtol=1e-5)
    assert ours.isfinite().all()
    scored = real[:, :-1]
    for logits in (ours, theirs):
        F.cross_entropy(logits[:, :-1][scored], ids[:, 1:][scored]).backward()
    assert_same_gradients(model, twin)


def test_the_fused_loss_and_its_gradients_equal_hugging_faces_loss() -> None:
    model = lively(GPTConfig(vocab_size=101, block_size=32, n_layer=2, n_head=4, n_embd=64))
    twin = hugging_face_twin(model, "sdpa")
    ids = torch.randint(0, 101, (3, 20), generator=torch.Generator().manual_seed(3))
    labels = ids.masked_fill(torch.rand(3, 20, generator=torch.Generator().manual_seed(4)) < 0.5, -100)
    total, weight = next_token_loss(model, (ids[:, :-1], labels[:, 1:]))
    (total / weight).backward()  # type: ignore[no-untyped-call]
    expected = twin(ids, labels=labels).loss
    expected.backward()
    assert total.item() / weight == pytest.approx(expected.item(), rel=1e-6)
    assert_same_gradients(model, twin)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_new_gpt2_finds_each_of_50257_tokens_equally_likely(shape: dict[str, int]) -> None:
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=50_257, block_size=32, **shape))
    ids = torch.randint(0, 50_257, (1, 33))
    total, weight = next_token_loss(model, (ids[:, :-1], ids[:, 1:]))
    assert total.item() / weight == pytest.approx(math.log(50_257), abs=0.05)


def left_pad(prompts: list[list[int]]) -> tuple[Tensor, Tensor]:
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(prompt)) + prompt for prompt in prompts])
    real = torch.tensor([[False] * (width - len(prompt)) + [True] * len(prompt) for prompt in prompts])
    return ids, real


def test_a_batch_of_greedy_texts_equals_hugging_faces_left_padded_generate(model: GPT) -> None:
    """Up to the last position of the context."""
    prompts = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11], [60, 2]]
    ids, real = left_pad(prompts)
    new = model.config.block_size - ids.size(1)
    texts = hugging_face_twin(model).generate(
        ids, attention_mask=real.long(), max_new_tokens=new, do_sample=False, pad_token_id=0
    )
    ours = generate(model, prompts, GenerateConfig(max_new_tokens=new))
    assert [list(result.ids) for result in ours] == texts[:, ids.size(1) :].tolist()
