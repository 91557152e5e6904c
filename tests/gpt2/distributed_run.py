"""Training runs in the processes that `torchrun` started: `distributed_run.py PLAN`, a JSON list of what `run` takes.

Double precision, so that what differs by more than rounding shows.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from gpt2 import GPT, GPTConfig, TrainConfig, TrainResult, fit
from gpt2.distributed import joined


class Batches:
    """Batch i is drawn from seed i; batches score different numbers of tokens, so a mean of means would be wrong."""

    def __init__(self, given: int = 0) -> None:
        self.given = given

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(self.given)
        self.given += 1
        ids = torch.randint(0, 97, (3, 17), generator=generator)
        targets = ids[:, 1:].clone()
        targets[:, : 1 + 6 * (self.given % 3)] = -100
        return ids[:, :-1], targets

    def state_dict(self) -> dict[str, Any]:
        return {"given": self.given}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.given = state["given"]


def run(folder: str, parallel: Literal["ddp", "fsdp"] = "ddp", dropout: float = 0.0) -> TrainResult:
    """Eight steps of four batches, or what is left of them."""
    held_out = Batches(1_000)
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=97, block_size=16, n_layer=2, n_head=2, n_embd=16, dropout=dropout)
    return fit(
        GPT(config).double(),
        Batches(),
        [next(held_out) for _ in range(3)],
        TrainConfig(
            steps=8,
            accumulate=4,
            learning_rate=1e-2,
            warmup_steps=2,
            clip_norm=0.5,
            eval_every=4,
            save_every=4,
            log_every=1,
            autocast="fp32",
        ),
        Path(folder),
        parallel=parallel,
        on_message=lambda message: None,
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    with joined():
        for arguments in json.loads(Path(sys.argv[1]).read_text()):
            run(**arguments)
