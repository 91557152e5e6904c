import random
from collections import Counter
from pathlib import Path

import pytest

from data.errors import ExamplesError
from data.examples.entities import Catalogue, Pool, Unusable
from data.examples.library import WORDLESS, Use, all_patterns, check, patterns_of, use_of
from data.examples.operations import operations
from data.examples.own_tools import families
from data.examples.patterns import Pattern, Slot, parse_pattern, read_patterns
from data.examples.pieces import Draw
from data.examples.slots import fill

USES: tuple[Use, ...] = ("known", "new_template", "new_phrasing")


def pattern(tmp_path: Path, text: str) -> Pattern:
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
    assert {slot.name for slot in made.certain_slots()} == {"a", "d", "e"}
    assert {slot.name for slot in made.slots()} == {"a", "b", "c", "d", "e"}
    assert parse_pattern("{age:bare}") == (Slot("age", "bare"),)
    assert parse_pattern("{weight@2}{=route:oral}") == (Slot("weight", call=1), Slot("=route", "oral"))
    assert parse_pattern(r"a\nb") == ("a\nb",)


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


def test_no_pattern_is_written_twice() -> None:
    asked = [(p.operations, " ".join(p.text.lower().split()), str(p.constants)) for p in all_patterns()]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("voice", sorted({p.voice for p in all_patterns()}))
def test_every_pattern_of_a_voice_renders_with_every_slot_filled(voice: str) -> None:
    pool = Pool(catalogue=Catalogue.of_tools(), nonce_share=0.5)
    for made in (p for p in all_patterns() if p.voice == voice and not p.operations[0].startswith("chain.")):
        for seed in range(60):  # some draws have no dose for a child, or the like
            draw = Draw(random.Random(seed), pool, made.operations)
            try:
                text = "".join(
                    part if isinstance(part, str) else fill(draw, part).text for part in made.expand(draw.rng)
                )
            except Unusable:
                continue
            assert text.strip() and not set("{}") & set(text), made.place
            break
        else:
            raise AssertionError(f"{made.place}: no draw fills {made.text!r}")


@pytest.mark.parametrize(
    ("tool", "operation", "at_least"),
    [("tool", name, 300) for name in ("check_drug_interactions", "read_patient_record", "calculate_dose")]
    + [("", name, 17) for name in operations()],
)
def test_every_tool_and_operation_is_asked_for_in_many_ways(tool: str, operation: str, at_least: int) -> None:
    known = [p for p in all_patterns() if not p.operations[0].startswith(WORDLESS) and "missing" not in p.constants]
    if tool:
        written = [p for p in known if any(operations()[name].tool == operation for name in p.operations)]
    else:
        written = [p for p in known if p.operations == (operation,)]
    assert len(written) >= at_least
    assert len({p.voice for p in written}) >= 4


def test_hundreds_of_patterns_ask_for_nothing_the_tools_do() -> None:
    kinds = Counter(p.operations[0] for p in all_patterns() if p.operations[0].startswith("irrelevant."))
    assert sum(kinds.values()) > 400 and min(kinds.values()) > 25 and len(kinds) == 7


def test_every_voice_and_template_belongs_to_one_use() -> None:
    texts = {use: {p.text for found in patterns_of(use).values() for p in found} for use in USES}
    places = [{p.place for found in patterns_of(use).values() for p in found} for use in USES]
    assert all(texts.values()) and not texts["known"] & texts["new_template"]
    assert sum(map(len, places)) == len(set().union(*places)) == len(all_patterns())
    held = {p.voice for p in all_patterns() if use_of(p) == "new_phrasing"}
    assert held and not held & {p.voice for p in all_patterns() if use_of(p) != "new_phrasing"}


@pytest.mark.parametrize("use", ["new_template", "new_phrasing"])
def test_held_out_patterns_ask_for_every_tool(use: Use) -> None:
    asked = {name for names in patterns_of(use) for name in names}
    assert {"check_drug_interactions", "read_patient_record", "drug_dose", "egfr"} <= asked
    assert any(name.startswith("irrelevant.") for name in asked)


@pytest.mark.parametrize(
    ("heading", "text", "said"),
    [
        ("egfr", "{agesex}", "creatinine"),
        ("egfr", "{agesex} {creatinine} {colour}", "colour"),
        ("egfr", "{agesex@2} {creatinine}", "call 2"),
        ("egfr", "{agesex} {creatinine:x@1}", "behind the colon"),
        ("egfr", "{agesex} {creatinine} {=route:oral}", "route"),
        ("gfr", "{agesex}", "no operation"),
        ("irrelevant.chat", "hi", "reply"),
    ],
)
def test_a_pattern_that_can_make_no_sound_request_is_refused(
    tmp_path: Path, heading: str, text: str, said: str
) -> None:
    (tmp_path / "p.txt").write_text(f"## {heading}\n{text}\n", encoding="utf-8")
    (made,) = read_patterns(tmp_path / "p.txt")
    with pytest.raises(ExamplesError, match=said):
        check(made)


def test_tools_for_the_prompt_come_in_many_families() -> None:
    assert len(families()) >= 30 and all(len(family.patterns) >= 3 for family in families())
    names = [name for family in families() for name in family.names]
    assert len(set(names)) == len(names)
