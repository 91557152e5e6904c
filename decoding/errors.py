"""What can go wrong in this package.

GrammarError                 everything below; catch this one to catch all
├── UnsupportedSchema        a JSON Schema keyword that cannot be held exactly (pointer, keyword)
│   └── InvalidSchema        a schema that is none, such as "minLength": -1
├── UnsupportedRegex         a regular expression that cannot be held exactly (pattern, position)
├── UnsupportedGrammar       a Lark grammar that cannot be held exactly (line)
├── EmptyGrammar             a grammar that no text satisfies
│   └── NothingToGround      the request holds no span or number that a grounded field needs (pointers)
├── GrammarTooLarge          a search inside the compiler went past its budget (pointer, for a schema)
└── IllegalToken             `advance` was given a token that the mask forbids (token, what was legal)
"""

from __future__ import annotations

from collections.abc import Sequence


class GrammarError(Exception):
    """Base of every error that `decoding` raises on purpose."""


class UnsupportedSchema(GrammarError):
    """A schema keyword that no exact expression is known for; nothing was widened."""

    def __init__(self, pointer: str, keyword: str, reason: str, node: object = None) -> None:
        self.pointer, self.keyword, self.reason = pointer, keyword, reason
        self._node = node  # where it stands, for `strict=False`
        super().__init__(
            f"at {pointer or '#'}: {keyword!r} cannot be compiled to a grammar: {reason} (see docs/schema-support.md)"
        )


class InvalidSchema(UnsupportedSchema):
    """A keyword with a value that no JSON Schema may give it; `strict=False` does not help."""


class UnsupportedRegex(GrammarError):
    """A regular expression outside the exact dialect."""

    def __init__(self, pattern: str, position: int, reason: str) -> None:
        self.pattern, self.position, self.reason = pattern, position, reason
        super().__init__(f"regex {pattern!r}, position {position}: {reason}")


class UnsupportedGrammar(GrammarError):
    """A Lark grammar construct that has no exact expression."""


class EmptyGrammar(GrammarError):
    """No text at all satisfies the grammar, so there is nothing to generate."""


class NothingToGround(EmptyGrammar):
    """The request holds nothing that a required grounded field could take."""

    def __init__(self, pointers: Sequence[str]) -> None:
        self.pointers = tuple(pointers)
        places = ", ".join(p or "#" for p in self.pointers) or "#"
        super().__init__(
            f"at {places}: the request holds no span or number that this grounded field could take; "
            "ask the user for it, or decode without grounding"
        )


class GrammarTooLarge(GrammarError):
    """A bounded search was given up (emptiness, alternatives). `pointer`: where in a schema; None outside of one."""

    def __init__(self, what: str, pointer: str | None = None) -> None:
        self.what, self.pointer = what, pointer
        place = "" if pointer is None else f"at {pointer or '#'}: "
        super().__init__(f"{place}{what}; simplify the grammar")

    def at(self, pointer: str) -> GrammarTooLarge:
        """The same error with its place in a schema."""
        return GrammarTooLarge(self.what, pointer)


class IllegalToken(GrammarError):
    """A token that the mask of this state forbids."""

    def __init__(self, token: int, spelled: str, legal: str) -> None:
        self.token = token
        super().__init__(f"token {token} ({spelled}) is not legal here; legal: {legal}")
