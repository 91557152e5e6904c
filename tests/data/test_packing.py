"""Rows that several dialogues share: nothing lost, little empty, the same order again."""

import json
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.batches import IGNORE
from data.conversation import Conversation, Message
from data.dialogue_batches import DialogueBatches
from data.errors import ExamplesError
from data.packing import best_fit
from data.tokenizer import load_tokenizer
from data.wire import PAD


@given(st.lists(st.integers(1, 50), max_size=80))
def test_every_text_is_in_one_row_that_holds_it(lengths: list[int]) -> None:
    rows = best_fit(lengths, 50)
    assert sorted(i for row in rows for i in row) == list(range(len(lengths)))
    assert all(0 < sum(lengths[i] for i in row) <= 50 for row in rows)
    assert len(rows) <= -(-11 * -(-sum(lengths) // 50) // 9) + len([n for n in lengths if n > 25]) + 2
    halves = sum(sum(lengths[i] for i in row) <= 25 for row in rows)
    assert halves <= 1, "two rows that are half empty would fit into one"


def test_the_fullest_row_with_room_takes_the_next() -> None:
    assert best_fit([2, 7, 5, 3, 3], 10) == [[1, 3], [2, 4, 0]]


def test_a_text_longer_than_a_row_is_named() -> None:
    with pytest.raises(ValueError, match="text 1 has 11 tokens, a row holds 10"):
        best_fit([3, 11], 10)


@cache
def talks() -> tuple[Conversation, ...]:
    answer = Message(role="assistant", content="Which drug?")
    return tuple(Conversation.of_request("dose " * (1 + n * 7 % 23) + str(n)).then(answer) for n in range(75))


def packed(batch_size: int = 4, row_tokens: int = 64, **settings: int) -> DialogueBatches:
    return DialogueBatches(talks(), load_tokenizer(), batch_size=batch_size, row_tokens=row_tokens, **settings)


def test_a_segment_is_a_dialogue_with_its_own_targets_and_the_rest_is_padding() -> None:
    made = packed()
    rows = made.next_rows()
    ids, targets, segments = made.collate(rows)
    assert ids.shape == targets.shape == segments.shape and ids.shape[0] == 4 and ids.shape[1] <= 64
    for number, (b, begin, index) in enumerate(made.places(rows)):
        own = segments[b] == number
        assert int(own.nonzero()[0]) == begin and (segments == number).sum() == own.sum()
        assert ids[b][own].tolist() == made.ids[index].tolist()
        assert targets[b][own].tolist() == made.targets[index].tolist()
    padding = segments == -1
    assert (ids[padding] == PAD).all() and (targets[padding] == IGNORE).all() and (ids[~padding] != PAD).all()


def test_an_epoch_and_a_held_out_pass_hold_every_dialogue_once() -> None:
    made = packed()
    for batches in (made.plan(0), made.plan(1), made.pass_rows()):
        assert sorted(index for rows in batches for row in rows for index in row) == list(range(75))
    assert made.plan(0) != made.plan(1)


def test_little_of_a_row_is_empty() -> None:
    made = packed()
    used = sum(int((segments >= 0).sum()) for _, _, segments in made.one_pass())
    assert used > 0.93 * sum(segments.numel() for _, _, segments in made.one_pass())


@pytest.mark.parametrize("steps", [0, 1, 8, 20])
def test_packed_batches_resume_with_the_very_next_one(steps: int) -> None:
    whole, resumed = packed(), packed()
    for _ in range(steps):
        next(whole)
    resumed.load_state_dict(json.loads(json.dumps(whole.state_dict())))
    for _ in range(12):
        assert [t.tolist() for t in next(whole)] == [t.tolist() for t in next(resumed)]


def test_a_position_among_unpacked_dialogues_is_refused() -> None:
    alone = DialogueBatches(talks(), load_tokenizer(), batch_size=4)
    with pytest.raises(ExamplesError, match="row_tokens=None, these batches have row_tokens=64"):
        packed().load_state_dict(alone.state_dict())


def test_impossible_rows_are_refused() -> None:
    with pytest.raises(ExamplesError, match="more than the 12 allowed"):
        packed(row_tokens=12)
    with pytest.raises(ExamplesError, match="row_tokens=64 exceeds the 32 allowed"):
        packed(max_length=32)
    with pytest.raises(ExamplesError, match="counted by batch_size"):
        DialogueBatches(talks(), load_tokenizer(), tokens_per_batch=256, row_tokens=64)
