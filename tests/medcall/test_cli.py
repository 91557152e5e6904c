"""The command line as a user meets it: help, the pipeline from a book to an answer, bad input, interruption."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medcall.cli import VERBS, main

BOOK = "# Bleeding\n\n{one}\n\n# Kidneys\n\n{two}\n\n# Records\n\n{three}\n"
SENTENCES = {
    "one": " ".join(f"Warfarin and ibuprofen together raise the risk of bleeding, case {n}." for n in range(60)),
    "two": " ".join(f"Creatinine clearance falls with age, as in patient {n}." for n in range(60)),
    "three": " ".join(f"A record lists allergies, doses and laboratory values, line {n}." for n in range(12)),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything the pipeline makes of a small book, with a few steps of training."""
    folder = tmp_path_factory.mktemp("pipeline")
    book = folder / "book.md"
    book.write_text(BOOK.format(**SENTENCES), "utf-8")
    out = {name: str(folder / name) for name in ("corpus", "tokens", "base", "dialogues", "sft", "report")}
    train = ["--batch-size", "4", "--steps", "2", "--warmup-steps", "1", "--eval-every", "0", "--save-every", "0"]
    few = ["--n-train", "24", "--n-eval", "2", "--format", "jsonl"]
    for words in (
        ["extract", str(book), "-o", out["corpus"]],
        ["tokenize", out["corpus"], "-o", out["tokens"], "--held-out", "0.1", "--window", "32"],
        ["pretrain", out["tokens"], "-o", out["base"], "--window", "32", *train],
        ["examples", "-o", out["dialogues"], *few],
        ["finetune", out["dialogues"], "--from", out["base"], "-o", out["sft"], "--held-out", "2", *train],
        ["evaluate", out["sft"], out["dialogues"], "-o", out["report"], "--per-split", "1", "--max-new-tokens", "16"],
    ):
        assert main(words) == 0, words
    return folder


def test_the_help_page_lists_every_verb_and_says_what_this_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    page = capsys.readouterr().out
    assert all(f"  {verb} " in page for verb in VERBS)
    assert "not clinical advice" in page


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    page = capsys.readouterr().out
    assert f"example:\n  medcall {verb}" in page
    assert "not clinical advice" in page


def test_the_pipeline_leaves_a_manifest_in_every_folder(made: Path) -> None:
    for name in ("corpus", "tokens", "base", "dialogues", "sft", "report"):
        manifest = json.loads((made / name / "manifest.json").read_text("utf-8"))
        assert manifest["outputs"] and manifest["wall_seconds"] >= 0 and "config" in manifest
        assert all(len(entry["sha256"]) == 64 for entry in manifest["inputs"].values())
    assert [p.name for p in made.iterdir() if p.name.startswith(".")] == []


def test_pretraining_goes_on_from_an_earlier_run_in_a_folder_of_its_own(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    from gpt2 import load_model

    words = ["pretrain", str(made / "tokens"), "-o", str(tmp_path / "more"), "--from", str(made / "base")]
    still = ["--learning-rate", "1e-12", "--weight-decay", "0", "--batch-size", "4", "--steps", "1"]
    assert main([*words, *still, "--window", "32", "--preset", "124m", "--json"]) == 0
    manifest = json.loads((tmp_path / "more" / "manifest.json").read_text("utf-8"))
    assert manifest["inputs"]["base"]["path"] == "base"
    before, after = load_model(made / "base"), load_model(tmp_path / "more")
    assert after.config == before.config, "the weights decide the size"
    for mine, theirs in zip(after.parameters(), before.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=0)
    capsys.readouterr()
    assert main([*words[:4], "--from", str(made / "tokens"), "--window", "32", "--replace"]) != 0
    assert "no checkpoint here" in capsys.readouterr().err


def test_dialogues_can_be_packed(made: Path, tmp_path: Path) -> None:
    words = ["finetune", str(made / "dialogues"), "-o", str(tmp_path / "sft"), "--packed", "512", "--batch-size", "2"]
    assert main([*words, "--steps", "1", "--held-out", "2"]) == 0
    assert json.loads((tmp_path / "sft" / "manifest.json").read_text("utf-8"))["config"]["packed"] == 512


def test_held_out_text_is_a_whole_chapter(made: Path) -> None:
    chapters = json.loads((made / "tokens" / "meta.json").read_text("utf-8"))["chapters"]
    assert {c["title"] for c in chapters if c["split"] == "heldout"} == {"Records"}


def test_a_second_run_reuses_what_has_not_changed(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (made / "corpus" / "manifest.json").read_text("utf-8")
    assert main(["extract", str(made / "book.md"), "-o", str(made / "corpus")]) == 0
    assert "reused" in capsys.readouterr().err
    assert (made / "corpus" / "manifest.json").read_text("utf-8") == before


def test_a_run_of_other_settings_is_not_overwritten(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["pretrain", str(made / "tokens"), "-o", str(made / "base"), "--window", "16", "--steps", "1"]
    assert main(words) == 2
    assert "--replace" in capsys.readouterr().err


def test_the_report_scores_every_mode_beside_the_baselines(made: Path) -> None:
    scores = json.loads((made / "report" / "report.json").read_text("utf-8"))["scores"]
    baselines = ["always abstain", "majority tool", "extractor"]
    assert [s["name"] for s in scores] == [*baselines, "free", "constrained", "grounded"]


def test_asking_prints_one_json_object_a_question(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "Warfarin with ibuprofen?", "--model", str(made / "sft"), "--json"]) == 0
    turn = json.loads(capsys.readouterr().out)
    assert turn["request"] == "Warfarin with ibuprofen?"
    assert turn["outcome"] in ("calls", "text", "malformed")


def test_a_tool_answers_without_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tool", "check_drug_interactions", '{"drugs": ["Zocor", "Biaxin"]}']) == 0
    assert json.loads(capsys.readouterr().out)["highest_severity"] == "contraindicated"
    assert main(["tool"]) == 0
    assert "calculate_dose" in capsys.readouterr().out
    assert main(["tool", "calculate_dose"]) == 0
    assert "oneOf" in json.loads(capsys.readouterr().out)


def test_a_refused_call_is_a_value_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tool", "check_drug_interactions", '{"drugs": []}']) == 2
    assert json.loads(capsys.readouterr().out)["status"] == "refused"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fly"], "no verb 'fly'"),
        (["extract", "nowhere.pdf", "-o", "out"], "nowhere.pdf"),
        (["tokenize", "nowhere", "-o", "out"], "nowhere"),
        (["pretrain", "nowhere", "-o", "out"], "medcall tokenize"),
        (["finetune", "nowhere", "-o", "out"], "nowhere"),
        (["ask", "hello", "--model", "nowhere"], "medcall demo"),
        (["tool", "order_pizza", "{}"], "order_pizza"),
        (["tool", "calculate_dose", "{calculation"], "not JSON"),
        (["pretrain", "nowhere", "-o", "out", "--preset", "huge"], "huge"),
        (["examples", "-o", "out", "--n-train", "0"], "n_train=0"),
        (["grammar", "nowhere.json"], "nowhere.json"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "the file is empty"), ("# Only\n\na few words\n", "fewer than one window")],
    ids=["empty", "shorter than a window"],
)
def test_a_book_too_short_to_learn_from_is_refused(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "book.md"
    book.write_text(text)
    code = main(["extract", str(book), "-o", str(tmp_path / "corpus")])
    if code == 0:
        code = main(["tokenize", str(tmp_path / "corpus"), "-o", str(tmp_path / "tokens")])
        assert not (tmp_path / "tokens").exists()
    assert code == 2
    assert said in capsys.readouterr().err


def test_a_truncated_checkpoint_is_named(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    checkpoint = next((made / "sft").glob("step-*"))
    broken = run / checkpoint.name
    broken.mkdir(parents=True)
    for file in checkpoint.iterdir():
        (broken / file.name).write_bytes(
            file.read_bytes()[:-100] if file.suffix == ".safetensors" else file.read_bytes()
        )
    with pytest.warns(UserWarning, match="damaged"):
        assert main(["ask", "hello", "--model", str(run)]) == 2
    assert "damaged" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interrupted_training_run_goes_on_where_it_stopped(made: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = [sys.executable, "-m", "medcall", "pretrain", str(made / "tokens"), "-o", str(run), "--window", "32"]
    words += ["--batch-size", "2", "--steps", "12", "--warmup-steps", "1", "--eval-every", "0", "--log-every", "1"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if (run / "log.jsonl").is_file() and len((run / "log.jsonl").read_text().splitlines()) >= 2:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err and "saved" in err
    assert not (run / "manifest.json").exists()
    finished = max(int(p.name.removeprefix("step-")) for p in run.glob("step-*"))
    assert 2 <= finished < 12
    again = subprocess.run(words, capture_output=True, text=True, env=os.environ, timeout=300)
    assert again.returncode == 0, again.stderr
    assert f"continuing from {run / f'step-{finished:06d}'}" in again.stderr
    steps = [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()]
    assert steps == list(range(1, 13))
