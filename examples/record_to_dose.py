"""From a record to a clearance and a screen, without a model: each tool's result feeds the next call.

Research software, not clinical advice. The patient is synthetic.
"""

from datetime import date
from typing import Any

import tools


def run(name: str, **arguments: Any) -> Any:
    (result,) = tools.run([{"name": name, "arguments": arguments}])
    assert result["status"] == "ok", result["error"]["message"]
    return result


patient = tools.patients()[0].id
wanted = {"sections": ["vitals", "labs"], "codes": ["body weight", "creatinine"], "latest_only": True}
record = run("read_patient_record", patient=patient, sections=["demographics", "medications"])
latest = run("read_patient_record", patient=patient, **wanted)["sections"]
weight, creatinine = latest["vitals"]["entries"][0], latest["labs"]["entries"][0]
born = date.fromisoformat(record["patient"]["birth_date"])
seen = date.fromisoformat(creatinine["date"])

clearance = run(
    "calculate_dose",
    calculation="creatinine_clearance",
    age=seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day)),
    sex=record["patient"]["sex"],
    weight=weight["value"],
    weight_unit=weight["unit"],
    creatinine=creatinine["value"],
    creatinine_unit=creatinine["unit"],
)
active = [m["name"] for m in record["sections"]["medications"]["entries"] if m["status"] == "active"]
screen = run("check_drug_interactions", drugs=active, min_severity="moderate")

print(f"{record['patient']['name']} (synthetic), {weight['value']} {weight['unit']}")
print(tools.summarise("calculate_dose", clearance))
print(tools.summarise("check_drug_interactions", screen))
