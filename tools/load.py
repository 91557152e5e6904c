"""Tools from files: a Python module that holds :class:`Tool` values, or JSON that describes plain functions.

JSON may be OpenAI-style (``{"type": "function", "function": {"name", "description", "parameters"}}``) or MCP-style
(``{"name", "description", "inputSchema", "outputSchema"}``), one tool, a list, or ``{"tools": [...]}``; each tool
says in ``"callable": "module:function"`` what to call. The module is looked for beside the file first. Loading a
file runs its code: load only files you would run.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from tools.errors import ToolFileError
from tools.schema_parts import REFUSED, closed_object, text
from tools.tool import Arguments, Result, Tool, rebased

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CALLABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_MARK = "callable"


def load_tools(path: str | Path) -> list[Tool]:
    """The tools of one file, in its order. Raises :class:`ToolFileError`, which says where and what."""
    file = Path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ToolFileError(f"tools file {str(path)!r}: {error.strerror}") from error
    version = f"{file.name}-{hashlib.sha256(data).hexdigest()[:8]}"
    if file.suffix == ".py":
        tools = _of_module(file)
    elif file.suffix == ".json":
        tools = list(_of_json(file, data, version))
    else:
        raise ToolFileError(f"tools file {str(path)!r}: found {file.suffix or 'no suffix'!r}, expected .py or .json")
    for tool in tools:
        _check(file, tool)
    return tools


def _of_module(file: Path) -> list[Tool]:
    tools = [value for value in vars(_import(file.stem, file)).values() if isinstance(value, Tool)]
    if not tools:
        raise ToolFileError(f"{file.name}: holds no tools.Tool; expected one, like TOOL = tools.Tool(...)")
    return list({id(tool): tool for tool in tools}.values())


def _of_json(file: Path, data: bytes, version: str) -> Iterator[Tool]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ToolFileError(f"{file.name}: not JSON{where}") from None
    if isinstance(document, Mapping) and "tools" in document:
        document = document["tools"]
    described = document if isinstance(document, list) else [document]
    if not described:
        raise ToolFileError(f"{file.name}: describes no tool")
    for number, description in enumerate(described):
        yield _described(file, f"/{number}" if isinstance(document, list) else "", description, version)


def _described(file: Path, place: str, description: Any, version: str) -> Tool:
    def need(found: Any, kind: type, key: str, expected: str) -> Any:
        value = found.get(key) if isinstance(found, Mapping) else None
        if not isinstance(value, kind):
            shown = "nothing" if value is None else f"{value!r:.60}"
            raise ToolFileError(f"{file.name}: at {place}/{key}: found {shown}, expected {expected}")
        return value

    target = need(description, str, _MARK, '"module:function"')
    if description.get("type") == "function":
        body = need(description, Mapping, "function", "an OpenAI-style function")
        arguments = body.get("parameters", closed_object({}, []))
        returned: Any = {}
    else:
        body = description
        arguments = need(body, Mapping, "inputSchema", "a JSON Schema")
        returned = body.get("outputSchema", {})
    name = need(body, str, "name", "the tool's name")
    return Tool(
        name,
        str(body.get("description", "")),
        arguments,
        _result_schema(returned),
        _Calling(_function(file, place, target), target, version),
        lambda: version,
    )


class _Calling:
    """A plain function of keyword arguments as the function of a tool: what it returns is the result's value."""

    def __init__(self, function: Callable[..., Any], source: str, version: str) -> None:
        self.function, self.source, self.version = function, source, version

    def __call__(self, arguments: Arguments) -> Result:
        value = self.function(**arguments)
        return {"status": "ok", "value": value, "source": self.source, "data_version": self.version}


def _result_schema(returned: Mapping[str, Any]) -> dict[str, Any]:
    ok = closed_object(
        {
            "status": {"const": "ok"},
            "value": rebased(returned, "#/oneOf/0/properties/value"),
            "source": text(),
            "data_version": text(),
        },
        required=["status", "value", "source", "data_version"],
    )
    return {"oneOf": [ok, REFUSED]}


def _function(file: Path, place: str, target: str) -> Callable[..., Any]:
    where = f"{file.name}: at {place}/{_MARK}"
    if not _CALLABLE.fullmatch(target):
        raise ToolFileError(f'{where}: found {target!r}, expected "module:function"')
    module_name, _, path = target.partition(":")
    beside = file.resolve().parent / f"{module_name}.py"
    try:
        found: Any = _import(module_name, beside) if beside.is_file() else importlib.import_module(module_name)
    except ImportError as error:
        raise ToolFileError(f"{where}: no module {module_name!r} beside the file or installed ({error})") from error
    for part in path.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ToolFileError(f"{where}: module {module_name!r} has no function {path!r}")
    function: Callable[..., Any] = found
    return function


def _import(name: str, file: Path) -> ModuleType:
    """The module in a file, under a name of its own, so that it cannot stand in for an installed one."""
    unique = f"_tools_file_{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:12]}_{name}"
    spec = importlib.util.spec_from_file_location(unique, file)
    assert spec is not None and spec.loader is not None  # the suffix is .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module  # dataclasses and pickling look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[unique]
        raise ToolFileError(f"{file.name}: importing it failed with {type(error).__name__}: {error}") from error
    return module


def _check(file: Path, tool: Tool) -> None:
    """A name that every protocol takes, and schemas that are schemas."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    if not _NAME.fullmatch(tool.name):
        raise ToolFileError(f"{file.name}: found name {tool.name!r}, expected letters, digits, _ and - (1 to 64)")
    for what, schema in (("arguments", tool.arguments_schema), ("result", tool.result_schema)):
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            pointer = "".join(f"/{part}" for part in error.absolute_path)
            raise ToolFileError(
                f"{file.name}: tool {tool.name!r}: {what} schema at {pointer}: {error.message}"
            ) from None
    kinds = {tool.arguments_schema.get("type"), *(b.get("type") for b in tool.arguments_schema.get("oneOf", ()))}
    if not kinds <= {"object", None} or kinds == {None}:
        raise ToolFileError(f"{file.name}: tool {tool.name!r}: expected an arguments schema of type object")


def merged(built_in: Sequence[Tool], files: Sequence[str | Path]) -> dict[str, Tool]:
    """Tools by name; two of one name are refused, because a call could mean either."""
    tools = {tool.name: tool for tool in built_in}
    for path in files:
        for tool in load_tools(path):
            if tool.name in tools:
                raise ToolFileError(f"{Path(path).name}: a tool named {tool.name!r} is there already; rename one")
            tools[tool.name] = tool
    return tools
