"""Sets of code points, and how a code point is spelled in bytes.

An alphabet says how one character is written: plain UTF-8 for Lark and bare regular expressions, escaped
inside a JSON string for JSON Schema. Every spelling is prefix-free and decodes to one character, so a
language of texts and the language of their spellings have the same intersections and complements (complements
within `any_text`).

Lone surrogates (U+D800..U+DFFF) are not characters and belong to no alphabet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from .expression import Expression, Literal, byte_range, choice, literal, repeat, seq

Ranges = tuple[tuple[int, int], ...]  # sorted, disjoint, not touching; both ends included

SURROGATES = (0xD800, 0xDFFF)
MAX = 0x10FFFF


def ranges(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """Any pairs as a canonical set of code points, without surrogates."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(_without_surrogates(pairs)):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


def _without_surrogates(pairs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    first, last = SURROGATES
    for low, high in pairs:
        for a, b in ((low, min(high, first - 1)), (max(low, last + 1), high)):
            if a <= b:
                yield a, b


def invert(points: Ranges) -> Ranges:
    """Every other code point."""
    result, at = [], 0
    for low, high in points:
        if at < low:
            result.append((at, low - 1))
        at = high + 1
    if at <= MAX:
        result.append((at, MAX))
    return ranges(result)


def meet(a: Ranges, b: Ranges) -> Ranges:
    """The code points in both sets."""
    return ranges((max(x, u), min(y, v)) for x, y in a for u, v in b if max(x, u) <= min(y, v))


EVERYTHING = ranges([(0, MAX)])


def utf8(points: Ranges) -> Expression:
    """One character of the set, as UTF-8."""
    return choice(*(part for low, high in points for part in _utf8_range(low, high)))


def _utf8_range(low: int, high: int) -> Iterator[Expression]:
    for limit in (0x7F, 0x7FF, 0xFFFF):
        if low <= limit < high:
            yield from _utf8_range(low, limit)
            yield from _utf8_range(limit + 1, high)
            return
    a, b = chr(low).encode(), chr(high).encode()
    for i in range(1, len(a)):  # split until every byte but the first that differs runs over its full range
        mask = (1 << 6 * i) - 1
        if low & ~mask != high & ~mask:
            if low & mask:
                yield from _utf8_range(low, low | mask)
                yield from _utf8_range((low | mask) + 1, high)
                return
            if high & mask != mask:
                yield from _utf8_range(low, (high & ~mask) - 1)
                yield from _utf8_range(high & ~mask, high)
                return
    yield seq(*(byte_range(x, y) for x, y in zip(a, b, strict=True)))


class Alphabet:
    """A way to spell characters. `spell(points)` is the language of one character of the set."""

    def __init__(self, name: str, spell: Callable[[Ranges], Expression]) -> None:
        self.name = name
        self.one_of: Callable[[Ranges], Expression] = lru_cache(maxsize=1024)(spell)
        self.character = self.one_of(EVERYTHING)
        self.any_text = repeat(self.character)

    def text(self, text: str) -> Expression:
        """Exactly this text."""
        parts: list[Expression] = []
        run = b""  # joined before it is interned, so that a text makes one literal and not one for each of its ends
        for c in text:
            part = self.one_of(((ord(c), ord(c)),))
            if isinstance(part, Literal):
                run += part.text
            else:
                parts += [literal(run), part]
                run = b""
        return seq(*parts, literal(run))

    def __repr__(self) -> str:
        return f"Alphabet({self.name!r})"


# ---- inside a JSON string

SHORT_ESCAPES = {0x08: b"\\b", 0x09: b"\\t", 0x0A: b"\\n", 0x0C: b"\\f", 0x0D: b"\\r", 0x22: b'\\"', 0x5C: b"\\\\"}
RAW = ranges([(0x20, 0x21), (0x23, 0x5B), (0x5D, MAX)])  # what JSON lets stand for itself in a string


def _members(points: Ranges, within: Ranges) -> Iterator[int]:
    for low, high in meet(points, within):
        yield from range(low, high + 1)


def _canonical(points: Ranges) -> Expression:
    parts = [utf8(meet(points, RAW))]
    for point in _members(points, invert(RAW)):
        parts.append(literal(SHORT_ESCAPES.get(point, b"\\u%04x" % point)))
    return choice(*parts)


def _any_escape(points: Ranges) -> Expression:
    parts = [utf8(meet(points, RAW))]
    for point in _members(points, ranges([(p, p) for p in SHORT_ESCAPES])):
        parts.append(literal(SHORT_ESCAPES[point]))
    if meet(points, ((0x2F, 0x2F),)):
        parts.append(literal(b"\\/"))
    for low, high in meet(points, ((0, 0xFFFF),)):
        parts.append(seq(literal(b"\\u"), _hex_range(low, high, 4)))
    for low, high in meet(points, ((0x10000, MAX),)):
        parts.append(_surrogate_pairs(low - 0x10000, high - 0x10000))
    return choice(*parts)


def _surrogate_pairs(low: int, high: int) -> Expression:
    """UTF-16 pairs for the offsets low..high above U+10000."""

    def block(first: int, last: int, a: int, b: int) -> Expression:
        lead = seq(literal(b"\\u"), _hex_range(0xD800 + first, 0xD800 + last, 4))
        return seq(lead, literal(b"\\u"), _hex_range(0xDC00 + a, 0xDC00 + b, 4))

    first, last = low >> 10, high >> 10
    a, b = low & 0x3FF, high & 0x3FF
    if first == last:
        return block(first, first, a, b)
    middle = block(first + 1, last - 1, 0, 0x3FF) if last - first > 1 else choice()
    return choice(block(first, first, a, 0x3FF), middle, block(last, last, 0, b))


@lru_cache(maxsize=4096)
def _hex_range(low: int, high: int, width: int) -> Expression:
    """Numbers low..high in `width` hexadecimal digits of either case."""
    if width == 1:
        return choice(*(hex_digit(d) for d in range(low, high + 1)))
    shift = 4 * (width - 1)
    full = (1 << shift) - 1
    parts = []
    for digit in range(low >> shift, (high >> shift) + 1):
        a = low & full if digit == low >> shift else 0
        b = high & full if digit == high >> shift else full
        parts.append(seq(hex_digit(digit), _hex_range(a, b, width - 1)))
    return choice(*parts)


def hex_digit(digit: int) -> Expression:
    """One hexadecimal digit in either case."""
    text = f"{digit:x}"
    return choice(literal(text.encode()), literal(text.upper().encode()))


UTF8 = Alphabet("utf-8", utf8)
JSON_CANONICAL = Alphabet("json, one spelling", _canonical)
JSON_ANY_ESCAPE = Alphabet("json, any escape", _any_escape)
