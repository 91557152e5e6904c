"""Windows over a token stream: what pretraining reads, and what held-out loss is measured on.

N tokens in the stream   T window length (`max_length`)   B windows in a batch
A window that starts at s has inputs stream[s : s+T] and targets stream[s+1 : s+T+1].
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from data.batches import IGNORE, Walk
from data.errors import CorpusError

if TYPE_CHECKING:
    from torch import Tensor

Stream = NDArray[np.uint16]


def open_stream(path: Path) -> Stream:
    """A tokens file as a read-only memory map, shape (N,)."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror}; run `medcall tokenize` to make it") from error
    if size == 0 or size % 2:
        raise CorpusError(f"{path} holds {size} bytes, expected two for each token; it is not a complete token file")
    return np.memmap(path, dtype=np.uint16, mode="r")


class Windows:
    """Windows of `max_length` whose starts are `stride` apart; the last one is moved back so that it ends
    with the stream.

    With stride <= max_length every token but the first is a target of at least one window.
    """

    def __init__(self, stream: Stream, max_length: int, stride: int | None = None) -> None:
        stride = max_length if stride is None else stride
        if max_length < 1 or stride < 1:
            raise CorpusError(f"max_length={max_length} and stride={stride} must both be at least 1")
        if len(stream) < max_length + 1:
            raise CorpusError(
                f"the stream holds {len(stream)} tokens, fewer than one window of {max_length} "
                "and its next token; "
                f"use a longer text or a window of at most {max(len(stream) - 1, 0)}"
            )
        self.stream = stream
        self.max_length = max_length
        self.stride = stride
        self._last = len(stream) - max_length - 1

    def __len__(self) -> int:
        return -(-self._last // self.stride) + 1

    def start(self, index: int) -> int:
        """Where window `index` begins in the stream."""
        if not 0 <= index < len(self):
            raise IndexError(f"window {index} of {len(self)}")
        return min(index * self.stride, self._last)

    def __getitem__(self, index: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Inputs and targets, each (T,)."""
        start = self.start(index)
        tokens = self.stream[start : start + self.max_length + 1].astype(np.int64)
        return tokens[:-1], tokens[1:]


class WindowBatches:
    """Endless (or `epochs`) shuffled batches (ids, targets), each int64 (B, T); the last batch of an epoch
    may hold fewer.

    The order of an epoch is a function of (seed, epoch) alone, so a position is two numbers and resuming is
    exact. With `world_size` > 1 each rank takes its own windows of the same order, equally many.
    """

    def __init__(
        self,
        windows: Windows,
        batch_size: int,
        seed: int = 0,
        epochs: int | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if batch_size < 1:
            raise CorpusError(f"batch_size={batch_size} must be at least 1")
        self.windows = windows
        self.batch_size = batch_size
        self.seed = seed
        identity = {
            "seed": seed,
            "windows": len(windows),
            "max_length": windows.max_length,
            "stride": windows.stride,
        }
        self._walk = Walk(
            self.order,
            identity,
            unit="windows",
            error=CorpusError,
            epochs=epochs,
            rank=rank,
            world_size=world_size,
        )

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The windows of an epoch, by index."""
        return np.random.default_rng([self.seed, epoch]).permutation(len(self.windows))

    @property
    def epochs_done(self) -> float:
        """How often the windows have been gone through, with the part of the epoch under way."""
        return self._walk.epoch + self._walk.position / len(self._walk)

    def __len__(self) -> int:
        """Batches in one epoch."""
        return -(-len(self._walk) // self.batch_size)

    def __iter__(self) -> Iterator["tuple[Tensor, Tensor]"]:
        return self

    def __next__(self) -> "tuple[Tensor, Tensor]":
        pairs = [self.windows[int(index)] for index in self._walk.take(self.batch_size)]
        return _tensors([ids for ids, _ in pairs], [targets for _, targets in pairs])

    def state_dict(self) -> dict[str, Any]:
        """Where the next batch begins, and what that position refers to."""
        return self._walk.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved position; `CorpusError` if it belongs to other windows or settings."""
        self._walk.load_state_dict(state)


def held_out_batches(
    stream: Stream, max_length: int, batch_size: int, stride: int | None = None
) -> Iterator["tuple[Tensor, Tensor]"]:
    """One ordered pass in which every token but the first is a target exactly once; (ids, targets), each (B,
    T).

    With stride < max_length a window repeats the end of the one before as context; repeated targets and the
    padding after the last token are `IGNORE`. Token files begin with `<|endoftext|>`, so every token of the
    text is scored.
    """
    stride = max_length if stride is None else stride
    if not 1 <= stride <= max_length:
        raise CorpusError(f"stride={stride} must be between 1 and max_length={max_length}, or tokens would be left out")
    if len(stream) < 2:
        raise CorpusError(f"the held-out stream holds {len(stream)} tokens, expected at least 2")
    inputs: list[NDArray[np.int64]] = []
    targets: list[NDArray[np.int64]] = []
    scored_to = 1  # the next token that has not been a target
    while scored_to < len(stream):
        # Ends `stride` after the last window (the first takes all it can), and reaches back as far as fits.
        end = min(scored_to + (max_length if scored_to == 1 else stride), len(stream))
        start = max(end - max_length - 1, 0)
        tokens = stream[start:end].astype(np.int64)
        ids, target = np.zeros(max_length, np.int64), np.full(max_length, IGNORE, np.int64)
        ids[: len(tokens) - 1] = tokens[:-1]
        target[scored_to - start - 1 : len(tokens) - 1] = tokens[scored_to - start :]
        inputs.append(ids)
        targets.append(target)
        scored_to = end
        if len(inputs) == batch_size:
            yield _tensors(inputs, targets)
            inputs, targets = [], []
    if inputs:
        yield _tensors(inputs, targets)


def _tensors(ids: list[NDArray[np.int64]], targets: list[NDArray[np.int64]]) -> "tuple[Tensor, Tensor]":
    import torch

    return torch.from_numpy(np.stack(ids)), torch.from_numpy(np.stack(targets))
