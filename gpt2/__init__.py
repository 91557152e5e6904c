"""GPT-2 by hand: the model, generation under a constraint, one training loop, checkpoints.

model = GPT(GPTConfig.tiny())
[result] = generate(model, [[50256]], GenerateConfig(max_new_tokens=20, temperature=0.8))
"""

from gpt2.cache import Cache
from gpt2.checkpoint import RunState, load_checkpoint, load_model, save_checkpoint
from gpt2.config import GPTConfig
from gpt2.constraint import Constraint
from gpt2.distributed import Loss, World
from gpt2.errors import (
    BatchesExhausted,
    CheckpointError,
    ConfigError,
    ConfigMismatch,
    ConstraintError,
    ContextOverflow,
    DamagedCheckpoint,
    ForeignWeights,
    GenerationError,
    GPTError,
    NonFiniteLoss,
    NothingToLearn,
    TrainingError,
    TrainingInterrupted,
)
from gpt2.fit import fit
from gpt2.generate import GenerateConfig, Generated, Processor, Token, generate
from gpt2.loss import IGNORE, head_cross_entropy, next_token_loss
from gpt2.model import GPT
from gpt2.observers import Checkpoints, HeldOut, JsonLog, Progress, TensorBoard, print_step, read_log
from gpt2.released import grow_vocabulary, read_released, write_released
from gpt2.run import HeldOutScore, Observer, Run, Step, TrainResult
from gpt2.run_folder import best, latest
from gpt2.speed import flops_per_token, matmul_peak
from gpt2.train_config import TrainConfig
from gpt2.trainer import Batches, evaluate, train

__all__ = [
    "GPT",
    "IGNORE",
    "Batches",
    "BatchesExhausted",
    "Cache",
    "CheckpointError",
    "Checkpoints",
    "ConfigError",
    "ConfigMismatch",
    "Constraint",
    "ConstraintError",
    "ContextOverflow",
    "DamagedCheckpoint",
    "ForeignWeights",
    "GPTConfig",
    "GPTError",
    "GenerateConfig",
    "Generated",
    "GenerationError",
    "HeldOut",
    "HeldOutScore",
    "JsonLog",
    "Loss",
    "NonFiniteLoss",
    "NothingToLearn",
    "Observer",
    "Processor",
    "Progress",
    "Run",
    "RunState",
    "Step",
    "TensorBoard",
    "Token",
    "TrainConfig",
    "TrainResult",
    "TrainingError",
    "TrainingInterrupted",
    "World",
    "best",
    "evaluate",
    "fit",
    "flops_per_token",
    "generate",
    "grow_vocabulary",
    "head_cross_entropy",
    "latest",
    "load_checkpoint",
    "load_model",
    "matmul_peak",
    "next_token_loss",
    "print_step",
    "read_log",
    "read_released",
    "save_checkpoint",
    "train",
    "write_released",
]
