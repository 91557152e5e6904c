"""The SQLite file or memory behind an index: opened safely, written whole or not at all.

A file that medcall did not make is never touched. An index made by other code, from other tables or for another
folder is emptied and filled again.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tools.errors import RecordError
from tools.tables import content_hash

_APPLICATION = 0x6D656463  # "medc", in the header of every index file
_WAIT_SECONDS = 600.0  # another process may be filling the index with thousands of patients
_TABLES = """
CREATE TABLE file (path TEXT PRIMARY KEY, size INTEGER, modified INTEGER, changed INTEGER, digest TEXT,
    readable INTEGER);
CREATE TABLE patient (id TEXT COLLATE NOCASE, mrn TEXT COLLATE NOCASE, name TEXT, birth_date TEXT, sex TEXT,
    deceased TEXT, file TEXT);
CREATE TABLE name_word (word TEXT, patient TEXT, name INTEGER, file TEXT);
CREATE TABLE entry (patient TEXT, section TEXT, name TEXT, code TEXT, system TEXT, date TEXT, value TEXT, unit TEXT,
    status TEXT, detail TEXT, source TEXT, "group" TEXT, recorded TEXT, ended TEXT, file TEXT);
CREATE TABLE left_out (patient TEXT, kind TEXT, reason TEXT, file TEXT);
CREATE TABLE made_by (fingerprint TEXT);
CREATE INDEX patient_id ON patient (id);
CREATE INDEX patient_mrn ON patient (mrn);
CREATE INDEX patient_file ON patient (file);
CREATE INDEX name_word_word ON name_word (word);
CREATE INDEX name_word_file ON name_word (file);
CREATE INDEX entry_patient ON entry (patient, section);
CREATE INDEX entry_file ON entry (file);
CREATE INDEX left_out_patient ON left_out (patient);
"""


def connect(path: Path | None, folder: Path) -> sqlite3.Connection:
    """An index for ``folder`` with its tables in place: in memory, or in the file at ``path``."""
    if path is None:
        connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        _create(connection, "")
        return connection
    try:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))  # it will hold records: for its owner only
        connection = sqlite3.connect(path, timeout=_WAIT_SECONDS, check_same_thread=False, isolation_level=None)
        try:
            _prepare(connection, path, _fingerprint(folder))
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise RecordError(
            f"index {str(path)!r}: {error}; expected a file that medcall made, whole, or a name that is free"
        ) from error
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, fingerprint: str) -> None:
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables and connection.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION:
        raise RecordError(f"index {str(path)!r}: a database of something else; name another file")
    connection.execute("PRAGMA journal_mode = WAL")  # readers go on while one process writes
    connection.execute("PRAGMA synchronous = NORMAL")
    with transaction(connection, "IMMEDIATE"):
        made_by = connection.execute("SELECT name FROM sqlite_master WHERE name = 'made_by'").fetchone()
        if made_by and connection.execute("SELECT fingerprint FROM made_by").fetchone() == (fingerprint,):
            return
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            connection.execute(f'DROP TABLE "{name}"')
        _create(connection, fingerprint)


def _create(connection: sqlite3.Connection, fingerprint: str) -> None:
    for statement in _TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute("INSERT INTO made_by VALUES (?)", (fingerprint,))
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")


def _fingerprint(folder: Path) -> str:
    """What the rows depend on besides the records: the folder, the code that reads them, the table of tests."""
    digest = hashlib.sha256(f"{folder}\0{content_hash(('analytes',))}".encode())
    here = Path(__file__).parent
    for module in (*sorted(here.glob("*.py")), here.parent / "text.py"):
        digest.update(module.read_bytes())
    return digest.hexdigest()


@contextmanager
def transaction(connection: sqlite3.Connection, kind: Literal["DEFERRED", "IMMEDIATE"]) -> Iterator[None]:
    """All of the block or nothing of it; IMMEDIATE keeps other writers out from its first line."""
    try:
        connection.execute(f"BEGIN {kind}")
        try:
            yield
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise RecordError(
            f"the index of the records cannot be used: {error}; a damaged index file can be deleted, it is filled again"
        ) from error
