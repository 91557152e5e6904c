from dataclasses import replace
from typing import Any

import pytest
import torch

from gpt2 import GPT, Checkpoints, GPTConfig, Observer, Run, Step, TrainConfig, load_model, next_token_loss, train


class Losses(Observer):
    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_step(self, run: Run, step: Step) -> None:
        self.seen.append(step.loss)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning:torch.*")
def test_compiling_in_place_changes_neither_losses_nor_the_names_in_a_checkpoint(
    config: GPTConfig, training: TrainConfig, make_batches: Any, tmp_path: Any
) -> None:
    config, training = replace(config, n_layer=1), replace(training, steps=5)
    losses = []
    for compiled in (False, True):
        torch.manual_seed(0)
        model = GPT(config)
        if compiled:
            model.transformer.compile()
        watch = Losses()
        train(model, make_batches(), next_token_loss, training, [watch, Checkpoints(tmp_path / str(compiled))])
        losses.append(watch.seen)
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)
    one, other = (dict(load_model(tmp_path / name).named_parameters()) for name in ("False", "True"))
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, atol=1e-3, rtol=1e-3)
