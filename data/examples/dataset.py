"""Dialogues as a `datasets.DatasetDict` on disk."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data.conversation import Example


def write_dataset(folder: Path, splits: dict[str, list[Example]]) -> None:
    """Columns id, split, kind, origin, messages (OpenAI's), spans, and tools and results as JSON text, since
    their shapes differ from row to row.
    """
    import datasets

    text, count = datasets.Value("string"), datasets.Value("int32")
    call = {"id": text, "type": text, "function": {"name": text, "arguments": text}}
    message = {"role": text, "content": text, "tool_calls": [call], "tool_call_id": text}
    span = {"call": count, "pointer": text, "start": count, "end": count, "message": count}
    features = datasets.Features(
        {
            **dict.fromkeys(("id", "split", "kind", "origin", "tools"), text),
            "messages": [message],
            "spans": [span],
            "results": text,
        }
    )
    quiet = datasets.utils.logging.is_progress_bar_enabled()
    datasets.utils.logging.disable_progress_bar()
    try:
        made = {
            name: datasets.Dataset.from_list([_row(example) for example in examples], features=features)
            for name, examples in splits.items()
            if examples
        }
        datasets.DatasetDict(made).save_to_disk(str(folder))
    finally:
        if quiet:
            datasets.utils.logging.enable_progress_bar()


def _row(example: Example) -> dict[str, Any]:
    row = example.to_json()
    messages: Sequence[dict[str, Any]] = row["messages"]
    row["messages"] = [{"tool_calls": None, "tool_call_id": None, **message} for message in messages]
    row["results"] = json.dumps(row["results"], ensure_ascii=False)
    row["tools"] = json.dumps(row.get("tools", []), ensure_ascii=False)
    return row
