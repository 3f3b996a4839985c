"""Whether the shapes, lengths and types of recorded walks fit together; no number is read."""

from collections.abc import Iterator

from tem_vae.data.recorded.contents import Contents, StoredArray, StoredWalk
from tem_vae.data.recorded.orientation import recognise
from tem_vae.data.recorded.problems import WalkProblem

MOST_STEPS = 2**30
MOST_NUMBERS = 2**22  # of a percept
_LONGEST_PERCEPT_SHAPE = 3
_CHANNELS = (1, 3, 4)
_ONE_TOO_MANY = (
    "; actions[t] leads from percept t to t + 1, so the last leads to no percept: leave it out; or the first "
    "if yours leads to percept t"
)


def has_channels_last(shape: tuple[int, ...]) -> bool:
    """Whether a percept is an image stored as (rows, columns, channels), as cameras and Gymnasium give it.

    Example:
        >>> has_channels_last((64, 48, 3)), has_channels_last((3, 64, 48)), has_channels_last((64, 48))
        (True, False, False)
    """
    return len(shape) == 3 and shape[-1] in _CHANNELS and shape[0] not in _CHANNELS


def check_headers(contents: Contents) -> list[WalkProblem]:
    """Every problem with what walks are stored as."""
    if not contents.walks:
        return [WalkProblem("", "it holds no walk; docs/data.md says how walks are stored")]
    problems = []
    in_order = []
    for walk in contents.walks:
        if wrong := recognise(walk):  # whatever else its shapes seem to be comes of this
            problems += [WalkProblem(walk.name, what) for what in wrong]
        else:
            problems += _check_walk(walk)
            in_order.append(walk)
    problems += _check_alike(in_order)
    steps = sum(walk.arrays["percepts"].shape[0] for walk in contents.walks if _has_time(walk))
    if steps > MOST_STEPS:
        problems.append(
            WalkProblem("", f"it declares {steps:,} steps in all; at most {MOST_STEPS:,} can be used")
        )
    return problems


def _has_time(walk: StoredWalk) -> bool:
    return "percepts" in walk.arrays and len(walk.arrays["percepts"].shape) > 0


def _check_walk(walk: StoredWalk) -> Iterator[WalkProblem]:
    for name in ("percepts", "actions"):
        if name not in walk.arrays:
            others = f"; beside it stands {', '.join(sorted(walk.others)[:10])}" if walk.others else ""
            yield WalkProblem(walk.name, f"{name} is missing or could not be read{others}")
    checks = {"percepts": _check_percepts, "actions": _check_actions}
    for name, array in walk.arrays.items():
        if not array.shape:
            yield WalkProblem(walk.name, f"{name} is a single number; its first dimension must be time")
        elif name in checks:
            yield from (WalkProblem(walk.name, what) for what in checks[name](array))
    if _has_time(walk):
        yield from (WalkProblem(walk.name, what) for what in _check_lengths(walk))


def _check_percepts(array: StoredArray) -> Iterator[str]:
    shape = array.shape[1:]
    if array.dtype.kind not in "biuf":
        yield f"percepts are {array.dtype}; they must be real numbers"
    if not 1 <= len(shape) <= _LONGEST_PERCEPT_SHAPE:
        single = "; percepts of a single number are (time, 1)" if not shape else ""
        yield (
            f"percepts have the shape {array.shape}; it must be (time, features), (time, rows, columns), "
            f"(time, channels, rows, columns) or (time, rows, columns, channels){single}"
        )
    elif not 1 <= _count(shape) <= MOST_NUMBERS:
        yield f"a percept has the shape {shape}; it must have 1 to {MOST_NUMBERS:,} numbers"
    if array.shape[0] < 2:
        yield f"percepts have {array.shape[0]} steps; a walk has at least 2"


def _count(shape: tuple[int, ...]) -> int:
    numbers = 1
    for length in shape:
        numbers *= length
    return numbers


def _check_actions(array: StoredArray) -> Iterator[str]:
    kind, dimensions = array.dtype.kind, len(array.shape)
    if kind in "iu" and dimensions != 1:
        flat = "; actions.reshape(-1) is" if sum(length != 1 for length in array.shape) == 1 else ""
        yield (f"actions are whole numbers of shape {array.shape}; it must be (time - 1,), one a step{flat}")
    elif kind == "f" and (dimensions != 2 or array.shape[1] < 1):
        yield (
            f"actions are reals of shape {array.shape}; it must be (time - 1, A). Numbered actions must be "
            "stored as whole numbers, such as int64"
        )
    elif kind == "f" and array.shape[1] > MOST_NUMBERS:
        yield f"an action has {array.shape[1]:,} numbers; at most {MOST_NUMBERS:,} can be used"
    elif kind not in "iuf":
        yield f"actions are {array.dtype}; they must be whole numbers (time - 1,) or reals (time - 1, A)"


def _check_lengths(walk: StoredWalk) -> Iterator[str]:
    steps = walk.arrays["percepts"].shape[0]
    for name, array in walk.arrays.items():
        if name == "percepts" or not array.shape:
            continue
        wanted = steps - 1 if name == "actions" else steps
        if array.shape[0] != wanted:
            hint = _ONE_TOO_MANY if name == "actions" and array.shape[0] == steps else ""
            yield f"{name} has length {array.shape[0]} and must have {wanted}, for {steps} percepts{hint}"
        if name in ("places", "classes") and (array.dtype.kind not in "iu" or len(array.shape) != 1):
            yield f"{name} are {array.dtype} of shape {array.shape}; they must be whole numbers, (time,)"
        is_plane = len(array.shape) == 2 and array.shape[1] in (2, 3)
        if name == "positions" and (array.dtype.kind not in "iuf" or not is_plane):
            yield f"positions are {array.dtype} of shape {array.shape}; must be reals, (time, 2) or (time, 3)"


def _check_alike(walks: list[StoredWalk]) -> Iterator[WalkProblem]:
    """All walks must have percepts and positions of one shape and actions of one kind."""
    for name, kind_of in (("percepts", _shape_kind), ("actions", _action_kind), ("positions", _shape_kind)):
        having = [walk for walk in walks if name in walk.arrays and walk.arrays[name].shape]
        for walk in having[1:]:
            kind, first = kind_of(walk.arrays[name]), kind_of(having[0].arrays[name])
            if kind != first:
                yield WalkProblem(
                    walk.name,
                    f"{name} are {kind}, and those of {having[0].name} are {first}; they must be alike",
                )


def _shape_kind(array: StoredArray) -> str:
    return f"of shape {array.shape[1:]}"


def _action_kind(array: StoredArray) -> str:
    return "whole numbers" if array.dtype.kind in "iu" else f"vectors of shape {array.shape[1:]}"
