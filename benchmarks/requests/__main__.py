"""Turn the hand-written requests into a file of examples for `medcall evaluate`.

    python -m benchmarks.requests -o written.jsonl
    medcall evaluate artifacts/demo/sft written.jsonl -o report/

Every wanted call is checked against its tool's schema and run by the tool; the tool's answer is kept beside it.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import tools
from data.conversation import Call, Conversation, Example, Message

WRITTEN = Path(__file__).with_name("written.txt")
SPLIT = "written"


class RequestsError(Exception):
    """A block of the file that does not say what is wanted: names file, line, what was found and expected."""


def read(path: Path = WRITTEN) -> list[Example]:
    """The examples of a file of requests, in its order. Raises RequestsError."""
    return [_example(path, number, block) for number, block in enumerate(_blocks(path))]


def _blocks(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each block with the number of its first line."""
    block: list[str] = []
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], start=1):
        if line.startswith("#"):
            continue
        if line.strip():
            block.append(line.strip())
        elif block:
            yield number - len(block), block
            block = []


def _example(path: Path, number: int, numbered_block: tuple[int, list[str]]) -> Example:
    line, (request, *wanted) = numbered_block
    place = f"{path.name}, line {line}"
    if not wanted:
        raise RequestsError(f"{place}: {request!r} does not say what is wanted; add a call, '= asks' or '= words'")
    if wanted[0].startswith("="):
        kinds = {"= asks": ("missing", "What else do I need to know?"), "= words": ("irrelevant", "No tool does this.")}
        if len(wanted) > 1 or wanted[0] not in kinds:
            raise RequestsError(f"{place}: found {wanted}, expected calls, or one line '= asks' or '= words'")
        kind, answer = kinds[wanted[0]]
        messages = (Message(role="user", content=request), Message(role="assistant", content=answer))
        return Example(id=f"{SPLIT}-{number}", split=SPLIT, kind=kind, conversation=Conversation(messages=messages))
    calls = tuple(_call(place, text) for text in wanted)
    results = tuple(tools.run([call.to_json() for call in calls]))
    for call, result in zip(calls, results, strict=True):
        if result.get("error", {}).get("code") in ("invalid_arguments", "missing_argument", "unknown_tool"):
            raise RequestsError(f"{place}: {call.name} refuses the wanted call: {result['error']['message']}")
    conversation = Conversation(
        messages=(
            Message(role="user", content=request),
            Message(role="assistant", calls=calls),
            *(Message(role="tool", content=json.dumps(result, ensure_ascii=False)) for result in results),
        )
    )
    return Example(
        id=f"{SPLIT}-{number}",
        split=SPLIT,
        kind="parallel" if len(calls) > 1 else "single",
        conversation=conversation,
        results=results,
    )


def _call(place: str, text: str) -> Call:
    name, _, arguments = text.partition(" ")
    try:
        return Call(name=name, arguments=json.loads(arguments))
    except json.JSONDecodeError as error:
        raise RequestsError(f"{place}: {text!r} is not `tool {{arguments}}`: {error}") from error


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.requests", description=(__doc__ or "").split("\n", 1)[0]
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="file to write, one example a line")
    output: Path = parser.parse_args().output
    examples = read()
    temporary = output.with_name(output.name + ".part")
    with temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(example.to_json(), ensure_ascii=False) + "\n" for example in examples)
    temporary.replace(output)
    print(f"{len(examples)} requests -> {output}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
