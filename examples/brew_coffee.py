"""A tool of your own in one file, and nothing medical about it: how much coffee for how much water.

medcall tool --tools-file examples/brew_coffee.py brew_coffee '{"water": 4, "unit": "cup"}'
"""

from collections.abc import Mapping
from typing import Any

import tools

ML = {"ml": 1.0, "cup": 236.588, "litre": 1000.0}
GRAMS_PER_LITRE = {"mild": 49.5, "usual": 55.0, "strong": 60.5}
SOURCE = "Specialty Coffee Association, brewing ratio of 55 g/L, plus or minus 10 percent"

ARGUMENTS = {
    "type": "object",
    "properties": {
        "water": {"type": "number", "exclusiveMinimum": 0, "x-from": "conversation"},
        "unit": {"enum": list(ML)},
        "strength": {"enum": list(GRAMS_PER_LITRE)},
    },
    "required": ["water", "unit"],
    "additionalProperties": False,
}


def brew(arguments: Mapping[str, Any]) -> dict[str, Any]:
    water = arguments["water"] * ML[arguments["unit"]]
    if water > 20_000:
        raise tools.Refusal(
            "implausible_value", "/water", arguments["water"], "at most 20 litres", "That is a bathtub."
        )
    grams = round(water / 1000 * GRAMS_PER_LITRE[arguments.get("strength", "usual")], 1)
    return {"status": "ok", "value": grams, "unit": "g", "source": SOURCE, "data_version": "1"}


TOOL = tools.Tool("brew_coffee", "How much ground coffee for an amount of water.", ARGUMENTS, {"type": "object"}, brew)

if __name__ == "__main__":
    registry = tools.registry(files=[__file__])  # the three medical tools and this one
    for water in (4, 400):
        [result] = tools.run([{"name": "brew_coffee", "arguments": {"water": water, "unit": "cup"}}], registry)
        print(tools.summarise("brew_coffee", result))
