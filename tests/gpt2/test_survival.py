"""kill -9 at any point, then the same command again: the run ends as if nothing had happened, to the last bit."""

import json
import os
import random
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).with_name("training_run.py")
LAST = "step-000012"


def in_another_process(folder: Path, death: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parents[2]), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(SCRIPT), str(folder), *([] if death is None else [death])]
    return subprocess.run(words, capture_output=True, text=True, env=environment, timeout=120)


def here(folder: Path) -> list[str]:
    """The same run in this process; returns what it said."""
    messages: list[str] = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        runpy.run_path(str(SCRIPT))["run"](folder, messages.append)
    finally:
        torch.set_num_threads(threads)
    return messages


def outcome(folder: Path) -> dict[str, object]:
    """Weights, optimiser, generators, sampler and held-out score as bytes; the losses of all steps."""
    files = ("model.safetensors", "optimizer.safetensors", "state.json", "config.json")
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return {name: (folder / LAST / name).read_bytes() for name in files} | {
        "log": [(line["step"], line["loss"], line.get("held_out_loss")) for line in lines],
        "best": (folder / "best.json").read_text(),
        "folders": sorted(path.name for path in folder.iterdir()),
    }


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("straight") / "run"
    here(folder)
    return outcome(folder)


def survives(folder: Path, death: str, straight: dict[str, object]) -> list[str]:
    """Kill, look, go on; returns the names that the kill left in the folder."""
    killed = in_another_process(folder, death)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = [path.name for path in folder.iterdir()] if folder.exists() else []
    had = sorted(name for name in left if name.startswith("step-"))
    messages = here(folder)
    if had:
        assert messages == [f"continuing from {folder / had[-1]}"], "what is there is whole"
    assert outcome(folder) == straight, death
    return left


@pytest.mark.parametrize(
    ("death", "leaves"),
    [
        pytest.param("loss:15", None, id="between two batches of a step"),
        pytest.param("os.rename:9", ".writing-step-", id="when a checkpoint is about to appear"),
        pytest.param(
            "shutil.rmtree:4", ".writing-old-step-", id="while an old checkpoint is deleted", marks=pytest.mark.slow
        ),
    ],
)
def test_a_run_survives_kill_9_bit_for_bit(
    death: str, leaves: str | None, tmp_path: Path, straight: dict[str, object]
) -> None:
    left = survives(tmp_path / "run", death, straight)
    if leaves is not None:
        assert any(name.startswith(leaves) for name in left), f"the kill was to land elsewhere: {left}"


@pytest.mark.slow
def test_a_run_survives_kill_9_at_twenty_random_points_bit_for_bit(tmp_path: Path, straight: dict[str, object]) -> None:
    """Half of them anywhere in what is done to the disk, half anywhere in the computation."""
    told = in_another_process(tmp_path / "counted")
    assert outcome(tmp_path / "counted") == straight, "a process of its own computes the same"
    counts = json.loads(told.stdout.splitlines()[-1])
    assert counts["disk"] > 200 and counts["loss"] == 27
    chance = random.Random(0)
    points = [f"disk:{chance.randint(1, counts['disk'])}" for _ in range(10)]
    points += [f"loss:{chance.randint(1, counts['loss'])}" for _ in range(10)]
    while_writing = 0
    for number, death in enumerate(points):
        left = survives(tmp_path / f"run-{number}", death, straight)
        while_writing += any(name.startswith(".writing-") for name in left)
    assert while_writing >= 3, "some of the kills must land while a checkpoint is written"


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_the_same(tmp_path: Path, straight: dict[str, object]) -> None:
    folder = tmp_path / "run"
    for death in ("os.rename:4", "loss:6"):
        assert in_another_process(folder, death).returncode == -signal.SIGKILL
    here(folder)
    assert outcome(folder) == straight


def test_a_run_whose_newest_checkpoint_is_damaged_goes_on_from_the_one_before_and_says_so(
    tmp_path: Path, straight: dict[str, object]
) -> None:
    folder = tmp_path / "run"
    here(folder)
    weights = folder / LAST / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-7])
    skipped, continued = here(folder)
    assert "skipping a damaged checkpoint" in skipped and str(weights) in skipped and "truncated or altered" in skipped
    assert continued == f"continuing from {folder / 'step-000011'}"
    assert outcome(folder) == straight
