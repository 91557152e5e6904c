"""Regular expression text to expression: the ECMA-262 dialect of JSON Schema, over code points.

Exact: literals, escapes, `.`, classes, `\\d \\w \\s` and their negations (ASCII digits and words, ECMA white
space), `\\p{Lu}` and other general categories, groups, alternation, greedy and lazy quantifiers (the language
is the same), `^` and `$` anywhere but under a repeat, lookahead at the top level of an alternative. Refused
with its position: back-references, lookbehind, `\\b`, scripts, flags.

`search(pattern)` is the language of all texts that hold a match, `fullmatch(pattern)` of those that are one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from .alphabet import EVERYTHING, UTF8, Alphabet, Ranges, invert, ranges
from .constraint import Constraint
from .errors import UnsupportedRegex
from .expression import ANYTHING, EMPTY, NOTHING, Expression, Not, both, choice, complement, repeat, seq, walk
from .vocabulary import Vocabulary

MAX_COUNT = 100_000
MAX_DEPTH = 100

DIGIT = ranges([(0x30, 0x39)])
WORD = ranges([(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
SPACE = ranges(
    (p, p)
    for p in (
        *range(0x09, 0x0E),
        0x20,
        0xA0,
        0x1680,
        *range(0x2000, 0x200B),
        0x2028,
        0x2029,
        0x202F,
        0x205F,
        0x3000,
        0xFEFF,
    )
)
DOT = invert(ranges([(0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)]))
CLASSES = {"d": DIGIT, "D": invert(DIGIT), "w": WORD, "W": invert(WORD), "s": SPACE, "S": invert(SPACE)}
CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0x00}
CATEGORY_NAMES = {
    "Letter": "L",
    "Uppercase_Letter": "Lu",
    "Lowercase_Letter": "Ll",
    "Titlecase_Letter": "Lt",
    "Modifier_Letter": "Lm",
    "Other_Letter": "Lo",
    "Mark": "M",
    "Number": "N",
    "Decimal_Number": "Nd",
    "digit": "Nd",
    "Letter_Number": "Nl",
    "Other_Number": "No",
    "Punctuation": "P",
    "punct": "P",
    "Symbol": "S",
    "Separator": "Z",
    "Space_Separator": "Zs",
    "Other": "C",
    "Control": "Cc",
    "cntrl": "Cc",
    "Format": "Cf",
}


# ---- syntax tree


@dataclass(frozen=True, slots=True)
class Chars:
    points: Ranges


@dataclass(frozen=True, slots=True)
class Anchor:
    end: bool


@dataclass(frozen=True, slots=True)
class Look:
    body: Node
    negative: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    body: Node
    low: int
    high: int | None


Node = Chars | Anchor | Look | Sequence | Alternatives | Counted


@lru_cache(maxsize=512)
def parse(pattern: str, *, python: bool = False, dot_all: bool = False, ignore_case: bool = False) -> Node:
    """The syntax tree; raises UnsupportedRegex at the first thing outside the dialect.

    `python` gives `.`, `\\d`, `\\w` and `\\s` the meaning of Python's `re` on text instead of ECMA-262's.
    """
    parser = _Parser(pattern, python_classes() if python else CLASSES, ignore_case)
    if python:
        parser.dot = EVERYTHING if dot_all else invert(((0x0A, 0x0A),))
    node = parser.alternatives(0)
    if parser.at < len(pattern):
        parser.refuse("unbalanced ')'")
    _check_places(node, pattern, top=True, repeated=False)
    return node


def _check_places(node: Node, pattern: str, *, top: bool, repeated: bool) -> None:
    """Anchors under a repeat and lookaheads below the top level have no exact lowering here."""
    match node:
        case Anchor() if repeated:
            raise UnsupportedRegex(pattern, 0, "an anchor under a repeat; write the repeat without it")
        case Look(body):
            if not top:
                raise UnsupportedRegex(pattern, 0, "lookahead inside a group; move it to the top level of the pattern")
            _check_places(body, pattern, top=False, repeated=repeated)
        case Sequence(items):
            for item in items:
                _check_places(item, pattern, top=top, repeated=repeated)
        case Alternatives(options):
            for option in options:
                _check_places(option, pattern, top=top, repeated=repeated)
        case Counted(body, _, high):
            _check_places(body, pattern, top=False, repeated=repeated or high != 1)


class _Parser:
    def __init__(self, pattern: str, classes: Mapping[str, Ranges], ignore_case: bool) -> None:
        self.pattern, self.at = pattern, 0
        self.classes, self.ignore_case, self.dot = classes, ignore_case, DOT

    def refuse(self, reason: str) -> UnsupportedRegex:
        raise UnsupportedRegex(self.pattern, self.at, reason)

    def peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if self.peek(text):
            self.at += len(text)
            return True
        return False

    def alternatives(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            self.refuse(f"more than {MAX_DEPTH} nested groups")
        options = [self.sequence(depth)]
        while self.take("|"):
            options.append(self.sequence(depth))
        return options[0] if len(options) == 1 else Alternatives(tuple(options))

    def sequence(self, depth: int) -> Node:
        items: list[Node] = []
        while self.at < len(self.pattern) and not self.peek("|") and not self.peek(")"):
            items.append(self.quantified(self.atom(depth)))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def quantified(self, node: Node) -> Node:
        start = self.at
        if self.take("*"):
            low, high = 0, None
        elif self.take("+"):
            low, high = 1, None
        elif self.take("?"):
            low, high = 0, 1
        elif self.peek("{") and (bounds := self.bounds()) is not None:
            low, high = bounds
        else:
            return node
        self.take("?")
        if isinstance(node, (Anchor, Look)):
            self.at = start
            self.refuse("a quantifier after an assertion")
        if self.at < len(self.pattern) and self.pattern[self.at] in "*+?":
            self.refuse("a quantifier after a quantifier")
        return Counted(node, low, high)

    def bounds(self) -> tuple[int, int | None] | None:
        end = self.pattern.find("}", self.at)
        low, comma, high = self.pattern[self.at + 1 : max(end, self.at + 1)].partition(",")
        if end < 0 or not low.isdecimal() or (high and not high.isdecimal()):
            return None  # a brace that stands for itself
        self.at = end + 1
        first = int(low)
        last = (int(high) if high else None) if comma else first
        if max(first, last or 0) > MAX_COUNT:
            self.refuse(f"a repeat of more than {MAX_COUNT}")
        if last is not None and last < first:
            self.refuse(f"bounds out of order: {{{low},{high}}}")
        return first, last

    def atom(self, depth: int) -> Node:
        if self.take("("):
            return self.group(depth)
        if self.take("["):
            return self.cased(self.bracket())
        if self.take("^"):
            return Anchor(end=False)
        if self.take("$"):
            return Anchor(end=True)
        if self.take("."):
            return Chars(self.dot)
        if self.take("\\"):
            return self.cased(self.escape(in_class=False))
        if self.pattern[self.at] in "*+?":
            self.refuse("nothing to repeat")
        point = ord(self.pattern[self.at])
        self.at += 1
        return self.cased(ranges([(point, point)]))

    def cased(self, points: Ranges) -> Chars:
        """The characters, in both cases if case is ignored."""
        if not self.ignore_case:
            return Chars(points)
        if sum(b - a + 1 for a, b in points) > 0x800:
            self.refuse("ignoring case in a large class")
        both_cases = [f(chr(p)) for a, b in points for p in range(a, b + 1) for f in (str, str.lower, str.upper)]
        return Chars(ranges((ord(c), ord(c)) for c in both_cases if len(c) == 1))

    def group(self, depth: int) -> Node:
        look: bool | None = None
        if self.take("?"):
            if self.take("="):
                look = False
            elif self.take("!"):
                look = True
            elif self.peek("<=") or self.peek("<!"):
                self.refuse("lookbehind")
            elif self.take("<") or self.take("P<"):
                end = self.pattern.find(">", self.at)
                if end < 0:
                    self.refuse("a group name without '>'")
                self.at = end + 1
            elif not self.take(":"):
                self.refuse("inline flags or an unknown kind of group")
        node = self.alternatives(depth + 1)
        if not self.take(")"):
            self.refuse("missing ')'")
        return node if look is None else Look(node, look)

    def escape(self, *, in_class: bool) -> Ranges:
        if self.at >= len(self.pattern):
            self.refuse("a backslash at the end")
        c = self.pattern[self.at]
        self.at += 1
        if c in self.classes:
            return self.classes[c]
        if c in "pP":
            return self.category(negated=c == "P")
        if c == "b" and in_class:
            return ranges([(8, 8)])
        if c in "bB":
            self.refuse("word boundaries")
        if c in CONTROLS and not (c == "0" and self.at < len(self.pattern) and self.pattern[self.at].isdecimal()):
            return ranges([(CONTROLS[c], CONTROLS[c])])
        if (
            c == "c"
            and self.at < len(self.pattern)
            and self.pattern[self.at].isascii()
            and self.pattern[self.at].isalpha()
        ):
            self.at += 1
            point = ord(self.pattern[self.at - 1]) % 32
            return ranges([(point, point)])
        if c == "x":
            return self.code(2)
        if c == "u":
            return self.unicode_escape()
        if c.isalnum():
            self.at -= 1
            self.refuse(f"the escape \\{c} (back-references and unknown escapes are refused)")
        return ranges([(ord(c), ord(c))])

    def code(self, width: int) -> Ranges:
        point = self.hexadecimal(self.pattern[self.at : self.at + width], width)
        self.at += width
        return ((point, point),)

    def hexadecimal(self, digits: str, width: int) -> int:
        if len(digits) != width or any(d not in "0123456789abcdefABCDEF" for d in digits) or not digits:
            self.refuse(f"expected {width} hexadecimal digits, found {digits!r}")
        return int(digits, 16)

    def unicode_escape(self) -> Ranges:
        if self.take("{"):
            end = self.pattern.find("}", self.at)
            digits = self.pattern[self.at : max(end, self.at)]
            point = self.hexadecimal(digits, len(digits))
            if point > 0x10FFFF:
                self.refuse(f"no such code point: {digits}")
            self.at = end + 1
            return ranges([(point, point)])
        ((point, _),) = self.code(4)
        if 0xD800 <= point < 0xDC00 and self.peek("\\u"):
            self.at += 2
            ((low, _),) = self.code(4)
            if 0xDC00 <= low < 0xE000:
                point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00)
        if 0xD800 <= point < 0xE000:
            self.refuse("half a surrogate pair")
        return ranges([(point, point)])

    def category(self, *, negated: bool) -> Ranges:
        end = self.pattern.find("}", self.at)
        if not self.take("{") or end < 0:
            self.refuse("\\p needs a category in braces")
        name = self.pattern[self.at : end]
        for prefix in ("General_Category=", "gc="):
            name = name.removeprefix(prefix)
        name = CATEGORY_NAMES.get(name, name)
        points = EVERYTHING if name == "Any" else category(name)
        if not points:
            self.refuse(f"the Unicode property {name!r} (general categories only)")
        self.at = end + 1
        return invert(points) if negated else points

    def bracket(self) -> Ranges:
        negated = self.take("^")
        pairs: list[tuple[int, int]] = []
        while True:
            if self.at >= len(self.pattern):
                self.refuse("missing ']'")
            if self.take("]"):
                break
            low = self.class_atom()
            if self.peek("-") and not self.peek("-]") and self.at + 1 < len(self.pattern):
                self.at += 1
                high = self.class_atom()
                if len(low) != 1 or len(high) != 1 or low[0][0] != low[0][1] or high[0][0] != high[0][1]:
                    self.refuse("a range between classes")
                if high[0][0] < low[0][0]:
                    self.refuse("a range out of order")
                pairs.append((low[0][0], high[0][0]))
            else:
                pairs.extend(low)
        points = ranges(pairs)
        return invert(points) if negated else points

    def class_atom(self) -> Ranges:
        if self.take("\\"):
            return self.escape(in_class=True)
        point = ord(self.pattern[self.at])
        self.at += 1
        return ((point, point),)


@lru_cache(maxsize=1)
def python_classes() -> Mapping[str, Ranges]:
    """`\\d \\w \\s` and their complements as Python's `re` means them on text."""
    tests = {"d": str.isdecimal, "w": lambda c: c.isalnum() or c == "_", "s": str.isspace}
    found = {k: ranges(_runs([p for p in range(0x110000) if test(chr(p))])) for k, test in tests.items()}
    return found | {k.upper(): invert(points) for k, points in found.items()}


@lru_cache(maxsize=64)
def category(name: str) -> Ranges:
    """All code points of a general category ("Lu") or a group of them ("L"); empty for an unknown name."""
    hits = [p for p in range(0x110000) if unicodedata.category(chr(p)).startswith(name)] if 1 <= len(name) <= 2 else []
    return ranges(_runs(hits))


def _runs(points: list[int]) -> Iterator[tuple[int, int]]:
    start = previous = -2
    for p in points:
        if p != previous + 1:
            if previous >= 0:
                yield start, previous
            start = p
        previous = p
    if previous >= 0:
        yield start, previous


# ---- lowering


def fullmatch(
    pattern: str,
    alphabet: Alphabet = UTF8,
    *,
    python: bool = False,
    dot_all: bool = False,
    ignore_case: bool = False,
) -> Expression:
    """The texts that match from their first to their last character."""
    node = parse(pattern, python=python, dot_all=dot_all, ignore_case=ignore_case)
    return _Lowering(alphabet).whole(node, before=EMPTY, after=EMPTY)


def search(pattern: str, alphabet: Alphabet = UTF8) -> Expression:
    """The texts that hold a match anywhere, as `pattern` in JSON Schema means it."""
    return _search(pattern, alphabet)


@lru_cache(maxsize=256)
def _search(pattern: str, alphabet: Alphabet) -> Expression:
    # After a match anything may follow: the intersection keeps it well-formed, and `x & anything` is `x`.
    found = _Lowering(alphabet).whole(parse(pattern), before=alphabet.any_text, after=ANYTHING)
    if all(part is not ANYTHING and not isinstance(part, Not) for part in walk(found)):
        return found  # its end is anchored
    return both(found, alphabet.any_text)


class _Lowering:
    """Anchors are settled by asking of every part what it matches *empty* and what it matches *non-empty*.

    `start` says that the part begins where the text begins, `end` that it finishes where the text finishes.
    The first part of a sequence that matches something takes `start` away from those behind it; the same for
    `end` from the other side.
    """

    def __init__(self, alphabet: Alphabet) -> None:
        self.alphabet = alphabet
        self.plain: dict[Node, Expression | None] = {}

    def whole(self, node: Node, *, before: Expression, after: Expression) -> Expression:
        """before·match·after, where `before`/`after` are EMPTY or the texts that may surround the match."""
        if isinstance(node, Alternatives):
            return choice(*(self.whole(option, before=before, after=after) for option in node.options))
        items = node.items if isinstance(node, Sequence) else (node,)
        for k, item in enumerate(items):
            if isinstance(item, Look):
                return self._look(items[:k], item, items[k + 1 :], before, after)
        plain = self._anchorless(node)
        if plain is not None:
            return seq(before, plain, after)
        parts = []
        for start in (True, False) if before is not EMPTY else (True,):
            for end in (True, False) if after is not EMPTY else (True,):
                match = choice(self.nonempty(node, start, end), EMPTY if self.empty(node, start, end) else NOTHING)
                left = EMPTY if start else seq(self.alphabet.character, before)
                right = EMPTY if end else seq(self.alphabet.character, after)
                parts.append(seq(left, match, right))
        return choice(*parts)

    def _look(
        self, left: tuple[Node, ...], look: Look, right: tuple[Node, ...], before: Expression, after: Expression
    ) -> Expression:
        """left(?=body)right: behind `left` stands both a match of `body` and anything, and a match of `right`."""
        ahead = self.whole(look.body, before=EMPTY, after=ANYTHING)
        ahead = complement(ahead) if look.negative else ahead
        anchored = bool(left) and isinstance(left[0], Anchor) and not left[0].end
        if anchored:
            left, before = left[1:], EMPTY
        head = self._anchorless(Sequence(left))
        if head is None or self._starts_with_start_anchor(look.body) or any(map(self._starts_with_start_anchor, right)):
            raise UnsupportedRegex("(?=...)", 0, "lookahead beside an anchor other than a leading '^' or a final '$'")
        rest = self.whole(Sequence(right), before=EMPTY, after=after)
        return seq(before, head, both(ahead, rest))

    def _starts_with_start_anchor(self, node: Node) -> bool:
        match node:
            case Anchor(end):
                return not end
            case Sequence(items) | Alternatives(items):
                return any(map(self._starts_with_start_anchor, items))
            case Counted(body) | Look(body):
                return self._starts_with_start_anchor(body)
        return False

    def _anchorless(self, node: Node) -> Expression | None:
        """The language of a part that holds no anchor; None if it holds one."""
        if node not in self.plain:
            self.plain[node] = self._lower(node)
        return self.plain[node]

    def _lower(self, node: Node) -> Expression | None:
        match node:
            case Chars(points):
                return self.alphabet.one_of(points)
            case Sequence(items) | Alternatives(items):
                parts = [self._anchorless(item) for item in items]
                lowered = [part for part in parts if part is not None]
                if len(lowered) < len(parts):
                    return None
                return seq(*lowered) if isinstance(node, Sequence) else choice(*lowered)
            case Counted(body, low, high):
                part = self._anchorless(body)
                return None if part is None else repeat(part, low, high)
        return None

    def empty(self, node: Node, start: bool, end: bool) -> bool:
        """Whether it can match the empty string at such a place."""
        match node:
            case Anchor(at_end):
                return end if at_end else start
            case Sequence(items):
                return all(self.empty(item, start, end) for item in items)
            case Alternatives(options):
                return any(self.empty(option, start, end) for option in options)
            case Counted(body, low, _):
                return low == 0 or self.empty(body, start, end)
        return False

    def nonempty(self, node: Node, start: bool, end: bool) -> Expression:
        """Its matches of at least one character at such a place."""
        match node:
            case Chars(points):
                return self.alphabet.one_of(points)
            case Alternatives(options):
                return choice(*(self.nonempty(option, start, end) for option in options))
            case Sequence(items):
                return self._nonempty_sequence(items, start, end)
            case Counted(body, low, high):
                if high == 1:
                    return self.nonempty(body, start, end)
                part = self._anchorless(body)
                assert part is not None  # _check_places refused anchors under a repeat
                first = self.nonempty(body, False, False)
                return seq(first, repeat(part, max(low - 1, 0), None if high is None else high - 1))
        return NOTHING

    def _nonempty_sequence(self, items: tuple[Node, ...], start: bool, end: bool) -> Expression:
        if not items:
            return NOTHING
        first, rest = items[0], items[1:]
        tail = Sequence(rest)
        parts = [seq(self.nonempty(first, start, False), self._nonempty_sequence(rest, False, end))]
        if self.empty(first, start, False):
            parts.append(self._nonempty_sequence(rest, start, end))
        if self.empty(tail, False, end):
            parts.append(self.nonempty(first, start, end))
        return choice(*parts)


def compile_regex(pattern: str, vocabulary: Vocabulary) -> Constraint:
    """The constraint whose texts match the pattern from end to end. Raises UnsupportedRegex, EmptyGrammar."""
    return Constraint(fullmatch(pattern), vocabulary)
