"""Dialogues as batches for fine-tuning that hold little padding, in an order that can be resumed: rows of like
lengths, or rows that several dialogues share.

B rows in a batch   T length of its longest row (a dialogue takes its tokens, less one)
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from data.batches import IGNORE, Rows, Walk
from data.conversation import Conversation
from data.errors import ExamplesError
from data.packing import best_fit
from data.tokenizer import Tokenizer
from data.wire import PAD, encode

if TYPE_CHECKING:
    from torch import Tensor

POOL = 32  # batches whose dialogues are sorted by length, or packed, together


class DialogueBatches:
    """Endless (or `epochs`) batches (ids, targets), each int64 (B, T); ids end in `<|pad|>`, targets are
    `IGNORE` but on the assistant's.

    A batch holds `batch_size` dialogues, or with `tokens_per_batch` as many as fit (B * T at most that). With
    `row_tokens` it holds `batch_size` rows of at most so many tokens, each with as many dialogues as fit, and a third
    tensor, segments (B, T), that numbers a row's dialogues: they must not see one another. The order of an epoch is a
    function of (seed, epoch) alone.
    """

    def __init__(
        self,
        conversations: Sequence[Conversation],
        tokenizer: Tokenizer,
        *,
        batch_size: int | None = None,
        tokens_per_batch: int | None = None,
        row_tokens: int | None = None,
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
        if row_tokens is not None and batch_size is None:
            raise ExamplesError(f"rows of row_tokens={row_tokens} are counted by batch_size, not by tokens_per_batch")
        if row_tokens is not None and max_length is not None and row_tokens > max_length:
            raise ExamplesError(f"row_tokens={row_tokens} exceeds the {max_length} allowed")
        if not conversations:
            raise ExamplesError("there are no dialogues to learn from")
        pairs = [encode(conversation, tokenizer).inputs_and_targets() for conversation in conversations]
        self.ids = [np.array(ids, dtype=np.int64) for ids, _ in pairs]
        self.targets = [np.array(targets, dtype=np.int64) for _, targets in pairs]
        self.lengths = np.array([len(ids) for ids in self.ids])
        longest = int(self.lengths.max())
        limit = min(x for x in (max_length, tokens_per_batch, row_tokens, longest) if x is not None)
        if longest > limit:
            raise ExamplesError(
                f"dialogue {int(self.lengths.argmax())} has {longest} tokens, more than the {limit} allowed; "
                "shorten the dialogues or raise the limit"
            )
        self.batch_size = batch_size
        self.tokens_per_batch = tokens_per_batch
        self.row_tokens = row_tokens
        self.seed = seed
        identity = {
            "seed": seed,
            "dialogues": len(self.ids),
            "tokens": int(self.lengths.sum()),
            "batch_size": batch_size,
            "tokens_per_batch": tokens_per_batch,
            "row_tokens": row_tokens,
        }
        self._walk = Walk(
            self.plan,
            identity,
            unit="batches",
            error=ExamplesError,
            epochs=epochs,
            rank=rank,
            world_size=world_size,
        )

    def plan(self, epoch: int) -> list[Rows]:
        """The batches of an epoch; every dialogue is in one row of one of them."""
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(len(self.ids))
        batches: list[Rows] = []
        for at in range(0, len(order), self._pool()):
            batches += self._batches(order[at : at + self._pool()], rng)
        return [batches[index] for index in rng.permutation(len(batches))]

    @property
    def epoch(self) -> int:
        """The epoch of the batch given out last, from 0."""
        return self._walk.epoch

    def __len__(self) -> int:
        """Batches in this epoch; with `tokens_per_batch` or `row_tokens` epochs differ a little."""
        return len(self._walk)

    def __iter__(self) -> Iterator["tuple[Tensor, ...]"]:
        return self

    def __next__(self) -> "tuple[Tensor, ...]":
        return self.collate(self.next_rows())

    def next_rows(self) -> Rows:
        """The next batch, as the dialogues of its rows."""
        [rows] = self._walk.take(1)
        return rows

    def collate(self, rows: Rows) -> "tuple[Tensor, ...]":
        """The batch with these rows."""
        import torch

        shape = (len(rows), max(int(self.lengths[row].sum()) for row in rows))
        ids, targets = np.full(shape, PAD, dtype=np.int64), np.full(shape, IGNORE, dtype=np.int64)
        segments = np.full(shape, -1, dtype=np.int64)  # padding is a text of its own
        for number, (b, begin, index) in enumerate(self.places(rows)):
            own = slice(begin, begin + int(self.lengths[index]))
            ids[b, own], targets[b, own], segments[b, own] = self.ids[index], self.targets[index], number
        arrays = (ids, targets) if self.row_tokens is None else (ids, targets, segments)
        return tuple(torch.from_numpy(array) for array in arrays)

    def places(self, rows: Rows) -> Iterator[tuple[int, int, int]]:
        """(row, first position, dialogue) of each dialogue of a batch."""
        for b, row in enumerate(rows):
            begin = 0
            for index in row:
                yield b, begin, index
                begin += int(self.lengths[index])

    def one_pass(self) -> Iterator["tuple[Tensor, ...]"]:
        """Every dialogue once, whatever the position; for held-out loss."""
        for rows in self.pass_rows():
            yield self.collate(rows)

    def pass_rows(self) -> list[Rows]:
        """The batches of one pass over every dialogue."""
        return self._batches(np.arange(len(self.ids)), None)

    def state_dict(self) -> dict[str, Any]:
        """Where the next batch begins, and what that position refers to."""
        return self._walk.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved position; `ExamplesError` if it belongs to other dialogues or settings."""
        self._walk.load_state_dict(state)

    def _pool(self) -> int:
        """How many dialogues are put into batches together."""
        row = 1 if self.row_tokens is None else self.row_tokens / self.lengths.mean()
        batch = self.batch_size or (self.tokens_per_batch or 1) // int(self.lengths.mean())
        return POOL * max(1, int(batch * row))

    def _batches(self, chosen: "np.ndarray[Any, Any]", rng: np.random.Generator | None) -> list[Rows]:
        """Batches that hold the chosen dialogues."""
        if self.row_tokens is not None:
            assert self.batch_size is not None
            packed = [[int(chosen[i]) for i in row] for row in best_fit(self.lengths[chosen].tolist(), self.row_tokens)]
            # Best fit leaves long dialogues in the first rows and short ones in the last.
            packed = packed if rng is None else [packed[i] for i in rng.permutation(len(packed))]
            return [packed[at : at + self.batch_size] for at in range(0, len(packed), self.batch_size)]
        batches: list[Rows] = []
        current: Rows = []
        for index in chosen[np.argsort(self.lengths[chosen], kind="stable")].tolist():
            if current and self._is_full(len(current), int(self.lengths[index])):
                batches.append(current)
                current = []
            current.append([index])
        return [*batches, current]

    def _is_full(self, rows: int, length: int) -> bool:
        """Whether a batch of `rows` has no room for one more of `length`, which is the longest of them."""
        if self.batch_size is not None:
            return rows == self.batch_size
        assert self.tokens_per_batch is not None
        return (rows + 1) * length > self.tokens_per_batch
