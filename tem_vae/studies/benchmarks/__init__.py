"""Measurements of time and memory, each contender beside its rivals in one run."""
