"""The whole reproduction: every experiment, every check, and the list of failures."""

from collections.abc import Iterator
from dataclasses import dataclass

from tem_vae.studies.article.calibration import CalibrationCase, corrected_calibration, published_calibration
from tem_vae.studies.article.checks import Check, Verdict, check_figures
from tem_vae.studies.article.expectations import expectations, spread_over_seeds
from tem_vae.studies.article.experiment import Experiment, run_experiment
from tem_vae.studies.article.formulas import CorrectedFormulas, PublishedFormulas
from tem_vae.studies.article.rounding import RoundingStudy, study_rounding
from tem_vae.studies.article.shortfalls import Shortfall, find_shortfalls

_SEED = 0


@dataclass(frozen=True)
class Effort:
    """How large the experiments are.

    Attributes:
        samples: How many samples to draw where the article draws 100,000.
        few: How many samples to draw where the article draws 1,000.
        seeds: The number of seeds for standard deviations over seeds.
        calibration_samples: Samples for each rank and regulariser.
        ranks: Ranks for which the corrected calibration is measured.
        published_ranks: Ranks for which the published calibration is measured.
        taus: Regularisers for which the corrected calibration is measured.
        rounding_seeds: The number of E for which the published log-determinant is computed.
    """

    samples: int = 100_000
    few: int = 1_000
    seeds: int = 8
    calibration_samples: int = 20_000
    ranks: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
    published_ranks: tuple[int, ...] = (8, 16, 32, 64, 128, 256, 512)
    taus: tuple[float, ...] = (1e-6, 1e-3, 1e-1, 10.0)
    rounding_seeds: int = 200


@dataclass(frozen=True)
class Reproduction:
    """The results of a run.

    Attributes:
        effort: How large the experiments were.
        published: The article's experiments with its own formulas.
        corrected: The same with the corrected formulas and the same seed.
        checks: A verdict on every printed figure.
        calibration: The mean squared distance for every rank and regulariser, with the corrected formulas.
        published_means: The mean squared distance by rank, with the published formulas.
        rounding: The published log-determinant for many seeds.
        shortfalls: What is wrong with the published formulas.
    """

    effort: Effort
    published: Experiment
    corrected: Experiment
    checks: list[Check]
    calibration: list[CalibrationCase]
    published_means: dict[int, float]
    rounding: RoundingStudy
    shortfalls: list[Shortfall]

    def failures(self) -> Iterator[str]:
        """A sentence about every check that failed."""
        for check in self.checks:
            if check.verdict is Verdict.FAILED:
                found = f"published {check.published}, corrected {check.corrected}, expected {check.expected}"
                yield f"{check.figure.name}: printed {check.figure.value}, {found} {check.tolerance}"
        for case in self.calibration:
            if not case.passed:
                yield (
                    f"calibration at rank {case.rank}, tau {case.tau:g}: mean {case.mean:.5f} is "
                    f"{case.errors:+.1f} standard errors from 1"
                )
        for shortfall in self.shortfalls:
            if not shortfall.confirmed:
                yield f"not shown to be wrong: {shortfall.article} ({shortfall.measured})"


def reproduce(effort: Effort) -> Reproduction:
    """Run every experiment of the article with both sets of formulas and check every printed figure."""
    published = run_experiment(PublishedFormulas, _SEED, effort.samples, effort.few)
    corrected = run_experiment(CorrectedFormulas, _SEED, effort.samples, effort.few)
    seeds = range(effort.seeds)
    published_runs = [run_experiment(PublishedFormulas, seed, effort.few, effort.few) for seed in seeds]
    corrected_runs = [run_experiment(CorrectedFormulas, seed, effort.few, effort.few) for seed in seeds]
    expected = expectations(corrected, spread_over_seeds(published_runs, corrected_runs), effort.seeds)
    means = published_calibration(effort.published_ranks, effort.calibration_samples, _SEED)
    rounding = study_rounding(effort.rounding_seeds)
    return Reproduction(
        effort,
        published,
        corrected,
        check_figures(published, corrected, published_runs, expected),
        corrected_calibration(effort.ranks, effort.taus, effort.calibration_samples, _SEED),
        means,
        rounding,
        find_shortfalls(means, rounding),
    )
