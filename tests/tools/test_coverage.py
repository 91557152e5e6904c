"""How much of an independent list the interaction database knows."""

from __future__ import annotations

import pytest

from tools import coverage as module
from tools.coverage import coverage, shipped_products
from tools.interactions.names import shipped_names


def test_a_product_counts_only_when_every_ingredient_is_known() -> None:
    products = [("warfarin sodium", 3), ("warfarin sodium; foobarine", 2), ("lisinopril; foobarine", 1)]
    found = coverage(shipped_names(), products, common=2)
    assert (found.products, found.products_known) == (6, 3)
    assert (found.ingredients, found.ingredients_known) == (3, 2)
    assert (found.common, found.common_known, found.missing) == (2, 1, ("foobarine",))


def test_nine_of_ten_prescription_products_of_the_ndc_directory_are_known() -> None:
    found = coverage(shipped_names(), shipped_products())
    assert found.products > 50_000
    assert found.products_known > 0.92 * found.products
    assert found.common_known > 0.93 * found.common


def test_the_command_prints_the_shares(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["coverage", "--missing", "2"])
    module.main()
    printed = capsys.readouterr().out
    assert "prescription products, all ingredients known: " in printed
    assert printed.splitlines()[-1].count(", ") == 1
