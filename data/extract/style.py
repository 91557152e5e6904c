"""Document-wide statistics: which type is the body's, how far apart its lines stand, what repeats on every page.

No single page can tell a running head from a heading, or a bold label from bold text. A whole document can.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from data.extract.page import Line, Page

Side = Literal["top", "bottom"]

_BOLD = re.compile(r"bold|black|heavy|semib|demi|cmbx|cmssbx|sfbx|impact|[-,]b[ix]?\b", re.IGNORECASE)
_MONO = re.compile(r"mono|courier|consol|cmtt|sftt|typewriter", re.IGNORECASE)
_PAGE_NUMBER = re.compile(
    r"(?:page\s+)?(?:\d{1,4}|[ivxlc]{1,7}|[a-z]{1,3}-\d{1,3}|\d{1,2}-\d{1,3})(?:\s+of\s+\d{1,4})?", re.IGNORECASE
)
_WORDLIKE = re.compile(r"[^\W\d_]{4}")
_NUMBERS = re.compile(r"\d+|\b[ivxlc]+\b", re.IGNORECASE)

_MARGIN = 0.12  # share of the page height in which running heads live
_REPEATS = 3  # a line seen in the margin of this many pages is a running head
_BAND_SHARE = 0.5  # share of pages on which a detached top or bottom line makes that height a band of heads


def looks_bold(font: str) -> bool:
    """Whether a font's name says that it is heavy."""
    return _BOLD.search(font) is not None


@dataclass(frozen=True)
class DocumentStyle:
    """What is usual in this document.

    `body_size` is the usual height of a line's box and `leading` the usual distance from one line to the next, both in
    points; `body_fonts` carry most of the text.
    """

    body_size: float
    leading: float
    body_fonts: frozenset[str]
    pages: int
    repeated: frozenset[tuple[Side, str]] = field(default_factory=frozenset)
    bands: frozenset[tuple[Side, int]] = field(default_factory=frozenset)

    def is_bold(self, line: Line) -> bool:
        return line.font not in self.body_fonts and looks_bold(line.font)

    def is_monospaced(self, line: Line) -> bool:
        return _MONO.search(line.font) is not None and line.font not in self.body_fonts

    def furniture(self, page: Page) -> set[int]:
        """Indices of the lines of a page that are running heads, feet or page numbers."""
        found = set()
        detached = set(_detached(page))
        for index, line in enumerate(page.lines):
            side = _margin_side(page, line)
            if side is None:
                continue
            height = line.box.height / self.body_size
            is_number = _PAGE_NUMBER.fullmatch(line.text.strip()) is not None and height < 1.6
            in_band = index in detached and height < 1.3 and _band(line, side) in self.bands
            if is_number or in_band or (side, _key(line)) in self.repeated:
                found.add(index)
        return found


def document_style(pages: Sequence[Page]) -> DocumentStyle:
    """Measure a document; pages without text are welcome."""
    sizes: Counter[float] = Counter()
    fonts: Counter[str] = Counter()
    repeated: Counter[tuple[Side, str]] = Counter()
    bands: Counter[tuple[Side, int]] = Counter()
    for page in pages:
        for line in page.lines:
            if line.upright:
                sizes[round(line.box.height * 2) / 2] += len(line.text)
        repeated.update({(side, _key(line)) for line in page.lines if (side := _margin_side(page, line))})
        bands.update({_band(page.lines[index], side) for index, side in _detached_sides(page)})
    body_size = sizes.most_common(1)[0][0] if sizes else 10.0
    for page in pages:
        for line in page.lines:
            if line.upright and abs(line.box.height - body_size) <= 0.15 * body_size:
                fonts[line.font] += len(line.text)
    total = fonts.total()
    return DocumentStyle(
        body_size=body_size,
        leading=_leading(pages, body_size),
        body_fonts=frozenset(font for font, n in fonts.items() if n >= 0.3 * total),
        pages=len(pages),
        repeated=frozenset(key for key, n in repeated.items() if n >= _REPEATS and _WORDLIKE.search(key[1])),
        bands=frozenset(band for band, n in bands.items() if len(pages) >= 6 and n >= _BAND_SHARE * len(pages)),
    )


def _leading(pages: Sequence[Page], body_size: float) -> float:
    """The most common distance between the tops of a body line and the next one below it in its column."""
    distances: Counter[float] = Counter()
    for page in pages:
        body = [
            line.box for line in page.lines if line.upright and abs(line.box.height - body_size) <= 0.15 * body_size
        ]
        body.sort(key=lambda box: (round(box.left), box.top))
        for above, below in itertools.pairwise(body):
            distance = below.top - above.top
            if abs(above.left - below.left) < 2 and 0.8 * body_size < distance < 3 * body_size:
                distances[round(distance * 2) / 2] += 1
    return distances.most_common(1)[0][0] if distances else 1.25 * body_size


def _margin_side(page: Page, line: Line) -> Side | None:
    if line.box.bottom < _MARGIN * page.height:
        return "top"
    if line.box.top > (1 - _MARGIN) * page.height:
        return "bottom"
    return None


def _key(line: Line) -> str:
    """The text with its numbers masked, so that 'Chapter 3 · 41' and 'Chapter 3 · 42' are one running head."""
    return _NUMBERS.sub("#", " ".join(line.text.lower().split()))


def _band(line: Line, side: Side) -> tuple[Side, int]:
    return side, round(line.box.middle / 4)


def _detached_sides(page: Page) -> Iterator[tuple[int, Side]]:
    """The first and the last row of a page, where they stand in the margin and apart from the text."""
    if len(page.lines) < 4:
        return
    order = sorted(range(len(page.lines)), key=lambda index: page.lines[index].box.top)
    first, last = page.lines[order[0]].box, page.lines[order[-1]].box
    for index in order:
        box = page.lines[index].box
        if box.overlap_y(first) > 0 and _margin_side(page, page.lines[index]) == "top":
            below = [page.lines[other].box.top for other in order if page.lines[other].box.top > first.bottom]
            if below and min(below) - first.bottom > 0.8 * first.height:
                yield index, "top"
        if box.overlap_y(last) > 0 and _margin_side(page, page.lines[index]) == "bottom":
            above = [page.lines[other].box.bottom for other in order if page.lines[other].box.bottom < last.top]
            if above and last.top - max(above) > 0.8 * last.height:
                yield index, "bottom"


def _detached(page: Page) -> Iterator[int]:
    return (index for index, _ in _detached_sides(page))
