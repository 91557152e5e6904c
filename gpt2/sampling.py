"""From logits to a token: filters that set what is ruled out to -inf, and one draw.

Pure functions, rows in, rows out.

B rows   V tokens (or only the legal ones)   logits (B, V)
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def greedy(logits: Tensor) -> Tensor:
    """The likeliest token of each row, (B,); the lowest id among equals."""
    return logits.argmax(dim=-1)


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """Only the k likeliest tokens of each row (more if the k-th is tied)."""
    if k >= logits.size(-1):
        return logits
    least = logits.topk(k, dim=-1).values[..., -1:]  # (B, 1)
    return logits.masked_fill(logits < least, -math.inf)


def keep_nucleus(logits: Tensor, p: float) -> Tensor:
    """Only the smallest set of likeliest tokens whose probabilities reach p (Holtzman et al. 2020)."""
    if p >= 1.0:
        return logits
    n, everything = 256, logits.logsumexp(dim=-1, keepdim=True)  # (B, 1)
    while True:  # most nuclei are small, and to sort a vocabulary takes longer than a small model's pass
        top = logits.topk(min(n, logits.size(-1)), dim=-1)  # likeliest first
        probabilities = (top.values - everything).exp()  # (B, n)
        reached = probabilities.cumsum(dim=-1)
        if n >= logits.size(-1) or bool((reached[:, -1] >= p).all()):
            break
        n *= 16
    kept = top.values.masked_fill(reached - probabilities >= p, -math.inf)  # likelier tokens already reach p
    return torch.full_like(logits, -math.inf).scatter_(-1, top.indices, kept)


def keep_min_p(logits: Tensor, p: float) -> Tensor:
    """Only tokens at least p times as likely as the likeliest (Nguyen et al. 2024)."""
    if p <= 0.0:
        return logits
    return logits.masked_fill(logits < logits.amax(dim=-1, keepdim=True) + math.log(p), -math.inf)


def draw(logits: Tensor, generators: torch.Generator | Sequence[torch.Generator]) -> Tensor:
    """One token of each row by its softmax probability, (B,).

    Rows draw from their own generator when a sequence is given, so that a row's tokens do not depend on its
    neighbours.
    """
    rows = logits.size(0)
    if isinstance(generators, torch.Generator):
        uniform = torch.rand(rows, generator=generators, dtype=torch.float64)  # (B,) in [0, 1)
    else:
        uniform = torch.stack([torch.rand((), generator=generator, dtype=torch.float64) for generator in generators])
    cumulative = logits.softmax(dim=-1, dtype=torch.float64).cumsum(dim=-1)  # (B, V)
    threshold = uniform.to(logits.device)[:, None] * cumulative[:, -1:]
    # The first token whose cumulative probability exceeds the threshold; one of probability 0 never does so
    # first.
    return torch.searchsorted(cumulative, threshold, right=True).squeeze(-1)


def choose(
    logits: Tensor,
    generators: torch.Generator | Sequence[torch.Generator],
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    min_p: float = 0.0,
) -> Tensor:
    """The next token of each row, (B,): temperature, top-k, nucleus, min-p, then a draw; 0 is greedy."""
    if temperature == 0.0:
        return greedy(logits)
    logits = logits / temperature
    if top_k is not None:
        logits = keep_top_k(logits, top_k)
    return draw(keep_min_p(keep_nucleus(logits, top_p), min_p), generators)
