"""What the front door refuses, and how any failure becomes one clear line and an exit code.

MedcallError            base of what this package raises
├── UsageError          the command line asks for something that makes no sense
├── ForeignFolder       an output folder holds something that medcall did not make
└── RunMismatch         an output folder holds an unfinished run of other inputs or another config
"""

from __future__ import annotations

import errno
import sys


class MedcallError(Exception):
    """Base of the errors of the front door."""


class UsageError(MedcallError):
    """The arguments of a command make no sense together."""


class ForeignFolder(MedcallError):
    """An output folder exists and was not made by medcall, so it is not replaced."""


class RunMismatch(MedcallError):
    """An output folder holds a run that other inputs or another config began."""


BAD_INPUT, FAILURE, INTERRUPTED = 2, 1, 130
_PACKAGES = ("medcall", "data", "gpt2", "decoding", "tools", "sft")


def is_ours(error: BaseException) -> bool:
    """Whether one of the project's packages raised this on purpose: its class, or a base of it, is one of theirs."""
    return any(base.__module__.split(".")[0] in _PACKAGES for base in type(error).__mro__)


def explain(error: BaseException) -> tuple[str, int]:
    """One line for stderr and the exit code: 2 for bad input, 1 for a failure, 130 for Ctrl-C."""
    if isinstance(error, KeyboardInterrupt):
        note = str(error) or "run the same command again to go on from the last finished state"
        return f"interrupted; {note}", INTERRUPTED
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" while writing {cause.filename}" if cause.filename else ""
        return f"the disk is full{where}; nothing half-written was kept: free space and run it again", FAILURE
    if is_ours(error):
        return str(error), BAD_INPUT
    if isinstance(error, FileNotFoundError):
        return f"no such file or folder: {error.filename or error}", BAD_INPUT
    if isinstance(error, (IsADirectoryError, NotADirectoryError, PermissionError)):
        return f"cannot use {error.filename}: {error.strerror}", BAD_INPUT
    if isinstance(error, OSError):
        return f"{error.strerror or error} ({error.filename})" if error.filename else str(error), FAILURE
    if isinstance(error, ValueError):
        return str(error), BAD_INPUT
    if isinstance(error, MemoryError):
        return "out of memory; try a smaller --batch-size or model", FAILURE
    return (
        f"internal error: {type(error).__name__}: {error} (run again with --debug for the traceback)",
        FAILURE,
    )


def report(error: BaseException) -> int:
    """Print the line for this error on stderr and give the exit code."""
    line, code = explain(error)
    print(f"medcall: {line}", file=sys.stderr)
    return code
