"""A document in, blocks out: check the file, let docling convert it, read its document, clean the text."""

import logging
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.blocks import Block, write_blocks
from data.extract.clean import Spelling, clean_blocks
from data.extract.config import ExtractConfig
from data.extract.document import HeadingPath, raw_blocks
from data.extract.errors import CorruptDocument, ExtractError, MissingModels, NoText, PageRangeError
from data.extract.formats import Document, identify, layout_model_converter, markdown_stream, text_converter

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument  # type: ignore[attr-defined]

Progress = Callable[[int, int], None]
"""Called as `progress(done, total)`: pages of a PDF, or 0 and 1 of 1 for a format without pages."""

_OCR_ADVICE = "it looks scanned; reading it needs OCR: pip install 'medcall[pdf-models]' and pass --ocr"


@dataclass(frozen=True)
class ExtractSummary:
    """What an extraction produced. `pages` is None for formats without pages."""

    pages: int | None
    blocks: int
    words: int
    characters: int
    kinds: dict[str, int]
    seconds: float


def extract(path: Path | str, config: ExtractConfig | None = None, progress: Progress | None = None) -> Iterator[Block]:
    """Yield the blocks of a document in reading order.

    The file and the page range are checked at once, before the first block is asked for. Raises an `ExtractError` that
    names the file, what was found and what to do.
    """
    config = config or ExtractConfig()
    document = identify(path)
    first, last = _page_range(document, config)
    return _extract(document, config, first, last, progress or _silent)


def extract_file(
    path: Path | str, output: Path | str, config: ExtractConfig | None = None, progress: Progress | None = None
) -> ExtractSummary:
    """Extract a document to a JSONL file, all or nothing, and say what is in it."""
    started = time.monotonic()
    kinds: Counter[str] = Counter()
    pages: set[int] = set()
    words = characters = 0

    def counted() -> Iterator[Block]:
        nonlocal words, characters
        for block in extract(path, config, progress):
            kinds[block.kind] += 1
            words += len(block.text.split())
            characters += len(block.text)
            if block.page is not None:
                pages.add(block.page)
            yield block

    count = write_blocks(output, counted())
    return ExtractSummary(
        pages=len(pages) or None,
        blocks=count,
        words=words,
        characters=characters,
        kinds=dict(sorted(kinds.items())),
        seconds=time.monotonic() - started,
    )


def _silent(done: int, total: int) -> None:
    """No progress wanted."""


def _page_range(document: Document, config: ExtractConfig) -> tuple[int, int]:
    if document.pages is None:
        if config.pages is not None:
            raise PageRangeError(
                f"{document.path}: pages={config.pages!r} was asked for, "
                f"but {document.format} has no pages; leave it out"
            )
        return 1, 1
    first, last = config.page_range()
    if first > document.pages:
        raise PageRangeError(
            f"{document.path}: pages={config.pages!r} was asked for, but the document ends at page {document.pages}"
        )
    return first, min(last or document.pages, document.pages)


def _extract(document: Document, config: ExtractConfig, first: int, last: int, progress: Progress) -> Iterator[Block]:
    progress(0, last - first + 1)
    path = HeadingPath()
    raw: list[Block] = []
    for converted in _converted(document, config, first, last, progress):
        raw += raw_blocks(converted, path)
    spelling = Spelling.of(block.text for block in raw)
    count = 0
    for block in clean_blocks(
        raw,
        spelling,
        ascii_quotes=config.ascii_quotes,
        drop_duplicates=config.drop_duplicates,
        keep_contents=config.keep_contents,
    ):
        count += 1
        yield block
    if count == 0:
        if document.format == "pdf":
            raise NoText(f"{document.path}: pages {first}-{last} hold no text layer; {_OCR_ADVICE}")
        raise NoText(
            f"{document.path}: no text was found in the {document.format} document; expected at least one paragraph"
        )


def _converted(
    document: Document, config: ExtractConfig, first: int, last: int, progress: Progress
) -> Iterator["DoclingDocument"]:
    if document.format == "pdf" and (config.layout_model or config.ocr):
        converter = layout_model_converter(config, document.path)
        for start in range(first, last + 1, config.chunk_pages):
            stop = min(start + config.chunk_pages - 1, last)
            yield _convert(converter, document, config, page_range=(start, stop))
            progress(stop - first + 1, last - first + 1)
    elif document.format == "pdf":
        from data.extract.pdf import native_converter

        yield _convert(
            native_converter(),
            document,
            config,
            page_range=(first, last),
            on_page=_page_counter(progress, last - first + 1),
        )
    else:
        yield _convert(text_converter(), document, config)
        progress(1, 1)


def _page_counter(progress: Progress, total: int) -> Callable[[Any], None]:
    done = 0

    def on_event(event: Any) -> None:
        nonlocal done
        if event.kind == "page_completed":
            done += 1
            progress(min(done, total), total)

    return on_event


def _convert(
    converter: Any,
    document: Document,
    config: ExtractConfig,
    page_range: tuple[int, int] | None = None,
    on_page: Callable[[Any], None] | None = None,
) -> "DoclingDocument":
    from docling.datamodel.base_models import ConversionStatus, DocumentStream

    source: Any = document.path
    if document.format == "markdown":
        source = DocumentStream(name=f"{document.path.stem}.md", stream=markdown_stream(document.path))
    options: dict[str, Any] = {} if page_range is None else {"page_range": page_range}
    try:
        with _quiet():
            result = converter.convert(source, raises_on_error=True, progress_callback=on_page, **options)
    except (ExtractError, KeyboardInterrupt, MemoryError):
        raise
    except Exception as error:  # docling and its readers raise many kinds; each becomes one that names the file
        raise _translated(error, document, config) from error
    if result.status != ConversionStatus.SUCCESS:
        problems = "; ".join(item.error_message for item in result.errors[:3]) or result.status.value
        raise CorruptDocument(
            f"{document.path}: {len(result.errors)} part(s) could not be converted ({problems}); "
            "repair the file, or leave those pages out with --pages"
        )
    converted: DoclingDocument = result.document
    return converted


def _translated(error: Exception, document: Document, config: ExtractConfig) -> ExtractError:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    if config.layout_model or config.ocr:
        if isinstance(error, ImportError) or "install" in reason.lower():
            return MissingModels(
                f"{document.path}: docling's models are not installed ({reason}); "
                "pip install 'medcall[pdf-models]', or leave out --layout-model"
            )
        return MissingModels(
            f"{document.path}: docling's layout model could not run ({reason}); "
            "its weights come from the model hub on first use. Without a network, fetch them elsewhere with "
            "'docling-tools models download layout tableformer -o FOLDER' and pass --artifacts-path FOLDER, "
            "or leave out --layout-model"
        )
    return CorruptDocument(
        f"{document.path}: the {document.format} document cannot be converted ({reason}); "
        "open and save it again, or fetch it again"
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the converter's own logging and warnings while it works; what matters is raised or in its result."""
    logger = logging.getLogger("docling")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
