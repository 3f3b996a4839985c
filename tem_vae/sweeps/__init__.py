"""Sweeps: what their jobs are, what came of them, and how they are watched."""
