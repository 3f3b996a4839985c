"""Products with all steps of all hypotheses are those of the plain formula, however they branched."""

import pytest
import torch

from tem_vae.model.paths import Paths


@pytest.mark.parametrize("spread", [1, 3, 8])
def test_products_are_those_with_the_codes_of_ones_own_past(spread: int) -> None:
    torch.manual_seed(0)
    batch, hypotheses, candidates, size, steps = 2, 8, 3, 6, 100
    start = torch.randn(batch, size)
    paths = Paths(start, hypotheses, steps)
    plain = start[:, None, None].expand(batch, hypotheses, 1, size)
    for step in range(1, steps):
        queries = torch.randn(batch, hypotheses, candidates, size)
        torch.testing.assert_close(paths.products(queries), queries @ plain.mT, atol=1e-5, rtol=1e-4)
        # Few ancestors make the past one soon, many keep it apart.
        ancestors = torch.randint(spread, (batch, hypotheses)) if step % 7 else torch.zeros(2, 8).long()
        codes = torch.randn(batch, hypotheses, size)
        paths.extend(ancestors, codes)
        past = plain.gather(1, ancestors[..., None, None].expand(-1, -1, step, size))
        plain = torch.cat([past, codes.unsqueeze(2)], dim=2)
