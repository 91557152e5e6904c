"""What every loop is given: the same weights in both formats, the same text, the same dialogues.

model/         weights and tokenizer as transformers reads them
checkpoint/    the same weights as a run of ours
tokens.bin     the built-in handbook, uint16
dialogues/     generated dialogues, train.jsonl
encoded.jsonl  the same dialogues in the same order as ids, with a mask of the assistant's own
task.json      the settings below
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch

import tools
from data.examples import ExamplesConfig, generate, write_jsonl
from data.tokenizer import END_OF_TEXT, load_tokenizer
from data.wire import PAD, STOP_IDS, encode
from gpt2 import GPT, GPTConfig, RunState, save_checkpoint, write_released
from medcall.tokenizer_files import write_tokenizer

CHAPTERS = Path(__file__).parents[2] / "data" / "handbook" / "chapters"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One comparison: what is trained on what."""

    kind: Literal["pretrain", "finetune"]
    preset: Annotated[str, "size of the model"] = "tiny"
    rows: Annotated[int, "windows, or dialogues, in a batch"] = 16
    window: Annotated[int, "tokens in a window"] = 256
    dialogues: Annotated[int, "dialogues to draw batches from"] = 512
    learning_rate: Annotated[float, "of AdamW, constant"] = 3e-4
    seed: Annotated[int, "of weights and dialogues"] = 0


def prepare(folder: Path, task: Task) -> None:
    """Write all of it into `folder`."""
    (folder / "task.json").write_text(json.dumps(asdict(task)))
    torch.manual_seed(task.seed)
    model = GPT(GPTConfig.preset(task.preset))
    save_checkpoint(folder / "checkpoint", model, None, RunState(step=0, batches={}, random={}))
    hub = folder / "model"
    hub.mkdir()
    write_released(model, hub, begin=END_OF_TEXT, stop=STOP_IDS, pad=PAD)
    tokenizer = load_tokenizer()
    if task.kind == "pretrain":
        text = "\n".join(path.read_text("utf-8") for path in sorted(CHAPTERS.glob("*.md")))
        np.array(tokenizer.encode(text), dtype=np.uint16).tofile(folder / "tokens.bin")
        return
    write_tokenizer(
        hub,
        tokenizer,
        positions=model.config.block_size,
        rows=model.config.vocab_size,
        tools=list(tools.registry()),
    )
    examples = generate(ExamplesConfig(n_train=task.dialogues, n_eval=0, seed=task.seed, format="jsonl"))["train"]
    (folder / "dialogues").mkdir()
    write_jsonl(folder / "dialogues" / "train.jsonl", examples)
    with (folder / "encoded.jsonl").open("w") as file:
        for example in examples:
            encoded = encode(example.conversation, tokenizer)
            line = {"input_ids": encoded.ids, "completion_mask": [int(scored) for scored in encoded.loss]}
            file.write(json.dumps(line) + "\n")


def read_task(folder: Path) -> Task:
    return Task(**json.loads((folder / "task.json").read_text()))
