"""What a model names with a belief, with recorded actions, with those that happened; and what agents name."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tem_vae.config.simulated import SimulatedConfig
from tem_vae.data import HeldOutWalks, SimulatedWalks, Walks, classify_steps
from tem_vae.errors import ConfigurationError
from tem_vae.evaluation.doubts import apply_doubts
from tem_vae.evaluation.run import is_own
from tem_vae.evaluation.trained import load_run
from tem_vae.evaluation.walk_plan import plan_walks
from tem_vae.model import Belief, PersistentSlips, Prior, TemVae
from tem_vae.runs.files import write_whole
from tem_vae.scores.masked_means import MaskedMeans
from tem_vae.scores.prediction import class_nats, class_probabilities
from tem_vae.studies.doubts.config import DoubtsConfig
from tem_vae.studies.doubts.geometry_filter import filter_geometry
from tem_vae.studies.doubts.map_filter import filter_map

PREDICTORS = ("told", "belief", "filter_geometry", "happened", "filter_map")
SCORES = ("revisit", "zero_shot", "class_nats")

Result = dict[str, Any]


def measure(config: DoubtsConfig) -> Result:
    """Score all predictors on the same walks.

    Raises:
        ConfigurationError: The walks or the doubts do not fit the run, or what places hold is not known.
    """
    torch.set_num_threads(config.threads)
    run = load_run(config.checkpoint)
    if not isinstance(run.config.data, SimulatedConfig) or run.percepts is None:
        raise ConfigurationError(
            f"checkpoint = {config.checkpoint}: it was trained on recorded walks, of which nobody knows what "
            "places hold; name a run on walks that are drawn"
        )
    plan = plan_walks(run.config.data, config.data, is_own(config.checkpoint, run.config))
    walks = plan.build_walks(run.actions)
    apply_doubts(run, config.belief, walks)
    if run.model.belief is None:
        raise ConfigurationError("belief.hypotheses: say how many to follow, as in belief.hypotheses=128")
    torch.manual_seed(walks.seed)
    scores = MaskedMeans([f"{predictor}_{score}" for predictor in PREDICTORS for score in SCORES])
    start = time.process_time()
    destinations = _known_geometry(walks) if config.filter else None
    for batch in walks.loader():
        for predictor, named in _predict(run.model, batch, walks.source.n_classes, destinations):
            _score(scores, predictor, named, batch)
    estimates = scores.estimates()
    return {
        "setting": {"seed": run.config.seed} | _describe(run.model.belief, walks),
        "seconds": time.process_time() - start,
        "means": {name: float(mean) for name, mean in estimates.means.items()},
        "errors": {name: float(error) for name, error in estimates.standard_errors.items()},
    }


def write_result(config: DoubtsConfig, result: Result) -> Path:
    """Keep a measurement as one row of a table; the same again replaces it."""
    setting = result["setting"]
    numbers = [setting[key] for key in ("slips", "hypotheses", "walk_length", "seed")]
    path = config.out / "results" / config.name / ("-".join(f"{number:g}" for number in numbers) + ".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(result, indent=1) + "\n")
    return path


def _describe(belief: Belief, walks: HeldOutWalks) -> dict[str, float]:
    source = walks.source
    assert isinstance(source, SimulatedWalks)
    scalars = {name.rpartition("/")[2]: float(value.detach()) for name, value in belief.scalars().items()}
    return {
        "slips": source.slips,
        "hypotheses": belief.hypotheses,
        "walks": walks.walks,
        "walk_length": source.walk_length,
    } | scalars


@torch.no_grad()
def _predict(
    model: TemVae, batch: Walks, n_classes: int | None, destinations: Tensor | None
) -> Iterator[tuple[str, Tensor]]:
    """Class probabilities of every step by everybody who can say them, (batch, time, classes)."""
    assert n_classes is not None
    assert model.belief is not None
    assert batch.classes is not None
    for predictor, prior in _expect(model, batch):
        yield predictor, class_probabilities(prior, batch.classes, n_classes)
    slips = model.belief.slips
    persistence = slips.persistence.item() if isinstance(slips, PersistentSlips) else 0.0
    told_map = filter_map(batch, n_classes, persistence)
    if told_map is not None:
        yield "filter_map", told_map
    if destinations is not None:
        named = filter_geometry(batch, destinations, model.belief, n_classes)
        if named is not None:
            yield "filter_geometry", named


def _expect(model: TemVae, batch: Walks) -> Iterator[tuple[str, Prior]]:
    """What the model expects by its belief, by what was recorded and by what happened."""
    inference = model.infer(batch.percepts, batch.actions)
    assert inference.belief is not None
    yield "belief", inference.prior
    yield "told", inference.belief.prior.told
    happened = batch.actions if batch.truth is None or batch.truth.actions is None else batch.truth.actions
    yield "happened", model.infer_along(happened, inference).prior


def _known_geometry(walks: HeldOutWalks) -> Tensor | None:
    """Where actions lead, (places, actions), if that is the same in all worlds."""
    assert isinstance(walks.source, SimulatedWalks)
    worlds = walks.source.worlds.sample(4, np.random.default_rng(0))
    tables = worlds.destinations
    return torch.from_numpy(tables[0]) if (tables == tables[0]).all() else None


def _score(scores: MaskedMeans, predictor: str, probabilities: Tensor, walks: Walks) -> None:
    assert walks.classes is not None
    assert walks.places is not None
    kinds = classify_steps(walks.places, walks.seen)
    right = probabilities.argmax(dim=-1) == walks.classes
    scores.update(f"{predictor}_revisit", right, kinds.revisit)
    scores.update(f"{predictor}_zero_shot", right, kinds.zero_shot)
    nats = class_nats(probabilities, walks.classes)
    scores.update(f"{predictor}_class_nats", nats, kinds.revisit)


def read_results(folder: Path) -> list[Result]:
    """All measurements of a table, by what they are of."""
    results = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]

    def order(result: Result) -> tuple[float, ...]:
        setting: Mapping[str, float] = result["setting"]
        return setting["walk_length"], setting["slips"], setting["hypotheses"], setting["seed"]

    return sorted(results, key=order)
