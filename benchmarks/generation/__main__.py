"""Compare generation on one machine in one run; a table on stdout.

python -m benchmarks.generation free                                 # greedy, random weights, any text
python -m benchmarks.generation tools sft/ dialogues/                # tool calls by a fine-tuned model

Peers, to be measured only: pip install transformers llguidance xgrammar; llama.cpp: pip install llama-cpp-python gguf,
then --engines transformers,medcall,llama.cpp,llama.cpp-q8
"""

from __future__ import annotations

import argparse
import platform
from datetime import date

import torch

from benchmarks.generation import constrained, free


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    verbs = parser.add_subparsers(required=True)
    free.add(verbs.add_parser("free"))
    constrained.add(verbs.add_parser("tools"))
    args = parser.parse_args()
    about = f"{platform.machine()}, {torch.get_num_threads()} threads, Python {platform.python_version()}"
    print(f"{about}, torch {torch.__version__}, {args.clock} time, {date.today()}\n")
    for n, row in enumerate(args.run(args)):
        if n == 0:
            print("| " + " | ".join(row) + " |")
            print("|" + "---|" * len(row))
        print("| " + " | ".join(row.values()) + " |", flush=True)


if __name__ == "__main__":
    main()
