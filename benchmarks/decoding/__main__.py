"""Compare decoders on one machine in one run; a table on stdout.

pip install llguidance xgrammar outlines-core          # the peers, to be measured only
python -m benchmarks.decoding tools --engines medcall,llguidance,xgrammar
pip download --no-deps --no-binary :all: jsonschema && tar xf jsonschema-*.tar.gz   # carries the test suite
python -m benchmarks.decoding suite --suite jsonschema-*/json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.decoding.engines import ENGINES
from benchmarks.decoding.workloads import WORKLOADS

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "RAYON_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run(engine: str, workload: str, suite: Path | None, limit: int) -> list[dict[str, Any]]:
    """Every job of a workload, in fresh processes where one is killed; the first entry says who was measured."""
    rows: list[dict[str, Any]] = []
    done = 0
    while True:
        words = [sys.executable, "-m", "benchmarks.decoding.measure", engine, workload, "--begin", str(done)]
        words += ["--limit", str(limit)] + (["--suite", str(suite)] if suite else [])
        process = subprocess.run(words, capture_output=True, text=True, env=os.environ | ONE_THREAD)
        lines = [json.loads(line) for line in process.stdout.splitlines()]
        if not lines:
            raise SystemExit(f"{engine} could not be measured:\n{process.stderr[-2000:]}")
        head, *results = lines
        rows = rows or [head]
        rows += results
        done += len(results)
        if process.returncode == 0 or done >= head["jobs"]:
            return rows
        rows.append({"job": done, "died": process.returncode, "documents": 0})
        done += 1


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of one engine."""
    head, *jobs = rows
    compiled = [job for job in jobs if "first" in job]
    first = np.array([t for job in compiled for t in job["first"]["masks"]]) / 1e3
    third = np.array([t for job in compiled for t in job["third"]["masks"]]) / 1e3
    until = np.array([job["compile"] + job["first_mask"] for job in compiled]) / 1e6

    def spread(times: Any, *percentiles: float) -> str:
        return " / ".join(f"{x:.3g}" for x in (times.mean(), *np.percentile(times, percentiles)))

    total = {key: sum(job.get(key, 0) for job in jobs) for key in ("right", "false_accepts", "forced", "tokens")}
    documents = sum(job["documents"] for job in jobs)
    return {
        "engine": f"{head['engine']} {head['version']}",
        "compiled": f"{len(compiled)} of {head['jobs']}",
        "first mask after, ms (p50 / max)": f"{np.median(until):.2f} / {until.max():.1f}",
        "mask µs, first use (mean / p50 / p99)": spread(first, 50, 99),
        "mask µs, third use (mean / p50 / p99)": spread(third, 50, 99),
        "documents right": f"{total['right']} of {documents}",
        "false accepts": str(total["false_accepts"]),
        "forced tokens": f"{total['forced'] / max(total['tokens'], 1):.0%}",
        "forced as the tokenizer would": "{} of {}".format(
            *(sum(job.get(key, 0) for job in compiled) for key in ("canonical", "calls"))
        ),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decoding", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("--engines", default="medcall", help=f"comma-separated, of {', '.join(ENGINES)}")
    parser.add_argument("--suite", type=Path, help="folder with the JSON Schema Test Suite")
    parser.add_argument("--limit", type=int, default=30, help="seconds for one schema")
    args = parser.parse_args()
    summaries = [summary(run(engine, args.workload, args.suite, args.limit)) for engine in args.engines.split(",")]
    print(f"{args.workload}, {platform.machine()}, one thread, Python {platform.python_version()}, {date.today()}\n")
    print("| | " + " | ".join(s["engine"] for s in summaries) + " |")
    print("|---|" + "---|" * len(summaries))
    for key in list(summaries[0])[1:]:
        print(f"| {key} | " + " | ".join(s[key] for s in summaries) + " |")


if __name__ == "__main__":
    main()
