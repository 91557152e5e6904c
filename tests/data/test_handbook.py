import re

import pypdfium2
import pytest

from data.handbook import HANDBOOK_PDF
from data.handbook.source import HandbookError, load_handbook, markup, parse_chapter, plain, source_hash


@pytest.fixture
def book(tmp_path):
    for folder in ("chapters", "references"):
        (tmp_path / folder).mkdir()

    def write(text, references="a1\tAuthor A. Title. 2020.\n"):
        (tmp_path / "chapters" / "01-one.md").write_text(text)
        (tmp_path / "references" / "r.tsv").write_text(references)
        return tmp_path / "chapters", tmp_path / "references"

    return write


def test_the_committed_pdf_was_built_from_the_committed_source():
    pdf = pypdfium2.PdfDocument(HANDBOOK_PDF)
    subject, pages = pdf.get_metadata_value("Subject"), len(pdf)
    pdf.close()
    assert subject == f"source sha256 {source_hash()}", "run 'python -m data.handbook.build' and commit the PDF"
    assert pages >= 60
    assert HANDBOOK_PDF.stat().st_size < 2_000_000


def test_the_committed_source_is_sound_and_long_enough():
    handbook = load_handbook()
    words = sum(len(plain(element.text).split()) for chapter in handbook.chapters for element in chapter.elements)
    assert len(handbook.chapters) == 21
    assert words >= 25_000
    assert not re.search(
        r"\[@", " ".join(element.text for chapter in handbook.chapters for element in chapter.elements)
    )


def test_citations_are_numbered_in_the_order_they_are_met(book):
    references = "a1\tFirst.\nb2\tSecond.\n"
    handbook = load_handbook(*book("# T\n\nOne [@b2]. Two [@a1; @b2].\n", references))
    assert handbook.chapters[0].elements[0].text == "One [1]. Two [1, 2]."
    assert handbook.references == ("Second.", "First.")


@pytest.mark.parametrize(
    ("text", "references", "says"),
    [
        ("# T\n\nx [@zz].\n", "a1\tA.\n", "line 3: no reference has the key 'zz'"),
        ("# T\n\nx\n", "a1\tA.\n", "never cited: a1"),
        ("# T\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "", "needs a line 'Table: caption'"),
        ("# T\n\nTable: c\n\n| a | b |\n|---|---|\n| 1 |\n", "", "needs 2 cells"),
        ("# T\n\nTable: c\n\n| a | b |\n| 1 | 2 |\n", "", "second row"),
        ("# T\n\nTable: c\n", "", "a header and at least one row"),
        ("x\n", "", "one '# Title'"),
        ("# T\n\n#### deep\n", "", "not a heading"),
        ("# T\n\n> quote\n", "", "dialect"),
        ("# T\n\nx [@a1]\n", "a1 A.\n", "key<TAB>reference"),
        ("# T\n\nx [@a1]\n", "a1\tA.\na1\tB.\n", "already taken"),
    ],
)
def test_a_mistake_in_the_source_stops_the_build_where_it_is(book, text, references, says):
    with pytest.raises(HandbookError) as caught:
        load_handbook(*book(text, references))
    assert says in str(caught.value)


def test_a_chapter_is_read_piece_by_piece():
    chapter = parse_chapter(
        "# T\n\npara one\ngoes on\n\n- a\n  b\n- c\n\n3. three\n\nTable: cap\n\n| x | y |\n|---|---|\n| 1 | 2 |\n",
        "t.md",
    )
    assert [(element.kind, element.text, element.number) for element in chapter.elements] == [
        ("paragraph", "para one goes on", 0),
        ("bullet", "a b", 0),
        ("bullet", "c", 0),
        ("number", "three", 3),
        ("table", "cap", 0),
    ]
    assert chapter.elements[-1].rows == (("x", "y"), ("1", "2"))


def test_inline_marks_become_markup_or_vanish_and_products_stay():
    text = "**Bold** and *slanted* 2*3*4 & <5"
    assert plain(text) == "Bold and slanted 2*3*4 & <5"
    assert markup(text) == "<b>Bold</b> and <i>slanted</i> 2*3*4 &amp; &lt;5"


def test_the_source_hash_depends_on_every_byte_and_name(book):
    chapters, references = book("# T\n\nx [@a1]\n")
    before = source_hash(chapters, references)
    (references / "r.tsv").write_text("a1\tAuthor B.\n")
    changed = source_hash(chapters, references)
    (references / "r.tsv").rename(references / "s.tsv")
    assert len({before, changed, source_hash(chapters, references)}) == 3


def test_the_typesetter_gives_the_same_bytes_twice(book, tmp_path):
    pytest.importorskip("reportlab")
    pytest.importorskip("pyphen")
    pytest.importorskip("matplotlib")
    from data.handbook.build import build

    table = "Table: Doses\n\n| Drug | Dose |\n|---|---|\n| Apixaban | ≥5 mg |\n\n"
    prose = "Pharmacokinetics describes what the body does to a drug, µg by µg [@a1]. " * 30
    source = book(f"# Title\n\n## Part\n\n{prose}\n\n{table}- item\n")
    assert build(tmp_path / "a.pdf", *source) == build(tmp_path / "b.pdf", *source) >= 4
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
