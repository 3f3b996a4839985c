"""Walk through a room of your own with a trained model: what does it expect before it looks?"""

import argparse

import torch
from sklearn.datasets import load_digits

from tem_vae.data import Digits
from tem_vae.model import Observer
from tem_vae.training import load_run

# A room of two by three places; each holds a digit.
ROOM = {(0, 0): 3, (1, 0): 1, (2, 0): 4, (0, 1): 1, (1, 1): 5, (2, 1): 9}
STEPS = {"right": (1, 0), "left": (-1, 0), "down": (0, 1), "up": (0, -1)}
# The sixth step closes a loop, over a link never walked, into the place where the walk began.
WALK = ["right", "right", "down", "left", "left", "up", "right", "down", "up", "left"]


def look(digit: int, visit: int, percepts: Digits) -> torch.Tensor:
    """An image of the digit, (64,), another one on each visit, standardised as those of training."""
    images, labels = load_digits(return_X_y=True)
    return torch.from_numpy(percepts.from_unit_range(images[labels == digit][visit] / 16))


def remember(memory_weights: torch.Tensor, seen: list[int]) -> int:
    """The digit whose memories weigh most together."""
    return int(torch.zeros(10).index_add(0, torch.tensor(seen), memory_weights).argmax())


def main() -> None:
    """Print what was expected and how new each place seemed; a place seen before should seem known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "run", help="directory of a run of scripts/train.py with its default worlds and percepts"
    )
    run = load_run(parser.parse_args().run)
    observer = Observer(run.model)
    place = (0, 0)
    observer.observe(look(ROOM[place], 0, run.percepts))
    seen = [ROOM[place]]
    for visit, name in enumerate(WALK, start=1):
        place = (place[0] + STEPS[name][0], place[1] + STEPS[name][1])
        percept = look(ROOM[place], visit, run.percepts)
        expected = observer.observe(percept, run.actions.index(name))
        remembered = remember(expected.memory_weights, seen)
        print(f"{name:>5}: novelty {expected.novelty:.2f}, expects a {remembered}, sees a {ROOM[place]}")
        seen.append(ROOM[place])


if __name__ == "__main__":
    main()
