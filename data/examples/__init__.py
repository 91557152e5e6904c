"""Dialogues to learn tool calling from: requests in many words, calls that the tools have executed, spans
that prove the source.
"""

from data.examples.build import ExamplesConfig, build, generate, read_examples, write_jsonl
from data.examples.rows import SPLITS, RowMaker, check_spans

__all__ = [
    "SPLITS",
    "ExamplesConfig",
    "RowMaker",
    "build",
    "check_spans",
    "generate",
    "read_examples",
    "write_jsonl",
]
