import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.blocks import KINDS, Block, read_blocks, write_blocks
from data.errors import CorpusError

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).filter(str.strip)
blocks = st.builds(
    Block,
    page=st.none() | st.integers(1, 5000),
    headings=st.lists(texts, max_size=4).map(tuple),
    kind=st.sampled_from(sorted(KINDS)),
    text=texts,
)


@given(st.lists(blocks, max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_back(tmp_path, corpus):
    assert write_blocks(tmp_path / "c.jsonl", corpus) == len(corpus)
    assert list(read_blocks(tmp_path / "c.jsonl")) == corpus


def test_a_failing_source_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "c.jsonl"
    write_blocks(path, [Block(page=1, headings=(), kind="paragraph", text="old")])

    def broken():
        yield Block(page=1, headings=(), kind="paragraph", text="new")
        raise RuntimeError("disk")

    with pytest.raises(RuntimeError, match="disk"):
        write_blocks(path, broken())
    assert [block.text for block in read_blocks(path)] == ["old"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["c.jsonl"]


GOOD = {"page": 1, "headings": ["A"], "kind": "paragraph", "text": "x"}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"page": 1, "headi', "not JSON"),
        ("[]", "expected an object"),
        (json.dumps({**GOOD, "extra": 1}), "expected an object with the keys"),
        (json.dumps({**GOOD, "page": "1"}), "whole number"),
        (json.dumps({**GOOD, "page": 0}), "count from 1"),
        (json.dumps({**GOOD, "kind": "poem"}), "'poem' is not a kind"),
        (json.dumps({**GOOD, "text": " "}), "needs text"),
        (json.dumps({**GOOD, "headings": "A"}), "list of strings"),
    ],
)
def test_a_bad_line_is_reported_with_file_and_line(tmp_path, line, complaint):
    path = tmp_path / "c.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + line + "\n")
    with pytest.raises(CorpusError, match=r"c\.jsonl, line 2: ") as caught:
        list(read_blocks(path))
    assert complaint in str(caught.value)


def test_a_missing_file_and_binary_data_are_corpus_errors(tmp_path):
    with pytest.raises(CorpusError, match="cannot be read"):
        list(read_blocks(tmp_path / "none.jsonl"))
    (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CorpusError, match="not UTF-8"):
        list(read_blocks(tmp_path / "b.jsonl"))
