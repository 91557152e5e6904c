import random
from pathlib import Path

import pytest

from data.errors import ExamplesError
from data.examples.patterns import Slot, parse_pattern, read_patterns
from data.examples.rows import all_patterns, patterns_of


def pattern(tmp_path: Path, text: str):
    (tmp_path / "p.txt").write_text("## op\n" + text + "\n", encoding="utf-8")
    (only,) = read_patterns(tmp_path / "p.txt")
    return only


def phrasings(tmp_path: Path, text: str, leave_out: int | None = None) -> set[str]:
    made = pattern(tmp_path, text)
    return {
        "".join(p if isinstance(p, str) else "{" + p.name + "}" for p in made.expand(random.Random(i), leave_out))
        for i in range(200)
    }


def test_choices_nest_and_may_be_empty(tmp_path: Path) -> None:
    assert phrasings(tmp_path, "a[ b[1|2]|] c") == {"a c", "a b1 c", "a b2 c"}


def test_a_group_is_kept_unless_it_is_the_one_left_out(tmp_path: Path) -> None:
    text = "x<, {one}><, [{two}|2 {two}]>"
    assert phrasings(tmp_path, text) == {"x, {one}, {two}", "x, {one}, 2 {two}"}
    assert phrasings(tmp_path, text, 0) == {"x, {two}", "x, 2 {two}"}
    assert phrasings(tmp_path, text, 1) == {"x, {one}"}


def test_a_backslash_takes_the_next_character_as_it_is(tmp_path: Path) -> None:
    assert phrasings(tmp_path, r"a \[b\] -\> c") == {"a [b] -> c"}


def test_slots_are_certain_only_if_every_phrasing_has_them(tmp_path: Path) -> None:
    made = pattern(tmp_path, "{a} [{b}|{c}] [{d} x|{d:y}]<{e}>")
    assert made.certain_slots() == {"a", "d", "e"}
    assert made.slots() == {"a", "b", "c", "d", "e"}
    assert parse_pattern("{age:bare}") == (Slot("age", "bare"),)


def test_headings_name_operations_constants_and_replies(tmp_path: Path) -> None:
    lines = "# note\n## a + b flag=true sections=labs,vitals kind=x\n=> reply\nfirst\n\n## c\nsecond\n"
    (tmp_path / "p.txt").write_text(lines, encoding="utf-8")
    first, second = read_patterns(tmp_path / "p.txt")
    assert first.operations == ("a", "b") and first.replies == ("reply",)
    assert first.constants == {"flag": True, "sections": ["labs", "vitals"], "kind": "x"}
    assert second.operations == ("c",) and second.replies == () and second.place == "p.txt:7"


@pytest.mark.parametrize("text", ["[a|b", "{slot", "a] b", "<a", "a > b", "[<a>|b]", "<a <b>>"])
def test_unbalanced_patterns_are_refused_with_their_place(text: str) -> None:
    with pytest.raises(ExamplesError, match=r"file\.txt:3"):
        parse_pattern(text, "file.txt:3")


def test_a_pattern_before_any_heading_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("hello\n", encoding="utf-8")
    with pytest.raises(ExamplesError, match=r"p\.txt:1"):
        read_patterns(tmp_path / "p.txt")


def test_the_shipped_patterns_are_sound_and_none_is_written_twice() -> None:
    patterns = all_patterns()
    asked = [(p.operations, p.text, str(p.constants)) for p in patterns]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize(
    ("operation", "at_least"),
    [
        ("check_drug_interactions", 80),
        ("read_patient_record", 80),
        ("drug_dose", 25),
        ("creatinine_clearance", 15),
        ("egfr", 15),
        ("body_surface_area", 15),
        ("body_mass_index", 10),
        ("ideal_body_weight", 10),
        ("infusion_rate", 15),
        ("corrected_calcium", 10),
        ("qtc", 15),
        ("maintenance_fluids", 12),
    ],
)
def test_every_operation_is_asked_for_in_many_ways(operation: str, at_least: int) -> None:
    written = [p for p in all_patterns() if p.operations == (operation,) and "missing" not in p.constants]
    assert len(written) >= at_least


def test_more_than_a_hundred_patterns_ask_for_nothing_the_tools_do() -> None:
    assert sum(p.operations[0].startswith("irrelevant.") for p in all_patterns()) > 100


def test_held_out_patterns_are_not_among_those_for_training() -> None:
    kept, new = ({p.text for found in patterns_of(flag).values() for p in found} for flag in (False, True))
    assert kept and new and not kept & new
    assert ("check_drug_interactions",) in patterns_of(True) and ("read_patient_record",) in patterns_of(True)
