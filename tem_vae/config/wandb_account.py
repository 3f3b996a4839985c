"""Whether wandb can be written to."""

from tem_vae.errors import ConfigurationError


def check_account() -> None:
    """Check that there is a key of wandb, for who logs online.

    Raises:
        ConfigurationError: There is none.
    """
    # It takes a second to load.
    import wandb

    if not wandb.login(prompt=False):
        raise ConfigurationError(
            "logger.offline = false: logging online needs a wandb key, and none was found; run `wandb login` "
            "or set WANDB_API_KEY, or leave it out and upload later with "
            "`wandb sync RUN_DIR/wandb/offline-run-*`"
        )
