"""The narrowed loss: which tokens are scored how, and that it is the cross-entropy it says it is."""

import numpy as np
import pytest
import torch

import tools
from data.batches import IGNORE
from data.conversation import Call, Conversation, Example, Message
from data.dialogue_batches import DialogueBatches
from data.tokenizer import load_tokenizer
from data.wire import CLOSE, OPEN, STOP_IDS
from decoding import Constraint, Vocabulary, compile_json_schema, ground
from gpt2 import GPT, GPTConfig, next_token_loss
from sft.narrow import NOBODY, NarrowedBatches, choices_of, narrowed_loss

PAIR = Call(name="check_drug_interactions", arguments={"drugs": ["warfarin", "ibuprofen"]})
ODD = Call(name="check_drug_interactions", arguments={"drugs": ["aspirin"]})


def example(request: str, *calls: Call) -> Example:
    answer = Message(role="assistant", calls=calls) if calls else Message(role="assistant", content="No tool for that.")
    return Example(
        id="x",
        split="train",
        kind="x",
        conversation=Conversation(messages=(Message(role="user", content=request), answer)),
    )


EXAMPLES = [
    example("Can I take warfarin with ibuprofen?", PAIR),
    example("nice weather"),
    example("does warfarin go with ibuprofen", ODD),  # a drug that was not said: the grounded grammar cannot write it
    example("warfarin or ibuprofen", PAIR, Call(name=PAIR.name, arguments={"drugs": ["warfarin"]})),
]


@pytest.fixture(scope="module")
def constraint() -> Constraint:
    tokenizer = load_tokenizer()
    return compile_json_schema(
        tools.call_schema(), Vocabulary(tokenizer.token_bytes(), eos=CLOSE, encode=tokenizer.encode)
    )


def dialogues() -> DialogueBatches:
    return DialogueBatches([e.conversation for e in EXAMPLES], load_tokenizer(), batch_size=2, seed=1)


def batches(constraint: Constraint, share: float) -> NarrowedBatches:
    return NarrowedBatches(dialogues(), EXAMPLES, constraint, share)


@pytest.fixture(scope="module")
def model() -> GPT:
    torch.manual_seed(0)
    return GPT(GPTConfig(n_layer=1, n_head=2, n_embd=16, block_size=128))


def test_every_scored_token_is_written_or_inside_a_call_and_never_both(constraint: Constraint) -> None:
    for i, one in enumerate(EXAMPLES):
        targets = dialogues().targets[i]
        choices = choices_of(one, targets, constraint)
        assert ((choices.written ^ choices.inside) == (targets != IGNORE)).all()
        assert all(choices.inside[t] for t in choices.chosen)


def test_outside_calls_only_markers_and_words_are_written(constraint: Constraint) -> None:
    targets = dialogues().targets[0]
    choices = choices_of(EXAMPLES[0], targets, constraint)
    assert set(targets[choices.written].tolist()) <= {OPEN, *STOP_IDS}
    assert not choices_of(EXAMPLES[1], dialogues().targets[1], constraint).inside.any()


def test_a_choice_holds_the_legal_tokens_of_decoding_and_marks_the_right_one(constraint: Constraint) -> None:
    targets = dialogues().targets[0]
    choices = choices_of(EXAMPLES[0], targets, constraint)
    grounded = ground(constraint, EXAMPLES[0].request)
    state = grounded.start()
    inside = np.flatnonzero(choices.inside).tolist()
    for t in inside:
        if t in choices.chosen:
            legal, place = choices.chosen[t]
            assert legal.tolist() == np.flatnonzero(grounded.allowed(state)).tolist()
            assert legal[place] == targets[t]
        state = grounded.advance(state, int(targets[t]))
    spelled = load_tokenizer().decode([int(targets[t]) for t in choices.chosen])
    assert "check" in spelled and "war" in spelled and "ib" in spelled


def test_a_call_that_grounding_cannot_write_is_learned_as_text(constraint: Constraint) -> None:
    targets = dialogues().targets[2]
    choices = choices_of(EXAMPLES[2], targets, constraint)
    after = np.flatnonzero(targets == CLOSE)[0]
    assert choices.written[after] and choices.inside.any()


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_loss_is_full_cross_entropy_plus_that_among_the_legal(
    constraint: Constraint, model: GPT, share: float
) -> None:
    batch = next(batches(constraint, share))
    loss, weight = narrowed_loss(model, batch)
    log_probabilities = model(batch.ids)
    expected, count = 0.0, 0
    for b, t in (batch.targets != IGNORE).nonzero().tolist():
        expected -= log_probabilities[b, t].log_softmax(-1)[batch.targets[b, t]].item()
        count += 1
    for row, column, legal, place in zip(*batch[2:6], strict=True):
        ids = legal[legal != NOBODY]
        expected -= log_probabilities[row, column][ids].log_softmax(-1)[place].item()
        count += 1
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    assert weight == count


def test_with_a_share_of_one_every_token_is_scored_over_the_vocabulary(constraint: Constraint, model: GPT) -> None:
    batch = next(batches(constraint, 1.0))
    plain = next(dialogues())
    assert torch.equal(batch.targets, plain[1])
    assert narrowed_loss(model, batch)[0] > next_token_loss(model, plain)[0]


def test_batches_resume_where_they_were(constraint: Constraint) -> None:
    first = batches(constraint, 0.3)
    for _ in range(3):
        next(first)
    second = batches(constraint, 0.3)
    second.load_state_dict(first.state_dict())
    for _ in range(4):
        assert all(torch.equal(a, b) for a, b in zip(next(first)[:6], next(second)[:6], strict=True))


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_dialogues_that_share_a_row_have_the_loss_of_rows_of_their_own(
    constraint: Constraint, model: GPT, share: float
) -> None:
    def all_at_once(row_tokens: int | None) -> NarrowedBatches:
        conversations = [e.conversation for e in EXAMPLES]
        made = DialogueBatches(conversations, load_tokenizer(), batch_size=len(EXAMPLES), row_tokens=row_tokens, seed=1)
        return NarrowedBatches(made, EXAMPLES, constraint, share)

    together, apart = next(all_at_once(128)), next(all_at_once(None))
    assert together.segments is not None and len(together.ids) < len(apart.ids) == len(EXAMPLES)
    (loss, weight), (expected, count) = narrowed_loss(model, together), narrowed_loss(model, apart)
    assert weight == count
    torch.testing.assert_close(loss, expected, atol=1e-4, rtol=1e-5)


def test_what_is_ignored_is_the_same_number_in_data_and_model() -> None:
    """Two packages that do not know each other, and a convention of `torch.nn.functional.cross_entropy`."""
    import gpt2

    assert gpt2.IGNORE == IGNORE == torch.nn.CrossEntropyLoss().ignore_index
