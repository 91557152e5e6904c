"""The pairing is the best there is: brute force finds none better."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sft.matching import best_pairs

scores = st.integers(0, 4).flatmap(
    lambda m: st.lists(st.lists(st.integers(0, 9).map(float), min_size=m, max_size=m), max_size=4)
)


@given(scores)
def test_no_other_pairing_scores_more(score: list[list[float]]) -> None:
    pairs = best_pairs(score)
    rows, columns = len(score), len(score[0]) if score else 0
    assert len(pairs) == min(rows, columns)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    total = sum(score[i][j] for i, j in pairs)
    few, many = sorted((rows, columns))
    for chosen in itertools.permutations(range(many), few):
        other = sum(score[i][j] if rows <= columns else score[j][i] for i, j in enumerate(chosen))
        assert total >= other
