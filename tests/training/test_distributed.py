"""Two processes that train together do what one does on the joint batch."""

from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from short_runs import short_config
from torch import Tensor

from tem_vae.config.build import build_model
from tem_vae.config.training import TrainConfig
from tem_vae.data.held_out import WalkBatches, concatenate
from tem_vae.evaluation.tester import build_scores
from tem_vae.scores.prediction import MODEL
from tem_vae.training.datamodule import WalkDataModule, build_data
from tem_vae.training.module import TemVaeModule
from tem_vae.training.optimizer import forgetting

PROCESSES = 2
UPDATES = 3


class KeepUpdates(Callback):
    """Saves weights and gradients of every update, and the scores of validation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: Any, optimizer: Any) -> None:
        if trainer.is_global_zero:
            gradients = {name: p.grad for name, p in pl_module.model.named_parameters()}
            kept = {"weights": pl_module.model.state_dict(), "gradients": gradients}
            torch.save(kept, self.folder / f"update_{trainer.global_step}.pt")

    def on_validation_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        kept = {"weights": pl_module.model.state_dict(), "scores": predictions(trainer)}
        torch.save(kept, self.folder / f"scores_{trainer.global_rank}.pt")


def predictions(trainer: L.Trainer) -> dict[str, Tensor]:
    return {name: score for name, score in trainer.callback_metrics.items() if name.startswith("prediction/")}


def assemble(config: TrainConfig) -> tuple[TemVaeModule, WalkDataModule]:
    torch.manual_seed(config.seed)
    data = build_data(config.data, config.seed, config.trainer.max_steps)
    model = build_model(config.model, config.data.walk_shape)
    return TemVaeModule(
        model, config.optimizer, build_scores(data.train, MODEL), config.seed, log_every=1
    ), data


def make_trainer(folder: Path, **options: Any) -> L.Trainer:
    return L.Trainer(
        max_steps=UPDATES,
        limit_train_batches=UPDATES,
        accelerator="cpu",
        precision="64-true",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        callbacks=[KeepUpdates(folder)],
        **options,
    )


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    # An odd number of walks, so that the processes have unequal shares of the scores.
    overrides = ("data.validation.walks=5", "data.validation.walk_length=60", "seed=3")
    return short_config(tmp_path_factory.mktemp("run"), "model.encoder.hidden_dim=16", *overrides)


@pytest.fixture(scope="module")
def together(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes kept of their updates."""
    folder = tmp_path_factory.mktemp("together")
    module, data = assemble(config)
    make_trainer(folder, devices=PROCESSES, strategy="ddp_fork").fit(module, data)
    return folder


def joint_gradients(module: TemVaeModule, data: WalkDataModule, update: int) -> dict[str, Tensor]:
    """Of one process on the batches of all, with the noise of each."""
    source = WalkBatches(data.train, data.seed, length=PROCESSES * UPDATES)
    batches = [source[update * PROCESSES + process] for process in range(PROCESSES)]
    noise = []
    for process, batch in enumerate(batches):
        torch.manual_seed(module.seed * 2**31 + update * PROCESSES + process)
        posterior = module.model.infer(batch.percepts.double(), batch.actions).posterior
        noise.append(posterior.rsample_with_u())
    z, u = (torch.cat(parts) for parts in zip(*noise, strict=True))
    joint = concatenate(batches)
    percepts = joint.percepts.double()
    terms = module.model.evaluate_sample(percepts, module.model.infer(percepts, joint.actions), z, u)
    parameters = dict(module.model.named_parameters())
    return dict(
        zip(parameters, torch.autograd.grad(-terms.elbo.mean(), list(parameters.values())), strict=True)
    )


@pytest.mark.parametrize("update", range(UPDATES))
def test_gradients_are_those_of_the_joint_batch(update: int, config: TrainConfig, together: Path) -> None:
    module, data = assemble(config)
    kept = torch.load(together / f"update_{update}.pt", weights_only=True)
    module.model.double().load_state_dict(kept["weights"])
    module.model.memory.forgetting = forgetting(update, UPDATES, config.optimizer)
    expected = joint_gradients(module.train(), data, update)
    torch.testing.assert_close(kept["gradients"], expected, rtol=1e-6, atol=1e-9)


def test_scores_are_those_of_all_walks(config: TrainConfig, together: Path, tmp_path: Path) -> None:
    kept = [torch.load(together / f"scores_{process}.pt", weights_only=True) for process in range(PROCESSES)]
    module, data = assemble(config)
    module.model.double().load_state_dict(kept[0]["weights"])
    alone = make_trainer(tmp_path, devices=1)
    alone.validate(module, data, verbose=False)
    assert predictions(alone)["prediction/zero_shot_moves"] > 0
    for process in range(PROCESSES):
        torch.testing.assert_close(kept[process]["scores"], predictions(alone))
