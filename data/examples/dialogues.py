"""Dialogues of several turns: asking back, confirming, answering from a result, one call after another.

    continue  a request that lacks something, the question, the user's answer, the call
    confirm   a value that can not be right, the question, the user's answer, the call
    answer    a call, the tool's result, an answer that only repeats it
    chain     a look into a record, what is found there, a calculation or check with it, the answer

Answers are the tools' own sentences (`tools.summarise`), so nothing medical is ever phrased here.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import tools
from data.conversation import Call, Conversation, Example, Message, Span
from data.examples.drafts import Asked, Segment, filled, join
from data.examples.entities import Unusable, held_out
from data.examples.execution import run
from data.examples.library import patterns_of
from data.examples.operations import ITEMS, operations
from data.examples.patterns import Pattern
from data.examples.pieces import Argument, Draw, Piece, listed, written
from data.result_text import shown

if TYPE_CHECKING:
    from data.examples.rows import RowMaker


def ask_and_continue(maker: RowMaker, rng: random.Random, row: str) -> Example:
    """A request that lacks something, the question, the user's answer, the call."""
    draft = maker.missing(rng, written=0.2)
    operation = draft.asked[0][0]
    answer = _answer(maker, rng, operation.name, draft.lacking, draft.draws)
    turns = maker.typed([maker.surrounded(draft, rng), answer], rng)
    texts, spans, calls = join(turns, draft.asked, [0, 2])
    conversation = Conversation.of_request(texts[0]).then(
        Message(role="assistant", content=draft.reply),
        Message(role="user", content=texts[1]),
        Message(role="assistant", calls=tuple(calls)),
    )
    return Example(
        id=row,
        split=maker.name,
        kind=f"continue.{operation.name}",
        origin=draft.origin,
        conversation=conversation,
        spans=tuple(spans),
        results=run(calls, draft.asked),
    )


def _answer(
    maker: RowMaker, rng: random.Random, operation: str, lacking: Sequence[str], draws: Sequence[Draw]
) -> list[Segment]:
    """What a user says when asked for these arguments: all of them, in any order."""
    replies = patterns_of("known")
    segments: list[Segment] = []
    for key in rng.sample(list(lacking), len(lacking)):
        specific, general = (f"reply.{key}.{operation}",), (f"reply.{key}",)
        choices = replies.get(specific) or replies.get(general)
        if not choices:
            raise Unusable(f"nobody answers a question for {key}")
        if segments:
            segments.append(Segment(rng.choice((", ", ", ", " and ", ". ", "; ", " ", "\n"))))
        segments += filled(rng.choice(choices), draws, 1)
    return segments


SLIPS: Final[Mapping[str, tuple[str, ...]]] = {
    "creatinine_clearance": ("creatinine", "weight", "age"),
    "egfr": ("creatinine", "age"),
    "bedside_schwartz": ("creatinine", "height"),
    "body_surface_area": ("weight", "height"),
    "body_mass_index": ("weight", "height"),
    "ideal_body_weight": ("height",),
    "maintenance_fluids": ("weight",),
    "corrected_calcium": ("calcium", "albumin"),
    "qtc": ("qt_ms", "heart_rate"),
}
"""Numbers that can be written so that they can not be right, by operation."""
CHECKS: Final = (
    "{item} of {value} is outside of what I can use. Could you check it?",
    "I read {value} for {item}, which can not be right. What should it be?",
    "{value} for {item} looks like a slip. Could you confirm the value?",
    "Could you check {item}? {value} is out of range.",
)
ECHOES: Final = (
    "{message} Could you confirm the value?",
    "{message} What should it be?",
    "{message} Please check: which value is right?",
)


def confirm(maker: RowMaker, rng: random.Random, row: str) -> Example:
    """A value that can not be right, the question, the user's answer, the call.

    Where the schema allows the value, the tool is called and its refusal is passed on as the question.
    """
    name = rng.choice([name for name in SLIPS if (name,) in maker.patterns])
    key = rng.choice(SLIPS[name])
    patterns = [p for p in maker.patterns[(name,)] if any(_gives(slot.name, key) for slot in p.certain_slots())]
    if not patterns:
        raise Unusable(f"no pattern of {name} gives {key}")
    draft = maker.single(rng, name, rng.choice(patterns), slip=key)
    operation = draft.asked[0][0]
    draws = draft.draws
    for draw in draws:
        draw.slip = ""
    answer = _answer(maker, rng, name, [key], draws)
    turns = maker.typed([draft.request, answer], rng)
    texts, spans, calls = join(turns[:1], draft.asked, [0])
    wrong = calls[0].arguments.get(key)
    if wrong is None or operation.missing(calls[0].arguments):
        raise Unusable("the slip was not written")
    messages: list[Message] = []
    results: list[Mapping[str, Any]] = []
    if _in_schema(key, wrong):
        refused = tools.run([calls[0].to_json()])[0]
        if refused["status"] == "ok" or refused["error"]["place"] != f"/{key}":
            raise Unusable("the tool takes the value")
        results.append(refused)
        question = rng.choice(ECHOES).format(message=refused["error"]["message"])
        messages += [
            Message(role="assistant", calls=tuple(calls)),
            Message(role="tool", content=shown(calls[0].name, refused)),
        ]
    else:
        spans = []
        question = rng.choice(CHECKS).format(item=ITEMS[key].removesuffix(" with its unit"), value=wrong)
    question = question[0].upper() + question[1:]
    second = 2 + len(messages)
    texts, more, calls = join(turns, draft.asked, [0, second], first_call=len(results))
    conversation = Conversation.of_request(texts[0]).then(
        *messages,
        Message(role="assistant", content=question),
        Message(role="user", content=texts[1]),
        Message(role="assistant", calls=tuple(calls)),
    )
    results += run(calls, draft.asked)
    return Example(
        id=row,
        split=maker.name,
        kind=f"confirm.{name}",
        origin=draft.origin,
        conversation=conversation,
        spans=(*spans, *more),
        results=tuple(results),
    )


def _gives(slot: str, key: str) -> bool:
    return {"qt_ms": "qt", "agesex": "age"}.get(key, key) == slot or (key == "age" and slot == "agesex")


def _in_schema(key: str, value: float) -> bool:
    """Whether the schema lets a call hold the value at all."""
    return 0 < value <= {"age": 130, "height": 300, "heart_rate": 500, "qt_ms": 2000}.get(key, 5000)


def answer(maker: RowMaker, rng: random.Random, row: str) -> Example:
    """A call (or two), the tool's result, an answer that only repeats it."""
    draft = maker.parallel(rng) if rng.random() < 0.12 else maker.single(rng)
    turns = maker.typed([maker.surrounded(draft, rng)], rng)
    texts, spans, calls = join(turns, draft.asked, [0])
    results = run(calls, draft.asked)
    conversation = Conversation.of_request(texts[0]).then(
        Message(role="assistant", calls=tuple(calls)), *_told(calls, results)
    )
    return Example(
        id=row,
        split=maker.name,
        kind=f"answer.{draft.kind}",
        origin=draft.origin,
        conversation=conversation,
        spans=tuple(spans),
        results=results,
    )


def _told(calls: Sequence[Call], results: Sequence[Mapping[str, Any]]) -> list[Message]:
    """The tools' messages and the answer that repeats them."""
    pairs = list(zip(calls, results, strict=True))
    said = "\n".join(tools.summarise(call.name, result) for call, result in pairs)
    return [
        *(Message(role="tool", content=shown(call.name, result)) for call, result in pairs),
        Message(role="assistant", content=said),
    ]


# ---- chains

NAMED: Final[Mapping[str, tuple[str, ...]]] = {
    "weight": ("body weight", "weight", "wt"),
    "height": ("body height", "height", "ht"),
    "creatinine": ("creatinine", "serum creatinine", "Cr", "SCr", "creat"),
    "calcium": ("calcium", "Ca", "serum calcium"),
    "albumin": ("albumin", "serum albumin"),
}
"""Words for the tests whose values a calculation needs."""
STORED: Final[Mapping[str, tuple[str, str]]] = {
    "weight": ("vitals", "body weight"),
    "height": ("vitals", "body height"),
    "creatinine": ("labs", "creatinine"),
    "calcium": ("labs", "calcium"),
    "albumin": ("labs", "albumin"),
}
"""Where a record keeps them, and under which name."""
NEEDS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "creatinine_clearance": (("weight", "creatinine"), ("age", "sex")),
    "egfr": (("creatinine",), ("age", "sex")),
    "body_mass_index": (("weight", "height"), ()),
    "body_surface_area": (("weight", "height"), ()),
    "ideal_body_weight": (("height",), ("sex",)),
    "corrected_calcium": (("calcium", "albumin"), ()),
    "maintenance_fluids": (("weight",), ()),
}
"""Tests, and what the patient's own entry gives, for each calculation."""
TITLES: Final[Mapping[str, tuple[str, ...]]] = {
    "creatinine_clearance": ("creatinine clearance", "CrCl", "Cockcroft-Gault", "Cockcroft-Gault clearance"),
    "egfr": ("eGFR", "CKD-EPI eGFR", "estimated GFR"),
    "body_mass_index": ("BMI", "body mass index"),
    "body_surface_area": ("BSA", "body surface area"),
    "ideal_body_weight": ("ideal body weight", "IBW"),
    "corrected_calcium": ("corrected calcium", "albumin-corrected calcium", "adjusted calcium"),
    "maintenance_fluids": ("maintenance fluids", "hourly maintenance fluid"),
}


def chain(maker: RowMaker, rng: random.Random, row: str) -> Example:
    """A look into a record, what is found there, a calculation or check with it, the answer."""
    known = [names for names in maker.pool.catalogue.patients if held_out("patient", names[0]) == maker.split.patient]
    person = rng.choice(known)
    reference = rng.choice((person[0], *person))
    name = rng.choice((*NEEDS, "check_drug_interactions", "check_drug_interactions"))
    make = _checked_drugs if name == "check_drug_interactions" else _calculation
    return make(maker, rng, row, name, reference)


def _calculation(maker: RowMaker, rng: random.Random, row: str, name: str, reference: str) -> Example:
    """The values of some tests, and what is calculated from them."""
    tests, personal = NEEDS[name]
    order = rng.sample(tests, len(tests))
    words = [written("@", "codes", rng.choice(NAMED[test]), Argument("sections", STORED[test][0])) for test in order]
    heading = ("chain.as_of",) if "age" in personal else ("chain.look_up",)
    pieces = {
        "patient": written("@", "patient", reference),
        "tests": listed(words, rng.choice((" and ", ", ", " & ", " + "))),
        "title": Piece(rng.choice(TITLES[name])),
        "as_of": written("@", "as_of", f"2025-{rng.randint(8, 12):02}-{rng.randint(1, 28):02}"),
    }
    pattern, text, spans, calls = _said(maker, rng, heading, pieces, name, {"latest_only": True})
    found, told = _looked_up(calls[0])
    entries = {test: _entry(found, *STORED[test]) for test in tests}
    keys, sources = _from_record(name, entries, found, told, personal)
    call = operations()[name].call({**calls[1].arguments, **keys})
    spans += [Span(call=1, pointer=f"/{key}", start=s, end=e, message=2) for key, (s, e) in sources.items()]
    return _chained(maker, row, pattern, text, calls[0], found, told, call, spans)


def _checked_drugs(maker: RowMaker, rng: random.Random, row: str, name: str, reference: str) -> Example:
    """What the patient takes, and a new drug checked against it."""
    drug = maker.pool.drug(rng)[1]
    pieces = {"patient": written("@", "patient", reference), "drug": written("@", "drugs", drug)}
    constants = {"sections": ["medications"], "status": "active"}
    pattern, text, spans, calls = _said(maker, rng, ("chain.against",), pieces, name, constants)
    found, told = _looked_up(calls[0])
    drugs: list[str] = list(calls[1].arguments["drugs"])
    at = 0
    for entry in found["sections"]["medications"]["entries"]:
        words = _drug_of(entry["name"])
        at = told.index(f'"{entry["name"]}"', at) + 1 + entry["name"].index(words)
        if words.lower() in (given.lower() for given in drugs):
            continue
        spans.append(Span(call=1, pointer=f"/drugs/{len(drugs)}", start=at, end=at + len(words), message=2))
        drugs.append(words)
    if len(drugs) == 1:
        raise Unusable("the patient takes nothing")
    call = operations()[name].call({"drugs": drugs})
    return _chained(maker, row, pattern, text, calls[0], found, told, call, spans)


def _said(
    maker: RowMaker,
    rng: random.Random,
    heading: tuple[str, ...],
    pieces: Mapping[str, Piece],
    name: str,
    constants: Mapping[str, Any],
) -> tuple[Pattern, str, list[Span], list[Call]]:
    """The request, and what it gives to the call that reads and to the one that follows."""
    pattern = rng.choice(patterns_of("known")[heading])
    segments: list[Segment] = []
    for part in pattern.expand(rng):
        if isinstance(part, str):
            segments.append(Segment(part))
        else:
            piece = pieces[part.name]
            segments.append(Segment(piece.text, piece.arguments, (1,) if part.name == "drug" else (0,)))
    asked: Asked = [(operations()["read_patient_record"], constants), (operations()[name], {})]
    texts, spans, calls = join(maker.typed([segments], rng), asked, [0])
    return pattern, texts[0], spans, calls


def _drug_of(medication: str) -> str:
    """The words of a medication's name that are the drug: what stands before its strength, or behind `24 HR`."""
    words = medication.split()
    if words[1:2] == ["HR"]:
        words = words[2:]
    strength = next((i for i, word in enumerate(words) if word[0].isdigit()), len(words))
    return " ".join(words[:strength])


def _looked_up(read: Call) -> tuple[Mapping[str, Any], str]:
    """The record, and what the model reads of it."""
    found = tools.run([read.to_json()])[0]
    if found["status"] != "ok":
        raise Unusable(found["error"]["message"])
    return found, shown(read.name, found)


def _entry(found: Mapping[str, Any], section: str, name: str) -> Mapping[str, Any]:
    for entry in found["sections"][section]["entries"]:
        if entry["name"] == name and isinstance(entry.get("value"), int | float):
            return dict(entry)
    raise Unusable(f"no {name} on record")


def _from_record(
    name: str, entries: Mapping[str, Mapping[str, Any]], found: Mapping[str, Any], told: str, personal: Sequence[str]
) -> tuple[dict[str, Any], dict[str, tuple[int, int]]]:
    """The arguments that the record gives, and where it says the numbers."""
    keys: dict[str, Any] = {}
    sources: dict[str, tuple[int, int]] = {}
    for test, entry in entries.items():
        keys[test] = entry["value"]
        if f"{test}_unit" in operations()[name].keys:
            keys[f"{test}_unit"] = entry["unit"]
        at = told.index(f'"name": "{entry["name"]}", "value": ') + len(f'"name": "{entry["name"]}", "value": ')
        sources[test] = (at, at + len(str(entry["value"])))
    patient = found["patient"]
    if "sex" in personal:
        keys["sex"] = patient["sex"]
    if "age" in personal:
        keys["age"] = patient["age"]
        at = told.index('"age": ') + len('"age": ')
        sources["age"] = (at, at + len(str(patient["age"])))
    return keys, sources


def _chained(
    maker: RowMaker,
    row: str,
    pattern: Pattern,
    text: str,
    read: Call,
    found: Mapping[str, Any],
    told: str,
    call: Call,
    spans: Sequence[Span],
) -> Example:
    operation = operations()[call.arguments.get("calculation", call.name)]
    results = run([call], [(operation, {})])
    return Example(
        id=row,
        split=maker.name,
        kind=f"chain.{call.arguments.get('calculation', call.name)}",
        origin=pattern.place,
        conversation=Conversation.of_request(text).then(
            Message(role="assistant", calls=(read,)),
            Message(role="tool", content=told),
            Message(role="assistant", calls=(call,)),
            *_told([call], results),
        ),
        spans=tuple(spans),
        results=(found, *results),
    )
