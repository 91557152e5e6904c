"""Drug-drug, drug-food and drug-herb interactions from sourced tables."""

from __future__ import annotations

from tools.interactions.schema import ARGUMENTS, DESCRIPTION, RESULT
from tools.tool import Tool

NAME = "check_drug_interactions"


def tool() -> Tool:
    """The tool over the shipped database."""
    from tools.interactions.check import check
    from tools.interactions.database import SOURCES
    from tools.tables import version

    return Tool(NAME, DESCRIPTION, ARGUMENTS, RESULT, check, lambda: version(SOURCES))
