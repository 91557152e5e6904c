"""Pieces of a request: words for a slot, and the arguments those words give to a call.

A piece is text plus arguments; each argument that must be copied says where in the text it stands. The decoder
takes numbers from the request's digits (`decoding.request`), so a call spells a number as those digits do.
"""

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from data.examples.entities import Pool
from tools import RegimenDrug


@dataclass(frozen=True)
class Argument:
    """One argument a piece gives: its key (a list's key repeats), its value, and where the value stands in
    the piece, if it does.
    """

    key: str
    value: Any
    start: int | None = None
    end: int | None = None

    def moved(self, offset: int) -> "Argument":
        """The same argument in a longer text, `offset` characters further on."""
        if self.start is None or self.end is None:
            return self
        return replace(self, start=self.start + offset, end=self.end + offset)


@dataclass(frozen=True)
class Piece:
    """Words for a slot, and the arguments they give."""

    text: str
    arguments: tuple[Argument, ...] = ()


@dataclass
class Draw:
    """The state of one request while its slots are filled: what is already chosen must agree with what comes
    next. `slip` names the number that shall be written so that the tool finds it implausible.
    """

    rng: random.Random
    pool: Pool
    operations: tuple[str, ...]
    chosen: dict[str, Any] = field(default_factory=dict)
    slip: str = ""

    def regimen(self) -> RegimenDrug | None:
        """The regimen that drug, indication, age and weight agree on; None for a made-up drug."""
        if "regimen" not in self.chosen:
            self.chosen["regimen"] = self.pool.regimen(self.rng)
        found: RegimenDrug | None = self.chosen["regimen"]
        return found

    def pick(self, *texts: str) -> str:
        return self.rng.choice(texts)

    def number(self, key: str, low: float, high: float, decimals: int = 0) -> int | float:
        """A number for an argument that the split may use."""
        return self.pool.number(self.rng, key, low, high, decimals)


Sampler = Callable[[Draw, str], Piece]


def written(template: str, key: str, value: Any, *more: Argument) -> Piece:
    """A piece from a template with one `@`, where the value is written as JSON spells it (strings without
    quotes).
    """
    spelled = value if isinstance(value, str) else json.dumps(value)
    start = template.index("@")
    return Piece(template.replace("@", spelled, 1), (Argument(key, value, start, start + len(spelled)), *more))


def numeral(draw: Draw, template: str, key: str, value: int | float, *more: Argument) -> Piece:
    """A piece whose number is now and then written in another way that means the same digits: `1,250`, `.5`,
    `70.0`, `1,7`.
    """
    spelled, roll = json.dumps(value), draw.rng.random()
    if value >= 1000 and roll < 0.3:
        spelled = f"{value:,}"
    elif 0 < value < 1 and roll < 0.2:
        spelled = spelled[1:]
    elif isinstance(value, int) and value < 100 and roll < 0.03:
        value, spelled = float(value), f"{value}.0"
    elif isinstance(value, float) and roll < 0.03:
        spelled = spelled.replace(".", ",")
    start = template.index("@")
    return Piece(template.replace("@", spelled, 1), (Argument(key, value, start, start + len(spelled)), *more))


def digits_of(text: str) -> str:
    """A number as the decoder would spell it from these characters: no grouping commas, a digit before the
    point, and a point for a decimal comma.
    """
    text = re.sub(r"^(\d+),(\d{1,2})$", r"\1.\2", text)
    whole, point, fraction = text.replace("−", "-").replace(",", "").partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{whole.lstrip('-').lstrip('0') or '0'}{point}{fraction}"


def listed(pieces: list[Piece], separator: str, last: str | None = None) -> Piece:
    """Pieces in a row; `last` is the separator before the last one, where it is another."""
    text = ""
    arguments: list[Argument] = []
    for index, piece in enumerate(pieces):
        if index:
            text += last if last is not None and index == len(pieces) - 1 else separator
        arguments += [argument.moved(len(text)) for argument in piece.arguments]
        text += piece.text
    return Piece(text, tuple(arguments))
