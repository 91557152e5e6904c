"""How requests are really typed: all in lower case, in capitals, with a slip in a word.

Arguments keep their spelling, spans move along.
"""

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.examples.rows import Segment

LOWER, UPPER, TYPO = 0.22, 0.03, 0.012


def recase(segments: "Sequence[Segment]", rng: random.Random) -> "list[Segment]":
    """All segments in lower case, in capitals, or as they are.

    The letters change, their number never does.
    """
    roll = rng.random()
    change = str.lower if roll < LOWER else str.upper if roll < LOWER + UPPER else None
    text = "".join(segment.text for segment in segments)
    # Capitals of µ and ß are other letters, or more of them.
    if change is None or not (text.isascii() or (change is str.lower and len(text.lower()) == len(text))):
        return list(segments)
    return [type(s)(change(s.text), s.arguments, s.calls) for s in segments]


def with_typo(segment: "Segment", rng: random.Random) -> "Segment":
    """Words of the pattern, now and then with one letter doubled, dropped or swapped; filled slots are never
    touched.
    """
    if segment.arguments or segment.calls:
        return segment
    words = segment.text.split(" ")
    for index, word in enumerate(words):
        if len(word) >= 5 and word.isalpha() and rng.random() < TYPO:
            at = rng.randrange(1, len(word) - 2)
            a, b = word[at], word[at + 1]
            words[index] = word[:at] + rng.choice((b + a, a, a + a + b)) + word[at + 2 :]
    return type(segment)(" ".join(words))
