"""A tool's result as the model reads it: the few fields that an answer or a next call needs, as one line of JSON.

Whole results hold sources, steps and codes for people and programs, up to thousands of tokens; a small model has a
few hundred positions for all of a conversation. What is left out here is left out, never put in other words.
"""

import json
from collections.abc import Mapping
from typing import Any

Result = Mapping[str, Any]
MOST = 3
"""Interactions shown, and entries of a section of a record that holds many."""
FULL = 8
"""Entries shown of a section that has no more than these, and of one that was asked for by test."""


def shown(name: str, result: Result) -> str:
    """The result of the tool called `name` in short; of a tool that is not one of the three, all of it."""
    if result.get("status") == "refused":
        error = result["error"]
        return _json({"status": "refused", "code": error["code"], "message": error["message"]})
    views = {"check_drug_interactions": _interactions, "calculate_dose": _dose, "read_patient_record": _record}
    return _json(views[name](result) if name in views else dict(result))


def _interactions(result: Result) -> dict[str, Any]:
    found = result["interactions"]
    view: dict[str, Any] = {
        "status": "ok",
        "interactions": [
            {
                "drugs": f"{entry['object']} with {entry['precipitant']}",
                "severity": entry["severity"],
                "effect": entry["effect"],
                "management": entry["management"],
                "source": entry["sources"][0],
            }
            for entry in found[:MOST]
        ],
    }
    if len(found) > MOST:
        view["more"] = len(found) - MOST
    if not found:
        view["screened"] = [ingredient for drug in result["resolved"] for ingredient in drug["ingredients"]]
    if result["duplicate_ingredients"]:
        view["duplicates"] = [
            {"ingredient": entry["ingredient"], "in": entry["as_written"]} for entry in result["duplicate_ingredients"]
        ]
    if result["unresolved"]:
        view["not_screened"] = [
            {"drug": entry["as_written"], "reason": entry["reason"], "candidates": entry["candidates"]}
            for entry in result["unresolved"]
        ]
    return view


def _dose(result: Result) -> dict[str, Any]:
    view: dict[str, Any] = {"status": "ok"}
    if "drug" in result:
        view["drug"] = result["drug"]["resolved"]
    if "to_drug" in result:
        view["to_drug"] = result["to_drug"]["resolved"]
    for key in ("indication", "value", "value_high", "unit", "route", "frequency"):
        if key in result:
            view[key] = result[key]
    view["step"] = result["steps"][-1]
    for key in ("applied", "other_values"):
        if result.get(key):
            view[key] = result[key]
    if result["warnings"]:
        view["warning"] = result["warnings"][0]
    return view | {"source": result["source"]}


def _record(result: Result) -> dict[str, Any]:
    patient = result["patient"]
    who = {key: patient[key] for key in ("name", "mrn", "sex", "age", "age_unit", "deceased") if key in patient}
    view: dict[str, Any] = {"status": "ok", "patient": who}
    if "as_of" in result:
        view["as_of"] = result["as_of"]
    for section, content in result["sections"].items():
        entries = content["entries"]
        few = "codes" in result or section == "medications" or len(entries) <= FULL
        view[section] = [_entry(entry) for entry in entries[: FULL if few else MOST]]
        more = content["total"] - len(view[section])
        if more:
            view[f"{section}_more"] = more
    if result["notes"]:
        view["notes"] = list(result["notes"])
    return view


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("name", "value", "unit", "date") if "value" in entry else ("name", "status", "date")
    return {key: entry[key] for key in keys if key in entry}


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
