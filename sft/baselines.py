"""Answers that take no model, so that a score can be read against something.

A model that does not beat *abstain* on requests without a call and *majority* on the others has learned nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from data.conversation import Conversation, Example
from data.wire import Reply, call_json
from sft.judge import question
from sft.trace import Responder, Trace


def always_abstain() -> Responder:
    """Says the same sentence to everything and never calls."""
    trace = Trace(reply=Reply(outcome="text", text="I cannot help with that.", stopped=True))
    return lambda conversation: trace


def majority_call(examples: Sequence[Example]) -> Responder:
    """Makes the call that is right most often in `examples`, whatever is asked; abstains where they hold none."""
    counts: Counter[str] = Counter()
    replies: dict[str, Reply] = {}
    for example in examples:
        calls = question(example)[1]
        if calls:
            key = " ".join(map(call_json, calls))
            counts[key] += 1
            replies[key] = Reply(outcome="calls", calls=calls, text=key, stopped=True)
    if not counts:
        return always_abstain()
    trace = Trace(reply=replies[counts.most_common(1)[0][0]])

    def respond(conversation: Conversation) -> Trace:
        return trace

    return respond
