"""Each script in examples/ runs and prints what it promises."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


def run(script: Path) -> str:
    result = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, cwd=script.parents[1]
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(script: Path) -> None:
    assert run(script).strip()


def test_noise_becomes_a_call_that_the_tools_accept() -> None:
    import tools

    call = json.loads(run(EXAMPLES[0].with_name("valid_call_from_noise.py")))
    (result,) = tools.run([call])
    assert result["status"] == "ok" or result["error"]["code"] not in ("invalid_arguments", "unknown_tool")


def test_a_record_leads_to_a_screen_a_clearance_and_a_dose_for_it() -> None:
    shown = run(EXAMPLES[0].with_name("record_to_dose.py")).splitlines()
    assert "(synthetic), 68 years on 2025-06-24, 67.7 kg" in shown[0]
    assert shown[1] == "active: allopurinol 100 MG Oral Tablet; furosemide 40 MG Oral Tablet"
    assert "allopurinol" in shown[2] and "furosemide" in shown[2]
    assert shown[3].startswith("Creatinine clearance: 41.5 mL/min.")  # (140 - 68) x 67.7 kg / (72 x 1.63 mg/dL)
    assert "750 mg oral, every 48 hours" in shown[4] and "20 to 50 mL/min" in shown[4]
