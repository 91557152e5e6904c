"""What a source of records offers the reader: a folder's index and a FHIR server look alike from here."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from tools.chart.bundle import LeftOut, Patient
from tools.chart.sections import Entry

Scope = frozenset[str] | None  # the patient ids a reader was opened for; None for everyone


class View(Protocol):
    """The records at one moment, for one call."""

    def by_id(self, written: str) -> list[Patient]:
        """Patients whose id is ``written``, whatever its case."""

    def by_mrn(self, written: str) -> list[Patient]:
        """Patients whose medical record number is ``written``, whatever its case."""

    def by_name(self, written: str) -> list[Patient]:
        """Patients who have all words of ``written`` in one of their names."""

    def entries(self, patient: str, section: str) -> Sequence[Entry]:
        """Entries of one section, newest first, undated last."""

    def left_out(self, patient: str) -> Sequence[LeftOut]:
        """Resources about the patient that could not be read."""

    def notes(self) -> list[str]:
        """What a reader should know about the source as a whole, without any content."""

    def version(self) -> str:
        """A digest of the content this view rests on."""


class Source(Protocol):
    """Where records come from. Any method may raise :class:`tools.RecordError`."""

    def view(self, scope: Scope) -> AbstractContextManager[View]:
        """Open the records as they are now, for a reader of these patients."""

    def version(self) -> str:
        """The version to state when nothing was read."""


def newest_first(entries: Sequence[Entry]) -> list[Entry]:
    """Each entry once, newest first, undated last, then by name and source."""
    once = sorted(dict.fromkeys(entries), key=lambda entry: (entry.name, entry.source))
    return sorted(once, key=lambda entry: entry.date or "", reverse=True)
