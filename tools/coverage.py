"""``python -m tools.coverage``: how much of an independent list the interaction database knows.

The list is ``tables/prescription_products.tsv``: the active ingredients of every human prescription product with an
approved application (NDA, ANDA, BLA; allergenic extracts left out) in FDA's NDC Directory of April 2019, with the
number of products. It is not blind: its most frequent ingredients were looked at when the drug table grew.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from tools.interactions.names import Match, Names, shipped_names
from tools.tables import items, read_table


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Counts over the list: products are weighted by number, ingredients count once each."""

    products: int
    products_known: int
    ingredients: int
    ingredients_known: int
    common: int
    common_known: int
    missing: tuple[str, ...]


def coverage(names: Names, products: Sequence[tuple[str, int]], *, common: int = 300) -> Coverage:
    """Resolve every ingredient of ``(substances, number of products)`` rows; a product counts when all resolve.

    ``common`` is how many of the ingredients with most products are counted apart; ``missing`` lists those of them
    that are not known, most products first.
    """
    weight: dict[str, int] = {}
    for substances, number in products:
        for substance in items(substances):
            weight[substance] = weight.get(substance, 0) + number
    known = {substance for substance in weight if isinstance(names.resolve(substance), Match)}
    ranked = sorted(weight, key=lambda substance: (-weight[substance], substance))[:common]
    return Coverage(
        products=sum(number for _, number in products),
        products_known=sum(number for substances, number in products if known.issuperset(items(substances))),
        ingredients=len(weight),
        ingredients_known=len(known),
        common=len(ranked),
        common_known=sum(substance in known for substance in ranked),
        missing=tuple(substance for substance in ranked if substance not in known),
    )


def shipped_products() -> list[tuple[str, int]]:
    """The shipped list, most products first."""
    return [(row["substances"], int(row["products"])) for row in read_table("prescription_products")]


def main() -> None:
    """Print the shares, and the most frequent ingredients that are missing."""
    parser = argparse.ArgumentParser(prog="python -m tools.coverage", description=main.__doc__)
    parser.add_argument("--missing", type=int, default=10, help="how many missing ingredients to list")
    arguments = parser.parse_args()
    found = coverage(shipped_names(), shipped_products())
    for name, part, whole in (
        ("prescription products, all ingredients known", found.products_known, found.products),
        (f"the {found.common} ingredients in most products", found.common_known, found.common),
        ("different ingredients", found.ingredients_known, found.ingredients),
    ):
        print(f"{name}: {part:,} of {whole:,} ({100 * part / whole:.1f} %)")
    print("most frequent that are missing: " + ", ".join(found.missing[: arguments.missing]))


if __name__ == "__main__":
    main()
