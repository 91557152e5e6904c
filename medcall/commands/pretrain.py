"""`medcall pretrain`: a GPT-2 learns the token streams."""

from __future__ import annotations

import argparse
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from gpt2 import TrainConfig
from medcall.console import add_json_flag, say, show, training_progress
from medcall.curve import write_curve
from medcall.errors import UsageError
from medcall.flags import add_flags, as_dict, from_flags
from medcall.manifest import Work, run_folder
from medcall.processes import is_first

EXAMPLE = "medcall pretrain tokens/ -o base/ --preset tiny --steps 200"
SCORED_AT_MOST = 200_000
"""Held-out tokens scored at each evaluation, so that a long book's chapters do not cost more than the training."""


@dataclass(frozen=True, kw_only=True)
class PretrainConfig:
    """Which model, and how the text is cut up for it."""

    preset: Annotated[
        Literal["tiny", "124m", "355m", "774m", "1.5b"], "size of the model when none is given with --from"
    ] = "tiny"
    window: Annotated[int, "tokens in a window (max_length)"] = 256
    stride: Annotated[
        int | None, "tokens between the starts of two windows; left out: the window, so that none overlap"
    ] = None
    batch_size: Annotated[int, "windows in a batch"] = 16
    dropout: Annotated[float, "share of activations dropped while training"] = 0.0


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tokens", type=Path, help="the folder that `medcall tokenize` wrote")
    parser.add_argument("-o", "--output", type=Path, required=True, help="run folder: checkpoints, log, tensorboard")
    parser.add_argument("--replace", action="store_true", help="give up another run that the folder holds")
    parser.add_argument(
        "--from", dest="base", type=Path, help="a run or checkpoint to train further; left out: random weights"
    )
    add_parallel_flag(parser)
    add_flags(parser, PretrainConfig)
    add_flags(parser, TrainConfig)
    add_json_flag(parser)


def add_parallel_flag(parser: argparse.ArgumentParser) -> None:
    """`--parallel`, for commands that train."""
    parser.add_argument(
        "--parallel",
        choices=["ddp", "fsdp"],
        default="ddp",
        help="under torchrun: each process holds the whole model (ddp, default) or its share (fsdp)",
    )


def run(args: argparse.Namespace) -> None:
    config, training = from_flags(PretrainConfig, args), from_flags(TrainConfig, args)
    made = pretrain(
        args.tokens, args.output, config, training, base=args.base, replace=args.replace, parallel=args.parallel
    )
    show(made, args.json)


def pretrain(
    tokens: Path,
    out: Path,
    config: PretrainConfig,
    training: TrainConfig,
    *,
    base: Path | None = None,
    replace: bool = False,
    parallel: Literal["ddp", "fsdp"] = "ddp",
) -> dict[str, Any]:
    """Train in the run folder `out`, or go on where a run of the same work stopped; returns how it ended.

    A new run begins with the weights of `base` (a run or checkpoint), if given, and its own moments and schedule.
    """
    import torch

    from data.windows import WindowBatches, Windows, held_out_batches, open_stream
    from gpt2 import GPT, GPTConfig, Progress, World, fit, flops_per_token, load_model, matmul_peak, read_log
    from gpt2.distributed import own_device

    meta = read_meta(tokens)
    inputs = {"tokens": tokens} | ({} if base is None else {"base": base})
    work = Work("pretrain", inputs, as_dict(config) | as_dict(training))
    if (made := work.reuse(out)) is not None:
        return made
    torch.manual_seed(training.seed)
    trained = None if base is None else load_model(base, on_damage=say)
    shape = GPTConfig.preset(config.preset) if trained is None else trained.config
    shape = dataclasses.replace(shape, dropout=config.dropout)
    if config.window > shape.block_size:
        raise UsageError(
            f"--window {config.window} exceeds the {shape.block_size} positions of {base or f'preset {config.preset}'}"
        )
    model = GPT(shape)
    if trained is not None:
        model.load_state_dict(trained.state_dict())
    windows = Windows(open_stream(tokens / "train.bin"), config.window, config.stride)
    batches = WindowBatches(windows, config.batch_size, seed=training.seed)
    held_out: list[Any] = []
    if meta["heldout"]["tokens"] > 1:
        stream = open_stream(tokens / "heldout.bin")[:SCORED_AT_MOST]
        held_out = list(held_out_batches(stream, config.window, config.batch_size))
    flops = flops_per_token(shape, config.window)
    peak = World.announced().size * matmul_peak(own_device(), training.autocast)
    with (
        run_folder(out, work, replace=replace) as folder,
        training_progress("pretrain", flops, peak) as draw,
    ):
        result = fit(
            model,
            batches,
            held_out,
            training,
            folder,
            bytes_per_token=meta["heldout"]["bytes_per_token"],
            observers=[Progress(draw)],
            on_message=say,
            parallel=parallel,
        )
        if is_first():
            title = f"pretrain {config.preset if base is None else base.name} on {tokens.name}"
            write_curve(folder / "curve.svg", read_log(folder / "log.jsonl"), title)
        work.summary = summary(result) | {"share_of_peak": share(result, flops, peak)}
        work.summary |= {"epochs": round(batches.epochs_done, 2)}
    return work.summary


def summary(result: Any) -> dict[str, Any]:
    """How a training run ended, for a manifest and for people."""
    score = result.held_out
    return {
        "steps": result.step,
        "loss": result.loss,
        "held_out_loss": score.loss if score else None,
        "bits_per_byte": score.bits_per_byte if score else None,
        "tokens_per_second": round(result.weight / result.seconds) if result.seconds else None,
    }


def share(result: Any, flops: float, peak: float) -> float | None:
    """The part of the machine's measured peak that the steps' counted arithmetic makes up."""
    return round(result.weight * flops / result.seconds / peak, 3) if result.seconds else None


def read_meta(tokens: Path) -> dict[str, Any]:
    """The counts of a token folder, checked to be one."""
    try:
        meta: dict[str, Any] = json.loads((tokens / "meta.json").read_text("utf-8"))
        meta["train"]["tokens"], meta["heldout"]["tokens"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{tokens} is not a folder of tokens ({error}); make one with `medcall tokenize corpus/ -o {tokens}`"
        ) from None
    return meta
