"""`medcall finetune`: a model learns to call tools from dialogues."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Literal

from gpt2 import TrainConfig
from medcall.commands.pretrain import add_parallel_flag, summary
from medcall.console import add_json_flag, say, show, training_progress
from medcall.curve import write_curve
from medcall.flags import add_flags, as_dict, from_flags
from medcall.manifest import Work, run_folder
from medcall.processes import is_first
from sft.finetune import FinetuneConfig

EXAMPLE = "medcall finetune dialogues/ --from base/ -o sft/"
DEFAULTS = {"learning_rate": 3e-3, "steps": 1200, "weight_decay": 0.01}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dialogues", type=Path, help="the folder that `medcall examples` wrote")
    parser.add_argument(
        "--from", dest="base", type=Path, help="a pretrained run or checkpoint; left out: random weights"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="run folder: checkpoints, log, tensorboard")
    parser.add_argument("--replace", action="store_true", help="give up another run that the folder holds")
    add_parallel_flag(parser)
    add_flags(parser, FinetuneConfig)
    add_flags(parser, TrainConfig, defaults=DEFAULTS)
    add_json_flag(parser)


def run(args: argparse.Namespace) -> None:
    config, training = from_flags(FinetuneConfig, args), from_flags(TrainConfig, args)
    made = finetune(
        args.dialogues, args.base, args.output, config, training, replace=args.replace, parallel=args.parallel
    )
    show(made, args.json)


def finetune(
    dialogues: Path,
    base: Path | None,
    out: Path,
    config: FinetuneConfig,
    training: TrainConfig,
    *,
    replace: bool = False,
    parallel: Literal["ddp", "fsdp"] = "ddp",
) -> dict[str, Any]:
    """Fine-tune in the run folder `out`, or go on where a run of the same work stopped; returns how it ended."""
    from gpt2 import Progress, read_log
    from sft.finetune import finetune as train

    inputs = {"dialogues": dialogues} | ({} if base is None else {"base": base})
    work = Work("finetune", inputs, as_dict(config) | as_dict(training))
    if (made := work.reuse(out)) is not None:
        return made
    with run_folder(out, work, replace=replace) as folder, training_progress("finetune") as draw:
        result = train(
            dialogues,
            base,
            config,
            training,
            folder,
            observers=[Progress(draw)],
            on_message=say,
            parallel=parallel,
        )
        if is_first():
            write_curve(folder / "curve.svg", read_log(folder / "log.jsonl"), f"finetune on {dialogues.name}")
        work.summary = summary(result)
    return work.summary
