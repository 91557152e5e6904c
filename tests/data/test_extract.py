"""Documents of every kind, good and bad, through the public door. The PDFs are written here, byte by byte."""

import json
import sys
import types
import warnings
import zipfile

import pytest

from data.blocks import read_blocks
from data.extract import (
    CorruptDocument,
    EncryptedDocument,
    ExtractConfig,
    MissingDocument,
    MissingModels,
    NoText,
    PageRangeError,
    UnsupportedFormat,
    extract,
    extract_file,
)
from data.extract.formats import plain_markdown
from data.extract.measure import common_subsequence, from_first_chapter, score, source_blocks
from data.handbook import HANDBOOK_PDF
from data.handbook.source import load_handbook

pytestmark = pytest.mark.filterwarnings("ignore:builtin type:DeprecationWarning")


def pdf_bytes(pages, *, trailer=b""):
    """A PDF of pages, each a list of (font, size, x, y, text); y counts from the bottom. F1 is regular, F2 bold."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    fonts = [b"<< /Type /Font /Subtype /Type1 /BaseFont /%s >>" % name for name in (b"Helvetica", b"Helvetica-Bold")]
    objects += fonts
    kids = []
    for page in pages:
        content = "\n".join(
            f"BT /{font} {size} Tf {x} {y} Td ({text}) Tj ET" for font, size, x, y, text in page
        ).encode()
        kids.append(len(objects) + 1)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> "
            b"/Contents %d 0 R >>" % (len(objects) + 2)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids))
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return out + b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)


def chapter_page(number):
    lines = [("F1", 9, 72, 760, "Handbook of tests"), ("F1", 9, 300, 30, str(number))]
    lines.append(("F2", 16, 72, 700, f"Section {'abcdefgh'[number]}"))
    texts = [
        "Warfarin blocks the recycling of vitamin K, so the dose is ad-",
        f"justed to the INR on day {number} and again later.",
    ]
    for row, text in enumerate(texts):
        lines.append(("F1", 10, 72, 660 - 13 * row, text))
    return lines


@pytest.fixture(scope="module")
def pdf(tmp_path_factory):
    path = tmp_path_factory.mktemp("pdf") / "book.pdf"
    path.write_bytes(pdf_bytes([chapter_page(number) for number in range(1, 6)]))
    return path


def test_a_pdf_becomes_headed_paragraphs_without_running_heads(pdf):
    blocks = list(extract(pdf))
    assert [block.kind for block in blocks] == ["heading", "paragraph"] * 5
    assert (
        blocks[1].text
        == "Warfarin blocks the recycling of vitamin K, so the dose is adjusted to the INR on day 1 and again later."
    )
    assert blocks[1].headings == ("Section b",)
    assert [block.page for block in blocks[::2]] == [1, 2, 3, 4, 5]


def test_pages_limit_what_is_read_and_progress_counts_them(pdf):
    seen = []
    blocks = list(extract(pdf, ExtractConfig(pages="2-3"), lambda done, total: seen.append((done, total))))
    assert {block.page for block in blocks} == {2, 3}
    assert seen == [(0, 2), (1, 2), (2, 2)]
    assert {block.page for block in extract(pdf, ExtractConfig(pages="4-"))} == {4, 5}


def test_extracting_to_a_file_sums_up_what_is_in_it(pdf, tmp_path):
    summary = extract_file(pdf, tmp_path / "out.jsonl")
    blocks = list(read_blocks(tmp_path / "out.jsonl"))
    assert (summary.pages, summary.blocks, summary.kinds) == (5, 10, {"heading": 5, "paragraph": 5})
    assert summary.words == sum(len(block.text.split()) for block in blocks)


def test_pages_that_do_not_exist_are_refused_before_anything_is_read(pdf):
    with pytest.raises(PageRangeError, match="ends at page 5"):
        extract(pdf, ExtractConfig(pages="9-12"))
    for bad in ("0-3", "x", "-", "7-3"):
        with pytest.raises(ValueError, match="pages="):
            ExtractConfig(pages=bad)
            extract(pdf, ExtractConfig(pages=bad))


ENCRYPTED = b"/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -44 >>" % (
    b"41" * 32,
    b"42" * 32,
)


@pytest.mark.parametrize(
    ("name", "content", "error", "says"),
    [
        ("empty.pdf", b"", NoText, "0 bytes"),
        ("page.pdf", b"<html>hello</html>", UnsupportedFormat, "not a PDF"),
        ("cut.pdf", pdf_bytes([chapter_page(1)])[:120], CorruptDocument, "cannot be parsed"),
        ("locked.pdf", pdf_bytes([chapter_page(1)], trailer=ENCRYPTED), EncryptedDocument, "password"),
        ("scan.pdf", pdf_bytes([[], []]), NoText, r"needs OCR: pip install 'medcall\[pdf-models\]'"),
        ("book.docx", b"hello", UnsupportedFormat, "zip archive"),
        ("cut.docx", b"PK\x03\x04 and no more", CorruptDocument, "cannot be opened"),
        ("book.xyz", b"hello", UnsupportedFormat, r"suffix '\.xyz'"),
        ("data.md", b"\x00\x01\x02", UnsupportedFormat, "binary"),
        ("latin.md", "caf\xe9".encode("latin-1"), UnsupportedFormat, "not UTF-8"),
        ("blank.md", b"  \n \n", NoText, "white space"),
    ],
)
def test_a_bad_file_is_refused_with_its_path_and_what_was_found(tmp_path, name, content, error, says):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(error, match=says) as caught:
        extract_file(path, tmp_path / "out.jsonl")
    assert str(caught.value).startswith(str(path))
    assert not (tmp_path / "out.jsonl").exists()


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(MissingDocument, match="no such file"):
        extract(tmp_path / "none.pdf")
    with pytest.raises(MissingDocument, match="is a folder"):
        extract(tmp_path)


def test_the_layout_model_without_weights_says_how_to_get_them(pdf, tmp_path):
    with pytest.raises(MissingModels, match="docling-tools models download"):
        list(extract(pdf, ExtractConfig(layout_model=True, artifacts_path=tmp_path / "none")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingModels, match=r"medcall\[pdf-models\]|docling-tools"):
        list(extract(pdf, ExtractConfig(layout_model=True, artifacts_path=tmp_path / "empty")))


LAYOUT_LABELS = [
    "caption",
    "footnote",
    "list_item",
    "page_footer",
    "page_header",
    "picture",
    "section_header",
    "table",
    "text",
    "title",
]


@pytest.fixture
def layout_weights(tmp_path, monkeypatch):
    """A folder of weights for docling's layout model: its architecture at 65 thousand parameters, at random.

    docling imports its table model too, even where it is not used, and that wants torchvision, which has no build
    for the torch of this environment; an empty module stands in for it.
    """
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    if not transformers.utils.is_torchvision_available():
        monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
        monkeypatch.setitem(sys.modules, "torchvision.transforms", types.ModuleType("torchvision.transforms"))
        sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    names = dict(enumerate(LAYOUT_LABELS))
    backbone = transformers.RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    config = transformers.RTDetrV2Config(
        backbone_config=backbone,
        encoder_in_channels=[8, 16, 16],
        encoder_hidden_dim=16,
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=16,
        num_queries=20,
        decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=16,
        decoder_layers=2,
        decoder_attention_heads=2,
        decoder_n_points=2,
        num_denoising=0,
        id2label=names,
        label2id={name: number for number, name in names.items()},
    )
    torch.manual_seed(0)
    folder = tmp_path / "weights" / "docling-project--docling-layout-heron"
    folder.mkdir(parents=True)
    transformers.RTDetrV2ForObjectDetection(config).save_pretrained(folder)
    picture = {"image_processor_type": "RTDetrImageProcessor", "size": {"height": 64, "width": 64}}
    (folder / "preprocessor_config.json").write_text(
        json.dumps(picture | {"do_resize": True, "do_rescale": True, "do_normalize": False, "do_pad": False})
    )
    return folder.parent


@pytest.mark.filterwarnings("ignore")  # of docling's own stages
def test_the_layout_model_reads_a_pdf_from_a_folder_of_weights_in_chunks(pdf, layout_weights):
    config = ExtractConfig(layout_model=True, table_model=False, artifacts_path=layout_weights, chunk_pages=2)
    seen = []
    blocks = list(extract(pdf, config, progress=lambda done, total: seen.append((done, total))))
    by_font = list(extract(pdf))
    words = " ".join(block.text for block in blocks).split()
    # Random weights find no paragraphs, so lines stay apart and so does the word broken at the end of one.
    assert set(" ".join(block.text for block in by_font).split()) - set(words) == {"adjusted"}
    assert {block.page for block in blocks} == {block.page for block in by_font}
    pages = max(block.page for block in by_font)
    assert seen == [(0, pages), *((min(start + 2, pages), pages) for start in range(0, pages, 2))]


MARKDOWN = """# Book

Intro with **bold**, *italic* and β**1**-blockers, ≥5 µg.

## Chapter one

- first item
- second *item*

1. one
2. two

| Drug | Dose |
|---|---|
| A | 5 **mg** |
| B | 6 mg |

```
x = a * b * c
```

# Second book

#### Deep

End.
"""


def test_markdown_keeps_its_structure_and_its_words(tmp_path):
    path = tmp_path / "b.md"
    path.write_text(MARKDOWN)
    blocks = [(block.kind, block.text, block.headings) for block in extract(path)]
    assert blocks == [
        ("heading", "Book", ("Book",)),
        ("paragraph", "Intro with bold, italic and β1-blockers, ≥5 µg.", ("Book",)),
        ("heading", "Chapter one", ("Book", "Chapter one")),
        ("list_item", "first item", ("Book", "Chapter one")),
        ("list_item", "second item", ("Book", "Chapter one")),
        ("list_item", "1. one", ("Book", "Chapter one")),
        ("list_item", "2. two", ("Book", "Chapter one")),
        ("table_row", "Drug: A; Dose: 5 mg", ("Book", "Chapter one")),
        ("table_row", "Drug: B; Dose: 6 mg", ("Book", "Chapter one")),
        ("code", "x = a * b * c", ("Book", "Chapter one")),
        ("heading", "Second book", ("Second book",)),
        ("heading", "Deep", ("Second book", "Deep")),
        ("paragraph", "End.", ("Second book", "Deep")),
    ]


@pytest.mark.parametrize("text", ["a * b * c", "snake_case_name", "`**code**`", "    **indented code**", r"\*not\*"])
def test_marks_that_are_not_emphasis_stay(text):
    assert plain_markdown(text) == text


def test_html_is_read_with_its_runs_joined(tmp_path):
    path = tmp_path / "p.html"
    path.write_text(
        "<html><body><h1>Title</h1><p>A <b>bold</b>, word (<i>x</i>).</p><ul><li>one</li></ul></body></html>"
    )
    assert [(block.kind, block.text) for block in extract(path)] == [
        ("heading", "Title"),
        ("paragraph", "A bold, word (x)."),
        ("list_item", "one"),
    ]


def test_word_and_powerpoint_files_are_read(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        docx, pptx = pytest.importorskip("docx"), pytest.importorskip("pptx")
    document = docx.Document()
    document.add_heading("Dosing", level=1)
    document.add_paragraph("Give half the dose.")
    document.save(tmp_path / "d.docx")
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "Kidney", "Check creatinine."
    deck.save(tmp_path / "d.pptx")
    assert [block.text for block in extract(tmp_path / "d.docx")] == ["Dosing", "Give half the dose."]
    assert [block.text for block in extract(tmp_path / "d.pptx")] == ["Kidney", "Check creatinine."]


def test_an_epub_is_read(tmp_path):
    path = tmp_path / "b.epub"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="c.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        archive.writestr(
            "c.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i">'
            '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>T</dc:title>'
            '<dc:identifier id="i">x</dc:identifier></metadata>'
            '<manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
            '<spine><itemref idref="a"/></spine></package>',
        )
        archive.writestr(
            "a.xhtml", '<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>One</h1><p>Hello there.</p></body></html>'
        )
    assert ("paragraph", "Hello there.") in [(block.kind, block.text) for block in extract(path)]


def test_the_longest_common_subsequence_agrees_with_the_textbook_recurrence():
    first, second = list("thecatsatonthemat"), list("thematthecatsat")
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    assert common_subsequence(first, second) == table[-1][-1] > 0


def test_the_handbooks_first_chapters_come_out_whole_and_in_order():
    handbook = load_handbook()
    pages = "1-24"
    found = from_first_chapter(list(extract(HANDBOOK_PDF, ExtractConfig(pages=pages))), handbook.chapters[0].title)
    last = max(index for index, block in enumerate(found) if block.kind == "heading" and len(block.headings) == 1)
    titles = [chapter.title for chapter in handbook.chapters]
    expected = list(source_blocks(handbook))
    end = next(
        index for index, pair in enumerate(expected) if pair == ("heading", titles[titles.index(found[last].text)])
    )
    result = score(expected[:end], found[:last])
    assert result.recall > 0.99
    assert result.order > 0.99
    assert result.whole > 0.9
    assert result.headings > 0.97
    assert result.table_rows > 0.9
