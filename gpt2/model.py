"""GPT-2 by hand (Radford et al. 2019): embed, attend and think n_layer times, compare with every token.

B batch   T new positions   S positions to look at (S == T without a cache)
C channels (n_embd)   H heads   D == C // H   V vocabulary

Parameters keep OpenAI's names, so released weights load by name; their Conv1D stores (in, out) where
nn.Linear stores (out, in), hence one transpose. `visible` says which of the S positions each of the T may
look at, as bool (B, 1, T, S); None means "itself and everything before". `gpt2.masks` makes it for padded and
for packed rows.
"""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gpt2.cache import Cache, LayerCache
from gpt2.config import GPTConfig
from gpt2.errors import ContextOverflow
from gpt2.linear import Linear
from gpt2.masks import causal


def split_heads(x: Tensor, n_head: int) -> Tensor:
    return x.view(*x.shape[:-1], n_head, -1).transpose(1, 2)  # (B, H, T, D)


def merge_heads(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2)  # (B, T, C)


class CausalSelfAttention(nn.Module):
    """Each position gathers values from those it may see, weighted by how well query and key match."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.dropout = config.dropout
        self.attend = self.fused if config.attention == "fused" else self.longhand
        self.c_attn = Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = Linear(config.n_embd, config.n_embd)

    def forward(self, x: Tensor, visible: Tensor | None = None, cache: LayerCache | None = None) -> Tensor:
        q, k, v = self.c_attn(x).chunk(3, dim=-1)  # each (B, T, C)
        q, k, v = (split_heads(t, self.n_head) for t in (q, k, v))  # each (B, H, T, D)
        y = self.attend(q, k, v, visible) if cache is None else cache.attend(q, k, v, self.attend)  # (B, H, T, D)
        return cast(Tensor, self.c_proj(merge_heads(y)))  # (B, T, C)

    def longhand(self, q: Tensor, k: Tensor, v: Tensor, visible: Tensor | None) -> Tensor:
        """softmax(q kᵀ / √D) v, Vaswani et al. 2017 equation 1, with the future hidden."""
        if visible is None:
            visible = causal(q.size(-2), k.size(-2), q.device)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))  # (B, H, T, S)
        weights = scores.masked_fill(~visible, -math.inf).softmax(dim=-1)
        return F.dropout(weights, self.dropout, self.training) @ v  # (B, H, T, D)

    def fused(self, q: Tensor, k: Tensor, v: Tensor, visible: Tensor | None) -> Tensor:
        """The same in one kernel that never holds the (T, S) weights; what trains and serves."""
        T, S = q.size(-2), k.size(-2)
        if visible is None and 1 < T < S:  # is_causal counts from the first position, a cache's block from the last
            visible = causal(T, S, q.device)
        return F.scaled_dot_product_attention(
            q, k, v, visible, self.dropout if self.training else 0.0, is_causal=visible is None and T > 1
        )  # (B, H, T, D)


class MLP(nn.Module):
    """Two layers, four times as wide in the middle, on each position alone."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.c_fc = Linear(config.n_embd, 4 * config.n_embd)
        self.c_proj = Linear(4 * config.n_embd, config.n_embd)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.c_fc(x), approximate="tanh")  # (B, T, 4C)
        return cast(Tensor, self.c_proj(x))  # (B, T, C)


class Block(nn.Module):
    """Attend, then think; each reads a normalised copy of the stream and adds to it (pre-LN)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)
        self.mlp = MLP(config)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, visible: Tensor | None = None, cache: LayerCache | None = None) -> Tensor:
        x = x + self.drop(self.attn(self.ln_1(x), visible, cache))
        return cast(Tensor, x + self.drop(self.mlp(self.ln_2(x))))


class Transformer(nn.Module):
    """Everything below the head; a module of its own because released weights name it `transformer`."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.block_size, config.n_embd)
        self.drop = nn.Dropout(config.dropout)
        self.h = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd, eps=config.layer_norm_epsilon)

    def forward(self, ids: Tensor, positions: Tensor, visible: Tensor | None, cache: Cache | None) -> Tensor:
        x = self.drop(self.wte(ids) + self.wpe(positions))  # (B, T, C)
        for i, block in enumerate(self.h):
            x = block(x, visible, None if cache is None else cache.layers[i])
        return cast(Tensor, self.ln_f(x))


class GPT(nn.Module):
    """The language model; `hidden` and `logits` are apart so that only the rows needed are multiplied."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer = Transformer(config)
        self.lm_head = Linear(config.n_embd, config.vocab_size, bias=False)
        self.initialise()
        if config.tie_weights:
            self.lm_head.weight = self.transformer.wte.weight

    def forward(
        self,
        ids: Tensor,
        *,
        positions: Tensor | None = None,
        visible: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        """Logits of the next token after each of `ids` (B, T), as (B, T, V)."""
        return self.logits(self.hidden(ids, positions=positions, visible=visible, cache=cache))

    def hidden(
        self,
        ids: Tensor,
        *,
        positions: Tensor | None = None,
        visible: Tensor | None = None,
        cache: Cache | None = None,
        counts: Sequence[int] | None = None,
    ) -> Tensor:
        """What the head reads, (B, T, C).

        With a cache, `ids` continue it, as many of each row; or as many as `counts` says for each, (1, N), one row's
        after the other's.
        """
        if cache is not None:
            positions = cache.place(ids.size(1) if counts is None else counts)  # as ids
        elif ids.size(1) > self.config.block_size:
            raise ContextOverflow(f"{ids.size(1)} ids in a row exceed block_size={self.config.block_size}")
        elif positions is None:
            positions = torch.arange(ids.size(1), device=ids.device)  # (T,)
        return cast(Tensor, self.transformer(ids, positions, visible, cache))

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores of every token, (..., C) -> (..., V)."""
        return cast(Tensor, self.lm_head(hidden))

    def parameter_count(self) -> int:
        """Numbers that are learned; a tied head counts once."""
        return sum(parameter.numel() for parameter in self.parameters())

    @torch.no_grad()
    def initialise(self) -> None:
        """N(0, 0.02), as GPT-2's code does.

        A block adds to the stream twice; each addition is scaled so that the sum of all keeps its variance.
        """
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                nn.init.zeros_(parameter)
            elif ".ln_" in name:
                nn.init.ones_(parameter)
            elif name.endswith("c_proj.weight"):
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * self.config.n_layer))
            elif name.endswith("wpe.weight"):
                nn.init.normal_(parameter, std=0.01)  # as OpenAI's released code, not 0.02
            else:
                nn.init.normal_(parameter, std=0.02)
