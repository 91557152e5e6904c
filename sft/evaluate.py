"""Scores of a responder over examples: rates with 95 % intervals, per split and over all.

A rate is `Rate(hits, n)`: a verdict that does not ask the question (None) is not in its n. The interval is
Wilson's (JASA 1927;22:209), which stays inside 0..1 and does not vanish at 0 of n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from data.conversation import Example
from sft.errors import NothingToScore
from sft.judge import Judge, Verdict, question
from sft.trace import Responder, Trace

METRICS: Mapping[str, str] = {
    "schema_valid": "of answers that tried to call: every call is JSON of its tool's schema",
    "right_tool": "of requests that want a call: exactly the wanted tools were called",
    "exact": "of requests that want a call: tools and every argument right, types included",
    "same_result": "of requests that want a call: running the calls gives the wanted results",
    "abstained": "of requests that want none: answered in plain text",
    "asked": "of requests that lack something required: answered with a question",
    "grounded": "of answers that call: no value that is not in the conversation",
    "no_tenfold": "of answers that call: no number off by a factor of ten",
}


@dataclass(frozen=True)
class Rate:
    """A proportion with its 95 % Wilson interval."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        return self.hits / self.n if self.n else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        if not self.n:
            return (math.nan, math.nan)
        z, n, p = 1.959964, self.n, self.value
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (max(0.0, centre - half), min(1.0, centre + half))

    def __str__(self) -> str:
        if not self.n:
            return "–"
        low, high = self.interval
        return f"{100 * self.value:.0f} % [{100 * low:.0f}–{100 * high:.0f}]"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One example, the answer it got, and the verdict."""

    example: Example
    trace: Trace
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Scores:
    """A responder's scores: `rates[split][metric]`, with the split "all" over everything, and mean costs per answer."""

    name: str
    rates: Mapping[str, Mapping[str, Rate]]
    costs: Mapping[str, float]
    items: Sequence[Item]

    def as_json(self) -> dict[str, Any]:
        rates = {
            split: {name: {**asdict(rate), "value": _json(rate.value)} for name, rate in row.items()}
            for split, row in self.rates.items()
        }
        return {"name": self.name, "rates": rates, "costs": dict(self.costs)}


def evaluate(
    name: str,
    respond: Responder,
    examples: Sequence[Example],
    judge: Judge,
    progress: Callable[[int, int | None, str], None] = lambda done, total, note: None,
) -> Scores:
    """Ask `respond` every example and judge what it says.

    Raises NothingToScore when there are no examples.
    """
    if not examples:
        raise NothingToScore("no examples to score; build some with `medcall examples -o dialogues`")
    items: list[Item] = []
    for done, example in enumerate(examples):
        progress(done, len(examples), name)
        trace = respond(question(example)[0])
        items.append(Item(example=example, trace=trace, verdict=judge(example, trace)))
    progress(len(examples), len(examples), name)
    splits = sorted({item.example.split for item in items})
    groups = {"all": items} | {split: [i for i in items if i.example.split == split] for split in splits}
    return Scores(
        name=name,
        rates={split: _rates(item.verdict for item in group) for split, group in groups.items()},
        costs=_costs([item.trace for item in items]),
        items=items,
    )


def _rates(verdicts: Iterable[Verdict]) -> dict[str, Rate]:
    answers: dict[str, list[bool]] = {name: [] for name in METRICS}
    for verdict in verdicts:
        for name in ("schema_valid", "right_tool", "exact", "same_result", "abstained", "asked"):
            value = getattr(verdict, name)
            if value is not None:
                answers[name].append(value)
        if verdict.outcome == "calls":
            answers["grounded"].append(not verdict.invented)
            answers["no_tenfold"].append(not verdict.tenfold)
    return {name: Rate(sum(values), len(values)) for name, values in answers.items()}


def _costs(traces: Sequence[Trace]) -> dict[str, float]:
    tokens = sum(len(t.tokens) for t in traces)
    forced = sum(token.origin == "forced" for t in traces for token in t.tokens)
    seconds = sum(t.seconds for t in traces)
    return {
        "tokens_per_answer": tokens / len(traces),
        "forced_share": forced / tokens if tokens else 0.0,
        "forward_passes_per_answer": sum(t.forward_passes for t in traces) / len(traces),
        "ms_per_answer": 1000 * seconds / len(traces),
    }


def _json(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
