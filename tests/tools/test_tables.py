"""The shipped tables and the database built from them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tools.errors import TableError
from tools.interactions.database import DATABASE, SOURCES, build, fill, open_database
from tools.interactions.schema import SEVERITIES
from tools.interactions.screen import Screen
from tools.tables import TABLES, content_hash, items, read_table

CONTENT = ("meta", "drug", "ingredient", "class_member", "name", "other_name", "look_alike", "interaction")


def rows(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    return {t: sorted(tuple(row) for row in connection.execute(f"SELECT * FROM {t}")) for t in CONTENT}


def test_the_shipped_database_equals_the_tables() -> None:
    fresh = sqlite3.connect(":memory:")
    fill(fresh)
    shipped = open_database()
    assert rows(shipped) == rows(fresh)
    [stored] = shipped.execute("SELECT value FROM meta WHERE key = 'content'").fetchone()
    assert stored == content_hash(SOURCES)
    fresh.close()
    shipped.close()


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one.sqlite", tmp_path / "other.sqlite"
    build(one)
    build(other)
    assert one.read_bytes() == other.read_bytes()
    assert DATABASE.stat().st_size < 1_000_000


def test_the_database_is_opened_read_only() -> None:
    connection = open_database()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM interaction")
    connection.close()


def test_the_first_version_is_as_large_as_promised() -> None:
    drugs, interactions, regimens = (read_table(name) for name in ("drugs", "interactions", "regimens"))
    assert sum(row["kind"] == "drug" for row in drugs) >= 150
    assert sum(row["evidence"] != "pk_prediction" for row in interactions) >= 90
    assert len(regimens) >= 40
    assert len({row["drug"] for row in regimens}) >= 30


def test_every_contraindication_rests_on_two_documents() -> None:
    for row in read_table("interactions"):
        if row["severity"] == "contraindicated":
            documents = {source.split(" label")[0] for source in items(row["source"])}
            assert len(documents) >= 2, row


WEAKER_ON_PURPOSE = {"rasagiline"}  # its label warns where the labels of other MAO inhibitors forbid


def test_a_more_specific_row_never_weakens_a_contraindicated_class_rule_unawares() -> None:
    connection = open_database()
    screen = Screen(connection)
    connection.close()
    forbidden = [rule for rule in screen.rules if rule.severity == "contraindicated" and rule.level == 2]
    members: dict[str, list[str]] = {}
    for drug, classes in screen.classes.items():
        for name in classes:
            members.setdefault(name, []).append(drug)
    for rule in forbidden:
        for one in members[rule.object]:
            for other in members[rule.precipitant]:
                if one != other and not {one, other} & WEAKER_ON_PURPOSE:
                    found = max(SEVERITIES.index(entry.rule.severity) for entry in screen.pair(one, other))
                    assert SEVERITIES[found] == "contraindicated", (one, other, rule)


def test_every_class_in_a_rule_has_members_and_every_side_a_row(tmp_path: Path) -> None:
    copy_tables(tmp_path)
    with (tmp_path / "interactions.tsv").open("a", encoding="utf-8") as file:
        file.write("warfarin\t[no such class]\tmajor\tavoid\tlabel\tunknown\tx\tx\tx\tsomewhere\n")
    with pytest.raises(TableError, match=r"no such class.*in no row of drugs.tsv"):
        fill(sqlite3.connect(":memory:"), tmp_path)


def test_a_row_without_a_source_is_refused_by_line(tmp_path: Path) -> None:
    copy_tables(tmp_path)
    with (tmp_path / "look_alikes.tsv").open("a", encoding="utf-8") as file:
        file.write("one\tother\t\n")
    with pytest.raises(TableError, match=r"look_alikes.tsv:\d+: empty source"):
        read_table("look_alikes", tmp_path)


def test_one_name_cannot_mean_two_drugs(tmp_path: Path) -> None:
    copy_tables(tmp_path)
    with (tmp_path / "drugs.tsv").open("a", encoding="utf-8") as file:
        file.write("madeupine\tdrug\t\t\tZocor\t\tnowhere\n")
    with pytest.raises(TableError, match=r"'Zocor' names both 'simvastatin' and 'madeupine'"):
        fill(sqlite3.connect(":memory:"), tmp_path)


def copy_tables(folder: Path) -> None:
    for path in TABLES.glob("*.tsv"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
