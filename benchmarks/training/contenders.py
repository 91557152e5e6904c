"""The loops that are compared, each as its user would write or call it.

Equal in all: weights, batches (pretraining) or dialogues (fine-tuning), AdamW with the same numbers, gradients clipped
at 1, float32 where the processor has no bf16. Unequal is what each does by itself: how logits, loss, padding and the
optimiser's update are computed.
"""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from benchmarks.training.material import Task, read_task
from benchmarks.training.worker import Gate
from data.batches import IGNORE
from data.wire import PAD
from gpt2 import Observer, Run, Step, TrainConfig, load_model, next_token_loss, train

MANY = 10**6
"""Steps: more than are ever taken, so that a schedule stays where it begins."""
BETAS, DECAY, CLIP = (0.9, 0.95), 0.1, 1.0

Loop = Callable[[Path, Gate], None]


@dataclass(frozen=True)
class Contender:
    """A loop, and how it is called in tables."""

    title: str
    loop: Loop


class AtTheGate(Observer):
    """Stops our loop after each step."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def on_start(self, run: Run) -> None:
        self.gate.watch(run.model.get_submodule("transformer.wte"), PAD)

    def on_step(self, run: Run, step: Step) -> None:
        self.gate.passed(step.loss, step.weight)


def settings(task: Task) -> TrainConfig:
    return TrainConfig(
        steps=MANY,
        learning_rate=task.learning_rate,
        min_lr_ratio=1.0,
        warmup_steps=0,
        weight_decay=DECAY,
        beta1=BETAS[0],
        beta2=BETAS[1],
        clip_norm=CLIP,
        eval_every=0,
        save_every=0,
        log_every=MANY,
        seed=task.seed,
    )


def windows(folder: Path, task: Task) -> Any:
    from data.windows import WindowBatches, Windows, open_stream

    return WindowBatches(Windows(open_stream(folder / "tokens.bin"), task.window), task.rows, seed=task.seed)


def medcall(folder: Path, gate: Gate) -> None:
    """The loop of `medcall pretrain`."""
    task = read_task(folder)
    model = load_model(folder / "checkpoint")
    train(model, windows(folder, task), next_token_loss, settings(task), [AtTheGate(gate)])


def transformers(folder: Path, gate: Gate) -> None:
    """`model(ids, labels=ids).loss.backward()`, with the next tokens given so that the last position counts too."""
    from transformers import GPT2LMHeadModel

    task = read_task(folder)
    model = GPT2LMHeadModel.from_pretrained(folder / "model").train()
    gate.watch(model.transformer.wte, PAD)
    optimizer = torch.optim.AdamW(model.parameters(), lr=task.learning_rate, betas=BETAS, weight_decay=DECAY)
    for ids, targets in windows(folder, task):
        loss = model(ids, labels=ids, shift_labels=targets).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad()
        gate.passed(loss.item(), targets.numel())


def nanogpt(folder: Path, gate: Gate, *, compiled: bool = False) -> None:
    """As nanoGPT trains on a processor: all logits, then cross-entropy; AdamW that decays matrices only. The model is
    ours: one fused attention, as there; GELU is approximated, which nanoGPT's is not."""
    task = read_task(folder)
    model = load_model(folder / "checkpoint").train()
    gate.watch(model.transformer.wte, PAD)
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=task.learning_rate, betas=BETAS)

    def loss_of(ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits = model(ids)
        return F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))

    step = torch.compile(loss_of) if compiled else loss_of
    for ids, targets in windows(folder, task):
        loss = step(ids, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        gate.passed(loss.item(), targets.numel())


def finetune(folder: Path, gate: Gate, **choices: Any) -> None:
    """What `medcall finetune` runs."""
    from sft.finetune import FinetuneConfig
    from sft.finetune import finetune as run

    task = read_task(folder)
    run(
        folder / "dialogues",
        folder / "checkpoint",
        FinetuneConfig(batch_size=task.rows, **choices),
        settings(task),
        Path(tempfile.mkdtemp(dir=folder)),
        observers=[AtTheGate(gate)],
    )


def trl(folder: Path, gate: Gate) -> None:
    """SFTTrainer on the same dialogues, told which tokens are the assistant's. Two of its defaults are off that only a
    GPU wants: activations computed twice, and bf16 where the processor has none."""
    from datasets import Dataset
    from transformers import AutoTokenizer, GPT2LMHeadModel, TrainerCallback

    peer: Any = importlib.import_module("trl")

    task = read_task(folder)
    model = GPT2LMHeadModel.from_pretrained(folder / "model")
    gate.watch(model.transformer.wte, PAD)
    scored: list[int] = []

    def count(module: Any, arguments: Any, named: dict[str, Any]) -> None:
        scored.append(int((named["labels"][:, 1:] != IGNORE).sum()))

    model.register_forward_pre_hook(count, with_kwargs=True)

    class AtTheirGate(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **rest: Any) -> None:
            gate.passed(float(logs["loss"]), scored.pop())

    trainer = peer.SFTTrainer(
        model=model,
        args=peer.SFTConfig(
            output_dir=str(folder / "trl"),
            per_device_train_batch_size=task.rows,
            max_steps=MANY,
            learning_rate=task.learning_rate,
            lr_scheduler_type="constant",
            weight_decay=DECAY,
            adam_beta2=BETAS[1],
            max_grad_norm=CLIP,
            completion_only_loss=True,
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            logging_steps=1,
            disable_tqdm=True,
            seed=task.seed,
        ),
        train_dataset=Dataset.from_list([json.loads(line) for line in (folder / "encoded.jsonl").open()]),
        processing_class=AutoTokenizer.from_pretrained(folder / "model"),
        callbacks=[AtTheirGate()],
    )
    trainer.train()


CONTENDERS = {
    "medcall": Contender("medcall pretrain", medcall),
    "transformers": Contender("transformers", transformers),
    "nanogpt": Contender("nanoGPT's way", nanogpt),
    "nanogpt-compiled": Contender("nanoGPT's way, compiled", partial(nanogpt, compiled=True)),
    "finetune": Contender("medcall finetune", finetune),
    "finetune-plain": Contender("the same, plain loss", partial(finetune, narrowed=False)),
    "trl": Contender("TRL's SFTTrainer", trl),
}
