"""The part of the schema that says what places look like."""

from abc import ABC, abstractmethod
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from tem_vae.config.fields import OneKind, Section, checks_files, tag_of
from tem_vae.config.plugin_trials import try_percepts
from tem_vae.config.plugins import Arguments, Target, import_plugin
from tem_vae.errors import ConfigurationError

# Checked without torch, which takes seconds to import: what is built is imported where it is built.
if TYPE_CHECKING:
    from tem_vae.data import PerceptSource


class PerceptSection(Section, ABC):
    """What the sections of all percept sources have in common."""

    @abstractmethod
    def build(self) -> "PerceptSource":
        """The percept source that the section describes."""

    @property
    def percept_shape(self) -> tuple[int, ...]:
        """The shape of one percept. A source that takes long to build overrides this."""
        return self.build().percept_shape

    def check_replaces(self, trained_on: "PerceptSection") -> None:
        """Check that a model can be tested on these percepts.

        Args:
            trained_on: Where the percepts came from that it was trained on.

        Raises:
            ConfigurationError: It cannot; the message says why.
        """
        if self.percept_shape != trained_on.percept_shape:
            raise ConfigurationError(
                f"data.percepts: a percept of {tag_of(type(self))[1]} has the shape {self.percept_shape}, "
                f"and the run was trained on {tag_of(type(trained_on))[1]}, whose percepts have "
                f"{trained_on.percept_shape}; they must be alike"
            )


class SplitBySeed(PerceptSection):
    """Percepts that a seed splits: another seed would test on what was seen in training."""

    seed: int = Field(ge=0)

    def check_replaces(self, trained_on: PerceptSection) -> None:
        """Check that a model can be tested on these percepts.

        Args:
            trained_on: Where the percepts came from that it was trained on.

        Raises:
            ConfigurationError: They are not split as in training, or are not alike.
        """
        if isinstance(trained_on, type(self)) and self.seed != trained_on.seed:
            raise ConfigurationError(
                f"data.percepts.seed = {self.seed} would show {tag_of(type(self))[1]} that the run was "
                f"trained on: they were split by seed {trained_on.seed}; leave it out"
            )
        super().check_replaces(trained_on)


class DigitsConfig(SplitBySeed):
    """Real handwriting: a class is a digit, each visit shows another image of it."""

    source: Literal["digits"] = Field(description="Which percept source.")
    seed: int = Field(ge=0, description="Decides which images are for training, validation and test.")

    def build(self) -> "PerceptSource":
        """The percept source that the section describes."""
        from tem_vae.data import Digits

        return Digits(self.seed)

    @property
    def percept_shape(self) -> tuple[int, ...]:
        """The shape of one percept: an image of 8 by 8 as a vector."""
        return (64,)


class SentencesConfig(SplitBySeed):
    """Embedded sentences: a class is a concept, each visit shows another paraphrase of it."""

    source: Literal["sentences"] = Field(description="Which percept source. It needs the extra `text`.")
    seed: int = Field(ge=0, description="Decides which wordings are for training, validation and test.")

    def build(self) -> "PerceptSource":
        """The percept source that the section describes."""
        from tem_vae.data import Sentences

        return Sentences(self.seed)

    @property
    def percept_shape(self) -> tuple[int, ...]:
        """The shape of one percept: an embedding."""
        return (256,)

    @field_validator("source")
    @classmethod
    def _can_be_embedded(cls, source: str, info: ValidationInfo) -> str:
        if checks_files(info) and find_spec("wordllama") is None:
            raise ValueError(
                "sentences need wordllama, which is not installed; "
                "install it with: pip install 'tem_vae[text]'"
            )
        return source


class SymbolsConfig(PerceptSection):
    """Prototypes in a relevant subspace, with nuisance dimensions of equal variance."""

    source: Literal["symbols"] = Field(description="Which percept source.")
    seed: int = Field(ge=0, description="Decides the subspace and the prototypes.")
    classes: int = Field(ge=2, le=10_000, description="Number of prototypes.")
    dim: int = Field(ge=1, le=4_096, description="Features of a percept.")
    relevant_dim: int = Field(ge=1, description="Dimension of the subspace of the prototypes, at most dim.")

    def build(self) -> "PerceptSource":
        """The percept source that the section describes."""
        from tem_vae.data import Symbols

        return Symbols(self.classes, self.dim, self.relevant_dim, self.seed)

    @property
    def percept_shape(self) -> tuple[int, ...]:
        """The shape of one percept."""
        return (self.dim,)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.relevant_dim > self.dim:
            raise ValueError(f"relevant_dim = {self.relevant_dim} exceeds dim = {self.dim}; use at most dim")
        return self


class PluginPerceptsConfig(PerceptSection):
    """Percepts of a class of the user's own, which a percept source is: docs/data.md shows one."""

    source: Literal["plugin"] = Field(description="Which percept source.")
    target: Target = Field(description="The class; its package must be among `plugins`.")
    arguments: Arguments = Field(description="Keyword arguments of the class; null: none.")

    _made: "PerceptSource" = PrivateAttr()

    def build(self) -> "PerceptSource":
        """The percept source that the section describes."""
        return self._made

    @model_validator(mode="after")
    def _make(self, info: ValidationInfo) -> Self:
        from tem_vae.data import PerceptSource

        self._made = import_plugin(self.target, self.arguments, PerceptSource, info)
        try_percepts(self.target, self._made)
        return self


PerceptsConfig = Annotated[
    DigitsConfig | SentencesConfig | SymbolsConfig | PluginPerceptsConfig,
    Field(discriminator="source"),
    OneKind(),
]
