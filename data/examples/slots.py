"""Every slot a pattern may hold: the argument keys it gives, and the sampler that fills it."""

from collections.abc import Mapping
from typing import Final

from data.errors import ExamplesError
from data.examples import calculation_slots as calculations
from data.examples import conversion_slots as conversion
from data.examples import drug_slots as drugs
from data.examples import person_slots as people
from data.examples import plain_slots as plain
from data.examples import record_slots as records
from data.examples.patterns import Slot, constant
from data.examples.pieces import Argument, Draw, Piece, Sampler

ONE_DRUG: Final = (("drugs",), drugs.drug)
SLOTS: Final[Mapping[str, tuple[tuple[str, ...], Sampler]]] = {
    "drug": ONE_DRUG,
    "drug2": ONE_DRUG,
    "drug3": ONE_DRUG,
    "drug4": ONE_DRUG,
    "drug5": ONE_DRUG,
    "drugs": (("drugs",), drugs.drugs),
    "drug_lines": (("drugs",), drugs.drug_lines),
    "food": (("drugs",), drugs.food),
    "dose_drug": (("drug",), drugs.dose_drug),
    "indication": (("indication",), drugs.indication),
    "route": (("route",), calculations.route),
    "age": (("age", "age_unit"), people.age),
    "sex": (("sex",), people.sex),
    "agesex": (("age", "age_unit", "sex"), people.agesex),
    "weight": (("weight", "weight_unit"), people.weight),
    "height": (("height", "height_unit", "height_inches"), people.height),
    "creatinine": (("creatinine", "creatinine_unit"), people.creatinine),
    "crcl": (("creatinine_clearance",), people.crcl),
    "calcium": (("calcium",), calculations.calcium),
    "albumin": (("albumin",), calculations.albumin),
    "qt": (("qt_ms",), calculations.qt),
    "heart_rate": (("heart_rate",), calculations.heart_rate),
    "dose_rate": (("dose", "dose_unit"), calculations.dose_rate),
    "concentration": (("concentration", "concentration_unit"), calculations.concentration),
    "pump_rate": (("rate", "rate_unit"), calculations.pump_rate),
    "rate_unit": (("dose_unit",), calculations.rate_unit),
    "pumped_drug": (("drug",), drugs.pumped_drug),
    "sized_drug": (("drug",), drugs.sized_drug),
    "sized_dose": (("dose", "dose_unit"), calculations.sized_dose),
    "max_dose": (("max_dose", "max_dose_unit"), calculations.max_dose),
    "frequency": (("frequency",), calculations.frequency),
    "target_auc": (("target_auc",), calculations.target_auc),
    "opioid": (("drug",), drugs.opioid),
    "opioid_dose": (("dose", "dose_unit"), calculations.opioid_dose),
    "steroid": (("drug",), drugs.steroid),
    "steroid_dose": (("dose", "dose_unit"), calculations.steroid_dose),
    "to_steroid": (("to_drug",), drugs.to_steroid),
    "target_level": (("target_concentration", "concentration_unit"), calculations.target_level),
    "current_level": (("current_concentration",), calculations.current_level),
    "volume": (("volume", "volume_unit"), calculations.volume),
    "clearance": (("clearance", "clearance_unit"), calculations.clearance),
    "bioavailability": (("bioavailability", "bioavailability_unit"), calculations.bioavailability),
    "salt_factor": (("salt_factor",), calculations.salt_factor),
    "amount": (("value", "from_unit"), conversion.amount),
    "value": (("value",), conversion.value),
    "from_unit": (("from_unit",), conversion.from_unit),
    "to_unit": (("to_unit",), conversion.to_unit),
    "analyte": (("analyte",), conversion.analyte),
    "patient": (("patient",), people.patient),
    "sections": (("sections",), records.sections),
    "lab": (("codes", "sections"), records.lab),
    "labs": (("codes", "sections"), records.labs),
    "vital": (("codes", "sections"), records.vital),
    "vitals": (("codes", "sections"), records.vitals),
    "tests": (("codes", "sections"), records.tests),
    "from": (("from",), records.start_date),
    "to": (("to",), records.end_date),
    "as_of": (("as_of",), records.as_of),
    "limit": (("limit",), records.limit),
    "number": ((), plain.number),
    "other_drug": ((), drugs.other_drug),
    "other_person": ((), plain.other_person),
    "other_patient": ((), lambda draw, variant: Piece(people.patient(draw, "bare").text)),
    "lab_word": ((), lambda draw, variant: Piece(records.lab(draw, "").text)),
    "obs": ((), plain.obs),
    "bloods": ((), plain.blood_values),
    **{name: ((), plain.phrase(name)) for name in plain.PHRASES},
}


NAMES: Final = frozenset({"drug", "drug2", "drug3", "drug4", "drug5", "food", "dose_drug", "patient"})
"""Slots that name somebody or something: written again in one request they say the same name and give nothing."""


def fill(draw: Draw, slot: Slot) -> Piece:
    """The piece for a slot; `ExamplesError` for a slot nobody samples."""
    if slot.name.startswith("="):
        return Piece("", (Argument(slot.name[1:], constant(slot.variant)),))
    if slot.name not in SLOTS:
        raise ExamplesError(f"no slot named {slot.name!r}; have {', '.join(sorted(SLOTS))}")
    if slot.name in NAMES and (again := draw.chosen.get(f"again {slot.name}")) is not None:
        return Piece(str(again))
    piece = SLOTS[slot.name][1](draw, slot.variant)
    if slot.name in NAMES:
        argument = piece.arguments[0]
        draw.chosen[f"again {slot.name}"] = piece.text[argument.start : argument.end]
    return piece


def keys_of(name: str) -> tuple[str, ...]:
    """The argument keys a slot gives."""
    if name.startswith("="):
        return (name[1:],)
    return SLOTS[name][0] if name in SLOTS else ()
