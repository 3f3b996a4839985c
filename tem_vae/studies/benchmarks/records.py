"""The results of the geometry benchmark."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cell:
    """What was timed.

    Attributes:
        job: The name of the job.
        code_dim: Dimension of codes, N.
        rank: Rank of the metric, M.
        direction: "forward", or "forward_backward" with gradients.
        threads: The number of CPU threads.
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
        cell: What was timed.
        contender: The name of the contender.
        seconds: Seconds for one call, the median over rounds.
        ratio: Its time over ours, taken within each round; the median over rounds.
        rounds: The number of rounds.
    """

    cell: Cell
    contender: str
    seconds: float
    ratio: float
    rounds: int


@dataclass(frozen=True)
class Peak:
    """The most memory that one contender held in tensors, without its inputs.

    Attributes:
        job: The name of the job.
        code_dim: Dimension of codes, N.
        rank: Rank of the metric, M.
        direction: "forward", or "forward_backward" with gradients.
        contender: The name of the contender.
        allocated: Bytes.
    """

    job: str
    code_dim: int
    rank: int
    direction: str
    contender: str
    allocated: int


@dataclass(frozen=True)
class Results:
    """All results of one run.

    Attributes:
        machine: The machine, in one line.
        timings: The time of every contender for every cell.
        peaks: The peak memory of every contender for every job and size.
    """

    machine: str
    timings: list[Timing] = field(default_factory=list)
    peaks: list[Peak] = field(default_factory=list)
