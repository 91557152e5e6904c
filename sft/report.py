"""An evaluation as files: report.json for programs, report.md for a repository, report.html to look into, items.jsonl
with every judged answer. docs/evaluation.md describes them; docs/report.schema.json holds report.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sft.evaluate import METRICS, Item, Scores
from sft.html import page
from sft.interval import Estimate

NOTICE: Final = "Research software, not clinical advice. The patients are synthetic."
FORMAT: Final = 2
HEADLINE: Final = (
    *("right", "exact", "same_result", "abstained", "asked", "answered", "valid", "invented", "tenfold", "ast"),
    *("mass", "intervention", "tokens", "milliseconds"),
)
"""The columns of the first table; the other metrics are in report.json."""


def write_report(folder: Path, scores: Sequence[Scores], about: Mapping[str, Any]) -> None:
    """Write report.json, report.md, report.html and items.jsonl. `about`: what was measured, on what, when."""
    result = {
        "format": FORMAT,
        "notice": NOTICE,
        "about": dict(about),
        "metrics": {
            m.name: {
                "title": m.title,
                "meaning": m.meaning,
                "better": m.better,
                "unit": m.unit,
                "interval": "wilson" if m.rate else "bootstrap",
            }
            for m in METRICS.values()
        },
        "scores": [s.as_json() for s in scores],
    }
    _write(folder / "report.json", json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    _write(folder / "report.md", markdown(scores, about))
    _write(folder / "report.html", page(scores, about, NOTICE, table(scores)))
    _write(folder / "items.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(scores)))


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "replace"))  # JSON can spell half characters, UTF-8 cannot


def rows(scores: Sequence[Scores]) -> Iterator[dict[str, Any]]:
    """One row of items.jsonl for every judged answer."""
    for s in scores:
        for item in s.items:
            yield {"responder": s.name, **_row(item)}


def _row(item: Item) -> dict[str, Any]:
    turn, verdict = item.turn, item.verdict
    return {
        "key": turn.key,
        "split": turn.example.split,
        "kind": turn.example.kind,
        "want": turn.want,
        "wanted": [call.to_json() for call in turn.wanted],
        "wanted_text": turn.text,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "right": verdict.right,
        "errors": list(verdict.errors),
        "exact": verdict.exact,
        "same_result": verdict.same_result,
        "ast": verdict.ast,
        "invented": list(verdict.invented),
        "unfounded": list(verdict.unfounded),
        "tenfold": list(verdict.tenfold),
        "extra": verdict.extra,
        "lost": verdict.lost,
        "calls": [call.to_json() for call in item.trace.reply.calls],
        "answer": item.trace.reply.text,
        "tokens": len(item.trace.tokens),
        "forward_passes": item.trace.forward_passes,
        "seconds": round(item.trace.seconds, 5),
    }


def shown(estimate: Estimate, unit: str = "%") -> str:
    """An estimate for people: `83 % [79–86]`, `41.2 ms [39.0–44.1]`, or a dash."""
    if not estimate.n:
        return "–"
    scale = 100.0 if unit == "%" else 1.0
    digits = _digits(scale * estimate.value, scale * estimate.low, scale * estimate.high, unit)
    value, low, high = (f"{scale * x:.{digits}f}" for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} {unit} [{low}–{high}]".replace("  ", " ")


def _digits(value: float, low: float, high: float, unit: str) -> int:
    """As many digits as the interval deserves."""
    if unit == "%":
        return 1 if high - low < 5 and high > low else 0
    return 0 if value >= 100 else 2 if value and value < 1 else 1


def table(scores: Sequence[Scores], names: Sequence[str] = HEADLINE) -> tuple[list[str], list[list[str]]]:
    """Header and rows: one row a responder, one column a metric that was asked at least once."""
    asked = [METRICS[name] for name in names if any(s.get(name).n for s in scores)]
    arrows = {"high": " ↑", "low": " ↓", "": ""}
    header = ["", *(f"{m.title}{arrows[m.better]}" for m in asked)]
    return header, [[s.name, *(shown(s.get(m.name), m.unit) for m in asked)] for s in scores]


def by_group(scores: Sequence[Scores], metric: str, prefix: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of one metric: one row a split or kind, one column a responder."""
    groups = [g for g in scores[0].groups if g.startswith(f"{prefix}:") and any(s.get(metric, g).n for s in scores)]
    return [prefix, "turns", *(s.name for s in scores)], [
        [
            group.split(":", 1)[1],
            f"{max(s.get(metric, group).n for s in scores):.0f}",
            *(shown(s.get(metric, group), METRICS[metric].unit) for s in scores),
        ]
        for group in groups
    ]


def where_rules_win(scores: Sequence[Scores]) -> str:
    """One sentence on where the hand-written rules do better than the best of the models' rows."""
    rules = next((s for s in scores if s.name == "extractor"), None)
    models = [s for s in scores if any(item.trace.tokens for item in s.items)]
    if rules is None or not models:
        return ""
    wins = []
    for group in (g for g in rules.groups if g.startswith("split:")):
        ours, best = rules.get("right", group), max((s.get("right", group) for s in models), key=lambda e: e.value)
        if ours.value > best.value:
            sure = ", beyond chance" if ours.low > best.high else ""
            wins.append(f"{group[6:]} ({100 * ours.value:.0f} % against {100 * best.value:.0f} %{sure})")
    where = ", ".join(wins) if wins else "no split"
    return f"Turns right, hand-written rules (*extractor*) ahead of the model's best mode: {where}."


def markdown(scores: Sequence[Scores], about: Mapping[str, Any]) -> str:
    """The report as Markdown: what was measured, the scores, the main ones by split and by kind."""
    parts = ["# Evaluation", NOTICE, "\n".join(f"- {name}: {value}" for name, value in about.items())]
    parts += ["## Scores", _markdown_table(*table(scores)), where_rules_win(scores)]
    parts.append(
        "95 % intervals in brackets: Wilson's for proportions of answers, a bootstrap over dialogues for all else. ↑"
        " more is better, ↓ less is. BFCL AST is the Berkeley leaderboard's laxer score, for comparison only."
    )
    parts.append("\n".join(f"- **{METRICS[name].title}**: {METRICS[name].meaning}" for name in HEADLINE))
    notes = [f"- *{s.name}*: {s.note}" for s in scores if s.note]
    parts += ["\n".join(notes)] if notes else []
    for metric, prefix, title in (
        ("right", "split", "Right, by split"),
        ("exact", "split", "Exact calls, by split"),
        ("right", "kind", "Right, by kind of dialogue"),
    ):
        header, lines = by_group(scores, metric, prefix)
        if lines:
            parts += [f"## {title}", _markdown_table(header, lines)]
    if any(e.n != s.get("right").n for s in scores if (e := s.dialogues)):
        whole = "; ".join(f"{s.name} {shown(s.dialogues)}" for s in scores)
        parts.append(f"Whole dialogues right (every turn, each after the true history): {whole}.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    everything = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in everything)
