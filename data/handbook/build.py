"""Typeset the handbook: `python -m data.handbook.build`.

Two justified and hyphenated columns, cover, contents, chapter openings, running heads, ruled tables, numbered
references, outline. The same source gives the same bytes. Needs reportlab, pyphen and matplotlib (for the STIX and
DejaVu fonts it ships, SIL OFL and Bitstream Vera licences): pip install 'medcall[handbook]'.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pyphen
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY, TA_LEFT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    FrameBreak,
    KeepTogether,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)
from reportlab.platypus.tableofcontents import TableOfContents

from data.handbook import CHAPTERS, HANDBOOK_PDF, REFERENCES
from data.handbook.source import Chapter, Element, Handbook, HandbookError, load_handbook, markup, plain, source_hash

TITLE = "A Short Handbook of Clinical Pharmacology"
SUBTITLE = "Dosing, interactions and the patient record"
NOTICE = (
    "Written as training text for medcall, research software that teaches a small language model to call medical "
    "tools. It is not clinical advice and must not be used to treat patients. Its statements name their "
    "sources in the reference list; read those, the current label and local guidance before any decision."
)

INK, ACCENT, GREY = HexColor("#1a1a1a"), HexColor("#174a5b"), HexColor("#666666")
PAGE_WIDTH, PAGE_HEIGHT = 178 * 72 / 25.4, 254 * 72 / 25.4  # a common textbook trim, 178 × 254 mm
LEFT, RIGHT, TOP, BOTTOM, GUTTER = 45.0, 45.0, 62.0, 54.0, 18.0
COLUMN = (PAGE_WIDTH - LEFT - RIGHT - GUTTER) / 2
TEXT_HEIGHT = PAGE_HEIGHT - TOP - BOTTOM
_CELL_PADDING = 6.0  # left and right together, points
OPENING = 118.0  # height of the title block of a chapter's first page

_FONTS = {
    "Text": "STIXGeneral",
    "Text-Bold": "STIXGeneralBol",
    "Text-Italic": "STIXGeneralItalic",
    "Text-BoldItalic": "STIXGeneralBolIta",
    "Sans": "DejaVuSans",
    "Sans-Bold": "DejaVuSans-Bold",
    "Sans-Italic": "DejaVuSans-Oblique",
    "Sans-BoldItalic": "DejaVuSans-BoldOblique",
}


def register_fonts() -> None:
    """Make matplotlib's STIX and DejaVu fonts known to reportlab; both hold the symbols the text needs."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name, file in _FONTS.items():
        pdfmetrics.registerFont(TTFont(name, folder / f"{file}.ttf"))
    for family in ("Text", "Sans"):
        pdfmetrics.registerFontFamily(
            family, normal=family, bold=f"{family}-Bold", italic=f"{family}-Italic", boldItalic=f"{family}-BoldItalic"
        )


def _style(name: str, **options: Any) -> ParagraphStyle:
    defaults = {"fontName": "Text", "fontSize": 10, "leading": 13, "textColor": INK, "alignment": TA_LEFT}
    return ParagraphStyle(name, **{**defaults, **options})


_PATTERNS = pyphen.Pyphen(lang="en_US", left=3, right=3)


def _break_points(word: str) -> Iterator[tuple[str, str]]:
    """Where a word may be broken with a hyphen. Compounds stay whole.

    reportlab loses the hyphen of a compound broken at it when the paragraph is later split between two columns.
    """
    return iter(()) if "-" in word else _PATTERNS.iterate(word)


_HYPHENATED = {
    "alignment": TA_JUSTIFY,
    "hyphenationLang": _break_points,
    "embeddedHyphenation": 0,
    "hyphenationMinWordLength": 6,
}
STYLES = {
    style.name: style
    for style in (
        _style("paragraph", spaceAfter=5.5, allowWidows=0, allowOrphans=0, **_HYPHENATED),
        _style(
            "bullet",
            leftIndent=12,
            bulletIndent=2,
            bulletFontName="Text",
            bulletFontSize=10,
            spaceAfter=3,
            **_HYPHENATED,
        ),
        _style(
            "number",
            leftIndent=16,
            bulletIndent=0,
            bulletFontName="Text",
            bulletFontSize=10,
            spaceAfter=3,
            **_HYPHENATED,
        ),
        _style(
            "heading2",
            fontName="Sans-Bold",
            fontSize=11.5,
            leading=14.5,
            spaceBefore=10,
            spaceAfter=4,
            textColor=ACCENT,
            keepWithNext=1,
        ),
        _style(
            "heading3",
            fontName="Sans-Bold",
            fontSize=9,
            leading=12,
            spaceBefore=7,
            spaceAfter=3,
            textColor=INK,
            keepWithNext=1,
        ),
        _style(
            "caption",
            fontName="Sans-Bold",
            fontSize=7.5,
            leading=9.5,
            spaceBefore=6,
            spaceAfter=3,
            textColor=ACCENT,
            keepWithNext=1,
        ),
        _style("cell", fontName="Sans", fontSize=6.8, leading=8.6),
        _style("head", fontName="Sans-Bold", fontSize=6.8, leading=8.6),
        _style(
            "reference",
            fontSize=8.5,
            leading=10.6,
            leftIndent=19,
            bulletIndent=0,
            bulletFontName="Text",
            bulletFontSize=8.5,
            spaceAfter=2.5,
        ),
        _style("opening", fontName="Sans-Bold", fontSize=21, leading=25, textColor=ACCENT),
        _style("chapter", fontName="Sans", fontSize=9.5, leading=14, textColor=GREY),
        _style("title", fontName="Sans-Bold", fontSize=27, leading=34, textColor=ACCENT),
        _style("subtitle", fontName="Sans", fontSize=13, leading=18, textColor=GREY),
        _style("notice", fontSize=9.5, leading=12.5, alignment=TA_LEFT, textColor=GREY),
        _style("contents1", fontName="Text-Bold", fontSize=9.5, leading=12, spaceBefore=4, rightIndent=22),
        _style("contents2", fontSize=8.5, leading=10.4, leftIndent=12, rightIndent=22),
        _style(
            "contents-head",
            fontName="Sans-Bold",
            fontSize=21,
            leading=25,
            textColor=ACCENT,
            alignment=TA_LEFT,
            spaceAfter=14,
        ),
        _style("centre", alignment=TA_CENTER),
    )
}


class Handbooklet(BaseDocTemplate):  # type: ignore[misc]  # reportlab has no types
    """The document template: page layouts, running heads, and the outline and contents gathered on the way."""

    def __init__(self, target: BytesIO, digest: str) -> None:
        super().__init__(
            target,
            pagesize=(PAGE_WIDTH, PAGE_HEIGHT),
            title=TITLE,
            author="The medcall authors",
            subject=f"source sha256 {digest}",
            keywords="clinical pharmacology, dosing, drug interactions",
            creator="medcall data.handbook.build",
            invariant=1,
        )
        self.running_head = ""
        full = Frame(LEFT, BOTTOM, PAGE_WIDTH - LEFT - RIGHT, TEXT_HEIGHT, 0, 0, 0, 0, id="full")
        columns = [_column(number, TEXT_HEIGHT) for number in (0, 1)]
        title = Frame(
            LEFT, PAGE_HEIGHT - TOP - OPENING + 22, PAGE_WIDTH - LEFT - RIGHT, OPENING - 10, 0, 0, 0, 0, id="title"
        )
        head = Frame(LEFT, PAGE_HEIGHT - TOP - 40, PAGE_WIDTH - LEFT - RIGHT, 40, 0, 0, 0, 0, id="head")
        list_columns = [_column(number, TEXT_HEIGHT - 50) for number in (0, 1)]
        below = [_column(number, TEXT_HEIGHT - OPENING) for number in (0, 1)]
        self.addPageTemplates(
            [
                PageTemplate("cover", [full], onPage=_cover_page),
                PageTemplate("contents", [head, *list_columns], onPageEnd=_folio),
                PageTemplate("contents-more", columns, onPageEnd=_folio),
                PageTemplate("opening", [title, *below], onPageEnd=_opening_page),
                PageTemplate("body", columns, onPageEnd=self._body_page),
            ]
        )

    def _body_page(self, canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont("Sans", 7.5)
        canvas.setFillColor(GREY)
        y = PAGE_HEIGHT - TOP + 20
        if document.page % 2:
            canvas.drawRightString(PAGE_WIDTH - RIGHT, y, self.running_head)
        else:
            canvas.drawString(LEFT, y, TITLE)
        canvas.setStrokeColor(GREY)
        canvas.setLineWidth(0.4)
        canvas.line(LEFT, y - 5, PAGE_WIDTH - RIGHT, y - 5)
        canvas.restoreState()
        _folio(canvas, document)

    def afterFlowable(self, flowable: Flowable) -> None:
        entry = getattr(flowable, "outline", None)
        if entry is None:
            return
        level, text, key = entry
        self.canv.bookmarkPage(key)
        self.canv.addOutlineEntry(text, key, level=level, closed=level == 0)
        if level == 0:
            self.running_head = text
        if level <= 1:
            self.notify("TOCEntry", (level, text, self.page, key))


def _column(number: int, height: float) -> Frame:
    return Frame(LEFT + number * (COLUMN + GUTTER), BOTTOM, COLUMN, height, 0, 0, 0, 0, id=f"column{number}")


def _cover_page(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFillColor(ACCENT)
    canvas.rect(0, PAGE_HEIGHT - 150, PAGE_WIDTH, 150, stroke=0, fill=1)
    canvas.rect(0, 0, PAGE_WIDTH, 14, stroke=0, fill=1)
    canvas.restoreState()


def _opening_page(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setStrokeColor(ACCENT)
    canvas.setLineWidth(1.2)
    y = PAGE_HEIGHT - TOP - OPENING + 16
    canvas.line(LEFT, y, PAGE_WIDTH - RIGHT, y)
    canvas.restoreState()
    _folio(canvas, document)


def _folio(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFont("Sans", 8)
    canvas.setFillColor(GREY)
    canvas.drawCentredString(PAGE_WIDTH / 2, BOTTOM - 26, str(document.page))
    canvas.restoreState()


def _story(handbook: Handbook) -> Iterator[Flowable]:
    yield Spacer(1, 130)
    yield Paragraph(TITLE, STYLES["title"])
    yield Spacer(1, 12)
    yield Paragraph(SUBTITLE, STYLES["subtitle"])
    yield Spacer(1, 220)
    yield Paragraph(NOTICE, STYLES["notice"])
    yield NextPageTemplate("contents")
    yield PageBreak()
    yield NextPageTemplate("contents-more")
    yield Paragraph("Contents", STYLES["contents-head"])
    yield FrameBreak()
    contents = TableOfContents(dotsMinLevel=0, levelStyles=[STYLES["contents1"], STYLES["contents2"]])
    contents.tableStyle = TableStyle(
        [(edge, (0, 0), (-1, -1), 0) for edge in ("LEFTPADDING", "RIGHTPADDING", "TOPPADDING", "BOTTOMPADDING")]
    )
    yield contents
    for number, chapter in enumerate(handbook.chapters, start=1):
        yield from _opening(f"Chapter {number}", chapter.title, f"c{number}")
        yield from _chapter(chapter, number)
    yield from _opening("Sources", "References", "references")
    for number, reference in enumerate(handbook.references, start=1):
        yield Paragraph(markup(reference), STYLES["reference"], bulletText=f"{number}.")


def _opening(label: str, title: str, key: str) -> Iterator[Flowable]:
    yield NextPageTemplate("opening")
    yield PageBreak()
    yield NextPageTemplate("body")
    yield Paragraph(label, STYLES["chapter"])
    heading = Paragraph(markup(title), STYLES["opening"])
    heading.outline = (0, plain(title) if key == "references" else f"{label[8:]}. {plain(title)}", key)
    yield heading
    yield FrameBreak()


def _chapter(chapter: Chapter, number: int) -> Iterator[Flowable]:
    tables = sections = 0
    for element in chapter.elements:
        if element.kind == "table":
            tables += 1
            yield from _table(element, f"Table {number}.{tables}. ")
        elif element.kind in ("heading2", "heading3"):
            sections += 1
            heading = Paragraph(markup(element.text), STYLES[element.kind])
            heading.outline = (1 if element.kind == "heading2" else 2, plain(element.text), f"c{number}s{sections}")
            yield heading
        elif element.kind in ("bullet", "number"):
            bullet = "•" if element.kind == "bullet" else f"{element.number}."
            yield Paragraph(markup(element.text), STYLES[element.kind], bulletText=bullet)
        else:
            yield Paragraph(markup(element.text), STYLES["paragraph"])


def _table(element: Element, label: str) -> Iterator[Flowable]:
    header, *body = element.rows
    size, widths = _fitted(element.rows)
    head, cell = (ParagraphStyle(name, STYLES[name], fontSize=size, leading=1.26 * size) for name in ("head", "cell"))
    cells = [[Paragraph(markup(text), head) for text in header]]
    cells += [[Paragraph(markup(text), cell) for text in row] for row in body]
    rules = TableStyle(
        [
            ("LINEABOVE", (0, 0), (-1, 0), 0.9, INK),
            ("LINEBELOW", (0, 0), (-1, 0), 0.5, INK),
            ("LINEBELOW", (0, 1), (-1, -2), 0.25, GREY),
            ("LINEBELOW", (0, -1), (-1, -1), 0.9, INK),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0.3 * _CELL_PADDING),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0.7 * _CELL_PADDING),
            ("TOPPADDING", (0, 0), (-1, -1), 2.2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
        ]
    )
    caption = Paragraph(markup(label + element.text), STYLES["caption"])
    table = Table(cells, colWidths=widths, repeatRows=1, style=rules, spaceAfter=9)
    if len(body) <= 14:
        yield KeepTogether([caption, table])
    else:
        yield caption
        yield table


def _fitted(rows: Sequence[Sequence[str]]) -> tuple[float, list[float]]:
    """The type size and column widths in points at which no word of the table is broken.

    Each column has room for its longest word; what is left is shared by how much text the columns hold.
    """
    for size in (6.8, 6.5, 6.2, 5.9, 5.6, 5.3):
        longest, amount = [], []
        for column in zip(*rows, strict=True):
            words = [
                (word, "Sans-Bold" if number == 0 else "Sans")
                for number, cell in enumerate(column)
                for word in plain(cell).split()
            ]
            longest.append(max(pdfmetrics.stringWidth(word, font, size) for word, font in words) + _CELL_PADDING + 0.2)
            amount.append(max(pdfmetrics.stringWidth(plain(cell), "Sans", size) for cell in column) ** 0.75)
        spare = COLUMN - sum(longest)
        if spare >= 0:
            return size, [width + spare * share / sum(amount) for width, share in zip(longest, amount, strict=True)]
    raise HandbookError(
        f"the table with the header {list(rows[0])} does not fit a column of {COLUMN:.0f} pt; shorten its longest words"
    )


def build(target: Path = HANDBOOK_PDF, chapters: Path = CHAPTERS, references: Path = REFERENCES) -> int:
    """Typeset the source and write the PDF, all or nothing. Returns the number of pages."""
    handbook = load_handbook(chapters, references)
    register_fonts()
    buffer = BytesIO()
    document = Handbooklet(buffer, source_hash(chapters, references))
    document.multiBuild(list(_story(handbook)))
    temporary = target.with_name(f".{target.name}.partial")
    try:
        temporary.write_bytes(buffer.getvalue())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return int(document.page)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m data.handbook.build", description="Typeset the built-in handbook.")
    parser.add_argument(
        "-o", "--output", type=Path, default=HANDBOOK_PDF, help="the PDF to write (default: the committed one)"
    )
    options = parser.parse_args(arguments)
    pages = build(options.output)
    print(f"{options.output}: {pages} pages, {options.output.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
