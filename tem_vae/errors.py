"""Errors for people: what was wrong with what they gave; importing them loads nothing else."""


class ConfigurationError(ValueError):
    """The configuration is wrong; the message lists every problem."""


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why."""


class FolderGoneError(RuntimeError):
    """The folder that a run writes to was removed or moved; the message says which."""
