"""Free text up to a trigger: the byte at which the trigger is complete, whatever tokens the text is written in.

A *place* is how many bytes of the trigger the text ends with (Knuth, Morris and Pratt, "Fast pattern matching in
strings", SIAM J. Comput. 1977). Nearly every token is legal in free text. The exceptions are those that complete the
trigger and then go on in a way that may not follow it; only tokens that could do so are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .vocabulary import Vocabulary
from .words import Words, pack


class FreeText:
    """Text in which `trigger` is found where it first occurs; never, if it is empty."""

    def __init__(self, trigger: bytes, vocabulary: Vocabulary) -> None:
        self.trigger, self.vocabulary = trigger, vocabulary
        self._shorter = [0, 0]  # place -> the next shorter beginning of the trigger that the text ends with too
        for n in range(1, len(trigger)):
            place = self._shorter[n]
            while place and trigger[n] != trigger[place]:
                place = self._shorter[place]
            self._shorter.append(place + (trigger[n] == trigger[place]))
        self._whole: list[int] | None = None

    def step(self, place: int, text: bytes) -> tuple[int, bytes | None]:
        """(place after `text`, None), or (0, what stands behind the trigger) where `text` completes it."""
        trigger = self.trigger
        if not trigger:
            return 0, None
        for n, byte in enumerate(text, 1):
            while place and trigger[place] != byte:
                place = self._shorter[place]
            place += trigger[place] == byte
            if place == len(trigger):
                return 0, text[n:]
        return place, None

    def mask(self, place: int, follows: Callable[[bytes], bool], more: Sequence[int] = ()) -> Words:
        """The tokens that may come at a place, packed: all that spell something, and the control tokens `more`.

        `follows`: whether a text may stand behind the trigger.
        """
        v = self.vocabulary
        flags = np.zeros(v.size, np.bool_)
        flags[v.order] = True
        for token in self._completing(place):
            rest = self.step(place, v.token_bytes[token])[1]
            if rest is not None and not follows(rest):
                flags[token] = False
        flags[v.twins[:, 1]] = flags[v.twins[:, 0]]
        flags[list(more)] = True
        return pack(flags)

    def _completing(self, place: int) -> set[int]:
        """The tokens that could complete the trigger here."""
        v, found = self.vocabulary, set[int]()
        while place:
            node = v.find(self.trigger[place:])
            if node is not None:
                found.update(v.order[v.low_list[node] : v.low_list[node] + v.below[node]].tolist())
            place = self._shorter[place]
        if self._whole is None:  # tokens that hold all of it
            self._whole = []
            if self.trigger and len(self.trigger) <= int(v.depth[-1]):
                self._whole = [i for i in v.order_list if self.trigger in v.token_bytes[i]]
        return found.union(self._whole)
