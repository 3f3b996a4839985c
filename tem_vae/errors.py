"""Errors that are the user's to mend; importing them loads nothing else."""


class ConfigurationError(ValueError):
    """The configuration is wrong; the message lists every problem."""


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why."""
