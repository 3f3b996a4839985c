"""The part of the schema about the networks: encoders, decoders, and what a percept may be."""

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from tem_vae.config.fields import OneKind, Section

# Checked without torch, which takes seconds to import: what is built is imported where it is built.
if TYPE_CHECKING:
    from tem_vae.model import Decoder, Encoder, Likelihood

_SMALLEST_IMAGE = 8


class WalkShape(NamedTuple):
    """What a model must know of the walks that it is for.

    Attributes:
        percept_shape: (features,), (rows, columns) or (channels, rows, columns).
        n_actions: How many numbered actions there are; None where actions are real-valued.
        action_dim: A, the numbers of a real-valued action; None where actions are numbered.
        standardize: Whether the model is to standardise percepts, by the mean and deviation of the training
            walks.
        raw: Whether encoder and decoder know percepts as they were recorded, which may be in [0, 1];
            standardised ones are not.
    """

    percept_shape: tuple[int, ...]
    n_actions: int | None
    action_dim: int | None
    standardize: bool
    raw: bool


def _is_image(percept_shape: tuple[int, ...]) -> bool:
    """Whether convolutions can read it."""
    return len(percept_shape) > 1 and min(percept_shape[-2:]) >= _SMALLEST_IMAGE


def _check_image(part: str, walks: WalkShape) -> None:
    if not _is_image(walks.percept_shape):
        raise ValueError(
            f"model.{part}.kind = convolutional needs images of {_SMALLEST_IMAGE} pixels or more a side, and "
            f"percepts of the data have the shape {walks.percept_shape}; use model.{part}.kind=mlp"
        )


HiddenDim = Annotated[int, Field(ge=1, le=65_536, description="Units of the hidden layer.")]
Channels = Annotated[
    int,
    Field(
        ge=1,
        le=1_024,
        description="Of images: channels of the first layer; they double as pixels are quartered.",
    ),
]

_WHICH_ENCODER = (
    "By the shape of a percept, convolutions for images and a hidden layer for vectors; or one of them "
    "always; or the percept is its own code."
)


class AutoEncoderConfig(Section):
    """Convolutions for images, one hidden layer for vectors."""

    kind: Literal["auto"] = Field(description=_WHICH_ENCODER)
    hidden_dim: HiddenDim
    channels: Channels

    def check(self, walks: WalkShape, code_dim: int) -> None:
        """It reads percepts of any shape."""

    def build(self, percept_shape: tuple[int, ...], code_dim: int) -> "Encoder":
        """The encoder of such percepts, with fresh weights."""
        if _is_image(percept_shape):
            return _convolutional_encoder(percept_shape, self.channels, self.hidden_dim, code_dim)
        return _mlp_encoder(percept_shape, self.hidden_dim, code_dim)


class MlpEncoderConfig(Section):
    """A network with one hidden layer."""

    kind: Literal["mlp"] = Field(description=_WHICH_ENCODER)
    hidden_dim: HiddenDim

    def check(self, walks: WalkShape, code_dim: int) -> None:
        """It reads percepts of any shape."""

    def build(self, percept_shape: tuple[int, ...], code_dim: int) -> "Encoder":
        """The encoder of such percepts, with fresh weights."""
        return _mlp_encoder(percept_shape, self.hidden_dim, code_dim)


class ConvolutionalEncoderConfig(Section):
    """Convolutions that halve an image until little is left, and a hidden layer."""

    kind: Literal["convolutional"] = Field(description=_WHICH_ENCODER)
    hidden_dim: HiddenDim
    channels: Channels

    def check(self, walks: WalkShape, code_dim: int) -> None:
        """Check that percepts are images.

        Raises:
            ValueError: They are none, or too small.
        """
        _check_image("encoder", walks)

    def build(self, percept_shape: tuple[int, ...], code_dim: int) -> "Encoder":
        """The encoder of such percepts, with fresh weights."""
        return _convolutional_encoder(percept_shape, self.channels, self.hidden_dim, code_dim)


class IdentityEncoderConfig(Section):
    """The percept is its own code."""

    kind: Literal["identity"] = Field(description=_WHICH_ENCODER)

    def check(self, walks: WalkShape, code_dim: int) -> None:
        """Check that a code has as many dimensions as a percept has numbers.

        Raises:
            ValueError: It has not.
        """
        features = 1
        for length in walks.percept_shape:
            features *= length
        if code_dim != features:
            raise ValueError(
                f"model.code_dim = {code_dim} must equal the {features} features of a percept where "
                "model.encoder.kind is identity"
            )

    def build(self, percept_shape: tuple[int, ...], code_dim: int) -> "Encoder":
        """The encoder of such percepts; their codes have as many dimensions."""
        from tem_vae.model import IdentityEncoder

        return IdentityEncoder(percept_shape)


EncoderConfig = Annotated[
    AutoEncoderConfig | MlpEncoderConfig | ConvolutionalEncoderConfig | IdentityEncoderConfig,
    Field(discriminator="kind"),
    OneKind(),
]

_WHICH_DECODER = (
    "By the shape of a percept, convolutions for images and a hidden layer for vectors; or one of them "
    "always."
)


class _DecoderSection(Section):
    """What decoders of all kinds have in common."""

    kind: str
    reads: Literal["embedded", "code"] = Field(
        description="E z; or all of z, which leaks the percept round the bound: for comparison only."
    )
    hidden_dim: HiddenDim
    likelihood: Literal["gaussian", "bernoulli", "continuous_bernoulli"] = Field(
        description="Of the numbers of a percept: of any; or of 0 and 1; or of those in [0, 1], as scaled "
        "bytes are."
    )
    noise: float = Field(
        gt=0,
        description="Deviation of a percept feature under the gaussian, in the unit that the decoder knows: "
        "that of standardised percepts unless they are not standardised.",
    )
    learn_noise: bool = Field(description="Whether noise is only where a learned deviation begins.")

    @model_validator(mode="after")
    def _noise_is_of_a_gaussian(self) -> Self:
        if self.learn_noise and self.likelihood != "gaussian":
            raise ValueError(
                f"learn_noise = true needs likelihood = gaussian, and it is {self.likelihood}, which has no "
                "noise; leave learn_noise out"
            )
        return self

    def check(self, walks: WalkShape) -> None:
        """Check that percepts can have the density asked for.

        Raises:
            ValueError: They are standardised, and so not in [0, 1].
        """
        if self.likelihood == "gaussian" or walks.raw:
            return
        remedy = "use data.standardize=false, or" if walks.standardize else "use"
        raise ValueError(
            f"model.decoder.likelihood = {self.likelihood} needs percepts in [0, 1], and those of the data "
            f"are standardised; {remedy} model.decoder.likelihood=gaussian"
        )

    def build_likelihood(self) -> "Likelihood":
        """The density of a percept."""
        from tem_vae.model import BernoulliLikelihood, ContinuousBernoulliLikelihood, GaussianLikelihood

        match self.likelihood:
            case "gaussian":
                return GaussianLikelihood(self.noise, self.learn_noise)
            case "bernoulli":
                return BernoulliLikelihood()
            case "continuous_bernoulli":
                return ContinuousBernoulliLikelihood()


class MlpDecoderConfig(_DecoderSection):
    """A network with one hidden layer."""

    kind: Literal["mlp"] = Field(description=_WHICH_DECODER)

    def build(self, input_dim: int, percept_shape: tuple[int, ...]) -> "Decoder":
        """The decoder to such percepts, with fresh weights."""
        from tem_vae.model import MlpDecoder

        return MlpDecoder(input_dim, self.hidden_dim, percept_shape, self.build_likelihood())


class ConvolutionalDecoderConfig(_DecoderSection):
    """A hidden layer, and transposed convolutions that double an image."""

    kind: Literal["convolutional"] = Field(description=_WHICH_DECODER)
    channels: Channels

    def check(self, walks: WalkShape) -> None:
        """Check that percepts are images, and can have the density asked for.

        Raises:
            ValueError: They are none, or too small, or standardised where they must be in [0, 1].
        """
        _check_image("decoder", walks)
        super().check(walks)

    def build(self, input_dim: int, percept_shape: tuple[int, ...]) -> "Decoder":
        """The decoder to such percepts, with fresh weights."""
        from tem_vae.model import ConvolutionalDecoder

        likelihood = self.build_likelihood()
        return ConvolutionalDecoder(input_dim, self.channels, self.hidden_dim, percept_shape, likelihood)


class AutoDecoderConfig(_DecoderSection):
    """Transposed convolutions for images, one hidden layer for vectors."""

    kind: Literal["auto"] = Field(description=_WHICH_DECODER)
    channels: Channels

    def build(self, input_dim: int, percept_shape: tuple[int, ...]) -> "Decoder":
        """The decoder to such percepts, with fresh weights."""
        kind = ConvolutionalDecoderConfig if _is_image(percept_shape) else MlpDecoderConfig
        values = {name: getattr(self, name) for name in kind.model_fields if name != "kind"}
        name = "convolutional" if kind is ConvolutionalDecoderConfig else "mlp"
        return kind.model_validate(values | {"kind": name}).build(input_dim, percept_shape)


DecoderConfig = Annotated[
    AutoDecoderConfig | MlpDecoderConfig | ConvolutionalDecoderConfig, Field(discriminator="kind"), OneKind()
]


def _mlp_encoder(percept_shape: tuple[int, ...], hidden_dim: int, code_dim: int) -> "Encoder":
    from tem_vae.model import MlpEncoder

    return MlpEncoder(percept_shape, hidden_dim, code_dim)


def _convolutional_encoder(
    percept_shape: tuple[int, ...], channels: int, hidden_dim: int, code_dim: int
) -> "Encoder":
    from tem_vae.model import ConvolutionalEncoder

    return ConvolutionalEncoder(percept_shape, channels, hidden_dim, code_dim)
