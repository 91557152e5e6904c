"""From a record to a screen and a clearance, without a model: each tool's result feeds the next call.

Research software, not clinical advice. The patient is synthetic.
"""

import tools


def run(name: str, **arguments: object) -> dict:
    (result,) = tools.run([{"name": name, "arguments": arguments}])
    print(tools.summarise(name, result), end="\n\n")
    return result


patient = tools.patients()[0].id
record = run("read_patient_record", patient=patient, sections=["demographics", "medications", "vitals", "labs"])
