"""One update in its parts: the learning rate, the optimiser, the gradient's norm, the arithmetic."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from gpt2.distributed import whole
from gpt2.train_config import Autocast, TrainConfig


def warmup_cosine(step: int, config: TrainConfig) -> float:
    """The learning rate of update `step`, from 0: a line up, then half a cosine down to the minimum."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(config.steps - 1 - config.warmup_steps, 1)
    lowest = config.learning_rate * config.min_lr_ratio
    return lowest + (config.learning_rate - lowest) * 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0)))


def adamw(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019); decays matrices and embeddings, no biases or layer norms."""
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in learned if p.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in learned if p.dim() < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(config.beta1, config.beta2), fused=True)


@torch.no_grad()
def finish_gradients(model: nn.Module, weight: float, clip_norm: float) -> float:
    """Divide summed gradients by their weight, then clip; returns the norm between the two."""
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    norm = float(whole(torch.nn.utils.get_total_norm(gradients))) / weight
    scale = 1.0 / weight
    if clip_norm > 0 and norm > clip_norm:
        scale *= clip_norm / norm
    for gradient in gradients:  # one pass for both
        gradient.mul_(scale)
    return norm


def wants_bf16(autocast: Autocast, device: str) -> bool:
    """Whether products run in bf16.

    A processor without instructions for it was measured 170 times slower in bf16 than in fp32.
    """
    if autocast != "auto":
        return autocast == "bf16"
    if device == "cpu":
        capabilities: Mapping[str, Any] = torch.cpu.get_capabilities()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))
    return device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
