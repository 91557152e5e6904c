"""One engine over one workload, in a process of its own; prints a JSON line for each job on stdout.

Times are of one thread, of the first, second and third use of each grammar. A document counts as accepted if
every token of the tokenizer's own split was legal and the text may end there.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.decoding.engines import ENCODING, ENGINES, Engine, Matcher
from benchmarks.decoding.workloads import WORKLOADS, Job

now = time.perf_counter_ns
Start = Callable[[], Matcher]


def spelled(value: Any) -> list[int]:
    """The tokens of a document as `json.dumps` writes it."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        text = json.dumps(value)
    return ENCODING.encode_ordinary(text)


def follow(matcher: Matcher, tokens: list[int], masks: list[int], advances: list[int]) -> bool:
    """Whether the engine lets these tokens through to the end; the times it took are appended."""
    for token in tokens:
        began = now()
        words = matcher.mask()
        masks.append(now() - began)
        if not int(words[token >> 5]) >> (token & 31) & 1:
            return False
        began = now()
        matcher.advance(token)
        advances.append(now() - began)
    return matcher.accepting()


def measure(engine: Engine, job: Job) -> dict[str, Any]:
    """Times in ns, and what was accepted."""
    result: dict[str, Any] = {"job": job.name, "documents": len(job.documents)}
    try:
        began = now()
        start = engine.compile(job.schema)
        compiled = now()
        start().mask()
        result["compile"], result["first_mask"] = compiled - began, now() - compiled
    except Exception as error:  # each engine has its own
        return result | {"refused": f"{type(error).__name__}: {error}"[:200]}
    documents = [(spelled(value), valid) for value, valid in job.documents]
    for use in ("first", "second", "third"):
        masks: list[int] = []
        advances: list[int] = []
        accepted = [(accepts(start, tokens, masks, advances), valid) for tokens, valid in documents]
        result[use] = {"masks": masks, "advances": advances}
    result["right"] = sum(found == valid for found, valid in accepted)
    result["false_accepts"] = sum(found and not valid for found, valid in accepted)
    result["forced"], result["tokens"], result["canonical"], result["calls"] = forced_share(
        start, [tokens for tokens, valid in documents if valid]
    )
    return result


def accepts(start: Start, tokens: list[int], masks: list[int], advances: list[int]) -> bool:
    """Whether these tokens are a document; an engine that fails on the way does not accept it."""
    try:
        return follow(start(), tokens, masks, advances)
    except Exception:  # each engine has its own
        return False


def forced_share(start: Start, documents: list[list[int]]) -> tuple[int, int, int, int]:
    """Of valid documents: tokens that the engine forced, tokens in all, documents whose forced tokens are the
    tokenizer's own, documents."""
    forced = canonical = 0
    for tokens in documents:
        at, same, matcher = 0, True, start()
        while at < len(tokens) and same:
            run = matcher.forced()[: len(tokens) - at]  # the end token is not part of the text
            same = run == tokens[at : at + len(run)]
            forced += len(run) if same else 0
            step = run if run and same else tokens[at : at + 1]
            for token in step:
                matcher.mask()
                matcher.advance(token)
            at += len(step)
        canonical += same
    return forced, sum(map(len, documents)), canonical, len(documents)


def main() -> None:
    """Measure the jobs from `--begin` on; a job that takes longer than `--limit` seconds ends the process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--suite", type=Path)
    parser.add_argument("--begin", type=int, default=0)
    parser.add_argument("--limit", type=int, default=30)
    args = parser.parse_args()
    engine = ENGINES[args.engine]()
    jobs = WORKLOADS[args.workload](args.suite)
    print(json.dumps({"engine": args.engine, "version": engine.version, "jobs": len(jobs)}), flush=True)
    for number in range(args.begin, len(jobs)):
        signal.alarm(args.limit)
        result = measure(engine, jobs[number])
        signal.alarm(0)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    sys.exit(main())
