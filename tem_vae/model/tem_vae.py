"""The TEM VAE: encoder, pseudometric, path integration, memory prior and decoder as one generative model."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tem_vae.geometry import Neighborhood, Pseudometric
from tem_vae.geometry.precision import matmul
from tem_vae.model.belief import Belief, BeliefTrace
from tem_vae.model.checks import check_doubts, check_percept_values, check_percepts, check_tensor, check_walks
from tem_vae.model.elbo import ElboTerms
from tem_vae.model.parts import Decoder, Encoder, Integrator, Memory, Prior
from tem_vae.model.path_integration import PathIntegrator
from tem_vae.model.prediction import Prediction
from tem_vae.model.slips import ActionSlips
from tem_vae.model.standardizer import Standardizer
from tem_vae.model.walk_prior import WalkPrior

# Of a percept, for a belief that nothing was configured of.
_SAMPLES = 16


@dataclass(frozen=True)
class Inference:
    """One pass of the model over a batch of walks, all with one factorisation of E.

    Attributes:
        posterior: q(z_t | x_t), batch shape (batch, time), centered on the reference codes.
        prior: p(z_t | past), batch shape (batch, time).
        seen: False at the steps whose percept is missing, (batch, time). Their code is that of zeros: it is
            not remembered, and means nothing.
        belief: What was believed about what happened; None where recorded actions are taken for it.
    """

    posterior: Neighborhood
    prior: Prior
    seen: Tensor
    belief: BeliefTrace | None = None

    @property
    def codes(self) -> Tensor:
        """The reference codes of the percepts, (batch, time, N)."""
        return self.posterior.center

    @property
    def embedding(self) -> Tensor:
        """E, (M, N)."""
        return self.posterior.factorization.embedding


class TemVae(nn.Module):
    """A Tolman-Eichenbaum Machine as a variational autoencoder on pseudometric neighborhoods.

    `infer` passes over a batch of walks once. What one wants to know of it is computed from the result:
    `bound`, `expect`, `decode_posterior`. `elbo`, `predict` and `reconstruct` do both for one purpose.

    Args:
        encoder: From percepts to codes.
        metric: The pseudometric on codes, in a fixed gauge (``normalize=True``), else training could
            undo tau and scale.
        integrator: From actions to location codes.
        memory: The prior of a step given its past.
        decoder: From embedded codes to percepts.
        scale: eps_q, the scale of the posterior neighborhood, in units of the pseudometric.
        standardizer: From percepts as they are given to those that encoder and decoder know; None where they
            are given standardised. With it predictions are in the unit of the percepts, and the terms of the
            bound are densities of standardised percepts all the same.
        belief: What is believed about where a walk is, outside of training; None where recorded actions are
            what happened.
    """

    def __init__(
        self,
        encoder: Encoder,
        metric: Pseudometric,
        integrator: Integrator,
        memory: Memory,
        decoder: Decoder,
        scale: float,
        standardizer: Standardizer | None = None,
        belief: Belief | None = None,
    ) -> None:
        super().__init__()
        self.belief = belief
        self.encoder = encoder
        self.metric = metric
        self.integrator = integrator
        self.memory = memory
        self.decoder = decoder
        self.scale = scale
        self.standardizer = standardizer

    def infer(self, percepts: Tensor, actions: Tensor) -> Inference:
        """Posterior and prior of every step of the walks.

        A percept with a NaN in it is missing: the step moves, and is not remembered.

        Args:
            percepts: (batch, time, *percept_shape), in the dtype of the model, or bytes, which stand for
                numbers in [0, 1].
            actions: (batch, time - 1) or (batch, time - 1, A). Their values are not read here: that would
                make every training update wait for the device.

        Raises:
            ValueError: Shapes or dtypes do not fit.
        """
        self.check_percepts(percepts)
        check_walks(percepts, actions, self.encoder.percept_shape)
        self.integrator.check_kind(actions)
        locations = self.integrator(actions)
        factorization = self.metric.factorize()
        codes, seen = self.encode(percepts)
        posterior = Neighborhood(codes, self.scale, factorization, validate_args=False)
        inference = Inference(posterior, self.memory(locations, codes, factorization, seen), seen)
        if self.belief is None or self.training:
            return inference
        return self._with_belief(self.belief, percepts, actions, inference)

    @torch.no_grad()
    def believe(self, belief: Belief, percepts: Tensor, actions: Tensor, inference: Inference) -> BeliefTrace:
        """What is believed along walks.

        Args:
            belief: How.
            percepts: Those that were inferred from, (batch, time, *percept_shape).
            actions: Those that were recorded, (batch, time - 1).
            inference: Of the walks if every recorded action happened.

        Raises:
            ValueError: The memory has no weights, and so cannot say where a walk may be.
        """
        told = inference.belief.prior.told if inference.belief else inference.prior
        if not isinstance(told, WalkPrior):
            raise ValueError(  # noqa: TRY004  nobody gave it
                "a belief weighs hypotheses by their memories, and this model has no memory"
            )
        posterior = inference.posterior
        z, u = posterior.rsample_with_u((belief.samples,))
        log_posterior = torch.where(inference.seen, posterior.log_prob(z, u=u), 0)
        log_ratios = self._reconstruction(percepts, inference, z) - log_posterior
        whitened = posterior.whiten_noise(u)
        trace: BeliefTrace = belief(actions, self.integrator, self.memory, told, whitened, log_ratios)
        return trace

    def doubt(self, hypotheses: int | None, slip_rate: float | None) -> Belief:
        """A belief for this model, with what it learned of slips unless a rate is given.

        Args:
            hypotheses: K; None for as many as the model follows.
            slip_rate: The share of recorded actions that are replaced by any; None for what was learned.

        Raises:
            ValueError: Actions are real-valued, something is None and the model learned nothing of slips, or
                a number is out of its range.
        """
        own = self.belief
        check_doubts(hypotheses, slip_rate)
        if own is None and (hypotheses is None or slip_rate is None):
            raise ValueError(
                "the model takes recorded actions for what happened; say how many hypotheses to follow, and "
                "what share of the actions may be wrong, as in hypotheses=64, slip_rate=0.05"
            )
        if not isinstance(self.integrator, PathIntegrator):
            raise ValueError(  # noqa: TRY004  nobody gave it
                "only numbered actions can be doubted, and those of this model are real-valued"
            )
        if slip_rate is not None:
            slips = ActionSlips(len(self.integrator.rotations), slip_rate).to(self.metric.weight)
        elif own is not None:
            slips = own.slips
        return Belief(slips, hypotheses or (own.hypotheses if own else 1), own.samples if own else _SAMPLES)

    def _with_belief(
        self, belief: Belief, percepts: Tensor, actions: Tensor, inference: Inference
    ) -> Inference:
        trace = self.believe(belief, percepts, actions, inference)
        return Inference(inference.posterior, trace.prior, inference.seen, trace)

    def beginning(self, inference: Inference, steps: int) -> Inference:
        """The same of the first steps of every walk: no step depends on a later one."""
        codes, factorization = inference.codes[:, :steps], inference.posterior.factorization
        posterior = Neighborhood(codes, self.scale, factorization, validate_args=False)
        return Inference(posterior, inference.prior.beginning(steps), inference.seen[:, :steps])

    def bound(self, percepts: Tensor, inference: Inference) -> ElboTerms:
        """The bound from one posterior sample a step, terms of shape (batch, time).

        Args:
            percepts: Those that were inferred from.
            inference: From `infer`.
        """
        return self.evaluate_sample(percepts, inference, *inference.posterior.rsample_with_u())

    def evaluate_sample(self, percepts: Tensor, inference: Inference, z: Tensor, u: Tensor) -> ElboTerms:
        """The terms of the bound at posterior samples, (*samples, batch, time); 0 where a percept is missing.

        Args:
            percepts: (batch, time, *percept_shape); those that were inferred from.
            inference: The posterior that the samples come from, and the prior to compare with.
            z: Samples, (*samples, batch, time, N).
            u: The noise they were made from, (*samples, batch, time, M).
        """
        log_prior = inference.prior.log_prob_whitened(inference.posterior.whiten_noise(u))
        return ElboTerms(
            reconstruction=self._reconstruction(percepts, inference, z),
            log_prior=torch.where(inference.seen, log_prior, 0),
            log_posterior=torch.where(inference.seen, inference.posterior.log_prob(z, u=u), 0),
        )

    def _reconstruction(self, percepts: Tensor, inference: Inference, z: Tensor) -> Tensor:
        """Log p(x_t | z_t), nats, (*samples, batch, time); 0 where a percept is missing."""
        percepts = _zeros_unless(inference.seen, self.standardise(percepts))
        log_prob = self.decoder.log_prob(percepts, self.embed(z, inference.embedding))
        return torch.where(inference.seen, log_prob, 0)

    @torch.no_grad()
    def expect(self, inference: Inference) -> Prediction:
        """What memory leads one to expect at every step, before its percept is seen."""
        prior = inference.prior
        percepts = self.decode(self.embed(prior.mode, inference.embedding))
        return Prediction(prior, prior.novelty, percepts, inference.belief)

    @torch.no_grad()
    def decode_posterior(self, inference: Inference) -> Tensor:
        """The decoded posterior mean, (batch, time, *percept_shape): what is left after the pseudometric."""
        return self.decode(self.embed(inference.codes, inference.embedding))

    def elbo(self, percepts: Tensor, actions: Tensor) -> ElboTerms:
        """`bound` of walks given as `infer` takes them.

        Raises:
            ValueError: Shapes or dtypes do not fit.
        """
        return self.bound(percepts, self.infer(percepts, actions))

    @torch.no_grad()
    def predict(
        self,
        percepts: Tensor,
        actions: Tensor,
        *,
        hypotheses: int | None = None,
        slip_rate: float | None = None,
    ) -> Prediction:
        """`expect` of walks given as `infer` takes them; only earlier percepts are used at each step.

        Args:
            percepts: (batch, time, *percept_shape).
            actions: (batch, time - 1) or (batch, time - 1, A).
            hypotheses: How many ways in which a walk may have gone to follow at once, at least 2; None as the
                model does.
            slip_rate: The share of recorded actions that are not what happened; None for what was learned.

        Raises:
            ValueError: Shapes or dtypes do not fit, there is no such action, a percept is infinite, or
                actions cannot be doubted.
        """
        check_tensor("percepts", percepts)
        check_tensor("actions", actions)
        self.integrator.check_kind(actions)
        self.integrator.check_values(actions)
        inference = self.infer(percepts, actions)
        check_percept_values(percepts)
        if hypotheses is not None or slip_rate is not None:
            belief = self.doubt(hypotheses, slip_rate)
            inference = self._with_belief(belief, percepts, actions, inference)
        return self.expect(inference)

    @torch.no_grad()
    def reconstruct(self, percepts: Tensor) -> Tensor:
        """The decoded codes of percepts that belong to no walk, (*, *percept_shape).

        Args:
            percepts: (*, *percept_shape), in the dtype of the model; one that is missing is taken for an
                average one.

        Raises:
            ValueError: Shape or dtype does not fit.
        """
        self.check_percepts(percepts)
        return self.decode(self.embed(self.encode(percepts)[0], self.metric.E))

    def check_percepts(self, percepts: Tensor) -> None:
        """Check that the model can read percepts, (*, *percept_shape).

        Raises:
            ValueError: Shape or dtype does not fit.
        """
        check_percepts(percepts, self.encoder.percept_shape, self.metric.weight.dtype)

    def encode(self, percepts: Tensor) -> tuple[Tensor, Tensor]:
        """The reference codes of percepts, (*, N), and which of them are not missing, (*).

        Args:
            percepts: (*, *percept_shape); one with a NaN in it is missing, and its code is that of zeros.
        """
        seen = ~percepts.isnan().flatten(-len(self.encoder.percept_shape)).any(dim=-1)
        return self.encoder(_zeros_unless(seen, self.standardise(percepts))), seen

    def standardise(self, percepts: Tensor) -> Tensor:
        """Percepts as encoder and decoder know them, (*, *percept_shape); bytes are scaled to [0, 1]."""
        if percepts.dtype == torch.uint8:
            percepts = percepts.to(self.metric.weight.dtype) / 255
        return percepts if self.standardizer is None else self.standardizer(percepts)

    def decode(self, embedded: Tensor) -> Tensor:
        """Expected percepts in the unit of those that are given, (*, M) -> (*, *percept_shape)."""
        percepts = self.decoder(embedded)
        return percepts if self.standardizer is None else self.standardizer.undo(percepts)

    def embed(self, z: Tensor, embedding: Tensor) -> Tensor:
        """E z, (*, N) -> (*, M): all that the decoder may read of a code."""
        return matmul(z, embedding.mT)


def _zeros_unless(seen: Tensor, percepts: Tensor) -> Tensor:
    """Percepts, (*, *percept_shape), with zeros for those that are missing; seen has shape (*)."""
    missing = ~seen.reshape(*seen.shape, *(1,) * (percepts.ndim - seen.ndim))
    return percepts.masked_fill(missing, 0)
