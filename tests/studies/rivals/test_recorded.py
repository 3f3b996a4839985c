"""Recorded walks: without classes there are R² and densities, and some rivals are not about them."""

import math
from pathlib import Path

import pytest
from recorded_walks import like_a_rat, like_minigrid

from tem_vae.studies.rivals.catalogue import RIVALS
from tem_vae.studies.rivals.contract import NotApplicableError, Trial
from tem_vae.studies.rivals.job import Job
from tem_vae.studies.rivals.scores import score


@pytest.mark.parametrize(
    ("task", "model"),
    [("rat", "tem_vae"), ("rat", "lstm"), ("rat", "mapformer"), ("minigrid", "transformer")],
)
def test_percepts_are_foreseen(task: str, model: str, tmp_path: Path) -> None:
    make = {"rat": like_a_rat, "minigrid": like_minigrid}[task]
    job = Job(task, model, 0, 0.2, (f"data.path={make(tmp_path / 'walks.h5')}",))
    config = job.compose()
    training = RIVALS[model].train(config, Trial(1e-3, 64), job.budget)
    assert training.curve[0].nats is not None
    assert training.curve[0].revisit is None
    walks = config.data.build()
    scores = score(training.forecaster, walks.test.loader(), walks.train)
    assert math.isfinite(scores["decoded_r2"])
    assert math.isfinite(scores["nats"])
    assert math.isnan(scores["revisit"])


@pytest.mark.parametrize("model", ["clones", "knows_links"])
def test_who_is_about_classes_says_so(model: str, tmp_path: Path) -> None:
    config = Job("rat", model, 0, 1.0, (f"data.path={like_a_rat(tmp_path / 'walks.h5')}",)).compose()
    with pytest.raises(NotApplicableError, match="classes"):
        RIVALS[model].train(config, RIVALS[model].trials[0], 1.0)


def test_who_is_told_the_place_knows_what_a_place_shows(tmp_path: Path) -> None:
    """In these walks always the same picture, so returns have no error left."""
    config = Job(
        "minigrid", "knows_places", 0, 1.0, (f"data.path={like_minigrid(tmp_path / 'walks.h5')}",)
    ).compose()
    walks = config.data.build()
    told, copied = (
        score(RIVALS[name].train(config, Trial(0.0, 0), 1.0).forecaster, walks.test.loader(), walks.train)
        for name in ("knows_places", "last")
    )
    assert told["decoded_r2_at_returns"] == pytest.approx(1)
    assert copied["decoded_r2_at_returns"] < 0
