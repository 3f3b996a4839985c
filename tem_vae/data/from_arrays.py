"""Walks from arrays or lists, such as numpy's."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tem_vae.data.walk import Truth, Walks, concatenate


def as_walks(
    percepts: Sequence[Any],
    actions: Sequence[Any],
    places: Sequence[Any] | None = None,
    classes: Sequence[Any] | None = None,
    positions: Sequence[Any] | None = None,
) -> Walks:
    """Walks from arrays or lists, one of each kind a walk; walks may differ in length.

    Args:
        percepts: (time, *shape) each: real numbers, or bytes, which stand for numbers in [0, 1]; images with
            the channels first. One with a NaN in it is missing.
        actions: (time - 1,) whole numbers each, or (time - 1, A) real ones.
        places: (time,) whole numbers each, if they are known; numbered within a world.
        classes: (time,) whole numbers each, if they are known.
        positions: (time, 2) each, if they are known.

    Raises:
        ValueError: There are no walks, or not as many of one kind as of another, or an action too many or too
            few leads through one, or something is no array of numbers of such a shape.

    Example:
        >>> walks = as_walks([[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]], [[0, 2]])
        >>> walks.percepts.shape, walks.actions.dtype
        (torch.Size([1, 3, 2]), torch.int64)
    """
    if not len(percepts):
        raise ValueError("there is no walk; give percepts and actions of at least one")
    if _tensor("percepts", 0, percepts[0]).ndim < 2:
        raise ValueError(
            "percepts of a walk are (time, features) or images, and those of walk 0 have the shape "
            f"{tuple(torch.as_tensor(percepts[0]).shape)}; a single walk is a list of one: "
            "as_walks([percepts], [actions]). Percepts of a single number are (time, 1)"
        )
    given = {"actions": actions, "places": places, "classes": classes, "positions": positions}
    for name, kind in given.items():
        if kind is not None and len(kind) != len(percepts):
            raise ValueError(f"there are {len(percepts)} walks of percepts, but {len(kind)} of {name}")
    known = {name: kind for name, kind in given.items() if kind is not None}
    walks = []
    for number in range(len(percepts)):
        walks.append(_as_walk(number, percepts[number], {name: kind[number] for name, kind in known.items()}))
        _check_alike(number, walks[-1], walks[0])
    return concatenate(walks)


def _as_walk(number: int, percepts: Any, others: dict[str, Any]) -> Walks:
    """One walk, as a batch of its own."""
    seen = _tensor("percepts", number, percepts)
    seen = seen if seen.dtype == torch.uint8 else seen.float()
    of_walk = {name: _tensor(name, number, values) for name, values in others.items()}
    done = of_walk.pop("actions")
    _check_actions(number, seen, done)
    for name, values in of_walk.items():
        _check_truth(f"{name} of walk {number}", values, len(seen), is_real=name == "positions")
    return Walks(
        seen[None],
        (done.float() if done.is_floating_point() else done.long())[None],
        torch.ones(1, len(seen), dtype=torch.bool),
        Truth(
            **{
                name: (values.float() if name == "positions" else values.long())[None]
                for name, values in of_walk.items()
            }
        ),
    )


def _check_actions(number: int, seen: Tensor, done: Tensor) -> None:
    if not done.ndim or len(done) != len(seen) - 1:
        raise ValueError(
            f"walk {number} has {len(seen)} percepts and {len(done) if done.ndim else 1} actions; one leads "
            "from each percept to the next, so there must be one action fewer. Time is the first dimension "
            f"of both: the shapes are {tuple(seen.shape)} and {tuple(done.shape)}"
        )
    if done.ndim != (2 if done.is_floating_point() else 1):
        raise ValueError(
            f"actions of walk {number} are {done.dtype} of shape {tuple(done.shape)}; they must be whole "
            "numbers of an integer type, (time - 1,), or real vectors, (time - 1, A)"
        )


def _check_truth(name: str, values: Tensor, steps: int, is_real: bool) -> None:
    fits = values.ndim == (2 if is_real else 1) and len(values) == steps
    if not fits or (values.is_floating_point() and not is_real):
        kind = f"reals, ({steps}, 2)" if is_real else f"whole numbers, ({steps},)"
        raise ValueError(f"{name} are {values.dtype} of shape {tuple(values.shape)}; they must be {kind}")


def _tensor(name: str, number: int, values: Any) -> Tensor:
    """What was given as a tensor, whatever numbers it is of."""
    try:
        return torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} of walk {number} are no array of numbers ({error})") from None


def _check_alike(number: int, walk: Walks, first: Walks) -> None:
    for name, of_walk, of_first in (
        ("percepts", walk.percepts, first.percepts),
        ("actions", walk.actions, first.actions),
    ):
        if of_walk.shape[2:] != of_first.shape[2:] or of_walk.dtype != of_first.dtype:
            kind, expected = (f"{t.dtype} of shape {tuple(t.shape[2:])}" for t in (of_walk, of_first))
            raise ValueError(
                f"each of the {name} of walk {number} is {kind}, and of walk 0 {expected}; they must be alike"
            )
