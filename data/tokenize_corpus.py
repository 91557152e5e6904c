"""A corpus of blocks becomes two token streams: one to learn from, and whole chapters kept aside to be judged
on.

    tokens/train.bin, tokens/heldout.bin     uint16, `<|endoftext|>` before every chapter and after the last
    tokens/meta.json                         counts, bytes per token, and which chapter went where

Chapters are held out whole: a random window of a textbook is half-known to a model that has read the page
before and after it.
"""

import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from data.blocks import Block, read_blocks
from data.errors import CorpusError
from data.tokenizer import END_OF_TEXT, Tokenizer, load_tokenizer

Progress = Callable[[int, int], None]
FRONT_MATTER = "(front matter)"
SPLITS = ("train", "heldout")


@dataclass(frozen=True, kw_only=True)
class TokenizeConfig:
    """How the corpus is split and what counts as too short."""

    held_out: Annotated[float, "share of the text to hold out, by whole chapters"] = 0.05
    window: Annotated[int, "shortest training stream accepted, in tokens"] = 128
    seed: Annotated[int, "which chapters are held out"] = 0

    def __post_init__(self) -> None:
        if not 0 <= self.held_out <= 0.5:
            raise CorpusError(f"held_out={self.held_out} must be between 0 and 0.5")
        if self.window < 1:
            raise CorpusError(f"window={self.window} must be at least 1")


@dataclass(kw_only=True)
class Chapter:
    """The text of all blocks under one heading path."""

    title: str
    texts: list[str] = field(default_factory=list)
    split: str = "train"

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def tokenize_corpus(
    corpus: Path,
    out: Path,
    config: TokenizeConfig | None = None,
    *,
    tokenizer: Tokenizer | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write the token folder `out` from `corpus` (a JSONL file of blocks, or a folder with corpus.jsonl) and
    return its meta.

    The folder appears complete or not at all. Raises `CorpusError` for a missing, malformed, empty or too
    short corpus.
    """
    config = config or TokenizeConfig()
    tokenizer = tokenizer or load_tokenizer()
    chapters = chapters_of(read_blocks(corpus / "corpus.jsonl" if corpus.is_dir() else corpus))
    warnings = assign_splits(chapters, config)

    partial = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.partial")
    partial.mkdir(parents=True)
    try:
        meta = _write_streams(chapters, partial, tokenizer, progress)
        if meta["train"]["tokens"] < config.window + 1:
            raise CorpusError(
                f"{corpus}: {meta['train']['tokens']} training tokens are fewer than one window "
                f"of {config.window} and its next token; "
                "give a longer text or a smaller --window"
            )
        meta |= {"format": 1, "n_vocab": tokenizer.n_vocab, "config": asdict(config), "warnings": warnings}
        (partial / "meta.json").write_text(json.dumps(meta, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        put_folder(partial, out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return meta


def chapters_of(blocks: Iterable[Block]) -> list[Chapter]:
    """Blocks gathered by chapter, in order of first appearance.

    A chapter is a top-level heading, unless one heading spans most of the text (a book's title): then the
    level below counts.
    """
    kept = list(blocks)
    if not kept:
        raise CorpusError("the corpus holds no text; was the document scanned, or empty?")
    level = 1
    while level < 4 and _largest_share(kept, level) > 0.5 and _titles(kept, level + 1) > _titles(kept, level):
        level += 1
    chapters: dict[tuple[str, ...], Chapter] = {}
    for block in kept:
        path = _path(block, level)
        chapter = chapters.setdefault(path, Chapter(title=" / ".join(path) or FRONT_MATTER))
        chapter.texts.append(block.text.strip("\n"))
    return list(chapters.values())


def assign_splits(chapters: list[Chapter], config: TokenizeConfig) -> list[str]:
    """Mark the chapters that are held out, and return warnings.

    Chapters are tried in an order fixed by the seed and held out while they bring the share nearer to what
    was asked for. A lone chapter is cut in two: its tail is held out, which is a weaker test, hence the
    warning.
    """
    total = sum(len(chapter.text) for chapter in chapters)
    wanted = config.held_out * total
    if config.held_out == 0:
        return ["nothing is held out, so no held-out loss can be reported"]
    if len(chapters) == 1:
        return _hold_out_tail(chapters, wanted)
    held = 0
    # Title pages and part headings stay in training: a few lines say little about unread text.
    real = [chapter for chapter in chapters if len(chapter.text) >= 0.2 * total / len(chapters)]
    for chapter in sorted(real, key=lambda c: hashlib.sha256(f"{config.seed}:{c.title}".encode()).digest()):
        size = len(chapter.text)
        if abs(held + size - wanted) < abs(held - wanted):
            chapter.split = "heldout"
            held += size
    if held == 0:
        smallest = min(real, key=lambda chapter: len(chapter.text))
        smallest.split, held = "heldout", len(smallest.text)
    share = held / total
    if share > 2 * config.held_out:
        return [
            f"the smallest whole chapters make {share:.0%} of the text, more than the {config.held_out:.0%} asked for"
        ]
    return []


def put_folder(partial: Path, out: Path) -> None:
    """Move a complete folder into place; one that was there before is replaced whole."""
    if out.exists():
        old = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.old")
        out.replace(old)
        partial.replace(out)
        shutil.rmtree(old, ignore_errors=True)
    else:
        partial.replace(out)


def _hold_out_tail(chapters: list[Chapter], wanted: float) -> list[str]:
    (only,) = chapters
    tail: list[str] = []
    while len(only.texts) > 1 and sum(map(len, tail)) < wanted:
        tail.insert(0, only.texts.pop())
    if not tail:  # one block: cut it at the word nearest to the share
        text = only.texts.pop()
        cut = text.rfind(" ", 0, max(1, len(text) - int(wanted)))
        if cut <= 0:
            only.texts.append(text)
            return ["the text cannot be divided, so nothing is held out"]
        only.texts.append(text[:cut])
        tail = [text[cut + 1 :]]
    chapters.append(Chapter(title=f"{only.title} (tail)", texts=tail, split="heldout"))
    return ["the corpus has a single chapter; its tail is held out, which is an easier test than an unread chapter"]


def _write_streams(
    chapters: list[Chapter], folder: Path, tokenizer: Tokenizer, progress: Progress | None
) -> dict[str, Any]:
    counts = {split: {"tokens": 0, "characters": 0, "bytes": 0, "chapters": 0} for split in SPLITS}
    listed: list[dict[str, Any]] = []
    streams = {split: (folder / f"{split}.bin").open("wb") for split in SPLITS}
    try:
        for done, chapter in enumerate(chapters, 1):
            split = chapter.split
            text = chapter.text
            ids = np.array([END_OF_TEXT, *tokenizer.encode(text)], dtype=np.uint16)
            ids.tofile(streams[split])
            one = {"tokens": len(ids), "characters": len(text), "bytes": len(text.encode()), "chapters": 1}
            for name, number in one.items():
                counts[split][name] += number
            listed.append(
                {
                    "title": chapter.title,
                    "split": split,
                    "tokens": one["tokens"],
                    "characters": one["characters"],
                }
            )
            if progress is not None:
                progress(done, len(chapters))
        for split, stream in streams.items():
            if counts[split]["chapters"]:
                np.array([END_OF_TEXT], dtype=np.uint16).tofile(stream)
                counts[split]["tokens"] += 1
    finally:
        for stream in streams.values():
            stream.close()
    meta: dict[str, Any] = {}
    for split, count in counts.items():
        meta[split] = count | {"bytes_per_token": count["bytes"] / max(count["tokens"] - count["chapters"] - 1, 1)}
    return meta | {"chapters": listed}


def _path(block: Block, level: int) -> tuple[str, ...]:
    return block.headings[:level]


def _titles(blocks: list[Block], level: int) -> int:
    return len({_path(block, level) for block in blocks})


def _largest_share(blocks: list[Block], level: int) -> float:
    sizes: dict[tuple[str, ...], int] = {}
    for block in blocks:
        sizes[_path(block, level)] = sizes.get(_path(block, level), 0) + len(block.text)
    return max(sizes.values()) / sum(sizes.values())
