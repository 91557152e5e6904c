"""The whole pipeline under `medcall demo`: interrupted at every stage, gone on with, and reused."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medcall.demo import FAST, REQUESTS, stages

STAGES = {name: folder.name for name, folder, _ in stages(Path("book.md"), Path("demo"), FAST)}


def book(path: Path) -> Path:
    """A textbook of four chapters, long enough for the demo's windows."""
    chapters = []
    for title in ("Bleeding", "Kidneys", "Records", "Dosing"):
        lines = [f"{title} asks for care: in case {n} a dose was too high and a level was drawn." for n in range(80)]
        chapters.append(f"# {title}\n\n" + "\n\n".join(lines))
    path.write_text("\n\n".join(chapters), "utf-8")
    return path


def start(document: Path, out: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "medcall", "demo", str(document), "--fast", "-o", str(out)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)


def interrupt_at(stage: str, process: subprocess.Popen[str]) -> str:
    """Read the remarks until a stage begins, give it a moment, send Ctrl-C; returns all remarks."""
    assert process.stderr is not None
    remarks = []
    for line in process.stderr:
        remarks.append(line)
        if line.startswith(f"{stage} -> "):
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            break
    _, rest = process.communicate(timeout=300)
    return "".join(remarks) + rest


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_demo_interrupted_at_every_stage_goes_on_and_then_reuses_everything(tmp_path: Path) -> None:
    document, out = book(tmp_path / "book.md"), tmp_path / "demo"
    done: list[str] = []
    for stage in STAGES:
        process = start(document, out)
        remarks = interrupt_at(stage, process)
        assert "Traceback" not in remarks, remarks
        assert all(f"{out / STAGES[earlier]} already holds this" in remarks.replace("\n", "") for earlier in done)
        assert process.returncode == 130, remarks
        assert not list(out.glob(".*.partial")), "something half-written is left"
        done = [name for name in STAGES if (out / STAGES[name] / "manifest.json").exists()]

    process = start(document, out)
    answers, remarks = process.communicate(timeout=600)
    assert process.returncode == 0, remarks
    assert all(f"> {request}" in answers for request in REQUESTS)
    before = {name: (out / name / "manifest.json").read_bytes() for name in STAGES.values()}

    process = start(document, out)
    again, remarks = process.communicate(timeout=600)
    assert process.returncode == 0, remarks
    assert remarks.count("already holds this") == len(STAGES)
    assert {name: (out / name / "manifest.json").read_bytes() for name in STAGES.values()} == before
    assert again.split("time  ")[0] == answers.split("time  ")[0]
