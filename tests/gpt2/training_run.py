"""A training run to be killed, which saves after every step: `training_run.py FOLDER [WHAT:N]`.

With WHAT:N it sends itself SIGKILL at the N-th WHAT: `loss`, a batch's loss; an audit event of Python on a file of the
run, such as `open`, `os.mkdir`, `os.rename`, `os.remove`; or `disk`, any of those. Without, it prints how many of each
there were.
"""

import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gpt2 import GPT, GPTConfig, TrainConfig, TrainResult, fit, next_token_loss

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


def run(folder: Path, on_message: Any = print, on_loss: Any = lambda: None) -> TrainResult:
    """Train, or go on training, with dropout so that the random state matters."""
    held_out = Batches()
    held_out.given = 1_000
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=300, block_size=16, n_layer=2, n_head=2, n_embd=64, dropout=0.1)

    def loss(model: GPT, batch: Any) -> tuple[Tensor, int]:
        on_loss()
        return next_token_loss(model, batch)

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
        loss=loss,
        on_message=on_message,
        tensorboard=False,
    )


def main(folder: Path, death: str | None) -> None:
    what, _, at = (death or "never:0").partition(":")
    seen: Counter[str] = Counter()

    def count(*names: str) -> None:
        for name in names:
            seen[name] += 1
            if name == what and seen[name] == int(at):
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" or event.startswith(("os.", "shutil.")):
            path = arguments[0] if arguments else None
            if isinstance(path, (str, Path)) and str(path).startswith(str(folder)):
                count(event, "disk")

    sys.addaudithook(watch)
    run(folder, on_loss=lambda: count("loss"))
    print(json.dumps(seen))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)
