"""Dialogues about tools that stand in the prompt: the model reads what they are called and take, and calls them.

Families of tools are written in `patterns/own-tools.families`:

    ## book_appointment/schedule_visit | Book a visit for a patient.
    patient/patient_name: person!
    date: date!
    reason: words(blood test, dressing change)
    urgency: one of(routine, urgent)
    Book {patient} in on {date}[ for {reason}|]

Names behind a slash are other names that the tool or argument may bear; `!` marks what is required. A family that is
held out (by its first name) is never in the prompt of a training dialogue.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from data.conversation import Call, Conversation, Example, Function, Message
from data.errors import ExamplesError
from data.examples.drafts import Segment, join, words
from data.examples.entities import Unusable, held_out, held_out_number, made_up_patient
from data.examples.nonce import nonce_word
from data.examples.operations import Operation
from data.examples.patterns import Pattern, parse_pattern
from data.examples.pieces import Argument, Piece, written
from data.signatures import system_text

if TYPE_CHECKING:
    from data.examples.rows import RowMaker

FILE: Final = Path(__file__).parent / "patterns" / "own-tools.families"
_HEAD = re.compile(r"## ([\w/]+) \| (.+)")
_ARGUMENT = re.compile(r"([\w/]+): (person|date|number|integer|code|word|words|one of)(?:\(([^)]*)\))?(!?)")
NONE: Final = (
    "None of the tools I have does that.",
    "I have no tool for that here.",
    "I can't do that with the tools I was given.",
    "That is not something these tools can do.",
)
ASK: Final = (
    "Could you give me {items}? I need that for {tool}.",
    "To call {tool} I need {items}. Could you tell me?",
    "I still need {items}. What should I use?",
)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One argument of a family: the names it may bear, its kind, what it may be, whether it is required."""

    names: tuple[str, ...]
    kind: str
    options: tuple[str, ...]
    required: bool

    def schema(self) -> dict[str, Any]:
        if self.kind == "one of":
            return {"type": "string", "enum": list(self.options)}
        if self.kind in ("number", "integer"):
            return {"type": self.kind, "x-from": "conversation"}
        if self.kind == "date":
            return {"type": "string", "format": "date", "x-from": "conversation"}
        return {"type": "string", "minLength": 1, "maxLength": 80, "x-from": "conversation"}

    def piece(self, rng: random.Random, key: str, new: bool) -> Piece:
        """Words for it and the argument they give."""
        if self.kind == "one of":
            value = rng.choice(self.options)
            return Piece(value.replace("_", " "), (Argument(key, value),))
        if self.kind in ("number", "integer"):
            low, high = map(float, self.options)
            decimals = 1 if self.kind == "number" and rng.random() < 0.4 else 0
            while True:
                number = round(rng.uniform(low, high), decimals)
                value_ = int(number) if number == int(number) else number
                if not held_out_number(key, value_) or new:
                    return written("@", key, value_)
        if self.kind == "date":
            return written("@", key, f"{rng.randint(2024, 2027)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}")
        return written("@", key, self._text(rng, new))

    def _text(self, rng: random.Random, new: bool) -> str:
        if self.kind == "person":
            return made_up_patient(rng, False)
        if self.kind == "code":
            return "".join(rng.choice("ABCDEFGHJKLMNPRSTVWXYZ") for _ in range(2)) + str(rng.randint(10, 99999))
        if self.kind == "word":
            return nonce_word(rng, lambda word: held_out("nonce", word) == new)
        return rng.choice(self.options)


@dataclass(frozen=True, kw_only=True)
class Family:
    """A tool that many tools can be made of, with requests for it."""

    names: tuple[str, ...]
    description: str
    parameters: tuple[Parameter, ...]
    patterns: tuple[Pattern, ...]

    def tool(self, rng: random.Random, needed: frozenset[str]) -> tuple[Function, Mapping[str, str]]:
        """A tool of the family with names drawn anew, and the argument each slot fills. Optional arguments that
        are not needed may be absent.
        """
        kept = [p for p in self.parameters if p.required or p.names[0] in needed or rng.random() < 0.5]
        if rng.random() < 0.3:
            kept = rng.sample(kept, len(kept))
        keys = {p.names[0]: rng.choice(p.names) for p in kept}
        function = {
            "name": rng.choice(self.names),
            "description": self.description,
            "parameters": {
                "type": "object",
                "properties": {keys[p.names[0]]: p.schema() for p in kept},
                "required": [keys[p.names[0]] for p in kept if p.required],
                "additionalProperties": False,
            },
        }
        return {"type": "function", "function": function}, keys


def row(maker: RowMaker, rng: random.Random, row_id: str) -> Example:
    """A request with its tools in the prompt: for one of them, for none of them, or with something missing."""
    new = maker.split.tool
    usable = [family for family in families() if held_out("tool", family.names[0]) == new]
    family, *others = rng.sample(usable, rng.choice((1, 2, 3, 3, 4)) + 1)
    kind = rng.choices(("call", "none", "missing"), (0.8, 0.12, 0.08))[0]
    pattern = rng.choice([p for p in family.patterns if p.drops] or family.patterns) if kind == "missing" else None
    pattern = pattern or rng.choice(family.patterns)
    leave_out = rng.randrange(pattern.drops) if kind == "missing" and pattern.drops else None
    needed = frozenset(slot.name for slot in pattern.slots())
    tool, keys = family.tool(rng, needed)
    segments = list(_filled(family, pattern, keys, rng, leave_out, new))
    turns = maker.typed([segments], rng)
    parameters = tool["function"]["parameters"]
    operation = Operation(
        name=tool["function"]["name"],
        tool=tool["function"]["name"],
        keys=tuple(parameters["properties"]),
        required=frozenset(parameters["required"]),
        fixed={},
    )
    texts, spans, calls = join(turns, [(operation, {})], [1])
    lacking = [key for key in operation.keys if key in operation.required and key not in calls[0].arguments]
    if bool(lacking) != (kind == "missing"):
        raise Unusable("the request does not lack what it should")
    offered = [other.tool(rng, frozenset())[0] for other in (others if kind == "none" else others[1:])]
    if kind != "none":
        offered.append(tool)
    rng.shuffle(offered)
    if len({t["function"]["name"] for t in offered}) < len(offered) or not offered:
        raise Unusable("two tools bear one name")
    said = _said(kind, calls[0], lacking, rng)
    return Example(
        id=row_id,
        split=maker.name,
        kind={"call": "own_tool", "none": "irrelevant.own_tool", "missing": "missing.own_tool"}[kind],
        origin=pattern.place,
        conversation=Conversation(
            messages=(
                Message(role="system", content=system_text(offered)),
                Message(role="user", content=texts[0]),
                said,
            ),
            tools=tuple(offered),
        ),
        spans=tuple(spans) if kind == "call" else (),
    )


def _said(kind: str, call: Call, lacking: Sequence[str], rng: random.Random) -> Message:
    if kind == "call":
        return Message(role="assistant", calls=(call,))
    if kind == "none":
        return Message(role="assistant", content=rng.choice(NONE))
    items = " and ".join(f"the {key.replace('_', ' ')}" for key in lacking)
    return Message(role="assistant", content=rng.choice(ASK).format(items=items, tool=call.name))


def _filled(
    family: Family, pattern: Pattern, keys: Mapping[str, str], rng: random.Random, leave_out: int | None, new: bool
) -> list[Segment]:
    by_name = {parameter.names[0]: parameter for parameter in family.parameters}
    segments = []
    for part in pattern.expand(rng, leave_out):
        if isinstance(part, str):
            segments.append(Segment(part))
        else:
            piece = by_name[part.name].piece(rng, keys[part.name], new)
            segments.append(Segment(piece.text, piece.arguments, (0,)))
    if not words(segments).strip():
        raise Unusable("nothing was said")
    return segments


@cache
def families() -> tuple[Family, ...]:
    """The families of the file. Raises `ExamplesError` with file and line for anything it cannot read."""
    found: list[Family] = []
    for number, line in enumerate(FILE.read_text(encoding="utf-8").splitlines(), 1):
        place, line = f"{FILE.name}:{number}", line.strip()
        if not line or line.startswith("# "):
            continue
        if head := _HEAD.fullmatch(line):
            family = Family(names=tuple(head[1].split("/")), description=head[2], parameters=(), patterns=())
            found.append(family)
            continue
        if not found:
            raise ExamplesError(f"{place}: a line stands before the first '## name | description'")
        family = found[-1]
        if given := _ARGUMENT.fullmatch(line):
            options = tuple(option.strip() for option in (given[3] or "").split(",") if option.strip())
            parameter = Parameter(
                names=tuple(given[1].split("/")), kind=given[2], options=options, required=bool(given[4])
            )
            found[-1] = replace(family, parameters=(*family.parameters, parameter))
            continue
        pattern = Pattern(
            operations=(family.names[0],),
            constants={},
            replies=(),
            nodes=parse_pattern(line, place),
            text=line,
            place=place,
        )
        unknown = {slot.name for slot in pattern.slots()} - {p.names[0] for p in family.parameters}
        if unknown:
            raise ExamplesError(f"{place}: {family.names[0]} has no argument {', '.join(sorted(unknown))}")
        found[-1] = replace(family, patterns=(*family.patterns, pattern))
    for family in found:
        if not family.patterns or not family.parameters:
            raise ExamplesError(f"{FILE.name}: {family.names[0]} needs arguments and requests")
    return tuple(found)
