"""The whole pipeline on one textbook: each stage is what its own verb does, with settings for two cores.

A stage whose manifest says that it has already been done with these inputs and settings is skipped; a training run
that was interrupted goes on; anything else is made anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from data.examples import ExamplesConfig
from data.extract.config import ExtractConfig
from data.tokenize_corpus import TokenizeConfig
from gpt2 import TrainConfig
from medcall.commands.evaluate import EvaluateConfig, evaluate
from medcall.commands.examples import examples
from medcall.commands.extract import extract
from medcall.commands.finetune import finetune
from medcall.commands.pretrain import PretrainConfig, pretrain
from medcall.commands.tokenize import tokenize
from medcall.console import say
from sft.finetune import FinetuneConfig

REQUESTS = (
    "Can I give clarithromycin to someone on simvastatin?",
    "Any interaction between warfarin and ibuprofen?",
    "CrCl for a 72 year old woman, 58 kg, creatinine 1.7 mg/dL",
    "BSA for 70 kg and 172 cm",
    "Corrected calcium: calcium 7.8, albumin 2.4",
    "What is the capital of France?",
)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The settings of every stage."""

    extract: ExtractConfig
    tokenize: TokenizeConfig
    pretrain: PretrainConfig
    pretraining: TrainConfig
    examples: ExamplesConfig
    finetune: FinetuneConfig
    finetuning: TrainConfig
    evaluate: EvaluateConfig


STANDARD = Plan(  # under ten minutes on two cores without bf16
    extract=ExtractConfig(),
    tokenize=TokenizeConfig(held_out=0.06),
    pretrain=PretrainConfig(window=128, batch_size=8),
    pretraining=TrainConfig(steps=120, learning_rate=2e-3, warmup_steps=20, eval_every=40, save_every=40),
    examples=ExamplesConfig(n_train=4000, n_eval=100, nonce_share=0.05),
    finetune=FinetuneConfig(batch_size=16, held_out=100),
    finetuning=TrainConfig(
        steps=1600, learning_rate=2e-3, weight_decay=0.01, warmup_steps=40, eval_every=400, save_every=200
    ),
    evaluate=EvaluateConfig(per_split=15),
)
FAST = replace(  # enough to see the parts move; the model learns nothing
    STANDARD,
    pretraining=TrainConfig(steps=6, warmup_steps=2, eval_every=0, save_every=0),
    examples=ExamplesConfig(n_train=200, n_eval=8, format="jsonl"),
    finetune=FinetuneConfig(batch_size=8, held_out=8),
    finetuning=TrainConfig(steps=6, warmup_steps=2, eval_every=0, save_every=0),
    evaluate=EvaluateConfig(per_split=2, max_new_tokens=64),
)


def stages(document: Path, out: Path, plan: Plan) -> Iterator[tuple[str, Path, Callable[[], Mapping[str, Any]]]]:
    """Name, output folder and work of each stage, in order."""
    corpus, tokens, base, dialogues = out / "corpus", out / "tokens", out / "base", out / "dialogues"
    sft, report = out / "sft", out / "report"
    yield "extract", corpus, lambda: extract(document, corpus, plan.extract)
    yield "tokenize", tokens, lambda: tokenize(corpus, tokens, plan.tokenize)
    yield "pretrain", base, lambda: pretrain(tokens, base, plan.pretrain, plan.pretraining, replace=True)
    yield "examples", dialogues, lambda: examples(dialogues, plan.examples)
    yield "finetune", sft, lambda: finetune(dialogues, base, sft, plan.finetune, plan.finetuning, replace=True)
    yield "evaluate", report, lambda: evaluate(sft, dialogues, report, plan.evaluate, replace=True)


def demo(document: Path, out: Path, plan: Plan) -> dict[str, Any]:
    """Run every stage into `out` and return the seconds each took; ends with a model in `out/sft` and a report."""
    took: dict[str, Any] = {}
    for name, folder, do in stages(document, out, plan):
        began = time.monotonic()
        say(f"{name} -> {folder}")
        do()
        took[name] = round(time.monotonic() - began, 1)
    return took
