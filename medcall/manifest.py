"""Every output folder says what made it, and appears whole or not at all.

`manifest.json` holds the verb, the inputs' sha256, the config, the seed, the version, the wall time, and the
sha256 of each file written. The *fingerprint* is a hash over verb, inputs, config and version: a folder whose
manifest has the fingerprint of the work about to be done, and whose files still match, is reused. Folders are
written under a temporary name and renamed; a training run, which must outlive an interruption, keeps its
folder and gets its manifest last.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import medcall
from medcall.console import say
from medcall.errors import ForeignFolder, RunMismatch
from medcall.processes import is_first

NAME = "manifest.json"
RUN = "run.json"


def sha256_file(path: Path) -> str:
    """Hex sha256 of one file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_input(path: Path) -> str:
    """Hex sha256 of a file, or of a folder: the names and hashes of what its manifest lists (of all files without one).

    Raises FileNotFoundError when there is nothing at `path`.
    """
    if path.is_file():
        return sha256_file(path)
    if not path.is_dir():
        raise FileNotFoundError(2, "no such file or folder", str(path))
    manifest = read(path)
    if manifest is not None:
        listed = {name: entry["sha256"] for name, entry in manifest["outputs"].items()}
    else:
        listed = hash_tree(path, with_size=False)
    return hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()


def hash_tree(folder: Path, *, with_size: bool = True) -> dict[str, Any]:
    """The files below a folder, by relative name; the manifest itself is left out."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in (NAME, RUN):
            digest = sha256_file(path)
            found[path.relative_to(folder).as_posix()] = (
                {"sha256": digest, "bytes": path.stat().st_size} if with_size else digest
            )
    return found


def read(folder: Path) -> dict[str, Any] | None:
    """The manifest of a folder, or None when it has none that can be read."""
    try:
        manifest: dict[str, Any] = json.loads((folder / NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if "fingerprint" in manifest and "outputs" in manifest else None


def write_json(path: Path, value: object) -> None:
    """Write JSON under a temporary name, flush it to the disk, rename."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


@dataclasses.dataclass
class Work:
    """One step of the pipeline: what goes in, with which config, and (filled in as it runs) what to say about it."""

    verb: str
    inputs: Mapping[str, Path]
    config: Mapping[str, Any]
    summary: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hashes = {name: sha256_input(path) for name, path in self.inputs.items()}
        self.began = time.time()

    @property
    def fingerprint(self) -> str:
        """Changes when the verb, an input's bytes, the config or the version does."""
        identity = [self.verb, self.hashes, self.config, medcall.__version__]
        return hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()

    def is_done(self, out: Path) -> bool:
        """Whether `out` already holds exactly this work, undamaged."""
        manifest = read(out)
        if manifest is None or manifest["fingerprint"] != self.fingerprint:
            return False
        try:
            return all(sha256_file(out / name) == entry["sha256"] for name, entry in manifest["outputs"].items())
        except OSError:
            return False

    def reuse(self, out: Path) -> dict[str, Any] | None:
        """The summary of this very work if `out` already holds it, else None: then it is to be done."""
        manifest = read(out) if self.is_done(out) else None
        if manifest is None:
            return None
        say(f"{out} already holds this, made from the same inputs and settings: reused")
        return dict(manifest["summary"])

    def finish(self, folder: Path) -> None:
        """Write the manifest of a folder whose files are complete."""
        write_json(
            folder / NAME,
            {
                "medcall": medcall.__version__,
                "verb": self.verb,
                "inputs": {n: {"path": p.name, "sha256": self.hashes[n]} for n, p in self.inputs.items()},
                "config": dict(self.config),
                "seed": self.config.get("seed"),
                "fingerprint": self.fingerprint,
                "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
                "wall_seconds": round(time.time() - self.began, 2),
                "summary": self.summary,
                "outputs": hash_tree(folder),
            },
        )


@contextmanager
def new_folder(out: Path, work: Work) -> Iterator[Path]:
    """A folder to write in; becomes `out`, with its manifest, when the block ends well, and vanishes when it does not.

    Raises ForeignFolder when `out` holds files that no medcall manifest accounts for.
    """
    refuse_foreign(out)
    partial = out.with_name(f".{out.name}.partial")
    discard(partial)
    partial.mkdir(parents=True)
    try:
        yield partial
        work.finish(partial)
    except BaseException:
        discard(partial)
        raise
    old = out.with_name(f".{out.name}.old")
    discard(old)
    if out.exists():
        out.rename(old)
    partial.rename(out)
    discard(old)


@contextmanager
def run_folder(out: Path, work: Work, *, replace: bool = False) -> Iterator[Path]:
    """A folder for a training run: kept when interrupted, continued by the same work, its manifest written last.

    Raises RunMismatch when an unfinished or finished run of other work is there and `replace` is False. Under
    `torchrun` the first process alone sees to all this.
    """
    if not is_first():
        yield out
        return
    refuse_foreign(out)
    try:
        begun = json.loads((out / RUN).read_text("utf-8"))["fingerprint"]
    except (OSError, ValueError, KeyError):
        begun = None
    if begun is not None and begun != work.fingerprint:
        if not replace:
            raise RunMismatch(
                f"{out} holds a run that other inputs, another config or another version began;"
                " choose another -o, or add --replace to give that run up"
            )
        discard(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / NAME).unlink(missing_ok=True)
    write_json(out / RUN, {"verb": work.verb, "fingerprint": work.fingerprint, "config": dict(work.config)})
    yield out
    work.finish(out)


def refuse_foreign(out: Path) -> None:
    """Raise ForeignFolder unless `out` is free, empty, or something that medcall wrote."""
    if out.is_file():
        raise ForeignFolder(f"{out} is a file; -o names a folder")
    if out.is_dir() and any(out.iterdir()) and read(out) is None and not (out / RUN).is_file():
        raise ForeignFolder(f"{out} exists and was not made by medcall; choose another -o or empty it first")


def discard(folder: Path) -> None:
    """Remove a folder and what is in it, if it is there."""
    if folder.exists():
        shutil.rmtree(folder)
