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


def test_a_record_leads_to_a_clearance_and_a_screen() -> None:
    shown = run(EXAMPLES[0].with_name("record_to_dose.py"))
    assert "synthetic" in shown and "mL/min" in shown and "lisinopril" in shown
