"""``python -m tools.build``: write the interaction database from the tables."""

from __future__ import annotations

import argparse

from tools.interactions.database import DATABASE, build


def main() -> None:
    """Build and print the row counts."""
    argparse.ArgumentParser(prog="python -m tools.build", description=main.__doc__).parse_args()
    counts = build()
    size = DATABASE.stat().st_size
    print(f"{DATABASE.name}: {size:,} bytes; " + ", ".join(f"{name} {count}" for name, count in counts.items()))


if __name__ == "__main__":
    main()
