"""What can be asked for: one operation per branch of the tools' schemas, and how to ask back when something
is missing.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from data.conversation import Call
from data.examples.slots import Argument

LISTS: Final = frozenset({"drugs", "sections", "codes"})

PURPOSES: Final[Mapping[str, str]] = {
    "check_drug_interactions": "check interactions",
    "read_patient_record": "read the record",
    "drug_dose": "calculate the dose",
    "creatinine_clearance": "calculate the creatinine clearance",
    "egfr": "calculate the eGFR",
    "body_surface_area": "calculate the body surface area",
    "body_mass_index": "calculate the BMI",
    "ideal_body_weight": "calculate the ideal body weight",
    "infusion_rate": "calculate the infusion rate",
    "corrected_calcium": "correct the calcium",
    "qtc": "calculate the QTc",
    "maintenance_fluids": "calculate maintenance fluids",
}
ITEMS: Final[Mapping[str, str]] = {
    "drugs": "the names of the drugs",
    "drug": "the drug",
    "age": "the age",
    "sex": "the sex",
    "weight": "the weight with its unit",
    "height": "the height with its unit",
    "creatinine": "the serum creatinine",
    "dose": "the dose with its unit",
    "concentration": "the concentration with its unit",
    "calcium": "the total calcium",
    "albumin": "the albumin",
    "qt_ms": "the QT interval",
    "heart_rate": "the heart rate",
    "patient": "the patient",
    "sections": "the part of the record",
}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A tool, or one calculation of a tool: its keys in schema order, and those it can not do without."""

    name: str
    tool: str
    keys: tuple[str, ...]
    required: frozenset[str]
    fixed: Mapping[str, Any]

    def missing(self, arguments: Mapping[str, Any]) -> list[str]:
        """Required keys that the arguments lack, units aside, in schema order."""
        lacking = [key for key in self.keys if key in self.required and key not in arguments]
        if "/kg" in str(arguments.get("dose_unit", "")) and "weight" not in arguments:
            lacking.append("weight")
        return [key for key in lacking if not key.endswith("_unit")]

    def call(self, arguments: Mapping[str, Any]) -> Call:
        """The call with its keys in schema order."""
        return Call(name=self.tool, arguments={key: arguments[key] for key in self.keys if key in arguments})

    def arguments(self, given: Iterable[Argument], constants: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments from pieces, what the pattern's heading fixes, and what the operation fixes; keys it
        lacks are ignored.
        """
        out: dict[str, Any] = {**self.fixed}
        for key, value in constants.items():
            if key in self.keys:
                out[key] = list(value) if isinstance(value, list) else value
        for argument in given:
            if argument.key not in self.keys:
                continue
            if argument.key not in LISTS:
                out[argument.key] = argument.value
            elif argument.value not in (listed := out.setdefault(argument.key, [])):
                listed.append(argument.value)
        return out


@cache
def operations() -> Mapping[str, Operation]:
    """All operations by name, read from the schemas of the tools."""
    import tools

    found: dict[str, Operation] = {}
    for tool, schema in tools.argument_schemas().items():
        for branch in schema.get("oneOf", [schema]):
            properties: Mapping[str, Mapping[str, Any]] = branch["properties"]
            fixed = {key: value["const"] for key, value in properties.items() if "const" in value}
            name = next(iter(fixed.values()), tool)
            found[name] = Operation(
                name=name,
                tool=tool,
                keys=tuple(properties),
                required=frozenset(branch["required"]),
                fixed=MappingProxyType(fixed),
            )
    return MappingProxyType(found)


def ask_for(operation: str, missing: Sequence[str], rng: random.Random) -> str:
    """The question that asks for what a request lacks."""
    names = [ITEMS[key] for key in missing]
    items = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    purpose = PURPOSES[operation]
    if rng.random() < 0.5:
        return (
            f"Which patient is it? I need that to {purpose}."
            if items == "the patient"
            else f"Could you give me {items}? I need that to {purpose}."
        )
    return f"To {purpose} I need {items}. Could you tell me?"
