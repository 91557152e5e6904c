"""The shape every calculation's result is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tools.dosing.quantity import json_number


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A computed value with how it came about; ``as_result`` writes it in schema order."""

    calculation: str
    value: Decimal
    unit: str
    formula: str
    inputs: Mapping[str, Decimal | str]
    steps: tuple[str, ...]
    source: str
    value_high: Decimal | None = None
    other_values: Mapping[str, Decimal] = field(default_factory=dict)
    applied: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    frequency: str | None = None

    def as_result(self, data_version: str) -> dict[str, Any]:
        """The result as the schema writes it."""
        result: dict[str, Any] = {"status": "ok", "calculation": self.calculation, **self.about}
        result["value"] = json_number(self.value)
        if self.value_high is not None:
            result["value_high"] = json_number(self.value_high)
        result["unit"] = self.unit
        if self.frequency is not None:
            result["frequency"] = self.frequency
        if self.other_values:
            result["other_values"] = {name: json_number(value) for name, value in self.other_values.items()}
        result["formula"] = self.formula
        result["inputs"] = {
            name: json_number(value) if isinstance(value, Decimal) else value for name, value in self.inputs.items()
        }
        result["steps"] = list(self.steps)
        result["applied"] = list(self.applied)
        result["warnings"] = list(self.warnings)
        result["source"] = self.source
        result["data_version"] = data_version
        return result
