"""A place in a schema: the (sub)schema, where it is, and how its references resolve.

`Atoms` is a bundle of schemas that one value must satisfy together, each stripped to the keywords that look
at the value itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from referencing import Registry, Specification
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, specification_with

from .errors import UnsupportedSchema

Schema = bool | Mapping[str, Any]

TYPES = frozenset({"null", "boolean", "integer", "fraction", "string", "array", "object"})
"""JSON's types, with numbers split into integral values ("integer": 1, 1.0) and the others ("fraction")."""

MARKS = frozenset({"x-from", "x-distinct", "$ref", "$dynamicRef", "$recursiveRef"})

OLD_DRAFTS = ("draft-03", "draft-04", "draft-06", "draft-07")


def escape_pointer(part: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return part.replace("~", "~0").replace("/", "~1")


class SchemaNode:
    """Immutable. The same (schema object, pointer) is the same node of a lowering, so that goals can be compared."""

    __slots__ = (
        "_marked",
        "_resolver",
        "any_of",
        "atomic",
        "derived",
        "is_split",
        "mapping",
        "parent",
        "pointer",
        "requires",
        "schema",
        "serial",
    )

    def __init__(
        self, schema: Schema, pointer: str, parent: SchemaNode | None, serial: int, resolver: Any = None
    ) -> None:
        self.schema = schema
        self.mapping: Mapping[str, Any] = {} if isinstance(schema, bool) else schema  # without the booleans
        self.pointer = pointer
        self.parent = parent
        self.serial = serial
        self._resolver = resolver
        self._marked: bool | None = None
        self.is_split = False  # the fields below are filled by rewrite.split
        self.atomic: SchemaNode | None = None
        self.requires: tuple[SchemaNode, ...] = ()
        self.any_of: tuple[tuple[tuple[SchemaNode, ...], ...], ...] = ()
        self.derived: dict[object, SchemaNode] = {}

    @property
    def marked(self) -> bool:
        """Whether grounding may change this place: a mark here or below, or a reference that may lead to one."""
        if self._marked is None:
            self._marked = _mentions(self.schema)
        return self._marked

    def refuse(self, keyword: str, reason: str) -> UnsupportedSchema:
        """The error for a keyword at this place."""
        return UnsupportedSchema(self.pointer, keyword, reason)

    def __repr__(self) -> str:
        return f"<SchemaNode {self.pointer or '#'}>"


def _mentions(schema: object) -> bool:
    """Whether a mark of grounding or a reference stands anywhere in a schema."""
    if isinstance(schema, Mapping):
        return not MARKS.isdisjoint(schema) or any(map(_mentions, schema.values()))
    return isinstance(schema, (list, tuple)) and any(map(_mentions, schema))


class Nodes:
    """All nodes of one schema document, and its references."""

    def __init__(self, schema: Schema, registry: Registry[Any] | None = None) -> None:
        self._known: dict[tuple[int, str], SchemaNode] = {}
        self._keep: list[Schema] = []  # ids stay unique while the objects live
        self._registry = registry
        dialect = schema.get("$schema") if isinstance(schema, Mapping) else None
        self.specification: Specification[Any] = DRAFT202012
        if dialect is not None:
            self.specification = specification_with(str(dialect), default=DRAFT202012)
        self.ref_hides_siblings = any(name in str(dialect) for name in OLD_DRAFTS)
        self.root = self.node(schema, "", None)

    def node(self, schema: Schema, pointer: str, parent: SchemaNode | None, resolver: Any = None) -> SchemaNode:
        """The node of a subschema."""
        key = (id(schema), "" if isinstance(schema, bool) else pointer)
        found = self._known.get(key)
        if found is None:
            if not isinstance(schema, (bool, Mapping)):
                raise UnsupportedSchema(pointer, "schema", f"expected an object or a boolean, found {schema!r}")
            found = self._known[key] = SchemaNode(schema, pointer, parent, len(self._known), resolver)
            self._keep.append(schema)
        return found

    def child(self, node: SchemaNode, *path: str | int) -> SchemaNode:
        """The node of the subschema below a keyword."""
        schema: Any = node.schema
        pointer = node.pointer
        for step in path:
            schema = schema[step]
            name = str(step)
            pointer = f"{pointer}/{escape_pointer(name) if '~' in name or '/' in name else name}"
        return self.node(schema, pointer, node)

    def derive(self, node: SchemaNode, key: object, schema: Schema) -> SchemaNode:
        """A schema of our own making that belongs to `node`; the same key gives the same node."""
        found = node.derived.get(key)
        if found is None:
            found = node.derived[key] = self.node(schema, node.pointer, node)
        return found

    def resolver(self, node: SchemaNode) -> Any:
        """What resolves the references inside a node."""
        if node._resolver is None:
            if node.parent is None:
                resource = self.specification.create_resource(node.schema)
                uri = resource.id() or ""
                registry = (self._registry if self._registry is not None else Registry()).with_resource(uri, resource)
                node._resolver = registry.resolver(uri)
            else:
                above = self.resolver(node.parent)
                if self.specification.id_of(node.schema) is not None and node.schema is not node.parent.schema:
                    above = above.in_subresource(self.specification.create_resource(node.schema))
                node._resolver = above
        return node._resolver

    def resolve(self, node: SchemaNode, ref: str) -> SchemaNode:
        """The node that a `$ref` of `node` points to. Raises UnsupportedSchema for one that resolves to nothing."""
        try:
            found = self.resolver(node).lookup(ref)
        except Unresolvable as error:
            raise node.refuse("$ref", f"{ref!r} resolves to nothing; pass the document in `registry`") from error
        pointer = ref.removeprefix("#") if ref.startswith("#") else ref
        if found.contents is self.root.schema:
            return self.root
        return self.node(found.contents, pointer, None, found.resolver)


class Atoms:
    """Schemas that one value must satisfy together, without the keywords that combine schemas."""

    __slots__ = ("nodes",)

    def __init__(self, nodes: tuple[SchemaNode, ...]) -> None:
        self.nodes = nodes

    def values(self, keyword: str) -> list[Any]:
        """All values of a keyword."""
        return [node.mapping[keyword] for node in self.nodes if keyword in node.mapping]

    def places(self, keyword: str) -> list[tuple[SchemaNode, Any]]:
        """All values of a keyword, with the node of each."""
        return [(node, node.mapping[keyword]) for node in self.nodes if keyword in node.mapping]

    def types(self) -> frozenset[str]:
        """The types that all of them permit."""
        types = TYPES
        for value in self.values("type"):
            types &= type_names(value)
        return types


def type_names(value: str | list[str]) -> frozenset[str]:
    """The `type` keyword as a subset of TYPES."""
    names = {value} if isinstance(value, str) else set(value)
    if "number" in names:
        names |= {"integer", "fraction"}
    return frozenset(names) & TYPES
