"""Answers kept as they come, one line of JSON each, so that an interrupted evaluation goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import IO

from data.errors import ConversationError
from sft.trace import Trace


class Answers:
    """The answers in a file, by the key of their turn. A last line that was cut off is dropped, and asked again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, Trace] = {}
        end = 0
        if path.exists():
            for line in path.read_bytes().splitlines(keepends=True):
                try:
                    row = json.loads(line)
                    key, trace = row["key"], Trace.from_json(row)
                except (ValueError, KeyError, TypeError, ConversationError):
                    break
                if not line.endswith(b"\n"):
                    break
                self.known[key] = trace
                end += len(line)
        self._file: IO[bytes] = path.open("ab")
        self._file.truncate(end)

    def put(self, key: str, trace: Trace) -> None:
        """Keep one more answer; it is on its way to the disk when this returns."""
        line = json.dumps({"key": key, **trace.to_json()}) + "\n"  # in ASCII, since JSON can spell half characters
        self._file.write(line.encode())
        self._file.flush()
        self.known[key] = trace

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
