"""Tools from files: what is taken, what is refused and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tools

SQUARE: dict[str, Any] = {
    "name": "square",
    "description": "A number times itself.",
    "inputSchema": {
        "type": "object",
        "properties": {"number": {"type": "number"}},
        "required": ["number"],
        "additionalProperties": False,
    },
    "callable": "arithmetic:square",
}
MODULE = """
def square(number):
    return number * number

def crash(number):
    raise RuntimeError("secret")

def leave(number):
    raise SystemExit(3)

def not_json(number):
    return {1, 2}

def infinite(number):
    return float("inf")

def refuse(number):
    import tools
    raise tools.Refusal("too_big", "/number", number, "less", "too big")

class Shapes:
    @staticmethod
    def cube(number):
        return number ** 3
"""


def write(folder: Path, document: Any, name: str = "mine.json") -> Path:
    (folder / "arithmetic.py").write_text(MODULE, encoding="utf-8")
    (folder / name).write_text(json.dumps(document), encoding="utf-8")
    return folder / name


def call(path: Path, name: str = "square", **arguments: Any) -> dict[str, Any]:
    [result] = tools.run([{"name": name, "arguments": arguments}], tools.registry(files=[path]))
    return result


def test_an_mcp_style_description_is_a_tool_whose_result_has_a_source_and_a_version(tmp_path: Path) -> None:
    result = call(write(tmp_path, SQUARE), number=3)
    assert {key: result[key] for key in ("status", "value", "source")} == {
        "status": "ok",
        "value": 9,
        "source": "arithmetic:square",
    }
    assert result["data_version"].startswith("mine.json-")


def test_an_openai_style_description_is_the_same_tool(tmp_path: Path) -> None:
    function = {"name": "square", "description": "", "parameters": SQUARE["inputSchema"], "strict": True}
    result = call(
        write(tmp_path, {"type": "function", "function": function, "callable": "arithmetic:square"}), number=3
    )
    assert result["value"] == 9


def test_what_openai_tools_writes_can_be_loaded_again(tmp_path: Path) -> None:
    first = tools.registry(files=[write(tmp_path, SQUARE)])
    [definition] = [d for d in tools.openai_tools(first) if d["function"]["name"] == "square"]
    second = tmp_path / "again.json"
    second.write_text(json.dumps([{**definition, "callable": "arithmetic:square"}]), encoding="utf-8")
    assert tools.registry(files=[second])["square"].arguments_schema == first["square"].arguments_schema


def test_the_medical_tools_stay_and_the_new_ones_follow_in_order(tmp_path: Path) -> None:
    path = write(tmp_path, {"tools": [SQUARE, {**SQUARE, "name": "cube", "callable": "arithmetic:Shapes.cube"}]})
    assert list(tools.registry(files=[path])) == [*tools.registry(), "square", "cube"]
    assert call(path, "cube", number=2)["value"] == 8


def test_arguments_outside_the_schema_never_reach_the_function(tmp_path: Path) -> None:
    error = call(write(tmp_path, SQUARE), number="3")["error"]
    assert (error["code"], error["place"]) == ("invalid_arguments", "/number")


@pytest.mark.parametrize("function", ["crash", "leave", "not_json", "infinite"])
def test_a_function_that_fails_is_isolated_and_says_nothing_of_its_data(tmp_path: Path, function: str) -> None:
    path = write(tmp_path, [SQUARE, {**SQUARE, "name": "bad", "callable": f"arithmetic:{function}"}])
    calls = [{"name": name, "arguments": {"number": 2}} for name in ("square", "bad", "square")]
    results = tools.run(calls, tools.registry(files=[path]))
    assert [result["status"] for result in results] == ["ok", "refused", "ok"]
    assert results[1]["error"]["code"] == "internal_error" and "secret" not in json.dumps(results)


def test_a_refusal_of_an_own_tool_is_a_value_whatever_its_result_schema_says(tmp_path: Path) -> None:
    path = write(tmp_path, {**SQUARE, "callable": "arithmetic:refuse", "outputSchema": {"type": "number"}})
    assert call(path, number=3)["error"]["code"] == "too_big"


def test_a_value_outside_the_output_schema_is_not_passed_on(tmp_path: Path) -> None:
    path = write(tmp_path, {**SQUARE, "outputSchema": {"$ref": "#/$defs/small", "$defs": {"small": {"maximum": 10}}}})
    assert call(path, number=3)["value"] == 9
    assert call(path, number=4)["error"]["code"] == "internal_error"


def test_a_tool_cannot_change_what_its_neighbours_are_given() -> None:
    def greedy(arguments: Any) -> dict[str, Any]:
        arguments["data"].append(0)
        return {"status": "ok", "value": len(arguments["data"])}

    tool = tools.Tool("greedy", "", {"type": "object"}, {"type": "object"}, greedy)
    shared = {"name": "greedy", "arguments": {"data": [1]}}
    assert [result["value"] for result in tools.run([shared, shared], {"greedy": tool})] == [2, 2]
    assert shared["arguments"] == {"data": [1]}


def test_a_choice_of_shapes_without_a_telling_constant_is_validated_as_a_whole() -> None:
    either = {"oneOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"required": ["b"]}]}
    tool = tools.Tool("either", "", {"type": "object", **either}, {"type": "object"}, lambda a: {"status": "ok"})
    statuses = [tool.call(arguments)["status"] for arguments in ({"a": 1}, {"b": 1}, {"a": "x"}, {"a": 1, "b": 1})]
    assert statuses == ["ok", "ok", "refused", "refused"]


def test_every_tool_of_a_python_file_is_taken(tmp_path: Path) -> None:
    text = """
import tools
def tool(name):
    return tools.Tool(name, name, {"type": "object"}, {"type": "object"}, lambda a: {"status": "ok", "value": name})
ONE, TWO = tool("one"), tool("two")
also_one = ONE
"""
    (tmp_path / "two_tools.py").write_text(text, encoding="utf-8")
    assert [tool.name for tool in tools.load_tools(tmp_path / "two_tools.py")] == ["one", "two"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"callable": None}, '/callable: found nothing, expected "module:function"'),
        ({"callable": "square"}, 'expected "module:function"'),
        ({"callable": "../arithmetic:square"}, 'expected "module:function"'),
        ({"callable": "nowhere_at_all:square"}, "no module 'nowhere_at_all' beside the file or installed"),
        ({"callable": "arithmetic:missing"}, "has no function 'missing'"),
        ({"callable": "arithmetic:__name__"}, "has no function '__name__'"),
        ({"name": "two words"}, "expected letters, digits, _ and -"),
        ({"name": 7}, "/name: found 7, expected the tool's name"),
        ({"name": "calculate_dose"}, "a tool named 'calculate_dose' is there already"),
        ({"inputSchema": {"type": "objekt"}}, "arguments schema at /type"),
        ({"inputSchema": {"type": "array"}}, "expected an arguments schema of type object"),
        ({"inputSchema": None}, "/inputSchema: found nothing, expected a JSON Schema"),
        ({"outputSchema": {"minimum": "x"}}, "result schema at"),
        ({"type": "function"}, "/function: found nothing, expected an OpenAI-style function"),
    ],
)
def test_what_is_wrong_with_a_description_is_said_with_its_place(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    document = {key: value for key, value in {**SQUARE, **change}.items() if value is not None}
    with pytest.raises(tools.ToolFileError) as error:
        tools.registry(files=[write(tmp_path, document)])
    assert said in str(error.value) and "mine.json" in str(error.value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("mine.json", "{", "not JSON at line 1"),
        ("mine.json", "[]", "describes no tool"),
        ("mine.json", "[7]", "/0/callable: found nothing"),
        ("mine.json", '{"tools": 7}', "found nothing"),
        ("mine.yaml", "x", "expected .py or .json"),
        ("mine.py", "x = 1", "holds no tools.Tool"),
        ("mine.py", "1 / 0", "importing it failed with ZeroDivisionError"),
    ],
)
def test_a_file_that_is_no_file_of_tools_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(tools.ToolFileError) as error:
        tools.load_tools(tmp_path / name)
    assert said in str(error.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(tools.ToolFileError, match="No such file"):
        tools.load_tools(tmp_path / "nowhere.json")


def test_a_module_beside_the_file_never_stands_in_for_an_installed_one(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("def dumps(number):\n    return 'mine'\n", encoding="utf-8")
    result = call(write(tmp_path, {**SQUARE, "callable": "json:dumps"}), number=1)
    assert result["value"] == "mine"
    assert json.dumps(1) == "1" and __import__("json") is json
