"""The handbook's source: its dialect of Markdown, its references, and what counts as a mistake in either.

A chapter is one file: `# Title`, then `##` and `###` headings, paragraphs, `- ` and `1. ` lists, and pipe tables, each
under a line `Table: caption`. Runs are **bold** or *italic*. `[@key]` or `[@key1; @key2]` cites; the references are
tab-separated files of key and text. Keys are numbered in the order of their first citation.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from data.errors import DataError
from data.handbook import CHAPTERS, REFERENCES

ElementKind = Literal["heading1", "heading2", "heading3", "paragraph", "bullet", "number", "table"]

_CITATION = re.compile(r"\[(@[^\]]+)\]")
_NUMBERED = re.compile(r"(\d+)\.\s+(.*)")
_RULE_ROW = re.compile(r"\|?(\s*:?-+:?\s*\|)+\s*:?-*:?\s*\|?\s*")
_FILE_NAME = re.compile(r"\d{2}-[a-z0-9-]+\.md")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_ITALIC = re.compile(r"(?<![\w*])\*(?=\S)(.+?)(?<=\S)\*(?![\w*])")


class HandbookError(DataError):
    """A mistake in the handbook's source; the message names file and line."""


@dataclass(frozen=True)
class Element:
    """One piece of a chapter. `text` keeps its inline marks; `number` is a list item's; `rows` a table's cells."""

    kind: ElementKind
    text: str
    number: int = 0
    rows: tuple[tuple[str, ...], ...] = ()
    place: str = ""


@dataclass(frozen=True)
class Chapter:
    title: str
    elements: tuple[Element, ...]


@dataclass(frozen=True)
class Handbook:
    """All chapters, citations already replaced by their numbers, and the references in the order of those numbers."""

    chapters: tuple[Chapter, ...]
    references: tuple[str, ...]


def load_handbook(chapters: Path = CHAPTERS, references: Path = REFERENCES) -> Handbook:
    """Read and check the whole source. Raises `HandbookError` on the first mistake."""
    files = sorted(chapters.glob("*.md"))
    if not files:
        raise HandbookError(f"{chapters}: holds no chapters; expected files named like 01-title.md")
    for file in files:
        if not _FILE_NAME.fullmatch(file.name):
            raise HandbookError(
                f"{file}: chapter files are named like 01-title.md, so that their order is their name's"
            )
    known = _references(sorted(references.glob("*.tsv")))
    numbers: dict[str, int] = {}
    parsed = [
        _number_citations(parse_chapter(file.read_text(encoding="utf-8"), file.name), known, numbers) for file in files
    ]
    unused = sorted(set(known) - set(numbers))
    if unused:
        raise HandbookError(
            f"{references}: {len(unused)} reference(s) are never cited: {', '.join(unused[:12])}; cite or remove them"
        )
    return Handbook(tuple(parsed), tuple(known[key] for key in numbers))


def source_hash(chapters: Path = CHAPTERS, references: Path = REFERENCES) -> str:
    """SHA-256 over the names and contents of everything the PDF is made from."""
    digest = hashlib.sha256()
    for file in [*sorted(chapters.glob("*.md")), *sorted(references.glob("*.tsv"))]:
        content = file.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{file.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def parse_chapter(text: str, name: str) -> Chapter:
    """Elements of one chapter; `name` is used in messages."""
    elements: list[Element] = []
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        line, place = lines[at].rstrip(), f"{name}, line {at + 1}"
        if not line:
            at += 1
        elif line.startswith("#"):
            elements.append(_heading(line, place))
            at += 1
        elif line.startswith("Table:"):
            element, at = _table(lines, at, place)
            elements.append(element)
        elif line.startswith("|"):
            raise HandbookError(f"{place}: a table needs a line 'Table: caption' above it; found {line[:40]!r}")
        elif line.startswith("- ") or _NUMBERED.match(line):
            item, at = _gather(lines, at)
            match = _NUMBERED.match(item)
            kind: ElementKind = "number" if match else "bullet"
            elements.append(
                Element(kind, match[2] if match else item[2:], number=int(match[1]) if match else 0, place=place)
            )
        elif line[0] in " \t>" or line.startswith(("```", "* ", "+ ", "![")):
            raise HandbookError(
                f"{place}: {line[:40]!r} is not in the handbook's dialect (no indents, quotes, code or pictures)"
            )
        else:
            paragraph, at = _gather(lines, at)
            elements.append(Element("paragraph", paragraph, place=place))
    titles = [element for element in elements if element.kind == "heading1"]
    if len(titles) != 1 or elements[0].kind != "heading1":
        raise HandbookError(f"{name}: a chapter begins with its one '# Title', found {len(titles)} such headings")
    return Chapter(titles[0].text, tuple(elements[1:]))


def plain(text: str) -> str:
    """Text without its inline marks."""
    return _ITALIC.sub(r"\1", _BOLD.sub(r"\1", text))


def markup(text: str) -> str:
    """Text with its inline marks as the XML a typesetter takes."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _ITALIC.sub(r"<i>\1</i>", _BOLD.sub(r"<b>\1</b>", escaped))


def _heading(line: str, place: str) -> Element:
    marks, _, title = line.partition(" ")
    kinds: dict[str, ElementKind] = {"#": "heading1", "##": "heading2", "###": "heading3"}
    if marks not in kinds or not title.strip():
        raise HandbookError(f"{place}: {line[:40]!r} is not a heading; expected '# ', '## ' or '### ' and a title")
    return Element(kinds[marks], title.strip(), place=place)


def _gather(lines: Sequence[str], at: int) -> tuple[str, int]:
    """A paragraph or list item: its first line and those below it up to a blank line or another element."""
    parts = [lines[at].strip()]
    at += 1
    while at < len(lines) and (line := lines[at].strip()):
        if line.startswith(("#", "- ", "|", "Table:")) or _NUMBERED.match(line):
            break
        parts.append(line)
        at += 1
    return " ".join(parts), at


def _table(lines: Sequence[str], at: int, place: str) -> tuple[Element, int]:
    caption = lines[at].removeprefix("Table:").strip()
    at += 1
    while at < len(lines) and not lines[at].strip():
        at += 1
    rows: list[tuple[str, ...]] = []
    start = at
    while at < len(lines) and lines[at].startswith("|"):
        row = tuple(cell.strip() for cell in lines[at].strip().strip("|").split("|"))
        if at == start + 1:
            if not _RULE_ROW.fullmatch(lines[at].strip()):
                raise HandbookError(f"{place}: the second row of a table must be '|---|---|', found {lines[at][:40]!r}")
        else:
            rows.append(row)
        at += 1
    if not caption or len(rows) < 2:
        raise HandbookError(
            f"{place}: a table needs a caption, a header and at least one row; found {caption!r} and {len(rows)} row(s)"
        )
    for row in rows:
        if len(row) != len(rows[0]):
            raise HandbookError(
                f"{place}: every row needs {len(rows[0])} cells like the header, found {len(row)} in {row}"
            )
    return Element("table", caption, rows=tuple(rows), place=place), at


def _references(files: Sequence[Path]) -> dict[str, str]:
    known: dict[str, str] = {}
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            if not line.strip() or line.strip().lower() == "key\treference":
                continue
            key, tab, text = line.partition("\t")
            if not tab or not key.strip() or not text.strip():
                raise HandbookError(f"{file}, line {number}: expected 'key<TAB>reference', found {line[:60]!r}")
            if key in known:
                raise HandbookError(
                    f"{file}, line {number}: the key {key!r} is already taken; give each reference its own"
                )
            known[key] = text.strip()
    return known


def _number_citations(chapter: Chapter, known: dict[str, str], numbers: dict[str, int]) -> Chapter:
    """Replace every citation by its number in brackets, giving out numbers as keys are first met."""

    def cited(text: str, place: str) -> str:
        def replace(match: re.Match[str]) -> str:
            found = []
            for part in match[1].split(";"):
                key = part.strip().removeprefix("@")
                if key not in known:
                    raise HandbookError(
                        f"{place}: no reference has the key {key!r}; add it to a .tsv file in references/"
                    )
                found.append(numbers.setdefault(key, len(numbers) + 1))
            return f"[{', '.join(str(number) for number in sorted(set(found)))}]"

        return _CITATION.sub(replace, text)

    elements = tuple(
        Element(
            element.kind,
            cited(element.text, element.place),
            number=element.number,
            rows=tuple(tuple(cited(cell, element.place) for cell in row) for row in element.rows),
            place=element.place,
        )
        for element in chapter.elements
    )
    return Chapter(chapter.title, elements)
