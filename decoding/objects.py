"""The members of a JSON object: `properties`, `required`, `additionalProperties`, `propertyNames`, counts and so on.

Keys that a schema names come in schema order (or any order, by layout), each at most once; keys that it does
not name come after them. What may follow depends on which named keys are behind us, and, if there are counts,
on how many members: rules with these parameters, lowered as they are reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

from .expression import EMPTY, NOTHING, Expression, both, choice, complement, contains, literal, rule, seq
from .layout import QUOTE
from .regex import search
from .strings import key_text

if TYPE_CHECKING:
    from .json_schema import Goal, Lowering
    from .schema_node import Atoms, SchemaNode

OPEN, CLOSE = literal(b"{"), literal(b"}")
MAX_PATTERNS = 6


def object_value(lowering: Lowering, atoms: Atoms) -> Expression:
    """A JSON object that satisfies every atom."""
    shape = _Shape(lowering, atoms)
    if shape.impossible:
        return NOTHING
    return seq(OPEN, shape.members(shape.everything, first=True, count=0))


class _Shape:
    """The conjunction of all object keywords.

    names: the named keys, in order   goals[i]: what the value of names[i] must satisfy   others: keys without
    a name
    """

    def __init__(self, lowering: Lowering, atoms: Atoms) -> None:
        self.lowering, self.atoms = lowering, atoms
        self.required = list(dict.fromkeys(name for names in atoms.values("required") for name in names))
        named = dict.fromkeys(name for properties in atoms.values("properties") for name in properties)
        self.low = max((int(v) for v in atoms.values("minProperties")), default=0)
        self.high = min((int(v) for v in atoms.values("maxProperties")), default=None)
        name_goals: Goal = tuple(
            lowering.nodes.child(node, "propertyNames") for node, _ in atoms.places("propertyNames")
        )
        self.key_content = lowering.key_content(name_goals) if name_goals else None
        self.names: list[str] = []
        self.goals: list[Goal] = []
        self.impossible = False
        for name in [*named, *(n for n in self.required if n not in named)]:
            goal = tuple(n for node in atoms.nodes for n in self._contributions(node, name))
            banned = any(n.schema is False for n in goal)
            if not banned and self.key_content is not None:
                spelled = lowering.layout.dumps(name)[1:-1].encode()
                banned = not contains(self.key_content, spelled)
            if not banned:
                self.names.append(name)
                self.goals.append(goal)
            elif name in self.required:
                self.impossible = True
        self.must = frozenset(i for i, name in enumerate(self.names) if name in self.required)
        self.everything = frozenset(range(len(self.names)))
        self.declared = [*named, *(n for n in self.required if n not in named)]
        self.others = list(self._others())
        self.values = [lowering.value(*goal) for goal in self.goals]
        self.counted = self._needs_count()
        self.surely = not self.counted and all(lowering.surely(self.goals[i]) for i in self.must)
        self.id = tuple(node.serial for node in atoms.nodes)

    def _contributions(self, node: SchemaNode, name: str) -> Iterator[SchemaNode]:
        schema, nodes, hit = node.mapping, self.lowering.nodes, False
        if name in schema.get("properties", {}):
            hit = True
            yield nodes.child(node, "properties", name)
        for pattern in schema.get("patternProperties", {}):
            if contains(search(pattern), name.encode()):
                hit = True
                yield nodes.child(node, "patternProperties", pattern)
        if not hit and "additionalProperties" in schema:
            yield nodes.child(node, "additionalProperties")

    def _others(self) -> Iterator[tuple[Expression, Expression]]:
        """Classes of keys without a name, told apart by the patterns they match: (text of the key, value)."""
        lowering, alphabet = self.lowering, self.lowering.layout.alphabet
        patterns = list(dict.fromkeys(p for found in self.atoms.values("patternProperties") for p in found))
        if len(patterns) > MAX_PATTERNS:
            raise self.atoms.places("patternProperties")[0][0].refuse(
                "patternProperties", f"more than {MAX_PATTERNS} patterns"
            )
        outside = [complement(choice(*(alphabet.text(name) for name in self.declared)))] if self.declared else []
        if self.key_content is not None:
            outside.append(self.key_content)
        for hits in product((True, False), repeat=len(patterns)):
            matched = {p for p, hit in zip(patterns, hits, strict=True) if hit}
            goal = tuple(n for node in self.atoms.nodes for n in self._class_goal(node, matched))
            if any(n.schema is False for n in goal):
                continue
            parts = [search(p, alphabet) if p in matched else complement(search(p, alphabet)) for p in patterns]
            yield both(alphabet.any_text, *parts, *outside), lowering.value(*goal)

    def _class_goal(self, node: SchemaNode, matched: set[str]) -> Iterator[SchemaNode]:
        schema, nodes = node.mapping, self.lowering.nodes
        mine = [p for p in schema.get("patternProperties", {}) if p in matched]
        for pattern in mine:
            yield nodes.child(node, "patternProperties", pattern)
        if not mine and "additionalProperties" in schema:
            yield nodes.child(node, "additionalProperties")

    def _needs_count(self) -> bool:
        if self.high is not None and (self.others or self.high < len(self.names)):
            counted = True
        else:
            counted = self.low > len(self.must)
        if self.low > max(1, len(self.must)) and self.others:
            # Two members with one key would count twice here and once for a reader.
            place = next(n for n, v in self.atoms.places("minProperties") if v == self.low)
            raise place.refuse(
                "minProperties", "keys without a name could repeat; name the keys in properties, or close the object"
            )
        return counted

    def members(self, left: frozenset[int], *, first: bool, count: int) -> Expression:
        """What follows while the named keys `left` are still open."""
        if self.counted:
            count = min(count, max(self.low, self.high if self.high is not None else 0))
        else:
            count = 0
        if not left and not self.others and not self.counted:
            return CLOSE
        key = (self.lowering.serial, "members", self.id, left, first, count)
        return rule(key, lambda: self._expand(left, first, count), live=self.surely or None)

    def _expand(self, left: frozenset[int], first: bool, count: int) -> Expression:
        comma = EMPTY if first else self.lowering.layout.comma
        free = self.lowering.layout.key_order == "free"
        room = not self.counted or self.high is None or count < self.high
        must = self.must & left
        parts = []
        if room:
            for i in sorted(left):
                after = left - {i} if free else frozenset(j for j in left if j > i)
                key = key_text(self.lowering, self.names[i])
                parts.append(seq(comma, key, self.values[i], self.members(after, first=False, count=count + 1)))
                if not free and i in must:
                    break
            if free or not must:
                parts.extend(self._other_members(comma, left if free else frozenset(), count))
        if not must and (not self.counted or count >= self.low):
            parts.append(CLOSE)
        return choice(*parts)

    def _other_members(self, comma: Expression, left: frozenset[int], count: int) -> Iterator[Expression]:
        rest = self.members(left, first=False, count=count + 1)
        for text, value in self.others:
            yield seq(comma, QUOTE, text, QUOTE, self.lowering.layout.colon, value, rest)
