"""What a model may be given: mistakes are named before torch stumbles over them."""

import torch
from torch import Tensor


def check_percepts(percepts: Tensor, percept_dim: int, dtype: torch.dtype) -> None:
    """Check the features and dtype of percepts, (*, percept_dim).

    Args:
        percepts: What was given.
        percept_dim: Features that the encoder reads.
        dtype: Of the parameters of the model.

    Raises:
        ValueError: They are other than the model's.
    """
    if percepts.dtype != dtype:
        raise ValueError(
            f"percepts must be a tensor of {dtype}, as the model is, but are a {type(percepts).__name__} of "
            f"{percepts.dtype}."
        )
    if percepts.shape[-1:] != (percept_dim,):
        raise ValueError(
            f"the last axis of percepts must hold {percept_dim} features, but their shape is "
            f"{tuple(percepts.shape)}; flatten images."
        )


def check_walks(percepts: Tensor, actions: Tensor) -> None:
    """Check that actions, (batch, time - 1), lead through percepts, (batch, time, percept_dim).

    Reads no value, so nothing waits for the device.

    Raises:
        ValueError: The shapes do not fit, or the actions are no integers.
    """
    if percepts.ndim != 3 or not percepts.shape[1]:
        raise ValueError(
            "percepts must have shape (batch, time, percept_dim), but their shape is "
            f"{tuple(percepts.shape)}; a single walk has a batch axis of length 1."
        )
    batch, time = percepts.shape[:2]
    if actions.shape != (batch, time - 1):
        raise ValueError(
            f"actions must have shape {(batch, time - 1)}, one from each of {time} percepts to the next, but "
            f"their shape is {tuple(actions.shape)}."
        )
    check_dtype_of_actions(actions)


def check_dtype_of_actions(actions: Tensor) -> None:
    """Check that actions can be numbers of rows; bytes and booleans would be taken for masks.

    Raises:
        ValueError: They are neither torch.int64 nor torch.int32.
    """
    if actions.dtype not in (torch.int64, torch.int32):
        raise ValueError(
            f"actions are whole numbers, in torch.int64 or torch.int32, but are in {actions.dtype}."
        )


def check_numbers_of_actions(actions: Tensor, n_actions: int) -> None:
    """Check that every action is one the model knows, (*). Waits for the device.

    Raises:
        ValueError: One is below 0 or not below ``n_actions``.
    """
    wrong = actions[(actions < 0) | (actions >= n_actions)]
    if len(wrong):
        raise ValueError(f"actions are whole numbers from 0 to {n_actions - 1}, but one is {int(wrong[0])}.")
