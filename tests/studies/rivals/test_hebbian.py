"""The fast weights of TEM, against their formula written out."""

import torch

from tem_vae.studies.rivals.hebbian import FORGETTING, PERSISTENCE, REMEMBERING, HebbianMemory, activate


def written_out(stored: torch.Tensor, retrieved: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """Of one walk: M ← λ M + η (p − p̂)(p + p̂)ᵀ where a connection is allowed; then h ← f(κ h + M h)."""
    steps, modules, cells = stored.shape
    size = modules * cells
    allowed = torch.zeros(size, size)  # to, from
    for to in range(modules):
        for origin in range(modules):
            if to <= origin:  # module 0 has the highest frequency
                allowed[to * cells : (to + 1) * cells, origin * cells : (origin + 1) * cells] = 1
    weights = torch.zeros(size, size)
    for p, guess in zip(stored.reshape(steps, size), retrieved.reshape(steps, size), strict=True):
        weights = FORGETTING * weights + REMEMBERING * allowed * torch.outer(p - guess, p + guess)
    h = activate(query.reshape(size))
    for _ in range(modules):
        h = activate(PERSISTENCE * h + weights @ h)
    return h.reshape(modules, cells)


def test_what_is_retrieved_is_what_the_formula_says() -> None:
    generator = torch.Generator().manual_seed(0)
    stored, retrieved = (0.3 * torch.randn(2, 7, 3, 4, generator=generator) for _ in range(2))
    query = torch.randn(2, 3, 4, generator=generator)
    memory = HebbianMemory(2, 3, 4, like=query)
    for t in range(7):
        if t in (2, 5):
            memory.end_rollout()  # changes no value
        memory.learn(stored[:, t], retrieved[:, t])
        expected = torch.stack(
            [written_out(stored[walk, : t + 1], retrieved[walk, : t + 1], query[walk]) for walk in range(2)]
        )
        torch.testing.assert_close(memory.retrieve(query), expected)


def test_gradients_go_back_to_the_beginning_of_the_rollout() -> None:
    first, second = (torch.full((1, 2, 3), value, requires_grad=True) for value in (0.1, 0.2))
    nothing = torch.zeros(1, 2, 3)
    memory = HebbianMemory(1, 2, 3, like=nothing)
    memory.learn(first, nothing)
    memory.end_rollout()
    memory.learn(second, nothing)
    memory.retrieve(torch.full((1, 2, 3), 0.5)).sum().backward()  # type: ignore[no-untyped-call]
    assert first.grad is None
    assert second.grad is not None
    assert (second.grad != 0).any()
