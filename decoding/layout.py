"""How a JSON value is written down; a grammar holds exactly the documents of one layout.

Strings have one spelling by default, the serialiser's: `json.dumps(value, ensure_ascii=False)` with these
separators. So a text of n characters has one document, and length, pattern and enum mean the same for the
document as for the value. With `escapes="any"` every escape that JSON permits is legal too.

Numbers are written without an exponent wherever a keyword looks at their value (`integer`, bounds,
`multipleOf`, `enum`); any other `number` may also be scientific, with one digit before the point and an
exponent up to 307, so that no reader makes it infinite. An integral value may end in `.0`, like `json.dumps(2.0)`.
There are at most `digits` digits before the point and as many after it, so that a number comes to an end: 20 are
enough for every double that `json.dumps` writes and for 64-bit integers. Where the bounds or divisors of a schema have
more digits, there is room for these and one more. Constants are written in full.

Keys come in schema order: `properties` first, in the order the schemas name them, other keys after. With
`key_order="free"` they may come in any order. A declared key never comes twice.

White space stands where the separators have it and nowhere else, unless `whitespace` says that up to so many blanks,
tabs and line ends may stand between any two tokens. It can always be left out, so a state that allows it allows
something else too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from .alphabet import JSON_ANY_ESCAPE, JSON_CANONICAL, Alphabet
from .expression import EMPTY, Expression, byte_set, choice, literal, repeat, rule, seq

Json = Any  # None | bool | int | float | Decimal | str | list | dict
JSON_SPACE = " \t\n\r"
MAX_WHITESPACE = 1000
MAX_DIGITS = 1000
MAX_EXPONENT = 307  # so that no reader makes a number infinite


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One way to write JSON down. Raises ValueError for separators that are no JSON."""

    item_separator: str = ", "
    key_separator: str = ": "
    escapes: Literal["canonical", "any"] = "canonical"
    key_order: Literal["schema", "free"] = "schema"
    digits: int | None = 20  # the most digits of a number before its point, and after it; None for any number
    whitespace: int = 0  # the most blanks, tabs and line ends between two tokens, besides those of the separators

    def __post_init__(self) -> None:
        for name, core in (("item_separator", ","), ("key_separator", ":")):
            if getattr(self, name).strip(JSON_SPACE) != core:
                raise ValueError(f"{name}={getattr(self, name)!r} must be {core!r} with white space around it at most")
        if not 0 <= self.whitespace <= MAX_WHITESPACE:
            raise ValueError(f"whitespace={self.whitespace} must be from 0 to {MAX_WHITESPACE}")
        if self.digits is not None and not 1 <= self.digits <= MAX_DIGITS:
            raise ValueError(f"digits={self.digits} must be None or from 1 to {MAX_DIGITS}")
        if self.escapes not in ("canonical", "any"):
            raise ValueError(f"escapes={self.escapes!r} is not one of 'canonical', 'any'")
        if self.key_order not in ("schema", "free"):
            raise ValueError(f"key_order={self.key_order!r} is not one of 'schema', 'free'")

    @classmethod
    def spaced(cls) -> Layout:
        """`{"a": 1, "b": [2, 3]}`, the default of `json.dumps`."""
        return cls()

    @classmethod
    def compact(cls) -> Layout:
        """`{"a":1,"b":[2,3]}`."""
        return cls(item_separator=",", key_separator=":")

    @classmethod
    def flexible(cls, whitespace: int = 8) -> Layout:
        """Any of these, indented or not: up to so many blanks, tabs and line ends between two tokens."""
        return cls(item_separator=",", key_separator=":", whitespace=whitespace)

    @property
    def alphabet(self) -> Alphabet:
        """How characters are spelled inside a string."""
        return JSON_CANONICAL if self.escapes == "canonical" else JSON_ANY_ESCAPE

    @cached_property
    def space(self) -> Expression:
        """What may stand between two tokens."""
        return repeat(byte_set(sum(1 << b for b in JSON_SPACE.encode())), 0, self.whitespace)

    @cached_property
    def comma(self) -> Expression:
        return seq(self.space, literal(self.item_separator.encode()), self.space)

    @cached_property
    def colon(self) -> Expression:
        return seq(self.space, literal(self.key_separator.encode()), self.space)

    @cached_property
    def object_end(self) -> Expression:
        return seq(self.space, literal(b"}"))

    @cached_property
    def array_end(self) -> Expression:
        return seq(self.space, literal(b"]"))

    def string(self, text: str) -> Expression:
        """A string of exactly this text, quotes included."""
        return seq(QUOTE, self.alphabet.text(text), QUOTE)

    def dumps(self, value: Json) -> str:
        """The value as `json.dumps` writes it in this layout."""
        return json.dumps(value, ensure_ascii=False, separators=(self.item_separator, self.key_separator))

    def value(self, value: Json) -> Expression:
        """All spellings of exactly this value; its keys in the given order, or in any if the layout says so."""
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, (bool, type(None))):
            return literal(json.dumps(value).encode())
        if isinstance(value, Mapping):
            if self.key_order == "free" and len(value) > 1:
                return seq(literal(b"{"), self._any_order(value, freeze(value), frozenset(value), self.space))
            members = [seq(self.string(k), self.colon, self.value(v)) for k, v in value.items()]
            return seq(literal(b"{"), self._joined(members), self.object_end)
        if isinstance(value, Sequence):
            return seq(literal(b"["), self._joined([self.value(v) for v in value]), self.array_end)
        return exact_number(value)

    def _any_order(
        self, value: Mapping[str, Json], frozen: Frozen, left: frozenset[str], before: Expression
    ) -> Expression:
        """The rest of an object whose members `left` are still to come."""
        if not left:
            return self.object_end

        def expand() -> Expression:
            return choice(
                *(
                    seq(
                        before,
                        self.string(name),
                        self.colon,
                        self.value(value[name]),
                        self._any_order(value, frozen, left - {name}, self.comma),
                    )
                    for name in value
                    if name in left
                )
            )

        return rule(("value in any order", self, frozen, left), expand, live=True)

    def _joined(self, items: Sequence[Expression]) -> Expression:
        first = self.space if items else EMPTY
        return seq(first, *(part for i, item in enumerate(items) for part in ((self.comma, item) if i else (item,))))


QUOTE = literal(b'"')


def decimal(value: int | float | Decimal) -> Decimal:
    """The number as its shortest decimal spelling says it."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def exact_number(value: int | float | Decimal) -> Expression:
    """`3` and `3.0`, `-0.25`, `1e+22`: the plain spellings of one number, and the serialiser's own."""
    number = decimal(value)
    text = plain(number)
    spelled = [literal(text.encode())]
    if "." not in text:
        spelled.append(literal(text.encode() + b".0"))
    if number == 0:
        spelled.append(literal(b"-0.0"))
    elif abs(number.adjusted()) <= MAX_EXPONENT:
        repeated = json.dumps(float(number))
        if decimal(float(number)) == number:
            spelled.append(literal(repeated.encode()))
    return choice(*spelled)


def plain(number: Decimal) -> str:
    """Decimal digits without exponent or trailing zeros."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def has_one_spelling(value: Json) -> bool:
    """Whether a value can be excluded by its spelling: a scalar, or an array without numbers and objects."""
    if isinstance(value, list):
        return all(freeze(item)[0] != "number" and has_one_spelling(item) for item in value)
    return not isinstance(value, Mapping)


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
