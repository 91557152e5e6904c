"""Scores of a responder over dialogues: each metric with its 95 % interval, over all turns, by split and by kind.

A metric looks at one judged turn and says numerator and denominator, or that its question does not arise. Its value is
the ratio of the sums (see `sft.interval`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from data.wire import Reply
from sft.answers import Answers
from sft.errors import NothingToScore, PromptTooLong
from sft.interval import Estimate, Part, bootstrap, wilson
from sft.judge import Judge, Verdict
from sft.trace import Responder, Trace
from sft.turns import Turn

Progress = Callable[[int, int | None, str], None]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One turn, the answer it got, and the verdict."""

    turn: Turn
    trace: Trace
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Metric:
    """title: as tables show it; meaning: one sentence; unit: "%" for proportions and shares."""

    name: str
    title: str
    meaning: str
    of: Callable[[Item], Part | None]
    rate: bool = False  # every answer counts 1 and is right or wrong
    better: Literal["high", "low", ""] = "high"
    unit: str = "%"


def _rate(
    name: str, title: str, meaning: str, of: Callable[[Item], bool | None], better: Literal["high", "low"] = "high"
) -> Metric:
    def part(item: Item) -> Part | None:
        value = of(item)
        return None if value is None else (float(value), 1.0)

    return Metric(name=name, title=title, meaning=meaning, of=part, rate=True, better=better)


def _share(
    name: str, title: str, meaning: str, of: Callable[[Verdict], tuple[int, int] | None], better: Literal["high", "low"]
) -> Metric:
    def part(item: Item) -> Part | None:
        value = of(item.verdict)
        return None if value is None or not value[1] else (float(value[0]), float(value[1]))

    return Metric(name=name, title=title, meaning=meaning, of=part, better=better)


def _mean(
    name: str,
    title: str,
    meaning: str,
    unit: str,
    of: Callable[[Item], Part | None],
    better: Literal["low", ""] = "low",
) -> Metric:
    return Metric(name=name, title=title, meaning=meaning, of=of, better=better, unit=unit)


def _calls_wanted(item: Item, value: Callable[[Verdict], float]) -> Part | None:
    return (value(item.verdict), 1.0) if item.verdict.want == "calls" else None


def _in_calls(item: Item, value: Callable[[Any], float]) -> Part | None:
    seen = [token for token in item.trace.tokens if token.mass is not None]
    return (sum(map(value, seen)), float(len(seen))) if seen else None


def _per_answer(item: Item, value: float) -> Part | None:
    return (value, 1.0) if item.trace.tokens else None


def _per_call(item: Item, value: float) -> Part | None:
    calls = len(item.trace.reply.calls)
    return (value, float(calls)) if item.trace.tokens and calls else None


METRICS: Final[Mapping[str, Metric]] = {
    metric.name: metric
    for metric in (
        _rate(
            "right",
            "right",
            "of all turns: what was wanted, be it calls, a question, an answer or words",
            lambda i: i.verdict.right,
        ),
        _rate(
            "exact",
            "exact calls",
            "of turns that want calls: tools and every argument right, types included, no call lost or extra",
            lambda i: i.verdict.exact,
        ),
        _rate(
            "same_result",
            "same result",
            "of turns that want calls: running the calls gives the wanted results",
            lambda i: i.verdict.same_result,
        ),
        _rate(
            "right_tools",
            "right tools",
            "of turns that want calls: valid calls of exactly the wanted tools",
            lambda i: i.verdict.right_tools,
        ),
        _share(
            "arguments",
            "arguments",
            "of the wanted arguments: written, in the paired call, with the right value",
            lambda v: v.arguments if v.want == "calls" else None,
            "high",
        ),
        _rate(
            "abstained",
            "abstained",
            "of turns that need no tool: answered in words, asking for nothing",
            lambda i: i.verdict.abstained,
        ),
        _rate(
            "asked",
            "asked",
            "of turns that lack something or hold a doubtful value: asked for exactly that",
            lambda i: i.verdict.asked,
        ),
        _rate(
            "answered",
            "answered",
            "of turns after a tool's result: told what the recorded answer tells, no number from elsewhere",
            lambda i: i.verdict.answered,
        ),
        _rate(
            "valid",
            "valid",
            "of answers that call or try to: every call is JSON of its tool's schema, and nothing else is there",
            lambda i: i.verdict.outcome == "valid" if i.verdict.tried_to_call else None,
        ),
        _rate(
            "malformed",
            "malformed",
            "of all answers: neither valid calls nor an answer in words",
            lambda i: i.verdict.outcome == "malformed",
            "low",
        ),
        _share(
            "invented",
            "invented",
            "of the values that must be copied from the conversation: not in it",
            lambda v: (len(v.invented), v.copied),
            "low",
        ),
        _rate(
            "inventing",
            "answers that invent",
            "of answers with a value that must be copied: at least one is not in the conversation",
            lambda i: bool(i.verdict.invented) if i.verdict.copied else None,
            "low",
        ),
        _share(
            "unfounded",
            "unfounded",
            "of the other values (units, sex, sections) in calls of a wanted tool: neither said nor wanted",
            lambda v: (len(v.unfounded), v.choices),
            "low",
        ),
        _rate(
            "tenfold",
            "tenfold",
            "of answers with a number where one was wanted: a number is a power of ten off, in the same unit",
            lambda i: bool(i.verdict.tenfold) if i.verdict.numbers else None,
            "low",
        ),
        _mean(
            "extra_calls",
            "extra calls",
            "calls too many, per turn that wants calls",
            "",
            lambda i: _calls_wanted(i, lambda v: v.extra),
        ),
        _mean(
            "lost_calls",
            "lost calls",
            "calls too few, per turn that wants calls",
            "",
            lambda i: _calls_wanted(i, lambda v: v.lost),
        ),
        _rate(
            "ast",
            "BFCL AST",
            "of turns that want calls: right by the Berkeley leaderboard's laxer rules (secondary)",
            lambda i: i.verdict.ast,
        ),
        Metric(
            name="mass",
            title="valid mass",
            meaning="of the model's own probability inside calls: on what is legal, mean over tokens",
            of=lambda i: _in_calls(i, lambda t: t.mass),
        ),
        Metric(
            name="intervention",
            title="mask intervenes",
            meaning="of the tokens inside calls: the model's first choice was illegal",
            of=lambda i: _in_calls(i, lambda t: t.overruled),
            better="low",
        ),
        _mean(
            "tokens",
            "tokens per call",
            "tokens of answers that call, per call",
            "",
            lambda i: _per_call(i, len(i.trace.tokens)),
        ),
        _mean(
            "milliseconds",
            "ms per call",
            "milliseconds of answers that call, per call",
            "ms",
            lambda i: _per_call(i, 1000 * i.trace.seconds),
        ),
        _mean(
            "passes",
            "passes per call",
            "forward passes of answers that call, per call",
            "",
            lambda i: _per_call(i, i.trace.forward_passes),
        ),
        _mean(
            "answer_tokens", "tokens per answer", "tokens per answer", "", lambda i: _per_answer(i, len(i.trace.tokens))
        ),
        _mean(
            "answer_milliseconds",
            "ms per answer",
            "milliseconds per answer",
            "ms",
            lambda i: _per_answer(i, 1000 * i.trace.seconds),
        ),
        Metric(
            name="forced",
            title="forced tokens",
            meaning="of all tokens: written without asking the model",
            better="",
            of=lambda i: (
                (sum(t.origin == "forced" for t in i.trace.tokens), len(i.trace.tokens)) if i.trace.tokens else None
            ),
        ),
    )
}


@dataclass(frozen=True)
class Scores:
    """A responder's judged turns, and what they add up to. Groups: "all", "split:NAME", "kind:NAME"."""

    name: str
    items: Sequence[Item]
    note: str = ""

    @cached_property
    def groups(self) -> Mapping[str, Sequence[Item]]:
        """The turns of each group, "all" first, then the splits and kinds in the order in which they first come up."""
        found: dict[str, list[Item]] = {"all": list(self.items)}
        for prefix in ("split", "kind"):
            for item in self.items:
                name = item.turn.example.split if prefix == "split" else item.turn.family
                found.setdefault(f"{prefix}:{name}", []).append(item)
        return found

    @cached_property
    def _made(self) -> dict[tuple[str, str], Estimate]:
        return {}

    def get(self, metric: str, group: str = "all") -> Estimate:
        """One metric over one group; n is 0 where its question never arises."""
        if (metric, group) not in self._made:
            self._made[metric, group] = estimate(METRICS[metric], self.groups.get(group, ()))
        return self._made[metric, group]

    @property
    def dialogues(self) -> Estimate:
        """Of all dialogues: every turn right."""
        return _dialogues(self.items)

    def as_json(self) -> dict[str, Any]:
        """Every metric that was asked, in every group."""
        return {
            "name": self.name,
            "note": self.note,
            "groups": {
                group: {name: e.as_json() for name in METRICS if (e := self.get(name, group)).n}
                for group in self.groups
            },
            "dialogues": self.dialogues.as_json(),
        }


def estimate(metric: Metric, items: Iterable[Item]) -> Estimate:
    """A metric over some turns; the turns of one dialogue are one draw."""
    sums: dict[tuple[str, str], Part] = {}
    for item in items:
        part = metric.of(item)
        if part is not None:
            key = (item.turn.example.split, item.turn.example.id)
            before = sums.get(key, (0.0, 0.0))
            sums[key] = (before[0] + part[0], before[1] + part[1])
    if metric.rate:
        return wilson(sum(a for a, _ in sums.values()), sum(b for _, b in sums.values()), len(sums))
    return bootstrap(list(sums.values()), share=metric.unit == "%")


def _dialogues(items: Iterable[Item]) -> Estimate:
    right: dict[tuple[str, str], bool] = {}
    for item in items:
        key = (item.turn.example.split, item.turn.example.id)
        right[key] = right.get(key, True) and item.verdict.right
    return wilson(sum(right.values()), len(right))


def evaluate(
    name: str,
    respond: Responder,
    turns: Sequence[Turn],
    judge: Judge,
    answers: Answers | None = None,
    progress: Progress = lambda done, total, note: None,
    note: str = "",
) -> Scores:
    """Ask `respond` every turn and judge what it says. Turns that `answers` holds are not asked again.

    Raises NothingToScore when there are no turns.
    """
    if not turns:
        raise NothingToScore("no examples to score; build some with `medcall examples -o dialogues`")
    items: list[Item] = []
    for done, turn in enumerate(turns):
        progress(done, len(turns), name)
        trace = answers.known.get(turn.key) if answers else None
        if trace is None:
            trace = answer(respond, turn)
            if answers is not None:
                answers.put(turn.key, trace)
        items.append(Item(turn=turn, trace=trace, verdict=judge(turn, trace)))
    progress(len(turns), len(turns), name)
    return Scores(name, items, note)


def answer(respond: Responder, turn: Turn) -> Trace:
    """What the responder says; a conversation that does not fit its context is an answer that is wrong."""
    try:
        return respond(turn.prompt)
    except PromptTooLong as error:
        return Trace(reply=Reply(outcome="malformed", reason=f"no room: {error}"))
