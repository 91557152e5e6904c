"""``calculate_dose``: the calculation named in the request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tools.dosing.answer import Answer
from tools.dosing.body import body_mass_index, body_surface_area, ideal_body_weight
from tools.dosing.by_size import carboplatin_dose, dose_by_size
from tools.dosing.conversion import unit_conversion
from tools.dosing.drug_dose import drug_dose
from tools.dosing.equivalents import morphine_equivalents, steroid_equivalence
from tools.dosing.infusion import infusion_dose, infusion_rate, maintenance_fluids
from tools.dosing.kinetics import loading_dose, maintenance_dose
from tools.dosing.laboratory import corrected_calcium, qtc
from tools.dosing.renal import bedside_schwartz, creatinine_clearance, egfr
from tools.interactions.database import SOURCES as NAME_SOURCES
from tools.tables import version

CALCULATORS: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
    "drug_dose": drug_dose,
    "creatinine_clearance": creatinine_clearance,
    "egfr": egfr,
    "body_surface_area": body_surface_area,
    "body_mass_index": body_mass_index,
    "ideal_body_weight": ideal_body_weight,
    "infusion_rate": infusion_rate,
    "corrected_calcium": corrected_calcium,
    "qtc": qtc,
    "maintenance_fluids": maintenance_fluids,
    "bedside_schwartz": bedside_schwartz,
    "dose_by_size": dose_by_size,
    "carboplatin_dose": carboplatin_dose,
    "morphine_equivalents": morphine_equivalents,
    "steroid_equivalence": steroid_equivalence,
    "loading_dose": loading_dose,
    "maintenance_dose": maintenance_dose,
    "infusion_dose": infusion_dose,
    "unit_conversion": unit_conversion,
}


def data_version() -> str:
    """Version of the regimens and of the names that lead to them."""
    return version(("regimens", *NAME_SOURCES))


def calculate(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run the calculation and write its result."""
    return CALCULATORS[arguments["calculation"]](arguments).as_result(data_version())
