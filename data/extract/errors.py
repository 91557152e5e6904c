"""What can be wrong with a document, as errors that name the file, what was found and the way out.

DataError
└── ExtractError
    ├── MissingDocument      the path does not exist, is a folder, or may not be read
    ├── UnsupportedFormat    no reader for this kind of file, or its contents are not what its name says
    ├── EncryptedDocument    the PDF asks for a password
    ├── CorruptDocument      the file cannot be parsed
    ├── NoText               nothing to learn from: empty, or pictures of pages without a text layer
    ├── PageRangeError       the pages asked for are not in the document
    └── MissingModels        the layout model was asked for and it, or its weights, are not there
"""

from data.errors import DataError


class ExtractError(DataError):
    """A document cannot be turned into blocks."""


class MissingDocument(ExtractError):
    """The path does not exist, is a folder, or may not be read."""


class UnsupportedFormat(ExtractError):
    """No reader for this kind of file, or its contents are not what its name says."""


class EncryptedDocument(ExtractError):
    """The PDF asks for a password."""


class CorruptDocument(ExtractError):
    """The file cannot be parsed."""


class NoText(ExtractError):
    """The document holds no text to learn from."""


class PageRangeError(ExtractError):
    """The pages asked for are not in the document."""


class MissingModels(ExtractError):
    """The layout model was asked for and it, or its weights, are not there."""
