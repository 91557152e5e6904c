"""Every failure becomes one line and an exit code: 2 for bad input, 1 for a failure, 130 for Ctrl-C."""

import errno

import pytest

from data.errors import CorpusError
from gpt2.errors import CheckpointError, TrainingInterrupted
from medcall.errors import explain


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


FULL = OSError(errno.ENOSPC, "No space left on device", "out/model.safetensors")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (CorpusError("corpus.jsonl: nothing in it"), 2, "corpus.jsonl: nothing in it"),
        (FileNotFoundError(2, "No such file or directory", "book.pdf"), 2, "no such file or folder: book.pdf"),
        (PermissionError(13, "Permission denied", "/root/x"), 2, "cannot use /root/x: Permission denied"),
        (ValueError("pages='x' is not a page range"), 2, "pages='x' is not a page range"),
        (FULL, 1, "the disk is full while writing out/model.safetensors"),
        (caused(CheckpointError("cannot write"), FULL), 1, "the disk is full while writing out/model.safetensors"),
        (MemoryError(), 1, "out of memory"),
        (KeyError("x"), 1, "internal error: KeyError"),
        (KeyboardInterrupt(), 130, "run the same command again"),
        (TrainingInterrupted("stopped after step 3 of 9. It is saved"), 130, "stopped after step 3 of 9"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_a_failure_says_what_happened_and_what_to_do(error: BaseException, code: int, said: str) -> None:
    line, given = explain(error)
    assert given == code
    assert said in line
    assert "\n" not in line
