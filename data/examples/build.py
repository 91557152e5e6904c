"""Build the dialogues: rows of every split, no request twice, no evaluation request among the training."""

import json
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from data.conversation import Example, dump_json
from data.errors import ConversationError, ExamplesError
from data.examples.entities import Catalogue
from data.examples.rows import SPLITS, RowMaker
from data.tokenize_corpus import put_folder
from data.tokenizer import load_tokenizer

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class ExamplesConfig:
    """How many dialogues, and of what."""

    n_train: Annotated[int, "training dialogues"] = 8000
    n_eval: Annotated[int, "dialogues in each evaluation split"] = 200
    seed: Annotated[int, "every row is a function of this, its split and its number"] = 0
    nonce_share: Annotated[float, "share of drug names made of random tokens"] = 0.4
    context: Annotated[int, "longest dialogue, in tokens"] = 256
    format: Annotated[Literal["jsonl", "datasets", "both"], "what to write"] = "both"

    def __post_init__(self) -> None:
        if self.n_train < 1 or self.n_eval < 0:
            raise ExamplesError(f"n_train={self.n_train} must be at least 1 and n_eval={self.n_eval} at least 0")
        if not 0 <= self.nonce_share <= 1:
            raise ExamplesError(f"nonce_share={self.nonce_share} must be between 0 and 1")
        if self.context < 32:
            raise ExamplesError(f"context={self.context} is too short for any dialogue; use at least 32")


def build(config: ExamplesConfig, out: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Write the folder `out` and return its summary, which is also its meta.json.

        out/train.jsonl, out/iid.jsonl, …  one example a line, see `data.conversation.Example`
        out/dataset/                       the same as a `datasets.DatasetDict`, for `datasets.load_from_disk`

    The folder appears complete or not at all. `progress(done, total)` counts rows.
    """
    partial = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.partial")
    partial.mkdir(parents=True)
    try:
        splits = generate(config, progress)
        if config.format in ("jsonl", "both"):
            for name, examples in splits.items():
                write_jsonl(partial / f"{name}.jsonl", examples)
        if config.format in ("datasets", "both"):
            _write_dataset(partial / "dataset", splits)
        summary = summarise(config, splits)
        text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
        (partial / "meta.json").write_text(text, encoding="utf-8")
        put_folder(partial, out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return summary


def generate(
    config: ExamplesConfig, progress: Progress | None = None, catalogue: Catalogue | None = None
) -> dict[str, list[Example]]:
    """All splits, each with distinct requests; an evaluation request that also occurs in training is passed
    over.
    """
    sizes = {name: config.n_train if name == "train" else config.n_eval for name in SPLITS}
    total = sum(sizes.values())
    catalogue = catalogue or Catalogue.of_tools()
    seen: set[str] = set()
    splits: dict[str, list[Example]] = {}
    done = 0
    for name, size in sizes.items():
        maker = RowMaker(
            seed=config.seed,
            split=name,
            catalogue=catalogue,
            tokenizer=load_tokenizer(),
            context=config.context,
            nonce_share=config.nonce_share,
        )
        examples: list[Example] = []
        for number in range(20 * size + 100):
            if len(examples) == size:
                break
            example = maker.row(number)
            request = " ".join(example.request.lower().split())
            if request in seen:
                continue
            seen.add(request)
            examples.append(example)
            done += 1
            if progress is not None and (done % 50 == 0 or done == total):
                progress(done, total)
        if len(examples) < size:
            raise ExamplesError(
                f"split {name!r} has only {len(examples)} distinct requests of the {size} asked for; ask for fewer"
            )
        splits[name] = examples
    return splits


def summarise(config: ExamplesConfig, splits: dict[str, list[Example]]) -> dict[str, Any]:
    """Counts by split, kind and outcome of the executed calls."""
    report: dict[str, Any] = {"format": 1, "config": asdict(config), "splits": {}}
    for name, examples in splits.items():
        outcomes = Counter(
            "ok" if result["status"] == "ok" else result["error"]["code"] for e in examples for result in e.results
        )
        report["splits"][name] = {
            "dialogues": len(examples),
            "calls": sum(len(example.calls) for example in examples),
            "kinds": dict(sorted(Counter(example.kind for example in examples).items())),
            "results": dict(outcomes.most_common()),
        }
    return report


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


def _write_dataset(folder: Path, splits: dict[str, list[Example]]) -> None:
    """Columns id, split, kind, messages (OpenAI's), spans, and results as JSON text, since their shapes
    differ by tool.
    """
    import datasets

    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "split": datasets.Value("string"),
            "kind": datasets.Value("string"),
            "messages": [
                {
                    "role": datasets.Value("string"),
                    "content": datasets.Value("string"),
                    "tool_calls": [
                        {
                            "id": datasets.Value("string"),
                            "type": datasets.Value("string"),
                            "function": {
                                "name": datasets.Value("string"),
                                "arguments": datasets.Value("string"),
                            },
                        }
                    ],
                    "tool_call_id": datasets.Value("string"),
                }
            ],
            "spans": [
                {
                    "call": datasets.Value("int32"),
                    "pointer": datasets.Value("string"),
                    "start": datasets.Value("int32"),
                    "end": datasets.Value("int32"),
                }
            ],
            "results": datasets.Value("string"),
        }
    )
    quiet = datasets.utils.logging.is_progress_bar_enabled()
    datasets.utils.logging.disable_progress_bar()
    try:
        made = {
            name: datasets.Dataset.from_list([_row(example) for example in examples], features=features)
            for name, examples in splits.items()
            if examples
        }
        datasets.DatasetDict(made).save_to_disk(str(folder))
    finally:
        if quiet:
            datasets.utils.logging.enable_progress_bar()


def _row(example: Example) -> dict[str, Any]:
    row = example.to_json()
    messages: Sequence[dict[str, Any]] = row["messages"]
    row["messages"] = [{"tool_calls": None, "tool_call_id": None, **message} for message in messages]
    row["results"] = json.dumps(row["results"], ensure_ascii=False)
    return row
