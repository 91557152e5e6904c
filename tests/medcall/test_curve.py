"""The picture of a run holds its points, and an empty log makes no picture."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from medcall.curve import write_curve

LOG = [{"step": s, "loss": 10.0 / s, "held_out_loss": 9.0 if s == 4 else None} for s in range(1, 5)]


def test_each_point_of_the_log_is_drawn_lower_losses_lower(tmp_path: Path) -> None:
    write_curve(tmp_path / "curve.svg", LOG, "a run")
    root = ElementTree.parse(tmp_path / "curve.svg").getroot()
    train, held_out = (line.attrib["points"].split() for line in root.iter() if line.tag.endswith("polyline"))
    heights = [float(point.split(",")[1]) for point in train]
    assert len(train) == 4 and heights == sorted(heights)  # SVG counts downwards
    assert len(held_out) == 1
    assert re.search("a run", (tmp_path / "curve.svg").read_text())


def test_a_run_without_steps_has_no_picture(tmp_path: Path) -> None:
    write_curve(tmp_path / "curve.svg", [], "nothing")
    assert list(tmp_path.iterdir()) == []


def test_a_png_lies_beside_it_where_matplotlib_is_installed(tmp_path: Path) -> None:
    image = pytest.importorskip("matplotlib.image")
    write_curve(tmp_path / "curve.svg", LOG, "a run")
    pixels = image.imread(tmp_path / "curve.png")[..., :3]
    assert pixels.shape == (360, 720, 3)
    for colour in ((0x2A, 0x6F, 0x97), (0xC1, 0x44, 0x0E)):
        near = abs(pixels * 255 - colour).max(axis=-1) < 3
        assert near.sum() > 20, "both curves are drawn"
