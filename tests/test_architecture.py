"""Who may import whom, and where each third-party package may come in."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("tools", "decoding", "gpt2", "data", "sft", "medcall")
MAY_IMPORT = {
    "tools": set(),
    "decoding": set(),
    "gpt2": set(),
    "data": {"tools"},
    "sft": {"gpt2", "data", "tools", "decoding"},
    "medcall": {"gpt2", "data", "tools", "decoding", "sft"},
}
ONLY_IN = {
    "lark": ("decoding/lark_grammar.py",),
    "docling": ("data/extract/",),
    "docling_core": ("data/extract/",),
    "tiktoken": ("data/tokenizer.py",),
    "datasets": ("data/examples/",),
    "reportlab": ("data/handbook/build.py",),
    "huggingface_hub": ("medcall/commands/import_weights.py",),  # a downloader
    "mcp": ("tools/mcp_server.py",),
    "mcp_types": ("tools/mcp_server.py",),
    "anyio": ("tools/mcp_server.py",),
    "rich": ("medcall/",),
    "argparse": ("medcall/", "tools/", "data/handbook/", "data/extract/measure.py"),
}
HUGGING_FACE = {"transformers", "trl", "accelerate", "peft", "tokenizers"}


def imports_of(path: Path) -> Iterator[str]:
    """The full dotted names that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def modules(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, f"{package} holds no module"
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_the_packages_below_it(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    for path in modules(package):
        ours = {name.split(".")[0] for name in imports_of(path)} & set(PACKAGES)
        assert ours <= allowed, f"{path.relative_to(ROOT)} imports {sorted(ours - allowed)}"


@pytest.mark.parametrize("package", PACKAGES)
def test_third_party_packages_come_in_by_their_own_door(package: str) -> None:
    for path in modules(package):
        name = path.relative_to(ROOT).as_posix()
        for imported in {i.split(".")[0] for i in imports_of(path)} & set(ONLY_IN):
            assert name.startswith(ONLY_IN[imported]), f"{name} imports {imported}, whose door is {ONLY_IN[imported]}"


@pytest.mark.parametrize("package", ["gpt2", "sft", "data", "tools", "medcall"])
def test_no_hugging_face_model_code_comes_in(package: str) -> None:
    for path in modules(package):
        assert not {i.split(".")[0] for i in imports_of(path)} & HUGGING_FACE, path


def test_in_the_decoder_only_the_hooks_know_tensors() -> None:
    for path in modules("decoding"):
        if path.name != "hooks.py":
            assert not {i.split(".")[0] for i in imports_of(path)} & (HUGGING_FACE | {"torch"}), path
