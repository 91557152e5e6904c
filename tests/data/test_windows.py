from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from data.batches import IGNORE
from data.errors import CorpusError
from data.windows import WindowBatches, Windows, held_out_batches, open_stream


def stream(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.uint16)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 100))
def test_every_window_holds_exact_next_token_targets(length: int, stride: int, extra: int) -> None:
    windows = Windows(stream(length + 1 + extra), length, stride)
    for index in range(len(windows)):
        ids, targets = windows[index]
        start = windows.start(index)
        assert ids.tolist() == list(range(start, start + length))
        assert targets.tolist() == list(range(start + 1, start + length + 1))


@given(st.integers(1, 20), st.data(), st.integers(0, 100))
def test_windows_that_touch_make_every_token_a_target(length: int, data: st.DataObject, extra: int) -> None:
    stride = data.draw(st.integers(1, length))
    tokens = stream(length + 1 + extra)
    windows = Windows(tokens, length, stride)
    seen = {int(t) for index in range(len(windows)) for t in windows[index][1]}
    assert seen == set(range(1, len(tokens)))


def test_a_stream_shorter_than_one_window_is_refused_with_both_lengths() -> None:
    with pytest.raises(CorpusError, match=r"8 tokens.*window of 8"):
        Windows(stream(8), 8)
    assert len(Windows(stream(9), 8)) == 1


@given(st.integers(1, 12), st.integers(1, 60), st.integers(1, 5), st.data())
def test_held_out_batches_score_every_token_once(length: int, n: int, batch: int, data: st.DataObject) -> None:
    tokens = stream(n + 1)
    stride = data.draw(st.integers(1, length))
    scored: list[int] = []
    for ids, targets in held_out_batches(tokens, length, batch, stride):
        assert ids.dtype == targets.dtype == torch.int64
        assert ids.shape == targets.shape and ids.shape[1] == length
        mask = targets != IGNORE
        assert (targets[mask] == ids[mask] + 1).all()
        scored += targets[mask].tolist()
    assert scored == list(range(1, n + 1))


def drain(batches: WindowBatches, steps: int) -> list[list[list[int]]]:
    return [next(batches)[0].tolist() for _ in range(steps)]


def test_each_epoch_gives_every_window_once_in_another_order() -> None:
    batches = WindowBatches(Windows(stream(101), 4), batch_size=7, seed=3)
    first, second = ([row for ids in drain(batches, len(batches)) for row in ids] for _ in range(2))
    assert sorted(first) == sorted(second) and first != second
    assert len({tuple(row) for row in first}) == len(batches.windows) == 25


@settings(deadline=None)
@given(st.integers(0, 30), st.integers(1, 6), st.integers(0, 5))
def test_a_resumed_run_continues_with_the_very_next_batch(steps: int, batch_size: int, seed: int) -> None:
    windows = Windows(stream(60), 5, 3)
    whole = WindowBatches(windows, batch_size, seed)
    drain(whole, steps)
    resumed = WindowBatches(windows, batch_size, seed)
    resumed.load_state_dict(whole.state_dict())
    assert drain(resumed, 12) == drain(whole, 12)


def test_a_position_in_other_windows_is_refused() -> None:
    state = WindowBatches(Windows(stream(60), 5), 2).state_dict()
    with pytest.raises(CorpusError, match="windows=12"):
        WindowBatches(Windows(stream(60), 6), 2).load_state_dict(state)


def test_ranks_share_an_epoch_without_overlap() -> None:
    windows = Windows(stream(101), 4)
    rows = []
    for rank in range(3):
        batches = WindowBatches(windows, 5, seed=1, epochs=1, rank=rank, world_size=3)
        mine = [tuple(row) for ids, _ in batches for row in ids.tolist()]
        assert len(mine) == 25 // 3
        rows += mine
    assert len(set(rows)) == 24


def test_epochs_end_the_iteration() -> None:
    assert len(list(WindowBatches(Windows(stream(41), 4), 4, epochs=2))) == 6


def test_streams_are_read_from_disk_and_bad_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "train.bin"
    stream(50).tofile(path)
    assert Windows(open_stream(path), 10)[1][0].tolist() == list(range(10, 20))
    path.write_bytes(b"123")
    with pytest.raises(CorpusError, match="3 bytes"):
        open_stream(path)
    with pytest.raises(CorpusError, match=r"absent\.bin"):
        open_stream(tmp_path / "absent.bin")
