"""Free greedy generation: milliseconds a token, with every engine asked in turn, again and again, in one run."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.generation.worker import CLOCKS, Worker
from gpt2 import GPT, GPTConfig, write_released

PROMPT = 32


def weights(preset: str, folder: Path, engines: list[str]) -> None:
    """Random weights as every engine wants them."""
    torch.manual_seed(0)
    model = GPT(GPTConfig.preset(preset)).eval()
    write_released(model, folder)
    if any(engine.startswith("llama.cpp") for engine in engines):
        from benchmarks.generation.gguf_file import write_gguf

        write_gguf(model, folder / "float32.gguf")
        write_gguf(model, folder / "q8_0.gguf", int8=True)


def measure(
    preset: str, batches: list[int], engines: list[str], rounds: int, tokens: int, clock: str
) -> Iterator[dict[str, str]]:
    """A row of the table for each batch size and engine.

    A step's time is that of `new` ids less that of one, so that reading the prompt is told apart; of all rounds the
    shortest, since other work on the machine can only slow one down.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        weights(preset, folder, engines)
        workers = {engine: Worker("benchmarks.generation.worker", engine, name) for engine in engines}
        for batch in batches:
            new = max(9, tokens // batch)
            generator = torch.Generator().manual_seed(batch)
            prompts = torch.randint(0, 50_000, (batch, PROMPT), generator=generator).tolist()
            first, whole, ids = dict[str, float](), dict[str, float](), dict[str, list[list[int]]]()
            for _ in range(rounds):
                for engine, worker in workers.items():
                    short, long = (worker.ask(prompts=prompts, new=n, clock=clock) for n in (1, new))
                    first[engine] = min(first.get(engine, 1e9), short["seconds"])
                    whole[engine] = min(whole.get(engine, 1e9), long["seconds"])
                    ids[engine] = long["ids"]
            steps = {engine: (whole[engine] - first[engine]) / (new - 1) for engine in engines}
            for engine in engines:
                same = sum(
                    a == b
                    for mine, theirs in zip(ids[engine], ids[engines[0]], strict=True)
                    for a, b in zip(mine, theirs, strict=True)
                ) / (batch * new)
                yield {
                    "preset": preset,
                    "batch": str(batch),
                    "engine": workers[engine].about["name"] + (" Q8_0" if engine.endswith("q8") else ""),
                    "prompt, ms": f"{1e3 * first[engine]:.1f}",
                    "ms a step": f"{1e3 * steps[engine]:.2f}",
                    "tokens/s": f"{batch / steps[engine]:.0f}",
                    f"times {engines[0]}": f"{steps[engines[0]] / steps[engine]:.2f}",
                    "same ids": f"{same:.0%}",
                }
        for worker in workers.values():
            worker.close()


def run(args: argparse.Namespace) -> Iterator[dict[str, str]]:
    """The table of all presets."""
    engines = args.engines.split(",")
    if "transformers" in engines:  # the others are compared with it
        engines.sort(key=lambda engine: engine != "transformers")
    batches = [int(batch) for batch in args.batches.split(",")]
    for preset in args.presets.split(","):
        yield from measure(preset, batches, engines, args.rounds, args.tokens, args.clock)


def add(parser: argparse.ArgumentParser) -> None:
    """The flags of `free`."""
    from benchmarks.generation.engines import ENGINES

    parser.add_argument("--engines", default="transformers,medcall", help=f"comma-separated, of {', '.join(ENGINES)}")
    parser.add_argument("--presets", default="tiny,124m")
    parser.add_argument("--batches", default="1,8,32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=64, help="new ids of a row, divided by the batch; at least 9")
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.set_defaults(run=run)
