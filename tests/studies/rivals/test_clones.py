"""Baum-Welch on clones, against the sum over all paths of states."""

from itertools import product

import pytest
import torch

from tem_vae.studies.rivals.clones import CloneModel

CLASSES, CLONES, ACTIONS = 2, 2, 2


def small_model(walks: int = 2, pseudocount: float = 0.0) -> CloneModel:
    return CloneModel(walks, ACTIONS, CLASSES, CLONES, pseudocount, torch.Generator().manual_seed(0))


def small_walks(steps: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    classes = torch.randint(CLASSES, (2, steps), generator=generator)
    return classes, torch.randint(ACTIONS, (2, steps - 1), generator=generator)


def path_probabilities(
    model: CloneModel, walk: int, classes: torch.Tensor, actions: torch.Tensor
) -> dict[tuple[int, ...], float]:
    """The joint probability of the percepts and of every path of clones, by definition."""
    found = {}
    for path in product(range(CLONES), repeat=len(classes)):
        probability = 1 / (CLASSES * CLONES)
        for t, action in enumerate(actions.tolist()):
            here, there = int(classes[t]), int(classes[t + 1])
            step = model.transitions[walk, action, here, there, path[t], path[t + 1]]
            probability *= float(step)
        found[path] = probability
    return found


def test_transitions_sum_to_one() -> None:
    model = small_model()
    torch.testing.assert_close(model.transitions.sum(dim=(3, 5)), torch.ones(2, ACTIONS, CLASSES, CLONES))


def test_the_likelihood_is_the_sum_over_all_paths() -> None:
    model, (classes, actions) = small_model(), small_walks()
    messages, log_probs = model.forward(classes, actions)
    for walk in range(2):
        paths = path_probabilities(model, walk, classes[walk], actions[walk])
        total = sum(paths.values())
        assert float(log_probs[walk].sum().exp()) == pytest.approx(total, rel=1e-5)
        for clone in range(CLONES):
            ending = sum(probability for path, probability in paths.items() if path[-1] == clone)
            assert float(messages[walk, -1, clone]) == pytest.approx(ending / total, rel=1e-5)


def test_a_sweep_counts_transitions_as_all_paths_do() -> None:
    """The M-step: expected counts of every transition, normalised by where it begins."""
    model, (classes, actions) = small_model(), small_walks()
    expected = torch.zeros_like(model.transitions)
    for walk in range(2):
        paths = path_probabilities(model, walk, classes[walk], actions[walk])
        total = sum(paths.values())
        for path, probability in paths.items():
            for t, action in enumerate(actions[walk].tolist()):
                here, there = int(classes[walk, t]), int(classes[walk, t + 1])
                expected[walk, action, here, there, path[t], path[t + 1]] += probability / total
    counted = expected.sum(dim=(3, 5), keepdim=True)
    model.learn(classes, actions)
    met = (counted > 0).expand_as(expected)
    torch.testing.assert_close(model.transitions[met], (expected / counted)[met])


def test_what_is_expected_next_is_what_all_paths_say() -> None:
    model, (classes, actions) = small_model(), small_walks()
    messages, _ = model.forward(classes, actions)
    expected = model.expect(messages[:, 2], classes[:, 2], actions[:, 2])
    for walk in range(2):
        for following in range(CLASSES):
            seen = torch.cat([classes[walk, :3], torch.tensor([following])])
            joint = sum(path_probabilities(model, walk, seen, actions[walk, :3]).values())
            past = sum(path_probabilities(model, walk, classes[walk, :3], actions[walk, :2]).values())
            assert float(expected[walk, following]) == pytest.approx(joint / past, rel=1e-5)


def test_sweeps_never_lower_the_likelihood() -> None:
    classes, actions = small_walks(steps=40)
    model = small_model()
    likelihoods = torch.stack([model.learn(classes, actions) for _ in range(15)])
    assert (likelihoods.diff(dim=0) >= -1e-4).all()
    assert (likelihoods[-1] > likelihoods[0]).all()
