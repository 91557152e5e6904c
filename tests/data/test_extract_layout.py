from hypothesis import given
from hypothesis import strategies as st

from data.extract.clean import Spelling
from data.extract.layout import lay_out
from data.extract.order import reading_order
from data.extract.page import Box, Line, Page, Word
from data.extract.style import document_style
from data.extract.tables import find_tables

BODY, BOLD = "Times-Roman", "Times-Bold"


def line(text, left, top, width=200.0, height=10.0, font=BODY):
    return Line(text, Box(left, top, left + width, top + height), font)


def column(left, top, texts, **options):
    return [line(text, left, top + 13 * number, **options) for number, text in enumerate(texts)]


def two_column_page(number, head="Chapter 2 Kinetics"):
    left = column(50, 100, [f"left line {number} {row} runs across the column" for row in range(20)])
    right = column(300, 100, [f"right line {number} {row} runs across the column" for row in range(20)])
    return Page(number, 550, 700, (line(head, 50, 40), line(str(number), 270, 670, width=10), *left, *right))


def regions_of(page, *others):
    pages = [page, *others]
    style = document_style(pages)
    return lay_out(page, style, Spelling.of(text.text for each in pages for text in each.lines))


def test_running_heads_and_page_numbers_are_furniture_and_text_is_not():
    pages = [two_column_page(number) for number in range(1, 6)]
    regions = regions_of(*pages)
    assert {region.text for region in regions if region.role == "page_header"} == {"Chapter 2 Kinetics"}
    assert {region.text for region in regions if region.role == "page_footer"} == {"1"}
    assert [region.role for region in regions].count("text") == 2


def test_a_margin_line_of_a_single_page_is_kept_as_text():
    pages = [
        two_column_page(number, head=f"Only here, {word}") for number, word in enumerate(("alpha", "bravo"), start=1)
    ]
    assert not any(region.role == "page_header" for region in regions_of(*pages))


def test_columns_never_share_a_region():
    for region in regions_of(*[two_column_page(number) for number in range(1, 4)]):
        assert not ("left line" in region.text and "right line" in region.text)


def test_larger_and_bolder_lines_are_headings_and_a_bold_run_in_a_line_is_not():
    body = column(
        50, 160, ["Some text that fills the whole of the line here", "and goes on below it until it ends."] * 4
    )
    page = Page(
        1,
        550,
        700,
        (
            line("Clearance", 50, 100, height=14, font=BOLD),
            line("Half-life of drugs", 50, 130, width=90, font=BOLD),
            *body,
        ),
    )
    headings = [(region.text, region.size) for region in regions_of(page) if region.role == "heading"]
    assert headings == [("Clearance", 14.0), ("Half-life of drugs", 10.0)]


def test_indents_and_bullets_part_paragraphs_and_hanging_lines_do_not():
    texts = [
        ("First paragraph fills its line to the end and", 50, 200),
        ("then stops here.", 50, 90),
        ("Second one is indented and fills its line with", 64, 186),
        ("words until it stops as well, at the very end,", 50, 200),
        ("after a third line.", 50, 90),
        ("• an item that wraps over to the next line and", 50, 200),
        ("hangs below its own text", 60, 120),
        ("• another item", 50, 80),
    ]
    page = Page(
        1, 550, 700, tuple(line(text, left, 100 + 13 * row, width) for row, (text, left, width) in enumerate(texts))
    )
    found = [(region.role, region.text[:12]) for region in regions_of(page)]
    assert found == [
        ("text", "First paragr"),
        ("text", "Second one i"),
        ("list_item", "• an item th"),
        ("list_item", "• another it"),
    ]


def table_lines():
    rows = [("Drug", "Dose", "Route"), ("Apixaban", "5 mg", "oral"), ("Enoxaparin", "40 mg", "under the skin")]
    return [
        line(cell, 60 + 80 * place, 103 + 20 * number, width=6.0 * len(cell), height=8)
        for number, cells in enumerate(rows)
        for place, cell in enumerate(cells)
    ]


ROWS = (("Drug", "Dose", "Route"), ("Apixaban", "5 mg", "oral"), ("Enoxaparin", "40 mg", "under the skin"))


def horizontal(*tops, left=55.0, right=320.0):
    return [Box(left, top, right, top) for top in tops]


def test_a_book_style_table_of_three_rules_is_read_cell_by_cell():
    (table,) = find_tables(table_lines(), horizontal(100, 117, 160))
    assert table.rows == ROWS


def test_a_full_grid_is_read_cell_by_cell():
    verticals = [Box(x, 100, x, 160) for x in (55, 135, 215, 320)]
    (table,) = find_tables(table_lines(), [*horizontal(100, 120, 140, 160), *verticals])
    assert table.rows == ROWS


def test_two_cells_a_parser_joined_into_one_line_are_taken_apart():
    words = (
        Word("Apixaban", Box(60, 123, 108, 131)),
        Word("5", Box(140, 123, 146, 131)),
        Word("mg", Box(148, 123, 160, 131)),
    )
    joined = Line("Apixaban 5 mg", Box(60, 123, 160, 131), BODY, True, words)
    lines = [other for other in table_lines() if other.text not in ("Apixaban", "5 mg")] + [joined]
    (table,) = find_tables(lines, horizontal(100, 117, 160))
    assert table.rows == ROWS


def test_rules_around_two_columns_of_prose_are_no_table():
    page = two_column_page(1)
    assert find_tables(page.lines, horizontal(95, 200, 365, left=50, right=500)) == []


def test_a_page_is_read_column_by_column_between_pieces_that_span_it():
    boxes = [
        Box(300, 100, 500, 200),  # right above the table
        Box(50, 210, 500, 260),  # a table across the page
        Box(50, 100, 250, 200),  # left above
        Box(300, 270, 500, 400),  # right below
        Box(50, 270, 250, 330),  # left below, first
        Box(50, 340, 250, 400),  # left below, second
        Box(50, 50, 500, 90),  # a title across the page
    ]
    assert reading_order(boxes) == [6, 2, 0, 1, 4, 5, 3]


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 600), st.integers(1, 300), st.integers(1, 80)), max_size=14)
)
def test_reading_order_loses_and_repeats_nothing(spans):
    boxes = [Box(left, top, left + width, top + height) for left, top, width, height in spans]
    assert sorted(reading_order(boxes)) == list(range(len(boxes)))
