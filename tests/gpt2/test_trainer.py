import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gpt2 import (
    GPT,
    BatchesExhausted,
    GPTConfig,
    NonFiniteLoss,
    NothingToLearn,
    Observer,
    Run,
    Step,
    TrainConfig,
    evaluate,
    next_token_loss,
    train,
)
from gpt2.descent import adamw, finish_gradients, wants_bf16, warmup_cosine

GOLDEN = [
    4.18798,
    4.16978,
    4.02924,
    3.90841,
    3.99457,
    3.87399,
    3.75236,
    3.80041,
    3.78872,
    3.66184,
    3.69671,
    3.65091,
    3.62736,
    3.57374,
    3.60519,
    3.61666,
    3.55417,
    3.54492,
    3.54756,
    3.46682,
]
"""Recorded once; a refactor must repeat it."""


class Remember(Observer):
    """Keeps every step."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def on_step(self, run: Run, step: Step) -> None:
        self.steps.append(step)


def fresh(config: GPTConfig, seed: int = 0) -> GPT:
    torch.manual_seed(seed)
    return GPT(config)


def test_a_recorded_twenty_step_loss_curve_repeats(config: GPTConfig, training: TrainConfig, make_batches: Any) -> None:
    memory = Remember()
    result = train(fresh(config), make_batches(), next_token_loss, training, [memory])
    assert [step.step for step in memory.steps] == list(range(1, 21))
    assert [step.loss for step in memory.steps] == pytest.approx(GOLDEN, abs=2e-3)
    assert result.step == 20
    assert result.loss == memory.steps[-1].loss
    assert result.weight == sum(step.weight for step in memory.steps)


def test_training_learns_what_there_is_to_learn(config: GPTConfig, training: TrainConfig, make_batches: Any) -> None:
    """The next id is a function of the last, so the loss can go to zero."""
    model = fresh(config)
    batches = make_batches()
    held_out = [next(batches)]
    before = evaluate(model, held_out, next_token_loss)
    train(model, batches, next_token_loss, replace(training, steps=150, learning_rate=1e-2))
    after = evaluate(model, held_out, next_token_loss)
    assert before.loss == pytest.approx(math.log(64), abs=0.2)
    assert after.loss < 0.3
    assert before.weight == after.weight == int((held_out[0][1] != -100).sum())


def test_the_same_seed_gives_the_same_weights_and_dropout_follows_the_seed(
    config: GPTConfig, training: TrainConfig, make_batches: Any
) -> None:
    def weights(seed: int) -> Tensor:
        model = fresh(replace(config, dropout=0.2))
        train(model, make_batches(), next_token_loss, replace(training, steps=3, seed=seed))
        return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_accumulating_unequal_batches_equals_one_batch_of_all_their_rows(config: GPTConfig, make_batches: Any) -> None:
    """Gradient of the mean over all scored tokens, not the mean of the batches' means."""
    source = make_batches()
    parts = [next(source) for _ in range(4)]
    weights = [int((targets != -100).sum()) for _, targets in parts]
    assert len(set(weights)) > 1, "the test needs unequal masks"
    whole = tuple(torch.cat([part[i] for part in parts]) for i in (0, 1))

    def gradients(batches: list[Any]) -> tuple[list[Tensor], float]:
        model = fresh(config).double()
        total = 0
        for batch in batches:
            loss_sum, n = next_token_loss(model, batch)
            loss_sum.backward()  # type: ignore[no-untyped-call]
            total += n
        norm = finish_gradients(model, total, clip_norm=0.0)
        return [parameter.grad for parameter in model.parameters() if parameter.grad is not None], norm

    (accumulated, norm), (at_once, whole_norm) = gradients(parts), gradients([whole])
    assert norm == pytest.approx(whole_norm, rel=1e-10)
    for one, other in zip(accumulated, at_once, strict=True):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=1e-9)

    model = fresh(config).double()
    loss_sum, n = next_token_loss(model, whole)
    (loss_sum / n).backward()  # type: ignore[no-untyped-call]
    for one, parameter in zip(accumulated, model.parameters(), strict=True):
        torch.testing.assert_close(one, parameter.grad, atol=1e-12, rtol=1e-9)


def test_a_step_reports_the_mean_over_its_scored_tokens(config: GPTConfig, make_batches: Any) -> None:
    memory = Remember()
    source = make_batches()
    parts = [next(source) for _ in range(3)]
    model = fresh(config)
    sums = [next_token_loss(model, part) for part in parts]
    settings = TrainConfig(steps=1, accumulate=3, warmup_steps=0, autocast="fp32")
    train(model, make_batches(), next_token_loss, settings, [memory])
    [step] = memory.steps
    assert step.weight == sum(n for _, n in sums)
    assert step.loss == pytest.approx(sum(float(s.detach()) for s, _ in sums) / step.weight, rel=1e-6)
    assert step.seconds > 0


def test_gradients_are_clipped_to_the_norm_and_smaller_ones_left_alone() -> None:
    layer = nn.Linear(3, 2)
    for clip, expected in ((1.0, 1.0), (100.0, 5.0), (0.0, 5.0)):
        layer.weight.grad = torch.zeros(2, 3)
        layer.weight.grad[0, 0], layer.weight.grad[1, 2] = 30.0, 40.0
        layer.bias.grad = torch.zeros(2)
        assert finish_gradients(layer, 10, clip) == pytest.approx(5.0)
        assert layer.weight.grad.norm().item() == pytest.approx(expected, rel=1e-6)


def test_the_learning_rate_rises_in_a_line_and_falls_in_a_cosine() -> None:
    config = TrainConfig(steps=111, warmup_steps=10, learning_rate=1.0, min_lr_ratio=0.2)
    rates = [warmup_cosine(step, config) for step in range(111)]
    assert rates[:10] == pytest.approx([0.1 * (i + 1) for i in range(10)])
    assert rates[10] == pytest.approx(1.0)
    assert rates[60] == pytest.approx(0.6), "half way down after half of the cosine"
    assert rates[110] == pytest.approx(0.2)
    assert all(a > b for a, b in pairwise(rates[10:]))
    flat = TrainConfig(steps=3, warmup_steps=0, learning_rate=1.0, min_lr_ratio=1.0)
    assert [warmup_cosine(step, flat) for step in range(3)] == [1.0, 1.0, 1.0]


def test_the_optimiser_takes_each_steps_learning_rate(
    config: GPTConfig, training: TrainConfig, make_batches: Any
) -> None:
    seen: list[tuple[float, float]] = []

    class Watch(Observer):
        def on_step(self, run: Run, step: Step) -> None:
            seen.append((run.optimizer.param_groups[0]["lr"], step.learning_rate))

    train(fresh(config), make_batches(), next_token_loss, training, [Watch()])
    expected = [warmup_cosine(step, training) for step in range(20)]
    assert seen == [(rate, rate) for rate in expected]


def test_matrices_decay_and_biases_and_layer_norms_do_not(config: GPTConfig, training: TrainConfig) -> None:
    model = fresh(config)
    decayed, kept = adamw(model, training).param_groups
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert decayed["weight_decay"] == 0.1
    assert kept["weight_decay"] == 0.0
    assert all(names[id(p)].endswith("bias") or ".ln_" in names[id(p)] for p in kept["params"])
    assert all(names[id(p)].endswith("weight") and ".ln_" not in names[id(p)] for p in decayed["params"])
    assert len(decayed["params"]) + len(kept["params"]) == len(names), "a tied weight is in one group, once"


def test_bf16_autocast_learns_nearly_the_same_on_a_cpu(
    config: GPTConfig, training: TrainConfig, make_batches: Any
) -> None:
    few = replace(training, steps=4, accumulate=1)
    losses = []
    for autocast in ("fp32", "bf16"):
        memory = Remember()
        model = fresh(config)
        train(model, make_batches(), next_token_loss, replace(few, autocast=autocast), [memory])
        assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
        losses.append([step.loss for step in memory.steps])
    assert losses[1] == pytest.approx(losses[0], abs=0.05)
    assert losses[1] != losses[0]


def test_auto_arithmetic_asks_the_processor() -> None:
    assert wants_bf16("bf16", "cpu")
    assert not wants_bf16("fp32", "cpu")
    capabilities = torch.cpu.get_capabilities()
    assert wants_bf16("auto", "cpu") == any(
        capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16")
    )


def test_a_loss_that_is_not_finite_stops_the_run_before_the_weights_are_spoilt(
    config: GPTConfig, training: TrainConfig, make_batches: Any
) -> None:
    calls = 0

    def poisoned(model: GPT, batch: Any) -> tuple[Tensor, int]:
        nonlocal calls
        calls += 1
        total, weight = next_token_loss(model, batch)
        return (total * math.inf if calls == 6 else total), weight

    model = fresh(config)
    with pytest.raises(NonFiniteLoss, match=r"step 3: loss is inf .* weights are still those of step 2"):
        train(model, make_batches(), poisoned, training)
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_batches_that_end_too_early_are_an_error_naming_the_step(
    config: GPTConfig, training: TrainConfig, make_batches: Any
) -> None:
    class Five(type(make_batches())):  # type: ignore[misc]
        def __next__(self) -> Any:
            if self.given == 5:
                raise StopIteration
            return super().__next__()

    with pytest.raises(BatchesExhausted, match="the batches ended in step 3 of 20"):
        train(fresh(config), Five(), next_token_loss, training)


def test_a_step_that_weighs_nothing_is_an_error(config: GPTConfig, training: TrainConfig, make_batches: Any) -> None:
    def nothing(model: GPT, batch: Any) -> tuple[Tensor, int]:
        return model.transformer.wte.weight.sum() * 0, 0

    with pytest.raises(NothingToLearn, match="step 1: its batches weigh 0"):
        train(fresh(config), make_batches(), nothing, training)
    with pytest.raises(NothingToLearn, match="0 held-out batches score nothing"):
        evaluate(fresh(config), [], next_token_loss)


def test_evaluation_changes_neither_weights_nor_mode_nor_generator(config: GPTConfig, make_batches: Any) -> None:
    model = fresh(replace(config, dropout=0.3)).train()
    source = make_batches()
    batches = [next(source) for _ in range(3)]
    state = torch.get_rng_state()
    first, second = (evaluate(model, batches, next_token_loss) for _ in range(2))
    assert first == second, "dropout is off"
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)


def test_observers_hear_the_start_every_step_and_the_end_even_of_a_failure(
    config: GPTConfig, training: TrainConfig, make_batches: Any
) -> None:
    heard: list[str] = []

    class Listen(Observer):
        def on_start(self, run: Run) -> None:
            heard.append(f"start {run.step}")

        def on_step(self, run: Run, step: Step) -> None:
            heard.append(f"step {step.step}")
            if step.step == 2:
                raise RuntimeError("observer failed")

        def on_stop(self, run: Run) -> None:
            heard.append(f"stop {run.step}")

    with pytest.raises(RuntimeError, match="observer failed"):
        train(fresh(config), make_batches(), next_token_loss, training, [Listen()])
    assert heard == ["start 0", "step 1", "step 2", "stop 2"]


def test_a_model_of_another_kind_trains_with_its_own_loss() -> None:
    """The loop knows nothing of language: a line is fitted to two points."""

    class Points:
        def __iter__(self) -> "Points":
            return self

        def __next__(self) -> tuple[Tensor, Tensor]:
            return torch.tensor([[0.0], [1.0]]), torch.tensor([[1.0], [3.0]])

        def state_dict(self) -> dict[str, Any]:
            return {}

        def load_state_dict(self, state: dict[str, Any]) -> None:
            pass

    def squares(model: nn.Linear, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
        return ((model(batch[0]) - batch[1]) ** 2).sum(), len(batch[0])

    torch.manual_seed(0)
    line = nn.Linear(1, 1)
    config = TrainConfig(steps=300, learning_rate=0.1, warmup_steps=0, weight_decay=0.0, clip_norm=0.0, autocast="fp32")
    assert (train(line, Points(), squares, config).loss or 0) < 1e-3
    assert [line.weight.item(), line.bias.item()] == pytest.approx([2.0, 1.0], abs=0.05)
