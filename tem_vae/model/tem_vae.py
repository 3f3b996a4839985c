"""The TEM VAE: encoder, pseudometric, path integration, memory prior and decoder as one generative model."""

import torch
from torch import Tensor, nn

from tem_vae.geometry import Factorization, Neighborhood, Pseudometric
from tem_vae.geometry.precision import matmul
from tem_vae.model.belief import Belief, BeliefTrace, Samples
from tem_vae.model.checks import check_percept_values, check_percepts, check_tensor, check_walks
from tem_vae.model.doubt import doubt
from tem_vae.model.elbo import ElboTerms
from tem_vae.model.hypotheses import Draws
from tem_vae.model.inference import Inference
from tem_vae.model.parts import Decoder, Encoder, Integrator, Memory
from tem_vae.model.prediction import Prediction
from tem_vae.model.standardizer import Standardizer
from tem_vae.model.walk_prior import WalkPrior


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

    def infer(self, percepts: Tensor, actions: Tensor, evenly: bool = True) -> Inference:
        """Posterior and prior of every step of the walks.

        A percept with a NaN in it is missing: the step moves, and is not remembered.

        Args:
            percepts: (batch, time, *percept_shape), in the dtype of the model, or bytes, which stand for
                numbers in [0, 1].
            actions: (batch, time - 1) or (batch, time - 1, A). Their values are not read here: that would
                make every training update wait for the device.
            evenly: Of a model with doubts: as `believe` takes it.

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
        return self._with_belief(self.belief, percepts, actions, inference, evenly)

    def infer_along(self, actions: Tensor, inference: Inference) -> Inference:
        """What is inferred from the same percepts if these actions happened, as `infer` takes them."""
        factorization = inference.posterior.factorization
        prior = self.memory(self.integrator(actions), inference.codes, factorization, inference.seen)
        return Inference(inference.posterior, prior, inference.seen)

    @torch.no_grad()
    def believe(
        self, belief: Belief, percepts: Tensor, actions: Tensor, inference: Inference, evenly: bool = True
    ) -> BeliefTrace:
        """What is believed along walks.

        Args:
            belief: How.
            percepts: Those that were inferred from, (batch, time, *percept_shape).
            actions: Those that were recorded, (batch, time - 1).
            inference: Of the walks if every recorded action happened.
            evenly: Whether more hypotheses are followed where walks begin, as `Hypotheses` has it.

        Raises:
            ValueError: The memory has no weights, and so cannot say where a walk may be.
        """
        told = inference.belief.prior.told if inference.belief else inference.prior
        if not isinstance(told, WalkPrior):
            raise ValueError(  # noqa: TRY004  nobody gave it
                "a belief weighs hypotheses by their memories, and this model has no memory"
            )
        draws, factorization = Draws(percepts.device), inference.posterior.factorization
        samples = (
            self.sample(belief, percepts[:, step], inference.codes[:, step], factorization, draws)
            for step in range(percepts.shape[1])
        )
        trace: BeliefTrace = belief(actions, self.integrator, self.memory, told, samples, draws, evenly)
        return trace

    def sample(
        self, belief: Belief, percepts: Tensor, codes: Tensor, factorization: Factorization, draws: Draws
    ) -> Samples:
        """Posterior samples of the percepts of one step, by which a belief weighs its hypotheses.

        Args:
            belief: How many.
            percepts: (batch, *percept_shape).
            codes: Their reference codes, (batch, N).
            factorization: Of the pseudometric in use.
            draws: Decide which.
        """
        posterior = Neighborhood(codes, self.scale, factorization, validate_args=False)
        u = draws.noise(codes, belief.samples, len(codes), factorization.rank)
        z, seen = codes + self.scale * factorization.spread(u), self.is_seen(percepts)
        reconstruction = self._log_likelihood(percepts, seen, z, factorization.embedding)
        log_posterior = torch.where(seen, posterior.log_prob(z, u=u), 0)
        log_ratios = (reconstruction - log_posterior).mT.to(torch.float64)
        return Samples(posterior.whiten_noise(u).movedim(0, 1), log_ratios)

    def doubt(
        self,
        hypotheses: int | None,
        slip_rate: float | None = None,
        motion_noise: float | None = None,
        persistence: float | None = None,
        recorded: Tensor | None = None,
    ) -> Belief:
        """`tem_vae.model.doubt.doubt` for this model."""
        own = self.belief
        return doubt(self.integrator, own, hypotheses, slip_rate, motion_noise, persistence, recorded)

    def _with_belief(
        self, belief: Belief, percepts: Tensor, actions: Tensor, inference: Inference, evenly: bool = True
    ) -> Inference:
        trace = self.believe(belief, percepts, actions, inference, evenly)
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

    def evaluate_sample(
        self, percepts: Tensor, inference: Inference, z: Tensor, u: Tensor, log_prior: Tensor | None = None
    ) -> ElboTerms:
        """The terms of the bound at posterior samples, (*samples, batch, time); 0 where a percept is missing.

        Args:
            percepts: (batch, time, *percept_shape); those that were inferred from.
            inference: The posterior that the samples come from, and the prior to compare with.
            z: Samples, (*samples, batch, time, N).
            u: The noise they were made from, (*samples, batch, time, M).
            log_prior: log p(z_t | past), if that was computed already, (*samples, batch, time).
        """
        if log_prior is None:
            log_prior = inference.prior.log_prob_whitened(inference.posterior.whiten_noise(u))
        return ElboTerms(
            reconstruction=self._reconstruction(percepts, inference, z),
            log_prior=torch.where(inference.seen, log_prior, 0),
            log_posterior=torch.where(inference.seen, inference.posterior.log_prob(z, u=u), 0),
        )

    def _reconstruction(self, percepts: Tensor, inference: Inference, z: Tensor) -> Tensor:
        """Log p(x_t | z_t), nats, (*samples, batch, time); 0 where a percept is missing."""
        return self._log_likelihood(percepts, inference.seen, z, inference.embedding)

    def _log_likelihood(self, percepts: Tensor, seen: Tensor, z: Tensor, embedding: Tensor) -> Tensor:
        """Log p(x | z), nats, (*samples, *batch); 0 where a percept is missing."""
        percepts = _zeros_unless(seen, self.standardise(percepts))
        return torch.where(seen, self.decoder.log_prob(percepts, self.embed(z, embedding)), 0)

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
        motion_noise: float | None = None,
        persistence: float | None = None,
    ) -> Prediction:
        """`expect` of walks given as `infer` takes them; only earlier percepts are used at each step.

        Args:
            percepts: (batch, time, *percept_shape).
            actions: (batch, time - 1) or (batch, time - 1, A).
            hypotheses: How many ways in which a walk may have gone to follow at once, at least 2; None as the
                model does.
            slip_rate: The share of recorded actions that are not what happened; None for what was learned.
            motion_noise: The deviation of real-valued actions, in their unit; None for what was learned.
            persistence: The probability that a numbered action goes on, 0 if steps are independent; None for
                what was learned, or an estimate from these walks.

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
        if (hypotheses, slip_rate, motion_noise, persistence) != (None, None, None, None):
            belief = self.doubt(hypotheses, slip_rate, motion_noise, persistence, actions)
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
        seen = self.is_seen(percepts)
        return self.encoder(_zeros_unless(seen, self.standardise(percepts))), seen

    def is_seen(self, percepts: Tensor) -> Tensor:
        """Which percepts are not missing, (*, *percept_shape) -> (*)."""
        largest = percepts.flatten(-len(self.encoder.percept_shape)).amax(dim=-1)
        return ~largest.isnan()  # the largest of several with a NaN among them is that

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
