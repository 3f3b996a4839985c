"""The learned pseudometric d_E(a, b) = ‖E (a − b)‖ on codes."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tem_vae.geometry.euclidean import norm, pairwise_squared_distance, safe_sqrt
from tem_vae.geometry.factorization import Factorization, check_regulariser, factorize
from tem_vae.geometry.neighborhood import Neighborhood
from tem_vae.geometry.precision import matmul, matrix_dtype, working_dtype


class Pseudometric(nn.Module):
    """Owns the embedding E (M, N): distances are Euclidean after E, so what lies in ker E does not count.

    Args:
        code_dim: N, the dimension of codes.
        rank: M, the metric rank, 1 <= M <= N.
        tau: Tikhonov regulariser of the right inverse, in units of squared singular values of E.
        normalize: fix the gauge, ‖E‖_F = √M, whatever the norm of the weight.

    Raises:
        ValueError: rank is not in 1..code_dim, or tau is negative or not finite.

    Example:
        >>> metric = Pseudometric(code_dim=8, rank=2, tau=1e-3)
        >>> a, b = torch.randn(5, 8), torch.randn(5, 8)
        >>> metric.distance(a, b).shape, metric.pairwise_distance(a, b).shape
        (torch.Size([5]), torch.Size([5, 5]))
        >>> metric.neighborhood(a, scale=0.1).rsample((3,)).shape
        torch.Size([3, 5, 8])
    """

    weight: nn.Parameter

    def __init__(self, code_dim: int, rank: int, tau: float, normalize: bool = False) -> None:
        super().__init__()
        if not 1 <= rank <= code_dim:
            raise ValueError(f"rank must be in 1..{code_dim} (the code dimension), but it is {rank}.")
        check_regulariser(tau)
        self.code_dim = code_dim
        self.rank = rank
        self.tau = tau
        self.normalize = normalize
        self.weight = nn.Parameter(nn.init.orthogonal_(torch.empty(rank, code_dim)))

    @property
    def E(self) -> Tensor:  # noqa: N802
        """The embedding in use, (M, N): the weight, or √M weight/‖weight‖_F."""
        if not self.normalize:
            return self.weight
        exact = self.weight.to(matrix_dtype(self.weight.device))
        unit = F.normalize(exact.flatten(), dim=0, eps=torch.finfo(exact.dtype).tiny).view_as(exact)
        return (math.sqrt(self.rank) * unit).to(self.weight.dtype)

    def distance(self, a: Tensor, b: Tensor, squared: bool = False) -> Tensor:
        """d_E(a, b) or its square, (*, N), (*, N) -> (*); the gradient of either is 0 where a = b."""
        embedded = matmul(a - b, self.E.mT)
        return embedded.square().sum(-1) if squared else norm(embedded)

    def pairwise_distance(self, a: Tensor, b: Tensor, squared: bool = False) -> Tensor:
        """d_E of every pair or its square, (*, T, N), (*, S, N) -> (*, T, S), without a (T, S, N) array."""
        E = self.E.mT
        distance = pairwise_squared_distance(matmul(a, E), matmul(b, E))
        dtype = working_dtype(a, b, E)
        return distance.to(dtype).clamp_min(0) if squared else safe_sqrt(distance).to(dtype)

    def attention_logits(self, queries: Tensor, keys: Tensor, bandwidth: float | Tensor) -> Tensor:
        """−d²/(2 lambda²) for every query and key, (*, T, N), (*, S, N) -> (*, T, S).

        Args:
            queries: codes, (*, T, N).
            keys: codes, (*, S, N).
            bandwidth: lambda > 0 in units of the pseudometric; a tensor broadcasts with (*, T, S).

        Raises:
            ValueError: bandwidth is a number and not positive.
        """
        if not (isinstance(bandwidth, Tensor) or bandwidth > 0):
            raise ValueError(f"bandwidth must be positive, but it is {bandwidth}.")
        return self.pairwise_distance(queries, keys, squared=True) * (-0.5 / bandwidth**2)

    def factorize(self) -> Factorization:
        """Factorise E as it is now. Make one for every forward pass and never keep it across updates."""
        return factorize(self.E, self.tau)

    def neighborhood(self, center: Tensor, scale: float | Tensor) -> Neighborhood:
        """The neighborhoods of codes, (*B, N), at a scale that broadcasts with *B.

        Their factorisation is fresh. Neighborhoods that are to be compared must share one: build them from
        the result of `factorize`.
        """
        return Neighborhood(center, scale, self.factorize())

    def extra_repr(self) -> str:
        """What `print` shows of the module."""
        return f"code_dim={self.code_dim}, rank={self.rank}, tau={self.tau}, normalize={self.normalize}"
