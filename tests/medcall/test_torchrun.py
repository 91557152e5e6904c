"""Training commands under `torchrun`: one run, one log, one manifest, one voice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from medcall.cli import main

ROOT = Path(__file__).parents[2]
CHAPTERS = {
    "Bleeding": "Warfarin and ibuprofen together raise the risk of bleeding, case {}.",
    "Kidneys": "Creatinine clearance falls with age, as in patient {}.",
    "Records": "A record lists allergies, doses and laboratory values, line {}.",
}


def torchrun(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "medcall"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run([*command, *words], capture_output=True, text=True, env=environment, timeout=300)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("book")
    pages = (f"# {title}\n\n" + " ".join(line.format(n) for n in range(60)) for title, line in CHAPTERS.items())
    (folder / "book.md").write_text("\n\n".join(pages), "utf-8")
    corpus, tokens = str(folder / "corpus"), str(folder / "tokens")
    assert main(["extract", str(folder / "book.md"), "-o", corpus]) == 0
    assert main(["tokenize", corpus, "-o", tokens, "--held-out", "0.1", "--window", "16"]) == 0
    return tokens


@pytest.mark.slow
@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_processes_pretrain_as_one_does(parallel: str, tokens: str, tmp_path: Path) -> None:
    alone, together = str(tmp_path / "alone"), str(tmp_path / "together")
    sizes = ["--window", "16", "--batch-size", "2", "--accumulate", "2", "--steps", "4", "--warmup-steps", "1"]
    words = [*sizes, "--eval-every", "2", "--save-every", "2", "--log-every", "1", "--autocast", "fp32"]
    assert main(["pretrain", tokens, "-o", alone, *words]) == 0

    done = torchrun("pretrain", tokens, "-o", together, *words, "--parallel", parallel, "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    summary = json.loads(done.stdout)
    logs = [
        [json.loads(line) for line in (Path(run) / "log.jsonl").read_text().splitlines()] for run in (alone, together)
    ]
    for key in ("step", "loss", "held_out_loss", "weight"):
        ours, theirs = ([line.get(key, 0) for line in log] for log in logs)
        assert theirs == pytest.approx(ours, rel=1e-4), key
    assert summary["loss"] == logs[1][-1]["loss"]
    manifests = [json.loads((Path(run) / "manifest.json").read_text("utf-8")) for run in (alone, together)]
    assert manifests[0]["fingerprint"] == manifests[1]["fingerprint"], "the same work, whoever does it"
    assert len(list((Path(together) / "tensorboard").iterdir())) == 1
    assert done.stderr.count("pretrain: 4/4") == 1, "the first process speaks for both"

    again = torchrun("pretrain", tokens, "-o", together, *words, "--json")
    assert json.loads(again.stdout) == summary
    assert again.stderr.count("reused") == 1


@pytest.mark.slow
def test_batches_that_two_processes_cannot_share_are_refused_with_a_way_out(tokens: str, tmp_path: Path) -> None:
    done = torchrun("pretrain", tokens, "-o", str(tmp_path / "base"), "--window", "16", "--steps", "1")
    assert done.returncode != 0
    assert "accumulate=1 batches a step cannot be shared by 2 processes; take a multiple of 2" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_processes_finetune_as_one_does(parallel: str, tmp_path: Path) -> None:
    dialogues, alone, together = (str(tmp_path / name) for name in ("dialogues", "alone", "together"))
    assert main(["examples", "-o", dialogues, "--n-train", "16", "--n-eval", "2", "--format", "jsonl"]) == 0
    words = ["--batch-size", "2", "--accumulate", "2", "--steps", "3", "--warmup-steps", "1", "--held-out", "2"]
    words += ["--log-every", "1", "--autocast", "fp32"]
    assert main(["finetune", dialogues, "-o", alone, *words]) == 0
    done = torchrun("finetune", dialogues, "-o", together, *words, "--parallel", parallel, "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    logs = [
        [json.loads(line) for line in (Path(run) / "log.jsonl").read_text().splitlines()] for run in (alone, together)
    ]
    for key in ("step", "loss", "held_out_loss", "weight"):
        ours, theirs = ([line.get(key, 0) for line in log] for log in logs)
        assert theirs == pytest.approx(ours, rel=1e-4), key
