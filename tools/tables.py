"""Reading the shipped tables: tab-separated text, one header row, a source in every row.

A table's rows come back as dictionaries; a row with too few or too many cells, or without a source, is
refused by file and line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from tools.errors import TableError

TABLES = Path(__file__).with_name("tables")
RELEASE = "2026.11"

Row = dict[str, str]


def read_table(name: str, folder: Path = TABLES) -> list[Row]:
    """Rows of ``name.tsv`` in file order."""
    path = folder / f"{name}.tsv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    columns = header.split("\t")
    rows: list[Row] = []
    for number, line in enumerate(lines, start=2):
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != len(columns):
            raise TableError(f"{path.name}:{number}: found {len(cells)} cells, expected {len(columns)}")
        row = dict(zip(columns, cells, strict=True))
        if not row["source"]:
            raise TableError(f"{path.name}:{number}: empty source; every row names where it comes from")
        rows.append(row)
    return rows


def items(cell: str) -> list[str]:
    """The entries of a cell that holds a list, written ``a; b; c``."""
    return [item.strip() for item in cell.split("; ") if item.strip()]


@lru_cache(maxsize=64)
def content_hash(names: tuple[str, ...], folder: Path = TABLES) -> str:
    """SHA-256 over the text of some tables, independent of line endings."""
    digest = hashlib.sha256()
    for name in names:
        text = (folder / f"{name}.tsv").read_text(encoding="utf-8")
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()


def version(names: Iterable[str], folder: Path = TABLES) -> str:
    """The data version of results made from these tables: release and first eight digits of their hash."""
    return f"{RELEASE}-{content_hash(tuple(names), folder)[:8]}"
