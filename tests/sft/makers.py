"""Small examples and answers that the tests of this folder are made of."""

from data.conversation import Call, Conversation, Example, Message
from data.wire import Reply
from sft.trace import Trace
from sft.turns import Turn, turns

PAIR = Call(name="check_drug_interactions", arguments={"drugs": ["warfarin", "ibuprofen"]})
OTHER = Call(name="check_drug_interactions", arguments={"drugs": ["warfarin"]})
BSA = {"weight": 70, "weight_unit": "kg", "height": 170, "height_unit": "cm"}
SURFACE = Call(name="calculate_dose", arguments={"calculation": "body_surface_area", **BSA})
WORDS = "I cannot help with that."


def example(
    request: str, *calls: Call, kind: str = "call", words: str = WORDS, split: str = "iid", id: str = "x"
) -> Example:
    answer = Message(role="assistant", calls=calls) if calls else Message(role="assistant", content=words)
    talk = Conversation(messages=(Message(role="user", content=request), answer))
    return Example(id=id, split=split, kind=kind, conversation=talk)


def turn(request: str, *calls: Call, kind: str = "call", words: str = WORDS) -> Turn:
    return turns(example(request, *calls, kind=kind, words=words))[0]


def calls(*made: Call, stopped: bool = True) -> Trace:
    return Trace(reply=Reply(outcome="calls", calls=made, stopped=stopped))


def words(text: str, stopped: bool = True) -> Trace:
    return Trace(reply=Reply(outcome="text", text=text, stopped=stopped))
