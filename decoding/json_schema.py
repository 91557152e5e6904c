"""JSON Schema to expression: exactly the documents of a layout that satisfy the schema, or a refusal.

A *goal* is a tuple of schemas that one value must satisfy together. Lowering a goal takes the combining
keywords apart (rewrite.py) until it is a choice between plain conjunctions, and builds each conjunction type
by type. Every goal is a rule: it is lowered when generation reaches it, so a schema of thirty tools costs
what is used of it. A schema whose keywords could still be refused on the way is lowered in full while
compiling.

Liveness: a rule is an ordinary part of an expression, and a state only leads to states whose language is not
empty, so objects that can never be finished, or recursion without an end, are pruned where they would begin.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from referencing import Registry

from .arrays import array_value
from .constraint import Constraint
from .disjoint import plainly_empty
from .errors import GrammarTooLarge, UnsupportedSchema
from .expression import (
    ANYTHING,
    NOTHING,
    Expression,
    Rule,
    both,
    choice,
    complement,
    contains,
    derivative,
    edges,
    literal,
    repeat,
    rule,
    seq,
)
from .layout import Json, Layout, decimal, freeze, plain
from .lenient import Dropped, Leniency
from .liveness import nonempty
from .numbers import (
    MAX_MODULUS,
    Interval,
    Spelling,
    any_plain,
    equal_to,
    interval_of,
    multiple_of,
    not_multiple_of,
    number,
    units,
)
from .objects import object_value
from .request import Request
from .rewrite import NOT_MULTIPLE, Alternatives, split
from .schema_check import check_schema
from .schema_node import Atoms, Nodes, Schema, SchemaNode, is_annotation
from .strings import NOT_ENUM, content, string_value
from .vocabulary import Vocabulary

Goal = tuple[SchemaNode, ...]
Placed = tuple[SchemaNode, frozenset[int]]
Waiting = tuple[Alternatives, frozenset[int]]

MAX_ALTERNATIVES = 2048
MAX_GOALS = 20_000
MAX_STEPS = 30_000
_serials = itertools.count()
_POINT_ZERO = seq(ANYTHING, literal(b".0"))


class SchemaConstraint(Constraint):
    """The constraint of a JSON Schema.

    `dropped`: what `strict=False` left out. `ignored`: (pointer, keyword) of keywords that JSON Schema does not know
    and therefore takes for annotations.
    """

    def __init__(
        self, expression: Expression, vocabulary: Vocabulary, lowering: Lowering, dropped: Sequence[Dropped] = ()
    ) -> None:
        super().__init__(expression, vocabulary, lowering)
        self.dropped = tuple(dropped)
        self.ignored = tuple(lowering.nodes.ignored)


def compile_json_schema(
    schema: Schema,
    vocabulary: Vocabulary,
    layout: Layout | None = None,
    *,
    registry: Registry[Any] | None = None,
    strict: bool = True,
) -> SchemaConstraint:
    """The constraint whose texts are the documents of this schema in this layout, `Layout.spaced()` unless told.

    `registry` (of the `referencing` library) resolves `$ref`s to other documents; nothing is ever fetched.
    With `strict=False` keywords that are not held exactly are left out, and the constraint lists them: it then
    allows every document of the schema and perhaps more.
    Raises UnsupportedSchema for a keyword that is not held exactly, EmptyGrammar for a schema that no
    document satisfies, GrammarTooLarge when deciding takes more than the budget.
    """
    layout = layout or Layout.spaced()
    leniency = Leniency(schema, registry)
    while True:
        try:
            lowering = Lowering(schema, layout, registry, dropped=leniency.left_out)
            return SchemaConstraint(lowering.start(), vocabulary, lowering, leniency.dropped)
        except GrammarTooLarge as error:
            raise error if error.pointer is not None else error.at("") from None
        except RecursionError:
            raise GrammarTooLarge("nested too deeply to decide whether it can be satisfied", "") from None
        except UnsupportedSchema as error:
            if strict:
                raise
            leniency.drop(error)


def schema_expression(
    schema: Schema, layout: Layout | None = None, *, registry: Registry[Any] | None = None
) -> Expression:
    """The language of a schema without a vocabulary; lowered as it is walked."""
    return Lowering(schema, layout or Layout.spaced(), registry).start()


class Lowering:
    """One schema document in one layout, perhaps grounded in one request. Immutable but for what it remembers."""

    def __init__(
        self,
        schema: Schema,
        layout: Layout,
        registry: Registry[Any] | None = None,
        grounding: Request | None = None,
        dropped: Mapping[int, frozenset[str]] | None = None,
    ) -> None:
        self.serial = next(_serials)
        self.layout = layout
        self.nodes = Nodes(schema, registry)
        self.nodes.dropped = dropped or {}
        self.grounding = grounding
        self.free = self  # the same schema and layout, not grounded
        self.memory: dict[Hashable, Any] = {}  # what does not depend on grounding, shared with `free`
        self.pending: list[tuple[Goal, Rule]] = []  # rules made and not yet lowered, for `lower_all`
        self._steps = 0  # of taking goals apart, against MAX_STEPS
        self._rules: dict[tuple[int, ...], Expression] = {}
        self._values: dict[Goal, Expression] = {}
        self._sure: dict[int, bool] = {}
        self._checker: Lowering | None = None
        self.risky = grounding is None and check_schema(self.nodes)

    def start(self) -> Expression:
        """The language of the whole document."""
        expression = self.value(self.nodes.root)
        if self.risky:
            self.lower_all()
        return expression

    def lower_all(self) -> None:
        """Lowers every goal that can be reached, so that whatever must be refused is refused now."""
        while self.pending:
            goal, found = self.pending.pop()
            try:
                found.expand()
                nonempty(found)
            except RecursionError:
                self._too_large(goal, "nested too deeply to decide whether it can be satisfied")
            except GrammarTooLarge as error:
                raise error if error.pointer is not None else error.at(goal[0].pointer) from None
            if len(self._rules) > MAX_GOALS:
                self._too_large(goal, f"more than {MAX_GOALS} different subschemas had to be combined")

    # ---- goals

    def value(self, *goal: SchemaNode) -> Expression:
        """A value that satisfies all of these schemas, lowered when it is reached."""
        known = self._values.get(goal)
        if known is not None:
            return known
        unique = {n.serial: n for n in goal if n.schema is not True}
        key = tuple(sorted(unique))
        found = self._rules.get(key)
        if found is None:
            nodes = tuple(unique[k] for k in sorted(unique))
            if any(n.schema is False for n in nodes):
                found = NOTHING
            elif self.grounding is not None and not any(n.marked for n in nodes):
                found = self.free.value(*nodes)
            elif len(nodes) == 1 and "const" in nodes[0].mapping and _is_bare(nodes[0], "const"):
                found = self.layout.value(nodes[0].mapping["const"])
            else:
                live = True if self.surely(nodes) else None
                found = rule((self.serial, "value", key), lambda: self._lower(nodes), live=live)
                assert isinstance(found, Rule)
                self.pending.append((nodes, found))
            self._rules[key] = found
        self._values[goal] = found
        return found

    def _lower(self, goal: Goal) -> Expression:
        return choice(*(self._conjunction(atoms) for atoms in self.conjunctions(goal)))

    def conjunctions(self, goal: Goal) -> list[Atoms]:
        """The goal as a union of conjunctions without combining keywords."""
        if len(goal) == 1 and goal[0].schema is not False and split(self.nodes, goal[0]).atomic is goal[0]:
            return [Atoms(goal)]
        found = list[Atoms]()
        nobody: frozenset[int] = frozenset()
        for bundle in self._plain([(node, nobody) for node in goal], (), nobody):
            found.append(bundle)
            if len(found) > MAX_ALTERNATIVES:
                self._too_large(goal, f"more than {MAX_ALTERNATIVES} combinations of anyOf/oneOf/not branches")
        return found

    def _too_large(self, goal: Goal, what: str) -> NoReturn:
        raise GrammarTooLarge(what, pointer=goal[0].pointer if goal else "")

    def _plain(self, goal: Sequence[Placed], atoms: tuple[SchemaNode, ...], visited: frozenset[int]) -> Iterator[Atoms]:
        """`visited`: nodes that hold here already. Every node carries those it was reached through at this place."""
        self._steps += 1 + len(atoms) // 8
        if self._steps > MAX_STEPS:
            self._too_large(tuple(node for node, _ in goal), f"more than {MAX_STEPS} steps to combine its subschemas")
        waiting: list[Waiting] = []
        held, done = dict.fromkeys(atoms), set(visited)
        todo = list(reversed(goal))
        while todo:
            node, through = todo.pop()
            if node.schema is False:
                return
            if node.serial in through:
                raise node.invalid("$ref", "it refers to itself without reading anything in between")
            if node.schema is True or node.serial in done:
                continue
            done.add(node.serial)
            split(self.nodes, node)
            if node.atomic is not None:
                held[node.atomic] = None
            if node.requires or node.any_of:
                through |= {node.serial}
                todo.extend((other, through) for other in reversed(node.requires))
                waiting.extend((alternatives, through) for alternatives in node.any_of)
        yield from self._distribute(tuple(held), waiting, frozenset(done))

    def _distribute(
        self, atoms: tuple[SchemaNode, ...], waiting: list[Waiting], visited: frozenset[int]
    ) -> Iterator[Atoms]:
        bundle = Atoms(atoms)
        if plainly_empty(bundle) if len(atoms) > 1 else not bundle.types():
            return
        if not waiting:
            yield bundle
            return
        alternatives, through = waiting[0]
        for alternative in alternatives:
            for more in self._plain([(node, through) for node in alternative], atoms, visited):
                yield from self._distribute(more.nodes, waiting[1:], visited)

    # ---- one plain conjunction

    def _conjunction(self, atoms: Atoms) -> Expression:
        constants = [[v] for v in atoms.values("const")] + [list(v) for v in atoms.values("enum")]
        if constants:
            return self._constants(atoms, constants)
        types = atoms.types()
        excluded = [v for values in atoms.values(NOT_ENUM) for v in values]
        parts = []
        if "null" in types and not any(v is None for v in excluded):
            parts.append(literal(b"null"))
        if "boolean" in types:
            banned = [v for v in excluded if isinstance(v, bool)]
            parts.extend(literal(b"true" if v else b"false") for v in (True, False) if v not in banned)
        if types & {"integer", "fraction"}:
            parts.append(self._number(atoms, types, excluded))
        if "string" in types:
            parts.append(string_value(self, atoms))
        if "array" in types:
            other = [complement(self.layout.value(v)) for v in excluded if isinstance(v, list)]
            parts.append(both(array_value(self, atoms), *other))
        if "object" in types:
            parts.append(object_value(self, atoms))
        return choice(*parts)

    def _constants(self, atoms: Atoms, constants: list[list[Json]]) -> Expression:
        """`const` and `enum`: the values in all of them that the other keywords accept."""
        kept = {freeze(v): v for v in constants[0]}
        for others in constants[1:]:
            names = {freeze(v) for v in others}
            kept = {name: v for name, v in kept.items() if name in names}
        excluded = {freeze(v) for values in atoms.values(NOT_ENUM) for v in values}
        rest = tuple(n for n in (self._without_constants(node) for node in atoms.nodes) if n is not None)
        spelled = []
        for name, value in kept.items():
            if name not in excluded and (not rest or self.accepts(rest, value)):
                spelled.append(self.layout.value(value))
        if self.nodes.integers_have_no_point and "fraction" not in atoms.types():
            return both(choice(*spelled), complement(_POINT_ZERO))
        return choice(*spelled)

    def _without_constants(self, node: SchemaNode) -> SchemaNode | None:
        rest = {k: v for k, v in node.mapping.items() if k not in ("const", "enum", NOT_ENUM) and not is_annotation(k)}
        return self.nodes.derive(node, "without constants", rest) if rest else None

    def accepts(self, goal: Goal, value: Json) -> bool:
        """Whether a value satisfies a goal; keys in any order, grounding aside."""
        if all(set(n.mapping) <= {"type"} for n in goal):
            return _type_of(value) in Atoms(goal).types()
        if self._checker is None:
            layout = Layout(key_order="free", digits=None)
            self._checker = self if layout == self.layout and self.grounding is None else self._copy(layout)
        return contains(self._checker.value(*goal), _spell(value))

    def _copy(self, layout: Layout) -> Lowering:
        other = Lowering.__new__(Lowering)
        other.__dict__.update(self.__dict__)
        other.serial, other.layout, other.grounding, other.free = next(_serials), layout, None, other
        other.memory = {}
        other._rules, other._values, other._sure, other.pending, other._checker = {}, {}, {}, [], other
        return other

    def grounded(self, request: Request) -> Lowering:
        """The same schema, its marked places restricted to what the request holds."""
        other = self._copy(self.layout)
        other.grounding, other._checker, other.risky = request, None, False
        other.free, other.memory = self.free, self.memory
        return other

    def _number(self, atoms: Atoms, types: frozenset[str], excluded: list[Json]) -> Expression:
        key = ("number", tuple(n.serial for n in atoms.nodes), types)
        values = self.memory.get(key)
        if values is None:
            values = self.memory[key] = self._any_number(atoms, types, excluded)
        if self.grounding is not None and atoms.values("x-from"):
            return self.grounding.number(atoms, values)
        return values

    def _any_number(self, atoms: Atoms, types: frozenset[str], excluded: list[Json]) -> Expression:
        interval = Interval()
        for node in atoms.nodes:
            interval = interval.meet(interval_of(node.mapping))
        integral, fractional = "integer" in types, "fraction" in types
        digits = self.layout.digits
        spelling = Spelling(digits, digits, integral and not fractional, not self.nodes.integers_have_no_point)
        divisors = [decimal(v) for v in atoms.values("multipleOf")]
        parts = [not_multiple_of(decimal(v)) for v in atoms.values(NOT_MULTIPLE)]
        parts += [complement(equal_to(decimal(v))) for v in excluded if _type_of(v) in ("integer", "fraction")]
        if not divisors:
            if parts and integral and fractional and interval == Interval():
                return both(any_plain(spelling), *parts)
            return both(number(interval, spelling, integral=integral, fractional=fractional), *parts)
        if not integral:
            parts.append(number(Interval(), spelling.for_values(*divisors), integral=False, fractional=True))
        if parts and max(units(divisor)[0] for divisor in divisors) > MAX_MODULUS:
            reason = f"more than {MAX_MODULUS} units in its last place, beside complements of other numbers"
            raise atoms.places("multipleOf")[0][0].refuse("multipleOf", reason)
        return both(multiple_of(divisors, interval, spelling), *parts)

    def string_content(self, atoms: Atoms) -> Expression:
        """The texts that the string keywords of a conjunction accept, spelled, without quotes."""
        return content(self, atoms)

    def key_content(self, goal: Goal) -> Expression:
        """The texts of keys that satisfy a goal (`propertyNames`)."""
        parts = []
        for atoms in self.conjunctions(goal):
            if "string" not in atoms.types():
                continue
            if atoms.values("const") or atoms.values("enum"):
                quoted = self._conjunction(atoms)
                parts.append(_unquoted(quoted))
            else:
                parts.append(content(self, atoms))
        return both(choice(*parts), repeat(self.layout.alphabet.character))

    # ---- questions about goals

    def surely(self, goal: Goal) -> bool:
        """Whether some value certainly satisfies the goal; False only means that it takes a closer look."""
        return not goal or (len(goal) == 1 and self._surely(goal[0]))

    def _surely(self, node: SchemaNode) -> bool:
        if isinstance(node.schema, bool):
            return node.schema
        found = self._sure.get(node.serial)
        if found is None:
            self._sure[node.serial] = False  # recursion is not certain while we look
            found = self._sure[node.serial] = self._surely_mapping(node)
        return found

    def _surely_mapping(self, node: SchemaNode) -> bool:
        schema = node.mapping
        keywords = {k for k in schema if not is_annotation(k)}
        kind = schema.get("type")
        if self.grounding is not None and "x-from" in schema:
            return kind in ("string", "number", "integer") and nonempty(self.value(node))
        if self.grounding is not None and "x-distinct" in schema and schema.get("minItems", 0) > 1:
            return False
        if not keywords or keywords == {"type"}:
            return bool(kind != [])
        if keywords <= {"type", "const", "enum"} and "type" not in keywords:
            return bool(schema.get("enum", [0]))
        child = self.nodes.child
        if keywords == {"anyOf"}:
            return any(self._surely(child(node, "anyOf", i)) for i in range(len(schema["anyOf"])))
        if kind == "string":
            if keywords <= {"type", "minLength", "maxLength"}:
                return bool(schema.get("minLength", 0) <= schema.get("maxLength", 1 << 60))
            return keywords == {"type", "format"}
        if kind == "array":
            return keywords <= {"type", "items", "maxItems", "uniqueItems"} or (
                keywords <= {"type", "items", "minItems", "maxItems"}
                and schema.get("minItems", 0) <= schema.get("maxItems", 1 << 60)
                and "items" in schema
                and not isinstance(schema["items"], list)
                and self._surely(child(node, "items"))
            )
        if kind == "object" and keywords <= {"type", "properties", "required", "additionalProperties"}:
            properties, required = schema.get("properties", {}), schema.get("required", ())
            return all(n in properties and self._surely(child(node, "properties", n)) for n in required)
        bounded = keywords <= {"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
        if kind in ("number", "integer") and bounded:
            interval = interval_of(schema)
            return not (interval.whole() if kind == "integer" else interval).empty
        return False

    def finite(self, goal: Goal, limit: int) -> list[Json] | None:
        """All values of a goal when they are few and easy to list (constants, booleans, null, small integer ranges)."""
        found: dict[Any, Json] = {}
        for atoms in self.conjunctions(goal):
            values = _listed(atoms, limit)
            if values is None:
                return None
            for value in values:
                if self.accepts(atoms.nodes, value):
                    found[freeze(value)] = value
        return list(found.values()) if len(found) <= limit else None


def _is_bare(node: SchemaNode, keyword: str) -> bool:
    return all(k == keyword or (is_annotation(k) and not k.startswith("x-")) for k in node.mapping)


def _type_of(value: Json) -> str:
    kind = freeze(value)[0]
    if kind == "number":
        number_ = decimal(value)
        return "integer" if number_ == number_.to_integral_value() else "fraction"
    return kind


def _spell(value: Json) -> bytes:
    """The spelling in which `accepts` reads a value: spaced, numbers without exponent."""
    if isinstance(value, Mapping):
        members = (_spell(k) + b": " + _spell(v) for k, v in value.items())
        return b"{" + b", ".join(members) + b"}"
    if isinstance(value, (list, tuple)):
        return b"[" + b", ".join(map(_spell, value)) + b"]"
    if _type_of(value) in ("integer", "fraction"):
        return plain(decimal(value)).encode()
    return Layout().dumps(value).encode()


def _listed(atoms: Atoms, limit: int) -> list[Json] | None:
    constants = [[v] for v in atoms.values("const")] + [list(v) for v in atoms.values("enum")]
    if constants:
        return min(constants, key=len)
    types, values = atoms.types(), list[Json]()
    if types & {"string", "array", "object", "fraction"}:
        return None
    if "null" in types:
        values.append(None)
    if "boolean" in types:
        values += [True, False]
    if "integer" in types:
        interval = Interval()
        for node in atoms.nodes:
            interval = interval.meet(interval_of(node.mapping))
        interval = interval.whole()
        if interval.low is None or interval.high is None or interval.high - interval.low > limit:
            return None
        values += range(int(interval.low), int(interval.high) + 1)
    return values


def _unquoted(quoted: Expression) -> Expression:
    """The contents of a finite choice of quoted strings."""
    inner = derivative(quoted, 0x22)

    def strip(e: Expression) -> Expression:
        parts = []
        for bytes_, target in edges(e):
            if bytes_ >> 0x22 & 1 and target.nullable:
                parts.append(seq())
            for byte in (b for b in range(256) if bytes_ >> b & 1 and not (b == 0x22 and target.nullable)):
                parts.append(seq(literal(bytes([byte])), strip(target)))
        return choice(*parts)

    return strip(inner)
