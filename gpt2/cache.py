"""Keys and values of what a model has read, so that a new token costs one position and not all.

B rows   T new tokens of every row   N new tokens of all rows together   S slots looked at   H heads   D == C // H

The token at position p of a row lives in slot p of that row, so rows of different lengths need no left padding, and
what a query may see is `slot <= position`. Where rows advance by different amounts (a forced run beside a single
token, prompts of different lengths), their new tokens come one row's after the other's, (1, N): none of the model's
products is spent on padding, and a long run costs the other rows only its own tokens.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from gpt2.config import GPTConfig
from gpt2.errors import ContextOverflow

Attend: TypeAlias = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]
"""(q, k, v, visible) -> (B, H, T, D), as `CausalSelfAttention.longhand` and `fused`."""


@dataclass(frozen=True, kw_only=True)
class _Places:
    """Where the new tokens go, and what they look at; one for all layers.

    rows, slots: of each new token, (B, 1) and (B, T), or (N,) each; a slice when all rows are equally long
    visible: (B, 1, T, S), None for "itself and everything before"; of each row's last token where `last` is given
    last: (B,) where each row's last token is among the N   runs: row, its places among the N, and its S, of the rows
    with more than one new token
    """

    rows: Tensor | None = None
    slots: Tensor | slice
    span: int
    visible: Tensor | None = None
    last: Tensor | None = None
    runs: Sequence[tuple[int, slice, int]] = ()

    def write(self, stored: Tensor, new: Tensor) -> None:
        """Put new (B, H, T, D) or (1, H, N, D) into stored (B, H, capacity, D)."""
        if isinstance(self.slots, slice):
            stored[:, :, self.slots] = new
        else:
            new = new.transpose(1, 2).to(stored.dtype)  # (B, T, H, D) or (1, N, H, D)
            stored[self.rows, :, self.slots] = new if self.last is None else new[0]


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
        shape = (rows, config.n_head, self.capacity, config.n_embd // config.n_head)
        self.layers = [
            LayerCache(torch.zeros(shape, dtype=dtype, device=device), torch.zeros(shape, dtype=dtype, device=device))
            for _ in range(config.n_layer)
        ]

    def place(self, new: int | Sequence[int]) -> Tensor:
        """Give new tokens their slots and return their positions.

        `new` of every row as a number, positions (B, T); or for each row its own, positions (1, N), one row's after
        the other's. Raises `ContextOverflow` before anything is written.
        """
        begins = self.lengths
        counts = [new] * len(begins) if isinstance(new, int) else list(new)
        ends = [begin + count for begin, count in zip(begins, counts, strict=True)]
        for row, end in enumerate(ends):
            if end > self.capacity:
                raise ContextOverflow(
                    f"row {row}: {begins[row]} tokens are cached and {counts[row]} more were given, "
                    f"but the cache holds {self.capacity}"
                )
        self.lengths = ends
        if isinstance(new, int):
            positions, places = self._side_by_side(begins, new)
        else:
            positions, places = self._one_after_another(begins, counts)
        for layer in self.layers:
            layer.places = places
        return positions

    def _side_by_side(self, begins: Sequence[int], width: int) -> tuple[Tensor, _Places]:
        if len(set(begins)) == 1:
            first, end = begins[0], begins[0] + width
            positions = torch.arange(first, end, device=self.device).expand(len(begins), width)
            return positions, _Places(slots=slice(first, end), span=end)
        rows = torch.arange(len(begins), device=self.device)[:, None]
        positions = torch.tensor(begins, device=self.device)[:, None] + torch.arange(width, device=self.device)
        span = max(begins) + width
        visible = torch.arange(span, device=self.device) <= positions[:, None, :, None]  # (B, 1, T, S)
        return positions, _Places(rows=rows, slots=positions, span=span, visible=visible)

    def _one_after_another(self, begins: Sequence[int], counts: Sequence[int]) -> tuple[Tensor, _Places]:
        rows, slots, last, runs = list[int](), list[int](), list[int](), list[tuple[int, slice, int]]()
        for row, (begin, count) in enumerate(zip(begins, counts, strict=True)):
            if count > 1:
                runs.append((row, slice(len(rows), len(rows) + count), begin + count))
            rows += [row] * count
            slots += range(begin, begin + count)
            last.append(len(rows) - 1)
        where = torch.tensor([rows, slots], device=self.device)  # (2, N)
        newest = torch.tensor(last, device=self.device)  # (B,)
        span = max(slots) + 1
        visible = torch.arange(span, device=self.device) <= where[1, newest][:, None, None, None]  # (B, 1, 1, S)
        return where[1:], _Places(rows=where[0], slots=where[1], span=span, visible=visible, last=newest, runs=runs)

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
    """One layer's keys and values, each (B, H, capacity, D)."""

    places: _Places

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self.keys = keys
        self.values = values

    def attend(self, q: Tensor, k: Tensor, v: Tensor, attend: Attend) -> Tensor:
        """Write k and v where `place` said, and let the queries see their own row; (B, H, T, D) or (1, H, N, D) all.

        Rows side by side are one call. Of rows one after another the last tokens are one call, in which a row with a
        single new token is done, and each longer run is a call of its own.
        """
        at = self.places
        at.write(self.keys, k)
        at.write(self.values, v)
        keys, values = self.keys[:, :, : at.span], self.values[:, :, : at.span]  # (B, H, S, D)
        if at.last is None:
            return attend(q, keys, values, at.visible)  # (B, H, T, D)
        y = torch.empty_like(q)
        if len(at.runs) < len(at.last):
            newest = q[0, :, at.last].transpose(0, 1)[:, :, None]  # (B, H, 1, D)
            y[0, :, at.last] = attend(newest, keys, values, at.visible)[:, :, 0].transpose(0, 1)
        for row, new, span in at.runs:
            own = slice(row, row + 1)
            y[:, :, new] = attend(q[:, :, new], self.keys[own, :, :span], self.values[own, :, :span], None)
        return y  # (1, H, N, D)
