"""Grounding: arguments that must come from the conversation become spans and numbers of one request.

In a schema, `"x-from": "conversation"` on a string says that its value is a span of the request's words, on a
number that it is a number of the request; `"x-distinct": true` on an array of such strings says that no word
is used twice. Everything else the schema says still holds. A branch of `anyOf`/`oneOf` or an optional
property that nothing in the request fits disappears.
"""

from __future__ import annotations

from .constraint import Constraint
from .errors import GrammarError, NothingToGround
from .json_schema import Lowering
from .liveness import nonempty
from .request import Request


def ground(constraint: Constraint, request: str) -> Constraint:
    """The same grammar with its marked strings and numbers taken from the request.

    Raises NothingToGround when a marked field that every document needs finds nothing in the request, naming
    its JSON pointer.
    """
    lowering = constraint.source
    if not isinstance(lowering, Lowering):
        raise GrammarError(
            "only a constraint made by compile_json_schema can be grounded; found one made from other text"
        )
    source = Request(request, lowering.layout)
    grounded = lowering.grounded(source)
    expression = grounded.start()
    if not nonempty(expression):
        raise NothingToGround(list(source.missing))
    return Constraint(expression, constraint.vocabulary, grounded)
