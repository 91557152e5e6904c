"""Constrained decoding: this decoder beside the engines people use. `python -m benchmarks.decoding --help`."""
