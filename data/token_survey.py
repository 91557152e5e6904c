"""What GPT-2's byte-pair encoding does to drug names, doses, identifiers and JSON, counted.

A word has other ids after a space than after a quote, with a capital, or in capitals. A model that copies a name
from a request into a call has to bridge that, so these counts say how hard copying is. `docs/tokenizer.md` shows
them; `python -m data.token_survey` counts again.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Final

from data.tokenizer import Tokenizer, load_tokenizer

SURROUNDINGS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "in prose": ("give ", " now"),
        "first word": ("", " now"),
        "in JSON": ('{"drug": "', '"}'),
        "in JSON, space inside": ('{"drug": " ', '"}'),
    }
)
"""What stands before and behind a word."""

SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {"lower case": str.lower, "capitalised": str.capitalize, "capitals": str.upper}
)


@dataclass(frozen=True)
class Place:
    """How a set of words is written in one place: mean tokens a word, and how many have the ids of prose.

    `as_in_prose` compares with the same spelling in prose, `as_lower_case` with the lower-case word in prose.
    """

    place: str
    spelling: str
    words: int
    tokens: float
    as_in_prose: int
    as_lower_case: int


def inside(tokenizer: Tokenizer, word: str, before: str, after: str) -> list[int] | None:
    """The ids that spell `word` between two texts, a space before it counted in; None where a token crosses its edge.

    >>> inside(load_tokenizer(), "interaction", "an ", " here")
    [10375]
    """
    lead = before.rstrip(" ")
    ids = tokenizer.encode(before + word + after)
    start, stop = len(tokenizer.encode(lead)), len(ids) - len(tokenizer.encode(after))
    spelled = ids[start:stop]
    return spelled if tokenizer.decode(spelled) == before[len(lead) :] + word else None


def places(tokenizer: Tokenizer, words: Sequence[str]) -> list[Place]:
    """Every surrounding and spelling for a set of words. ValueError if there is no word."""
    if not words:
        raise ValueError("no words to count; give at least one")

    def ids(place: str, spelling: str) -> list[list[int] | None]:
        return [inside(tokenizer, SPELLINGS[spelling](word), *SURROUNDINGS[place]) for word in words]

    def equal(a: list[list[int] | None], b: list[list[int] | None]) -> int:
        return sum(x is not None and x == y for x, y in zip(a, b, strict=True))

    prose = {spelling: ids("in prose", spelling) for spelling in SPELLINGS}
    rows = []
    for place in SURROUNDINGS:
        for spelling in SPELLINGS:
            found = ids(place, spelling)
            whole = [word for word in found if word is not None]
            tokens = sum(map(len, whole)) / max(1, len(whole))
            same, lower = equal(found, prose[spelling]), equal(found, prose["lower case"])
            rows.append(Place(place, spelling, len(words), round(tokens, 2), same, lower))
    return rows


def numbers_kept(tokenizer: Tokenizer, numerals: Iterable[str], separator: str) -> tuple[int, int]:
    """How many numerals have in JSON the ids they have in prose, and of how many; `separator` follows the colon.

    A space there belongs to the first token of the numeral, as it does in prose.
    """
    kept = total = 0
    for numeral in numerals:
        prose = inside(tokenizer, numeral, "weighs ", " kg")
        written = inside(tokenizer, numeral, f'{{"weight":{separator}', "}")
        kept += prose is not None and prose == written
        total += 1
    return kept, total


def drug_names() -> list[str]:
    """One-word names of the single drugs in the interaction table, in alphabetical order."""
    from tools.catalogue import drug_names as catalogue

    return sorted({drug.generic for drug in catalogue() if drug.kind == "drug" and drug.generic.isalpha()})


def call_lengths(tokenizer: Tokenizer) -> dict[str, int]:
    """Tokens of one call, spaced as the wire has it and compact, and of the three tools' definitions."""
    import tools

    call = {"name": "check_drug_interactions", "arguments": {"drugs": ["simvastatin", "clarithromycin"]}}
    compact = (",", ":")
    return {
        "a call, spaced": len(tokenizer.encode(json.dumps(call))),
        "a call, compact": len(tokenizer.encode(json.dumps(call, separators=compact))),
        "`<tool_call>` as text": len(tokenizer.encode("<tool_call>")),
        "three tool definitions, spaced": len(tokenizer.encode(json.dumps(tools.openai_tools()))),
    }


def main() -> int:
    tokenizer = load_tokenizer()
    names = drug_names()
    lengths = [len(ids) for name in names if (ids := inside(tokenizer, name, *SURROUNDINGS["in prose"]))]
    decimals = [f"{n / 10:.1f}" for n in range(1, 1000)]
    integers = [str(n) for n in range(1, 1000)]
    result = {
        "drug names": [asdict(place) for place in places(tokenizer, names)],
        "tokens of a name in prose": dict(sorted(Counter(lengths).items())),
        "numbers with their prose ids": {
            f"{kind}, {'spaced' if separator else 'compact'}": numbers_kept(tokenizer, numerals, separator)
            for kind, numerals in (("integers 1 to 999", integers), ("decimals 0.1 to 99.9", decimals))
            for separator in (" ", "")
        },
        "tokens": call_lengths(tokenizer),
    }
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
