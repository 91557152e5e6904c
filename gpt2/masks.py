"""Which positions may look at which: the `visible` argument of the model, True where a query may see a key.

B batch   T positions that ask   S positions that answer
"""

import torch
from torch import Tensor


def causal(T: int, S: int, device: torch.device | None = None) -> Tensor:
    """Itself and everything before, for the last T of S positions: bool (T, S)."""
    return torch.ones(T, S, dtype=torch.bool, device=device).tril(S - T)


def left_padded(real: Tensor) -> tuple[Tensor, Tensor]:
    """Positions (B, T) and visibility (B, 1, T, T) of rows padded on the left.

    `real` is bool (B, T), False on padding. A padding position sees only itself: a softmax over nothing would
    be nan.
    """
    T = real.size(1)
    positions = (real.long().cumsum(dim=1) - 1).clamp(min=0)  # (B, T)
    visible = causal(T, T, real.device) & real[:, None, :]  # (B, T, T)
    visible |= torch.eye(T, dtype=torch.bool, device=real.device)
    return positions, visible[:, None]


def packed(segments: Tensor) -> tuple[Tensor, Tensor]:
    """Positions (B, T) and visibility (B, 1, T, T) of rows that hold several texts one after another.

    `segments` (B, T) numbers the text each position belongs to; texts never see one another and positions
    restart with each.
    """
    B, T = segments.shape
    index = torch.arange(T, device=segments.device).expand(B, T)
    starts = torch.ones_like(segments, dtype=torch.bool)
    starts[:, 1:] = segments[:, 1:] != segments[:, :-1]
    first = torch.where(starts, index, 0).cummax(dim=1).values  # (B, T), where the position's own text began
    visible = causal(T, T, segments.device) & (first[:, :, None] == first[:, None, :])  # (B, T, T)
    return index - first, visible[:, None]
