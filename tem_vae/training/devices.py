"""Whether this machine has what a run is to be trained on."""

from lightning.pytorch.accelerators import Accelerator, CUDAAccelerator, MPSAccelerator

from tem_vae.config.training import TrainerConfig
from tem_vae.errors import ConfigurationError

_KINDS: dict[str, tuple[type[Accelerator], ...]] = {
    "gpu": (CUDAAccelerator, MPSAccelerator),
    "mps": (MPSAccelerator,),
}


def check_devices(config: TrainerConfig) -> None:
    """Check that the accelerator is there, with as many devices as are asked for.

    Raises:
        ConfigurationError: It is not, or there are fewer.
    """
    kinds = _KINDS.get(config.accelerator)
    if kinds is None:
        return
    there = [kind.auto_device_count() for kind in kinds if kind.is_available()]
    if not there:
        raise ConfigurationError(
            f"trainer.accelerator = {config.accelerator}: torch finds none on this machine; "
            "use cpu, or auto for whatever there is"
        )
    if config.devices > there[0]:
        raise ConfigurationError(
            f"trainer.devices = {config.devices}: this machine has {there[0]} of trainer.accelerator = "
            f"{config.accelerator}; use at most so many"
        )
