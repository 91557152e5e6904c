"""Patient records in FHIR R4, read by section."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tools.chart.schema import ARGUMENTS, DESCRIPTION, RESULT
from tools.tool import Tool

NAME = "read_patient_record"
RECORDS = Path(__file__).resolve().parent.parent / "records"


def tool(records: Path | str | None = None, patients: Collection[str] | None = None, index: Path | None = None) -> Tool:
    """The tool over a folder of records (default: the synthetic patients that ship) or a FHIR server's base URL.

    ``index`` names a file for a folder's index, which otherwise lives in memory.
    """
    from tools.chart.read import Reader

    reader = Reader(RECORDS if records is None else records, patients, index)
    return Tool(NAME, DESCRIPTION, ARGUMENTS, RESULT, reader.read, reader.data_version)
