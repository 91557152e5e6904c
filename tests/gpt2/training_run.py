"""A training run to be killed: `training_run.py FOLDER` prints each step and saves after every one."""

import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gpt2 import GPT, GPTConfig, Progress, TrainConfig, TrainResult, fit

STEPS = 12


class Batches:
    """Batch i is drawn from seed i."""

    def __init__(self) -> None:
        self.given = 0

    def __iter__(self) -> "Batches":
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        ids = torch.randint(0, 300, (2, 17), generator=torch.Generator().manual_seed(self.given))
        self.given += 1
        return ids[:, :-1], ids[:, 1:]

    def state_dict(self) -> dict[str, Any]:
        return {"given": self.given}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.given = state["given"]


def run(folder: Path, on_message: Any = print) -> TrainResult:
    """Train, or go on training, with dropout so that the random state matters."""
    held_out = Batches()
    held_out.given = 1_000
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=300, block_size=16, n_layer=2, n_head=2, n_embd=64, dropout=0.1)
    return fit(
        GPT(config),
        Batches(),
        [next(held_out)],
        TrainConfig(
            steps=STEPS,
            accumulate=2,
            warmup_steps=2,
            save_every=1,
            eval_every=4,
            log_every=1,
            autocast="fp32",
        ),
        folder,
        observers=[Progress(lambda step, held_out: print("step", step.step, flush=True))],
        on_message=on_message,
        tensorboard=False,
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(Path(sys.argv[1]))
