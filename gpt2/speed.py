"""How fast a run could be: the arithmetic of a step, and what this machine's matrix product reaches.

C channels   L layers   T positions   V vocabulary
"""

import time

import torch

from gpt2.config import GPTConfig
from gpt2.descent import wants_bf16
from gpt2.train_config import Autocast


def flops_per_token(config: GPTConfig, length: int) -> int:
    """Floating-point operations of forward and backward for one scored token in a row of `length`.

    As Chowdhery et al. 2022, appendix B: 6 for each number of a matrix (12 L C² in the blocks, C V in the head) and
    12 L C T for attention. What norms, softmax and the optimiser do is not counted.
    """
    blocks = 12 * config.n_layer * config.n_embd**2
    head = config.n_embd * config.vocab_size
    return 6 * (blocks + head) + 12 * config.n_layer * config.n_embd * length


def matmul_peak(device: torch.device, autocast: Autocast = "auto", seconds: float = 0.2) -> float:
    """Floating-point operations a second that a large square product reaches here, in the arithmetic of training.

    The best of some tries, since other work on the machine can only slow one down.
    """
    size = 4096 if device.type == "cuda" else 1024
    dtype = torch.bfloat16 if wants_bf16(autocast, device.type) else torch.float32
    a, b = (torch.ones(size, size, dtype=dtype, device=device) for _ in range(2))
    best, began = 0.0, time.perf_counter()
    while time.perf_counter() - began < seconds or best == 0.0:
        start = time.perf_counter()
        a @ b
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best
