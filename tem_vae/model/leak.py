"""A model whose bound leaks, to show in numbers why the decoder must not read all of a code."""

from torch import Tensor

from tem_vae.model.generative import TemVae


class LeakyTemVae(TemVae):
    """Its decoder reads all of z, also the component in ker E.

    A posterior sample has that component of its own percept's code, unblurred, and the KL between
    neighborhoods, taken on R^N / ker E, does not charge for it. What it carries reaches the decoder for
    nothing: the reported bound is no bound on log p(x_1..x_T | actions).
    """

    def visible(self, z: Tensor, embedding: Tensor) -> Tensor:
        """All of z, (*, N)."""
        return z
