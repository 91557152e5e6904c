"""Which regimen of a drug is meant: by route, indication, age and weight.

A name of the indication fits by itself, by another name of it, else by its words. More than one regimen left
is a question back, never a choice made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tools import text
from tools.dosing.quantity import show
from tools.dosing.regimens import Regimen, regimens
from tools.errors import Refusal
from tools.interactions.names import Match


def choose(match: Match, arguments: Mapping[str, Any], age: Decimal, kg: Decimal) -> Regimen:
    """The regimen for this request, or a refusal that says what there is."""
    rows = _by_route(match, [regimen for regimen in regimens() if regimen.drug == match.drug], arguments)
    wanted = arguments.get("indication")
    if wanted is not None:
        named = _for_indication(rows, wanted, age, kg)
        if not named:
            options = "; ".join(dict.fromkeys(row.indication for row in rows))
            raise Refusal(
                "unknown_indication",
                "/indication",
                wanted,
                f"one of {options}",
                f"no dose of {match.drug} for '{wanted}' in the table; it has {options}.",
            )
        rows = named
    fits = [row for row in rows if row.eligible(age, kg)]
    if not fits:
        groups = "; ".join(dict.fromkeys(f"{row.indication}: {row.population}" for row in rows))
        raise Refusal(
            "not_eligible",
            "/age",
            f"{arguments['age']:g} {arguments['age_unit']}, {show(kg)} kg",
            groups,
            f"no labelled dose of {match.drug} in the table for this age and weight; it has {groups}.",
        )
    if len(fits) > 1 and len({row.indication for row in fits}) == 1:
        options = ", ".join(row.route for row in fits)
        raise Refusal(
            "ambiguous_route",
            "/route",
            arguments.get("route"),
            f"one of {options}",
            f"{match.drug} for {fits[0].indication} has a dose for each route; which one is meant? One of: {options}.",
        )
    if len(fits) > 1:
        options = "; ".join(dict.fromkeys(row.indication for row in fits))
        raise Refusal(
            "ambiguous_indication",
            "/indication",
            wanted,
            f"one of {options}",
            f"{match.drug} has several doses for this patient; what is it for? One of: {options}.",
        )
    return fits[0]


def _by_route(match: Match, rows: list[Regimen], arguments: Mapping[str, Any]) -> list[Regimen]:
    """Rows for the route asked for, or all when none was."""
    route = arguments.get("route")
    if route is None:
        return rows
    kept = [row for row in rows if row.route == route]
    if not kept:
        routes = ", ".join(dict.fromkeys(row.route for row in rows))
        raise Refusal(
            "no_regimen",
            "/route",
            route,
            f"one of {routes}",
            f"no {route} dose of {match.drug} in the table; it has {routes}.",
        )
    return kept


def _for_indication(rows: Sequence[Regimen], wanted: str, age: Decimal, kg: Decimal) -> list[Regimen]:
    """Rows for the indication: by its own name, by another name of it, else by its words.

    A name that fits no row this patient may have gives way to the next way of matching; words count only
    when no name matches at all.
    """
    key = text.key(wanted)
    own = [row for row in rows if key == text.key(row.indication)]
    also = [row for row in rows if key in {text.key(name) for name in row.also}]
    for named in (own, also):
        if any(row.eligible(age, kg) for row in named):
            return named
    if own or also:
        return own + [row for row in also if row not in own]
    words = set(key.split()) - _FILLER
    return [row for row in rows if words and any(_shares(words, key, name) for name in (row.indication, *row.also))]


_FILLER = frozenset(["acute", "the", "a", "an", "of", "in", "for", "with", "and", "treatment", "therapy", "disease"])


def _shares(words: set[str], key: str, name: str) -> bool:
    """Whether the wanted words are all in the name, or the name stands in what was written ("high fever")."""
    known = text.key(name)
    if " other than " in known:
        return False
    return words <= set(known.split()) or (len(known) > 3 and f" {known} " in f" {key} ")
