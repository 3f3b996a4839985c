"""Whether rotations can represent recorded actions: these commute, and move by one displacement each.

Path integration adds up what each action contributes, in any order. So a then b must end where b then a does.
Places tell by where pairs of steps end; positions tell by how far one step leads.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tem_vae.arrays import BoolArray, FloatArray, IntArray
from tem_vae.data.recorded.contents import Array
from tem_vae.data.recorded.recording import Recording, as_actions
from tem_vae.data.recorded.transitions import Transitions

_MOST_ACTIONS = 64  # pairs of more are not compared
_MOST_STEPS = 200_000  # of positions
_FEW = 0.02  # of all: such a share is an accident, not how the world is
_SAME = 0.25  # of a usual step

TURNING = (
    "Where actions turn the walker, or depend on its heading: record the direction of each step in the world "
    "(up, down, left, right), or the difference of positions as real-valued actions with "
    "model/path_integration=linear."
)
BRANCHING = (
    "Where a world branches, as a tree does, no choice of model.path_integration represents its actions: "
    "record actions that mean one displacement everywhere, or expect no zero-shot links."
)
SLIPPING = (
    "Where actions are recorded wrongly now and then: train, and predict with a belief over location, "
    "docs/slips.md."
)
BUMPING = "Where a walker runs into a wall: record such a step as an action of its own that stays."


@dataclass
class Verdict:
    """What walks show about their actions.

    Attributes:
        can_be: Whether rotations can represent them; None where nothing shows it.
        findings: What was found, in sentences, contradictions with the two steps that contradict each other.
        advice: What to choose where they cannot.
    """

    can_be: bool | None = None
    findings: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)

    def sentences(self) -> list[str]:
        """All of it, for people."""
        answer = {True: "yes", False: "no", None: "unknown"}[self.can_be]
        return [f"Can path integration represent these actions: {answer}.", *self.findings, *self.advice]


def judge_actions(recording: Recording, worlds: Sequence[Transitions]) -> Verdict:
    """Whether rotations can represent the actions of recorded walks.

    Args:
        recording: The walks.
        worlds: Where numbered actions led, by `gather_transitions`; none where places are not known.
    """
    verdict = Verdict()
    if worlds:
        _judge_by_places(recording, worlds, verdict)
    if any(walk.positions is not None for walk in recording.walks):
        _judge_by_positions(recording, verdict)
    if verdict.can_be is None:
        verdict.findings.append("Not known whether actions commute: record places or positions to find out.")
    if verdict.can_be:
        verdict.advice.clear()
    return verdict


def _judge_by_places(recording: Recording, worlds: Sequence[Transitions], verdict: Verdict) -> None:
    squares = broken = choices = several = bumps = 0
    example = split = bump = ""
    for world in worlds:
        alone = world.only_one_end()
        kinds = len(np.unique(np.stack([world.start, world.action], axis=1), axis=0))
        choices, several = choices + kinds, several + kinds - len(alone.start)
        if not split and kinds > len(alone.start):
            split = _describe_several(recording, world)
        stays = alone.start == alone.end
        moving = np.unique(world.action[world.start != world.end])
        bumped = stays & np.isin(alone.action, moving)
        bumps += int(bumped.sum())
        if not bump and bumped.any():
            at = int(bumped.argmax())
            bump = f"{_name(recording, int(alone.action[at]))} ({_where(recording, alone, at)})"
        for first, second, start in _squares(alone, ~bumped):
            one, other = alone.end[second[0]], alone.end[second[1]]
            squares, broken = squares + len(one), broken + int((one != other).sum())
            if not example and (one != other).any():
                wrong = int((one != other).argmax())
                steps = [int(path[wrong]) for path in (first[0], second[0], first[1], second[1])]
                example = _describe_square(recording, alone, int(start[wrong]), steps)
    if several:
        share = f"{several:,} of {choices:,} actions at a place led to several places"
        verdict.findings.append(f"{share}: {split}")
    if bumps:
        verdict.findings.append(f"{bumps:,} actions that move elsewhere stayed at a place, such as {bump}.")
    for number, advice in ((several, (TURNING, SLIPPING)), (bumps, (BUMPING,))):
        if number > _FEW * choices:
            verdict.can_be = False
            verdict.advice += advice
    if squares:
        commute = f"{squares - broken:,} of {squares:,} pairs of actions end at one place in either order"
        verdict.findings.append(f"{commute}{f'; not so {example}' if broken else ''}.")
    if squares and verdict.can_be is None:
        verdict.can_be = broken <= _FEW * squares
        verdict.advice += [] if verdict.can_be else [BRANCHING, TURNING]


def _squares(
    steps: Transitions, usable: BoolArray
) -> Iterator[tuple[tuple[IntArray, IntArray], tuple[IntArray, IntArray], IntArray]]:
    """Indices of the first and second steps of a then b, and of b then a, with where they begin."""
    actions, counts = np.unique(steps.action, return_counts=True)
    actions = np.sort(actions[np.argsort(-counts, kind="stable")[:_MOST_ACTIONS]])
    by_action = {action: np.flatnonzero((steps.action == action) & usable) for action in actions.tolist()}
    for a in actions.tolist():
        for b in actions[actions > a].tolist():
            first_a = by_action[a]
            first_b = steps.follow(steps.start[first_a], np.full(len(first_a), b))
            second_b = steps.follow(steps.end[first_a], np.full(len(first_a), b))
            second_a = steps.follow(steps.end[first_b], np.full(len(first_a), a))
            known = (first_b >= 0) & (second_b >= 0) & (second_a >= 0)
            known &= usable[first_b] & usable[second_b] & usable[second_a]
            if known.any():
                pair = (first_a[known], first_b[known]), (second_b[known], second_a[known])
                yield (*pair, steps.start[first_a[known]])


def _describe_square(recording: Recording, steps: Transitions, start: int, path: Sequence[int]) -> str:
    a, b = (_name(recording, int(steps.action[index])) for index in (path[0], path[1]))
    ends = int(steps.end[path[1]]), int(steps.end[path[3]])
    one, other = (_where(recording, steps, index) for index in (path[1], path[3]))
    return (
        f"from place {start}: {a} then {b} ends at place {ends[0]} ({one}), "
        f"{b} then {a} at place {ends[1]} ({other})"
    )


def _describe_several(recording: Recording, world: Transitions) -> str:
    order = np.lexsort((world.end, world.action, world.start))
    start, action = world.start[order], world.action[order]
    same = int(((start[1:] == start[:-1]) & (action[1:] == action[:-1])).argmax())
    one, other = int(order[same]), int(order[same + 1])
    name = _name(recording, int(world.action[one]))
    return (
        f"{name} at place {world.start[one]} led to place {world.end[one]} ({_where(recording, world, one)}) "
        f"and to place {world.end[other]} ({_where(recording, world, other)})."
    )


def _where(recording: Recording, steps: Transitions, index: int) -> str:
    return f"{recording.walks[int(steps.walk[index])].name}, actions[{steps.step[index]}]"


def _name(recording: Recording, action: int) -> str:
    return recording.action_names[action] if recording.action_names else f"action {action}"


def _judge_by_positions(recording: Recording, verdict: Verdict) -> None:
    actions, moved, where = _displacements(recording)
    lengths = np.linalg.norm(moved, axis=1)
    if not (lengths > 0).any():
        return
    usual = float(np.median(lengths[lengths > 0]))
    expected = _expected(actions, moved)
    away = np.linalg.norm(moved - expected, axis=1) > _SAME * usual
    if recording.action_dim is None:
        away &= lengths > 0  # those that ran into something
    share = f"{int(away.sum()):,} of {len(away):,} steps lead elsewhere than their action usually does"
    is_alike = bool(away.mean() <= _FEW)
    example = "" if not away.any() else f": {_describe_steps(recording, actions, moved, where, away)}"
    if is_alike:
        verdict.findings.append(f"Each action has one displacement ({share}{example}).")
    else:
        closes = " The world may close, as a torus does." if verdict.can_be else ""
        verdict.findings.append(f"{share}{example}.{closes}")
    if verdict.can_be is None:
        verdict.can_be = is_alike
        verdict.advice += [] if is_alike else [TURNING, BRANCHING]


def _displacements(recording: Recording) -> tuple[Array, FloatArray, IntArray]:
    """Actions, how far each led, and the walk and step of each, of the first steps of every walk."""
    walks = [(n, walk) for n, walk in enumerate(recording.walks) if walk.positions is not None]
    most = max(2, _MOST_STEPS // len(walks))
    actions, moved, where = [], [], []
    for number, walk in walks:
        assert walk.positions is not None
        steps = min(most, len(walk))
        actions.append(as_actions(walk.actions.read(0, steps - 1)))
        moved.append(np.diff(walk.positions.read(0, steps).astype(np.float64), axis=0))
        where.append(np.stack([np.full(steps - 1, number), np.arange(steps - 1)], axis=1))
    return np.concatenate(actions), np.concatenate(moved), np.concatenate(where)


def _expected(actions: Array, moved: FloatArray) -> FloatArray:
    """The usual displacement of a numbered action; of a real-valued one, by the best linear map."""
    if actions.ndim == 2:
        weights = np.linalg.lstsq(actions.astype(np.float64), moved, rcond=None)[0]
        fitted: FloatArray = actions @ weights
        return fitted
    expected = np.zeros_like(moved)
    for action in np.unique(actions):
        of_action = actions == action
        led = moved[of_action & (np.abs(moved).max(axis=1) > 0)]
        expected[of_action] = np.median(led, axis=0) if len(led) else 0
    return expected


def _describe_steps(
    recording: Recording, actions: Array, moved: FloatArray, where: IntArray, away: BoolArray
) -> str:
    """A step that led elsewhere, and the step with the most similar action that led farthest from there."""
    odd = int(away.argmax())
    differs = np.abs(actions - actions[odd]).reshape(len(actions), -1).max(axis=1)
    alike = np.flatnonzero(differs <= np.quantile(differs, 0.01))
    other = int(alike[np.linalg.norm(moved[alike] - moved[odd], axis=1).argmax()])
    one, two = (
        f"by {np.round(moved[at], 3).tolist()} "
        f"({recording.walks[where[at, 0]].name}, actions[{where[at, 1]}])"
        for at in (odd, other)
    )
    action = "a similar action" if actions.ndim == 2 else _name(recording, int(actions[odd]))
    return f"{action} led {one} and {two}"
