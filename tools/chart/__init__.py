"""Patient records in FHIR R4, read by section."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tools.chart.schema import ARGUMENTS, DESCRIPTION, RESULT
from tools.tool import Tool

NAME = "read_patient_record"
RECORDS = Path(__file__).resolve().parent.parent / "records"


def tool(records: Path | None = None, patients: Collection[str] | None = None) -> Tool:
    """The tool over a folder of records (default: the synthetic patients that ship)."""
    from tools.chart.read import Reader

    reader = Reader(RECORDS if records is None else records, patients)
    return Tool(NAME, DESCRIPTION, ARGUMENTS, RESULT, reader.read, reader.data_version)
