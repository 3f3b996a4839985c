"""A machine that lacks the accelerator, or the key, is told of before anything is written."""

from pathlib import Path

import pytest
import wandb
from composed import compose_short_run
from lightning.pytorch.accelerators import CUDAAccelerator, MPSAccelerator

from tem_vae.errors import ConfigurationError
from tem_vae.training.devices import check_devices
from tem_vae.training.run import train


def pretend(patch: pytest.MonkeyPatch, *, cuda_devices: int) -> None:
    patch.setattr(CUDAAccelerator, "is_available", lambda: cuda_devices > 0)
    patch.setattr(CUDAAccelerator, "auto_device_count", lambda: cuda_devices)
    patch.setattr(MPSAccelerator, "is_available", lambda: False)


@pytest.mark.parametrize("accelerator", ["gpu", "mps"])
def test_an_accelerator_that_is_not_there(
    accelerator: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pretend(monkeypatch, cuda_devices=0)
    config = compose_short_run(f"trainer.accelerator={accelerator}")
    with pytest.raises(ConfigurationError, match=f"trainer.accelerator = {accelerator}: torch finds none"):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_more_devices_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda_devices=2)
    check_devices(compose_short_run("trainer.accelerator=gpu", "trainer.devices=2").trainer)
    with pytest.raises(ConfigurationError, match=r"trainer.devices = 3: this machine has 2"):
        check_devices(compose_short_run("trainer.accelerator=gpu", "trainer.devices=3").trainer)


@pytest.mark.parametrize("accelerator", ["cpu", "auto"])
def test_a_cpu_is_everywhere(accelerator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda_devices=0)
    check_devices(compose_short_run(f"trainer.accelerator={accelerator}", "trainer.devices=2").trainer)


def test_logging_online_without_a_key_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wandb, "login", lambda prompt: False)
    config = compose_short_run("logger=wandb", "logger.offline=false")
    with pytest.raises(ConfigurationError, match=r"logger.offline = false: .* needs a wandb key"):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
