import json
from pathlib import Path
from typing import Any

import pytest

from data.conversation import Call, Conversation, Example, Message, Span
from data.errors import ExamplesError
from data.examples import ExamplesConfig, build, build_from, generate, read_examples
from data.exchange import Format, export, read_dialogues, to_hf, to_openai

TOOL = {
    "type": "function",
    "function": {
        "name": "send_page",
        "description": "Page somebody.",
        "parameters": {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]},
    },
}
CHECK = Call(name="check_drug_interactions", arguments={"drugs": ["Eliquis", "ibuprofen"], "min_severity": "major"})
DOSE = Call(name="calculate_dose", arguments={"calculation": "egfr", "age": 72, "sex": "female"})


def example(*messages: Message, tools: tuple[dict[str, Any], ...] = ()) -> Example:
    return Example(id="x", split="train", kind="k", conversation=Conversation(messages=messages, tools=tools))


EXAMPLES = [
    example(
        Message(role="user", content="major: Eliquis + ibuprofen, eGFR 72F"),
        Message(role="assistant", calls=(CHECK, DOSE)),
        Message(role="tool", content='{"status": "ok"}'),
        Message(role="tool", content="none"),
        Message(role="assistant", content='Nothing listed. µ "quoted" </tool_call>'),
        Message(role="user", content="thanks"),
        Message(role="assistant", content="You are welcome."),
    ),
    example(
        Message(role="system", content="Tools:\nsend_page(to: string) Page somebody."),
        Message(role="user", content="page Dr Lane"),
        Message(role="assistant", calls=(Call(name="send_page", arguments={"to": "Dr Lane"}),)),
        tools=(TOOL,),
    ),
]


@pytest.mark.parametrize("form", ["openai", "hf"])
def test_a_dialogue_survives_both_formats(tmp_path: Path, form: Format) -> None:
    export(tmp_path / "d.jsonl", EXAMPLES, form)
    read = list(read_dialogues(tmp_path / "d.jsonl"))
    assert [e.conversation for e in read] == [e.conversation for e in EXAMPLES]


def test_openai_has_ids_and_arguments_as_text_and_hugging_face_has_names_and_objects() -> None:
    _, assistant, first, second, *_ = to_openai(EXAMPLES[0])["messages"]
    assert [c["id"] for c in assistant["tool_calls"]] == [first["tool_call_id"], second["tool_call_id"]]
    assert json.loads(assistant["tool_calls"][0]["function"]["arguments"]) == dict(CHECK.arguments)
    _, assistant, first, second, *_ = to_hf(EXAMPLES[0])["messages"]
    assert assistant["tool_calls"][0] == {"type": "function", "function": CHECK.to_json()}
    assert [first["name"], second["name"]] == ["check_drug_interactions", "calculate_dose"]


def test_the_offered_tools_are_the_built_in_ones_or_those_of_the_prompt() -> None:
    ours, own = (line["tools"] for line in map(to_openai, EXAMPLES))
    assert [t["function"]["name"] for t in ours] == ["check_drug_interactions", "calculate_dose", "read_patient_record"]
    assert own == [TOOL]


def test_sources_are_found_where_values_were_said(tmp_path: Path) -> None:
    export(tmp_path / "d.jsonl", EXAMPLES, "openai")
    first, _ = read_dialogues(tmp_path / "d.jsonl")
    request = first.conversation.messages[0].content
    said = {(s.call, s.pointer): request[s.start : s.end] for s in first.spans}
    assert said == {
        (0, "/drugs/0"): "Eliquis",
        (0, "/drugs/1"): "ibuprofen",
        (0, "/min_severity"): "major",
        (1, "/age"): "72",
    }
    assert all(isinstance(span, Span) and span.message == 0 for span in first.spans)


def test_own_dialogues_become_a_folder_that_can_be_trained_on(tmp_path: Path) -> None:
    export(tmp_path / "mine.jsonl", EXAMPLES * 20, "hf")
    summary = build_from(tmp_path / "mine.jsonl", ExamplesConfig(format="jsonl"), tmp_path / "out")
    assert {name: split["dialogues"] for name, split in summary["splits"].items()} == {"train": 38, "iid": 2}
    train = read_examples(tmp_path / "out", "train")
    assert [e.conversation for e in train[:2]] == [e.conversation for e in EXAMPLES]
    assert {e.kind for e in train} == {"imported.calls"} and all(e.split == "train" for e in train)


def test_what_is_written_for_others_can_be_taken_back(tmp_path: Path) -> None:
    config = ExamplesConfig(n_train=40, n_eval=0, format="openai")
    build(config, tmp_path / "out")
    build_from(tmp_path / "out" / "train.jsonl", ExamplesConfig(format="jsonl"), tmp_path / "mine")
    written = generate(config)["train"]
    kept = [*read_examples(tmp_path / "mine", "train"), *read_examples(tmp_path / "mine", "iid")]
    assert sorted(e.request for e in kept) == sorted(e.request for e in written)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", r"d\.jsonl:1"),
        ('{"messages": []}', "at least one message"),
        ('{"prompt": "x"}', "expected a list"),
        ('{"messages": [{"role": "user", "content": "x"}], "tools": [{"name": "f"}]}', "'function'"),
        ("[1]", r"d\.jsonl:1"),
    ],
)
def test_a_line_that_is_no_dialogue_is_named(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "d.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ExamplesError, match=said):
        list(read_dialogues(tmp_path / "d.jsonl"))


def test_a_dialogue_longer_than_the_context_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    long = example(Message(role="user", content="word " * 600), Message(role="assistant", content="Yes."))
    export(tmp_path / "d.jsonl", [long], "openai")
    with pytest.raises(ExamplesError, match="d-000001 takes 6"):
        build_from(tmp_path / "d.jsonl", ExamplesConfig(), tmp_path / "out")
    with pytest.raises(ExamplesError, match=r"absent\.jsonl"):
        build_from(tmp_path / "absent.jsonl", ExamplesConfig(), tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["d.jsonl"]
