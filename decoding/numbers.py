"""Numbers as digits: bounds and multiples held exactly, in decimal, without floating point.

A number is written `-?int(.fraction)?`. Only a number that no keyword looks at may also be `d.ddde+dd`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

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
from .layout import plain

DIGIT = byte_range(0x30, 0x39)
ONE_TO_NINE = byte_range(0x31, 0x39)
DIGITS = repeat(DIGIT)
ZEROS = repeat(literal(b"0"))
POINT = literal(b".")
MINUS = literal(b"-")
WHOLE = choice(literal(b"0"), seq(ONE_TO_NINE, DIGITS))
ANY_FRACTION = optional(seq(POINT, repeat(DIGIT, 1)))
ZERO_FRACTION = optional(literal(b".0"))
UP_TO_307 = choice(
    repeat(DIGIT, 1, 2), seq(byte_range(0x31, 0x32), DIGIT, DIGIT), seq(literal(b"30"), byte_range(0x30, 0x37))
)
EXPONENT = seq(
    choice(literal(b"e"), literal(b"E")), choice(seq(optional(literal(b"+")), UP_TO_307), seq(MINUS, UP_TO_307))
)
SCIENTIFIC = seq(DIGIT, ANY_FRACTION, EXPONENT)  # one digit before the point, as serialisers write it; never infinite
SOME_NONZERO = seq(POINT, ZEROS, ONE_TO_NINE, DIGITS)  # a fraction that is not zero
MAX_MODULUS = 20_000


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


def number(interval: Interval, *, integral: bool, fractional: bool) -> Expression:
    """The numbers of the interval: integral values, others, or both."""
    if integral and fractional:
        if interval == Interval():
            return seq(optional(MINUS), choice(seq(WHOLE, ANY_FRACTION), SCIENTIFIC))
        return _signed(interval, ANY_FRACTION)
    if integral:
        return _signed(interval.whole(), ZERO_FRACTION)
    if fractional:
        inexact = seq(optional(MINUS), WHOLE, SOME_NONZERO)
        return inexact if interval == Interval() else both(_signed(interval, ANY_FRACTION), inexact)
    return NOTHING


def equal_to(value: Decimal) -> Expression:
    """Every plain spelling of one value, trailing zeros included."""
    return _signed(Interval(low=value, high=value), ANY_FRACTION)


def units(divisor: Decimal) -> tuple[int, int]:
    """A divisor as (units in its last place, number of places): 0.05 is (5, 2).

    Raises ValueError for one that is not positive or has more than MAX_MODULUS units.
    """
    sign, _, exponent = divisor.normalize().as_tuple()
    assert isinstance(exponent, int)
    places = max(0, -exponent)
    modulus = int(divisor.scaleb(places))
    if sign or not 0 < modulus <= MAX_MODULUS:
        raise ValueError(f"a divisor of at most {MAX_MODULUS} units in its last place is supported, found {divisor}")
    return modulus, places


def multiple_of(divisor: Decimal) -> Expression:
    """Every plain spelling of a multiple; the digits are read as a remainder, lowered as it is reached.

    Raises ValueError for a divisor that `units` refuses.
    """
    modulus, places = units(divisor)
    first = choice(
        seq(literal(b"0"), _remainder(modulus, places, -1, 0)),
        *(seq(literal(b"%d" % d), _remainder(modulus, places, 0, d % modulus)) for d in range(1, 10)),
    )
    return seq(optional(MINUS), first)


def not_multiple_of(divisor: Decimal) -> Expression:
    """Every byte string that is not a spelling of a multiple."""
    return complement(multiple_of(divisor))


def _remainder(modulus: int, places: int, read: int, rest: int) -> Expression:
    """What may follow a number whose digits so far leave `rest`.

    `read`: 0 in the whole part, -1 after its only digit 0, k + 1 after the point and k fraction digits.
    """
    done = max(read - 1, 0)
    finished = read != 1 and (rest * 10 ** max(places - done, 0)) % modulus == 0
    return rule(
        ("multiple", modulus, places, read, rest),
        lambda: _expand_remainder(modulus, places, read, rest, finished),
        nullable=finished,
        # In the whole part more digits always reach a multiple; in the fraction some remainders cannot be mended.
        live=True if read == 0 else None,
    )


def _expand_remainder(modulus: int, places: int, read: int, rest: int, finished: bool) -> Expression:
    parts = [EMPTY] if finished else []
    if read <= 0:
        parts.append(seq(POINT, _remainder(modulus, places, 1, rest)))
        if read == 0:
            parts.extend(_digit(modulus, places, 0, rest, d) for d in range(10))
    elif read <= places:
        parts.extend(_digit(modulus, places, read + 1, rest, d) for d in range(10))
    elif finished or places == 0:
        # All the places that count have been read: only zeros may follow, and after a bare point one must.
        parts.append(seq(literal(b"0"), ZEROS) if rest % modulus == 0 else NOTHING)
    return choice(*parts)


def _digit(modulus: int, places: int, read: int, rest: int, digit: int) -> Expression:
    return seq(literal(b"%d" % digit), _remainder(modulus, places, read, (rest * 10 + digit) % modulus))


# ---- bounds


def _signed(interval: Interval, fraction: Expression) -> Expression:
    """Both signs. The negative half is the mirror image, and `-0` counts as 0."""
    mirror = Interval(
        low=None if interval.high is None else -interval.high,
        high=None if interval.low is None else -interval.low,
        low_open=interval.high_open,
        high_open=interval.low_open,
    )
    return choice(_magnitude(interval, fraction), seq(MINUS, _magnitude(mirror, fraction)))


def _magnitude(interval: Interval, fraction: Expression) -> Expression:
    """Numbers from 0 up, within the interval."""
    if interval.empty or (interval.high is not None and interval.high < 0):
        return NOTHING
    if interval.high == 0 and interval.high_open:
        return NOTHING
    parts = []
    if interval.low is not None and (interval.low > 0 or (interval.low == 0 and interval.low_open)):
        parts.append(_at_least(interval.low, interval.low_open, fraction))
    if interval.high is not None:
        parts.append(_at_most(interval.high, interval.high_open, fraction))
    return both(*parts) if parts else seq(WHOLE, fraction)


def _split(value: Decimal) -> tuple[str, str]:
    whole, _, rest = plain(value).partition(".")
    return whole, rest


def _at_most(value: Decimal, strict: bool, fraction: Expression) -> Expression:
    whole, rest = _split(value)
    n = len(whole)
    less = [literal(b"0")] if whole != "0" else []
    if n > 1:
        less.append(seq(ONE_TO_NINE, repeat(DIGIT, 0, n - 2)))
    for i, digit in enumerate(whole):
        first = "1" if i == 0 else "0"
        if digit > first:
            below = byte_range(ord(first), ord(digit) - 1)
            less.append(seq(literal(whole[:i].encode()), below, repeat(DIGIT, n - 1 - i, n - 1 - i)))
    if fraction is ZERO_FRACTION:
        equal = NOTHING if strict else ZERO_FRACTION
    elif rest:
        equal = optional(seq(POINT, _digits_at_most(rest, strict, first=True)))
    else:
        equal = NOTHING if strict else optional(seq(POINT, literal(b"0"), ZEROS))
    return choice(seq(choice(*less), fraction), seq(literal(whole.encode()), equal))


def _digits_at_most(digits: str, strict: bool, *, first: bool = False) -> Expression:
    if not digits:
        return NOTHING if strict else ZEROS
    parts = [] if first else [EMPTY]  # a shorter fraction is smaller, since the last digit of the bound is not 0
    if digits[0] > "0":
        parts.append(seq(byte_range(0x30, ord(digits[0]) - 1), DIGITS))
    parts.append(seq(literal(digits[0].encode()), _digits_at_most(digits[1:], strict)))
    return choice(*parts)


def _at_least(value: Decimal, strict: bool, fraction: Expression) -> Expression:
    whole, rest = _split(value)
    n = len(whole)
    more = [seq(ONE_TO_NINE, repeat(DIGIT, n if whole != "0" else 0))]
    for i, digit in enumerate(whole):
        if digit < "9" and whole != "0":
            above = byte_range(ord(digit) + 1, 0x39)
            more.append(seq(literal(whole[:i].encode()), above, repeat(DIGIT, n - 1 - i, n - 1 - i)))
    if rest:
        equal = seq(POINT, _digits_at_least(rest, strict))
    elif strict:
        equal = NOTHING if fraction is ZERO_FRACTION else SOME_NONZERO
    else:
        equal = fraction
    return choice(seq(choice(*more), fraction), seq(literal(whole.encode()), equal))


def _digits_at_least(digits: str, strict: bool) -> Expression:
    if not digits:
        return seq(ZEROS, ONE_TO_NINE, DIGITS) if strict else DIGITS
    parts = []
    if digits[0] < "9":
        parts.append(seq(byte_range(ord(digits[0]) + 1, 0x39), DIGITS))
    parts.append(seq(literal(digits[0].encode()), _digits_at_least(digits[1:], strict)))
    return choice(*parts)
