"""Items of the Berkeley Function Calling Leaderboard as turns to judge, and our dialogues as items of theirs.

An item is a line of JSON: `id`, `question` (a list of turns, each a list of messages) and `function` (what may be
called). Its possible answers are `ground_truth`, in the same line or under the same id in another file, by custom
`possible_answer/` beside the first. An item without any wants no call.

Their types become JSON Schema's: dict object, float number, tuple array, any anything. Types of Java and JavaScript,
dialogues of several turns and items that want just any call (`live_relevance`) are refused: they cannot be judged from
the item alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import tools
from data.conversation import Call, Conversation, Example, Function, Message
from data.errors import ConversationError
from data.signatures import system_text
from sft.bfcl import OPTIONAL, Possible, as_ground_truth, function_of, type_of
from sft.errors import UnreadableItem
from sft.matching import best_pairs
from sft.turns import Turn, turns
from sft.values import same_value

NO_CALL: Final = "None of the functions fits this request."
_TO_JSON_SCHEMA: Final = {"dict": "object", "float": "number", "tuple": "array"}
_KEPT: Final = ("description", "enum", "default", "minimum", "maximum", "minItems", "maxItems")


def is_item(value: object) -> bool:
    """Whether a line of JSON is an item of the leaderboard rather than one of our examples."""
    return isinstance(value, Mapping) and "question" in value and "function" in value


def read_items(path: Path, answers: Path | None = None) -> list[Turn]:
    """The turns of a file of items. `answers`: the file of their possible answers, where it is not at its usual place.

    Raises UnreadableItem naming file and line.
    """
    answers = answers or path.parent / "possible_answer" / path.name
    truths: dict[str, Any] = {}
    if answers.is_file():
        truths = {str(row.get("id")): row.get("ground_truth") for _, row in _lines(answers)}
    found = []
    for number, row in _lines(path):
        try:
            found.append(read_item(row, row.get("ground_truth", truths.get(str(row.get("id")))), split=path.stem))
        except (UnreadableItem, ConversationError) as error:
            raise UnreadableItem(f"{path}:{number}: {error}") from error
    if not any(turn.wanted for turn in found) and not any("relevance" in turn.example.id for turn in found):
        raise UnreadableItem(
            f"{path}: no item has possible answers, and none is of an irrelevance category; they are read from each"
            f" line's `ground_truth` or from {answers}"
        )
    return found


def read_item(row: Mapping[str, Any], truth: Sequence[Possible] | None, split: str = "bfcl") -> Turn:
    """One item. Raises UnreadableItem."""
    name = str(row.get("id", ""))
    if name.startswith(("live_relevance", "rest", "sql", "exec", "memory", "web_search", "multi_turn")):
        raise UnreadableItem(f"item {name!r}: its category is not scored by possible answers")
    question = row.get("question")
    if not isinstance(question, list) or len(question) != 1 or not isinstance(question[0], list):
        count = len(question) if isinstance(question, list) else "no"
        raise UnreadableItem(f"item {name!r} has {count} turns, expected one: a list that holds a list of messages")
    functions = row.get("function")
    functions = [functions] if isinstance(functions, Mapping) else functions
    if not isinstance(functions, list) or not (functions or "irrelevance" in name):
        raise UnreadableItem(f"item {name!r}: `function` is {functions!r:.80}, expected a list of functions")
    offered = tuple(openai_function(function) for function in functions)
    if truth is not None:
        _check_truth(name, truth, functions)
        truth = [{f: {key: _listed(v) for key, v in ps.items()} for f, ps in possible.items()} for possible in truth]
    asked = Conversation.from_json(question[0]).messages
    own = asked[0].content + "\n" if asked[0].role == "system" else ""
    messages = (Message(role="system", content=own + system_text(offered)), *asked[bool(own) :])
    wanted = tuple(_usual(possible) for possible in truth or ())
    answer = Message(role="assistant", calls=wanted) if wanted else Message(role="assistant", content=NO_CALL)
    kind = (
        "irrelevant"
        if not wanted
        else "parallel"
        if len(wanted) > 1
        else "multiple"
        if len(functions) > 1
        else "simple"
    )
    example = Example(
        id=name, split=split, kind=kind, conversation=Conversation(messages=(*messages, answer), tools=offered)
    )
    turn = turns(example)[-1]
    return replace(turn, truth=None if truth is None else tuple(truth), functions=tuple(functions))


def openai_function(function: Mapping[str, Any]) -> Function:
    """A function of the leaderboard as OpenAI describes one, with a JSON Schema that allows no argument but its own."""
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise UnreadableItem(f"a function is {function!r:.80}, expected an object with a name")
    parameters = function.get("parameters")
    if not isinstance(parameters, Mapping) or not isinstance(parameters.get("properties"), Mapping):
        raise UnreadableItem(f"function {function['name']!r}: parameters are {parameters!r:.80}, expected properties")
    try:
        schema = _schema(parameters)
    except UnreadableItem as error:
        raise UnreadableItem(f"function {function['name']!r}: {error}") from error
    described = {"name": function["name"], "description": str(function.get("description", "")), "parameters": schema}
    return {"type": "function", "function": described}


def _schema(described: Mapping[str, Any]) -> dict[str, Any]:
    kind = type_of(described)
    out: dict[str, Any] = {} if kind == "any" else {"type": _TO_JSON_SCHEMA.get(kind, kind)}
    out |= {key: described[key] for key in _KEPT if key in described}
    if kind == "dict" and isinstance(described.get("properties"), Mapping):
        out["properties"] = {name: _schema(part) for name, part in described["properties"].items()}
        out["required"] = [name for name in described.get("required", ()) if name in out["properties"]]
        out["additionalProperties"] = False
    if kind in ("array", "tuple") and isinstance(described.get("items"), Mapping) and "type" in described["items"]:
        out["items"] = _schema(described["items"])
    return out


def _check_truth(name: str, truth: Any, functions: Sequence[Mapping[str, Any]]) -> None:
    names = {function.get("name") for function in functions}
    for possible in truth if isinstance(truth, (list, tuple)) else [truth]:
        if not isinstance(possible, Mapping) or len(possible) != 1:
            raise UnreadableItem(
                f"item {name!r}: a possible answer is {possible!r:.80}, expected {{function: parameters}}"
            )
        ((called, values),) = possible.items()
        if called not in names:
            raise UnreadableItem(f"item {name!r}: a possible answer calls {called!r}, which is not among its functions")
        if not isinstance(values, Mapping) or not all(isinstance(v, list | dict) for v in values.values()):
            raise UnreadableItem(f"item {name!r}: a parameter of {called!r} has no list of values that count")


def nearest(truth: Sequence[Possible], calls: Sequence[Call]) -> tuple[Call, ...]:
    """The wanted calls: of the values that count, those that the written calls have, as typed values, else the first
    ones. So the strict score takes any possible answer, but none that merely looks like one."""
    options = [[_towards(possible, call) for possible in truth] for call in calls]
    agreeing = [[float(_agreement(call, option)) for option in row] for call, row in zip(calls, options, strict=True)]
    chosen = [_usual(possible) for possible in truth]
    for i, j in best_pairs(agreeing):
        if calls[i].name == chosen[j].name:
            chosen[j] = options[i][j]
    return tuple(chosen)


def _usual(possible: Possible) -> Call:
    ((name, parameters),) = possible.items()
    arguments = {key: _first(values) for key, values in parameters.items() if any(v != OPTIONAL for v in values)}
    return Call(name=name, arguments=arguments)


def _first(values: Any) -> Any:
    """The first value that counts. Inside a dict some published items give a value where others list several."""
    return _plain(next((v for v in values if v != OPTIONAL), OPTIONAL) if isinstance(values, list) else values)


def _plain(possible: Any) -> Any:
    """A value that counts, as it is written: a dict there lists values for each of its keys."""
    if isinstance(possible, Mapping):
        return {key: _first(v) for key, v in possible.items() if v != [OPTIONAL]}
    return [_plain(part) for part in possible] if isinstance(possible, list) else possible


def _towards(possible: Possible, call: Call) -> Call:
    ((name, parameters),) = possible.items()
    arguments: dict[str, Any] = {}
    for key, values in parameters.items():
        if key not in call.arguments:
            if OPTIONAL not in values:
                arguments[key] = _first(values)
        else:
            written = call.arguments[key]
            arguments[key] = written if any(_counts(written, v) for v in values) else _first([*values, None])
    return Call(name=name, arguments=arguments)


def _counts(written: Any, possible: Any) -> bool:
    if isinstance(possible, Mapping):
        return (
            isinstance(written, Mapping)
            and all(
                key in possible and any(_counts(v, p) for p in _listed(possible[key])) for key, v in written.items()
            )
            and all(key in written or OPTIONAL in _listed(values) for key, values in possible.items())
        )
    if isinstance(possible, list):
        return isinstance(written, list) and len(written) == len(possible) and all(map(_counts, written, possible))
    return same_value(written, possible)


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _agreement(call: Call, option: Call) -> int:
    if call.name != option.name:
        return 0
    return 1 + sum(key in call.arguments and same_value(call.arguments[key], v) for key, v in option.arguments.items())


def to_items(
    judged: Iterable[Turn], registry: Mapping[str, tools.Tool]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(item, possible answer) of every turn that answers a user and wants calls or none; questions and answers from
    results have no form there."""
    functions = [function_of(tool) for tool in registry.values()]
    for turn in judged:
        if turn.want not in ("calls", "words") or turn.prompt.messages[-1].role != "user":
            continue
        name = ("" if turn.wanted else "irrelevance_") + turn.key
        offered = (
            functions if not turn.prompt.tools else [function_of(tool) for tool in offered_tools(turn.prompt.tools)]
        )
        yield (
            {"id": name, "question": [turn.prompt.to_json()], "function": offered},
            {"id": name, "ground_truth": as_ground_truth(turn.wanted)},
        )


def write_items(folder: Path, judged: Sequence[Turn], registry: Mapping[str, tools.Tool]) -> int:
    """Write `folder/SPLIT.jsonl` and `folder/possible_answer/SPLIT.jsonl`; returns the number of items."""
    (folder / "possible_answer").mkdir(parents=True, exist_ok=True)
    count = 0
    for split in dict.fromkeys(turn.example.split for turn in judged):
        pairs = list(to_items((turn for turn in judged if turn.example.split == split), registry))
        for place, column in ((folder, 0), (folder / "possible_answer", 1)):
            text = "".join(json.dumps(pair[column], ensure_ascii=False) + "\n" for pair in pairs)
            (place / f"{split}.jsonl").write_text(text, "utf-8")
        count += len(pairs)
    return count


def offered_tools(functions: Sequence[Function]) -> list[tools.Tool]:
    """The tools that a conversation offers, for their schemas: they cannot be run."""

    def refuse(arguments: Mapping[str, Any]) -> dict[str, Any]:
        raise tools.Refusal("not_runnable", "", None, "a built-in tool", "this tool is known by its schema only")

    return [
        tools.Tool(
            name=function["function"]["name"],
            description=function["function"].get("description", ""),
            arguments_schema=function["function"].get("parameters") or {"type": "object"},
            result_schema={},
            function=refuse,
        )
        for function in functions
    ]


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise UnreadableItem(f"{path}:{number}: not a line of JSON: {error}") from error
            if not isinstance(row, dict):
                raise UnreadableItem(f"{path}:{number}: found {line[:60]!r}, expected an object")
            yield number, row
