"""The schema of an evaluation: whatever is null stays as it was in the test of the run."""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from tem_vae.config.fields import Checkpoints, RunDirectory, Section, checks_files, tag_of
from tem_vae.config.training import BlankShare
from tem_vae.config.worlds import SizeRange, WorldFile
from tem_vae.errors import ConfigurationError
from tem_vae.runs.folder import RUNS, RunFolder


class Changes(Section):
    """The keys of all kinds of a section; null keeps what the run had, if that is of the same kind."""

    def override(self, tested_on: Section) -> dict[str, Any]:
        """The values of a section, not yet checked: the given one with what is not null here."""
        changes = self.model_dump(exclude_none=True)
        tag, kind = tag_of(type(tested_on))
        return changes if changes.get(tag, kind) != kind else tested_on.model_dump() | changes


class EvaluationWorldConfig(Changes):
    """The worlds of an evaluation; null keeps what the run was tested on, if that is of the same kind."""

    kind: Literal["rectangular", "torus", "obstructed", "hexagonal", "ring", "graph"] | None = Field(
        description="Which kind of world; the run must have been trained with all of its actions."
    )
    height: SizeRange | None = Field(description="Rows, a number or [min, max].")
    width: SizeRange | None = Field(description="Columns, a number or [min, max].")
    obstacles: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        description="Of obstructed worlds: share of cells that are no places."
    )
    walls: Annotated[float, Field(ge=0, le=1)] | None = Field(
        description="Of obstructed worlds: probability of a wall in a spare link."
    )
    radius: SizeRange | None = Field(description="Of hexagonal worlds: links from the center to the border.")
    places: SizeRange | None = Field(description="Of rings: how many places.")
    file: WorldFile | None = Field(description="Of a graph: the JSON file, as docs/worlds.md describes it.")

    def override(self, tested_on: Section) -> dict[str, Any]:
        """The values of a section, not yet checked; another file replaces the graph of the run."""
        values = super().override(tested_on)
        return values | {"graph": None} if self.file else values


class EvaluationPerceptsConfig(Changes):
    """Where the percepts of an evaluation come from; null keeps what the run was trained with."""

    source: Literal["digits", "symbols"] | None = Field(
        description="Which percept source; a percept must have as many features as in training."
    )
    seed: Annotated[int, Field(ge=0)] | None = Field(
        description="Of symbols: another subspace and other prototypes. That of digits cannot change."
    )
    classes: Annotated[int, Field(ge=2)] | None = Field(description="Of symbols: number of prototypes.")
    dim: Annotated[int, Field(ge=1)] | None = Field(description="Of symbols: features of a percept.")
    relevant_dim: Annotated[int, Field(ge=1)] | None = Field(
        description="Of symbols: dimension of the subspace of the prototypes, at most dim."
    )


class EvaluationPolicyConfig(Changes):
    """How worlds are walked; null keeps what the run was trained with."""

    kind: Literal["momentum", "runs"] | None = Field(description="Which kind of walker.")
    momentum: Annotated[float, Field(ge=0, le=1)] | None = Field(
        description="Probability that a walker keeps its direction."
    )
    lengths: SizeRange | None = Field(description="Of runs: how many steps straight on.")


class EvaluationDataConfig(Section):
    """What to evaluate on; null keeps what the run was tested on."""

    renamed: ClassVar = {"momentum": "policy.momentum"}

    world: EvaluationWorldConfig = Field(description="The worlds.")
    percepts: EvaluationPerceptsConfig = Field(description="Where percepts come from.")
    policy: EvaluationPolicyConfig = Field(description="How worlds are walked.")
    blank: BlankShare | None = Field(description="Share of places that hold the first class.")
    walk_length: Annotated[int, Field(ge=2)] | None = Field(description="Walk steps, counted in percepts.")
    walks: Annotated[int, Field(ge=1)] | None = Field(description="How many walks, each in its own world.")
    seed: Annotated[int, Field(ge=0)] | None = Field(description="Decides worlds and walks.")


class EvaluateConfig(Section):
    """An evaluation of a trained model."""

    checkpoint: Checkpoints = Field(
        description="A .ckpt file or the directory of a run (its best.ckpt); [A,B] compares several."
    )
    data: EvaluationDataConfig = Field(description="What to evaluate on.")
    run_dir: RunDirectory | None = Field(
        description="Where metrics.json is written, of several checkpoints each in a folder of its own; "
        "by default a new folder in runs/."
    )
    report: bool = Field(description="Draw every figure: report/index.html in the folder of metrics.json.")
    threads: int = Field(ge=1, description="CPU threads of torch.")

    @model_validator(mode="after")
    def _run_dir_is_no_run(self, info: ValidationInfo) -> Self:
        if checks_files(info):
            check_outside_runs(self.run_dir or Path(RUNS))
        return self


def check_outside_runs(folder: Path) -> None:
    """Check that an evaluation may write to a folder: what a training run left must stay as it is.

    Raises:
        ConfigurationError: The folder is a training run, or lies in one.
    """
    if run := RunFolder.around(folder):
        raise ConfigurationError(
            f"run_dir = {folder} is or lies in the training run {run.path}, whose files an evaluation must "
            "not overwrite; name a folder outside of it"
        )
