"""Lark grammar text to expression, and any expression back to grammar text that one can read.

lark itself reads the text (imports, templates, EBNF, terminals); what is lowered is the plain productions it
arrives at. A text belongs to the language if lark's Earley parser with the `dynamic_complete` lexer accepts
it, with two differences, both stated here: an ignored terminal may stand between any two others however they
could overlap, and a lazy quantifier means the same texts as a greedy one (for `%import common.ESCAPED_STRING`
the usual meaning is kept: no bare quote inside). Priorities choose between parses, not texts, so they are
ignored.

Left recursion is rewritten: empty productions are taken out, and in each knot of rules that can begin with
one another, `a: a "+" b | b` becomes `b ("+" b)*` (the fixed point of left-linear equations, for any number
of mutually left-recursive rules).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from lark import Lark
from lark.exceptions import LarkError
from lark.grammar import NonTerminal, Symbol
from lark.lexer import Pattern

from .alphabet import JSON_ANY_ESCAPE, JSON_CANONICAL, UTF8
from .constraint import Constraint
from .errors import UnsupportedGrammar, UnsupportedRegex
from .expression import (
    ANYTHING,
    EMPTY,
    NOTHING,
    Both,
    ByteSet,
    Choice,
    Expression,
    Literal,
    Not,
    Repeat,
    Rule,
    Seq,
    bytes_of,
    choice,
    repeat,
    rule,
    seq,
)
from .regex import fullmatch
from .vocabulary import Vocabulary

MAX_OPTIONAL = 10  # symbols of one production that may be empty
ESCAPED_STRING = r'".*?(?<!\\)(\\\\)*?"'
ESCAPED_STRING_TEXTS = r'"(?:[^"\\\n]|\\[^\n])*"'

Production = tuple[str, ...]  # names of symbols
_serials = itertools.count()


def compile_lark(
    text: str, vocabulary: Vocabulary, *, start: str = "start", declared: Mapping[str, Expression] | None = None
) -> Constraint:
    """The constraint whose texts the grammar derives from its rule `start`.

    `declared` binds the terminals of `%declare` to expressions (`schema_expression(...)` puts JSON Schema
    inside a grammar). Raises UnsupportedGrammar for what has no exact expression, EmptyGrammar for a grammar
    without texts.
    """
    return Constraint(lark_expression(text, start=start, declared=declared), vocabulary)


def lark_expression(text: str, *, start: str = "start", declared: Mapping[str, Expression] | None = None) -> Expression:
    """The language of a Lark grammar without a vocabulary."""
    try:
        lark = Lark(
            text, start=start, parser="earley", lexer="dynamic_complete", keep_all_tokens=True, maybe_placeholders=False
        )
    except (LarkError, AssertionError) as error:
        raise UnsupportedGrammar(f"lark does not read this grammar: {error}") from error
    return _Grammar(lark, start, dict(declared or {})).start()


class _Grammar:
    """The productions of one grammar, without empty ones and without left recursion."""

    def __init__(self, lark: Lark, start: str, declared: dict[str, Expression]) -> None:
        self.serial = next(_serials)
        self.start_name = start
        raw: dict[str, list[tuple[Symbol, ...]]] = {}
        for r in lark.rules:
            raw.setdefault(_name(r.origin), []).append(tuple(r.expansion))
        self.terminals = {t.name: _terminal(t.name, t.pattern, declared) for t in lark.terminals}
        for name, expression in declared.items():
            self.terminals.setdefault(name, expression)
        ignored = [self.terminals[name] for name in lark.ignore_tokens]
        self.ignored = repeat(choice(*ignored)) if ignored else EMPTY
        self.nullable = _nullable(raw)
        self.productions = {name: sorted(self._without_empty(name, ps)) for name, ps in raw.items()}
        self.knot = _knots({name: {p[0] for p in ps if p[0] in raw} for name, ps in self.productions.items()})
        self.units = self._unit_closure()

    def start(self) -> Expression:
        language = self._symbol(self.start_name)
        if self.start_name in self.nullable:
            language = choice(EMPTY, language)
        return seq(language, self.ignored)

    def _without_empty(self, name: str, productions: list[tuple[Symbol, ...]]) -> set[Production]:
        found: set[Production] = set()
        for production in productions:
            names = [_name(s) for s in production]
            optional = [i for i, n in enumerate(names) if n in self.nullable]
            if len(optional) > MAX_OPTIONAL:
                raise UnsupportedGrammar(
                    f"rule {name!r}: {len(optional)} parts in a row may be empty (at most {MAX_OPTIONAL}); "
                    "split the rule"
                )
            for left_out in itertools.chain.from_iterable(
                itertools.combinations(optional, k) for k in range(len(optional) + 1)
            ):
                kept = tuple(n for i, n in enumerate(names) if i not in left_out)
                if kept and kept != (name,):
                    found.add(kept)
        return found

    def _unit_closure(self) -> dict[str, set[str]]:
        """child -> the rules of its knot that it can stand for alone."""
        above: dict[str, set[str]] = {name: {name} for name in self.productions}
        changed = True
        while changed:
            changed = False
            for name, productions in self.productions.items():
                for production in productions:
                    if len(production) == 1 and self._together(production[0], name):
                        for reached in above.values():
                            if production[0] in reached and name not in reached:
                                reached.add(name)
                                changed = True
        return above

    def _together(self, a: str, b: str) -> bool:
        return a in self.knot and self.knot[a] is not None and self.knot[a] == self.knot.get(b)

    # ---- to expressions; every symbol here is one that is not empty

    def _symbol(self, name: str) -> Expression:
        if name not in self.productions:
            if name not in self.terminals:
                raise UnsupportedGrammar(
                    f"terminal {name!r} is declared but not bound; pass declared={{{name!r}: expression}}"
                )
            return seq(self.ignored, self.terminals[name])
        return rule(("lark", self.serial, name), lambda: self._expand(name))

    def _sequence(self, names: Production) -> Expression:
        return seq(*(self._symbol(n) for n in names))

    def _expand(self, name: str) -> Expression:
        if self.knot[name] is None:
            return choice(*(self._sequence(p) for p in self.productions[name]))
        members = [m for m in self.productions if self._together(m, name)]
        parts = []
        for member in members:
            begins = choice(*(self._sequence(p) for p in self.productions[member] if not self._together(p[0], name)))
            if begins is not NOTHING:
                parts.append(seq(begins, self._climb(member, name)))
        return choice(*parts)

    def _climb(self, below: str, top: str) -> Expression:
        """What may follow a text of `below` to make it one of `top`, going up through left recursion."""
        key = ("lark climb", self.serial, below, top)
        return rule(key, lambda: self._expand_climb(below, top), nullable=top in self.units[below])

    def _expand_climb(self, below: str, top: str) -> Expression:
        parts = [EMPTY] if top in self.units[below] else []
        for middle in sorted(self.units[below]):
            for parent, productions in self.productions.items():
                if self._together(parent, top):
                    for p in productions:
                        if p[0] == middle and len(p) > 1:
                            parts.append(seq(self._sequence(p[1:]), self._climb(parent, top)))
        return choice(*parts)


def _name(symbol: Symbol) -> str:
    return str(symbol.name.value if hasattr(symbol.name, "value") else symbol.name)


def _nullable(raw: Mapping[str, list[tuple[Symbol, ...]]]) -> set[str]:
    found: set[str] = set()
    changed = True
    while changed:
        changed = False
        for name, productions in raw.items():
            if name not in found and any(
                all(isinstance(s, NonTerminal) and _name(s) in found for s in p) for p in productions
            ):
                found.add(name)
                changed = True
    return found


def _knots(first: Mapping[str, set[str]]) -> dict[str, int | None]:
    """rule -> number of its left-recursive knot (strongly connected component), None outside of any."""
    reach = {name: set(others) for name, others in first.items()}
    for middle in reach:
        for others in reach.values():
            if middle in others:
                others |= reach[middle]
    knots: dict[str, int | None] = {}
    for name in reach:
        if name not in reach[name]:
            knots[name] = None
        elif name not in knots:
            number = len(knots)
            for other in reach[name]:
                if name in reach.get(other, ()):
                    knots[other] = number
    return knots


def _terminal(name: str, pattern: Pattern, declared: Mapping[str, Expression]) -> Expression:
    if name in declared:
        return declared[name]
    flags = set(pattern.flags)
    if flags - {"i", "s", "u"}:
        raise UnsupportedGrammar(
            f"terminal {name}: the regex flags {sorted(flags - {'i', 's', 'u'})} are not supported"
        )
    if pattern.type == "str":
        if "i" not in flags:
            return UTF8.text(pattern.value)
        return seq(*(choice(*(UTF8.text(v) for v in {c, c.lower(), c.upper()})) for c in pattern.value))
    text = ESCAPED_STRING_TEXTS if pattern.value == ESCAPED_STRING else pattern.value
    try:
        return fullmatch(text, python=True, dot_all="s" in flags, ignore_case="i" in flags)
    except UnsupportedRegex as error:
        raise UnsupportedGrammar(f"terminal {name}: {error}") from error


# ---- expressions as text


def describe(grammar: Constraint | Expression, *, max_rules: int = 400) -> str:
    """The grammar as text: a line `name: alternatives` for each rule, `start` first, at most `max_rules` of them.

    `'x'` literal, `[a-z]` bytes, `( )`, `|`, `* + ? {m,n}` as usual, `A & B` both, `~A` anything but A.
    """
    expression = grammar.expression if isinstance(grammar, Constraint) else grammar
    printer = _Printer()
    lines = [f"start: {printer.show(expression, 0)}"]
    while printer.waiting and len(lines) <= max_rules:
        name, found = printer.waiting.pop(0)
        lines.append(f"{name}: {printer.show(found.expand(), 0)}")
    if printer.waiting:
        lines.append(f"# and {len(printer.waiting)} more rules")
    lines.extend(f"{name}: {printer.spell(e, 0)}" for name, e in printer.characters.items())
    return "\n".join(lines) + "\n"


class _Printer:
    def __init__(self) -> None:
        self.names: dict[Rule, str] = {}
        self.waiting: list[tuple[str, Rule]] = []
        self.characters: dict[str, Expression] = {}

    def show(self, e: Expression, level: int) -> str:
        """Text of an expression inside an operator of `level`: 0 none, 1 choice, 2 both, 3 sequence, 4 repeat."""
        if isinstance(e, Rule):
            return self._name(e)
        alias = _character_names().get(e)
        if alias is not None:
            self.characters[alias] = e
            return alias
        return self.spell(e, level)

    def spell(self, e: Expression, level: int) -> str:
        if e is NOTHING:
            return "<nothing>"
        if e is EMPTY:
            return "''"
        if e is ANYTHING:
            return "<anything>"
        if isinstance(e, Literal):
            text = json.dumps(e.text.decode("utf-8", "backslashreplace"), ensure_ascii=False)
            return text if "'" in text else f"'{text[1:-1]}'".replace('\\"', '"')
        if isinstance(e, ByteSet):
            return _byte_class(e.bytes)
        if isinstance(e, Repeat):
            return self.show(e.body, 4) + _bounds(e.low, e.high)
        if isinstance(e, Not):
            return "~" + self.show(e.body, 4)
        if isinstance(e, Seq):
            parts = list(_flat(e))
            return _wrap(" ".join(self.show(p, 3) for p in parts), level > 3)
        if isinstance(e, Both):
            return _wrap(" & ".join(self.show(p, 2) for p in e.parts), level > 2)
        assert isinstance(e, Choice)
        options = [o for o in e.options if o is not EMPTY]
        if len(options) < len(e.options):
            inner = options[0] if len(options) == 1 else choice(*options)
            return self.show(inner, 4) + "?"
        return _wrap(" | ".join(self.show(o, 1) for o in options), level > 1)

    def _name(self, e: Rule) -> str:
        name = self.names.get(e)
        if name is None:
            words = [k for k in (e.key if isinstance(e.key, tuple) else (e.key,)) if isinstance(k, str)]
            label = "_".join(words[:2]).replace(" ", "_") or "rule"
            name = self.names[e] = f"{label}_{len(self.names)}"
            self.waiting.append((name, e))
        return name


@lru_cache(maxsize=1)
def _character_names() -> dict[Expression, str]:
    return {
        JSON_CANONICAL.character: "STRING_CHARACTER",
        JSON_ANY_ESCAPE.character: "ESCAPABLE_CHARACTER",
        UTF8.character: "CHARACTER",
    }


def _flat(e: Expression) -> Iterator[Expression]:
    while isinstance(e, Seq):
        yield e.head
        e = e.tail
    yield e


def _wrap(text: str, needed: bool) -> str:
    return f"({text})" if needed else text


def _bounds(low: int, high: int | None) -> str:
    signs: dict[Any, str] = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    if (low, high) in signs:
        return signs[low, high]
    return f"{{{low}}}" if low == high else f"{{{low},{'' if high is None else high}}}"


def _byte_class(bytes_: int) -> str:
    members, parts = list(bytes_of(bytes_)), []
    while members:
        first = last = members.pop(0)
        while members and members[0] == last + 1:
            last = members.pop(0)
        parts.append(_byte(first) if first == last else f"{_byte(first)}-{_byte(last)}")
    return f"[{''.join(parts)}]"


def _byte(byte: int) -> str:
    return chr(byte) if 0x20 < byte < 0x7F and chr(byte) not in "[]\\-^" else f"\\x{byte:02x}"
