"""An estimate with its 95 % interval.

Each dialogue gives a numerator and a denominator; the estimate is the ratio of their sums.

- *Proportions* (every answer counts 1 and is right or wrong): Wilson's interval (JASA 1927;22:209), which stays inside
  0..1 and does not vanish at 0 of n. Turns of one dialogue are not independent, so n is the number of dialogues.
- *Anything else* (counts per answer, milliseconds, shares of arguments): percentile bootstrap over dialogues, 1,000
  resamples of a fixed seed (Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). Resampling says
  nothing about a share of none or of all, so those get Wilson's interval, again with n the number of dialogues.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

RESAMPLES, SEED = 1000, 20
Part = tuple[float, float]
"""Numerator and denominator."""


@dataclass(frozen=True)
class Estimate:
    """total / n with its interval; all NaN when n is 0. `clusters`: the dialogues it rests on."""

    total: float
    n: float
    low: float
    high: float
    clusters: int
    method: Literal["wilson", "bootstrap"]

    @property
    def value(self) -> float:
        return self.total / self.n if self.n else math.nan

    def as_json(self) -> dict[str, Any]:
        """Rounded to five digits behind the point; None where there is no number."""
        shown: Mapping[str, float] = {"value": self.value, "low": self.low, "high": self.high}
        return {
            **{name: None if math.isnan(x) else round(x, 5) for name, x in shown.items()},
            "total": round(self.total, 5),
            "n": round(self.n, 5),
            "dialogues": self.clusters,
            "interval": self.method,
        }


def wilson(hits: float, n: float, clusters: int | None = None) -> Estimate:
    """The proportion hits / n, its interval that of as many draws as there are clusters (n when not given)."""
    clusters = round(n) if clusters is None else clusters
    if not n:
        return Estimate(0, 0, math.nan, math.nan, 0, "wilson")
    z, p = 1.959964, hits / n
    centre = (p + z * z / (2 * clusters)) / (1 + z * z / clusters)
    half = z / (1 + z * z / clusters) * math.sqrt(p * (1 - p) / clusters + z * z / (4 * clusters * clusters))
    return Estimate(hits, n, max(0.0, centre - half), min(1.0, centre + half), clusters, "wilson")


def bootstrap(parts: Sequence[Part], *, share: bool = False) -> Estimate:
    """The ratio of the summed numerators to the summed denominators; one part is one dialogue.

    share: the ratio lies between 0 and 1.
    """
    total, n = sum(a for a, _ in parts), sum(b for _, b in parts)
    if not n:
        return Estimate(0, 0, math.nan, math.nan, 0, "bootstrap")
    if share and total in (0, n):
        return wilson(total, n, len(parts))
    tops, bottoms = (np.array(x, np.float64) for x in zip(*parts, strict=True))  # each (D,)
    weights = _resamples(len(parts))  # (RESAMPLES, D)
    below = weights @ bottoms
    ratios = (weights @ tops)[below > 0] / below[below > 0]
    low, high = np.percentile(ratios, (2.5, 97.5))
    return Estimate(total, n, float(low), float(high), len(parts), "bootstrap")


@lru_cache(maxsize=2)
def _resamples(size: int) -> NDArray[np.float64]:
    """How often each of `size` dialogues is drawn in each resample, (RESAMPLES, size)."""
    rng = np.random.default_rng(SEED)
    return rng.multinomial(size, np.full(size, 1 / size), RESAMPLES).astype(np.float64)
