"""Every ablation is what its name says, and trains."""

import pytest
import torch
from hydra import compose, initialize_config_dir

from tem_vae.config.build import build_model
from tem_vae.config.command_line import CONF
from tem_vae.config.problems import validate
from tem_vae.config.training import TrainConfig
from tem_vae.data import Walks
from tem_vae.errors import ConfigurationError
from tem_vae.geometry import Pseudometric
from tem_vae.model import LeakyTemVae, StandardNormalPrior, TemVae
from tem_vae.training.datamodule import build_data

ABLATIONS = sorted(path.stem for path in (CONF / "experiment" / "ablation").glob("*.yaml"))


def composed(*overrides: str) -> TrainConfig:
    """The default run with small batches, and changes."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        small = ["data.batch_size=2", "data.walk_length=20"]
        return validate(compose("train", overrides=[*small, *overrides]), TrainConfig)


def build(name: str) -> tuple[TemVae, Walks]:
    config = composed(f"experiment=ablation/{name}")
    data = build_data(config.data, seed=0, updates=1)
    torch.manual_seed(0)
    return build_model(config.model, config.data.walk_shape), next(iter(data.train_dataloader()))


@pytest.mark.parametrize("name", ABLATIONS)
def test_the_bound_and_its_gradients_are_finite(name: str) -> None:
    model, walks = build(name)
    terms = model.elbo(walks.percepts, walks.actions)
    assert terms.elbo.isfinite().all()
    terms.elbo.mean().backward()
    trained = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
    assert all(gradient.isfinite().all() for gradient in trained.values())
    learns_metric = any(n.startswith("metric.") for n in trained)
    assert learns_metric == (name not in ("euclidean", "euclidean_16", "random_metric"))


@pytest.mark.parametrize(("name", "rank"), [("euclidean", 128), ("euclidean_16", 16), ("diagonal", 128)])
def test_square_metrics_begin_as_the_identity(name: str, rank: int) -> None:
    torch.testing.assert_close(build(name)[0].metric.E, torch.eye(rank))


def test_without_the_gauge_the_norm_of_the_weight_counts() -> None:
    def doubled(metric: Pseudometric) -> float:
        norm = metric.E.detach().norm()
        metric.weight.data *= 2
        return float(metric.E.detach().norm() / norm)

    assert doubled(build("no_gauge")[0].metric) == pytest.approx(2)
    assert doubled(build("none")[0].metric) == pytest.approx(1)


def test_what_replaces_memory_and_decoder() -> None:
    assert isinstance(build("no_memory")[0].memory, StandardNormalPrior)
    assert isinstance(build("leaky_decoder")[0], LeakyTemVae)
    assert type(build("none")[0]) is TemVae


def test_a_square_metric_needs_full_rank() -> None:
    with pytest.raises(ConfigurationError, match=r"must equal code_dim = 128 where metric\.kind is diagonal"):
        composed("model.metric.kind=diagonal")
