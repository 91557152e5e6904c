"""`minLength`, `maxLength`, `pattern`, `format`, and exclusions: the content of a JSON string between its quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .expression import Expression, both, choice, complement, repeat, seq
from .formats import format_of
from .layout import QUOTE
from .regex import search

if TYPE_CHECKING:
    from .json_schema import Lowering
    from .schema_node import Atoms

# Keywords that only our own rewriting writes (rewrite.py); no schema from outside can hold them.
NOT_PATTERN = "\0not pattern"
NOT_FORMAT = "\0not format"
NOT_ENUM = "\0not enum"
SOME_KEY = "\0some key"  # objects with a key that is: outside {"names", "patterns"}, of a {"pattern"}, or of a {"goal"}
CONTAINS_FROM = "\0contains from"  # the place where `contains` begins to look


def string_value(lowering: Lowering, atoms: Atoms) -> Expression:
    """A quoted string that satisfies every atom."""
    source = lowering.grounding
    if source is not None and atoms.values("x-from"):
        return source.string(atoms, lambda: content(lowering, atoms))
    return seq(QUOTE, content(lowering, atoms), QUOTE)


def length_bounds(atoms: Atoms) -> tuple[int, int | None]:
    """The tightest (minLength, maxLength) in code points."""
    low = max((int(v) for v in atoms.values("minLength")), default=0)
    high = min((int(v) for v in atoms.values("maxLength")), default=None)
    return low, high


def is_plain(atoms: Atoms) -> bool:
    """Whether nothing but length restricts the text."""
    return not any(atoms.values(k) for k in ("pattern", "format", NOT_PATTERN, NOT_FORMAT, NOT_ENUM))


def content(lowering: Lowering, atoms: Atoms) -> Expression:
    """The spelled text without its quotes."""
    alphabet = lowering.layout.alphabet
    low, high = length_bounds(atoms)
    parts = [search(p, alphabet) for p in atoms.values("pattern")]
    parts += [format_of(f, alphabet) for f in atoms.values("format")]
    outside = [complement(search(p, alphabet)) for p in atoms.values(NOT_PATTERN)]
    outside += [complement(format_of(f, alphabet)) for f in atoms.values(NOT_FORMAT)]
    excluded = [v for values in atoms.values(NOT_ENUM) for v in values if isinstance(v, str)]
    if excluded:
        outside.append(complement(choice(*(alphabet.text(v) for v in excluded))))
    if low or high is not None or not parts:
        parts.append(repeat(alphabet.character, low, high))
    return both(*parts, *outside)


def key_text(lowering: Lowering, name: str) -> Expression:
    """`"name": ` ready to stand before a value."""
    return seq(lowering.layout.string(name), lowering.layout.colon)
