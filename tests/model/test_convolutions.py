"""Networks for images of any size from 8 pixels a side, grey and colour."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tem_vae.data import Walks
from tem_vae.geometry import Pseudometric
from tem_vae.model import (
    ContinuousBernoulliLikelihood,
    ConvolutionalDecoder,
    ConvolutionalEncoder,
    GaussianLikelihood,
    MemoryPrior,
    Observer,
    PathIntegrator,
    Standardizer,
    TemVae,
)
from tem_vae.training.module import mean_over_steps

sides = st.integers(8, 96)
shapes = st.one_of(st.tuples(sides, sides), st.tuples(st.integers(1, 4), sides, sides))


def networks(shape: tuple[int, ...]) -> tuple[ConvolutionalEncoder, ConvolutionalDecoder]:
    torch.manual_seed(0)
    encoder = ConvolutionalEncoder(shape, channels=2, hidden_dim=8, code_dim=6)
    decoder = ConvolutionalDecoder(3, 2, 8, shape, GaussianLikelihood(0.5))
    return encoder, decoder


@settings(max_examples=40, deadline=None)
@given(shape=shapes, batch=st.sampled_from([(), (2,), (2, 3)]))
@example(shape=(8, 8), batch=(2, 3))
@example(shape=(3, 96, 96), batch=(1, 1))
@example(shape=(9, 95), batch=())
def test_shapes(shape: tuple[int, ...], batch: tuple[int, ...]) -> None:
    encoder, decoder = networks(shape)
    percepts = torch.randn(*batch, *shape)
    code = encoder(percepts)
    assert code.shape == (*batch, 6)
    torch.testing.assert_close(code.square().sum(-1), torch.full(batch, 6.0), rtol=1e-2, atol=0)
    embedded = torch.randn(*batch, 3)
    assert decoder(embedded).shape == percepts.shape
    assert decoder.log_prob(percepts, embedded).shape == batch
    assert decoder.log_prob(percepts, torch.randn(4, *batch, 3)).shape == (4, *batch)


@pytest.mark.parametrize("shape", [(8, 8), (3, 17, 12)])
def test_percepts_of_a_batch_do_not_depend_on_each_other(shape: tuple[int, ...]) -> None:
    encoder, decoder = networks(shape)
    percepts, embedded = torch.randn(5, *shape), torch.randn(5, 3)
    one_by_one = torch.stack([encoder(percept) for percept in percepts])
    torch.testing.assert_close(encoder(percepts), one_by_one, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(decoder(embedded), torch.stack([decoder(e) for e in embedded]))


@pytest.mark.parametrize("shape", [(8, 8), (3, 9, 16), (96, 96)])
def test_every_pixel_is_read_and_every_pixel_is_written(shape: tuple[int, ...]) -> None:
    encoder, decoder = networks(shape)
    percept = torch.randn(1, *shape, requires_grad=True)
    (read,) = torch.autograd.grad(encoder(percept)[0, 0], percept)
    assert (read != 0).all()
    spread = torch.stack([decoder(embedded) for embedded in torch.randn(6, 3)]).std(dim=0)
    assert (spread > 0).all()


@pytest.mark.parametrize("shape", [(64,), (7, 8), (3, 8, 7), (2, 3, 8, 8)])
def test_what_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="convolutions need images of 8 pixels or more a side"):
        networks(shape)


@pytest.mark.parametrize("shape", [(8, 8), (3, 10, 9)])
def test_a_model_of_images_learns_predicts_and_observes(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    model = TemVae(
        ConvolutionalEncoder(shape, 4, 16, 10),
        Pseudometric(10, 3, tau=1e-2, normalize=True),
        PathIntegrator(3, channels=8, initial_rotation=0.7),
        MemoryPrior(10, scale=0.5, initial_precision=10.0, prototypes=3),
        ConvolutionalDecoder(3, 4, 16, shape, ContinuousBernoulliLikelihood()),
        scale=0.5,
    )
    percepts = torch.rand(2, 6, *shape)
    percepts[0, 2] = torch.nan
    walks = Walks(percepts, torch.randint(3, (2, 5)), torch.ones(2, 6, dtype=torch.bool))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(15):
        loss = -mean_over_steps(model.elbo(percepts, walks.actions).elbo, walks.seen)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    expected = model.eval().predict(percepts, walks.actions).percepts
    assert expected.shape == percepts.shape
    observer = Observer(model)
    for t in range(6):
        step = observer.observe(percepts[:, t], walks.actions[:, t - 1] if t else None)
        torch.testing.assert_close(step.percept, expected[:, t], rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="last axes of percepts must be"):
        model.predict(percepts.movedim(-1, 2)[..., :-1], walks.actions)


def test_images_are_standardised_by_channel() -> None:
    standardizer = Standardizer((3, 8, 9))
    percepts = torch.rand(20, 3, 8, 9) * torch.tensor([1.0, 5.0, 0.1])[:, None, None]
    standardizer.fit([percepts])
    torch.testing.assert_close(standardizer(percepts).std(dim=(0, 2, 3)), torch.ones(3), rtol=1e-3, atol=0)
