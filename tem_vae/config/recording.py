"""The part of the schema that says what recorded walks are, and which of them are for what."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from tem_vae.config.fields import Allowed, Section, checks_files

# Checked without torch, which takes seconds to import: what is built is imported where it is built.
if TYPE_CHECKING:
    from tem_vae.data.recorded import Examination, Shares

SplitBy = Literal["world", "walk"]
_Count = Annotated[int, Field(ge=1)]
_Share = Annotated[float, Field(gt=0, lt=1)]


def _check_walks(path: Path, info: ValidationInfo) -> Path:
    if not checks_files(info):
        return path
    examination_of(path)
    return path.absolute()  # so that an evaluation finds it from elsewhere


def examination_of(path: Path) -> "Examination":
    """What was found of recorded walks, which are read once.

    Raises:
        ConfigurationError: They cannot be used; the message lists every problem.
    """
    from tem_vae.data.recorded import examine_once

    return examine_once(path)


WalksPath = Annotated[
    Path, Field(strict=False), AfterValidator(_check_walks), Allowed("path, as docs/data.md describes it")
]


class RecordingConfig(BaseModel):
    """What recorded walks were found to be; a checkpoint keeps it, and so needs no file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    percept_shape: Annotated[tuple[_Count, ...], Field(min_length=1, max_length=3)]
    actions: Annotated[tuple[str, ...], Field(max_length=10_000)]
    action_dim: _Count | None
    opposites: tuple[tuple[int, int], ...]
    n_classes: _Count | None
    fingerprint: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """What the walks of a file are found to be.

        Raises:
            ConfigurationError: They cannot be used; the message lists every problem.
        """
        found = examination_of(path)
        recording, facts = found.recording, found.facts
        actions = tuple(recording.action_names or map(str, range(facts.n_actions or 0)))
        return cls(
            percept_shape=recording.percept_shape,
            actions=() if recording.action_dim else actions,
            action_dim=recording.action_dim,
            opposites=tuple(found.opposites.items()),
            n_classes=facts.n_classes,
            fingerprint=facts.fingerprint,
        )


class SplitConfig(Section):
    """Which walks are for what: whole walks or whole worlds, never single steps."""

    by: SplitBy = Field(
        description="Whether all walks of a world are in one split, or each walk is on its own. A walk whose "
        "world is not known is in one of its own."
    )
    validation: _Share = Field(description="Share of the worlds or walks that are for validation.")
    test: _Share = Field(description="Share of the worlds or walks that are for test.")
    seed: int = Field(ge=0, description="Decides which.")

    @model_validator(mode="after")
    def _leaves_some(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation = {self.validation} and test = {self.test} leave nothing to train on; "
                "together they must be less than 1"
            )
        return self

    def shares(self) -> "Shares":
        """The same, for those who split."""
        from tem_vae.data.recorded import Shares

        return Shares(self.by, self.validation, self.test, self.seed)


class EvaluationShares(SplitConfig):
    """Which recorded walks are tested on, where nothing is left to train on."""

    validation: Annotated[float, Field(ge=0, lt=1)]
    test: Annotated[float, Field(gt=0, le=1)]

    @model_validator(mode="after")
    def _leaves_some(self) -> Self:
        if self.validation + self.test > 1:
            raise ValueError(f"validation = {self.validation} and test = {self.test} are more than all")
        return self


class WindowsConfig(Section):
    """Fixed windows of the walks of a split, which lie end to end."""

    walk_length: int = Field(ge=2, le=1_000_000, description="Length of a window, in walk steps, at most.")
    walks: int = Field(ge=1, le=100_000, description="How many windows, at most.")
    seed: int = Field(ge=0, description="Decides which windows, where there are more.")
