"""Arrays whose shapes tell that time does not come first: turned ones, and walks stacked on each other."""

from collections.abc import Iterator

from tem_vae.data.recorded.contents import StoredArray, StoredWalk

Shape = tuple[int, ...]


def recognise(walk: StoredWalk) -> list[str]:
    """What is wrong with the order of dimensions and what to do; nothing where it is right or unknown."""
    shapes = {name: array.shape for name, array in walk.arrays.items()}
    percepts, actions = shapes.get("percepts", ()), shapes.get("actions", ())
    if not percepts or not actions:
        return []
    if _are_stacked(percepts, actions, walk.arrays["actions"]):
        return [
            f"percepts of shape {percepts} and actions of shape {actions} seem to be {percepts[0]} walks "
            "stacked on each other: store each as a walk of its own, as walk_0/percepts and walk_0/actions, "
            "...; in Python, save_walks(path, as_walks(percepts, actions)) does"
        ]
    return list(_find_turned(shapes, percepts, actions))


def _are_stacked(percepts: Shape, actions: Shape, stored: StoredArray) -> bool:
    """Whether both have walks as their first dimension, and time as their second."""
    if len(percepts) < 3 or len(actions) < 2 or percepts[0] != actions[0]:
        return False
    is_surely = stored.dtype.kind in "iu" or len(actions) == 3  # reals of two dimensions may be vectors
    return is_surely and _fit(percepts[1], actions[1])


def _find_turned(shapes: dict[str, Shape], percepts: Shape, actions: Shape) -> Iterator[str]:
    ends = actions[0], actions[-1]
    is_turned = len(percepts) > 1 and not any(_fit(percepts[0], end) for end in ends)
    is_turned = is_turned and any(_fit(percepts[-1], end) for end in ends)
    steps = percepts[-1] if is_turned else percepts[0]
    if is_turned:
        yield _describe("percepts", percepts)
    if len(actions) == 2 and not _fit(steps, actions[0]) and _fit(steps, actions[1]):
        yield _describe("actions", actions)
    positions = shapes.get("positions", ())
    if len(positions) == 2 and positions[0] in (2, 3) and positions[1] == steps != positions[0]:
        yield _describe("positions", positions)


def _fit(percepts: int, actions: int) -> bool:
    """Whether there are as many actions as so many percepts may have; one too many is another mistake."""
    return actions in (percepts - 1, percepts)


def _describe(name: str, shape: Shape) -> str:
    turned = f"{name}.T" if len(shape) == 2 else f"np.moveaxis({name}, -1, 0)"
    return f"{name} of shape {shape} seem to have time as last dimension; it must be the first: {turned}"
