"""Files that are whole or not there: a folder is written under a temporary name, synced to disk, then renamed."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from gpt2.errors import CheckpointError, DamagedCheckpoint

TEMPORARY = ".writing-"
"""Begins the name of what is not finished, or about to be deleted; nothing so named is ever read."""


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder that becomes `target` when the block has ended without an error.

    Raises `CheckpointError` if it cannot be written (disk full, no permission), and then leaves nothing behind.
    """
    temporary = target.with_name(TEMPORARY + target.name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for leftover in target.parent.glob(f"{TEMPORARY}*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        temporary.mkdir()
        yield temporary
        for path in temporary.iterdir():
            sync(path)
        sync(temporary)
        if target.exists():
            replaced = target.replace(target.with_name(f"{TEMPORARY}old-{target.name}"))
            temporary.replace(target)
            shutil.rmtree(replaced)
        else:
            temporary.replace(target)
        sync(target.parent)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot write {target}: {error}; free some space or choose another folder") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # gone already if all went well


def remove(folder: Path) -> None:
    """Delete a folder. Renamed first, so that a kill in the middle never leaves half of it under its name."""
    shutil.rmtree(folder.replace(folder.with_name(f"{TEMPORARY}old-{folder.name}")))


def replace_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_name(TEMPORARY + path.name)
    temporary.write_text(text)
    sync(temporary)
    temporary.replace(path)


def sync(path: Path) -> None:
    """Wait until a file or a folder's entries are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_json(name: str, content: Mapping[str, Any]) -> str:
    """JSON text for the file `name`; `CheckpointError` if the content holds more than plain values."""
    try:
        return json.dumps(content, indent=1, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"{name} must hold plain JSON values: {error}; see what batches.state_dict() returns"
        ) from error


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; `DamagedCheckpoint` if there is none."""
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise DamagedCheckpoint(f"{path} is missing; use an earlier checkpoint of the run") from error
    except (OSError, ValueError) as error:
        raise DamagedCheckpoint(f"{path} cannot be read: {error}; use an earlier checkpoint of the run") from error
    if not isinstance(content, dict):
        raise DamagedCheckpoint(f"{path} holds a {type(content).__name__}, expected a JSON object")
    return content


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name; `DamagedCheckpoint` if it cannot be read."""
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise DamagedCheckpoint(f"{path} cannot be read: {error}; use an earlier checkpoint of the run") from error
    return tensors
