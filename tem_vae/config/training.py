"""The schema of a training run: what each key means, its unit and its allowed range.

Defaults live in ``conf/``, beside their sources; a field here has none. Sections check values and
combinations. What is validated with the context ``check_files`` comes from the command line: files and
folders are checked too, and keys of earlier versions are refused. Without, it was stored by a run.
"""

import math
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, model_validator

from tem_vae.config.fields import RunDirectory, Section, checks_files
from tem_vae.config.model import ModelConfig, WalkShape
from tem_vae.config.percepts import PerceptsConfig
from tem_vae.config.worlds import PolicyConfig, WorldConfig
from tem_vae.runs.checkpoint import check_whole
from tem_vae.runs.folder import RunFolder
from tem_vae.worlds import ActionMismatchError, check_actions

BlankShare = Annotated[float, Field(ge=0, lt=1)]


class HeldOutConfig(Section):
    """A fixed set of walks in worlds never met in training."""

    world: WorldConfig = Field(description="The worlds; their actions must be among those of training.")
    walk_length: int = Field(
        ge=2, le=100_000, description="Length of a walk, in walk steps, one percept each."
    )
    walks: int = Field(ge=1, le=100_000, description="How many walks, each in a world of its own.")
    seed: int = Field(ge=0, description="Decides worlds and walks; independent of the run's seed.")


class DataConfig(Section):
    """Worlds, walks and percepts."""

    renamed: ClassVar = {"momentum": "policy.momentum"}

    world: WorldConfig = Field(description="The training worlds.")
    percepts: PerceptsConfig = Field(description="Where percepts come from.")
    walk_length: int = Field(ge=2, description="Length of a training walk, in walk steps, one percept each.")
    batch_size: int = Field(ge=1, description="Training walks in an update, each in a new world.")
    lengthen_after: float = Field(
        ge=0, le=1, description="Share of the updates after which walks are twice as long and half as many."
    )
    policy: PolicyConfig = Field(description="How worlds are walked, in training, validation and test.")
    blank: BlankShare = Field(
        description="Share of places that hold the first class, and no other place does; 0 sets none apart."
    )
    num_workers: int = Field(ge=0, description="Processes that prepare batches; changes no result.")
    validation: HeldOutConfig = Field(description="The walks that choose the best checkpoint.")
    test: HeldOutConfig = Field(description="The walks of the closing table.")

    @model_validator(mode="before")
    @classmethod
    def _convert_stored(cls, values: Any, info: ValidationInfo) -> Any:
        """Version 0.1.0 had one kind of walker, ``momentum``, and no blank places."""
        if not isinstance(values, dict) or checks_files(info) or "momentum" not in values:
            return values
        policy = {"kind": "momentum", "momentum": values["momentum"]}
        others = {name: value for name, value in values.items() if name != "momentum"}
        return {"policy": policy, "blank": 0.0} | others

    @property
    def walk_shape(self) -> WalkShape:
        """What a model must know of these walks."""
        return WalkShape(
            self.percepts.percept_shape, len(self.world.actions), action_dim=None, standardize=False
        )

    @model_validator(mode="after")
    def _actions_are_known(self) -> Self:
        for name, held_out in (("validation", self.validation), ("test", self.test)):
            try:
                check_actions(held_out.world.actions, known=self.world.actions)
            except ActionMismatchError as error:
                raise ValueError(f"{name}.world: {error}") from None
        return self


# A key of version 0.1.0: its checkpoints load, its unfinished runs cannot continue.
DROPPED_KEY = "path_integration_delay"


class OptimizerConfig(Section):
    """AdamW with linear warm-up and a cosine schedule that ends at 0."""

    learning_rate: float = Field(gt=0, description="Peak rate of all but path integration, in AdamW's units.")
    path_integration_factor: float = Field(
        gt=0, description="Rate of path integration, as a multiple of learning_rate."
    )
    weight_decay: float = Field(
        ge=0, description="Decoupled weight decay of all but path integration, a factor of learning_rate."
    )
    warmup_updates: int = Field(ge=0, description="Updates over which rates rise from 0 to their peak.")
    initial_forgetting: float = Field(
        ge=0, description="Nats of weight that a memory loses a step of age, in training."
    )
    forgetting_until: Annotated[float, Field(ge=0, le=1)] | None = Field(
        description="Share of the updates at which forgetting has faded to 0; null: it stays."
    )

    @model_validator(mode="before")
    @classmethod
    def _convert_stored(cls, values: Any, info: ValidationInfo) -> Any:
        """Version 0.1.0 let path integration wait, which no trained model depends on."""
        if not isinstance(values, dict) or checks_files(info):
            return values
        return {name: value for name, value in values.items() if name != DROPPED_KEY}


class TrainerConfig(Section):
    """Arguments of the Lightning trainer."""

    max_steps: int = Field(ge=0, description="How long a run is, in updates.")
    accelerator: Literal["cpu", "gpu", "cuda", "mps", "auto"] = Field(description="Lightning accelerator.")
    devices: int = Field(ge=1, description="Processes that train in parallel, one a device.")
    precision: Literal["32-true", "64-true", "bf16-mixed"] = Field(
        description="Of the network; the geometry is in float32 or better whatever it says."
    )
    gradient_clip_val: float = Field(
        gt=0, description="Largest norm of the gradient of the bound, which is in nats per percept."
    )
    val_check_interval: int = Field(ge=1, description="Updates from one validation to the next.")
    log_every_n_steps: int = Field(ge=1, description="Updates from one logged value to the next.")
    checkpoint_interval: int = Field(ge=1, description="Updates from one save of last.ckpt to the next.")
    threads: int = Field(ge=1, description="CPU threads of torch.")


class LoggerConfig(Section):
    """Where scalars go besides history.csv."""

    kind: Literal["wandb", "csv", "none"] = Field(description="wandb, Lightning's CSV logger, or neither.")
    offline: bool = Field(description="Keep the wandb run on disk; `wandb sync` uploads it later.")
    project: str = Field(min_length=1, description="The wandb project.")
    group: str | None = Field(description="Of the wandb run; by default the sweep that it is a job of.")
    tags: list[str] = Field(description="Of the wandb run.")
    images_every: int = Field(ge=1, description="Updates from one set of figures in wandb to the next.")


# Scores of test walks are left out: they would no longer test.
Objective = Literal[
    "prediction/zero_shot_accuracy",
    "prediction/revisit_accuracy",
    "prediction/decoded_zero_shot_accuracy",
    "prediction/decoded_revisit_accuracy",
    "prediction/novelty_auroc",
    "elbo/validation_elbo",
    "elbo/validation_reconstruction",
]


class TrainConfig(Section):
    """A training run."""

    data: DataConfig = Field(description="Worlds, walks and percepts.")
    model: ModelConfig = Field(description="The TEM VAE.")
    optimizer: OptimizerConfig = Field(description="How weights are updated.")
    trainer: TrainerConfig = Field(description="How long, where and how precisely.")
    logger: LoggerConfig = Field(description="Where scalars go.")
    seed: int = Field(ge=0, le=2**32 - 1, description="Decides weights, training worlds and noise.")
    run_dir: RunDirectory | None = Field(
        description="Where the run is written; by default a new folder in runs/."
    )
    resume: bool = Field(
        description="Continue the run in run_dir from its last checkpoint, as it was configured. The number "
        "of its updates is part of that: to train longer, begin anew."
    )
    objective: Objective = Field(
        description="Validation score by which a sweep compares runs, highest best; what optuna maximises."
    )

    @model_validator(mode="after")
    def _codes_fit(self) -> Self:
        model, walks = self.model, self.data.walk_shape
        percept_dim = math.prod(walks.percept_shape)
        if model.encoder.kind == "identity" and model.code_dim != percept_dim:
            raise ValueError(
                f"model.code_dim = {model.code_dim} must equal the {percept_dim} features of a percept where "
                "model.encoder.kind is identity"
            )
        if self.resume and self.run_dir is None:
            raise ValueError("resume = true needs run_dir, the directory of the run to continue")
        return self

    @model_validator(mode="after")
    def _actions_fit(self) -> Self:
        self.model.path_integration.count(self.data.walk_shape)
        return self

    @model_validator(mode="after")
    def _every_device_has_a_walk(self, info: ValidationInfo) -> Self:
        devices = self.trainer.devices
        for name, held_out in (("validation", self.data.validation), ("test", self.data.test)):
            if checks_files(info) and held_out.walks < devices:
                raise ValueError(
                    f"data.{name}.walks = {held_out.walks} is fewer than trainer.devices = {devices}, "
                    "and each device needs a walk; use more walks or fewer devices"
                )
        return self

    @model_validator(mode="after")
    def _run_dir_suits(self, info: ValidationInfo) -> Self:
        if self.run_dir is None or not checks_files(info):
            return self
        folder = RunFolder(self.run_dir)
        if folder.holds_run and not self.resume:
            raise ValueError(
                f"run_dir = {self.run_dir} holds a run already; continue it with resume=true, or name another"
            )
        if folder.last.exists():
            check_whole(folder.last)
        return self
