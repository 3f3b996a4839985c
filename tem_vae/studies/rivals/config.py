"""The schema of a comparison; defaults are in conf/compare.yaml."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tem_vae.config.fields import Section
from tem_vae.studies.rivals.tasks import TASKS

# Names are checked without torch, which takes seconds to import; a test holds them to the catalogue.
AGENTS = ("knows_places", "knows_links", "majority", "last")
MODELS = (
    *("tem_vae", "tem_vae_recipe", "mapformer", "mapformer_recipe", "transformer", "lstm", "tem", "clones"),
    *AGENTS,
)
ON_A_RECIPE = ("tem_vae_recipe", "mapformer_recipe")
ALL = "all"


def _check_task(task: str) -> str:
    if task not in TASKS:
        raise ValueError(f"must be one of {', '.join(TASKS)}")
    return task


def _list_models(models: object) -> object:
    """All of them, one, or some."""
    if models == ALL:
        return list(MODELS)
    return [models] if isinstance(models, str) else models


def _check_models(models: list[str]) -> list[str]:
    if unknown := [model for model in models if model not in MODELS]:
        raise ValueError(f"{', '.join(unknown)}: must be {ALL}, or some of {', '.join(MODELS)}")
    return models


class CompareConfig(Section):
    """A comparison with other models on the same walks."""

    if_cut_off = "jobs that were done are kept, so repeat the command"

    task: Annotated[str, AfterValidator(_check_task)] = Field(description="What is compared.")
    models: Annotated[
        list[str], BeforeValidator(_list_models), AfterValidator(_check_models), Field(min_length=1)
    ] = Field(description="Who takes part.")
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = Field(
        description="Of training: weights, walks and noise; tests are the same for all."
    )
    budget: float = Field(gt=0, description="CPU-seconds of training, at most, a model and seed.")
    search: float = Field(gt=0, le=1, description="Share of the budget that each setting of a search gets.")
    overrides: list[str] = Field(description="Of scripts/train.py, for all models, behind those of the task.")
    out: Annotated[Path, BeforeValidator(lambda value: Path(value))] = Field(
        description="Folder of results, tables and figures; finished jobs there are not done again."
    )
    threads: int = Field(ge=1, description="CPU threads of torch.")

    @model_validator(mode="after")
    def _walks_are_there(self) -> Self:
        task = TASKS[self.task]
        if task.needs and not any(override.startswith("data.path=") for override in self.overrides):
            raise ValueError(
                f"task = {self.task} needs recorded walks; make them with `{task.needs}`, and name the file: "
                "\"overrides=['data.path=FILE']\""
            )
        return self

    @property
    def taking_part(self) -> Sequence[str]:
        """The models that have a place in the task."""
        return [model for model in self.models if model in taking_part(self.task)]


def taking_part(task: str) -> Sequence[str]:
    """All models that have a place in a task; those trained on a recipe need one."""
    return [model for model in MODELS if model not in ON_A_RECIPE or TASKS[task].recipe]
