"""The schema of the model: one section for every kind of every part."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from tem_vae.config.belief import BeliefConfig
from tem_vae.config.fields import OneKind, Section
from tem_vae.config.networks import DecoderConfig, EncoderConfig, WalkShape

# Checked without torch, which takes seconds to import: what is built is imported where it is built.
if TYPE_CHECKING:
    from tem_vae.geometry import Pseudometric
    from tem_vae.model import Integrator, Memory

_WHICH_METRIC = "E is free; or diagonal; a random projection, fixed; or the identity, fixed."

Rank = Annotated[
    int,
    Field(ge=1, description="M, the metric rank: directions of a code that can count; at most code_dim."),
]
Tau = Annotated[
    float, Field(ge=0, description="Tikhonov regulariser, in units of squared singular values of E.")
]
Normalize = Annotated[
    bool,
    Field(description="Fix the gauge of a learned E, ‖E‖_F = √M; else training can undo tau and scale."),
]


class LearnedMetricConfig(Section):
    """A learned E."""

    kind: Literal["learned"] = Field(description=_WHICH_METRIC)
    rank: Rank
    tau: Tau
    normalize: Normalize

    def build(self, code_dim: int) -> "Pseudometric":
        """The pseudometric on codes of so many dimensions."""
        from tem_vae.geometry import Pseudometric

        return Pseudometric(code_dim, self.rank, self.tau, self.normalize)


class DiagonalMetricConfig(Section):
    """A learned E that is diagonal: a weight for every dimension of a code."""

    kind: Literal["diagonal"] = Field(description=_WHICH_METRIC)
    rank: Rank
    tau: Tau
    normalize: Normalize

    def build(self, code_dim: int) -> "Pseudometric":
        """The pseudometric on codes of so many dimensions."""
        from tem_vae.model import diagonal_metric

        return diagonal_metric(code_dim, self.tau, self.normalize)


class RandomMetricConfig(Section):
    """A random projection that stays as it was drawn."""

    kind: Literal["random"] = Field(description=_WHICH_METRIC)
    rank: Rank
    tau: Tau

    def build(self, code_dim: int) -> "Pseudometric":
        """The pseudometric on codes of so many dimensions."""
        from tem_vae.model import random_metric

        return random_metric(code_dim, self.rank, self.tau)


class EuclideanMetricConfig(Section):
    """The identity: all dimensions of a code count the same."""

    kind: Literal["euclidean"] = Field(description=_WHICH_METRIC)
    rank: Rank
    tau: Tau

    def build(self, code_dim: int) -> "Pseudometric":
        """The pseudometric on codes of so many dimensions."""
        from tem_vae.model import euclidean_metric

        return euclidean_metric(code_dim, self.tau)


MetricConfig = Annotated[
    LearnedMetricConfig | DiagonalMetricConfig | RandomMetricConfig | EuclideanMetricConfig,
    Field(discriminator="kind"),
    OneKind(),
]


class NeighborhoodConfig(Section):
    """The posterior neighborhood."""

    scale: float = Field(
        gt=0, description="eps_q, the root mean square of its pseudodistances; fixed in training."
    )


_WHICH_INTEGRATOR = "An angle for every numbered action and circle; or a linear map of real-valued actions."

Channels = Annotated[int, Field(ge=1, le=65_536, description="D, the circles of the torus.")]


class RotationsConfig(Section):
    """Each action rotates every circle of a torus by an angle of its own."""

    kind: Literal["rotations"] = Field(description=_WHICH_INTEGRATOR)
    channels: Channels
    initial_rotation: float = Field(gt=0, description="Deviation of the first draw of Omega, in radians.")

    def build(self, walks: WalkShape) -> "Integrator":
        """The integrator of the actions of such walks, with fresh weights.

        Raises:
            ValueError: Their actions are real-valued.
        """
        from tem_vae.model import PathIntegrator

        return PathIntegrator(self.count(walks), self.channels, self.initial_rotation)

    def count(self, walks: WalkShape) -> int:
        """How many actions there are to rotate by.

        Raises:
            ValueError: The actions are real-valued.
        """
        if walks.n_actions is None:
            raise ValueError(
                "model.path_integration.kind = rotations needs numbered actions, and those of the data are "
                f"vectors of {walks.action_dim} numbers; use model/path_integration=linear"
            )
        return walks.n_actions


class LinearConfig(Section):
    """A real-valued action turns every circle of a torus by a learned linear map of it."""

    kind: Literal["linear"] = Field(description=_WHICH_INTEGRATOR)
    channels: Channels
    initial_scale: float = Field(
        gt=0, description="Deviation of the first draw of W, in radians per unit of an action."
    )

    def build(self, walks: WalkShape) -> "Integrator":
        """The integrator of the actions of such walks, with fresh weights.

        Raises:
            ValueError: Their actions are numbered.
        """
        from tem_vae.model import LinearIntegrator

        return LinearIntegrator(self.count(walks), self.channels, self.initial_scale)

    def count(self, walks: WalkShape) -> int:
        """How many numbers an action has.

        Raises:
            ValueError: The actions are numbered.
        """
        if walks.action_dim is None:
            raise ValueError(
                "model.path_integration.kind = linear needs real-valued actions, and those of the data are "
                f"{walks.n_actions} numbered ones; use model.path_integration.kind=rotations"
            )
        return walks.action_dim


PathIntegrationConfig = Annotated[RotationsConfig | LinearConfig, Field(discriminator="kind"), OneKind()]


class AttentionMemoryConfig(Section):
    """Memories weighted by location."""

    kind: Literal["attention"] = Field(
        description="Memories weighted by location; or one standard normal of E z, without memory."
    )
    initial_precision: float = Field(
        gt=0,
        description="First value of 1/lambda², the factor of squared distances in the location kernel.",
    )
    prototypes: int = Field(
        ge=0,
        le=4_096,
        description="J, learned reference codes: what novel places show, and what is seen at one place; "
        "with 0 only what was seen there.",
    )

    def build(self, code_dim: int, rank: int, scale: float) -> "Memory":
        """The memory of codes, given the metric rank and the scale of the posterior."""
        from tem_vae.model import MemoryPrior

        return MemoryPrior(code_dim, scale, self.initial_precision, self.prototypes)

    @classmethod
    def convert_stored(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Version 0.1.0 knew no prototypes."""
        return {"prototypes": 0} | values


class StandardNormalMemoryConfig(Section):
    """One standard normal of E z, without memory."""

    kind: Literal["standard_normal"] = Field(
        description="Memories weighted by location; or one standard normal of E z, without memory."
    )

    def build(self, code_dim: int, rank: int, scale: float) -> "Memory":
        """The memory of codes, given the metric rank; the scale is 1 here."""
        from tem_vae.model import StandardNormalPrior

        return StandardNormalPrior(code_dim, rank)


MemoryConfig = Annotated[
    AttentionMemoryConfig | StandardNormalMemoryConfig, Field(discriminator="kind"), OneKind()
]


class ModelConfig(Section):
    """The TEM VAE."""

    code_dim: int = Field(ge=1, le=4_096, description="N, the dimension of a code.")
    metric: MetricConfig = Field(description="The pseudometric on codes.")
    neighborhood: NeighborhoodConfig = Field(description="The posterior around a reference code.")
    encoder: EncoderConfig = Field(description="From percepts to codes.")
    decoder: DecoderConfig = Field(description="From embedded codes to percepts.")
    path_integration: PathIntegrationConfig = Field(description="From actions to location codes.")
    memory: MemoryConfig = Field(description="The prior of a step given its past.")
    belief: BeliefConfig = Field(description="Doubts about recorded actions.")

    @classmethod
    def convert_stored(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Version 0.1.0 had one kind of decoder, one of path integration, without names, and no doubts."""
        values = {
            "belief": {
                "hypotheses": 1,
                "slip_rate": 0.02,
                "motion_noise": 0.1,
                "persistence": 0.0,
                "samples": 16,
            }
        } | values
        had = {
            "decoder": {"kind": "mlp", "likelihood": "gaussian", "learn_noise": False},
            "path_integration": {"kind": "rotations"},
        }
        return values | {
            name: before | values[name] for name, before in had.items() if isinstance(values.get(name), dict)
        }

    @model_validator(mode="after")
    def _belief_has_memories(self) -> Self:
        if self.belief.hypotheses > 1 and self.memory.kind != "attention":
            raise ValueError(
                f"belief.hypotheses = {self.belief.hypotheses} are weighed by what their memories foresee, "
                f"and memory.kind = {self.memory.kind} foresees nothing; use belief.hypotheses=1"
            )
        return self

    @model_validator(mode="after")
    def _rank_fits(self) -> Self:
        if self.metric.rank > self.code_dim:
            raise ValueError(
                f"metric.rank = {self.metric.rank} exceeds code_dim = {self.code_dim}; "
                "a pseudometric has at most as many directions as a code has dimensions"
            )
        if self.metric.kind in ("diagonal", "euclidean") and self.metric.rank != self.code_dim:
            raise ValueError(
                f"metric.rank = {self.metric.rank} must equal code_dim = {self.code_dim} where metric.kind "
                f"is {self.metric.kind}: its E is square"
            )
        return self
