"""Weights of transformers' own save_pretrained in place of the released ones, which have the same layout."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from gpt2 import (
    GPT,
    ConfigError,
    ForeignWeights,
    GenerateConfig,
    GPTConfig,
    generate,
    grow_vocabulary,
    read_released,
    write_released,
)

IDS = torch.randint(0, 101, (2, 24), generator=torch.Generator().manual_seed(0))


def theirs(**changes: Any) -> Any:
    """A random GPT-2 of transformers."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    sizes: dict[str, Any] = {"vocab_size": 101, "n_positions": 32, "n_layer": 3, "n_head": 4, "n_embd": 64}
    model = GPT2LMHeadModel(GPT2Config(**(sizes | {"bos_token_id": 0, "eos_token_id": None} | changes))).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    theirs().save_pretrained(tmp_path / "hf")
    return tmp_path / "hf"


def alter(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def store_again(folder: Path, change: Any) -> None:
    """Write the weights anew, each name and value as `change` makes it."""
    weights = load_file(folder / "model.safetensors")
    save_file(
        dict(change(name, value) for name, value in weights.items()),
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )


@pytest.mark.parametrize("tied", [True, False])
def test_a_folder_of_transformers_gives_its_logits(tmp_path: Path, tied: bool) -> None:
    model = theirs(tie_word_embeddings=tied)
    model.save_pretrained(tmp_path)
    ours = read_released(tmp_path)
    assert ours.config.tie_weights == tied == (ours.lm_head.weight is ours.transformer.wte.weight)
    assert not ours.training
    torch.testing.assert_close(ours(IDS), model(IDS).logits, atol=1e-5, rtol=1e-5)


def test_names_without_transformer_and_the_masks_of_old_files_are_understood(folder: Path) -> None:
    """The released files are so."""
    expected = read_released(folder)(IDS)
    store_again(folder, lambda name, value: (name.removeprefix("transformer."), value))
    weights = load_file(folder / "model.safetensors")
    assert "h.0.attn.c_attn.weight" in weights
    for layer in range(3):
        weights[f"h.{layer}.attn.bias"] = torch.ones(1, 1, 32, 32).tril()
        weights[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    save_file(weights, folder / "model.safetensors")
    assert torch.equal(read_released(folder)(IDS), expected)


def test_weights_in_several_files_are_put_together(folder: Path) -> None:
    expected = read_released(folder)(IDS)
    theirs().save_pretrained(folder, max_shard_size="50KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    assert len(list(folder.glob("model-*.safetensors"))) > 2
    assert torch.equal(read_released(folder)(IDS), expected)


def test_half_precision_files_become_float32(folder: Path) -> None:
    store_again(folder, lambda name, value: (name, value.half()))
    model = read_released(folder)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    torch.testing.assert_close(model(IDS), theirs()(IDS).logits, atol=0.05, rtol=0.05)


def test_one_file_of_a_released_width_needs_no_config(tmp_path: Path) -> None:
    model = theirs(n_embd=768, n_head=12, n_layer=1)
    model.save_pretrained(tmp_path)
    (tmp_path / "config.json").unlink()
    ours = read_released(tmp_path / "model.safetensors")
    assert ours.config == GPTConfig(vocab_size=101, block_size=32, n_layer=1, n_head=12, n_embd=768)
    torch.testing.assert_close(ours(IDS), model(IDS).logits, atol=1e-5, rtol=1e-5)


def test_one_file_of_another_width_asks_for_its_config(folder: Path) -> None:
    assert read_released(folder / "model.safetensors").config.n_head == 4, "it lies beside the file"
    (folder / "config.json").unlink()
    with pytest.raises(ForeignWeights, match=r"n_embd is 64, not that of a released GPT-2 .* put its config.json"):
        read_released(folder / "model.safetensors")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "gpt_neo"}, "model_type is 'gpt_neo', but in the released GPT-2 it is 'gpt2'"),
        ({"activation_function": "relu"}, "activation_function is 'relu'"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True"),
        ({"n_inner": 100}, r"n_inner is 100, expected 4 \* n_embd = 256"),
        ({"n_head": 5}, "n_embd=64 does not divide into n_head=5 heads"),
        ({"n_layer": 4}, "12 parameters are missing, the first is transformer.h.3.ln_1.weight"),
        ({"n_layer": 2}, "transformer.h.2.* is no parameter of a GPT-2 of 2 layers"),
        ({"vocab_size": 100}, r"wte.weight is \(101, 64\), expected \(100, 64\) by config.json"),
        ({"n_embd": None}, "the sizes are not all there"),
    ],
)
def test_what_is_not_this_gpt2_is_refused_naming_what_is_unlike(
    folder: Path, changes: dict[str, Any], message: str
) -> None:
    alter(folder, **changes)
    with pytest.raises(ForeignWeights, match=message):
        read_released(folder)


def test_files_that_are_missing_broken_or_pickled_are_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(ForeignWeights, match="not a whole safetensors file"):
        read_released(folder)
    weights.rename(folder / "pytorch_model.bin")
    with pytest.raises(ForeignWeights, match=r"only pytorch_model.bin, which is a pickle and is not opened"):
        read_released(folder)
    with pytest.raises(ForeignWeights, match=r"neither model.safetensors nor"):
        read_released(folder / "nowhere")


def test_a_stored_head_must_be_the_embedding_when_they_are_said_to_be_one(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"] = weights["transformer.wte.weight"].clone()
    save_file(weights, folder / "model.safetensors")
    assert read_released(folder).config.tie_weights
    weights["lm_head.weight"][0] += 1
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(ForeignWeights, match="the head differs from the embedding"):
        read_released(folder)
    alter(folder, tie_word_embeddings=False)
    assert not read_released(folder).config.tie_weights


@pytest.mark.parametrize("tied", [True, False])
def test_what_is_written_is_loaded_by_transformers_with_the_same_greedy_text(
    model: GPT, tmp_path: Path, tied: bool
) -> None:
    from transformers import AutoModelForCausalLM

    written = GPT(replace(model.config, tie_weights=tied)).eval()
    written.load_state_dict(model.state_dict())
    write_released(written, tmp_path, begin=0, stop=(7, 9), pad=1)
    loaded, info = AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values()), info
    prompt = torch.tensor([[1, 2, 3]])
    theirs = loaded.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=29)
    [ours] = generate(written, prompt.tolist(), GenerateConfig(max_new_tokens=29, stop_ids=(7, 9)))
    assert theirs[0, 3:].tolist() == list(ours.ids)
    assert loaded.generation_config.pad_token_id == 1
    again = read_released(tmp_path)
    assert again.config == written.config
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), written.parameters(), strict=True))


def test_bfloat16_halves_the_file(model: GPT, tmp_path: Path) -> None:
    sizes = {}
    for dtype in (torch.float32, torch.bfloat16):
        write_released(model, tmp_path, dtype=dtype)
        sizes[dtype] = (tmp_path / "model.safetensors").stat().st_size
    assert sizes[torch.bfloat16] < 0.6 * sizes[torch.float32]
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == "bfloat16"


@pytest.mark.parametrize("tied", [True, False])
def test_a_grown_vocabulary_keeps_the_old_logits_and_makes_the_new_ids_unlikely(tied: bool, tmp_path: Path) -> None:
    theirs(tie_word_embeddings=tied).save_pretrained(tmp_path)
    model = read_released(tmp_path)
    grown = grow_vocabulary(model, 128)
    assert grown.config == replace(model.config, vocab_size=128)
    assert (grown.lm_head.weight is grown.transformer.wte.weight) == tied
    before, after = model(IDS), grown(IDS)
    torch.testing.assert_close(after[..., :101], before, atol=1e-5, rtol=1e-5)
    assert (after[..., 101:].amax(dim=-1) < before.amax(dim=-1)).all(), "greedy text stays what it was"
    new = grown.transformer.wte.weight[101:]
    assert len(new.unique(dim=0)) == 27, "no two are the same"
    spread = (new - model.transformer.wte.weight.mean(dim=0)).std() / model.transformer.wte.weight.std(dim=0).mean()
    assert spread.item() == pytest.approx(0.1, rel=0.1)
    again = grow_vocabulary(model, 128)
    assert all(torch.equal(a, b) for a, b in zip(grown.parameters(), again.parameters(), strict=True))


def test_a_vocabulary_is_never_cut(model: GPT) -> None:
    assert grow_vocabulary(model, 64) is model
    with pytest.raises(ConfigError, match="the model has 64 ids, a vocabulary of 60 would cut off 4 of them"):
        grow_vocabulary(model, 60)
