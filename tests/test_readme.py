"""What README shows is what happens."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PYTHON = re.findall(r"```python\n(.*?)```(?:\n+```text\n(.*?)```)?", README, re.DOTALL)
CLAIMS = re.compile(r"`((?:gpt2|sft|decoding|tools|data|medcall|tests|benchmarks|docs|examples)/[\w/.-]*)`")


@pytest.mark.parametrize(("code", "shown"), PYTHON, ids=range(len(PYTHON)))
def test_the_code_runs_and_prints_what_is_shown(code: str, shown: str) -> None:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert result.returncode == 0, result.stderr
    if shown:
        assert result.stdout == shown


def test_there_is_an_example_of_at_most_fifteen_lines_that_needs_no_weights() -> None:
    code, shown = PYTHON[0]
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    assert '"name": "' in shown


def test_the_make_targets_and_verbs_it_names_exist() -> None:
    from medcall.cli import VERBS

    makefile = (ROOT / "Makefile").read_text("utf-8")
    commands = "".join(re.findall(r"```bash\n(.*?)```", README, re.DOTALL))
    targets = re.findall(r"^make ([a-z-]+)", commands, re.MULTILINE)
    verbs = re.findall(r"^medcall ([a-z]+)", commands, re.MULTILINE)
    assert set(targets) == {"demo", "test"}
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    assert set(verbs) == set(VERBS) - {"demo"}


def test_the_paths_it_names_exist() -> None:
    for path in CLAIMS.findall(README):
        assert (ROOT / path).exists(), path
    for link in re.findall(r"\]\(((?!http)[^)#]+)\)", README):
        assert (ROOT / link).exists(), link


def test_it_says_what_this_is_not() -> None:
    assert "not clinical advice" in README
