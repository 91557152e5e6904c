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
from data.examples.pieces import Argument

LISTS: Final = frozenset({"drugs", "sections", "codes"})
STANDING_UNITS: Final = frozenset({"infusion_dose", "unit_conversion"})
"""Operations in which a unit is something to ask for, not just the unit of a value."""

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
    "bedside_schwartz": "estimate the child's eGFR",
    "dose_by_size": "work the dose out",
    "carboplatin_dose": "calculate the carboplatin dose",
    "morphine_equivalents": "calculate the morphine equivalents",
    "steroid_equivalence": "convert the steroid dose",
    "loading_dose": "calculate the loading dose",
    "maintenance_dose": "calculate the maintenance dose",
    "infusion_dose": "work out the dose rate",
    "unit_conversion": "convert the value",
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
    "target_auc": "the target AUC",
    "creatinine_clearance": "the creatinine clearance in mL/min",
    "frequency": "how often it is given",
    "to_drug": "the steroid to change to",
    "target_concentration": "the target concentration with its unit",
    "volume": "the volume of distribution with its unit",
    "clearance": "the clearance with its unit",
    "rate": "the rate of the pump",
    "dose_unit": "the unit you want the dose rate in",
    "value": "the value to convert",
    "from_unit": "the unit it is in",
    "to_unit": "the unit to convert to",
    "analyte": "the substance",
}
"""What a required argument is called when it is asked back for."""
QUESTIONS: Final = (
    "Could you give me {items}? I need that to {purpose}.",
    "To {purpose} I need {items}. Could you tell me?",
    "I can {purpose}, but I still need {items}. What should I use?",
    "What should I take for {items}? I can not {purpose} without that.",
    "Please tell me {items}, so that I can {purpose}?",
    "Before I can {purpose}: could you send me {items}?",
)
WHO: Final = (
    "Which patient is it? I need that to {purpose}.",
    "Whose record should I open? A name, record number or id will do.",
    "Could you tell me the patient's name, record number or id? I need it to {purpose}.",
)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A tool, or one calculation of a tool: its keys in schema order, and those it can not do without."""

    name: str
    tool: str
    keys: tuple[str, ...]
    required: frozenset[str]
    fixed: Mapping[str, Any]

    def missing(self, arguments: Mapping[str, Any]) -> list[str]:
        """What the tool can not do without and the arguments lack, in schema order; units go with their values."""
        lacking = [key for key in self.keys if key in self.required and key not in arguments]
        units = " ".join(str(value) for key, value in arguments.items() if key.endswith("_unit"))
        if "/kg" in units and "weight" not in arguments:
            lacking.append("weight")
        if "/m²" in units:
            lacking += [key for key in ("weight", "height") if key not in arguments and key not in lacking]
        if self.name == "morphine_equivalents" and "frequency" not in arguments and "/h" not in units:
            lacking.append("frequency")
        if self.name == "dose_by_size" and "max_dose" in arguments and "/day" in units and "frequency" not in arguments:
            lacking.append("frequency")
        if self.name == "unit_conversion" and "analyte" not in arguments and not _alike(arguments):
            lacking.append("analyte")
        standing = ("dose_unit", "from_unit", "to_unit") if self.name in STANDING_UNITS else ()
        return [key for key in lacking if not key.endswith("_unit") or (key in standing and _stands(key, lacking))]

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


def _alike(arguments: Mapping[str, Any]) -> bool:
    """Whether both units measure the same, so that the substance does not matter."""
    from tools.dosing.units import UNITS

    kinds = {UNITS[arguments[key]].dimension for key in ("from_unit", "to_unit") if key in arguments}
    return len(kinds) < 2 and "hemoglobin fraction" not in kinds


def _stands(unit: str, lacking: Sequence[str]) -> bool:
    """Whether a unit has to be asked for by itself: its value is there, or is something else."""
    return not (unit == "from_unit" and "value" in lacking)


def ask_for(operation: str, missing: Sequence[str], rng: random.Random) -> str:
    """The question that asks for what a request lacks."""
    names = list(dict.fromkeys(ITEMS[key] for key in missing))
    items = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    purpose = PURPOSES[operation]
    questions = WHO if list(missing) == ["patient"] and rng.random() < 0.7 else QUESTIONS
    return rng.choice(questions).format(items=items, purpose=purpose)
