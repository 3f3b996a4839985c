"""Sources of the user's own, tried before a run: what would fail in an update fails here, in a sentence."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from tem_vae.config.plugins import PluginError, describe
from tem_vae.worlds import NO_LINK, STAY, STAY_NUMBER, Worlds, WorldSource

# Checked without torch, which takes seconds to import: what is built is imported where it is built.
if TYPE_CHECKING:
    from tem_vae.data import PerceptSource

_BATCH = 2


def try_percepts(target: str, source: "PerceptSource") -> None:
    """Draw a few percepts of a source, and look at all that it says of them.

    Args:
        target: What it is, as ``module:Class``.
        source: The source.

    Raises:
        PluginError: Naming all that is not as the protocol has it.
    """
    _refuse(target, lambda: list(_in_facts(source)) or [*_in_samples(source), *_in_references(source)])


def try_worlds(target: str, source: WorldSource) -> None:
    """Draw a few worlds of a source, and look at their actions, links and layout.

    Args:
        target: What it is, as ``module:Class``.
        source: The source.

    Raises:
        PluginError: Naming all that is not as the protocol has it.
    """
    _refuse(target, lambda: list(_in_actions(source)) or list(_in_worlds(source)))


def _refuse(target: str, find: Callable[[], list[str]]) -> None:
    try:
        problems = find()
    except Exception as error:
        raise PluginError(f"{target} failed when it was tried: {describe(error)}") from error
    if problems:
        raise PluginError(f"{target} cannot be used: {'; '.join(problems)}")


def _in_facts(source: "PerceptSource") -> Iterator[str]:
    shape, classes = source.percept_shape, source.n_classes
    if not isinstance(shape, tuple) or not 1 <= len(shape) <= 3 or not all(_is_count(n) for n in shape):
        yield f"percept_shape must be 1 to 3 whole numbers, such as (3,), and is {shape}"
    if not _is_count(classes) or classes < 2:
        yield f"n_classes must be a whole number of at least 2, and is {classes}"
    size, image, basis = np.prod(shape), source.image_shape, source.relevant_basis
    if image is not None and (len(image) != 2 or np.prod(image) != size):
        yield f"image_shape must be None, or rows and columns of {size} pixels, and is {image}"
    if basis is not None and (np.ndim(basis) != 2 or len(basis) != size):
        yield f"relevant_basis must be None, or of shape ({size}, dim), and has {np.shape(basis)}"


def _in_samples(source: "PerceptSource") -> Iterator[str]:
    from tem_vae.data.source import Split

    classes = np.array([[0, source.n_classes - 1]])
    for split in get_args(Split):
        drawn, again = (source.sample(classes, split, np.random.default_rng(0)) for _ in range(2))
        name = f"what sample draws of {split}"
        yield from _in_percepts(name, drawn, (*classes.shape, *source.percept_shape))
        if not np.array_equal(drawn, again):
            yield f"{name} must be a function of rng alone, and differs for the same rng"


def _in_references(source: "PerceptSource") -> Iterator[str]:
    percepts, classes = source.references()
    yield from _in_percepts("percepts of references", percepts, (len(classes), *source.percept_shape))
    yield from _in_numbers("classes of references", classes, (len(percepts),), 0, source.n_classes)


def _in_percepts(name: str, percepts: Any, shape: tuple[int, ...]) -> Iterator[str]:
    if not isinstance(percepts, np.ndarray) or percepts.shape != shape or percepts.dtype != np.float32:
        yield f"{name} must be float32 of shape {shape}, and is {_described(percepts)}"
    elif not np.isfinite(percepts).all():
        yield f"{name} must be finite"


def _in_actions(source: WorldSource) -> Iterator[str]:
    actions = list(source.actions)
    if len(actions) < 2 or len(set(actions)) < len(actions) or not all(isinstance(a, str) for a in actions):
        yield f"actions must be at least two names, all different, and are {actions}"
    elif actions[STAY_NUMBER] != STAY:
        yield f"actions must begin with {STAY}, and are {', '.join(actions)}"


def _in_worlds(source: WorldSource) -> Iterator[str]:
    worlds: Any = source.sample(_BATCH, np.random.default_rng(0))
    if not isinstance(worlds, Worlds):
        yield f"sample must give Worlds, and gives {type(worlds).__name__}"
        return
    places = int(np.max(worlds.sizes))
    yield from _in_numbers("sizes", worlds.sizes, (_BATCH,), 1, places + 1)
    links = (_BATCH, places, len(source.actions))
    yield from _in_numbers("destinations", worlds.destinations, links, NO_LINK, places)
    if np.shape(worlds.layout) != (_BATCH, places, 2) or not np.isfinite(worlds.layout).all():
        yield f"layout must be finite and of shape {(_BATCH, places, 2)}, and is {_described(worlds.layout)}"
    for size, destinations in zip(worlds.sizes, worlds.destinations, strict=True):
        if not np.array_equal(destinations[:size, STAY_NUMBER], np.arange(size)):
            yield f"the action {STAY} must lead from every place to itself"
            return
        if destinations[:size].max() >= size:
            yield "destinations must be places of their own world"
            return


def _in_numbers(name: str, numbers: Any, shape: tuple[int, ...], low: int, high: int) -> Iterator[str]:
    is_whole = isinstance(numbers, np.ndarray) and numbers.dtype.kind == "i" and numbers.shape == shape
    if not is_whole or numbers.min() < low or numbers.max() >= high:
        yield (
            f"{name} must be whole numbers from {low} to {high - 1} of shape {shape}, "
            f"and are {_described(numbers)}"
        )


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number > 0


def _described(values: Any) -> str:
    if not isinstance(values, np.ndarray):
        return f"a {type(values).__name__}"
    span = f" from {values.min()} to {values.max()}" if values.size and values.dtype.kind in "iuf" else ""
    return f"{values.dtype} of shape {values.shape}{span}"
