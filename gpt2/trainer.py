"""The one training loop, told what to minimise.

Pretraining, fine-tuning and preference optimisation differ in batches and in loss, never here. A loss returns
a sum and a weight (scored tokens, or pairs), so that accumulating over batches with unequal masks is exact:
gradients are divided once, by the weight of the whole step. Saving, evaluating and logging are observers, see
`gpt2.observers`.
"""

import math
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, Protocol, TypeAlias, TypeVar, get_args

import torch
from torch import Tensor, nn

from gpt2.checkpoint import RunState, load_checkpoint, random_state, restore_random_state
from gpt2.errors import BatchesExhausted, ConfigError, NonFiniteLoss, NothingToLearn, TrainingInterrupted

Autocast = Literal["auto", "bf16", "fp32"]
Model = TypeVar("Model", bound=nn.Module)
Batch = TypeVar("Batch")
BatchOut = TypeVar("BatchOut", covariant=True)

Loss: TypeAlias = Callable[[Model, Batch], tuple[Tensor, int]]
"""(model, batch) -> (summed loss as a scalar with a graph, weight)."""


class Batches(Protocol[BatchOut]):
    """Batches that know where they are.

    `state_dict` holds plain JSON values and is cheap, since it is taken after every step.
    """

    def __iter__(self) -> Iterator[BatchOut]: ...
    def __next__(self) -> BatchOut: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any], /) -> None: ...


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How to descend. Each field carries the help text of its command-line flag."""

    steps: Annotated[int, "optimizer updates"] = 1000
    accumulate: Annotated[int, "batches whose gradients make one update"] = 1
    learning_rate: Annotated[float, "peak learning rate"] = 6e-4
    min_lr_ratio: Annotated[float, "share of the peak that the cosine ends at"] = 0.1
    warmup_steps: Annotated[int, "updates of linear warm-up"] = 50
    weight_decay: Annotated[float, "decoupled decay of matrices; biases and layer norms have none"] = 0.1
    beta1: Annotated[float, "AdamW's decay of the gradient's mean"] = 0.9
    beta2: Annotated[float, "AdamW's decay of the gradient's square"] = 0.95
    clip_norm: Annotated[float, "largest norm of a gradient; 0 for no limit"] = 1.0
    autocast: Annotated[Autocast, "arithmetic of the products; auto is bf16 where the processor has it, else fp32"] = (
        "auto"
    )
    seed: Annotated[int, "seed of all that is random: weights, order, dropout"] = 0
    eval_every: Annotated[int, "updates between held-out evaluations; 0 for one at the end"] = 100
    save_every: Annotated[int, "updates between checkpoints; 0 for one at the end"] = 100
    log_every: Annotated[int, "updates between log lines"] = 10

    def __post_init__(self) -> None:
        for name in ("steps", "accumulate", "log_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)} must be at least 1")
        for name in ("warmup_steps", "weight_decay", "clip_norm", "eval_every", "save_every", "seed"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name}={getattr(self, name)} must be at least 0")
        if not 0.0 < self.learning_rate < math.inf:
            raise ConfigError(f"learning_rate={self.learning_rate} must be a positive number")
        if not 0.0 <= self.min_lr_ratio <= 1.0:
            raise ConfigError(f"min_lr_ratio={self.min_lr_ratio} must be between 0 and 1")
        for name in ("beta1", "beta2"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ConfigError(f"{name}={getattr(self, name)} must be at least 0 and less than 1")
        if self.autocast not in get_args(Autocast):
            raise ConfigError(f"autocast={self.autocast!r} must be one of {get_args(Autocast)}")

    def trajectory(self) -> dict[str, Any]:
        """The fields that decide where the weights go; a resumed run must agree on them.

        `steps` is not among them, so that a run can be made longer.
        """
        aside = {"steps", "eval_every", "save_every", "log_every"}
        return {name: value for name, value in asdict(self).items() if name not in aside}


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


@dataclass(kw_only=True)
class _Trainer(Generic[Model, Batch]):
    """What one update needs."""

    model: Model
    batches: Batches[Batch]
    loss: Loss[Model, Batch]
    run: Run
    device: str = field(init=False)
    bf16: bool = field(init=False)

    def __post_init__(self) -> None:
        self.device = next(self.model.parameters()).device.type
        self.bf16 = wants_bf16(self.run.config.autocast, self.device)

    def update(self) -> Step:
        run, config = self.run, self.run.config
        began = time.perf_counter()
        learning_rate = warmup_cosine(run.step, config)
        for group in run.optimizer.param_groups:
            group["lr"] = learning_rate
        total, weight = torch.zeros((), dtype=torch.float64), 0
        for _ in range(config.accumulate):
            with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
                loss_sum, n = self.loss(self.model, self.next_batch())
            loss_sum.backward()  # type: ignore[no-untyped-call]
            total, weight = total + loss_sum.detach().double().cpu(), weight + n
        if weight <= 0:
            raise NothingToLearn(f"step {run.step + 1}: its batches weigh {weight}; check the loss mask")
        mean = total.item() / weight
        norm = finish_gradients(self.model, weight, config.clip_norm)
        if not (math.isfinite(mean) and math.isfinite(norm)):
            raise NonFiniteLoss(
                f"step {run.step + 1}: loss is {mean} and the gradient's norm {norm}; "
                f"the weights are still those of step {run.step}. "
                f"Lower learning_rate={config.learning_rate}, or lengthen warmup_steps={config.warmup_steps}"
            )
        with _interrupt_deferred():  # an update is made whole or not at all
            run.optimizer.step()
            run.optimizer.zero_grad(set_to_none=True)
            run.state = RunState(step=run.step + 1, batches=self.batches.state_dict(), random=random_state())
            step = Step(
                step=run.step,
                steps=config.steps,
                loss=mean,
                weight=weight,
                learning_rate=learning_rate,
                grad_norm=norm,
                seconds=time.perf_counter() - began,
            )
            run.loss, run.weight, run.seconds = mean, run.weight + weight, run.seconds + step.seconds
        return step

    def next_batch(self) -> Batch:
        try:
            return next(self.batches)
        except StopIteration:
            raise BatchesExhausted(
                f"the batches ended in step {self.run.step + 1} of {self.run.config.steps}; "
                "use fewer steps, or batches without an end"
            ) from None


def train(
    model: Model,
    batches: Batches[Batch],
    loss: Loss[Model, Batch],
    config: TrainConfig,
    observers: Sequence[Observer] = (),
    *,
    resume_from: Path | None = None,
) -> TrainResult:
    """Minimise `loss` over `batches`, in place; goes on bit for bit from the folder `resume_from`.

    A fresh run seeds torch's and Python's global generators with `config.seed`. Ctrl-C ends in
    `TrainingInterrupted` (a `KeyboardInterrupt`) after the observers have saved the last finished step.
    """
    optimizer = adamw(model, config)
    if resume_from is None:
        random.seed(config.seed)
        torch.manual_seed(config.seed)
        state = RunState(step=0, batches=batches.state_dict(), random=random_state())
    else:
        state = load_checkpoint(resume_from, model, optimizer, training=config.trajectory())
        batches.load_state_dict(dict(state.batches))
        restore_random_state(state.random)
    run = Run(model=model, optimizer=optimizer, config=config, state=state)
    if state.held_out is not None:
        run.held_out = HeldOutScore(**state.held_out)
    trainer = _Trainer(model=model, batches=batches, loss=loss, run=run)
    was_training = model.training
    model.train()
    try:
        for observer in observers:
            observer.on_start(run)
        while run.step < config.steps:
            step = trainer.update()
            for observer in observers:
                observer.on_step(run, step)
    except KeyboardInterrupt:
        notes = [note for observer in observers if (note := observer.on_interrupt(run))]
        notes = notes or ["Nothing was saved"]
        raise TrainingInterrupted(f"stopped after step {run.step} of {config.steps}. " + ". ".join(notes)) from None
    finally:
        optimizer.zero_grad(set_to_none=True)
        model.train(was_training)
        for observer in observers:
            observer.on_stop(run)
    return TrainResult(step=run.step, loss=run.loss, held_out=run.held_out, weight=run.weight, seconds=run.seconds)


def warmup_cosine(step: int, config: TrainConfig) -> float:
    """The learning rate of update `step`, from 0: a line up, then half a cosine down to the minimum."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(config.steps - 1 - config.warmup_steps, 1)
    lowest = config.learning_rate * config.min_lr_ratio
    return lowest + (config.learning_rate - lowest) * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))


def adamw(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019); decays matrices and embeddings, no biases or layer norms."""
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in learned if p.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in learned if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(config.beta1, config.beta2), fused=True)


@torch.no_grad()
def finish_gradients(model: nn.Module, weight: int, clip_norm: float) -> float:
    """Divide summed gradients by their weight, then clip; returns the norm between the two."""
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    norm = float(torch.nn.utils.get_total_norm(gradients)) / weight
    scale = 1.0 / weight
    if clip_norm > 0 and norm > clip_norm:
        scale *= clip_norm / norm
    for gradient in gradients:  # one pass for both
        gradient.mul_(scale)
    return norm


@torch.no_grad()
def evaluate(
    model: Model,
    batches: Sequence[Batch],
    loss: Loss[Model, Batch],
    *,
    autocast: Autocast = "auto",
    step: int = 0,
) -> HeldOutScore:
    """Mean loss over batches without learning from them; dropout is off and the model's mode is restored."""
    device = next(model.parameters()).device.type
    was_training = model.training
    model.eval()
    try:
        total, weight = 0.0, 0
        for batch in batches:
            with torch.autocast(device, torch.bfloat16, enabled=wants_bf16(autocast, device)):
                loss_sum, n = loss(model, batch)
            total, weight = total + loss_sum.item(), weight + n
    finally:
        model.train(was_training)
    if weight <= 0:
        raise NothingToLearn(f"{len(batches)} held-out batches score nothing; expected at least one scored token")
    return HeldOutScore(step=step, loss=total / weight, weight=weight)


def wants_bf16(autocast: Autocast, device: str) -> bool:
    """Whether products run in bf16.

    A processor without instructions for it was measured 170 times slower in bf16 than in fp32.
    """
    if autocast != "auto":
        return autocast == "bf16"
    if device == "cpu":
        capabilities: Mapping[str, Any] = torch.cpu.get_capabilities()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
    return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


@contextmanager
def _interrupt_deferred() -> Iterator[None]:
    """Ctrl-C waits until the block has ended. Only the main thread ever receives it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[tuple[int, Any]] = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: received.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if received and callable(previous):
        previous(*received[0])
