"""One engine over one workload, in a process of its own; prints a JSON line for each job on stdout.

Times are of one thread, of the first use of each grammar and then again (`warm`). A document counts as accepted if
every token of the tokenizer's own split was legal and the text may end there.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.decoding.engines import ENCODING, ENGINES, Engine, Matcher
from benchmarks.decoding.workloads import WORKLOADS, Job

now = time.perf_counter_ns


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
    for run in ("first", "warm", "warmer"):
        masks: list[int] = []
        advances: list[int] = []
        right = wrong = missed = 0
        for value, valid in job.documents:
            try:
                accepted = follow(start(), spelled(value), masks, advances)
            except Exception:
                accepted = False
            right += accepted == valid
            wrong += accepted and not valid
            missed += valid and not accepted
        result[run] = {"masks": masks, "advances": advances}
        result |= {"right": right, "false_accepts": wrong, "false_rejects": missed}
    result["warm"] = result.pop("warmer")
    result["forced"], result["tokens"], result["canonical"], result["calls"] = forced_share(start, job)
    return result


def forced_share(start: Any, job: Job) -> tuple[int, int, int, int]:
    """Of the valid documents: tokens that the engine forced, tokens in all, documents whose forced tokens are the
    tokenizer's own, documents."""
    forced = total = canonical = documents = 0
    for value, valid in job.documents:
        if not valid:
            continue
        tokens, at, same = spelled(value), 0, True
        matcher = start()
        while at < len(tokens) and same:
            run = matcher.forced()
            run = run[: len(tokens) - at]  # the end token is not part of the text
            same = run == tokens[at : at + len(run)]
            forced += len(run) if same else 0
            step = run if run and same else tokens[at : at + 1]
            for token in step:
                matcher.mask()
                matcher.advance(token)
            at += len(step)
        total, canonical, documents = total + len(tokens), canonical + same, documents + 1
    return forced, total, canonical, documents


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
