"""The schema of a measurement of what a belief is worth; defaults are in conf/doubts.yaml."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from tem_vae.config.belief import EvaluationBeliefConfig
from tem_vae.config.evaluation import EvaluationDataConfig
from tem_vae.config.fields import Section

PathTo = Annotated[Path, BeforeValidator(lambda value: Path(value))]


class DoubtsConfig(Section):
    """A trained model on walks of which some recorded actions are wrong, beside agents."""

    checkpoint: PathTo = Field(description="A .ckpt file or the directory of a run.")
    name: Annotated[str, StringConstraints(pattern=r"^\w+$")] = Field(
        description="Of the table; measurements of one name are its columns."
    )
    data: EvaluationDataConfig = Field(description="What to measure on.")
    belief: EvaluationBeliefConfig = Field(description="Doubts about recorded actions.")
    filter: bool = Field(description="Follow as many hypotheses of an agent that knows the geometry, too.")
    out: PathTo = Field(description="Folder of results, tables and figures.")
    threads: int = Field(ge=1, description="CPU threads of torch.")
