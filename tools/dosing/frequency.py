"""How often a dose is given: a closed list of phrases, so that a grammar can hold them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

_HOURS: Mapping[str, Decimal] = {
    "once daily": Decimal(24),
    "twice daily": Decimal(12),
    "three times daily": Decimal(8),
    "four times daily": Decimal(6),
    "five times daily": Decimal("4.8"),
    "six times daily": Decimal(4),
    "every 3 hours": Decimal(3),
    "every 4 hours": Decimal(4),
    "every 6 hours": Decimal(6),
    "every 8 hours": Decimal(8),
    "every 12 hours": Decimal(12),
    "every 24 hours": Decimal(24),
    "every 36 hours": Decimal(36),
    "every 48 hours": Decimal(48),
    "once weekly": Decimal(168),
}
FREQUENCIES = tuple(_HOURS)


def hours_between(frequency: str) -> Decimal:
    """The dosing interval in hours."""
    return _HOURS[frequency]


def doses_per_day(frequency: str) -> Decimal:
    """Doses in 24 hours; below 1 for longer intervals."""
    return 24 / _HOURS[frequency]
