"""Two processes are one run: real `torchrun`, gloo on the processor; one launch for all, since starting is slow."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from gpt2 import ConfigError, World, load_model

SCRIPT = Path(__file__).with_name("distributed_run.py")


def torchrun(*words: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parents[2]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]


def alone(folder: Path, **arguments: Any) -> None:
    runpy.run_path(str(SCRIPT))["run"](str(folder), **arguments)


def as_of_step_4(source: Path, folder: Path) -> Path:
    """The folder of a run that was stopped after its fourth step."""
    shutil.copytree(source, folder)
    shutil.rmtree(folder / "step-000008")
    (folder / "best.json").unlink()
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All runs by name: alone, by two processes, and changing between the two half way."""
    root = tmp_path_factory.mktemp("runs")
    alone(root / "alone")
    plan: list[dict[str, Any]] = []
    for parallel in ("ddp", "fsdp"):
        plan.append({"folder": str(root / parallel), "parallel": parallel})
        half = as_of_step_4(root / "alone", root / f"alone-{parallel}")
        plan.append({"folder": str(half), "parallel": parallel})
    plan.append({"folder": str(root / "dropout"), "dropout": 0.2})
    (root / "plan.json").write_text(json.dumps(plan))
    torchrun(str(SCRIPT), str(root / "plan.json"))
    for parallel in ("ddp", "fsdp"):
        alone(as_of_step_4(root / parallel, root / f"{parallel}-alone"))
    return root


def log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddp", "fsdp", "alone-ddp", "alone-fsdp", "ddp-alone", "fsdp-alone"])
def test_the_run_is_the_same_whoever_computes_it_and_whoever_goes_on_with_it(runs: Path, name: str) -> None:
    ours, expected = log(runs / name), log(runs / "alone")
    assert [line["step"] for line in ours] == list(range(1, 9)), "one process writes the log"
    for key in ("loss", "grad_norm", "weight", "learning_rate", "held_out_loss"):
        found, wanted = ([line.get(key, 0) for line in lines] for lines in (ours, expected))
        assert found == pytest.approx(wanted, rel=1e-9), key
    for file in ("model.safetensors", "optimizer.safetensors"):
        wanted, found = (load_file(runs / run / "step-000008" / file) for run in ("alone", name))
        assert set(found) == set(wanted)
        for tensor, value in wanted.items():
            torch.testing.assert_close(found[tensor], value, atol=1e-9, rtol=1e-7, msg=f"{file} {tensor}")
    states = [json.loads((runs / run / "step-000008" / "state.json").read_text()) for run in ("alone", name)]
    assert states[0]["batches"] == states[1]["batches"] == {"given": 32}, "a position does not know of processes"
    assert sorted(path.name for path in (runs / name).iterdir()) == sorted(
        path.name for path in (runs / "alone").iterdir()
    )


@pytest.mark.slow
def test_a_checkpoint_of_two_processes_is_an_ordinary_one(runs: Path) -> None:
    ids = torch.arange(9)[None]
    expected = load_model(runs / "alone")(ids)
    for name in ("ddp", "fsdp"):
        model = load_model(runs / name)
        assert model.lm_head.weight is model.transformer.wte.weight
        torch.testing.assert_close(model(ids), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.slow
def test_two_processes_resume_bit_for_bit_and_drop_different_activations(runs: Path, tmp_path: Path) -> None:
    half = as_of_step_4(runs / "dropout", tmp_path / "half")
    (tmp_path / "plan.json").write_text(json.dumps([{"folder": str(half), "dropout": 0.2}]))
    torchrun(str(SCRIPT), str(tmp_path / "plan.json"))
    for file in ("model.safetensors", "optimizer.safetensors", "state.json"):
        assert (half / "step-000008" / file).read_bytes() == (runs / "dropout" / "step-000008" / file).read_bytes()
    assert log(runs / "dropout")[0]["loss"] != log(runs / "alone")[0]["loss"]


def test_each_batch_of_a_step_is_taken_by_one_process() -> None:
    worlds = [World(rank=rank, size=3) for rank in range(3)]
    for index in range(6):
        assert sum(world.takes(index) for world in worlds) == 1
    shared = [list(world.share("abcde")) for world in worlds]
    assert {len(part) for part in shared} == {2}, "all compute equally often"
    assert sorted(batch for part in shared for batch, counts in part if counts) == list("abcde")


def test_a_step_that_cannot_be_shared_evenly_is_refused_with_a_way_out() -> None:
    World(rank=1, size=2).check(4)
    with pytest.raises(ConfigError, match=r"accumulate=3 .* by 2 processes; take a multiple of 2"):
        World(rank=1, size=2).check(3)


def test_dropout_differs_between_processes_and_steps_and_a_process_alone_keeps_its_stream() -> None:
    def draw(world: World, step: int) -> float:
        world.seed(7, step)
        return torch.rand(()).item()

    pairs = [(rank, step) for rank in range(2) for step in range(2)]
    drawn = {pair: draw(World(rank=pair[0], size=2), pair[1]) for pair in pairs}
    assert len(set(drawn.values())) == 4
    assert drawn[1, 1] == draw(World(rank=1, size=2), 1)
    torch.manual_seed(0)
    expected = torch.rand(())
    torch.manual_seed(0)
    World().seed(7, 3)
    assert torch.rand(()) == expected
