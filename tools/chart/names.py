"""Names of people as words that compare: no case, accents, titles or the digits that generators append."""

from __future__ import annotations

import re

from tools import text

# letters that Unicode does not take apart into a base letter and an accent
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})
_JOINED = str.maketrans("", "", "'’ʼ`´‘")
_WORD = re.compile(r"[^\W\d_]+")
_TITLES = frozenset(("mr", "mrs", "ms", "miss", "dr", "prof", "mx"))


def name_words(name: str) -> list[str]:
    """The words of a name in any script ("Dr. José12 O'Keefe" is jose, okeefe); sorted, each once."""
    letters = text.plain(name).translate(_JOINED).translate(_LETTERS)
    bare = "".join(char for char in letters if not char.isdigit())
    return sorted(set(_WORD.findall(bare)) - _TITLES)
