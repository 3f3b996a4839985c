"""A run on disk: its paths, its files, and how it is interrupted."""
