"""A docling document, whatever format it came from, as raw blocks in reading order with their heading paths."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from data.blocks import Block, BlockKind
from data.extract.clean import table_rows

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument, TableItem  # type: ignore[attr-defined]

_NO_SPACE_BEFORE = re.compile(r"^[\s,.;:!?)\]}%’”/-]")
_NO_SPACE_AFTER = re.compile(r"[\s(\[{“‘/-]$")
_KINDS: dict[str, BlockKind] = {
    "title": "heading",
    "section_header": "heading",
    "list_item": "list_item",
    "caption": "caption",
    "code": "code",
}
_SKIPPED = frozenset({"page_header", "page_footer", "document_index_entry", "empty_value"})


class HeadingPath:
    """The headings above a place in a document. Feed it headings in order; it survives from one chunk to the next."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []

    def enter(self, level: int, text: str) -> None:
        """Open a heading of this level, closing those of its level and below; level 0 is a document's title."""
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        self._open.append((level, " ".join(text.split())))

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(text for _, text in self._open)


def raw_blocks(document: "DoclingDocument", path: HeadingPath) -> Iterator[Block]:
    """Every text of the document as a block, uncleaned. Runs in several styles are joined; tables become rows."""
    from docling_core.types.doc import GroupItem, GroupLabel, TableItem, TextItem  # type: ignore[attr-defined]

    inside_table: set[str] = set()
    consumed: set[str] = set()
    for item, _ in document.iterate_items(with_groups=True):
        reference, parent = item.self_ref, item.parent.cref if item.parent is not None else ""
        if parent in inside_table:
            inside_table.add(reference)  # a rich cell's own text comes with the table's rows
            continue
        if reference in consumed or parent in consumed:
            consumed.add(reference)
            continue
        if isinstance(item, TableItem):
            inside_table.add(reference)
            for caption in (link.resolve(document) for link in item.captions):
                consumed.add(caption.self_ref)
                yield Block(page=_page(caption), headings=path.path, kind="caption", text=caption.text)
            for text in table_rows(_grid(item, document)):
                yield Block(page=_page(item), headings=path.path, kind="table_row", text=text)
            continue
        if isinstance(item, GroupItem):
            if item.label == GroupLabel.INLINE:
                consumed.add(reference)
                text = _inline(item, document)
                if text.strip():
                    yield Block(page=_page(item), headings=path.path, kind="paragraph", text=text)
            continue
        if not isinstance(item, TextItem) or item.label in _SKIPPED:
            continue
        text = item.text or ""
        if not text.strip() and item.children:
            inline = [child.resolve(document) for child in item.children]
            inline = [child for child in inline if isinstance(child, GroupItem) and child.label == GroupLabel.INLINE]
            consumed.update(child.self_ref for child in inline)
            text = " ".join(_inline(child, document) for child in inline)
        text = text or item.orig or ""
        if not text.strip():
            continue
        kind = _KINDS.get(item.label, "paragraph")
        if kind == "heading":
            path.enter(getattr(item, "level", 0), text)
        elif kind == "list_item":
            text = _with_marker(text, getattr(item, "marker", ""), bool(getattr(item, "enumerated", False)))
        yield Block(page=_page(item), headings=path.path, kind=kind, text=text)


def _grid(table: "TableItem", document: "DoclingDocument") -> list[list[str]]:
    """Rows of cell texts. A cell that spans columns repeats, so that each value keeps its header."""
    rows = []
    for cells in table.data.grid:
        row = []
        for cell in cells:
            text = cell.text
            reference = getattr(cell, "ref", None)
            if reference is not None:
                text = _flatten(reference.resolve(document), document) or text
            row.append(text)
        rows.append(row)
    headers = sum(1 for cells in table.data.grid if any(cell.column_header for cell in cells))
    if headers > 1:
        merged = [
            " ".join(dict.fromkeys(part for part in column if part)) for column in zip(*rows[:headers], strict=True)
        ]
        rows = [merged, *rows[headers:]]
    return rows


def _flatten(item: Any, document: "DoclingDocument") -> str:
    """All text below an item, in order."""
    text = getattr(item, "text", "") or ""
    parts = [text] if text else []
    parts += [_flatten(child.resolve(document), document) for child in item.children]
    return _glue([part for part in parts if part])


def _inline(group: Any, document: "DoclingDocument") -> str:
    return _glue([_flatten(child.resolve(document), document) for child in group.children])


def _glue(parts: list[str]) -> str:
    """Put back the spaces docling strips from the runs of a paragraph, except around punctuation."""
    text = ""
    for part in parts:
        spaced = text and not _NO_SPACE_AFTER.search(text) and not _NO_SPACE_BEFORE.search(part)
        text += f" {part}" if spaced else part
    return text


def _with_marker(text: str, marker: str, enumerated: bool) -> str:
    """Numbers are part of what a list says; bullets are not."""
    number = marker.strip()
    if (enumerated or re.search(r"\w", number)) and number and not text.startswith(number):
        return f"{number} {text}"
    return text


def _page(item: Any) -> int | None:
    places = getattr(item, "prov", None)
    return places[0].page_no if places and places[0].page_no >= 1 else None
