"""A training run as those see it who watch it: its steps, its scores, its state."""

from dataclasses import dataclass

import torch
from torch import nn

from gpt2.checkpoint import RunState
from gpt2.train_config import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Step:
    """One finished update, counted from 1; `loss` is the mean over `weight` scored tokens (or pairs)."""

    step: int
    steps: int
    loss: float
    weight: int
    learning_rate: float
    grad_norm: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class HeldOutScore:
    """Mean loss in nats on held-out batches after `step` updates.

    `bits_per_byte` is there if the text's bytes per token are known.
    """

    step: int
    loss: float
    weight: int
    bits_per_byte: float | None = None


@dataclass(kw_only=True)
class Run:
    """A run under way, as observers see it.

    `state` is that after the last finished step, whatever has begun since.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    config: TrainConfig
    state: RunState
    held_out: HeldOutScore | None = None
    loss: float | None = None
    weight: int = 0
    seconds: float = 0.0

    @property
    def step(self) -> int:
        """Finished updates."""
        return self.state.step

    def due(self, every: int) -> bool:
        """Whether something that happens `every` so many steps, and at the end, happens now."""
        return self.step >= self.config.steps or (every > 0 and self.step % every == 0)


class Observer:
    """Something that watches a run. The methods do nothing here; override those you need."""

    def on_start(self, run: Run) -> None:
        """Before the first step, or before the first after resuming."""

    def on_step(self, run: Run, step: Step) -> None:
        """After each update, in the order in which the observers were given."""

    def on_interrupt(self, run: Run) -> str | None:
        """Ctrl-C came; returns a sentence for the user, if any.

        `run.state` is that of the last finished step.
        """
        return None

    def on_stop(self, run: Run) -> None:
        """The run ended, was interrupted or failed: close what is open."""


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """How a run ended. `weight` and `seconds` count this call's own steps, not those before a resume."""

    step: int
    loss: float | None
    held_out: HeldOutScore | None
    weight: int
    seconds: float
