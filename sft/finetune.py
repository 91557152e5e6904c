"""Fine-tuning on dialogues: the same loop as pretraining, other batches, and a loss that knows the grammar.

Only the assistant's own tokens are targets (its calls with their tags, its words, and the stop token), so
that is all the loss sees. Held-out loss is measured on the dialogues of the iid split.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch

import tools
from data.conversation import Example
from data.dialogue_batches import DialogueBatches
from data.examples import read_examples
from data.tokenizer import N_VOCAB, load_tokenizer
from data.wire import CLOSE
from decoding import Vocabulary, compile_json_schema
from gpt2 import GPT, GPTConfig, Observer, TrainConfig, TrainResult, fit, grow_vocabulary, load_model
from gpt2.distributed import Parallel
from gpt2.run_folder import warn_of_damage
from sft.narrow import NarrowedBatches, narrowed_loss


@dataclass(frozen=True, kw_only=True)
class FinetuneConfig:
    """Which dialogues make a batch, and the model's size where there is no pretrained one."""

    batch_size: Annotated[int, "dialogues in a batch; rows, if they are packed"] = 32
    packed: Annotated[
        int | None, "pack several dialogues, unseen by one another, into rows of so many tokens; left out: one a row"
    ] = None
    held_out: Annotated[int, "dialogues of the iid split scored during training"] = 200
    narrowed: Annotated[bool, "score a token of a call among the legal ones only, see sft/narrow.py"] = True
    full_share: Annotated[float, "share of such tokens that are scored over the whole vocabulary too"] = 0.06
    preset: Annotated[
        Literal["tiny", "124m", "355m", "774m", "1.5b"], "size of the model when none is given with --from"
    ] = "tiny"


def finetune(
    dialogues: Path,
    base: Path | None,
    config: FinetuneConfig,
    training: TrainConfig,
    run_dir: Path,
    *,
    observers: Sequence[Observer] = (),
    on_message: Callable[[str], None] | None = None,
    parallel: Parallel = "ddp",
) -> TrainResult:
    """Train the model of `base` (a run or checkpoint; None for random weights) on the folder of dialogues.

    Continues a run that `run_dir` already holds. Under `torchrun` its processes train together, by `parallel`.
    Raises ExamplesError for a dialogue longer than the model's context.
    """
    tokenizer = load_tokenizer()
    torch.manual_seed(training.seed)
    if base is None:
        model = GPT(GPTConfig.preset(config.preset))
    else:
        model = grow_vocabulary(load_model(base, on_damage=on_message or warn_of_damage), N_VOCAB)

    def batched(examples: Sequence[Example]) -> DialogueBatches:
        return DialogueBatches(
            [example.conversation for example in examples],
            tokenizer,
            batch_size=config.batch_size,
            row_tokens=config.packed,
            max_length=model.config.block_size,
            seed=training.seed,
        )

    scored = read_examples(dialogues, "iid")[: config.held_out]
    train = read_examples(dialogues, "train")
    if not config.narrowed:
        held_out = list(batched(scored).one_pass()) if scored else []
        return fit(
            model,
            batched(train),
            held_out,
            training,
            run_dir,
            observers=observers,
            on_message=on_message,
            parallel=parallel,
        )

    vocabulary = Vocabulary(tokenizer.token_bytes(), eos=CLOSE, encode=tokenizer.encode)
    constraint = compile_json_schema(tools.call_schema(), vocabulary)

    def narrowed(examples: Sequence[Example]) -> NarrowedBatches:
        return NarrowedBatches(batched(examples), examples, constraint, config.full_share)

    batches = narrowed(train)
    gc.freeze()  # all of this stays; grounding makes much garbage, and each collection would look through it again
    try:
        return fit(
            model,
            batches,
            list(narrowed(scored).one_pass()) if scored else [],
            training,
            run_dir,
            loss=narrowed_loss,
            observers=observers,
            on_message=on_message,
            parallel=parallel,
        )
    finally:
        gc.unfreeze()
