import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import CorpusError
from data.tokenize_corpus import TokenizeConfig, tokenize_corpus
from data.tokenizer import END_OF_TEXT, load_tokenizer

CONFIG = TokenizeConfig(held_out=0.2, window=16)


def write(path: Path, blocks: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(block) + "\n" for block in blocks), encoding="utf-8")
    return path


def chapters(n: int, book: str | None = None) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for chapter in range(n):
        headings = ([book] if book else []) + [f"Chapter {chapter}"]
        blocks.append({"page": 1, "headings": headings, "kind": "heading", "text": f"Chapter {chapter}"})
        for paragraph in range(4):
            text = f"Chapter {chapter} paragraph {paragraph} says that µ differs from m in {'many ' * 10}ways."
            blocks.append({"page": 1, "headings": headings, "kind": "paragraph", "text": text})
    return blocks


def texts(folder: Path, split: str) -> list[str]:
    """The chapters of a stream, decoded."""
    ids = np.fromfile(folder / f"{split}.bin", dtype=np.uint16).tolist()
    assert ids[0] == ids[-1] == END_OF_TEXT
    out: list[list[int]] = []
    for token_id in ids[:-1]:
        if token_id == END_OF_TEXT:
            out.append([])
        else:
            out[-1].append(token_id)
    return [load_tokenizer().decode(part) for part in out]


def test_both_streams_together_hold_the_text_of_every_chapter_once(tmp_path: Path) -> None:
    blocks = chapters(10)
    meta = tokenize_corpus(write(tmp_path / "corpus.jsonl", blocks), tmp_path / "tokens", CONFIG)
    found = texts(tmp_path / "tokens", "train") + texts(tmp_path / "tokens", "heldout")
    expected = ["\n".join(b["text"] for b in blocks if b["headings"] == [f"Chapter {n}"]) for n in range(10)]
    assert sorted(found) == sorted(expected)
    assert meta["heldout"]["chapters"] == 2 and meta["train"]["chapters"] == 8
    assert meta["heldout"]["bytes"] == sum(len(t.encode()) for t in texts(tmp_path / "tokens", "heldout"))
    assert meta == json.loads((tmp_path / "tokens" / "meta.json").read_text(encoding="utf-8"))


def test_the_split_depends_on_the_seed_alone(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus.jsonl", chapters(30))

    def held(seed: int, out: str) -> set[str]:
        config = TokenizeConfig(held_out=0.2, window=16, seed=seed)
        meta = tokenize_corpus(corpus, tmp_path / out, config)
        return {chapter["title"] for chapter in meta["chapters"] if chapter["split"] == "heldout"}

    assert held(0, "a") == held(0, "b") != held(1, "c")


def test_a_book_title_over_everything_is_not_taken_for_a_chapter(tmp_path: Path) -> None:
    meta = tokenize_corpus(write(tmp_path / "c.jsonl", chapters(10, "A Book")), tmp_path / "t", CONFIG)
    assert len(meta["chapters"]) == 10
    assert meta["warnings"] == []


def test_a_single_chapter_gives_up_its_tail_with_a_warning(tmp_path: Path) -> None:
    meta = tokenize_corpus(write(tmp_path / "c.jsonl", chapters(1)), tmp_path / "t", CONFIG)
    assert "tail" in meta["warnings"][0]
    (train,), (tail,) = texts(tmp_path / "t", "train"), texts(tmp_path / "t", "heldout")
    assert "paragraph 3" in tail and "paragraph 3" not in train and train.startswith("Chapter 0")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no text"),
        ('{"page": 1, "headings": [], "kind": "paragraph", "text": "too short"}\n', "fewer than one window of 16"),
        ('{"page": 1, "headings": [], "kind": "paragraph", "text": "fine"}\nnot json\n', "line 2: not JSON"),
        ('{"words": "x"}\n', "line 1: expected an object with the keys"),
    ],
)
def test_a_bad_corpus_is_refused_and_leaves_nothing_behind(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "c.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(CorpusError, match=message):
        tokenize_corpus(tmp_path / "c.jsonl", tmp_path / "out" / "t", CONFIG)
    assert list((tmp_path / "out").glob("*") if (tmp_path / "out").exists() else []) == []


def test_a_missing_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"absent\.jsonl"):
        tokenize_corpus(tmp_path / "absent.jsonl", tmp_path / "t", CONFIG)


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus.jsonl", chapters(4))
    tokenize_corpus(tmp_path, tmp_path / "t", CONFIG)
    (tmp_path / "t" / "stale").write_text("x")
    tokenize_corpus(corpus, tmp_path / "t", CONFIG)
    assert sorted(p.name for p in (tmp_path / "t").iterdir()) == ["heldout.bin", "meta.json", "train.bin"]
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_title_pages_are_not_what_is_held_out(tmp_path: Path) -> None:
    blocks: list[dict[str, Any]] = []
    for number, block in enumerate(chapters(10)):
        blocks += [{"page": None, "kind": "heading", "headings": [f"Part {number}"], "text": "Part"}, block]
    meta = tokenize_corpus(write(tmp_path / "c.jsonl", blocks), tmp_path / "t", CONFIG)
    held = [chapter["title"] for chapter in meta["chapters"] if chapter["split"] == "heldout"]
    assert held and all(title.startswith("Chapter") for title in held)
