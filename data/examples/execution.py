"""The calls of a dialogue, executed by the real tools; calls that are refused as wrong are no gold."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import tools
from data.conversation import Call
from data.examples.drafts import Asked
from data.examples.entities import Unusable

# Any other refusal may answer a right call: the drug or patient exists nowhere, or no regimen fits.
WRONG_CALL: Final = frozenset(
    {
        "invalid_arguments",
        "missing_argument",
        "unknown_tool",
        "internal_error",
        "implausible_value",
        "unit_mismatch",
        "not_eligible",
    }
)


def run(calls: Sequence[Call], asked: Asked) -> tuple[Mapping[str, Any], ...]:
    """What the tools say to the calls. Raises `Unusable` for a call that lacks something or is refused as wrong."""
    for call, (operation, _) in zip(calls, asked, strict=bool(calls)):
        if lacking := operation.missing(call.arguments):
            raise Unusable(f"a call of {operation.name} lacks {', '.join(lacking)}")
    results = tuple(tools.run([call.to_json() for call in calls])) if calls else ()
    for result in results:
        if result["status"] != "ok" and result["error"]["code"] in WRONG_CALL:
            raise Unusable(result["error"]["message"])
    return results
