"""Dialogues as padded batches for fine-tuning, of like lengths so that little is padding, in an order that
can be resumed.

B dialogues in a batch   T length of its longest, less one
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from data.conversation import Conversation
from data.errors import ExamplesError
from data.tokenizer import Tokenizer
from data.wire import IGNORE, PAD, encode

if TYPE_CHECKING:
    from torch import Tensor

POOL = 32  # batches whose dialogues are sorted by length together


class DialogueBatches:
    """Endless (or `epochs`) batches (ids, targets), each int64 (B, T); ids end in `<|pad|>`, targets are
    `IGNORE` but on the assistant's.

    A batch holds `batch_size` dialogues, or with `tokens_per_batch` as many as fit (B * T at most that). The
    order of an epoch is a function of (seed, epoch) alone.
    """

    def __init__(
        self,
        conversations: Sequence[Conversation],
        tokenizer: Tokenizer,
        *,
        batch_size: int | None = None,
        tokens_per_batch: int | None = None,
        max_length: int | None = None,
        seed: int = 0,
        epochs: int | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if (batch_size is None) == (tokens_per_batch is None):
            raise ExamplesError(f"give one of batch_size={batch_size} and tokens_per_batch={tokens_per_batch}")
        if (batch_size or tokens_per_batch or 0) < 1:
            raise ExamplesError(f"a batch of {batch_size or tokens_per_batch} must hold at least 1")
        if not 0 <= rank < world_size:
            raise ExamplesError(f"rank={rank} is not one of world_size={world_size} ranks")
        if not conversations:
            raise ExamplesError("there are no dialogues to learn from")
        pairs = [encode(conversation, tokenizer).inputs_and_targets() for conversation in conversations]
        self.ids = [np.array(ids, dtype=np.int64) for ids, _ in pairs]
        self.targets = [np.array(targets, dtype=np.int64) for _, targets in pairs]
        self.lengths = np.array([len(ids) for ids in self.ids])
        longest = int(self.lengths.max())
        limit = min(x for x in (max_length, tokens_per_batch, longest) if x is not None)
        if longest > limit:
            raise ExamplesError(
                f"dialogue {int(self.lengths.argmax())} has {longest} tokens, more than the {limit} allowed; "
                "shorten the dialogues or raise the limit"
            )
        self.batch_size = batch_size
        self.tokens_per_batch = tokens_per_batch
        self.seed = seed
        self.epochs = epochs
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0
        self.position = 0  # batches of this rank already given out in this epoch
        self._plan = self.plan(0)
        if not self._plan:
            raise ExamplesError(
                f"{len(self.ids)} dialogues make fewer batches than world_size={world_size}; use smaller batches"
            )

    def plan(self, epoch: int) -> list[list[int]]:
        """This rank's batches of an epoch, as indices; a rank alone sees every dialogue once."""
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.ids))
        pool = POOL * (self.batch_size or max(1, (self.tokens_per_batch or 1) // int(self.lengths.mean())))
        batches: list[list[int]] = []
        for at in range(0, len(order), pool):
            chosen = order[at : at + pool]
            by_length = chosen[np.argsort(self.lengths[chosen], kind="stable")]
            batches += self._cut([int(index) for index in by_length])
        batches = [batches[index] for index in rng.permutation(len(batches))]
        return batches[: len(batches) // self.world_size * self.world_size][self.rank :: self.world_size]

    def __len__(self) -> int:
        """Batches in this epoch; with `tokens_per_batch` epochs differ a little."""
        return len(self._plan)

    def __iter__(self) -> Iterator["tuple[Tensor, Tensor]"]:
        return self

    def __next__(self) -> "tuple[Tensor, Tensor]":
        return self.collate(self.next_rows())

    def next_rows(self) -> list[int]:
        """The dialogues of the next batch, by index."""
        if self.position >= len(self._plan):
            self.epoch, self.position = self.epoch + 1, 0
            self._plan = self.plan(self.epoch)
        if self.epochs is not None and self.epoch >= self.epochs:
            raise StopIteration
        chosen = self._plan[self.position]
        self.position += 1
        return chosen

    def collate(self, chosen: Sequence[int]) -> "tuple[Tensor, Tensor]":
        """The batch of some dialogues."""
        import torch

        longest = int(self.lengths[list(chosen)].max())
        ids = np.full((len(chosen), longest), PAD, dtype=np.int64)
        targets = np.full((len(chosen), longest), IGNORE, dtype=np.int64)
        for row, index in enumerate(chosen):
            ids[row, : self.lengths[index]] = self.ids[index]
            targets[row, : self.lengths[index]] = self.targets[index]
        return torch.from_numpy(ids), torch.from_numpy(targets)

    def one_pass(self) -> Iterator["tuple[Tensor, Tensor]"]:
        """Every dialogue once, by length, whatever the position; for held-out loss."""
        for chosen in self.rows_by_length():
            yield self.collate(chosen)

    def rows_by_length(self) -> list[list[int]]:
        """The batches of one pass over every dialogue, as indices."""
        return self._cut([int(index) for index in np.argsort(self.lengths, kind="stable")])

    def state_dict(self) -> dict[str, Any]:
        """Where the next batch begins, and what that position refers to."""
        return {"epoch": self.epoch, "position": self.position} | self._identity()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved position; `ExamplesError` if it belongs to other dialogues or settings."""
        for name, mine in self._identity().items():
            if state.get(name) != mine:
                raise ExamplesError(
                    f"the saved position has {name}={state.get(name)!r}, these batches have {name}={mine!r}; "
                    "resume with the dialogues and settings of the interrupted run, or start a new one"
                )
        self.epoch, self.position = int(state["epoch"]), int(state["position"])
        self._plan = self.plan(self.epoch)

    def _cut(self, by_length: list[int]) -> list[list[int]]:
        """Consecutive batches of indices that are sorted by length."""
        if self.batch_size is not None:
            return [by_length[at : at + self.batch_size] for at in range(0, len(by_length), self.batch_size)]
        assert self.tokens_per_batch is not None
        batches: list[list[int]] = []
        current: list[int] = []
        for index in by_length:
            if current and (len(current) + 1) * int(self.lengths[index]) > self.tokens_per_batch:
                batches.append(current)
                current = []
            current.append(index)
        return [*batches, current] if current else batches

    def _identity(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "dialogues": len(self.ids),
            "tokens": int(self.lengths.sum()),
            "batch_size": self.batch_size,
            "tokens_per_batch": self.tokens_per_batch,
            "world_size": self.world_size,
        }
