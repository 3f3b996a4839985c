"""What a model doubts: by what it learned, by what a caller says, and by what was recorded."""

from torch import Tensor

from tem_vae.model.belief import AnySlips, Belief
from tem_vae.model.checks import check_doubts
from tem_vae.model.motion import MotionNoise
from tem_vae.model.parts import Integrator
from tem_vae.model.path_integration import PathIntegrator
from tem_vae.model.persistent_slips import PersistentSlips, estimate_persistence, numbered_slips

# Of a percept, for a belief that nothing was configured of.
_SAMPLES = 16


def doubt(
    integrator: Integrator,
    own: Belief | None,
    hypotheses: int | None,
    slip_rate: float | None,
    motion_noise: float | None,
    persistence: float | None,
    recorded: Tensor | None,
) -> Belief:
    """A belief for a model, with what it learned of slips or noise unless that is given.

    Args:
        integrator: The model's.
        own: What the model believes; None if it takes recorded actions for what happened.
        hypotheses: K; None for as many as the model follows.
        slip_rate: The share of recorded actions that are replaced by any; None for what was learned.
        motion_noise: The deviation of real-valued actions, in their unit; None for what was learned.
        persistence: The probability that a numbered action goes on, 0 if steps are independent; None for
            what was learned, or, if nothing was, for an estimate from what was recorded.
        recorded: Numbered actions of walks, (walks, steps), below 0 where there is none; None if nothing is
            to be estimated: then steps of which nothing was learned are independent.

    Raises:
        ValueError: Something is None and the model learned nothing of it, a number is out of its range, or it
            is of another kind of actions.
    """
    check_doubts(hypotheses, slip_rate, motion_noise, persistence)
    is_numbered = isinstance(integrator, PathIntegrator)
    of_others = motion_noise if is_numbered else slip_rate
    if of_others is not None:
        raise ValueError(
            "slip_rate is of numbered actions, motion_noise of real-valued ones; those of this model are "
            f"{'numbered' if is_numbered else 'real-valued'}"
        )
    if persistence is not None and slip_rate is None:
        raise ValueError("persistence is said together with slip_rate, as in slip_rate=0.1, persistence=0.8")
    if own is None and (hypotheses is None or (slip_rate is None and motion_noise is None)):
        said = (
            "what share of the actions may be wrong, as in hypotheses=64, slip_rate=0.05"
            if is_numbered
            else "how far off actions may be, in their unit, as in hypotheses=64, motion_noise=0.01"
        )
        raise ValueError(
            "the model takes recorded actions for what happened; say how many hypotheses to follow, and "
            + said
        )
    slips = _slips(integrator, own, slip_rate, motion_noise, persistence, recorded)
    return Belief(slips, hypotheses or (own.hypotheses if own else 1), own.samples if own else _SAMPLES)


def _slips(
    integrator: Integrator,
    own: Belief | None,
    slip_rate: float | None,
    motion_noise: float | None,
    persistence: float | None,
    recorded: Tensor | None,
) -> AnySlips:
    parameter = next(integrator.parameters())
    if motion_noise is not None:
        return MotionNoise(motion_noise).to(parameter)
    if slip_rate is None:
        assert own is not None
        return own.slips
    actions = len(parameter)
    if persistence is None and own is not None and isinstance(own.slips, PersistentSlips):
        persistence = own.slips.persistence.item()
    elif persistence is None and recorded is not None:
        persistence = estimate_persistence(recorded, actions, slip_rate)
    return numbered_slips(actions, slip_rate, persistence or 0).to(parameter)
