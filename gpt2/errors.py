"""What can go wrong in `gpt2`.

GPTError
├── ConfigError            a configuration that cannot be (also a ValueError)
├── GenerationError        a request the generate loop cannot serve
│   ├── ContextOverflow    more positions than the model has
│   └── ConstraintError    a constraint of another vocabulary, or one with no way on
├── TrainingError          a run that cannot go on
│   ├── NothingToLearn     a batch whose mask scores no token
│   ├── NonFiniteLoss      loss or gradient is inf or nan
│   └── BatchesExhausted   the batches ended before the steps did
├── CheckpointError        a checkpoint that cannot be written or found
│   ├── DamagedCheckpoint  a file is missing, truncated or altered
│   └── ConfigMismatch     a checkpoint of another model or another run
└── ForeignWeights         a file of another program that does not hold a GPT-2 as we know it
TrainingInterrupted        Ctrl-C during training (a KeyboardInterrupt, so that `except Exception` lets it pass)
"""


class GPTError(Exception):
    """Base of every error that `gpt2` raises on wrong input."""


class ConfigError(GPTError, ValueError):
    """A configuration that cannot be; the message names the numbers that were compared."""


class GenerationError(GPTError):
    """A request the generate loop cannot serve."""


class ContextOverflow(GenerationError):
    """More positions than the model has; names the row, its length and the limit."""


class ConstraintError(GenerationError):
    """A constraint made for another vocabulary, or one that reached a state with no way on."""


class TrainingError(GPTError):
    """A training run that cannot go on."""


class NothingToLearn(TrainingError):
    """A batch whose loss mask scores no token at all."""


class NonFiniteLoss(TrainingError):
    """The loss or the gradient became infinite or not a number."""


class BatchesExhausted(TrainingError):
    """The batches ended before the configured number of steps."""


class CheckpointError(GPTError):
    """A checkpoint that cannot be written, or is not there."""


class DamagedCheckpoint(CheckpointError):
    """A checkpoint with a missing, truncated or altered file."""


class ConfigMismatch(CheckpointError):
    """A checkpoint made by another configuration; the message names the fields that differ."""


class ForeignWeights(GPTError):
    """Weights that another program wrote and that cannot be read as a GPT-2; names the file and what is unlike."""


class TrainingInterrupted(KeyboardInterrupt):
    """Training was stopped by Ctrl-C; the message says what was saved and how to go on."""
