"""An SQLite index over a folder of records, kept in step with its files.

A file is read once, and again when its size or one of its times changes. The index lives in memory unless a
file is named for it; several processes may share that file: one writes at a time, in one transaction, and the
others wait for it or read what was there before. Only regular files directly inside the folder are read; nothing
a caller writes ever becomes a path.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from tools.chart.bundle import Contents, LeftOut, Patient, read_bytes
from tools.chart.names import name_words
from tools.chart.sections import Entry
from tools.chart.source import Scope, newest_first
from tools.chart.store import connect, transaction
from tools.errors import RecordError

Stamp = tuple[int, int, int]  # size in bytes, time of modification, time of change (both in ns)
SUFFIXES = (".json", ".ndjson")
SMALL_FOLDER = 200  # files looked at in a millisecond, before every call
SWEEP_SECONDS = 1.0  # in a larger folder, a file changed in place is noticed within this time
_TABLES = ("file", "patient", "name_word", "entry", "left_out")
_ENTRY = 'section, name, code, system, date, value, unit, status, detail, source, "group", recorded, ended'
_PATIENT = "id, mrn, name, birth_date, sex, deceased"


class Index:
    """Patients and their entries, from all files of one folder."""

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        if not folder.is_dir():
            raise RecordError(
                f"records folder {str(folder)!r}: not a folder; expected FHIR R4 bundles (.json or .ndjson)"
            )
        self.folder = folder.resolve()
        self._lock = threading.RLock()
        self._connection = connect(cache, self.folder)
        self._stamps: dict[str, Stamp] | None = None  # the files as the index is known to hold them
        self._digest = ""
        self._listed, self._swept = -1, 0.0  # the folder's own time at the last look at its files, and when that was
        self._writes = -1  # SQLite's count of what other connections wrote
        self._refresh()

    @contextmanager
    def view(self, scope: Scope = None) -> Iterator[Index]:
        """The records as the files are now; the same for the whole of the block."""
        with self._lock:
            self._refresh()
            with transaction(self._connection, "DEFERRED"):
                yield self

    def version(self) -> str:
        """A digest of the content of all files."""
        return f"records-{self._digest}"

    def _refresh(self) -> None:
        """Read new and changed files, forget those that are gone."""
        touched = self._touched()
        if self._swept_lately() and not touched:
            return
        present = self._scan()
        if present == self._stamps and not touched:
            return
        if self._known() != present:
            with transaction(self._connection, "IMMEDIATE"):
                known = self._known()  # again, now that no other process can write
                for name in known.keys() - present.keys():
                    self._forget(name)
                for name, stamp in present.items():
                    if known.get(name) != stamp:
                        self._forget(name)
                        self._read(name, stamp)
        digests = self._connection.execute("SELECT path, digest FROM file ORDER BY path")
        self._digest = hashlib.sha256("".join(f"{path}\0{digest}\n" for path, digest in digests).encode()).hexdigest()[
            :8
        ]
        self._stamps = present

    def _swept_lately(self) -> bool:
        """Whether all files of a large folder were looked at a moment ago and none came, went or was replaced."""
        if self._stamps is None or len(self._stamps) <= SMALL_FOLDER:
            return False
        return monotonic() < self._swept + SWEEP_SECONDS and self._folder_time() == self._listed

    def _folder_time(self) -> int:
        try:
            return self.folder.stat().st_mtime_ns
        except OSError:
            return -1

    def _touched(self) -> bool:
        """Whether another connection has written to the index since the last call."""
        before = self._writes
        (self._writes,) = self._connection.execute("PRAGMA data_version").fetchone()
        return before != self._writes

    def _known(self) -> dict[str, Stamp]:
        rows = self._connection.execute("SELECT path, size, modified, changed FROM file")
        return {path: (size, modified, changed) for path, size, modified, changed in rows}

    def _scan(self) -> dict[str, Stamp]:
        """Record files of the folder itself; a link that leads outside is not one of them."""
        self._listed, self._swept = self._folder_time(), monotonic()
        found: dict[str, Stamp] = {}
        try:
            with os.scandir(self.folder) as listing:
                for item in listing:
                    if item.name.endswith(SUFFIXES) and (stamp := self._stamp(item)) is not None:
                        found[item.name] = stamp
        except OSError as error:
            raise RecordError(f"the records folder cannot be read: {error.strerror}") from error
        return found

    def _stamp(self, item: os.DirEntry[str]) -> Stamp | None:
        """Size and times of a record file; None for what is none or has just gone."""
        try:
            if not item.is_file():
                return None
            if item.is_symlink() and Path(item.path).resolve().parent != self.folder:
                return None
            facts = item.stat()
        except (OSError, RuntimeError):  # a link in circles, or gone since the folder was listed
            return None
        return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns

    def _forget(self, name: str) -> None:
        for table in _TABLES:
            column = "path" if table == "file" else "file"
            self._connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (name,))

    def _read(self, name: str, stamp: Stamp) -> None:
        try:
            data = (self.folder / name).read_bytes()
            contents = read_bytes(data, lines=name.endswith(".ndjson"))
        except (OSError, ValueError, RecursionError):  # not readable, not UTF-8 or not JSON: counted, never quoted
            self._connection.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?)", (name, *stamp, "unreadable", 0))
            return
        digest = hashlib.sha256(data).hexdigest()
        self._connection.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?)", (name, *stamp, digest, 1))
        self._store(contents, name)

    def _store(self, contents: Contents, file: str) -> None:
        run = self._connection.executemany
        run(
            "INSERT INTO patient VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(p.id, p.mrn, p.name, p.birth_date, p.sex, p.deceased, file) for p in contents.patients],
        )
        run(
            "INSERT INTO name_word VALUES (?, ?, ?, ?)",
            [
                (word, patient.id, number, file)
                for patient in contents.patients
                for number, name in enumerate((patient.name, *patient.other_names))
                for word in name_words(name)
            ],
        )
        run(
            f"INSERT INTO entry VALUES ({', '.join('?' * 15)})",
            [
                (
                    patient,
                    e.section,
                    e.name,
                    e.code,
                    e.system,
                    e.date,
                    None if e.value is None else json.dumps(e.value),
                    e.unit,
                    e.status,
                    e.detail,
                    e.source,
                    e.group,
                    e.recorded,
                    e.ended,
                    file,
                )
                for patient, e in contents.entries
            ],
        )
        run(
            "INSERT INTO left_out VALUES (?, ?, ?, ?)",
            [(out.patient, out.kind, out.reason, file) for out in contents.left_out],
        )

    def by_id(self, written: str) -> list[Patient]:
        return self._patients("WHERE id = ? COLLATE NOCASE", written)

    def by_mrn(self, written: str) -> list[Patient]:
        return self._patients("WHERE mrn = ? COLLATE NOCASE", written)

    def by_name(self, written: str) -> list[Patient]:
        words = name_words(written)
        if not words:
            return []
        rows = self._connection.execute(
            f"SELECT DISTINCT patient FROM name_word WHERE word IN ({', '.join('?' * len(words))}) "
            "GROUP BY patient, file, name HAVING count(DISTINCT word) = ? ORDER BY patient",
            (*words, len(words)),
        ).fetchall()
        return [patient for (identity,) in rows for patient in self._patients("WHERE id = ?", identity)]

    def _patients(self, where: str, *values: str) -> list[Patient]:
        rows = self._connection.execute(f"SELECT DISTINCT {_PATIENT} FROM patient {where} ORDER BY rowid", values)
        return [Patient(id=r[0], mrn=r[1], name=r[2], birth_date=r[3], sex=r[4], deceased=r[5]) for r in rows]

    def entries(self, patient: str, section: str) -> list[Entry]:
        rows = self._connection.execute(
            f"SELECT {_ENTRY} FROM entry WHERE patient = ? AND section = ?", (patient, section)
        )
        found = [
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
                recorded=row[11],
                ended=row[12],
            )
            for row in rows
        ]
        return newest_first(found)

    def left_out(self, patient: str) -> list[LeftOut]:
        rows = self._connection.execute("SELECT patient, kind, reason FROM left_out WHERE patient = ?", (patient,))
        return [LeftOut(patient=owner, kind=kind, reason=reason) for owner, kind, reason in rows]

    def notes(self) -> list[str]:
        """Files that could not be read, and resources whose patient could not be told."""
        (files,) = self._connection.execute("SELECT count(*) FROM file WHERE NOT readable").fetchone()
        (nobody,) = self._connection.execute("SELECT count(*) FROM left_out WHERE patient IS NULL").fetchone()
        notes = [f"{files} record file{'' if files == 1 else 's'} could not be read."] if files else []
        if nobody:
            some = ("", "it is", "is") if nobody == 1 else ("s", "they are", "are")
            notes.append(
                "{} resource{} of the folder cannot be read or told whose {} and {} left out.".format(nobody, *some)
            )
        return notes
