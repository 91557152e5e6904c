"""What a mask changed: the model's own probabilities along an answer that was written under one.

After an answer is written, the model reads it once more without any mask. At every token inside a call this gives

    mass       the probability that the model itself gave to all that was legal there; 1 - mass is what the mask removed
    overruled  whether the model's first choice was illegal, so that greedy decoding without the mask would have left
               the grammar here

A forced token is judged too: the model was not asked about it, but it has an opinion. A free answer is held against the
grammar of the constrained mode, up to the token with which it leaves it.

T tokens of the answer   V vocabulary
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace

import torch

from data.conversation import Conversation
from data.wire import CLOSE, OPEN, prompt_ids
from decoding import IllegalToken
from sft.respond import ModelResponder
from sft.trace import Trace


def audited(responder: ModelResponder) -> Callable[[Conversation], Trace]:
    """The responder, its traces with mass and overruled on the tokens of calls."""
    judge = responder
    if responder.mode == "free":
        judge = copy(responder)
        judge.mode = "constrained"

    def respond(conversation: Conversation) -> Trace:
        return audit(responder(conversation), conversation, judge)

    return respond


@torch.inference_mode()
def audit(trace: Trace, conversation: Conversation, responder: ModelResponder) -> Trace:
    """The trace with what the responder's model and grammar say of its tokens."""
    ids = [token.id for token in trace.tokens]
    constraint = responder.constraint(conversation)
    if constraint is None or OPEN not in ids or min(ids) < 0:
        return trace
    model, prompt = responder.model, prompt_ids(conversation, responder.tokenizer)
    weight = model.lm_head.weight
    was_training = model.training
    model.eval()
    try:
        hidden = model.hidden(torch.tensor([[*prompt, *ids[:-1]]], device=weight.device))[
            0, len(prompt) - 1 :
        ]  # (T, C)
    finally:
        model.train(was_training)
    tokens, state, inside = list(trace.tokens), constraint.start(), False
    for t, token in enumerate(ids):
        inside = inside or token == OPEN
        if inside:
            logits = model.logits(hidden[t : t + 1])[0].float()  # (V,)
            legal = torch.from_numpy(constraint.allowed(state).copy()).to(logits.device)  # (V,)
            mass = float(logits.softmax(0)[legal].sum())
            tokens[t] = replace(tokens[t], mass=min(mass, 1.0), overruled=not bool(legal[logits.argmax()]))
        inside = inside and token != CLOSE
        try:
            state = constraint.advance(state, token)
        except IllegalToken:
            break
    return replace(trace, tokens=tuple(tokens))
