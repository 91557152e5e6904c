"""From a drug as written to the drugs of the database: exactly, by spelling, or not at all.

Brands, salts, strengths and abbreviations are exact matches. A misspelling is accepted only when one drug is
clearly nearest, the text is no other drug's name, and no look-alike is near; otherwise the caller is asked.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass, replace
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import OSA

from tools import text
from tools.interactions.database import open_database
from tools.interactions.salts import bare

MAX_CANDIDATES = 4
_UNITLESS = re.compile(
    r"(?<![\w.])\d[\d.,]*(?:\s*[-/]\s*\d[\d.,]*)+(?!\w)|\s\d[\d.,]*\s*$"
)  # "Norco 10/325", "lisinopril 10"
SHORTEST_GUESSED = 5  # a shorter name (HCTZ, Yaz) is never guessed at; it can only make a guess doubtful


@dataclass(frozen=True, kw_only=True)
class Match:
    """A written name and the single ingredients it stands for."""

    as_written: str
    drug: str
    ingredients: tuple[str, ...]
    matched_by: str
    confidence: float = 1.0
    look_alike: str | None = None


@dataclass(frozen=True, kw_only=True)
class NoMatch:
    """A written name without one clear drug: unknown here, or ambiguous between candidates."""

    as_written: str
    reason: str
    candidates: tuple[str, ...] = ()


class Names:
    """All names of the database, held in memory."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        rows = connection.execute("SELECT key, display, drug, kind FROM name").fetchall()
        self.by_key = {key: (display, drug, kind) for key, display, drug, kind in rows}
        self.others = {key for (key,) in connection.execute("SELECT key FROM other_name")}
        self.kinds = dict(connection.execute("SELECT name, kind FROM drug").fetchall())
        self.ingredients: dict[str, tuple[str, ...]] = {}
        for product, drug in connection.execute("SELECT product, drug FROM ingredient ORDER BY product, position"):
            self.ingredients[product] = (*self.ingredients.get(product, ()), drug)
        self.look_alikes: dict[str, tuple[str, ...]] = {}
        for key, other in connection.execute("SELECT key, other FROM look_alike ORDER BY key, other"):
            self.look_alikes[key] = (*self.look_alikes.get(key, ()), other)
        self.families: dict[str, set[str]] = {}  # "insulin": the drugs whose names begin with that word
        for key, (_, drug, kind) in self.by_key.items():
            words = key.split() if kind == "generic" else []
            for end in range(1, len(words)):
                self.families.setdefault(" ".join(words[:end]), set()).add(drug)
        self.known = [(key, display, drug) for key, (display, drug, _) in self.by_key.items()]
        self.known += [(key, key, key) for key in sorted(self.others)]
        self.known_keys = [key for key, _, _ in self.known]

    def resolve(self, written: str) -> Match | NoMatch:
        """The drug meant by ``written``, or why none can be named."""
        bare_name = _UNITLESS.sub(" ", written)
        exact = self._exact(written) or self._combination(written)
        if exact is None and bare_name != written:
            exact = self._exact(bare_name) or self._combination(bare_name)
        if exact is not None:
            return replace(exact, as_written=written)
        family = sorted(self._display(drug) for drug in self.families.get(text.key(written), ()))
        if len(family) > 1:
            return NoMatch(as_written=written, reason="ambiguous", candidates=tuple(family[:MAX_CANDIDATES]))
        keys = {text.key(written), bare(written)}
        if keys & self.others or not text.key(written):
            return NoMatch(as_written=written, reason="not_in_database")
        return self._by_spelling(written)

    def _exact(self, written: str) -> Match | None:
        tries = [text.key(written), text.without_strength(written)]
        tries += [text.key(part) for part in re.findall(r"\[([^\]]+)\]", written)]
        tries.append(text.without_strength(re.sub(r"\[[^\]]*\]|\([^)]*\)", " ", written)))
        for key in tries:
            if key in self.by_key:
                _, drug, kind = self.by_key[key]
                alike = self.look_alikes.get(key)
                return Match(
                    as_written=written,
                    drug=drug,
                    ingredients=self.ingredients[drug],
                    matched_by=kind,
                    look_alike=None if alike is None else ", ".join(alike),
                )
        base = bare(re.sub(r"\[[^\]]*\]|\([^)]*\)", " ", written))
        if base in self.by_key and self.by_key[base][2] != "brand":
            _, drug, kind = self.by_key[base]
            return Match(as_written=written, drug=drug, ingredients=self.ingredients[drug], matched_by=kind)
        return None

    def _combination(self, written: str) -> Match | None:
        parts = [
            part for part in re.split(r"\s*(?:/|\+|&|,|\band\b|\bwith\b|(?<=\w)-(?=\w))\s*", written) if part.strip()
        ]
        if not 2 <= len(parts) <= 4:
            return None
        matches = [match for part in parts if (match := self._exact(part)) is not None]
        if len(matches) < len(parts) or any(self.kinds[match.drug] == "combination" for match in matches):
            return None
        ingredients = tuple(dict.fromkeys(ingredient for match in matches for ingredient in match.ingredients))
        kinds = {match.matched_by for match in matches}
        return Match(
            as_written=written,
            drug="-".join(ingredients),
            ingredients=ingredients,
            matched_by="generic" if kinds == {"generic"} else "alias",
        )

    def _by_spelling(self, written: str) -> Match | NoMatch:
        """The nearest name, without strength and form words first, then as written (some brands end in XR)."""
        shorter = text.without_strength(_UNITLESS.sub(" ", written))
        keys = [key for key in (shorter, text.key(written)) if key]
        answers = [self._spelt(written, key) for key in dict.fromkeys(keys)]
        doubtful = [answer for answer in answers if isinstance(answer, NoMatch) and answer.reason == "ambiguous"]
        drugs = list(dict.fromkeys(answer.drug for answer in answers if isinstance(answer, Match)))
        if doubtful:
            return doubtful[0]
        if len(drugs) > 1:
            return NoMatch(as_written=written, reason="ambiguous", candidates=tuple(drugs))
        return next((answer for answer in answers if isinstance(answer, Match)), answers[0])

    def _spelt(self, written: str, key: str) -> Match | NoMatch:
        limit = 0 if len(key) < 5 else 1 if len(key) < 8 else 2
        nearest = self._near(key, limit + 3)
        close = [entry for entry in nearest if entry[0] <= limit and len(text.key(entry[1])) >= SHORTEST_GUESSED]
        if not close:
            names = dict.fromkeys(
                display
                for distance, display, drug in nearest
                if distance <= max(2, len(key) // 4) and drug in self.ingredients and len(display) >= SHORTEST_GUESSED
            )
            return NoMatch(as_written=written, reason="not_in_database", candidates=tuple(names)[:MAX_CANDIDATES])
        best, display, drug = close[0]
        rivals = [name for distance, name, other in nearest if other != drug and distance <= best + 1]
        partners = self.look_alikes.get(text.key(display), ())
        rivals += [name for name in partners if text.edit_distance(key, text.key(name), best + 3) <= best + 3]
        if drug not in self.ingredients:  # the misspelt name of a drug that is not in the database
            here = [name for name in rivals if text.key(name) in self.by_key]
            if here and any(distance == best for distance, _, other in nearest if other in self.ingredients):
                return NoMatch(
                    as_written=written, reason="ambiguous", candidates=(*here[: MAX_CANDIDATES - 1], display)
                )
            return NoMatch(as_written=written, reason="not_in_database")
        if rivals:
            candidates = tuple(dict.fromkeys([display, *rivals]))[:MAX_CANDIDATES]
            return NoMatch(as_written=written, reason="ambiguous", candidates=candidates)
        confidence = round(1 - best / max(len(key), len(display)), 2)
        return Match(
            as_written=written,
            drug=drug,
            ingredients=self.ingredients[drug],
            matched_by="spelling",
            confidence=confidence,
        )

    def _near(self, key: str, limit: int) -> list[tuple[int, str, str]]:
        """(distance, name, drug) of the names within ``limit``, nearest first; a name not here within 2."""
        found = [
            (int(distance), self.known[index][1], self.known[index][2])
            for _, distance, index in process.extract(
                key, self.known_keys, scorer=OSA.distance, score_cutoff=limit, limit=None
            )
        ]
        return sorted(
            (entry for entry in found if entry[0] <= 2 or entry[2] in self.ingredients),
            key=lambda entry: (entry[0], entry[1].casefold()),
        )

    def _display(self, drug: str) -> str:
        return str(self.by_key[text.key(drug)][0])


@lru_cache(maxsize=1)
def shipped_names() -> Names:
    """The names of the shipped database."""
    return Names(open_database())
