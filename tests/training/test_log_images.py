"""Figures in wandb while training: when, how bright, and that they change nothing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from composed import compose_short_run
from lightning.pytorch.loggers import WandbLogger
from PIL import Image

from tem_vae.training import load
from tem_vae.training.run import train


def test_figures_are_logged_at_the_cadence_and_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[tuple[str, int, float]] = []

    def log_image(
        self: WandbLogger, key: str, images: list[Any], step: int | None = None, **kwargs: Any
    ) -> None:
        assert isinstance(images[0], Image.Image)
        logged.append((key, step or 0, float(np.asarray(images[0]).mean())))

    monkeypatch.setattr(WandbLogger, "log_image", log_image)
    train(compose_short_run("logger=wandb", "logger.images_every=12"), tmp_path / "with")
    train(compose_short_run(), tmp_path / "without")
    names = {"walk", "neighborhoods", "spectra", "path_integration", "rate_maps"}
    # Validations are at 8, 16 and 24 updates.
    assert {(key, step) for key, step, _ in logged} == {
        (f"figures/{name}", step) for name in names for step in (16, 24)
    }
    assert all(brightness > 150 for _, _, brightness in logged)
    seen, unseen = load(tmp_path / "with").state_dict(), load(tmp_path / "without").state_dict()
    assert all(torch.equal(seen[name], unseen[name]) for name in unseen)
    history = (tmp_path / "with" / "history.csv").read_text().splitlines()
    assert "figures/seconds" in history[0]


def test_a_figure_that_cannot_be_drawn_is_warned_of_once_and_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any) -> None:
        raise ValueError("no such symbol")

    monkeypatch.setattr("tem_vae.training.callbacks.images.rasterise", fail)
    metrics = train(compose_short_run("logger=wandb", "logger.images_every=8"), tmp_path / "run")
    assert metrics["train/updates"] == 24
    assert caplog.text.count("cannot be drawn, training goes on: no such symbol") == 1
