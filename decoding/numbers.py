"""Numbers as digits: bounds and multiples held exactly, in decimal, without floating point.

A number is written `-?int(.fraction)?`. Only a number that no keyword looks at may also be `d.ddde+dd`. A `Spelling`
says how many digits there may be, so that no text is all digits without an end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any

from .expression import (
    EMPTY,
    NOTHING,
    Expression,
    both,
    byte_range,
    choice,
    complement,
    literal,
    optional,
    repeat,
    rule,
    seq,
)
from .layout import decimal, plain

DIGIT = byte_range(0x30, 0x39)
ONE_TO_NINE = byte_range(0x31, 0x39)
ZERO = literal(b"0")
POINT = literal(b".")
MINUS = literal(b"-")
POINT_ZERO = literal(b".0")
UP_TO_307 = choice(
    repeat(DIGIT, 1, 2), seq(byte_range(0x31, 0x32), DIGIT, DIGIT), seq(literal(b"30"), byte_range(0x30, 0x37))
)
EXPONENT = seq(
    choice(literal(b"e"), literal(b"E")), choice(seq(optional(literal(b"+")), UP_TO_307), seq(MINUS, UP_TO_307))
)
MAX_MODULUS = 2_000  # units of a divisor beside bounds, where every remainder may have to be looked at


def _less(count: int | None) -> int | None:
    return None if count is None else count - 1


@dataclass(frozen=True)
class Spelling:
    """How numbers may be written: at most so many digits before and after the point, None for any number of them.

    `integral`: only integral values, which may end in `.0` if `point_zero`.
    """

    whole: int | None = None
    fraction: int | None = None
    integral: bool = False
    point_zero: bool = True

    def for_values(self, *values: Decimal | None) -> Spelling:
        """With room for these values and for some between any two of them."""
        whole, fraction = self.whole, self.fraction
        for value in values:
            if value is not None:
                before, after = _split(abs(value))
                whole = None if whole is None else max(whole, len(before) + 1)
                fraction = None if fraction is None else max(fraction, len(after) + 1)
        return replace(self, whole=whole, fraction=fraction)

    @cached_property
    def wholes(self) -> Expression:
        """What stands before the point: `0`, or digits that do not begin with 0."""
        return choice(ZERO, seq(ONE_TO_NINE, repeat(DIGIT, 0, _less(self.whole))))

    @cached_property
    def fractions(self) -> Expression:
        """The point and what stands behind it, or nothing."""
        if self.integral:
            return optional(POINT_ZERO) if self.point_zero else EMPTY
        return optional(seq(POINT, repeat(DIGIT, 1, self.fraction)))

    @cached_property
    def nonzero_fractions(self) -> Expression:
        """The fractions that are not zero."""
        return NOTHING if self.integral else seq(POINT, _digits_at_least("", True, self.fraction))

    @property
    def scientific(self) -> Expression:
        """One digit before the point, as serialisers write it, and an exponent that keeps the number finite."""
        return seq(DIGIT, self.fractions, EXPONENT)


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Numbers between two bounds; None is no bound."""

    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False

    def meet(self, other: Interval) -> Interval:
        """The numbers in both."""
        low, low_open = self.low, self.low_open
        if other.low is not None and (low is None or (other.low, other.low_open) > (low, low_open)):
            low, low_open = other.low, other.low_open
        high, high_open = self.high, self.high_open
        if other.high is not None and (high is None or (-other.high, other.high_open) > (-high, high_open)):
            high, high_open = other.high, other.high_open
        return Interval(low=low, high=high, low_open=low_open, high_open=high_open)

    def whole(self) -> Interval:
        """The tightest closed interval with the same integers."""
        low = None if self.low is None else Decimal(math.floor(self.low) + 1 if self.low_open else math.ceil(self.low))
        high = (
            None
            if self.high is None
            else Decimal(math.ceil(self.high) - 1 if self.high_open else math.floor(self.high))
        )
        return Interval(low=low, high=high)

    @property
    def empty(self) -> bool:
        """Whether no number lies in it."""
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))


def interval_of(schema: Mapping[str, Any]) -> Interval:
    """The four bounds of one schema, draft 4's boolean `exclusive...` included."""
    result = Interval()
    for side in ("minimum", "maximum"):
        exclusive = schema.get("exclusive" + side.capitalize())
        bounds = [(schema[side], exclusive is True)] if side in schema else []
        if exclusive is not None and not isinstance(exclusive, bool):
            bounds.append((exclusive, True))
        for value, is_open in bounds:
            if side == "minimum":
                result = result.meet(Interval(low=decimal(value), low_open=is_open))
            else:
                result = result.meet(Interval(high=decimal(value), high_open=is_open))
    return result


def number(interval: Interval, spelling: Spelling, *, integral: bool, fractional: bool) -> Expression:
    """The numbers of the interval: integral values, others, or both."""
    spelling = spelling.for_values(interval.low, interval.high)
    if integral and fractional:
        if interval == Interval():
            plainly = seq(spelling.wholes, spelling.fractions)
            return seq(optional(MINUS), choice(plainly, spelling.scientific))
        return _signed(interval, spelling)
    if integral:
        return _signed(interval.whole(), replace(spelling, integral=True))
    if fractional:
        inexact = seq(optional(MINUS), spelling.wholes, spelling.nonzero_fractions)
        return inexact if interval == Interval() else both(_signed(interval, spelling), inexact)
    return NOTHING


def any_plain(spelling: Spelling) -> Expression:
    """Every number without an exponent."""
    return seq(optional(MINUS), spelling.wholes, spelling.fractions)


def equal_to(value: Decimal) -> Expression:
    """Every plain spelling of one value, trailing zeros included."""
    return _signed(Interval(low=value, high=value), Spelling())


# ---- multiples


def units(divisor: Decimal) -> tuple[int, int]:
    """A positive divisor as (units in its last place, number of places): 0.05 is (5, 2)."""
    _, _, exponent = divisor.normalize().as_tuple()
    assert isinstance(exponent, int)
    places = max(0, -exponent)
    return int(divisor.scaleb(places)), places


def multiple_of(divisors: Sequence[Decimal], interval: Interval, spelling: Spelling) -> Expression:
    """Every plain spelling of the numbers in an interval that are multiples of all divisors."""
    places = max(units(divisor)[1] for divisor in divisors)
    modulus = math.lcm(*(int(divisor.scaleb(places)) for divisor in divisors))
    if spelling.integral:  # an integer is a multiple of 0.15 exactly if it is one of 3
        modulus, places = modulus // math.gcd(modulus, 10**places), 0
    spelling = spelling.for_values(*divisors, interval.low, interval.high)
    low, high = _unit_bounds(interval, places)
    positive = _Multiples(modulus, places, low, high, spelling)
    negative = _Multiples(modulus, places, _minus(high), _minus(low), spelling)
    return choice(positive.first(), seq(MINUS, negative.first()))


def not_multiple_of(divisor: Decimal) -> Expression:
    """Every byte string that is not a spelling of a multiple."""
    return complement(multiple_of([divisor], Interval(), Spelling()))


def _unit_bounds(interval: Interval, places: int) -> tuple[int | None, int | None]:
    """The least and the greatest whole number of units of so many decimal places in an interval."""
    low = None if interval.low is None else interval.low.scaleb(places)
    high = None if interval.high is None else interval.high.scaleb(places)
    whole = Interval(low=low, high=high, low_open=interval.low_open, high_open=interval.high_open).whole()
    return (None if whole.low is None else int(whole.low)), (None if whole.high is None else int(whole.high))


def _minus(value: int | None) -> int | None:
    return None if value is None else -value


@dataclass(frozen=True)
class _Multiples:
    """Digits read as a number of units of the last of `places` decimal places: multiples of `modulus` in low..high.

    The digits still to come turn what has been read into any number of a range. Whether a multiple within the
    bounds is among them is arithmetic, so no state has to search. Where the bounds cut no range in two, only the
    remainder of what has been read counts, and numbers share their states.
    """

    modulus: int
    places: int
    low: int | None
    high: int | None
    spelling: Spelling

    def first(self) -> Expression:
        digits = (self._digit(0, d, self.spelling.whole) for d in range(1, 10))
        return choice(seq(ZERO, self._point(0)), *digits)

    def _digit(self, value: int, digit: int, room: int | None) -> Expression:
        return seq(literal(b"%d" % digit), self._whole(10 * value + digit, _less(room)))

    def _fits(self, first: int, last: int) -> bool:
        """Whether a multiple lies in first..last and within the bounds."""
        first = first if self.low is None else max(first, self.low)
        last = last if self.high is None else min(last, self.high)
        return last // self.modulus * self.modulus >= first

    def _cut(self, first: int, last: int) -> bool | None:
        """None if a bound lies inside first..last, else whether the range is within the bounds."""
        if (self.low is not None and last < self.low) or (self.high is not None and first > self.high):
            return False
        within = (self.low is None or first >= self.low) and (self.high is None or last <= self.high)
        return True if within else None

    def _whole(self, value: int, room: int | None) -> Expression:
        """What may follow these digits before the point, with room for so many more."""
        if self.high is not None:
            reach = len(str(self.high)) if room is None else min(room, len(str(self.high)))
        elif room is not None:
            reach = room
        else:  # with so many digits it is beyond the lower bound, and any remainder can be mended
            reach = len(str(self.modulus)) + len(str(self.low or 0))
        live, cuts = False, []
        for digits in range(reach + 1):
            one = 10 ** (digits + self.places)
            first, last = value * one, (value + 1) * one - 1
            live = live or self._fits(first, last)
            cuts.append(self._cut(first, last))
        if not live:
            return NOTHING
        known: object = value if None in cuts else (value % self.modulus, tuple(cuts))
        unit = 10**self.places

        def expand() -> Expression:
            digits = range(0 if room == 0 else 10)
            return choice(self._point(value), *(self._digit(value, d, room) for d in digits))

        exact = self._fits(value * unit, value * unit)
        return rule(("multiple", self, "whole", known, room), expand, nullable=exact, live=True)

    def _point(self, value: int) -> Expression:
        """The point and what may follow it, or the end."""
        exact = self._fits(value * 10**self.places, value * 10**self.places)
        if self.spelling.integral:
            return self.spelling.fractions if exact else NOTHING
        return choice(EMPTY if exact else NOTHING, seq(POINT, self._fraction(value, 0)))

    def _fraction(self, value: int, read: int) -> Expression:
        """What may follow so many digits after the point; `value` is all digits so far as one number."""
        left = self.places - read
        if left <= 0:  # all the places that count have been read; behind a bare point a zero must follow
            room = None if self.spelling.fraction is None else self.spelling.fraction - read
            return repeat(ZERO, 0 if read else 1, room) if self._fits(value, value) else NOTHING
        one = 10**left
        first, last = value * one, (value + 1) * one - 1
        if not self._fits(first, last):
            return NOTHING
        ended = read > 0 and self._fits(first, first)

        def expand() -> Expression:
            more = (seq(literal(b"%d" % d), self._fraction(10 * value + d, read + 1)) for d in range(10))
            return choice(EMPTY if ended else NOTHING, *more)

        known: object = value if self._cut(first, last) is None else ("rest", value % self.modulus)
        return rule(("multiple", self, "fraction", known, read), expand, nullable=ended, live=True)


# ---- bounds


def _signed(interval: Interval, spelling: Spelling) -> Expression:
    """Both signs. The negative half is the mirror image, and `-0` counts as 0."""
    mirror = Interval(
        low=None if interval.high is None else -interval.high,
        high=None if interval.low is None else -interval.low,
        low_open=interval.high_open,
        high_open=interval.low_open,
    )
    return choice(_magnitude(interval, spelling), seq(MINUS, _magnitude(mirror, spelling)))


def _magnitude(interval: Interval, spelling: Spelling) -> Expression:
    """Numbers from 0 up, within the interval."""
    if interval.empty or (interval.high is not None and interval.high < 0):
        return NOTHING
    if interval.high == 0 and interval.high_open:
        return NOTHING
    parts = []
    if interval.low is not None and (interval.low > 0 or (interval.low == 0 and interval.low_open)):
        parts.append(_at_least(interval.low, interval.low_open, spelling))
    if interval.high is not None:
        parts.append(_at_most(interval.high, interval.high_open, spelling))
    return both(*parts) if parts else seq(spelling.wholes, spelling.fractions)


def _split(value: Decimal) -> tuple[str, str]:
    whole, _, rest = plain(value).partition(".")
    return whole, rest


def _at_most(value: Decimal, strict: bool, spelling: Spelling) -> Expression:
    whole, rest = _split(value)
    n = len(whole)
    less = [ZERO] if whole != "0" else []
    if n > 1:
        less.append(seq(ONE_TO_NINE, repeat(DIGIT, 0, n - 2)))
    for i, digit in enumerate(whole):
        first = "1" if i == 0 else "0"
        if digit > first:
            below = byte_range(ord(first), ord(digit) - 1)
            less.append(seq(literal(whole[:i].encode()), below, repeat(DIGIT, n - 1 - i, n - 1 - i)))
    if spelling.integral:
        equal = NOTHING if strict else spelling.fractions
    elif rest:
        equal = optional(seq(POINT, _digits_at_most(rest, strict, spelling.fraction, first=True)))
    else:
        equal = NOTHING if strict else optional(seq(POINT, repeat(ZERO, 1, spelling.fraction)))
    return choice(seq(choice(*less), spelling.fractions), seq(literal(whole.encode()), equal))


def _digits_at_most(digits: str, strict: bool, room: int | None, *, first: bool = False) -> Expression:
    if not digits:
        return NOTHING if strict else repeat(ZERO, 0, room)
    parts = [] if first else [EMPTY]  # a shorter fraction is smaller, since the last digit of the bound is not 0
    if digits[0] > "0":
        parts.append(seq(byte_range(0x30, ord(digits[0]) - 1), repeat(DIGIT, 0, _less(room))))
    parts.append(seq(literal(digits[0].encode()), _digits_at_most(digits[1:], strict, _less(room))))
    return choice(*parts)


def _at_least(value: Decimal, strict: bool, spelling: Spelling) -> Expression:
    whole, rest = _split(value)
    n = len(whole)
    more = [seq(ONE_TO_NINE, repeat(DIGIT, n if whole != "0" else 0, _less(spelling.whole)))]
    for i, digit in enumerate(whole):
        if digit < "9" and whole != "0":
            above = byte_range(ord(digit) + 1, 0x39)
            more.append(seq(literal(whole[:i].encode()), above, repeat(DIGIT, n - 1 - i, n - 1 - i)))
    if rest:
        equal = seq(POINT, _digits_at_least(rest, strict, spelling.fraction))
    elif strict:
        equal = spelling.nonzero_fractions
    else:
        equal = spelling.fractions
    return choice(seq(choice(*more), spelling.fractions), seq(literal(whole.encode()), equal))


@lru_cache(maxsize=512)
def _digits_at_least(digits: str, strict: bool, room: int | None) -> Expression:
    """Fraction digits of at least (or more than) these; of no digits: any, or any that are not all zero."""
    if not digits:
        if not strict:
            return repeat(DIGIT, 0, room)
        if room is None:
            return seq(repeat(ZERO), ONE_TO_NINE, repeat(DIGIT))
        nonzero = NOTHING
        for left in range(room):
            nonzero = choice(seq(ONE_TO_NINE, repeat(DIGIT, 0, left)), seq(ZERO, nonzero))
        return nonzero
    parts = []
    if digits[0] < "9":
        parts.append(seq(byte_range(ord(digits[0]) + 1, 0x39), repeat(DIGIT, 0, _less(room))))
    parts.append(seq(literal(digits[0].encode()), _digits_at_least(digits[1:], strict, _less(room))))
    return choice(*parts)
