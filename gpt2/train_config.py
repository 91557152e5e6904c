"""How to descend: one frozen dataclass, checked when it is made, stored in every checkpoint."""

import math
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, get_args

from gpt2.errors import ConfigError

Autocast = Literal["auto", "bf16", "fp32"]


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How to descend. Each field carries the help text of its command-line flag."""

    steps: Annotated[int, "optimizer updates"] = 1000
    accumulate: Annotated[int, "batches whose gradients make one update"] = 1
    learning_rate: Annotated[float, "peak learning rate"] = 6e-4
    min_lr_ratio: Annotated[float, "share of the peak that the cosine ends at"] = 0.1
    warmup_steps: Annotated[int, "updates of linear warm-up"] = 50
    weight_decay: Annotated[float, "decoupled decay of matrices; biases and layer norms have none"] = 0.1
    beta1: Annotated[float, "AdamW's decay of the gradient's mean"] = 0.9
    beta2: Annotated[float, "AdamW's decay of the gradient's square"] = 0.95
    clip_norm: Annotated[float, "largest norm of a gradient; 0 for no limit"] = 1.0
    autocast: Annotated[Autocast, "arithmetic of the products; auto is bf16 where the processor has it, else fp32"] = (
        "auto"
    )
    seed: Annotated[int, "seed of all that is random: weights, order, dropout"] = 0
    eval_every: Annotated[int, "updates between held-out evaluations; 0 for one at the end"] = 100
    save_every: Annotated[int, "updates between checkpoints; 0 for one at the end"] = 100
    log_every: Annotated[int, "updates between log lines"] = 10

    def __post_init__(self) -> None:
        for name in ("steps", "accumulate", "log_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)} must be at least 1")
        for name in ("warmup_steps", "weight_decay", "clip_norm", "eval_every", "save_every", "seed"):
            if not getattr(self, name) >= 0:
                raise ConfigError(f"{name}={getattr(self, name)} must be at least 0")
        if not 0.0 < self.learning_rate < math.inf:
            raise ConfigError(f"learning_rate={self.learning_rate} must be a positive number")
        if not 0.0 <= self.min_lr_ratio <= 1.0:
            raise ConfigError(f"min_lr_ratio={self.min_lr_ratio} must be between 0 and 1")
        for name in ("beta1", "beta2"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ConfigError(f"{name}={getattr(self, name)} must be at least 0 and less than 1")
        if self.autocast not in get_args(Autocast):
            raise ConfigError(f"autocast={self.autocast!r} must be one of {get_args(Autocast)}")

    def trajectory(self) -> dict[str, Any]:
        """The fields that decide where the weights go; a resumed run must agree on them.

        `steps` is not among them, so that a run can be made longer.
        """
        aside = {"steps", "eval_every", "save_every", "log_every"}
        return {name: value for name, value in asdict(self).items() if name not in aside}
