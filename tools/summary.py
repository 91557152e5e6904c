"""A result in a sentence or two that only repeat what the result says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Result = Mapping[str, Any]
MOST = 3


def summarise(name: str, result: Result) -> str:
    """Short plain text for the result of the tool called ``name``; deterministic, nothing added.

    A refusal is its message. A tool without words of its own is summarised by its status.
    """
    if result.get("status") == "refused":
        return str(result["error"]["message"])
    writer = _WRITERS.get(name)
    return writer(result) if writer is not None else f"{name}: {_plainly(result)}"


def _plainly(result: Result) -> str:
    """The value of a tool that has no words of its own, when it is a plain one; else its status."""
    value = result.get("value")
    return str(value) if isinstance(value, str | int | float) else str(result.get("status", "done"))


def _interactions(result: Result) -> str:
    found = result["interactions"]
    sentences = []
    for entry in found[:MOST]:
        source = entry["sources"][0]
        sentences.append(
            f"{entry['object']} with {entry['precipitant']}: {entry['severity']}, {entry['effect']}. "
            f"{entry['management']} ({source})"
        )
    if len(found) > MOST:
        rest = len(found) - MOST
        sentences.append(f"{rest} more interaction{'s' if rest > 1 else ''} listed.")
    if not found:
        names = ", ".join(ingredient for drug in result["resolved"] for ingredient in drug["ingredients"])
        sentences.append(f"No interaction listed for {names}.")
    for entry in result["duplicate_ingredients"]:
        sentences.append(f"{entry['ingredient']} is in {' and '.join(entry['as_written'])}.")
    for entry in result["unresolved"]:
        reason = "is ambiguous" if entry["reason"] == "ambiguous" else "is not in the database"
        hint = f" (candidates: {', '.join(entry['candidates'])})" if entry["candidates"] else ""
        sentences.append(f"{entry['as_written']} {reason}{hint} and was not screened.")
    return " ".join(sentences)


_TITLES = {
    "creatinine_clearance": "Creatinine clearance",
    "egfr": "eGFR",
    "body_surface_area": "Body surface area",
    "body_mass_index": "Body mass index",
    "ideal_body_weight": "Ideal body weight",
    "infusion_rate": "Infusion rate",
    "corrected_calcium": "Corrected calcium",
    "qtc": "QTc",
    "maintenance_fluids": "Maintenance fluids",
    "bedside_schwartz": "eGFR of a child",
    "dose_by_size": "Dose",
    "carboplatin_dose": "Carboplatin dose",
    "morphine_equivalents": "Morphine equivalents",
    "steroid_equivalence": "Equivalent dose",
    "loading_dose": "Loading dose",
    "maintenance_dose": "Maintenance dose",
    "infusion_dose": "Dose rate",
    "unit_conversion": "Converted",
}


def _dose(result: Result) -> str:
    value = f"{result['value']:g}"
    if "value_high" in result:
        value += f" to {result['value_high']:g}"
    amount = f"{value} {result['unit']}"
    if result["calculation"] == "drug_dose":
        drug, indication = result["drug"]["resolved"], result["indication"]
        head = f"{drug} for {indication}: {amount} {result['route']}, {result['frequency']}."
    else:
        about = f" of {result.get('to_drug', result['drug'])['resolved']}" if "drug" in result else ""
        often = f" {result['frequency']}" if "frequency" in result else ""
        head = f"{_TITLES[result['calculation']]}{about}: {amount}{often}."
    sentences = [head, f"{result['steps'][-1]}."]
    if result["applied"]:
        sentences.append(f"Applied: {'; '.join(result['applied'])}.")
    for name, number in result.get("other_values", {}).items():
        sentences.append(f"{name.replace('_', ' ')}: {number:g}.")
    sentences += list(result["warnings"][:1])
    return " ".join(sentences) + f" ({result['source']})"


def _record(result: Result) -> str:
    patient = result["patient"]
    who = [patient["name"], *([f"MRN {patient['mrn']}"] if "mrn" in patient else [])]
    if "as_of" in result:
        who.append(f"as of {result['as_of']}")
    if "age" in patient:
        died = "deceased at " if "deceased" in patient else ""
        who.append(f"{died}{patient['age']} {patient['age_unit']}")
    sentences = [f"{', '.join(who)}."]
    for section, content in result["sections"].items():
        entries = content["entries"]
        if not entries:
            sentences.append(f"No {section} found.")
            continue
        shown = "; ".join(_line(entry) for entry in entries[:MOST])
        more = content["total"] - min(len(entries), MOST)
        sentences.append(f"{section} ({content['total']}): {shown}{f'; and {more} more' if more else ''}.")
    return " ".join([*sentences, *result["notes"]])


def _line(entry: Mapping[str, Any]) -> str:
    words = [entry["name"]]
    if "value" in entry:
        value = entry["value"]
        words.append(f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value))
        words += [entry["unit"]] if "unit" in entry else []
    if "status" in entry and "value" not in entry:
        words.append(f"({entry['status']})")
    if "date" in entry:
        words.append(f"on {entry['date']}")
    return " ".join(words)


_WRITERS: Mapping[str, Callable[[Result], str]] = {
    "check_drug_interactions": _interactions,
    "calculate_dose": _dose,
    "read_patient_record": _record,
}
