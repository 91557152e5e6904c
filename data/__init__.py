"""Documents, tokens, windows and dialogues: everything a model learns from.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from data.errors import ConversationError, CorpusError, DataError, ExamplesError, TokenizerError, WireError

if TYPE_CHECKING:
    from data.conversation import Call, Conversation, Example, Message, Span
    from data.dialogue_batches import DialogueBatches
    from data.tokenize_corpus import TokenizeConfig
    from data.tokenizer import Tokenizer, load_tokenizer
    from data.windows import WindowBatches, Windows, held_out_batches, open_stream

_HOMES = {
    "Call": "conversation",
    "Conversation": "conversation",
    "DialogueBatches": "dialogue_batches",
    "Example": "conversation",
    "Message": "conversation",
    "Span": "conversation",
    "TokenizeConfig": "tokenize_corpus",
    "Tokenizer": "tokenizer",
    "WindowBatches": "windows",
    "Windows": "windows",
    "held_out_batches": "windows",
    "load_tokenizer": "tokenizer",
    "open_stream": "windows",
}

__all__ = [
    "Call",
    "Conversation",
    "ConversationError",
    "CorpusError",
    "DataError",
    "DialogueBatches",
    "Example",
    "ExamplesError",
    "Message",
    "Span",
    "TokenizeConfig",
    "Tokenizer",
    "TokenizerError",
    "WindowBatches",
    "Windows",
    "WireError",
    "held_out_batches",
    "load_tokenizer",
    "open_stream",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'data' has no attribute {name!r}")
    return getattr(import_module(f"data.{_HOMES[name]}"), name)
