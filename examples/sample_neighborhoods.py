"""Neighborhoods of your own vectors under a pseudometric of your own; needs no trained model."""

import torch

from tem_vae.geometry import Pseudometric


def main() -> None:
    """Sample around three vectors, measure how far the samples lie, and ask how likely others are."""
    torch.manual_seed(0)
    vectors = torch.randn(3, 100)  # yours: sentence embeddings, firing rates, ...
    metric = Pseudometric(code_dim=100, rank=8, tau=1e-3)
    neighborhood = metric.neighborhood(vectors, scale=0.1)

    samples = neighborhood.sample((10_000,))  # (10000, 3, 100)
    distance = metric.distance(samples, vectors, squared=True).mean(0).sqrt()
    print("root mean squared distance:", " ".join(f"{d:.4f}" for d in distance))

    # E has 8 rows, so 92 of 100 directions do not count: along them one can go far and stay near.
    directions = torch.linalg.svd(metric.E.detach()).Vh
    counts, does_not = vectors + 0.2 * directions[0], vectors + 20 * directions[-1]
    density = neighborhood.log_prob(torch.stack([vectors, counts, does_not])).mean(-1)
    for where, nats in zip(["at the center", "0.2 along E", "20 along its kernel"], density, strict=True):
        print(f"log density {where:>20}: {nats:6.1f} nats")


if __name__ == "__main__":
    main()
