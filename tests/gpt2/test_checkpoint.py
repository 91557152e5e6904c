import json
import os
import random
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gpt2 import (
    GPT,
    CheckpointError,
    Checkpoints,
    ConfigMismatch,
    DamagedCheckpoint,
    GPTConfig,
    HeldOut,
    Observer,
    Run,
    Step,
    TrainConfig,
    TrainingInterrupted,
    latest,
    load_model,
    next_token_loss,
    save_checkpoint,
    train,
)
from gpt2.checkpoint import RunState, load_checkpoint
from gpt2.descent import adamw
from gpt2.run_folder import best, checkpoints, mark_best, prune, verify

HERE = Path(__file__).parent


def fresh(config: GPTConfig) -> GPT:
    torch.manual_seed(0)
    return GPT(config)


def everything(folder: Path) -> dict[str, Any]:
    """All a checkpoint holds, as values to compare bit for bit."""
    return {name: (folder / name).read_bytes() for name in ("model.safetensors", "optimizer.safetensors", "state.json")}


@pytest.fixture
def dropout(config: GPTConfig) -> GPTConfig:
    return replace(config, dropout=0.1)


@pytest.fixture
def saved(config: GPTConfig, training: TrainConfig, make_batches: Any, tmp_path: Path) -> Path:
    """A finished run with checkpoints at 15 and 20."""
    train(fresh(config), make_batches(), next_token_loss, training, [Checkpoints(tmp_path / "run")])
    return tmp_path / "run"


@pytest.mark.parametrize("split", [5, 10])
def test_resuming_is_bit_exact(
    dropout: GPTConfig, training: TrainConfig, make_batches: Any, tmp_path: Path, split: int
) -> None:
    """N + M steps equal N steps, save, load in new objects, M steps, to the last bit of everything."""

    class DrawFromPython(Observer):
        """Uses Python's generator too, as a sampler might."""

        def on_start(self, run: Run) -> None:
            self.drawn: list[float] = []

        def on_step(self, run: Run, step: Step) -> None:
            if step.step > split:
                self.drawn.append(random.random())

    straight, resumed = DrawFromPython(), DrawFromPython()
    train(
        fresh(dropout),
        make_batches(),
        next_token_loss,
        training,
        [straight, Checkpoints(tmp_path / "a", keep_last=9)],
    )
    middle = tmp_path / "a" / f"step-{split:06d}"
    torch.manual_seed(99)
    random.seed(99)
    model = GPT(dropout)  # other weights, to be replaced
    result = train(
        model,
        make_batches(),
        next_token_loss,
        training,
        [resumed, Checkpoints(tmp_path / "b")],
        resume_from=middle,
    )
    assert result.step == 20
    assert everything(tmp_path / "b" / "step-000020") == everything(tmp_path / "a" / "step-000020")
    assert resumed.drawn == straight.drawn


def test_a_checkpoint_gives_back_the_model(saved: Path, config: GPTConfig) -> None:
    model = load_model(saved)
    assert model.config == config
    assert not model.training
    assert model.lm_head.weight is model.transformer.wte.weight
    again = load_model(saved / "step-000020", attention="longhand")
    assert again.config.attention == "longhand"
    ids = torch.arange(9)[None]
    torch.testing.assert_close(model(ids), again(ids), atol=1e-5, rtol=1e-5)


def test_an_untied_model_comes_back_untied(
    config: GPTConfig, training: TrainConfig, make_batches: Any, tmp_path: Path
) -> None:
    model = fresh(replace(config, tie_weights=False))
    train(model, make_batches(), next_token_loss, replace(training, steps=2), [Checkpoints(tmp_path)])
    loaded = load_model(tmp_path)
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name


def test_the_newest_two_and_the_best_are_kept_and_the_best_is_loaded(
    config: GPTConfig, training: TrainConfig, make_batches: Any, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    scores = iter([3.0, 1.0, 2.0, 2.5])

    class Scripted(HeldOut):
        """Real evaluation, then a loss from the script, so that the best is known to be the second."""

        def score(self, run: Run) -> Any:
            run.held_out = replace(super().score(run), loss=next(scores))
            return run.held_out

    train(
        fresh(config),
        make_batches(),
        next_token_loss,
        replace(training, save_every=1),
        [Scripted([next(make_batches())], next_token_loss), Checkpoints(run_dir)],
    )
    assert [path.name for path in checkpoints(run_dir)] == ["step-000010", "step-000019", "step-000020"]
    assert best(run_dir) == run_dir / "step-000010"
    loaded, tenth = load_model(run_dir), load_model(run_dir / "step-000010")
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), tenth.parameters(), strict=True))


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, empty, Path.unlink])
@pytest.mark.parametrize(
    "name", ["model.safetensors", "optimizer.safetensors", "config.json", "state.json", "checksums.json"]
)
def test_a_damaged_checkpoint_is_detected_and_the_one_before_used(
    saved: Path, name: str, damage: Callable[[Path], None]
) -> None:
    newest = saved / "step-000020"
    damage(newest / name)
    # An altered list of checksums shows as a file that does not match it.
    named = "step-000020" if name == "checksums.json" else name
    with pytest.raises(DamagedCheckpoint, match=named):
        verify(newest)
    with pytest.raises(DamagedCheckpoint, match=named):
        load_model(newest)
    messages: list[str] = []
    assert latest(saved, messages.append) == saved / "step-000015"
    [message] = messages
    assert "skipping a damaged checkpoint" in message
    assert named in message
    with pytest.warns(UserWarning, match="skipping a damaged checkpoint"):
        assert latest(saved) == saved / "step-000015"


def test_a_run_whose_checkpoints_are_all_damaged_does_not_start_afresh_in_silence(saved: Path) -> None:
    for checkpoint in checkpoints(saved):
        truncate(checkpoint / "model.safetensors")
    with pytest.raises(DamagedCheckpoint, match="all 2 checkpoints are damaged"):
        latest(saved, lambda message: None)


def test_a_folder_without_checkpoints_is_a_fresh_run_or_no_model(tmp_path: Path) -> None:
    assert latest(tmp_path / "nowhere") is None
    with pytest.raises(CheckpointError, match="no checkpoint here"):
        load_model(tmp_path)
    with pytest.raises(CheckpointError, match="no checkpoint here"):
        load_model(tmp_path / "step-000001")


def test_a_checkpoint_of_another_model_is_refused_naming_the_fields(saved: Path, config: GPTConfig) -> None:
    other = GPT(replace(config, n_layer=3, block_size=64))
    before = [parameter.clone() for parameter in other.parameters()]
    with pytest.raises(ConfigMismatch, match=r"block_size: 32 in the checkpoint, 64 here; n_layer: 2 .* 3 here"):
        load_checkpoint(saved / "step-000020", other)
    assert all(torch.equal(a, b) for a, b in zip(before, other.parameters(), strict=True)), "nothing was changed"


def test_a_run_is_not_resumed_under_other_settings_but_may_be_made_longer(
    saved: Path, config: GPTConfig, training: TrainConfig, make_batches: Any
) -> None:
    newest = saved / "step-000020"
    with pytest.raises(ConfigMismatch, match=r"learning_rate: 0.003 in the checkpoint, 0.1 here"):
        train(
            GPT(config),
            make_batches(),
            next_token_loss,
            replace(training, learning_rate=0.1),
            resume_from=newest,
        )
    longer = train(GPT(config), make_batches(), next_token_loss, replace(training, steps=22), resume_from=newest)
    assert longer.step == 22
    done = train(GPT(config), make_batches(), next_token_loss, training, resume_from=newest)
    assert (done.step, done.loss, done.weight) == (20, None, 0)


def test_a_checkpoint_that_cannot_be_written_leaves_nothing_behind(
    config: GPTConfig, training: TrainConfig, tmp_path: Path
) -> None:
    model = fresh(config)
    optimizer = adamw(model, training)
    with pytest.raises(CheckpointError, match=r"plain JSON values.*batches.state_dict"):
        save_checkpoint(tmp_path, model, optimizer, RunState(step=1, batches={"bad": torch.ones(1)}, random={}))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match="cannot write"):
        save_checkpoint(tmp_path / "file", model, optimizer, RunState(step=1, batches={}, random={}))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_that_says_so(
    config: GPTConfig, training: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_a_full_disk(tensors: dict[str, Tensor], path: Path) -> None:
        Path("/dev/full").write_bytes(b"x" * 10_000)

    monkeypatch.setattr("gpt2.checkpoint.save_file", on_a_full_disk)
    model = fresh(config)
    with pytest.raises(CheckpointError, match=r"No space left on device.*free some space"):
        save_checkpoint(tmp_path, model, adamw(model, training), RunState(step=1, batches={}, random={}))
    assert list(tmp_path.iterdir()) == []


def test_what_a_kill_left_half_written_or_half_deleted_is_never_mistaken_for_a_checkpoint(
    saved: Path, config: GPTConfig
) -> None:
    shutil.copytree(saved / "step-000020", saved / ".writing-step-000025")
    shutil.copytree(saved / "step-000020", saved / ".writing-old-step-000010")
    assert [path.name for path in checkpoints(saved)] == ["step-000015", "step-000020"]
    model = fresh(config)
    save_checkpoint(saved, model, adamw(model, TrainConfig()), RunState(step=25, batches={}, random={}))
    assert sorted(path.name for path in saved.iterdir()) == ["step-000015", "step-000020", "step-000025"]
    prune(saved, keep_last=1)
    assert sorted(path.name for path in saved.iterdir()) == ["step-000025"]


def test_saving_a_step_again_replaces_it_whole(saved: Path, config: GPTConfig) -> None:
    model = fresh(config)
    save_checkpoint(saved, model, adamw(model, TrainConfig()), RunState(step=20, batches={"given": 7}, random={}))
    verify(saved / "step-000020")
    assert json.loads((saved / "step-000020" / "state.json").read_text())["batches"] == {"given": 7}
    assert sorted(path.name for path in saved.iterdir()) == ["step-000015", "step-000020"]


# Being stopped ------------------------------------------------------------


@pytest.mark.parametrize("where", ["in the loss", "in an observer", "in the update"])
def test_ctrl_c_saves_the_last_finished_step_and_the_run_goes_on_bit_for_bit(
    dropout: GPTConfig, training: TrainConfig, make_batches: Any, tmp_path: Path, where: str
) -> None:
    rare = replace(training, save_every=0, eval_every=0)
    train(fresh(dropout), make_batches(), next_token_loss, rare, [Checkpoints(tmp_path / "straight")])
    run_dir, calls = tmp_path / "stopped", 0

    def press_ctrl_c() -> None:
        os.kill(os.getpid(), signal.SIGINT)

    def loss(model: GPT, batch: Any) -> tuple[Tensor, int]:
        nonlocal calls
        calls += 1
        if (
            where == "in the loss" and calls == 14
        ):  # step 7, its second batch: one batch and some dropout are already spent
            press_ctrl_c()
        return next_token_loss(model, batch)

    class Watch(Observer):
        def on_start(self, run: Run) -> None:
            if where == "in the update":
                run.optimizer.register_step_pre_hook(lambda *_: press_ctrl_c() if run.step == 6 else None)

        def on_step(self, run: Run, step: Step) -> None:
            if where == "in an observer" and step.step == 6:
                press_ctrl_c()

    finished = 7 if where == "in the update" else 6
    with pytest.raises(
        TrainingInterrupted, match=rf"stopped after step {finished} of 20.*saved in .*same run again"
    ) as caught:
        train(fresh(dropout), make_batches(), loss, rare, [Watch(), Checkpoints(run_dir)])
    assert isinstance(caught.value, KeyboardInterrupt)
    stopped = latest(run_dir)
    assert stopped == run_dir / f"step-{finished:06d}"
    train(GPT(dropout), make_batches(), next_token_loss, rare, [Checkpoints(run_dir)], resume_from=stopped)
    assert everything(run_dir / "step-000020") == everything(tmp_path / "straight" / "step-000020")


def test_ctrl_c_without_checkpoints_says_that_nothing_was_saved(
    config: GPTConfig, training: TrainConfig, make_batches: Any
) -> None:
    def interrupted(model: GPT, batch: Any) -> tuple[Tensor, int]:
        raise KeyboardInterrupt

    with pytest.raises(TrainingInterrupted, match=r"stopped after step 0 of 20\. Nothing was saved"):
        train(fresh(config), make_batches(), interrupted, training)


def test_a_damaged_best_gives_way_to_the_newest_whole_one_with_a_message(saved: Path) -> None:
    mark_best(saved, saved / "step-000015", 1.0)
    weights = saved / "step-000015" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    messages: list[str] = []
    loaded = load_model(saved, on_damage=messages.append)
    newest = load_model(saved / "step-000020")
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), newest.parameters(), strict=True))
    assert len(messages) == 1 and "step-000015/model.safetensors" in messages[0] and "newest" in messages[0]
    with pytest.raises(DamagedCheckpoint, match=r"model\.safetensors"):
        load_model(saved / "step-000015")  # asked for by name, nothing else will do
