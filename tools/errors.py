"""Errors of the tools package.

ToolError
├── Refusal            a call that cannot be answered; becomes a result with ``status: refused``
├── UnknownTool        a name that is not in the registry
├── TableError         a row of a shipped table that does not follow its rules
├── RecordError        records that cannot be read: a folder, a bundle, an index file, a FHIR server
└── ToolFileError      a file of tools that cannot be loaded
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ToolError(Exception):
    """Base of everything this package raises on purpose."""


class UnknownTool(ToolError):
    """No tool of that name is registered."""


class TableError(ToolError):
    """A table in ``tools/tables`` breaks its own rules; names file and line."""


class RecordError(ToolError):
    """A records folder, file or server cannot be used; never quotes the record's content."""


class ToolFileError(ToolError):
    """A file of tools cannot be loaded; names the file and the place in it."""


class Refusal(ToolError):
    """A call the tool declines, with everything a caller needs to repair it.

    ``place`` is a JSON pointer into the arguments (``/drugs/1``), ``found`` the offending value as written,
    ``expected`` what would have been accepted.
    """

    def __init__(self, code: str, place: str, found: object, expected: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.place = place
        self.found = found
        self.expected = expected
        self.message = message

    def as_result(self, data_version: str) -> dict[str, Any]:
        """The refusal as the value a caller reads back."""
        error: Mapping[str, Any] = {
            "code": self.code,
            "place": self.place,
            "found": self.found,
            "expected": self.expected,
            "message": self.message,
        }
        return {"status": "refused", "error": dict(error), "data_version": data_version}
