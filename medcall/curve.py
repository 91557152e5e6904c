"""A training run's loss as a picture: SVG, written by hand, so that a run folder shows its curve without any tool."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 360, 56, 16, 28, 40
Points = Sequence[tuple[float, float]]


def write_curve(path: Path, log: Sequence[Mapping[str, Any]], title: str) -> None:
    """Draw the lines of a `gpt2.JsonLog`: training loss, and held-out loss where it was scored; nats per token.

    Where matplotlib is installed, the same as PNG beside it. Nothing is written for a log without lines.
    """
    train = [(float(line["step"]), float(line["loss"])) for line in log]
    held_out = [(float(line["step"]), float(line["held_out_loss"])) for line in log if line.get("held_out_loss")]
    if train:
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(svg(train, held_out, title), "utf-8")
        partial.replace(path)
        if importlib.util.find_spec("matplotlib"):
            write_png(path.with_suffix(".png"), train, held_out, title)


def write_png(path: Path, train: Points, held_out: Points, title: str) -> None:
    """Both curves as matplotlib draws them, for places that show no SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, layout="tight")
    axes = figure.subplots()
    for points, colour, name in ((train, "#2a6f97", "training loss"), (held_out, "#c1440e", "held-out loss")):
        if points:
            axes.plot(*zip(*points, strict=True), color=colour, label=name)
    axes.set(title=title, xlabel="optimizer updates", ylabel="nats per token")
    axes.grid(color="#ddd")
    axes.legend()
    partial = path.with_name(f".{path.name}.partial")
    figure.savefig(partial, format="png")
    partial.replace(path)


def svg(train: Points, held_out: Points, title: str) -> str:
    """Both curves with axes, as the text of an SVG file."""
    last = max(step for step, _ in train)
    losses = [loss for _, loss in (*train, *held_out)]
    low, high = min(losses), max(losses)
    span = (high - low) or 1.0

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / last

    def y(loss: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - loss) / span

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/><g font-family="sans-serif" font-size="12">',
        f'<text x="{LEFT}" y="16">{title}</text>',
    ]
    for i in range(5):
        loss, step = low + span * i / 4, last * i / 4
        parts.append(f'<path d="M{LEFT} {y(loss):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(loss) + 4:.1f}" text-anchor="end">{loss:.2f}</text>')
        parts.append(f'<text x="{x(step):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{step:.0f}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">optimizer updates</text>')
    for points, colour, name, place in (
        (train, "#2a6f97", "training loss", 200),
        (held_out, "#c1440e", "held-out loss", 90),
    ):
        if points:
            line = " ".join(f"{x(step):.1f},{y(loss):.1f}" for step, loss in points)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
            parts.append(f'<text x="{WIDTH - RIGHT - place}" y="16" fill="{colour}">{name}</text>')
    return "\n".join([*parts, "</g></svg>"]) + "\n"
