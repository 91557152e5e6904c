"""Checkpoints: a folder is whole or it is not there, and what is in it is what was written.

    run/
      step-000400/
        model.safetensors       parameters under OpenAI's names; a tied head is stored once
        optimizer.safetensors   AdamW's moments, as `<parameter>.<moment>`
        config.json             the model's and the run's configuration
        state.json              finished steps, held-out score, sampler position, random number generators
        checksums.json          sha256 of each of the four
      best.json                 which of them had the lowest held-out loss

A folder is written under a temporary name, synced to disk, then renamed. Nothing is ever unpickled.
"""

import base64
import hashlib
import json
import os
import random
import re
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from gpt2.config import Attention, GPTConfig
from gpt2.errors import CheckpointError, ConfigError, ConfigMismatch, DamagedCheckpoint
from gpt2.model import GPT

FORMAT = 1
FILES = ("model.safetensors", "optimizer.safetensors", "config.json", "state.json")
CHECKSUMS = "checksums.json"
BEST = "best.json"
_STEP_FOLDER = re.compile(r"step-(\d{6,})")
_TEMPORARY = ".writing-"


@dataclass(frozen=True, kw_only=True)
class RunState:
    """Where a run stands after a finished step, beside its weights and its optimiser: plain JSON values."""

    step: int
    batches: Mapping[str, Any]
    random: Mapping[str, Any]
    held_out: Mapping[str, Any] | None = None


def save_checkpoint(
    run_dir: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: RunState,
    *,
    training: Mapping[str, Any] | None = None,
) -> Path:
    """Write `run_dir/step-NNNNNN` and return it; `training` is the run's configuration as plain JSON values.

    Raises `CheckpointError` if it cannot be written (disk full, no permission), and then leaves nothing
    behind.
    """
    target = run_dir / f"step-{state.step:06d}"
    config = {
        "format": FORMAT,
        "model": model.config.to_dict() if isinstance(model, GPT) else {},
        "training": dict(training or {}),
    }
    with _new_folder(target) as folder:
        save_file(_weights(model), folder / FILES[0])
        save_file(_moments(model, optimizer), folder / FILES[1])
        for name, content in ((FILES[2], config), (FILES[3], asdict(state))):
            (folder / name).write_text(_to_json(name, content))
        checksums = {name: _sha256(folder / name) for name in FILES}
        (folder / CHECKSUMS).write_text(_to_json(CHECKSUMS, checksums))
    return target


def verify(checkpoint: Path) -> None:
    """Raise `DamagedCheckpoint` unless every file is there and has the content that was written."""
    checksums = _read_json(checkpoint / CHECKSUMS)
    for name in FILES:
        path, wanted = checkpoint / name, checksums.get(name)
        if not path.is_file():
            raise DamagedCheckpoint(f"{path} is missing; use an earlier checkpoint of the run")
        found = _sha256(path)
        if found != wanted:
            raise DamagedCheckpoint(
                f"{path} ({path.stat().st_size} bytes) has sha256 {found}, expected {wanted}: "
                "it was truncated or altered after it was written; use an earlier checkpoint of the run"
            )


def checkpoints(run_dir: Path) -> list[Path]:
    """The finished checkpoint folders of a run, oldest first."""
    if not run_dir.is_dir():
        return []
    found = [(int(match[1]), path) for path in run_dir.iterdir() if (match := _STEP_FOLDER.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=3)


def latest(run_dir: Path, on_damage: Callable[[str], None] = _warn) -> Path | None:
    """The newest undamaged checkpoint of a run, or None if it has none yet.

    Each damaged one on the way is reported to `on_damage`; if all are damaged that is a `DamagedCheckpoint`,
    not a fresh start.
    """
    found = checkpoints(run_dir)
    for checkpoint in reversed(found):
        try:
            verify(checkpoint)
        except DamagedCheckpoint as error:
            on_damage(f"skipping a damaged checkpoint: {error}")
        else:
            return checkpoint
    if found:
        raise DamagedCheckpoint(
            f"{run_dir}: all {len(found)} checkpoints are damaged; remove the folder to start again"
        )
    return None


def best(run_dir: Path) -> Path | None:
    """The checkpoint with the lowest held-out loss, or None if none was recorded."""
    path = run_dir / BEST
    if not path.is_file():
        return None
    checkpoint = run_dir / str(_read_json(path).get("checkpoint"))
    return checkpoint if checkpoint.is_dir() else None


def mark_best(run_dir: Path, checkpoint: Path, held_out_loss: float) -> None:
    """Record `checkpoint` as the best of its run, atomically."""
    temporary = run_dir / f"{_TEMPORARY}{BEST}"
    temporary.write_text(_to_json(BEST, {"checkpoint": checkpoint.name, "held_out_loss": held_out_loss}))
    _sync(temporary)
    temporary.replace(run_dir / BEST)


def best_loss(run_dir: Path) -> float | None:
    """The held-out loss recorded by `mark_best`."""
    return float(_read_json(run_dir / BEST)["held_out_loss"]) if best(run_dir) else None


def prune(run_dir: Path, keep_last: int = 2) -> None:
    """Delete all but the newest `keep_last` checkpoints and the best."""
    kept = {*checkpoints(run_dir)[-keep_last:], best(run_dir)}
    for checkpoint in checkpoints(run_dir):
        if checkpoint not in kept:
            # Renamed first, so that a kill in the middle never leaves half a folder under a checkpoint's
            # name.
            doomed = checkpoint.replace(run_dir / f"{_TEMPORARY}old-{checkpoint.name}")
            shutil.rmtree(doomed)


def load_checkpoint(
    checkpoint: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    *,
    training: Mapping[str, Any] | None = None,
) -> RunState:
    """Put weights and moments in place and return where the run stood; the caller restores the rest.

    Raises `DamagedCheckpoint`, or `ConfigMismatch` if the model's configuration or one of the fields in
    `training` is another. Nothing is changed before everything has been checked.
    """
    verify(checkpoint)
    config = _read_json(checkpoint / FILES[2])
    if config.get("format") != FORMAT:
        raise CheckpointError(
            f"{checkpoint}: format {config.get('format')!r}, expected {FORMAT}; it was written by another version"
        )
    if isinstance(model, GPT):
        # The two ways to attend are tested equal, so they may be exchanged.
        _compare(checkpoint, "model", config["model"], model.config.to_dict(), ignore=("attention",))
    _compare(checkpoint, "training", config["training"], training or {})
    state = _read_json(checkpoint / FILES[3])
    weights = _load_tensors(checkpoint / FILES[0])
    named = dict(_named(model))
    if set(weights) != set(named):
        raise ConfigMismatch(
            f"{checkpoint}: holds other parameters than the model: {sorted(set(weights) ^ set(named))[:5]}"
        )
    for name, parameter in named.items():
        if weights[name].shape != parameter.shape:
            raise ConfigMismatch(
                f"{checkpoint}: {name} is {tuple(weights[name].shape)} in the checkpoint, {tuple(parameter.shape)} here"
            )
    with torch.no_grad():
        for name, parameter in named.items():
            parameter.copy_(weights[name])
    if optimizer is not None:
        moments = _load_tensors(checkpoint / FILES[1])
        for name, parameter in named.items():
            own = {key.rpartition(".")[2]: value for key, value in moments.items() if key.rpartition(".")[0] == name}
            if own:
                on_host = {"step"} if not parameter.is_cuda else set()
                optimizer.state[parameter] = {
                    key: value if key in on_host else value.to(parameter.device) for key, value in own.items()
                }
    return RunState(step=state["step"], batches=state["batches"], random=state["random"], held_out=state["held_out"])


def load_model(path: Path, *, attention: Attention | None = None) -> GPT:
    """The model of a checkpoint folder, or of a run folder (its best, else its last), for evaluation."""
    path = Path(path)
    if (path / CHECKSUMS).is_file() or _STEP_FOLDER.fullmatch(path.name):
        checkpoint: Path | None = path
    else:
        checkpoint = best(path) or latest(path)
    if checkpoint is None or not checkpoint.is_dir():
        raise CheckpointError(
            f"{path}: no checkpoint here; expected a step-NNNNNN folder or a run folder that holds one"
        )
    verify(checkpoint)
    values = _read_json(checkpoint / FILES[2])["model"]
    try:
        config = GPTConfig.from_dict(values)
    except (ConfigError, TypeError) as error:
        raise CheckpointError(f"{checkpoint / FILES[2]}: {error}") from error
    if attention is not None:
        config = replace(config, attention=attention)
    model = GPT(config)
    load_checkpoint(checkpoint, model)
    return model.eval()


def random_state() -> dict[str, Any]:
    """The state of torch's and Python's global generators, as JSON values."""
    state: dict[str, Any] = {"torch": _encode(torch.get_rng_state()), "python": random.getstate()}
    if torch.cuda.is_available():
        state["cuda"] = [_encode(device) for device in torch.cuda.get_rng_state_all()]
    return state


def restore_random_state(state: Mapping[str, Any]) -> None:
    """The inverse of `random_state`."""
    torch.set_rng_state(_decode(state["torch"]))
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    if "cuda" in state and torch.cuda.device_count() == len(state["cuda"]):
        torch.cuda.set_rng_state_all([_decode(device) for device in state["cuda"]])


def _encode(state: Tensor) -> str:
    return base64.b64encode(bytes(state.tolist())).decode("ascii")


def _decode(text: str) -> Tensor:
    return torch.tensor(list(base64.b64decode(text)), dtype=torch.uint8)


def _named(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return model.named_parameters()  # names a tied parameter once


def _weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.detach().contiguous() for name, parameter in _named(model)}


def _moments(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{name}.{key}": value.detach().contiguous()
        for name, parameter in _named(model)
        for key, value in optimizer.state.get(parameter, {}).items()
        if isinstance(value, Tensor)
    }


def _compare(
    checkpoint: Path,
    what: str,
    saved: Mapping[str, Any],
    mine: Mapping[str, Any],
    ignore: tuple[str, ...] = (),
) -> None:
    differ = [
        f"{name}: {saved.get(name)!r} in the checkpoint, {value!r} here"
        for name, value in mine.items()
        if name not in ignore and saved.get(name) != value
    ]
    if differ:
        raise ConfigMismatch(
            f"{checkpoint}: made by another {what} configuration ({'; '.join(differ)}); "
            "use the configuration of the checkpoint, or another run folder"
        )


@contextmanager
def _new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder that becomes `target` when the block has ended without an error."""
    temporary = target.with_name(_TEMPORARY + target.name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for leftover in target.parent.glob(f"{_TEMPORARY}*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        temporary.mkdir()
        yield temporary
        for path in temporary.iterdir():
            _sync(path)
        _sync(temporary)
        if target.exists():
            replaced = target.replace(target.with_name(f"{_TEMPORARY}old-{target.name}"))
            temporary.replace(target)
            shutil.rmtree(replaced)
        else:
            temporary.replace(target)
        _sync(target.parent)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot write {target}: {error}; free some space or choose another folder") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # gone already if all went well


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_json(name: str, content: Mapping[str, Any]) -> str:
    try:
        return json.dumps(content, indent=1, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"{name} must hold plain JSON values: {error}; see what batches.state_dict() returns"
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise DamagedCheckpoint(f"{path} is missing; use an earlier checkpoint of the run") from error
    except (OSError, ValueError) as error:
        raise DamagedCheckpoint(f"{path} cannot be read: {error}; use an earlier checkpoint of the run") from error
    if not isinstance(content, dict):
        raise DamagedCheckpoint(f"{path} holds a {type(content).__name__}, expected a JSON object")
    return content


def _load_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise DamagedCheckpoint(f"{path} cannot be read: {error}; use an earlier checkpoint of the run") from error
