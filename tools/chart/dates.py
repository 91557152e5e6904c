"""Dates as records and people write them, and ages counted from them.

A FHIR date may be a year, a month or a day (``1950``, ``1950-02``, ``1950-02-03``). Such dates are compared as
far as both say something. No function here asks the clock: "now" is always an argument.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date

_NAMES = """
january february march april may june july august september october november december
"""
_MONTHS = {
    name[:length]: number for number, name in enumerate(_NAMES.split(), start=1) for length in (3, len(name))
} | {"sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_ISO = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b")
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?({_MONTH})\.?,?\s+(\d{{4}})\b", re.IGNORECASE)
_MONTH_FIRST = re.compile(rf"\b({_MONTH})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})\b", re.IGNORECASE)
_SLASHED = re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\b")


def dates_in(text: str) -> tuple[list[frozenset[str]], str]:
    """The dates written in ``text`` and the text without them.

    One entry a date: the ISO days it can mean (03/12/1964 is the 12th of March or the 3rd of December).
    """
    found: list[frozenset[str]] = []

    def take(days: Iterator[str]) -> str:
        choices = frozenset(days)
        if choices:
            found.append(choices)
        return " "

    text = _ISO.sub(lambda m: take(_day(m[1], m[2], m[3])), text)
    text = _DAY_FIRST.sub(lambda m: take(_day(m[3], _MONTHS[m[2].lower()], m[1])), text)
    text = _MONTH_FIRST.sub(lambda m: take(_day(m[3], _MONTHS[m[1].lower()], m[2])), text)
    text = _SLASHED.sub(lambda m: take(iter((*_day(m[3], m[1], m[2]), *_day(m[3], m[2], m[1])))), text)
    return found, text


def _day(year: str | int, month: str | int, day: str | int) -> Iterator[str]:
    try:
        yield date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return


def at_or_before(day: str, end: str) -> bool:
    """Whether a day, month or year can lie at or before ``end``."""
    return day[: len(end)] <= end[: len(day)]


def at_or_after(day: str, start: str) -> bool:
    """Whether a day, month or year can lie at or after ``start``."""
    return day[: len(start)] >= start[: len(day)]


def age_on(birth: str, day: str) -> tuple[int, str] | None:
    """Completed (age, unit) on an ISO day: days under 28 days, months under two years, then years.

    None when the dates do not settle it: a birth year alone leaves two ages open, except on days of other
    years where both agree.
    """
    on = date.fromisoformat(day)
    ages = {_age(born, on) for born in _first_and_last(birth)}
    return ages.pop() if len(ages) == 1 else None


def _first_and_last(written: str) -> tuple[date, date]:
    parts = [int(part) for part in written.split("-")]
    if len(parts) == 3:
        return (date(*parts),) * 2
    year, month = parts[0], parts[1] if len(parts) == 2 else None
    first = date(year, month or 1, 1)
    last_month = month or 12
    return first, date(year, last_month, monthrange(year, last_month)[1])


def _age(born: date, on: date) -> tuple[int, str] | None:
    if on < born:
        return None
    months = (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)
    if (on - born).days < 28:
        return (on - born).days, "days"
    return (months, "months") if months < 24 else (months // 12, "years")
