"""Request patterns: a small language for writing many phrasings of the same request, and its one parser.

A pattern file is lines of patterns under headings:

    # a comment
    ## creatinine_clearance                       every pattern below asks for this operation
    CrCl for [a|this] {agesex}<, {weight}>, Cr {creatinine}
    ## read_patient_record sections=allergies     the same, with these arguments fixed by the wording
    What is {patient} allergic to?
    ## irrelevant.chat                            no call; one of the replies answers
    => I can help with interactions, doses and records.
    Good morning!

`[a|b|]` picks one alternative (they nest, and may be empty); `{slot}` or `{slot:variant}` is filled by a
sampler; `{slot@2}` belongs to the second operation of the heading only; `{=key:value}` writes nothing and gives
an argument, because of the words beside it; `<…>` may be left out to make a request that lacks something; `\\n`
is a new line; a backslash takes any other character as it is.

A file is one voice: a trade, a place, a way of writing. The voices whose files begin with `unseen-` are never
trained on.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import ExamplesError

UNSEEN = "unseen-"


@dataclass(frozen=True)
class Slot:
    """A place that a sampler fills; `call` where it belongs to one operation of several, counted from 0."""

    name: str
    variant: str = ""
    call: int | None = None


@dataclass(frozen=True)
class Choice:
    """Alternatives, one of which is used."""

    options: tuple["Nodes", ...]


@dataclass(frozen=True)
class Drop:
    """A part that can be left out; only at the outermost level of a pattern."""

    body: "Nodes"


Node = str | Slot | Choice | Drop
Nodes = tuple[Node, ...]


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """One line of a pattern file, with the heading it stands under."""

    operations: tuple[str, ...]
    constants: Mapping[str, Any]
    replies: tuple[str, ...]
    nodes: Nodes
    text: str
    place: str

    @property
    def voice(self) -> str:
        """The file it stands in, which is one way of writing."""
        return self.place.partition(".")[0]

    @property
    def drops(self) -> int:
        """How many parts can be left out."""
        return sum(isinstance(node, Drop) for node in self.nodes)

    def expand(self, rng: random.Random, leave_out: int | None = None) -> list[str | Slot]:
        """Text and slots of one phrasing; `leave_out` names the droppable part to omit."""
        kept: list[Node] = []
        seen = 0
        for node in self.nodes:
            if isinstance(node, Drop):
                kept += () if seen == leave_out else node.body
                seen += 1
            else:
                kept.append(node)
        return list(_expand(kept, rng))

    def certain_slots(self) -> frozenset[Slot]:
        """The slots that every phrasing of the pattern holds when nothing is left out, variants aside."""
        return _certain(self.nodes)

    def slots(self) -> frozenset[Slot]:
        """All slots in the pattern."""
        return frozenset(_all(self.nodes))


def read_patterns(path: Path) -> list[Pattern]:
    """The patterns of one file. Raises `ExamplesError` with file and line for anything it cannot read."""
    patterns: list[Pattern] = []
    operations: tuple[str, ...] = ()
    constants: dict[str, Any] = {}
    replies: list[str] = []
    pending: list[tuple[Nodes, str, str]] = []

    def close_section() -> None:
        for nodes, text, place in pending:
            patterns.append(
                Pattern(
                    operations=operations,
                    constants=constants,
                    replies=tuple(replies),
                    nodes=nodes,
                    text=text,
                    place=place,
                )
            )

    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        place = f"{path.name}:{number}"
        line = line.strip()
        if line.startswith("## "):
            close_section()
            operations, constants = _heading(line[3:].strip(), place)
            replies, pending = [], []
        elif not line or line.startswith("#"):
            continue
        elif not operations:
            raise ExamplesError(f"{place}: a pattern stands before the first '## operation' heading")
        elif line.startswith("=> "):
            replies.append(line[3:].strip())
        else:
            pending.append((parse_pattern(line, place), line, place))
    close_section()
    return patterns


def parse_pattern(text: str, place: str = "pattern") -> Nodes:
    """The nodes of one pattern."""
    nodes, end = _sequence(text, 0, "", place, depth=0)
    assert end == len(text)
    return nodes


def _heading(text: str, place: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    words = [word for word in text.split() if word != "+"]
    operations = tuple(word for word in words if "=" not in word)
    constants: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            constants[key] = _constant(key, value)
    if not operations:
        raise ExamplesError(f"{place}: the heading names no operation")
    return operations, constants


def _constant(key: str, value: str) -> Any:
    if key in ("sections", "missing"):
        return value.split(",")
    return constant(value)


def constant(value: str) -> str | bool | int:
    """What a pattern file writes for an argument: true, false, a whole number, or text."""
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdecimal() else value


def _sequence(text: str, at: int, closers: str, place: str, depth: int) -> tuple[Nodes, int]:
    """Nodes from `at` up to one of the closers, and the position of that closer (or the end of the text)."""
    nodes: list[Node] = []
    literal = ""
    while at < len(text) and text[at] not in closers:
        c = text[at]
        if c == "\\" and at + 1 < len(text):
            literal, at = literal + ("\n" if text[at + 1] == "n" else text[at + 1]), at + 2
            continue
        if c not in "[{<":
            if c in "]}>":
                raise ExamplesError(f"{place}: {c!r} at character {at} closes nothing in {text!r}")
            literal, at = literal + c, at + 1
            continue
        if literal:
            nodes.append(literal)
            literal = ""
        if c == "{":
            end = text.find("}", at)
            if end < 0:
                raise ExamplesError(f"{place}: the slot at character {at} is not closed in {text!r}")
            name, _, variant = text[at + 1 : end].partition(":")
            name, _, number = name.partition("@")
            nodes.append(Slot(name, variant, int(number) - 1 if number else None))
            at = end + 1
        elif c == "<":
            if depth:
                raise ExamplesError(f"{place}: '<' at character {at} stands inside another group in {text!r}")
            body, end = _sequence(text, at + 1, ">", place, depth + 1)
            nodes.append(Drop(body))
            at = _past(text, end, ">", at, place)
        else:
            options: list[Nodes] = []
            end = at
            while True:
                option, end = _sequence(text, end + 1, "|]", place, depth + 1)
                options.append(option)
                if end >= len(text) or text[end] == "]":
                    break
            nodes.append(Choice(tuple(options)))
            at = _past(text, end, "]", at, place)
    if literal:
        nodes.append(literal)
    return tuple(nodes), at


def _past(text: str, end: int, closer: str, start: int, place: str) -> int:
    if end >= len(text):
        raise ExamplesError(f"{place}: {text[start]!r} at character {start} is never closed by {closer!r} in {text!r}")
    return end + 1


def _expand(nodes: Sequence[Node], rng: random.Random) -> Iterator[str | Slot]:
    for node in nodes:
        if isinstance(node, Choice):
            yield from _expand(rng.choice(node.options), rng)
        elif isinstance(node, Drop):
            yield from _expand(node.body, rng)
        else:
            yield node


def _certain(nodes: Sequence[Node]) -> frozenset[Slot]:
    found: frozenset[Slot] = frozenset()
    for node in nodes:
        if isinstance(node, Slot):
            found |= {Slot(node.name, call=node.call)}
        elif isinstance(node, Drop):
            found |= _certain(node.body)
        elif isinstance(node, Choice):
            found |= frozenset.intersection(*(_certain(option) for option in node.options))
    return found


def _all(nodes: Sequence[Node]) -> Iterator[Slot]:
    for node in nodes:
        if isinstance(node, Slot):
            yield node
        elif isinstance(node, Drop):
            yield from _all(node.body)
        elif isinstance(node, Choice):
            for option in node.options:
                yield from _all(option)
