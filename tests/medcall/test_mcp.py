"""`medcall mcp` as a host meets it: the protocol's own client talks to the real command over its stdin and stdout."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import tools
from medcall.cli import main

anyio = pytest.importorskip("anyio")
mcp = pytest.importorskip("mcp", reason="the extra `mcp` is not installed")

ROOT = Path(__file__).parents[2]
PREFIX = [sys.executable, "-m", "medcall", "mcp"]


def talk(
    conversation: Callable[[Any], Awaitable[Any]], *flags: str, mode: str = "auto", errors: Path | None = None
) -> Any:
    """What ``conversation`` returns after talking to ``medcall mcp`` with these flags."""
    from mcp.client.stdio import StdioServerParameters, stdio_client

    parameters = StdioServerParameters(command=PREFIX[0], args=[*PREFIX[1:], *flags], cwd=ROOT)

    async def run() -> Any:
        with (errors or Path("/dev/null")).open("w", encoding="utf-8") as log, anyio.fail_after(60):
            async with mcp.Client(stdio_client(parameters, errlog=log), mode=mode) as client:
                return await conversation(client)

    return anyio.run(run)


CALLS: list[dict[str, Any]] = [
    {"name": "check_drug_interactions", "arguments": {"drugs": ["Zocor", "Biaxin"]}},
    {"name": "check_drug_interactions", "arguments": {"drugs": []}},
    {"name": "read_patient_record", "arguments": {"patient": "María Ortega", "sections": ["labs", "demographics"]}},
    {"name": "read_patient_record", "arguments": {"patient": "John Smith", "sections": ["labs"]}},
    {"name": "calculate_dose", "arguments": {"calculation": "qtc", "qt_ms": 400, "heart_rate": 80}},
]


@cache
def visit(mode: str) -> tuple[list[Any], list[Any], Any, str]:
    """The tools listed, the answers to `CALLS`, the error for a tool that is not there, and what stderr held."""

    async def conversation(client: Any) -> Any:
        listed = (await client.list_tools()).tools
        with pytest.raises(mcp.MCPError) as error:
            await client.call_tool("order_pizza", {})
        return listed, [await client.call_tool(call["name"], call["arguments"]) for call in CALLS], error.value

    with TemporaryDirectory() as folder:
        errors = Path(folder) / "errors.txt"
        return (*talk(conversation, mode=mode, errors=errors), errors.read_text(encoding="utf-8"))


MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])  # the protocol of 2026, and the one with a handshake


@MODES
def test_the_listed_tools_are_ours_with_their_own_schemas(mode: str) -> None:
    listed, registry = visit(mode)[0], tools.registry()
    assert [tool.name for tool in listed] == list(registry)
    for tool in listed:
        assert tool.input_schema == {"type": "object", **registry[tool.name].arguments_schema}
        assert tool.output_schema == {"type": "object", **registry[tool.name].result_schema}
        assert tool.annotations.read_only_hint and not tool.annotations.open_world_hint


@MODES
def test_a_call_gives_what_tools_run_gives_as_structure_and_as_text(mode: str) -> None:
    for answer, expected in zip(visit(mode)[1], tools.run(CALLS), strict=True):
        assert answer.structured_content == expected
        assert json.loads(answer.content[0].text) == expected


@MODES
def test_a_refusal_is_an_error_that_can_be_read_and_the_next_call_is_answered(mode: str) -> None:
    answers = visit(mode)[1]
    assert [answer.is_error for answer in answers] == [False, True, False, True, False]
    assert answers[1].structured_content["error"]["place"] == "/drugs"
    assert answers[3].structured_content["error"]["code"] == "ambiguous_patient"


@MODES
def test_a_tool_that_does_not_exist_is_an_error_of_the_protocol(mode: str) -> None:
    error = visit(mode)[2]
    assert error.code == -32602
    assert "order_pizza" in error.message and "calculate_dose" in error.message


@MODES
def test_nothing_of_a_record_or_a_question_is_written_to_the_log(mode: str) -> None:
    assert visit(mode)[3] == ""


def test_the_flags_say_whose_records_are_read_and_which_own_tools_are_served(tmp_path: Path) -> None:
    (tmp_path / "loud.py").write_text(
        """
import tools
def shout(arguments):
    print("not JSON-RPC")
    if arguments["text"] == "no":
        raise tools.Refusal("quiet_please", "/text", "no", "another word", "No.")
    return {"status": "ok", "value": arguments["text"].upper()}
ARGUMENTS = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
RESULT = {"type": "object", "properties": {"value": {"type": "string"}}, "required": ["value"]}
TOOL = tools.Tool("shout", "In capitals.", ARGUMENTS, RESULT, shout)
""",
        encoding="utf-8",
    )

    async def conversation(client: Any) -> Any:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        said = [await client.call_tool("shout", {"text": text}) for text in ("hi", "no")]
        asked = [{"patient": patient, "sections": ["demographics"]} for patient in ("patient-003", "patient-001", "x")]
        return listed["shout"], said, [await client.call_tool("read_patient_record", ask) for ask in asked]

    errors = tmp_path / "errors.txt"
    flags = ("--records", "tools/records", "--patients", "patient-003,patient-005")
    flags = (*flags, "--tools-file", str(tmp_path / "loud.py"))
    tool, (said, refused), (allowed, *others) = talk(conversation, *flags, errors=errors)
    assert allowed.structured_content["patient"]["id"] == "patient-003"
    assert [other.structured_content["error"]["code"] for other in others] == ["outside_scope"] * 2
    assert said.structured_content["value"] == "HI"
    assert refused.is_error and refused.structured_content["error"]["code"] == "quiet_please"
    assert tool.annotations is None
    # what it prints stays out of the protocol
    assert "not JSON-RPC" in errors.read_text(encoding="utf-8")


def test_the_server_ends_when_its_input_ends_and_junk_does_not_end_it() -> None:
    process = subprocess.run(
        PREFIX, input='junk\n{"jsonrpc": "2.0"}\n', capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert process.returncode == 0
    assert "Traceback" not in process.stderr
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in process.stdout.splitlines())


def test_without_the_sdk_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mcp_types", None)
    monkeypatch.delitem(sys.modules, "tools.mcp_server", raising=False)
    assert main(["mcp"]) == 2
    captured = capsys.readouterr()
    assert "pip install 'medcall[mcp]'" in captured.err and captured.out == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--records", "nowhere"], "not a folder"),
        (["--records", "http://127.0.0.1:9/fhir"], "not reachable"),
        (["--tools-file", "nowhere.py"], "No such file"),
    ],
)
def test_bad_flags_are_one_clear_line_before_anything_is_served(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for verb in (["mcp"], ["tool"]):
        assert main([*verb, *words]) == 2
        captured = capsys.readouterr()
        assert said in captured.err and captured.out == ""


def test_the_patients_of_the_command_line_are_the_only_ones(capsys: pytest.CaptureFixture[str]) -> None:
    ask = ["read_patient_record", '{"patient": "patient-001", "sections": ["demographics"]}']
    for ids in (["patient-001"], ["patient-002, patient-001"], ["x", "patient-001"]):
        assert main(["tool", *(word for part in ids for word in ("--patients", part)), *ask]) == 0
    capsys.readouterr()
    assert main(["tool", "--patients", "patient-002,patient-003", *ask]) == 2
    assert "outside_scope" in capsys.readouterr().out
