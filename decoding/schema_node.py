"""A place in a schema: the (sub)schema, where it is, and how its references resolve.

`Atoms` is a bundle of schemas that one value must satisfy together, each stripped to the keywords that look
at the value itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import urldefrag, urljoin

from referencing import Registry, Specification
from referencing.exceptions import NoSuchResource, Unresolvable, Unretrievable
from referencing.jsonschema import DRAFT4, DRAFT6, DRAFT7, DRAFT201909, DRAFT202012, specification_with

from .errors import InvalidSchema, UnsupportedSchema

Schema = bool | Mapping[str, Any]

TYPES = frozenset({"null", "boolean", "integer", "fraction", "string", "array", "object"})
"""JSON's types, with numbers split into integral values ("integer": 1, 1.0) and the others ("fraction")."""

REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")
ANNOTATIONS = frozenset(
    {
        "$anchor",
        "$comment",
        "$defs",
        "$dynamicAnchor",
        "$recursiveAnchor",
        "$id",
        "$schema",
        "$vocabulary",
        "contentEncoding",
        "contentMediaType",
        "contentSchema",
        "default",
        "definitions",
        "deprecated",
        "description",
        "example",
        "examples",
        "id",
        "readOnly",
        "title",
        "writeOnly",
    }
)
MARKS = frozenset({"x-from", "x-distinct", *REFERENCES})
_REF_HIDES_SIBLINGS = (DRAFT4, DRAFT6, DRAFT7)
_UNKNOWN_PLACES = (Unresolvable, NoSuchResource, Unretrievable)


def escape_pointer(part: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return part.replace("~", "~0").replace("/", "~1")


class SchemaNode:
    """Immutable. The same (schema object, pointer) is the same node of a lowering, so that goals can be compared."""

    __slots__ = (
        "_base",
        "_marked",
        "any_of",
        "atomic",
        "derived",
        "is_derived",
        "is_split",
        "mapping",
        "parent",
        "pointer",
        "requires",
        "schema",
        "scope",
        "serial",
        "source",
    )

    def __init__(self, schema: Schema, pointer: str, parent: SchemaNode | None, serial: int) -> None:
        self.schema = schema
        self.source = schema  # before anything was dropped from it
        self.mapping: Mapping[str, Any] = {} if isinstance(schema, bool) else schema  # without the booleans
        self.pointer = pointer
        self.parent = parent
        self.serial = serial
        self.is_derived = False  # written by our own rewriting
        self._marked: bool | None = None
        self._base: str | None = None  # what its references are relative to; Nodes.base finds out
        self.scope: tuple[str, ...] = ()  # the resources on the way here, outermost first, where that can matter
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
        """The error for a keyword at this place that is not held."""
        return UnsupportedSchema(self.pointer, keyword, reason, self)

    def invalid(self, keyword: str, reason: str) -> InvalidSchema:
        """The error for a keyword at this place that no JSON Schema may hold so."""
        return InvalidSchema(self.pointer, keyword, reason, self)

    def __repr__(self) -> str:
        return f"<SchemaNode {self.pointer or '#'}>"


def _mentions(schema: object) -> bool:
    """Whether a mark of grounding or a reference stands anywhere in a schema."""
    if isinstance(schema, Mapping):
        return not MARKS.isdisjoint(schema) or any(map(_mentions, schema.values()))
    if isinstance(schema, SchemaNode):
        return schema.marked
    return isinstance(schema, (list, tuple)) and any(map(_mentions, schema))


class Nodes:
    """All nodes of one schema document, and its references.

    `dynamic`: follow `$dynamicRef` and `$recursiveRef`, whose target depends on the schema resources that lie on
    the way to them. A schema that is reached on different ways is then a different node on each.
    """

    def __init__(self, schema: Schema, registry: Registry[Any] | None = None, *, dynamic: bool = False) -> None:
        self.document, self.dynamic = schema, dynamic
        self.dropped: Mapping[int, frozenset[str]] = {}  # id of a schema object -> keywords to leave out (lenient.py)
        self.ignored: dict[tuple[str, str], None] = {}  # (pointer, keyword): unknown ones, which are annotations
        self._known: dict[tuple[int, str, tuple[str, ...]], SchemaNode] = {}
        self._keep: list[Schema] = []  # ids stay unique while the objects live
        self._places: dict[int, str] = {}  # id of a schema object -> where it stands in its document
        self._targets: dict[tuple[SchemaNode, str], SchemaNode] = {}
        self.given_registry = registry
        self._registry: Registry[Any] | None = None
        dialect = schema.get("$schema") if isinstance(schema, Mapping) else None
        self.specification: Specification[Any] = DRAFT202012
        if dialect is not None:
            self.specification = specification_with(str(dialect), default=DRAFT202012)
        self.ref_hides_siblings = self.specification in _REF_HIDES_SIBLINGS
        self.integers_have_no_point = self.specification == DRAFT4  # to draft 4, 2.0 is a number and no integer
        self.contains_evaluates = self.specification != DRAFT201909
        self._root: SchemaNode | None = None

    def follow_dynamic(self) -> None:
        """Starts again with `dynamic` set."""
        self.dynamic, self._root = True, None
        self._known.clear()
        self._targets.clear()

    @property
    def root(self) -> SchemaNode:
        """The node of the whole document."""
        if self._root is None:
            base = self._id_of(self.document) or ""
            self._root = self._node(self.document, "", None, (base,) if self.dynamic else ())
            self._root._base = base
        return self._root

    def _node(
        self, schema: Schema | SchemaNode, pointer: str, parent: SchemaNode | None, scope: tuple[str, ...]
    ) -> SchemaNode:
        if schema.__class__ is SchemaNode:  # in schemas of our own making a node may stand for a subschema
            return schema
        key = (id(schema), "", ()) if schema is True or schema is False else (id(schema), pointer, scope)
        found = self._known.get(key)
        if found is None:
            if not isinstance(schema, (bool, Mapping)):
                raise InvalidSchema(pointer, "schema", f"expected an object or a boolean, found {schema!r}")
            self._keep.append(schema)
            if parent is None or not parent.is_derived:
                self._places.setdefault(id(schema), pointer)
            left_out = self.dropped.get(id(schema)) if self.dropped else None
            kept = without(schema, left_out) if left_out and not isinstance(schema, bool) else schema
            found = self._known[key] = SchemaNode(kept, pointer, parent, len(self._known))
            found.source, found.scope = schema, scope
        return found

    def child(self, node: SchemaNode, *path: str | int) -> SchemaNode:
        """The node of the subschema below a keyword."""
        schema: Any = node.schema
        pointer = node.pointer
        for step in path:
            schema = schema[step]
            name = str(step)
            pointer = f"{pointer}/{escape_pointer(name) if '~' in name or '/' in name else name}"
        if node.is_derived:  # a subschema of the document inside one of our own making
            pointer = self._places.get(id(schema), pointer)
        if not self.dynamic or isinstance(schema, (bool, SchemaNode)):
            return self._node(schema, pointer, node, ())
        scope, own = node.scope, self._id_of(schema)
        if own is not None:
            scope = _entered(scope, urljoin(self.base(node), own))
        return self._node(schema, pointer, node, scope)

    def derive(self, node: SchemaNode, key: object, schema: Schema) -> SchemaNode:
        """A schema of our own making that belongs to `node`; the same key gives the same node."""
        found = node.derived.get(key)
        if found is None:
            found = node.derived[key] = self._node(schema, node.pointer, node, node.scope)
            found.is_derived = not isinstance(schema, bool)
        return found

    # ---- references

    def _id_of(self, schema: Any) -> str | None:
        if not isinstance(schema, Mapping) or not ("$id" in schema or "id" in schema):
            return None
        found = self.specification.id_of(schema)
        return found.rstrip("#") if isinstance(found, str) else None

    def base(self, node: SchemaNode) -> str:
        """The URI that the references of a node are relative to."""
        if node._base is None:
            assert node.parent is not None
            above, own = self.base(node.parent), None if node.is_derived else self._id_of(node.schema)
            node._base = above if own is None else urljoin(above, own)
        return node._base

    def targets(self, node: SchemaNode) -> Iterator[SchemaNode]:
        """The schemas that a node refers to. Raises UnsupportedSchema for a reference that resolves to nothing."""
        for keyword in node.mapping:
            if keyword in REFERENCES:
                found = self._targets.get((node, keyword))
                if found is None:
                    found = self._targets[node, keyword] = self._target(node, keyword)
                yield found

    def _target(self, node: SchemaNode, keyword: str) -> SchemaNode:
        ref = node.mapping[keyword]
        try:
            contents, base = self._lookup(self.base(node), ref)
            if keyword == "$dynamicRef":
                contents, base = self._outermost(node, urldefrag(ref)[1], contents, base)
            elif keyword == "$recursiveRef" and _has(contents, "$recursiveAnchor", True):
                for uri in node.scope:
                    other, _ = self._lookup(uri, "#")
                    if _has(other, "$recursiveAnchor", True):
                        contents, base = other, uri
                        break
        except _UNKNOWN_PLACES as error:
            raise node.refuse(keyword, f"{ref!r} resolves to nothing; pass the document in `registry`") from error
        pointer = ref.removeprefix("#") if ref.startswith("#/") or ref == "#" else ref
        scope = _entered(node.scope, base) if self.dynamic else ()
        if contents is self.document and scope == self.root.scope:
            return self.root
        found = self._node(contents, pointer, None, scope)
        if found._base is None:
            found._base = base
        return found

    def _outermost(self, node: SchemaNode, name: str, contents: Any, base: str) -> tuple[Any, str]:
        """The same dynamic anchor in the outermost resource on the way here that has it."""
        if name and _has(contents, "$dynamicAnchor", name):
            for uri in node.scope:
                try:
                    other, at = self._lookup(uri, "#" + name)
                except _UNKNOWN_PLACES:
                    continue
                if _has(other, "$dynamicAnchor", name):
                    return other, at
        return contents, base

    def _lookup(self, base: str, ref: str) -> tuple[Any, str]:
        """(schema, its base) of a reference, anchors taken where they stand."""
        uri, fragment = (base, ref[1:]) if ref.startswith("#") else urldefrag(urljoin(base, ref))
        retrieved = self._documents(uri).get_or_retrieve(uri)
        self._registry = registry = retrieved.registry
        if fragment and not fragment.startswith("/"):
            return registry.anchor(uri, fragment).value.resource.contents, uri
        resolved = registry.resolver(uri).lookup(f"#{fragment}")
        return resolved.contents, resolved.resolver._base_uri  # referencing has no public name for it

    def _documents(self, uri: str) -> Registry[Any]:
        if self._registry is None:
            given: Registry[Any] = self.given_registry if self.given_registry is not None else Registry()
            resource = self.specification.create_resource(self.document)
            self._registry = given.with_resource(resource.id() or "", resource)
        if "//json-schema.org/" in uri and uri not in self._registry:  # the metaschemas need no fetching
            metaschemas = import_module("jsonschema_specifications").REGISTRY
            if uri in metaschemas:
                self._registry = metaschemas.combine(self._registry)
        assert self._registry is not None
        return self._registry


def without(schema: Mapping[str, Any], keywords: frozenset[str]) -> Mapping[str, Any]:
    """A schema without some keywords; a dropped `oneOf` leaves its `anyOf`."""
    kept = {k: v for k, v in schema.items() if k not in keywords}
    if "oneOf" in keywords and "oneOf" in schema:
        kept["allOf"] = [*kept.get("allOf", ()), {"anyOf": schema["oneOf"]}]
    return kept


def _entered(scope: tuple[str, ...], uri: str) -> tuple[str, ...]:
    return scope if uri in scope else (*scope, uri)


def _has(schema: Any, keyword: str, value: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get(keyword) == value


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


def is_annotation(keyword: str) -> bool:
    """Whether a keyword never decides about a value."""
    return keyword in ANNOTATIONS or keyword.startswith("x-")


def dependent_schemas(schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in schema.get("dependentSchemas", {}):
        yield "dependentSchemas", name
    for name, value in schema.get("dependencies", {}).items():
        if isinstance(value, (bool, Mapping)):
            yield "dependencies", name


def presence(nodes: Nodes, node: SchemaNode, name: str) -> tuple[SchemaNode, SchemaNode]:
    """Values without a key, and objects with it."""
    return (
        nodes.derive(node, ("absent", name), {"properties": {name: False}}),
        nodes.derive(node, ("an object with", name), {"type": "object", "required": [name]}),
    )


def old_items(schema: Mapping[str, Any]) -> bool:
    """Whether `items` is the list of draft 4 to 2019-09, today's `prefixItems`."""
    return isinstance(schema.get("items"), list)
