"""The schema of an evaluation: whatever is null stays as it was in the test of the run."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from hydra.core.config_store import ConfigStore
from pydantic import Field, ValidationInfo, model_validator

from tem_vae.config.belief import EvaluationBeliefConfig
from tem_vae.config.changes import ChangesTo, all_null
from tem_vae.config.fields import Checkpoints, RunDirectory, Section, checks_files
from tem_vae.config.percepts import PerceptsConfig
from tem_vae.config.plugins import Roots
from tem_vae.config.recording import SplitBy, WalksPath
from tem_vae.config.simulated import BlankShare, SlipShare
from tem_vae.config.walks import Noise
from tem_vae.config.worlds import PolicyConfig, WorldConfig
from tem_vae.errors import ConfigurationError
from tem_vae.runs.folder import RUNS, RunFolder


class EvaluationSplitConfig(Section):
    """Of recorded walks: which of them are tested on; null keeps the split of the run."""

    by: SplitBy | None = Field(description="Whether worlds are kept together, or each walk is on its own.")
    validation: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        description="Share that is set aside; with null no more than test leaves."
    )
    test: Annotated[float, Field(gt=0, le=1)] | None = Field(
        description="Share that is tested on; 1 takes all walks, of other walks than those of training."
    )
    seed: Annotated[int, Field(ge=0)] | None = Field(description="Decides which.")


class EvaluationDataConfig(Section):
    """What to evaluate on; null keeps what the run was tested on."""

    renamed: ClassVar = {"momentum": "policy.momentum"}

    world: ChangesTo[WorldConfig] = Field(
        description="The worlds; the run must have been trained with all of their actions."
    )
    percepts: ChangesTo[PerceptsConfig] = Field(
        description="Where percepts come from; a percept must have the shape of those of training."
    )
    policy: ChangesTo[PolicyConfig] = Field(description="How worlds are walked.")
    blank: BlankShare | None = Field(description="Share of places that hold the first class.")
    slips: SlipShare | None = Field(description="Share of recorded actions that are replaced.")
    motion_noise: Noise | None = Field(
        description="Deviation of noise that is added to recorded real-valued actions, in their unit."
    )
    path: WalksPath | None = Field(description="Of recorded walks: other ones, with the same actions.")
    split: EvaluationSplitConfig = Field(description="Which recorded walks are tested on.")
    walk_length: Annotated[int, Field(ge=2)] | None = Field(description="Walk steps, counted in percepts.")
    walks: Annotated[int, Field(ge=1)] | None = Field(
        description="How many walks, each in its own world; of recorded walks how many windows, at most."
    )
    seed: Annotated[int, Field(ge=0)] | None = Field(description="Decides worlds and walks.")


# Hydra refuses to override a key that is nowhere: conf/evaluate.yaml begins with this one.
UNCHANGED = "unchanged"
CHANGEABLE: dict[str, type[Section]] = {"data": EvaluationDataConfig, "belief": EvaluationBeliefConfig}
ConfigStore.instance().store(UNCHANGED, {name: all_null(section) for name, section in CHANGEABLE.items()})


class EvaluationLoggerConfig(Section):
    """Where scores go besides metrics.json."""

    kind: Literal["wandb", "none"] = Field(description="A wandb run of each checkpoint, or nothing.")
    offline: bool = Field(
        description="Keep the wandb run on disk; `wandb sync RUN_DIR/wandb/offline-run-*` uploads it later."
    )
    project: str = Field(min_length=1, description="The wandb project.")
    group: str | None = Field(description="Of the wandb run.")
    tags: list[str] = Field(description="Of the wandb run.")


class EvaluateConfig(Section):
    """An evaluation of a trained model."""

    checkpoint: Checkpoints = Field(
        description="A .ckpt file or the directory of a run (its best.ckpt); [A,B] compares several."
    )
    data: EvaluationDataConfig = Field(description="What to evaluate on.")
    plugins: Roots = Field(
        description="Packages that a checkpoint or data may name classes of: look at their code first."
    )
    belief: EvaluationBeliefConfig = Field(description="Doubts about recorded actions.")
    run_dir: RunDirectory | None = Field(
        description="Where metrics.json is written, of several checkpoints each in a folder of its own; "
        "by default a new folder in runs/."
    )
    logger: EvaluationLoggerConfig = Field(description="Where scores go.")
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
