"""What training must not have seen: requests of the evaluation splits, and what those hold out."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from data.conversation import Example
from data.errors import ExamplesError
from data.examples.checks import at
from data.examples.entities import Catalogue, held_out, held_out_number
from data.examples.library import all_patterns, use_of

_PIECE = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*")
_LITTLE = """
a an the of for in on at to is are was be it please pls thanks thank you thx ta hi hello hey and with me my
this that can could do does would i we so s yo y o old year years
"""
LITTLE: frozenset[str] = frozenset(_LITTLE.split())
"""Words that make no other request of one."""


def near_key(example: Example) -> str:
    """Equal for two dialogues whose users say the same but for case, accents, punctuation, order and little words."""
    said = " ".join(message.content for message in example.conversation.messages if message.role == "user")
    plain = unicodedata.normalize("NFKD", said.lower()).encode("ascii", "ignore").decode()
    words = [word for word in _PIECE.findall(plain) if word not in LITTLE]
    return " ".join(sorted(words)) or said.strip().lower()


def leakage(splits: Mapping[str, Sequence[Example]], catalogue: Catalogue) -> dict[str, int]:
    """Counts of what was checked. Raises `ExamplesError` for the first thing that leaked into training.

    Checked are near-duplicate requests, held-out drugs anywhere in a dialogue, and held-out made-up names,
    patients, id formats, numbers, patterns, voices and tools.
    """
    train = splits.get("train", ())
    trained = {near_key(example) for example in train}
    compared = 0
    for name, examples in splits.items():
        for example in examples if name != "train" else ():
            compared += 1
            if near_key(example) in trained:
                raise ExamplesError(f"{example.id}: training holds this request too: {example.request!r}")
    kept = {pattern.place for pattern in all_patterns() if use_of(pattern) != "known"}
    for example in train:
        for found in leaks(example, catalogue, kept):
            raise ExamplesError(f"{example.id} of the training split holds {found}: {example.request!r}")
    return {"evaluation requests compared": compared, "training dialogues searched": len(train)}


def leaks(example: Example, catalogue: Catalogue, kept: set[str]) -> Iterator[str]:
    """What a training dialogue holds that is kept from training."""
    text = "\n".join(message.content for message in example.conversation.messages)
    yield from (f"the held-out drug {generic}" for generic in catalogue.held_names(text))
    yield from (f"the held-out pattern {place}" for place in example.origin.split() if place in kept)
    yield from (
        f"the held-out tool {tool['function']['name']}"
        for tool in example.conversation.tools
        if tool["function"]["name"] in _held_tools()
    )
    calls = example.all_calls
    for span in example.spans:
        value = at(calls[span.call].arguments, span.pointer)
        key = span.pointer.split("/")[1]
        if isinstance(value, int | float) and held_out_number(key, value):
            yield f"the held-out number {value} for {key}"
        by_user = example.conversation.messages[span.message].role == "user"
        if key in ("drug", "drugs", "to_drug") and by_user and held_out("nonce", value) and not catalogue.knows(value):
            yield f"the held-out made-up name {value}"


def _held_tools() -> frozenset[str]:
    from data.examples.own_tools import families

    held = (family for family in families() if held_out("tool", family.names[0]))
    return frozenset(name for family in held for name in family.names)
