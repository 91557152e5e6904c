"""The one training loop, told what to minimise.

Pretraining, fine-tuning and preference optimisation differ in batches and in loss, never here. A loss returns
a sum and a weight (scored tokens, or pairs), so that accumulating over batches with unequal masks is exact:
gradients are divided once, by the weight of the whole step. Saving, evaluating and logging are observers, see
`gpt2.observers`; several processes are one run, see `gpt2.distributed`.
"""

import math
import random
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch

from gpt2.checkpoint import RunState, load_checkpoint, random_state, restore_random_state
from gpt2.descent import adamw, finish_gradients, wants_bf16, warmup_cosine
from gpt2.distributed import Batch, Loss, Model, Objective, Parallel, World, let_go, spread
from gpt2.errors import BatchesExhausted, NonFiniteLoss, NothingToLearn, TrainingInterrupted
from gpt2.memory import keep_freed_memory
from gpt2.run import HeldOutScore, Observer, Run, Step, TrainResult
from gpt2.train_config import Autocast, TrainConfig

BatchOut = TypeVar("BatchOut", covariant=True)


class Batches(Protocol[BatchOut]):
    """Batches that know where they are.

    `state_dict` holds plain JSON values and is cheap, since it is taken after every step.
    """

    def __iter__(self) -> Iterator[BatchOut]: ...
    def __next__(self) -> BatchOut: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any], /) -> None: ...


@dataclass(kw_only=True)
class _Trainer(Generic[Batch]):
    """What one update needs."""

    objective: Objective[Batch]
    batches: Batches[Batch]
    run: Run
    world: World
    device: str
    bf16: bool

    def update(self) -> Step:
        run, config, world = self.run, self.run.config, self.world
        began = time.perf_counter()
        world.seed(config.seed, run.step)
        learning_rate = warmup_cosine(run.step, config)
        for group in run.optimizer.param_groups:
            group["lr"] = learning_rate
        loss_total, own_weight = torch.zeros((), dtype=torch.float64), 0
        for index in range(config.accumulate):
            batch = self.next_batch()
            if not world.takes(index):
                continue
            is_last = index + world.size >= config.accumulate
            with nullcontext() if is_last else self.objective.apart():
                with torch.autocast(self.device, torch.bfloat16, enabled=self.bf16):
                    loss_sum, n = self.objective.score(batch)
                loss_sum.backward()  # type: ignore[no-untyped-call]
            loss_total, own_weight = loss_total + loss_sum.detach().double().cpu(), own_weight + n
        total, scored = world.sum(loss_total.item(), own_weight)
        weight = int(scored)
        if weight <= 0:
            raise NothingToLearn(f"step {run.step + 1}: its batches weigh {weight}; check the loss mask")
        mean = total / weight
        # Gradients are sums, or with several processes the mean of theirs.
        norm = finish_gradients(run.model, weight / world.size, config.clip_norm)
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
    parallel: Parallel = "ddp",
) -> TrainResult:
    """Minimise `loss` over `batches`, in place; goes on bit for bit from the folder `resume_from`.

    A fresh run seeds torch's and Python's global generators with `config.seed`. Ctrl-C ends in
    `TrainingInterrupted` (a `KeyboardInterrupt`) after the observers have saved the last finished step.
    Within `gpt2.distributed.joined` the processes share each step's batches; all must call this with equal arguments.
    """
    world = World.current()
    world.check(config.accumulate)
    if next(model.parameters()).device.type == "cpu":
        keep_freed_memory()
    objective = spread(model, loss, parallel)
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
    device = next(model.parameters()).device.type
    trainer = _Trainer(
        objective=objective,
        batches=batches,
        run=run,
        world=world,
        device=device,
        bf16=wants_bf16(config.autocast, device),
    )
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


@torch.no_grad()
def evaluate(
    model: Model,
    batches: Sequence[Batch],
    loss: Loss[Model, Batch],
    *,
    autocast: Autocast = "auto",
    step: int = 0,
) -> HeldOutScore:
    """Mean loss over batches without learning from them; dropout is off and the model's mode is restored.

    Processes that train together share the batches, and all get the score of all.
    """
    device = next(model.parameters()).device.type
    world = World.current()
    was_training = model.training
    model.eval()
    try:
        own_total, own_weight = 0.0, 0
        for batch, counts in world.share(batches):
            with torch.autocast(device, torch.bfloat16, enabled=wants_bf16(autocast, device)):
                loss_sum, n = loss(model, batch)
            if counts:
                own_total, own_weight = own_total + loss_sum.item(), own_weight + n
    finally:
        model.train(was_training)
        let_go(model)
    total, scored = world.sum(own_total, own_weight)
    weight = int(scored)
    if weight <= 0:
        raise NothingToLearn(f"{len(batches)} held-out batches score nothing; expected at least one scored token")
    return HeldOutScore(step=step, loss=total / weight, weight=weight)


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
