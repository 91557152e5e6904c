import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from gpt2 import GPT, GPTConfig, flops_per_token, matmul_peak
from gpt2.masks import causal


def test_the_arithmetic_of_a_step_is_what_torch_counts() -> None:
    """Over plain logits, where every product can be seen; the count includes what the mask hides."""
    config = GPTConfig(vocab_size=96, block_size=32, n_layer=3, n_head=4, n_embd=64, attention="longhand")
    model = GPT(config)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(2, 32, dtype=torch.long), visible=causal(32, 32)).sum().backward()
    assert counter.get_total_flops() == 2 * 32 * flops_per_token(config, 32)


def test_gpt2_small_costs_what_is_known() -> None:
    """6 · 124 million and attention over 1,024 positions."""
    assert flops_per_token(GPTConfig.gpt2_124m(), 1024) == pytest.approx(6 * 123.6e6 + 12 * 12 * 768 * 1024, rel=1e-3)


def test_the_machines_peak_is_measured() -> None:
    peak = matmul_peak(torch.device("cpu"), "fp32", seconds=0.02)
    assert 1e8 < peak < 1e14
