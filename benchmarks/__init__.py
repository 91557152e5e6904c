"""Measured comparisons. Nothing here is imported by the packages; peers are installed only to be measured."""
