"""A linear layer for few rows, which is what generation asks of it: one token of a few texts.

B rows   C channels in   O channels out   P pieces of the weight

A product with few rows costs what reading its weight costs. MKL, which `F.linear` asks on x86, reads it with one core
however many threads there are; the products of a batch it does share among the cores. So the weight (O, C) is looked
at as P pieces (P, O / P, C), without moving a number of it, and the pieces are a batch.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FEW_ROWS = 64
PIECES = 16
HAS_MKL: bool = torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]


class Linear(nn.Linear):
    """`nn.Linear`, faster on a processor for at most 64 rows and no gradient."""

    def forward(self, x: Tensor) -> Tensor:
        rows = x.numel() // self.in_features
        if rows > FEW_ROWS or torch.is_grad_enabled() or not _in_pieces(self.weight):
            return F.linear(x, self.weight, self.bias)
        pieces = self.weight.view(PIECES, -1, self.in_features)  # (P, O / P, C)
        columns = x.reshape(rows, self.in_features).t().expand(PIECES, -1, -1)  # (P, C, B)
        bias = cast(Tensor | None, self.bias)
        if bias is None:
            y = torch.bmm(pieces, columns)  # (P, O / P, B)
        else:
            y = torch.baddbmm(bias.view(PIECES, -1, 1), pieces, columns)
        return y.view(self.out_features, rows).t().view(*x.shape[:-1], self.out_features)


def _in_pieces(weight: Tensor) -> bool:
    return HAS_MKL and weight.device.type == "cpu" and weight.size(0) % PIECES == 0
