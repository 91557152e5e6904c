"""`prefixItems`, `items`, `minItems`, `maxItems`, `contains`, `uniqueItems`: the items of a JSON array, left to right.

The simple case is a counted repeat. `contains` counts the matching items in the state; `uniqueItems` keeps
the values that are left, so it needs items with finitely many values. Both are rules with parameters, lowered
as they are reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from .expression import NOTHING, Expression, choice, literal, repeat, rule, seq
from .layout import freeze
from .schema_node import old_items
from .strings import CONTAINS_FROM

if TYPE_CHECKING:
    from .json_schema import Goal, Lowering
    from .schema_node import Atoms, SchemaNode

OPEN = literal(b"[")
MAX_UNIQUE = 64  # values an item of a uniqueItems array may have
MAX_CONTAINS = 3


def array_value(lowering: Lowering, atoms: Atoms) -> Expression:
    """A JSON array that satisfies every atom."""
    shape = _Shape(lowering, atoms)
    if shape.high is not None and shape.low > shape.high:
        return NOTHING
    if lowering.grounding is not None and any(atoms.values("x-distinct")):
        return seq(OPEN, lowering.grounding.distinct(lowering, shape.items, shape.low, shape.high, atoms))
    if any(atoms.values("uniqueItems")) and (shape.high is None or shape.high > 1):
        return seq(OPEN, _Unique(lowering, shape, atoms).rest(0, frozenset()))
    if shape.contains:
        return seq(OPEN, _Containing(lowering, shape, atoms).rest(0, (0,) * len(shape.contains)))
    return seq(OPEN, shape.plain())


class _Shape:
    """The conjunction of all array keywords: a goal for each place, bounds on the length, counted matches."""

    def __init__(self, lowering: Lowering, atoms: Atoms) -> None:
        self.lowering = lowering
        self.low = max((int(v) for v in atoms.values("minItems")), default=0)
        self.high = min((int(v) for v in atoms.values("maxItems")), default=None)
        length = max((len(_prefix(node)) for node in atoms.nodes), default=0)
        self.prefix: list[Goal] = [
            tuple(n for node in atoms.nodes for n in _at(lowering, node, i)) for i in range(length)
        ]
        self.items: Goal = tuple(n for node in atoms.nodes for n in _at(lowering, node, length))
        if self._closed(self.items):
            self.high = length if self.high is None else min(self.high, length)
        self.contains = list(_contains(lowering, atoms))

    @staticmethod
    def _closed(goal: Goal) -> bool:
        return any(node.schema is False for node in goal)

    def at(self, i: int) -> Goal:
        """What the item at place i must satisfy."""
        return self.prefix[i] if i < len(self.prefix) else self.items

    def plain(self) -> Expression:
        """Everything after the opening bracket, when items do not depend on one another."""
        lowering, layout, n = self.lowering, self.lowering.layout, len(self.prefix)
        comma, end, high = layout.comma, layout.array_end, self.high
        rest = end
        if high is None or high > n:
            item = lowering.value(*self.items)
            if n == 0:
                more = repeat(seq(comma, item), max(self.low - 1, 0), None if high is None else high - 1)
                some = seq(layout.space, item, more, end)
                return some if self.low > 0 else choice(end, some)
            rest = seq(repeat(seq(comma, item), max(self.low - n, 0), None if high is None else high - n), end)
        elif self.low > n:
            return NOTHING
        for i in reversed(range(n)):
            more = NOTHING
            if high is None or high > i:
                more = seq(comma if i else layout.space, lowering.value(*self.prefix[i]), rest)
            rest = choice(end, more) if self.low <= i else more
        return rest


def _prefix(node: SchemaNode) -> list[Any]:
    schema = node.mapping
    value = schema["items"] if old_items(schema) else schema.get("prefixItems", [])
    return list(value)


def _at(lowering: Lowering, node: SchemaNode, i: int) -> Iterator[SchemaNode]:
    schema, nodes = node.mapping, lowering.nodes
    prefix_keyword, rest_keyword = ("items", "additionalItems") if old_items(schema) else ("prefixItems", "items")
    if i < len(_prefix(node)):
        yield nodes.child(node, prefix_keyword, i)
    elif rest_keyword in schema:
        yield nodes.child(node, rest_keyword)


@dataclass(frozen=True)
class _Contains:
    hit: Goal
    miss: Goal
    low: int
    high: int | None
    start: int  # the first place that counts


def _contains(lowering: Lowering, atoms: Atoms) -> Iterator[_Contains]:
    for node, value in atoms.places("contains"):
        low, high = int(node.mapping.get("minContains", 1)), node.mapping.get("maxContains")
        if low == 0 and high is None:
            continue
        hit = lowering.nodes.child(node, "contains")
        miss = lowering.nodes.derive(node, "no match", {"not": value})
        start = node.mapping.get(CONTAINS_FROM, 0)
        yield _Contains((hit,), (miss,), low, None if high is None else int(high), start)


@dataclass(frozen=True)
class _Containing:
    """Arrays that count matching items. State: place, matches so far of every `contains`."""

    lowering: Lowering
    shape: _Shape
    atoms: Atoms

    def __post_init__(self) -> None:
        if len(self.shape.contains) > MAX_CONTAINS:
            raise self.atoms.places("contains")[0][0].refuse(
                "contains", f"more than {MAX_CONTAINS} of them on one array"
            )
        for i in range(self._differ() + 1):
            list(self._cases(i))  # lowers every goal once, so that what cannot be held is refused while compiling

    def _differ(self) -> int:
        """How many places at the beginning are not like those behind them."""
        return max(len(self.shape.prefix), *(wanted.start for wanted in self.shape.contains))

    def _cases(self, i: int) -> Iterator[tuple[tuple[bool, ...], Expression]]:
        for hits in product(*((True, False) if i >= w.start else (False,) for w in self.shape.contains)):
            goal = self.shape.at(i)
            for hit, wanted in zip(hits, self.shape.contains, strict=True):
                if i >= wanted.start:
                    goal += wanted.hit if hit else wanted.miss
            yield hits, self.lowering.value(*goal)

    def rest(self, i: int, counts: tuple[int, ...]) -> Expression:
        """What follows when i items have been read."""
        shape = self.shape
        last = max(self._differ(), shape.low, 1, *(() if shape.high is None else (shape.high,)))
        place = min(i, last)
        key = (self.lowering.serial, "contains", tuple(n.serial for n in self.atoms.nodes), place, counts)
        return rule(key, lambda: self._expand(place, counts))

    def _expand(self, i: int, counts: tuple[int, ...]) -> Expression:
        shape, parts = self.shape, list[Expression]()
        if i >= shape.low and all(c >= w.low for c, w in zip(counts, shape.contains, strict=True)):
            parts.append(self.lowering.layout.array_end)
        if shape.high is None or i < shape.high:
            for hits, item in self._cases(i):
                after = [c + h for c, h in zip(counts, hits, strict=True)]
                if any(w.high is not None and c > w.high for c, w in zip(after, shape.contains, strict=True)):
                    continue
                # Beyond the bounds that anyone asks about, counting on would only make more states.
                capped = tuple(min(c, max(w.low, w.high or 0)) for c, w in zip(after, shape.contains, strict=True))
                before = self.lowering.layout.comma if i else self.lowering.layout.space
                parts.append(seq(before, item, self.rest(i + 1, capped)))
        return choice(*parts)


class _Unique:
    """Arrays without equal items. State: place, the values used so far."""

    def __init__(self, lowering: Lowering, shape: _Shape, atoms: Atoms) -> None:
        self.lowering, self.shape, self.atoms = lowering, shape, atoms
        self.place = next(node for node, value in atoms.places("uniqueItems") if value)
        if shape.contains:
            raise self.place.refuse("uniqueItems", "together with contains")
        self.options: dict[int, dict[Any, Expression]] = {}
        for i in range(min(len(shape.prefix) + 1, shape.high if shape.high is not None else 1 << 30)):
            self._options(i)

    def _options(self, i: int) -> dict[Any, Expression]:
        i = min(i, len(self.shape.prefix))
        if i not in self.options:
            values = self.lowering.finite(self.shape.at(i), MAX_UNIQUE)
            if values is None:
                raise self.place.refuse(
                    "uniqueItems", f"items need at most {MAX_UNIQUE} values (enum, const, boolean, null)"
                )
            self.options[i] = {freeze(v): self.lowering.layout.value(v) for v in values}
        return self.options[i]

    def rest(self, i: int, used: frozenset[Any]) -> Expression:
        """What follows when i items have been read."""
        left = self.shape.low - i
        if i >= len(self.shape.prefix) and left > 0 and len(self._options(i).keys() - used) < left:
            return NOTHING
        key = (self.lowering.serial, "unique", tuple(n.serial for n in self.atoms.nodes), i, used)
        return rule(key, lambda: self._expand(i, used), live=True if i >= len(self.shape.prefix) else None)

    def _expand(self, i: int, used: frozenset[Any]) -> Expression:
        layout = self.lowering.layout
        parts = [layout.array_end] if i >= self.shape.low else []
        if self.shape.high is None or i < self.shape.high:
            before = layout.comma if i else layout.space
            for name, value in self._options(i).items():
                if name not in used:
                    parts.append(seq(before, value, self.rest(i + 1, used | {name})))
        return choice(*parts)
