"""Build the dialogues: rows of every split, no request twice, no evaluation request among the training."""

import json
import math
import multiprocessing
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from data.conversation import Example, dump_json
from data.errors import ConversationError, ExamplesError
from data.examples.dataset import write_dataset
from data.examples.entities import Catalogue
from data.examples.leakage import leakage, near_key
from data.examples.operations import operations
from data.examples.rows import RowMaker
from data.examples.splits import SPLITS
from data.exchange import export, read_dialogues
from data.tokenize_corpus import put_folder
from data.tokenizer import load_tokenizer
from data.wire import encode

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class ExamplesConfig:
    """How many dialogues, and of what."""

    n_train: Annotated[int, "training dialogues"] = 20_000
    n_eval: Annotated[int, "dialogues in each evaluation split"] = 500
    seed: Annotated[int, "every row is a function of this, its split and its number"] = 0
    nonce_share: Annotated[float, "share of drug names that are made up"] = 0.4
    context: Annotated[int, "longest dialogue, in tokens"] = 512
    format: Annotated[Literal["jsonl", "datasets", "both", "openai", "hf"], "what to write"] = "both"

    def __post_init__(self) -> None:
        if self.n_train < 1 or self.n_eval < 0:
            raise ExamplesError(f"n_train={self.n_train} must be at least 1 and n_eval={self.n_eval} at least 0")
        if not 0 <= self.nonce_share <= 1:
            raise ExamplesError(f"nonce_share={self.nonce_share} must be between 0 and 1")
        if self.context < 384:
            raise ExamplesError(f"context={self.context} is too short for long requests; use at least 384")


def build(config: ExamplesConfig, out: Path, progress: Progress | None = None, processes: int = 1) -> dict[str, Any]:
    """Write the folder `out` and return its summary, which is also its meta.json.

        out/train.jsonl, out/iid.jsonl, …  one example a line, see `data.conversation.Example`
        out/dataset/                       the same as a `datasets.DatasetDict`, for `datasets.load_from_disk`

    With the formats `openai` and `hf` the lines are those of `data.exchange` instead. The folder appears
    complete or not at all. `progress(done, total)` counts rows.
    """
    if processes < 1:
        raise ExamplesError(f"processes={processes} must be at least 1")

    def make() -> tuple[dict[str, list[Example]], dict[str, Any]]:
        splits = generate(config, progress, processes)
        return splits, {"leakage": leakage(splits, Catalogue.of_tools())}

    return _write(config, out, make)


EVERY = 20
"""Of a user's own dialogues, one in so many is kept from training, as the split iid."""


def build_from(source: Path, config: ExamplesConfig, out: Path) -> dict[str, Any]:
    """The same folder from a JSONL file of dialogues in either format of `data.exchange`.

    Raises `ExamplesError` naming file and line for what is none, and for a dialogue that does not fit the context.
    """

    def make() -> tuple[dict[str, list[Example]], dict[str, Any]]:
        tokenizer = load_tokenizer()
        splits: dict[str, list[Example]] = {"train": [], "iid": []}
        for number, example in enumerate(read_dialogues(source)):
            length = len(encode(example.conversation, tokenizer).ids)
            if length > config.context:
                raise ExamplesError(
                    f"{source}: {example.id} takes {length} tokens, more than the context of {config.context}; "
                    "shorten it, or raise --context"
                )
            name = "iid" if number % EVERY == EVERY - 1 else "train"
            splits[name].append(replace(example, split=name))
        if not splits["train"]:
            raise ExamplesError(f"{source} holds no dialogue")
        return splits, {"source": source.name}

    return _write(config, out, make)


def _write(
    config: ExamplesConfig, out: Path, make: Callable[[], tuple[dict[str, list[Example]], dict[str, Any]]]
) -> dict[str, Any]:
    """The folder of these splits, complete or not at all."""
    partial = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.partial")
    partial.mkdir(parents=True)
    try:
        splits, more = make()
        for name, examples in splits.items():
            if config.format in ("jsonl", "both"):
                write_jsonl(partial / f"{name}.jsonl", examples)
            elif config.format in ("openai", "hf"):
                export(partial / f"{name}.jsonl", examples, config.format)
        if config.format in ("datasets", "both"):
            write_dataset(partial / "dataset", splits)
        summary = summarise(config, splits) | more
        text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
        (partial / "meta.json").write_text(text, encoding="utf-8")
        put_folder(partial, out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return summary


CHUNK = 100
"""Rows that a process makes at a time."""


def generate(config: ExamplesConfig, progress: Progress | None = None, processes: int = 1) -> dict[str, list[Example]]:
    """All splits, each with distinct requests. An evaluation request that training holds too, but for case,
    punctuation and little words, is passed over. The same whatever the number of processes.
    """
    sizes = {name: config.n_train if name == "train" else config.n_eval for name in SPLITS}
    total = sum(sizes.values())
    seen: set[str] = set()
    splits: dict[str, list[Example]] = {}
    done = 0
    with _rows(config, processes) as rows_of:
        for name, size in sizes.items():
            examples: list[Example] = []
            start = 0
            while len(examples) < size and start < 8 * size + 400:
                wanted = size - len(examples)
                count = math.ceil(wanted * 1.02 / CHUNK) * CHUNK if wanted > CHUNK else wanted + 5
                for example in rows_of(name, start, start + count):
                    key = near_key(example)
                    if len(examples) == size or key in seen:
                        continue
                    seen.add(key)
                    examples.append(example)
                    done += 1
                    if progress is not None and (done % 100 == 0 or done == total):
                        progress(done, total)
                start += count
            if len(examples) < size:
                raise ExamplesError(
                    f"split {name!r} has only {len(examples)} distinct requests of the {size} asked for; ask for fewer"
                )
            splits[name] = examples
    return splits


Rows = Callable[[str, int, int], Iterator[Example]]


@contextmanager
def _rows(config: ExamplesConfig, processes: int) -> Iterator[Rows]:
    """A function that makes the rows of a split from one number up to another, in order."""
    if processes <= 1:
        yield lambda name, start, stop: (_maker(config, name).row(number) for number in range(start, stop))
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:

        def rows_of(name: str, start: int, stop: int) -> Iterator[Example]:
            tasks = [(config, name, at, min(at + CHUNK, stop)) for at in range(start, stop, CHUNK)]
            for chunk in pool.imap(_chunk, tasks):
                yield from chunk

        yield rows_of


def _chunk(task: tuple[ExamplesConfig, str, int, int]) -> list[Example]:
    config, name, start, stop = task
    return [_maker(config, name).row(number) for number in range(start, stop)]


@cache
def _maker(config: ExamplesConfig, split: str) -> RowMaker:
    return RowMaker(
        seed=config.seed,
        split=split,
        catalogue=Catalogue.of_tools(),
        tokenizer=load_tokenizer(),
        context=config.context,
        nonce_share=config.nonce_share,
    )


def summarise(config: ExamplesConfig, splits: dict[str, list[Example]]) -> dict[str, Any]:
    """Counts by split: kinds, operations, voices, patterns, lengths, and outcomes of the executed calls."""
    tokenizer = load_tokenizer()
    report: dict[str, Any] = {"format": 2, "config": asdict(config), "splits": {}}
    for name, examples in splits.items():
        outcomes = Counter(
            "ok" if result["status"] == "ok" else result["error"]["code"] for e in examples for result in e.results
        )
        calls = [call for example in examples for call in example.all_calls]
        lengths = sorted(len(encode(example.conversation, tokenizer).ids) for example in examples) or [0]
        asked = Counter(
            call.arguments.get("calculation", call.name)
            for example in examples
            for call in example.all_calls
            if not example.conversation.tools
        )
        origins = {place for example in examples for place in example.origin.split()}
        report["splits"][name] = {
            "dialogues": len(examples),
            "calls": len(calls),
            "kinds": _counted(_family(example.kind) for example in examples),
            "operations": dict(asked.most_common()),
            "voices": _counted(place.partition(".")[0] for e in examples for place in e.origin.split()),
            "patterns": len(origins),
            "tokens": {
                "mean": round(sum(lengths) / len(lengths), 1),
                **{str(q): lengths[min(len(lengths) - 1, len(lengths) * q // 100)] for q in (50, 90, 99)},
                "max": lengths[-1],
            },
            "results": dict(outcomes.most_common()),
        }
    return report


def _family(kind: str) -> str:
    """A kind without its operation; `single` for one call of one."""
    return "single" if kind in operations() else kind.partition(".")[0]


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def write_jsonl(path: Path, examples: Iterable[Example]) -> None:
    """One example a line; the file appears complete or not at all."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        with partial.open("w", encoding="utf-8") as lines:
            lines.writelines(dump_json(example.to_json()) + "\n" for example in examples)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read_examples(path: Path, split: str | None = None) -> list[Example]:
    """The examples of a JSONL file, or of one split of a folder that `build` wrote.

    Raises `ExamplesError` naming file and line for what is not an example.
    """
    if path.is_dir():
        if split is None:
            raise ExamplesError(f"{path} is a folder; say which split of {', '.join(SPLITS)} to read")
        path = path / f"{split}.jsonl"
    return list(_read_lines(path))


def _read_lines(path: Path) -> Iterator[Example]:
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield Example.from_json(json.loads(line))
                except (ConversationError, ValueError, KeyError, TypeError) as error:
                    raise ExamplesError(f"{path}:{number}: not an example: {error}") from error
    except OSError as error:
        raise ExamplesError(f"{path}: {error.strerror}; run `medcall examples` to make dialogues") from error
