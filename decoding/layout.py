"""How a JSON value is written down; a grammar holds exactly the documents of one layout.

Strings have one spelling by default, the serialiser's: `json.dumps(value, ensure_ascii=False)` with these
separators. So a text of n characters has one document, and length, pattern and enum mean the same for the
document as for the value. With `escapes="any"` every escape that JSON permits is legal too.

Numbers are written without an exponent wherever a keyword looks at their value (`integer`, bounds,
`multipleOf`, `enum`); any other `number` may also be scientific, with one digit before the point and an
exponent up to 307, so that no reader makes it infinite. An integral value may end in `.0`, like `json.dumps(2.0)`.

Keys come in schema order: `properties` first, in the order the schemas name them, other keys after. With
`key_order="free"` they may come in any order. A declared key never comes twice.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from .alphabet import JSON_ANY_ESCAPE, JSON_CANONICAL, Alphabet
from .expression import Expression, choice, literal, optional, seq

Json = Any  # None | bool | int | float | Decimal | str | list | dict


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One way to write JSON down."""

    item_separator: str = ", "
    key_separator: str = ": "
    escapes: Literal["canonical", "any"] = "canonical"
    key_order: Literal["schema", "free"] = "schema"

    @classmethod
    def spaced(cls) -> Layout:
        """`{"a": 1, "b": [2, 3]}`, the default of `json.dumps`."""
        return cls()

    @classmethod
    def compact(cls) -> Layout:
        """`{"a":1,"b":[2,3]}`."""
        return cls(item_separator=",", key_separator=":")

    @property
    def alphabet(self) -> Alphabet:
        """How characters are spelled inside a string."""
        return JSON_CANONICAL if self.escapes == "canonical" else JSON_ANY_ESCAPE

    @property
    def comma(self) -> Expression:
        return literal(self.item_separator.encode())

    @property
    def colon(self) -> Expression:
        return literal(self.key_separator.encode())

    def string(self, text: str) -> Expression:
        """A string of exactly this text, quotes included."""
        return seq(QUOTE, self.alphabet.text(text), QUOTE)

    def dumps(self, value: Json) -> str:
        """The value as `json.dumps` writes it in this layout."""
        return json.dumps(value, ensure_ascii=False, separators=(self.item_separator, self.key_separator))

    def value(self, value: Json, *, any_order: bool = False) -> Expression:
        """All spellings of exactly this value; keys in the given order, or in any order (few keys only)."""
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, (bool, type(None))):
            return literal(json.dumps(value).encode())
        if isinstance(value, Mapping):
            members = [(self.string(k), self.value(v, any_order=any_order)) for k, v in value.items()]
            orders = itertools.permutations(members) if any_order and len(members) < 6 else [members]
            return choice(*(seq(literal(b"{"), self._members(order), literal(b"}")) for order in orders))
        if isinstance(value, Sequence):
            items = [self.value(item, any_order=any_order) for item in value]
            return seq(literal(b"["), self._joined(items), literal(b"]"))
        return exact_number(value)

    def _members(self, members: Sequence[tuple[Expression, Expression]]) -> Expression:
        return self._joined([seq(key, self.colon, value) for key, value in members])

    def _joined(self, items: Sequence[Expression]) -> Expression:
        return seq(*(part for i, item in enumerate(items) for part in ((self.comma, item) if i else (item,))))


QUOTE = literal(b'"')


def decimal(value: int | float | Decimal) -> Decimal:
    """The number as its shortest decimal spelling says it."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def exact_number(value: int | float | Decimal) -> Expression:
    """`3` and `3.0`, `-0.25`: the plain spellings of one number, and the serialiser's own."""
    number = decimal(value)
    text = plain(number)
    spelled = literal(text.encode())
    if "." not in text:
        spelled = seq(spelled, optional(literal(b".0")))
    extra = [literal(json.dumps(value).encode())] if isinstance(value, float) else []
    if number == 0:
        extra.append(literal(b"-0.0"))
    return choice(spelled, *extra)


def plain(number: Decimal) -> str:
    """Decimal digits without exponent or trailing zeros."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


Frozen = tuple[str, Any]


def freeze(value: Json) -> Frozen:
    """A hashable key, equal for values that JSON Schema calls equal (1 is 1.0, not true; key order does not count)."""
    if isinstance(value, bool):
        return ("boolean", value)
    if value is None:
        return ("null", None)
    if isinstance(value, (int, float, Decimal)):
        return ("number", decimal(value))
    if isinstance(value, str):
        return ("string", value)
    if isinstance(value, Mapping):
        return ("object", frozenset((k, freeze(v)) for k, v in value.items()))
    return ("array", tuple(freeze(v) for v in value))
