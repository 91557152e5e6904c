"""Documents to blocks: `for block in extract("textbook.pdf"): ...`.

docling converts PDF, Markdown, HTML, Word, PowerPoint and EPUB; the default PDF path needs no model weights.
"""

from data.extract.config import ExtractConfig
from data.extract.errors import (
    CorruptDocument,
    EncryptedDocument,
    ExtractError,
    MissingDocument,
    MissingModels,
    NoText,
    PageRangeError,
    UnsupportedFormat,
)
from data.extract.pipeline import ExtractSummary, Progress, extract, extract_file

__all__ = [
    "CorruptDocument",
    "EncryptedDocument",
    "ExtractConfig",
    "ExtractError",
    "ExtractSummary",
    "MissingDocument",
    "MissingModels",
    "NoText",
    "PageRangeError",
    "Progress",
    "UnsupportedFormat",
    "extract",
    "extract_file",
]
