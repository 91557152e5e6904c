"""The page of an evaluation: tables, plots, and wrong answers to read, in one file that loads nothing.

The tokens of an answer are coloured by how they came about, and underlined in red by how much of the model's own
probability the mask took away there.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from data.tokenizer import load_tokenizer
from data.wire import call_json
from sft.evaluate import METRICS, Item, Scores
from sft.plot import dots
from sft.trace import Token
from sft.turns import WANTS

SHOWN = 12
"""Wrong answers shown of each kind of error of each responder."""
COLOURS: Final = {
    "always abstain": "var(--c0)",
    "majority tool": "var(--c1)",
    "extractor": "var(--c2)",
    "free": "var(--c3)",
    "constrained": "var(--c4)",
    "grounded": "var(--c5)",
}
WANTED: Final = {
    "calls": "calls wanted",
    "ask": "a question wanted",
    "words": "words wanted",
    "answer": "the result wanted",
}
BROKEN: Final = "\N{REPLACEMENT CHARACTER}"
Table = tuple[Sequence[str], Sequence[Sequence[str]]]


def page(scores: Sequence[Scores], about: Mapping[str, Any], notice: str, headline: Table) -> str:
    """The report as one HTML page. `headline`: header and rows of the first table."""
    facts = "".join(f"<dt>{_e(k)}</dt><dd>{_e(str(v))}</dd>" for k, v in about.items())
    body = [f"<header><h1>Evaluation</h1><p class=notice>{_e(notice)}</p><dl>{facts}</dl></header>"]
    body += ["<section><h2>Scores</h2>", _table(*headline), _notes(scores), _meanings(), "</section>"]
    for metric, prefix, title in (
        ("right", "split", "Right, by split"),
        ("exact", "split", "Exact calls, by split"),
        ("right", "kind", "Right, by kind of dialogue"),
    ):
        body.append(_plot(scores, metric, prefix, title))
    body.append(_outcomes(scores))
    body.append(_failures(scores))
    head = (
        '<meta charset=utf-8><meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>medcall evaluation</title><style>{_STYLE}</style>"
    )
    return f"<!doctype html><html lang=en><head>{head}</head><body>{''.join(body)}</body></html>\n"


def _e(text: str) -> str:
    return html.escape(text)


def colour(name: str) -> str:
    """The CSS colour of a responder."""
    return COLOURS.get(name, "var(--c5)")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Estimates `83 % [79–86]` are set in two lines."""

    def cell(text: str) -> str:
        value, bracket, interval = text.partition(" [")
        return f"<td>{_e(value)}" + (f"<small>{_e(interval[:-1])}</small>" if bracket else "") + "</td>"

    head = "".join(f"<th>{_e(text)}</th>" for text in header)
    body = "".join(f"<tr><th>{_swatch(row[0])}{_e(row[0])}</th>{''.join(map(cell, row[1:]))}</tr>" for row in rows)
    return f"<div class=scroll><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _swatch(name: str) -> str:
    return f'<i class=dot style="color:{colour(name)}"></i>' if name in COLOURS else ""


def _notes(scores: Sequence[Scores]) -> str:
    notes = "".join(f"<li><b>{_e(s.name)}</b>: {_e(s.note)}</li>" for s in scores if s.note)
    return f"<ul class=small>{notes}</ul>" if notes else ""


def _meanings() -> str:
    lines = "".join(f"<dt>{_e(m.title)}</dt><dd>{_e(m.meaning)}</dd>" for m in METRICS.values())
    return (
        "<p class=small>Small print: 95 % intervals; Wilson's for proportions of answers, a bootstrap over dialogues"
        " for all else. ↑ more is better, ↓ less is.</p>"
        f"<details><summary>What each number means</summary><dl class=meanings>{lines}</dl></details>"
    )


def _plot(scores: Sequence[Scores], metric: str, prefix: str, title: str) -> str:
    drawn = [s for s in scores if s.get(metric).value > 0]
    groups = [g for g in scores[0].groups if g.startswith(f"{prefix}:") and any(s.get(metric, g).n for s in drawn)]
    if not groups:
        return ""
    rows = [(g.split(":", 1)[1], [(s.name, colour(s.name), s.get(metric, g)) for s in drawn]) for g in groups]
    legend = "".join(f"<span>{_swatch(s.name)}{_e(s.name)}</span>" for s in drawn)
    left_out = [s.name for s in scores if s not in drawn]
    zero = f"<span class=small>0 % everywhere: {_e(', '.join(left_out))}</span>" if left_out else ""
    return f"<section><h2>{_e(title)}</h2><p class=legend>{legend}{zero}</p>{dots(rows, title)}</section>"


def _outcomes(scores: Sequence[Scores]) -> str:
    """How answers came out, for each thing wanted: shares of valid calls, words and malformed text."""
    wants = [want for want in WANTS if any(i.verdict.want == want for i in scores[0].items)]
    head = "".join(f"<th>{WANTED[want]}</th>" for want in wants)
    rows = []
    for s in scores:
        cells = []
        for want in wants:
            found = [i.verdict.outcome for i in s.items if i.verdict.want == want]
            share = {name: 100 * found.count(name) / len(found) for name in ("valid", "none", "malformed")}
            bar = "".join(f'<i class="o-{name}" style="width:{x:.2f}%"></i>' for name, x in share.items())
            tip = (
                f"{share['valid']:.0f} % valid calls, {share['none']:.0f} % words, {share['malformed']:.0f} % malformed"
            )
            cells.append(f'<td title="{tip}"><div class=bar>{bar}</div><small>{tip}</small></td>')
        rows.append(f"<tr><th>{_swatch(s.name)}{_e(s.name)}</th>{''.join(cells)}</tr>")
    key = "".join(
        f'<span><i class="key o-{name}"></i>{text}</span>'
        for name, text in (("valid", "valid calls"), ("none", "words, no call"), ("malformed", "malformed"))
    )
    return (
        f"<section><h2>Three outcomes</h2><p class=legend>{key}</p><div class=scroll><table class=outcomes>"
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _failures(scores: Sequence[Scores]) -> str:
    parts = ["<section><h2>Wrong answers</h2>", _LEGEND]
    for s in scores:
        kinds: dict[str, list[Item]] = {}
        for item in s.items:
            if not item.verdict.right:
                kinds.setdefault(item.verdict.errors[0], []).append(item)
        wrong = sum(map(len, kinds.values()))
        parts.append(f"<h3>{_swatch(s.name)}{_e(s.name)}: {wrong:,} of {len(s.items):,} turns</h3>")
        if not any(item.trace.tokens for item in s.items) and s.name != "extractor":
            continue  # what a constant answer gets wrong is no reading
        for kind, items in sorted(kinds.items(), key=lambda pair: -len(pair[1])):
            more = f" <span class=small>({SHOWN} shown; all in items.jsonl)</span>" if len(items) > SHOWN else ""
            parts.append(f"<details><summary>{_e(kind)} <b>{len(items):,}</b>{more}</summary>")
            parts += [_item(item) for item in _spread(items)]
            parts.append("</details>")
        right = [item for item in s.items if item.verdict.right and item.trace.tokens]
        if right:
            parts.append(f"<details><summary>right <b>{len(right):,}</b> <span class=small>(some)</span></summary>")
            parts += [_item(item) for item in _spread(right)[:6]] + ["</details>"]
    return "".join([*parts, "</section>"])


def _spread(items: Sequence[Item]) -> list[Item]:
    """At most `SHOWN` items from all over the list."""
    step = max(1, len(items) // SHOWN)
    return list(items[::step][:SHOWN])


def _item(item: Item) -> str:
    turn, verdict = item.turn, item.verdict
    said = "".join(
        f"<p class=said><b>{m.role}</b> {_e(m.content) or _e(' '.join(map(call_json, m.calls)))}</p>"
        for m in turn.prompt.messages
    )
    wanted = "\n".join(_e(call_json(call)) for call in turn.wanted) or f"<em>{_e(turn.text)}</em>"
    answer = "".join(map(_token, _whole(item.trace.tokens))) or _e(item.trace.reply.text) or "<em>nothing</em>"
    notes = [*verdict.errors, verdict.reason, *(f"invented {p}" for p in verdict.invented)]
    notes += [f"unfounded {p}" for p in verdict.unfounded] + [f"tenfold {p}" for p in verdict.tenfold]
    notes += ["same result"] if verdict.same_result and not verdict.exact else []
    label = f"{turn.key} · {turn.example.kind} · " + "; ".join(dict.fromkeys(filter(None, notes)))
    return (
        f"<article><p class=small>{_e(label)}</p>{said}"
        f"<div class=pair><span>wanted</span><pre>{wanted}</pre><span>wrote</span><pre>{answer}</pre></div></article>"
    )


def _whole(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens, with those put together that share a character between them."""
    parts: list[Token] = []
    for token in tokens:
        parts.append(token)
        text = token.text if len(parts) == 1 else load_tokenizer().decode([part.id for part in parts])
        if BROKEN in text and len(parts) < 4 and min(part.id for part in parts) >= 0:
            continue
        yield replace(token, text=text)
        parts = []
    yield from parts


def _token(token: Token) -> str:
    if token.mass is None:
        return f"<span class={token.origin}>{_e(token.text)}</span>"
    removed = 1 - token.mass
    tip = f"{token.origin}; the mask took {100 * removed:.1f} % of the model's probability"
    tip += "; its first choice was illegal" if token.overruled else ""
    width = "" if removed < 0.02 else f' style="--r:{removed:.2f}"'
    kind = f"{token.origin} cut" if width else token.origin
    return f'<span class="{kind}" title="{tip}"{width}>{_e(token.text)}</span>'


_LEGEND = (
    "<p class=legend><span><i class='key forced'></i>forced: the only legal token</span>"
    "<span><i class='key narrowed'></i>narrowed: chosen among some</span>"
    "<span><i class='key free'></i>free: chosen among all</span>"
    "<span><u class=sample>underlined</u> the more red, the more of the model's own probability the mask took away"
    " (hover for the figure)</span></p>"
)
_STYLE = """
:root { color-scheme: light dark; --bg: #ffffff; --fg: #1d2126; --dim: #626b76; --line: #d8dde3; --card: #f7f8fa;
  --warn: #fff3d1; --warnfg: #594300; --forced: #dfe5ec; --narrowed: #cfe3ff; --free: #ffe0d3; --cut: #d01f1f;
  --c0: #9aa3ad; --c1: #5c6670; --c2: #c26a00; --c3: #c22f5b; --c4: #2f6fd6; --c5: #0b8a5f;
  --ok: #0b8a5f; --words: #7f8fb5; --bad: #c22f5b }
@media (prefers-color-scheme: dark) { :root { --bg: #14171b; --fg: #e4e8ec; --dim: #98a2ae; --line: #323941;
  --card: #1b2026; --warn: #3b3112; --warnfg: #f3dd9c; --forced: #333c47; --narrowed: #1d3d68; --free: #5a2f22;
  --cut: #ff6b6b; --c0: #78828d; --c1: #aab4bf; --c2: #f0a03c; --c3: #f0688f; --c4: #6ea6ff; --c5: #3cc492;
  --ok: #3cc492; --words: #7f8fb5; --bad: #f0688f } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; background: var(--bg); color: var(--fg); max-width: 76rem;
  margin: 0 auto; padding: 1.5rem 1.2rem 4rem }
h1 { font-size: 1.7rem; margin: 0 0 .6rem } h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem }
.notice { background: var(--warn); color: var(--warnfg); padding: .5rem .8rem; border-radius: 6px; margin: 0 0 1rem }
header dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; font-size: 14px }
dt { color: var(--dim) } dd { margin: 0 }
.meanings { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; font-size: 14px }
.small, small { color: var(--dim); font-size: 12.5px }
td small { display: block; font-size: 11.5px; white-space: nowrap }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .7rem .35rem 0; text-align: left; vertical-align: top }
thead th { font-weight: 600; font-size: 12.5px; color: var(--dim); line-height: 1.25; vertical-align: bottom }
tbody th { font-weight: 600; white-space: nowrap } td { white-space: nowrap }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; background: currentColor;
  margin-right: .45em }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: 13.5px; margin: .2rem 0 .6rem }
svg { width: 100%; height: auto; max-width: 60rem; display: block } svg text { fill: var(--fg); font-size: 13px }
svg .tick, svg .value { font-size: 11px } svg .tick { fill: var(--dim) } svg .value { fill: currentColor }
svg .grid { stroke: var(--line) } svg .row { stroke: var(--line); stroke-dasharray: 2 3 }
svg .whisker { stroke: currentColor; stroke-width: 2; opacity: .55 } svg circle { fill: currentColor }
.outcomes td { min-width: 11rem }
.bar { display: flex; height: .8rem; border-radius: 3px; overflow: hidden; background: var(--card) }
.bar i { display: block } .o-valid { background: var(--ok) }
.o-none { background: var(--words) } .o-malformed { background: var(--bad) }
.key { display: inline-block; width: .9em; height: .9em; border-radius: 3px; margin-right: .4em; vertical-align: -1px }
details { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; padding: 0 .8rem; background: var(--bg) }
summary { cursor: pointer; padding: .4rem 0 } details[open] summary { border-bottom: 1px solid var(--line) }
article { background: var(--card); border-radius: 6px; margin: .8rem 0; padding: .5rem .9rem; overflow-wrap: anywhere }
article p { margin: .15rem 0 } .said { white-space: pre-wrap; max-height: 14rem; overflow-y: auto }
.said b { color: var(--dim); font-weight: 600; margin-right: .3rem }
.pair { display: grid; grid-template-columns: 4.2rem 1fr; gap: .2rem .4rem; margin-top: .4rem; align-items: baseline }
.pair > span { color: var(--dim); font-size: 12.5px }
pre { white-space: pre-wrap; margin: 0; font: 13px/1.75 ui-monospace, "DejaVu Sans Mono", monospace }
.forced { background: var(--forced) } .narrowed { background: var(--narrowed) } .free { background: var(--free) }
pre span { border-radius: 2px }
.cut { border-bottom: 3px solid color-mix(in srgb, var(--cut) calc(var(--r) * 100%), transparent) }
.sample { text-decoration: none; border-bottom: 3px solid var(--cut) }
"""
