"""One row of the data set: from (seed, split, number) to a checked example.

A row depends on nothing else, so the same row comes out whatever the order, the size of the data or the
number of processes.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import tools
from data.conversation import Call, Conversation, Example, Message, Span
from data.errors import ExamplesError
from data.examples.entities import Catalogue, Pool, Unusable, held_out
from data.examples.noise import recase, with_typo
from data.examples.operations import LISTS, Operation, ask_for, operations
from data.examples.patterns import Pattern, read_patterns
from data.examples.slots import Argument, Draw, Piece, fill, keys_of
from data.tokenizer import Tokenizer
from data.wire import encode

PATTERNS: Final = Path(__file__).parent / "patterns"
ATTEMPTS: Final = 200

MIX: Final[Mapping[str, float]] = {"single": 0.69, "missing": 0.11, "irrelevant": 0.15, "parallel": 0.05}
WEIGHTS: Final[Mapping[str, float]] = {
    "check_drug_interactions": 0.36,
    "read_patient_record": 0.24,
    "drug_dose": 0.10,
    "creatinine_clearance": 0.05,
    "egfr": 0.04,
    "body_surface_area": 0.03,
    "body_mass_index": 0.03,
    "ideal_body_weight": 0.03,
    "infusion_rate": 0.04,
    "corrected_calcium": 0.03,
    "qtc": 0.03,
    "maintenance_fluids": 0.02,
}
# Any other refusal may answer a right call: the drug or patient exists nowhere, or no regimen fits.
WRONG_CALL: Final = frozenset(
    {
        "invalid_arguments",
        "missing_argument",
        "unknown_tool",
        "internal_error",
        "implausible_value",
        "unit_mismatch",
        "not_eligible",
    }
)


@dataclass(frozen=True, kw_only=True)
class Split:
    """What a split draws from, and which operations it asks for (all, and other kinds of request, when
    empty).
    """

    new: frozenset[str] = frozenset()
    operations: tuple[str, ...] = ()


CALCULATIONS: Final = tuple(name for name in WEIGHTS if name not in ("check_drug_interactions", "read_patient_record"))
SPLITS: Final[Mapping[str, Split]] = {
    "train": Split(),
    "iid": Split(),
    "new_drug": Split(new=frozenset({"drug"}), operations=("check_drug_interactions", "drug_dose")),
    "nonce_drug": Split(new=frozenset({"nonce"}), operations=("check_drug_interactions", "drug_dose")),
    "new_patient": Split(new=frozenset({"patient"}), operations=("read_patient_record",)),
    "new_number": Split(new=frozenset({"number"}), operations=CALCULATIONS),
    "new_template": Split(new=frozenset({"pattern"})),
}


@dataclass(frozen=True)
class Segment:
    """A stretch of a request: words of the pattern, or a filled slot with its arguments and the call (by
    number) they belong to.
    """

    text: str
    arguments: tuple[Argument, ...] = ()
    calls: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A request before its words are joined: segments, and the operation and constants of each call."""

    kind: str
    segments: list[Segment]
    asked: list[tuple[Operation, Mapping[str, Any]]]
    reply: str = ""
    topic: str = "any"


class RowMaker:
    """Makes the rows of one split."""

    def __init__(
        self,
        *,
        seed: int,
        split: str,
        catalogue: Catalogue,
        tokenizer: Tokenizer,
        context: int,
        nonce_share: float,
    ) -> None:
        if split not in SPLITS:
            raise ExamplesError(f"no split named {split!r}; have {', '.join(SPLITS)}")
        self.seed = seed
        self.split = split
        self.tokenizer = tokenizer
        self.context = context
        new = SPLITS[split].new
        self.pool = Pool(
            catalogue=catalogue,
            nonce_share=nonce_share,
            new_drug="drug" in new,
            new_nonce="nonce" in new,
            new_patient="patient" in new,
            new_number="number" in new,
        )
        self._patterns = patterns_of("pattern" in new)
        only = SPLITS[split].operations
        self._mix = {"single": 1.0} if only else MIX
        self._weights = {op: w for op, w in WEIGHTS.items() if (not only or op in only) and (op,) in self._patterns}

    def row(self, number: int) -> Example:
        """Row `number`.

        Raises `ExamplesError` if no attempt gives a sound example, which is a fault in a pattern or a tool.
        """
        why = ""
        for attempt in range(ATTEMPTS):
            rng = random.Random(f"{self.seed}:{self.split}:{number}:{attempt}")
            try:
                draft = self._draft(rng)
            except Unusable as reason:
                why = str(reason)
                continue
            example, why = self._finish(draft, f"{self.split}-{number:06d}", rng)
            if example is not None:
                return example
        raise ExamplesError(
            f"row {number} of {self.split!r}: none of {ATTEMPTS} attempts is a sound example; the last: {why}"
        )

    def _draft(self, rng: random.Random) -> Draft:
        kind = rng.choices(list(self._mix), list(self._mix.values()))[0]
        if kind == "irrelevant":
            return self._irrelevant(rng)
        if kind == "parallel":
            return self._parallel(rng)
        if kind == "missing":
            return self._missing(rng)
        return self._single(rng, self._operation(rng))

    def _operation(self, rng: random.Random) -> str:
        return rng.choices(list(self._weights), list(self._weights.values()))[0]

    def _single(
        self, rng: random.Random, name: str, leave_out: int | None = None, pattern: Pattern | None = None
    ) -> Draft:
        pattern = pattern or rng.choice(self._patterns[(name,)])
        asked = [(operations()[operation], pattern.constants) for operation in pattern.operations]
        draw = Draw(rng, self.pool, pattern.operations)
        segments = list(self._filled(pattern, draw, range(len(asked)), leave_out))
        topic = {"check_drug_interactions": "interactions", "read_patient_record": "record"}.get(name, "calculation")
        return Draft(kind=name, segments=segments, asked=asked, topic=topic)

    def _parallel(self, rng: random.Random) -> Draft:
        joint = [names for names in self._patterns if len(names) > 1]
        if joint and rng.random() < 0.2:
            names = rng.choice(joint)
            draft = self._single(rng, names[0], pattern=rng.choice(self._patterns[names]))
            return Draft(kind="parallel", segments=draft.segments, asked=draft.asked, topic="calculation")
        first, second = (self._single(rng, self._operation(rng)) for _ in range(2))
        if first.kind == second.kind and rng.random() < 0.7:
            raise Unusable("two calls of one operation are kept rare")
        link = rng.choice(
            (
                " Also, ",
                " And ",
                "; also ",
                "\n",
                " Then ",
                " Next: ",
                " Second, ",
                ". Also: ",
                " Plus: ",
                " In addition, ",
            )
        )
        if link[0] != "\n" and not first.segments[-1].text.endswith((".", "?", "!")):
            link = (rng.choice((".", "?", ";", ",")) if link[0] == " " else "") + link
        elif link[0] in ".;":
            link = " " + link[1:].lstrip()
        moved = [Segment(s.text, s.arguments, tuple(call + 1 for call in s.calls)) for s in second.segments]
        return Draft(
            kind="parallel",
            segments=[*first.segments, Segment(link), *moved],
            asked=first.asked + second.asked,
        )

    def _missing(self, rng: random.Random) -> Draft:
        written = self._patterns.get(("missing",), ())
        if written and rng.random() < 0.25:
            pattern = rng.choice(written)
            name, lacking = pattern.operations[0], list(pattern.constants["missing"])
            draw = Draw(rng, self.pool, (name,))
            segments = list(self._filled(pattern, draw, (), None))
        else:
            name = self._operation(rng)
            usable = [pattern for pattern in self._patterns[(name,)] if pattern.drops]
            if not usable:
                raise Unusable(f"no pattern of {name} has a part to leave out")
            pattern = rng.choice(usable)
            draft = self._single(rng, name, leave_out=rng.randrange(pattern.drops), pattern=pattern)
            segments = draft.segments
            lacking = draft.asked[0][0].missing(_arguments(draft)[0])
            if not lacking:
                raise Unusable("what was left out was optional")
        return Draft(kind=f"missing.{name}", segments=segments, asked=[], reply=ask_for(name, lacking, rng))

    def _irrelevant(self, rng: random.Random) -> Draft:
        names = [names for names in self._patterns if names[0].startswith("irrelevant.")]
        sizes = [len(self._patterns[name]) for name in names]
        pattern = rng.choice(self._patterns[rng.choices(names, sizes)[0]])
        segments = list(self._filled(pattern, Draw(rng, self.pool, ()), (), None))
        return Draft(kind=pattern.operations[0], segments=segments, asked=[], reply=rng.choice(pattern.replies))

    def _filled(self, pattern: Pattern, draw: Draw, calls: Sequence[int], leave_out: int | None) -> Iterator[Segment]:
        for part in pattern.expand(draw.rng, leave_out):
            if isinstance(part, str):
                yield Segment(part)
            else:
                piece: Piece = fill(draw, part.name, part.variant)
                yield Segment(piece.text, piece.arguments, tuple(calls)) if calls else Segment(piece.text)

    def _finish(self, draft: Draft, row_id: str, rng: random.Random) -> tuple[Example | None, str]:
        """The example of a draft, or why there is none."""
        segments = recase(self._with_distractors(draft, rng), rng)
        request, spans, calls = join([with_typo(s, rng) for s in segments], draft.asked)
        for call, (operation, _) in zip(calls, draft.asked, strict=True):
            if operation.missing(call.arguments):
                return None, f"{request!r} lacks {operation.missing(call.arguments)}"
        results = tuple(tools.run([call.to_json() for call in calls])) if calls else ()
        for result in results:
            if result["status"] != "ok" and result["error"]["code"] in WRONG_CALL:
                return None, f"{request!r}: {result['error']['message']}"
        if len({json.dumps(call.to_json(), sort_keys=True) for call in calls}) != len(calls):
            return None, f"{request!r} asks for the same call twice"
        answer = Message(role="assistant", calls=calls) if calls else Message(role="assistant", content=draft.reply)
        conversation = Conversation.of_request(request).then(answer)
        length = len(encode(conversation, self.tokenizer).ids)
        if length > self.context:
            return None, f"{length} tokens do not fit a context of {self.context}"
        example = Example(
            id=row_id,
            split=self.split,
            kind=draft.kind,
            conversation=conversation,
            spans=spans,
            results=results,
        )
        check_spans(example)
        return example, ""

    def _with_distractors(self, draft: Draft, rng: random.Random) -> list[Segment]:
        """The draft's segments, now and then with a sentence before or after that gives no argument."""
        segments = list(draft.segments)
        chance = 0.22 if draft.asked else 0.15
        for side in ("before", "after"):
            if rng.random() >= chance:
                continue
            names = [f"distractor.{side}.any"] + ([f"distractor.{side}.{draft.topic}"] if draft.topic != "any" else [])
            choices = [p for name in names for p in patterns_of(False)[(name,)]]
            extra = list(self._filled(rng.choice(choices), Draw(rng, self.pool, ()), (), None))
            gap = Segment(rng.choice((" ", " ", " ", "\n")))
            if side == "before":
                segments = [*extra, gap, *segments]
            else:
                stop = "" if segments[-1].text.endswith((".", "?", "!")) else rng.choice((".", ".", ",", ""))
                segments = [*segments, Segment(stop), gap, *extra]
        return segments


def join(
    segments: Sequence[Segment], asked: Sequence[tuple[Operation, Mapping[str, Any]]]
) -> tuple[str, tuple[Span, ...], tuple[Call, ...]]:
    """The request's text, and each call with the spans of its copied arguments.

    A string argument becomes what the request says at its span, so a change of case reaches both.
    """
    text = ""
    placed: list[tuple[int, Argument]] = []
    for segment in segments:
        words = segment.text
        if not segment.arguments and (not text or text[-1].isspace()):
            words = words.lstrip()
        for argument in segment.arguments:
            if argument.start is not None and argument.end is not None:
                start, end = len(text) + argument.start, len(text) + argument.end
                said = words[argument.start : argument.end]
                value = said if isinstance(argument.value, str) else argument.value
                argument = Argument(argument.key, value, start, end)
            placed += [(call, argument) for call in segment.calls]
        text += words
    text = text.rstrip()
    spans: list[Span] = []
    calls: list[Call] = []
    for index, (operation, constants) in enumerate(asked):
        given = [argument for call, argument in placed if call == index and argument.key in operation.keys]
        calls.append(operation.call(operation.arguments(given, constants)))
        counts: dict[str, int] = {}
        for argument in given:
            position = counts.get(argument.key, 0)
            counts[argument.key] = position + 1
            if argument.start is not None and argument.end is not None:
                pointer = f"/{argument.key}/{position}" if argument.key in LISTS else f"/{argument.key}"
                spans.append(Span(call=index, pointer=pointer, start=argument.start, end=argument.end))
    return text, tuple(spans), tuple(calls)


def check_spans(example: Example) -> None:
    """Raise `ExamplesError` unless every span of the request spells its argument, and every copied argument
    has a span.
    """
    request = example.request
    covered: set[tuple[int, str]] = set()
    for span in example.spans:
        value: Any = example.calls[span.call].arguments
        for part in span.pointer.split("/")[1:]:
            value = value[int(part)] if isinstance(value, list) else value[part]
        said = request[span.start : span.end]
        if said != (value if isinstance(value, str) else json.dumps(value)):
            raise ExamplesError(
                f"{example.id}: {span.pointer} is {value!r}, but the request says {said!r} there: {request!r}"
            )
        covered.add((span.call, span.pointer))
    for index, call in enumerate(example.calls):
        for pointer in copied_pointers(call):
            if (index, pointer) not in covered:
                raise ExamplesError(f"{example.id}: {pointer} of call {index} has no source in the request {request!r}")


def copied_pointers(call: Call) -> list[str]:
    """JSON pointers of the arguments whose schema says that they come from the conversation."""
    schema = tools.argument_schemas([call.name])[call.name]
    for branch in schema.get("oneOf", ()):
        if all(call.arguments.get(k) == v["const"] for k, v in branch["properties"].items() if "const" in v):
            schema = branch
    pointers: list[str] = []
    for key, value in call.arguments.items():
        rule = schema["properties"][key]
        if rule.get("x-from") == "conversation":
            pointers.append(f"/{key}")
        elif rule.get("items", {}).get("x-from") == "conversation":
            pointers += [f"/{key}/{index}" for index in range(len(value))]
    return pointers


@cache
def all_patterns() -> tuple[Pattern, ...]:
    """Every pattern, checked: known slots and operations, required arguments certain, replies where no tool
    answers.
    """
    patterns = [pattern for path in sorted(PATTERNS.glob("*.txt")) for pattern in read_patterns(path)]
    for pattern in patterns:
        for name in pattern.slots():
            if not keys_of(name) and name not in ("number", "other_drug", "other_patient", "lab_word"):
                raise ExamplesError(f"{pattern.place}: no slot named {name!r}")
        if pattern.operations[0].startswith("irrelevant.") and not pattern.replies:
            raise ExamplesError(f"{pattern.place}: the section has no '=> reply'")
        if pattern.operations[0].startswith(("irrelevant.", "distractor.")) or "missing" in pattern.constants:
            continue
        certain = {key for slot in pattern.certain_slots() for key in keys_of(slot)} | set(pattern.constants)
        for name in pattern.operations:
            if name not in operations():
                raise ExamplesError(f"{pattern.place}: no operation named {name!r}; have {', '.join(operations())}")
            operation = operations()[name]
            lacking = operation.required - certain - set(operation.fixed)
            if lacking:
                raise ExamplesError(f"{pattern.place}: {pattern.text!r} never gives {', '.join(sorted(lacking))}")
    return tuple(patterns)


@cache
def patterns_of(new: bool) -> Mapping[tuple[str, ...], tuple[Pattern, ...]]:
    """Patterns by the operations they ask for; `new` for those kept from training.

    Hand-written gaps are under ("missing",).
    """
    grouped: dict[tuple[str, ...], list[Pattern]] = {}
    for pattern in all_patterns():
        if held_out("pattern", pattern.text) == new:
            key = ("missing",) if "missing" in pattern.constants else pattern.operations
            grouped.setdefault(key, []).append(pattern)
    return {key: tuple(found) for key, found in grouped.items()}


def _arguments(draft: Draft) -> list[Mapping[str, Any]]:
    return [call.arguments for call in join(draft.segments, draft.asked)[2]]
