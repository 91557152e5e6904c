"""Schemas with documents that are known to be right or wrong.

tools     the three tools of this project, each alone, their union, and an array of parallel calls. Right: calls of
          generated dialogues. Wrong: the same calls with one edit, where `jsonschema` rejects the result
suite     the JSON Schema Test Suite, draft 2020-12, required tests. Needs a folder that holds `tests/draft2020-12`: a
          checkout of the suite, or the folder `json` of the source distribution of `jsonschema`
formats   its optional tests of formats
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

import tools
from data.conversation import Example
from data.examples import ExamplesConfig, generate


@dataclass(frozen=True)
class Job:
    """One schema and its documents, each with whether the schema accepts it."""

    name: str
    schema: dict[str, Any] | bool
    documents: list[tuple[Any, bool]]


def tool_jobs(suite: Path | None = None) -> list[Job]:
    """Five schemas and their calls."""
    dialogues = generate(ExamplesConfig(n_train=150, n_eval=0, seed=7, format="jsonl"))["train"]
    calls = [_as_json(call) for example in dialogues for call in _calls(example)]
    parallel = [[_as_json(call) for call in _calls(example)] for example in dialogues if len(_calls(example)) > 1]
    names = list(tools.registry())
    union = tools.call_schema()
    jobs = [
        _job(f"tool:{name}", tools.call_schema([name]), [c for c in calls if c["name"] == name][:12]) for name in names
    ]
    jobs.append(_job("tool:union", union, calls[:30]))
    array = {"type": "array", "items": union, "minItems": 1, "maxItems": 4}
    jobs.append(_job("tool:parallel", array, [*parallel[:8], *([c] for c in calls[:8])]))
    return jobs


def suite_jobs(suite: Path | None = None) -> list[Job]:
    """Every group of the required tests."""
    return _suite(suite, lambda path: path.parent.name == "draft2020-12")


def format_jobs(suite: Path | None = None) -> list[Job]:
    """Every group of the optional tests of formats."""
    return _suite(suite, lambda path: path.parent.name == "format")


WORKLOADS: dict[str, Callable[[Path | None], list[Job]]] = {
    "tools": tool_jobs,
    "suite": suite_jobs,
    "formats": format_jobs,
}


def _calls(example: Example) -> list[Any]:
    return [call for message in example.conversation.messages for call in message.calls]


def _as_json(call: Any) -> dict[str, Any]:
    return {"name": call.name, "arguments": json.loads(json.dumps(dict(call.arguments)))}


def _job(name: str, schema: dict[str, Any], right: list[Any]) -> Job:
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    rng = random.Random(name)
    documents = [(value, validator.is_valid(value)) for value in right]
    assert all(valid for _, valid in documents), name
    for value in right:
        for edited in _edits(value, rng):
            if not validator.is_valid(edited):
                documents.append((edited, False))
    return Job(name, schema, documents)


def _edits(value: Any, rng: random.Random) -> Iterator[Any]:
    """The document with one key gone, one added, one value of another type, one number far off."""
    for change in ("drop", "add", "retype", "far"):
        edited = copy.deepcopy(value)
        call = rng.choice(edited) if isinstance(edited, list) else edited
        arguments = call["arguments"]
        key = rng.choice(list(arguments))
        if change == "drop":
            del arguments[key]
        elif change == "add":
            arguments["note"] = "x"
        elif change == "retype":
            arguments[key] = {"as": "an object"}
        elif isinstance(arguments[key], int | float) and not isinstance(arguments[key], bool):
            arguments[key] = -1e6
        else:
            arguments[key] = 7
        yield edited


def _suite(suite: Path | None, wanted: Callable[[Path], bool]) -> list[Job]:
    if suite is None:
        raise SystemExit("this workload needs --suite FOLDER, with the folder tests/draft2020-12 in it")
    files = [path for path in sorted((suite / "tests" / "draft2020-12").rglob("*.json")) if wanted(path)]
    if not files:
        raise SystemExit(f"no tests in {suite / 'tests' / 'draft2020-12'}; --suite is the folder above `tests`")
    jobs = []
    for path in files:
        for group in json.loads(path.read_text("utf-8")):
            tests: list[Mapping[str, Any]] = group["tests"]
            jobs.append(
                Job(f"{path.stem}: {group['description']}", group["schema"], [(t["data"], t["valid"]) for t in tests])
            )
    return jobs
