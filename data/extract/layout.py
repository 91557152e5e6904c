"""From lines on a page to regions with a role: headings, paragraphs, list items, captions, tables, running heads.

No model is involved. Type size and weight tell headings from text, distances and indents part paragraphs, strokes
make tables, and the document's own statistics (`style.py`) say what is usual. Order among regions is left to docling.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from data.extract.clean import Spelling, join_lines
from data.extract.page import Box, Line, Page, union
from data.extract.style import DocumentStyle
from data.extract.tables import find_tables

Role = Literal["heading", "text", "list_item", "caption", "code", "table", "page_header", "page_footer"]

_BULLETS = "•‣◦▪■□▶►❑❒❖➢✓✔·∙●○–—*§-"
_BULLET = re.compile(
    rf"\s*(?:[{re.escape(_BULLETS)}\uf0a7\uf0b7\uf0d8]|\(?\d{{1,3}}[.)]|\(?[a-z][.)]|\(?[ivx]{{1,5}}[.)])\s+\S"
)
_MARKER = re.compile(
    rf"(?:[{re.escape(_BULLETS)}\uf0a7\uf0b7\uf0d8]|\(?\d{{1,3}}[.)]|\(?[A-Za-z][.)]|\(?[ivx]{{1,5}}[.)])"
)
_CAPTION = re.compile(r"(?:figure|fig\.|table|box|exhibit|listing)\s*(?:[A-Z]?-?\d+|[IVX]+\b)|TABLE\.", re.IGNORECASE)
_ENDED = re.compile(r"[.?!:;][\"'”’)\]]*\d{0,3}(?:[,–-]\d{1,3})*$")
_LETTERS = re.compile(r"[^\W\d_]{2}")

_HEADING_SIZE = 1.13  # times the body's size
_BODY_FONT_HEADING = 1.4  # the same for a line in the body's own font, whose box may be tall for one odd glyph
_HEADING_LINES = 4
_HEADING_CHARS = 200


@dataclass(frozen=True)
class Region:
    """A part of a page with one role. Headings carry their type size in points, tables their rows of cells."""

    role: Role
    box: Box
    text: str = ""
    size: float = 0.0
    bold: bool = False
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class _Row:
    """Lines side by side on one baseline, read as one."""

    lines: tuple[Line, ...]
    box: Box
    size: float
    heading: bool
    bold: bool
    monospaced: bool

    @property
    def text(self) -> str:
        text = self.lines[0].text
        for left, right in zip(self.lines, self.lines[1:], strict=False):
            touching = right.box.left - left.box.right < 0.12 * max(left.box.height, right.box.height)
            text += right.text if touching else f" {right.text}"
        return text


@dataclass
class _Paragraph:
    rows: list[_Row] = field(default_factory=list)

    @property
    def box(self) -> Box:
        return union(row.box for row in self.rows)


def lay_out(page: Page, style: DocumentStyle, spelling: Spelling) -> list[Region]:
    """The regions of one page, in no particular order."""
    furniture = style.furniture(page)
    regions = [_furniture_region(page, page.lines[index]) for index in sorted(furniture)]
    lines = [
        line for index, line in enumerate(page.lines) if index not in furniture and line.upright and line.text.strip()
    ]
    tables = find_tables(lines, page.rules)
    for table in tables:
        rows = tuple(tuple(join_lines([cell], spelling) for cell in row) for row in table.rows)
        regions.append(Region("table", table.box, rows=rows))
    used = {index for table in tables for index in table.used}
    rows_of_text = _rows([line for index, line in enumerate(lines) if index not in used], style)
    paragraphs = _paragraphs(rows_of_text, style)
    for paragraph in paragraphs:
        region = _region(paragraph, style, spelling)
        if region.role == "text" and _stands_alone(paragraph, paragraphs, style):
            region = Region("heading", region.box, text=spelling.title(region.text), size=paragraph.rows[0].size)
        if not _is_chart_label(region, paragraph, style):
            regions.append(region)
    return regions


def _furniture_region(page: Page, line: Line) -> Region:
    role: Role = "page_header" if line.box.middle < page.height / 2 else "page_footer"
    return Region(role, line.box, text=line.text)


def _rows(lines: Sequence[Line], style: DocumentStyle) -> list[_Row]:
    """Join the pieces of one printed line: runs in different fonts, a bullet and its text. Columns stay apart."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.box.left):
        best: tuple[float, list[Line]] | None = None
        for row in rows:
            last = row[-1]
            gap = line.box.left - last.box.right
            shared = line.box.overlap_y(last.box)
            if shared < 0.45 * min(line.box.height, last.box.height) or gap < -0.5 * style.body_size:
                continue
            alone = len(row) == 1 and _MARKER.fullmatch(last.text.strip()) is not None
            reach = 4.0 if alone else 0.95
            if gap <= reach * max(style.body_size, line.box.height) and (best is None or gap < best[0]):
                best = (gap, row)
        if best:
            best[1].append(line)
        else:
            rows.append([line])
    return sorted((_row(row, style) for row in rows), key=lambda row: (row.box.top, row.box.left))


def _row(lines: Sequence[Line], style: DocumentStyle) -> _Row:
    weights = [len(line.text.strip()) or 1 for line in lines]
    total = sum(weights)
    main = lines[max(range(len(lines)), key=weights.__getitem__)].box
    size = main.height
    around = union(line.box for line in lines)
    box = Box(around.left, main.top, around.right, main.bottom)  # a raised figure must not change the distances
    bold = sum(weight for weight, line in zip(weights, lines, strict=True) if style.is_bold(line)) >= 0.8 * total
    monospaced = all(style.is_monospaced(line) for line in lines)
    text = " ".join(line.text for line in lines)
    body_font = (
        sum(weight for weight, line in zip(weights, lines, strict=True) if line.font in style.body_fonts) > 0.5 * total
    )
    needed = _BODY_FONT_HEADING if body_font else _HEADING_SIZE
    heading = (size >= needed * style.body_size or (bold and size >= 0.85 * style.body_size)) and not (
        monospaced or _BULLETS.find(text.strip()[:1]) >= 0 or _CAPTION.match(text.strip())
    )
    return _Row(tuple(lines), box, size, heading, bold, monospaced)


def _paragraphs(rows: Sequence[_Row], style: DocumentStyle) -> list[_Paragraph]:
    """Stack rows that follow one another in a column, and part them where a paragraph begins."""
    paragraphs: list[_Paragraph] = []
    for number, row in enumerate(rows):
        nearest: tuple[float, _Paragraph] | None = None
        for paragraph in reversed(paragraphs[-60:]):
            last = paragraph.rows[-1]
            gap = row.box.top - last.box.bottom
            if gap < -0.6 * row.box.height or not _follows(paragraph, row, style):
                continue
            if nearest is None or gap < nearest[0]:
                nearest = (gap, paragraph)
        if nearest and not _begins(nearest[1], row, rows[number + 1 :], style):
            nearest[1].rows.append(row)
        else:
            paragraphs.append(_Paragraph([row]))
    return paragraphs


def _follows(paragraph: _Paragraph, row: _Row, style: DocumentStyle) -> bool:
    """Whether a row stands right below a paragraph, in the same type."""
    last = paragraph.rows[-1]
    caption = last.bold and row.bold and _CAPTION.match(paragraph.rows[0].text) is not None
    if (row.heading != last.heading and not caption) or row.monospaced != last.monospaced:
        return False
    if abs(row.size - last.size) > 0.22 * max(row.size, last.size):
        return False
    scale = max(row.size, last.size) / style.body_size
    step = row.box.top - last.box.top
    if not 0.3 * row.size < step <= 1.22 * style.leading * max(scale, 0.8):
        return False
    box = paragraph.box
    shared = row.box.overlap_x(box)
    return shared > 0.5 * min(row.box.width, box.width) or (
        shared > 0 and abs(row.box.left - box.left) < 3 * style.body_size
    )


def _begins(paragraph: _Paragraph, row: _Row, below: Iterable[_Row], style: DocumentStyle) -> bool:
    """Whether a row that stands right below a paragraph begins a new one."""
    text = row.text
    if row.monospaced:
        return False
    first, last = paragraph.rows[0], paragraph.rows[-1]
    if row.heading:
        return _CAPTION.match(text) is not None
    if _CAPTION.match(text) and row.bold:
        return True
    box = paragraph.box
    ended = _ENDED.search(last.text.rstrip()) is not None
    short = last.box.right < box.right - 0.12 * box.width
    if _BULLET.match(text):
        # A hyphen or a number may also open a line in the middle of a sentence.
        same_edge = abs(row.box.left - first.box.left) < 0.6 * style.body_size
        return ended or short or (_BULLET.match(first.text) is not None and same_edge)
    if _BULLET.match(first.text):
        text_left = min((other.box.left for other in paragraph.rows[1:]), default=None)
        if text_left is not None and text_left > first.box.left + 0.4 * style.body_size:
            return row.box.left < text_left - 0.4 * style.body_size
        return row.box.left <= first.box.left + 0.3 * style.body_size and ended and _hangs(first, style)
    left = min((other.box.left for other in paragraph.rows[1:]), default=box.left)
    indent = row.box.left - left
    if len(paragraph.rows) == 1 and 0.7 * style.body_size < first.box.left - row.box.left < 4 * style.body_size:
        return False  # the first line itself was indented
    if 0.6 * style.body_size < indent < 4 * style.body_size and (ended or short):
        following = next(
            (other for other in below if other.box.top > row.box.top + 1 and other.box.overlap_x(row.box) > 0), None
        )
        return following is None or following.box.left < row.box.left - 0.4 * style.body_size or ended
    opens = text.lstrip()[:1].isupper() or text.lstrip()[:1].isdigit()
    return len(paragraph.rows) > 1 and ended and opens and last.box.right < box.right - 0.25 * box.width


def _hangs(first: _Row, style: DocumentStyle) -> bool:
    """Whether the marker of a list item stands apart from its text, so that its other lines would be indented."""
    return len(first.lines) > 1 and first.lines[1].box.left - first.lines[0].box.right > 0.3 * style.body_size


def _region(paragraph: _Paragraph, style: DocumentStyle, spelling: Spelling) -> Region:
    rows, box = paragraph.rows, paragraph.box
    if all(row.monospaced for row in rows):
        return Region("code", box, text="\n".join(row.text for row in rows))
    text = join_lines([row.text for row in rows], spelling)
    size = max(row.size for row in rows)
    if (
        _CAPTION.match(text)
        and (rows[0].bold or rows[0].size <= 1.05 * style.body_size)
        and len(text) < 400
        and _caption_like(text)
    ):
        return Region("caption", box, text=text)
    is_heading = all(row.heading for row in rows) and len(rows) <= _HEADING_LINES and len(text) <= _HEADING_CHARS
    if is_heading and _LETTERS.search(text) and not (text.endswith((".", ",", ";")) and len(text) > 60):
        return Region("heading", box, text=spelling.title(text), size=size, bold=all(row.bold for row in rows))
    role: Role = "list_item" if _BULLET.match(rows[0].text) else "text"
    return Region(role, box, text=text)


def _stands_alone(paragraph: _Paragraph, others: Sequence[_Paragraph], style: DocumentStyle) -> bool:
    """A single line in a font of its own, away from all other text, as designers set section titles."""
    row, text = paragraph.rows[0], paragraph.rows[0].text.strip()
    if (
        len(paragraph.rows) > 1
        or not 8 <= len(text) <= 90
        or not text[0].isupper()
        or _ENDED.search(text)
        or len(text.split()) < 2
    ):
        return False
    if row.size < 0.85 * style.body_size or row.monospaced or any(line.font in style.body_fonts for line in row.lines):
        return False
    room = 1.5 * style.leading
    box = Box(row.box.left - 2 * room, row.box.top - room, row.box.right + 2 * room, row.box.bottom + room)
    return not any(
        other is not paragraph and box.overlap_x(other.box) > 0 and box.overlap_y(other.box) > 0 for other in others
    )


def _caption_like(text: str) -> bool:
    """'Table 3. Doses' and 'Table 3 Doses' are captions, 'Table 3 shows that' is a sentence."""
    match = _CAPTION.match(text)
    rest = text[match.end() :].lstrip() if match else ""
    return not rest or rest[0] in ".:–—-|" or rest[0].isupper()


def _is_chart_label(region: Region, paragraph: _Paragraph, style: DocumentStyle) -> bool:
    """Loose numbers and small words inside charts are not text anyone reads in order."""
    if region.role in ("table", "caption", "code", "list_item"):
        return False
    text = region.text.strip()
    if not _LETTERS.search(text):
        return True
    small = all(row.size < 0.9 * style.body_size for row in paragraph.rows)
    return small and len(text) < 30 and not _ENDED.search(text) and region.role != "heading"
