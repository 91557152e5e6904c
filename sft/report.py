"""An evaluation as three files: report.json for programs, report.md for a repository, report.html to look into.

The HTML page needs nothing from outside itself. It lists wrong answers beside what was wanted, the tokens of
each coloured by how they came about: forced (the only legal one), narrowed (chosen among some), free.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from data.wire import call_json
from sft.evaluate import METRICS, Item, Scores
from sft.judge import Verdict, question

NOTICE = "Research software, not clinical advice. The patients are synthetic."
SHOWN_FAILURES = 40


def write_report(folder: Path, scores: Sequence[Scores], about: Mapping[str, Any]) -> None:
    """Write report.json, report.md and report.html into a folder. `about`: what was measured, on what, when."""
    result = {
        "about": dict(about),
        "scores": [s.as_json() for s in scores],
        "items": [_item(s, i) for s in scores for i in s.items],
    }
    (folder / "report.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "report.md").write_text(markdown(scores, about), "utf-8")
    (folder / "report.html").write_text(page(scores, about), "utf-8")


def table(scores: Sequence[Scores], split: str = "all") -> tuple[list[str], list[list[str]]]:
    """Header and rows: one row a responder, one column a metric that was asked at least once."""
    metrics = [name for name in METRICS if any(s.rates[split][name].n for s in scores)]
    header = ["", *(name.replace("_", " ") for name in metrics), "ms per answer"]
    rows = [
        [
            s.name,
            *(str(s.rates[split][name]) for name in metrics),
            f"{s.costs['ms_per_answer']:.0f}" if s.costs["ms_per_answer"] >= 1 else "–",
        ]
        for s in scores
    ]
    return header, rows


def by_split(scores: Sequence[Scores], metric: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of one metric: one row a split, one column a responder."""
    splits = [split for split in scores[0].rates if split != "all" and any(s.rates[split][metric].n for s in scores)]
    return ["split", *(s.name for s in scores)], [
        [split, *(str(s.rates[split][metric]) for s in scores)] for split in splits
    ]


def markdown(scores: Sequence[Scores], about: Mapping[str, Any]) -> str:
    """The report as Markdown: what was measured, the scores, exact calls and abstention by split."""
    parts = ["# Evaluation", NOTICE, "\n".join(f"- {name}: {value}" for name, value in about.items())]
    parts += ["## Scores", "Rates with 95 % Wilson intervals.", _markdown_table(*table(scores))]
    parts.append("\n".join(f"- **{name.replace('_', ' ')}**: {text}" for name, text in METRICS.items()))
    for metric, title in (("exact", "Exact calls by split"), ("abstained", "Abstention by split")):
        header, rows = by_split(scores, metric)
        if rows:
            parts += [f"## {title}", _markdown_table(header, rows)]
    return "\n\n".join(parts) + "\n"


def page(scores: Sequence[Scores], about: Mapping[str, Any]) -> str:
    """The report as one HTML page."""
    facts = "".join(f"<li>{html.escape(str(k))}: {html.escape(str(v))}</li>" for k, v in about.items())
    meanings = "".join(
        f"<li><b>{name.replace('_', ' ')}</b>: {html.escape(text)}</li>" for name, text in METRICS.items()
    )
    body = [f"<h1>Evaluation</h1><p class=notice>{NOTICE}</p><ul>{facts}</ul><h2>Scores</h2>"]
    body += [_html_table(*table(scores)), f"<ul class=small>{meanings}</ul>"]
    for metric, title in (("exact", "Exact calls by split"), ("abstained", "Abstention by split")):
        header, rows = by_split(scores, metric)
        if rows:
            body.append(f"<h2>{title}</h2>{_html_table(header, rows)}")
    for s in scores:
        wrong = [item for item in s.items if not is_right(item.verdict)]
        body.append(f"<h2>{html.escape(s.name)}: {len(wrong)} of {len(s.items)} answers wrong</h2>")
        body += [_failure(item) for item in wrong[:SHOWN_FAILURES]]
        if len(wrong) > SHOWN_FAILURES:
            body.append(f"<p class=small>{len(wrong) - SHOWN_FAILURES} more in report.json</p>")
    head = f"<meta charset=utf-8><title>medcall evaluation</title><style>{_STYLE}</style>"
    return f"<!doctype html><html lang=en>{head}{''.join(body)}</html>\n"


def is_right(verdict: Verdict) -> bool:
    """Whether an answer is what the example wanted: its exact calls, or words where none was wanted."""
    return bool(verdict.exact if verdict.exact is not None else verdict.abstained)


def _item(scores: Scores, item: Item) -> dict[str, Any]:
    verdict = item.verdict
    return {
        "responder": scores.name,
        "id": item.example.id,
        "split": item.example.split,
        "kind": item.example.kind,
        "right": is_right(verdict),
        "outcome": verdict.outcome,
        "answer": item.trace.reply.text,
        "wanted": [call.to_json() for call in question(item.example)[1]],
        "invented": verdict.invented,
        "tenfold": verdict.tenfold,
    }


def _failure(item: Item) -> str:
    prompt, calls = question(item.example)
    asked = "".join(f"<p><b>{m.role}</b> {html.escape(m.content)}</p>" for m in prompt.messages if m.content)
    wanted = "<br>".join(html.escape(call_json(call)) for call in calls) or "<i>words, no call</i>"
    tokens = "".join(f"<span class={t.origin}>{html.escape(t.text)}</span>" for t in item.trace.tokens)
    answer = tokens or html.escape(item.trace.reply.text)
    notes = [item.verdict.outcome, item.trace.reply.reason, *(f"invented {p}" for p in item.verdict.invented)]
    notes += [f"tenfold {p}" for p in item.verdict.tenfold]
    note = html.escape("; ".join(filter(None, notes)))
    label = html.escape(f"{item.example.split} · {item.example.kind} · {note}")
    return (
        f"<div class=item><p class=small>{label}</p>{asked}<pre>wanted {wanted}</pre><pre>wrote  {answer}</pre></div>"
    )


def _markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _html_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1c1c1c }
table { border-collapse: collapse }
th, td { border-bottom: 1px solid #ccc; padding: .3rem .8rem .3rem 0; text-align: left }
.notice { background: #fff4d6; padding: .5rem .8rem } .small { color: #666; font-size: 13px }
.item { border: 1px solid #ddd; border-radius: 6px; padding: .2rem 1rem; margin: .8rem 0 }
pre { white-space: pre-wrap; font-size: 13px }
.forced { background: #dcefdc } .narrowed { background: #dbe8fb } .free { background: #fbe3db }
"""
