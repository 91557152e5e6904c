"""A constraint as a logits processor: for a loop of one's own, and for Hugging Face `generate`.

Both are made fresh for one generation from one shared constraint. They remember the text they have followed
and catch up with whatever was added since; a text that is not a continuation (another beam) is followed again
from the prompt.

B batch   T tokens   V vocabulary of the constraint   W >= V columns of the logits; columns beyond V are never
legal
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

from .constraint import TokenConstraint
from .errors import IllegalToken
from .words import Words

S = TypeVar("S")


class GrammarProcessor(Generic[S]):
    """`processor(ids, logits)` sets the logits of illegal tokens to -inf. ids (B, T), logits (B, W) or (T,) and (W,).

    The first call sees the prompts: what a row held then is not part of the grammar's text. With
    `prompt_length` the prompt is the first so many tokens instead. A finished row is left only `pad_id` (the
    constraint's eos unless told).
    """

    def __init__(
        self, constraint: TokenConstraint[S], *, prompt_length: int | None = None, pad_id: int | None = None
    ) -> None:
        self.constraint = constraint
        self.prompt_length = prompt_length
        self.pad_id = constraint.vocabulary.eos if pad_id is None else pad_id
        self._known: dict[tuple[int, ...], S] = {(): constraint.start()}
        self._bits: dict[torch.device, Tensor] = {}

    def __call__(self, ids: Tensor | Sequence[int], logits: Tensor) -> Tensor:
        rows = torch.as_tensor(ids)
        if rows.ndim == 1:
            rows, logits2 = rows[None], logits[None] if logits.ndim == 1 else logits
            out = self._batch(rows, logits2)
            return out[0] if logits.ndim == 1 else out
        return self._batch(rows, logits)

    def _batch(self, ids: Tensor, logits: Tensor) -> Tensor:
        if self.prompt_length is None:
            self.prompt_length = ids.size(1)
        if logits.size(-1) < self.constraint.vocabulary.size:
            raise ValueError(
                f"logits have {logits.size(-1)} columns but the vocabulary has {self.constraint.vocabulary.size} tokens"
            )
        texts = [tuple(row) for row in ids[:, self.prompt_length :].tolist()]
        states = {text: self._follow(text) for text in texts}
        self._known = {
            (): self.constraint.start(),
            **{t: s for t, s in states.items() if s is not None},
        }  # only living texts
        masks = [self._words(states[text]) for text in texts]
        legal = self._unpack(masks, logits)  # (B, W)
        return logits.masked_fill(~legal, -torch.inf)

    def _follow(self, text: tuple[int, ...]) -> S | None:
        """The state after a text; None once it has ended and only padding follows."""
        at = next(n for n in range(len(text), -1, -1) if text[:n] in self._known)
        state = self._known[text[:at]]
        for n in range(at, len(text)):
            try:
                state = self.constraint.advance(state, text[n])
            except IllegalToken:
                if self._ended(state):
                    return None
                raise
        return None if self._ended(state) else state

    def _ended(self, state: S) -> bool:
        return self.constraint.accepting(state) and not self.constraint.mask(state).any()

    def _words(self, state: S | None) -> Words | None:
        return None if state is None else self.constraint.mask(state)

    def _unpack(self, masks: Sequence[Words | None], logits: Tensor) -> Tensor:
        v = self.constraint.vocabulary
        width = logits.size(-1)
        legal = torch.zeros(len(masks), width, dtype=torch.bool, device=logits.device)  # (B, W)
        bits = self._bits.get(logits.device)
        if bits is None:
            bits = self._bits[logits.device] = torch.arange(32, dtype=torch.int32, device=logits.device)
        for row, mask in enumerate(masks):
            if mask is None:
                legal[row, self.pad_id] = True
                continue
            words = torch.frombuffer(bytearray(mask.tobytes()), dtype=torch.int32).to(logits.device)
            flags = (words[:, None] >> bits[None, :]) & 1  # (ceil(V / 32), 32)
            legal[row, : v.size] = flags.flatten()[: v.size].bool()
        return legal


class HuggingFaceProcessor(Generic[S]):
    """For `transformers`: `generate(..., logits_processor=[HuggingFaceProcessor(constraint)])`.

    Batches, left padding (the prompt is whatever the first call holds), beams and finished rows work; make a
    new one for every call.
    """

    def __init__(self, constraint: TokenConstraint[S], *, pad_id: int | None = None) -> None:
        self._processor = GrammarProcessor(constraint, pad_id=pad_id)

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        result: torch.FloatTensor = self._processor(input_ids, scores)  # type: ignore[assignment]
        return result
