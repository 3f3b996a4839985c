"""What a model may be given: mistakes are named before torch stumbles over them."""

import math

import torch
from torch import Tensor

from tem_vae.model.parts import Integrator

LARGEST_PERCEPT = 1e12  # standardised ones are around 1; squared distances of far larger ones overflow

_MOST_HYPOTHESES = 4_096


def check_tensor(name: str, given: object) -> None:
    """Check that percepts or actions are a tensor: arrays and lists are not made one in silence.

    Raises:
        ValueError: They are not; says how they become one.
    """
    if not isinstance(given, Tensor):
        made = "torch.from_numpy" if type(given).__module__ == "numpy" else "torch.as_tensor"
        raise ValueError(  # noqa: TRY004  as every mistake in what a model is given
            f"{name} must be a tensor of torch, but are a {type(given).__name__}: make one with "
            f"{made}({name}), percepts in float32; as_walks of tem_vae.data makes walks of arrays."
        )


def check_percepts(percepts: Tensor, percept_shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """Check the shape and dtype of percepts, (*, *percept_shape).

    Args:
        percepts: What was given.
        percept_shape: The shape of one percept that the encoder reads.
        dtype: Of the parameters of the model.

    Raises:
        ValueError: They are other than the model's.
    """
    check_tensor("percepts", percepts)
    if percepts.dtype not in (dtype, torch.uint8):
        raise ValueError(
            f"percepts must be a tensor of {dtype}, as the model is, or of bytes (torch.uint8), but are of "
            f"{percepts.dtype}; use percepts.to({dtype})."
        )
    if percepts.shape[-len(percept_shape) :] == percept_shape:
        return
    if len(percept_shape) == 1:
        raise ValueError(
            f"the last axis of percepts must hold {percept_shape[0]} features, but their shape is "
            f"{tuple(percepts.shape)}; flatten images."
        )
    raise ValueError(
        f"the last axes of percepts must be {percept_shape}, as one percept is, but their shape is "
        f"{tuple(percepts.shape)}{_advice(percepts, percept_shape)}."
    )


def _advice(percepts: torch.Tensor, percept_shape: tuple[int, ...]) -> str:
    """What to do about images with the channels last."""
    turned = (*percept_shape[1:], percept_shape[0])
    is_turned = len(percept_shape) == 3 and percepts.shape[-3:] == turned
    return "; move the channels to the front, percepts.movedim(-1, -3)" if is_turned else ""


def check_walks(percepts: Tensor, actions: Tensor, percept_shape: tuple[int, ...]) -> None:
    """Check that actions, (batch, time - 1, ...), lead through percepts, (batch, time, *percept_shape).

    Reads no value, so nothing waits for the device.

    Raises:
        ValueError: The shapes do not fit.
    """
    if percepts.ndim != 2 + len(percept_shape) or not percepts.shape[1]:
        axes = ", ".join(["batch", "time", *map(str, percept_shape)])
        raise ValueError(
            f"percepts must have shape ({axes}), but their shape is {tuple(percepts.shape)}; a single walk "
            "has a batch axis of length 1."
        )
    check_tensor("actions", actions)
    batch, time = percepts.shape[:2]
    if actions.shape[:2] != (batch, time - 1):
        raise ValueError(
            f"actions must have shape {(batch, time - 1)}, one from each of {time} percepts to the next, but "
            f"their shape is {tuple(actions.shape)}."
        )


def check_percept_values(percepts: Tensor) -> None:
    """Check that percepts, (batch, time, ...), can be squared and summed in float32. Waits for the device.

    One that cannot makes everything that the walk's memory recalls afterwards NaN, without a word. A NaN is
    no such value: it says that the percept is missing.

    Raises:
        ValueError: One is infinite or far too large; says of which walk and step.
    """
    small = ~(percepts.abs() > LARGEST_PERCEPT)  # true for NaN, too
    if small.all():
        return
    walk, step, *feature = (~small).nonzero()[0].tolist()
    raise ValueError(
        f"percepts must be finite and between -{LARGEST_PERCEPT:.0e} and {LARGEST_PERCEPT:.0e}, but that of "
        f"walk {walk} at step {step} holds {float(percepts[(walk, step, *feature)])}; standardise them."
    )


def check_action(integrator: Integrator, action: int | Tensor | None, batch: torch.Size) -> Tensor:
    """Check what is said to lead to the next percept of walks, (*batch), and make it a tensor.

    Raises:
        ValueError: It is None, there is no such action, or its shape does not fit.
    """
    if action is None:
        raise ValueError(
            "an action leads from one percept to the next; give the one that led here, or call reset() "
            "to begin another walk."
        )
    action = torch.as_tensor(action, device=next(integrator.parameters()).device)
    integrator.check_kind(action)
    integrator.check_values(action)
    if integrator.batch_of(action) not in (torch.Size(()), batch):
        raise ValueError(
            f"action must be one for all walks or have the batch shape {as_written(batch)}, but its shape is "
            f"{tuple(action.shape)}."
        )
    return action


def check_next_percept(percept: Tensor, percept_shape: tuple[int, ...], batch: torch.Size) -> None:
    """Check that a percept is of the walks, (*batch), that began before.

    Raises:
        ValueError: It is of more, fewer or none.
    """
    if percept.shape[: percept.ndim - len(percept_shape)] != batch:
        raise ValueError(
            f"percept must have shape {as_written(batch, *map(str, percept_shape))}, as the "
            f"first one of this walk, but its shape is {tuple(percept.shape)}; call reset() to begin "
            "another walk."
        )


def as_written(batch: torch.Size, *more: str) -> str:
    """A shape, as one writes it."""
    return f"({', '.join([*map(str, batch), *more])})"


def check_doubts(
    hypotheses: int | None, slip_rate: float | None, motion_noise: float | None, persistence: float | None
) -> None:
    """Check what a caller says of a belief.

    Raises:
        ValueError: A number is out of its range, or is none.
    """
    if hypotheses is not None and not (isinstance(hypotheses, int) and 2 <= hypotheses <= _MOST_HYPOTHESES):
        raise ValueError(
            f"hypotheses is a whole number from 2 to {_MOST_HYPOTHESES:,}, but it is {hypotheses!r}; leave "
            "all of it out to take what was recorded for what happened"
        )
    if slip_rate is not None and not (isinstance(slip_rate, int | float) and 0 < slip_rate < 1):
        raise ValueError(
            "slip_rate is the share of recorded actions that are not what happened, above 0 and below 1, but "
            f"it is {slip_rate!r}"
        )
    if persistence is not None and not (isinstance(persistence, int | float) and 0 <= persistence < 1):
        raise ValueError(
            "persistence is the probability that an action goes on, at least 0 and below 1, but it is "
            f"{persistence!r}"
        )
    if motion_noise is not None and not (
        isinstance(motion_noise, int | float) and 0 < motion_noise < math.inf
    ):
        raise ValueError(
            "motion_noise is the deviation of recorded actions from what happened, in their unit, above 0, "
            f"but it is {motion_noise!r}"
        )
