import pytest

import tools
from data.result_text import shown
from data.signatures import signature, system_text
from data.tokenizer import load_tokenizer

TOOL = {
    "type": "function",
    "function": {
        "name": "page",
        "description": "Page a clinician.",
        "parameters": {
            "type": "object",
            "properties": {
                "to": {"type": "string"},
                "on": {"type": "string", "format": "date"},
                "urgency": {"type": "string", "enum": ["routine", "urgent"]},
                "wards": {"type": "array", "items": {"type": "integer"}},
            },
            "required": ["to", "on"],
            "additionalProperties": False,
        },
    },
}


def test_a_tool_is_one_typed_line() -> None:
    line = 'page(to: string, on: date, urgency?: "routine" | "urgent", wards?: integer[]) Page a clinician.'
    assert signature(TOOL) == line
    assert system_text([TOOL, TOOL]) == f"Tools:\n{line}\n{line}"
    assert len(load_tokenizer().encode(line)) < 40


CALLS = [
    ("check_drug_interactions", {"drugs": ["simvastatin", "clarithromycin", "zorbex"]}),
    ("check_drug_interactions", {"drugs": ["warfarin"], "include_food_herbal": True}),
    ("calculate_dose", {"calculation": "qtc", "qt_ms": 400, "heart_rate": 60}),
    ("calculate_dose", {"calculation": "qtc", "qt_ms": 9, "heart_rate": 60}),
    ("read_patient_record", {"patient": "patient-003", "sections": ["labs", "vitals", "medications"]}),
    ("read_patient_record", {"patient": "nobody", "sections": ["labs"]}),
]


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_the_sentence_about_a_result_repeats_what_the_model_read(name: str, arguments: dict[str, object]) -> None:
    result = tools.run([{"name": name, "arguments": arguments}])[0]
    text = shown(name, result)
    words = {word.strip(".,;:()'\"").lower() for word in tools.summarise(name, result).split()}
    glue = {"with", "more", "interactions", "listed", "is", "not", "in", "the", "database", "and", "was", "screened",
            "mrn", "on", "applied", "qtc", "candidates", "no", "found", "interaction", "for"}  # fmt: skip
    told = text.lower()
    assert {word for word in words - glue if word and word not in told and not word.isdigit()} == set()


def test_a_result_is_short_enough_to_be_read() -> None:
    for name, arguments in CALLS:
        result = tools.run([{"name": name, "arguments": arguments}])[0]
        assert len(load_tokenizer().encode(shown(name, result))) < 480
