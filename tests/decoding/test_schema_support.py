"""The ratchet: what each JSON Schema feature does today. `refused` may become `exact`; nothing may slide back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from decoding import Layout, UnsupportedSchema, Vocabulary, compile_json_schema

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("schema_support.json").read_text("utf-8"))
DOCS = Path(__file__).parents[2] / "docs" / "schema-support.md"


@pytest.mark.parametrize("case", CASES, ids=[case["keyword"] for case in CASES])
def test_a_feature_is_at_least_what_the_file_says(small: Vocabulary, case: dict[str, Any]) -> None:
    assert case["status"] in ("exact", "refused")
    assert case["valid"]
    assert case["invalid"]
    try:
        constraint = compile_json_schema(case["schema"], small, Layout(key_order="free"))
    except UnsupportedSchema:
        assert case["status"] == "refused", f"{case['keyword']} used to be exact"
        return
    for verdict, documents in ((True, case["valid"]), (False, case["invalid"])):
        for document in documents:
            text = json.dumps(document, ensure_ascii=False).encode()
            state = small.states.step(constraint.start(), text)
            assert (state is not None and state.accepting) == verdict, text


@pytest.mark.parametrize("case", [c for c in CASES if c.get("oracle", True) and "regex" not in c["keyword"]], ids=str)
def test_the_file_itself_is_right(case: dict[str, Any]) -> None:
    if case["keyword"].startswith(("format i", "format uri-t")) and case["status"] == "refused":
        pytest.skip("jsonschema needs optional packages to judge this format")
    kind = jsonschema.validators.validator_for(case["schema"], default=jsonschema.Draft202012Validator)
    validator = kind(case["schema"], format_checker=jsonschema.FormatChecker())
    for document in case["valid"]:
        assert validator.is_valid(document), document
    for document in case["invalid"]:
        assert not validator.is_valid(document), document


def test_the_page_names_every_feature_of_the_file() -> None:
    page = DOCS.read_text("utf-8")
    for case in CASES:
        keyword = case["keyword"].split(",")[0].split(" above")[0]
        for word in keyword.removeprefix("format ").split(" / "):
            assert word in page, f"{word} is missing from {DOCS.name}"
