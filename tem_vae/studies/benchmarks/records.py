"""What a benchmark found."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cell:
    """What was timed.

    Attributes:
        job: what was done.
        code_dim: N.
        rank: M.
        direction: forward, or forward_backward with gradients.
        threads: of the CPU.
    """

    job: str
    code_dim: int
    rank: int
    direction: str
    threads: int


@dataclass(frozen=True)
class Timing:
    """How long one contender took.

    Attributes:
        cell: what was timed.
        contender: who did it.
        seconds: of a call, median over rounds.
        ratio: how many times longer than ours, median over rounds of the ratio within a round.
        rounds: how many there were.
    """

    cell: Cell
    contender: str
    seconds: float
    ratio: float
    rounds: int


@dataclass(frozen=True)
class Peak:
    """The most memory that one contender held in tensors beyond what it was given.

    Attributes:
        job: what was done.
        code_dim: N.
        rank: M.
        direction: forward, or forward_backward with gradients.
        contender: who did it.
        allocated: bytes.
    """

    job: str
    code_dim: int
    rank: int
    direction: str
    contender: str
    allocated: int


@dataclass(frozen=True)
class Results:
    """Everything of one run.

    Attributes:
        machine: what it ran on.
        timings: every contender at every cell.
        peaks: every contender at every job and size.
    """

    machine: str
    timings: list[Timing] = field(default_factory=list)
    peaks: list[Peak] = field(default_factory=list)
