import torch
from hypothesis import given
from hypothesis import strategies as st

from tem_vae.data import Walks, classify_steps, occurred_before


def test_classify_steps_on_a_walk_by_hand() -> None:
    # 0 -> 1 -> 1 (stays) -> 0 (back over a known link) -> 2 -> 1 (a new link to a seen place)
    kinds = classify_steps(torch.tensor([[0, 1, 1, 0, 2, 1]]))
    assert kinds.move.tolist() == [[False, True, False, True, True, True]]
    assert kinds.first_visit.tolist() == [[False, True, False, False, True, False]]
    assert kinds.revisit.tolist() == [[False, False, False, True, False, True]]
    assert kinds.known_link.tolist() == [[False, False, False, True, False, False]]
    assert kinds.zero_shot.tolist() == [[False, False, False, False, False, True]]


def test_links_of_different_walks_are_not_confused() -> None:
    kinds = classify_steps(torch.tensor([[0, 1, 0], [1, 2, 0]]))
    assert kinds.revisit.tolist() == [[False, False, True], [False, False, False]]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_classify_steps_agrees_with_bookkeeping(walk: list[int]) -> None:
    kinds = classify_steps(torch.tensor([walk]))
    seen, links = {walk[0]}, set()
    for step in range(1, len(walk)):
        start, end = walk[step - 1], walk[step]
        moved, known = start != end, frozenset((start, end)) in links
        assert kinds.move[0, step] == moved
        assert kinds.revisit[0, step] == (moved and end in seen)
        assert kinds.zero_shot[0, step] == (moved and end in seen and not known)
        assert kinds.known_link[0, step] == (moved and end in seen and known)
        assert kinds.first_visit[0, step] == (moved and end not in seen)
        seen.add(end)
        links.add(frozenset((start, end)))


def test_occurred_before_takes_any_integers() -> None:
    assert occurred_before(torch.tensor([[10**9, -3, 10**9]])).tolist() == [[False, False, True]]


def test_a_step_without_a_percept_is_scored_as_nothing_and_makes_no_place_known() -> None:
    percepts = torch.zeros(1, 6, 3)
    percepts[0, 1, 2] = torch.nan
    mask = torch.tensor([[True, True, True, True, True, False]])
    walks = Walks(percepts, torch.zeros(1, 5, dtype=torch.long), mask)
    assert walks.seen.tolist() == [[True, False, True, True, True, False]]
    kinds = classify_steps(torch.tensor([[0, 1, 0, 1, 0, 1]]), walks.seen)
    assert kinds.move.tolist() == [[False, False, True, True, True, False]]
    assert kinds.first_visit.tolist() == [[False, False, False, True, False, False]]
    assert kinds.revisit.tolist() == [[False, False, True, False, True, False]]
    assert kinds.zero_shot.tolist() == [[False] * 6]
