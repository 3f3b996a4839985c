"""The whole reproduction: every experiment, every check, and what failed."""

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
    """How much is drawn.

    Attributes:
        samples: draws where the article takes 100,000.
        few: draws where the article takes 1,000.
        seeds: over which a spread is taken.
        calibration_samples: draws for each rank and regulariser.
        ranks: at which the corrected calibration is measured.
        published_ranks: at which the published one is.
        taus: regularisers at which the corrected calibration is measured.
        rounding_seeds: for how many E the published log-determinant is computed.
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
    """What a run found.

    Attributes:
        effort: how much was drawn.
        published: the article's experiments under its own formulas.
        corrected: the same, same seed, under the corrected ones.
        checks: the printed figures, judged.
        calibration: the corrected mean squared distance over ranks and regularisers.
        published_means: the published one by rank.
        rounding: the published log-determinant over many seeds.
        shortfalls: what is wrong with the published formulas.
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
        """Everything that did not come out as it should, in words."""
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
    """Run every experiment of the article under both formulas and judge what it prints."""
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
