"""The interaction database: built from the readable tables, shipped, opened read-only.

Rebuilding with the same tables gives the same rows in the same order; ``meta.content`` holds the hash of the
tables, so a shipped file that no longer matches them is noticed.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

from tools import text
from tools.errors import TableError
from tools.interactions.salts import bare
from tools.interactions.schema import ACTIONS, EVIDENCE, MECHANISMS, SEVERITIES
from tools.tables import TABLES, Row, content_hash, items, read_table

SOURCES = ("drugs", "memberships", "interactions", "look_alikes", "market_names")
DATABASE = Path(__file__).parent.with_name("interactions.sqlite")
KINDS = ("drug", "combination", "food", "herbal")
RISKS = (
    "QT",
    "acidosis",
    "anticholinergic",
    "bleeding",
    "blood pressure",
    "bradycardia",
    "bronchospasm",
    "clotting",
    "dopamine",
    "glucose",
    "hearing",
    "heart failure",
    "infection",
    "intracranial pressure",
    "kidney",
    "lactic acidosis",
    "liver",
    "marrow",
    "muscle",
    "neuromuscular",
    "potassium",
    "potassium loss",
    "sedation",
    "seizure",
    "serotonin",
)

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE drug (name TEXT PRIMARY KEY, kind TEXT NOT NULL, source TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE ingredient (product TEXT NOT NULL, position INTEGER NOT NULL, drug TEXT NOT NULL,
    PRIMARY KEY (product, position)) WITHOUT ROWID;
CREATE TABLE class_member (class TEXT NOT NULL, drug TEXT NOT NULL,
    PRIMARY KEY (class, drug)) WITHOUT ROWID;
CREATE TABLE name (key TEXT PRIMARY KEY, display TEXT NOT NULL, drug TEXT NOT NULL,
    kind TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE other_name (key TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE look_alike (key TEXT NOT NULL, other TEXT NOT NULL, PRIMARY KEY (key, other)) WITHOUT ROWID;
CREATE TABLE interaction (
    id INTEGER PRIMARY KEY, object TEXT NOT NULL, precipitant TEXT NOT NULL, severity TEXT NOT NULL,
    action TEXT NOT NULL, evidence TEXT NOT NULL, mechanism TEXT NOT NULL, risk TEXT NOT NULL,
    pathway TEXT NOT NULL, effect TEXT NOT NULL, management TEXT NOT NULL, sources TEXT NOT NULL,
    verified TEXT NOT NULL);
CREATE INDEX interaction_object ON interaction (object);
CREATE INDEX interaction_precipitant ON interaction (precipitant);
"""


def open_database(path: Path = DATABASE) -> sqlite3.Connection:
    """A read-only connection; a missing or stale file is an error that says how to rebuild it."""
    if not path.is_file():
        raise TableError(f"{path.name}: missing; run `python -m tools.build`")
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def build(path: Path = DATABASE, folder: Path = TABLES) -> dict[str, int]:
    """Write the database for the tables in ``folder``; returns the number of rows of each table."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    os.close(handle)
    try:
        connection = sqlite3.connect(temporary)
        counts = fill(connection, folder)
        connection.commit()
        connection.execute("VACUUM")
        connection.close()
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return counts


def fill(connection: sqlite3.Connection, folder: Path = TABLES) -> dict[str, int]:
    """Create and fill all tables on an empty connection, checking each row on the way."""
    connection.executescript(_SCHEMA)
    drugs = read_table("drugs", folder)
    _fill_drugs(connection, drugs)
    _fill_memberships(connection, drugs, read_table("memberships", folder))
    _fill_names(connection, drugs, folder)
    _fill_interactions(connection, read_table("interactions", folder))
    connection.execute("INSERT INTO meta VALUES ('content', ?)", (content_hash(SOURCES, folder),))
    tables = ("drug", "ingredient", "class_member", "name", "other_name", "look_alike", "interaction")
    return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}


def _fill_drugs(connection: sqlite3.Connection, drugs: list[Row]) -> None:
    singles = {row["name"] for row in drugs if row["kind"] != "combination"}
    for row in drugs:
        if row["kind"] not in KINDS:
            raise TableError(f"drugs.tsv: {row['name']}: kind {row['kind']!r} is not one of {', '.join(KINDS)}")
        connection.execute("INSERT INTO drug VALUES (?, ?, ?)", (row["name"], row["kind"], row["source"]))
        ingredients = items(row["ingredients"]) or [row["name"]]
        for position, ingredient in enumerate(ingredients):
            if ingredient not in singles:
                raise TableError(f"drugs.tsv: {row['name']}: ingredient {ingredient!r} has no row of its own")
            connection.execute("INSERT INTO ingredient VALUES (?, ?, ?)", (row["name"], position, ingredient))


def _fill_memberships(connection: sqlite3.Connection, drugs: list[Row], memberships: list[Row]) -> None:
    """Each class of drugs.tsv with the source of that membership; the two tables must say the same."""
    listed = {(name, row["name"]) for row in drugs for name in items(row["classes"])}
    sourced = {(row["class"], row["drug"]) for row in memberships}
    for name, drug in sorted(listed ^ sourced):
        here, missing = ("drugs.tsv", "memberships.tsv") if (name, drug) in listed else ("memberships.tsv", "drugs.tsv")
        raise TableError(f"{here}: {drug!r} is in class {name!r}, but not in {missing}; the two must agree")
    connection.executemany(
        "INSERT INTO class_member VALUES (?, ?)", [(row["class"], row["drug"]) for row in memberships]
    )


def _fill_names(connection: sqlite3.Connection, drugs: list[Row], folder: Path) -> None:
    names: dict[str, tuple[str, str, str]] = {}

    def add(display: str, drug: str, kind: str) -> None:
        key = text.key(display)
        taken = names.setdefault(key, (display, drug, kind))
        if taken[1] != drug:
            raise TableError(f"drugs.tsv: {display!r} names both {taken[1]!r} and {drug!r}")

    for row in drugs:
        add(row["name"], row["name"], "generic")
    for row in drugs:
        for brand in items(row["brands"]):
            add(brand, row["name"], "brand")
        for alias in items(row["aliases"]):
            add(alias, row["name"], "alias")
    singles = {
        text.key(name): row["name"]
        for row in drugs
        if row["kind"] == "drug"
        for name in (row["name"], *items(row["aliases"]))
    }
    combinations = {
        tuple(sorted(items(row["ingredients"]))): row["name"] for row in drugs if row["kind"] == "combination"
    }
    others: set[str] = set()
    for row in read_table("market_names", folder):
        key = text.key(row["name"])
        substances = items(row["substances"])
        found = sorted({singles[k] for s in substances if (k := _single(s, singles)) is not None})
        drug = found[0] if len(found) == 1 else combinations.get(tuple(found))
        if len(found) == len(substances) and drug is not None:
            kind = "alias" if row["name"].lower() in substances else "brand"
            names.setdefault(key, (row["name"], drug, kind))
        elif key not in names:
            others.add(key)
    connection.executemany(
        "INSERT INTO name VALUES (?, ?, ?, ?)", sorted((key, *value) for key, value in names.items())
    )
    pairs = [(row["first"], row["second"]) for row in read_table("look_alikes", folder)]
    for first, second in pairs:
        others.update(text.key(name) for name in (first, second) if text.key(name) not in names)
    connection.executemany("INSERT INTO other_name VALUES (?)", sorted((key,) for key in others - names.keys()))
    both = sorted({(text.key(a), b) for pair in pairs for a, b in (pair, pair[::-1])})
    connection.executemany("INSERT INTO look_alike VALUES (?, ?)", both)


def _single(substance: str, singles: dict[str, str]) -> str | None:
    return next((k for k in (text.key(substance), bare(substance)) if k in singles), None)


def _fill_interactions(connection: sqlite3.Connection, rows: list[Row]) -> None:
    known = {name for (name,) in connection.execute("SELECT name FROM drug WHERE kind != 'combination'")}
    classes = {name for (name,) in connection.execute("SELECT DISTINCT class FROM class_member")}
    seen: set[frozenset[str]] = set()
    for number, row in enumerate(rows, start=1):
        place = f"interactions.tsv:{number + 1}: {row['object']} + {row['precipitant']}"
        sides = [row["object"], row["precipitant"]]
        for side in sides:
            listed = side[1:-1] in classes if side.startswith("[") else side in known
            if not listed:
                raise TableError(f"{place}: {side!r} is in no row of drugs.tsv")
        for column, allowed in _ALLOWED.items():
            if row[column] not in allowed:
                raise TableError(f"{place}: {column} {row[column]!r} is not one of {', '.join(allowed)}")
        if row["severity"] == "contraindicated" and len(items(row["source"])) < 2:
            raise TableError(f"{place}: a contraindication needs two sources")
        unknown = sorted(set(items(row["risk"])) - set(RISKS))
        if unknown:
            raise TableError(f"{place}: risk {unknown[0]!r} is not one of {', '.join(RISKS)}")
        if row["evidence"] != "pk_prediction":
            pair = frozenset(sides)
            if pair in seen:
                raise TableError(f"{place}: the pair has another row")
            seen.add(pair)
        connection.execute(
            f"INSERT INTO interaction VALUES (?{', ?' * len(_COLUMNS)})",
            (number, *(row[column] for column in _COLUMNS)),
        )


_COLUMNS = (
    "object",
    "precipitant",
    "severity",
    "action",
    "evidence",
    "mechanism",
    "risk",
    "pathway",
    "effect",
    "management",
    "source",
    "verified",
)
_ALLOWED = {"severity": SEVERITIES, "action": ACTIONS, "evidence": EVIDENCE, "mechanism": MECHANISMS}
