"""Reading order of the regions of one page: columns first, parted by whatever spans them.

Pages are set as bands: a title or a wide table across the page, then columns, then perhaps another wide piece. A gutter
is the vertical line that the fewest regions cross while text stands on both its sides; the regions that cross it part
the page into bands, and each band is read column by column. Columns are split again in the same way.
"""

import itertools
from collections.abc import Sequence

from data.extract.page import Box

_EDGE = 2.0  # points by which boxes may overlap a gutter without crossing it


def reading_order(boxes: Sequence[Box]) -> list[int]:
    """Indices of the boxes in the order a person reads them."""
    return _order(list(range(len(boxes))), boxes, depth=0)


def _order(indices: list[int], boxes: Sequence[Box], depth: int) -> list[int]:
    if len(indices) < 2 or depth > 8:
        return _top_down(indices, boxes)
    gutter = _gutter(indices, boxes)
    if gutter is None:
        return _top_down(indices, boxes)
    crossing = sorted(
        (index for index in indices if _crosses(boxes[index], gutter)), key=lambda index: boxes[index].top
    )
    rest = [index for index in indices if index not in crossing]
    ordered: list[int] = []
    for span in [*crossing, None]:
        band = [index for index in rest if span is None or boxes[index].middle < boxes[span].middle]
        rest = [index for index in rest if index not in band]
        left = [index for index in band if boxes[index].right <= gutter + _EDGE]
        right = [index for index in band if index not in left]
        ordered += _order(left, boxes, depth + 1) + _order(right, boxes, depth + 1)
        ordered += [] if span is None else [span]
    return ordered


def _top_down(indices: Sequence[int], boxes: Sequence[Box]) -> list[int]:
    return sorted(indices, key=lambda index: (round(boxes[index].top), boxes[index].left))


def _crosses(box: Box, x: float) -> bool:
    return box.left < x - _EDGE and box.right > x + _EDGE


def _gutter(indices: Sequence[int], boxes: Sequence[Box]) -> float | None:
    """The best vertical line between columns, or None where the regions stand in one column.

    Its worth is the height over which text stands on both sides at once, less the height of what it cuts.
    """
    best: tuple[float, float] | None = None
    for x in sorted({boxes[index].left - _EDGE for index in indices}):
        left = [boxes[index] for index in indices if boxes[index].right <= x + _EDGE]
        right = [boxes[index] for index in indices if boxes[index].left >= x - _EDGE]
        if not left or not right:
            continue
        cut = sum(boxes[index].height for index in indices if _crosses(boxes[index], x))
        beside = _shared_height(left, right)
        worth = beside - 0.5 * cut
        if beside > 0 and worth > 0 and (best is None or worth > best[0]):
            best = (worth, x)
    return None if best is None else best[1]


def _shared_height(left: Sequence[Box], right: Sequence[Box]) -> float:
    """Height over which both sides hold text."""
    edges = sorted({edge for box in (*left, *right) for edge in (box.top, box.bottom)})
    total = 0.0
    for top, bottom in itertools.pairwise(edges):
        middle = (top + bottom) / 2
        if any(box.top <= middle <= box.bottom for box in left) and any(
            box.top <= middle <= box.bottom for box in right
        ):
            total += bottom - top
    return total
