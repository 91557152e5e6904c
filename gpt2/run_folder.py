"""The checkpoints of a run: which are whole, which is newest, which is best, which to keep.

run/
  step-000400/      a checkpoint, see `gpt2.checkpoint`
  best.json         which of them had the lowest held-out loss
"""

import re
import warnings
from collections.abc import Callable
from pathlib import Path

from gpt2.errors import DamagedCheckpoint
from gpt2.folder import read_json, remove, replace_text, sha256, to_json

FILES = ("model.safetensors", "optimizer.safetensors", "config.json", "state.json")
CHECKSUMS = "checksums.json"
BEST = "best.json"
STEP_FOLDER = re.compile(r"step-(\d{6,})")


def verify(checkpoint: Path) -> None:
    """Raise `DamagedCheckpoint` unless every file is there and has the content that was written."""
    checksums = read_json(checkpoint / CHECKSUMS)
    for name in FILES:
        path, wanted = checkpoint / name, checksums.get(name)
        if not path.is_file():
            raise DamagedCheckpoint(f"{path} is missing; use an earlier checkpoint of the run")
        found = sha256(path)
        if found != wanted:
            raise DamagedCheckpoint(
                f"{path} ({path.stat().st_size} bytes) has sha256 {found}, expected {wanted}: "
                "it was truncated or altered after it was written; use an earlier checkpoint of the run"
            )


def checkpoints(run_dir: Path) -> list[Path]:
    """The finished checkpoint folders of a run, oldest first."""
    if not run_dir.is_dir():
        return []
    found = [(int(match[1]), path) for path in run_dir.iterdir() if (match := STEP_FOLDER.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def warn_of_damage(message: str) -> None:
    """A Python warning."""
    warnings.warn(message, stacklevel=3)


def latest(run_dir: Path, on_damage: Callable[[str], None] = warn_of_damage) -> Path | None:
    """The newest undamaged checkpoint of a run, or None if it has none yet.

    Each damaged one on the way is reported to `on_damage`; if all are damaged that is a `DamagedCheckpoint`,
    not a fresh start.
    """
    found = checkpoints(run_dir)
    for checkpoint in reversed(found):
        try:
            verify(checkpoint)
        except DamagedCheckpoint as error:
            on_damage(f"skipping a damaged checkpoint: {error}")
        else:
            return checkpoint
    if found:
        raise DamagedCheckpoint(
            f"{run_dir}: all {len(found)} checkpoints are damaged; remove the folder to start again"
        )
    return None


def best(run_dir: Path) -> Path | None:
    """The checkpoint with the lowest held-out loss, or None if none was recorded."""
    path = run_dir / BEST
    if not path.is_file():
        return None
    checkpoint = run_dir / str(read_json(path).get("checkpoint"))
    return checkpoint if checkpoint.is_dir() else None


def best_or_latest(run_dir: Path, on_damage: Callable[[str], None] = warn_of_damage) -> Path | None:
    """The best checkpoint of a run if it is whole, else the newest that is; None if there is none yet."""
    try:
        checkpoint = best(run_dir)
        if checkpoint is not None:
            verify(checkpoint)
            return checkpoint
    except DamagedCheckpoint as error:
        on_damage(f"the best checkpoint is damaged, the newest whole one is taken instead: {error}")
    return latest(run_dir, on_damage)


def mark_best(run_dir: Path, checkpoint: Path, held_out_loss: float) -> None:
    """Record `checkpoint` as the best of its run, atomically."""
    replace_text(run_dir / BEST, to_json(BEST, {"checkpoint": checkpoint.name, "held_out_loss": held_out_loss}))


def best_loss(run_dir: Path) -> float | None:
    """The held-out loss recorded by `mark_best`."""
    return float(read_json(run_dir / BEST)["held_out_loss"]) if best(run_dir) else None


def prune(run_dir: Path, keep_last: int = 2) -> None:
    """Delete all but the newest `keep_last` checkpoints and the best."""
    kept = {*checkpoints(run_dir)[-keep_last:], best(run_dir)}
    for checkpoint in checkpoints(run_dir):
        if checkpoint not in kept:
            remove(checkpoint)
