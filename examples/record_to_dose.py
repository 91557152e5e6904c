"""From a record to a screen, a clearance and a dose, without a model: each tool's result feeds the next call.

Research software, not clinical advice. The patient is synthetic.
"""

from typing import Any

import tools


def run(name: str, **arguments: Any) -> Any:
    (result,) = tools.run([{"name": name, "arguments": arguments}])
    assert result["status"] == "ok", result["error"]["message"]
    return result


patient = "patient-004"
measured = run(
    "read_patient_record",
    patient=patient,
    sections=["vitals", "labs"],
    codes=["body weight", "creatinine"],
    latest_only=True,
)["sections"]
weight, creatinine = measured["vitals"]["entries"][0], measured["labs"]["entries"][0]

# the record as it was on the day of the last measurement: what was active, and how old the patient was
day = max(weight["date"], creatinine["date"])
record = run("read_patient_record", patient=patient, sections=["medications"], status="active", as_of=day)
who, active = record["patient"], [entry["name"] for entry in record["sections"]["medications"]["entries"]]
assert who["age_unit"] == "years"

screen = run("check_drug_interactions", drugs=active, min_severity="moderate")
clearance = run(
    "calculate_dose",
    calculation="creatinine_clearance",
    age=who["age"],
    sex=who["sex"],
    weight=weight["value"],
    weight_unit=weight["unit"],
    creatinine=creatinine["value"],
    creatinine_unit=creatinine["unit"],
)
dose = run(
    "calculate_dose",
    calculation="drug_dose",
    drug="levofloxacin",
    indication="pneumonia",
    age=who["age"],
    age_unit=who["age_unit"],
    weight=weight["value"],
    weight_unit=weight["unit"],
    creatinine_clearance=clearance["value"],
)

print(f"{who['name']} (synthetic), {who['age']} {who['age_unit']} on {day}, {weight['value']} {weight['unit']}")
print(f"active: {'; '.join(active)}")
print(tools.summarise("check_drug_interactions", screen))
print(tools.summarise("calculate_dose", clearance))
print(tools.summarise("calculate_dose", dose))
