"""What a user may choose about an extraction."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

_PAGES = re.compile(r"(\d+)?(-)?(\d+)?")


@dataclass(frozen=True, kw_only=True)
class ExtractConfig:
    """How to turn a document into blocks. The defaults need no model weights and no network."""

    pages: Annotated[str | None, "pages of a PDF to read: '12', '10-20', '10-' or '-20'"] = None
    layout_model: Annotated[bool, "use docling's layout and table models instead of font and geometry"] = False
    table_model: Annotated[bool, "with --layout-model, read tables with docling's table model too"] = True
    artifacts_path: Annotated[
        Path | None, "folder of prefetched docling weights, for --layout-model without a network"
    ] = None
    ocr: Annotated[bool, "read pictures of pages with docling's OCR; implies --layout-model"] = False
    chunk_pages: Annotated[int, "pages converted at a time by the layout model; bounds its memory"] = 50
    ascii_quotes: Annotated[bool, "write curly quotation marks as ' and \", as a user would type them"] = True
    drop_duplicates: Annotated[bool, "drop a paragraph that repeats an earlier one word for word"] = True
    keep_contents: Annotated[bool, "keep table-of-contents and index lines (a title, dots, a page number)"] = False

    def __post_init__(self) -> None:
        if self.chunk_pages < 1:
            raise ValueError(f"chunk_pages={self.chunk_pages} must be at least 1")
        first, last = self.page_range()
        if last is not None and last < first:
            raise ValueError(f"pages={self.pages!r} ends at {last}, before it begins at {first}")

    def page_range(self) -> tuple[int, int | None]:
        """First and last page, counted from 1; a last page of None means the end of the document."""
        if self.pages is None:
            return 1, None
        match = _PAGES.fullmatch(self.pages.replace(" ", ""))
        if match is None or not (match[1] or match[3]):
            raise ValueError(f"pages={self.pages!r} is not a page range; write '12', '10-20', '10-' or '-20'")
        first = int(match[1] or 1)
        last = int(match[3]) if match[3] else None if match[2] else first
        if first < 1 or last == 0:
            raise ValueError(f"pages={self.pages!r} begins before page 1; pages count from 1")
        return first, last
