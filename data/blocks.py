"""A corpus on disk: one block of a document per line of JSON.

A block is the smallest piece of a document that reads on its own: a paragraph, a heading, one row of a table.
Its heading path says where in the book it stands, so a corpus can be split by chapter without the source.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from data.errors import CorpusError

BlockKind = Literal["heading", "paragraph", "list_item", "table_row", "caption", "code"]
KINDS: frozenset[str] = frozenset(get_args(BlockKind))


@dataclass(frozen=True, kw_only=True)
class Block:
    """One piece of a document.

    `page` counts from 1 and is None where the format has no pages. `headings` is the path from the title down to the
    nearest heading above the block; a heading's own path ends with its own text.
    """

    page: int | None
    headings: tuple[str, ...]
    kind: BlockKind
    text: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind={self.kind!r} is not a kind of block; expected one of {sorted(KINDS)}")
        if self.page is not None and self.page < 1:
            raise ValueError(f"page={self.page} is not a page number; pages count from 1")
        if not self.text.strip():
            raise ValueError(f"a block needs text, found {self.text!r}")


def write_blocks(path: Path | str, blocks: Iterable[Block]) -> int:
    """Write the blocks to a JSONL file, all or nothing, and return how many there were.

    They go to a temporary file beside the target, which is renamed over it only when the last block is on disk.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
    temporary = Path(name)
    count = 0
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            for block in blocks:
                stream.write(json.dumps(asdict(block), ensure_ascii=False) + "\n")
                count += 1
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return count


def read_blocks(path: Path | str) -> Iterator[Block]:
    """Yield the blocks of a JSONL file in order.

    Raises `CorpusError` naming the file, and the line where one is at fault.
    """
    source = Path(path)
    try:
        stream = source.open(encoding="utf-8")
    except OSError as error:
        raise CorpusError(
            f"{source}: cannot be read ({error.strerror}); expected the JSONL file that extraction writes"
        ) from error
    with stream:
        number = 0
        try:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield _block(line, f"{source}, line {number}")
        except UnicodeDecodeError as error:
            raise CorpusError(
                f"{source}, after line {number}: not UTF-8 text ({error.reason}); extract the document again"
            ) from error


def _block(line: str, place: str) -> Block:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise CorpusError(
            f"{place}: not JSON ({error.msg} at character {error.pos}); "
            "the file may be cut short, extract the document again"
        ) from error
    try:
        return _from_record(record)
    except ValueError as error:
        raise CorpusError(f"{place}: {error}") from error


def _from_record(record: Any) -> Block:
    names = ["page", "headings", "kind", "text"]
    if not isinstance(record, dict) or sorted(record) != sorted(names):
        found = sorted(record) if isinstance(record, dict) else type(record).__name__
        raise ValueError(f"expected an object with the keys {names}, found {found}")
    page, headings, kind, text = (record[name] for name in names)
    if page is not None and (not isinstance(page, int) or isinstance(page, bool)):
        raise ValueError(f"page must be a whole number or null, found {page!r}")
    if not isinstance(headings, list) or not all(isinstance(heading, str) for heading in headings):
        raise ValueError(f"headings must be a list of strings, found {headings!r}")
    if not isinstance(kind, str) or not isinstance(text, str):
        raise ValueError(f"kind and text must be strings, found {kind!r} and {text!r}")
    return Block(page=page, headings=tuple(headings), kind=kind, text=text)  # type: ignore[arg-type]  # checked in __post_init__
