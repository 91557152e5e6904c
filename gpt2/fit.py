"""A training run in a folder: the loop with its evaluation, logs and checkpoints, begun or continued.

Pretraining, fine-tuning and preference optimisation are this with another model, other batches, another loss.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import torch

from gpt2.distributed import Batch, Loss, Parallel, joined, own_device
from gpt2.loss import next_token_loss
from gpt2.model import GPT
from gpt2.observers import Checkpoints, HeldOut, JsonLog, TensorBoard
from gpt2.run import Observer, TrainResult
from gpt2.run_folder import latest
from gpt2.train_config import TrainConfig
from gpt2.trainer import Batches, train


def fit(
    model: GPT,
    batches: Batches[Batch],
    held_out: Iterable[Batch],
    config: TrainConfig,
    run_dir: Path,
    *,
    loss: Loss[GPT, Batch] | None = None,
    bytes_per_token: float | None = None,
    observers: Sequence[Observer] = (),
    on_message: Callable[[str], None] | None = None,
    tensorboard: bool = True,
    device: torch.device | None = None,
    parallel: Parallel = "ddp",
) -> TrainResult:
    """Train `model` on `batches` (next-token loss unless told otherwise) and keep everything in `run_dir`: checkpoints,
    log.jsonl, tensorboard/. A folder that already holds checkpoints is continued, whatever weights `model` came with.

    `held_out` batches are scored during training (none for no scores); `bytes_per_token` of that text turns their loss
    into bits per byte. `observers` hear of each step after evaluation and before saving. `on_message` is told what was
    resumed or skipped.

    Under `torchrun` its processes train together, by `parallel` (see `gpt2.distributed`); `run_dir` must be a folder
    that all of them see, and only the first writes, speaks and has observers.
    """
    objective = loss if loss is not None else cast(Loss[GPT, Any], next_token_loss)
    evaluation = list(held_out)
    with joined() as world:
        resume_from = None
        if world.is_first:
            resume_from = latest(run_dir) if on_message is None else latest(run_dir, on_message)
        resume_from = world.from_first(resume_from)
        if resume_from is not None and on_message is not None and world.is_first:
            on_message(f"continuing from {resume_from}")
        watching: list[Observer] = [JsonLog(run_dir / "log.jsonl")]
        if tensorboard:
            watching.append(TensorBoard(run_dir / "tensorboard"))
        return train(
            model.to(device or own_device()),
            batches,
            objective,
            config,
            [
                *([HeldOut(evaluation, objective, bytes_per_token=bytes_per_token)] if evaluation else []),
                *([*watching, *observers] if world.is_first else []),
                Checkpoints(run_dir),
            ],
            resume_from=resume_from,
            parallel=parallel,
        )
