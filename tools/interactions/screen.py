"""Screening drugs against the interaction table.

A row speaks for a mechanism: pharmacokinetic, or pharmacodynamic towards some risks (QT, bleeding, sedation...).
Precedence for one pair and one such mechanism: drug with drug, then drug with class, then class with class, then
a pharmacokinetic prediction from FDA's tables; within a level the more severe row. A row whose mechanism is
``mixed`` speaks for both kinds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from tools.interactions.schema import SEVERITIES
from tools.tables import items


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row of the interaction table; sides are a drug's name or a ``[class]``."""

    id: int
    object: str
    precipitant: str
    severity: str
    action: str
    evidence: str
    mechanism: str
    risk: str
    pathway: str
    effect: str
    management: str
    sources: str
    verified: str

    @property
    def level(self) -> int:
        """0 drug-drug, 1 drug-class, 2 class-class, 3 predicted."""
        if self.evidence == "pk_prediction":
            return 3
        return sum(side.startswith("[") for side in (self.object, self.precipitant))

    @property
    def rank(self) -> int:
        return SEVERITIES.index(self.severity)

    @property
    def speaks_for(self) -> frozenset[tuple[str, str]]:
        """(kind of mechanism, risk) pairs; a pharmacodynamic row without a named risk stands alone."""
        dynamic = {("pharmacodynamic", risk) for risk in items(self.risk) or [""]}
        if self.mechanism == "mixed":
            return frozenset({("pharmacokinetic", "")} | dynamic)
        return frozenset(dynamic if self.mechanism == "pharmacodynamic" else {(self.mechanism, "")})


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """A rule applied to the drug it affects and the drug (or class) that causes it."""

    object: str
    precipitant: str
    rule: Rule


class Screen:
    """The interaction table with its class memberships, in memory."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.classes: dict[str, set[str]] = {}
        for class_name, drug in connection.execute("SELECT class, drug FROM class_member"):
            self.classes.setdefault(drug, set()).add(f"[{class_name}]")
        self.kinds = dict(connection.execute("SELECT name, kind FROM drug").fetchall())
        self.rules = [Rule(**dict(row)) for row in connection.execute("SELECT * FROM interaction ORDER BY id")]
        self.by_side: dict[str, list[Rule]] = {}
        self.by_sides: dict[tuple[str, str], list[Rule]] = {}
        for rule in self.rules:
            self.by_sides.setdefault((rule.object, rule.precipitant), []).append(rule)
            for side in {rule.object, rule.precipitant}:
                self.by_side.setdefault(side, []).append(rule)

    def sides(self, drug: str) -> set[str]:
        """What a rule may call the drug: its name and its classes."""
        return {drug, *self.classes.get(drug, ())}

    def pair(self, first: str, second: str) -> list[Interaction]:
        """What is known about two different drugs, at most one row per mechanism."""
        left, right = self.sides(first), self.sides(second)
        found: dict[int, Interaction] = {}
        for one in left:
            for other in right:
                for rule in self.by_sides.get((one, other), ()):
                    found[rule.id] = Interaction(object=first, precipitant=second, rule=rule)
        for one in right:
            for other in left:
                for rule in self.by_sides.get((one, other), ()):
                    found.setdefault(rule.id, Interaction(object=second, precipitant=first, rule=rule))
        return most_specific(list(found.values()))

    def partners(self, drug: str) -> list[Interaction]:
        """Every row about a drug, with a partner drug or class as the table names it."""
        mine = self.sides(drug)
        found = []
        for rule in self._rules_about(mine):
            if rule.object in mine:
                found.append(Interaction(object=drug, precipitant=_class_label(rule.precipitant), rule=rule))
            else:
                found.append(Interaction(object=_class_label(rule.object), precipitant=drug, rule=rule))
        by_partner: dict[str, list[Interaction]] = {}
        for entry in found:
            partner = entry.precipitant if entry.object == drug else entry.object
            by_partner.setdefault(partner, []).append(entry)
        return [entry for partner in by_partner.values() for entry in most_specific(partner)]

    def is_food_or_herb(self, drug: str) -> bool:
        return self.kinds.get(drug) in ("food", "herbal")

    def _rules_about(self, sides: set[str]) -> list[Rule]:
        return sorted(
            {rule.id: rule for side in sides for rule in self.by_side.get(side, ())}.values(),
            key=lambda rule: rule.id,
        )


def most_specific(found: list[Interaction]) -> list[Interaction]:
    """The rows that speak for a pair: one per mechanism, by precedence and severity.

    A ``mixed`` row gives way as soon as one of its mechanisms is spoken for, any other when all of them are.
    """
    ordered = sorted(found, key=lambda entry: (entry.rule.level, -entry.rule.rank, entry.rule.id))
    kept: list[Interaction] = []
    spoken: set[tuple[str, str]] = set()
    for entry in ordered:
        mine = entry.rule.speaks_for
        covered = bool(mine & spoken) if entry.rule.mechanism == "mixed" else mine <= spoken
        if not covered:
            kept.append(entry)
            spoken |= mine
    return kept


def by_severity(entries: Iterable[Interaction]) -> list[Interaction]:
    """Most severe first, then by name; the order never depends on the order of the request."""
    return sorted(
        entries,
        key=lambda entry: (
            -entry.rule.rank,
            entry.object.casefold(),
            entry.precipitant.casefold(),
            entry.rule.id,
        ),
    )


def pairs_between(products: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Unordered pairs of different ingredients, leaving out pairs that only meet inside one product."""
    distinct = list(dict.fromkeys(products))
    pairs = {(min(a, b), max(a, b)) for one, other in combinations(distinct, 2) for a in one for b in other if a != b}
    yield from sorted(pairs)


def as_json(entry: Interaction) -> dict[str, object]:
    """An interaction as the result schema writes it."""
    rule = entry.rule
    return {
        "object": entry.object,
        "precipitant": entry.precipitant,
        "severity": rule.severity,
        "action": rule.action,
        "evidence": rule.evidence,
        "mechanism": {"type": rule.mechanism, "pathway": rule.pathway},
        "effect": rule.effect,
        "management": rule.management,
        "rule": f"{rule.object} + {rule.precipitant}",
        "sources": items(rule.sources),
    }


def _class_label(side: str) -> str:
    return f"{side[1:-1]} (class)" if side.startswith("[") else side
