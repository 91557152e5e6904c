"""`medcall tokens`: how GPT-2's byte-pair encoding cuts a text, and a word in the places where it may stand."""

from __future__ import annotations

import argparse
from typing import Any

from medcall.console import add_json_flag, show

EXAMPLE = 'medcall tokens "Give apixaban 2.5 mg"'


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", help="the text to cut; a single word is shown in prose and in JSON as well")
    add_json_flag(parser)


def run(args: argparse.Namespace) -> None:
    result = tokens(args.text)
    if args.json:
        show(result, True)
        return
    for token in result["tokens"]:
        print(f"{token['id']:>6}  {token['text']!r}")
    if "places" in result:
        print()
        show({place: " ".join(map(repr, pieces)) for place, pieces in result["places"].items()}, False)


def tokens(text: str) -> dict[str, Any]:
    """The tokens of a text as ids and pieces; of a single word also its pieces wherever and however it is written."""
    from data.token_survey import SPELLINGS, SURROUNDINGS, inside
    from data.tokenizer import load_tokenizer

    tokenizer = load_tokenizer()
    pieces = tokenizer.token_bytes()

    def piece(token: int) -> str:
        return pieces[token].decode("utf-8", errors="backslashreplace")

    result: dict[str, Any] = {
        "text": text,
        "tokens": [{"id": token, "text": piece(token)} for token in tokenizer.encode(text)],
    }
    if text.isalpha():
        result["places"] = {
            f"{place}, {spelling}": [piece(token) for token in ids]
            for place, around in SURROUNDINGS.items()
            for spelling, spell in SPELLINGS.items()
            if (ids := inside(tokenizer, spell(text), *around)) is not None
        }
    return result
