"""The schema of a training run: what each key means, its unit and its allowed range.

Defaults live in ``conf/``, beside their sources; a field here has none. Sections check values and
combinations. What is validated with the context ``check_files`` comes from the command line: files and
folders are checked too, and keys of earlier versions are refused. Without, it was stored by a run.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from tem_vae.config.fields import OneKind, RunDirectory, Section, checks_files
from tem_vae.config.model import ModelConfig
from tem_vae.config.plugins import Roots
from tem_vae.config.simulated import SimulatedConfig
from tem_vae.config.walks import WalksConfig
from tem_vae.runs.checkpoint import check_whole
from tem_vae.runs.folder import RunFolder


def _simulated_by_default(values: object) -> object:
    """Until walks could be recorded, nothing said that they were simulated."""
    return {"kind": "simulated"} | values if isinstance(values, dict) and "kind" not in values else values


DataConfig = Annotated[
    SimulatedConfig | WalksConfig,
    Field(discriminator="kind"),
    OneKind(),
    BeforeValidator(_simulated_by_default),
]

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
    belief_from: Annotated[float, Field(ge=0, le=1)] = Field(
        description="Share of the updates after which a model with doubts is trained on what may have "
        "happened, drawn from its belief, instead of what was recorded."
    )
    belief_every: int = Field(
        ge=1, description="How many updates a belief serves: they draw paths from it, on the same walks."
    )

    @classmethod
    def convert_stored(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Version 0.1.0 had no doubts, and let path integration wait, which no trained model depends on."""
        values = {"belief_from": 1.0, "belief_every": 1} | values
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
    val_check_interval: int = Field(
        ge=1, description="Updates from one validation to the next; the last update is validated in any case."
    )
    log_every_n_steps: int = Field(ge=1, description="Updates from one logged value to the next.")
    checkpoint_interval: int = Field(ge=1, description="Updates from one save of last.ckpt to the next.")
    threads: int = Field(ge=1, description="CPU threads of torch.")


class LoggerConfig(Section):
    """Where scalars go besides history.csv."""

    kind: Literal["wandb", "csv", "none"] = Field(description="wandb, Lightning's CSV logger, or neither.")
    offline: bool = Field(
        description="Keep the wandb run on disk; `wandb sync RUN_DIR/wandb/offline-run-*` uploads it later."
    )
    project: str = Field(min_length=1, description="The wandb project.")
    group: str | None = Field(description="Of the wandb run; by default the sweep that it is a job of.")
    tags: list[str] = Field(description="Of the wandb run.")
    images_every: int = Field(ge=1, description="Updates from one set of figures in wandb to the next.")
    artifact: bool = Field(
        description="Add the best checkpoint and metrics.json to the wandb run, as an artifact."
    )

    @classmethod
    def convert_stored(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Earlier runs had no artifacts."""
        return {"artifact": False} | values


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

    data: DataConfig = Field(description="Where walks and their percepts come from.")
    model: ModelConfig = Field(description="The TEM VAE.")
    optimizer: OptimizerConfig = Field(description="How weights are updated.")
    trainer: TrainerConfig = Field(description="How long, where and how precisely.")
    logger: LoggerConfig = Field(description="Where scalars go.")
    seed: int = Field(ge=0, le=2**32 - 1, description="Decides weights, training worlds and noise.")
    run_dir: RunDirectory | None = Field(
        description="Where the run is written; by default a new folder in runs/."
    )
    plugins: Roots = Field(
        description="Packages of your own that classes may be imported from: see docs/data.md. A checkpoint "
        "keeps their names, and whoever opens it must allow them anew."
    )
    resume: bool = Field(
        description="Continue the run in run_dir from its last checkpoint, as it was configured. The number "
        "of its updates is part of that: to train longer, begin anew."
    )
    objective: Objective = Field(
        description="Validation score by which a sweep compares runs, highest best; what optuna maximises."
    )

    @classmethod
    def convert_stored(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Version 0.1.0 knew no code but its own."""
        return {"plugins": []} | values

    @model_validator(mode="after")
    def _model_fits(self) -> Self:
        model, walks = self.model, self.data.walk_shape
        model.encoder.check(walks, model.code_dim)
        model.decoder.check(walks)
        model.path_integration.count(walks)
        return self

    @model_validator(mode="after")
    def _resume_knows_its_run(self) -> Self:
        if self.resume and self.run_dir is None:
            raise ValueError("resume = true needs run_dir, the directory of the run to continue")
        return self

    @model_validator(mode="after")
    def _every_device_has_a_walk(self, info: ValidationInfo) -> Self:
        devices = self.trainer.devices
        for name, walks in self.data.held_out_walks().items() if checks_files(info) else ():
            if walks < devices:
                raise ValueError(
                    f"data.{name}.walks = {walks} is fewer than trainer.devices = {devices}, "
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
