"""Continuing a search by optuna: as many trials in all as were asked for."""

from omegaconf import DictConfig


def is_search(config: DictConfig) -> bool:
    """Whether a sweep is a search by optuna."""
    return "optuna" in config.hydra.sweeper._target_


def continue_search(config: DictConfig) -> None:
    """Ask only for the trials that the study still lacks, and keep their directories apart from earlier ones.

    A trial that was cut off has no result; another one takes its place.

    Args:
        config: Composed for a multirun, its sweep directory settled; changed in place.
    """
    # Optuna is an extra, needed only here.
    import optuna

    sweeper = config.hydra.sweeper
    study = optuna.create_study(
        study_name=sweeper.study_name,
        storage=sweeper.storage,
        direction=sweeper.direction,
        load_if_exists=True,
    )
    finished = [trial for trial in study.trials if trial.state is optuna.trial.TrialState.COMPLETE]
    sweeper.n_trials = max(0, sweeper.n_trials - len(finished))
    # With its first seed the sampler would draw its first trials again.
    sweeper.sampler.seed += len(study.trials)
    config.hydra.overrides.hydra.append(f"hydra.sweep.subdir='{len(study.trials)}+${{hydra.job.num}}'")
