"""Doubts about recorded actions in an evaluation, for a model trained with or without."""

from tem_vae.config.belief import EvaluationBeliefConfig
from tem_vae.data import HeldOutWalks
from tem_vae.errors import ConfigurationError
from tem_vae.evaluation.trained import TrainedRun
from tem_vae.model import Belief, TemVae

_FIRST_RATE, _LEAST_RATE, _MOST_RATE = 0.02, 1e-3, 0.9
_ROUNDS = 3


def apply_doubts(run: TrainedRun, config: EvaluationBeliefConfig, walks: HeldOutWalks) -> None:
    """Give the model of a run the belief that an evaluation asks for; change nothing if it asks for none.

    Raises:
        ConfigurationError: A rate of slips is given for a model that would follow one hypothesis, or the
            model cannot doubt its actions.
    """
    hypotheses, rate = config.hypotheses, config.slip_rate
    model = run.model
    if hypotheses is None and rate is None:
        return
    if hypotheses is None and model.belief is None:
        raise ConfigurationError(
            f"belief.slip_rate = {rate}: the run takes recorded actions for what happened; say how many "
            "hypotheses to follow, as in belief.hypotheses=64"
        )
    if hypotheses == 1:
        model.belief = None
        return
    try:
        belief = model.doubt(hypotheses, rate or (None if model.belief else _FIRST_RATE))
    except ValueError as error:
        raise ConfigurationError(f"belief.hypotheses = {hypotheses}: {error}") from None
    if rate is None and model.belief is None:
        belief = _estimate(model, belief, walks)
    model.belief = belief


def _estimate(model: TemVae, belief: Belief, walks: HeldOutWalks) -> Belief:
    """The belief with the rate of slips that agrees with what it finds in the first batch of walks."""
    batch = next(iter(walks.loader()))
    inference = model.infer(batch.percepts, batch.actions)
    for _ in range(_ROUNDS):
        trace = model.believe(belief, batch.percepts, batch.actions, inference)
        wrong = (trace.actions != batch.actions.unsqueeze(1)).float()
        share = (wrong * trace.log_weights.exp().unsqueeze(-1)).sum(dim=1)[batch.mask[:, 1:]].mean()
        actions = len(belief.slips.logits)
        rate = float(share) * actions / (actions - 1)
        belief = model.doubt(belief.hypotheses, min(max(rate, _LEAST_RATE), _MOST_RATE))
    return belief
