"""Which files can be read, what proves that a file is what its name says, and a docling converter for each."""

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from data.extract.errors import (
    CorruptDocument,
    EncryptedDocument,
    MissingDocument,
    MissingModels,
    NoText,
    UnsupportedFormat,
)

if TYPE_CHECKING:
    from docling.document_converter import DocumentConverter

    from data.extract.config import ExtractConfig

FormatName = Literal["pdf", "markdown", "html", "docx", "pptx", "epub"]

SUFFIXES: dict[str, FormatName] = {
    ".pdf": "pdf",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".docx": "docx",
    ".pptx": "pptx",
    ".epub": "epub",
}
_ZIP_MEMBER: dict[FormatName, str] = {
    "docx": "word/document.xml",
    "pptx": "ppt/presentation.xml",
    "epub": "META-INF/container.xml",
}
_EMPHASIS = re.compile(r"(?<![\w*_\\])(\*{1,3}|_{1,3})(?=[^\s*_])(.+?)(?<=[^\s*_\\])\1(?![\w*_])")
_EMPHASIS_STARS = re.compile(r"(?<!\\)(\*{1,3})(?=[^\s*])([^*\n]+?)(?<=[^\s*\\])\1")
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")


@dataclass(frozen=True)
class Document:
    """A file that has passed the first look: its format, and its number of pages where it has pages."""

    path: Path
    format: FormatName
    pages: int | None = None


def identify(path: Path | str) -> Document:
    """Look at a file before any reader does, and refuse what no reader could read."""
    source = Path(path)
    kinds = ", ".join(sorted(SUFFIXES))
    if source.is_dir():
        raise MissingDocument(f"{source}: is a folder; give one document ({kinds})")
    try:
        with source.open("rb") as stream:
            head = stream.read(1024)
            size = stream.seek(0, 2)
    except FileNotFoundError as error:
        raise MissingDocument(f"{source}: no such file; give the path of a document ({kinds})") from error
    except OSError as error:
        raise MissingDocument(f"{source}: cannot be read ({error.strerror}); check the file's permissions") from error
    name = SUFFIXES.get(source.suffix.lower())
    if name is None:
        raise UnsupportedFormat(
            f"{source}: the suffix {source.suffix!r} is not one that can be read; expected one of {kinds}"
        )
    if size == 0:
        raise NoText(f"{source}: the file is empty (0 bytes); check that it was copied or downloaded completely")
    if name == "pdf":
        return Document(source, name, _check_pdf(source, head))
    if name in _ZIP_MEMBER:
        _check_zip(source, name, head)
    elif b"\x00" in head:
        raise UnsupportedFormat(
            f"{source}: named {source.suffix} but holds binary data (starts {head[:8]!r}); expected text in UTF-8"
        )
    return Document(source, name)


def _check_pdf(source: Path, head: bytes) -> int:
    import pypdfium2  # type: ignore[import-untyped]

    if b"%PDF-" not in head:
        raise UnsupportedFormat(f"{source}: not a PDF; a PDF begins with '%PDF-', this file begins with {head[:16]!r}")
    try:
        pdf = pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise EncryptedDocument(
                f"{source}: the PDF is encrypted and asks for a password; save a copy without one "
                "(for example with 'qpdf --decrypt') and extract that"
            ) from error
        raise CorruptDocument(
            f"{source}: the PDF cannot be parsed ({error}); it may be cut short, "
            "fetch it again or repair it (for example with 'qpdf')"
        ) from error
    try:
        pages = len(pdf)
    finally:
        pdf.close()
    if pages == 0:
        raise NoText(f"{source}: the PDF has no pages; expected at least one")
    return pages


def _check_zip(source: Path, name: FormatName, head: bytes) -> None:
    if not head.startswith(b"PK"):
        raise UnsupportedFormat(
            f"{source}: not a {name} file; one begins with b'PK' (a zip archive), this one begins with {head[:8]!r}"
        )
    try:
        with zipfile.ZipFile(source) as archive:
            members = set(archive.namelist())
    except zipfile.BadZipFile as error:
        raise CorruptDocument(
            f"{source}: the {name} archive cannot be opened ({error}); it may be cut short, fetch it again"
        ) from error
    if _ZIP_MEMBER[name] not in members:
        raise UnsupportedFormat(
            f"{source}: a zip archive without {_ZIP_MEMBER[name]!r}, so not a {name} file; check what the file is"
        )


def plain_markdown(text: str) -> str:
    """Markdown without its emphasis marks, outside code.

    docling makes each run of bold or italic a text of its own and strips the spaces around it, so that 'β**1**-blocker'
    would come back as 'β 1 -blocker'. Without the marks a paragraph stays one text, as written.
    """
    lines, fence = [], None
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if match and fence in (None, match[1]):
            fence = None if fence else match[1]
        elif fence is None and ("*" in line or "_" in line) and not line.startswith(("    ", "\t")):
            line = _without_emphasis(line)
        lines.append(line)
    return "\n".join(lines)


def _without_emphasis(line: str) -> str:
    parts = re.split(r"(`+[^`]*`+)", line)
    for number in range(0, len(parts), 2):
        previous = None
        while previous != parts[number]:
            previous = parts[number]
            parts[number] = _EMPHASIS_STARS.sub(r"\2", _EMPHASIS.sub(r"\2", parts[number]))
    return "".join(parts)


def markdown_stream(source: Path) -> BytesIO:
    """A Markdown or text file as the bytes docling is given."""
    try:
        text = source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnsupportedFormat(
            f"{source}: not UTF-8 text (byte {error.object[error.start]:#04x} at offset {error.start}); "
            "convert it, for example with 'iconv -t utf-8'"
        ) from error
    if not text.strip():
        raise NoText(f"{source}: holds only white space; expected text")
    return BytesIO(plain_markdown(text).encode())


def text_converter() -> "DocumentConverter":
    """A docling converter for the formats that carry their own structure."""
    from docling.datamodel.base_models import InputFormat
    from docling.document_converter import DocumentConverter

    return DocumentConverter(
        allowed_formats=[InputFormat.MD, InputFormat.HTML, InputFormat.DOCX, InputFormat.PPTX, InputFormat.EPUB]
    )


def layout_model_converter(config: "ExtractConfig", source: Path) -> "DocumentConverter":
    """docling's standard PDF pipeline: layout and table models, and OCR when asked for."""
    from docling.datamodel.base_models import InputFormat
    from docling.datamodel.pipeline_options import HeadingHierarchyOptions, PdfPipelineOptions
    from docling.document_converter import DocumentConverter, PdfFormatOption

    if config.artifacts_path is not None and not config.artifacts_path.is_dir():
        raise MissingModels(
            f"{source}: artifacts_path={str(config.artifacts_path)!r} is not a folder; "
            "fetch the weights there with 'docling-tools models download layout tableformer -o FOLDER'"
        )
    options = PdfPipelineOptions(
        do_ocr=config.ocr,
        do_table_structure=config.table_model,
        artifacts_path=config.artifacts_path,
        heading_hierarchy_options=HeadingHierarchyOptions(enabled=True),
    )
    return DocumentConverter(
        allowed_formats=[InputFormat.PDF], format_options={InputFormat.PDF: PdfFormatOption(pipeline_options=options)}
    )
