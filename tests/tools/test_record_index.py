"""The index: in step with its files, shared by processes, never half-written, fast for thousands of patients."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import tools
from tools.chart import index as index_module
from tools.chart.index import Index
from tools.chart.read import Reader

RECORDS = Path(tools.__file__).with_name("records")
ROOT = RECORDS.parent.parent


def copies(folder: Path, patients: int) -> None:
    """So many patients: the shipped ones under new ids and record numbers."""
    folder.mkdir(exist_ok=True)
    shipped = [path.read_text(encoding="utf-8") for path in sorted(RECORDS.glob("*.json"))]
    for number in range(1, patients + 1):
        of = (number - 1) % len(shipped) + 1
        text = (
            shipped[of - 1]
            .replace(f'"patient-{of:03d}"', f'"p{number}"')
            .replace(f'"id":"{of:03d}-', f'"id":"{number}-')
        )
        text = text.replace(f'"value":"{4_410_000 + 37 * of}"', f'"value":"{7_000_000 + number}"')
        (folder / f"p{number}.json").write_text(text, encoding="utf-8")


def ask(reader: Reader, patient: str = "p3") -> dict[str, Any]:
    return reader.read({"patient": patient, "sections": ["labs"], "codes": ["creatinine"]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copies(tmp_path / "records", 20)
    return tmp_path / "records"


def test_an_index_file_answers_like_memory_and_is_for_its_owner_only(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "index.sqlite"
    answers = [ask(Reader(folder, cache=cache)) for _ in range(2)]
    assert answers[0] == answers[1] == ask(Reader(folder))
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600


def test_a_second_reader_takes_the_rows_from_the_index_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "index.sqlite"
    first = ask(Reader(folder, cache=cache))

    def unread(data: bytes, *, lines: bool) -> Any:
        raise AssertionError("a file that has not changed was read again")

    monkeypatch.setattr(index_module, "read_bytes", unread)
    assert ask(Reader(folder, cache=cache)) == first


def test_only_a_changed_file_is_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, read = Reader(folder), []
    original = index_module.read_bytes

    def counted(data: bytes, *, lines: bool) -> Any:
        read.append(len(data))
        return original(data, lines=lines)

    monkeypatch.setattr(index_module, "read_bytes", counted)
    before = ask(reader)
    path = folder / "p3.json"
    path.write_text(path.read_text(encoding="utf-8").replace("2160-0", "38483-4"), encoding="utf-8")
    after = ask(reader)
    assert len(read) == 1
    assert after["data_version"] != before["data_version"]
    assert {entry["code"] for entry in after["sections"]["labs"]["entries"]} == {"38483-4"}


def test_a_file_of_the_same_size_and_time_with_other_content_is_noticed(folder: Path) -> None:
    reader, path = Reader(folder), folder / "p3.json"
    before, facts = ask(reader), path.stat()
    time.sleep(0.02)
    path.write_text(path.read_text(encoding="utf-8").replace("2160-0", "2160-9"), encoding="utf-8")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert path.stat().st_size == facts.st_size
    assert ask(reader)["data_version"] != before["data_version"]


def test_in_a_large_folder_a_new_file_is_seen_at_once_and_an_edit_within_a_second(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "SMALL_FOLDER", 5)
    now = [100.0]
    monkeypatch.setattr(index_module, "monotonic", lambda: now[0])
    reader = Reader(folder)
    time.sleep(0.02)
    copies(folder, 21)
    assert ask(reader, "p21")["patient"]["id"] == "p21"
    (folder / "p21.json").write_text("{}", encoding="utf-8")
    now[0] += index_module.SWEEP_SECONDS
    with pytest.raises(tools.Refusal, match="no patient 'p21'"):
        ask(reader, "p21")


def test_a_database_of_something_else_is_never_touched(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "mine.sqlite"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE accounts (name)")
    connection.commit()
    connection.close()
    before = other.read_bytes()
    with pytest.raises(tools.RecordError, match="a database of something else; name another file"):
        Reader(folder, cache=other)
    text = tmp_path / "notes.txt"
    text.write_text("x" * 4096)
    with pytest.raises(tools.RecordError, match="expected a file that medcall made"):
        Reader(folder, cache=text)
    assert (other.read_bytes(), text.read_text()) == (before, "x" * 4096)


def test_an_index_of_another_folder_is_filled_again(folder: Path, tmp_path: Path) -> None:
    cache, empty = tmp_path / "index.sqlite", tmp_path / "empty"
    empty.mkdir()
    Reader(folder, cache=cache)
    with pytest.raises(tools.Refusal, match="no patient 'p3'"):
        ask(Reader(empty, cache=cache))
    assert ask(Reader(folder, cache=cache))["patient"]["id"] == "p3"


def test_a_folder_that_goes_away_is_a_refusal_not_a_crash(folder: Path) -> None:
    tool = tools.registry(records=folder)["read_patient_record"]
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    result = tool.call({"patient": "p3", "sections": ["labs"]})
    assert result["error"]["code"] == "records_unavailable"


def test_what_is_no_file_of_the_folder_does_not_keep_the_rest_from_being_read(folder: Path) -> None:
    (folder / "circle.json").symlink_to(folder / "circle.json")
    (folder / "nowhere.json").symlink_to(folder / "gone.json")
    (folder / "folder.json").mkdir()
    os.mkfifo(folder / "pipe.json")  # reading it would wait for ever
    assert ask(Reader(folder))["notes"] == []


def test_a_half_written_file_is_told_apart_from_a_patient_who_is_not_there(folder: Path) -> None:
    tool = tools.registry(records=folder)["read_patient_record"]
    call = {"patient": "p3", "sections": ["labs"]}
    whole = (folder / "p3.json").read_bytes()
    (folder / "p3.json").write_bytes(whole[: len(whole) // 2])
    assert "1 record file could not be read" in tool.call(call)["error"]["message"]
    (folder / "p3.json").write_bytes(whole)
    assert tool.call(call)["status"] == "ok"


@pytest.mark.parametrize("damage", ["cut", "header", "middle"])
def test_a_damaged_index_file_is_an_error_that_says_what_to_do(folder: Path, tmp_path: Path, damage: str) -> None:
    cache = tmp_path / "index.sqlite"
    start(folder, cache).communicate()
    whole = cache.read_bytes()
    noise = bytes(range(1, 201)) * (len(whole) // 200)
    damaged = {
        "cut": whole[: len(whole) // 2],
        "header": noise[:100] + whole[100:],
        "middle": whole[:4096] + noise[4096:],
    }
    cache.write_bytes(damaged[damage])
    with pytest.raises(tools.RecordError, match=r"index.*(expected a file that medcall made, whole|can be deleted)"):
        Reader(folder, cache=cache)


SCRIPT = """
import sys
from pathlib import Path
from tools.chart.read import Reader
reader = Reader(Path(sys.argv[1]), cache=Path(sys.argv[2]))
result = reader.read({"patient": "p3", "sections": ["labs"], "codes": ["creatinine"]})
print(result["data_version"], result["sections"]["labs"]["total"])
"""


def start(folder: Path, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, str(folder), str(cache)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def rows(cache: Path) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(cache)
    found = connection.execute("SELECT * FROM entry ORDER BY file, source, name, value").fetchall()
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    return found


def test_processes_that_fill_one_index_at_once_give_one_answer_and_each_row_once(folder: Path, tmp_path: Path) -> None:
    shared, alone = tmp_path / "shared.sqlite", tmp_path / "alone.sqlite"
    processes = [start(folder, shared) for _ in range(3)]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    expected = ask(Reader(folder, cache=alone))
    assert {out for out, _ in outputs} == {f"{expected['data_version']} {expected['sections']['labs']['total']}\n"}
    assert rows(shared) == rows(alone)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_process_killed_while_it_fills_the_index_leaves_nothing_half_written(tmp_path: Path) -> None:
    folder, cache = tmp_path / "records", tmp_path / "index.sqlite"
    copies(folder, 120)
    process = start(folder, cache)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not cache.with_name("index.sqlite-wal").exists():
        time.sleep(0.005)
    time.sleep(0.15)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    connection = sqlite3.connect(cache)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    files = connection.execute("SELECT count(*) FROM file").fetchone()[0] if "file" in tables else 0
    connection.close()
    assert files in (0, 120)
    assert ask(Reader(folder, cache=cache)) == ask(Reader(folder))


def test_a_reader_sees_one_moment_while_another_process_changes_the_index(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "index.sqlite"
    first, second = Index(folder, cache), Index(folder, cache)
    with first.view() as view:
        before = view.entries("p3", "labs")
        (folder / "p3.json").unlink()
        with second.view() as other:
            assert other.entries("p3", "labs") == []
        assert view.entries("p3", "labs") == before != []
    with first.view() as view:
        assert view.entries("p3", "labs") == []


@pytest.mark.slow
def test_a_query_among_two_thousand_patients_takes_milliseconds(tmp_path: Path) -> None:
    copies(tmp_path / "records", 2_000)
    reader = Reader(tmp_path / "records")
    times = []
    for number in range(1, 201):
        began = time.perf_counter()
        assert ask(reader, str(7_000_000 + number * 10))["patient"]["id"] == f"p{number * 10}"
        times.append(time.perf_counter() - began)
    assert sorted(times)[100] < 0.02


def test_json_that_is_no_bundle_and_other_files_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text(json.dumps([1, 2]))
    (tmp_path / "notes.txt").write_text("not read")
    (tmp_path / "folder.json").mkdir()
    with Index(tmp_path).view() as view:
        assert view.by_name("anyone") == []
        assert view.notes() == ["1 resource of the folder cannot be read or told whose it is and is left out."]
