"""The pseudometric in an attention layer of your own: nearness in place of the scalar product.

The task: each key holds a label, and so does each query, in 4 of 64 features; the rest is noise. Attention by
distance must find out which features matter.
"""

import torch
from torch import Tensor, nn

from tem_vae.geometry import Pseudometric

FEATURES, RELEVANT, KEYS, LABELS = 64, 4, 16, 5


class MetricAttention(nn.Module):
    """Attends to keys by how near they are; values are averaged with these weights."""

    def __init__(self, dim: int, rank: int) -> None:
        super().__init__()
        self.metric = Pseudometric(dim, rank, tau=1e-3)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """(*, T, dim), (*, S, dim), (*, S, V) -> (*, T, V)."""
        return self.metric.attention_logits(queries, keys, bandwidth=1.0).softmax(-1) @ values


def draw(batch: int, prototypes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Queries, keys, the labels of the keys one-hot, and those of the queries."""
    key_labels = torch.randint(LABELS, (batch, KEYS))
    query_labels = key_labels[:, :1]
    noise = torch.randn(batch, 1 + KEYS, FEATURES)
    noise[..., :RELEVANT] = 0
    features = noise + prototypes[torch.cat([query_labels, key_labels], dim=1)]
    values = nn.functional.one_hot(key_labels, LABELS).float()
    return features[:, :1], features[:, 1:], values, query_labels


def main() -> None:
    """Train for a few seconds and print what share of E lies on the features that matter."""
    torch.manual_seed(0)
    prototypes = torch.zeros(LABELS, FEATURES)
    prototypes[:, :RELEVANT] = torch.randn(LABELS, RELEVANT)
    attention = MetricAttention(FEATURES, rank=RELEVANT)
    optimizer = torch.optim.Adam(attention.parameters(), lr=3e-2)
    for update in range(301):
        queries, keys, values, labels = draw(64, prototypes)
        predicted = attention(queries, keys, values)
        loss = nn.functional.nll_loss((predicted + 1e-6).log().flatten(0, 1), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if update % 100 == 0:
            E = attention.metric.E.detach()
            share = (E[:, :RELEVANT].square().sum() / E.square().sum()).item()
            accuracy = (predicted.argmax(-1) == labels).float().mean().item()
            print(f"update {update:3}: accuracy {accuracy:.2f}, share of E on what matters {share:.2f}")


if __name__ == "__main__":
    main()
