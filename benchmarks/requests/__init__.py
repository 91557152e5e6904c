"""Requests written by hand, as examples that `medcall evaluate` reads; see `written.txt` for how they are written."""
