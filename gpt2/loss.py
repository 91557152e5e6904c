"""Next-token loss that never holds the logits: head and cross-entropy fused, chunk by chunk.

N scored tokens   n tokens in a chunk   C channels   V vocabulary   B rows   T positions

For one scored token with head input h, logits z = W h and target y, the loss is logsumexp(z) - z_y. Its
gradient needs the same softmax: dz = softmax(z) - onehot(y), dh = Wᵀ dz, dW = dz hᵀ. So the forward pass
computes both while a chunk's logits are at hand and backward only scales them; of the (N, V) logits no more
than (n, V) ever exists.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gpt2.errors import NothingToLearn
from gpt2.masks import packed
from gpt2.model import GPT

IGNORE = -100
"""Target of a position that is not scored, as in `torch.nn.functional.cross_entropy`."""

CHUNK = 512
"""Tokens whose logits exist at one time: 103 MB at 50,304 float32 logits each."""

LanguageBatch: TypeAlias = Sequence[Tensor]
"""(ids, targets), or (ids, targets, segments) for packed rows; int64 (B, T) each, see `next_token_loss`."""


class _HeadCrossEntropy(torch.autograd.Function):
    """hidden (N, C), weight (V, C), targets (N,) -> summed loss; mathematics at the top of this file."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, chunk: int) -> Tensor:
        dtype = _compute_dtype(hidden)
        head = weight.to(dtype)  # (V, C)
        needs_hidden, needs_weight = ctx.needs_input_grad[:2]
        d_hidden = torch.empty_like(hidden) if needs_hidden else None
        d_weight = None
        if needs_weight:  # the first chunk writes, the others add
            d_weight = torch.empty_like(weight) if hidden.size(0) else torch.zeros_like(weight)
        wide = torch.promote_types(dtype, torch.float32)  # of softmax and sums
        total = torch.zeros((), dtype=wide, device=hidden.device)
        # One buffer for every chunk: fresh memory costs as much in page faults as the softmax itself.
        buffer = torch.empty(min(chunk, hidden.size(0)), head.size(0), dtype=wide, device=hidden.device)
        for begin in range(0, hidden.size(0), chunk):
            h = hidden[begin : begin + chunk].to(dtype)  # (n, C)
            y = targets[begin : begin + chunk, None]  # (n, 1)
            z = buffer[: h.size(0)]  # (n, V)
            if dtype == wide:
                torch.mm(h, head.T, out=z)
            else:
                z.copy_(h @ head.T)
            z_y, z_max = z.gather(-1, y), z.amax(dim=-1, keepdim=True)  # each (n, 1)
            dz = torch.softmax(z, dim=-1, out=z)  # (n, V), in place
            # logsumexp(z) by way of the likeliest token: its probability is at least 1/V, never 0
            total += (z_max - dz.amax(dim=-1, keepdim=True).log() - z_y).sum()
            if d_hidden is None and d_weight is None:
                continue
            dz.scatter_add_(-1, y, dz.new_full(y.shape, -1.0))
            dz = dz.to(dtype)
            if d_hidden is not None:
                d_hidden[begin : begin + chunk] = dz @ head  # (n, C)
            if d_weight is not None and dtype == d_weight.dtype:
                d_weight.addmm_(dz.T, h, beta=int(begin > 0))  # (V, C)
            elif d_weight is not None and begin == 0:
                d_weight.copy_(dz.T @ h)
            elif d_weight is not None:
                d_weight += dz.T @ h
        ctx.save_for_backward(d_hidden, d_weight)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_total: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        d_hidden, d_weight = ctx.saved_tensors
        return _times(d_hidden, d_total), _times(d_weight, d_total), None, None


def head_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor, chunk: int = CHUNK) -> Tensor:
    """Summed cross-entropy of `hidden @ weight.T` (N, C), (V, C) with `targets` (N,); a scalar.

    Equal to `F.cross_entropy(hidden @ weight.T, targets, reduction="sum")`, at the memory of `chunk` tokens'
    logits. Under autocast the products are computed in its type and the softmax in float32. Differentiable
    once.
    """
    if chunk < 1:
        raise ValueError(f"chunk={chunk} must be at least 1")
    return cast(Tensor, _HeadCrossEntropy.apply(hidden, weight, targets, chunk))  # type: ignore[no-untyped-call]


def next_token_loss(model: GPT, batch: LanguageBatch) -> tuple[Tensor, int]:
    """Summed loss over the scored positions of a batch, and how many they are.

    `targets` (B, T) holds the id that should follow each of `ids`, or -100 where it does not count; the head
    is multiplied at the others only. With `segments`, rows hold several texts that do not see one another,
    see `gpt2.masks.packed`. Raises `NothingToLearn` if no position is scored.
    """
    device = model.lm_head.weight.device
    ids, targets, *rest = (tensor.to(device, non_blocking=True) for tensor in batch)
    scored = targets != IGNORE  # (B, T)
    weight = int(scored.sum())
    if weight == 0:
        raise NothingToLearn(
            f"a batch of {targets.size(0)} rows and {targets.size(1)} positions scores no token: "
            f"every target is {IGNORE}; "
            "check the loss mask, or drop examples whose answer was cut off"
        )
    positions, visible = packed(rest[0]) if rest else (None, None)
    hidden = model.hidden(ids, positions=positions, visible=visible)  # (B, T, C)
    return head_cross_entropy(hidden[scored], model.lm_head.weight, targets[scored]), weight


def _times(gradient: Tensor | None, factor: Tensor) -> Tensor | None:
    """In place, so that no second (V, C) is made; not at all for a factor of one, which a trainer's is, where looking
    at it costs no wait for a GPU. A graph that is kept for another backward finds the change and refuses."""
    if gradient is None or (factor.device.type == "cpu" and factor.item() == 1.0):
        return gradient
    return gradient.mul_(factor.to(gradient.dtype))


def _compute_dtype(hidden: Tensor) -> torch.dtype:
    device = hidden.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
