"""Output folders appear whole or not at all, and are reused only for the same work."""

from pathlib import Path

import pytest

from medcall.errors import ForeignFolder, RunMismatch
from medcall.manifest import Work, new_folder, read, run_folder, sha256_input


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.md"
    path.write_text("# A\n\nwords")
    return path


def work(book: Path, **config: object) -> Work:
    return Work("extract", {"book": book}, config)


def make(out: Path, what: Work, text: str = "made") -> None:
    with new_folder(out, what) as folder:
        (folder / "result.txt").write_text(text)


def test_a_finished_folder_is_recognised_as_done(tmp_path: Path, book: Path) -> None:
    out = tmp_path / "out"
    make(out, work(book))
    assert work(book).is_done(out)
    manifest = read(out)
    assert manifest is not None
    assert manifest["inputs"]["book"] == {"path": "book.md", "sha256": sha256_input(book)}
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("change", ["input", "config", "output", "gone"])
def test_any_change_undoes_done(tmp_path: Path, book: Path, change: str) -> None:
    out = tmp_path / "out"
    make(out, work(book, pages=3))
    if change == "input":
        book.write_text("other words")
    elif change == "output":
        (out / "result.txt").write_text("damaged")
    elif change == "gone":
        (out / "result.txt").unlink()
    assert not work(book, pages=4 if change == "config" else 3).is_done(out)


def test_a_failure_leaves_no_folder_and_keeps_the_old_one(tmp_path: Path, book: Path) -> None:
    out = tmp_path / "out"
    make(out, work(book), "first")
    with pytest.raises(KeyboardInterrupt), new_folder(out, work(book)) as folder:
        (folder / "result.txt").write_text("half")
        raise KeyboardInterrupt
    assert (out / "result.txt").read_text() == "first"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["book.md", "out"]


def test_a_folder_that_medcall_did_not_make_is_not_replaced(tmp_path: Path, book: Path) -> None:
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter.txt").write_text("years of work")
    with pytest.raises(ForeignFolder, match="thesis"):
        make(mine, work(book))
    assert (mine / "chapter.txt").read_text() == "years of work"
    with pytest.raises(ForeignFolder, match="is a file"):
        make(book, work(book))


def test_a_run_is_continued_by_the_same_work_and_refused_to_other_work(tmp_path: Path, book: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt), run_folder(out, work(book, steps=5)) as folder:
        (folder / "step-2").write_text("weights")
        raise KeyboardInterrupt
    assert read(out) is None
    with run_folder(out, work(book, steps=5)) as folder:
        assert (folder / "step-2").read_text() == "weights"
    assert work(book, steps=5).is_done(out)
    with pytest.raises(RunMismatch, match="--replace"), run_folder(out, work(book, steps=6)):
        pass
    with run_folder(out, work(book, steps=6), replace=True) as folder:
        assert not (folder / "step-2").exists()


def test_an_input_folder_is_its_manifests_files(tmp_path: Path, book: Path) -> None:
    make(tmp_path / "a", work(book))
    make(tmp_path / "b", work(book, other=True))
    assert sha256_input(tmp_path / "a") == sha256_input(tmp_path / "b")
    make(tmp_path / "b", work(book), "changed")
    assert sha256_input(tmp_path / "a") != sha256_input(tmp_path / "b")
    with pytest.raises(FileNotFoundError):
        sha256_input(tmp_path / "nowhere")
