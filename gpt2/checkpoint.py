"""Checkpoints: a folder is whole or it is not there, and what is in it is what was written.

step-000400/
  model.safetensors       parameters under OpenAI's names; a tied head is stored once
  optimizer.safetensors   AdamW's moments, as `<parameter>.<moment>`
  config.json             the model's and the run's configuration
  state.json              finished steps, held-out score, sampler position, random number generators
  checksums.json          sha256 of each of the four

Nothing is ever unpickled. A model that is spread over processes is gathered and written by the first of them, so a
checkpoint does not know how many there were.
"""

import base64
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from gpt2.config import Attention, GPTConfig
from gpt2.distributed import World, as_spread, whole_on_first
from gpt2.errors import CheckpointError, ConfigError, ConfigMismatch
from gpt2.folder import new_folder, read_json, read_tensors, sha256, to_json
from gpt2.model import GPT
from gpt2.run_folder import CHECKSUMS, FILES, STEP_FOLDER, best_or_latest, verify, warn_of_damage

FORMAT = 1


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
    optimizer: torch.optim.Optimizer | None,
    state: RunState,
    *,
    training: Mapping[str, Any] | None = None,
) -> Path:
    """Write `run_dir/step-NNNNNN` and return it; `training` is the run's configuration as plain JSON values.

    Weights that nothing was trained on yet have no `optimizer`. Raises `CheckpointError` if the folder cannot be
    written (disk full, no permission), and then leaves nothing behind. In a run of several processes all must call
    this; the first writes.
    """
    target = run_dir / f"step-{state.step:06d}"
    config = {
        "format": FORMAT,
        "model": model.config.to_dict() if isinstance(model, GPT) else {},
        "training": dict(training or {}),
    }
    world = World.current()
    weights, moments = whole_on_first(_named(model)), whole_on_first(_moments(model, optimizer))
    if world.is_first:
        with new_folder(target) as folder:
            save_file(weights, folder / FILES[0])
            save_file(moments, folder / FILES[1])
            for name, content in ((FILES[2], config), (FILES[3], asdict(state))):
                (folder / name).write_text(to_json(name, content))
            checksums = {name: sha256(folder / name) for name in FILES}
            (folder / CHECKSUMS).write_text(to_json(CHECKSUMS, checksums))
    world.wait()
    return target


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
    config = read_json(checkpoint / FILES[2])
    if config.get("format") != FORMAT:
        raise CheckpointError(
            f"{checkpoint}: format {config.get('format')!r}, expected {FORMAT}; it was written by another version"
        )
    if isinstance(model, GPT):
        # The two ways to attend are tested equal, so they may be exchanged.
        _compare(checkpoint, "model", config["model"], model.config.to_dict(), ignore=("attention",))
    _compare(checkpoint, "training", config["training"], training or {})
    state = read_json(checkpoint / FILES[3])
    weights = read_tensors(checkpoint / FILES[0])
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
            parameter.copy_(as_spread(weights[name], parameter))
    if optimizer is not None:
        moments = read_tensors(checkpoint / FILES[1])
        for name, parameter in named.items():
            own = {key.rpartition(".")[2]: value for key, value in moments.items() if key.rpartition(".")[0] == name}
            if own:
                on_host = {"step"} if not parameter.is_cuda else set()
                optimizer.state[parameter] = {
                    key: value if key in on_host else as_spread(value, parameter) for key, value in own.items()
                }
    return RunState(step=state["step"], batches=state["batches"], random=state["random"], held_out=state["held_out"])


def load_model(
    path: Path, *, attention: Attention | None = None, on_damage: Callable[[str], None] = warn_of_damage
) -> GPT:
    """The model of a checkpoint folder, or of a run folder (its best, else its last), for evaluation.

    In a run folder damaged checkpoints are passed over for the newest whole one, and `on_damage` is told.
    """
    path = Path(path)
    if (path / CHECKSUMS).is_file() or STEP_FOLDER.fullmatch(path.name):
        checkpoint: Path | None = path
        if path.is_dir():
            verify(path)
    else:
        checkpoint = best_or_latest(path, on_damage)
    if checkpoint is None or not checkpoint.is_dir():
        raise CheckpointError(
            f"{path}: no checkpoint here; expected a step-NNNNNN folder or a run folder that holds one"
        )
    values = read_json(checkpoint / FILES[2])["model"]
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


def _moments(model: nn.Module, optimizer: torch.optim.Optimizer | None) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in _named(model):
        for key, value in ({} if optimizer is None else optimizer.state.get(parameter, {})).items():
            if isinstance(value, Tensor):
                yield f"{name}.{key}", value


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
