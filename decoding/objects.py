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
    key = ("object", tuple(node.serial for node in atoms.nodes))
    shape = lowering.memory.get(key)
    if shape is None:
        shape = lowering.memory[key] = _Shape(lowering.free, atoms)
    if shape.impossible:
        return NOTHING
    return seq(OPEN, _Members(lowering, shape).members(shape.everything, first=True, count=0))


class _Shape:
    """The conjunction of all object keywords, whatever the request.

    names: the named keys, in order   goals[i]: what the value of names[i] must satisfy   others: keys without
    a name, as (text of the key, what its value must satisfy)
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
        keys = [key_text(lowering, name) for name in self.names]
        self.keys = {True: keys, False: [seq(lowering.layout.comma, key) for key in keys]}  # first member, later ones
        self.counted = self._needs_count()
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

    def _others(self) -> Iterator[tuple[Expression, Goal]]:
        """Classes of keys without a name, told apart by the patterns they match: (text of the key, goal)."""
        alphabet = self.lowering.layout.alphabet
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
            yield both(alphabet.any_text, *parts, *outside), goal

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


class _Members:
    """What may follow in an object of one shape, depending on which named keys are behind us and on how many members.

    Where nothing that is still open can come from the request, it is the same as without one, and shared.
    """

    def __init__(self, lowering: Lowering, shape: _Shape) -> None:
        self.lowering, self.shape = lowering, shape
        self.surely = not shape.counted and all(lowering.surely(shape.goals[i]) for i in shape.must)
        self.marked = frozenset(i for i, goal in enumerate(shape.goals) if any(n.marked for n in goal))
        self.others_marked = any(n.marked for _, goal in shape.others for n in goal)

    def members(self, left: frozenset[int], *, first: bool, count: int) -> Expression:
        """What follows while the named keys `left` are still open."""
        shape, lowering = self.shape, self.lowering
        if lowering.grounding is not None and not self.others_marked and not self.marked & left:
            return _Members(lowering.free, shape).members(left, first=first, count=count)
        if shape.counted:
            count = min(count, max(shape.low, shape.high if shape.high is not None else 0))
        else:
            count = 0
        if not left and not shape.others and not shape.counted:
            return CLOSE
        key = (lowering.serial, "members", shape.id, left, first, count)
        return rule(key, lambda: self._expand(left, first, count), live=self.surely or None)

    def _expand(self, left: frozenset[int], first: bool, count: int) -> Expression:
        shape, lowering = self.shape, self.lowering
        comma = EMPTY if first else lowering.layout.comma
        free = lowering.layout.key_order == "free"
        room = not shape.counted or shape.high is None or count < shape.high
        must = shape.must & left
        parts = []
        if room:
            for i in sorted(left):
                after = left - {i} if free else frozenset(j for j in left if j > i)
                member = seq(lowering.value(*shape.goals[i]), self.members(after, first=False, count=count + 1))
                parts.append(seq(shape.keys[first][i], member))
                if not free and i in must:
                    break
            if free or not must:
                parts.extend(self._other_members(comma, left if free else frozenset(), count))
        if not must and (not shape.counted or count >= shape.low):
            parts.append(CLOSE)
        return choice(*parts)

    def _other_members(self, comma: Expression, left: frozenset[int], count: int) -> Iterator[Expression]:
        rest = self.members(left, first=False, count=count + 1)
        for text, goal in self.shape.others:
            yield seq(comma, QUOTE, text, QUOTE, self.lowering.layout.colon, self.lowering.value(*goal), rest)
