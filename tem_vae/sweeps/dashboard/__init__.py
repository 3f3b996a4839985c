"""The wandb workspace as code, and its panels drawn without wandb."""
