"""Grammar-constrained decoding: JSON Schema, Lark or a regular expression to exact token masks.

    vocabulary = Vocabulary(token_bytes, eos=50256)
    constraint = compile_json_schema(schema, vocabulary)
    state = constraint.start()
    constraint.allowed(state)                 # (V,) booleans
    state = constraint.advance(state, token)  # raises IllegalToken

Importing this package imports neither torch nor lark; the names that need them are loaded when first asked
for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .constraint import Constraint, TokenConstraint
from .errors import (
    EmptyGrammar,
    GrammarError,
    GrammarTooLarge,
    IllegalToken,
    InvalidSchema,
    NothingToGround,
    UnsupportedGrammar,
    UnsupportedRegex,
    UnsupportedSchema,
)
from .grounding import ground
from .json_schema import SchemaConstraint, compile_json_schema
from .layout import Layout
from .lenient import Dropped
from .regex import compile_regex
from .states import State
from .tool_choice import ToolChoice, TurnState
from .tool_formats import ToolFormat, call_schema, compile_tools
from .vocabulary import Vocabulary

if TYPE_CHECKING:
    from .hooks import GrammarProcessor, HuggingFaceProcessor
    from .lark_grammar import compile_lark, describe

_LAZY = {
    "GrammarProcessor": "hooks",
    "HuggingFaceProcessor": "hooks",
    "compile_lark": "lark_grammar",
    "describe": "lark_grammar",
}

__all__ = [
    "Constraint",
    "Dropped",
    "EmptyGrammar",
    "GrammarError",
    "GrammarProcessor",
    "GrammarTooLarge",
    "HuggingFaceProcessor",
    "IllegalToken",
    "InvalidSchema",
    "Layout",
    "NothingToGround",
    "SchemaConstraint",
    "State",
    "TokenConstraint",
    "ToolChoice",
    "ToolFormat",
    "TurnState",
    "UnsupportedGrammar",
    "UnsupportedRegex",
    "UnsupportedSchema",
    "Vocabulary",
    "call_schema",
    "compile_json_schema",
    "compile_lark",
    "compile_regex",
    "compile_tools",
    "describe",
    "ground",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LAZY[name]}", __name__), name)
