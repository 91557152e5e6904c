"""A two-layer model, batches of random ids that know their position, and a constraint written by hand."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gpt2 import GPT, GPTConfig, TrainConfig

VOCABULARY = 64


class RandomBatches:
    """Batch i is drawn from seed i; the next id is a function of the last, so there is something to learn."""

    def __init__(self, rows: int = 3, length: int = 12, vocabulary: int = VOCABULARY) -> None:
        self.rows, self.length, self.vocabulary = rows, length, vocabulary
        self.given = 0

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(self.given)
        self.given += 1
        first = torch.randint(0, self.vocabulary, (self.rows, 1), generator=generator)
        ids = (first + 7 * torch.arange(self.length + 1)) % self.vocabulary
        targets = ids[:, 1:].clone()
        # Rows of unequal weight, so that a mean of means would be wrong.
        lengths = torch.randint(2, self.length + 1, (self.rows, 1), generator=generator)
        targets[torch.arange(self.length) >= lengths] = -100
        return ids[:, :-1], targets

    def state_dict(self) -> dict[str, Any]:
        return {"given": self.given}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.given = state["given"]


class Phrases:
    """A constraint that allows exactly some phrases, each followed by `eos`. A state is the ids so far.

    `skip=False` answers the same questions without the two short cuts, forced runs and short lists.
    """

    def __init__(
        self, phrases: Sequence[Sequence[int]], eos: int, vocabulary: int = VOCABULARY, *, skip: bool = True
    ) -> None:
        self.phrases = [(*phrase, eos) for phrase in phrases]
        self.vocabulary = vocabulary
        self.skip = skip

    def start(self) -> tuple[int, ...]:
        return ()

    def _next(self, state: tuple[int, ...]) -> list[int]:
        n = len(state)
        return sorted({phrase[n] for phrase in self.phrases if len(phrase) > n and phrase[:n] == state})

    def allowed(self, state: tuple[int, ...]) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        mask = np.zeros(self.vocabulary, dtype=np.bool_)
        mask[self._next(state)] = True
        mask.flags.writeable = False
        return mask

    def allowed_ids(self, state: tuple[int, ...]) -> "np.ndarray[Any, np.dtype[np.int64]] | None":
        return np.array(self._next(state), dtype=np.int64) if self.skip else None

    def advance(self, state: tuple[int, ...], token: int) -> tuple[int, ...]:
        assert token in self._next(state), f"{token} is not legal after {state}"
        return (*state, token)

    def forced(self, state: tuple[int, ...]) -> tuple[int, ...]:
        run: tuple[int, ...] = ()
        while self.skip and len(following := self._next(state + run)) == 1:
            run = (*run, following[0])
        return run

    def accepting(self, state: tuple[int, ...]) -> bool:
        return state in self.phrases or any(phrase[:-1] == state for phrase in self.phrases)


@pytest.fixture
def config() -> GPTConfig:
    return GPTConfig(vocab_size=VOCABULARY, block_size=32, n_layer=2, n_head=2, n_embd=32)


@pytest.fixture
def model(config: GPTConfig) -> GPT:
    """Random weights, large enough that greedy text neither repeats itself nor ignores its prompt."""
    torch.manual_seed(0)
    model = GPT(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() >= 2:
                parameter.normal_(std=0.25 if "wte" in name else 0.5)
    return model


@pytest.fixture
def make_batches() -> Callable[..., RandomBatches]:
    return RandomBatches


@pytest.fixture
def make_phrases() -> Callable[..., Phrases]:
    return Phrases


@pytest.fixture
def training() -> TrainConfig:
    return TrainConfig(
        steps=20,
        accumulate=2,
        learning_rate=3e-3,
        warmup_steps=3,
        eval_every=5,
        save_every=5,
        log_every=1,
        autocast="fp32",
    )
