"""``check_drug_interactions``: from drugs as written to a screened, sourced answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from tools.errors import Refusal
from tools.interactions.database import SOURCES, open_database
from tools.interactions.names import Match, Names, NoMatch, shipped_names
from tools.interactions.schema import SEVERITIES
from tools.interactions.screen import Interaction, Screen, as_json, by_severity, pairs_between
from tools.tables import version


@lru_cache(maxsize=1)
def shipped_screen() -> Screen:
    """The interaction table of the shipped database."""
    return Screen(open_database())


def check(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Screen the request's drugs against the shipped database."""
    return screen_drugs(
        arguments["drugs"],
        min_severity=arguments.get("min_severity", "minor"),
        include_food_herbal=arguments.get("include_food_herbal", False),
        names=shipped_names(),
        screen=shipped_screen(),
        data_version=version(SOURCES),
    )


def screen_drugs(
    drugs: Sequence[str],
    *,
    min_severity: str,
    include_food_herbal: bool,
    names: Names,
    screen: Screen,
    data_version: str,
) -> dict[str, Any]:
    """One drug lists its partners, several are screened pairwise; order and repetition do not matter."""
    written = list(dict.fromkeys(_trimmed(drug) for drug in drugs))
    answers = [names.resolve(drug) for drug in written]
    matches = [answer for answer in answers if isinstance(answer, Match)]
    failures = [answer for answer in answers if isinstance(answer, NoMatch)]
    if not matches:
        raise _nothing_resolved(drugs, failures)
    alone = len(written) == 1
    products = [match.ingredients for match in matches]
    found: list[Interaction] = []
    pairs = [] if alone else list(pairs_between(products))
    for first, second in pairs:
        found += screen.pair(first, second)
    ingredients = sorted({ingredient for product in products for ingredient in product})
    if alone or include_food_herbal:
        for ingredient in ingredients:
            found += [
                entry for entry in screen.partners(ingredient) if _wanted(entry, screen, alone, include_food_herbal)
            ]
    unique = list({(entry.rule.id, entry.object, entry.precipitant): entry for entry in found}.values())
    floor = SEVERITIES.index(min_severity)
    shown = by_severity(entry for entry in unique if entry.rule.rank >= floor)
    highest = max((entry.rule.rank for entry in unique), default=None)
    return {
        "status": "ok",
        "mode": "partners" if alone else "pairs",
        "resolved": [_resolved(match) for match in matches],
        "unresolved": [
            {"as_written": miss.as_written, "reason": miss.reason, "candidates": list(miss.candidates)}
            for miss in failures
        ],
        "interactions": [as_json(entry) for entry in shown],
        "highest_severity": "none_found" if highest is None else SEVERITIES[highest],
        "pairs_checked": len(pairs),
        "duplicate_ingredients": _duplicates(matches),
        "notes": _notes(failures, unique, shown, min_severity, alone, len(pairs)),
        "data_version": data_version,
    }


def _trimmed(drug: str) -> str:
    """The name without blanks around it; a name of blanks alone stays, so that it can be shown."""
    return drug.strip() or drug


def _wanted(entry: Interaction, screen: Screen, alone: bool, include_food_herbal: bool) -> bool:
    food = screen.is_food_or_herb(entry.object) or screen.is_food_or_herb(entry.precipitant)
    return include_food_herbal if food else alone


def _resolved(match: Match) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "as_written": match.as_written,
        "ingredients": list(match.ingredients),
        "matched_by": match.matched_by,
        "confidence": match.confidence,
    }
    if match.look_alike is not None:
        entry["look_alike"] = match.look_alike
    return entry


def _duplicates(matches: Sequence[Match]) -> list[dict[str, Any]]:
    written: dict[str, list[str]] = {}
    for match in matches:
        for ingredient in match.ingredients:
            written.setdefault(ingredient, []).append(match.as_written)
    return [
        {"ingredient": ingredient, "as_written": sorted(names)}
        for ingredient, names in sorted(written.items())
        if len(names) > 1
    ]


def _notes(
    failures: Sequence[NoMatch],
    found: Sequence[Interaction],
    shown: Sequence[Interaction],
    min_severity: str,
    alone: bool,
    pairs: int,
) -> list[str]:
    notes = []
    if failures:
        names = ", ".join(miss.as_written for miss in failures)
        notes.append(f"Not screened: {names}.")
    if not alone and not pairs:
        notes.append("Fewer than two different drugs were recognised, so no pair was checked.")
    if len(found) > len(shown):
        notes.append(f"{len(found) - len(shown)} below {min_severity} not listed.")
    if not found and (pairs or alone):
        notes.append("Nothing found in this database; that is not proof of safety.")
    return notes


def _nothing_resolved(drugs: Sequence[str], failures: Sequence[NoMatch]) -> Refusal:
    first = failures[0]
    place = f"/drugs/{next(i for i, drug in enumerate(drugs) if _trimmed(drug) == first.as_written)}"
    if first.reason == "ambiguous":
        options = " or ".join(first.candidates)
        return Refusal(
            "ambiguous_drug",
            place,
            first.as_written,
            f"one of {', '.join(first.candidates)}",
            f"'{first.as_written}' could be {options}; which one is meant?",
        )
    hint = f"; did you mean {' or '.join(first.candidates)}?" if first.candidates else ""
    return Refusal(
        "unknown_drug",
        place,
        first.as_written,
        f"one of {', '.join(first.candidates)}" if first.candidates else "a drug in the interaction database",
        f"'{first.as_written}' is not in the interaction database{hint}",
    )
