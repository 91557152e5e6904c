from dataclasses import replace
from typing import Any

import pytest
import torch

from gpt2 import GPT, Cache, ContextOverflow, GPTConfig


@pytest.mark.parametrize("attention", ["fused", "longhand"])
@pytest.mark.parametrize("pieces", [[12], [1] * 12, [5, 1, 1, 5], [4, 8], [11, 1]], ids=str)
def test_reading_in_pieces_gives_the_logits_of_reading_at_once(model: GPT, attention: Any, pieces: list[int]) -> None:
    reader = GPT(replace(model.config, attention=attention)).eval()
    reader.load_state_dict(model.state_dict())
    ids = torch.randint(0, 64, (2, 12), generator=torch.Generator().manual_seed(0))
    cache = Cache(model.config, 2)
    logits = torch.cat([reader(piece, cache=cache) for piece in ids.split(pieces, dim=1)], dim=1)
    torch.testing.assert_close(logits, model(ids), atol=1e-5, rtol=1e-5)
    assert cache.lengths == [12, 12]


@pytest.mark.parametrize("attention", ["fused", "longhand"])
def test_rows_may_advance_by_different_amounts(model: GPT, attention: Any) -> None:
    reader = GPT(replace(model.config, attention=attention)).eval()
    reader.load_state_dict(model.state_dict())
    texts = torch.randint(0, 64, (3, 32), generator=torch.Generator().manual_seed(1))
    alone = model(texts)
    cache, read = Cache(model.config, 3), [0, 0, 0]
    for counts in (
        [3, 9, 1],
        [1, 1, 1],
        [6, 1, 2],
        [1, 4, 9],
        [2, 2, 2],
        [19, 15, 1],
    ):  # the last fills two rows to the brim
        new = [texts[row, read[row] : read[row] + count] for row, count in enumerate(counts)]
        hidden = reader.hidden(torch.cat(new)[None], cache=cache, counts=counts)  # (1, N, C)
        for row, (count, logits) in enumerate(zip(counts, reader.logits(hidden[0]).split(counts), strict=True)):
            torch.testing.assert_close(logits, alone[row, read[row] : read[row] + count], atol=1e-5, rtol=1e-5)
            read[row] += count
    assert cache.lengths == read == [32, 32, 16]


@pytest.mark.parametrize("width", [1, 4])
def test_rows_of_unequal_length_may_advance_side_by_side(model: GPT, width: int) -> None:
    texts = torch.randint(0, 64, (2, 12), generator=torch.Generator().manual_seed(4))
    cache = Cache(model.config, 2)
    model.hidden(torch.cat([texts[0, :7], texts[1, :2]])[None], cache=cache, counts=[7, 2])
    logits = model(torch.stack([texts[0, 7 : 7 + width], texts[1, 2 : 2 + width]]), cache=cache)
    for row, begin in enumerate([7, 2]):
        expected = model(texts)[row, begin : begin + width]
        torch.testing.assert_close(logits[row], expected, atol=1e-5, rtol=1e-5)


def test_kept_rows_go_on_as_if_the_others_had_never_been(model: GPT) -> None:
    ids = torch.randint(0, 64, (3, 8), generator=torch.Generator().manual_seed(2))
    cache = Cache(model.config, 3)
    model(ids[:, :5], cache=cache)
    cache.keep([2, 0])
    logits = model(ids[[2, 0], 5:], cache=cache)
    torch.testing.assert_close(logits, model(ids)[[2, 0], 5:], atol=1e-5, rtol=1e-5)


def test_a_truncated_row_can_be_continued_differently(model: GPT) -> None:
    ids = torch.randint(0, 64, (1, 8), generator=torch.Generator().manual_seed(3))
    cache = Cache(model.config, 1)
    model(torch.cat([ids[:, :4], ids[:, :3]], dim=1), cache=cache)
    cache.truncate([4])
    torch.testing.assert_close(model(ids[:, 4:], cache=cache), model(ids)[:, 4:], atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="holds 8 tokens, cannot be cut to 9"):
        cache.truncate([9])


def test_more_tokens_than_the_cache_holds_are_refused_before_anything_is_written(config: GPTConfig) -> None:
    cache = Cache(config, 2, capacity=10)
    cache.place([8, 2])
    with pytest.raises(
        ContextOverflow, match="row 0: 8 tokens are cached and 3 more were given, but the cache holds 10"
    ):
        cache.place(3)
    assert cache.lengths == [8, 2]
