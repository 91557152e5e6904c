"""The members of a JSON object: `properties`, `required`, `additionalProperties`, `propertyNames`, counts and so on.

Keys that a schema names come in schema order (or any order, by layout), each at most once; keys that it does
not name come after them. What may follow depends on which named keys are behind us, and, if there are counts,
on how many members: rules with these parameters, lowered as they are reached.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .expression import EMPTY, NOTHING, Expression, both, choice, complement, contains, literal, rule, seq
from .layout import QUOTE
from .liveness import nonempty
from .regex import search
from .strings import SOME_KEY, key_text

if TYPE_CHECKING:
    from .json_schema import Goal, Lowering
    from .schema_node import Atoms, SchemaNode

OPEN = literal(b"{")
MAX_CLASSES = 16


def object_value(lowering: Lowering, atoms: Atoms) -> Expression:
    """A JSON object that satisfies every atom."""
    key = ("object", tuple(node.serial for node in atoms.nodes))
    shape = lowering.memory.get(key)
    if shape is None:
        shape = lowering.memory[key] = _Shape(lowering.free, atoms)
    if shape.impossible:
        return NOTHING
    if lowering.risky:  # every goal has to be known to `lower_all`, whatever is walked
        for goal in (*shape.goals, *(goal for _, goal, _ in shape.others)):
            lowering.value(*goal)
    return seq(OPEN, _Members(lowering, shape).start())


class _Shape:
    """The conjunction of all object keywords, whatever the request.

    names: the named keys, in order   goals[i]: what the value of names[i] must satisfy   others: keys without
    a name, as (text of the key, what its value must satisfy, which of `some` it is)   some: texts of keys, one of
    each must be there   is_some[i]: which of them names[i] is
    """

    def __init__(self, lowering: Lowering, atoms: Atoms) -> None:
        self.lowering, self.atoms = lowering, atoms
        self.required = list(dict.fromkeys(name for names in atoms.values("required") for name in names))
        named = dict.fromkeys(name for properties in atoms.values("properties") for name in properties)
        self.needs: dict[str, set[str]] = {}  # key -> keys that must be there with it
        for table in atoms.values("dependentRequired"):
            for name, needed in table.items():
                self.needs.setdefault(name, set()).update(needed)
        self.low = max((int(v) for v in atoms.values("minProperties")), default=0)
        self.high = min((int(v) for v in atoms.values("maxProperties")), default=None)
        name_goals: Goal = tuple(
            lowering.nodes.child(node, "propertyNames") for node, _ in atoms.places("propertyNames")
        )
        self.key_content = lowering.key_content(name_goals) if name_goals else None
        self.names: list[str] = []
        self.goals: list[Goal] = []
        self.impossible = False
        dependent = [n for name, needed in self.needs.items() for n in (name, *sorted(needed))]
        self.declared = list(dict.fromkeys([*named, *self.required, *dependent]))
        for name in self.declared:
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
        self._settle_needs()
        self.some = [self._some(node, value) for node, value in atoms.places(SOME_KEY)]
        self.is_some = [frozenset(self._is_some(name)) if self.some else frozenset[int]() for name in self.names]
        self.others = list(self._others())
        keys = [key_text(lowering, name) for name in self.names]
        space, comma = lowering.layout.space, lowering.layout.comma
        first = keys if space is EMPTY else [seq(space, key) for key in keys]
        self.keys = {True: first, False: [seq(comma, key) for key in keys]}  # of the first member, of a later one
        self.counted = self._needs_count()
        self.id = tuple(node.serial for node in atoms.nodes)

    def _settle_needs(self) -> None:
        """What each key needs, directly or not. A key that needs an impossible one is impossible."""
        self.with_it: list[frozenset[int]] = []  # per key: the keys that must be there with it
        if not self.needs:
            self.with_it = [frozenset()] * len(self.names)
            self.everything = frozenset(range(len(self.names)))
            self.must = frozenset(i for i, name in enumerate(self.names) if name in self.required)
            return
        number = {name: i for i, name in enumerate(self.names)}
        open_ = set(range(len(self.names)))
        for i, name in enumerate(self.names):
            needed, todo = {name}, [name]
            while todo:
                for other in self.needs.get(todo.pop(), ()):
                    if other not in needed:
                        needed.add(other)
                        todo.append(other)
            if not needed <= number.keys():
                open_.discard(i)
            self.with_it.append(frozenset(number[n] for n in needed if n in number) - {i})
        must = {i for i, name in enumerate(self.names) if name in self.required}
        self.impossible |= not must <= open_
        self.everything = frozenset(open_)
        self.must = frozenset(must.union(*(self.with_it[i] for i in must)))

    def after(self, i: int, left: frozenset[int], *, free: bool) -> frozenset[int]:
        """The keys that may still come behind key i. In schema order those before it are passed over for good."""
        if free:
            return left - {i}
        after = frozenset(j for j in left if j > i)
        if self.needs:
            passed = {j for j in left if j < i}
            after = frozenset(j for j in after if not self.with_it[j] & passed)
        return after

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

    def _some(self, node: SchemaNode, value: Mapping[str, Any]) -> Expression:
        """The spelled keys that a SOME_KEY speaks of."""
        alphabet = self.lowering.layout.alphabet
        if "goal" in value:
            return self.lowering.key_content((self.lowering.nodes.child(node, SOME_KEY, "goal"),))
        if "pattern" in value:
            return search(value["pattern"], alphabet)
        known = [alphabet.text(name) for name in value["names"]] + [search(p, alphabet) for p in value["patterns"]]
        return complement(choice(*known))

    def _is_some(self, name: str) -> Iterator[int]:
        spelled = self.lowering.layout.dumps(name)[1:-1].encode()
        return (k for k, keys in enumerate(self.some) if contains(keys, spelled))

    def _others(self) -> Iterator[tuple[Expression, Goal, frozenset[int]]]:
        """Classes of keys without a name, told apart by the patterns they match and by `some`. Empty ones are left out.

        The classes are made finer pattern by pattern, so patterns that exclude each other stay few classes.
        """
        alphabet = self.lowering.layout.alphabet
        patterns = list(dict.fromkeys(p for found in self.atoms.values("patternProperties") for p in found))
        everything = [alphabet.any_text]
        if self.declared:
            everything.append(complement(choice(*(alphabet.text(name) for name in self.declared))))
        if self.key_content is not None:
            everything.append(self.key_content)
        classes = [(both(*everything), frozenset[int]())]
        for k, found in enumerate([*(search(p, alphabet) for p in patterns), *self.some]):
            split = [(both(text, found), hits | {k}) for text, hits in classes]
            split += [(both(text, complement(found)), hits) for text, hits in classes]
            classes = [(text, hits) for text, hits in split if nonempty(text)]
            if len(classes) > MAX_CLASSES:
                place, keyword = next((n, k) for k in ("patternProperties", SOME_KEY) for n, _ in self.atoms.places(k))
                raise place.refuse(
                    keyword if keyword != SOME_KEY else "not", f"more than {MAX_CLASSES} kinds of keys to tell apart"
                )
        for text, hits in classes:
            matched = {p for k, p in enumerate(patterns) if k in hits}
            goal = tuple(n for node in self.atoms.nodes for n in self._class_goal(node, matched))
            if not any(n.schema is False for n in goal):
                yield text, goal, frozenset(k - len(patterns) for k in hits if k >= len(patterns))

    def _class_goal(self, node: SchemaNode, matched: set[str]) -> Iterator[SchemaNode]:
        schema, nodes = node.mapping, self.lowering.nodes
        mine = [p for p in schema.get("patternProperties", {}) if p in matched]
        for pattern in mine:
            yield nodes.child(node, "patternProperties", pattern)
        if not mine and "additionalProperties" in schema:
            yield nodes.child(node, "additionalProperties")

    def _needs_count(self) -> bool:
        if self.high is not None and (self.others or self.high < len(self.everything)):
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
        self.simple = not shape.counted and not shape.some
        self.surely = all(lowering.surely(shape.goals[i]) for i in shape.must)
        self.missing = frozenset(range(len(shape.some)))
        self.marked = frozenset(i for i, goal in enumerate(shape.goals) if any(n.marked for n in goal))
        self.others_marked = any(n.marked for _, goal, _ in shape.others for n in goal)

    def start(self) -> Expression:
        """All members, and the closing brace."""
        shape = self.shape
        return self.members(shape.everything, shape.must, first=True, count=0, missing=self.missing)

    def members(
        self, left: frozenset[int], owed: frozenset[int], *, first: bool, count: int, missing: frozenset[int]
    ) -> Expression:
        """What follows while the named keys `left` are open, `owed` of them must come, and no key was there of each
        `some` in `missing`."""
        shape, lowering = self.shape, self.lowering
        if lowering.grounding is not None and not self.others_marked and not self.marked & left:
            return _Members(lowering.free, shape).members(left, owed, first=first, count=count, missing=missing)
        if shape.counted:
            count = min(count, max(shape.low, shape.high if shape.high is not None else 0))
        else:
            count = 0
        if not left and not shape.others and self.simple:
            return lowering.layout.object_end
        key = (lowering.serial, "members", shape.id, left, owed, first, count, missing)

        def expand() -> Expression:
            return self._expand(left, owed, first, count, missing)

        if shape.high is not None and shape.counted and count + len(owed) > shape.high:
            return NOTHING
        # With the members owed alone it can be finished, unless more are needed; then some way must be looked for.
        enough = not missing and (not shape.counted or count + len(owed) + self._sure(left - owed) >= shape.low)
        surely = self.surely and (not shape.needs or all(lowering.surely(shape.goals[i]) for i in owed))
        if enough and (surely or not owed):
            return rule(key, expand, live=True)
        needed = [] if surely else [lowering.value(*shape.goals[i]) for i in sorted(owed)]
        if not enough:
            needed.append(rule((*key, "some way"), expand))
        return rule(key, expand, lives_as=seq(*needed))

    def _sure(self, left: frozenset[int]) -> int:
        """How many of these members certainly have a value."""
        lowering, goals = self.lowering, self.shape.goals
        return sum(1 for i in left if lowering.surely(goals[i]) or lowering.value(*goals[i]).live)

    def _expand(
        self, left: frozenset[int], owed: frozenset[int], first: bool, count: int, missing: frozenset[int]
    ) -> Expression:
        shape, lowering = self.shape, self.lowering
        before = lowering.layout.space if first else lowering.layout.comma
        free = lowering.layout.key_order == "free"
        room = not shape.counted or shape.high is None or count < shape.high
        parts = []
        if room:
            passed: set[int] = set()
            for i in sorted(left):
                if free or not shape.with_it[i] & passed:
                    after = shape.after(i, left, free=free)
                    rest = self.members(
                        after,
                        (owed | shape.with_it[i]) & after,
                        first=False,
                        count=count + 1,
                        missing=missing - shape.is_some[i],
                    )
                    parts.append(seq(shape.keys[first][i], lowering.value(*shape.goals[i]), rest))
                if not free and i in owed:
                    break
                passed.add(i)
            if free or not owed:
                parts.extend(self._other_members(before, left if free else frozenset(), owed, count, missing))
        if not owed and not missing and (not shape.counted or count >= shape.low):
            parts.append(lowering.layout.object_end)
        return choice(*parts)

    def _other_members(
        self, before: Expression, left: frozenset[int], owed: frozenset[int], count: int, missing: frozenset[int]
    ) -> Iterator[Expression]:
        for text, goal, some in self.shape.others:
            rest = self.members(left, owed & left, first=False, count=count + 1, missing=missing - some)
            yield seq(before, QUOTE, text, QUOTE, self.lowering.layout.colon, self.lowering.value(*goal), rest)
