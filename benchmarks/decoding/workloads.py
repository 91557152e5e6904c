"""Schemas with documents that are known to be right or wrong.

tools       the three tools of this project, each alone, their union, and an array of parallel calls. Right: calls of the
            generated dialogues. Wrong: the same calls with one edit, judged by `jsonschema`.
suite       the JSON Schema Test Suite, draft 2020-12, its required tests (a checkout's path; or the folder `json` of
            the source distribution of `jsonschema`, which carries it)
formats     the same suite's optional format tests
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

import tools
from data.examples import ExamplesConfig, make_examples
from data.examples.schemas import without_marks  # noqa: F401  (placeholder)


@dataclass(frozen=True)
class Job:
    """One schema and its documents: (value, whether the schema accepts it)."""

    name: str
    schema: dict[str, Any] | bool
    documents: list[tuple[Any, bool]]
