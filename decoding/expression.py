"""A language of byte strings as one immutable, interned expression.

An expression is built by the lower-case functions (`literal`, `byte_set`, `seq`, `choice`, `repeat`, `both`,
`complement`, `rule`), which simplify as they build; equal expressions are the same object. Reading a byte
turns an expression into another one, its Brzozowski derivative (Brzozowski, "Derivatives of regular
expressions", JACM 1964). `edges` gives all derivatives of an expression at once, as disjoint byte sets: a row
of a DFA that is only built where someone walks.

A byte set is a 256-bit int: bit b is set when byte b belongs to it.

Counted repeats keep their two bounds in the expression (`x{3,7}` becomes `x{2,6}`), so `x{0,100000}` costs
one object a step. A `rule` is a reference that is expanded when its first byte is read; recursion and lazily
lowered schemas are both rules. Two recursive rules may be intersected only as far as their derivatives stay
finite; the searches of `liveness.py` are bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import lru_cache
from weakref import ref

ALL_BYTES = (1 << 256) - 1

Edges = tuple[tuple[int, "Expression"], ...]


class Expression:
    """One language. Compare with `is`; build with the functions of this module.

    `nullable`: whether the empty string belongs to it. `live`: True if some string belongs to it, False if
    none does, None while nobody has looked (`liveness.nonempty` finds out). `serial` orders expressions by age, only
    to print and sort them stably.
    """

    __slots__ = ("__weakref__", "_edges", "live", "nullable", "serial")
    nullable: bool
    live: bool | None
    serial: int
    _edges: Edges | None

    def _derive(self) -> Iterable[tuple[int, Expression]]:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.serial}>"


class Nothing(Expression):
    """The empty language."""

    __slots__ = ()

    def _derive(self) -> Edges:
        return ()


class Empty(Expression):
    """Only the empty string."""

    __slots__ = ()

    def _derive(self) -> Edges:
        return ()


class ByteSet(Expression):
    """Any one byte of `bytes`."""

    __slots__ = ("bytes",)
    bytes: int

    def _derive(self) -> Edges:
        return ((self.bytes, EMPTY),)


class Literal(Expression):
    """Exactly `text`."""

    __slots__ = ("text",)
    text: bytes

    def _derive(self) -> Edges:
        return ((1 << self.text[0], literal(self.text[1:])),)


class Seq(Expression):
    """`head` then `tail`; `head` is never a Seq itself."""

    __slots__ = ("head", "tail")
    head: Expression
    tail: Expression

    def _derive(self) -> Iterable[tuple[int, Expression]]:
        head, tail = self.head, self.tail
        if isinstance(head, Literal):  # the common case, without the checks: a literal's rest never joins its tail
            rest = _pair(literal(head.text[1:]), tail) if len(head.text) > 1 else tail
            return ((1 << head.text[0], rest),)
        row = [(bytes_, seq(target, tail)) for bytes_, target in edges(head)]
        if not head.nullable:
            return tuple(row) if len(row) < 2 else row
        return [*row, *edges(tail)]


class Choice(Expression):
    """Any of `options` (two or more, none of them a Choice)."""

    __slots__ = ("options",)
    options: tuple[Expression, ...]

    def _derive(self) -> Iterable[tuple[int, Expression]]:
        for option in self.options:
            yield from edges(option)


class Repeat(Expression):
    """`body` at least `low` times and at most `high` times (None: without end)."""

    __slots__ = ("body", "high", "low")
    body: Expression
    low: int
    high: int | None

    def _derive(self) -> Iterable[tuple[int, Expression]]:
        rest = repeat(self.body, max(self.low - 1, 0), None if self.high is None else self.high - 1)
        for bytes_, target in edges(self.body):
            yield bytes_, seq(target, rest)


class Both(Expression):
    """What belongs to every one of `parts`."""

    __slots__ = ("parts",)
    parts: tuple[Expression, ...]

    def _derive(self) -> Iterable[tuple[int, Expression]]:
        rows: list[tuple[int, tuple[Expression, ...]]] = [(ALL_BYTES, ())]
        for part in self.parts:
            row = edges(part)
            rows = [(m & n, (*done, target)) for m, done in rows for n, target in row if m & n]
        for bytes_, targets in rows:
            yield bytes_, both(*targets)


class Not(Expression):
    """Every byte string that does not belong to `body`."""

    __slots__ = ("body",)
    body: Expression

    def _derive(self) -> Iterable[tuple[int, Expression]]:
        rest = ALL_BYTES
        for bytes_, target in edges(self.body):
            rest &= ~bytes_
            yield bytes_, complement(target)
        if rest:
            yield rest, ANYTHING


class Rule(Expression):
    """A reference named `key`; `expand()` gives what it stands for, asked for once, when first needed."""

    __slots__ = ("_expand", "_expanded", "key", "lives_as")
    key: Hashable
    lives_as: Expression | None  # an expression that is live exactly if this is, and easier to decide
    _expand: Callable[[], Expression]
    _expanded: Expression | None

    def expand(self) -> Expression:
        if self._expanded is None:
            self._expanded = self._expand()
        return self._expanded

    def _derive(self) -> Edges:
        return edges(self.expand())


# ---- interning: key -> weak reference, so a dropped grammar takes its expressions with it. A key names its parts by
# serial, never by reference: a key that held a rule would keep alive what the rule expands to, and that its own key.

_table: dict[tuple[Hashable, ...], ref[Expression]] = {}
_lock = threading.Lock()
_serials = iter(range(1 << 62))


def _find(key: tuple[Hashable, ...]) -> Expression | None:
    found = _table.get(key)
    return found() if found is not None else None


def _intern(key: tuple[Hashable, ...], made: Expression, nullable: bool, live: bool | None) -> Expression:
    made.nullable, made.live, made._edges, made.serial = nullable, live, None, next(_serials)

    def forget(dead: ref[Expression]) -> None:
        if _table.get(key) is dead:
            del _table[key]

    with _lock:
        other = _find(key)  # another thread may have been faster
        if other is not None:
            return other
        _table[key] = ref(made, forget)
    return made


NOTHING: Expression = _intern(("nothing",), Nothing(), False, False)
EMPTY: Expression = _intern(("empty",), Empty(), True, True)


def byte_set(bytes_: int) -> Expression:
    """Any one byte of the set."""
    if bytes_ == 0:
        return NOTHING
    if bytes_ & (bytes_ - 1) == 0:
        return literal(bytes([bytes_.bit_length() - 1]))
    key = (ByteSet, bytes_)
    found = _find(key)
    if found is None:
        made = ByteSet()
        made.bytes = bytes_
        found = _intern(key, made, False, True)
    return found


def byte_range(low: int, high: int) -> Expression:
    """Any one byte in low..high, both included."""
    return byte_set((1 << (high + 1)) - (1 << low))


def literal(text: bytes) -> Expression:
    """Exactly this byte string."""
    if not text:
        return EMPTY
    key = (Literal, text)
    found = _find(key)
    if found is None:
        made = Literal()
        made.text = text
        found = _intern(key, made, False, True)
    return found


def _both_live(a: Expression, b: Expression) -> bool | None:
    if a.live and b.live:
        return True
    return False if a.live is False or b.live is False else None


def seq(*parts: Expression) -> Expression:
    """One after the other."""
    if len(parts) != 2:
        result = EMPTY
        for part in reversed(parts):
            result = seq(part, result)
        return result
    head, tail = parts
    if head is NOTHING or tail is NOTHING:
        return NOTHING
    if head is EMPTY:
        return tail
    if tail is EMPTY:
        return head
    if isinstance(head, Seq):
        return seq(head.head, seq(head.tail, tail))
    if isinstance(head, Literal):
        if isinstance(tail, Literal):
            return literal(head.text + tail.text)
        if isinstance(tail, Seq) and isinstance(tail.head, Literal):
            return seq(literal(head.text + tail.head.text), tail.tail)
    return _pair(head, tail)


def _pair(head: Expression, tail: Expression) -> Expression:
    key = (Seq, head.serial, tail.serial)
    found = _find(key)
    if found is None:
        made = Seq()
        made.head, made.tail = head, tail
        found = _intern(key, made, head.nullable and tail.nullable, _both_live(head, tail))
    return found


def choice(*options: Expression) -> Expression:
    """Any of them. Shared heads are factored out (`ab|ac` is `a(b|c)`), touching repeats of one body are joined."""
    flat: dict[Expression, None] = {}
    for option in options:
        if isinstance(option, Choice):
            flat.update(dict.fromkeys(option.options))
        elif option is not NOTHING:
            flat[option] = None
    if len(flat) > 1:
        if ANYTHING in flat:
            return ANYTHING
        flat = _factor(flat)
    return _choice(flat)


def _choice(options: dict[Expression, None]) -> Expression:
    """A choice as it stands."""
    if not options:
        return NOTHING
    if len(options) == 1:
        return next(iter(options))
    members = tuple(sorted(options, key=_age))
    key = (Choice, *(m.serial for m in members))
    found = _find(key)
    if found is None:
        made = Choice()
        made.options = members
        live: bool | None = None
        if any(m.live for m in members):
            live = True
        elif all(m.live is False for m in members):
            live = False
        found = _intern(key, made, any(m.nullable for m in members), live)
    return found


def _age(expression: Expression) -> int:
    return expression.serial


def _factor(options: dict[Expression, None]) -> dict[Expression, None]:
    by_head: dict[Expression, list[Expression]] = {}
    by_body: dict[tuple[Expression, Expression], list[Repeat]] = {}
    sets = 0
    for option in options:
        head, tail = (option.head, option.tail) if isinstance(option, Seq) else (option, EMPTY)
        if isinstance(head, Repeat):
            by_body.setdefault((head.body, tail), []).append(head)
        else:
            by_head.setdefault(head, []).append(tail)
        if tail is EMPTY and isinstance(head, ByteSet):
            sets += 1
    for (_, tail), repeats in by_body.items():
        for joined in _join_repeats(repeats):
            by_head.setdefault(joined, []).append(tail)
    shared = _share_beginnings(by_head)
    if not shared and len(by_head) == len(options) and sets < 2:
        return options
    result: dict[Expression, None] = {}
    bytes_ = 0
    for head, tails in by_head.items():
        if len(tails) == 1 and tails[0] is EMPTY and isinstance(head, ByteSet):
            bytes_ |= head.bytes
        else:
            factored = seq(head, tails[0] if len(tails) == 1 else choice(*tails))
            result.update(dict.fromkeys(factored.options) if isinstance(factored, Choice) else {factored: None})
    if bytes_:
        result[byte_set(bytes_)] = None
    return result


def _share_beginnings(by_head: dict[Expression, list[Expression]]) -> bool:
    """Literals that begin alike become one beginning and a choice of what is left, taken apart when it is read."""
    by_byte: dict[int, list[Literal]] = {}
    for head in by_head:
        if isinstance(head, Literal):
            by_byte.setdefault(head.text[0], []).append(head)
    shared = False
    for heads in by_byte.values():
        if len(heads) > 1:
            shared = True
            first, last = min(head.text for head in heads), max(head.text for head in heads)
            alike = next((i for i, (x, y) in enumerate(zip(first, last, strict=False)) if x != y), len(first))
            rest: dict[Expression, None] = {}
            for head in heads:
                left = literal(head.text[alike:])
                for tail in by_head.pop(head):
                    option = seq(left, tail)
                    rest.update(dict.fromkeys(option.options) if isinstance(option, Choice) else {option: None})
            by_head[literal(first[:alike])] = [_choice(rest)]
    return shared


def _join_repeats(repeats: list[Repeat]) -> Iterable[Expression]:
    if len(repeats) == 1:
        return repeats
    spans: list[tuple[int, int | None]] = []
    for low, high in sorted(((r.low, r.high) for r in repeats), key=lambda span: span[0]):
        if spans and (spans[-1][1] is None or low <= spans[-1][1] + 1):
            last_low, last_high = spans[-1]
            spans[-1] = (last_low, None if last_high is None or high is None else max(last_high, high))
        else:
            spans.append((low, high))
    return [repeat(repeats[0].body, low, high) for low, high in spans]


def optional(body: Expression) -> Expression:
    """The body or nothing at all."""
    return choice(EMPTY, body)


def repeat(body: Expression, low: int = 0, high: int | None = None) -> Expression:
    """The body at least `low` and at most `high` times."""
    if high is not None and high < low:
        return NOTHING
    if high == 0 or body is EMPTY:
        return EMPTY
    if body is NOTHING:
        return EMPTY if low == 0 else NOTHING
    if low == 1 and high == 1:
        return body
    key = (Repeat, body.serial, low, high)
    found = _find(key)
    if found is None:
        made = Repeat()
        made.body, made.low, made.high = body, low, high
        found = _intern(key, made, low == 0 or body.nullable, True if low == 0 else body.live)
    return found


def both(*parts: Expression) -> Expression:
    """What belongs to every part."""
    flat: dict[Expression, None] = {}
    bytes_ = ALL_BYTES
    for part in parts:
        if isinstance(part, Both):
            flat.update(dict.fromkeys(part.parts))
        elif part is not ANYTHING:
            flat[part] = None
    if NOTHING in flat:
        return NOTHING
    if not flat:
        return ANYTHING
    if len(flat) == 1:
        return next(iter(flat))
    if EMPTY in flat:
        return EMPTY if all(part.nullable for part in flat) else NOTHING
    if all(isinstance(part, ByteSet) for part in flat):
        for part in flat:
            bytes_ &= part.bytes  # type: ignore[attr-defined]
        return byte_set(bytes_)
    for part in flat:
        if isinstance(part, Literal):  # a literal in an intersection is either the whole of it or kills it
            return part if all(contains(other, part.text) for other in flat if other is not part) else NOTHING
        if isinstance(part, Not) and part.body in flat:
            return NOTHING
    members = tuple(sorted(flat, key=_age))
    key = (Both, *(m.serial for m in members))
    found = _find(key)
    if found is None:
        made = Both()
        made.parts = members
        nullable = all(m.nullable for m in members)
        found = _intern(key, made, nullable, True if nullable else None)
    return found


def complement(body: Expression) -> Expression:
    """Every byte string that does not belong to the body."""
    if isinstance(body, Not):
        return body.body
    if body is NOTHING:
        return ANYTHING
    if body is ANYTHING:
        return NOTHING
    key = (Not, body.serial)
    found = _find(key)
    if found is None:
        made = Not()
        made.body = body
        found = _intern(key, made, not body.nullable, True if not body.nullable else None)
    return found


def rule(
    key: Hashable,
    expand: Callable[[], Expression],
    *,
    nullable: bool = False,
    live: bool | None = None,
    lives_as: Expression | None = None,
) -> Expression:
    """A reference. Same key, same expression; the key should hold the object whose meaning it carries (a compiler).

    The caller promises that `nullable` is right, that `expand()` always gives the same, and that it does not
    begin with itself. `lives_as`: an expression that is empty exactly if this one is, to decide without expanding.
    """
    full = (Rule, key)
    found = _find(full)
    if found is None:
        made = Rule()
        made.key, made._expand, made._expanded, made.lives_as = key, expand, None, lives_as
        found = _intern(full, made, nullable, True if nullable else live)
    return found


ANYTHING: Expression = _intern((Repeat, "anything"), Repeat(), True, True)


def _close_anything() -> None:
    assert isinstance(ANYTHING, Repeat)
    ANYTHING.body, ANYTHING.low, ANYTHING.high = byte_set(ALL_BYTES), 0, None
    ANYTHING._edges = ((ALL_BYTES, ANYTHING),)
    _table[(Repeat, ANYTHING.body, 0, None)] = ref(ANYTHING)


_close_anything()


# ---- questions


def edges(expression: Expression) -> Edges:
    """All derivatives as pairs (byte set, what is left after one of its bytes); the sets are disjoint."""
    found = expression._edges
    if found is None:
        pairs = expression._derive()
        found = pairs if isinstance(pairs, tuple) else _disjoint(pairs)
        expression._edges = found
    return found


def _disjoint(pairs: Iterable[tuple[int, Expression]]) -> Edges:
    cells: dict[int, list[Expression]] = {}
    seen = 0
    for bytes_, target in pairs:
        if target is NOTHING:
            continue
        if not bytes_ & seen:
            cells[bytes_] = [target]
            seen |= bytes_
            continue
        if bytes_ in cells:
            cells[bytes_].append(target)
            continue
        rest = bytes_
        for cell in list(cells):
            common = cell & rest
            if not common:
                continue
            targets = cells[cell]
            if common == cell:
                targets.append(target)
            else:
                del cells[cell]
                cells[cell & ~common] = targets
                cells[common] = [*targets, target]
            rest &= ~common
            if not rest:
                break
        if rest:
            cells[rest] = [target]
            seen |= rest
    merged: dict[Expression, int] = {}
    for bytes_, targets in cells.items():
        target = targets[0] if len(targets) == 1 else choice(*targets)
        merged[target] = merged.get(target, 0) | bytes_
    return tuple((bytes_, target) for target, bytes_ in merged.items())


def leading_literal(expression: Expression) -> tuple[bytes, Expression]:
    """The text that every string of the language begins with, as far as it is written out, and what follows it."""
    if isinstance(expression, Literal):
        return expression.text, EMPTY
    if isinstance(expression, Seq) and isinstance(expression.head, Literal):
        return expression.head.text, expression.tail
    return b"", expression


def derivative(expression: Expression, byte: int) -> Expression:
    """What must follow once `byte` has been read."""
    for bytes_, target in edges(expression):
        if bytes_ >> byte & 1:
            return target
    return NOTHING


def contains(expression: Expression, text: bytes) -> bool:
    """Whether `text` belongs to the language."""
    for byte in text:
        expression = derivative(expression, byte)
        if expression is NOTHING:
            return False
    return expression.nullable


@lru_cache(maxsize=4096)
def bytes_of(bytes_: int) -> tuple[int, ...]:
    """The members of a byte set, ascending."""
    return tuple(b for b in range(256) if bytes_ >> b & 1)


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all its parts, once each; rules are not expanded."""
    seen = {expression}
    stack = [expression]
    while stack:
        e = stack.pop()
        yield e
        parts: tuple[Expression, ...] = ()
        if isinstance(e, Seq):
            parts = (e.head, e.tail)
        elif isinstance(e, Choice):
            parts = e.options
        elif isinstance(e, (Repeat, Not)):
            parts = (e.body,)
        elif isinstance(e, Both):
            parts = e.parts
        for part in parts:
            if part not in seen:
                seen.add(part)
                stack.append(part)
