"""Tool calls: tokens a second, free and under the grammar of the three tools, with every engine asked in turn.

Every engine is given a request and `<tool_call>`, and writes JSON until `</tool_call>` (llguidance: until its own end
token) or the limit. Greedy. What an engine spends on a grammar once is told apart; what it spends on each request, as
grounding, is part of the time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import torch

import tools
from benchmarks.generation.worker import CLOCKS, Worker
from data.conversation import Conversation
from data.examples import read_examples
from data.tokenizer import load_tokenizer
from data.wire import CLOSE, END, OPEN, PAD, prompt_ids
from decoding import Vocabulary, compile_json_schema, ground
from gpt2 import GPT, GenerateConfig, GPTConfig, generate, load_model, read_released, write_released
from gpt2.constraint import Constraint

STOP = (CLOSE, END)
SEPARATORS: Any = {"item_separator": ", ", "key_separator": ": ", "whitespace_flexible": False}


class ToolEngine(Protocol):
    """`once`: seconds spent on the grammar before the first request; `masks`: seconds in it during the last answer."""

    name: str
    once: float
    masks: float
    now: Callable[[], float]

    def answer(self, requests: Sequence[str], prompts: Sequence[Sequence[int]], new: int) -> list[list[int]]: ...


class Timed:
    """A constraint that notes how long its answers take."""

    def __init__(self, constraint: Constraint[Any], engine: Medcall) -> None:
        self.constraint, self.engine = constraint, engine

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.constraint, name)

        def timed(*arguments: Any) -> Any:
            began = self.engine.now()
            try:
                return method(*arguments)
            finally:
                self.engine.masks += self.engine.now() - began

        return timed


class Medcall:
    """This project's loop and decoder."""

    def __init__(self, folder: Path, mode: str) -> None:
        self.name, self.mode, self.masks = f"medcall, {mode}", mode, 0.0
        self.now: Callable[[], float] = time.perf_counter
        self.model = read_released(folder)
        tokenizer = load_tokenizer()
        began = time.perf_counter()
        vocabulary = Vocabulary(tokenizer.token_bytes(), eos=CLOSE, encode=tokenizer.encode)
        self.calls = compile_json_schema(tools.call_schema(), vocabulary)
        self.once = time.perf_counter() - began

    def answer(self, requests: Sequence[str], prompts: Sequence[Sequence[int]], new: int) -> list[list[int]]:
        self.masks = 0.0
        constraints: list[Any] = [None] * len(prompts)
        if self.mode == "constrained":
            constraints = [Timed(self.calls, self)] * len(prompts)
        elif self.mode == "grounded":
            began = self.now()
            constraints = [Timed(ground(self.calls, request), self) for request in requests]
            self.masks = self.now() - began
        config = GenerateConfig(max_new_tokens=new, stop_ids=STOP)
        return [list(made.ids) for made in generate(self.model, prompts, config, constraint=constraints)]


class Transformers:
    """`generate` with a logits processor, if any, made fresh for each call."""

    def __init__(self, folder: Path) -> None:
        from transformers import GPT2LMHeadModel

        self.name, self.once, self.masks = f"transformers {version('transformers')}", 0.0, 0.0
        self.now: Callable[[], float] = time.perf_counter
        self.model = GPT2LMHeadModel.from_pretrained(folder).eval()  # type: ignore[no-untyped-call]
        self.stop = list(STOP)

    def processor(self) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None:
        return None

    def answer(self, requests: Sequence[str], prompts: Sequence[Sequence[int]], new: int) -> list[list[int]]:
        from transformers import LogitsProcessorList

        width = max(map(len, prompts))
        ids = torch.tensor([[PAD] * (width - len(prompt)) + list(prompt) for prompt in prompts])
        real = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        self.masks, inner = 0.0, self.processor()

        def timed(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            began = self.now()
            scores = inner(ids, scores) if inner else scores
            self.masks += self.now() - began
            return scores

        with torch.inference_mode():
            made = self.model.generate(
                ids,
                attention_mask=real,
                max_new_tokens=new,
                do_sample=False,
                eos_token_id=self.stop,
                pad_token_id=PAD,
                logits_processor=LogitsProcessorList([timed] if inner else []),
            )
        rows = []
        for row in made[:, width:].tolist():
            ends = [n for n, token in enumerate(row) if token in self.stop]
            rows.append(row[: ends[0] + 1] if ends else row)
        return rows


class XGrammar(Transformers):
    """xgrammar's own processor for transformers."""

    def __init__(self, folder: Path) -> None:
        import xgrammar

        from medcall.tokenizer_files import byte_alphabet

        super().__init__(folder)
        self.name += f" + xgrammar {version('xgrammar')}"
        began = time.perf_counter()
        names, spelled = byte_alphabet(), load_tokenizer().token_bytes()
        words = ["".join(names[byte] for byte in text) for text in spelled]
        info = xgrammar.TokenizerInfo(
            words, xgrammar.VocabType.BYTE_LEVEL, vocab_size=len(words), stop_token_ids=[CLOSE]
        )
        compiler = xgrammar.GrammarCompiler(info, max_threads=torch.get_num_threads())
        self.grammar = compiler.compile_json_schema(json.dumps(tools.call_schema()), any_whitespace=False)
        self.once = time.perf_counter() - began

    def processor(self) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        from xgrammar.contrib.hf import LogitsProcessor

        processor: Any = LogitsProcessor(self.grammar)
        return processor  # type: ignore[no-any-return]


class LLGuidance(Transformers):
    """llguidance with its own torch functions. It refuses two keywords, which its schema therefore lacks."""

    def __init__(self, folder: Path) -> None:
        import llguidance
        from llguidance.tiktoken import lltokenizer_from_encoding

        from data.tokenizer import encoding_from_files, ranks_from_distribution

        super().__init__(folder)
        self.name += f" + llguidance {version('llguidance')}"
        encoding = encoding_from_files(*ranks_from_distribution())
        self.stop = [encoding.eot_token]
        began = time.perf_counter()
        self.tokenizer = lltokenizer_from_encoding(encoding, n_vocab=self.model.config.vocab_size)
        schema = json.dumps(without(tools.call_schema(), "uniqueItems", "dependentRequired"))
        grammar = llguidance.LLMatcher.grammar_from_json_schema(schema, defaults=SEPARATORS)
        self.first = llguidance.LLMatcher(self.tokenizer, grammar, log_level=0)
        if self.first.is_error():
            raise SystemExit(self.first.get_error())
        self.once = time.perf_counter() - began

    def processor(self) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        from llguidance.torch import allocate_token_bitmask, apply_token_bitmask_inplace, fill_next_token_bitmask

        matchers: list[Any] = []
        bitmask: list[torch.Tensor] = []

        def process(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            if not matchers:
                matchers.extend(self.first.deep_copy() for _ in ids)
                bitmask.append(allocate_token_bitmask(len(ids), scores.size(1)))
            else:
                for matcher, token in zip(matchers, ids[:, -1].tolist(), strict=True):
                    if not matcher.is_stopped():
                        matcher.consume_token(token)
            for row, matcher in enumerate(matchers):
                if not matcher.is_stopped():
                    fill_next_token_bitmask(matcher, bitmask[0], row)
            apply_token_bitmask_inplace(scores, bitmask[0])
            return scores

        return process


def without(schema: Any, *keywords: str) -> Any:
    """The schema with some keywords gone everywhere."""
    if isinstance(schema, dict):
        return {key: without(value, *keywords) for key, value in schema.items() if key not in keywords}
    return [without(value, *keywords) for value in schema] if isinstance(schema, list) else schema


ENGINES: dict[str, Callable[[Path], ToolEngine]] = {
    "free": lambda folder: Medcall(folder, "free"),
    "constrained": lambda folder: Medcall(folder, "constrained"),
    "grounded": lambda folder: Medcall(folder, "grounded"),
    "transformers": Transformers,
    "xgrammar": XGrammar,
    "llguidance": LLGuidance,
}


def worker() -> None:
    """One engine in this process."""
    engine = ENGINES[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps({"name": engine.name, "once": engine.once}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        engine.now = CLOCKS[question["clock"]]
        began = engine.now()
        ids = engine.answer(question["requests"], question["prompts"], question["new"])
        seconds = engine.now() - began
        print(json.dumps({"seconds": seconds, "masks": engine.masks, "ids": ids}), flush=True)


def is_call(ids: Sequence[int]) -> bool:
    """Whether the ids are a whole call that the schema accepts."""
    from jsonschema import Draft202012Validator, FormatChecker

    try:
        call = json.loads(load_tokenizer().decode(ids[:-1]))
    except ValueError:
        return False
    return bool(Draft202012Validator(tools.call_schema(), format_checker=FormatChecker()).is_valid(call))


def run(args: argparse.Namespace) -> Iterator[dict[str, str]]:
    """A row of the table for each batch size and engine."""
    tokenizer = load_tokenizer()
    examples = [example for example in read_examples(args.dialogues, "iid") if example.calls][: args.requests]
    requests = [example.request for example in examples]
    prompts = [[*prompt_ids(Conversation.of_request(request), tokenizer), OPEN] for request in requests]
    with TemporaryDirectory() as name:
        if args.model.exists():
            model = load_model(args.model)
        else:
            torch.manual_seed(0)
            model = GPT(GPTConfig.preset(str(args.model)))
        write_released(model, Path(name), pad=PAD)
        engines = args.engines.split(",")
        workers = {engine: Worker("benchmarks.generation.constrained", engine, name) for engine in engines}
        for batch in map(int, args.batches.split(",")):
            groups = [slice(begin, begin + batch) for begin in range(0, len(prompts), batch)]
            best: dict[str, list[dict[str, Any]]] = {}
            for _ in range(args.rounds):
                for n, group in enumerate(groups):
                    for engine, process in workers.items():
                        question = {"requests": requests[group], "prompts": prompts[group], "new": args.new}
                        answer = process.ask(**question, clock=args.clock)
                        kept = best.setdefault(engine, [])
                        if n == len(kept):
                            kept.append(answer)
                        elif answer["seconds"] < kept[n]["seconds"]:
                            kept[n] = answer
            speed = dict[str, float]()
            for engine, answers in best.items():
                rows = [ids for answer in answers for ids in answer["ids"]]
                seconds = sum(answer["seconds"] for answer in answers)
                speed[engine] = sum(map(len, rows)) / seconds
                yield {
                    "batch": str(batch),
                    "engine": workers[engine].about["name"],
                    "grammar, ms": f"{1e3 * workers[engine].about['once']:.0f}",
                    "ms a call": f"{1e3 * seconds / len(rows):.1f}",
                    "tokens a call": f"{sum(map(len, rows)) / len(rows):.1f}",
                    "tokens/s": f"{speed[engine]:.0f}",
                    f"times {engines[0]}": f"{speed[engine] / speed[engines[0]]:.2f}",
                    "masks": f"{sum(answer['masks'] for answer in answers) / seconds:.1%}",
                    "valid": f"{sum(map(is_call, rows))} of {len(rows)}",
                }
        for process in workers.values():
            process.close()


def add(parser: argparse.ArgumentParser) -> None:
    """The flags of `tools`."""
    parser.add_argument("model", type=Path, help="a fine-tuned run or checkpoint, or a preset for random weights")
    parser.add_argument("dialogues", type=Path, help="a folder that `medcall examples` wrote; its iid split is asked")
    parser.add_argument("--engines", default="free,constrained,grounded,transformers,xgrammar,llguidance")
    parser.add_argument("--batches", default="1,8")
    parser.add_argument("--requests", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3, help="of which the shortest time of each request counts")
    parser.add_argument("--new", type=int, default=96, help="most tokens of a call")
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.set_defaults(run=run)


if __name__ == "__main__":
    worker()
