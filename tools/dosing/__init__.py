"""Drug doses from labelled regimens and the bedside formulas around them."""

from __future__ import annotations

from tools.dosing.result_schema import RESULT
from tools.dosing.schema import ARGUMENTS, DESCRIPTION
from tools.tool import Tool

NAME = "calculate_dose"


def tool() -> Tool:
    """The tool over the shipped regimen table."""
    from tools.dosing.calculate import calculate, data_version

    return Tool(NAME, DESCRIPTION, ARGUMENTS, RESULT, calculate, data_version)
