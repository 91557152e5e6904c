"""What docs/walkthrough.md shows is what happens."""

import contextlib
import io
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "walkthrough.md").read_text("utf-8")
RESULTS = json.loads((DOCS / "walkthrough" / "results.json").read_text())


def test_the_code_of_the_page_prints_what_stands_below_it() -> None:
    """All blocks in one namespace, as a reader would run them."""
    blocks = re.findall(r"```python\n(.*?)```\n```text\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == PAGE.count("```python") >= 6
    names: dict[str, object] = {}
    state = torch.get_rng_state()
    try:
        for code, shown in blocks:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, "walkthrough.md", "exec"), names)
            assert printed.getvalue() == shown
    finally:
        torch.set_rng_state(state)


def test_the_table_holds_the_recorded_results() -> None:
    rows = re.findall(r"^\| `(.+?)` \|.*\| ([\d.]+) \| ([\d.]+) % \|$", PAGE, re.MULTILINE)
    shown = {name: (float(loss), float(copied)) for name, loss, copied in rows}
    assert shown == {
        name: (round(result["loss"], 2), round(100 * result["copied"], 0)) for name, result in RESULTS.items()
    }


def test_the_pictures_of_the_page_exist() -> None:
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", PAGE)
    assert len(pictures) == 3
    assert all((DOCS / picture).stat().st_size > 1_000 for picture in pictures)


@pytest.mark.slow
def test_one_command_runs_an_experiment(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    command = [
        sys.executable,
        str(DOCS / "walkthrough.py"),
        "as it is",
        "no mask",
        "-o",
        str(tmp_path),
        "--steps",
        "40",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=DOCS.parent, env={"PYTHONPATH": str(DOCS.parent)}
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results.json").read_text())
    assert list(results) == ["as it is", "no mask"]
    assert {path.name for path in tmp_path.glob("*.png")} == {"mask.png", "attention.png", "experiments.png"}


def test_each_variant_changes_what_it_says_and_the_map_of_attention_is_the_models_own() -> None:
    page = runpy.run_path(str(DOCS / "walkthrough.py"))
    ids = torch.tensor([page["ids_of"]("is digoxin safe?>digo")])
    logits = {}
    for name, change in page["VARIANTS"].items():
        torch.manual_seed(0)
        model = page["GPT"](page["CONFIG"])
        with torch.no_grad():
            model.transformer.wpe.weight.mul_(10)
        change(model)
        logits[name] = model.train()(ids).detach()
        assert logits[name].isfinite().all()
    names = list(logits)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            assert not torch.allclose(logits[one], logits[other], atol=1e-4), (one, other)
    torch.manual_seed(0)
    model = page["GPT"](page["CONFIG"]).eval()
    before = model(ids)
    maps = page["attention_maps"](model, "is digoxin safe?>digo")
    assert maps.shape == (4, 4, 21, 21)
    torch.testing.assert_close(maps.sum(dim=-1), torch.ones(4, 4, 21))
    assert maps.triu(1).abs().max() == 0, "nobody looks ahead"
    assert torch.equal(model(ids), before), "the model is as it was"
