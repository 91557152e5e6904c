"""A loss that knows what decoding will do.

Under the grammar, grounded in the request, most tokens of a call are forced, and where there is a choice it is among
a handful. So the assistant's tokens are scored by how they will come about:

    written   words, and the markers around calls: cross-entropy over the whole vocabulary
    chosen    a token of a call where the grammar leaves a choice: cross-entropy over the legal tokens alone
    forced    a token that the grammar writes by itself: not scored

A small share of chosen and forced tokens, drawn anew each epoch, is scored over the whole vocabulary too, so that
free and merely constrained decoding learn as well. The head is then multiplied at a quarter of the positions, and
from the first step the model learns what it will be asked: which of these.

B rows   T positions   K choices in a batch   W legal tokens at the widest of them   C channels   V vocabulary
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from data.batches import IGNORE, Rows
from data.conversation import Example
from data.dialogue_batches import DialogueBatches
from data.wire import CLOSE, OPEN
from decoding import Constraint, NothingToGround, State, ground
from gpt2 import GPT, NothingToLearn, head_cross_entropy
from gpt2.masks import packed
from sft.respond import said

NOBODY = -1
"""Fills the rows of `candidates` behind their legal tokens."""


class NarrowBatch(NamedTuple):
    """ids, targets: int64 (B, T), `IGNORE` where the whole vocabulary is not scored. A choice k stands at
    (rows[k], columns[k]), is among candidates[k] (W,), and candidates[k, places[k]] is right. segments (B, T) number
    the dialogues where several share a row.
    """

    ids: Tensor
    targets: Tensor
    rows: Tensor
    columns: Tensor
    candidates: Tensor
    places: Tensor
    segments: Tensor | None = None


@dataclass(frozen=True)
class Choices:
    """How each scored token of one dialogue comes about: `written` and `inside` a call (T,), and the choices among
    the latter, as position -> (legal ids, place of the right one).
    """

    written: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    chosen: Mapping[int, tuple[NDArray[np.int64], int]]


def choices_of(example: Example, targets: NDArray[np.int64], constraint: Constraint) -> Choices:
    """Walk a dialogue's targets (T,) under the grammar grounded in its request.

    Where a call leaves the grounded grammar, the rest of it counts as written: it can only be learned as text.
    """
    written, inside = np.zeros(len(targets), np.bool_), np.zeros(len(targets), np.bool_)
    chosen: dict[int, tuple[NDArray[np.int64], int]] = {}
    try:
        grounded: Constraint | None = ground(constraint, said(example.conversation))
    except NothingToGround:
        grounded = None
    state: State | None = None
    run: tuple[int, ...] = ()
    for t in np.flatnonzero(targets != IGNORE).tolist():
        token = int(targets[t])
        if state is None or grounded is None:
            written[t] = True
            state = grounded.start() if grounded is not None and token == OPEN else None
            run = ()
            continue
        run = run or grounded.forced(state)
        if run and run[0] == token:
            run = run[1:]
        else:
            run = ()
            legal = grounded.allowed_ids(state)
            if legal is None or token not in legal:
                written[t], state = True, None
                continue
            if len(legal) > 1:
                chosen[t] = (legal, int(np.searchsorted(legal, token)))
        inside[t] = True
        state = None if token == CLOSE else grounded.advance(state, token)
    return Choices(written, inside, chosen)


class NarrowedBatches:
    """Dialogue batches with their choices. A dialogue's are found when it first comes up, and kept."""

    def __init__(
        self, dialogues: DialogueBatches, examples: Sequence[Example], constraint: Constraint, share: float
    ) -> None:
        self.dialogues, self.examples, self.constraint, self.share = dialogues, examples, constraint, share
        self._choices: dict[int, Choices] = {}

    def __iter__(self) -> Iterator[NarrowBatch]:
        return self

    def __next__(self) -> NarrowBatch:
        return self.collate(self.dialogues.next_rows())

    def one_pass(self) -> Iterator[NarrowBatch]:
        """Every dialogue once, for held-out loss."""
        for rows in self.dialogues.pass_rows():
            yield self.collate(rows)

    def collate(self, rows: Rows) -> NarrowBatch:
        """The batch with these rows; which tokens the share falls on depends on seed, epoch and dialogue alone."""
        ids, targets, *segments = self.dialogues.collate(rows)
        places: list[tuple[int, int, NDArray[np.int64], int]] = []
        for b, begin, index in self.dialogues.places(rows):
            choices = self.choices(index)
            rng = np.random.default_rng([self.dialogues.seed, self.dialogues.epoch, index])
            skipped = choices.inside & (rng.random(len(choices.inside)) >= self.share)
            targets[b, begin : begin + len(skipped)][torch.from_numpy(skipped)] = IGNORE
            places += [(b, begin + t, legal, right) for t, (legal, right) in choices.chosen.items()]
        width = max((len(legal) for _, _, legal, _ in places), default=0)
        candidates = np.full((len(places), width), NOBODY, np.int64)
        for k, (_, _, legal, _) in enumerate(places):
            candidates[k, : len(legal)] = legal
        return NarrowBatch(
            ids,
            targets,
            torch.tensor([b for b, _, _, _ in places], dtype=torch.int64),
            torch.tensor([t for _, t, _, _ in places], dtype=torch.int64),
            torch.from_numpy(candidates),
            torch.tensor([right for _, _, _, right in places], dtype=torch.int64),
            *segments,
        )

    def choices(self, index: int) -> Choices:
        """The choices of one dialogue."""
        if index not in self._choices:
            self._choices[index] = choices_of(self.examples[index], self.dialogues.targets[index], self.constraint)
        return self._choices[index]

    def state_dict(self) -> dict[str, Any]:
        """The position of the dialogues; all else follows from it."""
        return self.dialogues.state_dict() | {"share": self.share}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved position."""
        self.dialogues.load_state_dict(state)


def narrowed_loss(model: GPT, batch: NarrowBatch) -> tuple[Tensor, int]:
    """Summed loss of the tokens scored over the vocabulary and of the choices, and the number of both.

    Raises NothingToLearn for a batch with neither.
    """
    device = model.lm_head.weight.device
    ids, targets, rows, columns, candidates, places = (x.to(device) for x in batch[:6])
    scored = targets != IGNORE  # (B, T)
    weight = int(scored.sum()) + len(places)
    if weight == 0:
        raise NothingToLearn("a batch scores no token and holds no choice; check that its dialogues have answers")
    positions, visible = (None, None) if batch.segments is None else packed(batch.segments.to(device))
    hidden = model.hidden(ids, positions=positions, visible=visible)  # (B, T, C)
    loss = head_cross_entropy(hidden[scored], model.lm_head.weight, targets[scored])
    if len(places):
        legal = candidates.clamp(min=0)  # (K, W)
        logits = torch.einsum("kc,kwc->kw", hidden[rows, columns], model.lm_head.weight[legal])  # (K, W)
        logits = logits.float().masked_fill(candidates == NOBODY, -torch.inf)
        loss = loss + F.cross_entropy(logits, places, reduction="sum")
    return loss, weight
