"""What hangs on a training run: held-out evaluation, logs, progress and checkpoints.

Give them to `train` in this order, since each hears of a step after the ones before it: `HeldOut`, then the
logs, then `Progress`, then `Checkpoints`. Of several processes all hold `HeldOut` and `Checkpoints`, whose work is
shared, and only the first the others.
"""

import json
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from gpt2.checkpoint import save_checkpoint
from gpt2.distributed import Batch, Loss, World
from gpt2.run import HeldOutScore, Observer, Run, Step
from gpt2.run_folder import best_loss, mark_best, prune
from gpt2.trainer import evaluate


class HeldOut(Observer):
    """Scores held-out batches every `eval_every` steps and at the end, into `run.held_out`."""

    def __init__(
        self, batches: Iterable[Batch], loss: Loss[Any, Batch], *, bytes_per_token: float | None = None
    ) -> None:
        self.batches = list(batches)
        self.loss = loss
        self.bytes_per_token = bytes_per_token

    def on_step(self, run: Run, step: Step) -> None:
        if run.due(run.config.eval_every):
            self.score(run)

    def score(self, run: Run) -> HeldOutScore:
        """Score now."""
        score = evaluate(run.model, self.batches, self.loss, autocast=run.config.autocast, step=run.step)
        if self.bytes_per_token is not None:
            score = replace(score, bits_per_byte=score.loss / math.log(2) / self.bytes_per_token)
        run.held_out = score
        return score


def fresh_score(run: Run) -> HeldOutScore | None:
    """The held-out score if it is of the step just finished."""
    return run.held_out if run.held_out is not None and run.held_out.step == run.step else None


class JsonLog(Observer):
    """One JSON object a line, every `log_every` steps and whenever there is a held-out score.

    Resuming drops the lines of steps that are about to be repeated, and a last line that was cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def on_start(self, run: Run) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read_log(self.path) if line["step"] <= run.step]
        temporary = self.path.with_name(f".writing-{self.path.name}")
        temporary.write_text("".join(json.dumps(line) + "\n" for line in kept))
        temporary.replace(self.path)
        self._file = self.path.open("a")

    def on_step(self, run: Run, step: Step) -> None:
        score = fresh_score(run)
        if self._file is None or not (run.due(run.config.log_every) or score):
            return
        line: dict[str, Any] = {**asdict(step), "weight_per_second": step.weight / step.seconds}
        if score is not None:
            line |= {"held_out_loss": score.loss, "bits_per_byte": score.bits_per_byte}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def on_stop(self, run: Run) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a `JsonLog`; none if there is no file. A last line cut off by a kill is left out."""
    lines = path.read_text().splitlines() if path.is_file() else []
    entries: list[dict[str, Any]] = []
    for number, text in enumerate(lines):
        try:
            entries.append(json.loads(text))
        except ValueError:
            if number < len(lines) - 1:
                raise
    return entries


class TensorBoard(Observer):
    """Scalars for TensorBoard, as often as the log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer: Any = None

    def on_start(self, run: Run) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(self.folder), purge_step=run.step + 1)

    def on_step(self, run: Run, step: Step) -> None:
        score = fresh_score(run)
        if run.due(run.config.log_every):
            for name in ("loss", "learning_rate", "grad_norm"):
                self._writer.add_scalar(f"train/{name}", getattr(step, name), step.step)
            self._writer.add_scalar("train/weight_per_second", step.weight / step.seconds, step.step)
        if score is not None:
            self._writer.add_scalar("held_out/loss", score.loss, step.step)
            if score.bits_per_byte is not None:
                self._writer.add_scalar("held_out/bits_per_byte", score.bits_per_byte, step.step)

    def on_stop(self, run: Run) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class Progress(Observer):
    """Calls `draw` after every step with the step, and the held-out score if there is a new one."""

    def __init__(self, draw: Callable[[Step, HeldOutScore | None], None]) -> None:
        self.draw = draw

    def on_step(self, run: Run, step: Step) -> None:
        self.draw(step, fresh_score(run))


def print_step(step: Step, held_out: HeldOutScore | None = None) -> None:
    """A line on standard error for each step; `Progress(print_step)`."""
    line = (
        f"step {step.step:>6}/{step.steps}  loss {step.loss:.4f}  "
        f"lr {step.learning_rate:.2e}  norm {step.grad_norm:.2f}  "
        f"{step.weight / step.seconds:,.0f} tokens/s"
    )
    if held_out is not None:
        line += f"  held-out {held_out.loss:.4f}"
        if held_out.bits_per_byte is not None:
            line += f" ({held_out.bits_per_byte:.3f} bits/byte)"
    print(line, file=sys.stderr, flush=True)


class Checkpoints(Observer):
    """Saves every `save_every` steps, at a new best held-out loss, at the end, and on Ctrl-C.

    Keeps the newest `keep_last` and the best.
    """

    def __init__(self, run_dir: Path, *, keep_last: int = 2) -> None:
        if keep_last < 1:
            raise ValueError(f"keep_last={keep_last} must be at least 1")
        self.run_dir = run_dir
        self.keep_last = keep_last
        self._saved: int | None = None

    def on_start(self, run: Run) -> None:
        self._saved = run.step if run.step > 0 else None  # what was resumed from is on disk

    def on_step(self, run: Run, step: Step) -> None:
        world, score = World.current(), fresh_score(run)
        improved = score is not None and self._improves(score, world)
        if not (run.due(run.config.save_every) or improved):
            return
        checkpoint = self.save(run)
        if world.is_first:
            if score is not None and improved:
                mark_best(self.run_dir, checkpoint, score.loss)
            prune(self.run_dir, self.keep_last)

    def _improves(self, score: HeldOutScore, world: World) -> bool:
        """Decided by the first process, which alone knows that it has written its last word."""
        previous = best_loss(self.run_dir) if world.is_first else None
        return world.from_first(previous is None or score.loss < previous)

    def on_interrupt(self, run: Run) -> str | None:
        if World.current().size > 1:  # they were stopped in different places, and saving needs all of them
            return f"What {self.run_dir} holds is the last checkpoint; start the same run again to continue from there"
        if run.step == 0:
            return "No step was finished, so nothing was saved"
        if self._saved != run.step:
            self.save(run)
            prune(self.run_dir, self.keep_last)
        return f"It is saved in {self.run_dir}; start the same run again in that folder to continue from there"

    def save(self, run: Run) -> Path:
        """Save the last finished step now."""
        score = None if run.held_out is None else asdict(run.held_out)
        state = replace(run.state, held_out=score)
        path = save_checkpoint(self.run_dir, run.model, run.optimizer, state, training=run.config.trajectory())
        self._saved = run.step
        return path
