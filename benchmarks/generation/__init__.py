"""Generation: this loop beside the ones people use, free and constrained. `python -m benchmarks.generation --help`."""
