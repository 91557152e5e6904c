"""`medcall export`: a checkpoint becomes a folder that transformers, vLLM and others load."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from medcall.console import add_json_flag, say, show
from medcall.manifest import Work, new_folder

EXAMPLE = "medcall export sft/ -o sft-hf/"
DTYPES = ("float32", "bfloat16", "float16")


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a run folder (its best checkpoint is taken) or a checkpoint")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for config, weights and tokenizer")
    parser.add_argument(
        "--dtype", choices=DTYPES, default=DTYPES[0], help=f"how weights are stored (default {DTYPES[0]})"
    )
    add_json_flag(parser)


def run(args: argparse.Namespace) -> None:
    show(export(args.model, args.output, dtype=args.dtype), args.json)


def export(model: Path, out: Path, *, dtype: str = DTYPES[0]) -> dict[str, Any]:
    """Write the folder `out` for `AutoModelForCausalLM.from_pretrained`; returns what is in it."""
    work = Work("export", {"model": model}, {"dtype": dtype})
    if (made := work.reuse(out)) is not None:
        return made
    import torch

    import tools
    from data.tokenizer import CONTROL, END_OF_TEXT, load_tokenizer
    from data.wire import PAD, STOP_IDS
    from gpt2 import load_model, write_released
    from medcall.tokenizer_files import write_tokenizer

    loaded = load_model(model)
    rows = loaded.config.vocab_size
    has_text, has_control = rows > END_OF_TEXT, rows > max(CONTROL.values())
    with new_folder(out, work) as folder:
        write_released(
            loaded,
            folder,
            begin=END_OF_TEXT if has_text else None,
            stop=STOP_IDS if has_control else (END_OF_TEXT,) if has_text else (),
            pad=PAD if has_control else END_OF_TEXT if has_text else None,
            dtype=getattr(torch, dtype),
        )
        if has_text:
            write_tokenizer(
                folder, load_tokenizer(), positions=loaded.config.block_size, rows=rows, tools=list(tools.registry())
            )
        else:
            say(f"the model knows {rows} ids, too few for GPT-2's tokenizer, so none was written")
        work.summary = {
            "parameters": loaded.parameter_count(),
            "vocabulary": rows,
            "dtype": dtype,
            "chat_template": has_control,
        }
    return work.summary
