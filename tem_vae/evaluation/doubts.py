"""Doubts about recorded actions in an evaluation, for a model trained with or without."""

from torch import Tensor

from tem_vae.config.belief import EvaluationBeliefConfig
from tem_vae.data import HeldOutWalks, Walks
from tem_vae.errors import ConfigurationError
from tem_vae.evaluation.trained import TrainedRun
from tem_vae.model import Belief, MotionNoise, PathIntegrator, TemVae

_FIRST_RATE, _LEAST_RATE, _MOST_RATE = 0.02, 1e-3, 0.9
_FIRST_NOISE = 0.2  # of the size of actions
_ROUNDS = 3


def apply_doubts(run: TrainedRun, config: EvaluationBeliefConfig, walks: HeldOutWalks) -> None:
    """Give the model of a run the belief that an evaluation asks for; change nothing if it asks for none.

    Raises:
        ConfigurationError: A rate of slips, a noise or a persistence is given for a model that would follow
            one hypothesis, a persistence without a rate for one that learned both, or the model cannot doubt
            its actions.
    """
    hypotheses, rate, noise = config.hypotheses, config.slip_rate, config.motion_noise
    model = run.model
    said = {"slip_rate": rate, "motion_noise": noise, "persistence": config.persistence}
    given = [f"belief.{name} = {value:g}" for name, value in said.items() if value is not None]
    if hypotheses is None and not given:
        return
    if hypotheses is None and model.belief is None:
        raise ConfigurationError(
            f"{given[0]}: the run takes recorded actions for what happened; say how many "
            "hypotheses to follow, as in belief.hypotheses=64"
        )
    if hypotheses == 1:
        model.belief = None
        return
    if noise is not None and isinstance(model.integrator, PathIntegrator):
        raise ConfigurationError(
            f"belief.motion_noise = {noise:g}: it is of real-valued actions, those of the run are numbered; "
            "say which share of them is wrong, as in belief.slip_rate=0.05"
        )
    if config.persistence is not None and rate is None and model.belief is not None:
        raise ConfigurationError(
            f"{given[-1]}: the run learned how often actions are wrong and how they go on; say both or "
            "neither, as in belief.slip_rate=0.05 belief.persistence=0.5"
        )
    is_estimated = (model.belief, rate, noise) == (None, None, None)
    try:
        if is_estimated:
            assert hypotheses is not None
            model.belief = _estimate(model, hypotheses, config.persistence, _first_batch(walks))
        else:
            # Of walks only persistence may have to be estimated; else none need be drawn or read.
            is_open = rate is not None and config.persistence is None
            recorded = _recorded(_first_batch(walks)) if is_open else None
            model.belief = model.doubt(hypotheses, rate, noise, config.persistence, recorded)
    except ValueError as error:
        raise ConfigurationError(f"belief.hypotheses = {hypotheses}: {error}") from None


def _estimate(model: TemVae, hypotheses: int, persistence: float | None, batch: Walks) -> Belief:
    """The belief with the rate of slips, or the noise, that agrees with what it finds in a batch of walks."""
    counted, recorded = batch.mask[:, 1:], _recorded(batch)
    if batch.actions.is_floating_point():
        noise = _FIRST_NOISE * _root_mean_square(batch.actions[counted])
        belief = model.doubt(hypotheses, motion_noise=noise)
    else:
        belief = model.doubt(hypotheses, _FIRST_RATE, None, persistence, recorded)
    inference = model.infer(batch.percepts, batch.actions)
    for _ in range(_ROUNDS):
        trace = model.believe(belief, batch.percepts, batch.actions, inference)
        weights = trace.log_weights.exp()[..., None, None]
        if isinstance(belief.slips, MotionNoise):
            off = (trace.actions - batch.actions.unsqueeze(1)).square() * weights
            noise = float(off.sum(dim=1)[counted].mean().sqrt())
            belief = model.doubt(hypotheses, motion_noise=noise)
        else:
            wrong = (trace.actions != batch.actions.unsqueeze(1)) * weights.squeeze(-1)
            actions = len(next(model.integrator.parameters()))
            share = float(wrong.sum(dim=1)[counted].mean()) * actions / (actions - 1)
            rate = min(max(share, _LEAST_RATE), _MOST_RATE)
            belief = model.doubt(hypotheses, rate, None, persistence, recorded)
    return belief


def _first_batch(walks: HeldOutWalks) -> Walks:
    batch: Walks = next(iter(walks.loader()))
    return batch


def _recorded(batch: Walks) -> Tensor | None:
    """The recorded actions of walks, below 0 where a walk is over; None if they are real-valued."""
    if batch.actions.is_floating_point():
        return None
    return batch.actions.where(batch.mask[:, 1:], -1)


def _root_mean_square(values: Tensor) -> float:
    return float(values.square().mean().sqrt())
