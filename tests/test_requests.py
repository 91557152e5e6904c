"""The hand-written requests say what is wanted in words that the tools accept."""

from pathlib import Path

import pytest

from benchmarks.requests.__main__ import RequestsError, read
from data.conversation import Example


def test_every_wanted_call_was_accepted_by_its_tool_and_no_request_stands_twice() -> None:
    examples = read()
    assert len({example.request.casefold() for example in examples}) == len(examples) >= 150
    assert {example.kind for example in examples} == {"single", "parallel", "missing", "irrelevant"}
    assert all(len(example.results) == len(example.calls) for example in examples)


def test_strings_that_must_come_from_the_request_stand_in_it_as_written() -> None:
    for example in read():
        for call in example.calls:
            for key in ("drugs", "codes"):
                assert all(name in example.request for name in call.arguments.get(key, ())), example.request
            for key in ("drug", "to_drug", "indication", "patient", "from", "to"):
                assert str(call.arguments.get(key, "")) in example.request, example.request


def test_an_example_survives_its_json() -> None:
    for example in read():
        assert Example.from_json(example.to_json()) == example


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello\n", "line 1: 'hello' does not say what is wanted"),
        ("\n\nhello\n= perhaps\n", r"line 3: found \['= perhaps'\]"),
        ("hello\nread_patient_record {patient: 1}\n", "is not `tool {arguments}`"),
        ('hello\nread_patient_record {"sections": ["labs"]}\n', "refuses the wanted call"),
    ],
)
def test_a_block_that_makes_no_sense_is_refused_by_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "some.txt"
    file.write_text(text, "utf-8")
    with pytest.raises(RequestsError, match=said):
        read(file)
