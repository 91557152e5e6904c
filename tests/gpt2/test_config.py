from dataclasses import replace

import pytest
import torch

from gpt2 import GPT, ConfigError, GenerateConfig, GPTConfig, TrainConfig


@pytest.mark.parametrize(
    ("preset", "millions"),
    [("tiny", 7.30), ("124m", 124.5), ("355m", 354.9), ("774m", 774.1), ("1.5b", 1557.7)],
)
def test_a_preset_has_the_size_its_name_says(preset: str, millions: float) -> None:
    with torch.device("meta"):
        model = GPT(GPTConfig.preset(preset))
    assert model.parameter_count() == pytest.approx(millions * 1e6, rel=1e-3)


def test_gpt2_small_has_124_million_parameters_tied_and_163_million_untied() -> None:
    small = replace(GPTConfig.gpt2_124m(), vocab_size=50_257)
    with torch.device("meta"):
        assert GPT(small).parameter_count() == 124_439_808
        assert GPT(replace(small, tie_weights=False)).parameter_count() == 163_037_184


def test_an_unknown_preset_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ConfigError, match=r"no preset named 'huge'; there are tiny, 124m, 355m, 774m, 1.5b"):
        GPTConfig.preset("huge")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_embd": 770}, "n_embd=770 does not divide into n_head=12 heads"),
        ({"n_layer": 0}, "n_layer=0 must be at least 1"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"attention": "flash"}, "attention='flash'"),
        ({"layer_norm_epsilon": 0.0}, "layer_norm_epsilon=0.0"),
    ],
)
def test_a_model_that_cannot_be_is_refused_naming_the_numbers(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        GPTConfig(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "values",
    [
        {"steps": 0},
        {"accumulate": 0},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"min_lr_ratio": 1.5},
        {"warmup_steps": -1},
        {"beta2": 1.0},
        {"clip_norm": -1.0},
        {"autocast": "fp8"},
    ],
)
def test_a_training_run_that_cannot_be_is_refused_naming_the_field(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"^{next(iter(values))}="):
        TrainConfig(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "values", [{"max_new_tokens": 0}, {"temperature": -0.1}, {"top_k": 0}, {"top_p": 0.0}, {"min_p": 1.1}]
)
def test_a_way_to_generate_that_cannot_be_is_refused_naming_the_field(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"^{next(iter(values))}="):
        GenerateConfig(**values)  # type: ignore[arg-type]


def test_a_config_survives_its_dictionary_and_refuses_fields_it_does_not_know() -> None:
    config = GPTConfig.tiny()
    assert GPTConfig.from_dict(config.to_dict()) == config
    with pytest.raises(ConfigError, match="rope"):
        GPTConfig.from_dict(config.to_dict() | {"rope": True})
