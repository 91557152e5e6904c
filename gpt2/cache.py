"""Keys and values of what a model has read, so that a new token costs one position and not all.

B rows   H heads   T new positions   S slots looked at   D == C // H

The token at position p of a row lives in slot p of that row. Rows of different lengths therefore need no left
padding, rows may advance by different amounts in one pass (a forced run beside a single token), and what a
query may see is just `slot <= position`.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from gpt2.config import GPTConfig
from gpt2.errors import ContextOverflow


class Cache:
    """The caches of all layers, and how many tokens each row holds.

    Memory: 2 · n_layer · n_embd numbers for each token of each row.
    """

    def __init__(
        self,
        config: GPTConfig,
        rows: int,
        capacity: int | None = None,
        *,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> None:
        self.capacity = config.block_size if capacity is None else min(capacity, config.block_size)
        self.lengths = [0] * rows
        self.device = device
        # One slot more than the capacity: padding is written there, and nothing ever looks at it.
        shape = (rows, config.n_head, self.capacity + 1, config.n_embd // config.n_head)
        self.layers = [
            LayerCache(torch.zeros(shape, dtype=dtype, device=device), torch.zeros(shape, dtype=dtype, device=device))
            for _ in range(config.n_layer)
        ]

    def place(self, width: int, counts: Sequence[int] | None = None) -> tuple[Tensor, Tensor | None]:
        """Give `width` new positions of every row their slots.

        Returns positions (B, T), and visibility (B, 1, T, S) or None if causal. `counts[b]` of them are real
        and the rest is padding on the right. Raises `ContextOverflow` before anything is written.
        """
        counts = [width] * len(self.lengths) if counts is None else counts
        begins, ends = self.lengths, [n + count for n, count in zip(self.lengths, counts, strict=True)]
        for row, end in enumerate(ends):
            if end > self.capacity:
                raise ContextOverflow(
                    f"row {row}: {begins[row]} tokens are cached and {counts[row]} more were given, "
                    f"but the cache holds {self.capacity}"
                )
        self.lengths = ends
        span = max(ends)
        uniform = len(set(begins)) == 1 and all(count == width for count in counts)
        offsets = torch.arange(width, device=self.device)
        if uniform:
            slots: slice | Tensor = slice(begins[0], ends[0])
            positions = (begins[0] + offsets).expand(len(begins), width)
        else:
            positions = torch.tensor(begins, device=self.device)[:, None] + offsets  # (B, T)
            real = offsets < torch.tensor(counts, device=self.device)[:, None]
            slots = torch.where(real, positions, self.capacity)
            positions = torch.where(real, positions, 0)
        for layer in self.layers:
            layer.slots, layer.span = slots, span
        if uniform and (width == 1 or begins[0] == 0):
            return positions, None
        visible = torch.arange(span, device=self.device) <= positions[:, :, None]  # (B, T, S)
        return positions, visible[:, None]

    def keep(self, rows: Sequence[int]) -> None:
        """Forget every row but these, in this order."""
        self.lengths = [self.lengths[row] for row in rows]
        index = torch.tensor(rows, device=self.device)
        for layer in self.layers:
            layer.keys, layer.values = layer.keys[index], layer.values[index]

    def truncate(self, lengths: Sequence[int]) -> None:
        """Forget what lies beyond these lengths, so that a row can be continued differently."""
        for row, (has, wanted) in enumerate(zip(self.lengths, lengths, strict=True)):
            if not 0 <= wanted <= has:
                raise ValueError(f"row {row} holds {has} tokens, cannot be cut to {wanted}")
        self.lengths = list(lengths)


class LayerCache:
    """One layer's keys and values, each (B, H, capacity + 1, D)."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self.keys = keys
        self.values = values
        self.slots: slice | Tensor = slice(0, 0)
        self.span = 0

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write k and v (B, H, T, D) where `place` said; returns all there is to look at, (B, H, S, D)."""
        if isinstance(self.slots, slice):
            self.keys[:, :, self.slots] = k
            self.values[:, :, self.slots] = v
        else:
            rows = torch.arange(k.size(0), device=k.device)[:, None]
            self.keys[rows, :, self.slots] = k.transpose(1, 2).to(self.keys.dtype)  # indexed as (B, T, H, D)
            self.values[rows, :, self.slots] = v.transpose(1, 2).to(self.values.dtype)
        return self.keys[:, :, : self.span], self.values[:, :, : self.span]
