"""The TEM VAE: encoder, pseudometric, path integration, memory prior and decoder as one generative model."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tem_vae.geometry import Neighborhood, NeighborhoodMixture, Pseudometric
from tem_vae.geometry.precision import matmul
from tem_vae.model.checks import check_numbers_of_actions, check_percepts, check_walks
from tem_vae.model.elbo import ElboTerms
from tem_vae.model.parts import Decoder, Encoder, Memory
from tem_vae.model.path_integration import PathIntegrator


class Prediction(NamedTuple):
    """What memory leads one to expect at every step, before its percept is seen.

    Attributes:
        memory_weights: w_ts, (batch, time, time); row t is zero from column t on.
        novelty: w_t0, the weight of the null component, (batch, time).
        percepts: The decoded mode of the memory prior, (batch, time, percept_dim).
    """

    memory_weights: Tensor
    novelty: Tensor
    percepts: Tensor


@dataclass(frozen=True)
class Inference:
    """One pass of the model over a batch of walks, all with one factorisation of E.

    Attributes:
        posterior: q(z_t | x_t), batch shape (batch, time), centered on the reference codes.
        prior: p(z_t | past), batch shape (batch, time).
    """

    posterior: Neighborhood
    prior: NeighborhoodMixture

    @property
    def embedding(self) -> Tensor:
        """E, (M, N)."""
        return self.posterior.factorization.embedding


class TemVae(nn.Module):
    """A Tolman-Eichenbaum Machine as a variational autoencoder on pseudometric neighborhoods.

    Args:
        encoder: From percepts to codes.
        metric: The pseudometric on codes, in a fixed gauge (``normalize=True``), else training could
            undo tau and scale.
        integrator: From actions to location codes.
        memory: The prior of a step given its past.
        decoder: From embedded codes to percepts.
        scale: eps_q, the scale of the posterior neighborhood, in units of the pseudometric.
    """

    def __init__(
        self,
        encoder: Encoder,
        metric: Pseudometric,
        integrator: PathIntegrator,
        memory: Memory,
        decoder: Decoder,
        scale: float,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.metric = metric
        self.integrator = integrator
        self.memory = memory
        self.decoder = decoder
        self.scale = scale

    def elbo(self, percepts: Tensor, actions: Tensor) -> ElboTerms:
        """The bound from one posterior sample a step, terms of shape (batch, time).

        Args:
            percepts: Standardised, (batch, time, percept_dim), in the dtype of the model.
            actions: (batch, time - 1), numbers below that of actions: `predict` checks them, this does not,
                for to read them would make every training update wait for the device.

        Raises:
            ValueError: Shapes or dtypes do not fit.
        """
        self.check_percepts(percepts)
        check_walks(percepts, actions)
        inference = self.infer(percepts, actions)
        return self.evaluate_sample(percepts, inference, *inference.posterior.rsample_with_u())

    def infer(self, percepts: Tensor, actions: Tensor) -> Inference:
        """Posterior and prior of every step of the walks."""
        return self.condition(percepts, self.memory.attend(self.integrator(actions)))

    def condition(self, percepts: Tensor, log_weights: Tensor) -> Inference:
        """Posterior and prior with given memory weights, in nats, (batch, time, 1 + time)."""
        factorization = self.metric.factorize()
        codes = self.encoder(percepts)
        posterior = Neighborhood(codes, self.scale, factorization, validate_args=False)
        return Inference(posterior, self.memory(codes, log_weights, factorization))

    def evaluate_sample(self, percepts: Tensor, inference: Inference, z: Tensor, u: Tensor) -> ElboTerms:
        """The terms of the bound at posterior samples, (*samples, batch, time).

        Args:
            percepts: Standardised, (batch, time, percept_dim).
            inference: The posterior that the samples come from, and the prior to compare with.
            z: Samples, (*samples, batch, time, N).
            u: The noise they were made from, (*samples, batch, time, M).
        """
        return ElboTerms(
            reconstruction=self.decoder.log_prob(percepts, self.visible(z, inference.embedding)),
            log_prior=inference.prior.log_prob(z),
            log_posterior=inference.posterior.log_prob(z, u=u),
        )

    @torch.no_grad()
    def predict(self, percepts: Tensor, actions: Tensor) -> Prediction:
        """What memory leads one to expect at every step, before its percept is seen.

        Args:
            percepts: Standardised, (batch, time, percept_dim), in the dtype of the model; only earlier ones
                are used at each step.
            actions: (batch, time - 1).

        Raises:
            ValueError: Shapes or dtypes do not fit, or there is no such action.
        """
        self.check_percepts(percepts)
        check_walks(percepts, actions)
        check_numbers_of_actions(actions, len(self.integrator.rotations))
        inference = self.infer(percepts, actions)
        weights = inference.prior.log_weights.exp()
        expected = self.decoder(self.visible(inference.prior.mode, inference.embedding))
        return Prediction(weights[..., 1:], weights[..., 0], expected)

    @torch.no_grad()
    def reconstruct(self, percepts: Tensor) -> Tensor:
        """The decoded posterior mean, (*, percept_dim): what is left of a percept after the pseudometric.

        Args:
            percepts: Standardised, (*, percept_dim), in the dtype of the model.

        Raises:
            ValueError: Features or dtype do not fit.
        """
        self.check_percepts(percepts)
        return self.decoder(self.visible(self.encoder(percepts), self.metric.E))

    def check_percepts(self, percepts: Tensor) -> None:
        """Check that the model can read percepts, (*, percept_dim).

        Raises:
            ValueError: Features or dtype do not fit.
        """
        check_percepts(percepts, self.encoder.percept_dim, self.integrator.rotations.dtype)

    def visible(self, z: Tensor, embedding: Tensor) -> Tensor:
        """E z, (*, N) -> (*, M): all that the decoder may read of a code."""
        return matmul(z, embedding.mT)
