"""The text of a PDF page as a parser sees it: lines of glyphs and ruled strokes, before anyone has read it.

Coordinates are points from the top left corner of the page; y grows downwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    def overlap_x(self, other: "Box") -> float:
        """Length shared along x; negative is the gap between the two."""
        return min(self.right, other.right) - max(self.left, other.left)

    def overlap_y(self, other: "Box") -> float:
        """Length shared along y; negative is the gap between the two."""
        return min(self.bottom, other.bottom) - max(self.top, other.top)

    def holds(self, other: "Box", slack: float = 1.0) -> bool:
        """Whether the middle of the other box lies inside this one."""
        x = (other.left + other.right) / 2
        inside_x = self.left - slack <= x <= self.right + slack
        return inside_x and self.top - slack <= other.middle <= self.bottom + slack


def union(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of them; there must be at least one."""
    left, top, right, bottom = zip(*((box.left, box.top, box.right, box.bottom) for box in boxes), strict=True)
    return Box(min(left), min(top), max(right), max(bottom))


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class Line:
    """A run of text on one baseline in one font. `upright` is false for rotated text.

    `words` are kept only on pages that may hold a table, where a parser's line may run over two narrow cells.
    """

    text: str
    box: Box
    font: str
    upright: bool = True
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its number from 1, its size in points, its lines and its horizontal and vertical strokes."""

    number: int
    width: float
    height: float
    lines: tuple[Line, ...]
    rules: tuple[Box, ...] = ()
    pictures: int = 0
