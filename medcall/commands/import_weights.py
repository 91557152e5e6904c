"""`medcall import`: released GPT-2 weights become a checkpoint that every other verb takes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from medcall.console import add_json_flag, say, show
from medcall.errors import UsageError
from medcall.manifest import Work, new_folder

EXAMPLE = "medcall import gpt2 -o gpt2-124m/"
HUB = {
    "gpt2": "openai-community/gpt2",
    "gpt2-medium": "openai-community/gpt2-medium",
    "gpt2-large": "openai-community/gpt2-large",
    "gpt2-xl": "openai-community/gpt2-xl",
}
"""The four that OpenAI released (124M, 355M, 774M, 1.5B), by their old short names."""
VOCABULARY = 50_304


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        help=f"a Hugging Face folder (config.json, model.safetensors), one safetensors file, {', '.join(HUB)}, "
        "or OWNER/NAME on the hub",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the checkpoint")
    parser.add_argument(
        "--vocabulary",
        type=int,
        default=VOCABULARY,
        metavar="ROWS",
        help=f"rows of the embedding; new ones begin near the mean of the others (default {VOCABULARY}, which "
        "fine-tuning needs; 0 keeps what was released)",
    )
    add_json_flag(parser)


def run(args: argparse.Namespace) -> None:
    show(import_weights(args.source, args.output, vocabulary=args.vocabulary), args.json)


def import_weights(source: str, out: Path, *, vocabulary: int = VOCABULARY) -> dict[str, Any]:
    """Write the checkpoint `out/step-000000`; returns what is in it."""
    from gpt2 import RunState, grow_vocabulary, read_released, save_checkpoint
    from gpt2.checkpoint import random_state

    path = local(source) or fetch(source)
    work = Work("import", {"weights": path}, {"vocabulary": vocabulary})
    if (made := work.reuse(out)) is not None:
        return made
    model = read_released(path)
    released = model.config.vocab_size
    if vocabulary:
        model = grow_vocabulary(model, vocabulary)
    with new_folder(out, work) as folder:
        save_checkpoint(folder, model, None, RunState(step=0, batches={}, random=random_state()))
        work.summary = {
            "parameters": model.parameter_count(),
            "layers": model.config.n_layer,
            "width": model.config.n_embd,
            "positions": model.config.block_size,
            "vocabulary": model.config.vocab_size,
            "new_rows": model.config.vocab_size - released,
        }
    return work.summary


def local(source: str) -> Path | None:
    """`source` as a path, if weights could be there."""
    path = Path(source)
    if path.is_file() or (path / "config.json").is_file() or any(path.glob("*.safetensors*")):
        return path
    if source in HUB:
        return None
    if path.exists():
        raise UsageError(f"{path} holds no config.json and no safetensors; expected a Hugging Face folder of a GPT-2")
    if source.count("/") != 1 or source.startswith((".", "/", "~")):
        raise UsageError(f"nothing is at {path}, and it is no name on the hub ({', '.join(HUB)} or OWNER/NAME)")
    return None


def fetch(name: str) -> Path:
    """Download a model from the Hugging Face hub, or find it in the cache of earlier downloads."""
    repository = HUB.get(name, name)
    by_hand = (
        f"fetch config.json and model.safetensors of {repository} where there is a connection, "
        "and give `medcall import` their folder"
    )
    try:
        import huggingface_hub  # a downloader, needed here alone
    except ImportError:
        raise UsageError(
            f"{name} is on the Hugging Face hub, and huggingface_hub is not installed: "
            f"`pip install huggingface_hub`, or {by_hand}"
        ) from None
    say(f"fetching {repository} from the Hugging Face hub")
    files = ["config.json", "*.safetensors", "*.safetensors.index.json"]
    try:
        return Path(huggingface_hub.snapshot_download(repository, allow_patterns=files))
    except Exception as error:  # the errors of three libraries, which share no base
        first = str(error).strip().splitlines() or [""]
        raise UsageError(
            f"cannot get {repository} from the Hugging Face hub ({type(error).__name__}: {first[0]}); {by_hand}"
        ) from error
