"""Which written call answers which wanted one: the pairing with the highest total score."""

from __future__ import annotations

import math
from collections.abc import Sequence


def best_pairs(score: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """(row, column) pairs of a pairing of rows with columns whose summed score is highest; min(rows, columns) pairs.

    The Hungarian method in its form with potentials and shortest augmenting paths, O(rows² · columns) (Kuhn, Naval
    Research Logistics 1955;2:83; Jonker & Volgenant, Computing 1987;38:325).
    """
    if not score or not score[0]:
        return []
    if len(score) > len(score[0]):
        return sorted((row, column) for column, row in best_pairs(list(zip(*score, strict=True))))
    n, m = len(score), len(score[0])
    row_potential, column_potential = [0.0] * (n + 1), [0.0] * (m + 1)
    row_of = [0] * (m + 1)  # the row (from 1) paired with a column (from 1); 0: none
    for row in range(1, n + 1):
        row_of[0], column = row, 0
        slack, before = [math.inf] * (m + 1), [0] * (m + 1)
        seen = [False] * (m + 1)
        while row_of[column]:
            seen[column] = True
            i, delta, nearest = row_of[column], math.inf, 0
            for j in range(1, m + 1):
                if seen[j]:
                    continue
                reduced = -score[i - 1][j - 1] - row_potential[i] - column_potential[j]
                if reduced < slack[j]:
                    slack[j], before[j] = reduced, column
                if slack[j] < delta:
                    delta, nearest = slack[j], j
            for j in range(m + 1):
                if seen[j]:
                    row_potential[row_of[j]] += delta
                    column_potential[j] -= delta
                else:
                    slack[j] -= delta
            column = nearest
        while column:
            row_of[column], column = row_of[before[column]], before[column]
    return sorted((row_of[j] - 1, j - 1) for j in range(1, m + 1) if row_of[j])
