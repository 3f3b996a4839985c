"""What models are compared on: the walks of training, those of several tests, and what others published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Published(NamedTuple):
    """A figure that others report of nearly the same test.

    Attributes:
        test: Which of the task's tests.
        model: The row that it stands in: a model of the catalogue, or what they call one that is not in it.
        revisit: Accuracy at revisits, %.
        source: Where it stands.
    """

    test: str
    model: str
    revisit: str
    source: str


@dataclass(frozen=True)
class Task:
    """A task.

    Attributes:
        title: For tables.
        walks: Overrides of ``scripts/train.py`` that describe the walks of training and validation.
        tests: By name, further overrides that describe the walks of a test.
        recipe: Overrides that describe other walks of training, for those who are trained on them; none where
            there are none.
        searched_as: The task whose search decides the settings here, too.
        published: What others report.
        needs: The command that records the walks; None where they are drawn.
        scores: Those that its tables show.
    """

    title: str
    walks: Sequence[str]
    tests: Mapping[str, Sequence[str]]
    recipe: Sequence[str] = ()
    searched_as: str | None = None
    published: Sequence[Published] = ()
    needs: str | None = None
    scores: Sequence[str] = ("revisit", "zero_shot", "decoded_revisit", "class_nats", "nats")


_REPORT = "PrashRangarajan/mapformer, GSF_FULL_RESULTS.md (three seeds)"
_NOTED = "as docs/benchmarks.md cites it"
# As they are published: runs of 1 to 10 steps, walks of 128.
_SHORT_RUNS = ("data.policy.lengths=[1,10]", "data.policy.distribution=uniform")
_TORUS = (
    "experiment=torus",
    *_SHORT_RUNS,
    "data.walk_length=128",
    "data.batch_size=24",
    "data.validation.walk_length=256",
    "data.validation.walks=16",
)
_RECIPE = (
    "experiment=torus",
    "data.validation.walk_length=256",
    "data.validation.walks=16",
)
# In tests, not in training; only the TEM VAE reads these.
_BELIEF = (
    "model.belief.hypotheses=32",
    "model.belief.slip_rate=0.1",
    "model.belief.persistence=0.8",  # of runs of 1 to 10 steps
)
_TORUS_TESTS = {
    f"{steps} steps": (*_SHORT_RUNS, f"data.test.walk_length={steps}", f"data.test.walks={walks}")
    for steps, walks in ((128, 100), (512, 40), (2048, 8))
}
# Numbers are so much cheaper than pixels that batches are as in a default run, and updates twice as many.
_AS_NUMBERS = ("data.walk_length=200", "data.batch_size=16", "trainer.max_steps=600")

TASKS = {
    "digits": Task("digits, 8 × 8", walks=(), tests={"1,000 steps": ()}),
    "torus": Task(
        "torus, 64 × 64",
        walks=_TORUS,
        tests=_TORUS_TESTS,
        recipe=_RECIPE,
        published=(
            Published("128 steps", "mapformer", "99.2 ± 0.8", _REPORT),
            Published("128 steps", "tem", "100.0 ± 0.0", _REPORT),
            Published("128 steps", "best variant there (Level15)", "100.0 ± 0.0", _REPORT),
            Published("512 steps", "mapformer", "91.2 ± 3.8", _REPORT),
            Published("512 steps", "best variant there (Level15)", "99.2 ± 0.5", _REPORT),
            Published("512 steps", "tem", "95.9 ± 1.6", _REPORT),
            Published("2048 steps", "mapformer", "63.5 to 82.7", _NOTED),
            Published("2048 steps", "best variant there", "88.1", _NOTED),
        ),
    ),
    "torus_slips": Task(
        "torus, 10 % of the recorded actions replaced",
        walks=(*_TORUS, "data.slips=0.1", *_BELIEF),
        tests={name: (*test, "data.slips=0.1") for name, test in _TORUS_TESTS.items()},
        recipe=(*_RECIPE, *_BELIEF),
        searched_as="torus",
        published=(
            Published("128 steps", "mapformer", "75.0 ± 0.7", _REPORT),
            Published("128 steps", "best variant there (Level15NoDrop)", "78.1 ± 1.9", _REPORT),
            Published("128 steps", "tem", "73.7 ± 0.2", _REPORT),
            Published("512 steps", "mapformer", "62.9 ± 3.3", _REPORT),
            Published("512 steps", "tem", "69.6 ± 0.6", _REPORT),
            Published("512 steps", "best variant there (Level15GSF_NoDrop)", "71.7 ± 0.5", _REPORT),
        ),
    ),
    "minigrid": Task(
        "MiniGrid, four rooms, seen as numbers",
        walks=("experiment=minigrid", *_AS_NUMBERS),
        tests={"500 steps": ()},
        needs="python scripts/record_walks.py env=MiniGrid-FourRooms-v0 arguments={max_steps:1000000} "
        "moves=compass walks=240 steps=500 out=rooms.h5",
        scores=("decoded_r2", "decoded_r2_at_returns", "nats"),
    ),
    "rat": Task(
        "place cells on paths of rats",
        walks=("experiment=rat",),
        tests={"600 steps": ()},
        needs="python scripts/make_rat_walks.py out=rat.h5",
        scores=("decoded_r2", "decoded_r2_at_returns", "nats"),
    ),
}
