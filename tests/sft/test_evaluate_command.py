"""`medcall evaluate` on a model that has learned nothing: every kind of input, going on, and what it refuses."""

import json
from pathlib import Path

import jsonschema
import pytest
import torch

from data.examples import write_jsonl
from gpt2 import GPT, GPTConfig
from gpt2.checkpoint import RunState, save_checkpoint
from medcall.cli import main
from tests.sft.makers import PAIR, SURFACE, example

ITEM = {
    "id": "simple_0",
    "question": [[{"role": "user", "content": "BMI at 6 feet"}]],
    "function": [
        {"name": "bmi", "parameters": {"type": "dict", "properties": {"feet": {"type": "float"}}, "required": []}}
    ],
    "ground_truth": [{"bmi": {"feet": [6.0]}}],
}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = GPT(GPTConfig(n_layer=1, n_head=2, n_embd=16, block_size=256))
    state = RunState(step=0, batches={}, random={})
    return save_checkpoint(tmp_path_factory.mktemp("run"), network, None, state)


@pytest.fixture(scope="module")
def dialogues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dialogues")
    for split in ("train", "iid", "new_drug"):
        rows = [
            example("warfarin with ibuprofen?", PAIR, id="a", split=split),
            example("BSA for 70 kg, 170 cm", SURFACE, id="b", split=split),
            example("hello there", id="c", kind="irrelevant.chat", split=split),
        ]
        write_jsonl(folder / f"{split}.jsonl", rows)
    return folder


def evaluated(model: Path, source: Path, out: Path, *words: str) -> int:
    return main(["evaluate", str(model), str(source), "-o", str(out), "--max-new-tokens", "12", *words])


def test_a_folder_of_dialogues_gives_a_report_and_is_not_asked_twice(
    model: Path, dialogues: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"
    assert evaluated(model, dialogues, out, "--json", "--bfcl") == 0
    printed = json.loads(capsys.readouterr().out)
    names = ["always abstain", "majority tool", "extractor", "free", "constrained", "grounded"]
    assert list(printed) == names and printed["extractor"]["exact"]["value"] == 1.0
    assert printed["always abstain"]["right"]["n"] == 6, "train is not scored"
    report = json.loads((out / "report.json").read_text())
    jsonschema.validate(report, json.loads((Path(__file__).parents[2] / "docs" / "report.schema.json").read_text()))
    assert {"split:iid", "split:new_drug"} <= report["scores"][0]["groups"].keys()
    assert (out / "bfcl" / "possible_answer" / "iid.jsonl").exists()
    assert evaluated(model, dialogues, out, "--json", "--bfcl") == 0
    assert "reused" in capsys.readouterr().err


def test_an_interrupted_run_is_gone_on_with_and_another_is_not_overwritten(
    model: Path, dialogues: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sft.respond

    out, answer, asked = tmp_path / "report", sft.respond.ModelResponder.__call__, []

    def interrupted(self: object, conversation: object) -> object:
        asked.append(conversation)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return answer(self, conversation)  # type: ignore[arg-type]

    monkeypatch.setattr(sft.respond.ModelResponder, "__call__", interrupted)
    assert evaluated(model, dialogues, out, "--modes", "grounded", "--splits", "iid") == 130
    assert "run the same command again" in capsys.readouterr().err
    assert evaluated(model, dialogues, out, "--modes", "grounded", "--splits", "new_drug") == 2
    assert "--replace" in capsys.readouterr().err
    assert evaluated(model, dialogues, out, "--modes", "grounded", "--splits", "iid") == 0
    assert len(asked) == 4, "two answers were kept, the third was asked again"
    assert evaluated(model, dialogues, out, "--modes", "grounded", "--splits", "new_drug", "--replace") == 0


def test_a_file_of_dialogues_and_a_file_of_the_leaderboard_are_read(
    model: Path, dialogues: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluated(model, dialogues / "iid.jsonl", tmp_path / "one", "--modes", "grounded", "--json") == 0
    assert json.loads(capsys.readouterr().out)["extractor"]["right"]["n"] == 3
    items = tmp_path / "items.jsonl"
    items.write_text(json.dumps(ITEM) + "\n")
    assert evaluated(model, items, tmp_path / "two", "--modes", "constrained", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["always abstain", "majority tool", "constrained"], "the rules know no foreign tools"
    assert printed["majority tool"]["ast"]["value"] == 1.0 and printed["majority tool"]["exact"]["value"] == 1.0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--modes", "greedy"], "no mode named 'greedy'"),
        (["--splits", "nothing"], "no split named 'nothing'"),
        (["--per-split", "-1"], "--per-split is -1"),
    ],
)
def test_misuse_is_one_line_and_leaves_nothing(
    words: list[str], said: str, model: Path, dialogues: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluated(model, dialogues, tmp_path / "report", *words) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_a_file_that_is_neither_is_refused(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("hello\n")
    assert evaluated(model, path, tmp_path / "report") == 2
    assert "x.jsonl:1: not a line of JSON" in capsys.readouterr().err
