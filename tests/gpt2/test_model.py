import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gpt2 import GPT, ContextOverflow, GPTConfig, next_token_loss
from gpt2.masks import left_padded, packed

SHAPES = [
    pytest.param({"n_layer": 2, "n_head": 4, "n_embd": 64}, id="tiny"),
    pytest.param({"n_layer": 3, "n_head": 12, "n_embd": 96}, id="124m"),
    pytest.param({"n_layer": 4, "n_head": 16, "n_embd": 128}, id="355m"),
    pytest.param({"n_layer": 2, "n_head": 20, "n_embd": 160}, id="774m"),
    pytest.param({"n_layer": 2, "n_head": 25, "n_embd": 200}, id="1.5b"),
]


def hugging_face_twin(model: GPT) -> Any:
    """The same weights in the independent implementation; its Conv1D stores the transpose."""
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
            attn_implementation="eager",
            bos_token_id=0,
            eos_token_id=0,
        )
    ).eval()
    state = {
        name: value.T if name.endswith("weight") and ".h." in name and ".ln_" not in name else value
        for name, value in model.state_dict().items()
    }
    twin.load_state_dict(state)
    return twin


def lively(config: GPTConfig, seed: int = 0) -> GPT:
    torch.manual_seed(seed)
    model = GPT(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


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
    twin_parameters = dict(twin.named_parameters())
    for name, parameter in model.named_parameters():
        expected = twin_parameters[name].grad
        if name.endswith("weight") and ".h." in name and ".ln_" not in name:
            expected = expected.T
        torch.testing.assert_close(
            parameter.grad, expected, atol=1e-5, rtol=1e-4, msg=lambda m, name=name: f"{name}: {m}"
        )


@pytest.mark.parametrize("attention", ["fused", "longhand"])
def test_left_padded_logits_equal_hugging_faces_gpt2(attention: Any) -> None:
    model = lively(GPTConfig(vocab_size=101, block_size=32, n_layer=2, n_head=4, n_embd=64, attention=attention))
    ids = torch.randint(0, 101, (3, 20), generator=torch.Generator().manual_seed(2))
    real = torch.arange(20) >= torch.tensor([[0], [7], [19]])
    positions, visible = left_padded(real)
    ours = model(ids, positions=positions, visible=visible)
    theirs = hugging_face_twin(model)(ids, attention_mask=real.long(), position_ids=positions).logits
    torch.testing.assert_close(ours[real], theirs[real], atol=1e-5, rtol=1e-5)
    assert ours.isfinite().all()


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


def test_packed_texts_never_see_one_another(model: GPT) -> None:
    texts = [torch.tensor(ids) for ids in ([3, 1, 4, 1, 5], [9, 2], [6, 5, 3, 5, 8, 9])]
    segments = torch.cat([torch.full((len(text),), i) for i, text in enumerate(texts)])[None]
    positions, visible = packed(segments)
    assert positions[0].tolist() == [0, 1, 2, 3, 4, 0, 1, 0, 1, 2, 3, 4, 5]
    logits = model(torch.cat(texts)[None], positions=positions, visible=visible)[0]
    alone = torch.cat([model(text[None])[0] for text in texts])
    torch.testing.assert_close(logits, alone, atol=1e-5, rtol=1e-5)


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
