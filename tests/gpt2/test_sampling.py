import math

import pytest
import torch
from torch import Tensor

from gpt2.sampling import choose, draw, greedy, keep_min_p, keep_nucleus, keep_top_k

LOGITS = torch.tensor([[2.0, -1.0, 0.5, 1.0, -3.0, 0.0, 1.9, -0.5]])
CRITICAL = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 5: 20.52, 6: 22.46, 7: 24.32}
"""Chi-square's upper 0.1 % point by degrees of freedom."""


def probabilities(logits: Tensor) -> list[float]:
    exponentials = [math.exp(x) for x in logits.flatten().tolist()]
    return [e / sum(exponentials) for e in exponentials]


def expected_distribution(temperature: float, top_k: int | None, top_p: float, min_p: float) -> list[float]:
    """The definitions, in plain Python, in the order they are documented."""
    p = probabilities(LOGITS / temperature)
    likeliest_first = sorted(range(8), key=lambda i: -p[i])
    kept = set(likeliest_first[:top_k])
    mass, nucleus = 0.0, set()
    for i in [i for i in likeliest_first if i in kept]:
        nucleus.add(i)
        mass += p[i] / sum(p[j] for j in kept)
        if mass >= top_p:
            break
    kept = {i for i in nucleus if p[i] >= min_p * max(p)}
    return [p[i] / sum(p[j] for j in kept) if i in kept else 0.0 for i in range(8)]


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p", "min_p"),
    [
        (1.0, None, 1.0, 0.0),
        (0.7, None, 1.0, 0.0),
        (2.0, 3, 1.0, 0.0),
        (1.0, None, 0.8, 0.0),
        (1.0, None, 1.0, 0.2),
        (1.3, 6, 0.95, 0.1),
    ],
)
def test_draws_follow_the_definition(temperature: float, top_k: int | None, top_p: float, min_p: float) -> None:
    n = 20_000
    chosen = choose(
        LOGITS.expand(n, 8),
        torch.Generator().manual_seed(5),
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        min_p=min_p,
    )
    counts = chosen.bincount(minlength=8).tolist()
    expected = expected_distribution(temperature, top_k, top_p, min_p)
    possible = [i for i in range(8) if expected[i] > 0]
    assert sum(counts[i] for i in possible) == n, "nothing outside the kept set is ever drawn"
    statistic = sum((counts[i] - n * expected[i]) ** 2 / (n * expected[i]) for i in possible)
    assert statistic < CRITICAL[len(possible) - 1]


def test_temperature_zero_is_the_likeliest_token_whatever_the_generator() -> None:
    assert choose(LOGITS, torch.Generator().manual_seed(1), temperature=0.0).tolist() == greedy(LOGITS).tolist() == [0]


def test_top_k_keeps_k_and_all_of_a_tie() -> None:
    assert keep_top_k(LOGITS, 2).isfinite().nonzero()[:, 1].tolist() == [0, 6]
    tied = torch.tensor([[1.0, 1.0, 1.0, 0.0]])
    assert keep_top_k(tied, 2).isfinite().sum() == 3
    assert torch.equal(keep_top_k(LOGITS, 100), LOGITS)


def test_the_nucleus_always_holds_the_likeliest_token() -> None:
    assert keep_nucleus(LOGITS, 1e-9).isfinite().nonzero()[:, 1].tolist() == [0]
    assert torch.equal(keep_nucleus(LOGITS, 1.0), LOGITS)


@pytest.mark.parametrize("spread", [8.0, 2.0, 0.1], ids=["few", "hundreds", "most of the vocabulary"])
@pytest.mark.parametrize("p", [0.5, 0.9, 0.999])
def test_the_nucleus_of_a_whole_vocabulary_is_the_smallest_set_that_reaches_p(spread: float, p: float) -> None:
    logits = spread * torch.randn(2, 6_000, generator=torch.Generator().manual_seed(3))
    logits[:, 5_000:] = -math.inf
    for row, kept in zip(logits, keep_nucleus(logits, p), strict=True):
        ordered, order = row.double().softmax(dim=-1).sort(descending=True)
        n = int((ordered.cumsum(dim=-1) < p).sum()) + 1
        chosen = kept.isfinite().nonzero().flatten()
        assert abs(len(chosen) - n) <= 1, "float32 may round the sum to the other side of p"
        assert set(chosen.tolist()) == set(order[: len(chosen)].tolist())
        assert torch.equal(kept[chosen], row[chosen])


def test_min_p_is_relative_to_the_likeliest_token() -> None:
    kept = keep_min_p(LOGITS, 0.5).isfinite()[0].nonzero().flatten().tolist()
    p = probabilities(LOGITS)
    assert kept == [i for i in range(8) if p[i] >= 0.5 * max(p)]


def test_the_filters_leave_their_argument_alone() -> None:
    before = LOGITS.clone()
    keep_top_k(LOGITS, 2), keep_nucleus(LOGITS, 0.5), keep_min_p(LOGITS, 0.5)
    choose(LOGITS, torch.Generator(), temperature=0.5, top_k=2, top_p=0.5, min_p=0.1)
    assert torch.equal(LOGITS, before)


def test_a_ruled_out_token_is_never_drawn_even_first_or_last() -> None:
    logits = torch.full((5_000, 6), -math.inf)
    logits[:, 2:4] = 0.0
    assert set(draw(logits, torch.Generator().manual_seed(0)).tolist()) == {2, 3}


def test_a_rows_draw_depends_on_its_own_generator_only() -> None:
    def generators(*seeds: int) -> list[torch.Generator]:
        return [torch.Generator().manual_seed(seed) for seed in seeds]

    rows = LOGITS.expand(4, 8)
    together = draw(rows, generators(1, 2, 3, 4)).tolist()
    assert together == [draw(LOGITS, generators(seed)).item() for seed in (1, 2, 3, 4)]
