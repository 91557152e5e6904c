"""Three medical tools as deterministic functions: interactions, dosing, patient records.

Research software, not clinical advice. ``tools.run([{"name": ..., "arguments": {...}}])`` executes calls and
returns one plain dict each; a call that makes no sense is a structured refusal, never an exception.
"""

from __future__ import annotations

from tools.catalogue import (
    DrugName,
    LabName,
    PatientName,
    RegimenDrug,
    drug_names,
    lab_names,
    patients,
    regimen_drugs,
)
from tools.errors import RecordError, Refusal, TableError, ToolError, ToolFileError, UnknownTool
from tools.load import load_tools
from tools.registry import Tools, argument_schemas, call_schema, openai_tools, registry, run
from tools.summary import summarise
from tools.tool import Tool

__all__ = [
    "DrugName",
    "LabName",
    "PatientName",
    "RecordError",
    "Refusal",
    "RegimenDrug",
    "TableError",
    "Tool",
    "ToolError",
    "ToolFileError",
    "Tools",
    "UnknownTool",
    "argument_schemas",
    "call_schema",
    "drug_names",
    "lab_names",
    "load_tools",
    "openai_tools",
    "patients",
    "regimen_drugs",
    "registry",
    "run",
    "summarise",
]
