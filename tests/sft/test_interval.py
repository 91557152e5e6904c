"""Intervals: published values of Wilson's, known distributions for the bootstrap."""

import math
import random

import pytest

from sft.interval import bootstrap, wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_intervals_match_published_values(hits: int, n: int, low: float, high: float) -> None:
    estimate = wilson(hits, n)  # Newcombe, Stat Med 1998;17:857, table I
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-4)


def test_turns_of_one_dialogue_do_not_narrow_the_interval() -> None:
    whole, split = wilson(50, 100), wilson(100, 200, clusters=100)
    assert (split.low, split.high) == (whole.low, whole.high)
    assert (split.value, split.n, split.clusters) == (0.5, 200, 100)


def test_an_estimate_of_nothing_is_not_a_number() -> None:
    for nothing in (wilson(0, 0), bootstrap([]), bootstrap([(0, 0)])):
        assert math.isnan(nothing.value) and math.isnan(nothing.low)
        assert nothing.as_json()["value"] is None


def test_the_bootstrap_of_a_mean_is_as_wide_as_its_standard_error_says() -> None:
    rng = random.Random(1)
    values = [rng.gauss(10, 2) for _ in range(400)]
    estimate = bootstrap([(v, 1.0) for v in values])
    mean = sum(values) / 400
    error = (sum((v - mean) ** 2 for v in values) / 400 / 400) ** 0.5
    assert estimate.value == pytest.approx(mean)
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * error, rel=0.12)


def test_the_bootstrap_draws_dialogues_and_repeats_itself() -> None:
    parts = [(1.0, 2.0), (5.0, 5.0), (0.0, 3.0)]
    assert bootstrap(parts) == bootstrap(parts)
    assert bootstrap(parts).value == 0.6
    assert bootstrap([(2.0, 4.0)] * 50).low == 0.5


def test_none_of_many_values_is_not_certainly_none() -> None:
    estimate = bootstrap([(0.0, 3.0)] * 40, share=True)
    assert (estimate.value, estimate.low) == (0.0, 0.0)
    assert estimate.high == wilson(0, 40).high and estimate.method == "wilson"
    assert bootstrap([(3.0, 3.0)] * 40, share=True).low == wilson(40, 40).low
