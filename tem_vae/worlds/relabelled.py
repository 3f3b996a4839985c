"""Worlds with their actions renumbered, for a model that was trained on another kind of world."""

from collections.abc import Sequence

import numpy as np

from tem_vae.worlds.world import NO_LINK, Worlds, WorldSource


class ActionMismatchError(ValueError):
    """Worlds need actions that a model does not know; the message names them."""


class RelabelledWorlds:
    """Worlds of another source with other numbers for the actions.

    An action that the other source does not have is open nowhere.

    Args:
        source: Where the worlds come from.
        actions: The names of the actions in the order of their new numbers.

    Raises:
        ActionMismatchError: The worlds have an action that is not named.
    """

    def __init__(self, source: WorldSource, actions: Sequence[str]) -> None:
        check_actions(source.actions, actions)
        self.source = source
        self.actions = tuple(actions)

    def sample(self, batch: int, rng: np.random.Generator) -> Worlds:
        """Draw ``batch`` worlds."""
        worlds = self.source.sample(batch, rng)
        destinations = np.full((*worlds.destinations.shape[:2], len(self.actions)), NO_LINK)
        columns = [self.actions.index(action) for action in self.source.actions]
        destinations[..., columns] = worlds.destinations
        return Worlds(destinations, worlds.layout, worlds.sizes)


def renumber_actions(source: WorldSource, actions: Sequence[str]) -> WorldSource:
    """The source with its actions in the given order; the source itself if they are in this order already.

    Raises:
        ActionMismatchError: The worlds have an action that is not named.
    """
    return source if tuple(source.actions) == tuple(actions) else RelabelledWorlds(source, actions)


def check_actions(needed: Sequence[str], known: Sequence[str]) -> None:
    """Refuse worlds that have an action which a model does not know.

    Args:
        needed: The names of the actions of the worlds.
        known: The names of the actions that the model was trained with.

    Raises:
        ActionMismatchError: Naming what is missing.
    """
    missing = [action for action in needed if action not in known]
    if missing:
        raise ActionMismatchError(
            f"these worlds have the actions {', '.join(missing)}, which the model does not know: it was "
            f"trained with {', '.join(known)}. Use worlds whose actions are among these"
        )
