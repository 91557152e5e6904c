import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal

import pytest

from data.batches import IGNORE
from data.conversation import Conversation, Message
from data.dialogue_batches import DialogueBatches
from data.errors import ExamplesError
from data.examples import SPLITS, ExamplesConfig, build, generate, read_examples, write_jsonl
from data.examples.entities import Catalogue
from data.examples.leakage import leakage, near_key
from data.exchange import read_dialogues
from data.tokenizer import load_tokenizer
from data.wire import PAD

CONFIG = ExamplesConfig(n_train=60, n_eval=6)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("examples") / "out"
    build(CONFIG, out)
    return out


def test_no_request_occurs_twice_in_any_split(built: Path) -> None:
    splits = json.loads((built / "meta.json").read_text(encoding="utf-8"))["splits"]
    requests = [near_key(e) for name in splits for e in read_examples(built, name)]
    assert len(set(requests)) == len(requests) == 60 + 6 * (len(SPLITS) - 1)


def test_the_files_hold_exactly_what_is_generated(built: Path) -> None:
    for name, examples in generate(CONFIG).items():
        assert read_examples(built, name) == examples


@pytest.mark.slow
def test_two_processes_make_the_same_dialogues(built: Path) -> None:
    for name, examples in generate(CONFIG, processes=2).items():
        assert read_examples(built, name) == examples


def test_the_summary_counts_what_is_there(built: Path) -> None:
    train = json.loads((built / "meta.json").read_text(encoding="utf-8"))["splits"]["train"]
    examples = read_examples(built / "train.jsonl")
    assert sum(train["kinds"].values()) == train["dialogues"] == len(examples)
    assert train["calls"] == sum(len(e.all_calls) for e in examples)
    own = sum(len(e.all_calls) for e in examples if e.conversation.tools)
    assert sum(train["results"].values()) == train["calls"] - own == sum(train["operations"].values())


def test_nothing_kept_for_an_evaluation_split_is_in_training(built: Path) -> None:
    splits = {name: read_examples(built, name) for name in SPLITS}
    counts = leakage(splits, Catalogue.of_tools())
    assert counts == {"evaluation requests compared": 6 * (len(SPLITS) - 1), "training dialogues searched": 60}
    assert json.loads((built / "meta.json").read_text(encoding="utf-8"))["leakage"] == counts


@pytest.mark.parametrize(
    "split", ["new_drug", "new_stem", "nonce_drug", "new_number", "new_template", "new_phrasing", "new_tool"]
)
def test_a_dialogue_that_belongs_to_another_split_is_found_in_training(built: Path, split: str) -> None:
    strangers = read_examples(built, split)
    found = 0
    for stranger in strangers:
        try:
            leakage({"train": [stranger]}, Catalogue.of_tools())
        except ExamplesError:
            found += 1
    assert found == len(strangers)


def test_the_same_request_in_other_words_and_case_is_a_near_duplicate(built: Path) -> None:
    first = read_examples(built, "train")[0]
    request = Message(role="user", content="Please, " + first.request.upper() + "!")
    again = replace(first, id="again", conversation=Conversation(messages=(request, *first.conversation.messages[1:])))
    with pytest.raises(ExamplesError, match="again"):
        leakage({"train": [first], "iid": [again]}, Catalogue.of_tools())


def test_the_dataset_on_disk_holds_the_same_dialogues(built: Path) -> None:
    import datasets

    loaded = datasets.load_from_disk(str(built / "dataset"))
    for row, example in zip(loaded["train"], read_examples(built, "train"), strict=True):
        assert row["id"] == example.id
        assert Conversation.from_json(row["messages"]).messages == example.conversation.messages
        assert json.loads(row["results"]) == [dict(result) for result in example.results]
        assert tuple(json.loads(row["tools"])) == example.conversation.tools


def test_only_the_format_asked_for_is_written(tmp_path: Path) -> None:
    build(ExamplesConfig(n_train=3, n_eval=0, format="jsonl"), tmp_path / "out")
    assert not (tmp_path / "out" / "dataset").exists()
    assert len(read_examples(tmp_path / "out", "train")) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("form", ["openai", "hf"])
def test_dialogues_are_written_in_the_formats_of_others(tmp_path: Path, form: Literal["openai", "hf"]) -> None:
    config = ExamplesConfig(n_train=40, n_eval=0, format=form)
    build(config, tmp_path / "out")
    ours = generate(config)["train"]
    assert [e.conversation for e in read_dialogues(tmp_path / "out" / "train.jsonl")] == [e.conversation for e in ours]


def test_an_interrupted_build_leaves_nothing_behind(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(ExamplesConfig(n_train=60, n_eval=0), tmp_path / "out", stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("field", [{"n_train": 0}, {"nonce_share": 2.0}, {"context": 100}])
def test_impossible_settings_are_refused(field: dict[str, float]) -> None:
    with pytest.raises(ExamplesError, match=next(iter(field))):
        ExamplesConfig(**field)  # type: ignore[arg-type]


def test_a_line_that_is_no_example_is_named(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "x.jsonl", generate(ExamplesConfig(n_train=2, n_eval=0))["train"])
    with (tmp_path / "x.jsonl").open("a") as lines:
        lines.write("{}\n")
    with pytest.raises(ExamplesError, match=r"x\.jsonl:3"):
        read_examples(tmp_path / "x.jsonl")
    with pytest.raises(ExamplesError, match="medcall examples"):
        read_examples(tmp_path / "absent.jsonl")


# --- batches ----------------------------------------------------------------


@cache
def talks() -> tuple[Conversation, ...]:
    answer = Message(role="assistant", content="Which drug?")
    return tuple(Conversation.of_request("dose " * (1 + n * 7 % 23) + str(n)).then(answer) for n in range(75))


def batches(**settings: int) -> DialogueBatches:
    return DialogueBatches(talks(), load_tokenizer(), **(settings or {"batch_size": 8}))  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [{"batch_size": 8}, {"tokens_per_batch": 200}])
def test_an_epoch_holds_every_dialogue_once(settings: dict[str, int]) -> None:
    made = batches(**settings)
    for epoch in (0, 1):
        plan = made.plan(epoch)
        assert sorted(index for batch in plan for row in batch for index in row) == list(range(75))
    assert made.plan(0) != made.plan(1)
    assert sum(len(ids) for ids, _ in made.one_pass()) == 75


def test_batches_hold_the_dialogues_and_padding_is_never_learned() -> None:
    made = batches(batch_size=8)
    chosen = made.plan(0)[0]
    ids, targets = next(made)
    for row, [index] in enumerate(chosen):
        n = made.lengths[index]
        assert ids[row, :n].tolist() == made.ids[index].tolist() and (ids[row, n:] == PAD).all()
        assert targets[row, :n].tolist() == made.targets[index].tolist() and (targets[row, n:] == IGNORE).all()


def test_batches_by_tokens_stay_within_them_with_little_padding() -> None:
    made = batches(tokens_per_batch=200)
    shapes = [(ids.numel(), int((ids != PAD).sum())) for ids, _ in (next(made) for _ in range(len(made)))]
    assert max(size for size, _ in shapes) <= 200
    assert sum(used for _, used in shapes) > 0.85 * sum(size for size, _ in shapes)


@pytest.mark.parametrize("steps", [0, 1, 9, 10, 23])
def test_a_resumed_run_continues_with_the_very_next_batch(steps: int) -> None:
    whole, resumed = batches(batch_size=8), batches(batch_size=8)
    for _ in range(steps):
        next(whole)
    resumed.load_state_dict(json.loads(json.dumps(whole.state_dict())))
    for _ in range(15):
        assert next(whole)[0].tolist() == next(resumed)[0].tolist()


def test_a_position_in_other_batches_is_refused() -> None:
    with pytest.raises(ExamplesError, match="batch_size=8"):
        batches(batch_size=9).load_state_dict(batches(batch_size=8).state_dict())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "at least 1"),
        ({"batch_size": 4, "tokens_per_batch": 100}, "one of"),
        ({"batch_size": 4, "max_length": 12}, "more than the 12"),
        ({"tokens_per_batch": 12}, "more than the 12"),
        ({"batch_size": 80, "world_size": 2}, "fewer batches"),
    ],
)
def test_impossible_batches_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ExamplesError, match=message):
        batches(**settings)
