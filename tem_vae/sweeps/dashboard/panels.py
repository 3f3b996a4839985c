"""The panels of the dashboard, as data: what is shown together, section by section."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Panel:
    """Lines over updates.

    Attributes:
        title: What is read off, with its unit.
        keys: Logged names; a histogram's name stands alone.
        regex: Instead of keys, an expression that the whole of each name matches.
        log_scale: Whether the values are read on a logarithmic axis.
    """

    title: str
    keys: tuple[str, ...] = ()
    regex: str = ""
    log_scale: bool = False


SECTIONS: dict[str, Sequence[Panel]] = {
    "elbo": (
        Panel("ELBO, nats per percept", ("elbo/elbo", "elbo/validation_elbo")),
        Panel("Reconstruction, nats per percept", ("elbo/reconstruction", "elbo/validation_reconstruction")),
        Panel("KL, nats per percept", ("elbo/kl", "elbo/validation_kl")),
    ),
    "prediction": (
        Panel("Accuracy from memory", ("prediction/revisit_accuracy", "prediction/zero_shot_accuracy")),
        Panel(
            "Heaviest memory made at the true place",
            ("prediction/retrieval_accuracy", "prediction/retrieval_zero_shot_accuracy"),
        ),
        Panel(
            "Accuracy decoded, below its ceiling",
            (
                "prediction/decoded_revisit_accuracy",
                "prediction/decoded_zero_shot_accuracy",
                "prediction/reconstruction_accuracy",
            ),
        ),
        Panel("Accuracy by visit", regex=r"prediction/accuracy_at_visit_.*"),
        Panel("Gap to a memory that knows the place, nats", ("prediction/predictive_gap",)),
        Panel("Novelty tells first visits, AUROC", ("prediction/novelty_auroc",)),
        Panel("Novelty is off the share of first visits by", ("prediction/novelty_calibration_error",)),
    ),
    "metric": (
        Panel("Singular values of E", regex=r"metric/sigma_E_.*"),
        Panel("Singular values of S⁻¹E", regex=r"metric/sigma_whitening_.*"),
        Panel("Effective rank", ("metric/effective_rank_E", "metric/effective_rank_whitening")),
        Panel(
            "Condition number",
            ("metric/condition_number_E", "metric/condition_number_whitening"),
            log_scale=True,
        ),
    ),
    "neighborhood": (
        Panel(
            "Scales, pseudodistance",
            ("neighborhood/posterior_scale", "neighborhood/memory_scale", "neighborhood/null_scale"),
        ),
        Panel("Distances within a class, in posterior scales", ("histogram/distances_within_class",)),
        Panel("Distances between classes, in posterior scales", ("histogram/distances_between_classes",)),
    ),
    "memory": (
        Panel("Weight of the true place at revisits", ("histogram/weight_of_true_place",)),
        Panel("Precision 1/lambda² of the location kernel", ("memory/precision",)),
        Panel("Logits of novelty and background, nats", ("memory/null_logit", "memory/background_logit")),
    ),
    "path_integration": (
        Panel("Drift after walking out and back, radians", regex=r"path_integration/drift_out_.*"),
        Panel("Rotation by staying, radians", ("path_integration/stay_rotation",), log_scale=True),
    ),
    "optimizer": (
        Panel(
            "Learning rates", ("optimizer/learning_rate/model", "optimizer/learning_rate/path_integration")
        ),
        Panel("Gradient norms before clipping", regex=r"optimizer/gradient_norm.*", log_scale=True),
    ),
    "speed": (
        Panel("Walk steps per second of updates", ("speed/walk_steps_per_second",)),
        Panel("Share of time waiting for walks", ("speed/share_waiting_for_walks",)),
        Panel("Peak memory, GB", ("speed/peak_memory_gb",)),
    ),
}

# What a sweep varies, and the result that the sweep's panels relate it to.
SWEPT = ("model.metric.rank", "model.metric.tau", "model.neighborhood.scale", "seed")
RESULTS = ("test/zero_shot_accuracy", "test/elbo", "test/effective_rank")
EXPLAINED = "test/elbo"
