import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from gpt2 import GPT, NothingToLearn, head_cross_entropy, next_token_loss


def problem(tokens: int, width: int, vocabulary: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(tokens, width, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(vocabulary, width, generator=generator, dtype=torch.float64, requires_grad=True)
    return hidden, weight, torch.randint(0, vocabulary, (tokens,), generator=generator)


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_the_gradient_is_the_derivative(chunk: int) -> None:
    hidden, weight, targets = problem(7, 5, 11)
    assert torch.autograd.gradcheck(lambda h, w: head_cross_entropy(h, w, targets, chunk), (hidden, weight))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 20),
    st.integers(1, 9),
    st.integers(2, 30),
    st.integers(1, 25),
    st.integers(0, 99),
    st.floats(-3, 3),
)
def test_value_and_gradients_equal_cross_entropys(
    tokens: int, width: int, vocabulary: int, chunk: int, seed: int, factor: float
) -> None:
    hidden, weight, targets = problem(tokens, width, vocabulary, seed)
    ours = head_cross_entropy(hidden, weight, targets, chunk)
    theirs = F.cross_entropy(hidden @ weight.T, targets, reduction="sum")
    torch.testing.assert_close(ours, theirs)
    for mine, expected in zip(
        torch.autograd.grad(ours * factor, (hidden, weight)),
        torch.autograd.grad(theirs * factor, (hidden, weight)),
        strict=True,
    ):
        torch.testing.assert_close(mine, expected)


def test_a_very_unlikely_target_costs_what_it_should() -> None:
    hidden, weight = torch.tensor([[1.0]]), torch.tensor([[500.0], [0.0], [-500.0]])
    assert head_cross_entropy(hidden, weight, torch.tensor([2])).item() == pytest.approx(1000.0)
    assert head_cross_entropy(hidden, weight, torch.tensor([0])).item() == pytest.approx(0.0, abs=1e-6)


def test_a_loss_of_no_token_is_zero_and_so_are_its_gradients() -> None:
    hidden, weight, targets = problem(0, 4, 13)
    loss = head_cross_entropy(hidden, weight, targets)
    assert loss.item() == 0.0
    assert all((gradient == 0).all() for gradient in torch.autograd.grad(loss, (hidden, weight)))


def test_a_kept_graph_gives_the_same_gradient_again_or_refuses() -> None:
    hidden, weight, targets = problem(9, 4, 13)
    loss = head_cross_entropy(hidden, weight, targets, 4)
    first = torch.autograd.grad(loss, weight, retain_graph=True)[0].clone()
    assert torch.equal(torch.autograd.grad(loss, weight, retain_graph=True)[0], first)
    scaled = torch.autograd.grad(loss * 3, weight, retain_graph=True)[0]
    torch.testing.assert_close(scaled, 3 * first)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(loss, weight)


@pytest.mark.parametrize("learned", ["hidden", "weight"])
def test_a_frozen_side_costs_no_gradient_and_changes_nothing(learned: str) -> None:
    hidden, weight, targets = problem(9, 4, 13)
    expected = dict(
        zip(
            ("hidden", "weight"),
            torch.autograd.grad(head_cross_entropy(hidden, weight, targets), (hidden, weight)),
            strict=True,
        )
    )
    (weight if learned == "hidden" else hidden).requires_grad_(False)
    leaf = hidden if learned == "hidden" else weight
    head_cross_entropy(hidden, weight, targets, 4).backward()
    torch.testing.assert_close(leaf.grad, expected[learned])


def test_no_logits_of_all_tokens_are_kept_for_backward() -> None:
    hidden, weight, targets = problem(64, 3, 50)
    kept: list[tuple[int, ...]] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tuple(tensor.shape))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        head_cross_entropy(hidden, weight, targets, 8)
    assert sorted(kept) == [(50, 3), (64, 3)]


def test_bf16_autocast_is_near_float32_and_returns_float32() -> None:
    hidden, weight, targets = (t.detach().float() if t.is_floating_point() else t for t in problem(32, 16, 40))
    hidden.requires_grad_(), weight.requires_grad_()
    exact = torch.autograd.grad(full := head_cross_entropy(hidden, weight, targets), (hidden, weight))
    with torch.autocast("cpu", torch.bfloat16):
        half = head_cross_entropy(hidden, weight, targets, 8)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(full.item(), rel=0.01)
    for mine, expected in zip(torch.autograd.grad(half, (hidden, weight)), exact, strict=True):
        assert mine.dtype == torch.float32
        assert F.cosine_similarity(mine.flatten(), expected.flatten(), dim=0) > 0.999


def test_next_token_loss_is_the_summed_cross_entropy_of_the_scored_positions(model: GPT, make_batches: Any) -> None:
    ids, targets = next(make_batches())
    total, weight = next_token_loss(model, (ids, targets))
    expected = F.cross_entropy(model(ids).flatten(0, 1), targets.flatten(), reduction="sum", ignore_index=-100)
    assert weight == int((targets != -100).sum())
    torch.testing.assert_close(total, expected)
    ours = torch.autograd.grad(total, list(model.parameters()))
    theirs = torch.autograd.grad(expected, list(model.parameters()))
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)


def test_the_head_is_multiplied_at_scored_positions_only(model: GPT, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    monkeypatch.setattr(
        "gpt2.loss.head_cross_entropy", lambda h, w, y: rows.append(h.size(0)) or head_cross_entropy(h, w, y)
    )
    targets = torch.full((2, 10), -100)
    targets[0, 3:6] = 5
    assert next_token_loss(model, (torch.ones(2, 10, dtype=torch.long), targets))[1] == 3
    assert rows == [3]


def test_packed_rows_have_the_loss_of_their_texts_apart(model: GPT) -> None:
    texts = [[3, 1, 4, 1, 5], [9, 2, 6], [5, 3, 5, 8]]
    ids = torch.tensor([[token for text in texts for token in text[:-1]]])
    targets = torch.tensor([[token for text in texts for token in text[1:]]])
    segments = torch.tensor([[i for i, text in enumerate(texts) for _ in text[:-1]]])
    total, weight = next_token_loss(model, (ids, targets, segments))
    apart = [next_token_loss(model, (torch.tensor([text[:-1]]), torch.tensor([text[1:]]))) for text in texts]
    assert weight == sum(n for _, n in apart) == 9
    torch.testing.assert_close(total, sum(loss for loss, _ in apart), atol=1e-4, rtol=1e-5)


def test_a_batch_with_nothing_to_learn_is_an_error(model: GPT) -> None:
    with pytest.raises(NothingToLearn, match="2 rows and 4 positions scores no token: every target is -100"):
        next_token_loss(model, (torch.ones(2, 4, dtype=torch.long), torch.full((2, 4), -100)))


def test_the_loss_of_equal_logits_is_the_logarithm_of_the_vocabulary() -> None:
    loss = head_cross_entropy(torch.zeros(5, 3), torch.randn(17, 3), torch.arange(5))
    assert loss.item() == pytest.approx(5 * math.log(17), rel=1e-6)
