"""What is said of an observer on a long walk is what `predict` would have said, where nothing is merged."""

import json
from argparse import ArgumentParser
from pathlib import Path

import pytest
import torch

from tem_vae.data import classify_steps
from tem_vae.evaluation.trained import load_run
from tem_vae.evaluation.walk_plan import SimulatedPlan
from tem_vae.scores.classifier import NearestPercept
from tem_vae.studies.benchmarks.long_walk import add_arguments, observe_walk, run

RUN = Path(__file__).parents[2] / "evaluation" / "version_0_1_0"


def test_without_merging_an_observer_foresees_what_the_model_predicts() -> None:
    trained = load_run(RUN)
    data = trained.config.data
    plan = SimulatedPlan(
        **data.test.model_dump() | {"walk_length": 120, "walks": 1},
        percepts=data.percepts,
        policy=data.policy,
        blank=data.blank,
        slips=data.slips,
    )
    walk = next(iter(plan.build_walks(trained.actions).loader()))
    first, second = observe_walk(trained, walk, capacity=200, parts=2)
    assert walk.places is not None
    assert walk.classes is not None
    revisit = classify_steps(walk.places).revisit[0]
    references = trained.percepts and trained.percepts.references()
    assert references
    classifier = NearestPercept(torch.from_numpy(references.percepts), torch.from_numpy(references.classes))
    predicted = trained.model.predict(walk.percepts, walk.actions).percepts[0]
    right = (classifier(predicted) == walk.classes[0])[revisit].double().mean()
    assert first.moves + second.moves == revisit.sum()
    foreseen = first.moves * first.accuracy + second.moves * second.accuracy
    assert foreseen / (first.moves + second.moves) == pytest.approx(float(right))
    own = trained.model.reconstruct(walk.percepts[0])
    worse = (walk.percepts[0] - predicted).square().sum(-1) - (walk.percepts[0] - own).square().sum(-1)
    loss = (first.moves * first.loss + second.moves * second.loss) / (first.moves + second.moves)
    noise = trained.model.decoder.likelihood.noise
    assert loss == pytest.approx(float(0.5 * worse[revisit].double().mean() / noise**2), rel=1e-4)


def test_a_run_of_the_benchmark_writes_its_table(tmp_path: Path) -> None:
    parser = ArgumentParser()
    add_arguments(parser)
    overrides = [f"checkpoint={RUN}", "data.walk_length=90"]
    run(
        parser.parse_args(["--capacities", "20", "40", "--parts", "3", "--output", str(tmp_path), *overrides])
    )
    parts = json.loads((tmp_path / "long_walk.json").read_text())
    assert [(part["capacity"], part["last"]) for part in parts] == [
        (20, 30), (20, 60), (20, 90), (40, 30), (40, 60), (40, 90)
    ]  # fmt: skip
    assert (tmp_path / "long_walk.md").read_text().count("\n| ") == 8
