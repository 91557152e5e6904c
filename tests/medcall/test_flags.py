"""A config's fields are its flags."""

import argparse
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest

from medcall.flags import add_flags, as_dict, from_flags


@dataclass(frozen=True, kw_only=True)
class Config:
    steps: Annotated[int, "optimizer updates"] = 10
    learning_rate: Annotated[float, "peak rate, 100 % of it"] = 1e-3
    precision: Annotated[Literal["fp32", "bf16"], "arithmetic"] = "fp32"
    shuffle: Annotated[bool, "mix the order"] = True
    pages: Annotated[str | None, "page range"] = None


def parse(*words: str) -> Config:
    parser = argparse.ArgumentParser()
    add_flags(parser, Config)
    return from_flags(Config, parser.parse_args(list(words)))


def test_without_flags_the_config_is_its_defaults() -> None:
    assert parse() == Config()


def test_each_flag_sets_its_field_with_its_type() -> None:
    words = [
        "--steps",
        "3",
        "--learning-rate",
        "0.5",
        "--precision",
        "bf16",
        "--no-shuffle",
        "--pages",
        "2-4",
    ]
    assert parse(*words) == Config(steps=3, learning_rate=0.5, precision="bf16", shuffle=False, pages="2-4")


def test_a_value_of_the_wrong_type_or_outside_the_choices_is_misuse(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words in (["--steps", "many"], ["--precision", "int3"]):
        with pytest.raises(SystemExit) as stop:
            parse(*words)
        assert stop.value.code == 2
    assert "int3" in capsys.readouterr().err


def test_help_shows_text_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("--help")
    shown = capsys.readouterr().out
    assert "optimizer updates (default 10)" in shown and "100 % of it" in shown


def test_a_command_may_replace_defaults_and_leave_fields_out() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, Config, skip={"pages"}, defaults={"steps": 99})
    args = parser.parse_args([])
    assert not hasattr(args, "pages")
    assert from_flags(Config, args, pages="7") == Config(steps=99, pages="7")
    assert as_dict(Config())["precision"] == "fp32"
