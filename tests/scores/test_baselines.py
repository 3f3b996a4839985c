import torch

from tem_vae.data import classify_steps
from tem_vae.scores.baselines import copy_agent, edge_agent, majority_agent, node_agent

# 0 -> 1 -> 0 (known link) -> 2 -> 1 (zero-shot link); places 0, 1, 2 hold classes 3, 1, 1.
PLACES = torch.tensor([[0, 1, 0, 2, 1]])
CLASSES = torch.tensor([[3, 1, 3, 1, 1]])
KINDS = classify_steps(PLACES)


def test_majority_counts_what_was_seen_before_the_step() -> None:
    # Seen before each step: nothing; 3; 3 1 (the smaller wins); 3 1 3; 3 1 3 1 (the smaller wins).
    assert majority_agent(CLASSES, n_classes=4).tolist() == [[-1, 3, 1, 3, 1]]


def test_copy_repeats_the_last_percept() -> None:
    assert copy_agent(CLASSES).tolist() == [[-1, 3, 1, 3, 1]]


def test_the_node_agent_knows_every_place_seen() -> None:
    predicted = node_agent(CLASSES, KINDS, n_classes=4)
    assert (predicted == CLASSES)[KINDS.revisit].all()
    assert predicted[0, 3] == 3  # a first visit: the majority


def test_the_edge_agent_knows_walked_links_only() -> None:
    classes = torch.tensor([[3, 1, 3, 3, 1]])
    predicted = edge_agent(classes, KINDS, n_classes=4)
    assert predicted[0, 2] == 3
    assert predicted[0, 4] == 3  # over the zero-shot link: the majority, wrong
