"""The part of the schema about walks that somebody recorded."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NoReturn, Self

from pydantic import Field, ValidationInfo, model_validator

from tem_vae.config.data import BuiltWalks, DataSection
from tem_vae.config.fields import Allowed, checks_files
from tem_vae.config.networks import WalkShape
from tem_vae.config.recording import (
    EvaluationShares,
    RecordingConfig,
    SplitConfig,
    WalksPath,
    WindowsConfig,
    examination_of,
)
from tem_vae.errors import ConfigurationError

# Checked without torch, which takes seconds to import: what is built is imported where it is built.
if TYPE_CHECKING:
    from tem_vae.data import HeldOutWalks
    from tem_vae.data.recorded import RecordedWalks
    from tem_vae.data.source import Split

Noise = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_LARGEST_BATCH = 2**33  # bytes


class WalksConfig(DataSection):
    """Walks that somebody recorded, read from a file by windows."""

    chosen_by: ClassVar[str | None] = "data=walks"

    kind: Literal["walks"] = Field(description="Where walks come from.")
    path: WalksPath = Field(
        description="An HDF5 or .npz file, a folder of .npy files, or of a Minari data set."
    )
    recording: Annotated[RecordingConfig | None, Allowed("what such a file holds, or `null`")] = Field(
        description="What the file says; null reads it."
    )
    standardize: bool = Field(
        description="Whether the model shifts and scales percepts, so that those of the training walks have "
        "mean 0 and deviation 1: each feature of a vector, each channel of an image."
    )
    motion_noise: Noise = Field(
        description="Deviation of normal noise added to every number of real-valued actions, in their unit."
    )
    split: SplitConfig = Field(description="Which walks are for training, validation and test.")
    validation: WindowsConfig = Field(description="The windows that choose the best checkpoint.")
    test: WindowsConfig = Field(description="The windows of the closing table.")

    @model_validator(mode="before")
    @classmethod
    def _without_noise(cls, values: Any) -> Any:
        """Runs of an earlier version added none."""
        return {"motion_noise": 0.0} | values if isinstance(values, dict) else values

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, values: Any, info: ValidationInfo) -> Any:
        """Only where the user's own configuration is checked: what a checkpoint names is never opened."""
        if not isinstance(values, dict) or values.get("recording") is not None or not checks_files(info):
            return values
        try:
            return values | {"recording": RecordingConfig.of(Path(values.get("path", "")))}
        except (ConfigurationError, TypeError):
            return values  # it is said of the path

    @model_validator(mode="after")
    def _can_be_used(self, info: ValidationInfo) -> Self:
        if self.recording is None:
            raise ValueError("recording = null: what the walks are must be known")
        numbers = self.batch_size * self.walk_length
        for length in self.recording.percept_shape:
            numbers *= length
        if 4 * numbers > _LARGEST_BATCH:
            raise ValueError(
                f"a batch of {self.batch_size} walks of {self.walk_length} percepts of shape "
                f"{self.recording.percept_shape} takes {4 * numbers / 2**30:,.0f} GiB, and may take "
                f"{_LARGEST_BATCH // 2**30}; use a smaller batch_size or walk_length"
            )
        if self.motion_noise and not self.found.action_dim:
            raise ValueError(_no_noise(self.motion_noise, self.path))
        if checks_files(info):
            self.build()
        return self

    @property
    def found(self) -> RecordingConfig:
        """What the walks are."""
        assert self.recording is not None
        return self.recording

    @property
    def walk_shape(self) -> WalkShape:
        """What a model must know of these walks."""
        n_actions = None if self.found.action_dim else len(self.actions)
        return WalkShape(
            self.found.percept_shape,
            n_actions,
            self.found.action_dim,
            standardize=self.standardize,
            raw=not self.standardize,
        )

    @property
    def actions(self) -> tuple[str, ...]:
        """The names of the actions, in the order of their numbers; none where actions are vectors."""
        return self.found.actions

    def doubts(self) -> list[str]:
        """That path integration cannot represent the actions, if the walks show it."""
        verdict = examination_of(self.path).verdict
        if verdict.can_be is not False:
            return []
        why = " ".join([*verdict.findings, *verdict.advice])
        return [f"path integration cannot represent the actions of {self.path}. {why}"]

    def build_percepts(self) -> None:
        """Percepts were recorded."""
        return

    def build(self) -> BuiltWalks:
        """The walks that the section describes.

        Raises:
            ConfigurationError: They are not there any more, or are other walks than they were.
        """
        if RecordingConfig.of(self.path) != self.recording:
            _raise_changed(self.path)
        lengths = (self.batch_size, self.walk_length)
        sources = split_sources(self.path, self.split, self.actions, *lengths, self.motion_noise)
        return BuiltWalks(
            sources["train"],
            build_windows(sources["validation"], self.validation),
            build_windows(sources["test"], self.test),
        )

    def held_out_walks(self) -> dict[str, int]:
        """How many windows there are for validation and for test."""
        built = self.build()
        return {"validation": built.validation.walks, "test": built.test.walks}


class EvaluatedWalksConfig(WindowsConfig):
    """Recorded walks to test a model on.

    Attributes:
        path: The file.
        split: Which of its walks.
        motion_noise: Deviation of the noise that is added to actions.
    """

    path: WalksPath
    split: EvaluationShares
    motion_noise: Noise

    def check_replaces(self, trained_on: WalksConfig) -> None:
        """Check that a model can be tested on these walks.

        Args:
            trained_on: The walks that it was trained on.

        Raises:
            ConfigurationError: It cannot; the message says why.
        """
        found, known = RecordingConfig.of(self.path), trained_on.found
        if found.percept_shape != known.percept_shape:
            raise ConfigurationError(
                f"data.path: percepts of {self.path} have the shape {found.percept_shape}, and those of "
                f"training {known.percept_shape}; they must be alike"
            )
        if found.action_dim != known.action_dim or found.actions != known.actions[: len(found.actions)]:
            raise ConfigurationError(
                f"data.path: actions of {self.path} are {_describe_actions(found)}, and those of training "
                f"{_describe_actions(known)}; they must have the same names and numbers"
            )
        if self.motion_noise and not found.action_dim:
            raise ConfigurationError(_no_noise(self.motion_noise, self.path))
        is_same = found.fingerprint == known.fingerprint
        if is_same and self.split.model_dump() != trained_on.split.model_dump():
            raise ConfigurationError(
                "data.split: another split would test on walks that the run was trained on; leave it out, or "
                "name other walks with data.path"
            )
        if self.path == trained_on.path and not is_same:
            _raise_changed(self.path)

    def build(self, actions: Sequence[str]) -> "HeldOutWalks":
        """The windows.

        Args:
            actions: The names of the actions as the model numbers them.
        """
        sources = split_sources(self.path, self.split, actions, 1, self.walk_length, self.motion_noise)
        return build_windows(sources["test"], self)


def _describe_actions(found: RecordingConfig) -> str:
    return f"vectors of {found.action_dim} numbers" if found.action_dim else ", ".join(found.actions)


def _no_noise(noise: float, path: Path) -> str:
    return (
        f"motion_noise = {noise}: it is added to real-valued actions, and those of {path} are numbered; use "
        "data.motion_noise=0, and data.slips of simulated walks for numbered ones"
    )


def _raise_changed(path: Path) -> NoReturn:
    raise ConfigurationError(
        f"{path} holds other walks than it did when the run began: names, lengths or actions have changed; "
        "bring back the old file, or train anew"
    )


def split_sources(
    path: Path,
    split: SplitConfig,
    actions: Sequence[str],
    batch_size: int,
    walk_length: int,
    motion_noise: float,
) -> "dict[Split, RecordedWalks]":
    """The walks of a file as a source for each split."""
    from tem_vae.data.recorded import RecordedWalks, split_walks

    recording, found = examination_of(path).recording, RecordingConfig.of(path)
    walks = split_walks(recording, split.shares())
    return {
        name: RecordedWalks(
            recording=recording,
            walks=of_split,
            split=name,
            batch_size=batch_size,
            walk_length=walk_length,
            actions=actions,
            opposites=dict(found.opposites),
            n_classes=found.n_classes,
            reference_walks=walks["train"],
            motion_noise=motion_noise,
        )
        for name, of_split in walks.items()
    }


def build_windows(source: "RecordedWalks", config: WindowsConfig) -> "HeldOutWalks":
    """Fixed windows of the walks of a source, evaluated as many at once as keeps memory bounded."""
    from tem_vae.data import walks_at_once
    from tem_vae.data.recorded import hold_out

    windows = replace(source, batch_size=1, walk_length=config.walk_length)
    longest = min(config.walk_length, max(map(len, source.walks)))
    return hold_out(windows, config.seed, config.walks, walks_at_once(config.walks, longest))
