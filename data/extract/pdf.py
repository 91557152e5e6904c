"""PDF to a docling document without model weights: docling parses, orders and assembles; the layout is ours.

docling's own `NativePdfPipeline` needs no weights either, but gives one item per printed line. This subclass keeps each
page only as the lines and strokes that `layout.py` reads, so memory does not grow with the parsed pages, lays out the
whole document with document-wide statistics, and hands the regions to docling's later stages: reading order with
merging across columns and pages, and heading levels from the PDF's outline.

These stages are internals of docling 2.143; the requirement pins that minor version and the tests hold what is used.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from docling.backend.docling_parse_backend import ThreadedDoclingParseDocumentBackend
from docling.backend.pdf_backend import PdfDocumentBackend, PdfPageBackend
from docling.datamodel.backend_options import ThreadedDoclingParseBackendOptions
from docling.datamodel.base_models import AssembledUnit, Cluster, InputFormat, PageElement, Table, TextElement
from docling.datamodel.base_models import Page as DoclingPage
from docling.datamodel.document import ConversionResult
from docling.datamodel.pipeline_options import HeadingHierarchyOptions, NativePdfPipelineOptions
from docling.document_converter import DocumentConverter, PdfFormatOption
from docling.models.postprocessing.reading_order_rb import PageElement as OrderedElement
from docling.models.postprocessing.reading_order_rb import ReadingOrderPredictor, SeparatorElement
from docling.models.stages.heading_hierarchy.heading_hierarchy_model import HeadingHierarchyModel
from docling.models.stages.reading_order.readingorder_model import ReadingOrderModel, ReadingOrderOptions
from docling.pipeline.native_pdf_pipeline import NativePdfPipeline
from docling_core.types.doc import (  # type: ignore[attr-defined]  # docling re-exports them without saying so
    BoundingBox,
    DocItemLabel,
    DoclingDocument,
    SectionHeaderItem,
    TableCell,
)
from docling_core.types.doc.page import PdfTextCell, TextCell

from data.extract.clean import Spelling
from data.extract.layout import Region, Role, lay_out
from data.extract.order import reading_order
from data.extract.page import Box, Line, Page, Word
from data.extract.style import DocumentStyle, document_style, looks_bold

_LABELS: Mapping[Role, DocItemLabel] = {
    "heading": DocItemLabel.SECTION_HEADER,
    "text": DocItemLabel.TEXT,
    "list_item": DocItemLabel.LIST_ITEM,
    "caption": DocItemLabel.CAPTION,
    "code": DocItemLabel.CODE,
    "table": DocItemLabel.TABLE,
    "page_header": DocItemLabel.PAGE_HEADER,
    "page_footer": DocItemLabel.PAGE_FOOTER,
}
_SUBSET = re.compile(r"^/?(?:[A-Z]{6}\+)?")
_TABLE_RULE = 30.0  # points; a page with three strokes this long may hold a table, whose words we then keep
_SIZE_TOLERANCE = 0.06  # heading sizes closer than this share are one size: boxes differ a little with the letters


def native_converter() -> DocumentConverter:
    """A docling converter for PDFs that needs no weights."""
    options = NativePdfPipelineOptions(generate_page_images=False, generate_picture_images=False)
    # docling-parse delivers strokes only when it renders; the smallest picture will do.
    backend_options = ThreadedDoclingParseBackendOptions.model_validate(
        {"parser_threads": 1, "render_pages": True, "render_scale": 0.05, "release_native_memory_every_n_pages": 32}
    )
    return DocumentConverter(
        allowed_formats=[InputFormat.PDF],
        format_options={
            InputFormat.PDF: PdfFormatOption(
                pipeline_cls=StructuredPdfPipeline,
                pipeline_options=options,
                backend=ThreadedDoclingParseDocumentBackend,
                backend_options=backend_options,
            )
        },
    )


class SlimPage(DoclingPage):
    """docling's page with the lines and strokes we keep instead of its parsed cells."""

    content: Page


class ColumnOrder(ReadingOrderPredictor):
    """docling's predictor of captions, footnotes and merged paragraphs, with the order of a page from `order.py`.

    docling's own order takes two paragraphs that start side by side in two columns for one row, and reads across.
    """

    def predict_reading_order(
        self, page_elements: list[OrderedElement], page_separators: list[SeparatorElement] | None = None
    ) -> list[OrderedElement]:
        ordered: list[OrderedElement] = []
        for page_no in sorted({element.page_no for element in page_elements}):
            here = [element for element in page_elements if element.page_no == page_no]
            furniture = [
                element for element in here if element.label in (DocItemLabel.PAGE_HEADER, DocItemLabel.PAGE_FOOTER)
            ]
            body = [element for element in here if element not in furniture]
            height = here[0].page_size.height
            boxes = [Box(element.l, height - element.t, element.r, height - element.b) for element in body]
            ordered += furniture + [body[index] for index in reading_order(boxes)]
        return ordered


class StructuredPdfPipeline(NativePdfPipeline):
    """docling's native PDF pipeline with structure: headings, paragraphs, lists, tables, reading order."""

    def __init__(self, pipeline_options: NativePdfPipelineOptions) -> None:
        super().__init__(pipeline_options)
        self.reading_order = ReadingOrderModel(options=ReadingOrderOptions(use_page_separators=False))
        self.reading_order.ro_model = ColumnOrder()  # type: ignore[no-untyped-call]
        self.outline_levels = HeadingHierarchyModel(
            options=HeadingHierarchyOptions(enabled=True, use_bookmarks=True, use_numbering=False, use_style=False)
        )

    def _build_document(self, conv_res: ConversionResult) -> ConversionResult:
        backend = conv_res.input._backend
        if isinstance(backend, PdfDocumentBackend):
            conv_res._pdf_outline = backend.get_document_outline()
        return super()._build_document(conv_res)

    def _parse_page(self, timings: Any, conv_res: ConversionResult, page_backend: PdfPageBackend) -> DoclingPage | None:
        page = super()._parse_page(timings, conv_res, page_backend)
        if page is None:
            return None
        return SlimPage(
            page_no=page.page_no, size=page.size, content=_content(page, page_backend.get_shape_lines() or [])
        )

    def _assemble_document(self, conv_res: ConversionResult) -> ConversionResult:
        pages = [page for page in conv_res.pages if isinstance(page, SlimPage)]
        style = document_style([page.content for page in pages])
        spelling = Spelling.of(line.text for page in pages for line in page.content.lines)
        regions = {page.page_no: lay_out(page.content, style, spelling) for page in pages}
        elements = [element for page in pages for element in _elements(page, regions[page.page_no])]
        conv_res.assembled = AssembledUnit(elements=elements, body=elements, headers=[])
        conv_res.document = self.reading_order(conv_res)
        _assign_levels(conv_res, regions, style, self.outline_levels)
        return conv_res


def _content(page: DoclingPage, strokes: Sequence[BoundingBox]) -> Page:
    assert page.size is not None and page.parsed_page is not None
    height = page.size.height
    rules = tuple(Box(box.l, min(box.t, box.b), box.r, max(box.t, box.b)) for box in strokes)
    cells = [(cell.text, _place(cell, height), _font(cell), cell) for cell in page.parsed_page.textline_cells]
    cells = [cell for cell in cells if cell[0].strip()]
    usual = median([place.height for _, place, _, _ in cells]) if cells else 0.0
    tabular = sum(rule.width > _TABLE_RULE for rule in rules) >= 3
    closer = [tabular or looks_bold(font) or place.height > 1.1 * usual for _, place, font, _ in cells]
    words: list[tuple[Word, str]] = []
    if any(closer):
        words = [(Word(cell.text, _place(cell, height)), _font(cell)) for cell in page.parsed_page.word_cells]
        words.sort(key=lambda item: item[0].box.left)
    lines = []
    for (text, place, font, cell), look in zip(cells, closer, strict=True):
        inside = [item for item in words if place.holds(item[0].box, slack=0.5)] if look else []
        angle = cell.rect.angle_360 % 360
        upright = min(angle, 360 - angle) < 10
        if inside and upright:
            font, place = _of_words(inside, place)
        lines.append(Line(text, place, font, upright, tuple(word for word, _ in inside) if tabular else ()))
    return Page(page.page_no, page.size.width, height, tuple(lines), rules, len(page.parsed_page.bitmap_resources))


def _of_words(words: Sequence[tuple[Word, str]], place: Box) -> tuple[str, Box]:
    """The font and the height that most of a line has.

    The parser gives a line the font it opens in, bold for a bold run before plain text, and the height of its tallest
    glyph, which one symbol from another font can double.
    """
    letters: Counter[str] = Counter()
    for word, name in words:
        letters[name] += len(word.text)
    tops = sorted(word.box.top for word, _ in words for _ in word.text)
    bottoms = sorted(word.box.bottom for word, _ in words for _ in word.text)
    middle = len(tops) // 2
    return letters.most_common(1)[0][0], Box(place.left, tops[middle], place.right, bottoms[middle])


def _place(cell: TextCell, height: float) -> Box:
    box = cell.rect.to_bounding_box().to_top_left_origin(height)
    return Box(box.l, box.t, box.r, box.b)


def _font(cell: TextCell) -> str:
    """The font's name without the prefix of its subset: a document may hold several subsets of one font."""
    return _SUBSET.sub("", cell.font_name) if isinstance(cell, PdfTextCell) else ""


def _elements(page: SlimPage, regions: Sequence[Region]) -> list[PageElement]:
    elements: list[PageElement] = []
    for number, region in enumerate(regions):
        label = _LABELS[region.role]
        box = BoundingBox(l=region.box.left, t=region.box.top, r=region.box.right, b=region.box.bottom)
        cluster = Cluster(id=number, label=label, bbox=box)
        if region.role == "table":
            elements.append(_table(page.page_no, number, cluster, region))
        else:
            elements.append(
                TextElement(label=label, id=number, page_no=page.page_no, cluster=cluster, text=region.text)
            )
    return elements


def _table(page_no: int, number: int, cluster: Cluster, region: Region) -> Table:
    cells = [
        TableCell(
            text=text,
            start_row_offset_idx=row,
            end_row_offset_idx=row + 1,
            start_col_offset_idx=column,
            end_col_offset_idx=column + 1,
            column_header=row == 0,
        )
        for row, cells_of_row in enumerate(region.rows)
        for column, text in enumerate(cells_of_row)
    ]
    return Table(
        label=DocItemLabel.TABLE,
        id=number,
        page_no=page_no,
        cluster=cluster,
        otsl_seq=[],
        num_rows=len(region.rows),
        num_cols=len(region.rows[0]),
        table_cells=cells,
    )


def _assign_levels(
    conv_res: ConversionResult,
    regions: Mapping[int, Sequence[Region]],
    style: DocumentStyle,
    outline_levels: HeadingHierarchyModel,
) -> None:
    """Levels of headings: from the PDF's outline where it names them, otherwise by how large and heavy they are.

    Where the outline names some headings of a style, the others of that style take the level it gives most often.
    """
    document: DoclingDocument = conv_res.document
    styles = {
        (page_no, round(region.box.left), round(region.box.top)): (region.size, region.bold)
        for page_no, page_regions in regions.items()
        for region in page_regions
        if region.role == "heading"
    }
    heights = {page.page_no: page.size.height for page in conv_res.pages if page.size is not None}
    ranks = _style_ranks(list(styles.values()))
    own: dict[int, int] = {}
    for item in document.texts:
        if isinstance(item, SectionHeaderItem) and item.prov:
            place = item.prov[0]
            box = place.bbox.to_top_left_origin(heights[place.page_no])
            own[id(item)] = ranks.get(
                styles.get((place.page_no, round(box.l), round(box.t)), (0.0, False)), len(set(ranks.values())) or 1
            )
            item.level = _UNSET
    conv_res.document = outline_levels(conv_res)
    given: dict[int, Counter[int]] = {}
    for item in document.texts:
        if isinstance(item, SectionHeaderItem) and item.level != _UNSET:
            given.setdefault(own.get(id(item), 0), Counter())[item.level] += 1
    level_of = _levels(sorted(set(ranks.values())), given)
    for item in document.texts:
        if isinstance(item, SectionHeaderItem) and item.level == _UNSET:
            item.level = level_of[own[id(item)]]


_UNSET = 100  # docling's own largest heading level; no outline reaches it


def _style_ranks(styles: Sequence[tuple[float, bool]]) -> dict[tuple[float, bool], int]:
    """Rank heading styles from 1, larger before smaller, bold before regular at one size."""
    merged: dict[float, int] = {}
    group, previous = 0, None
    for size in sorted({size for size, _ in styles}, reverse=True):
        if previous is not None and previous - size > _SIZE_TOLERANCE * previous:
            group += 1
        merged[size], previous = group, size
    keys = sorted({(merged[size], not bold) for size, bold in styles})
    return {(size, bold): keys.index((merged[size], not bold)) + 1 for size, bold in styles}


def _levels(ranks: Sequence[int], given: Mapping[int, Counter[int]]) -> dict[int, int]:
    """A level for each rank: the outline's where it has spoken, else one below the rank above it."""
    levels: dict[int, int] = {}
    deepest = 0
    for rank in ranks:
        levels[rank] = given[rank].most_common(1)[0][0] if rank in given else min(deepest + 1, 6)
        deepest = max(deepest, levels[rank])
    return levels
