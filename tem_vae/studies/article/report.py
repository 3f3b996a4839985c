"""The Markdown report of the reproduction."""

import textwrap
from collections.abc import Mapping

import torch

from tem_vae.studies.article.calibration import ALLOWED_ERRORS
from tem_vae.studies.article.checks import Verdict
from tem_vae.studies.article.figure_table import COLUMNS, figure_rows, printed_text
from tem_vae.studies.article.printed import CODE_DIM, RANK, TAU
from tem_vae.studies.article.run import Reproduction
from tem_vae.text import markdown_table


def render_report(reproduction: Reproduction, captions: Mapping[str, str]) -> str:
    """The report as Markdown.

    Args:
        reproduction: The results.
        captions: The captions of the plots, by file name. The files lie beside the report.
    """
    sections = (
        _introduction(reproduction),
        "## The printed figures",
        _figures_note(reproduction),
        _figures_table(reproduction),
        "## The figures that do not hold",
        _wrong_table(reproduction),
        "## Where the formulas fall short",
        _shortfall_table(reproduction),
        "## Plots",
        *(f"![{caption}]({name})\n\n{caption}" for name, caption in captions.items()),
        "## The calibration at every rank",
        _calibration_note(reproduction),
        _calibration_table(reproduction),
    )
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _introduction(reproduction: Reproduction) -> str:
    counts = {verdict: sum(check.verdict is verdict for check in reproduction.checks) for verdict in Verdict}
    failures = list(reproduction.failures())
    outcome = "Not every check passed:\n\n- " + "\n- ".join(failures) if failures else "Every check passed."
    prose = f"""The article is "Building Pseudometrics -- Embedding Case"
        (https://github.com/hypernicon/tree-world). Its functions are restated in
        [`tem_vae/studies/article/published.py`](../../tem_vae/studies/article/published.py),
        what the project does instead is in [`tem_vae/geometry/`](../../tem_vae/geometry), and
        [mathematics.md](../mathematics.md) derives it. Everything below is measured by
        `python scripts/reproduce_article.py`, at M = {RANK}, N = {CODE_DIM}, τ = {TAU:g} unless it says
        otherwise, with torch {torch.__version__.split("+")[0]} on one thread of a CPU. What float32 rounding
        makes of the published formulas depends on the machine; the rest does not. Of
        {len(reproduction.checks)} printed figures {counts[Verdict.HOLDS]} hold and {counts[Verdict.WRONG]}
        are wrong."""
    return f"""# The article, reproduced and corrected

<!-- Written by scripts/reproduce_article.py; edit that, not this. -->

{_fill(prose)}

{outcome}"""


def _figures_note(reproduction: Reproduction) -> str:
    return _fill(f"""A figure *holds* where the printed value, the published formula run here and the
        corrected one all lie within the tolerance of the theory; both formulas see the same E and the
        same noise. It is *wrong* where a dense float64 reference refutes what is printed, refutes the
        published formula in float64 too, and confirms the corrected one. A tolerance is four standard
        errors, computed from the law of the figure and the size n of the sample, or, where the figure
        depends on E alone, four standard deviations over {reproduction.effort.seeds} seeds. The corrected
        inverse is multiplied by N/tr(S) to be compared with the published one, which divides by its mean
        diagonal. Where the published determinant is NaN, the printed one stands in for it in the figures
        that do not depend on its value.""")


def _figures_table(reproduction: Reproduction) -> str:
    rows = [
        (f"`{row[0]}`<br>{check.figure.meaning}", *row[1:])
        for check, row in zip(reproduction.checks, figure_rows(reproduction.checks), strict=True)
    ]
    return markdown_table(COLUMNS, rows)


def _wrong_table(reproduction: Reproduction) -> str:
    header = (
        "figure, in nats",
        "printed",
        "published formula, float32",
        "published formula, float64",
        "dense float64 reference",
        "corrected formula",
    )
    rows = [
        (
            check.figure.meaning,
            printed_text(check.figure),
            check.published,
            f"{check.published_exact:.6g}",
            check.expected,
            check.corrected,
        )
        for check in reproduction.checks
        if check.published_exact is not None
    ]
    return markdown_table(header, rows)


def _shortfall_table(reproduction: Reproduction) -> str:
    rows = [
        (shortfall.article, shortfall.truth, shortfall.measured, "yes" if shortfall.confirmed else "NO")
        for shortfall in reproduction.shortfalls
    ]
    return markdown_table(("the article", "what is true", "measured", "shown"), rows)


def _calibration_note(reproduction: Reproduction) -> str:
    worst = max(abs(case.errors) for case in reproduction.calibration)
    samples, cases = reproduction.effort.calibration_samples, len(reproduction.calibration)
    return _fill(f"""Mean of d²/ε² under the corrected calibration, n = {samples:,}, E as `nn.Linear` draws
        it (squared singular values near 1/3, so that the larger τ outweigh them), and in brackets its
        distance from 1 in standard errors √(2 tr(S⁴)/n)/tr(S²). The largest of the {cases} is
        {worst:.2f}; {ALLOWED_ERRORS} are allowed. The last column is the published calibration at τ =
        {TAU:g}.""")


def _calibration_table(reproduction: Reproduction) -> str:
    taus = reproduction.effort.taus
    rows = []
    for rank in reproduction.effort.ranks:
        cases = [case for case in reproduction.calibration if case.rank == rank]
        cells = [f"{case.mean:.4f} ({case.errors:+.1f})" for case in cases]
        published = reproduction.published_means.get(rank)
        rows.append((str(rank), *cells, "" if published is None else f"{published:.3g}"))
    return markdown_table(("rank", *(f"τ = {tau:g}" for tau in taus), "published"), rows)


def _fill(prose: str) -> str:
    return textwrap.fill(" ".join(prose.split()), 110, break_long_words=False, break_on_hyphens=False)
