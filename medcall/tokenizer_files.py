"""The tokenizer and the wire format as files that transformers, vLLM and others read.

    tokenizer.json             everything: GPT-2's byte-pair encoding and the control tokens
    vocab.json, merges.txt     the encoding as OpenAI published it
    tokenizer_config.json      which tokens begin, end and pad
    chat_template.jinja        conversations to text, `data/wire.py` once more; the two are tested equal

Both files of the encoding follow from the tokens' bytes: token 256 + n is the n-th merge, and its parts are what the
merges before it make of its bytes.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from data.tokenizer import END_OF_TEXT, N_BPE, Tokenizer
from decoding.vocabulary import byte_level_table

BEGIN, END, PAD = "<|endoftext|>", "<|end|>", "<|pad|>"


def write_tokenizer(folder: Path, tokenizer: Tokenizer, *, positions: int, rows: int, tools: Sequence[str]) -> None:
    """Write the files into an existing folder, for a model with so many positions and rows of its embedding.

    With too few rows for the control tokens (a GPT-2 as released), the tokenizer has none and no chat template.
    `tools` are the names that the template accepts.
    """
    control: Mapping[str, int] = tokenizer.control if rows > max(tokenizer.control.values()) else {}
    alphabet = byte_alphabet()
    tokens = tokenizer.token_bytes()[:N_BPE]
    names = ["".join(alphabet[byte] for byte in token) for token in tokens]
    vocabulary = {name: token_id for token_id, name in enumerate(names)} | {BEGIN: END_OF_TEXT}
    pairs = [[names[a], names[b]] for a, b in merges(tokens)]
    added = [added_token(name, token_id) for name, token_id in {BEGIN: END_OF_TEXT, **control}.items()]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    write(
        folder / "tokenizer.json",
        {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": added,
            "normalizer": None,
            "pre_tokenizer": byte_level,
            "post_processor": byte_level | {"trim_offsets": False},
            "decoder": byte_level,
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": "",
                "end_of_word_suffix": "",
                "fuse_unk": False,
                "byte_fallback": False,
                "ignore_merges": False,
                "vocab": vocabulary,
                "merges": pairs,
            },
        },
    )
    write(folder / "vocab.json", vocabulary)
    lines = ["#version: 0.2", *(" ".join(pair) for pair in pairs)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", "utf-8")
    special = {"bos_token": BEGIN, "eos_token": END if control else BEGIN, "unk_token": BEGIN}
    special |= {"pad_token": PAD if control else BEGIN}
    write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "GPT2Tokenizer",
            **special,
            "additional_special_tokens": [name for name in control if name not in special.values()],
            "added_tokens_decoder": {
                str(token["id"]): {k: v for k, v in token.items() if k != "id"} for token in added
            },
            "add_prefix_space": False,
            "clean_up_tokenization_spaces": False,
            "model_max_length": positions,
        },
    )
    write(folder / "special_tokens_map.json", special)
    if control:
        (folder / "chat_template.jinja").write_text(chat_template(tools), "utf-8")


def chat_template(tools: Sequence[str]) -> str:
    """The template of `data/chat_template.jinja`, told which tools the model knows."""
    text = resources.files("data").joinpath("chat_template.jinja").read_text("utf-8")
    nobody = "{%- set known = [] -%}"
    assert text.count(nobody) == 1
    return text.replace(nobody, "{%- set known = " + json.dumps(list(tools)) + " -%}")


def added_token(name: str, token_id: int) -> dict[str, Any]:
    """A token that is found in text before anything else is, and taken as it stands."""
    exact = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": token_id, "content": name, **exact, "special": True}


def byte_alphabet() -> list[str]:
    """GPT-2's name for each byte: its Latin-1 character if that can be seen, else one from U+0100 on."""
    table = byte_level_table()
    return sorted(table, key=table.__getitem__)


def merges(tokens: Sequence[bytes]) -> list[tuple[int, int]]:
    """For each token of more than one byte, in order, the ids of the two that it was merged from."""
    ids = {token: token_id for token_id, token in enumerate(tokens)}
    found = []
    for token_id, token in enumerate(tokens):
        if len(token) < 2:
            continue
        parts = [token[i : i + 1] for i in range(len(token))]
        while len(parts) > 2:  # the earliest merge that applies, as the encoder does, but none as late as this one
            joins = [ids.get(a + b, token_id) for a, b in itertools.pairwise(parts)]
            at = min(range(len(joins)), key=joins.__getitem__)
            assert joins[at] < token_id, f"token {token_id} is not the merge of two others"
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        found.append((ids[parts[0]], ids[parts[1]]))
    return found


def write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
