"""The drug a caller means, or a refusal that says what to write instead."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tools import text
from tools.errors import Refusal
from tools.interactions.names import Match, shipped_names


def resolve(written: str, place: str = "/drug", known: Collection[str] = ()) -> Match:
    """The drug by any of its names; ``known`` generic names are accepted even where the drug table lacks them."""
    key = text.without_strength(written)
    if key in known:
        return Match(as_written=written, drug=key, ingredients=(key,), matched_by="generic")
    answer = shipped_names().resolve(written)
    if isinstance(answer, Match):
        return answer
    if answer.reason == "ambiguous":
        options = " or ".join(answer.candidates)
        raise Refusal(
            "ambiguous_drug",
            place,
            written,
            f"one of {options}",
            f"'{written}' could be {options}; which one is meant?",
        )
    hint = f"; did you mean {' or '.join(answer.candidates)}?" if answer.candidates else "."
    raise Refusal(
        "unknown_drug",
        place,
        written,
        "a drug in the database",
        f"'{written}' is not in the database{hint}",
    )


def described(match: Match) -> dict[str, Any]:
    """How a written name was understood, as results say it."""
    return {"as_written": match.as_written, "resolved": match.drug, "matched_by": match.matched_by}
