"""`medcall evaluate`: a model's scores on held-out dialogues, free, constrained and grounded, beside two baselines."""

from __future__ import annotations

import argparse
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import medcall
from medcall.console import add_json_flag, progress, show
from medcall.errors import UsageError
from medcall.flags import add_flags, as_dict, from_flags
from medcall.manifest import Work, new_folder

EXAMPLE = "medcall evaluate sft/ dialogues/ -o report/ --per-split 50"


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """What is asked, and in which modes."""

    per_split: Annotated[int, "dialogues of each split"] = 100
    splits: Annotated[tuple[str, ...], "splits to score; left out: every one but train"] = ()
    modes: Annotated[tuple[str, ...], "of free, constrained, grounded"] = ("free", "constrained", "grounded")
    max_new_tokens: Annotated[int, "longest answer, in tokens"] = 160


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a fine-tuned run or checkpoint")
    parser.add_argument("dialogues", type=Path, help="the folder that `medcall examples` wrote")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="folder for report.json, report.md and report.html"
    )
    add_flags(parser, EvaluateConfig)
    add_json_flag(parser)


def run(args: argparse.Namespace) -> None:
    result = evaluate(args.model, args.dialogues, args.output, from_flags(EvaluateConfig, args))
    if args.json:
        show(result, as_json=True)
        return
    print((args.output / "report.md").read_text("utf-8"))
    print(f"report: {args.output / 'report.html'}")


def evaluate(model: Path, dialogues: Path, out: Path, config: EvaluateConfig) -> dict[str, Any]:
    """Write the report folder `out`, and return each responder's overall rates."""
    import tools
    from data.examples import SPLITS, read_examples
    from data.tokenizer import load_tokenizer
    from gpt2 import load_model
    from sft.baselines import always_abstain, majority_call
    from sft.evaluate import evaluate as score
    from sft.judge import Judge
    from sft.report import write_report
    from sft.respond import MODES, ModelResponder

    unknown = [m for m in config.modes if m not in MODES] + [s for s in config.splits if s not in SPLITS]
    if unknown:
        raise UsageError(
            f"no mode or split named {unknown[0]!r}; modes: {', '.join(MODES)}; splits: {', '.join(SPLITS)}"
        )
    splits = config.splits or tuple(name for name in SPLITS if name != "train")
    chosen = [example for name in splits for example in read_examples(dialogues, name)[: config.per_split]]
    work = Work("evaluate", {"model": model, "dialogues": dialogues}, as_dict(config))
    if (made := work.reuse(out)) is not None:
        return made
    network, tokenizer, registry = load_model(model), load_tokenizer(), tools.registry()
    with new_folder(out, work) as folder, progress("evaluate") as advance:
        judge = Judge(registry)
        responders: dict[str, Any] = {
            "always abstain": always_abstain(),
            "majority call": majority_call(read_examples(dialogues, "train")),
        }
        for mode in config.modes:
            responders[mode] = ModelResponder(
                network,
                tokenizer,
                mode=mode,  # type: ignore[arg-type]  # checked above
                schema=tools.call_schema(tools=registry),
                max_new_tokens=config.max_new_tokens,
            )
        scores = [score(name, respond, chosen, judge, advance) for name, respond in responders.items()]
        about = {
            "model": f"{network.parameter_count():,} parameters",
            "dialogues": f"{len(chosen)} from {', '.join(splits)}",
            "date": time.strftime("%Y-%m-%d"),
            "machine": f"{platform.machine()}, {_cores()} cores",
            "medcall": medcall.__version__,
        }
        write_report(folder, scores, about)
        work.summary = {s.name: s.as_json()["rates"]["all"] for s in scores}
    return work.summary


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
