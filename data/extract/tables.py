"""Ruled tables, read back from strokes and the lines of text between them.

Two kinds of ruling are common in print: full grids, and the book style of a few horizontal rules of one width. In both
the columns are the corridors of white that no line of text crosses, or the vertical strokes where there are any.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from data.extract.page import Box, Line, Word, union

_TOUCH = 2.5  # points within which two strokes count as connected, or two ends as aligned
_TICK = 14.0  # strokes shorter than this are ticks of a chart or parts of a glyph
_MAX_COLUMNS = 16
_CELL_GAP = 0.45  # times the height of a line: words further apart than this are in different cells


@dataclass(frozen=True)
class Table:
    """A grid of cells; the first row is the header. `used` are the indices of the lines it has consumed."""

    box: Box
    rows: tuple[tuple[str, ...], ...]
    used: frozenset[int]


def find_tables(lines: Sequence[Line], rules: Sequence[Box]) -> list[Table]:
    """All tables of one page, largest first, no line in two of them."""
    tables: list[Table] = []
    taken: set[int] = set()
    for region in sorted(_regions(lines, rules), key=lambda box: -box.width * box.height):
        inside = [
            index for index, line in enumerate(lines) if index not in taken and line.upright and region.holds(line.box)
        ]
        table = _read(region, inside, lines, rules)
        if table is not None:
            tables.append(table)
            taken |= table.used
    return tables


def _regions(lines: Sequence[Line], rules: Sequence[Box]) -> list[Box]:
    """Boxes that may hold a table: connected grids, and runs of horizontal rules with the same ends."""
    horizontal = [rule for rule in rules if rule.height < 1.5 and rule.width >= _TICK]
    vertical = [rule for rule in rules if rule.width < 1.5 and rule.height >= 6]
    groups: list[list[Box]] = []
    for rule in [*horizontal, *vertical]:
        touching = [group for group in groups if any(_connected(rule, other) for other in group)]
        groups = [group for group in groups if group not in touching] + [
            [rule, *(other for group in touching for other in group)]
        ]
    regions = [
        union(group)
        for group in groups
        if sum(rule in vertical for rule in group) >= 2
        and len({round(rule.top) for rule in group if rule in horizontal}) >= 2
    ]
    stacks: dict[tuple[int, int], list[Box]] = {}
    for rule in horizontal:
        key = next(
            (ends for ends in stacks if abs(ends[0] - rule.left) < _TOUCH and abs(ends[1] - rule.right) < _TOUCH), None
        )
        stacks.setdefault(key or (round(rule.left), round(rule.right)), []).append(rule)
    for stack in stacks.values():
        regions += _tabular_runs(union(stack), sorted({round(rule.top) for rule in stack}), lines)
    return [region for region in regions if region.height > 12]


def _tabular_runs(region: Box, levels: Sequence[int], lines: Sequence[Line]) -> list[Box]:
    """Runs of two or more bands between rules that hold cells rather than running text.

    Two tables of one width on a page have the same rules' ends; the text between them parts them.
    """
    runs: list[list[Box]] = [[]]
    for top, bottom in itertools.pairwise(levels):
        band = Box(region.left, top, region.right, bottom)
        if _is_tabular([piece for line in lines if band.holds(line.box, slack=0.5) for piece in _pieces(line)]):
            runs[-1].append(band)
        elif runs[-1]:
            runs.append([])
    return [union(run) for run in runs if len(run) >= 2]


def _is_tabular(lines: Sequence[Line]) -> bool:
    """Whether most rows of these lines hold two or more pieces set apart, and they are not columns of prose."""
    rows = _visual_rows(lines)
    if not rows:
        return False
    parted = sum(len(row) >= 2 for row in rows)
    long = sum(len(line.text) > 32 for line in lines)
    prose = len(rows) > 6 and long > 0.6 * len(lines) and max(len(row) for row in rows) <= 3
    return parted >= 0.5 * len(rows) and not prose


def _visual_rows(lines: Sequence[Line]) -> list[list[Line]]:
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.box.middle):
        if rows and line.box.overlap_y(union(other.box for other in rows[-1])) > 0.5 * line.box.height:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _connected(first: Box, second: Box) -> bool:
    return first.overlap_x(second) > -_TOUCH and first.overlap_y(second) > -_TOUCH


def _read(region: Box, inside: Sequence[int], lines: Sequence[Line], rules: Sequence[Box]) -> Table | None:
    pieces = [piece for index in inside for piece in _pieces(lines[index])]
    if len(pieces) < 4:
        return None
    own = [rule for rule in rules if region.holds(rule, slack=_TOUCH)]
    bands = _rows_between_rules(region, own)
    bands = [band for band in bands if any(band[0] <= piece.box.middle <= band[1] for piece in pieces)]
    if not any(rule.width < 1.5 for rule in own) and not _is_tabular(pieces):
        return None
    columns = _columns(region, own, pieces)
    if not 2 <= len(columns) <= _MAX_COLUMNS:
        return None
    rows: list[tuple[str, ...]] = []
    for top, bottom in bands:
        members = [piece for piece in pieces if top <= piece.box.middle <= bottom]
        rows += _band_rows(members, columns, full_grid=len(bands) > 4)
    rows = _join_header(rows)
    filled = [sum(bool(cell) for cell in row) for row in rows]
    if len(rows) < 2 or sum(count >= 2 for count in filled) < 0.5 * len(rows):
        return None
    return Table(box=region, rows=tuple(rows), used=frozenset(inside))


def _pieces(line: Line) -> list[Line]:
    """A line cut where its words stand further apart than a space: a parser's line may run over two narrow cells."""
    pieces: list[list[Word]] = []
    for word in line.words:
        if pieces and word.box.left - pieces[-1][-1].box.right < _CELL_GAP * line.box.height:
            pieces[-1].append(word)
        else:
            pieces.append([word])
    if len(pieces) < 2:
        return [line]
    return [Line(_joined(piece), union(word.box for word in piece), line.font, line.upright) for piece in pieces]


def _joined(words: Sequence[Word]) -> str:
    """Words with a space where there is one on paper; a parser may cut a word where its letters are kerned."""
    text = words[0].text
    for left, right in itertools.pairwise(words):
        text += right.text if right.box.left - left.box.right < 0.08 * right.box.height else f" {right.text}"
    return text


def _rows_between_rules(region: Box, own: Sequence[Box]) -> list[tuple[float, float]]:
    """Bands between horizontal rules that run over at least 60 % of the table's width."""
    spans: dict[int, float] = {}
    for rule in own:
        if rule.height < 1.5:
            spans[round(rule.top)] = spans.get(round(rule.top), 0.0) + rule.width
    levels = sorted(level for level, length in spans.items() if length >= 0.6 * region.width)
    edges = sorted({region.top, *levels, region.bottom})
    return [(top, bottom) for top, bottom in itertools.pairwise(edges) if bottom - top > 4]


def _columns(region: Box, own: Sequence[Box], lines: Sequence[Line]) -> list[tuple[float, float]]:
    """Left and right limits of the columns, by vertical strokes when they divide the table, else by white corridors."""
    lengths: dict[int, float] = {}
    for rule in own:
        if rule.width < 1.5:
            key = next((x for x in lengths if abs(x - rule.left) < _TOUCH), round(rule.left))
            lengths[key] = lengths.get(key, 0.0) + rule.height
    inner = sorted(
        x for x, length in lengths.items() if length >= 0.5 * region.height and region.left + 4 < x < region.right - 4
    )
    if inner:
        edges = [region.left, *inner, region.right]
        return list(itertools.pairwise(edges))
    # A title or a spanning header crosses corridors: leave out the widest lines until at least two columns appear.
    gap = 0.4 * median(line.box.height for line in lines)
    for limit in (1.0, 0.6, 0.45):
        kept = [line.box for line in lines if line.box.width <= limit * region.width]
        spans: list[list[float]] = []
        for box in sorted(kept, key=lambda box: box.left):
            if spans and box.left - spans[-1][1] < gap:
                spans[-1][1] = max(spans[-1][1], box.right)
            else:
                spans.append([box.left, box.right])
        if len(spans) >= 2:
            limits = [(a[1] + b[0]) / 2 for a, b in itertools.pairwise(spans)]
            edges = [region.left, *limits, region.right]
            return list(itertools.pairwise(edges))
    return [(region.left, region.right)]


def _band_rows(
    lines: Sequence[Line], columns: Sequence[tuple[float, float]], *, full_grid: bool
) -> list[tuple[str, ...]]:
    """The rows inside one band between rules.

    A band of a full grid is one row, however many lines its cells wrap over. In a book-style table rows stand further
    apart than the lines of a wrapped cell; where all distances are alike, a line in the first column opens a row.
    """
    if not lines:
        return []
    visual = _visual_rows(lines)
    groups: list[list[Line]] = []
    pitches = [
        union(x.box for x in below).middle - union(x.box for x in above).middle
        for above, below in itertools.pairwise(visual)
    ]
    spread = bool(pitches) and max(pitches) > 1.3 * min(pitches)
    for number, row in enumerate(visual):
        opens = any(_column_of(line, columns) == 0 for line in row)
        apart = number > 0 and (pitches[number - 1] > 1.2 * min(pitches) if spread else opens)
        if not groups or (apart and not full_grid):
            groups.append(list(row))
        else:
            groups[-1].extend(row)
    return [_cells(group, columns) for group in groups]


def _cells(lines: Sequence[Line], columns: Sequence[tuple[float, float]]) -> tuple[str, ...]:
    cells: list[list[Line]] = [[] for _ in columns]
    for line in sorted(lines, key=lambda line: (round(line.box.middle / 3), line.box.left)):
        cells[_column_of(line, columns)].append(line)
    return tuple(" ".join(line.text.strip() for line in cell) for cell in cells)


def _column_of(line: Line, columns: Sequence[tuple[float, float]]) -> int:
    """The column that holds most of the line; the leftmost on a tie."""
    shares = [min(line.box.right, right) - max(line.box.left, left) for left, right in columns]
    return max(
        range(len(columns)),
        key=lambda number: (shares[number] > 0 and line.box.left >= columns[number][0] - 3, shares[number]),
    )


def _join_header(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """A header set over two lines, the upper one with an empty first cell, becomes one row."""
    if len(rows) >= 3 and not rows[0][0] and any(rows[0]):
        merged = tuple(" ".join(part for part in pair if part) for pair in zip(rows[0], rows[1], strict=True))
        return [merged, *rows[2:]]
    return rows
