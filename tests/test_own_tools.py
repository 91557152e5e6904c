"""docs/own-tools.md as written, and own tools under the grammar."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tools
from data.tokenizer import load_tokenizer
from decoding import Vocabulary, compile_json_schema, ground
from medcall.cli import main

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "own-tools.md"
_BLOCK = re.compile(r"(?:^`(?P<file>[\w.]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks() -> Iterator[tuple[str | None, str, str]]:
    for match in _BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        yield match["file"], match["kind"], match["text"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of the page."""
    for name, _, text in blocks():
        if name is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"brew_coffee.py", "everyday.json"}
    return tmp_path


def test_the_page_prints_what_it_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    compared, printed = 0, ""
    for name, kind, text in blocks():
        if name is None and kind == "sh":
            for line in text.splitlines():
                program, *words = shlex.split(line)
                assert (program, main(words)) == ("medcall", 0), line
            printed = capsys.readouterr().out
        elif name is None and kind == "python":
            script = subprocess.run(
                [sys.executable, "-c", text], capture_output=True, text=True, env={"PYTHONPATH": str(ROOT)}, timeout=120
            )
            assert script.returncode == 0, script.stderr
            printed = script.stdout
        elif kind == "text":
            assert printed == text
            compared += 1
    assert compared == 4


def test_the_messages_of_the_page_are_those_of_the_loader(folder: Path) -> None:
    described = json.loads((folder / "everyday.json").read_text(encoding="utf-8"))
    nowhere = [{**described[0], "callable": "clock:now"}]
    missing = [{key: value for key, value in described[0].items() if key != "callable"}]
    broken = json.loads(json.dumps([described[1]]))
    broken[0]["function"]["parameters"]["type"] = "objekt"
    taken = [{**described[0], "name": "calculate_dose"}]
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line.split("|")[2] for line in lines if line.startswith(("| a ", "| no "))]
    assert len(rows) == 4
    for document, row in zip((missing, nowhere, broken, taken), rows, strict=True):
        (folder / "everyday.json").write_text(json.dumps(document), encoding="utf-8")
        with pytest.raises(tools.ToolFileError) as error:
            tools.registry(files=[folder / "everyday.json"])
        assert row.strip().strip("`") in str(error.value)


@pytest.mark.parametrize(
    ("file", "name", "request_text"),
    [
        ("brew_coffee.py", "brew_coffee", "How much coffee for 4 cups of water?"),
        ("everyday_tools.json", "is_leap_year", "Is 2100 a leap year?"),
        ("everyday_tools.json", "median", "The median of 3, 1 and 2.5"),
    ],
)
def test_under_the_grammar_noise_calls_an_own_tool_rightly(file: str, name: str, request_text: str) -> None:
    registry = tools.registry(files=[ROOT / "examples" / file])
    tokenizer = load_tokenizer()
    vocabulary = Vocabulary(tokenizer.token_bytes(), eos=tokenizer.end_of_text, encode=tokenizer.encode)
    constraint = ground(compile_json_schema(tools.call_schema([name], registry), vocabulary), request_text)
    numbers = re.findall(r"[\d.]*\d", request_text)
    for seed in range(5):
        noise, state, ids = np.random.default_rng(seed), constraint.start(), []
        while not constraint.accepting(state):
            logits = np.where(constraint.allowed(state), noise.normal(size=vocabulary.size), -np.inf)
            ids.append(int(logits.argmax()))
            state = constraint.advance(state, ids[-1])
        call = json.loads(tokenizer.decode(ids))
        [result] = tools.run([call], registry)
        assert (call["name"], result["status"]) == (name, "ok")
        given = next(iter(call["arguments"].values()))
        assert all(f"{value:g}" in numbers for value in (given if isinstance(given, list) else [given]))


def test_a_schema_with_definitions_of_its_own_is_compiled_inside_the_schema_of_calls(tmp_path: Path) -> None:
    point = {
        "type": "object",
        "properties": {"x": {"type": "integer"}},
        "required": ["x"],
        "additionalProperties": False,
    }
    description = {
        "name": "measure",
        "inputSchema": {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/point"}},
            "required": ["a"],
            "additionalProperties": False,
            "$defs": {"point": point},
        },
        "callable": "builtins:dict",
    }
    (tmp_path / "measure.json").write_text(json.dumps(description), encoding="utf-8")
    registry = tools.registry(files=[tmp_path / "measure.json"])
    tokenizer = load_tokenizer()
    vocabulary = Vocabulary(tokenizer.token_bytes(), eos=tokenizer.end_of_text, encode=tokenizer.encode)
    constraint = compile_json_schema(tools.call_schema(["calculate_dose", "measure"], registry), vocabulary)
    state = constraint.start()
    for token in tokenizer.encode('{"name": "measure", "arguments": {"a": {"x": 12}}}'):
        state = constraint.advance(state, token)
    assert constraint.accepting(state)
    [result] = tools.run([{"name": "measure", "arguments": {"a": {"x": 12}}}], registry)
    assert result["value"] == {"a": {"x": 12}}


@pytest.mark.parametrize("verb", ["tool", "ask", "mcp"])
def test_every_verb_that_uses_tools_can_be_told_which_and_over_whose_records(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(flag in shown for flag in ("--records", "--patients", "--index", "--tools-file"))
