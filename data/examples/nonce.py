"""Names that exist nowhere: tokens of the vocabulary run together, or syllables as a drug's name has them.

A model learns to copy only tokens it has seen copied, so every alphabetic token must be able to occur in a name.
Names of syllables look like drugs to a model that has read a textbook, which is another difficulty.
"""

import random
from collections.abc import Callable
from functools import cache

from data.tokenizer import N_BPE, load_tokenizer

_ONSETS = "b c d f g h j k l m n p qu r s t v w x z br cl cr dr fl gl gr pl pr tr st sp ph th sc zh"
_VOWELS = "a e i o u y a e i o ae ia io ou eu ee"
_ENDINGS = """
ine one ole ide ate in an en ol am ax ex ix os um il ir is et em yl amide azine adine etine umab inib entin afil
avir ovir oxetine idone ipine olol artan azole mycin cillin parin semide lukast stat pride triptan gliptin setron
dipine tadine barbital caine fenac profen curium tropium thiazide xaban
"""
ONSETS: tuple[str, ...] = tuple(_ONSETS.split())
VOWELS: tuple[str, ...] = tuple(_VOWELS.split())
CODAS = ("", "", "", "", "n", "l", "r", "x", "m", "s", "t", "d", "b", "ct", "nt", "lt", "rb", "sp")
ENDINGS: tuple[str, ...] = tuple(_ENDINGS.split())


def nonce_word(rng: random.Random, usable: Callable[[str], bool]) -> str:
    """A made-up name of 5 to 16 letters that `usable` accepts: two in three of tokens, the others of syllables."""
    while True:
        word = _of_tokens(rng) if rng.random() < 0.65 else _of_syllables(rng)
        if 5 <= len(word) <= 16 and usable(word):
            return word


def _of_tokens(rng: random.Random) -> str:
    return "".join(rng.choice(alphabetic_tokens()) for _ in range(rng.choice((2, 2, 3, 3, 4))))


def _of_syllables(rng: random.Random) -> str:
    body = "".join(rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS) for _ in range(rng.choice((1, 2, 2, 3))))
    return body + (rng.choice(ONSETS) if body[-1] in "aeiouy" else "") + rng.choice(ENDINGS)


@cache
def alphabetic_tokens() -> tuple[str, ...]:
    """The distinct ASCII-letter tokens of two to seven letters, in lower case and without their leading
    space.
    """
    texts = (token.decode("latin-1").strip() for token in load_tokenizer().token_bytes()[:N_BPE])
    words = {text.lower() for text in texts if text.isascii() and text.isalpha() and 2 <= len(text) <= 7}
    return tuple(sorted(words))
