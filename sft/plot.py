"""Dots with their intervals as SVG that takes its colours from the page, so that it reads in the dark too."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sft.interval import Estimate

WIDTH, LABEL, RIGHT, LINE, GAP, TOP = 860, 190, 46, 13, 12, 26

Series = Sequence[tuple[str, str, Estimate]]
"""(name, CSS colour, estimate) of each dot of a row."""


def dots(rows: Sequence[tuple[str, Series]], title: str) -> str:
    """One group of lines for each row, one line for each dot, on an axis of 0 to 100 %."""
    height = TOP + sum(LINE * len(series) + GAP for _, series in rows) + 6
    span = WIDTH - LABEL - RIGHT

    def x(value: float) -> float:
        return round(LABEL + span * value, 1)

    parts = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">']
    for percent in range(0, 101, 20):
        at = x(percent / 100)
        parts.append(f'<line class="grid" x1="{at}" x2="{at}" y1="{TOP - 6}" y2="{height - 4}"/>')
        parts.append(f'<text class="tick" x="{at}" y="{TOP - 11}" text-anchor="middle">{percent} %</text>')
    y = float(TOP)
    for label, series in rows:
        middle = y + LINE * len(series) / 2
        parts.append(f'<text x="{LABEL - 14}" y="{middle + 4:.1f}" text-anchor="end">{escape(label)}</text>')
        for name, colour, e in series:
            at = y + LINE / 2
            if e.n:
                tip = f"{label}, {name}: {100 * e.value:.1f} % [{100 * e.low:.1f}–{100 * e.high:.1f}], n = {e.n:.0f}"
                parts.append(
                    f'<g style="color:{colour}"><title>{escape(tip)}</title>'
                    f'<line class="whisker" x1="{x(e.low)}" x2="{x(e.high)}" y1="{at}" y2="{at}"/>'
                    f'<circle cx="{x(e.value)}" cy="{at}" r="4"/>'
                    f'<text class="value" x="{WIDTH - RIGHT + 10}" y="{at + 4}">{100 * e.value:.0f}</text></g>'
                )
            y += LINE
        parts.append(f'<line class="row" x1="{LABEL}" x2="{WIDTH - RIGHT}" y1="{y + GAP / 2}" y2="{y + GAP / 2}"/>')
        y += GAP
    return "".join([*parts, "</svg>"])
