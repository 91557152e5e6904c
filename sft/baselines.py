"""Answers that take no model, so that a score can be read against something.

A model that does not beat *always abstain* where no call is wanted, and the *extractor* (`sft.extractor`) elsewhere,
has learned nothing that a few rules could not do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from data.conversation import Conversation
from data.wire import Reply, call_json
from sft.trace import Responder, Trace
from sft.turns import Turn


def always_abstain() -> Responder:
    """Says the same sentence to everything and never calls."""
    trace = Trace(reply=Reply(outcome="text", text="I cannot help with that.", stopped=True))
    return lambda conversation: trace


def majority_tool(turns: Sequence[Turn]) -> Responder:
    """Calls the tool that `turns` want most often, in the way they want it most often, whatever is asked; abstains
    where they want no call.
    """
    wanted = [call for turn in turns for call in turn.wanted]
    if not wanted:
        return always_abstain()
    tool = Counter(call.name for call in wanted).most_common(1)[0][0]
    calls = {call_json(call): call for call in wanted if call.name == tool}
    text = Counter(call_json(call) for call in wanted if call.name == tool).most_common(1)[0][0]
    trace = Trace(reply=Reply(outcome="calls", calls=(calls[text],), text=text, stopped=True))

    def respond(conversation: Conversation) -> Trace:
        return trace

    return respond
