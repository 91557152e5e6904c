"""Dialogues to learn tool calling from: requests in many words, calls that the tools have executed, spans
that prove the source.
"""

from data.examples.build import ExamplesConfig, build, build_from, generate, read_examples, write_jsonl
from data.examples.checks import check_spans
from data.examples.rows import RowMaker
from data.examples.splits import SPLITS

__all__ = [
    "SPLITS",
    "ExamplesConfig",
    "RowMaker",
    "build",
    "build_from",
    "check_spans",
    "generate",
    "read_examples",
    "write_jsonl",
]
