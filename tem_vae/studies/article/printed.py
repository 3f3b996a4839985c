"""The figures that the article prints, and the dimensions, regulariser and scale that they are for."""

from dataclasses import dataclass

RANK = 128
CODE_DIM = 1024
TAU = 1e-3
SCALE = 0.1
PRINTED_LOGDET = 132.50909423828125


@dataclass(frozen=True)
class PrintedFigure:
    """One figure as the article prints it.

    Attributes:
        name: The name of the figure in this project.
        value: The printed value; log-probabilities and determinants in nats.
        holds: Whether a correct implementation gives this value, up to sampling noise.
        samples: How many samples the article computed it from; None if it depends on E alone.
        meaning: What the figure is, in a few words.
    """

    name: str
    value: float | tuple[int, int]
    holds: bool
    samples: int | None
    meaning: str


PRINTED: tuple[PrintedFigure, ...] = (
    PrintedFigure("E_dagger_shape", (1024, 128), True, None, "shape of the right inverse"),
    PrintedFigure("diag_E_dagger_E_mean", 1.0, True, None, "mean diagonal of E†E after rebalancing"),
    PrintedFigure("diag_E_dagger_E_std", 0.0837, True, None, "spread of that diagonal"),
    PrintedFigure(
        "abs_error_E_dagger_E_vs_identity_mean", 0.0661, True, None, "mean |E†E − I|, entry by entry"
    ),
    PrintedFigure("E_E_dagger_diagonal", 8.0, True, None, "diagonal of EE†, N/M after rebalancing"),
    PrintedFigure("E_E_dagger_max_deviation", 1.1e-5, True, None, "largest |EE† − (N/M) I|, a bound"),
    PrintedFigure("raw_squared_distance_mean", 8225.18, True, 1_000, "mean of d²(E†u, 0), no scale"),
    PrintedFigure("raw_squared_distance_std", 1039.7, True, 1_000, "spread of d²(E†u, 0), no scale"),
    PrintedFigure("final_squared_distance_mean", 1.0006, True, 100_000, "mean of d²(z, 0), calibrated"),
    PrintedFigure("final_squared_distance_std", 0.1251, True, 100_000, "spread of d²(z, 0), calibrated"),
    PrintedFigure("standard_normal_squared_norm_over_M_std", 0.1248, True, 100_000, "spread of ‖u‖²/M"),
    PrintedFigure("logdet_E", PRINTED_LOGDET, False, None, "log-volume of the map from z to u"),
    PrintedFigure("logp_mean", -314.12, False, 100_000, "mean log-probability at scale 1"),
    PrintedFigure("logp_std", 8.0032, True, 100_000, "spread of the log-probability"),
    PrintedFigure(
        "logp_slope_against_squared_distance", -64.0, True, 100_000, "slope of the log-probability in d²"
    ),
    PrintedFigure("distance_mean_at_scale_0.1", 0.099803, True, 1_000, "mean of d(z, z₀) at scale 0.1"),
    PrintedFigure("distance_std_at_scale_0.1", 0.006262, True, 1_000, "spread of d(z, z₀) at scale 0.1"),
    PrintedFigure("logp_mean_at_scale_0.1", -13432.53, False, 1_000, "mean log-probability at scale 0.1"),
    PrintedFigure(
        "logp_cached_minus_recomputed_abs_max",
        0.00098,
        True,
        1_000,
        "largest difference of the two ways, a bound",
    ),
    PrintedFigure(
        "logp_cached_minus_recomputed_std", 0.000148, True, 1_000, "spread of the difference, a bound"
    ),
    PrintedFigure(
        "PseudoMetric_distance_mean_at_scale_1", 1.00318, True, 1_000, "mean distance, weights of nn.Linear"
    ),
    PrintedFigure(
        "PseudoMetric_distance_std_at_scale_1", 0.06098, True, 1_000, "spread of it, weights of nn.Linear"
    ),
    PrintedFigure(
        "PseudoMetric_logp_mean", 2419.4, False, 1_000, "mean log-probability, weights of nn.Linear"
    ),
)
