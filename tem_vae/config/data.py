"""What the sections of all sources of walks have in common."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from tem_vae.config.fields import Section
from tem_vae.config.networks import WalkShape

# Checked without torch, which takes seconds to import: what is built is imported where it is built.
if TYPE_CHECKING:
    from tem_vae.data import HeldOutWalks, PerceptSource, WalkSource


class BuiltWalks(NamedTuple):
    """The walks of a run.

    Attributes:
        train: Draws the training batches.
        validation: The walks that choose the best checkpoint.
        test: The walks of the closing table.
    """

    train: "WalkSource"
    validation: "HeldOutWalks"
    test: "HeldOutWalks"


class DataSection(Section, ABC):
    """Where walks come from, and how many make a batch."""

    walk_length: int = Field(ge=2, description="Length of a training walk, in walk steps, one percept each.")
    batch_size: int = Field(ge=1, description="Training walks in an update.")
    lengthen_after: float = Field(
        ge=0, le=1, description="Share of the updates after which walks are twice as long and half as many."
    )
    num_workers: int = Field(ge=0, description="Processes that prepare batches; changes no result.")

    @property
    @abstractmethod
    def walk_shape(self) -> WalkShape:
        """What a model must know of these walks."""

    @property
    @abstractmethod
    def actions(self) -> tuple[str, ...]:
        """The names of the actions, in the order of their numbers; none where actions are vectors."""

    @abstractmethod
    def build(self) -> BuiltWalks:
        """The walks that the section describes.

        Raises:
            ConfigurationError: Recorded walks are not there any more, or are other walks than they were.
        """

    def doubts(self) -> list[str]:
        """What speaks against training on these walks, though it is possible; a sentence or more each."""
        return []

    @abstractmethod
    def build_percepts(self) -> "PerceptSource | None":
        """What draws percepts by class; None where they were recorded."""

    @abstractmethod
    def held_out_walks(self) -> dict[str, int]:
        """How many walks there are for validation and for test."""
