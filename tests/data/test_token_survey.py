"""How words are cut in prose and in JSON, against tiktoken itself."""

import json

import pytest

from data.token_survey import inside, numbers_kept, places
from data.tokenizer import load_tokenizer
from medcall.cli import main

tokenizer = load_tokenizer()


def test_a_word_in_prose_takes_the_space_before_it() -> None:
    ids = inside(tokenizer, "apixaban", "give ", " now")
    assert ids == tokenizer.encode(" apixaban")
    assert tokenizer.encode("give apixaban now") == [*tokenizer.encode("give"), *ids, *tokenizer.encode(" now")]


def test_a_word_whose_edge_a_token_crosses_has_no_ids_of_its_own() -> None:
    assert inside(tokenizer, "interact", "an ", "ion here") is None


def test_no_lower_case_name_keeps_its_ids_after_a_quote_and_all_do_after_a_quote_and_a_space() -> None:
    rows = {(row.place, row.spelling): row for row in places(tokenizer, ["apixaban", "warfarin", "digoxin"])}
    assert rows["in JSON", "lower case"].as_in_prose == 0
    assert rows["in JSON, space inside", "lower case"].as_in_prose == 3
    assert rows["in JSON, space inside", "capitals"].as_in_prose == 3
    assert rows["in JSON, space inside", "capitals"].as_lower_case == 0


def test_mean_tokens_are_those_of_the_words() -> None:
    (row, *_) = places(tokenizer, ["apixaban", "aspirin"])
    counted = [len(tokenizer.encode(" apixaban")), len(tokenizer.encode(" aspirin"))]
    assert row.tokens == sum(counted) / 2


def test_a_space_behind_the_colon_keeps_a_numerals_ids() -> None:
    assert numbers_kept(tokenizer, ["7", "58", "2.5", "1000"], " ") == (4, 4)
    assert numbers_kept(tokenizer, ["7", "58", "2.5", "1000"], "") == (0, 4)


def test_no_words_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        places(tokenizer, [])


def test_the_command_shows_ids_that_spell_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tokens", "Give µ-opioids → 2.5 mg", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert tokenizer.decode([token["id"] for token in shown["tokens"]]) == "Give µ-opioids → 2.5 mg"
    assert "places" not in shown
    assert main(["tokens", "apixaban"]) == 0
    assert "in JSON, space inside, lower case   ' ap' 'ix' 'aban'" in capsys.readouterr().out
