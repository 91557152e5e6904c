"""An SQLite index over a folder of records, kept in step with its files.

Each file is read once and again when its size or time changes. The index lives in memory unless a cache file
is named. Only regular files directly inside the folder are read; nothing a caller writes ever becomes a path.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from pathlib import Path

from tools import text
from tools.chart.bundle import Contents, Patient, read_file
from tools.chart.sections import Entry
from tools.errors import RecordError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (path TEXT PRIMARY KEY, size INTEGER, time INTEGER, digest TEXT,
    skipped INTEGER);
CREATE TABLE IF NOT EXISTS patient (id TEXT, mrn TEXT, name TEXT, birth_date TEXT, sex TEXT,
    deceased TEXT, file TEXT);
CREATE TABLE IF NOT EXISTS name_word (word TEXT, patient TEXT, name INTEGER, file TEXT);
CREATE TABLE IF NOT EXISTS entry (patient TEXT, section TEXT, name TEXT, code TEXT, system TEXT,
    date TEXT, value TEXT, unit TEXT, status TEXT, detail TEXT, source TEXT, "group" TEXT, file TEXT);
CREATE INDEX IF NOT EXISTS patient_id ON patient (id);
CREATE INDEX IF NOT EXISTS patient_mrn ON patient (mrn);
CREATE INDEX IF NOT EXISTS name_word_word ON name_word (word);
CREATE INDEX IF NOT EXISTS entry_patient ON entry (patient, section);
"""
_UNREADABLE = -1


class Index:
    """Patients and their entries, from all files of one folder."""

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        if not folder.is_dir():
            raise RecordError(
                f"records folder {str(folder)!r}: not a folder; expected FHIR R4 bundles (.json or .ndjson)"
            )
        self.folder = folder.resolve()
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(cache or ":memory:", check_same_thread=False)
        self._connection.executescript(_SCHEMA)
        self.refresh()

    def refresh(self) -> None:
        """Read new and changed files, forget those that are gone."""
        with self._lock, self._connection as connection:
            known = {path: (size, time) for path, size, time in connection.execute("SELECT path, size, time FROM file")}
            present = {path.name: path for path in self._files()}
            for name, path in present.items():
                facts = path.stat()
                if known.get(name) != (facts.st_size, facts.st_mtime_ns):
                    self._forget(name)
                    self._read(path, facts.st_size, facts.st_mtime_ns)
            for name in known.keys() - present.keys():
                self._forget(name)

    def _files(self) -> list[Path]:
        """Record files of the folder itself; a link that leads outside is not one of them."""
        found = [path for path in self.folder.iterdir() if path.suffix in (".json", ".ndjson") and path.is_file()]
        return sorted(path for path in found if path.resolve().parent == self.folder)

    def _forget(self, name: str) -> None:
        for table, column in (
            ("file", "path"),
            ("patient", "file"),
            ("name_word", "file"),
            ("entry", "file"),
        ):
            self._connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (name,))

    def _read(self, path: Path, size: int, time: int) -> None:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        try:
            contents = read_file(path)
        except (ValueError, RecursionError):  # not UTF-8 or not JSON: counted, never quoted
            self._connection.execute(
                "INSERT INTO file VALUES (?, ?, ?, ?, ?)", (path.name, size, time, digest, _UNREADABLE)
            )
            return
        self._connection.execute(
            "INSERT INTO file VALUES (?, ?, ?, ?, ?)", (path.name, size, time, digest, contents.skipped)
        )
        self._store(contents, path.name)

    def _store(self, contents: Contents, file: str) -> None:
        for patient in contents.patients:
            self._connection.execute(
                "INSERT INTO patient VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    patient.id,
                    patient.mrn,
                    patient.name,
                    patient.birth_date,
                    patient.sex,
                    patient.deceased,
                    file,
                ),
            )
            for number, name in enumerate((patient.name, *patient.other_names)):
                words = [(word, patient.id, number, file) for word in name_words(name)]
                self._connection.executemany("INSERT INTO name_word VALUES (?, ?, ?, ?)", words)
        self._connection.executemany(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    patient,
                    entry.section,
                    entry.name,
                    entry.code,
                    entry.system,
                    entry.date,
                    None if entry.value is None else json.dumps(entry.value),
                    entry.unit,
                    entry.status,
                    entry.detail,
                    entry.source,
                    entry.group,
                    file,
                )
                for patient, entry in contents.entries
            ],
        )

    def version(self) -> str:
        """A digest of the content of all files."""
        with self._lock:
            digests = [row[0] for row in self._connection.execute("SELECT digest FROM file ORDER BY path")]
        return f"records-{hashlib.sha256(''.join(digests).encode()).hexdigest()[:8]}"

    def problems(self) -> tuple[int, int]:
        """(files that could not be read, resources left out)."""
        with self._lock:
            rows = [row[0] for row in self._connection.execute("SELECT skipped FROM file")]
        return sum(row == _UNREADABLE for row in rows), sum(row for row in rows if row > 0)

    def patients(self) -> list[Patient]:
        """Everyone in the folder, by name and id."""
        return self._patients("ORDER BY name, id")

    def by_id(self, written: str) -> list[Patient]:
        """Patients whose id is ``written``, whatever its case."""
        return self._patients("WHERE id = ? COLLATE NOCASE", written)

    def by_mrn(self, written: str) -> list[Patient]:
        """Patients whose medical record number is ``written``."""
        return self._patients("WHERE mrn = ? COLLATE NOCASE", written)

    def by_name(self, written: str) -> list[Patient]:
        """Patients who have all words of ``written`` in one of their names."""
        words = name_words(written)
        if not words:
            return []
        marks = ", ".join("?" for _ in words)
        with self._lock:
            rows = self._connection.execute(
                f"SELECT patient FROM name_word WHERE word IN ({marks}) GROUP BY patient, name "
                "HAVING count(DISTINCT word) = ?",
                (*words, len(words)),
            ).fetchall()
        ids = sorted({row[0] for row in rows})
        return [patient for patient_id in ids for patient in self._patients("WHERE id = ?", patient_id)]

    def _patients(self, where: str, *values: str) -> list[Patient]:
        columns = "id, mrn, name, birth_date, sex, deceased"
        with self._lock:
            rows = self._connection.execute(f"SELECT {columns} FROM patient {where}", values).fetchall()
        return [
            Patient(id=row[0], mrn=row[1], name=row[2], birth_date=row[3], sex=row[4], deceased=row[5]) for row in rows
        ]

    def entries(self, patient: str, section: str) -> list[Entry]:
        """Entries of one section, newest first, undated last."""
        with self._lock:
            rows = self._connection.execute(
                'SELECT section, name, code, system, date, value, unit, status, detail, source, "group" '
                "FROM entry WHERE patient = ? AND section = ? ORDER BY date IS NULL, date DESC, name, source",
                (patient, section),
            ).fetchall()
        return [
            Entry(
                section=row[0],
                name=row[1],
                code=row[2],
                system=row[3],
                date=row[4],
                value=None if row[5] is None else json.loads(row[5]),
                unit=row[6],
                status=row[7],
                detail=row[8],
                source=row[9],
                group=row[10],
            )
            for row in rows
        ]


def name_words(name: str) -> list[str]:
    """Words of a name without accents, titles or the digits generators append ("José12" is "jose")."""
    words = ("".join(char for char in word if not char.isdigit()) for word in text.key(name).split())
    return sorted({word for word in words if word and word not in _TITLES})


_TITLES = frozenset(("mr", "mrs", "ms", "miss", "dr", "prof"))
