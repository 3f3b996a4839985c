"""The project's own copy of the article's figures."""

from tem_vae.studies.article.printed import CODE_DIM, PRINTED, RANK


def test_every_figure_is_there_once() -> None:
    assert len(PRINTED) == 23
    assert len({figure.name for figure in PRINTED}) == 23


def test_the_log_probabilities_and_the_determinant_do_not_hold() -> None:
    wrong = {figure.name for figure in PRINTED if not figure.holds}
    assert wrong == {"logdet_E", "logp_mean", "logp_mean_at_scale_0.1", "PseudoMetric_logp_mean"}


def test_the_setting_is_the_one_where_the_published_scale_is_right() -> None:
    assert RANK**3 == 2 * CODE_DIM**2
