"""Where a car believes to be after a drive, by what was recorded and by a model that doubts it."""

import argparse

import numpy as np
import torch
from torch import Tensor

from tem_vae.data import load_walks
from tem_vae.training import load


def path_of(actions: Tensor) -> Tensor:
    """Displacements added up from the origin on, (walks, steps - 1, 2) -> (walks, steps, 2)."""
    return torch.nn.functional.pad(actions.double().cumsum(dim=1), (0, 0, 1, 0))


def drift(path: Tensor, reference: Tensor) -> tuple[float, float]:
    """Root mean square distances of two paths, (steps, 2): as they are, and with one turned to fit."""
    as_is = (path - reference).square().sum(dim=-1).mean().sqrt()
    a, b = (one - one.mean(dim=0) for one in (path, reference))
    # The best turn, without reflections or scales (Umeyama 1991).
    u, _, vh = np.linalg.svd((a.mT @ b).numpy())
    turn = u @ np.diag([1, np.linalg.det(u @ vh)]) @ vh
    return float(as_is), float((a @ torch.from_numpy(turn) - b).square().sum(dim=-1).mean().sqrt())


def main() -> None:
    """Print the drift of what was told, and of the best explanation in hindsight."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="directory of a run of scripts/train.py")
    parser.add_argument("walks", help="a file of walks with positions and real-valued actions of two numbers")
    parser.add_argument("--steps", type=int, help="look at the first so many only")
    parser.add_argument("--hypotheses", type=int, default=64, help="how many are followed")
    parser.add_argument("--believed", type=float, default=0.5, help="noise that is believed in")
    parser.add_argument("--added", type=float, default=0.0, help="noise that is added to actions")
    parser.add_argument("--seeds", type=int, default=1, help="how often: draws of noise and of hypotheses")
    options = parser.parse_args()
    model, walks = load(options.run), load_walks(options.walks)
    walks = walks.beginning(options.steps) if options.steps else walks
    reference = walks.known("positions").double()
    for seed in range(options.seeds):
        torch.manual_seed(seed)
        told = walks.actions + options.added * torch.randn_like(walks.actions)
        belief = model.predict(
            walks.percepts, told, hypotheses=options.hypotheses, motion_noise=options.believed
        ).belief
        assert belief is not None
        paths = {"as told": path_of(told), "believed": path_of(belief.best_actions)}
        for walk in range(len(reference)):
            for name, path in paths.items():
                alone, fitted = drift(path[walk], reference[walk])
                print(f"seed {seed}, walk {walk}, {name}: {alone:.1f}, turned to fit {fitted:.1f}")
            print(f"  nats a percept: {belief.log_evidence[walk].mean():.2f}")


if __name__ == "__main__":
    main()
