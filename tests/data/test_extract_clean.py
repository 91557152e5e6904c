import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.blocks import Block
from data.extract.clean import Spelling, clean_blocks, clean_text, is_contents_line, join_lines, mend_marked, table_rows

NOTHING = Spelling.of([])


def paragraph(text):
    return Block(page=None, headings=(), kind="paragraph", text=text)


@pytest.mark.parametrize(
    ("lines", "known", "joined"),
    [
        (["treat hyper-", "tension early"], [], "treat hypertension early"),
        (["a drug-", "drug interaction"], ["each drug-drug interaction counts"], "a drug-drug interaction"),
        (["a dose-", "dependent effect"], ["the dose given", "it is dependent on age"], "a dose-dependent effect"),
        (["the inter-", "action counts"], ["an interaction", "inter action action"], "the interaction counts"),
        (["non-", "Hodgkin lymphoma"], [], "non-Hodgkin lymphoma"),
        (["an x-", "ray shows"], [], "an x-ray shows"),
        (["soft\u00ad", "ened"], [], "softened"),
        (["from 1999–", "2004 on"], [], "from 1999–2004 on"),
        (["5 mg/", "kg daily"], [], "5 mg/kg daily"),
        (["a pause -", "then more"], [], "a pause - then more"),
        (["one", "", "two"], [], "one two"),
    ],
)
def test_line_ends_are_mended_as_the_document_spells_the_word(lines, known, joined):
    assert mend_marked(join_lines(lines, Spelling.of(known)), NOTHING) == joined


def test_a_hyphen_at_the_end_of_a_column_is_settled_when_the_halves_meet():
    spelling = Spelling.of(["drug-drug pairs", "hypertension"])
    for first, second, word in (("hyper-", "tension", "hypertension"), ("drug-", "drug", "drug-drug")):
        start = join_lines([f"of {first}"], spelling)
        assert start != f"of {first}"
        assert mend_marked(start[:-1] + second, spelling) == f"of {word}"
        assert mend_marked(f"{start} {second}", spelling) == f"of {word}"


def test_halves_of_broken_words_do_not_count_as_spellings():
    spelling = Spelling.of(["the green-", "smoothie regimen"])
    assert spelling.words["green"] == spelling.words["smoothie"] == 0
    assert spelling.words["regimen"] == 1


def test_a_letter_spaced_title_is_closed_up_as_the_document_writes_it_elsewhere():
    spelling = Spelling.of(["Me t hods", "methods", "Vitamin K and warfarin"])
    assert spelling.title("Me t hods") == "Methods"
    assert spelling.title("Vitamin K and warfarin") == "Vitamin K and warfarin"
    assert spelling.title("U nknown t itle") == "U nknown t itle"


def test_ligatures_invisible_characters_and_spaces_are_put_right():
    assert clean_text("e\ufb03cient\u00a0 \ufb02uid\u200b intake\u00ad \ufb01 eld") == "efficient fluid intake field"
    assert clean_text("“it’s”") == '"it\'s"'
    assert clean_text("“it’s”", ascii_quotes=False) == "“it’s”"


def test_symbols_of_medicine_survive():
    text = "≥5 µg/kg × 2 ± ½ m², β-blocker ≤10 °C – α1 → Δ"
    assert clean_text(text) == text


@given(st.text(max_size=80))
def test_cleaning_twice_changes_nothing_more(text):
    once = clean_text(text)
    assert clean_text(once) == once


def test_contents_lines_are_known_and_long_leaders_take_no_time():
    assert is_contents_line("Renal function . . . . . . . . 31")
    assert is_contents_line("Dosing......iv")
    assert not is_contents_line("A dose of 5 mg was given in 2004")
    started = time.monotonic()
    assert not is_contents_line(". " * 5000 + "z")
    assert time.monotonic() - started < 1.0


def test_a_table_is_read_as_header_and_value():
    rows = [["Drug", "Dose", "Route"], ["A", "5 mg", ""], ["B", "", "oral"], ["", "", ""]]
    assert table_rows(rows) == ["Drug: A; Dose: 5 mg", "Drug: B; Route: oral"]
    assert table_rows([["Total", "", ""], ["A", "1"]]) == ["Total", "A; 1"]
    assert table_rows([]) == []


def test_repeated_paragraphs_and_contents_lines_are_dropped_once_asked():
    long = "Warfarin is monitored by the INR because its effect varies a great deal. " * 2
    source = [
        paragraph(long),
        paragraph("short"),
        paragraph(long),
        paragraph("short"),
        paragraph("Index ..... 9"),
        paragraph("—"),
    ]
    assert [block.text for block in clean_blocks(source, NOTHING)] == [long.strip(), "short", "short"]
    kept = list(clean_blocks(source, NOTHING, drop_duplicates=False, keep_contents=True))
    assert len(kept) == 5


def test_code_keeps_its_lines():
    block = Block(page=None, headings=(), kind="code", text="if a:\n    b\u200b\n")
    assert [done.text for done in clean_blocks([block], NOTHING)] == ["if a:\n    b"]
