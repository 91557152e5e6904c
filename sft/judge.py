"""The verdict on one answer: strict, typed, and never kind to garbage.

- An answer has one of three outcomes. *valid*: one or more calls, each JSON of its tool's schema, and nothing else;
  *none*: words, ended by themselves; *malformed*: everything else (broken, unknown or unfitting calls, calls inside
  words, words around calls, empty, cut off or repeated text). Only *none* counts as abstaining.
- Arguments are compared as typed values: 2.5 and "2.5" differ, 1 and true differ, 2 and 2.0 are the same number.
- Parallel calls match in any order; calls too many are *extra*, calls too few are *lost*.
- A value that had to be copied from the conversation and is not in it is *invented*, right tool or not. A choice (unit,
  sex, section) that is neither said nor wanted is *unfounded*.
- A question counts where one is wanted only if it asks for exactly what is missing, so that asking for everything,
  always, gets nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import tools
from data.conversation import Call, Conversation
from data.wire import Reply
from sft.bfcl import as_ground_truth, check_calls, function_of
from sft.bfcl_items import nearest, offered_tools
from sft.matching import best_pairs
from sft.reading import items_asked, items_named, not_an_answer, numbers_in, occurs, said
from sft.trace import Trace
from sft.turns import Turn, Want
from sft.values import at, is_number, leaves, result_key, same_value, tenfold, too_deep

Outcome = Literal["valid", "malformed", "none"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one answer got right. None means that the question does not arise for this turn or answer.

    Pointers are JSON pointers into the answer's calls: /0/drugs/1 is the second drug of the first call. Counts of
    values are of calls to tools that exist. `errors` names what is wrong, the most telling first.
    """

    want: Want
    outcome: Outcome
    reason: str  # why malformed
    tried_to_call: bool
    right_tools: bool | None  # where calls were wanted
    exact: bool | None
    same_result: bool | None
    ast: bool | None  # by the rules of the Berkeley leaderboard
    abstained: bool | None  # where words were wanted
    asked: bool | None  # where a question was wanted
    answered: bool | None  # where the tools' result was to be told
    arguments: tuple[int, int]  # right, wanted
    extra: int
    lost: int
    copied: int  # values that had to be copied
    invented: tuple[str, ...]
    choices: int  # other values, of calls that are paired with a wanted one
    unfounded: tuple[str, ...]
    numbers: int  # numbers that stand where a number was wanted
    tenfold: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether the answer is what the turn wanted."""
        return not self.errors


class Judge:
    """Judges answers to turns, with the schemas and the functions of one set of tools."""

    def __init__(self, registry: Mapping[str, tools.Tool] | None = None) -> None:
        self.registry = tools.registry() if registry is None else registry
        self._functions = [function_of(tool) for tool in self.registry.values()]
        self._offered = ""
        self._other: Judge | None = None

    def __call__(self, turn: Turn, trace: Trace) -> Verdict:
        """The verdict, under the tools that the conversation offers, or else those of this judge."""
        if turn.prompt.tools and not self._is_for(turn):
            return self._others(turn)(turn, trace)
        reply = trace.reply
        outcome, reason = self.outcome(reply)
        calls = reply.calls if not any(too_deep(dict(call.arguments)) for call in reply.calls) else ()
        wanted = turn.wanted if turn.truth is None else nearest(turn.truth, calls)
        pairs = pair(calls, wanted)
        exact = outcome == "valid" and _exact(calls, wanted, pairs)
        named = outcome == "valid" and sorted(c.name for c in calls) == sorted(c.name for c in wanted)
        asked = outcome == "none" and asks_the_same(reply.text, turn)
        answered = outcome == "none" and tells_the_same(reply.text, turn)
        abstained = outcome == "none" and not (_asked(reply.text) - _asked(turn.text))
        copied, invented = self._invented(calls, wanted, pairs, turn.prompt)
        choices, unfounded = self._unfounded(calls, wanted, pairs, turn.prompt)
        numbers, slips = _tenfold(self.registry, calls, wanted, pairs)
        verdict = Verdict(
            want=turn.want,
            outcome=outcome,
            reason=reason,
            tried_to_call=bool(reply.calls) or (outcome == "malformed" and _looks_like_a_call(reply.text, reason)),
            right_tools=named if wanted else None,
            exact=exact if wanted else None,
            same_result=(exact or (named and self.same_results(calls, wanted))) if wanted else None,
            ast=bool(calls) and self._ast(calls, turn) == "" if wanted else None,
            abstained=abstained if turn.want == "words" else None,
            asked=asked if turn.want == "ask" else None,
            answered=answered if turn.want == "answer" else None,
            arguments=_arguments(calls, wanted, pairs),
            extra=max(0, len(reply.calls) - len(pairs)),
            lost=len(wanted) - len(pairs),
            copied=copied,
            invented=invented,
            choices=choices,
            unfounded=unfounded,
            numbers=numbers,
            tenfold=slips,
            errors=(),
        )
        errors = dict.fromkeys(self._errors(verdict, calls, wanted, pairs))
        return replace(verdict, errors=tuple(errors))

    def outcome(self, reply: Reply) -> tuple[Outcome, str]:
        """One of three, and why it is malformed."""
        if reply.outcome == "malformed":
            within = not reply.stopped and reply.reason.startswith("the end where")
            return "malformed", "cut off within a call" if within else reply.reason or "not readable"
        if not reply.stopped:
            return "malformed", "cut off"
        if reply.outcome == "text":
            reason = "calls beside words" if reply.calls else not_an_answer(reply.text, self.registry)
            return ("malformed", reason) if reason else ("none", "")
        if not reply.calls:
            return "malformed", "no call in a turn of calls"
        for i, call in enumerate(reply.calls):
            why = self.why_invalid(call)
            if why:
                return "malformed", f"call {i}: {why}"
        return "valid", ""

    def why_invalid(self, call: Call) -> str:
        """What the tool's schema has against a call, "" where nothing."""
        if call.name not in self.registry:
            return f"no tool named {call.name!r}"
        if too_deep(dict(call.arguments)):
            return "arguments nested too deep"
        try:
            self.registry[call.name].check_arguments(dict(call.arguments))
        except tools.Refusal as refusal:
            return f"outside the schema of {call.name} at {refusal.place or '/'}: {str(refusal.message)[:160]}"
        return ""

    def is_valid(self, call: Call) -> bool:
        """Whether the tool exists and takes these arguments."""
        return not self.why_invalid(call)

    def same_results(self, calls: Sequence[Call], wanted: Sequence[Call]) -> bool:
        """Whether running both gives equal results, in any order; refusals never count as equal."""
        ours, theirs = self.run(calls), self.run(wanted)
        if not all(r.get("status", "ok") == "ok" for r in ours + theirs):
            return False
        return sorted(map(result_key, ours)) == sorted(map(result_key, theirs))

    def run(self, calls: Sequence[Call]) -> list[dict[str, Any]]:
        """The tools' answers to these calls, in order."""
        return tools.run([call.to_json() for call in calls], self.registry)

    def invented(self, calls: Sequence[Call], prompt: Conversation) -> list[str]:
        """Pointers of the values that had to come from the conversation and do not occur in it."""
        return list(self._invented(calls, (), [], prompt)[1])

    def _invented(
        self, calls: Sequence[Call], wanted: Sequence[Call], pairs: Sequence[tuple[int, int]], prompt: Conversation
    ) -> tuple[int, tuple[str, ...]]:
        words = said(prompt)
        numbers, partner = numbers_in(words), dict(pairs)
        count, found = 0, []
        for i, call in enumerate(calls):
            for leaf in self._leaves(call):
                if leaf.copied:
                    count += 1
                    right = i in partner and same_value(leaf.value, at(wanted[partner[i]].arguments, leaf.pointer))
                    if not right and not occurs(leaf.value, words, numbers):
                        found.append(f"/{i}{leaf.pointer}")
        return count, tuple(found)

    def _unfounded(
        self, calls: Sequence[Call], wanted: Sequence[Call], pairs: Sequence[tuple[int, int]], prompt: Conversation
    ) -> tuple[int, tuple[str, ...]]:
        words = said(prompt)
        numbers = numbers_in(words)
        count, found = 0, []
        for i, j in pairs:
            if calls[i].name != wanted[j].name:
                continue
            for leaf in self._leaves(calls[i]):
                if leaf.copied or leaf.fixed or isinstance(leaf.value, bool) or leaf.value is None:
                    continue
                count += 1
                whole = at(wanted[j].arguments, "/".join(leaf.pointer.split("/")[:2]))
                listed = whole if isinstance(whole, list) else [whole]
                right = same_value(leaf.value, at(wanted[j].arguments, leaf.pointer))
                right = right or any(same_value(leaf.value, v) for v in listed)
                if not right and not occurs(leaf.value, words, numbers):
                    found.append(f"/{i}{leaf.pointer}")
        return count, tuple(found)

    def _leaves(self, call: Call) -> Iterator[Any]:
        if call.name in self.registry:
            yield from leaves(self.registry[call.name].arguments_schema, dict(call.arguments))

    def _operation(self, call: Call) -> list[tuple[str, str]]:
        """The constants by which the schema of the call's tool tells its operations apart."""
        return [(leaf.pointer, str(leaf.value)) for leaf in self._leaves(call) if leaf.fixed]

    def _ast(self, calls: Sequence[Call], turn: Turn) -> str:
        """What the leaderboard's rules have against the calls, which may be outside the schema otherwise."""
        truth = as_ground_truth(turn.wanted) if turn.truth is None else turn.truth
        return check_calls(turn.functions or self._functions, calls, truth)

    def _is_for(self, turn: Turn) -> bool:
        return self._offered == _json(turn.prompt.tools)

    def _others(self, turn: Turn) -> Judge:
        """The judge of a conversation that offers its own tools; the last one is kept, since they come in a row."""
        if self._other is None or not self._other._is_for(turn):
            self._other = Judge({tool.name: tool for tool in offered_tools(turn.prompt.tools)})
            self._other._offered = _json(turn.prompt.tools)
        return self._other

    def _errors(
        self, verdict: Verdict, calls: Sequence[Call], wanted: Sequence[Call], pairs: Sequence[tuple[int, int]]
    ) -> Iterator[str]:
        """The names of what is wrong."""
        if verdict.outcome == "malformed":
            yield "cut off" if verdict.reason.startswith("cut off") else _malformed(verdict)
        if verdict.want != "calls":
            if verdict.outcome == "valid":
                yield {"ask": "called instead of asking", "words": "called without need", "answer": "called again"}[
                    verdict.want
                ]
            elif verdict.outcome == "none":
                if verdict.asked is False:
                    yield "wrong question"
                if verdict.abstained is False:
                    yield "asked without need"
                if verdict.answered is False:
                    yield "answer differs from the result"
            return
        if verdict.outcome == "none":
            yield "no call"
        if verdict.outcome == "malformed" or verdict.exact:
            return
        if verdict.outcome == "valid":
            same_tool = [(calls[i], wanted[j]) for i, j in pairs if calls[i].name == wanted[j].name]
            if any(self._operation(ours) != self._operation(theirs) for ours, theirs in same_tool):
                yield "wrong operation"
            yield from _wrong_calls(verdict, calls, wanted, pairs)


def pair(calls: Sequence[Call], wanted: Sequence[Call]) -> list[tuple[int, int]]:
    """(written, wanted) indices of the best pairing: as many exact calls as possible, then tools, then arguments."""
    scores = [[_likeness(call, other) for other in wanted] for call in calls]
    return best_pairs(scores)


def same_calls(calls: Sequence[Call], wanted: Sequence[Call]) -> bool:
    """Whether these are the wanted calls, each once, in any order."""
    return _exact(calls, wanted, pair(calls, wanted))


def asks_the_same(text: str, turn: Turn) -> bool:
    """Whether a text asks for what the turn's own question asks for: the same arguments, no other; and where that
    question repeats numbers of the request (a doubtful value), the same ones. Where it names no argument, any will do.
    """
    if "?" not in text:
        return False
    doubted = numbers_in(turn.text) & numbers_in(said(turn.prompt))
    if doubted:
        return doubted <= numbers_in(text) and items_named(text) == items_named(turn.text)
    items, wanted = (items_asked(words, turn.own_arguments) for words in (text, turn.text))
    return items == wanted if wanted else bool(items)


def tells_the_same(text: str, turn: Turn) -> bool:
    """Whether an answer holds every number of the turn's own answer and every word of the tools that it repeats, no
    number that was not said before, and not much else: a result poured out whole is no answer."""
    words = said(turn.prompt)
    facts = _long_words(turn.text) & _long_words(words)
    numbers = numbers_in(text)
    return (
        numbers <= numbers_in(words) | numbers_in(turn.text)
        and numbers_in(turn.text) <= numbers
        and facts <= _long_words(text)
        and len(text.split()) <= 2 * len(turn.text.split()) + 8
    )


def _long_words(text: str) -> set[str]:
    return {word for word in "".join(c.lower() if c.isalpha() else " " for c in text).split() if len(word) > 4}


def _asked(text: str) -> frozenset[str]:
    return items_asked(text) if "?" in text else frozenset()


def _likeness(call: Call, other: Call) -> float:
    """1000 for an exact call, else 1 for the tool and up to 1 for the share of arguments that agree."""
    if call.name != other.name:
        return 0.0
    if same_value(dict(call.arguments), dict(other.arguments)):
        return 1000.0
    keys = call.arguments.keys() | other.arguments.keys()
    equal = sum(
        key in call.arguments and key in other.arguments and same_value(call.arguments[key], other.arguments[key])
        for key in keys
    )
    return 1.0 + equal / len(keys)


def _exact(calls: Sequence[Call], wanted: Sequence[Call], pairs: Sequence[tuple[int, int]]) -> bool:
    return len(calls) == len(wanted) == len(pairs) and all(
        calls[i].name == wanted[j].name and same_value(dict(calls[i].arguments), dict(wanted[j].arguments))
        for i, j in pairs
    )


def _arguments(calls: Sequence[Call], wanted: Sequence[Call], pairs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    right = sum(
        key in calls[i].arguments and same_value(calls[i].arguments[key], value)
        for i, j in pairs
        if calls[i].name == wanted[j].name
        for key, value in wanted[j].arguments.items()
    )
    return right, sum(len(call.arguments) for call in wanted)


def _tenfold(
    registry: Mapping[str, tools.Tool], calls: Sequence[Call], wanted: Sequence[Call], pairs: Sequence[tuple[int, int]]
) -> tuple[int, tuple[str, ...]]:
    """Numbers that stand where one was wanted, and the pointers of those that are off by powers of ten in an equal
    unit."""
    count, found = 0, []
    for i, j in pairs:
        if calls[i].name != wanted[j].name:
            continue
        for leaf in leaves({}, dict(calls[i].arguments)):
            other = at(wanted[j].arguments, leaf.pointer)
            if not (is_number(leaf.value) and is_number(other)):
                continue
            count += 1
            unit = f"{leaf.pointer}_unit"
            if same_value(at(calls[i].arguments, unit), at(wanted[j].arguments, unit)) and tenfold(leaf.value, other):
                found.append(f"/{i}{leaf.pointer}")
    return count, tuple(found)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=dict)


def _looks_like_a_call(text: str, reason: str) -> bool:
    return "call" in reason or "JSON" in reason or "<tool_call>" in text or '"name"' in text


def _malformed(verdict: Verdict) -> str:
    if "outside the schema" in verdict.reason or "no tool named" in verdict.reason:
        return "call outside the schema"
    return "broken call" if verdict.tried_to_call else "not an answer"


def _wrong_calls(
    verdict: Verdict, calls: Sequence[Call], wanted: Sequence[Call], pairs: Sequence[tuple[int, int]]
) -> Iterator[str]:
    if any(calls[i].name != wanted[j].name for i, j in pairs):
        yield "wrong tool"
    if verdict.lost:
        yield "lost call"
    if verdict.extra:
        yield "extra call"
    if verdict.tenfold:
        yield "tenfold number"
    if verdict.invented:
        yield "invented value"
    for i, j in pairs:
        if calls[i].name != wanted[j].name:
            continue
        ours, theirs = calls[i].arguments, wanted[j].arguments
        if theirs.keys() - ours.keys():
            yield "missing argument"
        if ours.keys() - theirs.keys():
            yield "extra argument"
        for key in theirs.keys() & ours.keys():
            if not same_value(ours[key], theirs[key]):
                yield _wrong_value(ours[key], theirs[key])


def _wrong_value(ours: Any, theirs: Any) -> str:
    if is_number(ours) and is_number(theirs):
        return "wrong number"
    if isinstance(ours, list) and isinstance(theirs, list):
        if sorted(map(str, ours)) == sorted(map(str, theirs)):
            return "other order"
        return "wrong list"
    if isinstance(ours, str) and isinstance(theirs, str):
        return "other case" if ours.casefold() == theirs.casefold() else "wrong text"
    return "wrong choice" if type(ours) is type(theirs) else "wrong type"
