"""`strict=False`: leave out what cannot be held exactly, say what was left out, and never lose a valid document.

What is left is a schema that accepts at least every document of the original. So a keyword is only left out where
that makes the schema wider. Below `not`, `if`, a `oneOf` whose branches overlap or a `contains` with `maxContains` it
might make it narrower; there the keyword above is left out instead, `oneOf` for `anyOf`. The same goes for keywords
that tell which members are looked at by `additionalProperties` or `unevaluated...`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from referencing import Registry

from .disjoint import all_disjoint
from .errors import InvalidSchema, UnsupportedSchema
from .schema_check import applied
from .schema_node import REFERENCES, UNEVALUATED, Nodes, Schema, SchemaNode, escape_pointer

MAX_DROPPED = 1000
TELLS_MEMBERS = frozenset({*REFERENCES, "patternProperties", "contains", "if"})
Left = dict[int, frozenset[str]]


@dataclass(frozen=True)
class Dropped:
    """A keyword that was left out, where it stands, and why."""

    pointer: str
    keyword: str
    reason: str

    def __str__(self) -> str:
        return f"at {self.pointer or '#'}: {self.keyword!r} was left out: {self.reason}"


class Leniency:
    """What has been left out of a schema so far."""

    def __init__(self, schema: Schema, registry: Registry[Any] | None) -> None:
        self.schema, self.registry = schema, registry
        self.left_out: Left = {}
        self.dropped: list[Dropped] = []

    def drop(self, error: UnsupportedSchema) -> None:
        """Leaves out what this error is about. Raises it if that is not possible."""
        node = error._node
        if isinstance(error, InvalidSchema) or not isinstance(node, SchemaNode) or len(self.dropped) >= MAX_DROPPED:
            raise error
        while node.is_derived and node.parent is not None:
            node = node.parent
        nodes = Nodes(self.schema, self.registry, dynamic=True)
        nodes.dropped = self.left_out
        above, keyword = self._narrowing(nodes, node) or (node, error.keyword)
        if keyword not in above.mapping:
            keyword = next((k for k in ("not", "if", "oneOf", "contains", *UNEVALUATED) if k in above.mapping), "")
        if not keyword:
            raise error
        self._leave_out(above, keyword, error.reason)
        if keyword == "patternProperties":
            self._leave_out(above, "additionalProperties", "what patternProperties says was left out")
        if keyword in TELLS_MEMBERS:
            for other in _reached(nodes, nodes.root):
                for closing in UNEVALUATED:
                    if closing in other.mapping and any(
                        n.source is above.source for n in _reached(nodes, other, in_place=True)
                    ):
                        self._leave_out(other, closing, f"what {keyword} evaluates was left out")

    def _leave_out(self, node: SchemaNode, keyword: str, reason: str) -> None:
        if keyword not in node.mapping:
            return
        together = {"if": {"if", "then", "else"}, "contains": {"contains", "minContains", "maxContains"}}
        gone = together.get(keyword, {keyword})
        self.left_out[id(node.source)] = self.left_out.get(id(node.source), frozenset()) | gone
        self.dropped.append(Dropped(self._pointer(node), keyword, reason))

    def _pointer(self, node: SchemaNode) -> str:
        return next((pointer for pointer, part in _parts(self.schema, "") if part is node.source), node.pointer)

    @staticmethod
    def _narrowing(nodes: Nodes, target: SchemaNode) -> tuple[SchemaNode, str] | None:
        """The outermost keyword on some way to a node under which a wider schema could mean a narrower one."""
        start: tuple[SchemaNode, tuple[SchemaNode, str] | None] = (nodes.root, None)
        seen, todo = {start}, [start]
        for node, above in todo:
            if node.source is target.source and above is not None:
                return above
            for keyword, child in applied(nodes, node, forgiving=True):
                name = _narrows(nodes, node, keyword, child)
                step = (child, above or ((node, name) if name else None))
                if step not in seen:
                    seen.add(step)
                    todo.append(step)
        return None


def _narrows(nodes: Nodes, node: SchemaNode, keyword: str, child: SchemaNode) -> str | None:
    if keyword in ("not", "if"):
        return keyword
    if keyword == "contains" and "maxContains" in node.mapping:
        return "maxContains"
    if keyword == "oneOf":
        branches = [nodes.child(node, "oneOf", i) for i in range(len(node.mapping["oneOf"]))]
        try:
            return None if all_disjoint(nodes, branches) else "oneOf"
        except UnsupportedSchema:  # a reference to nowhere in one of them
            return "oneOf"
    return None


def _reached(nodes: Nodes, start: SchemaNode, *, in_place: bool = False) -> list[SchemaNode]:
    """A node and all that it applies, at any depth; `in_place`: only what it applies to the same value."""
    found, todo = {start}, [start]
    for node in todo:
        for _, child in applied(nodes, node, in_place=in_place, forgiving=True):
            if child not in found:
                found.add(child)
                todo.append(child)
    return todo


def _parts(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Every array and object of a document with its pointer."""
    todo = [(pointer, value)]
    while todo:
        at, part = todo.pop()
        if isinstance(part, Mapping):
            yield at, part
            todo.extend((f"{at}/{escape_pointer(str(k))}", v) for k, v in part.items())
        elif isinstance(part, list):
            todo.extend((f"{at}/{i}", v) for i, v in enumerate(part))
