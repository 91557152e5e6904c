"""Which texts share a row, so that little of it stays empty."""

from bisect import bisect_left, insort
from collections.abc import Sequence


def best_fit(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Rows of at most `capacity` tokens that hold every text once, as indices into `lengths`.

    Best-fit decreasing (Johnson 1974): the longest first, each into the fullest row that has room for it. Needs at
    most 11/9 of the fewest rows possible, and two. Equal lengths are taken in their order, so the result is a function
    of the arguments. ValueError for a text longer than a row.
    """
    rows: list[list[int]] = []
    spaces: list[tuple[int, int]] = []  # (tokens left, row), sorted
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        length = lengths[index]
        if length > capacity:
            raise ValueError(f"text {index} has {length} tokens, a row holds {capacity}")
        at = bisect_left(spaces, (length, -1))
        if at == len(spaces):
            rows.append([index])
            left, row = capacity - length, len(rows) - 1
        else:
            left, row = spaces.pop(at)
            rows[row].append(index)
            left -= length
        insort(spaces, (left, row))
    return rows
