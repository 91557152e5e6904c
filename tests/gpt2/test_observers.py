import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from gpt2 import (
    GPT,
    GPTConfig,
    HeldOut,
    JsonLog,
    Observer,
    Progress,
    Run,
    Step,
    TensorBoard,
    TrainConfig,
    fit,
    load_model,
    next_token_loss,
    print_step,
    read_log,
    train,
)
from gpt2.run import HeldOutScore


def fresh(config: GPTConfig) -> GPT:
    torch.manual_seed(0)
    return GPT(config)


def test_held_out_loss_is_scored_on_time_and_turned_into_bits_per_byte(
    config: GPTConfig, training: TrainConfig, make_batches: Any
) -> None:
    seen: list[HeldOutScore] = []

    class Watch(Observer):
        def on_step(self, run: Run, step: Step) -> None:
            if run.held_out is not None and run.held_out.step == run.step:
                seen.append(run.held_out)

    result = train(
        fresh(config),
        make_batches(),
        next_token_loss,
        replace(training, steps=12),
        [HeldOut([next(make_batches())], next_token_loss, bytes_per_token=4.0), Watch()],
    )
    assert [score.step for score in seen] == [5, 10, 12]
    assert result.held_out == seen[-1]
    for score in seen:
        assert score.bits_per_byte == pytest.approx(score.loss / math.log(2) / 4.0)


def test_the_log_holds_every_logged_step_once_after_a_resume(
    config: GPTConfig, training: TrainConfig, make_batches: Any, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"
    train(fresh(config), make_batches(), next_token_loss, replace(training, steps=8), [JsonLog(path)])
    with path.open("a") as file:
        file.write('{"step": 9, "loss": 4.1')  # a line that a kill cut off
    assert [line["step"] for line in read_log(path)] == list(range(1, 9))

    class FromStepFive(Observer):
        """Makes the log believe that the run goes on after step 5, as after a crash."""

        def on_start(self, run: Run) -> None:
            run.state = replace(run.state, step=5)

    observers = [FromStepFive(), JsonLog(path)]
    train(fresh(config), make_batches(), next_token_loss, replace(training, steps=10, log_every=2), observers)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6, 8, 10]
    assert all(
        set(line) >= {"step", "loss", "learning_rate", "grad_norm", "weight", "weight_per_second"} for line in lines
    )


def test_a_log_damaged_in_its_middle_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"step": 1}\n{"st\n{"step": 3}\n')
    with pytest.raises(ValueError, match="Unterminated string"):
        read_log(path)
    assert read_log(tmp_path / "none.jsonl") == []


def test_tensorboard_reads_back_the_losses_of_the_log(
    config: GPTConfig, training: TrainConfig, make_batches: Any, tmp_path: Path
) -> None:
    held_out = HeldOut([next(make_batches())], next_token_loss, bytes_per_token=3.0)
    observers = [held_out, JsonLog(tmp_path / "log.jsonl"), TensorBoard(tmp_path / "tensorboard")]
    train(fresh(config), make_batches(), next_token_loss, replace(training, steps=10), observers)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    lines = read_log(tmp_path / "log.jsonl")
    read = [(event.step, event.value) for event in events.Scalars("train/loss")]
    assert [step for step, _ in read] == [line["step"] for line in lines]
    assert [loss for _, loss in read] == pytest.approx([line["loss"] for line in lines], rel=1e-6)
    assert [event.step for event in events.Scalars("held_out/bits_per_byte")] == [5, 10]


def test_progress_is_drawn_after_every_step(
    config: GPTConfig, training: TrainConfig, make_batches: Any, capsys: Any
) -> None:
    drawn: list[tuple[int, bool]] = []
    observers = [
        HeldOut([next(make_batches())], next_token_loss, bytes_per_token=3.0),
        Progress(lambda step, score: drawn.append((step.step, score is not None))),
        Progress(print_step),
    ]
    train(fresh(config), make_batches(), next_token_loss, replace(training, steps=5), observers)
    assert drawn == [(1, False), (2, False), (3, False), (4, False), (5, True)]
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert len(lines) == 5
    assert lines[4].startswith("step      5/5  loss ")
    assert "bits/byte" in lines[4]


def test_pretraining_fills_its_folder_and_a_second_call_goes_on(
    config: GPTConfig, training: TrainConfig, make_batches: Any, tmp_path: Path
) -> None:
    def run(steps: int, messages: list[str]) -> Any:
        held_out = [next(make_batches())]
        settings = replace(training, steps=steps)
        return fit(
            GPT(config),
            make_batches(),
            held_out,
            settings,
            tmp_path,
            bytes_per_token=3.0,
            on_message=messages.append,
        )

    first: list[str] = []
    result = run(10, first)
    assert (result.step, first) == (10, [])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "best.json",
        "log.jsonl",
        "step-000005",
        "step-000010",
        "tensorboard",
    ]
    second: list[str] = []
    assert run(15, second).step == 15
    assert second == [f"continuing from {tmp_path / 'step-000010'}"]
    assert [line["step"] for line in read_log(tmp_path / "log.jsonl")] == list(range(1, 16))
    assert load_model(tmp_path).config == config


def test_pretraining_without_held_out_text_keeps_no_score(
    config: GPTConfig, training: TrainConfig, make_batches: Any, tmp_path: Path
) -> None:
    result = fit(GPT(config), make_batches(), [], replace(training, steps=2), tmp_path, tensorboard=False)
    assert result.held_out is None
    assert load_model(tmp_path).config == config
