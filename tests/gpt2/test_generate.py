from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from gpt2 import (
    GPT,
    ConstraintError,
    ContextOverflow,
    GenerateConfig,
    GenerationError,
    GPTConfig,
    Token,
    generate,
)
from gpt2.sampling import choose

PROMPTS = [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11], [60, 2]]


def continue_without_cache(model: GPT, prompt: list[int], n: int) -> list[int]:
    """The oracle: read everything again for every token."""
    ids = list(prompt)
    for _ in range(n):
        with torch.no_grad():
            ids.append(int(model(torch.tensor([ids]))[0, -1].argmax()))
    return ids[len(prompt) :]


def test_cached_generation_equals_reading_everything_again(model: GPT) -> None:
    [result] = generate(model, [[1, 2, 3]], GenerateConfig(max_new_tokens=29))
    assert list(result.ids) == continue_without_cache(model, [1, 2, 3], 29)
    assert (result.finish, result.passes, result.forced) == ("length", 29, 0)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 63), min_size=1, max_size=31), min_size=1, max_size=4), st.integers(1, 40))
def test_any_batch_up_to_the_end_of_the_context_equals_reading_everything_again(
    model: GPT, prompts: list[list[int]], new: int
) -> None:
    for prompt, result in zip(prompts, generate(model, prompts, GenerateConfig(max_new_tokens=new)), strict=True):
        room = min(new, 32 - len(prompt))
        assert list(result.ids) == continue_without_cache(model, prompt, room)
        assert result.finish == "length"


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_prompt_in_a_batch_becomes_what_it_becomes_alone(model: GPT, temperature: float) -> None:
    config = GenerateConfig(max_new_tokens=20, temperature=temperature, stop_ids=(7,), seed=3)
    together = generate(model, PROMPTS, config)
    assert generate(model, PROMPTS[:1], config) == together[:1]
    if temperature == 0.0:
        assert [generate(model, [prompt], config)[0] for prompt in PROMPTS] == together
    else:
        assert generate(model, PROMPTS[:2], config) == together[:2], (
            "a row's draws depend on its place, not on its neighbours"
        )


def test_the_same_seed_gives_the_same_ids_and_another_seed_others(model: GPT) -> None:
    first, again, other = (
        generate(model, PROMPTS, GenerateConfig(max_new_tokens=12, temperature=1.0, seed=seed)) for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_generation_leaves_the_global_generator_and_the_models_mode_alone(model: GPT) -> None:
    model.train()
    before = torch.get_rng_state()
    generate(model, PROMPTS, GenerateConfig(max_new_tokens=3, temperature=1.0))
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training


def test_a_row_ends_at_its_stop_id_and_the_others_go_on(model: GPT) -> None:
    free = generate(model, PROMPTS, GenerateConfig(max_new_tokens=15))
    stop = next(token for token in free[0].ids[2:] if any(token not in result.ids for result in free))
    stopped = generate(model, PROMPTS, GenerateConfig(max_new_tokens=15, stop_ids=(stop,)))
    for before, after in zip(free, stopped, strict=True):
        if stop in before.ids:
            assert after.finish == "stop"
            assert after.ids == before.ids[: before.ids.index(stop) + 1]
        else:
            assert after == before
    assert any(result.finish == "length" for result in stopped), "the test needs a row that goes on"


def test_tokens_are_streamed_as_they_are_chosen_and_recorded_alike(model: GPT) -> None:
    heard: list[Token] = []
    results = generate(model, PROMPTS, GenerateConfig(max_new_tokens=6), on_token=heard.append, record=True)
    for row, result in enumerate(results):
        assert [token for token in heard if token.row == row] == list(result.tokens)
        assert tuple(token.id for token in result.tokens) == result.ids
        assert {(token.kind, token.choices) for token in result.tokens} == {("free", 64)}
    first = results[0].tokens[0]
    expected = model(torch.tensor([PROMPTS[0]]))[0, -1].softmax(dim=-1)[first.id].item()
    assert first.probability == pytest.approx(expected, rel=1e-4)


def test_the_first_sampled_token_follows_the_models_distribution(model: GPT) -> None:
    n = 3_000
    config = GenerateConfig(max_new_tokens=1, temperature=1.0, top_k=4, seed=11)
    results = generate(model, [[1, 2, 3]] * n, config)
    counts = torch.tensor([result.ids[0] for result in results]).bincount(minlength=64)
    top = model(torch.tensor([[1, 2, 3]]))[0, -1].topk(4)
    expected = n * top.values.softmax(dim=-1)
    assert counts[top.indices].sum() == n
    assert ((counts[top.indices] - expected) ** 2 / expected).sum() < 16.27, "chi-square, 3 degrees of freedom, 0.1 %"


def test_sampled_pairs_follow_the_chain_rule(model: GPT) -> None:
    """p(a, b | prompt) = p(a | prompt) p(b | prompt, a): the second draw is conditioned on the first, by way of the
    cache, and independent of it otherwise.
    """
    n, keep = 6_000, 3
    config = GenerateConfig(max_new_tokens=2, temperature=2.0, top_k=keep, seed=5)
    results = generate(model, [[9, 8]] * n, config)
    observed: dict[tuple[int, ...], int] = {}
    for result in results:
        observed[result.ids] = observed.get(result.ids, 0) + 1

    def distribution(ids: list[int]) -> dict[int, float]:
        top = (model(torch.tensor([ids]))[0, -1] / 2.0).topk(keep)
        return dict(zip(top.indices.tolist(), top.values.softmax(dim=-1).tolist(), strict=True))

    expected = {(a, b): n * p * q for a, p in distribution([9, 8]).items() for b, q in distribution([9, 8, a]).items()}
    assert set(observed) <= set(expected)
    assert min(expected.values()) > 5, "the statistic needs this many in each cell"
    statistic = sum((observed.get(pair, 0) - mean) ** 2 / mean for pair, mean in expected.items())
    assert statistic < 26.12, "chi-square, 8 degrees of freedom, 0.1 %"


def test_a_listener_that_fails_ends_generation_and_the_model_trains_on(model: GPT) -> None:
    heard: list[int] = []

    def listen(token: Token) -> None:
        heard.append(token.id)
        if len(heard) == 3:
            raise BrokenPipeError

    model.train()
    with pytest.raises(BrokenPipeError):
        generate(model, [[1]], GenerateConfig(max_new_tokens=9), on_token=listen)
    assert len(heard) == 3, "each token is heard before the next is chosen"
    assert model.training


def test_a_processor_changes_what_is_chosen_and_sees_all_rows_in_order(model: GPT) -> None:
    seen: list[list[list[int]]] = []

    def only_even(ids: Any, logits: Tensor) -> Tensor:
        seen.append([list(row) for row in ids])
        assert logits.shape == (4, 64)
        return logits.masked_fill(torch.arange(64) % 2 == 1, -torch.inf)

    results = generate(model, PROMPTS, GenerateConfig(max_new_tokens=8, stop_ids=(2,)), processors=[only_even])
    assert all(token % 2 == 0 for result in results for token in result.ids)
    assert seen[0] == PROMPTS
    assert all(len(ids) == 4 for ids in seen)
    assert seen[-1][0][:3] == PROMPTS[0]


def test_a_processor_that_does_nothing_changes_nothing(model: GPT) -> None:
    config = GenerateConfig(max_new_tokens=12, stop_ids=(7, 9))
    assert generate(model, PROMPTS, config, processors=[lambda ids, logits: logits]) == generate(model, PROMPTS, config)


def test_a_row_that_fills_the_context_ends_with_length(model: GPT) -> None:
    prompt = list(range(30))
    [result] = generate(model, [prompt], GenerateConfig(max_new_tokens=50))
    assert (len(result.ids), result.finish) == (2, "length")
    assert list(result.ids) == continue_without_cache(model, prompt, 2)


@pytest.mark.parametrize(
    ("prompt", "error", "message"),
    [
        ([0] * 32, ContextOverflow, "row 1: the prompt has 32 ids and leaves no room in block_size=32"),
        ([], GenerationError, "row 1: the prompt is empty"),
        ([3, 64], GenerationError, "row 1: id 64 is outside the vocabulary of 64"),
        ([-1], GenerationError, "row 1: id -1"),
    ],
)
def test_a_prompt_that_cannot_be_continued_is_refused_by_its_row(
    model: GPT, prompt: list[int], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        generate(model, [[1], prompt])


def test_no_prompts_give_no_results(model: GPT) -> None:
    assert generate(model, []) == []


# Constraints ------------------------------------------------------------

EOS = 63
CALLS = [[10, 11, 12, 20, 21, 22, 40], [10, 11, 12, 30, 31, 41], [10, 11, 12, 30, 32, 41, 42, 43]]


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_skipping_forced_runs_gives_what_asking_for_every_token_gives(
    model: GPT, make_phrases: Any, temperature: float
) -> None:
    for seed in range(8):
        config = GenerateConfig(temperature=temperature, seed=seed)
        quick = generate(model, PROMPTS, config, constraint=make_phrases(CALLS, EOS))
        slow = generate(model, PROMPTS, config, constraint=make_phrases(CALLS, EOS, skip=False))
        assert {(*CALLS[i], EOS) for i in range(3)} >= {result.ids for result in slow}
        if temperature == 0.0:  # with sampling, an id that was forced consumes no draw
            assert [result.ids for result in quick] == [result.ids for result in slow]
        for result in quick:
            assert tuple(result.ids[:-1]) in {tuple(call) for call in CALLS}
            assert result.finish == "constraint"
            choices = 2 if result.ids[3] == 30 else 1
            assert result.passes == choices, "one pass for each real choice"
            assert result.forced == len(result.ids) - choices
        assert all(result.passes == len(result.ids) and result.forced == 0 for result in slow)


def test_a_forced_run_leaves_the_cache_as_reading_it_would(model: GPT, make_phrases: Any) -> None:
    [result] = generate(model, [[1, 2]], GenerateConfig(), constraint=make_phrases(CALLS, EOS), record=True)
    chosen = [i for i, token in enumerate(result.tokens) if token.kind == "narrowed"]
    for i in chosen:
        logits = model(torch.tensor([[1, 2, *result.ids[:i]]]))[0, -1].detach()
        legal = sorted({call[i] for call in CALLS if tuple(call[:i]) == result.ids[:i]})
        token = result.tokens[i]
        assert token.id == legal[int(logits[legal].argmax())]
        assert token.choices == len(legal)
        assert token.probability == pytest.approx(float(logits[legal].softmax(dim=-1).max()), rel=1e-4)


def test_multiplying_only_the_legal_rows_draws_the_same_token(model: GPT, make_phrases: Any) -> None:
    alternatives = [[first, second] for first in range(0, 60, 7) for second in range(3, 60, 5)]
    lists, masks = make_phrases(alternatives, EOS), make_phrases(alternatives, EOS)
    masks.allowed_ids = lambda state: None if len(masks._next(state)) > 1 else lists.allowed_ids(state)
    for seed in range(10):
        config = GenerateConfig(temperature=1.0, top_p=0.9, min_p=0.01, seed=seed)
        assert generate(model, PROMPTS, config, constraint=lists) == generate(model, PROMPTS, config, constraint=masks)


def test_each_row_may_have_its_own_constraint_or_none(model: GPT, make_phrases: Any) -> None:
    config = GenerateConfig(max_new_tokens=9)
    first, free, last = generate(
        model,
        PROMPTS[:3],
        config,
        constraint=[make_phrases([[1, 2]], EOS), None, make_phrases(CALLS, EOS)],
        record=True,
    )
    assert first.ids == (1, 2, EOS)
    assert first.passes == 0, "nothing to choose, nothing to read"
    assert {token.kind for token in free.tokens} == {"free"}
    assert free.ids == generate(model, PROMPTS[1:2], config)[0].ids
    assert last.finish == "constraint"
    with pytest.raises(GenerationError, match="1 constraints were given for 2 prompts"):
        generate(model, PROMPTS[:2], constraint=[None])


def test_a_constraint_and_a_processor_act_together(model: GPT, make_phrases: Any) -> None:
    def discourage_30(ids: Any, logits: Tensor) -> Tensor:
        return logits.index_fill(1, torch.tensor([30]), -torch.inf)

    results = generate(model, PROMPTS, constraint=make_phrases(CALLS, EOS), processors=[discourage_30])
    assert {result.ids for result in results} == {(*CALLS[0], EOS)}


def test_a_stop_id_inside_a_forced_run_ends_the_row(model: GPT, make_phrases: Any) -> None:
    [result] = generate(model, [[1]], GenerateConfig(stop_ids=(12,)), constraint=make_phrases(CALLS, EOS))
    assert (result.ids, result.finish, result.passes) == ((10, 11, 12), "stop", 0)


def test_a_forced_run_is_cut_at_the_length(model: GPT, make_phrases: Any) -> None:
    [result] = generate(model, [[1]], GenerateConfig(max_new_tokens=2), constraint=make_phrases(CALLS, EOS))
    assert (result.ids, result.finish) == ((10, 11), "length")
    [result] = generate(model, [[1] * 31], constraint=make_phrases(CALLS, EOS))
    assert (result.ids, result.finish) == ((10,), "length")


def test_a_constraint_of_another_vocabulary_is_refused_naming_both(model: GPT, make_phrases: Any) -> None:
    with pytest.raises(ConstraintError, match="the constraint's vocabulary has 65 ids, the model's 64"):
        generate(model, [[1]], constraint=make_phrases(CALLS, EOS, 65))


def test_a_constraint_with_no_way_on_is_an_error_and_not_an_ending(model: GPT, make_phrases: Any) -> None:
    dead_end = make_phrases([[1, 2]], EOS)
    dead_end.accepting = lambda state: False
    with pytest.raises(ConstraintError, match=r"row 0: after .* nothing is allowed, but the text is not complete"):
        generate(model, [[1]], constraint=dead_end)


def test_the_decoders_own_constraint_fits_the_protocol(config: GPTConfig) -> None:
    """The one place where gpt2's tests meet `decoding`: a regular expression over 64 one-byte tokens."""
    decoding = pytest.importorskip("decoding")
    token_bytes = [bytes([i + 48]) for i in range(63)] + [b""]
    constraint = decoding.compile_regex("(face|fade|cabbage)[0-4]{3}", decoding.Vocabulary(token_bytes, eos=EOS))
    torch.manual_seed(1)
    for result in generate(GPT(config), PROMPTS, GenerateConfig(temperature=1.0), constraint=constraint):
        text = b"".join(token_bytes[token] for token in result.ids).decode()
        assert text[:-3] in {"face", "fade", "cabbage"}
        assert set(text[-3:]) <= set("01234")
        assert result.ids[-1] == EOS
        assert result.finish == "constraint"
        assert result.forced >= 1


def test_choose_is_what_the_loop_uses(model: GPT) -> None:
    [result] = generate(model, [[5, 6]], GenerateConfig(max_new_tokens=1, temperature=0.8, top_k=10, seed=4))
    logits = model(torch.tensor([[5, 6]]))[:, -1].detach()
    generator = torch.Generator().manual_seed(4 * 1_000_003)
    assert result.ids == tuple(choose(logits, generator, temperature=0.8, top_k=10).tolist())
