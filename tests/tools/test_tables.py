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


def test_the_tables_are_as_large_as_promised() -> None:
    drugs, interactions, regimens = (read_table(name) for name in ("drugs", "interactions", "regimens"))
    assert sum(row["kind"] == "drug" for row in drugs) >= 900
    assert sum(row["kind"] == "combination" for row in drugs) >= 150
    assert sum(row["evidence"] != "pk_prediction" for row in interactions) >= 900
    assert len(regimens) >= 40
    assert len({row["drug"] for row in regimens}) >= 30


CHECKED_AGAINST = (  # how an entry of a `verified` cell may begin, or else it names a document that was read
    "ANSM thesaurus 2020-10: ",
    "ANSM index 2020-10: ",
    "FDA NDC Directory 2019-04: ",
    "UpToDate table 76992",
)


@pytest.mark.parametrize("table", ["drugs", "memberships", "interactions"])
def test_a_second_source_is_named_or_the_cell_is_empty(table: str) -> None:
    for row in read_table(table):
        for entry in items(row["verified"]):
            assert entry.startswith(CHECKED_AGAINST) or "read)" in entry or "(read" in entry, row


def test_every_contraindication_was_checked_against_a_second_source() -> None:
    rows = [row for row in read_table("interactions") if row["severity"] == "contraindicated"]
    assert len(rows) > 150
    assert [row for row in rows if not row["verified"]] == []


def test_every_class_membership_has_its_own_source(tmp_path: Path) -> None:
    copy_tables(tmp_path)
    listed = {(name, row["name"]) for row in read_table("drugs") for name in items(row["classes"])}
    assert {(row["class"], row["drug"]) for row in read_table("memberships")} == listed
    with (tmp_path / "memberships.tsv").open("a", encoding="utf-8") as file:
        file.write("statin\twarfarin\tnowhere\t\n")
    with pytest.raises(TableError, match=r"memberships.tsv: 'warfarin' is in class 'statin', but not in drugs.tsv"):
        fill(sqlite3.connect(":memory:"), tmp_path)


def test_every_rule_of_a_class_reaches_a_drug_and_every_class_has_a_rule() -> None:
    sides = {side[1:-1] for row in read_table("interactions") for side in (row["object"], row["precipitant"])}
    members = {row["class"] for row in read_table("memberships")}
    unused = members - sides - WITHOUT_RULE
    assert not unused


WITHOUT_RULE = {"cephalosporin", "antibiotic with MAO inhibition", "salicylate", "endothelin receptor antagonist"}
WITHOUT_RULE |= {"guanylate cyclase stimulator", "integrase inhibitor", "barbiturate", "neprilysin inhibitor"}
WITHOUT_RULE |= {"xanthine oxidase inhibitor", "mineralocorticoid antagonist", "heparin product", "glinide"}


def test_an_unknown_risk_is_refused_by_line(tmp_path: Path) -> None:
    copy_tables(tmp_path)
    with (tmp_path / "interactions.tsv").open("a", encoding="utf-8") as file:
        file.write("warfarin\tsimvastatin\tminor\tnone\tlabel\tpharmacodynamic\tbleding\tx\tx\tx\ts\t\n")
    with pytest.raises(TableError, match=r"warfarin \+ simvastatin: risk 'bleding' is not one of"):
        fill(sqlite3.connect(":memory:"), tmp_path)


def test_every_contraindication_rests_on_two_documents() -> None:
    for row in read_table("interactions"):
        if row["severity"] == "contraindicated":
            documents = {source.split(" label")[0] for source in items(row["source"])}
            assert len(documents) >= 2, row


WEAKER_ON_PURPOSE = {"rasagiline", "safinamide"}  # their labels warn where those of other MAO inhibitors forbid


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
        file.write("warfarin\t[no such class]\tmajor\tavoid\tlabel\tunknown\t\tx\tx\tx\tsomewhere\t\n")
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
        file.write("madeupine\tdrug\t\t\tZocor\t\tnowhere\t\n")
    with pytest.raises(TableError, match=r"'Zocor' names both 'simvastatin' and 'madeupine'"):
        fill(sqlite3.connect(":memory:"), tmp_path)


def copy_tables(folder: Path) -> None:
    for path in TABLES.glob("*.tsv"):
        (folder / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
