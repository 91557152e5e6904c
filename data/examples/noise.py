"""How requests are really typed: lower case, capitals, slips of the keyboard, lost punctuation, words in another order.

Only words that nothing is copied from change, save for the case of the whole request; spans move along.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from data.examples.drafts import Segment, Segments, words

LOWER, UPPER = 0.22, 0.03
_KEYS = """
a:sq b:vn c:xv d:sf e:wr f:dg g:fh h:gj i:uo j:hk k:jl l:k m:n n:bm o:ip p:o q:w r:et s:ad t:ry u:yi v:cb w:qe
x:zc y:tu z:x
"""
KEYS: dict[str, str] = dict(pair.split(":") for pair in _KEYS.split())
"""The keys beside each letter's."""
FILLERS = (
    "pls ", "hi ", "um ", "so ", "ok ", "asap - ", "quick one: ", "hey ", "sorry ", "erm, ", "right, ", "thx ",
    "actually ", "just ", "?? ", "… ", "btw ",
)  # fmt: skip
TAILS = (" pls", " thx", " asap", "??", " ta", " please", " ...", " urgently", "!!", " :)", " cheers", " ty")


def recase(turns: Sequence[Sequence[Segment]], rng: random.Random) -> list[Segments]:
    """All turns in lower case, in capitals, or as they are. The letters change, their number never does."""
    roll = rng.random()
    change = str.lower if roll < LOWER else str.upper if roll < LOWER + UPPER else None
    text = "".join(words(turn) for turn in turns)
    # Capitals of µ and ß are other letters, or more of them.
    if change is None or not (text.isascii() or (change is str.lower and len(text.lower()) == len(text))):
        return [list(turn) for turn in turns]
    return [[replace(segment, text=change(segment.text)) for segment in turn] for turn in turns]


def with_typos(segments: Sequence[Segment], rng: random.Random, rate: float, shortest: int = 5) -> Segments:
    """Words of the pattern with a slip in `rate` of those that are long enough; filled slots are never touched."""
    return [
        replace(segment, text=" ".join(_slip(word, rng, rate, shortest) for word in segment.text.split(" ")))
        if segment.plain
        else segment
        for segment in segments
    ]


def _slip(word: str, rng: random.Random, rate: float, shortest: int) -> str:
    if len(word) < shortest or not word.isalpha() or rng.random() >= rate:
        return word
    at = rng.randrange(1, len(word) - 2) if len(word) > 3 else 1
    a, b = word[at], word[at + 1]
    near = rng.choice(KEYS.get(a.lower(), a))
    return word[:at] + rng.choice((b + a, a, a + a + b, b, near + b, a + near + b)) + word[at + 2 :]


def perturb(segments: Sequence[Segment], rng: random.Random) -> Segments:
    """The same request as somebody in a hurry types it: two to four kinds of noise at once."""
    kinds = rng.sample((_typos, _case, _punctuation, _spaces, _filler, _order), rng.choice((2, 3, 4)))
    changed = list(segments)
    for change in (_order, _filler, _typos, _punctuation, _spaces, _case):
        if change in kinds:
            changed = change(changed, rng)
    return changed


def _typos(segments: Segments, rng: random.Random) -> Segments:
    return with_typos(segments, rng, 0.15, 4)


def _case(segments: Segments, rng: random.Random) -> Segments:
    change = rng.choice((str.lower, str.lower, str.upper, str.title))
    return [replace(s, text=change(s.text)) if s.plain and s.text.isascii() else s for s in segments]


def _punctuation(segments: Segments, rng: random.Random) -> Segments:
    """Commas, colons and full stops between words are lost or become others."""
    other = rng.choice(("", "", " ", ",", " -", ";", "..."))
    return [replace(s, text=re.sub(r"(?<=[a-z])[.,:;?](?= |$)", other, s.text)) if s.plain else s for s in segments]


def _spaces(segments: Segments, rng: random.Random) -> Segments:
    """Some spaces are doubled, or become the end of a line."""

    def change(match: re.Match[str]) -> str:
        roll = rng.random()
        return "  " if roll < 0.12 else "\n" if roll < 0.17 else " "

    return [replace(s, text=re.sub(r" ", change, s.text)) if s.plain else s for s in segments]


def _filler(segments: Segments, rng: random.Random) -> Segments:
    if rng.random() < 0.5:
        return [Segment(rng.choice(FILLERS)), *segments]
    return [*segments, Segment(rng.choice(TAILS))]


def _order(segments: Segments, rng: random.Random) -> Segments:
    """What stands behind a full stop or comma comes first."""
    cuts = [
        (index, match.end())
        for index, segment in enumerate(segments)
        if segment.plain
        for match in re.finditer(r"[.?,;:] (?=\w|$)", segment.text)
    ]
    if not cuts:
        return segments
    index, at = rng.choice(cuts)
    middle = segments[index]
    first = [*segments[:index], replace(middle, text=middle.text[:at].rstrip(" .,;:"))]
    second = [replace(middle, text=middle.text[at:]), *segments[index + 1 :]]
    if not words(second).strip():
        return segments
    return [*second, Segment(rng.choice((", ", ". ", " - ", "; ", " "))), *first]
