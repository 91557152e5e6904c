"""`medcall evaluate`: a model's scores on held-out dialogues, free, constrained, grounded, beside three baselines."""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import medcall
from medcall.console import add_json_flag, progress, show
from medcall.errors import UsageError
from medcall.flags import add_flags, as_dict, from_flags
from medcall.manifest import Work, run_folder

if TYPE_CHECKING:
    from sft.trace import Responder
    from sft.turns import Turn

EXAMPLE = """medcall evaluate sft/ dialogues/ -o report/ --per-split 50
  medcall evaluate sft/ BFCL_v4_multiple.json -o report/      items of the Berkeley leaderboard"""


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """What is asked, and in which modes."""

    per_split: Annotated[int, "dialogues of each split, 0 for all"] = 100
    splits: Annotated[tuple[str, ...], "splits to score; left out: every one but train"] = ()
    modes: Annotated[tuple[str, ...], "of free, constrained, grounded"] = ("free", "constrained", "grounded")
    max_new_tokens: Annotated[int, "longest answer, in tokens"] = 160
    audit: Annotated[bool, "measure what the mask took from the model; one more reading of each answer"] = True
    bfcl: Annotated[bool, "also write the items in the Berkeley leaderboard's format"] = False

    def __post_init__(self) -> None:
        if self.per_split < 0:
            raise UsageError(f"--per-split is {self.per_split}, expected 0 (all) or more")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a fine-tuned run or checkpoint")
    parser.add_argument(
        "dialogues",
        type=Path,
        help="the folder that `medcall examples` wrote, or a file of such dialogues, or of Berkeley leaderboard items",
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="folder for report.json, report.md, report.html, items.jsonl"
    )
    parser.add_argument("--answers", type=Path, help="the leaderboard's possible answers, if not in possible_answer/")
    parser.add_argument("--replace", action="store_true", help="give up another evaluation that the output holds")
    add_flags(parser, EvaluateConfig)
    add_json_flag(parser)


def run(args: argparse.Namespace) -> None:
    config = from_flags(EvaluateConfig, args)
    result = evaluate(args.model, args.dialogues, args.output, config, answers=args.answers, replace=args.replace)
    if args.json:
        show(result, as_json=True)
        return
    print((args.output / "report.md").read_text("utf-8"))
    print(f"report: {args.output / 'report.html'}")


def evaluate(
    model: Path,
    dialogues: Path,
    out: Path,
    config: EvaluateConfig,
    *,
    answers: Path | None = None,
    replace: bool = False,
) -> dict[str, Any]:
    """Write the report folder `out`, and return each responder's metrics over all turns.

    Answers are kept in `out` as they come; the same work, interrupted, goes on with the next question.
    """
    import tools
    from gpt2 import load_model
    from sft.answers import Answers
    from sft.bfcl_items import write_items
    from sft.evaluate import evaluate as score
    from sft.judge import Judge
    from sft.report import write_report
    from sft.respond import MODES

    unknown = [mode for mode in config.modes if mode not in MODES]
    if unknown:
        raise UsageError(f"no mode named {unknown[0]!r}; modes: {', '.join(MODES)}")
    inputs = {"model": model, "dialogues": dialogues} | ({"answers": answers} if answers else {})
    work = Work("evaluate", inputs, as_dict(config))
    if (made := work.reuse(out)) is not None:
        return made
    turns, train, source = read_turns(dialogues, config, answers)
    network, registry = load_model(model), tools.registry()
    with run_folder(out, work, replace=replace) as folder, progress("evaluate") as advance:
        judge = Judge(registry)
        scores = []
        for name, note, make in responders(network, turns, train, registry, config):
            with Answers(folder / f"answers-{name.replace(' ', '-')}.jsonl") as kept:
                scores.append(score(name, make(), turns, judge, kept, advance, note))
        about = {
            "model": f"{model.name}, {network.parameter_count():,} parameters",
            "dialogues": source,
            "turns": f"{len(turns):,} in {len({(t.example.split, t.example.id) for t in turns}):,} dialogues",
            "date": time.strftime("%Y-%m-%d"),
            "machine": f"{platform.machine()}, {_cores()} cores",
            "medcall": medcall.__version__,
        }
        write_report(folder, scores, about)
        if config.bfcl:
            write_items(folder / "bfcl", turns, registry)
        work.summary = {s.name: s.as_json()["groups"]["all"] for s in scores}
    return work.summary


def read_turns(dialogues: Path, config: EvaluateConfig, answers: Path | None) -> tuple[list[Turn], list[Turn], str]:
    """The turns to judge, the training turns if there are any, and what to call them."""
    from data.examples import SPLITS, read_examples
    from sft.bfcl_items import is_item, read_items
    from sft.turns import all_turns

    limit = config.per_split or None
    if dialogues.is_dir():
        there = [name for name in SPLITS if (dialogues / f"{name}.jsonl").is_file()]
        unknown = [name for name in config.splits if name not in SPLITS]
        if unknown:
            raise UsageError(f"no split named {unknown[0]!r}; splits: {', '.join(SPLITS)}")
        splits = config.splits or tuple(name for name in there if name != "train")
        chosen = [example for name in splits for example in read_examples(dialogues, name)[:limit]]
        train = all_turns(read_examples(dialogues, "train")) if "train" in there else []
        return all_turns(chosen), train, f"{dialogues.name}: {', '.join(splits)}"
    if is_item(_first_line(dialogues)):
        return read_items(dialogues, answers)[:limit], [], f"{dialogues.name}, items of the Berkeley leaderboard"
    chosen = []
    counts: dict[str, int] = {}
    for example in read_examples(dialogues):
        counts[example.split] = counts.get(example.split, 0) + 1
        wanted = not config.splits or example.split in config.splits
        if wanted and (limit is None or counts[example.split] <= limit):
            chosen.append(example)
    return all_turns(chosen), [], dialogues.name


def responders(
    network: Any, turns: list[Turn], train: list[Turn], registry: Any, config: EvaluateConfig
) -> Iterator[tuple[str, str, Callable[[], Responder]]]:
    """Name, a remark, and how to make it, of everything that is asked."""
    import tools
    from data.tokenizer import load_tokenizer
    from sft.audit import audited
    from sft.baselines import always_abstain, majority_tool
    from sft.extractor import extractor
    from sft.respond import ModelResponder

    yield "always abstain", "says that it cannot help, whatever is asked", always_abstain
    where = "the training dialogues" if train else "these very turns"
    yield (
        "majority tool",
        f"the most frequent call of the most frequent tool of {where}",
        lambda: majority_tool(train or turns),
    )
    if not all(turn.prompt.tools for turn in turns):
        yield "extractor", "hand-written rules: the tables' names, numbers with units, ids", lambda: extractor(train)
    for mode in config.modes:

        def model(mode: str = mode) -> Responder:
            responder = ModelResponder(
                network,
                load_tokenizer(),
                mode=mode,  # type: ignore[arg-type]  # checked before
                schema=tools.call_schema(tools=registry),
                max_new_tokens=config.max_new_tokens,
            )
            return audited(responder) if config.audit else responder

        yield mode, "", model


def _first_line(path: Path) -> object:
    with path.open(encoding="utf-8") as file:
        line = file.readline()
    try:
        return json.loads(line)
    except ValueError as error:
        raise UsageError(f"{path}:1: not a line of JSON: {error}; expected one dialogue or item a line") from error


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
