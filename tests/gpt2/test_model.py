import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from gpt2 import GPT, ContextOverflow, GPTConfig, next_token_loss
from gpt2.masks import left_padded, packed


def lively(config: GPTConfig, seed: int = 0) -> GPT:
    torch.manual_seed(seed)
    model = GPT(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


@pytest.mark.parametrize("attention", ["fused", "longhand"])
def test_a_left_padded_row_has_the_logits_it_has_alone(attention: Any, config: GPTConfig) -> None:
    model = lively(replace(config, attention=attention))
    rows = [torch.arange(1, n + 1) for n in (3, 9, 12)]
    ids = torch.stack([F.pad(row, (12 - len(row), 0)) for row in rows])
    real = torch.arange(12) >= torch.tensor([[12 - len(row)] for row in rows])
    positions, visible = left_padded(real)
    together = model(ids, positions=positions, visible=visible)
    for i, row in enumerate(rows):
        torch.testing.assert_close(together[i, 12 - len(row) :], model(row[None])[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("attention", ["fused", "longhand"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(0, 9))
def test_packed_texts_have_the_logits_they_have_alone(
    attention: Any, config: GPTConfig, lengths: list[int], seed: int
) -> None:
    model = lively(replace(config, attention=attention, block_size=64))
    generator = torch.Generator().manual_seed(seed)
    texts = [torch.randint(0, config.vocab_size, (n,), generator=generator) for n in lengths]
    segments = torch.cat([torch.full((len(text),), i) for i, text in enumerate(texts)])[None]
    positions, visible = packed(segments)
    assert positions[0].tolist() == [p for n in lengths for p in range(n)], "positions restart with each text"
    logits = model(torch.cat(texts)[None], positions=positions, visible=visible)[0]
    alone = torch.cat([model(text[None])[0] for text in texts])
    torch.testing.assert_close(logits, alone, atol=1e-5, rtol=1e-5)


def test_changing_one_packed_text_changes_no_other_and_no_gradient_crosses(model: GPT) -> None:
    ids = torch.randint(0, 64, (1, 20), generator=torch.Generator().manual_seed(6))
    segments = torch.tensor([[0] * 7 + [1] * 8 + [2] * 5])
    positions, visible = packed(segments)
    embedded: list[Tensor] = []
    handle = model.transformer.wte.register_forward_hook(lambda _m, _a, output: embedded.append(output))
    before = model(ids, positions=positions, visible=visible)
    handle.remove()
    [gradient] = torch.autograd.grad(before[0, 7:15].sum(), embedded)
    assert gradient[0, 7:15].abs().amax(dim=-1).min() > 0
    assert gradient[0, :7].abs().max() == 0 == gradient[0, 15:].abs().max()
    changed = ids.clone()
    changed[0, 7:15] = (changed[0, 7:15] + 1) % 64
    after = model(changed, positions=positions, visible=visible)
    assert torch.equal(after[0, :7], before[0, :7])
    assert torch.equal(after[0, 15:], before[0, 15:])
    assert not torch.allclose(after[0, 7:15], before[0, 7:15], atol=1e-2)


@pytest.mark.parametrize("attention", ["fused", "longhand"])
def test_a_later_token_never_changes_an_earlier_logit(attention: Any, config: GPTConfig) -> None:
    model = lively(replace(config, attention=attention))
    ids = torch.randint(0, config.vocab_size, (1, 16), generator=torch.Generator().manual_seed(3))
    before = model(ids)
    for t in range(1, 16):
        changed = ids.clone()
        changed[0, t:] = (changed[0, t:] + 1) % config.vocab_size
        after = model(changed)
        torch.testing.assert_close(after[0, :t], before[0, :t], atol=1e-5, rtol=1e-5)
        assert not torch.allclose(after[0, t], before[0, t], atol=1e-3)


def test_no_gradient_flows_from_a_logit_to_a_later_embedding(model: GPT) -> None:
    embedded: list[Tensor] = []

    def keep(_module: Any, _args: Any, output: Tensor) -> None:
        output.retain_grad()
        embedded.append(output)

    handle = model.transformer.wte.register_forward_hook(keep)
    model(torch.arange(10)[None])[0, 4].sum().backward()
    handle.remove()
    gradient = embedded[0].grad
    assert gradient is not None
    assert gradient[0, 5:].abs().max() == 0
    assert gradient[0, :5].abs().amax(dim=-1).min() > 0


def test_longhand_attention_equals_fused_attention_with_every_kind_of_mask(config: GPTConfig) -> None:
    fused = lively(config)
    longhand = GPT(replace(config, attention="longhand")).eval()
    longhand.load_state_dict(fused.state_dict())
    ids = torch.randint(0, config.vocab_size, (2, 16), generator=torch.Generator().manual_seed(4))
    masks: list[dict[str, Tensor]] = [{}]
    for positions, visible in (
        left_padded(torch.arange(16) >= torch.tensor([[0], [5]])),
        packed(torch.tensor([[0] * 16, [0] * 4 + [1] * 12])),
    ):
        masks.append({"positions": positions, "visible": visible})
    for mask in masks:
        torch.testing.assert_close(fused(ids, **mask), longhand(ids, **mask), atol=1e-5, rtol=1e-5)


def test_a_tied_head_is_the_embedding_and_an_untied_one_is_not(config: GPTConfig) -> None:
    tied, untied = GPT(config), GPT(replace(config, tie_weights=False))
    assert tied.lm_head.weight is tied.transformer.wte.weight
    assert untied.parameter_count() - tied.parameter_count() == config.vocab_size * config.n_embd
    next_token_loss(tied, (torch.tensor([[1, 2]]), torch.tensor([[2, 3]])))[0].backward()
    gradient = tied.transformer.wte.weight.grad
    assert gradient is not None
    assert gradient[60].abs().sum() > 0, "the head's gradient reaches the embedding of an id that was not read"


def test_a_new_model_finds_every_token_equally_likely() -> None:
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=50_304, block_size=64, n_layer=2, n_head=2, n_embd=64))
    ids = torch.randint(0, 50_304, (2, 33))
    total, weight = next_token_loss(model, (ids[:, :-1], ids[:, 1:]))
    assert total.item() / weight == pytest.approx(math.log(50_304), abs=0.05)


def test_weights_start_as_gpt2s_do() -> None:
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=512, block_size=256, n_layer=8, n_head=2, n_embd=128)
    for name, parameter in GPT(config).named_parameters():
        if name.endswith("bias"):
            assert parameter.count_nonzero() == 0
        elif ".ln_" in name:
            assert (parameter == 1).all()
        else:
            std = 0.02 / 4 if "c_proj" in name else 0.01 if "wpe" in name else 0.02
            assert parameter.std().item() == pytest.approx(std, rel=0.05), name


def test_more_ids_than_positions_are_refused(model: GPT) -> None:
    with pytest.raises(ContextOverflow, match="33 ids in a row exceed block_size=32"):
        model(torch.zeros(1, 33, dtype=torch.long))


def test_dropout_acts_in_training_only(config: GPTConfig) -> None:
    model = lively(replace(config, dropout=0.5))
    ids = torch.arange(8)[None]
    assert torch.equal(model(ids), model(ids))
    model.train()
    assert not torch.equal(model(ids), model(ids))
